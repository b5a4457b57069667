package jsonl

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"emberwatch/sources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// intake is a sink that keeps what it was given.
type intake struct {
	mu      sync.Mutex
	ids     []string
	sizes   []int // of the batches
	bad     int
	history int // batches marked so
	cursor  sources.Cursor
	refuse  error
}

func (in *intake) emit(_ context.Context, b sources.Batch) (sources.Taken, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.refuse != nil {
		return sources.Taken{}, in.refuse
	}
	for _, m := range b.Mentions {
		in.ids = append(in.ids, m.ID)
	}
	in.sizes = append(in.sizes, len(b.Mentions))
	in.bad += b.Rejected.Count
	if b.History {
		in.history++
	}
	if b.Cursor != nil {
		in.cursor = b.Cursor
	}
	return sources.Taken{Accepted: len(b.Mentions)}, nil
}

func (in *intake) taken() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return strings.Join(in.ids, " ")
}

// once runs a source that does not follow, from the cursor of the intake.
func (in *intake) once(t *testing.T, opt Options) error {
	t.Helper()
	opt.Name = "in"
	return quick(t, opt).Run(t.Context(), in.cursor, in.emit)
}

func (in *intake) wantTaken(t *testing.T, want string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); in.taken() != want; time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("taken %q, want %q", in.taken(), want)
		}
	}
}

// follow runs a following source until the test calls what it returns.
func (in *intake) follow(t *testing.T, opt Options) (stop func()) {
	t.Helper()
	opt.Name, opt.Follow = "in", true
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := quick(t, opt).Run(ctx, in.cursor, in.emit); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
	return sync.OnceFunc(func() { cancel(); wg.Wait() })
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func lines(ids ...string) string {
	var b strings.Builder
	for _, id := range ids {
		b.WriteString(item(id) + "\n")
	}
	return b.String()
}

func TestFolderIsReadOnceAndNotAgain(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "1.ndjson"), []byte(lines("a", "b")))
	write(t, filepath.Join(dir, "2.csv.gz"), gzipped("id,text,created_at\nc,x,2026-11-16T07:00:00Z\n"))
	write(t, filepath.Join(dir, "3.zst"), zstded(lines("d")))
	write(t, filepath.Join(dir, ".hidden"), []byte(lines("no")))
	os.Mkdir(filepath.Join(dir, "sub"), 0o700)
	in := &intake{}
	for range 2 {
		if err := in.once(t, Options{Paths: []string{dir}, History: true}); err != nil {
			t.Fatal(err)
		}
	}
	in.wantTaken(t, "a b c d")
	if in.history != len(in.sizes) || in.history < 2 {
		t.Errorf("%d of %d batches are marked as history", in.history, len(in.sizes))
	}
	write(t, filepath.Join(dir, "4.ndjson"), []byte(lines("e")))
	if err := in.once(t, Options{Paths: []string{filepath.Join(dir, "*.ndjson"), filepath.Join(dir, "2*"), filepath.Join(dir, "3*")}}); err != nil {
		t.Fatal(err)
	}
	in.wantTaken(t, "a b c d e")
}

func TestBatchesAndTheirCursors(t *testing.T) {
	for name, pack := range map[string]func(string) []byte{"plain": func(s string) []byte { return []byte(s) }, "gzip": gzipped, "zstd": zstded} {
		t.Run(name, func(t *testing.T) {
			var csv strings.Builder
			csv.WriteString("\ufeffid,created_at,text\n\n")
			var want []string
			for i := range 1201 {
				fmt.Fprintf(&csv, "%d,2026-11-16T07:00:00Z,\"a\nb\"\n", i)
				want = append(want, fmt.Sprint(i))
			}
			path := filepath.Join(t.TempDir(), "in")
			write(t, path, pack(csv.String()))
			in := &intake{}
			for stops := 0; ; stops++ { // refused at every other batch
				var n int
				src := quick(t, Options{Name: "in", Paths: []string{path}})
				err := src.Run(t.Context(), in.cursor, func(ctx context.Context, b sources.Batch) (sources.Taken, error) {
					if n++; n == 2 {
						return sources.Taken{}, sources.ErrUnavailable
					}
					return in.emit(ctx, b)
				})
				if err == nil {
					break
				}
				if !errors.Is(err, sources.ErrUnavailable) || stops > 5 {
					t.Fatal(err)
				}
			}
			if !slices.Equal(in.ids, want) {
				t.Errorf("taken %d, want %d, each once and in order", len(in.ids), len(want))
			}
			if most := slices.Max(in.sizes); most > 500 {
				t.Errorf("a batch of %d", most)
			}
		})
	}
}

