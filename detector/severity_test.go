package detector

import (
	"testing"
	"time"

	"emberwatch/rules"
)

// Neither a grave category nor growth may make milder what a budget has made a crisis.
func TestSeverityOnlyRises(t *testing.T) {
	set := rules.Starter()
	m := NewModel(set, LagReplay)
	crisis := rules.Budget{rules.Crisis: {N: 1, Per: 30 * 24 * time.Hour}}
	issue := rules.Budget{rules.Issue: {N: 1, Per: 7 * 24 * time.Hour}}
	for _, c := range []struct {
		name     string
		budget   rules.Budget
		category string
		steps    int
		want     rules.Severity
	}{
		{"ordinary", issue, "delivery", 0, rules.Issue},
		{"grave category", issue, "outage", 0, rules.Serious},
		{"twice the count", issue, "delivery", 1, rules.Serious},
		{"four times in one place", issue, "delivery", 2, rules.Serious},
		{"eight times", issue, "delivery", 3, rules.Crisis},
		{"budget of a crisis", crisis, "delivery", 0, rules.Crisis},
		{"budget of a crisis, grave category", crisis, "outage", 0, rules.Crisis},
		{"budget of a crisis, twice the count", crisis, "delivery", 1, rules.Crisis},
	} {
		f := &found{
			rule:     &rules.Rule{ID: "r", Kind: rules.Burst, Match: rules.Match{Sentiment: "negative"}, Budget: c.budget},
			category: c.category, signal: ActiveSignal{Steps: c.steps},
		}
		if got, why := m.burstLevel(f, false); got != c.want {
			t.Errorf("%s: severity %d (%s), want %d", c.name, got, why, c.want)
		}
	}
}
