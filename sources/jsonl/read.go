package jsonl

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"emberwatch/sources"
)

// Read hands every mention in r to fn, with the line it began at, until r ends or fn fails; it returns the
// error of fn as it is. Compression and format are told by the content, not by the name, which is only for
// reports. No clock is known here: times are believed.
//
// A bad line goes to opt.Report and stops nothing. The error says that r as a whole could not be read.
func Read(r io.Reader, name string, opt Options, fn func(line int, m sources.Mention) error) (Stats, error) {
	var stats Stats
	plain, _, done, err := decompress(r)
	if err != nil {
		return stats, fmt.Errorf("%s: %w", name, err)
	}
	defer done()
	d := newDecoder(plain, opt, nil)
	for {
		m, line, bad, err := d.next()
		switch {
		case err == io.EOF:
			return stats, nil
		case err != nil:
			return stats, fmt.Errorf("%s: line %d: %w", name, line, err)
		case bad != nil:
			stats.Rejected++
			opt.report(name, line, bad)
			continue
		}
		stats.Mentions++
		if err := fn(line, m); err != nil {
			return stats, err
		}
	}
}

func (o *Options) report(file string, line int, err error) {
	if o.Report != nil {
		o.Report(file, line, err)
	}
}

// decodeOptions translates for a mention that arrives now; nil stands for no clock.
func (o *Options) decodeOptions(now func() time.Time) sources.DecodeOptions {
	opt := sources.DecodeOptions{Source: o.Name, Brand: o.Brand, Zone: o.Timezone, Bare: o.Bare, Verdicts: o.Verdicts}
	if opt.Source == "" {
		opt.Source = "file"
	}
	if now != nil {
		opt.Arrived = now()
	}
	return opt
}

// Magic bytes of what is unpacked, and of what is refused with a hint.
var (
	gzipMagic  = []byte{0x1f, 0x8b}
	zstdMagic  = []byte{0x28, 0xb5, 0x2f, 0xfd}
	zipMagic   = []byte("PK\x03\x04")
	utf16Magic = [][]byte{{0xff, 0xfe}, {0xfe, 0xff}}
)

// decompress unpacks r if its first bytes say that it is packed. done frees what the unpacking holds.
func decompress(r io.Reader) (plain io.Reader, packed bool, done func(), err error) {
	buffered := bufio.NewReaderSize(r, 64<<10)
	head, err := buffered.Peek(4)
	for errors.Is(err, errIdle) {
		head, err = buffered.Peek(4)
	}
	if err != nil && err != io.EOF {
		return nil, false, nil, err
	}
	done = func() {}
	switch {
	case bytes.HasPrefix(head, gzipMagic):
		plain, err = gzip.NewReader(patient{buffered})
		return plain, true, done, err
	case bytes.HasPrefix(head, zstdMagic):
		z, err := zstd.NewReader(patient{buffered}, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(64<<20))
		if err != nil {
			return nil, true, done, err
		}
		return z, true, z.Close, nil
	case bytes.HasPrefix(head, zipMagic):
		return nil, false, done, errors.New("a zip archive or spreadsheet: unpack it, or save it as CSV")
	}
	for _, mark := range utf16Magic {
		if bytes.HasPrefix(head, mark) {
			return nil, false, done, errors.New("the file is in UTF-16: save it as UTF-8")
		}
	}
	return buffered, false, done, nil
}
