package detector

import (
	"context"
	"fmt"
	"slices"
	"time"

	"emberwatch/sources"
)

// intake is one batch on its way in.
type intake struct {
	ctx      context.Context
	batch    sources.Batch
	arrivals []Arrival
	index    []int   // of each arrival in Batch.Mentions
	repeats  *intake // the same delivery, which waits with this one
	repeated bool    // the delivery was taken before: nothing of it is applied again
	done     chan struct{}
	taken    sources.Taken
	err      error
}

// Ingest takes a batch; it is a [sources.Emit]. Scoring and matching run in the caller. Whoever gets the lock
// first commits everything that waits, in one transaction.
func (d *Detector) Ingest(ctx context.Context, b sources.Batch) (sources.Taken, error) {
	in := d.prepare(ctx, b)
	d.queueMu.Lock()
	d.queue = append(d.queue, in)
	d.queueMu.Unlock()

	d.drain()
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
			began := time.Now()
			a.Judged = Judge(set, d.opt.Scorer, m)
			d.metrics.judging.Observe(time.Since(began).Seconds())
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

// drain commits everything that waits, and answers it whatever happens.
func (d *Detector) drain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.queueMu.Lock()
	waiting := d.queue
	d.queue = nil
	d.queueMu.Unlock()
	if len(waiting) == 0 {
		return
	}
	if err := d.safely("intake", func() error { return d.take(waiting) }); err != nil {
		for _, in := range waiting {
			if in.err == nil && !in.repeated { // those that were not admitted have an answer
				in.taken, in.err = sources.Taken{}, err
			}
		}
	}
	for _, in := range waiting {
		in.answerRepeat()
		d.metrics.intake(in)
		close(in.done)
	}
}

// take commits those of the waiting that may go on.
func (d *Detector) take(waiting []*intake) error {
	var ready []*intake
	coming := map[string]*intake{}
	for _, in := range waiting {
		if d.admit(in, coming) {
			ready = append(ready, in)
		}
	}
	return d.commitIntakes(ready)
}

// answerRepeat answers a delivery that was taken before: all of it is known, and what its edits and deletes said then may
// have been overtaken since.
func (in *intake) answerRepeat() {
	switch {
	case in.repeats != nil && in.repeats.err != nil:
		in.err = in.repeats.err
	case in.repeated || in.repeats != nil:
		in.taken = sources.Taken{Duplicates: len(in.batch.Mentions)}
	}
}

// admit checks whether an intake may go on: the daemon is open, and its delivery is a new one. coming are those whose
// deliveries wait with it.
func (d *Detector) admit(in *intake, coming map[string]*intake) bool {
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
	first := coming[key]
	if first != nil {
		digest = first.batch.Delivery.Digest
	}
	switch {
	case err != nil:
		in.err = fmt.Errorf("look up delivery: %w", err)
		return false
	case !known && first == nil:
		coming[key] = in
		return true
	case digest != in.batch.Delivery.Digest:
		in.err = sources.ErrConflict
		return false
	}
	in.repeated, in.repeats = known, first
	return false
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
		if k, changed := a.after(); changed {
			earlier[a.Key] = k
		}
	}
}

// after returns what is known of a mention once the arrival has been applied; changed is false where that is nothing new.
func (a *Arrival) after() (k Known, changed bool) {
	k = a.Prior
	switch {
	case k.Seen.Deleted, k.Found && a.Op == sources.Create, !k.Found && a.Op == sources.Delete:
		return k, false
	case a.Op == sources.Delete:
		k.Seen.Deleted = true
		return k, true
	case !k.Found:
		k = Known{Found: true, Seen: Seen{Key: a.Key, At: a.At, Arrived: a.Arrived}}
	}
	k.Judged, k.Seen.Brands = a.Judged, nil
	for _, j := range a.Judged {
		k.Seen.Brands = append(k.Seen.Brands, j.Brand)
	}
	return k, true
}
