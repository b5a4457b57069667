package rules

import (
	"slices"
	"strings"
)

// brandTally is what speaks for and against one brand in a text.
type brandTally struct {
	brand    int
	sure     bool // a name, handle or hashtag that nothing else could mean
	unsure   bool // an ambiguous name or a product that counts
	excluded bool
	named    bool     // as sure or unsure, and not only by a product
	products []string // keys
}

// longestPhrase bounds how far back a phrase may begin that reaches into a place.
const longestPhrase = 8

// contextWithin is how near a context_negative word must stand to take a name away.
const contextWithin = 12

// countBrands goes over what was found and decides for every brand that occurs.
func (t *tally) countBrands() {
	for i, o := range t.found {
		p := &t.patterns[o.phrase]
		switch p.role {
		case roleName, roleProduct:
			t.countName(i)
		case roleHandle:
			if t.isHandle(o, p) {
				b := t.tallyOf(p.owner)
				b.sure, b.named = true, true
			}
		case roleHashtag:
			if t.whole(o, p, Hashtag) {
				b := t.tallyOf(p.owner)
				b.sure, b.named = true, true
			}
		case roleExclude:
			t.tallyOf(p.owner).excluded = true
		}
	}
}

func (t *tally) tallyOf(brand int) *brandTally {
	for i := range t.brands {
		if t.brands[i].brand == brand {
			return &t.brands[i]
		}
	}
	t.brands = append(t.brands, brandTally{brand: brand})
	return &t.brands[len(t.brands)-1]
}

// countName counts a name or product where nothing speaks against it.
func (t *tally) countName(i int) {
	o := t.found[i]
	p := &t.patterns[o.phrase]
	ambiguous := p.slot > 0
	switch t.doc.Tokens[o.first].Kind {
	case Handle: // as a handle only where we know of no better
		if ambiguous || p.words > 1 || len(t.index.brands[p.owner].Handles[t.mention.Network]) > 0 || !t.whole(o, p, Handle) {
			return
		}
	case Hashtag:
		if ambiguous {
			return
		}
	}
	if ambiguous && !t.near(i, roleNeed, p.slot-1, t.ambiguous[p.owner][p.slot-1].within()) {
		return
	}
	unsure := ambiguous || p.role == roleProduct
	if unsure && t.near(i, roleContext, 0, contextWithin) {
		return
	}
	b := t.tallyOf(p.owner)
	b.sure = b.sure || !unsure
	b.unsure = b.unsure || unsure
	if p.role == roleName {
		b.named = true
	} else if !slices.Contains(b.products, p.key) {
		b.products = append(b.products, p.key)
	}
}

func (a Ambiguity) within() int {
	if a.WithinWords > 0 {
		return a.WithinWords
	}
	return contextWithin
}

// near reports whether a pattern of the same brand with that role and slot stands within so many words of
// the i-th find. Finds are in the order of their first words, so it looks no further than it must.
func (t *tally) near(i int, r role, slot, within int) bool {
	o := t.found[i]
	owner := t.patterns[o.phrase].owner
	from := t.doc.Tokens[o.first].Words - within
	to := t.doc.Tokens[o.last].Words + within
	fits := func(c occurrence) bool {
		p := &t.patterns[c.phrase]
		if p.role != r || p.owner != owner || p.slot != slot || t.doc.Tokens[c.last].Words < from {
			return false
		}
		return c.last < o.first || c.first > o.last // not a word of the name itself
	}
	for j := i - 1; j >= 0 && t.doc.Tokens[t.found[j].first].Words >= from-longestPhrase; j-- {
		if fits(t.found[j]) {
			return true
		}
	}
	for j := i + 1; j < len(t.found) && t.doc.Tokens[t.found[j].first].Words <= to; j++ {
		if fits(t.found[j]) {
			return true
		}
	}
	return false
}

// whole reports whether o is one token of that kind and all of it is the pattern.
func (t *tally) whole(o occurrence, p *pattern, kind TokenKind) bool {
	return t.doc.Tokens[o.first].Kind == kind && p.words == 1 && string(t.doc.Folded(int(o.first))) == p.folded
}

// isHandle reports whether o is a handle of the brand: one of the mention's network, or any if the brand
// has none there.
func (t *tally) isHandle(o occurrence, p *pattern) bool {
	if !t.whole(o, p, Handle) {
		return false
	}
	here := t.mention.Network
	if p.key == here || here == "" {
		return true
	}
	return len(t.index.brands[p.owner].Handles[here]) == 0
}

// counts reports whether the brand is one the mention speaks about.
func (b *brandTally) counts() bool { return !b.excluded && (b.sure || b.unsure) }

// named reports whether the text names any brand.
func (t *tally) named() bool {
	return slices.ContainsFunc(t.brands, func(b brandTally) bool { return b.counts() })
}

// brandIDs returns the ids of the brands that the mention speaks about, sorted.
func (t *tally) brandIDs() []string {
	var ids []string
	for i := range t.brands {
		if b := &t.brands[i]; b.counts() {
			ids = append(ids, t.index.brands[b.brand].ID)
		}
	}
	slices.Sort(ids)
	return ids
}

// groups returns the groups of brand terms that occur, as "brand/product.one" and "brand/brand".
func (t *tally) groups() []string {
	var groups []string
	for i := range t.brands {
		b := &t.brands[i]
		id := t.index.brands[b.brand].ID
		if b.named {
			groups = append(groups, id+"/brand")
		}
		for _, key := range b.products {
			groups = append(groups, id+"/product."+key)
		}
	}
	return groups
}

// Products returns the keys of the products of a brand that the words name.
func (f *Found) Products(brand string) []string {
	var keys []string
	for _, g := range f.groups {
		if key, ok := strings.CutPrefix(g, brand+"/product."); ok {
			keys = append(keys, key)
		}
	}
	return keys
}

// hasGroup reports whether a term of the brand's group occurs; with an empty brand, of any brand's.
func (f *Found) hasGroup(brand, group string) bool {
	if group == "brand" && f.given {
		return true // the source said so
	}
	if brand != "" {
		return slices.Contains(f.groups, brand+"/"+group)
	}
	return slices.ContainsFunc(f.groups, func(g string) bool { return strings.HasSuffix(g, "/"+group) })
}
