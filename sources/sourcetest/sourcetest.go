// Package sourcetest is the contract that every source of mentions keeps, as a test.
//
// A source under test is described by a [Harness]: how to make it, how to put mentions where it reads them,
// how to put something unreadable there. [Run] then checks what the rest of the program relies on: nothing
// is forgotten before it is durable, nothing is lost over a restart, a bad item costs nothing but itself,
// what comes out is normalised, and nothing runs on after the end.
//
// The package is for tests only and stores nothing beyond them.
package sourcetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"emberwatch/sources"
)

// Patience is how long the test waits for anything before it fails.
const Patience = 20 * time.Second

// Harness is one source under test with the place it reads from.
type Harness struct {
	// Source returns the source as it is after a start of the program. It is called again for each restart
	// and always reads from the same place. It should poll as fast as it can.
	Source func(t *testing.T) sources.Source

	// Put makes mentions available, after all that were there before. Where Pushed is set it returns when the
	// source has acknowledged them, and repeats what was refused, as senders do.
	Put func(ctx context.Context, ms ...sources.Mention) error

	// PutBad makes the mentions available with one unreadable item before each.
	PutBad func(ctx context.Context, ms ...sources.Mention) error

	// Pushed is set for a source that does not read by itself: it is not asked for empty polls, and things
	// are put only while it runs.
	Pushed bool
}

// Run tests a source against the contract. It makes a new harness for each part.
func Run(t *testing.T, harness func(t *testing.T) Harness) {
	parts := map[string]func(*testing.T, Harness){
		"what Emit refused is handed over again": refused,
		"a restart loses nothing":                restart,
		"a bad item stops no good one":           badItems,
		"cancelling ends Run":                    cancelled,
		"mentions are normalised":                normalised,
		"an empty poll is told":                  emptyPoll,
		"odd mentions cost nothing":              odd,
	}
	for name, part := range parts {
		t.Run(name, func(t *testing.T) {
			h := harness(t)
			quiet := goleak.IgnoreCurrent() // servers of the harness live on until its clean-up
			part(t, h)
			goleak.VerifyNone(t, quiet)
		})
	}
}

// Sample returns n mentions with ids from first on that any source can carry: id, title, text, time and
// address.
func Sample(first, n int) []sources.Mention {
	ms := make([]sources.Mention, n)
	for i := range ms {
		id := first + i
		ms[i] = sources.Mention{
			ID:        fmt.Sprintf("sample-%d", id),
			Kind:      sources.Comment,
			Title:     fmt.Sprintf("Title %d", id),
			Text:      fmt.Sprintf("Text no. %d with an ümlaut and a 👍🏽.", id),
			URL:       fmt.Sprintf("https://example.com/%d", id),
			CreatedAt: time.Now().Add(-time.Hour).UTC().Truncate(time.Second),
		}
	}
	return ms
}

func refused(t *testing.T, h Harness) {
	w := start(t, h, 2)
	w.put(h.Put, Sample(1, 3))
	w.waitFor(1, 3)
	w.stop()
}

func restart(t *testing.T, h Harness) {
	w := start(t, h, 0)
	w.put(h.Put, Sample(1, 3))
	w.waitFor(1, 3)
	w.stop()
	if h.Pushed {
		w.restart()
		w.put(h.Put, Sample(4, 2))
	} else {
		w.put(h.Put, Sample(4, 2)) // while the source is down
		w.restart()
	}
	w.waitFor(1, 5)
	w.stop()
}

func badItems(t *testing.T, h Harness) {
	w := start(t, h, 0)
	w.put(h.PutBad, Sample(1, 3))
	w.waitFor(1, 3)
	w.stop()
	if w.sink.rejected == 0 {
		t.Error("the bad items were not counted in Batch.Rejected")
	}
}

func cancelled(t *testing.T, h Harness) {
	w := start(t, h, 0)
	w.put(h.Put, Sample(1, 1))
	w.waitFor(1, 1)
	begun := time.Now()
	w.stop()
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("Run took %v to end", took)
	}
}

