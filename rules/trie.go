package rules

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// lexicon finds, for one folded word, the words and stems that were put in: a byte trie, so that the cost
// depends on the length of the word and not on how many others there are.
type lexicon struct {
	nodes []lexNode
	label []byte // of the edges of all nodes, each node's own in order
	to    []int32
	sets  [][]int32 // elements that several words share
}

type lexNode struct {
	edges       int32 // index of the first edge
	n           int32
	exact, stem int32 // elements, or -1
	also        int32 // index into sets, or -1
}

// lexEntry is a word (exact) or stem that some phrase holds, with its element, and the elements that it shares with other
// words: of the numbers that it is in some language, and of the words that it is a form of.
type lexEntry struct {
	key         string
	exact, stem int32
	also        []int32
}

// newLexicon builds the trie from entries with distinct keys, level by level.
func newLexicon(entries []lexEntry) *lexicon {
	slices.SortFunc(entries, func(a, b lexEntry) int { return strings.Compare(a.key, b.key) })
	type span struct{ lo, hi, depth int }
	size := trieSize(entries)
	x := &lexicon{nodes: make([]lexNode, 1, size), label: make([]byte, 0, size), to: make([]int32, 0, size)}
	queue := append(make([]span, 0, size), span{0, len(entries), 0})
	for n := 0; n < len(queue); n++ {
		s, node := queue[n], lexNode{edges: int32(len(x.label)), exact: -1, stem: -1, also: -1}
		if s.lo < s.hi && len(entries[s.lo].key) == s.depth {
			e := &entries[s.lo]
			node.exact, node.stem = e.exact, e.stem
			if len(e.also) > 0 {
				node.also = int32(len(x.sets))
				x.sets = append(x.sets, e.also)
			}
			s.lo++
		}
		for s.lo < s.hi {
			c, hi := entries[s.lo].key[s.depth], s.lo+1
			for hi < s.hi && entries[hi].key[s.depth] == c {
				hi++
			}
			x.label = append(x.label, c)
			x.to = append(x.to, int32(len(x.nodes)))
			x.nodes = append(x.nodes, lexNode{})
			queue = append(queue, span{s.lo, hi, s.depth + 1})
			node.n++
			s.lo = hi
		}
		x.nodes[n] = node
	}
	return x
}

// trieSize is how many nodes sorted entries need: one for each letter that a key does not share with the one before it.
func trieSize(entries []lexEntry) int {
	size, before := 1, ""
	for i := range entries {
		key, shared := entries[i].key, 0
		for shared < min(len(key), len(before)) && key[shared] == before[shared] {
			shared++
		}
		size += len(key) - shared
		before = key
	}
	return size
}

// find appends to out the element of word itself and those of the stems it begins with.
func (x *lexicon) find(word []byte, out []int32) []int32 {
	node := &x.nodes[0]
	for i := 0; ; i++ {
		if node.stem >= 0 {
			out = append(out, node.stem)
		}
		if i == len(word) {
			if node.exact >= 0 {
				out = append(out, node.exact)
			}
			if node.also >= 0 {
				out = append(out, x.sets[node.also]...)
			}
			return out
		}
		next := x.child(node, word[i])
		if next < 0 {
			return out
		}
		node = &x.nodes[next]
	}
}

func (x *lexicon) child(node *lexNode, c byte) int32 {
	lo, hi := node.edges, node.edges+node.n
	for lo < hi {
		mid := (lo + hi) / 2
		switch l := x.label[mid]; {
		case l == c:
			return x.to[mid]
		case l < c:
			lo = mid + 1
		default:
			hi = mid
		}
	}
	return -1
}

// phrases finds sequences of words. Each distinct word or stem is an element; a phrase is a path of
// elements. Looking up a token costs the same however many phrases there are.
type phrases struct {
	words  *lexicon
	steps  map[step]int32
	roots  []int32   // by element: where it leads from the root, or -1; most steps are looked up there
	ends   [][]int32 // by node: the phrases that are complete there
	deep   []bool    // by node: some phrase goes on
	digits int32     // the element of every number in digits, or -1
	bends  bool      // some words are found in other forms as well
}

