package draft

import (
	"fmt"
	"slices"
	"strings"

	"emberwatch/rules"
)

// says looks for what must not be said, in every language.
func (e *exam) says(list, what string) string {
	if found := e.lib.phrases.find(list, e.flat); found != "" {
		return fmt.Sprintf("%s: %q", what, found)
	}
	return ""
}

func (e *exam) liability() string {
	if !e.sheet.Cleared["cause"] {
		if why := e.says("liability", "admits liability or a cause that is not cleared"); why != "" {
			return why
		}
	}
	if e.sheet.Cleared["apology"] {
		return ""
	}
	return e.says("apology", "apologises formally, which is not cleared")
}

func (e *exam) promise() string {
	if why := e.says("promise", "promises too much"); why != "" || e.sheet.Cleared["refund"] {
		return why
	}
	return e.says("refund", "promises money back that is not cleared")
}

func (e *exam) blame() string { return e.says("blame", "puts the blame on somebody") }

func (e *exam) apology() string {
	if why := e.says("non_apology", "apologises with a condition"); why != "" {
		return why
	}
	return e.says("minimise", "plays the matter down")
}

func (e *exam) lightness() string {
	emoji := strings.IndexFunc(e.text, isEmoji)
	if policy := e.brand.Tone.Emoji; emoji >= 0 && (policy == "never" || policy == "positive_only" && !e.positive()) {
		return fmt.Sprintf("the brand uses no %q here", []rune(e.text[emoji:])[0])
	}
	if !e.grave {
		return ""
	}
	if i := strings.IndexFunc(e.text, func(r rune) bool { return r == '!' || r == '¡' || isEmoji(r) }); i >= 0 {
		return fmt.Sprintf("no %q in a grave matter", []rune(e.text[i:])[0])
	}
	return e.says("humour", "jokes in a grave matter")
}

func (e *exam) fairToReviews() string {
	return e.says("review_tampering", "asks to change a review or offers something for it")
}

// nextStep asks for what people should do or what they will hear: an instruction, a way to reach us, a question, or the
// words for it.
func (e *exam) nextStep() string {
	for slot, x := range e.vals {
		if (slot == slotInstruction || strings.HasPrefix(slot, slotContact)) && strings.Contains(e.text, strings.TrimRight(x, ".")) {
			return ""
		}
	}
	if questions(e.text) > 0 || e.lib.phrases.has("next_step", e.lang, e.flat) {
		return ""
	}
	return "does not say what happens next"
}

func questions(text string) int { return strings.Count(text, "?") + strings.Count(text, "؟") }

// acknowledges asks replies for a word of the matter: a product, a noun of the playbook's category, or words that
// acknowledge where nothing more is known. A playbook of a rule file may have its own words for it, in the sentence
// that it opens with.
func (e *exam) acknowledges() string {
	if kindOf(e.template) != kindReply || e.product != "" && strings.Contains(e.text, e.product) {
		return ""
	}
	list := "acknowledge"
	for _, topic := range append([]string{e.book.ID}, e.book.Categories...) {
		if about := "about " + topic; len(e.lib.phrases[about]) > 0 {
			list = about
		}
	}
	if e.lib.phrases.has(list, e.lang, e.flat) || e.namesCategory() || !strings.HasPrefix(e.book.Pos.File, "packs/") && e.opens() {
		return ""
	}
	return "does not say what it is about"
}

// opens reports whether the first sentence is the template's own and neither what happens next nor all there is.
func (e *exam) opens() bool {
	body, _ := e.words(e.lang).withoutGreeting(e.bare)
	n := sentenceEnd(body)
	if n == 0 || n == len(body) {
		return false
	}
	first := flat(body[:n])
	return strings.Count(first, " ") >= 3 && questions(first) == 0 && e.lib.phrases.findIn("next_step", e.lang, first) == ""
}

// namesCategory reports whether the text has a word by which the mention came into its category.
func (e *exam) namesCategory() bool {
	c := e.set.Categories[e.req.Mention.Category]
	if c == nil {
		return false
	}
	return slices.ContainsFunc(slices.Concat(c.Topics[e.lang], c.Cues[e.lang]), func(cue string) bool {
		return !strings.ContainsAny(cue, "#.…{|") && newPhrase(strings.TrimRight(cue, "!?"), e.lang).in(e.flat)
	})
}

func (e *exam) human() string {
	if why := e.says("boilerplate", "sounds like a press release"); why != "" {
		return why
	}
	if e.lib.phrases.has("first_person", e.lang, e.flat) {
		return ""
	}
	return "nobody speaks in it: say we or I"
}

func (e *exam) neutral() string {
	if found := e.lib.phrases.findIn("gendered", e.lang, e.flat); found != "" {
		return fmt.Sprintf("guesses who it is written to: %q", found)
	}
	return ""
}

func (e *exam) carriesOn() string {
	if !thanking(e.book) || questions(e.text) > 0 || e.lib.phrases.has("follow_on", e.lang, e.flat) {
		return ""
	}
	return "ends the talk: ask something back"
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
