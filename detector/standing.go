package detector

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// Standing is how far a rule is from telling about one brand, as of a time, from the top down: what is there against what
// is usual, from when on it tells, what it lacks for that, how grave it would be, and what came nearest. It is made from
// what an alert is made from, so that the two cannot disagree. A rule with baseline.per has one for each series, a rule of
// kind gauge or silence one for each source. What the kind of rule does not have is left out.
type Standing struct {
	Brand  string            `json:"brand"`
	Rule   string            `json:"rule"`
	Signal string            `json:"signal"` // in the vocabulary of the contract
	At     time.Time         `json:"at"`
	Per    map[string]string `json:"per,omitempty"`   // of a rule with baseline.per: what the series is of
	Place  string            `json:"place,omitempty"` // what it looks at, if not all of the brand: a source, or the id of a mention

	Now     string    `json:"now"`    // what is there against what is usual, in words: those of the alert where there is one
	Window  Window    `json:"window"` // the one that leads, or the longest if nothing is surprising
	Windows []Window  `json:"windows"`
	Of      int       `json:"of,omitempty"`      // as Evidence.Of
	Authors int       `json:"authors"`           // in the window that leads
	First   time.Time `json:"first,omitzero"`    // the oldest of it; of a silence, when the source spoke last
	Repeats int       `json:"repeats,omitempty"` // of kind each: matches within a day that are not told, as they repeat others
	Week    int       `json:"week,omitempty"`    // of kind each: matches of the last seven days
	Waiting int       `json:"waiting,omitempty"` // complaints whose answer clocks run, late or not
	Also    []string  `json:"also,omitempty"`    // what else there is to know, in words
	Raised  []string  `json:"raised,omitempty"`  // of kind correlate: those of its rules that tell now
	Latest  []Miss    `json:"latest,omitempty"`  // of kinds without a score: what it last looked at

	Tells    string      `json:"tells"`           // from when on it tells, in words
	Score    float64     `json:"score"`           // -9: the floors do not hold or nothing is surprising by itself
	Bar      float64     `json:"bar"`             // what the score has to reach now, habituation joined in; 0: the kind has no score
	Habit    float64     `json:"habit,omitempty"` // the part of Bar that comes from the score having been there lately
	Floor    rules.Floor `json:"floor"`
	Budget   *Budget     `json:"budget,omitempty"`
	Learning string      `json:"learning,omitempty"`
	Due      time.Time   `json:"due,omitzero"` // when it tells if nothing changes until then
	Lacks    []string    `json:"lacks"`        // what it lacks for telling now; empty: it tells

	Severity rules.Severity `json:"severity"`         // if it told now
	Why      string         `json:"why"`              // that severity
	Graver   []string       `json:"graver,omitempty"` // what would make it another one

	Incident string `json:"incident,omitempty"` // the open one that the rule speaks for
	Open     string `json:"open,omitempty"`     // that one, in words
	Nearest  []Miss `json:"nearest"`            // the highest scores of the history, the highest first
}

// Miss is one stretch of the history in which a rule's score stood out, or one thing that a rule without a score has looked
// at: a match, a complaint, an alarm of another rule.
type Miss struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	What  string    `json:"what,omitempty"` // the mention as source and id, or the rule
	Score float64   `json:"score"`
	Told  bool      `json:"told"`

	History bool `json:"history,omitempty"` // before the brand went live: what is read of that time teaches, and tells nobody
}

const shownMisses = 5

// Standings says how a rule stands now, for one brand or (brand empty) for every one that it judges.
func (d *Detector) Standings(brand string, r *rules.Rule) []Standing {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.model.standings(brand, r, d.now())
}

// Standings says how a rule stands at the end of the replay, or at a later time, up to which it lets the clock work.
func (r *Replay) Standings(brand string, rule *rules.Rule, at time.Time) []Standing {
	if at.After(r.clock) {
		if still := r.clock.Add(oldest); at.After(still) {
			r.advance(still) // nothing moves any more after that
			r.clock = at
		}
		r.advance(at)
		r.show(r.model.Tick(at))
	}
	at = r.clock
	all := r.model.standings(brand, rule, at)
	for i := range all {
		if rule.Kind == rules.Each {
			all[i].week(r.weekOf(all[i].Brand, rule.ID, at), false)
		}
	}
	return all
}

// standings are those of one brand, or of all that the rule judges.
func (m *Model) standings(brand string, r *rules.Rule, at time.Time) []Standing {
	var all []Standing
	for _, id := range sortedKeys(m.brands) {
		if (brand == "" || brand == id) && slices.ContainsFunc(m.set.RulesFor(id), func(x *rules.Rule) bool { return x.ID == r.ID }) {
			all = append(all, m.Standings(id, r, at)...)
		}
	}
	return all
}

// Standings says how a rule stands for a brand at a time. It changes nothing.
func (m *Model) Standings(brand string, r *rules.Rule, at time.Time) []Standing {
	b := m.brands[brand]
	if b == nil {
		return nil
	}
	v := m.asOf(at)
	all := v.stands(b, r)
	for i := range all {
		all[i].in(v.zone())
	}
	return all
}

