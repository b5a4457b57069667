package sentiment

import (
	"math"

	"emberwatch/rules"
)

// Feature is one thing a text has, as the row it has in a table of 2^32 and its value.
type Feature struct {
	Hash  uint32
	Value float32
}

// How much a feature of the whole text weighs beside the words and the grams, which share one unit each.
const shapeValue = 0.2

// Extractor finds the features of texts, one after the other; it is not safe for concurrent use. Model and trainer share
// it, so that a model is used on what it was trained on.
type Extractor struct {
	langs *Languages
	lex   *Lexicon

	reading
	lang  lang
	walk  walk
	words []uint32  // of words, pairs, denied words, emoji and signs
	owner []int32   // the unit of each of words; a pair belongs to its second
	shape []Feature // of the whole text
	mute  []int32   // tokens that a brand's lexicon speaks about
	meant int       // words that a brand's lexicon puts on the positive side, less those it puts on the negative
}

// NewExtractor returns an extractor that tells languages apart by langs.
func NewExtractor(langs *Languages, lex *Lexicon) *Extractor {
	return &Extractor{langs: langs, lex: lex}
}

// Features appends the features of doc to dst. The hint is a language tag or empty.
func (x *Extractor) Features(dst []Feature, doc *rules.Doc, hint string) []Feature {
	x.extract(doc, hint, nil)
	w := groupValue(len(x.words))
	for _, h := range x.words {
		dst = append(dst, Feature{h, w})
	}
	g := groupValue(len(x.grams))
	for _, h := range x.grams {
		dst = append(dst, Feature{h, g})
	}
	return append(dst, x.shape...)
}

// LanguageFeatures appends what the language of doc is told by.
func (x *Extractor) LanguageFeatures(dst []uint32, doc *rules.Doc) []uint32 {
	x.read(doc)
	return append(dst, x.lid...)
}

// Lang returns the language that the last text was taken for.
func (x *Extractor) Lang() string { return codes[x.lang] }

// groupValue is the value of each of n features of a group, so that long texts do not shout.
func groupValue(n int) float32 {
	if n == 0 {
		return 0
	}
	return float32(1 / math.Sqrt(float64(n)))
}

// extract reads doc and finds all its features.
func (x *Extractor) extract(doc *rules.Doc, hint string, senses []rules.Sense) {
	x.read(doc)
	x.lang = x.langs.identify(&x.reading, hint)
	x.find(senses)
}

// find finds the features of what was read, in the language x.lang.
func (x *Extractor) find(senses []rules.Sense) {
	x.meant, x.mute = 0, x.mute[:0]
	if len(senses) > 0 {
		x.mean(senses)
	}
	x.muteNames()
	x.walk = walk{doc: x.doc, lex: x.lex, lang: x.lang, spill: x.walk.spill[:0], mute: x.mute}
	if x.lang < other {
		x.walk.table = &x.lex.tables[x.lang]
	}
	x.walk.run()
	x.words, x.owner, x.shape = x.words[:0], x.owner[:0], x.shape[:0]
	x.ofWords()
	x.ofText()
}

func (x *Extractor) has(unit int, h uint32) {
	x.words = append(x.words, h)
	x.owner = append(x.owner, int32(unit))
}

func (x *Extractor) ofWords() {
	not := nowhere
	for i := range x.units {
		u := &x.units[i]
		t := &x.doc.Tokens[u.token]
		if u.muted {
			continue
		}
		switch u.kind {
		case rules.Emoji, rules.Punct:
			x.has(i, mix(u.hash, kindSign))
			continue
		}
		x.has(i, mix(u.hash, kindWord))
		x.has(i, mix(join(u.hash, uint32(x.lang)), kindSpoken))
		if not.reaches(t, scope) {
			x.has(i, mix(u.hash, kindDenied))
		}
		if u.kind == rules.Word && x.walk.table != nil {
			if e := x.walk.table.find(x.doc.Folded(int(u.token))); e != nil && e.roles&negates != 0 {
				not = mark{t.Clause, t.Words}
			}
		}
		if i > 0 && u.kind != rules.Hashtag {
			x.pair(i, t)
		}
	}
}

