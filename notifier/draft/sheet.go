package draft

import (
	"strings"
	"time"

	"emberwatch/rules"
)

// Keys of an incident's fact sheet, as people send them with the operation "facts". What is set there goes
// before what the playbook says. "known" and "checking" hold several facts, one a line or parted by ";".
// "instruction.de" is the instruction for one language. "next_update" and "next_contact" are RFC 3339
// times. "cleared.cause", "cleared.apology", "cleared.refund" and "cleared.holding" are "true" or "false".
const (
	FactKnown       = "known"
	FactChecking    = "checking"
	FactInstruction = "instruction"
	FactNextUpdate  = "next_update"
	FactWhere       = "where"
	FactNextContact = "next_contact"
	FactCleared     = "cleared."
)

// sheet is what may be said as fact: the playbook's facts with those of the incident laid over them.
type sheet struct {
	Known, Checking []string
	Instruction     map[string]string // by language, "" is any
	NextUpdate      time.Time
	Where           string
	NextContact     time.Time
	Cleared         map[string]bool
}

func newSheet(p *rules.Playbook, facts map[string]string, now time.Time) *sheet {
	f := &p.Facts
	s := &sheet{
		Known: f.Known, Checking: f.Checking, Where: f.NextUpdate.Where,
		Instruction: map[string]string{}, Cleared: map[string]bool{},
	}
	for lang, text := range f.Instruction {
		s.Instruction[lang] = text
	}
	for what, ok := range f.Cleared {
		s.Cleared[what] = ok
	}
	if f.NextUpdate.In > 0 {
		s.NextUpdate = now.Add(f.NextUpdate.In)
	}
	for key, text := range facts {
		s.set(key, strings.TrimSpace(text))
	}
	return s
}

func (s *sheet) set(key, text string) {
	lang, isInstruction := strings.CutPrefix(key, FactInstruction)
	what, isCleared := strings.CutPrefix(key, FactCleared)
	switch {
	case key == FactKnown:
		s.Known = lines(text)
	case key == FactChecking:
		s.Checking = lines(text)
	case key == FactWhere:
		s.Where = text
	case key == FactNextUpdate:
		s.NextUpdate = timeOr(text, s.NextUpdate)
	case key == FactNextContact:
		s.NextContact = timeOr(text, s.NextContact)
	case isInstruction:
		s.Instruction[strings.TrimPrefix(lang, ".")] = text
	case isCleared:
		s.Cleared[what] = text == "true"
	}
}

// instruction returns what people should do, in a language or in the one text for all; "" if the sheet
// has none of these.
func (s *sheet) instruction(lang string) string {
	if text := s.Instruction[lang]; text != "" {
		return text
	}
	return s.Instruction[""]
}

func lines(text string) []string {
	var out []string
	for _, l := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ';' }) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

func timeOr(text string, otherwise time.Time) time.Time {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t
	}
	return otherwise
}
