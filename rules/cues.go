package rules

import (
	"cmp"
	"slices"
	"strings"
)

// How sure a hit is, as a share of its category's weight.
const (
	doubtfulShare = 0.6  // a solo phrase with nothing that makes it credible, a weak one without evidence
	bareShare     = 0.5  // a solo word with nothing that makes it credible: as often the news as a complaint
	topicShare    = 0.5  // a word that only says what it is about
	unweighed     = 0.75 // confidence of categories that raise nothing
	negatorReach  = 3    // words that a negator reaches forward
	turnReach     = 5    // words back from a turn in which a negator is looked for
)

// hits returns one hit for each category that the words point to, the weightiest first; categories of
// which every cue is negated come last.
func (t *tally) hits(named bool) []Hit {
	t.findSigns()
	t.finds.scope.known = false
	var gs []gathered
	for i, o := range t.found {
		if p := &t.patterns[o.phrase]; p.isCue() && speaks(p, t.lang) && !t.within(i) {
			gs = t.addHit(gs, o, p, named)
		}
	}
	for _, o := range t.gapped {
		if p := &t.patterns[o.phrase]; p.isCue() && speaks(p, t.lang) {
			gs = t.addHit(gs, o, p, named)
		}
	}
	hits := make([]Hit, len(gs))
	for i := range gs {
		hits[i] = gs[i].hit()
	}
	slices.SortStableFunc(hits, func(a, b Hit) int {
		return cmp.Or(
			cmp.Compare(b.Weight, a.Weight),
			cmp.Compare(b.Confidence, a.Confidence),
			strings.Compare(a.Category, b.Category))
	})
	return hits
}

// isCue reports whether p points to a category.
func (p *pattern) isCue() bool { return p.role == roleCue || p.role == roleWeak || p.role == roleTopic }

func (t *tally) addHit(gs []gathered, o occurrence, p *pattern, named bool) []gathered {
	if h, ok := t.hit(o, p, named); ok {
		gs = gather(gs, h)
	}
	return gs
}

// within reports whether the i-th find lies within a longer cue of the same category: "fire" in "caught
// fire" says nothing of its own.
func (t *tally) within(i int) bool {
	o := t.found[i]
	owner := t.patterns[o.phrase].owner
	longer := func(c occurrence) bool {
		q := &t.patterns[c.phrase]
		return q.owner == owner && q.isCue() &&
			c.first <= o.first && o.last <= c.last && c.last-c.first > o.last-o.first && speaks(q, t.lang)
	}
	for j := i - 1; j >= 0 && t.doc.Tokens[t.found[j].first].Words >= t.doc.Tokens[o.first].Words-longestPhrase; j-- {
		if longer(t.found[j]) {
			return true
		}
	}
	for j := i + 1; j < len(t.found) && t.found[j].first <= o.first; j++ {
		if longer(t.found[j]) {
			return true
		}
	}
	return false
}

// hit judges one cue.
func (t *tally) hit(o occurrence, p *pattern, named bool) (Hit, bool) {
	c := t.categories[p.owner]
	h := Hit{
		Category: c.ID, Cue: p.text, Weight: c.Weight, Confidence: c.Weight,
		Start: t.doc.Tokens[o.first].Start, End: t.doc.Tokens[o.last].End,
	}
	if strings.Contains(p.text, "{") { // which of the alternatives, the text says
		h.Cue = t.doc.Text[h.Start:h.End]
	}
	if c.Weight == 0 {
		h.Confidence = unweighed
	}
	if p.role == roleTopic {
		h.Weight, h.Confidence = 0, topicShare*h.Confidence
		return h, true
	}
	if t.meaning().said(o, p) {
		return Hit{}, false
	}
	if t.takenBack(o, p) {
		h.Weight, h.Confidence, h.Negated = 0, 0, true
		return h, true
	}
	if !t.stated(o, p) {
		h.Weight, h.Confidence = 0, topicShare*h.Confidence
		return h, p.role == roleCue
	}
	evidence, person := t.evidence(), t.concerned(o, p)
	switch {
	case evidence:
	case p.role == roleWeak && !person:
		return Hit{}, false
	case p.role == roleWeak:
		h.Weight, h.Confidence = 0, doubtfulShare*h.Confidence
	case c.Solo && !person && !named && p.words == 1 && !p.wholly():
		h.Weight, h.Confidence = bareShare*h.Weight, bareShare*h.Confidence
	case c.Solo && !person && !named && !p.wholly():
		h.Weight, h.Confidence = doubtfulShare*h.Weight, doubtfulShare*h.Confidence
	}
	return h, true
}

// evidence reports whether the mention bears out what it says: a picture, or a low rating.
func (t *tally) evidence() bool {
	return t.mention.HasMedia || t.lowRating()
}

func (t *tally) lowRating() bool { return t.mention.Rating > 0 && t.mention.Rating <= 2 }

// concerned reports whether a person, a part of the body or a thing that can do harm is named besides the cue itself,
// or within it if it has gaps or is more than a weak word: "machine ... on fire", "killed my dog".
func (t *tally) concerned(o occurrence, p *pattern) bool {
	sign, ok := t.signs[p.owner]
	return ok && (p.gaps || p.words > 1 && p.role == roleCue || sign.firstEnd < o.first || sign.lastStart > o.last)
}

