package rules

import "unicode"

// class is what a rune does to the token it stands in.
type class uint8

const (
	classOther class = iota // a sign
	classSpace
	classLetter
	classDigit
	classMark   // joins what is before it
	classIgnore // invisible
	classEmoji
	classSingle // a letter of a script without spaces: a token of its own
)

func classOf(r rune) class {
	if r < 0x80 {
		return asciiClass[r]
	}
	switch {
	case 0xC0 <= r && r <= 0x24F && r != 0xD7 && r != 0xF7,
		0x0400 <= r && r <= 0x0481, 0x048A <= r && r <= 0x052F,
		0x0620 <= r && r <= 0x064A, 0x0671 <= r && r <= 0x06D3:
		return classLetter
	case isIgnorable(r):
		return classIgnore
	case isEmoji(r):
		return classEmoji
	case unicode.IsLetter(r):
		if isUnspaced(r) {
			return classSingle
		}
		return classLetter
	case unicode.IsNumber(r):
		return classDigit
	case unicode.IsMark(r):
		return classMark
	case unicode.IsSpace(r), unicode.IsControl(r):
		return classSpace
	case isCompat(r) && unicode.IsSymbol(r) && 0x2460 <= r && r <= 0x24FF:
		return classLetter // circled letters
	}
	return classOther
}

var asciiClass = func() (t [0x80]class) {
	for r := range rune(0x80) {
		switch {
		case r <= ' ' || r == 0x7F:
			t[r] = classSpace
		case '0' <= r && r <= '9':
			t[r] = classDigit
		case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z':
			t[r] = classLetter
		}
	}
	return t
}()

// isUnspaced reports whether r is written without spaces between words.
func isUnspaced(r rune) bool {
	switch {
	case r < 0x0E00:
		return false
	case r <= 0x0EFF: // Thai, Lao
		return true
	case 0x1000 <= r && r <= 0x109F, 0x1780 <= r && r <= 0x17FF: // Burmese, Khmer
		return true
	case 0x2E80 <= r && r <= 0x312F, 0x3190 <= r && r <= 0x9FFF, 0xF900 <= r && r <= 0xFAFF: // kana, Han
		return true
	case 0xFF66 <= r && r <= 0xFF9D, 0x20000 <= r && r <= 0x3FFFF: // half-width kana, Han
		return true
	}
	return false
}

// isEmoji reports whether r begins an emoji even without a variation selector.
func isEmoji(r rune) bool {
	switch {
	case r < 0x203C:
		return false
	case 0x1F000 <= r && r <= 0x1FAFF:
		return true
	case 0x2600 <= r && r <= 0x27BF, 0x2B1B <= r && r <= 0x2B1C, r == 0x2B50, r == 0x2B55:
		return true
	case r == 0x231A, r == 0x231B, r == 0x2328, r == 0x23CF, 0x23E9 <= r && r <= 0x23FA:
		return true
	case r == 0x25AA, r == 0x25AB, r == 0x25B6, r == 0x25C0, 0x25FB <= r && r <= 0x25FE:
		return true
	case r == 0x24C2, r == 0x203C, r == 0x2049, r == 0x3030, r == 0x303D, r == 0x3297, r == 0x3299:
		return true
	}
	return false
}

func isSkinTone(r rune) bool  { return 0x1F3FB <= r && r <= 0x1F3FF }
func isRegional(r rune) bool  { return 0x1F1E6 <= r && r <= 0x1F1FF }
func isFlagTag(r rune) bool   { return 0xE0020 <= r && r <= 0xE007F }
func isVariation(r rune) bool { return r == 0xFE0F || r == 0xFE0E }

// isJamo reports whether r is a part of a decomposed Korean syllable.
func isJamo(r rune) bool { return 0x1100 <= r && r <= 0x11FF }

// mayCompose reports whether a mark can become one rune with the letter before it. Tashkeel cannot, and is
// dropped: not asking for NFC because of it keeps vocalised Arabic fast.
func mayCompose(r rune) bool { return !isTashkeel(r) || 0x0653 <= r && r <= 0x0655 }

const (
	zwj    = 0x200D
	keycap = 0x20E3
)

// isApostrophe reports whether r joins two parts of a word when it stands between letters.
func isApostrophe(r rune) bool {
	return r == '\'' || r == 0x2019 || r == 0x2018 || r == 0x02BC || r == 0xFF07
}

// endsSentence and endsClause say what a sign does to the text around it.
func endsSentence(r rune) bool {
	switch r {
	case '.', '!', '?', '…', '؟', '۔', '。', '！', '？', '\n', '¡', '¿':
		return true
	}
	return false
}

func endsClause(r rune) bool {
	switch r {
	case ',', ';', ':', '(', ')', '[', ']', '،', '؛', '–', '—', '、', '，', '；', '：', '"', '«', '»', '“', '”', '„', '|', '/':
		return true
	}
	return false
}
