package rules

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// doubts warns of what a file does not say and its author may want to know. What the embedded library leaves open is ours.
func (l *loader) doubts() {
	s := l.set
	for _, id := range sortedKeys(s.Brands) {
		l.doubtBrand(s.Brands[id])
		l.doubtForce(s.Brands[id])
	}
	for _, r := range s.Rules {
		l.doubtSeverity(r)
		l.doubtUntested(r)
	}
	l.doubtBudgets()
	l.doubtAnswers()
	l.doubtCategories()
	l.doubtSilence()
}

// doubtBrand warns of names that are words of everyday, and of a brand that is not known by its own accounts.
func (l *loader) doubtBrand(b *Brand) {
	for _, name := range b.Names {
		folded := Fold(name)
		known := slices.ContainsFunc(sortedKeys(b.Ambiguous), func(a string) bool { return Fold(a) == folded })
		if everyday()[folded] && !known && len(b.Exclude)+len(b.ContextNegative) == 0 {
			l.add(LevelWarning, b.Pos, "W01", fmt.Sprintf("%q is a word of everyday as well", name), "much will be counted that is not about the brand",
				fmt.Sprintf("write ambiguous: {%q: {need_any: [words that stand near it]}}, or exclude", name))
		}
	}
	if len(b.OwnAuthors) == 0 && l.needsOwnAuthors(b) {
		l.add(LevelWarning, b.Pos, "W11", fmt.Sprintf("the brand %q has no own_authors", b.ID), "what it writes itself is counted, and answers of its own cannot be told from complaints",
			`write own_authors: ["instagram:name"]`)
	}
	if l.opt.Networks == nil {
		return
	}
	for _, network := range sortedKeys(b.Handles) {
		if network != "any" && !slices.Contains(l.opt.Networks, network) {
			l.add(LevelWarning, b.Pos, "W13", fmt.Sprintf("no source reads %s, where %q has a handle", network, b.ID), "nothing will come from there",
				"add a source of that type, or have it pushed to /v1/mentions")
		}
	}
}

// needsOwnAuthors reports whether it matters who speaks for a brand: it has accounts, or a rule waits for answers to its own
// posts.
func (l *loader) needsOwnAuthors(b *Brand) bool {
	for network := range b.Handles {
		if network != "any" {
			return true
		}
	}
	return slices.ContainsFunc(l.set.Rules, func(r *Rule) bool { return r.Kind == Backlash && (r.Brand == "" || r.Brand == b.ID) })
}

// doubtSeverity warns of conditions that can change nothing.
func (l *loader) doubtSeverity(r *Rule) {
	for _, c := range r.EscalateIf {
		if r.Severity != Calm && !c.Severity.GraverThan(r.Severity) {
			l.add(LevelWarning, c.Pos, "W14", fmt.Sprintf("escalate_if to severity %d raises nothing: the rule has severity %d", c.Severity, r.Severity),
				"a condition that holds would change nothing", "give it a smaller number, or use severity_if")
		}
	}
	for _, c := range r.SeverityIf {
		if r.Severity == c.Severity {
			l.add(LevelWarning, c.Pos, "W14", fmt.Sprintf("severity_if gives severity %d, which the rule has already", c.Severity),
				"a condition that holds would change nothing", "give it another severity, or take it out")
		}
	}
}

// doubtUntested warns of rules that no test waits for, in files that have tests at all.
func (l *loader) doubtUntested(r *Rule) {
	var tested []string
	inFile := false
	for _, t := range l.set.Tests {
		inFile = inFile || t.Pos.File == r.Pos.File
		for i := range t.Expect {
			tested = append(tested, t.Expect[i].Rule)
		}
	}
	if inFile && !slices.Contains(tested, r.ID) {
		l.add(LevelWarning, r.Pos, "W03", fmt.Sprintf("no test expects the rule %q", r.ID), "nobody would notice that it has stopped telling",
			fmt.Sprintf("add a test with expect: [{rule: %s}]", r.ID))
	}
}