func normalised(t *testing.T, h Harness) {
	w := start(t, h, 0)
	w.put(h.Put, Sample(1, 3))
	w.waitFor(1, 3)
	w.stop()
	for _, m := range w.sink.taken {
		again := m
		if err := sources.Normalize(&again, time.Now()); err != nil {
			t.Errorf("%s is not valid: %v", m.ID, err)
		}
		if diff := cmp.Diff(again, m); diff != "" {
			t.Errorf("%s is not normalised (-want +got):\n%s", m.ID, diff)
		}
	}
}

// Oddities are what real services hold: texts that are all to be taken, and times that cannot be right.
var (
	oddTexts = map[string]string{
		"right to left, with an override": "مرحبا \u202egnp.exe\u202c",
		"entities":                        "&lt;b&gt; &amp;amp; &#x27;tis &nbsp;",
		"markup":                          "a <b>bold</b> claim < 3 & more",
		"a mention of everybody":          "<!channel> @everyone",
		"joined and combined":             "👩‍👩‍👧‍👦 e\u0301 \u200b\ufeff",
		"long":                            strings.Repeat("long ", 10_000),
	}
	oddTimes = map[string]time.Time{
		"before all":    time.Date(1, 1, 1, 0, 0, 1, 0, time.UTC),
		"the epoch":     time.Unix(0, 0).UTC(),
		"in many years": time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC),
		"the last one":  time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
	}
)

// odd has oddities come among ordinary mentions. Those with an odd time may be left out, but nothing else may for them.
func odd(t *testing.T, h Harness) {
	w := start(t, h, 0)
	w.put(h.Put, Sample(1, 1))
	w.wait("the first", func() bool { return w.sink.holds(1) })
	n := 1
	want := []int{1}
	next := func(change func(*sources.Mention)) {
		n++
		m := Sample(n, 1)
		change(&m[0])
		w.put(h.Put, m)
	}
	for _, text := range oddTexts {
		next(func(m *sources.Mention) { m.Text = fmt.Sprintf("Text no. %d says: %s", n, text) })
		want = append(want, n)
	}
	for _, at := range oddTimes {
		next(func(m *sources.Mention) { m.CreatedAt = at })
	}
	for range 3 {
		next(func(*sources.Mention) {})
		want = append(want, n)
	}
	w.wait(fmt.Sprintf("texts %v", want), func() bool {
		return !slices.ContainsFunc(want, func(n int) bool { return !w.sink.holds(n) })
	})
	w.stop()
	for _, m := range w.sink.taken {
		again := m
		if err := sources.Normalize(&again, time.Now()); err != nil || !cmp.Equal(again, m) {
			t.Errorf("%s is not normalised: %v", m.ID, err)
		}
		if m.CreatedAt.After(time.Now().Add(sources.MaxAhead)) || strings.ContainsAny(m.Text, "\u202e\u202c\ufeff") {
			t.Errorf("%s of %v: %.60q", m.ID, m.CreatedAt, m.Text)
		}
	}
}

// holds reports whether the text of a sample was taken. The caller holds the lock.
func (s *sink) holds(n int) bool {
	return slices.ContainsFunc(s.taken, func(m sources.Mention) bool { return strings.Contains(m.Text, fmt.Sprintf("no. %d ", n)) })
}

func emptyPoll(t *testing.T, h Harness) {
	if h.Pushed {
		t.Skip("a pushed source does not poll")
	}
	w := start(t, h, 0)
	w.wait("an empty batch", func() bool { return w.sink.batches > 0 })
	w.stop()
}

// worker runs a source as the supervisor does: again after each failure, from the cursor of what was taken.
type worker struct {
	t      *testing.T
	h      Harness
	sink   *sink
	cancel context.CancelFunc
	wg     sync.WaitGroup
}

