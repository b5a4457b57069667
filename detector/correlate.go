package detector

import (
	"slices"

	"emberwatch/rules"
)

// correlate lets the rules of kind correlate say whether enough of their rules tell of a brand at the same time. What they
// find joins the incident that the last of these has reached.
func (m *Model) correlate(b *brand, by *found) {
	for _, r := range m.set.RulesFor(b.state.ID) {
		if r.Kind != rules.Correlate || !slices.Contains(r.Of, by.rule.ID) {
			continue
		}
		told := m.tellingNow(b, r)
		if len(told) < r.AtLeast {
			continue
		}
		sig := m.atOnce(r, told)
		known := m.holding(b, &sig)
		if known != nil && !known.lapses(&sig, m.now) {
			continue
		}
		m.raise(b, &found{rule: r, signal: sig, evidence: by.evidence, category: by.category, since: by.since, opened: known == nil})
	}
}

// atOnce is the signal of a rule some of whose rules tell.
func (m *Model) atOnce(r *rules.Rule, told []string) ActiveSignal {
	sig := ActiveSignal{
		Rule: r.ID, Signal: r.Signal(), Series: "correlate:" + r.ID, Level: r.Severity, First: m.now, LastHit: m.now,
		Quiet: Duration(max(quietOf(r), r.Within)),
	}
	sig.because(Said{{Code: "why.together", Names: told}})
	return sig
}

// tellingNow returns which of the rules that a rule correlates speak for open incidents of the brand, lately.
func (m *Model) tellingNow(b *brand, r *rules.Rule) []string {
	var told []string
	for _, i := range m.openOf(b) {
		for k := range i.Signals {
			s := &i.Signals[k]
			if slices.Contains(r.Of, s.Rule) && !slices.Contains(told, s.Rule) && m.now.Sub(s.LastHit) <= r.Within {
				told = append(told, s.Rule)
			}
		}
	}
	slices.Sort(told)
	return told
}
