package detector

import (
	"context"
	"strings"
	"testing"
	"time"

	"emberwatch/rules"
)

// heardOf are records in which acme has been listened to since a time.
type heardOf struct {
	records
	since time.Time
}

func (h heardOf) Brands(context.Context) ([]BrandState, error) {
	return []BrandState{{ID: "acme", LiveSince: h.since}, {ID: "other", LiveSince: h.since.Add(-1000 * day)}}, nil
}

// A rule is doubted that has opened nothing for half a year, or has told more than three times its budget.
func TestPractice(t *testing.T) {
	set := mustRules(`
version: 1
brands: {acme: {names: [Acme]}, other: {names: [Other]}}
rules: [{id: burst, title: T, kind: burst, brand: acme, match: {sentiment: negative}, floor: {items: 5, authors: 3}, budget: 1/week}]`)
	rule, _ := set.Rule("burst")
	for _, tt := range []struct {
		name         string
		days         int // that acme has been heard of
		rule         string
		peak         rules.Severity
		incidents    int
		opened, told int
		allowed      float64
		doubt        string
	}{
		{"silent for long", 400, "other-rule", rules.Issue, 2, 0, 0, 180.0 / 7, "told of nothing in 180 days"},
		{"part of what others told", 400, "other-rule+burst", rules.Issue, 2, 0, 0, 180.0 / 7, ""},
		{"silent, but new here", 179, "burst", rules.Issue, 0, 0, 0, 179.0 / 7, ""},
		{"as the budget says", 14, "burst", rules.Issue, 6, 6, 6, 2, ""},
		{"too much", 14, "burst", rules.Issue, 7, 7, 7, 2, "7 incidents where its budget allows 2.0"},
		{"three on the first day", 1, "burst", rules.Serious, 3, 3, 3, 1.0 / 7, ""},
		{"notices spend no budget", 14, "burst", rules.Notice, 9, 9, 0, 2, ""},
		{"never listened to", 0, "burst", rules.Issue, 0, 0, 0, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := heardOf{records: records{audit: map[string][]Audit{}}}
			if tt.days > 0 {
				h.since = monday.Add(-time.Duration(tt.days) * day)
			}
			for range tt.incidents {
				i := Incident{Peak: tt.peak, OpenedAt: monday.Add(-time.Hour)}
				for r := range strings.SplitSeq(tt.rule, "+") {
					i.Signals = append(i.Signals, ActiveSignal{Rule: r})
				}
				i.Rule = i.Signals[0].Rule
				h.incidents = append(h.incidents, i)
			}
			h.incidents = append(h.incidents, Incident{Rule: "burst", Peak: rules.Issue, OpenedAt: monday.Add(-500 * day)})
			p, err := NewPractice(t.Context(), h, set, rule, "", monday.Add(-PracticeTime), monday)
			if err != nil {
				t.Fatal(err)
			}
			if p.Opened != tt.opened || p.Told != tt.told || p.Allowed < tt.allowed-0.01 || p.Allowed > tt.allowed+0.01 {
				t.Errorf("got %+v", p)
			}
			if tt.doubt == "" && len(p.Doubts) > 0 || tt.doubt != "" && (len(p.Doubts) != 1 || !strings.Contains(p.Doubts[0].String(), tt.doubt)) {
				t.Errorf("doubts %v, want %q", p.Doubts, tt.doubt)
			}
		})
	}
}
