package draft

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// values are what the slots of one draft are filled with. A slot that is not in it has no value.
type values map[string]string

// without returns the values less some slots. A name that goes makes the greeting the general one.
func (v values) without(general string, slots ...string) values {
	out := maps.Clone(v)
	for _, slot := range slots {
		delete(out, slot)
		if slot == slotAuthor {
			out[slotGreeting] = general
		}
	}
	return out
}

// byLength returns the values, the longest first.
func (v values) byLength() []string {
	out := slices.Collect(maps.Values(v))
	longestFirst(out)
	return out
}

// render puts the values into the template. A sentence with a slot that has no value is left out; of the
// sentence that opens with the greeting, the greeting stays.
func (t template) render(v values, lang string) string {
	var b strings.Builder
	for _, s := range t {
		if s.filled(v) {
			s.write(&b, v)
		} else if len(s) > 1 && s[0].slot == slotGreeting {
			sentence{s[0]}.write(&b, v)
		}
	}
	return tidy(b.String(), lang)
}

// uses reports whether the template has a slot.
func (t template) uses(slot string) bool {
	for _, s := range t {
		if slices.Contains(s, part{slot: slot}) {
			return true
		}
	}
	return false
}

func (s sentence) filled(v values) bool {
	for _, p := range s {
		if p.slot != "" && v[p.slot] == "" {
			return false
		}
	}
	return true
}

func (s sentence) write(b *strings.Builder, v values) {
	if len(s) == 1 && s[0].slot == slotGreeting {
		b.WriteString(closed(strings.TrimRight(v[slotGreeting], " ,،")))
		b.WriteByte(' ')
		return
	}
	for i, p := range s {
		if p.slot == "" {
			b.WriteString(p.text)
			continue
		}
		b.WriteString(p.value(v, s[i+1:]))
	}
}

// value returns what stands for a slot: as given, but a whole sentence closed and set off, and no second full
// stop where the template brings one.
func (p part) value(v values, rest sentence) string {
	x := v[p.slot]
	switch {
	case p.slot == slotSignOff:
		return " – " + strings.TrimLeft(x, " –—-")
	case wholeSentence(p.slot):
		return " " + closed(x) + " "
	case len(rest) > 0 && strings.HasPrefix(rest[0].text, "."):
		return strings.TrimRight(x, ".")
	}
	return x
}

// closed returns s with a full stop if it ends without any.
func closed(s string) string {
	if r, _ := utf8.DecodeLastRuneInString(s); s == "" || terminal(r) {
		return s
	}
	return s + "."
}

// tidy sets right the white space that dropped sentences leave, puts no-break spaces where French wants
// them, and returns the text in NFC.
func tidy(s, lang string) string {
	var b strings.Builder
	before, space := rune(0), gap{}
	for _, r := range norm.NFC.String(s) {
		switch r {
		case ' ', '\t', '\r':
			space.spaces++
			continue
		case '\n':
			space.lines++
			continue
		}
		if before != 0 {
			b.WriteString(space.between(before, r, lang))
		}
		b.WriteRune(r)
		before, space = r, gap{}
	}
	return b.String()
}

// gap is white space between two signs.
type gap struct{ spaces, lines int }

// between returns what becomes of the gap: nothing before a full stop or comma, a no-break space where
// French has one, else one blank, one line break or one empty line.
func (g gap) between(before, after rune, lang string) string {
	switch {
	case g.lines > 0:
		return strings.Repeat("\n", min(g.lines, 2))
	case g.spaces == 0 || strings.ContainsRune(".,،؟", after):
		return ""
	case lang == "fr" && (before == '«' || strings.ContainsRune(":;!?»", after)):
		return "\u00a0"
	case strings.ContainsRune(":;!?", after):
		return ""
	}
	return " "
}
