package sources

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

const (
	firstWait    = time.Second     // before the first restart; it doubles with each
	longestWait  = 5 * time.Minute // between restarts
	longestAsked = time.Hour       // longest a server may ask us to stay away (RetryAfterError)
	healthySpell = time.Minute     // of running after which earlier failures are forgotten
	historyTries = 3               // of a history source, so that a broken file cannot keep the daemon from starting
)

// SupervisorOptions says what a [Supervisor] runs. Emit is mandatory.
type SupervisorOptions struct {
	Sources []Source
	History []Source // read to their end first, in order, one at a time; their batches are marked History
	Emit    Emit
	Cursors func(name string) Cursor // the stored cursor of a source; nil: there are none

	// Arrivals returns when mentions of a source came in lately, in any order, so that its health is known from the
	// start. nil: it is learned from what comes.
	Arrivals func(name string) []time.Time

	Log  *slog.Logger // nil: nothing is logged
	Pace Pace         // of restarts, and of how soon failures are forgotten
}

// Supervisor runs all sources side by side. One that fails or panics is started again from its stored
// cursor, at growing distances; the others do not notice. It knows the health of each.
type Supervisor struct {
	opt    SupervisorOptions
	ledger ledger
}

// NewSupervisor checks that the names are unique. Nothing runs before [Supervisor.Run].
func NewSupervisor(opt SupervisorOptions) (*Supervisor, error) {
	if opt.Emit == nil {
		return nil, errors.New("supervisor: emit is missing")
	}
	if opt.Cursors == nil {
		opt.Cursors = func(string) Cursor { return nil }
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	s := &Supervisor{opt: opt, ledger: ledger{entries: map[string]*entry{}, healthy: opt.Pace.Of(healthySpell)}}
	for _, list := range [][]Source{opt.History, opt.Sources} {
		for _, src := range list {
			if !s.ledger.add(src) {
				return nil, fmt.Errorf("supervisor: two sources are named %s", src.Name())
			}
		}
	}
	return s, nil
}

// Health returns how every source is doing, by name.
func (s *Supervisor) Health() []Health { return s.ledger.snapshot() }

// Run runs the sources until ctx ends or all have read what there is, and returns when the last of them
// has stopped. It is called once.
func (s *Supervisor) Run(ctx context.Context) {
	for _, src := range s.opt.History {
		s.supervise(ctx, src, s.emit(src, true), historyTries)
	}
	var wg sync.WaitGroup
	for _, src := range s.opt.Sources {
		wg.Go(func() {
			if s.opt.Arrivals != nil {
				s.ledger.recall(src.Name(), s.opt.Arrivals(src.Name()))
			}
			s.supervise(ctx, src, s.emit(src, false), 0)
		})
	}
	wg.Wait()
}

// supervise runs one source until it ends by itself, ctx ends, or, if tries is positive, it has failed that
// often without a healthy spell between.
func (s *Supervisor) supervise(ctx context.Context, src Source, emit Emit, tries int) {
	log := s.opt.Log.With("source", src.Name())
	for ctx.Err() == nil {
		s.ledger.started(src.Name(), time.Now())
		err := runSafely(ctx, src, s.opt.Cursors(src.Name()), emit, log)
		if ctx.Err() != nil {
			break
		}
		if err == nil {
			s.ledger.ended(src.Name(), Ended)
			log.Info("source has read everything there is")
			return
		}
		now := time.Now()
		failures := s.ledger.failed(src.Name(), err, now)
		if tries > 0 && failures >= tries {
			log.Error("source given up", "failures", failures, "error", err)
			s.ledger.ended(src.Name(), Stopped)
			return
		}
		wait := s.opt.restartAfter(failures, err)
		s.ledger.nextTry(src.Name(), now.Add(wait))
		log.Warn("source failed", "failures", failures, "again_in", wait.Round(time.Millisecond).String(), "error", err)
		pause(ctx, wait)
	}
	s.ledger.ended(src.Name(), Stopped)
}

// emit wraps the sink for one source, so that what becomes of its batches is known as its health.
func (s *Supervisor) emit(src Source, history bool) Emit {
	return func(ctx context.Context, b Batch) (Taken, error) {
		b.History = b.History || history
		taken, err := s.opt.Emit(ctx, b)
		if err != nil {
			s.ledger.refused(src.Name(), err)
			return taken, err
		}
		if told := s.ledger.took(src.Name(), b, taken, time.Now()); told.Count > 0 {
			s.opt.Log.Warn("items rejected", "source", src.Name(), "items", told.Count, "first", told.Why)
		}
		return taken, nil
	}
}

// runSafely is Run with a panic turned into an error. The value of a panic may hold text of a mention, so
// only those of the runtime are told.
func runSafely(ctx context.Context, src Source, from Cursor, emit Emit, log *slog.Logger) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if cause, ok := p.(runtime.Error); ok {
			err = fmt.Errorf("panic: %w", cause)
		} else {
			err = fmt.Errorf("panic with a %T", p)
		}
		log.Error("source panicked", "error", err, "stack", string(debug.Stack()))
	}()
	return src.Run(ctx, from, emit)
}

// restartAfter is how long a source rests after it failed so many times in a row: twice as long each time
// with some chance in it, and at least as long as the server asked for, within bounds, or as its source knows.
func (o *SupervisorOptions) restartAfter(failures int, err error) time.Duration {
	wait := o.Pace.Of(min(firstWait<<min(failures-1, 20), longestWait))
	wait = wait/2 + rand.N(wait/2+1)
	asked, ok := errors.AsType[*RetryAfterError](err)
	switch {
	case ok && asked.Ours: // known, not asked for: such as when a quota begins anew
		wait = max(wait, asked.After)
	case ok:
		wait = max(wait, min(asked.After, longestAsked))
	}
	return wait
}

// pause waits, and reports false when ctx ends meanwhile.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
