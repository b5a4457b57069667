package detector

import (
	"math"
	"strconv"
	"strings"
	"time"

	"emberwatch/rules"
)

// Said is what the detector says to people besides figures: why an incident is as grave as it is, what an entry of its history
// is about, why a press changed nothing. It is stored as clauses, so that it can be said in every language, and beside that as
// the English text that [Said.String] makes of it, for those who read JSON. What was stored before there were clauses has
// its text alone.
type Said []Clause

// Clause is a phrase by its code, and what fills its blanks. One without a code is the words of a person or of something
// outside, in Text.
type Clause struct {
	Code    string         `json:"code,omitempty"`
	Name    string         `json:"name,omitempty"`  // {name}: a rule, a source, a person, an incident
	Names   []string       `json:"names,omitempty"` // {names}: several of them
	Word    string         `json:"word,omitempty"`  // {word}: one of the contract's own vocabulary, such as false_alarm
	Topic   string         `json:"topic,omitempty"` // {topic}: a category
	N       int            `json:"n,omitempty"`     // {n}: it decides the plural
	Of      int            `json:"of,omitempty"`    // {of}: another number
	Span    Duration       `json:"span,omitempty"`  // {span}: how long
	Limit   Duration       `json:"limit,omitempty"` // {limit}: how long at most
	At      time.Time      `json:"at,omitzero"`     // {when}
	Text    string         `json:"text,omitempty"`  // {text}: as somebody wrote it
	Waits   []Waited       `json:"waits,omitempty"` // {waits}: who waits, and for how long
	Answers *AnswerFigures `json:"answers,omitempty"`
}

// Waited is something that waits, by its name, and for how long it has.
type Waited struct {
	Name string   `json:"name"`
	For  Duration `json:"for"`
}

// Phrases returns the phrases of all codes in English, with blanks for what fills them.
func Phrases() map[string]string { return texts }

