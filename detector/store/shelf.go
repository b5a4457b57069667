package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Names of the buckets of archive files.
const (
	itemBucket   = "item"
	textBucket   = "text"
	authorBucket = "author"
)

const archiveSchema = 1

// An archive file gets archiveMmap of address space at first; more comes at the cost of waiting for readers.
// It grows by archiveGrow, so that a quiet day stays a small file.
const (
	archiveMmap = 64 << 20
	archiveGrow = 1 << 20
)

// span is the time that an archive file is about: a day with texts, or a month without.
type span struct {
	from, to time.Time
	month    bool
}

func daySpan(at time.Time) span {
	from := at.UTC().Truncate(24 * time.Hour)
	return span{from: from, to: from.AddDate(0, 0, 1)}
}

func monthSpan(at time.Time) span {
	y, m, _ := at.UTC().Date()
	from := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	return span{from: from, to: from.AddDate(0, 1, 0), month: true}
}

func (s span) name() string {
	if s.month {
		return "items-" + s.from.Format("200601") + ".db"
	}
	return "mentions-" + s.from.Format("20060102") + ".db"
}

// buckets lists those that a file of the span has besides its name table.
func (s span) buckets() []string {
	if s.month {
		return []string{itemBucket}
	}
	return []string{itemBucket, textBucket, authorBucket}
}

// parseSpan reads the name of an archive file.
func parseSpan(name string) (span, bool) {
	stem, ok := strings.CutSuffix(name, ".db")
	if !ok {
		return span{}, false
	}
	if day, ok := strings.CutPrefix(stem, "mentions-"); ok {
		at, err := time.Parse("20060102", day)
		return daySpan(at), err == nil
	}
	if month, ok := strings.CutPrefix(stem, "items-"); ok {
		at, err := time.Parse("200601", month)
		return monthSpan(at), err == nil
	}
	return span{}, false
}

// shelf holds the archive files. They are opened when needed, and those used least recently are closed again.
type shelf struct {
	dir     string
	timeout time.Duration
	maxSize int64
	limit   int // files kept open

	mu     sync.Mutex // guards the rest
	files  map[string]*volume
	recent []*volume // those that may be open, the one used last at the end
}

func newShelf(dir string, opt Options) (*shelf, error) {
	s := &shelf{dir: dir, timeout: opt.Timeout, maxSize: opt.MaxSize, limit: opt.OpenFiles, files: make(map[string]*volume)}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read data folder: %w", err)
	}
	for _, e := range entries {
		if sp, ok := parseSpan(e.Name()); ok {
			s.files[e.Name()] = s.volume(sp)
		}
	}
	return s, nil
}

func (s *shelf) volume(sp span) *volume {
	path := filepath.Join(s.dir, sp.name())
	return &volume{
		path: path, timeout: s.timeout, maxSize: s.maxSize, mmap: archiveMmap, grow: archiveGrow,
		check: func(tx *bolt.Tx) error { return checkSchema(tx, path, archiveSchema, sp.buckets()) },
	}
}

// get returns the file of a span, if there is one.
func (s *shelf) get(sp span) (*volume, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.files[sp.name()]
	if ok {
		s.touch(v)
	}
	return v, ok
}

// has reports whether there is a file of a span.
func (s *shelf) has(sp span) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.files[sp.name()]
	return ok
}

// make returns the file of a span and creates it if there is none. Only for the one writer.
func (s *shelf) make(sp span) (*volume, error) {
	if v, ok := s.get(sp); ok {
		return v, nil
	}
	v := s.volume(sp)
	err := createFile(v.path, func(tx *bolt.Tx) error { return initFile(tx, archiveSchema, sp.buckets()) })
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[sp.name()] = v
	s.touch(v)
	return v, nil
}

// remove deletes the file of a span. Readers that come later find nothing.
func (s *shelf) remove(sp span) error {
	s.mu.Lock()
	v, ok := s.files[sp.name()]
	delete(s.files, sp.name())
	s.recent = slices.DeleteFunc(s.recent, func(r *volume) bool { return r == v })
	s.mu.Unlock()
	if !ok {
		return nil
	}
	if err := v.end(fs.ErrNotExist); err != nil {
		return err
	}
	if err := os.Remove(v.path); err != nil {
		return err
	}
	return syncDir(s.dir)
}

