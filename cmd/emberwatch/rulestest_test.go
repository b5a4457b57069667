package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"emberwatch/rules"
)

const workedExample = "../../rules/testdata/fjellbryg.yml"

// invoke runs the program and returns its exit code and what it wrote.
func invoke(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	t.Setenv("XDG_CONFIG_HOME", t.TempDir())
	var out, errs bytes.Buffer
	code = run(context.Background(), append([]string{"emberwatch"}, args...), strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// inFull skips what plays weeks of mentions and runs nothing side by side: a short run is there for the race detector.
func inFull(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("plays weeks of mentions")
	}
}

// The example of the format passes check, and its own tests.
func TestWorkedExample(t *testing.T) {
	inFull(t)
	if code, out, _ := invoke(t, "check", workedExample); code != exitOK || !strings.Contains(out, " 0 errors") {
		t.Errorf("check: exit code %d\n%s", code, out)
	}
	if code, out, errs := invoke(t, "rules", "test", workedExample); code != exitOK || !strings.Contains(out, "ok   leak reports") {
		t.Errorf("rules test: exit code %d\n%s%s", code, out, errs)
	}
}

func TestRulesTestFails(t *testing.T) {
	dir := t.TempDir()
	file, junit := filepath.Join(dir, "acme.yml"), filepath.Join(dir, "junit.xml")
	const rule = `version: 1
brands: {acme: {names: [Acme]}}
rules:
  - {id: burnt, title: Burnt, kind: each, brand: acme, match: {any_of: [burnt]}, dedupe: {by: [author], for: 1h}, severity: 2}
tests:
  - {name: told, feed: [{at: -1m, text: Acme burnt my cake}], expect: [{rule: burnt, severity: 2, by: 0m}]}
  - {name: not told, feed: [{at: -1m, text: Acme scorched my cake}], expect: [{rule: burnt}]}
`
	if err := os.WriteFile(file, []byte(rule), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errs := invoke(t, "rules", "test", "--json", "--junit", junit, file)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != exitProblems || len(lines) != 2 || !strings.Contains(lines[0], `"passed":true`) || !strings.Contains(lines[1], "burnt matches 0 of 1 mentions of the feed; not \\\"Acme scorched my cake\\\": the text has burnt") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	data, err := os.ReadFile(junit)
	if err != nil {
		t.Fatal(err)
	}
	var suite junitSuite
	if err := xml.Unmarshal(data, &suite); err != nil || suite.Tests != 2 || suite.Failures != 1 || suite.Cases[1].Failure == nil || suite.Cases[1].Line != 7 {
		t.Errorf("%v\n%s", err, data)
	}
}

// Every pack passes its own tests, and a rule file may ask for it.
func TestPacks(t *testing.T) {
	inFull(t)
	for i, id := range rules.PackIDs() {
		t.Run(id, func(t *testing.T) {
			file := filepath.Join("..", "..", "rules", "packs", "trades", id+".yml")
			if i == 0 { // the starter pack: a brand that no file names has it unasked
				file = filepath.Join("..", "..", "rules", "packs", id+".yml")
			}
			if code, out, errs := invoke(t, "rules", "test", file); code != exitOK || strings.HasPrefix(out, "0 tests") {
				t.Errorf("exit code %d\n%s%s", code, out, errs)
			}
			set, errs := rules.Parse([]rules.File{{Name: "a.yml", Data: []byte("version: 1\npacks: [" + id + "]\nbrands: {acme: {names: [Acme], own_authors: [\"x:acme\"]}}\n")}}, rules.Options{})
			if set == nil || len(set.RulesFor("acme")) == 0 || i > 0 && len(set.RulesFor("other")) <= len(rules.Starter().RulesFor("other")) {
				t.Errorf("asked for: %v", errs)
			}
		})
	}
}

// What runs no test says so: nobody should take a misspelt name for a green run.
func TestNoTestIsNoSuccess(t *testing.T) {
	dir := t.TempDir()
	some := writeFile(t, filepath.Join(dir, "some.yml"), fmt.Sprintf(watchedRules, "Burnt", "burnt"))
	none := writeFile(t, filepath.Join(dir, "none.yml"), fmt.Sprintf(watchedRule, "a"))
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--run", "zzz", some}, exitUsage, `--run zzz matches no test; there are "burnt is told"`},
		{[]string{"--run", "zzz", none}, exitUsage, "--run zzz: the rule files have no tests"},
		{[]string{none}, exitOK, "the rule files have no tests; write some"},
		{[]string{filepath.Join(dir, "gone.yml")}, exitUsage, "there is no file or folder " + filepath.Join(dir, "gone.yml")},
		{[]string{"--run", "told", some}, exitOK, "1 test, 0 failed"},
		{[]string{"--json", some}, exitOK, `"passed":true,"problems":[],"notes":[],`},
	} {
		code, out, errs := invoke(t, append([]string{"rules", "test"}, c.args...)...)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%v: exit code %d\n%s%s", c.args, code, out, errs)
		}
	}
}
