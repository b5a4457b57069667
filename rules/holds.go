package rules

import "slices"

// Holds reports whether the rule's match holds for one mention. It does not look at whose mention it is:
// see [Set.Holding].
func (r *Rule) Holds(f *Facts) bool {
	m := &r.Match
	return m.holdsForMention(f) && m.holdsForCategories(f) && m.holdsForTerms(r.Brand, f.Found)
}

// brandRules are the rules of a brand, in the order of the files. A rule that asks for any of some terms is looked at only
// where one of them is found.
type brandRules struct {
	all    []*Rule
	always []int               // indexes into all
	where  map[*termList][]int // by any_of: those that ask for it
}

func newBrandRules(all []*Rule) *brandRules {
	b := &brandRules{all: all, where: map[*termList][]int{}}
	for i, r := range all {
		anyOf := r.Match.AnyOf
		if len(anyOf) == 0 || len(anyOf[0].list.groups) > 0 {
			b.always = append(b.always, i)
			continue
		}
		b.where[anyOf[0].list] = append(b.where[anyOf[0].list], i)
	}
	return b
}

// about returns the indexes of the rules to look at, in order.
func (b *brandRules) about(found *Found) []int {
	if found == nil || len(found.terms.lists) == 0 {
		return b.always
	}
	at := slices.Clone(b.always)
	for l := range found.terms.lists {
		at = append(at, b.where[l]...)
	}
	slices.Sort(at)
	return at
}

// Holding returns the rules of a brand whose match holds.
func (s *Set) Holding(brand string, f *Facts) []*Rule {
	var held []*Rule
	rules := s.rulesOfBrand(brand)
	for _, i := range rules.about(f.Found) {
		r := rules.all[i]
		if m := &r.Match; m.holdsForMention(f) && m.holdsForCategories(f) && m.holdsForTerms(brand, f.Found) {
			held = append(held, r)
		}
	}
	return held
}

func (m *Match) holdsForMention(f *Facts) bool {
	if m.Sentiment != "" && m.Sentiment != f.Label {
		return false
	}
	if len(m.Languages) > 0 && !slices.Contains(m.Languages, f.Lang) {
		return false
	}
	x := f.Mention
	if x == nil {
		return len(m.Kinds)+len(m.Sources) == 0 && m.MinReach == 0 && m.MinRating == 0 && m.MaxRating == 0 && m.Authors.Empty()
	}
	switch {
	case len(m.Kinds) > 0 && !slices.Contains(m.Kinds, x.Kind):
		return false
	case len(m.Sources) > 0 && !slices.Contains(m.Sources, x.Source) && !slices.Contains(m.Sources, x.Network):
		return false
	case m.MinReach > 0 && x.Reach() < m.MinReach:
		return false
	case (m.MinRating != 0 || m.MaxRating != 0) && x.Rating == 0:
		return false
	case x.Rating < m.MinRating, m.MaxRating != 0 && x.Rating > m.MaxRating:
		return false
	}
	return m.Authors.hold(x)
}

func (m *Match) holdsForCategories(f *Facts) bool {
	if len(m.Categories) > 0 && !slices.ContainsFunc(m.Categories, func(c string) bool { return f.points(c, m.Confidence) }) {
		return false
	}
	return !slices.ContainsFunc(m.NotCategories, func(c string) bool { return f.points(c, 0) })
}

// points reports whether the mention points to a category with at least that confidence. A category that
// only Facts.Categories names was set by a person, and is sure.
func (f *Facts) points(category string, confidence float64) bool {
	if f.Found != nil {
		for i := range f.Found.Hits {
			if h := &f.Found.Hits[i]; h.Category == category {
				return !h.Negated && h.Confidence >= confidence
			}
		}
	}
	return slices.Contains(f.Categories, category)
}

func (m *Match) holdsForTerms(brand string, found *Found) bool {
	if found == nil {
		return len(m.AllOf)+len(m.AnyOf) == 0
	}
	for _, t := range m.AllOf {
		if !found.holds(t, brand) {
			return false
		}
	}
	return (len(m.AnyOf) == 0 || found.holdsAny(m.AnyOf, brand)) && !found.holdsAny(m.NoneOf, brand)
}

// holdsAny reports whether any term of a list holds.
func (f *Found) holdsAny(list []*Term, brand string) bool {
	if len(list) == 0 {
		return false
	}
	l := list[0].list
	return f.terms.lists[l] || slices.ContainsFunc(l.groups, func(t *Term) bool { return f.holds(t, brand) })
}

func (f *Found) holds(t *Term, brand string) bool {
	if t.op == groupOf {
		return f.hasGroup(brand, t.group)
	}
	return f.terms.held[t]
}

// Categories returns the ids of the categories that count, the weightiest first.
func (f *Found) Categories() []string {
	var ids []string
	for i := range f.Hits {
		if h := &f.Hits[i]; !h.Negated {
			ids = append(ids, h.Category)
		}
	}
	return ids
}
