package detector

import (
	"slices"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// conditions lets severity_if and escalate_if of the rule have the last word on the level of a signal.
func (m *Model) conditions(b *brand, f *found) {
	r := f.rule
	if len(r.SeverityIf)+len(r.EscalateIf) == 0 {
		return
	}
	facts := &rules.Facts{Sum: m.sum(b, f)}
	if f.item != nil {
		f.item.fill(facts)
	}
	for _, c := range r.SeverityIf {
		if c.When.Holds(facts) {
			f.signal.Level = c.Severity
			f.signal.also(Clause{Code: "why.condition", Name: r.ID, Text: c.When.Text})
			break
		}
	}
	for _, c := range r.EscalateIf {
		if c.Severity.GraverThan(f.signal.Level) && c.When.Holds(facts) {
			f.signal.Level = c.Severity
			f.signal.also(Clause{Code: "why.condition", Name: r.ID, Text: c.When.Text})
		}
	}
}

// fill sets what the model remembers of a mention.
func (it *Item) fill(f *rules.Facts) {
	f.Mention = &sources.Mention{
		Source: it.Key.Source, Network: it.Network, Kind: it.Kind, Rating: it.Rating, HasMedia: it.Media,
		Author: sources.Author{Followers: it.Reach},
	}
	if it.Private {
		f.Mention.Visibility = sources.Private
	}
	f.PNegative, f.Label, f.Lang, f.Categories = it.Negative, string(it.Label), it.Lang, it.Categories
}

// sum is what the mentions behind a signal add up to.
func (m *Model) sum(b *brand, f *found) *rules.Sum {
	ev := &f.evidence
	within := func(d time.Duration) (items, authors int) {
		if d == 0 {
			return int(ev.Window.Observed), ev.Authors
		}
		seen := map[uint64]bool{}
		for _, it := range b.items {
			if m.now.Sub(it.At) < d && it.Weight > 0 && slices.Contains(it.Rules, f.rule.ID) {
				items++
				seen[it.Author] = true
			}
		}
		return items, len(seen)
	}
	return &rules.Sum{
		Items:   func(d time.Duration) int { n, _ := within(d); return n },
		Authors: func(d time.Duration) int { _, n := within(d); return n },
		Sources: len(ev.Sources), Languages: len(ev.Languages), Reach: ev.Reach, Media: m.anyMedia(b, ev),
		Incidents: func(rule string, d time.Duration) int { return m.opened(b, f, rule, d) },
	}
}

func (m *Model) anyMedia(b *brand, ev *Evidence) bool {
	return slices.ContainsFunc(ev.Mentions, func(k sources.Key) bool { return b.byKey[k] != nil && b.byKey[k].Media })
}

// Opening is when a rule has opened an incident.
type Opening struct {
	Rule string    `json:"rule"`
	At   time.Time `json:"at"`
}

// maxOpenings bounds what a brand remembers of openings that conditions ask for; the oldest goes first.
const maxOpenings = 100

// noteOpened remembers which rules have opened incidents with the running change, if a condition asks for that: closed
// incidents leave memory after a day.
func (m *Model) noteOpened() {
	for _, l := range m.change.Audit {
		i := m.incidents[l.Incident]
		if l.Op != "opened" || i == nil || !m.set.CountsIncidents(i.Rule) {
			continue
		}
		b := m.brand(i.Brand)
		all := append(slices.Clone(b.state.Opened), Opening{i.Rule, l.At})
		b.state.Opened = all[max(0, len(all)-maxOpenings):]
		m.touchBrand(b)
	}
}

// opened counts the incidents that a rule has opened within a time, the one that is about to be opened too.
func (m *Model) opened(b *brand, f *found, rule string, within time.Duration) int {
	n := 0
	if rule == f.rule.ID && m.holding(b, &f.signal) == nil {
		n++
	}
	for _, o := range b.state.Opened {
		if o.Rule == rule && m.now.Sub(o.At) < within {
			n++
		}
	}
	return n
}
