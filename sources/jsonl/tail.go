package jsonl

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// tail is an open file and how far it was read.
type tail struct {
	path   string
	f      *os.File
	dec    *decoder
	mark   mark
	free   func() // of the unpacking
	packed bool
}

// openTail opens a file at the place where the marks say it was left. open says that its last line may still
// grow.
func openTail(ctx context.Context, path string, known marks, opt Options, open bool) (*tail, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t := &tail{path: path, f: f, free: func() {}, mark: known.take(path, f)}
	if err := t.start(ctx, opt, open); err != nil {
		t.close()
		return nil, err
	}
	return t, nil
}

func (t *tail) start(ctx context.Context, opt Options, open bool) error {
	plain, packed, free, err := decompress(t.f)
	if err != nil {
		return err
	}
	t.free, t.packed = free, packed
	t.dec = newDecoder(bounded{ctx, plain}, opt, time.Now)
	if packed {
		return t.resumePacked()
	}
	return t.resumePlain(ctx, open)
}

// resumePacked unpacks up to the record that comes next; all of it, if the file was read to its end and has
// not grown.
func (t *tail) resumePacked() error {
	info, err := t.f.Stat()
	if err != nil {
		return err
	}
	if t.mark.Done && t.mark.Size == info.Size() {
		t.dec.split.restart(eof{}, 0, t.mark.Line)
		t.dec.split.records = t.mark.Records
		return nil
	}
	t.mark.Size, t.mark.Offset, t.mark.Done = info.Size(), min(512, info.Size()), false
	return ignoreEnd(t.dec.skip(t.mark.Records))
}

// bounded is a reader that ends with a context: unpacking to the place reached, and skipping a line without an
// end, can take minutes.
type bounded struct {
	ctx context.Context
	r   io.Reader
}

func (b bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.r.Read(p)
}

// eof is a reader with nothing to read.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// resumePlain reads the format off the first line and goes on at the offset reached.
func (t *tail) resumePlain(ctx context.Context, open bool) error {
	t.dec.split.open = open
	if t.mark.Offset == 0 {
		return nil
	}
	if err := t.dec.sniff(); err != nil {
		return ignoreEnd(err)
	}
	if _, err := t.f.Seek(t.mark.Offset, io.SeekStart); err != nil {
		return err
	}
	t.dec.split.restart(bounded{ctx, t.f}, t.mark.Offset, t.mark.Line)
	return nil
}

// settle brings the mark up to what was handed out.
func (t *tail) settle() error {
	s := t.dec.split
	t.mark.Line, t.mark.Records = s.line, s.records
	if !t.packed {
		t.mark.Offset = s.offset
	}
	print, err := fingerprint(t.f, t.mark.Offset)
	if err != nil {
		return err
	}
	t.mark.Print = print
	return nil
}

// replaced reports whether the path leads to another file by now, or the file was truncated or rewritten
// below the place reached.
func (t *tail) replaced(info os.FileInfo) bool {
	mine, err := t.f.Stat()
	return err != nil || !os.SameFile(mine, info) || t.mark.Offset > 0 && !t.mark.fits(t.f)
}

func (t *tail) close() {
	t.free()
	t.f.Close()
}

// ended reports an error that only says that there is no more for now.
func ended(err error) bool { return err == io.EOF || errors.Is(err, errPartial) }

func ignoreEnd(err error) error {
	if ended(err) {
		return nil
	}
	return err
}
