package sources_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"emberwatch/sources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a source whose runs are functions, the last of which is repeated.
type script struct {
	name string
	runs []func(ctx context.Context, from sources.Cursor, emit sources.Emit) error
	mu   sync.Mutex
	at   []time.Time // when each run began
}

func (s *script) Name() string { return s.name }
func (s *script) Type() string { return "script" }

func (s *script) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	s.mu.Lock()
	run := s.runs[min(len(s.at), len(s.runs)-1)]
	s.at = append(s.at, time.Now())
	s.mu.Unlock()
	return run(ctx, from, emit)
}

func scripted(name string, runs ...func(context.Context, sources.Cursor, sources.Emit) error) *script {
	return &script{name: name, runs: runs}
}

func forever(ctx context.Context, _ sources.Cursor, _ sources.Emit) error { <-ctx.Done(); return nil }

func fails(err error) func(context.Context, sources.Cursor, sources.Emit) error {
	return func(context.Context, sources.Cursor, sources.Emit) error { return err }
}

func emits(n int, then func(context.Context, sources.Cursor, sources.Emit) error) func(context.Context, sources.Cursor, sources.Emit) error {
	return func(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
		if _, err := emit(ctx, sources.Batch{Mentions: make([]sources.Mention, n), Rejected: sources.Rejects{Count: 1, Why: "odd"}}); err != nil {
			return err
		}
		return then(ctx, from, emit)
	}
}

func accept(_ context.Context, b sources.Batch) (sources.Taken, error) {
	return sources.Taken{Accepted: len(b.Mentions)}, nil
}

func supervise(t *testing.T, opt sources.SupervisorOptions) *sources.Supervisor {
	t.Helper()
	if opt.Emit == nil {
		opt.Emit = accept
	}
	s, err := sources.NewSupervisor(opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// during runs a supervisor for some time, with a look at it before it is stopped.
func during(t *testing.T, s *sources.Supervisor, d time.Duration, look func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { s.Run(ctx) })
	time.Sleep(d)
	synctest.Wait()
	look()
	cancel()
	wg.Wait()
}

func health(t *testing.T, s *sources.Supervisor, name string) sources.Health {
	t.Helper()
	for _, h := range s.Health() {
		if h.Name == name {
			return h
		}
	}
	t.Fatalf("no health of %s", name)
	return sources.Health{}
}

func TestFailingSourceIsRestartedAtGrowingDistances(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad, good := scripted("bad", fails(errors.New("GET example.com: status 500"))), scripted("good", emits(2, forever))
		s := supervise(t, sources.SupervisorOptions{Sources: []sources.Source{bad, good}})
		during(t, s, time.Hour, func() {
			h := health(t, s, "bad")
			if h.State != sources.Failing || h.LastError != "GET example.com: status 500" || h.Failures != len(bad.at) || !h.NextTry.After(time.Now()) {
				t.Errorf("health of the bad one: %+v", h)
			}
			if h := health(t, s, "good"); h.State != sources.Running || h.Mentions != 2 || h.Rejected != 1 || h.Type != "script" || h.Failures != 0 {
				t.Errorf("health of the good one: %+v", h)
			}
		})
		for i := 1; i < len(bad.at); i++ {
			gap, full := bad.at[i].Sub(bad.at[i-1]), min(time.Second<<(i-1), 5*time.Minute)
			if gap < full/2 || gap > full {
				t.Errorf("rest %d took %v, want %v to %v", i, gap, full/2, full)
			}
		}
		if n := len(bad.at); n < 15 || n > 40 {
			t.Errorf("%d runs in an hour", n)
		}
		if len(good.at) != 1 {
			t.Errorf("the good one was started %d times", len(good.at))
		}
		if h := health(t, s, "bad"); h.State != sources.Stopped || !h.NextTry.IsZero() {
			t.Errorf("after the end: %+v", h)
		}
	})
}

func TestHealthySpellForgetsFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failure := errors.New("lost")
		long := func(ctx context.Context, _ sources.Cursor, emit sources.Emit) error {
			time.Sleep(2 * time.Minute)
			if _, err := emit(ctx, sources.Batch{}); err != nil {
				return err
			}
			time.Sleep(time.Minute)
			return failure
		}
		src := scripted("s", fails(failure), fails(failure), fails(failure), long, forever)
		s := supervise(t, sources.SupervisorOptions{Sources: []sources.Source{src}})
		during(t, s, 2*time.Minute+30*time.Second, func() {
			if h := health(t, s, "s"); h.Failures != 0 || h.LastError != "" || h.State != sources.Running || h.LastSuccess.IsZero() || !h.LastMention.IsZero() {
				t.Errorf("after a good batch: %+v", h)
			}
			time.Sleep(2 * time.Minute)
			if h := health(t, s, "s"); h.Failures != 1 {
				t.Errorf("failures count on after a healthy spell: %+v", h)
			}
		})
		if n := len(src.at); n != 5 {
			t.Fatalf("%d runs", n)
		}
		if rest := src.at[4].Sub(src.at[3].Add(3 * time.Minute)); rest > time.Second {
			t.Errorf("rested %v after a healthy spell", rest)
		}
	})
}

func TestPanicIsAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		index := 7
		src := scripted("s",
			func(context.Context, sources.Cursor, sources.Emit) error { panic("canary: " + "text of a mention") },
			func(context.Context, sources.Cursor, sources.Emit) error { _ = []int{}[index]; return nil },
			emits(1, forever))
		s := supervise(t, sources.SupervisorOptions{Sources: []sources.Source{src}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		during(t, s, time.Minute, func() {
			if h := health(t, s, "s"); h.State != sources.Running || h.Failures != 2 || !strings.Contains(h.LastError, "index out of range") {
				t.Errorf("got %+v", h)
			}
		})
		if strings.Contains(log.String(), "canary") || !strings.Contains(log.String(), "panic with a string") {
			t.Errorf("log:\n%s", log.String())
		}
	})
}

// TestRetryAfterIsObeyed: a server may ask for an hour at most; what a source knows by itself is waited for in full.
func TestRetryAfterIsObeyed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		later := func(d time.Duration) error {
			return &sources.RetryAfterError{After: d, Err: &sources.StatusError{Method: "GET", Host: "h", Status: 429}}
		}
		known := &sources.RetryAfterError{After: 9 * time.Hour, Err: errors.New("quota"), Ours: true}
		src := scripted("s", fails(later(20*time.Minute)), fails(later(20*time.Hour)), fails(known), forever)
		s := supervise(t, sources.SupervisorOptions{Sources: []sources.Source{src}})
		during(t, s, 12*time.Hour, func() {})
		if len(src.at) != 4 || src.at[1].Sub(src.at[0]) != 20*time.Minute || src.at[2].Sub(src.at[1]) != time.Hour || src.at[3].Sub(src.at[2]) != 9*time.Hour {
			t.Errorf("started at %v", src.at)
		}
	})
}

func TestHistoryComesFirstAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var order []string
		emit := func(_ context.Context, b sources.Batch) (sources.Taken, error) {
			mu.Lock()
			defer mu.Unlock()
			name := b.Source
			if b.History {
				name += "*"
			}
			order = append(order, name)
			return sources.Taken{}, nil
		}
		told := func(name string, wait time.Duration) *script {
			return scripted(name, func(ctx context.Context, _ sources.Cursor, emit sources.Emit) error {
				time.Sleep(wait)
				_, err := emit(ctx, sources.Batch{Source: name})
				return err
			})
		}
		broken := scripted("broken", fails(errors.New("no such file")))
		s := supervise(t, sources.SupervisorOptions{
			Emit:    emit,
			History: []sources.Source{told("2013", time.Hour), broken, told("2014", 0)},
			Sources: []sources.Source{told("live", 0)},
		})
		s.Run(t.Context())
		if want := []string{"2013*", "2014*", "live"}; !slices.Equal(order, want) {
			t.Errorf("got %v, want %v", order, want)
		}
		if h := health(t, s, "broken"); h.State != sources.Stopped || h.Failures != 3 {
			t.Errorf("a broken history is given up: %+v", h)
		}
		if h := health(t, s, "2013"); h.State != sources.Ended {
			t.Errorf("a read history: %+v", h)
		}
	})
}

func TestRestartGetsTheStoredCursor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stored := sources.Cursor("7")
		var got []string
		src := scripted("s",
			func(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
				got = append(got, string(from))
				_, err := emit(ctx, sources.Batch{Cursor: sources.Cursor("8")})
				return errors.Join(err, errors.New("lost"))
			},
			func(_ context.Context, from sources.Cursor, _ sources.Emit) error {
				got = append(got, string(from))
				return nil
			})
		s := supervise(t, sources.SupervisorOptions{
			Sources: []sources.Source{src},
			Cursors: func(name string) sources.Cursor { return stored },
			Emit: func(_ context.Context, b sources.Batch) (sources.Taken, error) {
				stored = b.Cursor
				return sources.Taken{}, nil
			},
		})
		s.Run(t.Context())
		if !slices.Equal(got, []string{"7", "8"}) {
			t.Errorf("started from %v", got)
		}
	})
}

func TestRefusedBatchIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		push := scripted("hook", func(ctx context.Context, _ sources.Cursor, emit sources.Emit) error {
			emit(ctx, sources.Batch{Mentions: make([]sources.Mention, 1)}) // a pushed source answers 503 and goes on
			<-ctx.Done()
			return nil
		})
		s := supervise(t, sources.SupervisorOptions{
			Sources: []sources.Source{push},
			Emit: func(context.Context, sources.Batch) (sources.Taken, error) {
				return sources.Taken{}, sources.ErrUnavailable
			},
		})
		during(t, s, time.Second, func() {
			if h := health(t, s, "hook"); h.LastError == "" || !h.LastSuccess.IsZero() || h.Mentions != 0 {
				t.Errorf("got %+v", h)
			}
		})
	})
}

// ailing is a source of which a part may fail.
type ailing struct {
	*script
	sources.Ailment
}

func (a *ailing) Trouble() error { return a.Err() }

func TestTroubleOfAPartIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := &ailing{script: scripted("s", emits(1, forever))}
		s := supervise(t, sources.SupervisorOptions{Sources: []sources.Source{src}})
		during(t, s, 2*time.Minute, func() {
			for _, tt := range []struct {
				err  error
				want string
			}{
				{nil, ""},
				{errors.New("second look: status 500"), "second look: status 500"},
				{context.Canceled, "second look: status 500"},
				{errors.Join(errors.New("one"), errors.New("two")), "one; two"},
				{nil, ""},
			} {
				src.Note(tt.err)
				if h := health(t, s, "s"); h.State != sources.Running || h.LastError != tt.want {
					t.Errorf("after %v: %+v", tt.err, h)
				}
			}
		})
	})
}

// TestASourceOfWhichLittleIsTakenIsTold: a mapping that fits nothing looks like silence otherwise. Odd items among others are
// no trouble, and neither is the same odd item in every poll of a feed whose others are known.
func TestASourceOfWhichLittleIsTakenIsTold(t *testing.T) {
	odd := sources.Rejects{Count: 1, Why: "created_at: missing"}
	each := func(batches ...sources.Batch) *script {
		return scripted("hook", func(ctx context.Context, _ sources.Cursor, emit sources.Emit) error {
			for _, b := range batches {
				if _, err := emit(ctx, b); err != nil {
					return err
				}
			}
			return forever(ctx, nil, nil)
		})
	}
	times := func(n int, b sources.Batch) []sources.Batch { return slices.Repeat([]sources.Batch{b}, n) }
	good := sources.Batch{Mentions: make([]sources.Mention, 1)}
	for name, tt := range map[string]struct {
		batches []sources.Batch
		told    bool
	}{
		"all are rejected":           {times(3, sources.Batch{Rejected: odd}), true},
		"two are not many":           {times(2, sources.Batch{Rejected: odd}), false},
		"most, after a good month":   {slices.Concat(times(500, good), times(40, sources.Batch{Rejected: odd})), true},
		"few, after a good month":    {slices.Concat(times(500, good), times(20, sources.Batch{Rejected: odd})), false},
		"good again":                 {slices.Concat(times(9, sources.Batch{Rejected: odd}), times(10, good)), false},
		"the same beside what known": {times(50, sources.Batch{Rejected: odd, Known: 19}), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := supervise(t, sources.SupervisorOptions{Sources: []sources.Source{each(tt.batches...)}})
				during(t, s, time.Second, func() {
					h := health(t, s, "hook")
					said := strings.Contains(h.LastError, "most of what comes is rejected") && strings.Contains(h.LastError, odd.Why)
					if h.Rejecting != tt.told || said != tt.told || h.RejectedWhy != odd.Why {
						t.Errorf("%+v", h)
					}
				})
			})
		})
	}
}

// TestRejectedItemsAreLogged at once, and then those of a minute together.
func TestRejectedItemsAreLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		src := scripted("hook", func(ctx context.Context, _ sources.Cursor, emit sources.Emit) error {
			for i := range 61 {
				why := []string{"id: missing", "created_at: missing", "not a JSON object"}[min(i, 2)]
				if _, err := emit(ctx, sources.Batch{Rejected: sources.Rejects{Count: 1, Why: why}}); err != nil {
					return err
				}
				time.Sleep(time.Second)
			}
			return forever(ctx, nil, nil)
		})
		s := supervise(t, sources.SupervisorOptions{Sources: []sources.Source{src}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		during(t, s, 5*time.Minute, func() {})
		var lines []string
		for line := range strings.Lines(log.String()) {
			if _, what, ok := strings.Cut(line, `msg="items rejected" `); ok {
				lines = append(lines, strings.TrimSpace(what))
			}
		}
		want := []string{`source=hook items=1 first="id: missing"`, `source=hook items=60 first="created_at: missing"`}
		if !slices.Equal(lines, want) {
			t.Errorf("got %q, want %q", lines, want)
		}
	})
}

// fused is a source with a circuit breaker that is open.
type fused struct{ *script }

func (fused) Broken() bool { return true }

