package rules

import (
	"slices"
	"strings"
	"sync"
)

// role says what an occurrence of a pattern means.
type role uint8

const (
	roleName    role = iota // a brand's name
	roleProduct             // one of its products
	roleHandle
	roleHashtag
	roleExclude // takes the brand away
	roleNeed    // makes an ambiguous name count
	roleContext // makes an ambiguous name or a product not count
	roleCue     // of a category
	roleWeak    // a cue that is slang or another language's word as well
	roleTopic   // what a category is about, with no complaint in it
	roleSign    // makes a solo cue credible
	roleTerm    // a word of a rule's term
	rolePart    // a part of cues with gaps; its owner is the number of the part
	roleWhy     // begins a question that may be a complaint: why, when, how long
	rolePress   // makes such a question one: still, again, finally
	roleSuppose // what follows is only supposed: if, in case
	roleSpare   // what follows did not happen: no problems with, never had
	roleSettle  // what precedes is over: was fixed, arrived at last
)

// pattern is one phrase of the index and what it stands for.
type pattern struct {
	role    role
	owner   int    // into brands, categories or terms
	slot    int    // of a term: which of its words; of a name or product: its ambiguity plus one; of a need: the ambiguity
	lang    string // of a cue or sign
	key     string // of a handle: its network; of a product: its key
	text    string // as written
	folded  string // the first word, without *
	words   int
	negates bool // the phrase holds a negator itself
	gaps    bool // other words may stand between its parts
	asks    bool // written with a question mark: a complaint although it is a question
}

// index is everything that is looked up in texts, put together once for a Set.
type index struct {
	*phrases
	gaps       *gaps
	patterns   []pattern
	brands     []*Brand
	categories []*Category
	termWords  termWords
	texts      texts
	ambiguous  [][]Ambiguity // by brand
	negators   map[string]string
	pool       sync.Pool // of *finds
}

// newIndex puts together what s looks up.
func newIndex(s *Set) *index {
	cues := cuesOf(s)
	x, b := cues.x, cues.b
	x.pool.New = func() any { return new(finds) }
	for _, id := range sortedKeys(s.Brands) {
		x.addBrand(b, s.Brands[id])
	}
	x.addTerms(b, s.everyRule())
	x.phrases = b.build()
	return x
}

func (x *index) add(b *phraseBuilder, p pattern) {
	words := phraseWords(p.text)
	if len(words) == 0 {
		return
	}
	if x.describe(&p, words); p.folded == "" {
		return
	}
	if least, bent := p.bent(); bent {
		b.addBent(words, least, int32(len(x.patterns)))
	} else {
		b.add(words, int32(len(x.patterns)))
	}
	x.patterns = append(x.patterns, p)
}

// bent reports whether the words of p are found in all their forms, and how many letters their stems have at least.
func (p *pattern) bent() (least int, ok bool) {
	switch p.role {
	case roleTerm, roleNeed, roleContext, roleExclude:
		return 1, true
	case roleName, roleProduct:
		return leastOfName, isCyrillic([]byte(p.folded))
	}
	return 0, false
}

// leastOfName keeps short names from being found in other words.
const leastOfName = 4

// describe fills in what the words of p say of it.
func (x *index) describe(p *pattern, words []string) {
	p.words = len(words)
	p.folded = strings.TrimSuffix(words[0], "*")
	for _, w := range words {
		p.negates = p.negates || p.lang != "" && isNegator(x.negators, []byte(w), p.lang)
	}
}

func (x *index) addBrand(b *phraseBuilder, br *Brand) {
	owner := len(x.brands)
	x.brands = append(x.brands, br)
	var ambiguous []Ambiguity
	slots := map[string]int{} // folded name -> its ambiguity plus one
	for _, name := range sortedKeys(br.Ambiguous) {
		a := br.Ambiguous[name]
		for _, need := range a.NeedAny {
			x.add(b, pattern{role: roleNeed, owner: owner, slot: len(ambiguous), text: need})
		}
		ambiguous = append(ambiguous, a)
		slots[Fold(name)] = len(ambiguous)
	}
	x.ambiguous = append(x.ambiguous, ambiguous)
	for _, name := range br.Names {
		x.add(b, pattern{role: roleName, owner: owner, slot: slots[Fold(name)], text: name})
		if words := phraseWords(name); len(words) > 1 && slots[Fold(name)] == 0 {
			x.add(b, pattern{role: roleHashtag, owner: owner, text: strings.Join(words, "")})
		}
	}
	for key, names := range br.Products {
		for _, name := range names {
			x.add(b, pattern{role: roleProduct, owner: owner, slot: slots[Fold(name)], key: key, text: name})
		}
	}
	for network, handles := range br.Handles {
		x.addHandles(b, owner, network, handles)
	}
	for _, tag := range br.Hashtags {
		x.add(b, pattern{role: roleHashtag, owner: owner, text: strings.TrimLeft(tag, "#＃")})
	}
	for _, e := range br.Exclude {
		x.add(b, pattern{role: roleExclude, owner: owner, text: e})
	}
	for _, c := range br.ContextNegative {
		x.add(b, pattern{role: roleContext, owner: owner, text: c})
	}
}

// addHandles puts in each handle as one word, and for @name@server also the name alone: that is how pages
// of the server show it.
func (x *index) addHandles(b *phraseBuilder, owner int, network string, handles []string) {
	for _, h := range handles {
		h = "@" + strings.TrimLeft(h, "@＠")
		x.add(b, pattern{role: roleHandle, owner: owner, key: network, text: h})
		if name, server, ok := strings.Cut(h[1:], "@"); ok && server != "" {
			x.add(b, pattern{role: roleHandle, owner: owner, key: network, text: "@" + name})
		}
	}
}

func (x *index) addCategory(b *phraseBuilder, c *Category) {
	owner := len(x.categories)
	x.categories = append(x.categories, c)
	for _, list := range []struct {
		role  role
		words map[string][]string
	}{{roleCue, c.Cues}, {roleWeak, c.Weak}, {roleTopic, c.Topics}, {roleSign, c.Signs}} {
		for _, lang := range sortedKeys(list.words) {
			for _, w := range list.words[lang] {
				x.addCue(b, pattern{role: list.role, owner: owner, lang: lang, text: w})
			}
		}
	}
}

// size is how many cues and other words a category has.
func (c *Category) size() int {
	n := 0
	for _, list := range []map[string][]string{c.Cues, c.Weak, c.Topics} {
		for _, words := range list {
			n += len(words)
		}
	}
	return n
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
