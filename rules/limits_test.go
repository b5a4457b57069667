package rules

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"emberwatch/sources"
)

// What would cost too much is refused at its place, however little it takes to write, and soon.
func TestLimits(t *testing.T) {
	matching := func(terms string) string {
		return "version: 1\nrules:\n  - {id: a, title: A, kind: burst, floor: {items: 5, authors: 3}, match: {any_of: [\n" + terms + "]}}\n"
	}
	lines := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format+",\n", i)
		}
		return b.String()
	}
	bomb := "version: 1\nteam: a\nbrands:\n  a: {names: &a0 [a, b, c, d, e, f, g, h, i]}\n"
	for i := range 12 {
		bomb += fmt.Sprintf("  b%d: {names: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d]}\n", i, i+1, i, i, i, i, i, i)
	}
	for _, c := range []struct{ name, text, at, id, what string }{
		{"a large file", "version: 1\n" + strings.Repeat("# nothing\n", MaxFile/10), "1:1", "limit", "larger than 4 MB"},
		{"many aliases", "version: 1\nbrands:\n  acme: {names: [Acme], languages: &n [\n" + strings.Repeat("en,\n", 1000) + "]}\n" + strings.ReplaceAll(lines(300, "  b%d: {names: [Acme], languages: *n}"), "},", "}"), "", "limit", "too big"},
		{"lists of lists of lists", bomb, "5:15", "type", "not a list"},
		{"a long term", "version: 1\nbrands:\n  acme: {names: [Acme, " + strings.Repeat("é", longestTerm+1) + "]}\n", "3:24", "limit", "a term of 201 letters"},
		{"a long handle", "version: 1\nbrands:\n  acme: {names: [Acme], handles: {x: \"@" + strings.Repeat("a", longestTerm) + "\"}}\n", "3:38", "limit", "a term of 201 letters"},
		{"a long raw text", matching("{raw: \"" + strings.Repeat("-", longestTerm+1) + "\"}"), "4:7", "limit", "a term of 201 letters"},
		{"many terms", "version: 1\nbrands:\n  acme:\n    names: [\n" + lines(maxTerms+2, "w%d") + "]\n", fmt.Sprintf("%d:1", maxTerms+5), "limit", "more than 100000 terms"},
		{"many regexes", matching(lines(maxRegexes-1, "{regex: 'x%d'}") + "{regex: 'y+'},\n{raw: x},\n{regex: 'z+'},\n{regex: 'z+'}"), fmt.Sprintf("%d:9", maxRegexes+5), "E12", "more than 500 regular expressions"},
		{"a long regex", matching("{regex: '" + strings.Repeat("x", longestRegex+1) + "'}"), "4:9", "E12", "1001 letters"},
		{"a large regex", matching(`{regex: 'x{1000}y{499}'}`), "4:9", "E12", "compiled to 1501 instructions"},
		{"large ones together", matching(lines(7, `{regex: '%dx{1000}'}`)), "9:9", "E12", "more than 6000 instructions"},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			_, errs := one(t, c.text, Options{Builtin: true})
			if took := time.Since(start); took > 10*time.Second {
				t.Errorf("took %s", took)
			}
			found := false
			for _, e := range errs {
				found = found || strings.HasPrefix(e.Pos.String(), "r.yml:"+c.at) && e.ID == c.id && strings.Contains(e.What, c.what)
			}
			if !found {
				t.Errorf("no %s with %q at %s in:\n%.2000s", c.id, c.what, c.at, errs)
			}
		})
	}
}

// What just fits is taken.
func TestLimitsAreNotMet(t *testing.T) {
	bare(t, "version: 1\nbrands:\n  acme: {names: ["+strings.Repeat("é", longestTerm)+"]}\nrules:\n"+
		"  - {id: a, title: A, kind: burst, floor: {items: 5, authors: 3}, match: {any_of: [{regex: 'x{1000}y{498}'}]}}\n")
}

// A regular expression of the largest size is quick enough even where it is as bad as can be, for the longest mention.
func TestTheWorstRegexIsQuick(t *testing.T) {
	const worst = `(x?){370}y` // keeps hundreds of states alive at every letter
	if n := regexSize(worst); n > largestRegex || n < largestRegex*9/10 {
		t.Fatalf("%d instructions", n)
	}
	re, text := regexp.MustCompile(worst), strings.Repeat("x", sources.MaxText)
	start := time.Now()
	if re.MatchString(text) {
		t.Error("matches")
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %s", took)
	}
}
