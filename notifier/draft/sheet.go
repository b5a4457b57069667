package draft

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// sheet is what may be said as fact: the playbook's facts with those of the incident laid over them.
type sheet struct {
	Known, Checking []string
	Instruction     map[string]string // by language, "" is any
	NextUpdate      time.Time
	Where           string
	NextContact     time.Time
	Contact         string // for this incident, in place of the brand's
	Cluster         rules.Cluster
	Cleared         map[string]bool
	set             map[string]bool // names that people have set for this incident
	stale           string          // why what people set does not count any more, or ""
}

func newSheet(p *rules.Playbook, inc *detector.Incident, now time.Time, factsFor time.Duration) *sheet {
	f := &p.Facts
	s := &sheet{
		Known: f.Known, Checking: f.Checking, Where: f.NextUpdate.Where,
		Instruction: map[string]string{}, Cleared: map[string]bool{}, set: map[string]bool{},
	}
	maps.Copy(s.Instruction, f.Instruction)
	maps.Copy(s.Cleared, f.Cleared)
	if f.NextUpdate.In > 0 {
		s.NextUpdate = now.Add(f.NextUpdate.In)
	}
	if inc == nil {
		return s
	}
	for name, text := range inc.Facts {
		s.lay(name, strings.TrimSpace(text))
		s.set[name] = true
	}
	switch age := now.Sub(inc.FactsAt); {
	case len(inc.Facts) == 0 || inc.FactsAt.IsZero():
	case inc.Facts[detector.FactStale] == "true":
		s.stale = "the fact sheet is marked stale; renew it"
	case age > factsFor:
		s.stale = fmt.Sprintf("the fact sheet is %s old; look through it again", age.Round(time.Minute))
	}
	return s
}

// lay puts a fact of the incident over the playbook's.
func (s *sheet) lay(name, text string) {
	lang, isInstruction := strings.CutPrefix(name, detector.FactInstruction)
	what, isCleared := strings.CutPrefix(name, detector.FactCleared)
	switch {
	case name == detector.FactKnown:
		s.Known = lines(text)
	case name == detector.FactChecking:
		s.Checking = lines(text)
	case name == detector.FactWhere:
		s.Where = text
	case name == detector.FactNextUpdate:
		s.NextUpdate = timeOr(text, s.NextUpdate)
	case name == detector.FactNextContact:
		s.NextContact = timeOr(text, s.NextContact)
	case name == detector.FactContact:
		s.Contact = text
	case name == detector.FactCluster:
		s.Cluster = rules.Cluster(text)
	case isInstruction && (lang == "" || lang[0] == '.'):
		s.Instruction[strings.TrimPrefix(lang, ".")] = text
	case isCleared:
		s.Cleared[what] = text == "true"
	}
}

// slotFacts are the slots that the fact sheet fills, with the name of the fact.
var slotFacts = []struct{ slot, name string }{
	{slotKnown, detector.FactKnown},
	{slotChecking, detector.FactChecking},
	{slotInstruction, detector.FactInstruction},
	{slotUpdateTime, detector.FactNextUpdate},
	{slotUpdateWhere, detector.FactWhere},
	{slotNextContact, detector.FactNextContact},
	{slotContact + "dm", detector.FactContact},
}

// list returns the facts that have a value in vals, with their state.
func (s *sheet) list(vals values, lang string) []notifier.Fact {
	var out []notifier.Fact
	for _, f := range slotFacts {
		set := s.set[f.name] || f.slot == slotInstruction && s.set[f.name+"."+lang]
		if f.name == detector.FactContact && !set {
			continue // the brand's own contact is no fact of the incident
		}
		if text := vals[f.slot]; text != "" {
			out = append(out, notifier.Fact{Name: f.name, Text: text, State: s.state(f.name, set)})
		}
	}
	return out
}

func (s *sheet) state(name string, set bool) notifier.FactState {
	switch {
	case set && s.stale != "":
		return notifier.Stale
	case name == detector.FactChecking:
		return notifier.Checking
	case set:
		return notifier.Confirmed
	}
	return notifier.Standing
}

// whole returns the facts of the sheet together with what is cleared.
func (s *sheet) whole(vals values, lang string) []notifier.Fact {
	out := s.list(vals, lang)
	for _, what := range slices.Sorted(maps.Keys(s.Cleared)) {
		name := detector.FactCleared + what
		out = append(out, notifier.Fact{Name: name, Text: strconv.FormatBool(s.Cleared[what]), State: s.state(name, s.set[name])})
	}
	return out
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
