package jsonl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"emberwatch/sources"
)

const (
	maxOpen = 256         // followed files held open between two looks
	retry   = time.Minute // after which a followed file that could not be read is tried again, changed or not
	asleep  = time.Hour   // a followed file unchanged for longer is closed, and opened again when it changes
)

// Run reads the files from where the cursor left them. It ends when all are read, or with ctx when they are
// followed. A file that cannot be read does not stop the others: without Follow it makes Run fail at the
// end, with Follow it is reported, and tried again when it changes or after a minute.
func (s *Source) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	out := &outbox{opt: &s.opt, emit: emit}
	if s.opt.Paths[0] == Stdin {
		return s.wrap(readStdin(ctx, &s.opt, out))
	}
	known, err := parseMarks(from)
	if err != nil {
		return s.wrap(err)
	}
	files, _ := Files(s.opt.Paths) // what is missing is told by the first pass
	r := &run{opt: &s.opt, look: s.look, out: out, marks: known.reconcile(files), tails: map[string]*tail{}, seen: map[string]os.FileInfo{}, again: map[string]time.Time{}}
	defer r.close()
	return s.wrap(r.loop(ctx))
}

func (s *Source) wrap(err error) error {
	if err != nil {
		return fmt.Errorf("source %s: %w", s.opt.Name, err)
	}
	return nil
}

// run is the state of one call of Run. Nothing of it outlives the call: after a failure the stored cursor
// alone says what was taken.
type run struct {
	opt   *Options
	look  time.Duration
	out   *outbox
	marks marks
	tails map[string]*tail       // followed files that are held open
	seen  map[string]os.FileInfo // how files looked that need no look until they change
	again map[string]time.Time   // when to try files again that could not be read
}

func (r *run) close() {
	for _, t := range r.tails {
		t.close()
	}
}

func (r *run) loop(ctx context.Context) error {
	for {
		failed, err := r.pass(ctx)
		if err == nil {
			err = r.out.rest(ctx, r.marks)
		}
		if err != nil || !r.opt.Follow {
			return errors.Join(err, failed)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(r.look):
		}
	}
}

// pass looks at every file once. failed says which could not be read; err ends the run.
func (r *run) pass(ctx context.Context) (failed, err error) {
	files, failed := Files(r.opt.Paths)
	if r.opt.Follow {
		failed = nil // a file may come later
	}
	for _, path := range files {
		bad, err := r.file(ctx, path)
		if err != nil {
			return nil, err
		}
		if bad != nil {
			r.opt.report(path, 0, bad)
			r.again[path] = time.Now().Add(retry)
			failed = errors.Join(failed, bad)
		}
	}
	return failed, nil
}

// file reads what is new in one file.
func (r *run) file(ctx context.Context, path string) (failed, err error) {
	info, failed := os.Stat(path)
	if failed != nil || r.unchanged(path, info) {
		return failed, nil // gone between two looks, or nothing to do
	}
	r.seen[path] = info
	delete(r.again, path)
	if !info.Mode().IsRegular() { // opening a pipe waits for its writer, whatever ctx says
		return fmt.Errorf("%s: no regular file; pipe it into standard input, or push it to the webhook", path), nil
	}
	t := r.tails[path]
	if t != nil && t.replaced(info) {
		if err := r.retire(ctx, t, info); err != nil {
			return nil, err
		}
		t = nil
	}
	if t == nil {
		if t, failed = openTail(ctx, path, r.marks, *r.opt, r.opt.Follow); failed != nil {
			return failed, ctx.Err()
		}
	}
	failed, err = r.read(ctx, t)
	r.keep(t, info, failed == nil && err == nil)
	return failed, err
}

func (r *run) unchanged(path string, info os.FileInfo) bool {
	last := r.seen[path]
	if at, bad := r.again[path]; bad && !time.Now().Before(at) {
		return false
	}
	return last != nil && os.SameFile(last, info) && last.Size() == info.Size() && last.ModTime().Equal(info.ModTime())
}

// retire ends a file whose name leads elsewhere by now. What was written to it before it was renamed is
// still read; a truncated file has nothing left to read.
func (r *run) retire(ctx context.Context, t *tail, now os.FileInfo) error {
	defer t.close()
	delete(r.tails, t.path)
	if mine, err := t.f.Stat(); err == nil && !os.SameFile(mine, now) {
		t.dec.split.open = false
		if _, err := r.read(ctx, t); err != nil {
			return err
		}
	}
	r.marks[rotated(t.path)] = t.mark
	delete(r.marks, t.path)
	return nil
}

// keep holds a followed file open, so that it can be read to its end when it is renamed.
func (r *run) keep(t *tail, info os.FileInfo, healthy bool) {
	if healthy && r.opt.Follow && !t.packed && len(r.tails) < maxOpen && time.Since(info.ModTime()) < asleep {
		r.tails[t.path] = t
		return
	}
	delete(r.tails, t.path)
	t.close()
}

// read hands over what a file holds up to its present end.
func (r *run) read(ctx context.Context, t *tail) (failed, err error) {
	for ctx.Err() == nil {
		m, line, bad, err := t.dec.next()
		switch {
		case ended(err):
			t.mark.Done = t.packed
			return r.settle(t), nil
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return errors.Join(fmt.Errorf("%s: line %d: %w", t.path, line, err), r.settle(t)), nil
		case bad != nil:
			r.out.reject(t.path, line, bad)
		default:
			r.out.add(m)
		}
		if !r.out.full() {
			continue
		}
		if failed := r.settle(t); failed != nil {
			return failed, nil
		}
		if err := r.out.flush(ctx, r.marks); err != nil {
			return nil, err
		}
	}
	return nil, ctx.Err()
}

// settle notes how far a file was read, for the cursor of the next batch.
func (r *run) settle(t *tail) error {
	if err := t.settle(); err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	r.marks[t.path] = t.mark
	return nil
}
