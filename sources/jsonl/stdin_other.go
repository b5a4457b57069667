//go:build !unix

package jsonl

import (
	"context"
	"io"
)

// waitable returns the reader as it is: a read that has begun ends with the next line or the end of input.
func waitable(_ context.Context, r io.Reader) io.Reader { return r }
