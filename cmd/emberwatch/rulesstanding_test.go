package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"emberwatch/detector"
)

// explain says what a rule has done, beside what it sees.
func TestExplainSaysWhatTheRuleHasDone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "acme.yml"), fmt.Sprintf(watchedRules, "Burnt", "burnt"))
	c := start(t, launch{data: filepath.Join(dir, "d"), config: writeFile(t, filepath.Join(dir, "e.yml"), anyPort+"rules: [acme.yml]\n")})
	defer c.stop(t)
	if res := c.ask(t, "POST", "/v1/mentions", `{"items":[`+item("a", "Acme", "Acme burnt my cake")+`]}`); res.status != 200 {
		t.Fatalf("%d %s", res.status, res.body)
	}
	var got standingsJSON
	soon(t, "the rule has told", func() bool {
		c.ask(t, "GET", "/api/v1/rules/explain?rule=burnt", "").decode(t, &got)
		return got.Practice != nil && got.Practice.Told == 1
	})
	if got.Practice.Since.IsZero() || len(got.Practice.Doubts) > 0 {
		t.Errorf("got %+v", got.Practice)
	}

	var out bytes.Buffer
	got.Practice.Allowed, got.Practice.Doubts = 0.2, []detector.Doubt{{ID: "W06", What: "too much", Fix: "less"}}
	if err := (&app{stdout: &out}).printStandings(false, &got); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); !strings.Contains(s, ": 1, of severity 1 to 3: 1; its budget allows 0.2\nwarning: W06: too much; less\n") {
		t.Errorf("printed:\n%s", s)
	}
	if all := got.Standings; len(all) != 1 || all[0].Incident != "acme-1" || all[0].Week != 1 || !all[0].Latest[0].Told {
		t.Errorf("got %+v", all)
	}
}
