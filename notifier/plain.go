package notifier

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// longestCluster is how many code points one visible character may have: enough for a family of four,
// not for a tower of accents that runs over the lines above it.
const longestCluster = 12

// longestText is how many bytes of a foreign text are looked at; more are never shown.
const longestText = 8 << 10

// Plain returns foreign text as one line that a terminal or a mail only shows: no escape sequences, no control or
// formatting characters, no line breaks, no runs of blanks. Markup is left as it is.
func Plain(s string) string {
	s = withoutEscapes(strings.ToValidUTF8(s[:min(len(s), longestText)], "\uFFFD"))
	var b strings.Builder
	for g := uniseg.NewGraphemes(strings.Map(harmless, s)); g.Next(); {
		rs := g.Runes()
		b.WriteString(string(rs[:min(len(rs), longestCluster)]))
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// harmless drops what is not seen but obeyed. The joiners stay: Persian and many emoji need them.
func harmless(r rune) rune {
	switch {
	case r == '\u200c' || r == '\u200d':
		return r
	case unicode.IsSpace(r) || unicode.In(r, unicode.Zl, unicode.Zp):
		return ' '
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs):
		return -1
	}
	return r
}

// withoutEscapes drops the escape sequences of ECMA-48, whole, so that no "[31m" stays behind. A sequence
// that does not end takes only its introducer with it: what follows is shown as the text it may be.
func withoutEscapes(s string) string {
	if !strings.ContainsFunc(s, introduces) {
		return s
	}
	var b strings.Builder
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		if introduces(r) {
			s = s[max(size, sequence(s)):]
			continue
		}
		b.WriteString(s[:size])
		s = s[size:]
	}
	return b.String()
}

// introduces reports whether r is ESC or one of the single characters that stand for ESC and a letter.
func introduces(r rune) bool {
	switch r {
	case 0x1b, 0x90, 0x98, 0x9b, 0x9d, 0x9e, 0x9f:
		return true
	}
	return false
}

// sequence returns the length in bytes of the escape sequence that s begins with; 0 if it does not end.
func sequence(s string) int {
	kind, at := utf8.DecodeRuneInString(s)
	if kind == 0x1b {
		next, size := utf8.DecodeRuneInString(s[at:])
		switch at += size; {
		case size == 0 || next < ' ' || next > '~':
			return 0
		case next < '0': // intermediates: a final character follows
			return endOf(s, at, 8, func(r rune) bool { return r >= '0' && r <= '~' })
		}
		kind = next + 0x40 // ESC [ is the same as 0x9b
	}
	switch kind {
	case 0x9b: // CSI: parameters, then a final letter
		return endOf(s, at, 64, func(r rune) bool { return r >= '@' && r <= '~' })
	case 0x90, 0x98, 0x9d, 0x9e, 0x9f: // strings, ended by BEL or ST
		return endOf(s, at, 4096, func(r rune) bool { return r == 0x07 || r == 0x9c || r == 0x1b })
	}
	return at
}

// endOf returns the position behind the first rune from at on that ends the sequence; 0 if none does
// within most bytes.
func endOf(s string, at, most int, ends func(rune) bool) int {
	for i, r := range s[at:min(len(s), at+most)] {
		if !ends(r) {
			continue
		}
		end := at + i + utf8.RuneLen(r)
		if r == 0x1b && strings.HasPrefix(s[end:], `\`) {
			end++
		}
		return end
	}
	return 0
}

// WebAddress returns a foreign address in the form that URLs have, which leaves no blank or control character;
// empty if it leads to no web page.
func WebAddress(raw string) string {
	const longest = 300
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	s := u.Scheme + "://" + Plain(u.Host) + u.EscapedPath()
	if u.RawQuery != "" {
		s += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		s += "#" + u.EscapedFragment()
	}
	if s = strings.ReplaceAll(Plain(s), " ", "%20"); len(s) > longest {
		return ""
	}
	return s
}
