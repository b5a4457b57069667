package detector

import (
	"fmt"
	"slices"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// Absorbed is what an incident that was merged brought along: what the other one did not have before. It leaves with
// the incident when that is brought back.
type Absorbed struct {
	Incident string        `json:"incident"`
	Mentions []sources.Key `json:"mentions,omitempty"`
	Signals  []SignalRef   `json:"signals,omitempty"`
}

// SignalRef names a signal of an incident.
type SignalRef struct {
	Rule   string `json:"rule"`
	Series string `json:"series,omitempty"`
}

func (s *ActiveSignal) ref() SignalRef { return SignalRef{s.Rule, s.Series} }

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
		return result(Refused, Said{{Code: "refused.into", Name: e.Args.Into}}, *i)
	case into.ID == i.ID:
		return result(Already, code("refused.itself"), *i)
	case into.Brand != i.Brand:
		return result(Refused, code("refused.brands"), *i)
	case !i.Open() || !into.Open():
		return result(Refused, code("refused.both"), *i)
	}
	t := begin(*i, m.set, m.now, e.Actor)
	t.event, t.inc.MergedInto = e.ID, into.ID
	t.close(Merged, commented(Clause{Code: "note.into", Name: into.ID}, e.Args.Note))
	m.commit(t)

	t = begin(*into, m.set, m.now, e.Actor)
	t.event, t.urgent = e.ID, true
	t.absorb(i)
	before := told(&t.inc)
	t.relevel()
	if t.inc.Level.GraverThan(t.inc.Peak) && t.inc.Override == rules.Calm {
		t.inc.peak(t.inc.Level)
	}
	t.line(string(OpMerge), "", commented(Clause{Code: "note.took", Name: i.ID}, e.Args.Note))
	if told(&t.inc).GraverThan(before) {
		t.worse(notifying(before))
	} else {
		t.edit()
	}
	m.commit(t)
	return Result{Outcome: Applied, Message: i.ID + " merged into " + into.ID, Incident: *m.incidents[into.ID]}
}

// absorb takes over what another incident has, and notes what of it is new here.
func (t *turn) absorb(i *Incident) {
	came := Absorbed{Incident: i.ID}
	for _, s := range i.Signals {
		own := t.inc.signal(&s)
		switch {
		case own == nil:
			came.Signals = append(came.Signals, s.ref())
			t.putSignal(s)
		case s.Level.GraverThan(own.Level):
			t.putSignal(s)
		case s.LastHit.After(own.LastHit):
			own.LastHit = s.LastHit
		}
	}
	mentions := slices.Clone(t.inc.Evidence.Mentions)
	for _, k := range i.Evidence.Mentions {
		if !slices.Contains(mentions, k) {
			mentions, came.Mentions = append(mentions, k), append(came.Mentions, k)
		}
	}
	t.inc.Evidence.Mentions = mentions
	t.inc.Absorbed = append(slices.Clip(t.inc.Absorbed), came)
	t.inc.Absorbed = append(t.inc.Absorbed, i.Absorbed...)
}

// split makes a new incident of chosen mentions; an incident that was merged away is opened again instead.
func (m *Model) split(i *Incident, e *Event) Result {
	if old, ok := m.incidents[e.Args.Into]; ok && old.MergedInto != "" && m.alias(old.ID) == i.ID {
		return m.bringBack(i, old, e)
	}
	if len(e.Args.Mentions) == 0 {
		return result(Refused, code("refused.split"), *i)
	}
	b := m.brand(i.Brand)
	b.state.Incidents++
	m.touchBrand(b)
	part := *i
	part.N, part.ID = b.state.Incidents, fmt.Sprintf("%s-%d", i.Brand, b.state.Incidents)
	part.Version, part.Previous, part.Owner = 0, i.ID, "" // a severity that somebody has set goes along
	part.Closing, part.ClosedBy, part.ClosedAt = "", "", time.Time{}
	part.Signals, part.Absorbed, part.Reopened, part.WorseAt = nil, nil, nil, nil
	part.Signals = append(part.Signals, i.Signals[:min(1, len(i.Signals))]...)
	for k := range part.Signals {
		part.Signals[k].Series = "" // of its own: the series goes on speaking for the old one
	}
	part.Evidence = m.evidenceOf(b, e.Args.Mentions)
	part.Evidence.From = i.ID
	part.Sentence = fmt.Sprintf("%s from %s, split from %s.",
		counted(float64(len(e.Args.Mentions)), "mentions"), people(part.Evidence.Authors), i.ID)
	t := begin(part, m.set, m.now, e.Actor)
	t.event = e.ID
	t.revive()
	t.open()
	m.commit(t)

	m.part(i, part.ID, e, Absorbed{Mentions: e.Args.Mentions})
	return Result{Outcome: Applied, Message: "the mentions are now incident " + part.ID, Incident: *m.incidents[part.ID]}
}

// bringBack opens an incident again that was merged into i, which keeps what it had of its own.
func (m *Model) bringBack(i, old *Incident, e *Event) Result {
	t := begin(*old, m.set, m.now, e.Actor)
	t.event, t.urgent = e.ID, true
	t.revive()
	t.reopen(commented(Clause{Code: "note.split", Name: i.ID}, e.Args.Note))
	m.commit(t)
	came := Absorbed{Incident: old.ID}
	if at := slices.IndexFunc(i.Absorbed, func(a Absorbed) bool { return a.Incident == old.ID }); at >= 0 {
		came = i.Absorbed[at]
	}
	m.part(i, old.ID, e, came)
	return Result{Outcome: Applied, Message: old.ID + " is on its own again", Incident: *m.incidents[old.ID]}
}

// part takes out of an incident what another has of its own now.
func (m *Model) part(i *Incident, to string, e *Event, gone Absorbed) {
	t := begin(*i, m.set, m.now, e.Actor)
	t.event, t.urgent = e.ID, true
	t.inc.Evidence.Mentions = slices.DeleteFunc(slices.Clone(i.Evidence.Mentions), func(k sources.Key) bool {
		return slices.Contains(gone.Mentions, k)
	})
	t.inc.Signals = slices.DeleteFunc(t.inc.Signals, func(s ActiveSignal) bool { return slices.Contains(gone.Signals, s.ref()) })
	back := m.incidents[to]
	t.inc.Absorbed = slices.DeleteFunc(slices.Clone(i.Absorbed), func(a Absorbed) bool {
		return a.Incident == to || slices.ContainsFunc(back.Absorbed, func(b Absorbed) bool { return a.Incident == b.Incident })
	})
	t.line(string(OpSplit), "", commented(Clause{Code: "note.out", Name: to}, e.Args.Note))
	t.edit()
	m.commit(t)
}
