package draft

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"emberwatch/rules"
)

// What a reader takes in at a glance: words a sentence on average, and words in all at 200 a minute. A statement may
// be twice as long as a reply.
const (
	maxSentence  = 22
	maxWords     = 100
	maxPassives  = 2
	accusedWords = 4 // words of a mention in a row that repeat it
)

// nearCopy is the similarity from which two texts look the same to a reader.
const nearCopy = 0.8

// address holds the form that the brand uses to this person, and one form only.
func (e *exam) address() string {
	l := e.lib.languages[e.lang]
	if l == nil || kindOf(e.template) != kindReply {
		return ""
	}
	formal, familiar := firstWord(e.bare, l.FormalWords), firstWord(e.bare, l.FamiliarWords)
	usual, other := formal, familiar
	if e.lang == "sv" || e.job.familiar(e.lang) {
		usual, other = familiar, formal
	}
	switch {
	case formal != "" && familiar != "":
		return fmt.Sprintf("mixes %q and %q", formal, familiar)
	case usual == "" && other != "":
		return fmt.Sprintf("%q is not how the brand speaks to this person", other)
	}
	return ""
}

// firstWord returns the first of the words that stands in text; one written with a capital is looked for as it is.
func firstWord(text string, words []string) string {
	for _, w := range strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && r != '-' && !unicode.IsMark(r) }) {
		if slices.Contains(words, w) || slices.Contains(words, strings.ToLower(w)) {
			return w
		}
	}
	return ""
}

// familiar reports whether the brand says du here. A complaint is answered formally all the same, unless its author says du
// and the brand does not rule it out.
func (j *job) familiar(lang string) bool {
	l := j.words(lang)
	policy := j.brand.Tone.Address[lang]
	if l.Familiar.Form == "" || rules.Fold(policy) != l.Familiar.Form && policy != "Sie_in_complaints" {
		return false
	}
	if j.positive() || thanking(j.playbook) {
		return true
	}
	return policy != "Sie_in_complaints" && firstWord(j.item, l.FamiliarWords) != ""
}

func (e *exam) fresher() string {
	const looked = 20
	sent := e.req.Sent[max(0, len(e.req.Sent)-looked):]
	for _, s := range sent {
		if x := e.similarity(e.lang, e.text, s); x >= nearCopy {
			return fmt.Sprintf("%.0f %% the same as a reply already given here", 100*x)
		}
	}
	return ""
}

// similarity returns how much two texts have in common, 0 to 1: the Jaccard index of their runs of three words,
// greetings left out.
func (j *job) similarity(lang, a, b string) float64 {
	l := j.words(lang)
	a, _ = l.withoutGreeting(a)
	b, _ = l.withoutGreeting(b)
	x, y := runs(a, 3), runs(b, 3)
	both := 0
	for run := range x {
		if y[run] {
			both++
		}
	}
	if all := len(x) + len(y) - both; all > 0 {
		return float64(both) / float64(all)
	}
	return 0
}

func (e *exam) readable() string {
	most := maxWords
	if kindOf(e.template) == kindHolding {
		most *= 2
	}
	words, sentences := len(strings.Fields(e.text)), 0
	for rest := e.text; rest != ""; sentences++ {
		n := sentenceEnd(rest)
		if n == 0 {
			n = len(rest)
		}
		rest = rest[n:]
	}
	passives := e.lib.phrases.count("passive", e.lang, e.flat)
	switch {
	case words > most:
		return fmt.Sprintf("%d words; people read %d", words, most)
	case words > maxSentence*sentences:
		return fmt.Sprintf("%d words a sentence; %d are enough", words/sentences, maxSentence)
	case passives > maxPassives:
		return fmt.Sprintf("%d passives: say who does it", passives)
	}
	return ""
}

func (e *exam) oneQuestion() string {
	if n := questions(e.text); n > 1 {
		return fmt.Sprintf("asks %d questions; one is enough", n)
	}
	ways := map[string]bool{}
	for slot, x := range e.vals {
		if strings.HasPrefix(slot, slotContact) && slot != slotContact+"status" && slot != slotContact+"availability" && strings.Contains(e.text, x) {
			ways[x] = true
		}
	}
	if len(ways) > 1 {
		return fmt.Sprintf("names %d ways to reach us; one is enough", len(ways))
	}
	return ""
}

// accusation looks for words of the mention in a row that are not those of the reviewed text. The facts are not
// reviewed: what is written there in a hurry may repeat the accusation.
func (e *exam) accusation() string {
	bare := values{slotGreeting: e.words(e.lang).greeting("", e.how(e.variant))}
	if run := sharedRun(e.withoutNames(), e.item, e.parsed.render(bare, e.lang), accusedWords); run != "" {
		return fmt.Sprintf("repeats the accusation: %q", run)
	}
	return ""
}

func (e *exam) worthwhile() string {
	why, better := e.restraint()
	if !better {
		return ""
	}
	return inEnglish(why)
}
