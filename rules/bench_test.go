package rules

import (
	"fmt"
	"strings"
	"testing"

	"emberwatch/sources"
)

// What judging a mention's words costs depends on the mention, not on how many terms the rules have. The terms are of every form, in equal
// parts but for regular expressions, of which there may be 500; thousands share words that the text has, and they belong to the
// brand that it is about.
// The last has 50 expressions more that may match anything: what those cost is a walk over the text for each.
func BenchmarkMatch(b *testing.B) {
	text := "Still waiting for my refund after three weeks, the third call and nobody answers, part4711 of it is broken @acme #fail 😡"
	for _, c := range []struct{ terms, open int }{{0, 0}, {50, 0}, {500, 0}, {5_000, 0}, {50_000, 0}, {50, 50}} {
		s, errs := Parse(manyTerms(c.terms, c.open), Options{Builtin: true})
		if s == nil {
			b.Fatal(errs)
		}
		name := fmt.Sprint(c.terms)
		if c.open > 0 {
			name = fmt.Sprintf("%d-expressions-%d", c.terms, c.open)
		}
		b.Run(name, func(b *testing.B) {
			var d Doc
			m := &sources.Mention{Brand: "acme"}
			b.ReportAllocs()
			for b.Loop() {
				d.Reset(text)
				found := s.Match(m, &d, "en")
				s.Holding("acme", &Facts{Mention: m, Found: &found})
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "mentions/s")
		})
	}
}

// manyTerms are files of rules with so many terms in all, a hundred to a rule.
func manyTerms(n, open int) []File {
	files := []File{{Name: "brand.yml", Data: []byte("version: 1\nbrands: {acme: {names: [acme]}}\n")}}
	var file strings.Builder
	for i := range n + open {
		if i%5000 == 0 {
			file.Reset()
			file.WriteString("version: 1\nrules:\n")
		}
		if i%100 == 0 {
			fmt.Fprintf(&file, "  - id: r%d\n    title: R\n    kind: each\n    brand: acme\n    severity: 2\n    dedupe: {by: [text], for: 1h}\n    match:\n      any_of:\n", i/100)
		}
		file.WriteString("        - " + termNo(i, i >= n) + "\n")
		if i%5000 == 4999 || i == n+open-1 {
			files = append(files, File{Name: fmt.Sprintf("rules%d.yml", i/5000), Data: []byte(file.String())})
		}
	}
	return files
}

func termNo(i int, open bool) string {
	word := fmt.Sprintf("part%d", i)
	switch {
	case open:
		return fmt.Sprintf("{regex: '[0-9]{%d}x?'}", 5+i%40)
	case i%6 == 0:
		return word + " of the machine"
	case i%6 == 1:
		return fmt.Sprintf("{near: [broken, %s], within_words: 6}", word)
	case i%6 == 2:
		return fmt.Sprintf("{all_words: [%s, waiting, refund]}", word)
	case i%6 == 3:
		return fmt.Sprintf("{any_words: [%s, \"%sx*\"]}", word, word)
	case i%6 == 4:
		return fmt.Sprintf("{raw: \"%s!\"}", word)
	}
	if i < 2000 {
		return fmt.Sprintf("{regex: '(?i)%s-?x'}", word)
	}
	return fmt.Sprintf("{phrase: [%s, no %s]}", word, word)
}