// signSpan is where the first sign of a category ends and its last one begins.
type signSpan struct{ firstEnd, lastStart int32 }

// findSigns notes the words that make solo cues credible, by category.
func (t *tally) findSigns() {
	for _, c := range t.found {
		p := &t.patterns[c.phrase]
		if p.role != roleSign || !speaks(p, t.lang) {
			continue
		}
		span, ok := t.signs[p.owner]
		if !ok {
			span = signSpan{c.last, c.first}
		}
		if t.signs == nil {
			t.signs = map[int]signSpan{}
		}
		t.signs[p.owner] = signSpan{min(span.firstEnd, c.last), max(span.lastStart, c.first)}
	}
}

// reasons begin a clause that says why.
var reasons = wordSet("because for due weil wegen aufgrund потому из из-за لأن لأنه لأنها لأني لأننا لأنهم بسبب porque por parce à för eftersom")

func (t *tally) reason(o occurrence) bool {
	first := t.doc.FoldedString(int(o.first))
	return reasons[first] || first == "på" && o.last > o.first && t.doc.FoldedString(int(o.first)+1) == "grund"
}

// takenBack reports whether the text says that what the cue at o means did not happen.
func (t *tally) takenBack(o occurrence, p *pattern) bool {
	reach := negatorReach
	if t.reason(o) { // "they did not serve us because I'm deaf" denies no reason
		reach = 1
	}
	if !p.negates && (t.negated(o, reach) || t.negatedAfter(o, p) || p.gaps && t.negatedInside(o)) {
		return true
	}
	return t.reached(t.meaning().spared, o, spareReach)
}

// negatedInside reports whether a negator stands in a gap of the cue at o, which holds none itself.
func (t *tally) negatedInside(o occurrence) bool {
	for i := int(o.first) + 1; i < int(o.last); i++ {
		if isNegator(t.negators, t.doc.Folded(i), t.lang) && !undone[t.doc.FoldedString(i+1)] {
			return true
		}
	}
	return false
}

// negated reports whether a negator stands in the same clause, at most reach words before o, with nothing
// between that takes its force away.
func (t *tally) negated(o occurrence, reach int) bool {
	clause := t.doc.Tokens[o.first].Clause
	var after []byte
	for i := int(o.first) - 1; i >= 0 && reach > 0; i-- {
		tok := &t.doc.Tokens[i]
		if tok.Clause != clause {
			return false
		}
		if !tok.Counts() {
			continue
		}
		word := t.doc.Folded(i)
		if turns[string(word)] { // Swedish utan is "without", and "but" after a negator
			return isNegator(t.negators, word, t.lang) && !t.negatorBefore(i)
		}
		if isNegator(t.negators, word, t.lang) && !undone[string(after)] {
			return true
		}
		after = word
		reach--
	}
	return false
}

// negatorBefore reports whether a negator stands in the same clause before the turn at token i.
func (t *tally) negatorBefore(i int) bool {
	turn := &t.doc.Tokens[i]
	for i--; i >= 0 && t.doc.Tokens[i].Clause == turn.Clause && turn.Words-t.doc.Tokens[i].Words <= turnReach; i-- {
		if word := t.doc.Folded(i); isNegator(t.negators, word, t.lang) && !turns[string(word)] {
			return true
		}
	}
	return false
}

// negatedAfter reports whether a negator follows at once, as it does in German, Swedish and French after the
// verb: "tropft nicht".
func (t *tally) negatedAfter(o occurrence, p *pattern) bool {
	next := int(o.last) + 1
	if p.words > 1 && !p.gaps || next >= len(t.doc.Tokens) || t.doc.Tokens[next].Clause != t.doc.Tokens[o.last].Clause {
		return false
	}
	switch word := t.doc.FoldedString(next); p.lang {
	case "de":
		return word == "nicht"
	case "sv":
		return word == "inte"
	case "fr":
		return word == "pas"
	}
	return false
}

// gathered is the surest hit of a category and the other cues that bear it out.
type gathered struct {
	lead   Hit
	others []string
}

// gather adds h to the hits, one of each category: the surer one leads, the earlier in a tie.
func gather(gs []gathered, h Hit) []gathered {
	for i := range gs {
		g := &gs[i]
		if g.lead.Category != h.Category {
			continue
		}
		led := g.lead
		if h.Confidence > led.Confidence {
			g.lead, h = h, led
		}
		apart := h.Start >= g.lead.End || h.End <= g.lead.Start
		if apart && h.Cue != g.lead.Cue && h.Weight > 0 && g.lead.Weight > 0 && !slices.Contains(g.others, h.Cue) {
			g.others = append(g.others, h.Cue)
		}
		return gs
	}
	return append(gs, gathered{lead: h})
}

// hit is the leading hit; each other cue halves what is left of the doubt.
func (g *gathered) hit() Hit {
	h := g.lead
	for _, cue := range g.others {
		if cue != h.Cue {
			h.Confidence += (1 - h.Confidence) / 2
		}
	}
	return h
}
