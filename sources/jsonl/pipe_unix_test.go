//go:build unix

package jsonl

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A pipe among the files of a folder must not keep the others, nor the end of the daemon, waiting for a writer.
func TestPipesAreNotOpened(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mkfifo(filepath.Join(dir, "1.ndjson"), 0o600); err != nil {
		t.Skip(err)
	}
	write(t, filepath.Join(dir, "2.ndjson"), []byte(lines("a")))
	in := &intake{}
	if err := in.once(t, Options{Paths: []string{dir}}); err == nil || !strings.Contains(err.Error(), "1.ndjson: no regular file") {
		t.Errorf("got %v", err)
	}
	in.wantTaken(t, "a")
}