// texts are the clauses in English. The catalogue of notifier has the same, and other languages.
var texts = map[string]string{
	"why.rule":             "set by rule {name}",
	"why.volume":           "more mentions, not more complaints",
	"why.complaints":       "an unusual number of complaints",
	"why.topic":            "an unusual number of complaints about {topic}",
	"why.backlash":         "an unusual number of complaints under what the brand itself wrote",
	"why.records":          "an unusual number of {word}",
	"why.terms":            "an unusual number of mentions that rule {name} looks for",
	"why.share.negative":   "an unusual share of negative mentions",
	"why.share.neutral":    "an unusual share of neutral mentions",
	"why.share.positive":   "an unusual share of positive mentions",
	"why.share.rating":     "an unusual share of low ratings",
	"why.share.kind":       "an unusual share of mentions of the kind {text}",
	"why.budget":           "above the bar of its budget for severity {n}",
	"why.provisional":      "held at 3 while the baseline is provisional",
	"why.times":            "{n} times the count of the first alert",
	"why.within":           "a burst within a slow rise:",
	"why.watch":            "more than usual for {n} hours, without a burst",
	"why.spread":           "one mention is passed on {n} times an hour",
	"why.spread.topic":     "one mention is passed on {n} times an hour, about {topic}",
	"why.gauge":            "{name} moved otherwise than usual",
	"why.gauge.budget":     "above the bar of its budget",
	"why.single":           "a single mention about {topic} is enough",
	"why.single.rule":      "a single mention that rule {name} looks for is enough",
	"why.single.credible":  "a single credible mention about {topic}",
	"why.two":              "two people independently about {topic} within two hours",
	"why.unanswered":       "complaints have no answer after {span}",
	"why.condition":        "rule {name}: {text}",
	"why.together":         "{names} tell at the same time",
	"why.fault":            "most brands of a source step together: it looks like a fault of its collector",
	"why.planned":          "expected during {name}",
	"why.milder":           "one step milder during {name}",
	"note.breaks":          "breaks through {word} at severity {n}",
	"note.source":          "now also on {name}",
	"note.flapping":        "flapping, back {n} times within six hours:",
	"note.quiet":           "no signal above its bar since {when}",
	"note.level":           "level {n} to {of}",
	"note.below":           "the signal has been below its bar for a while",
	"note.nobody":          "nobody took it within seven days",
	"note.escalated":       "nobody acknowledged within {span}",
	"note.escalated.to":    "nobody acknowledged within {span}, told {name}",
	"note.reminder":        "unacknowledged for {span}",
	"note.asked":           "asked {name} whether the incident is still in hand",
	"note.no.answer":       "no answer within {span}",
	"note.calm.day":        "calm for a day",
	"note.asked.close":     "asked {name} whether to close",
	"note.snooze.calm":     "calm when the snooze ended",
	"note.snooze.over":     "still above its bar when the snooze ended",
	"note.until":           "until {when}",
	"note.taken":           "taken over from {name}",
	"note.to":              "to {name}",
	"note.snooze":          "until {when} or until worse",
	"note.by":              "by {name}",
	"note.severity":        "{n} to {of}",
	"note.into":            "into {name}",
	"note.took":            "took in {name}",
	"note.split":           "split from {name}",
	"note.out":             "{name} taken out",
	"note.answered":        "nothing waits too long any more",
	"note.graver":          "{name} is graver than the others so far: {word}",
	"note.longest":         "Longest waiting for an answer: {waits}.",
	"note.failed":          "{word} could not be told by {name}:",
	"note.unreached":       "not reached for {span}",
	"note.refused":         "refused",
	"note.late":            "{name} could not be reached for {span}",
	"note.repeat":          "may be a repeat",
	"figures":              "Of {n} complaints in the last {days} days, {hour}% were answered within an hour ({expect_hour}% of consumers expect that), {day}% within a day ({expect_day}%).",
	"figures.brand":        "{name}: Of {n} complaints in the last {days} days, {hour}% were answered within an hour ({expect_hour}% of consumers expect that), {day}% within a day ({expect_day}%).",
	"refused.acked":        "already acknowledged by {name} {span} ago",
	"refused.snoozed":      "snoozed by {name} until {when}",
	"refused.closed":       "already closed by {name} {span} ago ({word})",
	"refused.open":         "open, nobody has acknowledged it",
	"refused.unacked":      "it is not acknowledged:",
	"refused.note.long":    "the note is longer than {n} characters",
	"refused.note.empty":   "the note is empty",
	"refused.reply.long":   "the reply is longer than {n} characters",
	"refused.assign":       "say to whom: the argument assignee is empty",
	"refused.has":          "{name} has it already",
	"refused.severity":     "severity is 1 (gravest) to 4, not {n}",
	"refused.same":         "it has severity {n} already",
	"refused.facts":        "no facts given",
	"refused.past":         "{when} has passed already",
	"refused.length":       "{span} is not possible; at most {limit}",
	"refused.none":         "it has to last for some time, at most {limit}",
	"refused.into":         "there is no open incident \"{name}\" to merge into",
	"refused.itself":       "an incident cannot be merged into itself",
	"refused.brands":       "the two are about different brands",
	"refused.both":         "both have to be open",
	"refused.split":        "say which mentions the new incident takes, or name the merged incident to bring back",
	"refused.digest.over":  "the incidents of this digest are over",
	"refused.digest.op":    "the incidents of a digest can be acknowledged together, nothing else; {name} them one by one",
	"refused.digest.taken": "somebody is on each of them already",
}

// singular are those whose English changes with a number of one.
var singular = map[string]string{
	"figures":          "Of {n} complaint in the last {days} days, {hour}% were answered within an hour ({expect_hour}% of consumers expect that), {day}% within a day ({expect_day}%).",
	"figures.brand":    "{name}: Of {n} complaint in the last {days} days, {hour}% were answered within an hour ({expect_hour}% of consumers expect that), {day}% within a day ({expect_day}%).",
	"why.watch":        "more than usual for {n} hour, without a burst",
	"why.spread":       "one mention is passed on {n} time an hour",
	"why.spread.topic": "one mention is passed on {n} time an hour, about {topic}",
}

// String says all clauses in English.
func (s Said) String() string {
	parts := make([]string, len(s))
	for k := range s {
		parts[k] = s[k].String()
	}
	return JoinClauses(parts)
}

