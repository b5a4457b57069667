package rules

import (
	"bytes"
	"slices"
	"strings"
)

// How far the words of the scope reach, in words of one clause.
const (
	supposeReach = 7
	spareReach   = 8
	quoteReach   = 60 // a quotation that is longer was never closed
)

// wholly at the end of a word of the scope makes it go further: what settles settles harm as well, what supposes does so
// from within a cue, and what spares is a saying that means nothing of what it names.
const wholly = "!"

// scopeWords are the words, by language, that say how a complaint is meant. They are read once from the
// embedded library.
type scopeWords struct {
	Numbers map[string][]string // two, a couple of
	Why     map[string][]string // with one of Press in the same sentence: a question that complains
	Press   map[string][]string
	Suppose map[string][]string // what follows is only supposed
	Spare   map[string][]string // what follows did not happen
	Settle  map[string][]string // what precedes is over
}

// scope is how the sentences of one text are meant. Its memory is kept from text to text.
type scope struct {
	known     bool
	sentences []sentence
	supposed  []occurrence // by place
	spared    []occurrence // by place
	others    []occurrence // by place: those of the supposed that hold from within a cue
	quotes    []quote      // by place
	sayings   []bool       // by token, if there are any: it stands in a saying
}

type sentence struct {
	why, press bool
	asks       int   // the clause that ends in a question mark, or -1; those before it state: "it broke, what now?"
	settled    int32 // the last token of what says that all is well again, or -1
	cleared    int32 // the last token of what says that nothing has happened, or -1
}

// quote is a quotation of more than one word, by its tokens.
type quote struct{ first, last int32 }

func (x *index) addScope(b *phraseBuilder, s *scopeWords) {
	for _, list := range []struct {
		role  role
		words map[string][]string
	}{{roleWhy, s.Why}, {rolePress, s.Press}, {roleSuppose, s.Suppose}, {roleSpare, s.Spare}, {roleSettle, s.Settle}} {
		for _, lang := range sortedKeys(list.words) {
			for _, w := range list.words[lang] {
				x.addCue(b, pattern{role: list.role, lang: lang, text: w})
			}
		}
	}
}

// meaning returns the scope of the text; it is found out when the first cue asks for it.
func (t *tally) meaning() *scope {
	s := &t.finds.scope
	if s.known {
		return s
	}
	*s = scope{true, s.sentences[:0], s.supposed[:0], s.spared[:0], s.others[:0], s.quotes[:0], s.sayings[:0]}
	if n := len(t.doc.Tokens); n > 0 {
		for range t.doc.Tokens[n-1].Sentence + 1 {
			s.sentences = append(s.sentences, sentence{asks: -1, settled: -1, cleared: -1})
		}
	}
	s.punctuation(t.doc)
	for _, o := range t.found {
		t.note(s, o)
	}
	for _, o := range t.gapped {
		t.note(s, o)
	}
	return s
}

// punctuation notes question marks and quotations.
func (s *scope) punctuation(d *Doc) {
	open := int32(-1)
	for i := range d.Tokens {
		t := &d.Tokens[i]
		if t.Kind != Punct {
			continue
		}
		switch sign := d.Folded(i); {
		case bytes.HasPrefix(sign, []byte("?")), bytes.HasPrefix(sign, []byte("؟")):
			s.sentences[t.Sentence].asks = t.Clause
		case string(sign) != `"`:
		case open < 0 || t.Words-d.Tokens[open].Words > quoteReach:
			open = int32(i)
		default:
			if words := t.Words - d.Tokens[open].Words; words > 1 && words < wordsIn(d) {
				s.quotes = append(s.quotes, quote{open, int32(i)})
			}
			open = -1
		}
	}
}

// wordsIn returns how many words d has.
func wordsIn(d *Doc) int {
	last := &d.Tokens[len(d.Tokens)-1]
	if last.Counts() {
		return last.Words + 1
	}
	return last.Words
}