// touch notes a use of v and closes files that nobody has used for longest. The caller holds mu.
func (s *shelf) touch(v *volume) {
	if n := len(s.recent); n > 0 && s.recent[n-1] == v {
		return
	}
	s.recent = append(slices.DeleteFunc(s.recent, func(r *volume) bool { return r == v }), v)
	for i := 0; len(s.recent) > s.limit && i < len(s.recent)-1; {
		if s.recent[i].rest() {
			s.recent = slices.Delete(s.recent, i, i+1)
			continue
		}
		i++ // in use: it stays for now
	}
}

// spans returns the spans of all files, oldest first, a month before its days.
func (s *shelf) spans() []span {
	s.mu.Lock()
	names := slices.Collect(maps.Keys(s.files))
	s.mu.Unlock()
	spans := make([]span, 0, len(names))
	for _, name := range names {
		sp, _ := parseSpan(name)
		spans = append(spans, sp)
	}
	slices.SortFunc(spans, func(a, b span) int {
		if c := a.from.Compare(b.from); c != 0 {
			return c
		}
		return b.to.Compare(a.to)
	})
	return spans
}

// days returns the days between from and to (either may be zero) for which a file may hold records, oldest first.
func (s *shelf) days(from, to time.Time) []span {
	seen := make(map[time.Time]bool)
	var days []span
	for _, sp := range s.spans() {
		for d := daySpan(sp.from); d.from.Before(sp.to); d = daySpan(d.to) {
			late := !to.IsZero() && !d.from.Before(to)
			if late || !from.IsZero() && !d.to.After(from) || seen[d.from] {
				continue
			}
			seen[d.from] = true
			days = append(days, d)
		}
	}
	slices.SortFunc(days, func(a, b span) int { return a.from.Compare(b.from) })
	return days
}

// view calls fn for each file that may hold records of a day: the day's own first, then its month's, which
// has the records of expired days. fn is not called for files that are not there.
func (s *shelf) view(day span, fn func(*txn) error) error {
	for _, sp := range []span{daySpan(day.from), monthSpan(day.from)} {
		v, ok := s.get(sp)
		if !ok {
			continue
		}
		if err := v.view(fn); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (s *shelf) close() error {
	s.mu.Lock()
	files := slices.Collect(maps.Values(s.files))
	s.mu.Unlock()
	var errs []error
	for _, v := range files { // each waits for its readers
		errs = append(errs, v.end(ErrClosed))
	}
	return errors.Join(errs...)
}

// initFile gives a new file its name table and buckets.
func initFile(tx *bolt.Tx, schema uint32, buckets []string) error {
	for _, name := range append([]string{metaBucket, wordBucket}, buckets...) {
		if _, err := tx.CreateBucket([]byte(name)); err != nil {
			return fmt.Errorf("bucket %s: %w", name, err)
		}
	}
	return tx.Bucket([]byte(metaBucket)).Put([]byte(metaSchema), binary.BigEndian.AppendUint32(nil, schema))
}

// checkSchema refuses a file that is newer than this program, that has no schema at all, or that lacks a
// bucket which files of its schema have.
func checkSchema(tx *bolt.Tx, path string, known uint32, buckets []string) error {
	found, err := schemaOf(tx)
	if err != nil {
		return err
	}
	if found > known {
		return &VersionError{Path: path, Found: int(found), Known: int(known)}
	}
	for _, name := range buckets {
		if found == known && tx.Bucket([]byte(name)) == nil {
			return fmt.Errorf("its bucket %s is missing", name)
		}
	}
	return nil
}

func schemaOf(tx *bolt.Tx) (uint32, error) {
	b := tx.Bucket([]byte(metaBucket))
	if b == nil {
		return 0, errors.New("it is no file of emberwatch")
	}
	v := b.Get([]byte(metaSchema))
	if len(v) != 4 {
		return 0, errors.New("it has no schema version")
	}
	return binary.BigEndian.Uint32(v), nil
}