// JoinClauses puts clauses that have been said side by side.
func JoinClauses(parts []string) string {
	var b strings.Builder
	for k, p := range parts {
		switch {
		case k == 0:
		case strings.HasSuffix(parts[k-1], ":") || strings.HasSuffix(parts[k-1], "."):
			b.WriteByte(' ')
		default:
			b.WriteString("; ")
		}
		b.WriteString(p)
	}
	return b.String()
}

// String says a clause in English.
func (c Clause) String() string {
	if c.Code == "" {
		return c.Text
	}
	text, ok := texts[c.Code]
	if one, has := singular[c.Code]; has && c.N == 1 {
		text = one
	}
	if !ok {
		return c.Code // of a later version
	}
	waits := make([]string, len(c.Waits))
	for k, w := range c.Waits {
		waits[k] = w.Name + " for " + Words(time.Duration(w.For))
	}
	pairs := []string{
		"{name}", c.Name, "{names}", strings.Join(c.Names, " and "), "{word}", inWords(c.Word), "{topic}", TopicWords(c.Topic),
		"{n}", strconv.Itoa(c.N), "{of}", strconv.Itoa(c.Of), "{span}", Words(time.Duration(c.Span)), "{limit}", Words(time.Duration(c.Limit)),
		"{when}", c.At.UTC().Format("2006-01-02 15:04 MST"), "{text}", c.Text, "{waits}", strings.Join(waits, ", "),
	}
	if a := c.Answers; a != nil {
		for _, p := range a.Percents() {
			pairs = append(pairs, "{"+p.Blank+"}", strconv.Itoa(p.N))
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// inWords is a word of the contract as it is said: "false alarm".
func inWords(word string) string { return strings.ReplaceAll(word, "_", " ") }

// Percent is a figure of a team that fills a blank.
type Percent struct {
	Blank string
	N     int
}

// Percents are the figures as whole numbers, beside what consumers expect, and of how many days they are.
func (a *AnswerFigures) Percents() []Percent {
	whole := func(share float64) int { return int(math.Round(100 * share)) }
	return []Percent{
		{"hour", whole(a.Hour)}, {"expect_hour", whole(ExpectHour)}, {"day", whole(a.Day)}, {"expect_day", whole(ExpectDay)}, {"days", figureDays},
	}
}

// commented makes clauses of one of ours and what a person wrote with it.
func commented(c Clause, note string) Said { return append(Said{c}, wrote(note)...) }

// wrote is what a person wrote, or what was stored as a text alone; nothing if that is empty.
func wrote(text string) Said {
	if text == "" {
		return nil
	}
	return Said{{Text: text}}
}

// howLong is a length of time as a clause holds it: in whole seconds, and none for what lies ahead after a clock was set back.
func howLong(d time.Duration) Duration { return Duration(max(0, d.Truncate(time.Second))) }

// code is a clause in which nothing has to be filled.
func code(c string) Said { return Said{{Code: c}} }

// coded is what has to be stored beside the text: nothing if the text says it all.
func (s Said) coded() Said {
	for k := range s {
		if s[k].Code != "" {
			return s
		}
	}
	return nil
}

// because sets why a signal is as grave as it is.
func (s *ActiveSignal) because(why Said) { s.Why, s.Said = why.String(), why.coded() }

// graded sets how grave a signal is, and why.
func (s *ActiveSignal) graded(level rules.Severity, why Said) {
	s.Level = level
	s.because(why)
}

// also adds a reason.
func (s *ActiveSignal) also(c Clause) { s.because(append(s.whySaid(), c)) }

func (s *ActiveSignal) whySaid() Said { return either(s.Said, s.Why) }

// because sets why an incident is as grave as it is.
func (i *Incident) because(why Said) { i.SeverityWhy, i.SeveritySaid = why.String(), why.coded() }

// Also adds a clause to what an alert says.
func (a *Alert) Also(c Clause) {
	said := append(either(a.Said, a.Note), c)
	a.Note, a.Said = said.String(), said.coded()
}

func (i *Incident) whySaid() Said { return either(i.SeveritySaid, i.SeverityWhy) }

// either returns clauses, or the text where none were stored. What it returns may be appended to.
func either(s Said, text string) Said {
	if len(s) == 0 {
		return wrote(text)
	}
	return s[:len(s):len(s)]
}
