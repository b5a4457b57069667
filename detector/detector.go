package detector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/prometheus/client_golang/prometheus"
)

// Options are what a Detector works with.
type Options struct {
	Store  Store
	Reader Reader // finds incidents that were closed long ago
	Scorer Scorer
	Rules  *rules.Set
	Log    *slog.Logger
	// Metrics gets the detector's metrics; nil: they are kept to itself.
	Metrics prometheus.Registerer
	// AutoBrands is how many brands may appear that no rule file names; past it their mentions are
	// rejected with a reason. 0: 1000.
	AutoBrands int
	// Model names the sentiment model behind Scorer in the audit.
	Model string
}

// Detector is the shell around the Model: one lock, one log, one commit for each change. It is safe for
// concurrent use.
//
// Memory never runs ahead of disk: the model changes in place, the Change is committed, and only then does
// anybody hear of it. If a commit fails the model is loaded anew from the store; after two failures in a
// row intake is closed until a commit succeeds again.
type Detector struct {
	// Now is where the time comes from; replaying a recording sets it to the recorded time.
	Now func() time.Time

	opt     Options
	set     atomic.Pointer[rules.Set]
	metrics *metrics

	queueMu sync.Mutex
	queue   []*intake

	mu       sync.Mutex // guards everything below, and the commit
	model    *Model
	stale    bool // the model is empty: the store could not be read, or a panic left a half-changed one
	failures int
	closed   bool
	wake     chan struct{} // one slot: something is in the outbox
}

// Open returns a detector that goes on where the store left off.
func Open(ctx context.Context, opt Options) (*Detector, error) {
	if opt.AutoBrands == 0 {
		opt.AutoBrands = 1000
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	d := &Detector{Now: time.Now, opt: opt, metrics: newMetrics(opt.Metrics), wake: make(chan struct{}, 1)}
	d.set.Store(opt.Rules)
	d.metrics.rules(opt.Rules)
	if err := d.reload(ctx); err != nil {
		return nil, err
	}
	return d, nil
}

// now is the time in UTC and without the monotonic clock, which stands still while a machine sleeps.
func (d *Detector) now() time.Time { return d.Now().UTC().Round(0) }

// reload makes the model anew from the store.
func (d *Detector) reload(ctx context.Context) error {
	st, err := d.opt.Store.Load(ctx)
	if err != nil {
		return fmt.Errorf("load the decision state: %w", err)
	}
	m := NewModel(d.set.Load(), LagLive)
	m.scorer = d.opt.Model
	if err := m.Restore(st); err != nil {
		return fmt.Errorf("load the decision state: %w", err)
	}
	d.model, d.stale = m, false
	return nil
}

// fresh loads the model if that was not possible after a failed commit, or is still to be done after a panic.
func (d *Detector) fresh(ctx context.Context) error {
	if !d.stale {
		return nil
	}
	return d.reload(ctx)
}

// safely runs what changes the model, and makes an error of a panic: what was half done in memory is thrown
// away, and the model comes from the store before it is used again. Health shows it until a commit succeeds;
// intake stays open, because one bad mention must not shut out the others. The value of a panic may hold text
// of a mention, so only those of the runtime are told. The caller holds the lock.
func (d *Detector) safely(what string, f func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if cause, ok := p.(runtime.Error); ok {
			err = fmt.Errorf("%s: panic: %w", what, cause)
		} else {
			err = fmt.Errorf("%s: panic with a %T", what, p)
		}
		d.model, d.stale = NewModel(d.set.Load(), LagLive), true
		d.failures = max(d.failures, 1)
		d.opt.Log.Error("panic; the model is loaded anew from the store", "during", what, "err", err, "stack", string(debug.Stack()))
	}()
	return f()
}

// Rules returns the rules in force.
func (d *Detector) Rules() *rules.Set { return d.set.Load() }

// SetRules puts other rules in force, from the next mention on.
func (d *Detector) SetRules(set *rules.Set) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set.Store(set)
	d.metrics.rules(set)
	d.model.SetRules(set)
}

// Wake delivers a value when there may be something new in the outbox.
func (d *Detector) Wake() <-chan struct{} { return d.wake }

// Close refuses further intake. What is being committed is finished first.
func (d *Detector) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
}

// Healthy returns an error while commits fail.
func (d *Detector) Healthy() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.failures > 0 {
		return fmt.Errorf("the last %d commits failed", d.failures)
	}
	return nil
}

// commit makes a change durable. On failure the model is loaded anew, so that it never says more than disk.
func (d *Detector) commit(ctx context.Context, c *Change) error {
	if c.Empty() {
		return nil
	}
	start := time.Now()
	err := d.opt.Store.Commit(ctx, c)
	d.metrics.commit(time.Since(start), err)
	if err != nil {
		d.failures++
		d.opt.Log.Error("commit failed", "err", err, "failures", d.failures)
		if again := d.reload(ctx); again != nil {
			d.model, d.stale = NewModel(d.set.Load(), LagLive), true
			return errors.Join(err, again)
		}
		return fmt.Errorf("commit: %w", err)
	}
	d.failures = 0
	d.metrics.refused.Add(float64(c.Refused))
	d.tellLog(c)
	if len(c.Alerts) > 0 {
		select {
		case d.wake <- struct{}{}:
		default:
		}
	}
	return nil
}

