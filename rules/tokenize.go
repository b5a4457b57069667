package rules

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// scanner cuts one text. Every step moves pos forward by what it reads, and no step looks at a rune more
// than a constant number of times.
type scanner struct {
	doc  *Doc
	text string
	pos  int

	sentence, clause, words int
	endSentence, endClause  bool // the next token that is no sign begins a new one
}

func (s *scanner) run() {
	for s.pos < len(s.text) {
		r, n := s.peek(s.pos)
		switch classOf(r) {
		case classSpace:
			s.space(r, n)
		case classIgnore, classMark: // nothing before it that it could join
			s.pos += n
		case classLetter:
			s.word()
		case classDigit:
			s.digits()
		case classSingle:
			s.single(n)
		case classEmoji:
			s.emoji(r, n)
		default:
			s.sign(r, n)
		}
	}
}

// peek decodes the rune at i. A broken byte reads as a space, the end of the text as zero bytes of one.
func (s *scanner) peek(i int) (rune, int) {
	if i < len(s.text) && s.text[i] < utf8.RuneSelf {
		return rune(s.text[i]), 1
	}
	r, n := utf8.DecodeRuneInString(s.text[i:])
	if r == utf8.RuneError && n <= 1 {
		return ' ', n
	}
	return r, n
}

func (s *scanner) space(r rune, n int) {
	if r == '\n' || r == 0x2028 || r == 0x2029 {
		s.endSentence = true
	}
	s.pos += n
}

// add appends the token text[s.pos:end] whose folded form comes from text[body:end], and moves on.
func (s *scanner) add(kind TokenKind, body, end int, marks bool) *Token {
	d := s.doc
	if kind != Punct {
		s.begin()
	}
	from := len(d.fold)
	raw := s.text[body:end]
	if marks && !norm.NFC.IsNormalString(raw) {
		d.scratch = norm.NFC.AppendString(d.scratch[:0], raw)
		for b := d.scratch; len(b) > 0; {
			r, n := utf8.DecodeRune(b)
			b = b[n:]
			d.fold = appendFoldRune(d.fold, r)
		}
	} else {
		d.fold = appendFold(d.fold, raw)
	}
	d.Tokens = append(d.Tokens, Token{
		Kind: kind, Start: s.pos, End: end, foldStart: from, foldEnd: len(d.fold),
		Sentence: s.sentence, Clause: s.clause, Words: s.words,
	})
	t := &d.Tokens[len(d.Tokens)-1]
	if t.Counts() {
		s.words++
	}
	s.pos = end
	return t
}

// begin starts the sentence or clause that the signs before have announced.
func (s *scanner) begin() {
	started := len(s.doc.Tokens) > 0
	if s.endSentence && started {
		s.sentence++
	}
	if (s.endSentence || s.endClause) && started {
		s.clause++
	}
	s.endSentence, s.endClause = false, false
}

// stretch is a run of letters, digits and marks, with apostrophes between letters.
type stretch struct {
	end             int
	letters, uppers int
	marks           bool // it may not be in NFC
}

func (s *scanner) stretch(i int) stretch {
	var st stretch
	for i < len(s.text) {
		r, n := s.peek(i)
		switch classOf(r) {
		case classLetter:
			st.letters++
			if unicode.IsUpper(r) {
				st.uppers++
			}
			st.marks = st.marks || isJamo(r)
		case classDigit:
		case classMark:
			st.marks = st.marks || mayCompose(r)
		case classIgnore:
			i += n
			continue // part of the word only if more of it follows
		default:
			if st.end != i || !isApostrophe(r) {
				return st
			}
			if next, _ := s.peek(i + n); classOf(next) != classLetter {
				return st
			}
		}
		i += n
		st.end = i
	}
	return st
}

func (s *scanner) word() {
	if end, ok := s.link(); ok {
		s.add(Link, s.pos, end, false)
		return
	}
	st := s.stretch(s.pos)
	s.add(Word, s.pos, st.end, st.marks).Upper = st.letters > 1 && st.letters == st.uppers
}

// digits reads a number, or a word that begins with digits ("2nd", "4G").
func (s *scanner) digits() {
	if end, ok := s.keycap(s.pos + 1); ok {
		s.add(Emoji, s.pos, end, false)
		return
	}
	st := s.stretch(s.pos)
	if st.letters > 0 {
		s.add(Word, s.pos, st.end, st.marks)
		return
	}
	end := st.end
	for end < len(s.text) {
		switch s.text[end] {
		case '.', ',', ':':
		default:
			s.add(Number, s.pos, end, false)
			return
		}
		r, n := s.peek(end + 1)
		if n == 0 || classOf(r) != classDigit {
			break
		}
		for end++; n > 0 && classOf(r) == classDigit; r, n = s.peek(end) {
			end += n
		}
	}
	s.add(Number, s.pos, end, false)
}

// single reads one rune of an unspaced script with the marks on it.
func (s *scanner) single(n int) {
	end, marks := s.pos+n, false
	for end < len(s.text) {
		r, n := s.peek(end)
		if classOf(r) != classMark {
			break
		}
		end, marks = end+n, marks || mayCompose(r)
	}
	s.add(Word, s.pos, end, marks)
}

func (s *scanner) sign(r rune, n int) {
	switch r {
	case '#', '＃':
		if s.hashtag(n) {
			return
		}
	case '@', '＠':
		if s.handle(n) {
			return
		}
	case '<':
		if s.placeholder() {
			return
		}
	case '*':
		if end, ok := s.keycap(s.pos + 1); ok {
			s.add(Emoji, s.pos, end, false)
			return
		}
	}
	if next, m := s.peek(s.pos + n); m > 0 && next == 0xFE0F { // ©️, ™️, ↗️
		s.emoji(r, n)
		return
	}
	end := s.pos + n
	for strings.HasPrefix(s.text[end:], s.text[s.pos:s.pos+n]) {
		end += n
	}
	s.mark(r, end)
	s.add(Punct, s.pos, end, false)
}

// mark remembers what the sign that ends at end announces. A point or colon within "3.50", "e.g" or
// "10:30" announces nothing.
func (s *scanner) mark(r rune, end int) {
	next, n := s.peek(end)
	inner := n > 0 && classOf(next) != classSpace
	switch {
	case endsSentence(r) && !(r == '.' && inner):
		s.endSentence = true
	case endsClause(r) && !((r == '/' || r == ':') && inner), r == '-' && !inner:
		s.endClause = true
	}
}