func TestFollowGrowth(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in")
	in := &intake{}
	stop := in.follow(t, Options{Paths: []string{path}})
	defer stop()
	in.wantTaken(t, "")
	appendTo(t, path, lines("a")) // the file appears
	in.wantTaken(t, "a")
	whole := item("b")
	appendTo(t, path, whole[:20])
	time.Sleep(50 * time.Millisecond) // several looks at half a line
	in.wantTaken(t, "a")
	appendTo(t, path, whole[20:]+"\n")
	in.wantTaken(t, "a b")
	stop()
	if in.bad != 0 {
		t.Errorf("%d bad lines", in.bad)
	}
	appendTo(t, path, lines("c")+item("d")[:10]) // while it is down
	stop = in.follow(t, Options{Paths: []string{path}})
	defer stop()
	in.wantTaken(t, "a b c")
	appendTo(t, path, item("d")[10:]+"\n")
	in.wantTaken(t, "a b c d")
}

func TestFollowCSVResumesUnderItsHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in.csv")
	write(t, path, []byte("id;text;created_at\na;x;2026-11-16T07:00:00Z\n"))
	in := &intake{}
	stop := in.follow(t, Options{Paths: []string{path}})
	in.wantTaken(t, "a")
	stop()
	appendTo(t, path, "b;\"x\n")
	stop = in.follow(t, Options{Paths: []string{path}})
	defer stop()
	appendTo(t, path, "y\";2026-11-16T07:00:00Z\nc;z;2026-11-16T07:00:00Z\n")
	in.wantTaken(t, "a b c")
}

func TestFollowRotation(t *testing.T) {
	dir := t.TempDir()
	path, old := filepath.Join(dir, "in.log"), filepath.Join(dir, "in.log.1")
	for name, paths := range map[string][]string{"one file": {path}, "with the rotated ones": {filepath.Join(dir, "in.log*")}} {
		t.Run(name, func(t *testing.T) {
			os.Remove(old)
			write(t, path, []byte(lines("a")))
			in := &intake{}
			stop := in.follow(t, Options{Paths: paths})
			defer stop()
			in.wantTaken(t, "a")
			appendTo(t, path, lines("b")) // perhaps unseen when the name changes
			if err := os.Rename(path, old); err != nil {
				t.Fatal(err)
			}
			appendTo(t, path, lines("c"))
			want := map[string]bool{"a b c": true, "a c b": true}
			for deadline := time.Now().Add(10 * time.Second); !want[in.taken()]; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("taken %q", in.taken())
				}
			}
			appendTo(t, path, lines("d"))
			in.wantTaken(t, in.taken()[:5]+" d")
			stop()
			stop = in.follow(t, Options{Paths: paths})
			defer stop()
			appendTo(t, path, lines("e"))
			in.wantTaken(t, in.taken()[:7]+" e")
		})
	}
}

func TestRotationWhileDown(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "in.log")
	in := &intake{}
	write(t, path, []byte(lines("a", "b")))
	if err := in.once(t, Options{Paths: []string{dir}}); err != nil {
		t.Fatal(err)
	}
	os.Rename(path, filepath.Join(dir, "a-older.log"))
	write(t, path, []byte(lines("c")))
	if err := in.once(t, Options{Paths: []string{dir}}); err != nil {
		t.Fatal(err)
	}
	in.wantTaken(t, "a b c")
}

func TestFollowTruncation(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in")
	write(t, path, []byte(lines("a", "b", "c")))
	in := &intake{}
	stop := in.follow(t, Options{Paths: []string{path}})
	defer stop()
	in.wantTaken(t, "a b c")
	write(t, path, []byte(lines("d")))
	in.wantTaken(t, "a b c d")
	write(t, path, []byte(lines("e", "f", "g", "h"))) // rewritten beyond the place reached
	in.wantTaken(t, "a b c d e f g h")
}

func TestPackedFileThatGrows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in.gz")
	first := gzipped(lines("a", "b"))
	write(t, path, first)
	in := &intake{}
	for _, step := range []struct {
		data []byte
		want string
	}{{first, "a b"}, {append(bytes.Clone(first), gzipped(lines("c"))...), "a b c"}} {
		write(t, path, step.data)
		for range 2 {
			if err := in.once(t, Options{Paths: []string{path}}); err != nil {
				t.Fatal(err)
			}
		}
		in.wantTaken(t, step.want)
	}
}

func TestBadFileStopsNoGoodOne(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "1"), []byte("PK\x03\x04"))
	write(t, filepath.Join(dir, "2"), []byte(lines("a")+"{\n"))
	opt := Options{Paths: []string{dir, filepath.Join(dir, "missing")}}
	var reports []string
	opt.Report = func(file string, line int, err error) {
		reports = append(reports, fmt.Sprintf("%s:%d", filepath.Base(file), line))
	}
	in := &intake{}
	if err := in.once(t, opt); err == nil || !strings.Contains(err.Error(), "zip archive") || !strings.Contains(err.Error(), "missing") {
		t.Errorf("got %v", err)
	}
	in.wantTaken(t, "a")
	if in.bad != 1 || !slices.Equal(reports, []string{"1:0", "2:2"}) {
		t.Errorf("%d bad lines, reports %v", in.bad, reports)
	}
}

