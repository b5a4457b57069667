package rules

import (
	"fmt"
	"slices"
	"testing"
)

// A word leads to what begins with it, the longest first; what the lexicon says of a name is what counts.
func TestSensesAt(t *testing.T) {
	b := bare(t, `version: 1
brands:
  acme:
    names: [Acme, Acme Cold Brew, Bold]
    lexicon: {sick: positive, sick note: neutral, bold: negative}
`).Brands["acme"]
	for word, want := range map[string]string{
		"sick": "[[sick note] neutral, [sick] positive, ]",
		"acme": "[[acme cold brew] neutral, [acme] neutral, ]",
		"bold": "[[bold] negative, ]",
		"cold": "[]",
		"":     "[]",
		"zzz":  "[]",
	} {
		got := "["
		for _, s := range SensesAt(b.Senses, []byte(word)) {
			got += fmt.Sprint(s.Words, " ", s.Label, ", ")
		}
		if got += "]"; got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
	var names []string
	for i := range 500 {
		names = append(names, fmt.Sprintf("n%d", i*7%500))
	}
	all := NameSenses(names...)
	for _, n := range names {
		if got := SensesAt(all, []byte(n)); len(got) != 1 || !slices.Equal(got[0].Words, []string{n}) {
			t.Errorf("%s: %v", n, got)
		}
	}
}
