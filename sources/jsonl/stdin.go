package jsonl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// readStdin reads standard input to its end. There is no cursor: what is piped in cannot be read again.
func readStdin(ctx context.Context, opt *Options, out *outbox) error {
	in := opt.Stdin
	if in == nil {
		in = os.Stdin
	}
	if err := out.rest(ctx, nil); err != nil {
		return err
	}
	plain, _, free, err := decompress(waitable(ctx, in))
	if err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	defer free()
	d := newDecoder(plain, *opt, time.Now)
	for {
		m, line, bad, err := d.next()
		switch {
		case err == io.EOF:
			return out.rest(ctx, nil)
		case errors.Is(err, errIdle):
			err = out.rest(ctx, nil)
		case err != nil:
			err = fmt.Errorf("standard input: line %d: %w", line, err)
		case bad != nil:
			out.reject("standard input", line, bad)
		default:
			out.add(m)
		}
		if err == nil && out.full() {
			err = out.flush(ctx, nil)
		}
		if err != nil {
			return err
		}
	}
}

// patient is a reader that waits through errIdle, for those who take every error for the last.
type patient struct{ io.Reader }

func (p patient) Read(b []byte) (int, error) {
	for {
		if n, err := p.Reader.Read(b); n > 0 || !errors.Is(err, errIdle) {
			return n, err
		}
	}
}