// tellLog writes one line for each decision, with the words of metrics and audit.
func (d *Detector) tellLog(c *Change) {
	for _, l := range c.Audit {
		d.metrics.decision(l.Op, string(l.Reason))
		if l.Op == "updated" {
			continue
		}
		i, _ := d.model.Incident(l.Incident)
		d.opt.Log.Info("incident", "id", l.Incident, "op", l.Op, "reason", string(l.Reason), "severity", int(told(&i)),
			"handling", string(i.Handling), "rule", i.Rule, "by", l.Actor.name(), "via", l.Actor.Via)
	}
}

// Tick lets the clock work; call it every second. While commits fail it probes whether they succeed again.
func (d *Detector) Tick(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.safely("tick", func() error { return d.tick(ctx) })
}

func (d *Detector) tick(ctx context.Context) error {
	if err := d.fresh(ctx); err != nil {
		return err
	}
	if d.failures > 0 {
		probe := &Change{At: d.now(), Cursors: map[string]sources.Cursor{"\x00probe": sources.Cursor(d.now().UTC().Format(time.RFC3339))}}
		if err := d.commit(ctx, probe); err != nil {
			return err
		}
	}
	c := d.model.Tick(d.now())
	d.metrics.model(d.model)
	return d.commit(ctx, c)
}

// Respond applies what a person did to an incident, durably, and says what became of it. An unknown incident
// is ErrNotFound.
func (d *Detector) Respond(ctx context.Context, e Event) (res Result, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	err = d.safely("operation", func() error {
		res, err = d.respond(ctx, e)
		return err
	})
	if err != nil {
		return Result{}, err
	}
	return res, nil
}

func (d *Detector) respond(ctx context.Context, e Event) (Result, error) {
	if err := d.fresh(ctx); err != nil {
		return Result{}, err
	}
	for _, id := range []*string{&e.Incident, &e.Args.Into} {
		look := d.merged
		if id == &e.Args.Into && e.Op == OpSplit {
			look = d.itself // the one to bring back
		}
		now, err := d.recall(ctx, *id, look)
		if err != nil {
			return Result{}, err
		}
		*id = now
	}
	res, c, ok := d.model.Respond(e, d.now())
	if !ok {
		return Result{}, fmt.Errorf("incident %q: %w", e.Incident, ErrNotFound)
	}
	return res, d.commit(context.WithoutCancel(ctx), c)
}

// Rooter is a Reader that knows where the roots of an incident were posted.
type Rooter interface {
	Roots(ctx context.Context, incident string) ([]Alert, error)
}

// Recorder is a Reader that also finds incidents that were merged, as they were then.
type Recorder interface {
	Recorded(ctx context.Context, id string) (Incident, error)
}

// merged finds an incident, or the one it was merged into.
func (d *Detector) merged(ctx context.Context, id string) (Incident, error) {
	return d.opt.Reader.Incident(ctx, id)
}

// itself finds an incident, whatever it was merged into.
func (d *Detector) itself(ctx context.Context, id string) (Incident, error) {
	if r, ok := d.opt.Reader.(Recorder); ok {
		return r.Recorded(ctx, id)
	}
	return d.merged(ctx, id)
}

// recall brings an incident into memory that only the store has, and returns the id of what was found.
func (d *Detector) recall(ctx context.Context, id string, look func(context.Context, string) (Incident, error)) (string, error) {
	if _, ok := d.model.Incident(id); ok || id == "" || d.opt.Reader == nil {
		return id, nil
	}
	i, err := look(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return id, nil
	}
	if err != nil {
		return id, err
	}
	lines, err := d.opt.Reader.Audit(ctx, i.ID)
	if err != nil || len(lines) == 0 {
		return id, err
	}
	var roots []Alert
	if r, ok := d.opt.Reader.(Rooter); ok {
		if roots, err = r.Roots(ctx, i.ID); err != nil {
			return id, err
		}
	}
	d.model.Recall(i, lines[len(lines)-1], roots)
	return i.ID, nil
}

// Pending returns the alerts that are due; see [Model.Due].
func (d *Detector) Pending(now time.Time) []Alert {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.model.Due(now)
}

// Incident returns an open or lately closed incident as it was last committed. Unlike [Reader] it does not
// follow merged ones.
func (d *Detector) Incident(id string) (Incident, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.model.Incident(id)
}

// Root returns where the root is that an alert belongs to.
func (d *Detector) Root(of *Alert) (Ref, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.model.Root(of)
}

// Members returns the incidents that a digest names; see [Model.Members].
func (d *Detector) Members(digest string) []Incident {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.model.Members(digest)
}

// Mark books the progress of alerts, durably.
func (d *Detector) Mark(ctx context.Context, rs ...Receipt) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.safely("receipt", func() error {
		if err := d.fresh(ctx); err != nil {
			return err
		}
		return d.commit(context.WithoutCancel(ctx), d.model.Receive(rs, d.now()))
	})
}
