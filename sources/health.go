package sources

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A source is silent once nothing new has come for so many of its expected gaps, and for a day at least: a night
// is no silence.
const (
	silentGaps  = 10
	leastSilent = 24 * time.Hour
)

// Silent reports whether nothing new has come from a running source for much longer than expected. One of which nothing
// is expected yet is not silent.
func (h *Health) Silent(now time.Time) bool {
	return h.State == Running && h.ExpectedGap > 0 && now.Sub(h.LastMention) > max(leastSilent, silentGaps*time.Duration(h.ExpectedGap))
}

// Failed reports whether a source is not being read though there is more to read.
func (h *Health) Failed() bool { return h.State == Failing || h.State == Stopped }

// Ailment is what fails of a source at the moment, for its method Trouble. The zero value is none. It is safe for concurrent
// use.
type Ailment struct{ last atomic.Pointer[error] }

// Note takes in how a try went. One that we broke off ourselves says nothing.
func (a *Ailment) Note(err error) {
	if !errors.Is(err, context.Canceled) {
		a.last.Store(&err)
	}
}

// Err is the error of the last try, nil if it went well.
func (a *Ailment) Err() error {
	if err := a.last.Load(); err != nil {
		return *err
	}
	return nil
}

// ledger is what a supervisor knows about its sources.
type ledger struct {
	mu      sync.Mutex // guards entries and what they point to
	entries map[string]*entry
	healthy time.Duration // healthySpell
}

type entry struct {
	Health
	since   time.Time    // of the present run
	trouble func() error // of a part of the source
	broken  func() bool  // its circuit breaker is open
	gaps    gaps
	share   share
	untold  Rejects   // since the last line of the log about them
	told    time.Time // when that was
}

// snapshot returns the health of every source, by name.
func (l *ledger) snapshot() []Health {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Health, 0, len(l.entries))
	for _, e := range l.entries {
		h := e.Health
		h.Rejecting, h.Broken = e.share.most(), e.broken()
		if err := e.trouble(); err != nil {
			h.LastError = oneLine(err)
		} else if h.Rejecting && h.LastError == "" {
			h.LastError = rejectedMost(h.Rejected, h.RejectedWhy)
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b Health) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// add reports false for a name that is there already. A source that has the methods Type and Broken is asked by them.
func (l *ledger) add(src Source) bool {
	name := src.Name()
	if l.entries[name] != nil {
		return false
	}
	e := &entry{Health: Health{Name: name, State: Starting}, trouble: func() error { return nil }, broken: func() bool { return false }}
	if s, ok := src.(Troubled); ok {
		e.trouble = s.Trouble
	}
	if s, ok := src.(interface{ Broken() bool }); ok {
		e.broken = s.Broken
	}
	if typed, ok := src.(interface{ Type() string }); ok {
		e.Type = typed.Type()
	}
	l.entries[name] = e
	return true
}

func (l *ledger) update(name string, change func(*entry)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l.entries[name])
}

func (l *ledger) started(name string, now time.Time) {
	l.update(name, func(e *entry) {
		e.since, e.NextTry = now, time.Time{}
		if e.Failures == 0 { // else it is failing until it has handed something over
			e.State = Running
		}
	})
}

// took notes a batch that became durable. It returns the rejected items that are to be logged: those of a minute at once.
func (l *ledger) took(name string, b Batch, taken Taken, now time.Time) (tell Rejects) {
	rejected := rejectsOf(&b, &taken)
	l.update(name, func(e *entry) {
		e.State, e.LastSuccess = Running, now
		if !b.History && hasNew(b.Mentions) {
			e.heard(now)
		}
		e.Mentions += int64(taken.Accepted)
		e.Duplicates += int64(taken.Duplicates)
		if now.Sub(e.since) >= l.healthy {
			e.Failures, e.LastError = 0, ""
		}
		e.share.note(taken.Accepted+taken.Duplicates+b.Known, rejected.Count)
		if rejected.Count > 0 {
			tell = e.reject(rejected, now)
		}
	})
	return tell
}

// reject notes rejected items, and returns those that are to be logged.
func (e *entry) reject(r Rejects, now time.Time) (tell Rejects) {
	e.Rejected += int64(r.Count)
	e.RejectedWhy = r.Why
	e.untold.Join(r)
	if now.Sub(e.told) >= rejectsTold {
		tell, e.untold, e.told = e.untold, Rejects{}, now
	}
	return tell
}

// heard notes that a mention came.
func (e *entry) heard(at time.Time) {
	e.gaps.note(at)
	e.LastMention, e.ExpectedGap = e.gaps.last, e.gaps.expected()
}

// hasNew reports whether one of the mentions is neither an edit nor a deletion.
func hasNew(ms []Mention) bool {
	return slices.ContainsFunc(ms, func(m Mention) bool { return m.Op != Update && m.Op != Delete })
}

// recall notes when mentions came in before the start.
func (l *ledger) recall(name string, arrivals []time.Time) {
	l.update(name, func(e *entry) {
		for _, at := range slices.SortedFunc(slices.Values(arrivals), time.Time.Compare) {
			e.heard(at)
		}
	})
}

// refused notes a batch that did not become durable. Whether that is a failure is for the source to say.
func (l *ledger) refused(name string, err error) {
	l.update(name, func(e *entry) { e.LastError = oneLine(err) })
}

// failed notes that a run ended with an error and returns how often that happened in a row.
func (l *ledger) failed(name string, err error, now time.Time) (failures int) {
	l.update(name, func(e *entry) {
		if now.Sub(e.since) >= l.healthy {
			e.Failures = 0
		}
		e.Failures++
		e.State, e.LastError = Failing, strings.TrimPrefix(oneLine(err), "source "+name+": ") // its name stands beside it
		failures = e.Failures
	})
	return failures
}

// oneLine puts errors that were joined beside each other: health is read in tables.
func oneLine(err error) string { return strings.ReplaceAll(err.Error(), "\n", "; ") }

func (l *ledger) nextTry(name string, at time.Time) {
	l.update(name, func(e *entry) { e.NextTry = at })
}

func (l *ledger) ended(name string, state State) {
	l.update(name, func(e *entry) { e.State, e.NextTry = state, time.Time{} })
}
