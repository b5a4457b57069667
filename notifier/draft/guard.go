package draft

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"emberwatch/notifier"
	"emberwatch/rules"
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
	id, level string
	test      func(*exam) string
}{
	{"G01", levelHard, (*exam).length},
	{"G02", levelHard, (*exam).filled},
	{"G03", levelHard, (*exam).language},
	{"G04", levelHard, (*exam).liability},
	{"G05", levelHard, (*exam).promise},
	{"G06", levelHard, func(e *exam) string { return e.says("blame", "puts the blame on somebody") }},
	{"G07", levelHard, (*exam).personal},
	{"G08", levelHard, (*exam).apology},
	{"G09", levelHard, (*exam).lightness},
	{"G10", levelHard, (*exam).addresses},
	{"G11", levelHard, (*exam).instructs},
	{"G15", levelHard, (*exam).fresh},
	{"G17", levelHard, (*exam).plain},
	{"G18", levelHard, (*exam).untainted},
	{"G19", levelHard, func(e *exam) string {
		return e.says("review_tampering", "asks to change a review or offers something for it")
	}},
	{"G20", levelHard, (*exam).allowed},
	{"G24", levelWarning, func(e *exam) string { return e.says("boilerplate", "sounds like a press release") }},
	{"G25", levelWarning, (*exam).oneQuestion},
	{"G26", levelWarning, (*exam).signed},
}

func (j *job) guard(v variant, vals values, text string) []notifier.Guard {
	e := &exam{job: j, variant: v, vals: vals, text: text}
	e.bare = e.unnamed()
	e.flat = flat(e.withoutNames())
	e.own = e.reviewed()
	out := make([]notifier.Guard, 0, len(guards)+1)
	for _, g := range guards {
		why := g.test(e)
		out = append(out, notifier.Guard{ID: g.id, Level: g.level, Pass: why == "", Why: why})
		if g.id == "G03" && v.lang != j.want {
			out = append(out, notifier.Guard{ID: g.id, Level: levelWarning, Why: e.fallback()})
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
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	text := e.bare
	for _, name := range names {
		if name != "" {
			text = strings.ReplaceAll(text, name, " ")
		}
	}
	return text
}

func (e *exam) says(list, what string) string {
	if found := e.lib.phrases.find(list, e.flat); found != "" {
		return fmt.Sprintf("%s: %q", what, found)
	}
	return ""
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

func (e *exam) liability() string {
	if e.sheet.Cleared["cause"] {
		return ""
	}
	return e.says("liability", "admits liability or a cause that is not cleared")
}

func (e *exam) promise() string {
	if why := e.says("promise", "promises too much"); why != "" || e.sheet.Cleared["refund"] {
		return why
	}
	return e.says("refund", "promises money back that is not cleared")
}

func (e *exam) apology() string {
	if why := e.says("non_apology", "apologises with a condition"); why != "" {
		return why
	}
	return e.says("minimise", "plays the matter down")
}

func (e *exam) lightness() string {
	if !e.grave {
		return ""
	}
	if i := strings.IndexFunc(e.text, func(r rune) bool { return r == '!' || r == '¡' || isEmoji(r) }); i >= 0 {
		return fmt.Sprintf("no %q in a grave matter", []rune(e.text[i:])[0])
	}
	return e.says("humour", "jokes in a grave matter")
}

func (e *exam) instructs() string {
	if len(e.sheet.Instruction) > 0 && e.sheet.instruction(e.lang) == "" {
		return fmt.Sprintf("the fact sheet has no instruction in %q", e.lang)
	}
	if !answers(e.book, categorySafety) && !answers(e.book, categoryBreach) {
		return ""
	}
	given := e.vals[slotInstruction]
	if given != "" && strings.Contains(e.text, strings.TrimRight(given, ".")) || e.lib.phrases.findIn("instruction", e.lang, e.flat) != "" {
		return ""
	}
	return "does not say what people should do now"
}

func answers(p *rules.Playbook, category string) bool {
	return p.ID == category || category == categorySafety && p.ID == bookSafety || slices.Contains(p.Categories, category)
}

// fresh refuses facts that nobody has looked at for too long. Those of the playbook do not age.
func (e *exam) fresh() string {
	inc := e.req.Incident
	if inc == nil || len(inc.Facts) == 0 || inc.FactsAt.IsZero() || e.now.Sub(inc.FactsAt) <= e.lib.factsFor {
		return ""
	}
	for _, slot := range []string{slotKnown, slotChecking, slotInstruction, slotUpdateTime} {
		if x := strings.TrimRight(e.vals[slot], "."); x != "" && strings.Contains(e.text, x) {
			return fmt.Sprintf("the fact sheet is %s old; look through it again", e.now.Sub(inc.FactsAt).Round(time.Minute))
		}
	}
	return ""
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
	return latin && (has(unicode.Cyrillic) || has(unicode.Greek)) || has(unicode.Cyrillic) && has(unicode.Greek)
}

func (e *exam) allowed() string {
	if e.forbidden == "" || e.sheet.Cleared["holding"] {
		return ""
	}
	return fmt.Sprintf("nothing is said in public about %s", e.forbidden)
}

func (e *exam) oneQuestion() string {
	if n := strings.Count(e.text, "?") + strings.Count(e.text, "؟"); n > 1 {
		return fmt.Sprintf("asks %d questions; one is enough", n)
	}
	return ""
}

// signed asks replies for the brand's sign-off; a statement speaks for itself.
func (e *exam) signed() string {
	if kindOf(e.template) != kindReply {
		return ""
	}
	if s := signOff(e.brand); s != "" && !strings.Contains(rules.Fold(e.text), rules.Fold(s)) {
		return "the brand's sign-off is missing"
	}
	return ""
}