// pair adds what units i-1 and i are together, if they stand in one sentence. Hashtags pair with nothing: their order
// means nothing.
func (x *Extractor) pair(i int, t *rules.Token) {
	before := &x.units[i-1]
	if before.kind != rules.Word && before.kind != rules.Number || before.muted {
		return
	}
	if x.doc.Tokens[before.token].Sentence == t.Sentence {
		x.has(i, mix(join(before.hash, x.units[i].hash), kindPair))
	}
}

// The places of the features of the whole text.
const (
	shapeLength = iota
	shapeExclaims
	shapeQuestions
	shapeStretched
	shapeEmoji
	shapeUppers
	shapeNegative
	shapePositive
	shapeBalance
	shapeOpen
	shapeHits
	shapeFirst
	shapeLast
	shapeLowest
	shapeHighest
)

func (x *Extractor) ofText() {
	w := &x.walk
	x.shape = append(x.shape, Feature{mix(uint32(x.lang), kindTongue), shapeValue})
	x.say(shapeLength, bucket(x.wordCount, 3, 6, 10, 15, 22, 35, 70))
	x.say(shapeExclaims, w.exclaims)
	x.say(shapeQuestions, w.questions)
	x.say(shapeStretched, min(x.stretched, 2))
	x.say(shapeEmoji, min(x.emoji, 3))
	neg, pos := w.sums()
	x.tell(shapeNegative, step(neg))
	x.tell(shapePositive, step(pos))
	x.tell(shapeBalance, step(pos-neg)+20)
	x.tell(shapeOpen, w.open)
	x.tell(shapeHits, min(w.count, 4))
	if w.count == 0 {
		return
	}
	low, high := w.extremes()
	if first, last := w.ends(); first != nil {
		x.tell(shapeFirst, grade(first.value))
		x.tell(shapeLast, grade(last.value))
	}
	x.tell(shapeLowest, int(2*low))
	x.tell(shapeHighest, int(2*high))
}

// say adds a feature of the whole text.
func (x *Extractor) say(place, value int) {
	x.shape = append(x.shape, Feature{mix(uint32(place)<<16|uint32(value&0xFFFF), kindShape), shapeValue})
}

// tell adds a feature of the word lists, for all languages and for the one of the text.
func (x *Extractor) tell(place, value int) {
	h := uint32(place)<<16 | uint32(value&0xFFFF)
	x.shape = append(x.shape,
		Feature{mix(h, kindHit), hitValue},
		Feature{mix(join(h, uint32(x.lang)+1), kindHit), hitValue})
}

const hitValue = 0.2

// grade sorts a valence into one of six.
func grade(v float32) int {
	switch {
	case v <= -2.5:
		return 1
	case v < -0.5:
		return 2
	case v < 0:
		return 3
	case v < 0.5:
		return 4
	case v < 2.5:
		return 5
	}
	return 6
}

func bucket(n int, bounds ...int) int {
	for i, b := range bounds {
		if n < b {
			return i
		}
	}
	return len(bounds)
}

// step is a sum of valences in steps that grow.
func step(v float64) int {
	sign := 1
	if v < 0 {
		v, sign = -v, -1
	}
	switch {
	case v < 0.3:
		return 0
	case v < 6:
		return sign * (1 + int(v*1.5))
	}
	return sign * 11
}

// crowd says how fast hits count less the more there are: by 1/sqrt(1+crowd*hits).
const crowd = 0.3

// sums are the negative and the positive valences of a text, as positive numbers, long texts discounted.
func (w *walk) sums() (neg, pos float64) {
	for i := range w.count {
		if v := float64(w.hit(i).value); v < 0 {
			neg -= v
		} else {
			pos += v
		}
	}
	n := 1 / math.Sqrt(1+crowd*float64(w.count))
	return neg * n, pos * n
}

// extremes are the lowest valence, at most 0, and the highest, at least 0.
func (w *walk) extremes() (low, high float32) {
	for i := range w.count {
		v := w.hit(i).value
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

// ends are the first and the last hit. Hashtags do not count: their order means nothing.
func (w *walk) ends() (first, last *hit) {
	for i := range w.count {
		h := w.hit(i)
		if h.tag {
			continue
		}
		if first == nil {
			first = h
		}
		last = h
	}
	return first, last
}
