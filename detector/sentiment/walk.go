package sentiment

import (
	"bytes"

	"emberwatch/rules"
)

// hit is one place that moves the score.
type hit struct {
	value   float32
	clause  int
	word    int // words before it
	negated bool
	denied  bool // a negative word that a negator turned, or a phrase in which one does
	tag     bool // a hashtag
}

// walk goes over the tokens of one text, once.
type walk struct {
	doc   *rules.Doc
	lex   *Lexicon
	table *table // nil: no lexicon for the language
	lang  lang

	room  [48]hit // the first hits: posts rarely have more, and nothing is allocated for them
	spill []hit   // the rest
	count int     // of all hits
	not   mark
	more  mark
	less  mark
	late  int // the hit before a negator that it speaks about unless one comes after; -1: none
	first int // the first hit of the sentence
	sent  int // the sentence
	but   bool

	stop      int     // the token after the last one that is read
	mute      []int32 // tokens that are passed over
	parens    int     // open ones
	emoji     int
	exclaims  int
	questions int
	open      int // clauses whose negator found nothing to negate
	free      bool
}

func (w *walk) run() {
	w.not, w.more, w.less, w.late = nowhere, nowhere, nowhere, -1
	for i := 0; i < w.stop; {
		t := &w.doc.Tokens[i]
		if t.Sentence != w.sent {
			w.sent, w.first, w.but = t.Sentence, w.count, false
		}
		i += w.token(t, i)
	}
	w.endScope()
}

// token looks at token i and returns how many tokens it used.
func (w *walk) token(t *rules.Token, i int) int {
	if w.isMuted(i) {
		return 1
	}
	switch t.Kind {
	case rules.Word:
		return w.word(t, i)
	case rules.Hashtag:
		w.hashtag(t, i)
	case rules.Emoji:
		w.emoji++
		if v := w.lex.emojiValence(w.doc.Folded(i)); v != 0 {
			w.add(t, v)
		}
	case rules.Number:
		if i > 0 && w.doc.Raw(i) == "3" && w.touches(i, "<") { // <3
			w.emoticon(i-1, 2)
		}
	case rules.Punct:
		w.sign(t, i)
	}
	return 1
}

func (w *walk) word(t *rules.Token, i int) int {
	if w.touches(i, ":") || w.touches(i, ";") || w.touches(i, "=") {
		if v := face(w.doc.Raw(i)); v != 0 {
			w.emoticon(i-1, v)
			return 1
		}
	}
	if w.table == nil {
		return 1
	}
	e, factor := w.find(w.doc.Folded(i))
	if e == nil {
		return 1
	}
	if p, n := w.phrase(e, i); p != nil {
		w.addPhrase(t, p, e.roles&negates != 0 || p.negated(w.table))
		return n
	}
	if e.valence != 0 {
		v := w.modified(t, e.valence*factor)
		w.add(t, v)
		w.hit(w.count - 1).denied = e.valence < 0 && v > 0
	}
	w.turn(t, e.roles)
	return 1
}

// find looks a folded word up, then with stretched letters shortened, then without what the language writes together
// with it.
func (w *walk) find(word []byte) (e *entry, factor float32) {
	if e = w.table.find(word); e != nil {
		return e, 1
	}
	var buf [64]byte
	for keep := 2; keep > 0; keep-- {
		short := squeeze(buf[:0], word, keep)
		if len(short) == len(word) {
			break
		}
		if e = w.table.find(short); e != nil {
			return e, stretched
		}
	}
	return w.table.find(w.bare(word)), 1
}

// bare cuts Arabic conjunction, preposition and article and French and Italian elided words off. What is left may be
// empty.
func (w *walk) bare(word []byte) []byte {
	switch w.lang {
	case ar:
		short := bytes.TrimPrefix(word, []byte("و"))
		for _, p := range [...]string{"بال", "ال", "لل", "ب"} {
			if len(short) > len(p)+4 && string(short[:len(p)]) == p {
				return short[len(p):]
			}
		}
		return short
	case fr, it:
		if i := bytes.IndexByte(word, '\''); i >= 0 {
			return word[i+1:]
		}
	}
	return nil
}

// phrase returns the longest phrase of e that the tokens from i on spell, and its number of tokens.
func (w *walk) phrase(e *entry, i int) (*phrase, int) {
	for k := range e.phrases {
		p := &e.phrases[k]
		if w.spells(p, i+1) {
			return p, 1 + len(p.rest)
		}
	}
	return nil, 0
}

// addPhrase records a phrase that begins with token t. Words before it change its valence as they change a word's,
// unless it has a negator of its own: then it says all there is to say.
func (w *walk) addPhrase(t *rules.Token, p *phrase, own bool) {
	v := p.valence
	if !own {
		v = w.modified(t, v)
	}
	w.add(t, v)
	w.hit(w.count - 1).denied = v > 0 && (own || p.valence < 0)
}

// negated reports whether a negator is part of the phrase: "can't complain".
func (p *phrase) negated(t *table) bool {
	for _, word := range p.rest {
		if e := t.words[word]; e != nil && e.roles&negates != 0 {
			return true
		}
	}
	return false
}

func (w *walk) spells(p *phrase, i int) bool {
	if i+len(p.rest) > w.stop {
		return false
	}
	for k, want := range p.rest {
		if w.doc.Tokens[i+k].Kind == rules.Punct || w.isMuted(i+k) {
			return false
		}
		got := w.doc.Folded(i + k)
		if string(got) == want {
			continue
		}
		if !p.open || k < len(p.rest)-1 || !bytes.HasPrefix(got, []byte(want)) {
			return false
		}
	}
	return true
}

func (w *walk) hashtag(t *rules.Token, i int) {
	if w.table == nil {
		return
	}
	if e := w.table.find(w.doc.Folded(i)); e != nil && e.valence != 0 {
		w.add(t, e.valence)
		w.hit(w.count - 1).tag = true
	}
}

// add records a hit that begins with token t.
func (w *walk) add(t *rules.Token, v float32) {
	if w.but {
		v *= afterBut
	}
	h := hit{value: v, clause: t.Clause, word: t.Words, negated: w.not.reaches(t, scope)}
	if w.count < len(w.room) {
		w.room[w.count] = h
	} else {
		w.spill = append(w.spill, h)
	}
	w.count++
}

// hit returns hit i, in the order of the text.
func (w *walk) hit(i int) *hit {
	if i < len(w.room) {
		return &w.room[i]
	}
	return &w.spill[i-len(w.room)]
}

// onlyDenied reports whether every negative word of the text is negated, and there is one.
func (w *walk) onlyDenied() bool {
	denied := false
	for i := range w.count {
		h := w.hit(i)
		if h.value < 0 {
			return false
		}
		denied = denied || h.denied
	}
	return denied && w.open == 0
}
