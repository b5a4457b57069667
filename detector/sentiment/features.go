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

// Extractor finds the features of texts, one after the other; it is not safe for concurrent use. Model and trainer share
// it, so that a model is used on what it was trained on.
type Extractor struct {
	langs *Languages
	lex   *Lexicon

	reading
	lang  lang
	walk  walk
	words []uint32  // of words, pairs, denied words, emoji and signs
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
	x.mean(senses)
	x.lang = x.langs.identify(&x.reading, hint)
	x.find()
}

// find finds the features of what was read, in the language x.lang.
func (x *Extractor) find() {
	x.muteNames()
	x.walk = walk{doc: x.doc, lex: x.lex, lang: x.lang, spill: x.walk.spill[:0], stop: x.stop, mute: x.mute}
	if x.lang < other {
		x.walk.table = &x.lex.tables[x.lang]
	}
	x.walk.run()
	x.words, x.shape = x.words[:0], x.shape[:0]
	x.ofWords()
	x.ofText()
}

func (x *Extractor) has(hash uint32, k kind) { x.words = append(x.words, mix(hash, k)) }

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
			x.has(u.hash, kindSign)
			continue
		}
		x.has(u.hash, kindWord)
		x.has(join(u.hash, uint32(x.lang)), kindSpoken)
		if not.reaches(t, scope) {
			x.has(u.hash, kindDenied)
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
		x.has(join(before.hash, x.units[i].hash), kindPair)
	}
}
