package detector

import (
	"slices"
	"time"
)

// Tick lets the clock work: numbers of open incidents are renewed, signals settle, leases and snoozes end,
// ladders climb, and what is no longer needed leaves memory.
func (m *Model) Tick(now time.Time) *Change {
	m.begin(now)
	m.clocks()
	for _, id := range sortedKeys(m.incidents) {
		i := m.incidents[id]
		if i.Open() {
			m.refresh(i)
			m.tick(m.incidents[id])
		} else if now.Sub(i.ClosedAt) > keepClosed && !m.listed(id) {
			m.forget(id)
		}
	}
	m.listen()
	m.expire()
	m.wakeUp()
	m.renewLists()
	m.crowd()
	m.late()
	for id, d := range m.done {
		if now.Sub(d.At) > keepDone {
			delete(m.done, id)
		}
	}
	return m.end()
}

// expire cancels alerts that came too late to be of use, and those whose thread could never be opened.
func (m *Model) expire() {
	for _, seq := range sortedSeqs(m.alerts) {
		a := m.alerts[seq]
		late := !a.Expires.IsZero() && m.now.After(a.Expires)
		orphan := a.Kind != KindRoot && m.root(a.Incident, a.Route, a.Via) == nil
		if a.State == AlertPending && (late || orphan) {
			a.State = AlertCancelled
			m.putAlert(a)
		}
	}
}

func (m *Model) tick(i *Incident) {
	t := begin(*i, m.set, m.now, Actor{Kind: "timer", Via: "timer"})
	t.tick()
	m.commit(t)
}

// refresh renews the numbers of an incident whose signal moved after it was last written.
func (m *Model) refresh(i *Incident) {
	if len(i.Signals) == 0 || i.Signals[0].Series == "" || m.now.Sub(i.ChangedAt) < refreshEvery {
		return
	}
	lead := &i.Signals[0]
	b := m.brands[i.Brand]
	r, ok := m.set.Rule(lead.Rule)
	if !ok || b == nil {
		return
	}
	s := b.series[lead.Series]
	if s == nil || !slices.ContainsFunc(i.Evidence.Windows, func(w Window) bool {
		return s.burst.countIn(Duration(w.Length)) > w.Observed
	}) {
		return
	}
	if d, ok := watchedDim(r, lead.Series); ok {
		m.burst(b, r, d, s, false)
	}
}

// forget drops a closed incident and its roots from memory; the store keeps them.
func (m *Model) forget(id string) {
	delete(m.incidents, id)
	delete(m.chain, id)
	for _, seq := range sortedSeqs(m.alerts) {
		if a := m.alerts[seq]; a.Incident == id && a.State.Done() {
			delete(m.alerts, seq)
		}
	}
}

// Recall takes an incident back into memory that was closed so long ago that only the store has it.
// What it was told with last is its root again, so that it goes on in the same thread.
func (m *Model) Recall(i Incident, last Audit, roots []Alert) {
	if _, ok := m.incidents[i.ID]; ok {
		return
	}
	m.incidents[i.ID] = &i
	m.chain[i.ID] = last
	for k := range roots {
		if _, ok := m.alerts[roots[k].Seq]; !ok {
			m.alerts[roots[k].Seq] = &roots[k]
		}
	}
}

// Respond applies what a person did. An event whose id was answered before gets the same answer and changes
// nothing. ok is false if there is no such incident.
func (m *Model) Respond(e Event, now time.Time) (res Result, c *Change, ok bool) {
	m.begin(now)
	id := e.Incident + "\x00" + e.ID
	if d, again := m.done[id]; again && e.ID != "" {
		return d.Result, m.end(), true
	}
	i, ok := m.incidents[m.alias(e.Incident)]
	if !ok && !IsDigest(e.Incident) {
		return Result{}, m.end(), false
	}
	switch {
	case IsDigest(e.Incident):
		res = m.ackAll(&e)
	case e.Op == OpMerge:
		res = m.merge(i, &e)
	case e.Op == OpSplit:
		res = m.split(i, &e)
	default:
		t := begin(*i, m.set, now, e.Actor)
		var told Said
		res.Outcome, told = t.respond(&e)
		res.Message, res.Said = told.String(), told.coded()
		if res.Outcome == Applied {
			m.commit(t)
			m.heed(&t.inc, &e)
			if t.inc.Closing == Resolved || t.inc.Closing == KnownEvent {
				m.confirmed(&t.inc)
			}
		} else if e.Expected != 0 {
			m.redraw(i) // the person looked at an old state
		}
		res.Incident = *m.incidents[i.ID]
	}
	if i != nil {
		m.brand(i.Brand).clockAt = time.Time{} // what people did may concern its answer clocks
	}
	if e.ID != "" {
		d := Done{ID: id, At: now, Result: res}
		m.done[id] = d
		m.change.Done = append(m.change.Done, d)
	}
	return res, m.end(), true
}

// heed stops the answer clocks that an operation speaks of.
func (m *Model) heed(i *Incident, e *Event) {
	switch {
	case e.Op == OpAnswered:
		m.markAnswered(i, e)
	case !i.Open():
		m.dealtWith(i)
	}
}

// redraw has the roots of an incident renewed at once, as they should be.
func (m *Model) redraw(i *Incident) {
	t := begin(*i, m.set, m.now, Actor{Kind: "system"})
	t.urgent = true
	for _, route := range i.Routes {
		for _, via := range m.ways(i.ID, m.set.Route(route)) {
			m.alertVia(t, tell{kind: KindEdit, reason: ReasonUpdated}, route, via)
		}
	}
}
