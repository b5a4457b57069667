package notifier

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"emberwatch/detector"
)

// Manner is how words that are not ours, and times, are shown where something is said.
type Manner struct {
	Foreign func(string) string    // makes words fit for where they go
	When    func(time.Time) string // in whose zone, and how much of the date
}

// Tell says in a language what the detector has said. What was stored before it was said in clauses is its English text.
func (l *Language) Tell(text string, said detector.Said, m Manner) string {
	if len(said) == 0 {
		return m.Foreign(text)
	}
	parts := make([]string, len(said))
	for k := range said {
		parts[k] = l.clause(&said[k], m)
	}
	return detector.JoinClauses(parts)
}

func (l *Language) clause(c *detector.Clause, m Manner) string {
	if c.Code == "" || !l.Has(c.Code) {
		return m.Foreign(c.String())
	}
	names := make([]string, len(c.Names))
	for k, name := range c.Names {
		names[k] = m.Foreign(name)
	}
	waits := make([]string, len(c.Waits))
	for k, w := range c.Waits {
		waits[k] = l.Say("waits", "name", m.Foreign(w.Name), "span", l.SpanAfter(time.Duration(w.For)))
	}
	pairs := []string{
		"name", m.Foreign(c.Name), "names", l.List(names), "word", l.Word(c.Word), "topic", m.Foreign(l.Topic(c.Topic)),
		"of", l.Number(float64(c.Of)), "span", l.SpanAfter(time.Duration(c.Span)), "limit", l.Span(time.Duration(c.Limit)),
		"text", m.Foreign(c.Text), "waits", strings.Join(waits, ", "),
	}
	if !c.At.IsZero() {
		pairs = append(pairs, "when", m.When(c.At))
	}
	return l.Count(c.Code, c.N, append(pairs, percents(c.Answers)...)...)
}

// percents are the blanks of a team's figures.
func percents(a *detector.AnswerFigures) []string {
	var pairs []string
	if a != nil {
		for _, p := range a.Percents() {
			pairs = append(pairs, p.Blank, strconv.Itoa(p.N))
		}
	}
	return pairs
}

// Word says one of the contract's own words: a state, a reason, a severity. One that has no phrase stands for itself.
func (l *Language) Word(word string) string {
	for _, kind := range []string{"word.", "console.reason."} {
		if l.Has(kind + word) {
			return l.Say(kind + word)
		}
	}
	return word
}

// Own says a word of ours by the key of its kind and its id, as in "op." and "ack"; one without a phrase, of a later version,
// as its id.
func (l *Language) Own(kind, id string) string {
	if l.Has(kind + id) {
		return l.Say(kind + id)
	}
	return strings.NewReplacer("_", " ", "-", " ").Replace(id)
}

// Learning says how young a baseline is; nothing once it has learnt.
func (l *Language) Learning(ev *detector.Evidence, foreign func(string) string) string {
	if ev.Day > 0 {
		return l.Say("learning", "n", strconv.Itoa(ev.Day))
	}
	return foreign(ev.Learning)
}

// Title is what an incident is called: the title of its rule. The rules that come with the program have theirs in every
// language; what a team has written stays as it is.
func Title(l *Language, i *detector.Incident) string {
	title := i.Title
	for _, key := range []string{"title.watch", "title.unanswered"} {
		before, _, _ := strings.Cut(English().Say(key), "{title}")
		if rest, ok := strings.CutPrefix(title, before); ok {
			return l.Say(key, "title", l.ruleTitle(i.NamedBy, rest))
		}
	}
	return l.ruleTitle(i.NamedBy, title)
}

// ruleTitle is the title of a rule, if it is one of ours and nobody has given it another.
func (l *Language) ruleTitle(rule, title string) string {
	if key := "title.rule." + rule; English().Has(key) && English().Say(key) == title {
		return l.Say(key)
	}
	return title
}

// DoNots are what a suggestion advises against. The playbooks that come with the program say it in every language; what a team
// has written stays as it is.
func (l *Language) DoNots(s *Suggestion) []string {
	said := slices.Clone(s.DoNot)
	key := func(n int) string { return "donot." + s.Playbook + "-" + strconv.Itoa(n) }
	for n := 1; English().Has(key(n)); n++ {
		if k := slices.Index(s.DoNot, English().Say(key(n))); k >= 0 {
			said[k] = l.Say(key(n))
		}
	}
	return said
}

// Next says what happens unless somebody acknowledges: who is told, or, where the route names nobody, that it is told again.
func (l *Language) Next(e *Escalation, m Manner) string {
	if e.To == "" {
		return l.Say("console.next.again", "when", m.When(e.At))
	}
	return l.Say("console.next.value", "whom", m.Foreign(e.To), "when", m.When(e.At))
}

// Place is what people call a network or a source.
func (l *Language) Place(name string) string {
	if l.Has("place." + name) {
		return l.Say("place." + name)
	}
	return name
}

// Budget says how many false alerts a bar allows, and what holds it.
func (l *Language) Budget(b *detector.Budget) string {
	const month = 30.0 / 7
	key := "budget.more"
	switch {
	case b.Weeks == 0 && b.Floor:
		key = "budget.floor.young"
	case b.Floor && !b.Own:
		key = "budget.floor"
	case b.Weeks == 0:
		key = "budget.young"
	case b.Own:
		key = "budget.own"
	}
	return l.Say(key, "most", l.decimals("budget.most", b.PerWeek*month), "weeks", l.Number(b.Weeks), "had", l.Number(b.Realised*month))
}

var found = regexp.MustCompile(`"((?:[^"\\\\]|\\\\.)*)"`)

// Failure says why a draft did not pass a check. In English it is the reason that the check gives; elsewhere it is what the
// check asks for, and the words in which it was missing.
func (l *Language) Failure(g *Guard, foreign func(string) string) string {
	key := "guard." + g.ID
	if l.Code() == English().Code() || !l.Has(key) {
		return foreign(g.Why)
	}
	words := found.FindStringSubmatch(g.Why)
	if words == nil {
		return l.Say(key)
	}
	return l.Say("guard.failed", "what", l.Say(key), "found", l.Quote(foreign(words[1])))
}

// GuardLevel says how much a check forbids.
func (l *Language) GuardLevel(g *Guard) string {
	if l.Has("guard.level." + g.Level) {
		return l.Say("guard.level." + g.Level)
	}
	return g.Level
}

// Fact names a fact of the sheet and its state; a name that people gave stays as it is.
func (l *Language) Fact(f *Fact) (name, state string) {
	if name = f.Name; l.Has("fact.name." + name) {
		name = l.Say("fact.name." + name)
	}
	if state = string(f.State); l.Has("fact.state." + state) {
		state = l.Say("fact.state." + state)
	}
	return name, state
}
