package detector

import (
	"emberwatch/rules"
)

// leadingCategory is what a burst is about: the dimension of a rule per category, else the category that
// half of its mentions point to.
func leadingCategory(d dim, r *rules.Rule, ev *Evidence) string {
	c, ok := d.category(r)
	switch {
	case ok:
		return c
	case len(r.Match.Categories) == 1:
		return r.Match.Categories[0]
	}
	for _, c := range sortedKeys(ev.Categories) {
		if n := ev.Categories[c]; n >= 2 && 2*n >= int(ev.Window.Observed) {
			return c
		}
	}
	return ""
}

// burstLevel decides how grave a burst is, and why. A rule's own severity wins.
func (m *Model) burstLevel(f *found, provisional bool) (rules.Severity, Said) {
	if f.rule.Severity != rules.Calm {
		return f.rule.Severity, setBy(f.rule)
	}
	if s := f.rule.Signal(); s == "all" || len(f.rule.Per) == 0 && f.rule.Match.Sentiment == string(Positive) {
		return rules.Notice, code("why.volume")
	}
	level, why := rules.Issue, Said{unusual(f.rule)}
	if s := budgeted(f); s.GraverThan(level) {
		level, why = s, append(why, Clause{Code: "why.budget", N: int(s)})
	}
	c := m.set.Categories[f.category]
	if c != nil && c.Sev != rules.Calm && c.Sev <= rules.Serious && rules.Serious.GraverThan(level) {
		level, why = rules.Serious, Said{{Code: "why.topic", Topic: f.category}}
	}
	if provisional && level.GraverThan(rules.Issue) {
		level, why = rules.Issue, append(why, code("why.provisional")...)
	}
	return stepUp(level, why, f)
}

// unusual says what it is that a rule found too much of.
func unusual(r *rules.Rule) Clause {
	switch {
	case r.Kind == rules.Shift:
		return unusualShare(r.Measure)
	case r.Kind == rules.Backlash:
		return Clause{Code: "why.backlash"}
	case countsRecords(r):
		return Clause{Code: "why.records", Word: nounOf(r)}
	case specific(r) == ownTerms:
		return Clause{Code: "why.terms", Name: r.ID}
	}
	return Clause{Code: "why.complaints"}
}

// unusualShare says of what a rule found too large a share.
func unusualShare(m *rules.Measure) Clause {
	of, value := m.Share()
	c := Clause{Code: "why.share." + string(of)}
	if of == rules.ShareCondition {
		c.Text = value
	}
	return c
}

func setBy(r *rules.Rule) Said { return Said{{Code: "why.rule", Name: r.ID}} }

// budgeted returns the gravest severity whose budget's bar the score has passed; a budget that names only one
// severity means that one.
func budgeted(f *found) rules.Severity {
	b := f.rule.Budget
	if len(b) == 1 {
		for s := range b {
			return s
		}
	}
	for s := rules.Crisis; s <= rules.Notice; s++ {
		if rate := b[s].PerWeek(); rate > 0 && f.evidence.Score >= barFor(rate) {
			return s
		}
	}
	return rules.Calm
}

// How much a rule says about what happened, the most telling last.
const (
	anyComplaint = iota
	oneTopic
	ownTerms
	oneMention
)

func specific(r *rules.Rule) int {
	m := &r.Match
	switch {
	case r.Kind == rules.Each:
		return oneMention
	case len(m.AllOf)+len(m.AnyOf) > 0:
		return ownTerms
	case len(m.Categories) > 0 || len(r.Per) > 0:
		return oneTopic
	}
	return anyComplaint
}

// wideReach is how many readers make a burst a widely read one.
const wideReach = 50_000

// stepUp makes a growing burst graver: one level at twice its first count, and on to 1 at four times if it
// spreads or reaches many, at eight times in any case.
func stepUp(level rules.Severity, why Said, f *found) (rules.Severity, Said) {
	ev := &f.evidence
	spread := len(ev.Sources) >= 2 || len(ev.Languages) >= 2 || ev.Reach >= wideReach
	switch s := f.signal.Steps; {
	case s == 0, level == rules.Crisis:
		return level, why
	case s >= maxSteps, s == 2 && spread:
		return rules.Crisis, append(why, Clause{Code: "why.times", N: 1 << s})
	default:
		return max(rules.Serious, min(level, rules.Issue)-1), append(why, Clause{Code: "why.times", N: 1 << s})
	}
}
