package sentiment

import (
	"math"
	"strings"
	"unicode/utf8"
)

// lang is a known language, or one of the two ways not to know it.
type lang uint8

const (
	en lang = iota
	de
	ru
	ar
	sv
	es
	fr
	it
	pt
	pl
	hi    // in Latin letters, as it is mostly typed
	other // a language that is not known here
	und   // nothing to go by
)

const known = int(other) // how many languages there are

var codes = [...]string{"en", "de", "ru", "ar", "sv", "es", "fr", "it", "pt", "pl", "hi", Und, Und}

// Und is the code of a language that is not known.
const Und = "und"

// Codes are the known languages, in the order of the tables.
func Codes() []string { return codes[:known] }

// script is what letters a language is written with.
type script uint8

const (
	latin script = iota
	cyrillic
	arabic
	foreign
	scripts
)

func (l lang) script() script {
	switch l {
	case ru:
		return cyrillic
	case ar:
		return arabic
	}
	return latin
}

const (
	maxLid = 600 // pieces that the language is told by: more only cost
)

// The language table has 2^LanguageBits rows of LanguageRow weights: one for each known language, one for all others,
// and room.
const (
	LanguageBits = 16
	LanguageRow  = 16
)

// Languages tells languages apart: a linear model on the words and the two to five letters that follow each other in
// them, one row of small weights for each of 2^16 hashes.
type Languages struct {
	rows  []int8 // 2^LanguageBits of LanguageRow
	scale float32
	bias  [known + 1]float32
}

// NewLanguages makes a table of its weights and of one bias for each language and for all others.
func NewLanguages(weights, bias []float32) *Languages {
	features := make([]Weighted, len(weights))
	for i, w := range weights {
		features[i].Negative = w
	}
	l := &Languages{rows: make([]int8, len(weights)), scale: scaleOf(features)}
	for i, w := range weights {
		l.rows[i] = int8(math.Round(float64(max(-127, min(127, w/l.scale)))))
	}
	copy(l.bias[:], bias)
	return l
}

// votes are the log odds of the languages.
type votes [known + 1]float32

func (l *Languages) votes(lid []uint32) (v votes) {
	var sum [LanguageRow]int32
	for _, h := range lid {
		row := l.rows[int(h>>(32-LanguageBits))*LanguageRow:][:LanguageRow]
		for i, w := range row {
			sum[i] += int32(w)
		}
	}
	n := l.scale * groupValue(len(lid))
	for i := range v {
		v[i] = float32(sum[i])*n + l.bias[i]
	}
	return v
}

// first returns the language with the most votes among those written in the script, and its probability among them and
// all others.
func (v *votes) first(s script) (lang, float32) {
	best, sum := other, 0.0
	for i := en; i < other; i++ {
		if i.script() == s && v[i] > v[best] {
			best = i
		}
	}
	for i := en; i <= other; i++ {
		if i == other || i.script() == s {
			sum += math.Exp(float64(v[i] - v[best]))
		}
	}
	return best, float32(1 / sum)
}

// sureEnough is the least probability of a language; below it one text in four would be named rightly.
const sureEnough = 0.3

// strangeShare is how many letters of a Russian or Arabic text there must be for each that neither language has: one
// may be a name or a dialect's.
const strangeShare = 40

// strange reports whether a folded letter belongs to a neighbour of Russian or Arabic in its script: Ukrainian, Serbian,
// Kazakh; Persian, Urdu.
func strange(c rune) bool {
	switch c {
	case 'і', 'ї', 'є', 'ґ', 'ў', 'ђ', 'ј', 'љ', 'њ', 'ћ', 'џ', 'ѓ', 'ќ', 'ѕ', 'ө', 'ү', 'ұ', 'ә', 'қ', 'ғ', 'ң', 'һ',
		'پ', 'چ', 'ژ', 'گ', 'ٹ', 'ڈ', 'ڑ', 'ں', 'ے', 'ھ', 'ۆ', 'ێ', 'ڕ', 'ڵ', 'ټ', 'ښ', 'ځ':
		return true
	}
	return false
}

// overrule is by how much the letters must speak against a hint before they outweigh it.
const overrule = 4

// identify returns the language of a text. A hint that the letters allow is believed unless they speak clearly for
// another language.
func (l *Languages) identify(r *reading, hint string) lang {
	hinted := parseHint(hint)
	s := largest(r.letters)
	switch s {
	case scripts:
		return hinted
	case foreign:
		return other
	case cyrillic, arabic:
		if r.strange > 1 && r.strange*strangeShare >= r.letters[s] {
			return other
		}
	}
	v := l.votes(r.lid)
	first, p := v.first(s)
	switch {
	case hinted == other && v[first]-v[other] < 2*overrule, hinted < other && hinted.script() == s && v[first]-v[hinted] < overrule:
		return hinted
	case p < sureEnough:
		return other
	}
	return first
}

// largest returns the script with the most letters, or scripts if there are none.
func largest(letters [scripts]int) script {
	best := scripts
	for s, n := range letters {
		if n > 0 && (best == scripts || n > letters[best]) {
			best = script(s)
		}
	}
	return best
}

// parseHint reads a language tag: "de", "de-AT", "pt_BR".
func parseHint(tag string) lang {
	if i := strings.IndexAny(tag, "-_"); i >= 0 {
		tag = tag[:i]
	}
	switch tag {
	case "", Und, "mul", "zxx":
		return und
	}
	for l := en; l < other; l++ {
		if strings.EqualFold(tag, codes[l]) {
			return l
		}
	}
	return other
}

// scriptOf returns the script of a folded word by its first letter.
func scriptOf(w []byte) script {
	r, _ := utf8.DecodeRune(w)
	switch {
	case r < 0x0250, 0x1E00 <= r && r < 0x1F00:
		return latin
	case 0x0400 <= r && r < 0x0530:
		return cyrillic
	case 0x0600 <= r && r < 0x0780:
		return arabic
	}
	return foreign
}
