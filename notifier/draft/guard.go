package draft

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"emberwatch/notifier"
)

// Levels of a guard: a draft that fails a hard one is not sendable, a warning is shown.
const (
	levelHard    = "hard"
	levelWarning = "warning"
)

// exam is a finished draft with everything the guards look at.
type exam struct {
	*job
	variant
	vals values
	text string
	bare string // text without the name of the author and of the product: a stranger's name must not fail a guard
	flat string // bare as the phrase lists are, brand names taken out
	own  string // the same draft without anything that depends on the mention
}

// guards are the checks, in the order they are shown. A check returns why the draft fails, or "".
var guards = []struct {
	id, level, what string
	test            func(*exam) string
}{
	{"G01", levelHard, "within the network's limit", (*exam).length},
	{"G02", levelHard, "every slot filled, no empty value", (*exam).filled},
	{"G03", levelHard, "in the language of the mention", (*exam).language},
	{"G04", levelHard, "no cause, liability or formal apology that is not cleared", (*exam).liability},
	{"G05", levelHard, "no promise that no fact covers", (*exam).promise},
	{"G06", levelHard, "blames nobody", (*exam).blame},
	{"G07", levelHard, "no personal data", (*exam).personal},
	{"G08", levelHard, "no half apology, nothing played down", (*exam).apology},
	{"G09", levelHard, "no joke, emoji or exclamation mark in a grave matter", (*exam).lightness},
	{"G10", levelHard, "only addresses of the brand", (*exam).addresses},
	{"G11", levelHard, "says what to do where people are in danger", (*exam).instructs},
	{"G12", levelHard, "says what happens next", (*exam).nextStep},
	{"G13", levelHard, "times are clock times, ahead, and when somebody is there", (*exam).punctual},
	{"G14", levelHard, "speaks of the matter itself", (*exam).acknowledges},
	{"G15", levelHard, "facts are fresh", (*exam).fresh},
	{"G16", levelHard, "somebody is named to approve it", (*exam).approved},
	{"G17", levelHard, "no invisible or look-alike characters", (*exam).plain},
	{"G18", levelHard, "nothing of the mention got in", (*exam).untainted},
	{"G19", levelHard, "does not bargain over the review", (*exam).fairToReviews},
	{"G20", levelHard, "a matter that may be answered in public", (*exam).allowed},
	{"G21", levelWarning, "one form of address, the brand's", (*exam).address},
	{"G22", levelWarning, "not what was said to others here", (*exam).fresher},
	{"G23", levelWarning, "short sentences, quickly read", (*exam).readable},
	{"G24", levelWarning, "a person speaks, no press release", (*exam).human},
	{"G25", levelWarning, "one question and one way to reach us at most", (*exam).oneQuestion},
	{"G26", levelWarning, "signed as the brand signs", (*exam).signed},
	{"G27", levelWarning, "says when somebody answers, out of hours", (*exam).away},
	{"G28", levelWarning, "does not repeat the accusation", (*exam).accusation},
	{"G29", levelWarning, "every number comes from a slot", (*exam).numbers},
	{"G30", levelWarning, "guesses nobody's gender", (*exam).neutral},
	{"G31", levelWarning, "carries a good word on", (*exam).carriesOn},
	{"G32", levelWarning, "an answer helps more than silence", (*exam).worthwhile},
}

func (j *job) guard(v variant, vals values, text string) []notifier.Guard {
	e := &exam{job: j, variant: v, vals: vals, text: text}
	e.bare = e.unnamed()
	e.flat = flat(e.withoutNames())
	e.own = e.reviewed()
	out := make([]notifier.Guard, 0, len(guards)+1)
	for _, g := range guards {
		why := g.test(e)
		out = append(out, notifier.Guard{ID: g.id, Level: g.level, What: g.what, Pass: why == "", Why: why})
		if g.id == "G03" && v.lang != j.want {
			out = append(out, notifier.Guard{ID: g.id, Level: levelWarning, What: g.what, Why: e.fallback()})
		}
	}
	return out
}

// withoutNames returns the bare text less the names of the brand and of all its products: "100% Oat" promises
// nothing.
func (e *exam) withoutNames() string {
	names := slices.Clone(e.brand.Names)
	for _, product := range e.brand.Products {
		names = append(names, product...)
	}
	longestFirst(names)
	text := e.bare
	for _, name := range names {
		if name != "" {
			text = strings.ReplaceAll(text, name, " ")
		}
	}
	return text
}

// longestFirst sorts texts so that none is taken out of a longer one.
func longestFirst(texts []string) {
	slices.SortFunc(texts, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
}

func (e *exam) length() string {
	n := e.network
	switch {
	case n.Limit > 0 && n.count(e.text) > n.Limit:
		return fmt.Sprintf("%d of %d on %s", n.count(e.text), n.Limit, n.ID)
	case n.Bytes > 0 && len(e.text) > n.Bytes:
		return fmt.Sprintf("%d of %d bytes on %s", len(e.text), n.Bytes, n.ID)
	}
	return ""
}

var nothing = regexp.MustCompile(`(?i)<nil>|%!|\bnull\b|\bundefined\b|\bNaN\b`)

func (e *exam) filled() string {
	switch {
	case strings.TrimSpace(e.text) == "":
		return "nothing is left of the text"
	case strings.Contains(e.text, "{{") || strings.Contains(e.text, "}}"):
		return "a slot is not filled"
	case nothing.MatchString(e.bare):
		return fmt.Sprintf("a value is empty: %q", nothing.FindString(e.bare))
	}
	return ""
}

// language asks for two words more of another language than of its own: names and product names are foreign.
func (e *exam) language() string {
	if e.lib.languages[e.lang] == nil {
		return ""
	}
	if other, ahead := speaks(e.lib.languages, e.bare, e.lang); ahead >= 2 {
		return fmt.Sprintf("the text reads as %q, not %q", other, e.lang)
	}
	return ""
}

func (e *exam) fallback() string {
	if e.want == "" {
		return fmt.Sprintf("the language of the mention is not known; this draft is in %q", e.lang)
	}
	return fmt.Sprintf("the mention is in %q, for which there is no text; this draft is in %q", e.want, e.lang)
}

// plain refuses what a reader cannot see: direction controls, zero-width characters, words of two alphabets.
func (e *exam) plain() string {
	if !norm.NFC.IsNormalString(e.text) {
		return "the text is not in NFC"
	}
	for _, r := range e.text {
		if r != '\n' && invisible(r) {
			return fmt.Sprintf("invisible character %U", r)
		}
	}
	for _, word := range strings.FieldsFunc(e.text, func(r rune) bool { return !unicode.IsLetter(r) }) {
		if mixed(word) {
			return fmt.Sprintf("%q mixes alphabets", word)
		}
	}
	return ""
}

func mixed(word string) bool {
	has := func(t *unicode.RangeTable) bool {
		return strings.IndexFunc(word, func(r rune) bool { return unicode.Is(t, r) }) >= 0
	}
	latin := has(unicode.Latin)
	return latin && (has(unicode.Cyrillic) || has(unicode.Greek) || has(unicode.Arabic)) || has(unicode.Cyrillic) && has(unicode.Greek)
}

func (e *exam) allowed() string {
	if e.forbidden == "" || e.sheet.Cleared["holding"] {
		return ""
	}
	return fmt.Sprintf("nothing is said in public about %s", e.forbidden)
}
