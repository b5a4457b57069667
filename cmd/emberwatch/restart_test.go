package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"emberwatch/sources"

	"github.com/google/go-cmp/cmp"
)

// stumbling is a source that hands in one page and fails, until it has been started three times.
type stumbling struct{ from chan string }

func (s *stumbling) Name() string { return "stumbling" }

func (s *stumbling) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	s.from <- string(from)
	page := len(string(from)) + 1
	b := sources.Batch{Source: "stumbling", Cursor: sources.Cursor(fmt.Sprintf("%s%d", from, page))}
	if _, err := emit(ctx, b); err != nil {
		return err
	}
	if page == 3 {
		return nil
	}
	return errors.New("the connection broke off")
}

func TestAFailedSourceGoesOnFromItsStoredCursor(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	src := &stumbling{from: make(chan string, 9)}
	cfg := writeFile(t, filepath.Join(dir, "e.yml"), anyPort)
	_, stop := startDaemon(t, filepath.Join(dir, "d"), cfg, func(o *DaemonOptions) {
		o.Extra = func(*Daemon) (history, live []sources.Source) { return nil, []sources.Source{src} }
	})
	var got []string
	for range 3 {
		got = append(got, <-src.from)
	}
	stop()
	if diff := cmp.Diff([]string{"", "1", "12"}, got); diff != "" {
		t.Errorf("cursors at the starts (-want +got):\n%s", diff)
	}
}