// step leads from a node over an element to another node. Node 0 is the root.
type step struct{ node, element int32 }

// phraseBuilder collects phrases.
type phraseBuilder struct {
	phrases
	entries  []lexEntry
	byKey    map[string]int // into entries
	elements int32
	bent     map[bentWord]int32      // the elements of their forms
	counted  map[string]int32        // by language: the element of its number words
	numbers  map[string][]string     // by language
	cues     map[string][][][]string // what each stands for: every category has the signs of the library
}

// newPhraseBuilder returns a builder with room for about so many phrases.
func newPhraseBuilder(size int) *phraseBuilder {
	return &phraseBuilder{
		phrases: phrases{
			steps: make(map[step]int32, 3*size), digits: -1,
			ends: append(make([][]int32, 0, 3*size+1), nil), deep: append(make([]bool, 0, 3*size+1), false),
		},
		byKey:   make(map[string]int, size),
		bent:    map[bentWord]int32{},
		counted: map[string]int32{},
		cues:    make(map[string][][][]string, size),
	}
}

// add puts in a phrase of words, each with a trailing * if any ending will do, under the number id.
func (b *phraseBuilder) add(words []string, id int32) {
	if len(words) == 0 {
		return
	}
	path := make([]int32, len(words))
	for i, w := range words {
		path[i] = b.element(w)
	}
	b.addPath(path, id)
}

// addBent puts in a phrase whose words are found in all their forms.
func (b *phraseBuilder) addBent(words []string, least int, id int32) {
	path := make([]int32, len(words))
	for i, w := range words {
		if path[i] = b.element(w); !strings.HasSuffix(w, "*") {
			path[i] = b.forms(w, least)
		}
	}
	b.addPath(path, id)
}

// bentWord is a word found in all forms whose stem has at least so many letters.
type bentWord struct {
	word  string
	least int
}

// forms returns the element of a word in all its forms, as the languages it may be of have them, where they have a stem of
// at least so many letters.
func (b *phraseBuilder) forms(word string, least int) int32 {
	e, ok := b.bent[bentWord{word, least}]
	if ok {
		return e
	}
	e = b.newElement()
	b.bent[bentWord{word, least}] = e
	b.bends = true
	b.share(word, e)
	var key []byte
	for _, lang := range inflectionsOf([]byte(word)) {
		var ok bool
		if key, ok = appendStem(append(key[:0], stemMark(lang)...), []byte(word), lang); ok && utf8.RuneCount(key) >= least+stemMarkSize {
			b.share(string(key), e)
		}
	}
	return e
}

// share adds an element to those that a word stands for.
func (b *phraseBuilder) share(key string, element int32) {
	if e := b.entry(key); !slices.Contains(e.also, element) {
		e.also = append(e.also, element)
	}
}

// stemMark begins the keys of stems, which no word begins with.
func stemMark(lang string) string { return "\x02" + lang }

const stemMarkSize = 3

// addPath puts in a phrase of elements.
func (b *phraseBuilder) addPath(path []int32, id int32) {
	node := int32(0)
	for _, e := range path {
		k := step{node, e}
		next, ok := b.steps[k]
		if !ok {
			next = int32(len(b.ends))
			b.ends, b.deep = append(b.ends, nil), append(b.deep, false)
			b.steps[k] = next
			b.deep[node] = true
		}
		node = next
	}
	b.ends[node] = append(b.ends[node], id)
}

func (b *phraseBuilder) element(word string) int32 {
	key, stem := strings.CutSuffix(word, "*")
	entry := b.entry(key)
	e := &entry.exact
	if stem {
		e = &entry.stem
	}
	if *e < 0 {
		*e = b.newElement()
	}
	return *e
}

func (b *phraseBuilder) newElement() int32 {
	b.elements++
	return b.elements - 1
}

