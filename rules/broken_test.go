package rules

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// breaks are ways to break the worked example, each at one place of it. A caret stands where the problem is to be
// told, and is taken out before the file is read.
var breaks = []struct{ name, old, broken, id, says string }{
	{"unknown brand", "kind: spread\n    brand: fjellbryg", "kind: spread\n    brand: ^fjelbryg", "E01", `did you mean "fjellbryg"`},
	{"unknown route", "batch: 15m\n    severity: 3\n    route: support", "batch: 15m\n    severity: 3\n    route: ^suport", "E01", `did you mean "support"`},
	{"unknown category", "category: safety_injury", "category: ^safety_injry", "E01", `did you mean "safety_injury"`},
	{"double id", "- id: followers-leave", "- id: ^neg-share", "E02", `the rule "neg-share" is defined twice`},
	{"severity 2 silenced", "pass_severity: 2", "pass_severity: ^1", "E03", "silence severity 2"},
	{"nobody reached", `legal: {slack: {channel: "#legal-watch"}, private: true}`, "^legal: {private: true}", "E04", "reaches nobody"},
	{"window too long", "window: 3h\n    baseline: {season: day_of_week, history: 8w}", "window: ^24h\n    baseline: {season: day_of_week, history: 3d}", "E05", "quarter"},
	{"floor missing", "floor: {items: 3, authors: 3}", "floor: ^{items: 3}", "E06", "floor.authors is missing"},
	{"no such zone", "quiet_hours: {timezone: Europe/Oslo", "quiet_hours: {timezone: ^Europe/Olso", "E07", "unknown time zone"},
	{"window backwards", "to: 2026-11-30T23:59:59+01:00", "to: ^2026-11-20T23:59:59+01:00", "E07", "ends before it begins"},
	{"unknown slot", ">-\n          {{item.author_greeting}}a coffee", "^>-\n          {{item.autor_greeting}}a coffee", "E09", `did you mean "item.author_greeting"`},
	{"untyped expression", "sources >= 2 or languages >= 2", "sources >= 2 or ^langages >= 2", "E10", `did you mean "languages"`},
	{"ladder to itself", "{after: 30m, severity: 1, to: crisis-room}", "{after: 30m, severity: 1, to: ^pr-desk}", "E11", "its own route"},
	{"regex that is always there", `{phrase: "бак протекает"}`, `{regex: ^"(бак)*"}`, "E12", "empty text"},
	{"invisible letter", "{near: [tank, läcker]", "{near: [tank, ^läck\u200ber]", "E13", "U+200B"},
	{"never together", "of: [neg-burst, leak-tank, one-post-runs, app-rating]\n    at_least: 2", "of: ^[neg-burst, leak-tank, one-post-runs, app-rating]\n    at_least: 5", "E14", "never fire together"},
	{"misspelt key", "resolve: {quiet: 2 windows}", "^resolves: {quiet: 2 windows}", "key", `did you mean "resolve"`},
	{"share of what", "share(rating <= 2)", "share(^ratng <= 2)", "E10", `did you mean "rating"`},
}

// Every way to break the worked example is told once, at its very place, and nothing else is.
func TestBrokenWorkedExample(t *testing.T) {
	example := workedExample(t)
	for _, b := range breaks {
		t.Run(b.name, func(t *testing.T) {
			text, at := carets(broken(t, example, b.old, b.broken))
			_, errs := Parse([]File{{Name: "fjellbryg.yml", Data: []byte(text)}}, Options{})
			want := []string{at[0] + " " + b.id}
			if got := refusals(errs); !slices.Equal(got, want) || !strings.Contains(errs.Error(), b.says) {
				t.Errorf("got %v, want %v with %q:\n%s", got, want, b.says, errs)
			}
		})
	}
}

// A file that is broken in all these ways at once has them all told at once, from top to bottom.
func TestBrokenEverywhere(t *testing.T) {
	text := workedExample(t)
	for _, b := range breaks {
		text = broken(t, text, b.old, b.broken)
	}
	text, want := carets(text)
	_, errs := Parse([]File{{Name: "fjellbryg.yml", Data: []byte(text)}}, Options{})
	var got []string
	for _, r := range refusals(errs) {
		at, _, _ := strings.Cut(r, " ")
		got = append(got, at)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v:\n%s", got, want, errs)
	}
}

func workedExample(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("testdata/fjellbryg.yml")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// broken is a text with one place replaced.
func broken(t *testing.T, text, old, by string) string {
	t.Helper()
	if n := strings.Count(text, old); n != 1 {
		t.Fatalf("%q is there %d times", old, n)
	}
	return strings.Replace(text, old, by, 1)
}

// carets takes the carets out of a text and returns the places they stood at.
func carets(marked string) (text string, at []string) {
	parts := strings.Split(marked, "^")
	for _, p := range parts[:len(parts)-1] {
		text += p
		line := text[strings.LastIndex(text, "\n")+1:]
		at = append(at, fmt.Sprintf("fjellbryg.yml:%d:%d", 1+strings.Count(text, "\n"), 1+utf8.RuneCountInString(line)))
	}
	return text + parts[len(parts)-1], at
}

// refusals are the places and ids of the problems for which a file is refused.
func refusals(errs Errors) []string {
	var told []string
	for _, e := range errs {
		if e.Level == LevelError {
			told = append(told, e.Pos.String()+" "+e.ID)
		}
	}
	return told
}
