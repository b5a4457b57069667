package rules

import (
	"slices"
	"strings"
)

// lexicon finds, for one folded word, the words and stems that were put in: a byte trie, so that the cost
// depends on the length of the word and not on how many others there are.
type lexicon struct {
	nodes []lexNode
	label []byte // of the edges of all nodes, each node's own in order
	to    []int32
}

type lexNode struct {
	edges       int32 // index of the first edge
	n           int32
	exact, stem int32 // elements, or -1
}

// lexEntry is a word (exact) or stem that some phrase holds, with its element.
type lexEntry struct {
	key         string
	exact, stem int32
}

// newLexicon builds the trie from entries with distinct keys, level by level.
func newLexicon(entries []lexEntry) *lexicon {
	slices.SortFunc(entries, func(a, b lexEntry) int { return strings.Compare(a.key, b.key) })
	type span struct{ lo, hi, depth int }
	x := &lexicon{nodes: []lexNode{{}}}
	queue := []span{{0, len(entries), 0}}
	for n := 0; n < len(queue); n++ {
		s, node := queue[n], lexNode{edges: int32(len(x.label)), exact: -1, stem: -1}
		if s.lo < s.hi && len(entries[s.lo].key) == s.depth {
			node.exact, node.stem = entries[s.lo].exact, entries[s.lo].stem
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
	words *lexicon
	steps map[step]int32
	ends  [][]int32 // by node: the phrases that are complete there
	deep  []bool    // by node: some phrase goes on
}

// step leads from a node over an element to another node. Node 0 is the root.
type step struct{ node, element int32 }

// phraseBuilder collects phrases.
type phraseBuilder struct {
	phrases
	entries  []lexEntry
	byKey    map[string]int // into entries
	elements int32
}

func newPhraseBuilder() *phraseBuilder {
	return &phraseBuilder{
		phrases: phrases{steps: map[step]int32{}, ends: [][]int32{nil}, deep: []bool{false}},
		byKey:   map[string]int{},
	}
}

// add puts in a phrase of words, each with a trailing * if any ending will do, under the number id.
func (b *phraseBuilder) add(words []string, id int32) {
	if len(words) == 0 {
		return
	}
	node := int32(0)
	for _, w := range words {
		k := step{node, b.element(w)}
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
	i, ok := b.byKey[key]
	if !ok {
		i = len(b.entries)
		b.byKey[key] = i
		b.entries = append(b.entries, lexEntry{key, -1, -1})
	}
	e := &b.entries[i].exact
	if stem {
		e = &b.entries[i].stem
	}
	if *e < 0 {
		*e = b.elements
		b.elements++
	}
	return *e
}

// build returns what was put in. The builder must not be used after it.
func (b *phraseBuilder) build() *phrases {
	b.words = newLexicon(b.entries)
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
	doc      Doc // of Keep
}

// scan finds every phrase in d.
func (p *phrases) scan(d *Doc, f *finds) {
	f.tokens, f.elements, f.at, f.found = f.tokens[:0], f.elements[:0], append(f.at[:0], 0), f.found[:0]
	for i := range d.Tokens {
		t := &d.Tokens[i]
		if !t.Counts() && t.Kind != Emoji {
			continue
		}
		f.tokens = append(f.tokens, int32(i))
		for _, form := range f.reading.of(d, i) {
			f.elements = p.words.find(form, f.elements)
		}
		f.at = append(f.at, int32(len(f.elements)))
	}
	for i := range f.tokens {
		p.follow(d, f, 0, i, i)
	}
}

// follow goes from node over the elements of the i-th token. A phrase never reaches over the end of a
// clause.
func (p *phrases) follow(d *Doc, f *finds, node int32, first, i int) {
	for _, e := range f.elements[f.at[i]:f.at[i+1]] {
		next, ok := p.steps[step{node, e}]
		if !ok {
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
