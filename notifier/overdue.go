package notifier

import (
	"context"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"
)

const (
	overdueAfter = 5 * time.Minute // a crisis that could not be told for so long is told another way
	rescueAgain  = time.Minute     // between attempts to do so
	refusalShown = 24 * time.Hour  // a refusal for good that nothing has followed in its channel
	everDue      = 1000 * time.Hour
)

// rescued is how far telling an overdue crisis another way has come.
type rescued struct {
	done  bool
	again time.Time // not before
}

// overdue returns the roots of severity 1 that were tried and could not be delivered for too long, whatever
// became of the attempts.
func (d *Dispatcher) overdue() []detector.Alert {
	now := d.Now()
	var list []detector.Alert
	for _, a := range d.opt.Outbox.Pending(now.Add(everDue)) { // those that wait for another attempt, too
		if a.Kind == detector.KindRoot && a.Severity == rules.Crisis && !a.TriedAt.IsZero() && now.Sub(a.CreatedAt) > overdueAfter {
			list = append(list, a)
		}
	}
	return list
}

// rescue tells overdue crises another way, each once in the life of the process. The way that fails is tried
// on: what comes of it has the buttons.
func (d *Dispatcher) rescue(ctx context.Context) {
	if d.opt.Fallback == nil || !d.rescuing.TryLock() {
		return // nowhere to tell it, or an earlier pass is still at it
	}
	defer d.rescuing.Unlock()
	was := d.rescues
	d.rescues = map[uint64]rescued{}
	for _, a := range d.overdue() {
		r := was[a.Seq]
		if !r.done && !d.Now().Before(r.again) && ctx.Err() == nil {
			r = rescued{d.rescueOne(ctx, &a), d.Now().Add(rescueAgain)}
		}
		d.rescues[a.Seq] = r
	}
}

func (d *Dispatcher) rescueOne(ctx context.Context, a *detector.Alert) bool {
	m, err := d.message(ctx, a)
	if err != nil {
		d.opt.Log.Error("alert without a message", "incident", a.Incident, "err", err)
		return false
	}
	n := d.by(a)
	late := d.Now().Sub(a.CreatedAt).Round(time.Second)
	d.opt.Log.Error("a crisis could not be delivered in time; it goes to the fallback and is tried on", "incident", a.Incident,
		"reason", string(detector.ReasonDeliveryFailed), "notifier", n.Name(), "late", late, "attempts", a.Attempts)
	m.Alert.Also(detector.Clause{Code: "note.late", Name: n.Name(), Span: detector.Duration(late)})
	return d.fallBack(ctx, n, m)
}

// Undelivered is an alert that did not get to the people it is for.
type Undelivered struct {
	Seq      uint64 // row of the outbox
	Route    string
	Severity rules.Severity
	Since    time.Time // when it was raised, or refused
	Refused  string    // why it was refused for good; empty: it is still tried
}

// Undelivered returns the oldest alert of which people should know that it did not get through: a crisis that
// is overdue, or one that was refused for good within a day in a channel where nothing was delivered since.
// An edit that is refused takes no news with it and does not count.
func (d *Dispatcher) Undelivered() (oldest Undelivered, found bool) {
	older := func(u Undelivered) {
		if !found || u.Since.Before(oldest.Since) {
			oldest, found = u, true
		}
	}
	for _, a := range d.overdue() {
		older(Undelivered{Seq: a.Seq, Route: a.Route, Severity: a.Severity, Since: a.CreatedAt})
	}
	now := d.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	for lane, u := range d.refused {
		if now.Sub(u.Since) > refusalShown {
			delete(d.refused, lane)
			continue
		}
		older(u)
	}
	return oldest, found
}

// refuse notes that an alert was refused for good; the oldest of a channel stays until something gets through.
func (d *Dispatcher) refuse(lane string, a *detector.Alert, why string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.refused[lane]; !ok && a.Kind != detector.KindEdit {
		d.refused[lane] = Undelivered{a.Seq, a.Route, a.Severity, d.Now(), why}
	}
}

// passed notes that something got through to a channel.
func (d *Dispatcher) passed(lane string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.refused, lane)
	delete(d.down, lane)
}

// knocked counts an attempt to reach a channel in vain, and returns how many came before it.
func (d *Dispatcher) knocked(lane string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.down[lane]++
	return d.down[lane] - 1
}
