package detector

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

const testedRules = `
version: 1
brands:
  acme: {names: [Acme], languages: [en]}
  other: {names: [Other]}
routes:
  desk: {slack: {channel: "#desk"}}
rules:
  - {id: neg, title: Complaints, kind: burst, brand: acme, match: {sentiment: negative}, floor: {items: 5, authors: 3}, budget: 1/week, route: desk}
  - {id: burnt, title: Burnt, kind: each, brand: acme, match: {any_of: [burnt], rating: "<= 2"}, dedupe: {by: [author], for: 1h}, severity: 2}
`

// runTests parses tests behind the rules above and runs them.
func runTests(t *testing.T, read func(string) ([]sources.Mention, error), tests string) []TestResult {
	t.Helper()
	set := mustRules(testedRules + "tests:" + tests)
	x := &RuleTests{Rules: set, Scorer: plainScorer{}, Read: read}
	return x.Run(context.Background(), set.Tests)
}

const surgeTest = `
  - name: a surge
    history: {generate: steady, rate: 2/h, negative: 0.2, weeks: 4, seed: 3}
    feed:
      - {at: -30m, every: 1m, repeat: 20, text: "Acme is bad, and nobody answers the telephone on a Saturday morning", authors: %d}
    expect: [{rule: neg, severity: 3, by: %s, route: %s}]
`

func TestRuleTestsComeOut(t *testing.T) {
	cases := []struct {
		name, tests string
		problem     string // "": it passes
		note        string
	}{
		{"a surge is told", fmt.Sprintf(surgeTest, 20, "0m", "desk"), "", ""},
		{"on another route", fmt.Sprintf(surgeTest, 20, "0m", "default"), "not told: neg, severity 3, by 0s, route default; the rule told severity 3 at -2", "neg matches 20 of 20"},
		{"by two people only", fmt.Sprintf(surgeTest, 2, "0m", "desk"), "not told: neg, severity 3", "it has 2 of at least 3 people"},
		{"copies of one text", strings.Replace(fmt.Sprintf(surgeTest, 20, "0m", "desk"), "authors", "copied: true, authors", 1), "not told: neg", ""},
		{"silence is kept", "\n  - {name: a, feed: [{at: -1m, text: Acme is good}], expect: []}", "", ""},
		{"silence is broken", "\n  - {name: a, feed: [{at: -1m, text: Acme burnt me, rating: 1}], expect: []}", "nothing should be told; told at -1m0s: burnt, severity 2, acme: Somebody writes about", ""},
		{
			"what does not match is named", "\n  - {name: a, feed: [{at: -1m, text: Acme burnt me, rating: 4}], expect: [{rule: burnt}]}",
			"not told: burnt", `burnt matches 0 of 1 mentions of the feed; not "Acme burnt me": at most 2 stars, it has 4`,
		},
		{
			"a kind without a score", "\n  - {name: a, feed: [{at: -1m, text: Acme burnt me, rating: 4}], expect: [{rule: burnt}]}",
			"not told: burnt", "burnt at the end: No mention has matched within a day; not told: nothing has matched within a day; it tells each mention",
		},
		{
			"another brand", "\n  - {name: a, feed: [{at: -1m, text: Other burnt me, rating: 1}], expect: [{rule: burnt}]}",
			"not told: burnt", `it does not name acme`,
		},
		{
			"what a test believes counts more than the scorer", "\n  - {name: a, history: {generate: steady, rate: 2/h, weeks: 2}, feed: [{at: -1m, repeat: 30, sentiment: positive, text: Acme is bad}], expect: []}",
			"", "",
		},
		{
			"a rate that holds", "\n  - {name: a, history: {generate: weekly_wave, rate: 3/h, negative: 0.3, weeks: 10}, over: 8w, expect_rate: {severity_3: <= 2/week}}",
			"", "severity 3: ",
		},
		{
			"a rate that is not reached", "\n  - {name: a, history: {generate: weekly_wave, rate: 3/h, weeks: 3}, over: 2w, expect_rate: {severity_3: '>= 1/week'}}",
			"severity 3: 0.00 a week (0 in 6 weeks of 3 streams); expected >= 1/week", "",
		},
	}
	tests := ""
	for k, c := range cases {
		tests += strings.Replace(strings.Replace(c.tests, "name: a,", fmt.Sprintf("name: %d,", k), 1), "name: a surge", fmt.Sprintf("name: surge %d", k), 1)
	}
	results := runTests(t, nil, tests)
	for k, c := range cases {
		r := results[k]
		all := strings.Join(r.Problems, "\n")
		if (all == "") != (c.problem == "") || !strings.Contains(all, c.problem) || !strings.Contains(strings.Join(r.Notes, "\n"), c.note) {
			t.Errorf("%s:\nproblems %s\nnotes %s\nwant %q and %q", c.name, all, strings.Join(r.Notes, "\n"), c.problem, c.note)
		}
	}
}

