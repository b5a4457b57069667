package detector

import (
	"fmt"
	"slices"

	"emberwatch/rules"
)

// raise brings a signal to the incident it belongs to: the one that has it, one of the same story, a lately
// closed one, or a new one.
func (m *Model) raise(b *brand, f *found) {
	m.conditions(b, f)
	m.bring(b, f)
	if f.rule.Kind != rules.Correlate {
		m.correlate(b, f)
	}
}

func (m *Model) bring(b *brand, f *found) {
	actor := Actor{Kind: "rule", ID: f.rule.ID, Via: "rule"}
	if i := m.story(b, f); i != nil {
		t := begin(*i, m.set, m.now, actor)
		if m.lead(t, f) || i.signal(&f.signal) == nil || f.grown || i.lapses(&f.signal, m.now) {
			t.raise(f.signal)
			m.commit(t)
		}
		return
	}
	old := m.lately(b, f)
	switch {
	case old == nil:
		m.open(b, f, actor, "")
	case m.hushed(old, f):
		return // said to be nothing, and no graver than then
	case !f.opened && !f.grown && old.Closing != CalmAgain:
		return // a person closed it while it went on as before
	case muted(old) || m.now.Sub(old.ClosedAt) > reopenWithin:
		m.open(b, f, actor, old.ID)
	default:
		t := begin(*old, m.set, m.now, actor)
		if !t.knock(&f.signal) {
			m.commit(t)
			return
		}
		m.lead(t, f)
		t.putSignal(f.signal)
		t.inc.LastHit = m.now
		t.relevel()
		t.reopen(f.signal.whySaid())
		m.commit(t)
	}
}

// hushed reports whether a person has closed an incident as nothing within the day, and a signal of its story is no graver.
func (m *Model) hushed(old *Incident, f *found) bool {
	return muted(old) && m.now.Sub(old.ClosedAt) < keepClosed && !f.signal.Level.GraverThan(old.Peak)
}

func muted(i *Incident) bool { return i.Closing == FalseAlarm || i.Closing == KnownEvent }

// story returns the brand's open incident that a signal belongs to: one that has the signal, else one of the
// same story.
func (m *Model) story(b *brand, f *found) *Incident {
	if i := m.holding(b, &f.signal); i != nil {
		return i
	}
	for _, i := range m.openOf(b) {
		if m.same(i, f) {
			return i
		}
	}
	return nil
}

// openOf returns a brand's open incidents, the gravest first.
func (m *Model) openOf(b *brand) []*Incident {
	var open []*Incident
	for _, id := range sortedKeys(m.incidents) {
		if i := m.incidents[id]; i.Brand == b.state.ID && i.Open() {
			open = append(open, i)
		}
	}
	slices.SortStableFunc(open, func(x, y *Incident) int {
		if x.Level != y.Level && x.Level.GraverThan(y.Level) {
			return -1
		}
		if x.Level != y.Level {
			return 1
		}
		return x.N - y.N
	})
	return open
}

// same reports whether a signal tells an incident's story: both have the same leading category, or one of them
// has none, or a third of the signal's mentions are the incident's or are about its topic too. A solo
// category about something else stays apart, and so do two products that a rule judges by themselves: that nothing is wrong
// with the one says nothing about the other.
func (m *Model) same(i *Incident, f *found) bool {
	if silent := f.rule.Kind == rules.Silence; silent || i.Signal == string(rules.Silence) {
		return false // what is not heard tells no story
	}
	if i.Signal == unanswered || f.signal.Signal == unanswered {
		return false // that nobody answers is a story of its own
	}
	if one, other := i.Evidence.Per["product"], f.evidence.Per["product"]; one != "" && other != "" && one != other {
		return sharedThird(i, f)
	}
	if i.Category == f.category {
		return true
	}
	if m.solo(i.Category) || m.solo(f.category) {
		alone := f.rule.Kind == rules.Each && i.Category != "" // a single report of harm is not lost in a storm about something else
		return !alone && sharedThird(i, f)
	}
	return i.Category == "" || f.category == "" || sharedThird(i, f) ||
		3*f.evidence.Categories[i.Category] >= int(f.evidence.Window.Observed)
}

func (m *Model) solo(category string) bool {
	c := m.set.Categories[category]
	return c != nil && c.Solo
}

func sharedThird(i *Incident, f *found) bool {
	shared := 0
	for _, k := range f.evidence.Mentions {
		if slices.Contains(i.Evidence.Mentions, k) {
			shared++
		}
	}
	return len(f.evidence.Mentions) > 0 && 3*shared >= len(f.evidence.Mentions)
}

// lately returns the closed incident of the same story that was closed last.
func (m *Model) lately(b *brand, f *found) *Incident {
	var last *Incident
	for _, id := range sortedKeys(m.incidents) {
		i := m.incidents[id]
		if i.Brand != b.state.ID || i.Open() || i.Closing == Merged {
			continue
		}
		if (i.signal(&f.signal) != nil || m.same(i, f)) && (last == nil || i.ClosedAt.After(last.ClosedAt)) {
			last = i
		}
	}
	return last
}

// open starts a new incident.
func (m *Model) open(b *brand, f *found, actor Actor, previous string) {
	b.state.Incidents++
	m.touchBrand(b)
	i := Incident{
		ID: fmt.Sprintf("%s-%d", b.state.ID, b.state.Incidents), Brand: b.state.ID, N: b.state.Incidents,
		Since: f.since, Previous: previous, RuleHash: m.set.Hash, Routes: slices.Clone(f.rule.Routes),
	}
	if len(i.Routes) == 0 {
		i.Routes = []string{rules.DefaultRoute}
	}
	t := begin(i, m.set, m.now, actor)
	m.lead(t, f)
	t.putSignal(f.signal)
	t.inc.LastHit = m.now
	t.inc.because(f.signal.whySaid())
	t.relevel()
	t.open()
	m.commit(t)
}

// lead lets a signal speak for the incident if it leads: words and numbers are renewed from it. It reports
// whether it does.
func (m *Model) lead(t *turn, f *found) bool {
	i := &t.inc
	if len(i.Signals) > 0 {
		first := &i.Signals[0]
		own := first.Rule == f.signal.Rule && first.Series == f.signal.Series
		joins := first.Watch && !f.signal.Watch && f.signal.Level == first.Level
		if !own && !joins && !f.signal.Level.GraverThan(first.Level) {
			m.places(t, f.signal.Signal, &f.evidence)
			return false
		}
	}
	named, ok := m.set.Rule(i.NamedBy)
	vaguer := ok && specific(f.rule) < specific(named)
	i.Rule, i.Signal = f.rule.ID, f.signal.Signal
	i.Evidence = f.evidence
	if f.category != "" {
		i.Category = f.category
	}
	if !vaguer {
		i.Title, i.NamedBy = f.title(), f.rule.ID
		if p := m.set.PlaybookFor(f.rule, i.Category); p != nil {
			i.Playbook = p.ID
		}
	}
	for _, r := range f.rule.Routes {
		if !slices.Contains(i.Routes, r) {
			i.Routes = append(i.Routes, r)
		}
	}
	i.Sentence = m.sentence(f)
	m.places(t, f.signal.Signal, &f.evidence)
	return true
}

// places notes the sources that an incident is on; a single mention does not make a place.
func (m *Model) places(t *turn, signal string, ev *Evidence) {
	if signal == "all" || signal == unanswered {
		return // neither praise nor our own silence is a new front
	}
	for _, s := range sortedKeys(ev.Sources) {
		if ev.Sources[s] >= 2 || len(t.inc.NewSources) == 0 {
			t.newSource(s)
		}
	}
}
