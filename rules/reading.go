package rules

import (
	"bytes"
	"unicode"
)

// readings gives the forms in which a token may match a term: as it is, without the possessive or plural
// s, without a French elision, without Arabic prefixes, and for a hashtag each word of it. It keeps its
// memory from token to token.
type readings struct {
	forms [][]byte
	buf   []byte
}

// least is how many bytes must be left of a word that something was taken from.
const least = 4

// of returns the forms of token i; they are valid until the next call.
func (r *readings) of(d *Doc, i int) [][]byte {
	word := d.Folded(i)
	r.forms = append(r.forms[:0], word)
	switch d.Tokens[i].Kind {
	case Hashtag:
		r.hashtag(d.Raw(i))
	case Word:
		r.word(word)
	}
	return r.forms
}

func (r *readings) word(word []byte) {
	if len(word) == 0 {
		return
	}
	if first := word[0]; 0xD8 <= first && first <= 0xDB {
		r.arabic(word)
		return
	}
	if at := bytes.IndexByte(word, '\''); at > 0 {
		rest := word[at+1:]
		switch {
		case string(rest) == "s":
			word = word[:at]
			r.forms = append(r.forms, word)
		case isElision(word[:at]) && len(rest) > 1:
			word = rest
			r.forms = append(r.forms, word)
		}
	}
	if n := len(word) - 1; n >= least && word[n] == 's' {
		r.forms = append(r.forms, word[:n])
	}
}

func isElision(b []byte) bool {
	switch string(b) {
	case "l", "d", "j", "n", "s", "c", "m", "t", "qu", "jusqu", "lorsqu", "puisqu":
		return true
	}
	return false
}

// clitics are what Arabic writes together with the word that follows, the longest first.
var clitics = [...]string{"وبال", "ولل", "وال", "بال", "فال", "كال", "لل", "ال", "و", "ف", "ب", "ل", "ك"}

func (r *readings) arabic(word []byte) {
	for _, c := range clitics {
		if len(word) >= len(c)+2*least-2 && string(word[:len(c)]) == c {
			r.forms = append(r.forms, word[len(c):])
		}
	}
}

// hashtag adds the words of #CamelCase and #snake_case that have at least four letters.
func (r *readings) hashtag(raw string) {
	r.buf = r.buf[:0]
	from, letters, parts, before := 0, 0, 0, rune(0)
	flush := func() {
		if letters >= least {
			r.forms = append(r.forms, r.buf[from:])
		}
		from, letters = len(r.buf), 0
		parts++
	}
	for i, c := range raw {
		if i == 0 {
			continue // the sign
		}
		if c == '_' || unicode.IsUpper(c) && unicode.IsLower(before) {
			flush()
		}
		if c != '_' {
			r.buf = appendFoldRune(r.buf, c)
			letters++
		}
		before = c
	}
	if parts > 0 {
		flush()
	}
}
