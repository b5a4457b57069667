package topics

import (
	"math"
	"slices"
	"unicode/utf8"

	"emberwatch/rules"
)

const (
	maxTextBytes = 8000 // of a text are read: the beginning of an article says what it is about
	maxWordRunes = 40   // longer ones are no words
	copyWords    = 16   // texts whose first so many words are the same are copies,
	copyAtLeast  = 5    // if they have so many: shorter ones are the same by chance
)

// corpus is the incident and the ordinary texts of one language, cut into terms of one vocabulary.
type corpus struct {
	lang     string
	words    *wordList
	names    *nameList
	incident side
	ordinary side

	ids   map[string]int32 // folded word as it stands -> vocab, or noTerm
	bares map[string]int32 // folded word without article and the like -> vocab
	vocab []string
	forms []int32 // of each word of vocab, once all texts are read
	doc   rules.Doc
}

// side is one of the two things that are contrasted.
type side struct {
	docs   []doc
	texts  int                      // with copies
	weight int                      // with copies as far as they count
	seen   map[[copyWords]int32]int // where a text with these first words is
}

// doc is one text with its copies.
type doc struct {
	text   string
	terms  []term
	copies int
	weight int
}

// term is a word where it stands. A pair needs two terms in a row of which the second is joined to the
// first.
type term struct {
	word       int32
	start, end int32
	joined     bool // nothing but signs between the term before and this one
	plain      bool // neither the first word of a sentence nor shouted: its spelling is to be trusted
	glued      bool // a pair of runes of an unspaced script, a word of its own
}

const noTerm = -1

func newCorpus(w *wordList, n *nameList, lang string) *corpus {
	return &corpus{lang: lang, words: w, names: n, ids: map[string]int32{}, bares: map[string]int32{}}
}

// add reads texts into s.
func (c *corpus) add(s *side, texts []string) {
	s.seen = make(map[[copyWords]int32]int, len(texts))
	for _, t := range texts {
		t = clip(t, maxTextBytes)
		s.texts++
		if terms := c.cut(t); len(terms) > 0 {
			s.docOf(t, terms).copies++
		} else {
			s.weight++
		}
	}
	for i := range s.docs {
		d := &s.docs[i]
		d.weight = int(math.Sqrt(float64(d.copies)))
		s.weight += d.weight
	}
}

// docOf returns the doc that a text is a copy of, else a new one.
func (s *side) docOf(text string, terms []term) *doc {
	key := opening(terms)
	if i, ok := s.seen[key]; ok && len(terms) >= copyAtLeast {
		return &s.docs[i]
	}
	s.seen[key] = len(s.docs)
	s.docs = append(s.docs, doc{text: text, terms: terms})
	return &s.docs[len(s.docs)-1]
}

// opening returns what copies have in common.
func opening(terms []term) (key [copyWords]int32) {
	for i := range key {
		key[i] = noTerm
		if i < len(terms) {
			key[i] = terms[i].word
		}
	}
	return key
}

// clip cuts s after at most n bytes, between two runes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// cut returns the terms of a text.
func (c *corpus) cut(text string) []term {
	d := &c.doc
	d.Reset(text)
	terms := make([]term, 0, len(d.Tokens)/2+1)
	before, sentence := -2, -1 // the token that the next may be joined to; the sentence that has begun
	for i := 0; i < len(d.Tokens); i++ {
		t := &d.Tokens[i]
		if t.Kind == rules.Punct {
			if before == i-1 {
				before = i
			}
			continue
		}
		first := t.Sentence != sentence
		sentence = t.Sentence
		if n := c.names.at(d, i); n > 0 {
			i += n - 1
			continue
		}
		w, end := c.term(i)
		if w == noTerm {
			continue
		}
		joined := before == i-1 && len(terms) > 0 && !brokenBefore(d, i)
		terms = append(terms, term{
			word: w, start: int32(bodyStart(d, t)), end: int32(end),
			joined: joined, plain: !first && !t.Upper, glued: end != t.End,
		})
		before = i
	}
	return slices.Clip(terms)
}

// brokenBefore reports whether a clause begins at token i.
func brokenBefore(d *rules.Doc, i int) bool {
	for k := i - 1; k >= 0; k-- {
		if d.Tokens[k].Kind != rules.Punct {
			return d.Tokens[k].Clause != d.Tokens[i].Clause
		}
	}
	return true
}

// bodyStart is where the words of a token begin: a hashtag's after its sign.
func bodyStart(d *rules.Doc, t *rules.Token) int {
	if t.Kind == rules.Hashtag {
		_, n := utf8.DecodeRuneInString(d.Text[t.Start:])
		return t.Start + n
	}
	return t.Start
}

// term returns the word of token i and where it ends. Runes of an unspaced script count as pairs: one says
// too little.
func (c *corpus) term(i int) (word int32, end int) {
	d := &c.doc
	t := &d.Tokens[i]
	if t.Kind != rules.Word && t.Kind != rules.Hashtag {
		return noTerm, 0
	}
	if t.Kind == rules.Word && isUnspaced(d, i) {
		if i+1 == len(d.Tokens) || d.Tokens[i+1].Start != t.End || !isUnspaced(d, i+1) {
			return noTerm, 0
		}
		end = d.Tokens[i+1].End
		return c.intern(rules.Fold(d.Text[t.Start:end])), end
	}
	id, ok := c.ids[string(d.Folded(i))]
	if !ok {
		id = c.intern(d.FoldedString(i))
	}
	return id, t.End
}

// isUnspaced reports whether token i is one rune of a script without spaces: the tokenizer makes words of one
// non-ASCII letter of them, and elsewhere such words say nothing alone.
func isUnspaced(d *rules.Doc, i int) bool {
	t := &d.Tokens[i]
	if t.Kind != rules.Word {
		return false
	}
	r, _ := utf8.DecodeRuneInString(d.Text[t.Start:])
	return r >= 0x0E00 && utf8.RuneCount(d.Folded(i)) == 1
}

// intern returns the number of a folded word in the vocabulary, or noTerm for what is never a topic.
func (c *corpus) intern(folded string) int32 {
	if id, ok := c.ids[folded]; ok {
		return id
	}
	id := c.enter(folded)
	c.ids[folded] = id
	return id
}

func (c *corpus) enter(folded string) int32 {
	word := string(bare([]byte(folded), c.lang))
	n := utf8.RuneCountInString(word)
	switch {
	case n < 2 || n > maxWordRunes, c.words.stop[folded], c.words.stop[word], c.names.isOne(word):
		return noTerm
	}
	id, ok := c.bares[word]
	if !ok {
		id = int32(len(c.vocab))
		c.bares[word] = id
		c.vocab = append(c.vocab, word)
	}
	return id
}
