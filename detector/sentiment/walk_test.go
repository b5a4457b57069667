package sentiment

import (
	"testing"

	"emberwatch/rules"
)

// TestWalk compares the sums of valences of two texts: the first is worse by the word lists alone.
func TestWalk(t *testing.T) {
	lex := NewLexicon()
	sum := func(lang, text string) float64 {
		doc := rules.Tokenize(text)
		w := walk{doc: doc, lex: lex, lang: parseHint(lang), stop: len(doc.Tokens)}
		w.table = &lex.tables[w.lang]
		w.run()
		neg, pos := w.sums()
		return pos - neg
	}
	for _, c := range []struct{ name, lang, worse, better string }{
		{"diminisher", "en", "a bad day", "a slightly bad day"},
		{"intensifier", "en", "a very bad day", "a bad day"},
		{"stretched", "en", "this is baaaaad", "this is bad"},
		{"negated praise", "en", "not good", "good"},
		{"negated complaint", "en", "bad", "not bad"},
		{"after but", "en", "great screen but awful sound", "awful sound but great screen"},
		{"negator after the verb", "de", "gefällt mir nicht", "gefällt mir"},
		{"negator after the verb, hi", "hi", "service accha nahi hai", "service accha hai"},
		{"elision", "it", "che disastro, l'incubo", "che disastro"},
		{"a phrase hides no stem", "en", "terrible", "a day"},
	} {
		if w, b := sum(c.lang, c.worse), sum(c.lang, c.better); w >= b {
			t.Errorf("%s: %q has %.2f, %q %.2f", c.name, c.worse, w, c.better, b)
		}
	}
}

func TestPhraseUncoversStem(t *testing.T) {
	tab := table{words: map[string]*entry{}, stems: map[string]*entry{}}
	if err := tab.parse("terribl*\t-3\nterrible idea\t-2\nnice\t2\nnice try\t-1\nfine\t-\nfine print\t-1\nfin*\t-2"); err != nil {
		t.Fatal(err)
	}
	tab.uncover()
	for word, want := range map[string]float32{"terrible": -3, "nice": 2, "fine": 0, "fin": -2} {
		if got := tab.find([]byte(word)).valence; got != want {
			t.Errorf("%s: valence %v, want %v", word, got, want)
		}
	}
}
