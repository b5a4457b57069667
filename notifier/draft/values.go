package draft

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"emberwatch/rules"
)

// Caps on the length of values, in runes. A longer value is left out rather than cut: half a link or half
// an instruction is worse than none.
const (
	capWord    = 60
	capContact = 200
	capFact    = 500
)

// fill returns the values for the slots of one draft. Of the mention itself nothing goes in but the
// author's name, if safe; product names are those of the rule files.
func (j *job) fill(lang string, how manner) values {
	v := values{}
	put := func(slot, x string, limit int) {
		if x = clean(x, limit); x != "" {
			v[slot] = x
		}
	}
	l := j.words(lang)
	put(slotAuthor, j.author, maxName)
	v[slotGreeting] = l.greeting(v[slotAuthor], how)
	put(slotProduct, j.product, capWord)
	put(slotBrand, first(j.brand.Names), capWord)
	for key, x := range j.brand.Contact {
		put(slotContact+key, x, capContact)
	}
	put(slotSignOff, signOff(j.brand), capWord)
	j.fillFacts(put, lang)
	j.fillManners(put, v, l)
	return v
}

// fillFacts fills in what the fact sheet says.
func (j *job) fillFacts(put func(slot, x string, limit int), lang string) {
	s, l := j.sheet, j.words(lang)
	put(slotInstruction, s.instruction(lang), capFact)
	put(slotKnown, l.list(s.Known), capFact)
	put(slotChecking, l.list(s.Checking), capFact)
	put(slotUpdateWhere, expand(s.Where, j.brand), capContact)
	put(slotContact+"dm", s.Contact, capContact)
	if !s.NextUpdate.IsZero() {
		put(slotUpdateTime, l.at(s.NextUpdate.In(j.zone), j.now), capWord)
	}
	if !s.NextContact.IsZero() {
		put(slotNextContact, l.at(s.NextContact.In(j.zone), j.now), capWord)
	}
	put(slotNow, j.now.In(j.zone).Format(l.Stamp), capWord)
}

// fillManners fills in what depends on the place, the hour and what is cleared. A forum wants no links.
func (j *job) fillManners(put func(slot, x string, limit int), v values, l *language) {
	put(slotAvailable, j.brand.Contact["availability"], capContact)
	if back := j.back(); !back.IsZero() {
		put(slotAvailable, l.back(back.In(j.zone), j.now), capContact)
	}
	if j.sheet.Cleared["apology"] && j.posture.Cluster != rules.Victim {
		put(slotApology, l.Apology, capContact)
	}
	for _, family := range slices.Backward(j.network.Families) {
		if !thanking(j.playbook) || family != familyStore && family != familyReview {
			put(slotIntroduce, expand(l.Introduction[family], j.brand), capContact)
		}
	}
	if j.network.is(familyForum) && !j.private {
		delete(v, slotContact+"dm")
	}
}

// back returns when somebody answers again, zero if somebody is there now.
func (j *job) back() time.Time {
	if j.req.Hours == nil {
		return time.Time{}
	}
	if t := j.req.Hours(j.now); t.After(j.now) {
		return t
	}
	return time.Time{}
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// productIn returns the brand's product that a text names, as the rule file spells it; the longest name found
// wins.
func productIn(text string, b *rules.Brand) string {
	if len(b.Products) == 0 {
		return ""
	}
	body := " " + spaced(text) + " "
	best, found := "", ""
	for _, names := range b.Products {
		for _, name := range names {
			if _, ambiguous := b.Ambiguous[name]; ambiguous {
				continue // "the One" may be any one
			}
			n := spaced(name)
			longer := len(n) > len(found) || len(n) == len(found) && first(names) < best
			if n != "" && longer && strings.Contains(body, " "+n+" ") {
				best, found = first(names), n
			}
		}
	}
	return best
}

// spaced returns the folded words of s with single spaces between them.
func spaced(s string) string {
	return strings.Join(strings.FieldsFunc(rules.Fold(s), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}), " ")
}

// signOff returns how the brand signs. Who of the desk will send the draft is not known yet, so
// {{agent.first_name}} leaves only the rest of the line.
func signOff(b *rules.Brand) string {
	s := inner.ReplaceAllStringFunc(b.Tone.SignOff, func(slot string) string {
		if slotName(slot) == slotBrand {
			return first(b.Names)
		}
		return ""
	})
	return strings.Trim(s, " ,;|/–—-")
}

// expand fills the slots of the brand in a line of a rule file, such as where the next update stands. It is
// empty if one of them has no value.
func expand(line string, b *rules.Brand) string {
	missing := false
	out := inner.ReplaceAllStringFunc(line, func(slot string) string {
		name := slotName(slot)
		x := b.Contact[strings.TrimPrefix(name, slotContact)]
		if name == slotBrand {
			x = first(b.Names)
		}
		missing = missing || x == ""
		return x
	})
	if missing {
		return ""
	}
	return out
}

var inner = regexp.MustCompile(`\{\{[^{}]*\}\}`)

func slotName(slot string) string { return strings.TrimSpace(strings.Trim(slot, "{}")) }

// clean returns a value as it may be put into a draft: one line in NFC without invisible characters, or
// "" where there is none: markup, slot syntax, a word for nothing, more than limit runes.
func clean(x string, limit int) string {
	if !utf8.ValidString(x) || strings.ContainsAny(x, "<>`") || strings.Contains(x, "{{") || strings.Contains(x, "}}") {
		return ""
	}
	x = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case invisible(r):
			return -1
		}
		return r
	}, norm.NFC.String(x))
	x = strings.Join(strings.Fields(x), " ")
	if utf8.RuneCountInString(x) > limit || isNothing(x) {
		return ""
	}
	return x
}

// isNothing reports whether x is how programs write that there is nothing.
func isNothing(x string) bool {
	switch rules.Fold(x) {
	case "null", "none", "nil", "<nil>", "undefined", "nan", "n/a", "-", "tbd", "todo":
		return true
	}
	return false
}

// invisible reports whether r shows nothing or changes the direction of what follows.
func invisible(r rune) bool {
	return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == 0x034F || r == 0x115F || r == 0x3164 || 0xFE00 <= r && r <= 0xFE0F ||
		0xE0000 <= r && r <= 0xE01EF || r == unicode.ReplacementChar
}
