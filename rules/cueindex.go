package rules

import (
	"maps"
	"reflect"
	"slices"
	"sync"
)

// Most of an index are the cues of the embedded categories, and most Sets have them unchanged. So that part is put together
// once, and copied as the beginning of each index: a reload or a rule test puts its rules together in about a third of the time.

// cueIndex is an index of categories and scope words alone, with the builder that is to go on from there.
type cueIndex struct {
	x          *index
	b          *phraseBuilder
	categories map[string]*Category
	scope      scopeWords
}

// libraryCues is that of the embedded library; nobody changes it.
var libraryCues = sync.OnceValue(func() *cueIndex {
	l := newLoader(Options{})
	l.library()
	l.giveSigns()
	c := newCueIndex(l.set)
	c.b.clip()
	return c
})

func newCueIndex(s *Set) *cueIndex {
	size := 64
	for _, c := range s.Categories {
		size += c.size()
	}
	c := &cueIndex{&index{negators: negatorLangs(), gaps: newGaps()}, newPhraseBuilder(size), s.Categories, s.scope}
	c.b.addNumbers(s.scope.Numbers)
	for _, id := range sortedKeys(s.Categories) {
		c.x.addCategory(c.b, s.Categories[id])
	}
	c.x.addScope(c.b, &s.scope)
	return c
}

// cuesOf returns the beginning of the index of s, which is the caller's.
func cuesOf(s *Set) *cueIndex {
	if len(s.Categories) == 0 || !libraryCues().fits(s) {
		return newCueIndex(s)
	}
	return libraryCues().clone(s)
}

// fits reports whether the categories and the scope words of s are looked up as those of c.
func (c *cueIndex) fits(s *Set) bool {
	return reflect.DeepEqual(c.scope, s.scope) && maps.EqualFunc(c.categories, s.Categories, func(a, b *Category) bool {
		return sameWords(a.Cues, b.Cues) && sameWords(a.Weak, b.Weak) && sameWords(a.Topics, b.Topics) && sameWords(a.Signs, b.Signs)
	})
}

func sameWords(a, b map[string][]string) bool {
	return maps.EqualFunc(a, b, func(a, b []string) bool { return slices.Equal(a, b) })
}

// clone returns a copy to go on from, with the categories of s.
func (c *cueIndex) clone(s *Set) *cueIndex {
	x := &index{negators: c.x.negators, gaps: c.x.gaps, patterns: slices.Clone(c.x.patterns)}
	for _, id := range sortedKeys(s.Categories) {
		x.categories = append(x.categories, s.Categories[id])
	}
	return &cueIndex{x, c.b.clone(), s.Categories, s.scope}
}

// clip makes everything that is appended to the parts of b a copy of its own.
func (b *phraseBuilder) clip() {
	for i := range b.ends {
		b.ends[i] = slices.Clip(b.ends[i])
	}
	for i := range b.entries {
		b.entries[i].also = slices.Clip(b.entries[i].also)
	}
}

// clone copies what more phrases would change of a clipped b; cues can not be added to the copy.
func (b *phraseBuilder) clone() *phraseBuilder {
	return &phraseBuilder{
		phrases:  phrases{steps: maps.Clone(b.steps), ends: slices.Clone(b.ends), deep: slices.Clone(b.deep), digits: b.digits},
		entries:  slices.Clone(b.entries),
		byKey:    maps.Clone(b.byKey),
		bent:     map[bentWord]int32{},
		elements: b.elements,
	}
}
