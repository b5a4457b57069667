//go:build unix

package jsonl

import (
	"context"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// waitable makes a reader of an open file end with ctx, and say errIdle when nothing comes for a while. A
// read that has begun cannot be interrupted, so it is begun only when there is something to read. Other
// readers come back as they are.
func waitable(ctx context.Context, r io.Reader) io.Reader {
	if f, ok := r.(*os.File); ok {
		return &polled{ctx, f}
	}
	return r
}

type polled struct {
	ctx context.Context
	f   *os.File
}

// Read waits at most a fifth of a second for something to read.
func (p *polled) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	fds := []unix.PollFd{{Fd: int32(p.f.Fd()), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 200)
	if n == 0 || errors.Is(err, unix.EINTR) {
		return 0, errIdle
	}
	if err != nil {
		return 0, err
	}
	return p.f.Read(b)
}
