package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/rules"
	"emberwatch/sources"
)

// TestAReportIsPrintedInGerman: no word of ours is the same as in English unless it is German too.
func TestAReportIsPrintedInGerman(t *testing.T) {
	minutes := func(n int) detector.Duration { return detector.Duration(time.Duration(n) * time.Minute) }
	precision, at := 1.0, time.Date(2026, 11, 16, 0, 0, 0, 0, time.Local)
	r := &detector.Report{
		From: at.AddDate(0, 0, -7), To: at, Incidents: 2, Severity: map[string]int{"1": 1, "3": 1},
		Detect: detector.Times{N: 1}, Acknowledge: detector.Times{N: 2, Slow: minutes(5)}, Answer: detector.Times{Never: 2}, Resolve: detector.Times{N: 1, Median: minutes(3 * 24 * 60)},
		Verdicts: detector.Verdicts{Real: 1, KnownEvent: 1, Precision: &precision},
		Budgets: []detector.BudgetReport{
			{Rule: "tank", Brand: "acme", Name: "Acme", Severity: rules.Issue, Told: 1, Allowed: 0.23, N: 1, Per: minutes(30 * 24 * 60)},
			{Route: "desk", Severity: rules.Crisis, Told: 1, Allowed: 3.5, N: 0.5, Per: minutes(24 * 60)},
		},
		Brands:  []detector.BrandReport{{Brand: "acme", Name: "Acme", Mentions: 1, Negative: 1, Answers: &detector.AnswerFigures{Of: 1, Hour: 1, Day: 1}}},
		Topics:  []detector.TopicReport{{Category: "delivery", Mentions: 3}},
		Share:   []detector.Judged{{Mention: sources.Mention{Source: "shop", Text: "valve"}}},
		Sources: []detector.SourceReport{{Name: "shop", Fails: true}, {Name: "shop", Why: "valve"}, {Name: "shop", For: minutes(3 * 24 * 60), Usual: minutes(40)}},
	}
	told := func(lang string) string {
		var out bytes.Buffer
		a := &app{stdout: &out}
		a.printReport(r, (*notifier.Languages)(nil).In(lang))
		return out.String()
	}
	de := told("de")
	if left := notifiertest.Untranslated(t, "../../notifier/words/de.yml", told("en"), de, "acme tank desk shop valve"); len(left) > 0 {
		t.Errorf("not translated: %v\n%s", left, de)
	}
	for _, want := range []string{
		"weniger als eine Minute, einmal\n", "3 Tage, einmal\n", "Regel tank für Acme, Problem: 1 gemeldet, erlaubt: 1 im Monat\n",
		"Route desk, Krise: 1 gemeldet, erlaubt: 0,5 am Tag\n", "jemand, shop",
	} {
		if !strings.Contains(de, want) {
			t.Errorf("%q is not in\n%s", want, de)
		}
	}
}