func TestAnOpenBreakerIsPartOfTheHealth(t *testing.T) {
	s := supervise(t, sources.SupervisorOptions{Sources: []sources.Source{fused{scripted("fused", forever)}, scripted("plain", forever)}})
	if !health(t, s, "fused").Broken || health(t, s, "plain").Broken {
		t.Errorf("got %+v", s.Health())
	}
}

func TestPaceOfRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := scripted("s", fails(errors.New("lost")), fails(&sources.RetryAfterError{After: time.Minute, Err: errors.New("busy")}), forever)
		s := supervise(t, sources.SupervisorOptions{Sources: []sources.Source{src}, Pace: 60})
		during(t, s, 2*time.Minute, func() {})
		if first, second := src.at[1].Sub(src.at[0]), src.at[2].Sub(src.at[1]); first > time.Second/60 || second != time.Minute {
			t.Errorf("rested %v, and %v when asked for a minute", first, second)
		}
	})
}

func TestSupervisorOptions(t *testing.T) {
	twice := []sources.Source{scripted("a", forever), scripted("b", forever), scripted("a", forever)}
	if _, err := sources.NewSupervisor(sources.SupervisorOptions{Sources: twice, Emit: accept}); err == nil {
		t.Error("two sources of one name were taken")
	}
	if _, err := sources.NewSupervisor(sources.SupervisorOptions{}); err == nil {
		t.Error("a supervisor without emit was made")
	}
	s := supervise(t, sources.SupervisorOptions{Sources: twice[:2]})
	if h := s.Health(); len(h) != 2 || h[0].Name != "a" || h[1].Name != "b" || h[0].State != sources.Starting {
		t.Errorf("before Run: %+v", h)
	}
}

// A source that speaks every ten minutes by day and once a night is expected to be as silent as it always was at that
// hour, also after a restart.
func TestGapsAreLearnedByTheHourOfTheWeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		day := time.Date(2026, 11, 2, 0, 0, 0, 0, time.UTC) // a Monday
		var arrivals []time.Time
		for d := range 28 {
			for at := day.AddDate(0, 0, d).Add(8 * time.Hour); at.Hour() < 22; at = at.Add(10 * time.Minute) {
				arrivals = append(arrivals, at)
			}
		}
		time.Sleep(time.Until(day.AddDate(0, 0, 28).Add(8 * time.Hour)))
		var once atomic.Pointer[[]sources.Mention] // what each batch holds
		once.Store(&[]sources.Mention{})
		src := scripted("s", func(ctx context.Context, _ sources.Cursor, emit sources.Emit) error {
			for range 84 { // till 22 o'clock
				if _, err := emit(ctx, sources.Batch{Mentions: *once.Load()}); err != nil {
					return err
				}
				time.Sleep(10 * time.Minute)
			}
			<-ctx.Done()
			return nil
		})
		s := supervise(t, sources.SupervisorOptions{Sources: []sources.Source{src}, Arrivals: func(string) []time.Time { return arrivals }})
		during(t, s, time.Second, func() {
			last := day.AddDate(0, 0, 27).Add(21*time.Hour + 50*time.Minute)
			if h := health(t, s, "s"); !h.LastMention.Equal(last) || h.ExpectedGap < sources.Gap(time.Hour) {
				t.Errorf("in the morning: %+v", h)
			}
			once.Store(&[]sources.Mention{{}})
			time.Sleep(12 * time.Hour)
			if h := health(t, s, "s"); h.ExpectedGap != sources.Gap(10*time.Minute) {
				t.Errorf("in the evening: %+v", h)
			}
			once.Store(&[]sources.Mention{{Op: sources.Update}, {Op: sources.Delete}})
			before := health(t, s, "s").LastMention
			time.Sleep(time.Hour)
			if h := health(t, s, "s"); !h.LastMention.Equal(before) || h.LastSuccess.Equal(before) {
				t.Errorf("an edit was taken for something new: %+v", h)
			}
		})
	})
}

func TestNothingIsExpectedOfTheUnknown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := supervise(t, sources.SupervisorOptions{Sources: []sources.Source{scripted("s", emits(1, forever))}})
		during(t, s, time.Second, func() {
			h := health(t, s, "s")
			if h.ExpectedGap != 0 || h.LastMention.IsZero() {
				t.Errorf("got %+v", h)
			}
			if text, err := json.Marshal(h); err != nil || strings.Contains(string(text), "expected_gap") {
				t.Errorf("got %s, %v", text, err)
			}
			var read sources.Health
			h.ExpectedGap = sources.Gap(90 * time.Minute)
			text, _ := json.Marshal(h)
			if err := json.Unmarshal(text, &read); err != nil || read.ExpectedGap != h.ExpectedGap || !strings.Contains(string(text), `"expected_gap":"1h30m0s"`) {
				t.Errorf("got %s, %v", text, err)
			}
		})
	})
}
