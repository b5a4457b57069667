package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Alerts of two sides are one if they are near in time and of one brand, better of one rule.
func TestCompareAlerts(t *testing.T) {
	at := func(rule, brand string, hours int, sev int) *raised {
		return &raised{Rule: rule, brand: brand, Severity: sev, At: time.Date(2026, 3, 2, hours, 0, 0, 0, time.UTC)}
	}
	for _, c := range []struct {
		name     string
		old, new []*raised
		want     string
	}{
		{"nothing", nil, nil, "[]"},
		{"the same", []*raised{at("a", "x", 1, 2)}, []*raised{at("a", "x", 1, 2)}, "[same]"},
		{"earlier", []*raised{at("a", "x", 5, 2)}, []*raised{at("a", "x", 1, 2)}, "[moves]"},
		{"graver", []*raised{at("a", "x", 1, 2)}, []*raised{at("a", "x", 1, 1)}, "[moves]"},
		{"of another rule", []*raised{at("a", "x", 1, 2)}, []*raised{at("b", "x", 1, 2)}, "[moves]"},
		{"its own rule first", []*raised{at("a", "x", 1, 2)}, []*raised{at("b", "x", 1, 2), at("a", "x", 3, 2)}, "[moves appears]"},
		{"another day", []*raised{at("a", "x", 1, 2)}, []*raised{at("a", "x", 14, 2)}, "[vanishes appears]"},
		{"another brand", []*raised{at("a", "x", 1, 2)}, []*raised{at("a", "y", 1, 2)}, "[vanishes appears]"},
	} {
		got := []string{}
		for _, x := range compareAlerts(c.old, c.new) {
			got = append(got, x.Change)
		}
		if fmt.Sprint(got) != c.want {
			t.Errorf("%s: %v, want %s", c.name, got, c.want)
		}
	}
}

// The table says when the new side tells against the old one, in the zone of the rules; nothing where only one of them does.
func TestDiffRow(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	at := func(hour, sev int) *raised {
		return &raised{Rule: "a", brand: "x", Severity: sev, At: time.Date(2026, 3, 2, hour, 0, 0, 0, time.UTC)}
	}
	for _, c := range []struct {
		old, new   *raised
		when, told string
	}{
		{at(5, 2), at(5, 2), "2026-03-02 06:00", "at the same time"},
		{at(5, 2), at(5, 1), "2026-03-02 06:00", "at the same time"},
		{at(5, 2), at(3, 2), "2026-03-02 06:00", "2 h earlier"},
		{at(23, 2), at(25, 2), "2026-03-03 00:00", "2 h later"},
		{at(5, 2), nil, "2026-03-02 06:00", "–"},
		{nil, at(5, 2), "2026-03-02 06:00", "–"},
	} {
		x := changedAlert{Old: c.old, New: c.new}
		if row := x.row(oslo); row[1] != c.when || row[5] != c.told {
			t.Errorf("%+v: %q", c, row)
		}
	}
}

// A recorded stream with two thresholds gives a table that can be pasted into a review.
func TestRulesDiff(t *testing.T) {
	inFull(t)
	const rule = `version: 1
timezone: Europe/Oslo
brands: {fjellbryg: {names: [Fjellbryg], own_authors: ["shop:x"]}}
rules:
  - {id: neg, title: Complaints, kind: burst, brand: fjellbryg, match: {sentiment: negative}, floor: {items: %d, authors: 3}, budget: %s}
`
	dir := t.TempDir()
	old := writeFile(t, filepath.Join(dir, "old.yml"), fmt.Sprintf(rule, 25, "1/month"))
	fresh := writeFile(t, filepath.Join(dir, "new.yml"), fmt.Sprintf(rule, 5, "3/week"))
	code, out, errs := invoke(t, "rules", "diff", "--markdown", old, fresh, filepath.Join("..", "..", "testdata", "streams", "surge.jsonl.gz"))
	if code != exitOK || !strings.Contains(out, "|  | when (Europe/Oslo) |") || !strings.Contains(out, "| moves | 2026-03-16 10:47 | fjellbryg | neg | 2 → 1 |") || !strings.Contains(out, "earlier") {
		t.Errorf("exit code %d\n%s%s", code, out, errs)
	}
	if code, _, _ := invoke(t, "rules", "diff", old, fresh); code != exitUsage {
		t.Errorf("without a history: exit code %d", code)
	}
}
