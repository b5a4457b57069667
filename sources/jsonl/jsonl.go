// Package jsonl reads mentions from files and from standard input: NDJSON or CSV, plain or compressed with
// gzip or zstd, once or as they grow.
//
// [Read] is the synchronous half, for commands that work through a file: it sniffs compression and format
// and hands over one normalised mention after the other. [Source] is the half that runs in the daemon: it
// reads files, folders and patterns in batches, follows growing files, and goes on after a restart where it
// stopped.
//
// The bytes pass through three small machines: decompress, a splitter that cuts records and knows their
// offsets, and a decoder that finds the format at the first line and reads each record by itself. So a bad
// record is reported with its line and costs nothing but itself.
//
// The package never writes, moves or deletes a file, and holds at most one record (1 MiB) and one batch
// (500 mentions) in memory.
//
// # Caveats
//
// A file is known by a fingerprint of its first bytes and of those before the place reached, not by its
// name: a renamed file is not read again, a rewritten one is. A file that is truncated and regrows to the
// same bytes at both places is taken for the old one.
//
// A compressed file is read to its end and looked at again only when its size changes; going on within it
// means unpacking it from the start.
package jsonl

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"emberwatch/sources"
)

// Stdin is the path that stands for standard input.
const Stdin = "-"

// Options says what is read and what is assumed where a mention is silent. Read uses Name, Brand, Timezone,
// Bare, Verdicts and Report only.
type Options struct {
	Name     string         // configured name, and the source of mentions that name none
	Paths    []string       // files, folders, patterns, or "-" alone
	Follow   bool           // go on reading what is appended, and files that appear
	History  bool           // the mentions teach the baselines and alert nobody
	Brand    string         // the brand of mentions that name none
	Timezone *time.Location // of times without a zone; nil makes them errors
	Bare     bool           // take mentions without id, time or content, see sources.DecodeOptions
	Verdicts bool           // believe the judgements of an export, likewise

	// Report hears of every line that could not be read, in order with the mentions around it, and of files
	// that could not be read at all (line 0). It may be nil.
	Report func(file string, line int, err error)

	// Stdin is read for the path "-"; nil is os.Stdin.
	Stdin io.Reader
}

// Stats counts what Read saw. Blank lines and a CSV header are not counted.
type Stats struct {
	Mentions int
	Rejected int
}

// Source reads the configured files. It implements [sources.Source].
type Source struct {
	opt  Options
	look time.Duration // how often followed files are looked at
}

var _ sources.Source = (*Source)(nil)

// New checks the options. Files need not exist yet: a missing one is an error of Run, or of nobody when
// files are followed.
func New(opt Options) (*Source, error) {
	switch {
	case opt.Name == "":
		return nil, errors.New("source of type jsonl: name is missing")
	case len(opt.Paths) == 0:
		return nil, fmt.Errorf("source %s: path is missing", opt.Name)
	case slices.Contains(opt.Paths, Stdin) && len(opt.Paths) > 1:
		return nil, fmt.Errorf("source %s: standard input cannot be mixed with files", opt.Name)
	case opt.History && opt.Follow:
		return nil, fmt.Errorf("source %s: history is read once and cannot be followed", opt.Name)
	}
	for _, p := range opt.Paths {
		if _, err := filepath.Match(p, ""); err != nil {
			return nil, fmt.Errorf("source %s: path %q: %w", opt.Name, p, err)
		}
	}
	return &Source{opt, time.Second}, nil
}

// Name is the configured name.
func (s *Source) Name() string { return s.opt.Name }

// Type is the name of this type of source in the configuration.
func (s *Source) Type() string { return "jsonl" }

// Files resolves paths to files, in order: a folder to the files in it that are not hidden, a pattern to
// what it matches. It fails for a path that leads nowhere, and still returns the others.
func Files(paths []string) ([]string, error) {
	var files []string
	var errs []error
	for _, p := range paths {
		found, err := resolve(p)
		if err != nil {
			errs = append(errs, err)
		}
		files = append(files, found...)
	}
	return dedupe(files), errors.Join(errs...)
}

func resolve(path string) ([]string, error) {
	info, err := os.Stat(path)
	if err == nil && info.IsDir() {
		return folder(path)
	}
	if err == nil || path == Stdin {
		return []string{path}, nil
	}
	matches, globErr := filepath.Glob(path)
	if globErr == nil && len(matches) > 0 {
		return slices.DeleteFunc(matches, isDir), nil
	}
	if strings.ContainsAny(path, "*?[") {
		return nil, fmt.Errorf("no file matches %s", path)
	}
	return nil, err
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func folder(path string) ([]string, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if full := filepath.Join(path, e.Name()); !strings.HasPrefix(e.Name(), ".") && !isDir(full) {
			files = append(files, full)
		}
	}
	return files, nil
}

// dedupe keeps the first of equal paths.
func dedupe(paths []string) []string {
	seen := make(map[string]bool, len(paths))
	return slices.DeleteFunc(paths, func(p string) bool {
		again := seen[p]
		seen[p] = true
		return again
	})
}
