package slack

import (
	"strings"
	"unicode"
	"unicode/utf16"

	"github.com/rivo/uniseg"
	"golang.org/x/text/unicode/bidi"
)

// Lengths, in UTF-16 units, that Slack accepts (or less, where less reads better).
const (
	maxHeader  = 150
	maxSection = 3000
	maxField   = 2000
	maxFields  = 10 // of a section
	maxOption  = 75
	maxValue   = 150 // of an option

	maxButtonValue = 2000
	maxURL         = 3000
	maxQuote       = 280
	maxName        = 60
	maxInput       = 3000
	maxOptions     = 100
	maxAlt         = 1000
	maxBlurb       = 600 // a sentence of ours that may hold foreign words
)

const (
	joiner   = "\u2060" // no width, no break: a link or name with it inside is none
	isolate  = "\u2068" // from here the direction is found anew …
	restore  = "\u2069" // … and here the old one holds again
	ellipsis = "…"
)

// esc makes foreign text safe within mrkdwn, in one line of at most most units: control sequences are
// escaped, formatting and everything that Slack would turn into a link or mention by itself is broken.
func esc(s string, most int) string {
	return frame(oneLine(clean(s)), most, func(g, before, after string) string { return neutral(g, before, after) })
}

// plain makes foreign text fit for plain_text objects and rich_text text elements, which Slack does not parse:
// one line of at most most units.
func plain(s string, most int) string {
	return frame(oneLine(clean(s)), most, func(g, _, _ string) string { return g })
}

// lines is plain with the line breaks kept, blank lines left out.
func lines(s string, most int) string {
	var kept []string
	for l := range strings.Lines(clean(s)) {
		if l = oneLine(l); l != "" {
			kept = append(kept, l)
		}
	}
	return frame(strings.Join(kept, "\n"), most, func(g, _, _ string) string { return g })
}

// frame cuts s to most units between grapheme clusters, each as render gives it, and isolates right-to-left
// text so that it cannot reorder ours around it.
func frame(s string, most int, render func(g, before, after string) string) string {
	rtl := rightToLeft(s)
	if rtl {
		most -= 2
	}
	out := cut(s, most, render)
	if rtl {
		return isolate + out + restore
	}
	return out
}

func cut(s string, most int, render func(g, before, after string) string) string {
	var b strings.Builder
	used, fits, before, state := 0, 0, "", -1
	for rest := head(s, most+1); rest != ""; { // a rune is at least one unit: what lies beyond cannot fit
		var g string
		g, rest, _, state = uniseg.FirstGraphemeClusterInString(rest, state)
		piece := render(g, before, rest)
		if used += units(piece); used > most {
			return b.String()[:fits] + ellipsis
		}
		b.WriteString(piece)
		if used < most {
			fits = b.Len()
		}
		before = g
	}
	return b.String()
}

// head returns the first n runes, so that the length of a text does not matter any more.
func head(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i]
		}
	}
	return s
}

// neutral renders one grapheme cluster in mrkdwn. Formatting marks become look-alikes, since no invisible
// character keeps Slack from pairing them; none of these is a letter, which could make an address with a dot before it.
func neutral(g, before, after string) string {
	var b strings.Builder
	for i, r := range g {
		switch r {
		case '&':
			b.WriteString("&amp;")
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '*':
			b.WriteRune('∗')
		case '~':
			b.WriteRune('∼')
		case '`':
			b.WriteRune('‵')
		case '_':
			b.WriteString(underscore(before+g[:i], g[i+1:]+after))
		case '@', '#':
			b.WriteString(string(r) + joiner)
		case '.', ':':
			b.WriteString(string(r) + gap(g[i+1:]+after))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// underscore keeps the mark within a word, where it formats nothing.
func underscore(before, after string) string {
	if wordy(last(before)) && wordy(first(after)) {
		return "_"
	}
	return "＿"
}

// gap breaks addresses: after a colon or dot before slashes or a letter, whatever stands before it. Numbers and ends
// of sentences stay as they are.
func gap(after string) string {
	if strings.HasPrefix(after, "//") || unicode.IsLetter(first(after)) {
		return joiner
	}
	return ""
}

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func first(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

func last(s string) rune {
	var out rune
	for _, r := range s {
		out = r
	}
	return out
}

// clean drops what is no text: invalid bytes, control characters, and the marks that steer direction.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r' || r == '\u2028' || r == '\u2029' || r == '\u0085':
			return '\n'
		case r == unicode.ReplacementChar || unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			return -1
		case r == '\u2060' || r == '\u200b' || r == '\ufeff': // they would hide what we look for
			return -1
		case unicode.Is(unicode.Cs, r) || unicode.Is(unicode.Noncharacter_Code_Point, r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// rightToLeft reports whether s holds letters that run from right to left.
func rightToLeft(s string) bool {
	for _, r := range s {
		if r < 0x0590 {
			continue
		}
		p, _ := bidi.LookupRune(r)
		if c := p.Class(); c == bidi.R || c == bidi.AL {
			return true
		}
	}
	return false
}

func units(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// clip cuts finished mrkdwn to most units without splitting an entity, a control sequence or an isolate. It
// is the last guard: the parts are cut before they are put together.
func clip(s string, most int) string {
	if units(s) <= most {
		return s
	}
	used, end := 0, 0
	for i, r := range s {
		if used += max(utf16.RuneLen(r), 1); used > most-2 { // room for ellipsis and a closing isolate
			break
		}
		end = i + len(string(r))
	}
	out := s[:end]
	if i := strings.LastIndexByte(out, '<'); i > strings.LastIndexByte(out, '>') {
		out = out[:i]
	}
	if i := strings.LastIndexByte(out, '&'); i > strings.LastIndexByte(out, ';') {
		out = out[:i]
	}
	if strings.Count(out, isolate) > strings.Count(out, restore) {
		out += restore
	}
	return out + ellipsis
}
