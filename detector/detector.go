package detector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
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
	stale    bool // the model is empty because the store could not be read
	failures int
	closed   bool
	wake     chan struct{} // one slot: something is in the outbox
}

// intake is one batch on its way in.
type intake struct {
	ctx      context.Context
	batch    sources.Batch
	arrivals []Arrival
	index    []int // of each arrival in Batch.Mentions
	done     chan struct{}
	taken    sources.Taken
	err      error
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
	if err := m.Restore(st); err != nil {
		return fmt.Errorf("load the decision state: %w", err)
	}
	d.model, d.stale = m, false
	return nil
}

// fresh loads the model if that was not possible after a failed commit.
func (d *Detector) fresh(ctx context.Context) error {
	if !d.stale {
		return nil
	}
	return d.reload(ctx)
}

// Rules returns the rules in force.
func (d *Detector) Rules() *rules.Set { return d.set.Load() }

// SetRules puts other rules in force, from the next mention on.
func (d *Detector) SetRules(set *rules.Set) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.set.Store(set)
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

// Ingest takes a batch; it is a [sources.Emit]. Scoring and matching run in the caller. Whoever gets the lock
// first commits everything that waits, in one transaction.
func (d *Detector) Ingest(ctx context.Context, b sources.Batch) (sources.Taken, error) {
	in := d.prepare(ctx, b)
	d.queueMu.Lock()
	d.queue = append(d.queue, in)
	d.queueMu.Unlock()

	d.mu.Lock()
	d.drain()
	d.mu.Unlock()
	<-in.done
	return in.taken, in.err
}

// prepare judges the mentions of a batch and puts them in the order of time.
func (d *Detector) prepare(ctx context.Context, b sources.Batch) *intake {
	in := &intake{ctx: ctx, batch: b, done: make(chan struct{})}
	set, now := d.set.Load(), d.now()
	latest := map[sources.Key]time.Time{}
	for i := range b.Mentions {
		m := b.Mentions[i]
		a := Arrival{Key: m.Key(), Op: m.Op, At: bounded(m.CreatedAt, now), Arrived: now, History: b.History}
		if m.Op != sources.Delete {
			a.Judged = Judge(set, d.opt.Scorer, m)
		}
		if t := latest[a.Key]; a.At.Before(t) {
			a.At = t // an edit or delete stays behind what it is about
		}
		latest[a.Key] = a.At
		in.arrivals = append(in.arrivals, a)
		in.index = append(in.index, i)
	}
	order := make([]int, len(in.arrivals))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return in.arrivals[x].At.Compare(in.arrivals[y].At) })
	sorted := make([]Arrival, len(order))
	for k, x := range order {
		sorted[k] = in.arrivals[x]
	}
	in.arrivals, in.index = sorted, order
	return in
}

// maxAhead is how far ahead of its arrival a mention may claim to be.
const maxAhead = 10 * time.Minute

func bounded(at, now time.Time) time.Time {
	if at.IsZero() || at.Sub(now) > maxAhead {
		return now.UTC()
	}
	return at.UTC()
}

// drain commits everything that waits. The caller holds the lock.
func (d *Detector) drain() {
	d.queueMu.Lock()
	waiting := d.queue
	d.queue = nil
	d.queueMu.Unlock()
	if len(waiting) == 0 {
		return
	}
	var ready []*intake
	coming := map[string][32]byte{}
	for _, in := range waiting {
		if d.admit(in, coming) {
			ready = append(ready, in)
		}
	}
	if err := d.commitIntakes(ready); err != nil {
		for _, in := range ready {
			in.taken, in.err = sources.Taken{}, err
		}
	}
	for _, in := range waiting {
		d.metrics.intake(in)
		close(in.done)
	}
}

// admit checks whether an intake may go on: the daemon is open, and its delivery is a new one. coming are the
// deliveries that wait with it.
func (d *Detector) admit(in *intake, coming map[string][32]byte) bool {
	switch {
	case d.closed || d.failures >= 2:
		in.err = sources.ErrUnavailable
		return false
	case in.ctx.Err() != nil:
		in.err = in.ctx.Err()
		return false
	case in.batch.Delivery == nil:
		return true
	}
	key := deliveryKey(&in.batch)
	digest, known, err := d.opt.Store.Delivery(in.ctx, in.batch.Source, in.batch.Delivery.ID)
	if !known {
		digest, known = coming[key]
	}
	switch {
	case err != nil:
		in.err = fmt.Errorf("look up delivery: %w", err)
		return false
	case known && digest != in.batch.Delivery.Digest:
		in.err = sources.ErrConflict
		return false
	}
	coming[key] = in.batch.Delivery.Digest
	return true
}

func deliveryKey(b *sources.Batch) string { return b.Source + "\x00" + b.Delivery.ID }

