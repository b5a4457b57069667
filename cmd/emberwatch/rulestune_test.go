package main

import (
	"bytes"
	"strings"
	"testing"

	"emberwatch/detector"
	"emberwatch/rules"
)

// A patch spares the false alarms and keeps the real ones; with too little to go by there is none.
func TestTuning(t *testing.T) {
	const text = `version: 1
brands: {acme: {names: [Acme], own_authors: ["x:acme"]}}
rules:
  - id: neg
    title: Complaints
    kind: burst
    match: {sentiment: negative}
    floor: {items: 5, authors: 3}
    budget: {severity_3: 2/week}
  - {id: other, title: Other, kind: burst, match: {}, floor: {items: 5, authors: 3}, budget: 1/day}
`
	incident := func(closing detector.Closing, size float64) detector.Incident {
		i := detector.Incident{Rule: "neg", Closing: closing}
		i.Evidence.Window.Observed = size
		return i
	}
	for _, c := range []struct {
		name string
		all  []detector.Incident
		want string // of the patch
		why  string
	}{
		{"nobody judged", []detector.Incident{incident(detector.CalmAgain, 6)}, "", "nothing to propose"},
		{"one may be chance", []detector.Incident{incident(detector.FalseAlarm, 6)}, "", "nothing to propose"},
		{
			"small ones were false",
			[]detector.Incident{incident(detector.FalseAlarm, 6), incident(detector.FalseAlarm, 8), incident(detector.Resolved, 30)},
			"@@ -8 +8 @@\n-    floor: {items: 5, authors: 3}\n+    floor: {items: 9, authors: 3}\n", "held at most 8 mentions, the real ones at least 30",
		},
		{
			"of any size",
			[]detector.Incident{incident(detector.FalseAlarm, 6), incident(detector.FalseAlarm, 80), incident(detector.Resolved, 30)},
			"@@ -9 +9 @@\n-    budget: {severity_3: 2/week}\n+    budget: {severity_3: 1/week}\n", "2 of 3 alarms were false",
		},
		{"most were real", []detector.Incident{incident(detector.FalseAlarm, 60), incident(detector.FalseAlarm, 80), incident(detector.Resolved, 30), incident(detector.Resolved, 30)}, "", "nothing to propose"},
		{"a planned one", []detector.Incident{incident(detector.KnownEvent, 60)}, "", "write a window for it"},
	} {
		files := []rules.File{{Name: "a.yml", Data: []byte(text)}}
		set, errs := rules.Parse(files, rules.Options{})
		if set == nil {
			t.Fatal(errs)
		}
		var out, why bytes.Buffer
		if err := (&app{stdout: &out, stderr: &why}).printTuning(files, set, judgedByPeople(c.all)); err != nil {
			t.Fatal(err)
		}
		want := c.want
		if want != "" {
			want = "--- a.yml\n+++ a.yml\n" + want
		}
		if out.String() != want || !strings.Contains(why.String(), c.why) {
			t.Errorf("%s:\n%s%s\nwant %s and %q", c.name, out.String(), why.String(), want, c.why)
		}
	}
}
