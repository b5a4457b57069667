package topics

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

const (
	priorShare   = 0.2  // alpha_0: the prior counts this part of what both sides say
	significant  = 1.96 // z-score of a term that is shown
	atLeastTexts = 3    // that hold a term
	atLeastShare = 0.10 // of the incident's texts hold it
	ordinaryMin  = 10   // fewer ordinary texts say nothing about what is usual

	// Without ordinary texts: how many words the prior counts as, and the share of all words that a common
	// word has, and any other.
	plainWeight = 500
	commonShare = 0.01
	otherShare  = 0.001

	tooUsual = 0.3 // of the ordinary texts hold a word: it makes no pair

	maxFound = 64 // terms that go on to be chosen from
)

// found is a term that stands out, as the form groups of its words.
type found struct {
	forms []int32
	z     float64
	count int     // weight of the incident's docs with these words in a row
	docs  []int32 // of the incident, those with all of these words in any order; ascending
}

// pair is two forms in a row; with noTerm in b, one alone.
type pair struct{ a, b int32 }

// tally is how much weight the docs with a term have on both sides.
type tally struct {
	in, out int
	last    int // the doc that was counted last
}

// census counts terms: words in one population, pairs in another.
type census struct {
	terms   map[pair]*tally
	in, out [2]int // sums over all terms of a side: of words, of pairs
}

// contrast returns the terms of the incident that stand out, the most telling first.
func (c *corpus) contrast(known *stopWords) []found {
	usual := c.ordinary.weight >= ordinaryMin
	if !usual && !known.knows(c.lang) {
		return nil // every "the" would stand out
	}
	c.forms = formsOf(c.vocab)
	n := c.census(usual)
	need := max(atLeastTexts, int(math.Ceil(atLeastShare*float64(c.incident.weight))))
	var out []found
	for p, t := range n.terms {
		if t.in < need || c.pairOfUsual(n, p) {
			continue
		}
		z := n.z(p, t)
		if !usual {
			z = plainZ(t.in, n.in[p.kind()], c.usualShare(p))
		}
		if z >= significant {
			out = append(out, found{forms: p.forms(), z: z, count: t.in})
		}
	}
	c.sort(out)
	out = out[:min(maxFound, len(out))]
	c.locate(out)
	return c.merge(out)
}

// census counts the terms of both sides. Terms that only ordinary texts hold count in the sums alone.
func (c *corpus) census(usual bool) *census {
	n := &census{terms: map[pair]*tally{}}
	at := 0
	for i := range c.incident.docs {
		d := &c.incident.docs[i]
		at++
		c.each(d, func(p pair) {
			t := n.terms[p]
			if t == nil {
				t = &tally{}
				n.terms[p] = t
			}
			if t.last != at {
				t.last = at
				t.in += d.weight
				n.in[p.kind()] += d.weight
			}
		})
	}
	if !usual {
		return n
	}
	for i := range c.ordinary.docs {
		d := &c.ordinary.docs[i]
		at++
		c.each(d, func(p pair) {
			t := n.terms[p]
			if t != nil && t.last == at {
				return
			}
			n.out[p.kind()] += d.weight
			if t != nil {
				t.last = at
				t.out += d.weight
			}
		})
	}
	return n
}

// each calls yield with every word and pair of words of d.
func (c *corpus) each(d *doc, yield func(pair)) {
	for i, t := range d.terms {
		f := c.forms[t.word]
		yield(pair{f, noTerm})
		if i == 0 || !t.joined || t.glued || d.terms[i-1].glued {
			continue
		}
		if before := c.forms[d.terms[i-1].word]; before != f {
			yield(pair{before, f})
		}
	}
}

func (p pair) kind() int {
	if p.b == noTerm {
		return 0
	}
	return 1
}

func (p pair) forms() []int32 {
	if p.b == noTerm {
		return []int32{p.a}
	}
	return []int32{p.a, p.b}
}

// z is the z-score of the log-odds-ratio of a term, with both sides pooled and scaled to alpha_0 as the prior
// (Monroe, Colaresi and Quinn 2008, equations 16, 20 and 22).
func (n *census) z(p pair, t *tally) float64 {
	in, out := float64(n.in[p.kind()]), float64(n.out[p.kind()])
	prior := priorShare * (in + out)
	a := priorShare * float64(t.in+t.out)
	yi, yo := float64(t.in)+a, float64(t.out)+a
	delta := logOdds(yi, in+prior) - logOdds(yo, out+prior)
	return delta / math.Sqrt(1/yi+1/yo)
}

// pairOfUsual reports whether one word of a pair is so usual that it only accompanies the other.
func (c *corpus) pairOfUsual(n *census, p pair) bool {
	if p.b == noTerm {
		return false
	}
	most := tooUsual * float64(c.ordinary.weight)
	a, b := n.terms[pair{p.a, noTerm}], n.terms[pair{p.b, noTerm}]
	return c.ordinary.weight >= ordinaryMin && float64(max(a.out, b.out)) >= most
}

// plainZ is the score without ordinary texts: against a share that is taken as known, only the incident's
// side is uncertain.
func plainZ(count, all int, share float64) float64 {
	a := plainWeight * share
	y := float64(count) + a
	return (logOdds(y, float64(all)+plainWeight) - logOdds(a, plainWeight)) * math.Sqrt(y)
}

// logOdds is the log of y to the rest of n; the rest is never less than half a word.
func logOdds(y, n float64) float64 { return math.Log(y / max(n-y, 0.5)) }

// usualShare is the share of all terms that a term is taken to have where nobody knows.
func (c *corpus) usualShare(p pair) float64 {
	share := otherShare
	for _, f := range p.forms() {
		if !c.words.common[c.vocab[f]] {
			return otherShare
		}
		share = commonShare
	}
	return share
}

// sort puts the most telling first; what is equal by numbers goes by letters, so that the order of maps never
// shows.
func (c *corpus) sort(fs []found) {
	slices.SortFunc(fs, func(a, b found) int {
		return cmp.Or(cmp.Compare(b.z, a.z), cmp.Compare(b.count, a.count), strings.Compare(c.key(a.forms), c.key(b.forms)))
	})
}

// key names a term: the heads of its form groups.
func (c *corpus) key(forms []int32) string {
	var b strings.Builder
	for i, f := range forms {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(c.vocab[f])
	}
	return b.String()
}

// locate finds the incident's docs of every term.
func (c *corpus) locate(fs []found) {
	for i := range fs {
		fs[i].docs = nil
	}
	last := make([]int, len(c.vocab))
	for i := range c.incident.docs {
		for _, t := range c.incident.docs[i].terms {
			last[c.forms[t.word]] = i + 1
		}
		for k := range fs {
			if !slices.ContainsFunc(fs[k].forms, func(f int32) bool { return last[f] != i+1 }) {
				fs[k].docs = append(fs[k].docs, int32(i))
			}
		}
	}
}
