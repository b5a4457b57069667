package rules

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Whatever the terms and the text, the walk finds what a search for each of them finds.
func TestTextTermsAreThoseOfASearchForEach(t *testing.T) {
	letters := rapid.StringOfN(rapid.SampledFrom([]rune("abAésSſkK!")), 1, 4, -1)
	forms := []string{"%s", "(?i)%s", "^%s", "(%s)+", "(%s)?b", "(?i:%s)|ab", "[ab]%s{2}", "(?:%s|a.)s", "%s.*é"}
	rapid.Check(t, func(t *rapid.T) {
		var b textsBuilder
		var terms []*brandTerm
		for _, s := range rapid.SliceOfN(letters, 0, 12).Draw(t, "terms") {
			term := &Term{op: rawText, raw: s}
			if form := rapid.SampledFrom(append(forms, "")).Draw(t, "form"); form != "" {
				term.op, term.re = regex, regexp.MustCompile(fmt.Sprintf(form, regexp.QuoteMeta(s)))
			}
			bt := &brandTerm{rapid.SampledFrom([]string{"", "acme", "other"}).Draw(t, "brand"), term}
			terms = append(terms, bt)
			b.add(bt.brand, term)
		}
		x := b.build()
		var f textFinds
		for range 2 {
			text := strings.Join(rapid.SliceOfN(letters, 0, 8).Draw(t, "text"), "")
			held := map[*Term]bool{}
			x.find(text, []string{"acme"}, &f, func(term *Term) { held[term] = true })
			for _, bt := range terms {
				if want := bt.brand != "other" && bt.term.inText(text); held[bt.term] != want {
					t.Fatalf("%q in %q: %v, not %v", bt.term.String(), text, held[bt.term], want)
				}
			}
		}
	})
}

// An expression is looked up by letters that it needs, if there are any.
func TestWhatAnExpressionNeeds(t *testing.T) {
	for expr, want := range map[string]string{
		"serial [0-9]+": "SERIAL ", "(?i)serial": "SERIAL", "^Tank!+": "TANK", "[Ll]eak(s|ed)?": "EAK", "leak|burst": "BURST LEAK", "(ab)+c": "AB",
		"C[+]{2}": "", ".*": "", "[0-9]{4}": "", "a|[0-9]": "", "x[0-9]": "", "(leak)?s": "", "(leak){2,3}": "LEAK", "(?i)ключ": "КЛЮЧ",
	} {
		if got := strings.Join(literalsOf(expr), " "); got != want {
			t.Errorf("%q needs %q, not %q", expr, got, want)
		}
	}
}
