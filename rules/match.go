package rules

import "emberwatch/sources"

// Match says what the words of a mention say: the brands it speaks about, the categories its words point
// to, the rules' terms in it. doc is the tokens of m.Body() and lang the language of the text, empty or "und"
// if it is not known. A mention that names its brand belongs to that brand alone.
//
// Match takes time in proportion to the text, whatever the number of terms (but regular expressions that may match
// anything), and is safe for concurrent use.
func (s *Set) Match(m *sources.Mention, doc *Doc, lang string) Found {
	x := s.index
	f := x.pool.Get().(*finds)
	defer x.pool.Put(f)
	x.find(doc, lang, f)

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

// Patterns returns how much the set looks for: words, phrases, raw texts and regular
// expressions by the letters that they need, which are all found in one pass; and expressions that need none, each run over
// every mention of its brand.
func (s *Set) Patterns() (indexed, open int) {
	x := s.index
	return len(x.patterns) + len(x.texts.by), len(x.texts.open)
}

// Keep reports whether text names any of the brands: what a source needs to know that must drop most of a
// stream before it is judged.
func (s *Set) Keep(text string) bool {
	x := s.index
	f := x.pool.Get().(*finds)
	defer x.pool.Put(f)
	f.doc.Reset(text)
	x.scan(&f.doc, "", f)
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