// note takes in one word of the scope.
func (t *tally) note(s *scope, o occurrence) {
	p := &t.patterns[o.phrase]
	if p.role < roleWhy || p.role > roleSettle || !speaks(p, t.lang) {
		return
	}
	in := &s.sentences[t.doc.Tokens[o.first].Sentence]
	switch p.role {
	case roleWhy:
		in.why = true
	case rolePress:
		in.press = true
	case roleSuppose:
		s.supposed = append(s.supposed, o)
		if p.wholly() {
			s.others = append(s.others, o)
		}
	case roleSpare:
		if p.wholly() {
			s.say(t.doc, o)
			return
		}
		s.spared = append(s.spared, o)
	case roleSettle:
		if !p.negates && (t.negated(o, negatorReach) || p.gaps && t.negatedInside(o)) {
			return
		}
		in.settled = max(in.settled, o.last)
		if p.wholly() {
			in.cleared = max(in.cleared, o.last)
		}
	}
}

func (p *pattern) wholly() bool { return strings.HasSuffix(p.text, wholly) }

// say notes a saying.
func (s *scope) say(d *Doc, o occurrence) {
	if len(s.sayings) == 0 {
		s.sayings = slices.Grow(s.sayings, len(d.Tokens))[:len(d.Tokens)]
		clear(s.sayings)
	}
	for i := o.first; i <= o.last; i++ {
		s.sayings[i] = true
	}
}

// said reports whether the cue at o is part of a saying: "I'm dead". Of a cue with gaps one end is enough.
func (s *scope) said(o occurrence, p *pattern) bool {
	if len(s.sayings) == 0 {
		return false
	}
	first, last := s.sayings[o.first], s.sayings[o.last]
	return first && last || p.gaps && (first || last)
}

// stated reports whether the cue at o is said as a fact: not asked, supposed, quoted or over. A low
// rating makes a fact of anything, a picture of what is asked or quoted. Harm is not over when all is well again.
func (t *tally) stated(o occurrence, p *pattern) bool {
	if t.lowRating() {
		return true
	}
	s := t.meaning()
	in := s.sentences[t.doc.Tokens[o.first].Sentence]
	settled := in.settled
	if t.categories[p.owner].harms() {
		settled = in.cleared
	}
	if settled >= o.first || t.reached(s.supposed, o, supposeReach) || p.gaps && holds(s.others, o) {
		return false
	}
	if t.mention.HasMedia {
		return true
	}
	if in.asks == t.doc.Tokens[o.last].Clause && !p.asks && !(in.why && in.press) {
		return false
	}
	return !s.quoted(o)
}

// harms reports whether what c is about cannot be made good.
func (c *Category) harms() bool { return c.Solo && c.Sev == 1 }

// holds reports whether one of some words stands within o.
func holds(words []occurrence, o occurrence) bool {
	i, _ := slices.BinarySearchFunc(words, o.first, func(w occurrence, first int32) int { return int(w.first - first) })
	return i < len(words) && words[i].last < o.last
}

// quoted reports whether o stands within a quotation.
func (s *scope) quoted(o occurrence) bool {
	i, _ := slices.BinarySearchFunc(s.quotes, o.first, func(q quote, first int32) int { return int(q.last - first) })
	return i < len(s.quotes) && s.quotes[i].first < o.first && o.last < s.quotes[i].last
}

// reached reports whether the latest of some words before o reaches it: in the same clause, at most reach
// words before it, with no turn between.
func (t *tally) reached(words []occurrence, o occurrence, reach int) bool {
	i, _ := slices.BinarySearchFunc(words, o.first, func(w occurrence, first int32) int { return int(w.first - first) })
	for i--; i >= 0; i-- {
		w := words[i]
		if w.last >= o.first {
			continue // within the cue itself
		}
		from, to := &t.doc.Tokens[w.last], &t.doc.Tokens[o.first]
		if from.Clause != to.Clause || to.Words-from.Words > reach {
			return false
		}
		for k := int(w.last) + 1; k < int(o.first); k++ {
			if turns[string(t.doc.Folded(k))] {
				return false
			}
		}
		return true
	}
	return false
}
