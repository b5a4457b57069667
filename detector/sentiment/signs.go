package sentiment

import (
	"unicode/utf8"

	"emberwatch/rules"
)

// sign looks at a run of one sign: emphasis, or the mouth of an emoticon.
func (w *walk) sign(t *rules.Token, i int) {
	raw := w.doc.Raw(i)
	r, n := utf8.DecodeRuneInString(raw)
	count := len(raw) / n
	switch r {
	case '!':
		w.exclaims = min(w.exclaims+count, maxExclaim)
	case '?', '؟':
		w.questions = min(w.questions+count, maxQuestions)
	case ')':
		w.closing(i, count)
	case '(':
		w.opening(i, count)
	case '/', '\\', '|':
		if count == 1 && w.eyes(i) {
			w.emoticon(i-1, -1)
		}
	case ']':
		if w.eyes(i) {
			w.emoticon(i-1, 1.5)
		}
	}
}

// closing reads ")": a smile after eyes, and where nothing is open. Alone it is one in Russian only.
func (w *walk) closing(i, count int) {
	switch {
	case w.eyes(i):
		w.emoticon(i-1, 1.5)
	case w.parens > 0:
		w.parens = max(0, w.parens-count)
	case count > 1 || w.lang == ru && i > 0 && w.doc.Tokens[i-1].Kind == rules.Word:
		w.emoticon(i, 1)
	}
}

func (w *walk) opening(i, count int) {
	switch {
	case w.eyes(i):
		w.emoticon(i-1, -2)
	case count > 1:
		w.emoticon(i, -1.5)
	default:
		w.parens++
	}
}

// eyes reports whether the sign i touches eyes, or a nose or tear that touches eyes.
func (w *walk) eyes(i int) bool {
	if w.touches(i, "-") || w.touches(i, "'") {
		i--
	}
	return w.touches(i, ":") || w.touches(i, ";") || w.touches(i, "=")
}

// touches reports whether token i directly follows the sign s.
func (w *walk) touches(i int, s string) bool {
	if i == 0 {
		return false
	}
	before := &w.doc.Tokens[i-1]
	return before.Kind == rules.Punct && before.End == w.doc.Tokens[i].Start && w.doc.Raw(i-1) == s
}

// face returns the valence of a letter as the mouth after eyes.
func face(s string) float32 {
	switch s {
	case "D", "d", "DD", "P", "p", "3":
		return 1.5
	case "S", "s", "C", "c":
		return -1
	}
	return 0
}

// emoticon records the tokens from first on as one picture.
func (w *walk) emoticon(first int, v float32) {
	w.emoji++
	w.add(&w.doc.Tokens[first], v)
}

// squeeze appends word to dst with every run of more than two equal letters cut to keep. A word without such a run,
// or one too long for dst, comes back as it is.
func squeeze(dst, word []byte, keep int) []byte {
	if len(word) > cap(dst) {
		return word
	}
	for i := 0; i < len(word); {
		_, n := utf8.DecodeRune(word[i:])
		letter := word[i : i+n]
		run := 1
		for j := i + n; j+n <= len(word) && string(word[j:j+n]) == string(letter); j += n {
			run++
		}
		if run < 3 {
			dst = append(dst, word[i:i+n*run]...)
		} else {
			for range keep {
				dst = append(dst, letter...)
			}
		}
		i += n * run
	}
	return dst
}
