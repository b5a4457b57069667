package sentiment

import (
	"unicode/utf8"

	"emberwatch/rules"
)

// How much of a text is read. Nothing that people write to a brand is longer, and a megabyte of noise must not cost
// more than a page.
const (
	maxUnits  = 3000 // words, emoji and signs
	maxLetter = 40   // letters of one word
	longest   = 5    // letters of a gram
	shortest  = 3
)

// unit is a word, number, hashtag, emoji or run of signs with what was read of it.
type unit struct {
	token int32 // the first
	last  int32
	kind  rules.TokenKind
	hash  uint32 // of the word as it is compared
	grams int32  // where its grams end in grams; they begin where those of the unit before end
	lid   int32  // where its pieces end in lid, likewise
	muted bool   // a name, or a brand's lexicon says what it means
}

// reading is a text cut into hashed pieces. Its buffers are used again and again.
type reading struct {
	doc   *rules.Doc
	units []unit
	grams []uint32 // of all words, one after the other
	lid   []uint32 // what the language table looks at

	letters   [scripts]int
	strange   int // letters that Russian and Arabic do not have but their neighbours do
	stretched int // words with a letter three or more times in a row
	uppers    int // words in capitals
	wordCount int // words and hashtags
	stop      int // the token after the last one that was read
	emoji     int

	word  [4*maxLetter + 16]byte
	ends  [maxLetter + 6]int16 // where the letters of word begin, and its end
	count int                  // of letters in word
}

// read cuts doc into pieces.
func (r *reading) read(doc *rules.Doc) {
	*r = reading{doc: doc, units: r.units[:0], grams: r.grams[:0], lid: r.lid[:0]}
	for i := 0; i < len(doc.Tokens) && len(r.units) < maxUnits; i++ {
		switch t := &doc.Tokens[i]; t.Kind {
		case rules.Word, rules.Hashtag:
			r.wordCount++
			r.spell(doc.Folded(i))
			r.addWord(i, t.Kind)
			if t.Upper && t.End-t.Start > 2 {
				r.uppers++
			}
		case rules.Number:
			r.spell(doc.Folded(i))
			r.add(i, i, t.Kind, fnv(fnvStart, r.word[1:r.ends[r.count-1]]))
		case rules.Emoji:
			r.emoji++
			r.add(i, i, t.Kind, fnv(fnvStart, doc.Folded(i)))
		case rules.Punct:
			i = r.signs(i)
		}
		r.stop = i + 1
	}
}

func (r *reading) add(first, last int, k rules.TokenKind, h uint32) {
	r.units = append(r.units, unit{token: int32(first), last: int32(last), kind: k, hash: h, grams: int32(len(r.grams)), lid: int32(len(r.lid))})
}

// spell puts a folded word into r.word between two underscores: digits as 0, ß as ss, no letter more than twice in a
// row.
func (r *reading) spell(folded []byte) {
	b := append(r.word[:0], '_')
	r.ends[0], r.count = 0, 1
	var before rune
	run, stretched := 0, false
	for len(folded) > 0 && r.count <= maxLetter {
		c, n := rune(folded[0]), 1
		if c >= utf8.RuneSelf {
			c, n = utf8.DecodeRune(folded)
		}
		folded = folded[n:]
		switch {
		case '0' <= c && c <= '9':
			c = '0'
		case c == 'ß':
			r.ends[r.count] = int16(len(b))
			b = append(b, 's')
			r.count++
			c = 's'
		}
		if c >= 0x0400 && strange(c) {
			r.strange++
		}
		if c != before {
			before, run = c, 0
		}
		if run++; run > 2 {
			stretched = stretched || c != '0'
			continue
		}
		r.ends[r.count] = int16(len(b))
		b = utf8.AppendRune(b, c)
		r.count++
	}
	r.ends[r.count] = int16(len(b))
	b = append(b, '_')
	r.count++
	r.ends[r.count] = int16(len(b))
	if stretched {
		r.stretched++
	}
}

// addWord adds the spelled word and its grams.
func (r *reading) addWord(i int, k rules.TokenKind) {
	b := r.word[:r.ends[r.count]]
	inner := b[1 : len(b)-1]
	h := fnv(fnvStart, inner)
	r.letters[scriptOf(inner)] += r.count - 2
	learn := len(r.lid) < maxLid
	if learn {
		r.lid = append(r.lid, mix(h, kindLidWord))
	}
	for from := range r.count {
		g := fnvStart
		for n := 1; n <= longest && from+n <= r.count; n++ {
			g = fnv(g, b[r.ends[from+n-1]:r.ends[from+n]])
			if n >= shortest {
				r.grams = append(r.grams, mix(g, kindGram))
			}
			if learn && (n > 1 || b[r.ends[from]] >= utf8.RuneSelf) { // one letter tells if it is not everybody's
				r.lid = append(r.lid, mix(g, kindLid))
			}
		}
	}
	r.add(i, i, k, h)
}

// signs reads the signs from token i on that touch each other as one piece (":-(", "?!"), each at most three times, and
// returns the last token it used. A mouth that is a letter or digit belongs to it (":D", "<3").
func (r *reading) signs(i int) int {
	h, first := fnvStart, i
	for ; ; i++ {
		raw := r.doc.Raw(i)
		_, n := utf8.DecodeRuneInString(raw)
		h = fnvString(h, raw[:min(len(raw), 3*n)])
		if i+1 == len(r.doc.Tokens) {
			break
		}
		next := &r.doc.Tokens[i+1]
		if next.Start != r.doc.Tokens[i].End {
			break
		}
		if next.Kind != rules.Punct {
			if next.End-next.Start == 1 && (next.Kind == rules.Word || next.Kind == rules.Number) && mouth(raw, r.doc.Raw(i+1)) {
				i++
				h = fnv(h, r.doc.Folded(i))
			}
			break
		}
	}
	r.add(first, i, rules.Punct, h)
	return i
}

// mouth reports whether a letter or digit completes a face or a heart that the sign begins.
func mouth(eyes, s string) bool {
	switch eyes {
	case ":", ";", "=", ":-", "-":
		return face(s) != 0
	case "<":
		return s == "3"
	}
	return false
}
