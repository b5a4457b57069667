package detector

import (
	"fmt"
	"slices"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// Tick lets the clock work: numbers of open incidents are renewed, signals settle, leases and snoozes end,
// ladders climb, and what is no longer needed leaves memory.
func (m *Model) Tick(now time.Time) *Change {
	m.begin(now)
	for _, id := range sortedKeys(m.incidents) {
		i := m.incidents[id]
		if i.Open() {
			m.refresh(i)
			m.tick(m.incidents[id])
		} else if now.Sub(i.ClosedAt) > keepClosed {
			m.forget(id)
		}
	}
	m.listen()
	m.expire()
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
	for _, dim := range append(dimsOf(b, r), "") {
		if signalName(r, dim) == lead.Series {
			m.burst(b, r, dim, s, false)
			return
		}
	}
}

// dimsOf returns the values of baseline.per that a brand's recent items have.
func dimsOf(b *brand, r *rules.Rule) []string {
	set := map[string]bool{}
	for _, it := range b.items {
		for _, d := range dims(r, it) {
			set[d] = true
		}
	}
	return sortedKeys(set)
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
		res.Outcome, res.Message = t.respond(&e)
		if res.Outcome == Applied {
			m.commit(t)
			if t.inc.Closing == Resolved || t.inc.Closing == KnownEvent {
				m.confirmed(&t.inc)
			}
		} else if e.Expected != 0 {
			m.redraw(i) // the person looked at an old state
		}
		res.Incident = *m.incidents[i.ID]
	}
	if e.ID != "" {
		d := Done{ID: id, At: now, Result: res}
		m.done[id] = d
		m.change.Done = append(m.change.Done, d)
	}
	return res, m.end(), true
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

// alias follows merged incidents to the one they went into, so that old links and buttons lead there.
func (m *Model) alias(id string) string {
	for range 32 {
		i, ok := m.incidents[id]
		if !ok || i.MergedInto == "" {
			return id
		}
		id = i.MergedInto
	}
	return id
}

// merge closes an incident into another of the same brand, which takes over its signals and mentions.
func (m *Model) merge(i *Incident, e *Event) Result {
	into, ok := m.incidents[m.alias(e.Args.Into)]
	switch {
	case !ok:
		return Result{Outcome: Refused, Message: fmt.Sprintf("there is no open incident %q to merge into", e.Args.Into), Incident: *i}
	case into.ID == i.ID:
		return Result{Outcome: Already, Message: "an incident cannot be merged into itself", Incident: *i}
	case into.Brand != i.Brand:
		return Result{Outcome: Refused, Message: "the two are about different brands", Incident: *i}
	case !i.Open() || !into.Open():
		return Result{Outcome: Refused, Message: "both have to be open", Incident: *i}
	}
	t := begin(*i, m.set, m.now, e.Actor)
	t.event, t.inc.MergedInto = e.ID, into.ID
	t.close(Merged, joinNote("into "+into.ID, e.Args.Note))
	m.commit(t)

	t = begin(*into, m.set, m.now, e.Actor)
	t.event, t.urgent = e.ID, true
	for _, s := range i.Signals {
		t.putSignal(s)
	}
	t.inc.Evidence.Mentions = union(t.inc.Evidence.Mentions, i.Evidence.Mentions)
	before := told(&t.inc)
	t.relevel()
	if t.inc.Level.GraverThan(t.inc.Peak) && t.inc.Override == rules.Calm {
		t.inc.peak(t.inc.Level)
	}
	t.line(string(OpMerge), "", joinNote("took in "+i.ID, e.Args.Note))
	if told(&t.inc).GraverThan(before) {
		t.worse(notifying(before))
	} else {
		t.edit()
	}
	m.commit(t)
	return Result{Outcome: Applied, Message: i.ID + " merged into " + into.ID, Incident: *m.incidents[into.ID]}
}

func union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}

// split makes a new incident of chosen mentions; an incident that was merged away is opened again instead.
func (m *Model) split(i *Incident, e *Event) Result {
	if old, ok := m.incidents[e.Args.Into]; ok && old.MergedInto == i.ID {
		t := begin(*old, m.set, m.now, e.Actor)
		t.event, t.urgent = e.ID, true
		t.revive()
		t.reopen(joinNote("split from "+i.ID, e.Args.Note))
		m.commit(t)
		m.part(i, old.ID, e, old.Evidence.Mentions, old.Signals)
		return Result{Outcome: Applied, Message: old.ID + " is on its own again", Incident: *m.incidents[old.ID]}
	}
	if len(e.Args.Mentions) == 0 {
		return Result{Outcome: Refused, Message: "say which mentions the new incident takes, or name the merged incident to bring back", Incident: *i}
	}
	b := m.brand(i.Brand)
	b.state.Incidents++
	m.touchBrand(b)
	part := *i
	part.N, part.ID = b.state.Incidents, fmt.Sprintf("%s-%d", i.Brand, b.state.Incidents)
	part.Version, part.Previous, part.Owner = 0, i.ID, "" // a severity that somebody has set goes along
	part.Closing, part.ClosedBy, part.ClosedAt = "", "", time.Time{}
	part.Signals = nil
	part.Signals = append(part.Signals, i.Signals[:min(1, len(i.Signals))]...)
	for k := range part.Signals {
		part.Signals[k].Series = "" // of its own: the series goes on speaking for the old one
	}
	part.Evidence = m.evidenceOf(b, e.Args.Mentions)
	part.Sentence = fmt.Sprintf("%s from %s, split from %s.",
		counted(float64(len(e.Args.Mentions)), "mentions"), people(part.Evidence.Authors), i.ID)
	t := begin(part, m.set, m.now, e.Actor)
	t.event = e.ID
	t.revive()
	t.open()
	m.commit(t)

	m.part(i, part.ID, e, e.Args.Mentions, nil)
	return Result{Outcome: Applied, Message: "the mentions are now incident " + part.ID, Incident: *m.incidents[part.ID]}
}

// part takes out of an incident what another has of its own now.
func (m *Model) part(i *Incident, to string, e *Event, mentions []sources.Key, signals []ActiveSignal) {
	t := begin(*i, m.set, m.now, e.Actor)
	t.event, t.urgent = e.ID, true
	t.inc.Evidence.Mentions = slices.DeleteFunc(slices.Clone(i.Evidence.Mentions), func(k sources.Key) bool {
		return slices.Contains(mentions, k)
	})
	t.inc.Signals = slices.DeleteFunc(t.inc.Signals, func(s ActiveSignal) bool {
		return slices.ContainsFunc(signals, func(x ActiveSignal) bool { return x.Rule == s.Rule && x.Series == s.Series })
	})
	t.line(string(OpSplit), "", joinNote(to+" taken out", e.Args.Note))
	t.edit()
	m.commit(t)
}
