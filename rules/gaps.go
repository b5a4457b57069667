package rules

import (
	"iter"
	"slices"
	"strings"
)

// gapWords is how many words may stand in one gap of a cue: enough for "waiting for my last refund since
// three weeks", too few to tie the ends of two thoughts together.
const gapWords = 5

// numberSign stands for a number in a cue: digits, or a number word of the cue's language.
const numberSign = "#"

// gaps are the cues with gaps: paths of parts, each part a phrase of the trie, or one of several. Following them costs the
// same for every part that is found, however often it is repeated: of each path only the latest beginning is
// kept, which is the one that leaves the smallest gap.
type gaps struct {
	parts map[string]int32 // by language and words
	steps [][]gapStep      // by part: where it leads
	nodes map[step]int32
	ends  [][]int32 // by node: the patterns that are complete there
}

// gapStep leads from a node over a part to another. Node 0 is the root.
type gapStep struct{ from, to int32 }

// chain is the latest run of parts that has led to a node.
type chain struct {
	round       uint32
	first, last int32
}

func newGaps() *gaps {
	return &gaps{parts: map[string]int32{}, nodes: map[step]int32{}, ends: [][]int32{nil}}
}

// step returns the node that a part leads to.
func (g *gaps) step(node, part int32) int32 {
	k := step{node, part}
	next, ok := g.nodes[k]
	if !ok {
		next = int32(len(g.ends))
		g.ends = append(g.ends, nil)
		g.nodes[k] = next
		g.steps[part] = append(g.steps[part], gapStep{node, next})
	}
	return next
}

// cueParts cuts a cue into its parts and each part into folded words, as phraseWords does. A part is empty if
// nothing but signs stands there.
func cueParts(cue string) [][]string {
	var parts [][]string
	for part := range splitCue(cue) {
		parts = append(parts, countedWords(part))
	}
	return parts
}

// cueChoices is cueParts with every way to choose from the alternatives of each part.
func cueChoices(cue string) [][][]string {
	var parts [][][]string
	for part := range splitCue(cue) {
		parts = append(parts, waysOf(part))
	}
	return parts
}

// waysOf returns the folded words of everything that a part of a cue stands for, each once.
func waysOf(part string) [][]string {
	all := choices(part)
	ways := make([][]string, 0, len(all))
	seen := make(map[string]bool, len(all))
	for _, way := range all {
		words := countedWords(way)
		if key := strings.Join(words, " "); len(all) == 1 || !seen[key] {
			seen[key] = true
			ways = append(ways, words)
		}
	}
	return ways
}

func splitCue(cue string) iter.Seq[string] {
	return strings.SplitSeq(strings.ReplaceAll(cue, "…", "..."), "...")
}

// choices returns what s stands for: "{old | new} brand" for two phrases. A brace that is not closed is a sign
// like others.
func choices(s string) []string {
	before, rest, ok := strings.Cut(s, "{")
	list, after, closed := strings.Cut(rest, "}")
	if !ok || !closed {
		return []string{s}
	}
	var all []string
	ends := choices(after)
	for choice := range strings.SplitSeq(list, "|") {
		for _, end := range ends {
			all = append(all, before+choice+end)
		}
	}
	return all
}

// countedWords returns the folded words of s, number signs among them.
func countedWords(s string) []string {
	if !strings.Contains(s, numberSign) {
		return phraseWords(s)
	}
	var words []string
	rest := strings.Fields(s)
	for len(rest) > 0 {
		n := slices.Index(rest, numberSign)
		if n < 0 {
			n = len(rest)
		}
		words = append(words, phraseWords(strings.Join(rest[:n], " "))...)
		if n < len(rest) {
			words = append(words, numberSign)
			n++
		}
		rest = rest[n:]
	}
	return words
}

// addNumbers makes the number words of each language known. Those of several words are put in by addCounted.
func (b *phraseBuilder) addNumbers(words map[string][]string) {
	b.numbers = words
	b.digits = b.newElement()
	for _, lang := range sortedKeys(words) {
		b.counted[lang] = b.newElement()
		for _, w := range words[lang] {
			if folded := phraseWords(w); len(folded) == 1 {
				b.share(folded[0], b.counted[lang])
			}
		}
	}
}