// commitIntakes applies and commits intakes as one change.
func (d *Detector) commitIntakes(ins []*intake) error {
	if len(ins) == 0 {
		return nil
	}
	ctx := context.WithoutCancel(ins[0].ctx)
	if err := d.fresh(ctx); err != nil {
		return err
	}
	coming := map[string]bool{}
	var batch []Arrival
	var owner []*intake
	for _, in := range ins {
		for k, a := range in.arrivals {
			if why := d.refuse(&a, coming); why != "" {
				in.taken.Rejected = append(in.taken.Rejected, sources.Rejected{Index: in.index[k], Error: why})
				continue
			}
			batch, owner = append(batch, a), append(owner, in)
		}
	}
	if err := d.priors(ctx, batch); err != nil {
		return err
	}
	c, fates := d.model.Apply(batch, d.now())
	for i, f := range fates {
		if f == Duplicate {
			owner[i].taken.Duplicates++
		} else {
			owner[i].taken.Accepted++
		}
	}
	for _, in := range ins {
		d.progress(c, &in.batch)
		slices.SortFunc(in.taken.Rejected, func(a, b sources.Rejected) int { return a.Index - b.Index })
	}
	return d.commit(ctx, c)
}

// progress adds a batch's cursor and delivery to the change that holds its mentions.
func (d *Detector) progress(c *Change, b *sources.Batch) {
	if b.Cursor != nil {
		if c.Cursors == nil {
			c.Cursors = map[string]sources.Cursor{}
		}
		c.Cursors[b.Source] = b.Cursor
	}
	if b.Delivery != nil {
		if c.Deliveries == nil {
			c.Deliveries = map[string][32]byte{}
		}
		c.Deliveries[deliveryKey(b)] = b.Delivery.Digest
	}
}

// refuse returns why an arrival cannot be taken, if so. coming are the unnamed brands that the same commit
// brings.
func (d *Detector) refuse(a *Arrival, coming map[string]bool) string {
	for i := range a.Judged {
		id := a.Judged[i].Brand
		if _, named := d.set.Load().Brand(id); named || id == "" {
			continue
		}
		known, auto := d.model.HasBrand(id)
		if known || coming[id] {
			continue
		}
		if auto += len(coming); auto >= d.opt.AutoBrands {
			return fmt.Sprintf("brand %q is not in any rule file and %d such brands are known already; name it in a rule file or raise limits.auto_brands", id, auto)
		}
		coming[id] = true
	}
	return ""
}

// priors fills in what is known already of the mentions, from the store and from the batch itself.
func (d *Detector) priors(ctx context.Context, batch []Arrival) error {
	keys := make([]sources.Key, len(batch))
	for i := range batch {
		keys[i] = batch[i].Key
	}
	known, err := d.opt.Store.Lookup(ctx, keys)
	if err != nil {
		return fmt.Errorf("look up mentions: %w", err)
	}
	fillPriors(batch, known)
	return nil
}

// fillPriors joins what a store knows with what came earlier in the same batch.
func fillPriors(batch []Arrival, known []Known) {
	earlier := map[sources.Key]Known{}
	for i := range batch {
		a := &batch[i]
		if k, ok := earlier[a.Key]; ok {
			a.Prior = k
		} else if known != nil {
			a.Prior = known[i]
		}
		if a.Op == sources.Delete {
			continue
		}
		seen := Seen{Key: a.Key, At: a.At, Arrived: a.Arrived}
		for _, j := range a.Judged {
			seen.Brands = append(seen.Brands, j.Brand)
		}
		if !a.Prior.Found {
			earlier[a.Key] = Known{Found: true, Seen: seen, Judged: a.Judged}
		}
	}
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
func (d *Detector) Respond(ctx context.Context, e Event) (Result, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fresh(ctx); err != nil {
		return Result{}, err
	}
	for _, id := range []string{e.Incident, e.Args.Into} {
		if err := d.recall(ctx, id); err != nil {
			return Result{}, err
		}
	}
	res, c, ok := d.model.Respond(e, d.now())
	if !ok {
		return Result{}, fmt.Errorf("incident %q: %w", e.Incident, ErrNotFound)
	}
	if err := d.commit(context.WithoutCancel(ctx), c); err != nil {
		return Result{}, err
	}
	return res, nil
}

// recall brings an incident into memory that only the store has.
func (d *Detector) recall(ctx context.Context, id string) error {
	if _, ok := d.model.Incident(id); ok || id == "" || d.opt.Reader == nil {
		return nil
	}
	i, err := d.opt.Reader.Incident(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	lines, err := d.opt.Reader.Audit(ctx, i.ID)
	if err != nil || len(lines) == 0 {
		return err
	}
	d.model.Recall(i, lines[len(lines)-1])
	return nil
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

// Root returns where an incident's root is on a route.
func (d *Detector) Root(incident, route string) (Ref, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.model.Root(incident, route)
}

// Mark books the progress of alerts, durably.
func (d *Detector) Mark(ctx context.Context, rs ...Receipt) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.fresh(ctx); err != nil {
		return err
	}
	return d.commit(context.WithoutCancel(ctx), d.model.Receive(rs, d.now()))
}
