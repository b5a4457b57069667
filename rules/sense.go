package rules

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Sense is what a word or phrase means in talk about one brand, where that is not what it means elsewhere: "sick" at
// a skateboard maker.
type Sense struct {
	Words []string // folded, at least one
	Label string   // negative, neutral or positive
}

// senses reads a brand's lexicon, in the order of its words.
func (l *loader) senses(v *yaml.Node) []Sense {
	var out []Sense
	l.each(v, func(k, v *yaml.Node) {
		v, ok := l.real(v)
		if !ok {
			return
		}
		s := Sense{Label: l.oneOf(v, "negative", "neutral", "positive")}
		doc := Tokenize(k.Value)
		for i := range doc.Tokens {
			if doc.Tokens[i].Counts() {
				s.Words = append(s.Words, doc.FoldedString(i))
			}
		}
		if len(s.Words) == 0 {
			l.fail(k, "E02", "lexicon: an entry without a word", "there is nothing to look for", "write a word or phrase, as in  sick: positive")
			return
		}
		out = append(out, s)
	})
	slices.SortFunc(out, func(a, b Sense) int {
		if n := len(b.Words) - len(a.Words); n != 0 {
			return n // the longer phrase first: it is meant where both stand
		}
		return strings.Compare(strings.Join(a.Words, " "), strings.Join(b.Words, " "))
	})
	return out
}