// entry returns the entry of a word; it is valid until the next call.
func (b *phraseBuilder) entry(key string) *lexEntry {
	i, ok := b.byKey[key]
	if !ok {
		i = len(b.entries)
		b.byKey[key] = i
		b.entries = append(b.entries, lexEntry{key: key, exact: -1, stem: -1})
	}
	return &b.entries[i]
}

// build returns what was put in. The builder must not be used after it.
func (b *phraseBuilder) build() *phrases {
	b.words = newLexicon(b.entries)
	b.roots = make([]int32, b.elements)
	for e := range b.elements {
		b.roots[e] = -1
		if next, ok := b.steps[step{0, e}]; ok {
			b.roots[e] = next
		}
	}
	return &b.phrases
}

// occurrence is a phrase found at the tokens first to last.
type occurrence struct {
	phrase      int32
	first, last int32
}

// finds is the working memory of one scan.
type finds struct {
	tokens   []int32 // the tokens that can stand in a phrase
	elements []int32 // of all those tokens
	at       []int32 // where the elements of each begin; one more than tokens
	found    []occurrence
	reading  readings
	stem     []byte // of a word
	textual  textFinds
	doc      Doc // of Keep

	chains []chain      // by node of the gaps
	round  uint32       // which chains are of this text
	gapped []occurrence // cues with gaps, in the order of their ends
	scope  scope
}

// scan finds every phrase in d, a text in lang.
func (p *phrases) scan(d *Doc, lang string, f *finds) {
	f.tokens, f.elements, f.at, f.found = f.tokens[:0], f.elements[:0], append(f.at[:0], 0), f.found[:0]
	for i := range d.Tokens {
		t := &d.Tokens[i]
		if !t.Counts() && t.Kind != Emoji {
			continue
		}
		f.tokens = append(f.tokens, int32(i))
		for _, form := range f.reading.of(d, i) {
			f.elements = p.words.find(form, f.elements)
			if p.bends && t.Kind != Emoji {
				p.unbend(form, lang, f)
			}
		}
		if t.Kind == Number && p.digits >= 0 {
			f.elements = append(f.elements, p.digits)
		}
		f.at = append(f.at, int32(len(f.elements)))
	}
	for i := range f.tokens {
		p.follow(d, f, 0, i, i)
	}
}

// unbend adds the elements of the words that a word of a text in lang is a form of.
func (p *phrases) unbend(word []byte, lang string, f *finds) {
	lang = inflectionFor(word, lang)
	key, ok := appendStem(append(f.stem[:0], stemMark(lang)...), word, lang)
	f.stem = key
	if !ok {
		return
	}
	own, shared := f.at[len(f.at)-1], len(f.elements)
	f.elements = p.words.find(key, f.elements)
	kept := f.elements[:shared]
	for _, e := range f.elements[shared:] {
		if !slices.Contains(kept[own:], e) {
			kept = append(kept, e)
		}
	}
	f.elements = kept
}

// follow goes from node over the elements of the i-th token. A phrase never reaches over the end of a
// clause.
func (p *phrases) follow(d *Doc, f *finds, node int32, first, i int) {
	for _, e := range f.elements[f.at[i]:f.at[i+1]] {
		next := p.next(node, e)
		if next < 0 {
			continue
		}
		for _, id := range p.ends[next] {
			f.found = append(f.found, occurrence{id, f.tokens[first], f.tokens[i]})
		}
		if p.deep[next] && i+1 < len(f.tokens) &&
			d.Tokens[f.tokens[i]].Clause == d.Tokens[f.tokens[i+1]].Clause {
			p.follow(d, f, next, first, i+1)
		}
	}
}

// next returns where an element leads from node, or -1.
func (p *phrases) next(node, element int32) int32 {
	if node == 0 {
		return p.roots[element]
	}
	if next, ok := p.steps[step{node, element}]; ok {
		return next
	}
	return -1
}
