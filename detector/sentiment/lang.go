package sentiment

import (
	"math/bits"
	"strings"
	"unicode/utf8"

	"emberwatch/rules"
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
	other // a language without a lexicon here
	und   // nothing to go by
)

const known = int(other) // how many languages have a lexicon

var codes = [...]string{"en", "de", "ru", "ar", "sv", "es", "fr", Und, Und}

// Und is the code of a language that is not known.
const Und = "und"

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

// set is a set of languages, other included.
type set uint16

func of(ls ...lang) (s set) {
	for _, l := range ls {
		s |= 1 << l
	}
	return s
}

// votes counts what speaks for each language, in sixtieths of a word: 60 is the smallest number that one, two,
// three, four, five and six languages can share.
type votes [other + 1]int

func (v *votes) add(s set, weight int) {
	if s == 0 {
		return
	}
	share := weight / bits.OnesCount16(uint16(s))
	for ; s != 0; s &= s - 1 {
		v[bits.TrailingZeros16(uint16(s))] += share
	}
}

const (
	oneWord = 60
	// overrule is by how much the words must speak against a hint before they outweigh it.
	overrule = 3 * oneWord
	// longEnough is how many words need no more doubt about the language.
	longEnough = 60
)

// identify returns the language of doc. A hint that the letters allow is believed unless the words speak clearly
// for another language.
func (l *Lexicon) identify(doc *rules.Doc, hint string) lang {
	var v votes
	var letters [scripts]int
	words := 0
	for i := range doc.Tokens {
		if doc.Tokens[i].Kind != rules.Word {
			continue
		}
		w := doc.Folded(i)
		v.add(l.voters[string(w)], oneWord)
		letters[scriptOf(w)] += len(w)
		v.spell(w)
		if len(w) > 3 && w[1] == '\'' { // l'eau, d'or
			v.add(of(fr, other), oneWord)
		}
		if words++; words == longEnough {
			break
		}
	}
	return v.decide(largest(letters), parseHint(hint))
}

func (v *votes) decide(s script, hint lang) lang {
	first := other
	switch s {
	case scripts:
		return hint
	case foreign:
		return other
	case cyrillic:
		v[ru] += oneWord // the letters alone speak for it
	case arabic:
		v[ar] += oneWord
	}
	for l := en; l < other; l++ {
		if l.script() == s && v[l] > v[first] {
			first = l
		}
	}
	if hint == und || hint != other && hint.script() != s {
		if v[first] == 0 {
			return und
		}
		return first
	}
	if v[first]-v[hint] >= overrule {
		return first
	}
	return hint
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

// spell lets the letters of a folded word speak that few languages have.
func (v *votes) spell(word []byte) {
	for len(word) > 0 {
		r, n := utf8.DecodeRune(word)
		word = word[n:]
		switch r {
		case 'ß':
			v.add(of(de), oneWord)
		case 'ä', 'ö':
			v.add(of(de, sv), oneWord)
		case 'ü':
			v.add(of(de), oneWord/2)
		case 'å':
			v.add(of(sv), oneWord/2)
		case 'ñ':
			v.add(of(es), oneWord)
		case 'á', 'í', 'ó', 'ú':
			v.add(of(es), oneWord/3)
		case 'à', 'è', 'ù':
			v.add(of(fr, other), oneWord/2)
		case 'é':
			v.add(of(fr, es), oneWord)
		case 'ç', 'ê', 'â', 'ô':
			v.add(of(fr, other), oneWord/2)
		case 'î', 'û', 'œ', 'ë', 'ï':
			v.add(of(fr), oneWord/2)
		case 'ã', 'õ', 'ł', 'ą', 'ę', 'ż', 'ź', 'ś', 'ć', 'ń', 'æ', 'ø', 'ğ', 'ş', 'ı', 'ţ', 'ș', 'ț', 'ă', 'ř', 'ě', 'š', 'č', 'ž', 'ő', 'ű', 'ò', 'ì':
			v.add(of(other), oneWord)
		case 'і', 'ї', 'є', 'ґ', 'ў', 'ђ', 'ј', 'љ', 'њ', 'ћ', 'џ', 'ө', 'ү', 'ә', 'қ', 'ғ':
			v.add(of(other), oneWord)
		case 'پ', 'چ', 'ژ', 'گ', 'ٹ', 'ڈ', 'ں', 'ے':
			v.add(of(other), oneWord/2)
		}
	}
}