// doubtBudgets warns of routes whose rules may together tell more often than the route is willing to hear.
func (l *loader) doubtBudgets() {
	for _, id := range sortedKeys(l.set.Budgets) {
		for sev := Crisis; sev <= Notice; sev++ {
			most := l.set.Budgets[id][sev].PerWeek()
			sum, n := 0.0, 0
			for _, r := range l.set.Rules {
				if rate := r.Budget[sev].PerWeek(); rate > 0 && slices.Contains(r.Routes, id) {
					sum, n = sum+rate, n+1
				}
			}
			if pos, ok := l.budgetPos[id]; ok && most > 0 && sum > most+1e-9 {
				l.add(LevelWarning, pos, "W04", fmt.Sprintf("the %d rules that go to %q may tell %s of severity %d, its budget is %s", n, id, perWhat(sum), sev, perWhat(most)),
					"what is over is folded into a digest, never severity 1 or 2", "lower budgets of rules, or raise that of the route")
			}
		}
	}
}

// perWhat writes a rate per week as people would.
func perWhat(perWeek float64) string {
	if perWeek < 1 {
		return fmt.Sprintf("%.3g/month", math.Round(perWeek*30/7*100)/100)
	}
	return fmt.Sprintf("%.3g/week", math.Round(perWeek*100)/100)
}

// doubtCategories warns of categories of the files that no playbook answers for.
func (l *loader) doubtCategories() {
	for _, id := range sortedKeys(l.set.Categories) {
		c := l.set.Categories[id]
		if _, ours := l.seen["category\x00"+id]; !ours || c.NoDraft {
			continue
		}
		answered := slices.ContainsFunc(sortedKeys(l.set.Playbooks), func(p string) bool {
			return p == id || p == strings.ReplaceAll(id, "_", "-") || slices.Contains(l.set.Playbooks[p].Categories, id)
		})
		if !answered {
			l.add(LevelWarning, c.Pos, "W08", fmt.Sprintf("no playbook answers for the category %q", id), "its complaints get the general drafts",
				fmt.Sprintf("name it in categories: [%s] of a playbook", id))
		}
	}
}

// doubtForce warns of a brand that no rule judges: the starter rules are in force by themselves only for brands that no file
// names.
func (l *loader) doubtForce(b *Brand) {
	if len(l.rulesInForce(b.ID)) == 0 {
		l.add(LevelWarning, b.Pos, "W16", fmt.Sprintf("no rule is in force for the brand %q", b.ID), "nobody would be told anything about it",
			"add packs: [starter], or rules")
	}
}

// doubtSilence warns if nobody would be told of a brand that has rules that its source has gone quiet. The starter rules tell
// it of brands that no file names, and who switches that off knows it.
func (l *loader) doubtSilence() {
	if slices.Contains(l.set.Packs, starterPack) {
		return
	}
	var deaf []string
	for _, id := range sortedKeys(l.set.Brands) {
		all := l.rulesInForce(id)
		if len(all) > 0 && !slices.ContainsFunc(all, func(r *Rule) bool { return r.Kind == Silence }) {
			deaf = append(deaf, id)
		}
	}
	if len(deaf) == 0 {
		return
	}
	what := fmt.Sprintf("no rule is of kind silence for the brand %q", deaf[0])
	if more := len(deaf) - 1; more > 0 {
		what += fmt.Sprintf(" and %d more", more)
	}
	l.add(LevelWarning, l.set.Brands[deaf[0]].Pos, "W10", what, "a source that is down looks like calm",
		"add {id: source-silent, title: A source has gone quiet, kind: silence}, or packs: [starter]")
}

// gravest is the gravest severity that a rule can have by its own words; Calm if it leaves that to the categories.
func (r *Rule) gravest() Severity {
	worst := r.Severity
	for sev := range r.Budget {
		if sev.GraverThan(worst) && r.Severity == Calm {
			worst = sev
		}
	}
	for _, list := range [][]SeverityIf{r.SeverityIf, r.EscalateIf} {
		for _, c := range list {
			if c.Severity.GraverThan(worst) {
				worst = c.Severity
			}
		}
	}
	return worst
}
