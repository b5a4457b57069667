package rules

import (
	"cmp"
	"slices"
	"sort"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Sense is what a word or phrase means in talk about one brand, where that is not what it means elsewhere: "sick" at
// a skateboard maker.
type Sense struct {
	Words []string // folded, at least one
	Label string   // negative, neutral or positive
}

// NameSenses says of names that they mean nothing. They are in the order of [SensesAt].
func NameSenses(names ...string) []Sense {
	var out []Sense
	for _, name := range names {
		if words := foldedWords(name); len(words) > 0 {
			out = append(out, Sense{Words: words, Label: "neutral"})
		}
	}
	sortSenses(out)
	return out
}

// SensesAt returns those that begin with a folded word, longer ones first: they are meant where two stand. All have to
// be sorted by their first word, as those of a brand are, who may have thousands.
func SensesAt(all []Sense, word []byte) []Sense {
	from := sort.Search(len(all), func(i int) bool { return all[i].Words[0] >= string(word) })
	to := from
	for to < len(all) && all[to].Words[0] == string(word) {
		to++
	}
	return all[from:to]
}

func foldedWords(s string) []string {
	var words []string
	doc := Tokenize(s)
	for i := range doc.Tokens {
		if doc.Tokens[i].Counts() {
			words = append(words, doc.FoldedString(i))
		}
	}
	return words
}

// nameSenses adds the brand's names to what its lexicon says; a name that the lexicon has too means what it says there.
func (b *Brand) nameSenses() {
	known := map[string]bool{}
	for _, s := range b.Senses {
		known[strings.Join(s.Words, " ")] = true
	}
	for _, s := range NameSenses(b.Names...) {
		if key := strings.Join(s.Words, " "); !known[key] {
			known[key] = true
			b.Senses = append(b.Senses, s)
		}
	}
	sortSenses(b.Senses)
}

// sortSenses sorts by the first word, then longer phrases first.
func sortSenses(s []Sense) {
	slices.SortFunc(s, func(a, b Sense) int {
		return cmp.Or(strings.Compare(a.Words[0], b.Words[0]), len(b.Words)-len(a.Words), slices.Compare(a.Words, b.Words))
	})
}

// senses reads a brand's lexicon.
func (l *loader) senses(v *yaml.Node) []Sense {
	var out []Sense
	l.each(v, func(k, v *yaml.Node) {
		v, ok := l.real(v)
		if !ok {
			return
		}
		s := Sense{Words: foldedWords(k.Value), Label: l.oneOf(v, "negative", "neutral", "positive")}
		if len(s.Words) == 0 {
			l.fail(k, "E02", "lexicon: an entry without a word", "there is nothing to look for", "write a word or phrase, as in  sick: positive")
			return
		}
		out = append(out, s)
	})
	return out
}
