package rules

import (
	"slices"

	"emberwatch/sources"
)

// Match says what the words of a mention say: the brands it speaks about, the categories its words point
// to, the rules' terms in it. doc is the tokens of m.Body() and lang the language of the text, empty or "und"
// if it is not known. A mention that names its brand belongs to that brand alone.
//
// Match takes time in proportion to the text, whatever the number of terms, and is safe for concurrent use.
func (s *Set) Match(m *sources.Mention, doc *Doc, lang string) Found {
	x := s.index
	f := x.pool.Get().(*finds)
	defer x.pool.Put(f)
	x.find(doc, f)

	t := tally{index: x, mention: m, doc: doc, finds: f, lang: lang}
	t.countBrands()
	found := Found{Brands: t.brandIDs(), groups: t.groups()}
	if m.Brand != "" {
		id, _ := s.BrandID(m.Brand)
		found.Brands = []string{id}
		found.given = true
	}
	found.Hits = t.hits(len(t.brands) > 0 && t.named())
	found.terms = t.terms(found.Brands)
	return found
}

// Patterns returns how much the set looks for: words and phrases, which are all found in one pass, and raw texts and
// regular expressions, which are searched for one by one in the mentions of their brand.
func (s *Set) Patterns() (words, texts int) { return len(s.index.patterns), len(s.index.textTerms) }

// Keep reports whether text names any of the brands: what a source needs to know that must drop most of a
// stream before it is judged.
func (s *Set) Keep(text string) bool {
	x := s.index
	f := x.pool.Get().(*finds)
	defer x.pool.Put(f)
	f.doc.Reset(text)
	x.scan(&f.doc, f)
	t := tally{index: x, mention: &sources.Mention{}, doc: &f.doc, finds: f}
	t.countBrands()
	return t.named()
}

// tally is what is found in one text.
type tally struct {
	*index
	*finds
	mention *sources.Mention
	doc     *Doc
	lang    string
	brands  []brandTally
	signs   map[int]signSpan
}

// terms evaluates the terms of which at least one word occurs, and those that look at characters if their
// brand is among those found.
func (t *tally) terms(brands []string) map[*Term]bool {
	var places map[int][]placed
	for _, o := range t.found {
		p := &t.patterns[o.phrase]
		if p.role != roleTerm {
			continue
		}
		if places == nil {
			places = map[int][]placed{}
		}
		at := t.doc.Tokens[o.first].Words
		places[p.owner] = append(places[p.owner], placed{p.slot, at})
	}
	var held map[*Term]bool
	hold := func(term *Term) {
		if held == nil {
			held = map[*Term]bool{}
		}
		held[term] = true
	}
	for owner, found := range places {
		if term := t.index.terms[owner]; term.holds(found) {
			hold(term)
		}
	}
	for _, bt := range t.textTerms {
		if (bt.brand == "" || slices.Contains(brands, bt.brand)) && bt.term.inText(t.doc.Text) {
			hold(bt.term)
		}
	}
	return held
}