func TestBadFileIsReportedOnceWhenFollowed(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "1"), []byte("PK\x03\x04"))
	write(t, filepath.Join(dir, "2"), []byte(lines("a")))
	var mu sync.Mutex
	reports := 0
	in := &intake{}
	stop := in.follow(t, Options{Paths: []string{dir}, Report: func(string, int, error) { mu.Lock(); reports++; mu.Unlock() }})
	defer stop()
	in.wantTaken(t, "a")
	appendTo(t, filepath.Join(dir, "2"), lines("b"))
	in.wantTaken(t, "a b")
	stop()
	if reports != 1 {
		t.Errorf("%d reports", reports)
	}
}

func TestStdin(t *testing.T) {
	for name, data := range map[string][]byte{"plain": []byte(lines("a", "b")), "gzip": gzipped(lines("a", "b"))} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			in := &intake{}
			var wg sync.WaitGroup
			wg.Go(func() {
				if err := in.once(t, Options{Paths: []string{Stdin}, Stdin: r}); err != nil {
					t.Error(err)
				}
			})
			w.Write(data)
			if name == "plain" {
				in.wantTaken(t, "a b") // before the end of input
			}
			w.Close()
			wg.Wait()
			in.wantTaken(t, "a b")
		})
	}
}

func TestStdinEndsWithItsContext(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	w.WriteString(lines("a"))
	ctx, cancel := context.WithCancel(t.Context())
	in := &intake{}
	done := make(chan error)
	go func() { done <- quick(t, Options{Name: "in", Paths: []string{Stdin}, Stdin: r}).Run(ctx, nil, in.emit) }()
	in.wantTaken(t, "a")
	cancel()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("it went on reading")
	}
}

func TestStoredCursorThatIsNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in")
	write(t, path, []byte(lines("a")))
	if err := quick(t, Options{Name: "in", Paths: []string{path}}).Run(t.Context(), sources.Cursor("?"), (&intake{}).emit); err == nil {
		t.Error("a broken cursor was taken for none")
	}
}

func TestNew(t *testing.T) {
	for name, opt := range map[string]Options{
		"no name": {Paths: []string{"x"}}, "no path": {Name: "in"}, "stdin and files": {Name: "in", Paths: []string{"-", "x"}},
		"bad pattern": {Name: "in", Paths: []string{"[a"}}, "history that grows": {Name: "in", Paths: []string{"x"}, History: true, Follow: true},
	} {
		if _, err := New(opt); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.csv", "a.ndjson", "[odd].csv"} {
		write(t, filepath.Join(dir, name), nil)
	}
	got, err := Files([]string{filepath.Join(dir, "*.csv"), dir, filepath.Join(dir, "[odd].csv"), filepath.Join(dir, "none*")})
	var names []string
	for _, f := range got {
		names = append(names, filepath.Base(f))
	}
	if !slices.Equal(names, []string{"[odd].csv", "b.csv", "a.ndjson"}) || err == nil {
		t.Errorf("got %v, %v", names, err)
	}
}

// cancelling is an endless line that cancels a context on its way.
type cancelling struct {
	cancel context.CancelFunc
	left   int
}

func (c *cancelling) Read(b []byte) (int, error) {
	if c.left--; c.left == 0 {
		c.cancel()
	}
	return letters{}.Read(b)
}

func TestLongReadsEndWithTheirContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	line := io.LimitReader(&cancelling{cancel, 100}, 256<<20)
	if _, _, err := newSplitter(bounded{ctx, line}, false).next(); !errors.Is(err, context.Canceled) {
		t.Errorf("a line without an end: %v", err)
	}

	path := filepath.Join(t.TempDir(), "in.gz")
	write(t, path, gzipped(strings.Repeat(item("a")+"\n", 2000)))
	in := &intake{}
	if err := in.once(t, Options{Paths: []string{path}}); err != nil {
		t.Fatal(err)
	}
	known, err := parseMarks(in.cursor)
	if err != nil {
		t.Fatal(err)
	}
	m := known[path]
	m.Done = false
	known[path] = m
	if _, err := openTail(ctx, path, known, Options{Name: "in"}, false); !errors.Is(err, context.Canceled) {
		t.Errorf("unpacking to the place reached: %v", err)
	}

	told := 0
	src := quick(t, Options{Name: "in", Paths: []string{path}, Report: func(string, int, error) { told++ }})
	if err := src.Run(ctx, nil, in.emit); !errors.Is(err, context.Canceled) || told != 0 {
		t.Errorf("run: %v, and %d problems of files are told", err, told)
	}
}
