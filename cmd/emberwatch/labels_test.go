package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

const twoBrands = `version: 1
brands:
  us-airways: {names: [US Airways], own_authors: ["x:a"]}
  nord: {names: [Nordhavn], own_authors: ["x:b"]}
rules:
  - {id: burnt, title: Burnt, kind: each, match: {any_of: [burnt]}, dedupe: {by: [author], for: 1h}, severity: 3}
`

// history is what replay is asked of: one burnt meal each of two brands, which only the words name, and two more of one.
func history(t *testing.T) (rules, file string) {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	for i, text := range []string{"US Airways burnt my meal", "Nordhavn burnt my meal", "us airways burnt mine too", "US Airways has burnt it again"} {
		fmt.Fprintf(&b, `{"id":"m%d","source":"s","author":"u%d","text":"%s","lang":"en","created_at":"2026-03-02T10:%02d:00Z"}`+"\n", i, i, text, 10*i)
	}
	return writeFile(t, filepath.Join(dir, "two.yml"), twoBrands), writeFile(t, filepath.Join(dir, "h.ndjson"), b.String())
}

// --brand limits what is told to the brands that it names, whether a mention says its brand or only names it; a brand
// that nobody knows is told of.
func TestReplayOfABrand(t *testing.T) {
	rules, file := history(t)
	for _, c := range []struct {
		brand string
		code  int
		want  string
	}{
		{"us-airways", exitOK, `"mentions":3,"rejected":0,"duplicates":0,"incidents":{"us-airways":{"3":1}}`},
		{"US AIRWAYS", exitOK, `"mentions":3,"rejected":0,"duplicates":0,"incidents":{"us-airways":{"3":1}}`},
		{"nord", exitOK, `"mentions":1,"rejected":0,"duplicates":0,"incidents":{"nord":{"3":1}}`},
		{"nope", exitUsage, `--brand "nope": neither the rules nor the mentions have this brand; known are nord, us-airways`},
		{"us-airway", exitUsage, `did you mean "us-airways"?`},
	} {
		code, out, errs := invoke(t, "replay", "--json", "--rules", rules, "--brand", c.brand, file)
		if code != c.code || !strings.Contains(out+errs, c.want) || strings.Contains(out, `"incident":"nord-1"`) != (c.brand == "nord") {
			t.Errorf("%s: exit code %d\n%s%s", c.brand, code, out, errs)
		}
	}
	for _, args := range [][]string{
		{"rules", "diff", "--brand", "nope", rules, rules, file},
		{"rules", "explain", "burnt", "--rules", rules, "--brand", "nope", file},
		{"rules", "explain", "burnt", "--rules", rules, "--brand", "nope", "--text", "burnt"},
		{"rules", "explain", "burnt", "--rules", rules, "--brand", "nope", "--at", "2026-03-03", file},
	} {
		if code, out, errs := invoke(t, args...); code != exitUsage || !strings.Contains(errs, "known are nord, us-airways") {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, errs)
		}
	}
	for _, how := range [][]string{{file}, {"--text", "burnt"}, {"--at", "2026-03-03", file}} {
		args := append([]string{"rules", "explain", "neg-burst", "--rules", rules, "--brand", "nord"}, how...)
		const want = `the rule "neg-burst" is not in force for the brand "nord": it is of the starter pack, which brands of the files do not have by themselves`
		if code, out, errs := invoke(t, args...); code != exitUsage || out != "" || !strings.Contains(errs, want) {
			t.Errorf("%v: exit code %d\n%s%s", args, code, out, errs)
		}
	}
	if code, out, errs := invoke(t, "rules", "diff", "--brand", "nord", rules, rules, file); code != exitOK || strings.Contains(out, "us-airways") || strings.Count(out, "at the same time") != 1 {
		t.Errorf("diff of a brand: exit code %d\n%s%s", code, out, errs)
	}
}

// Known events are read strictly: one that cannot have been meant is no missed one.
func TestLabels(t *testing.T) {
	rules, file := history(t)
	for _, c := range []struct {
		name, labels string
		code         int
		want         string
	}{
		{
			"by name, in any case", `[{"brand":"us AIRWAYS","start":"2026-03-02T09:50:00Z","end":"2026-03-02T12:00:00Z","note":"known"}]`, exitOK,
			`"labels":{"found":1,"missed":0,"median_delay_minutes":10,"median_lead_minutes":30,"false_alarms":1,`,
		},
		{"other keys", `[{"brand":"nord","begin":"2026-03-02T09:50:00Z"}]`, exitUsage, "entry 1: start is missing or no text; it has begin, brand; write"},
		{"an unknown brand", `[{"brand":"nord","start":"2026-03-02T09:50:00Z","end":"2026-03-02T12:00:00Z"},{"brand":"nort","start":"2026-03-02T09:50:00Z","end":"2026-03-02T12:00:00Z"}]`, exitUsage, `entry 2: brand "nort": neither the rules nor the mentions have this brand; did you mean "nord"?`},
		{"the end first", `[{"brand":"nord","start":"2026-03-02T12:00:00Z","end":"2026-03-02T09:00:00Z"}]`, exitUsage, "before it starts at 2026-03-02T12:00:00Z; exchange start and end"},
		{"no zone", `[{"brand":"nord","start":"2026-03-02","end":"2026-03-03"}]`, exitUsage, `start "2026-03-02" is no time with a zone; write it like`},
		{"no list", `{"brand":"nord"}`, exitUsage, "it is a JSON list of"},
	} {
		labels := writeFile(t, filepath.Join(t.TempDir(), "l.json"), c.labels)
		code, out, errs := invoke(t, "replay", "--json", "--rules", rules, "--labels", labels, file)
		if code != c.code || !strings.Contains(out+errs, c.want) {
			t.Errorf("%s: exit code %d\n%s%s", c.name, code, out, errs)
		}
	}
	labels := writeFile(t, filepath.Join(t.TempDir(), "l.json"), `[{"brand":"nord","start":"2026-03-05T09:50:00Z","end":"2026-03-06T12:00:00Z"},{"brand":"us-airways","start":"2026-03-02T09:50:00Z","end":"2026-03-02T12:00:00Z"}]`)
	if _, out, _ := invoke(t, "replay", "--json", "--rules", rules, "--brand", "us-airways", "--labels", labels, file); !strings.Contains(out, `"labels":{"found":1,"missed":0,`) {
		t.Errorf("events of a brand that was not asked for count: %s", out)
	}
}
