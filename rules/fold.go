package rules

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Fold returns s as words are compared: lower case, full-width and styled letters as plain ones, no
// tashkeel, tatweel, joiners or variation selectors, one form for the alefs, ya, ta marbuta and kaf,
// ё as е, typographic quotes as ASCII ones, digits of every script as 0-9. White space stays.
func Fold(s string) string {
	if !norm.NFC.IsNormalString(s) {
		s = norm.NFC.String(s)
	}
	return string(appendFold(make([]byte, 0, len(s)), s))
}

// appendFold appends the folded form of s, which is in NFC. It folds rune by rune: lower-casing whole
// strings changes what a rune becomes by its neighbours.
func appendFold(dst []byte, s string) []byte {
	for i, r := range s {
		if r < utf8.RuneSelf {
			if 'A' <= r && r <= 'Z' {
				r += 'a' - 'A'
			}
			dst = append(dst, byte(r))
			continue
		}
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(s[i:]); n == 1 {
				continue // a broken byte
			}
		}
		dst = appendFoldRune(dst, r)
	}
	return dst
}

func appendFoldRune(dst []byte, r rune) []byte {
	if isCompat(r) {
		return appendCompat(dst, r)
	}
	if r = foldRune(r); r >= 0 {
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// foldRune returns the folded form of r, or -1 if it is dropped.
func foldRune(r rune) rune {
	switch {
	case r < 0x80:
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	case 0x0400 <= r && r <= 0x045F:
		return foldCyrillic(r)
	case 0x0600 <= r && r <= 0x06FF:
		return foldArabic(r)
	case isIgnorable(r), isSkinTone(r):
		return -1
	case 0x2010 <= r && r <= 0x201F, r == 0x2032, r == 0x2033, r == 0x02BC, r == 0xAB, r == 0xBB, r == 0xB4:
		return foldSign(r)
	case r == 'ς':
		return 'σ'
	case r > 0x0660 && unicode.IsDigit(r):
		return '0' + digitValue(r)
	}
	return unicode.ToLower(r)
}

func foldCyrillic(r rune) rune {
	switch {
	case r < 0x0410:
		r += 0x50
	case r < 0x0430:
		r += 0x20
	}
	if r == 'ё' {
		return 'е'
	}
	return r
}

func foldArabic(r rune) rune {
	switch r {
	case 'أ', 'إ', 'آ', 'ٱ':
		return 'ا'
	case 'ى', 'ی', 'ې':
		return 'ي'
	case 'ة':
		return 'ه'
	case 'ک', 'ڪ':
		return 'ك'
	case 'ہ', 'ە':
		return 'ه'
	case 0x0640: // tatweel
		return -1
	}
	switch {
	case isTashkeel(r):
		return -1
	case 0x0660 <= r && r <= 0x0669:
		return '0' + r - 0x0660
	case 0x06F0 <= r && r <= 0x06F9:
		return '0' + r - 0x06F0
	}
	return r
}

// foldSign folds dashes, quotes and apostrophes.
func foldSign(r rune) rune {
	switch r {
	case 0x2018, 0x2019, 0x201A, 0x201B, 0x2032, 0x02BC, 0xB4:
		return '\''
	case 0x201C, 0x201D, 0x201E, 0x201F, 0x2033, 0xAB, 0xBB:
		return '"'
	}
	return '-'
}

// digitValue returns the value of a decimal digit: Unicode keeps the ten digits of a script together and in
// order.
func digitValue(r rune) rune {
	zero := r
	for n := 0; n < 9 && unicode.IsDigit(zero-1); n++ {
		zero--
	}
	return r - zero
}

func isTashkeel(r rune) bool {
	return 0x064B <= r && r <= 0x065F || r == 0x0670 || 0x0610 <= r && r <= 0x061A || 0x06D6 <= r && r <= 0x06ED && unicode.Is(unicode.Mn, r)
}

// isIgnorable reports whether r is invisible and may stand within a word: joiners, soft hyphen,
// direction marks, variation selectors. A zero-width space counts too: it is mostly there to hide a word.
func isIgnorable(r rune) bool {
	switch {
	case r < 0xAD:
		return false
	case r == 0xAD, r == 0x034F, r == 0x061C, r == 0xFEFF:
		return true
	case 0x200B <= r && r <= 0x200F, 0x202A <= r && r <= 0x202E, 0x2060 <= r && r <= 0x206F:
		return true
	case 0xFE00 <= r && r <= 0xFE0F, 0xE0000 <= r && r <= 0xE01EF:
		return true
	}
	return false
}

// isCompat reports whether r is a styled or presentation form of other runes.
func isCompat(r rune) bool {
	switch {
	case r < 0x2070:
		return false
	case r <= 0x209C, 0x2460 <= r && r <= 0x24FF && r != 0x24C2:
		return true
	case 0xFB00 <= r && r <= 0xFDFF, 0xFE70 <= r && r <= 0xFEFC, 0xFF00 <= r && r <= 0xFFEF:
		return true
	case 0x1D400 <= r && r <= 0x1D7FF:
		return true
	}
	return false
}

func appendCompat(dst []byte, r rune) []byte {
	var buf [utf8.UTFMax]byte
	n := utf8.EncodeRune(buf[:], r)
	parts := norm.NFKC.Properties(buf[:n]).Decomposition()
	if parts == nil {
		if r = unicode.ToLower(r); !isIgnorable(r) {
			dst = utf8.AppendRune(dst, r)
		}
		return dst
	}
	for len(parts) > 0 {
		p, n := utf8.DecodeRune(parts)
		parts = parts[n:]
		if p = foldRune(p); p >= 0 && p != ' ' {
			dst = utf8.AppendRune(dst, p)
		}
	}
	return dst
}
