package detector

import (
	"fmt"

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
func (m *Model) burstLevel(f *found, provisional bool) (rules.Severity, string) {
	if f.rule.Severity != rules.Calm {
		return f.rule.Severity, "set by rule " + f.rule.ID
	}
	if s := f.rule.Signal(); s == "all" || len(f.rule.Per) == 0 && f.rule.Match.Sentiment == string(Positive) {
		return rules.Notice, "more mentions, not more complaints"
	}
	level, why := rules.Issue, unusual(f.rule)
	if s := budgeted(f); s.GraverThan(level) {
		level, why = s, why+"; above the bar of its budget for severity "+fmt.Sprint(int(s))
	}
	c := m.set.Categories[f.category]
	if c != nil && c.Sev != rules.Calm && c.Sev <= rules.Serious && rules.Serious.GraverThan(level) {
		level, why = rules.Serious, "an unusual number of complaints about "+TopicWords(f.category)
	}
	if provisional && level.GraverThan(rules.Issue) {
		level, why = rules.Issue, why+"; held at 3 while the baseline is provisional"
	}
	return stepUp(level, why, f)
}

// unusual says what it is that a rule found too much of.
func unusual(r *rules.Rule) string {
	switch {
	case r.Kind == rules.Shift:
		return "an unusual share of " + r.Measure.Noun()
	case r.Kind == rules.Backlash:
		return "an unusual number of complaints under what the brand itself wrote"
	case countsRecords(r):
		return "an unusual number of " + nounOf(r)
	case specific(r) == ownTerms:
		return "an unusual number of mentions that rule " + r.ID + " looks for"
	}
	return "an unusual number of complaints"
}

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
func stepUp(level rules.Severity, why string, f *found) (rules.Severity, string) {
	ev := &f.evidence
	spread := len(ev.Sources) >= 2 || len(ev.Languages) >= 2 || ev.Reach >= wideReach
	switch s := f.signal.Steps; {
	case s == 0, level == rules.Crisis:
		return level, why
	case s >= maxSteps, s == 2 && spread:
		return rules.Crisis, fmt.Sprintf("%s; %d times the count of the first alert", why, 1<<s)
	default:
		return max(rules.Serious, min(level, rules.Issue)-1), fmt.Sprintf("%s; %d times the count of the first alert", why, 1<<s)
	}
}
