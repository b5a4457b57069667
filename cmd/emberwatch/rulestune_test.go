package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
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
		out, why := tune(t, text, c.all)
		want := c.want
		if want != "" {
			want = "--- a.yml\n+++ a.yml\n" + want
		}
		if out != want || !strings.Contains(why, c.why) {
			t.Errorf("%s:\n%s%s\nwant %s and %q", c.name, out, why, want, c.why)
		}
	}
}

// The patch is for the rule that people judged, however the file is laid out; or it says why there is none.
func TestTuningChangesTheRightRule(t *testing.T) {
	const head = "version: 1\nbrands: {acme: {names: [Acme], own_authors: [\"x:acme\"]}}\n"
	const neg = "id: neg, title: Käfer, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}"
	const other = "\n  - {id: other, title: Other, kind: burst, match: {}, floor: {items: 5, authors: 3}, budget: 4/week}"
	for _, c := range []struct {
		name, rules string
		want        string // of the patch
		why         string
	}{
		{"one line, no budget", "rules:\n  - {" + neg + "}" + other + "\n", "@@ -4 +4 @@\n-  - {" + neg + "}\n+  - {" + strings.Replace(neg, "neg,", "neg, budget: 2/month,", 1) + "}\n", ""},
		{"one line, a budget", "rules:\n  - {" + neg + ", budget: '2/week'}" + other + "\n", "-  - {" + neg + ", budget: '2/week'}\n+  - {" + neg + ", budget: 1/week}\n", ""},
		{"the id is not first", "rules:\n  - {id: other, title: Other, kind: burst, match: {}, floor: {items: 5, authors: 3}}\n  - title: Neg\n    kind: burst\n    floor: {items: 5, authors: 3}\n    budget:\n      severity_2: 1/month\n      severity_3: 3/week # mildest\n    match: {}\n    id: neg\n", "@@ -10 +10 @@\n-      severity_3: 3/week # mildest\n+      severity_3: 1.5/week # mildest\n", ""},
		{"another title first behind it", "rules:\n  - id: neg\n    kind: burst\n    title: Neg\n    floor: {items: 5, authors: 3}\n    match: {}\n  - title: Other\n    id: other\n    kind: burst\n    match: {}\n    floor: {items: 5, authors: 3}\n    budget: 2/week\n", "@@ -4 +4,2 @@\n-  - id: neg\n+  - id: neg\n+    budget: 2/month\n", ""},
		{"no line end at the end", "rules:\n  - {" + neg + "}", "-  - {" + neg + "}\n\\ No newline at end of file\n+  - {" + strings.Replace(neg, "neg,", "neg, budget: 2/month,", 1) + "}\n\\ No newline at end of file\n", ""},
		{"shared", "rules:" + strings.Replace(other, "4/week", "&few 4/week", 1) + "\n  - {" + neg + ", budget: *few}\n", "", "set budget to half by hand, since other rules may share"},
		{"of a kind without both", "rules:\n  - {id: neg, title: Hot, kind: each, match: {any_of: [fire]}, dedupe: {by: [author], for: 1h}, severity: 2}" + other + "\n", "", "a rule of kind each has neither floor nor budget"},
	} {
		text := head + c.rules
		out, why := tune(t, text, []detector.Incident{{Rule: "neg", Closing: detector.FalseAlarm, Evidence: sized(6)}, {Rule: "neg", Closing: detector.FalseAlarm, Evidence: sized(80)}})
		if !strings.HasSuffix(out, c.want) || (out == "") != (c.want == "") || !strings.Contains(why, c.why) {
			t.Errorf("%s:\n%s\n%s%s\nwant %s and %q", c.name, text, out, why, c.want, c.why)
		}
	}
}

// Two rules of one line are both changed in it.
func TestTuningTwoRulesOfALine(t *testing.T) {
	const rule = "{id: %s, title: A, kind: burst, match: {}, floor: {items: 5, authors: 3}%s}"
	line := func(budget string) string {
		return "rules: [" + fmt.Sprintf(rule, "a", budget) + ", " + fmt.Sprintf(rule, "b", budget) + "]\n"
	}
	var all []detector.Incident
	for _, id := range []string{"a", "b", "a", "b"} {
		all = append(all, detector.Incident{Rule: id, Closing: detector.FalseAlarm, Evidence: sized(80)})
	}
	out, _ := tune(t, "version: 1\n"+line(", budget: 2/day"), all)
	if want := "--- a.yml\n+++ a.yml\n@@ -2 +2 @@\n-" + line(", budget: 2/day") + "+" + line(", budget: 1/day"); out != want {
		t.Errorf("%s\nwant %s", out, want)
	}
}

func sized(n float64) (e detector.Evidence) {
	e.Window.Observed = n
	return e
}

// tune returns the patch for a rule file, and what is said of it.
func tune(t *testing.T, text string, all []detector.Incident) (patch, why string) {
	t.Helper()
	files := []rules.File{{Name: "a.yml", Data: []byte(text)}}
	set, errs := rules.Parse(files, rules.Options{})
	if set == nil {
		t.Fatal(errs)
	}
	var out, said bytes.Buffer
	if err := (&app{stdout: &out, stderr: &said}).printTuning(files, set, judgedByPeople(all)); err != nil {
		t.Fatal(err)
	}
	return out.String(), said.String()
}

// All closed incidents that a daemon lists are looked at, and where there are more that is said.
func TestTuningAsksForAllThatAreListed(t *testing.T) {
	daemon := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(cmp.Or(r.FormValue("limit"), "200"))
		all := make([]detector.Incident, n)
		for i := range all {
			all[i] = detector.Incident{Rule: "neg", Closing: detector.Resolved}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"incidents": all})
	}))
	defer daemon.Close()
	file := writeFile(t, filepath.Join(t.TempDir(), "a.yml"), fmt.Sprintf(watchedRule, "neg"))
	code, _, why := invoke(t, "rules", "tune", "--server", daemon.URL, file)
	if code != exitOK || !strings.Contains(why, "the newest 1000 closed incidents count") || !strings.Contains(why, "neg: 1000 real") {
		t.Errorf("exit code %d: %s", code, why)
	}
}