// start runs the source with a sink that refuses the first batches that hold mentions.
func start(t *testing.T, h Harness, refuse int) *worker {
	t.Helper()
	w := &worker{t: t, h: h, sink: &sink{t: t, refuse: refuse, ids: map[string]sources.Mention{}}}
	w.restart()
	return w
}

func (w *worker) restart() {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel = cancel
	src := w.h.Source(w.t)
	w.sink.name = src.Name()
	w.wg.Go(func() {
		for ctx.Err() == nil {
			if err := src.Run(ctx, w.sink.stored(), w.sink.emit); err != nil && ctx.Err() == nil && !errors.Is(err, errRefused) {
				w.t.Errorf("Run failed by itself: %v", err)
				return
			}
			src = w.h.Source(w.t)
			pause(ctx, 5*time.Millisecond)
		}
	})
}

func (w *worker) stop() {
	w.t.Helper()
	w.cancel()
	done := make(chan struct{})
	go func() { w.wg.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(Patience):
		w.t.Fatal("Run did not end with its context")
	}
}

func (w *worker) put(put func(context.Context, ...sources.Mention) error, ms []sources.Mention) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := put(ctx, ms...); err != nil {
		w.t.Fatalf("put: %v", err)
	}
}

// waitFor waits until the samples from first to last were taken, and then holds that nothing else was.
func (w *worker) waitFor(first, last int) {
	w.t.Helper()
	var want []string
	for id := first; id <= last; id++ {
		want = append(want, fmt.Sprintf("sample-%d", id))
	}
	w.wait(fmt.Sprint(want), func() bool { return len(w.sink.ids) >= len(want) })
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	for id := range w.sink.ids {
		if !slices.Contains(want, id) {
			w.t.Errorf("unexpected mention %s", id)
		}
	}
}

func (w *worker) wait(what string, ready func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(Patience); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		w.sink.mu.Lock()
		ok := ready()
		w.sink.mu.Unlock()
		if ok {
			return
		}
	}
	w.t.Fatalf("waited in vain for %s; taken: %v", what, w.sink.taken)
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

var errRefused = fmt.Errorf("refused by the test: %w", sources.ErrUnavailable)

// sink stands for the intake: it keeps what it took with the cursor that came along, or refuses both.
type sink struct {
	t    *testing.T
	name string

	mu       sync.Mutex // guards what follows
	refuse   int
	batches  int
	rejected int
	cursor   sources.Cursor
	taken    []sources.Mention
	ids      map[string]sources.Mention
}

func (s *sink) stored() sources.Cursor {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.cursor)
}

func (s *sink) emit(ctx context.Context, b sources.Batch) (sources.Taken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return sources.Taken{}, err
	}
	if len(b.Mentions) > 0 && s.refuse > 0 {
		s.refuse--
		return sources.Taken{}, errRefused
	}
	if b.Source != s.name {
		s.t.Errorf("Batch.Source is %q, the source is named %q", b.Source, s.name)
	}
	s.batches++
	s.rejected += b.Rejected.Count
	if b.Cursor != nil {
		s.cursor = slices.Clone(b.Cursor)
	}
	return s.keep(b.Mentions), nil
}

func (s *sink) keep(ms []sources.Mention) (taken sources.Taken) {
	for _, m := range ms {
		if before, again := s.ids[m.ID]; again {
			if before.Key() != m.Key() {
				s.t.Errorf("%s came again with another key: %v, %v", m.ID, before.Key(), m.Key())
			}
			taken.Duplicates++
			continue
		}
		s.ids[m.ID] = m
		s.taken = append(s.taken, m)
		taken.Accepted++
	}
	return taken
}

// Look runs a source whose client looks once, and returns what it handed over.
func Look(ctx context.Context, s sources.Source) (ms []sources.Mention, err error) {
	var mu sync.Mutex
	err = s.Run(ctx, nil, func(_ context.Context, b sources.Batch) (sources.Taken, error) {
		mu.Lock()
		defer mu.Unlock()
		ms = append(ms, b.Mentions...)
		return sources.Taken{Accepted: len(b.Mentions)}, nil
	})
	return ms, err
}
