package sentiment

import (
	"unicode"
	"unicode/utf8"

	"emberwatch/rules"
)

// muteNames takes names out: whom a text speaks about must not move its score. A name is a word within a sentence that
// begins with a capital, unless the word lists know it. Where most words begin so, and in German, where every noun does,
// nothing is told by it.
func (x *Extractor) muteNames() {
	if x.lang == de || x.lang >= other {
		return
	}
	words, capitals, names := 0, 0, 0
	for i := range x.units {
		if x.units[i].kind != rules.Word {
			continue
		}
		words++
		if !x.capital(i) {
			continue
		}
		capitals++
		if x.inSentence(i) && !x.listed(i) {
			names++
		}
	}
	if names == 0 || 2*capitals > words+2 {
		return
	}
	for i := range x.units {
		if u := &x.units[i]; u.kind == rules.Word && x.capital(i) && x.inSentence(i) && !x.listed(i) {
			u.muted = true
		}
	}
	x.dropMuted()
}

// capital reports whether unit i begins with a capital and goes on with a small letter.
func (x *Extractor) capital(i int) bool {
	t := &x.doc.Tokens[x.units[i].token]
	first, _ := utf8.DecodeRuneInString(x.doc.Text[t.Start:t.End])
	folded := x.doc.Folded(int(x.units[i].token)) // in NFC, as the raw text need not be
	_, n := utf8.DecodeRune(folded)
	second, _ := utf8.DecodeRune(folded[n:])
	return unicode.IsUpper(first) && !t.Upper && unicode.IsLetter(second) // "I'm" is no name
}

func (x *Extractor) inSentence(i int) bool {
	return i > 0 && x.doc.Tokens[x.units[i].token].Sentence == x.doc.Tokens[x.units[i-1].token].Sentence && x.units[i-1].kind != rules.Punct
}

func (x *Extractor) listed(i int) bool {
	e := x.lex.tables[x.lang].find(x.doc.Folded(int(x.units[i].token)))
	return e != nil && (e.valence != 0 || e.roles != 0)
}
