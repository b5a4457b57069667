package rules

import (
	"slices"
	"strings"
)

// texts are the terms that look at characters: raw texts, and regular expressions. They are looked up, in one walk over the
// text, by letters that must be in it for them to hold; only what is found so is compared or run, however many there are. An
// expression that may match anything ([0-9]{4}) is run over every text of its brand.
type texts struct {
	literals *lexicon
	by       [][]brandTerm // by element of literals
	open     []brandTerm
}

// brandTerm is a term that looks at characters, with the brand whose mentions it is for (empty: every).
type brandTerm struct {
	brand string
	term  *Term
}

// textsBuilder collects them.
type textsBuilder struct {
	texts
	elements map[string]int32
}

func (b *textsBuilder) add(brand string, t *Term) {
	literals := []string{string(appendCase(nil, t.raw))}
	if t.op == regex {
		literals = literalsOf(t.re.String())
	}
	if len(literals) == 0 {
		b.open = append(b.open, brandTerm{brand, t})
	}
	for _, l := range literals {
		e := b.element(l)
		b.by[e] = append(b.by[e], brandTerm{brand, t})
	}
}

func (b *textsBuilder) element(literal string) int32 {
	if b.elements == nil {
		b.elements = map[string]int32{}
	}
	e, ok := b.elements[literal]
	if !ok {
		e = int32(len(b.by))
		b.elements[literal] = e
		b.by = append(b.by, nil)
	}
	return e
}

func (b *textsBuilder) build() texts {
	entries := make([]lexEntry, 0, len(b.elements))
	for _, l := range sortedKeys(b.elements) {
		entries = append(entries, lexEntry{key: l, exact: -1, stem: b.elements[l]})
	}
	b.literals = newLexicon(entries)
	return b.texts
}

// textFinds is the working memory of one search.
type textFinds struct {
	text  []byte // without case
	at    []int32
	tried []uint32 // by element: the round in which its terms were last tried
	round uint32
}

// find calls hold for the terms for one of the brands that are in the text.
func (x *texts) find(text string, brands []string, f *textFinds, hold func(*Term)) {
	for i := range x.open {
		x.open[i].try(text, brands, hold)
	}
	if len(x.by) == 0 {
		return
	}
	f.next(len(x.by))
	f.text = appendCase(f.text[:0], text)
	for i := range f.text {
		f.at = x.literals.find(f.text[i:], f.at[:0])
		for _, e := range f.at {
			if f.tried[e] == f.round {
				continue
			}
			f.tried[e] = f.round
			for i := range x.by[e] {
				x.by[e][i].try(text, brands, hold)
			}
		}
	}
}

// try looks for the term itself.
func (bt *brandTerm) try(text string, brands []string, hold func(*Term)) {
	if (bt.brand == "" || slices.Contains(brands, bt.brand)) && bt.term.inText(text) {
		hold(bt.term)
	}
}

// inText evaluates a term that looks at characters rather than words.
func (t *Term) inText(text string) bool {
	if t.op == rawText {
		return strings.Contains(text, t.raw)
	}
	return t.re.MatchString(text)
}

// next begins a round over so many elements.
func (f *textFinds) next(elements int) {
	if len(f.tried) < elements {
		f.tried = make([]uint32, elements)
	}
	if f.round++; f.round == 0 {
		clear(f.tried)
		f.round = 1
	}
}