func TestRuleTestReadsItsHistory(t *testing.T) {
	const test = "\n  - {name: a, history: {file: past.ndjson}, now: 2026-03-02T12:00:00Z, feed: [{at: -1m, text: Acme burnt me, rating: 1}], expect: [{rule: burnt}]}"
	asked := ""
	read := func(file string) ([]sources.Mention, error) {
		asked = file
		return []sources.Mention{{ID: "1", Source: "shop", Kind: sources.Review, Rating: 1, Text: "burnt", Author: sources.Author{ID: "x"}, CreatedAt: monday.Add(-time.Hour)}}, nil
	}
	if r := runTests(t, read, test)[0]; !r.Passed() || asked != "past.ndjson" {
		t.Errorf("%+v, asked for %q", r, asked)
	}
	fails := func(string) ([]sources.Mention, error) { return nil, errors.New("no such file") }
	if r := runTests(t, fails, test)[0]; fmt.Sprint(r.Problems) != "[history: no such file]" {
		t.Errorf("%v", r.Problems)
	}
}

// Tests for which there is no time are skipped, not failed.
func TestRuleTestsStopInTime(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	set := mustRules(testedRules + "tests:" + fmt.Sprintf(surgeTest, 20, "0m", "desk"))
	r := (&RuleTests{Rules: set, Scorer: plainScorer{}}).Run(ctx, set.Tests)[0]
	if !r.Skipped || r.Passed() || len(r.Problems) > 0 {
		t.Errorf("%+v", r)
	}
}

// A generated history has the rate and the hours that it is asked for, and is the same each time.
func TestGeneratedHistories(t *testing.T) {
	end := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	office := rules.History{Generate: "hours", Weeks: 4}
	for h := 8; h < 22; h++ {
		office.Hours[time.Tuesday][h] = 10
	}
	for _, c := range []struct {
		h    rules.History
		want float64
	}{
		{rules.History{Generate: "steady", PerHour: 5, Weeks: 4}, 5 * 24 * 28},
		{rules.History{Generate: "weekly_wave", PerHour: 5, Weeks: 4}, 5 * 24 * 28},
		{office, 10 * 14 * 4},
	} {
		a, b := generate(&c.h, nil, "acme", end, time.UTC, 1), generate(&c.h, nil, "acme", end, time.UTC, 1)
		if n := float64(len(a)); n < 0.85*c.want || n > 1.15*c.want {
			t.Errorf("%s: %g mentions, want about %g", c.h.Generate, n, c.want)
		}
		if fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("%s: not the same twice", c.h.Generate)
		}
		for _, x := range a {
			at := x.mention.CreatedAt
			if !at.Before(end) || c.h.Generate == "hours" && (at.Weekday() != time.Tuesday || at.Hour() < 8 || at.Hour() >= 22) {
				t.Fatalf("%s: a mention at %s", c.h.Generate, at)
			}
		}
	}
}