// asOf is the model at a time, to be looked at only: it shares everything with the one that goes on.
func (m *Model) asOf(at time.Time) *Model {
	v := *m
	v.now, v.change, v.touched, v.met = at, nil, nil, nil
	return &v
}

// stands looks at whatever a kind of rule looks at.
func (m *Model) stands(b *brand, r *rules.Rule) []Standing {
	switch r.Kind {
	case rules.Burst, rules.Backlash:
		return m.countsStand(b, r)
	case rules.Shift:
		return m.sharesStand(b, r)
	case rules.Spread:
		return m.spreadStands(b, r)
	case rules.Gauge:
		return m.gaugesStand(b, r)
	case rules.Silence:
		return m.sourcesStand(b, r)
	case rules.Unanswered:
		return []Standing{m.clocksStand(b, r)}
	case rules.Each:
		return []Standing{m.matchesStand(b, r)}
	case rules.Correlate:
		return []Standing{m.rulesStand(b, r)}
	}
	return nil
}

// standing is what all kinds say of that which they have found, or would.
func (m *Model) standing(b *brand, f *found) Standing {
	ev := &f.evidence
	st := Standing{
		Brand: b.state.ID, Rule: f.rule.ID, Signal: f.signal.Signal, At: m.now, Per: ev.Per, Place: ev.Place, Now: m.sentence(f),
		Window: ev.Window, Windows: append([]Window{}, ev.Windows...), Of: ev.Of, Authors: ev.Authors, First: ev.First,
		Score: ev.Score, Bar: ev.Bar, Floor: f.rule.Floor, Budget: ev.Budget, Learning: ev.Learning, Lacks: []string{},
		Severity: f.signal.Level, Why: f.signal.Why, Graver: m.graver(f), Nearest: []Miss{},
	}
	if i := m.holding(b, &f.signal); i != nil {
		st.Incident = i.ID
		st.Open = fmt.Sprintf("%s since %s, severity %d: %s", i.ID, m.clock(i.OpenedAt), i.Severity, i.SeverityWhy)
	} else if old := m.lately(b, f); old != nil && m.hushed(old, f) {
		st.Lacks = append(st.Lacks, fmt.Sprintf("%s was closed as %s less than a day ago: what is no graver is not told", old.ID, inWords(string(old.Closing))))
	}
	if ev.Planned != "" {
		st.Also = append(st.Also, "planned: "+ev.Planned)
	}
	return st
}

// in gives its times in a zone.
func (st *Standing) in(zone *time.Location) {
	for _, t := range []*time.Time{&st.At, &st.First, &st.Due} {
		if !t.IsZero() {
			*t = t.In(zone)
		}
	}
	for _, all := range [][]Miss{st.Nearest, st.Latest} {
		for i := range all {
			all[i].From, all[i].To = all[i].From.In(zone), all[i].To.In(zone)
		}
	}
}

// graver says what would change the severity of what a rule has found.
func (m *Model) graver(f *found) []string {
	var all []string
	switch r := f.rule; r.Kind {
	case rules.Burst, rules.Backlash, rules.Shift:
		if r.Severity == rules.Calm && f.signal.Level != rules.Notice {
			all = m.graverCounts(f)
		}
	case rules.Each:
		c := m.set.Categories[f.category]
		if c != nil && c.Sev == rules.Crisis && r.Severity == rules.Serious && f.signal.Level != rules.Crisis {
			all = append(all, "1 once two people write about it independently within two hours")
		}
	}
	for _, c := range f.rule.SeverityIf {
		all = append(all, fmt.Sprintf("%d if %s", c.Severity, c.When.Text))
	}
	for _, c := range f.rule.EscalateIf {
		all = append(all, fmt.Sprintf("at least %d if %s", c.Severity, c.When.Text))
	}
	return all
}

// graverCounts says it of what burstLevel decides.
func (m *Model) graverCounts(f *found) []string {
	var all []string
	for s := rules.Crisis; s <= rules.Notice && len(f.rule.Budget) > 1; s++ {
		if rate := f.rule.Budget[s].PerWeek(); rate > 0 {
			all = append(all, fmt.Sprintf("%d from a score of %.2f on, by its budget", s, barFor(rate)))
		}
	}
	if f.category == "" {
		all = append(all, "2 where half of it is about "+strings.Join(m.graveTopics(), ", "))
	}
	return append(all, fmt.Sprintf("one step graver at twice the count that is told first; 1 at eight times, or at four times on two sources, "+
		"in two languages or before %d readers", wideReach))
}

// graveTopics are the categories of which many complaints are serious, in words.
func (m *Model) graveTopics() []string {
	var all []string
	for _, id := range sortedKeys(m.set.Categories) {
		if c := m.set.Categories[id]; c.Sev != rules.Calm && c.Sev <= rules.Serious {
			all = append(all, TopicWords(id))
		}
	}
	return all
}

// zone is that of the people of the rule files; where they have not said, it is the clock's.
func (m *Model) zone() *time.Location { return cmp.Or(m.set.Zone, m.now.Location()) }

// clock writes a time for people.
func (m *Model) clock(t time.Time) string { return t.In(m.zone()).Format("2006-01-02 15:04 MST") }

// nameOf writes a mention's key.
func nameOf(k sources.Key) string { return k.Source + " " + k.ID }
