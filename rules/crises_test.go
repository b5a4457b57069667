package rules

import (
	"bufio"
	"os"
	"strings"
	"testing"

	"emberwatch/sources"
)

// enough is the confidence from which the starter rules take a single mention for an incident.
const enough = 0.7

// A crisis that is told as a plain fact is heard in every language, and what only sounds like one is not.
func TestCrisesOfTheLibrary(t *testing.T) {
	s := Starter()
	f, err := os.Open("testdata/crises.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	crises, others := map[string]int{}, map[string]int{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		lang, rest, _ := strings.Cut(lines.Text(), "\t")
		want, text, ok := strings.Cut(rest, "\t")
		if !ok {
			continue
		}
		hits := s.Match(&sources.Mention{Text: text, Brand: "x"}, Tokenize(text), lang).Hits
		var at float64
		for _, h := range hits {
			if h.Category == want && !h.Negated && h.Weight > 0 {
				at = h.Confidence
			}
		}
		p, cue := raised(s, &sources.Mention{Text: text, Brand: "x"}, lang)
		switch {
		case want == "-":
			others[lang]++
			if p > 0.5 {
				t.Errorf("line %d: %q (%s) is raised to %.2f by %q", n, text, lang, p, cue)
			}
		default:
			crises[lang]++
			if p, _ := raised(s, &sources.Mention{Text: text}, lang); at < enough || p <= 0.5 {
				t.Errorf("line %d: %q (%s) is %s with %.2f, and raised to %.2f without a brand; found %v", n, text, lang, want, at, p, hits)
			}
		}
	}
	for _, lang := range strings.Fields("en de ru ar sv es fr") {
		if crises[lang] < 12 || others[lang] < 8 {
			t.Errorf("%s has %d crises and %d others", lang, crises[lang], others[lang])
		}
	}
}