// addCounted puts in a phrase in which the number sign stands for any number of a language.
func (b *phraseBuilder) addCounted(words []string, lang string, id int32) {
	paths := [][]int32{nil}
	for _, w := range words {
		if w != numberSign {
			e := b.element(w)
			for i := range paths {
				paths[i] = append(paths[i], e)
			}
			continue
		}
		var more [][]int32
		for _, n := range b.numberPaths(lang) {
			for _, p := range paths {
				more = append(more, slices.Concat(p, n))
			}
		}
		paths = more
	}
	for _, p := range paths {
		b.addPath(p, id)
	}
}

// numberPaths returns the ways to write a number: in digits, in one word, and in each of several words.
func (b *phraseBuilder) numberPaths(lang string) [][]int32 {
	paths := [][]int32{{b.digits}}
	if e, ok := b.counted[lang]; ok {
		paths = append(paths, []int32{e})
	}
	for _, w := range b.numbers[lang] {
		if folded := phraseWords(w); len(folded) > 1 {
			path := make([]int32, len(folded))
			for i := range folded {
				path[i] = b.element(folded[i])
			}
			paths = append(paths, path)
		}
	}
	return paths
}

// addCue puts in a phrase of one language that may have gaps, number signs and alternatives.
func (x *index) addCue(b *phraseBuilder, p pattern) {
	parts, known := b.cues[p.text]
	if !known {
		parts = cueChoices(p.text)
		b.cues[p.text] = parts
	}
	if slices.ContainsFunc(parts, func(ways [][]string) bool { return len(ways[0]) == 0 }) {
		return
	}
	var first, all []string
	for _, ways := range parts {
		first = append(first, ways[0]...)
		all = append(all, slices.Concat(ways...)...)
	}
	x.describe(&p, all)
	if x.describe(&p, first); p.folded == "" {
		return
	}
	p.asks = strings.HasSuffix(p.text, "?")
	p.gaps = len(parts) > 1
	id := int32(len(x.patterns))
	x.patterns = append(x.patterns, p)
	if !p.gaps {
		for _, words := range parts[0] {
			b.addCounted(words, p.lang, id)
		}
		return
	}
	node := int32(0)
	for _, ways := range parts {
		node = x.gaps.step(node, x.part(b, ways, p.lang))
	}
	x.gaps.ends[node] = append(x.gaps.ends[node], id)
}

// part returns the number of a part, and puts its words in if it is new.
func (x *index) part(b *phraseBuilder, ways [][]string, lang string) int32 {
	texts := make([]string, len(ways))
	counts := false
	for i, words := range ways {
		texts[i] = strings.Join(words, " ")
		counts = counts || slices.Contains(words, numberSign)
	}
	key := strings.Join(texts, "|")
	if counts {
		key = lang + " " + key
	}
	n, ok := x.gaps.parts[key]
	if !ok {
		n = int32(len(x.gaps.steps))
		x.gaps.parts[key] = n
		x.gaps.steps = append(x.gaps.steps, nil)
		id := int32(len(x.patterns))
		for _, words := range ways {
			b.addCounted(words, lang, id)
		}
		x.patterns = append(x.patterns, pattern{role: rolePart, owner: int(n), text: key, words: len(ways[0])})
	}
	return n
}

// find notes the cues with gaps whose parts a scan has found.
func (x *index) find(d *Doc, lang string, f *finds) {
	x.scan(d, lang, f)
	f.gapped = f.gapped[:0]
	if len(f.chains) < len(x.gaps.ends) {
		f.chains = make([]chain, len(x.gaps.ends))
	}
	if f.round++; f.round == 0 {
		clear(f.chains)
		f.round = 1
	}
	for _, o := range f.found {
		if p := &x.patterns[o.phrase]; p.role == rolePart {
			x.gaps.follow(d, f, p.owner, o)
		}
	}
}

// follow goes on with every path that the part found at o continues.
func (g *gaps) follow(d *Doc, f *finds, part int, o occurrence) {
	for _, s := range slices.Backward(g.steps[part]) { // the deeper first: "again ... again" must not begin anew before it ends
		c := chain{f.round, o.first, o.last}
		if s.from > 0 {
			before := f.chains[s.from]
			if before.round != f.round || !bridges(d, before.last, o.first) {
				continue
			}
			c.first = before.first
		}
		f.chains[s.to] = c
		for _, id := range g.ends[s.to] {
			f.gapped = append(f.gapped, occurrence{id, c.first, c.last})
		}
	}
}

// bridges reports whether a gap may lie between two tokens.
func bridges(d *Doc, last, first int32) bool {
	a, b := &d.Tokens[last], &d.Tokens[first]
	return last < first && a.Sentence == b.Sentence && b.Words-a.Words-1 <= gapWords
}
