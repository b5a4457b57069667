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

// Complaints that nobody answers. A rule with an sla starts two clocks for each mention that it matches; both stop when
// somebody of the brand answers in words, or a person says that it is answered. Those that run out make an incident for
// the rule, which stands until the last of them is dealt with.

// unanswered is the signal of complaints that wait too long, and the series that it is known by.
const unanswered = "unanswered"

const (
	answerBatch = 15 * time.Minute   // between two tellings of more complaints that are late; a rule's batch wins
	waitMost    = 7 * 24 * time.Hour // nobody answers what is older
	maxWaiting  = 2000               // of a brand
	withinHour  = time.Hour          // 40% of consumers expect an answer within an hour …
	withinDay   = 24 * time.Hour     // … and 79% within a day (ReviewTrackers, Sprout Social Index)
)

// Waiting is a complaint whose clocks run.
type Waiting struct {
	Brand   string      `json:"brand"`
	Rule    string      `json:"rule"`
	Key     sources.Key `json:"key"`
	At      time.Time   `json:"at"`   // when it was written
	From    time.Time   `json:"from"` // when its clocks began
	Author  uint64      `json:"author"`
	Told    int         `json:"told,omitempty"`    // of its clocks that ran out, how many people have heard of
	Counted bool        `json:"counted,omitempty"` // in the figures
}

// WaitingRef names a Waiting.
type WaitingRef struct {
	Brand string
	Rule  string
	Key   sources.Key
}

// Ref returns the reference of the complaint.
func (w *Waiting) Ref() WaitingRef { return WaitingRef{w.Brand, w.Rule, w.Key} }

// order is by time; the rest only makes it one order.
func (w *Waiting) order(o *Waiting) int {
	return cmp.Or(w.At.Compare(o.At), cmp.Compare(w.Key.Source, o.Key.Source), cmp.Compare(w.Key.ID, o.Key.ID), cmp.Compare(w.Rule, o.Rule))
}

// complaint is a Waiting with what follows from it.
type complaint struct {
	Waiting
	first, second time.Time // when the clocks run out; worked out when asked for
}

func inOrder(a, b *complaint) int { return a.order(&b.Waiting) }

// await starts and stops clocks: a complaint starts those of its rules, an answer of the brand stops them.
func (m *Model) await(b *brand, a *Arrival, j *Judged) {
	x := &j.Mention
	if j.Own {
		if speaks(x.Kind) && strings.TrimSpace(x.Text) != "" {
			for _, id := range []string{x.ParentID, x.RootID} {
				m.answered(b, sources.Key{Source: a.Key.Source, ID: id}, a.At)
			}
		}
		return
	}
	for _, w := range b.waitingOf(a.Key) {
		if !slices.Contains(j.Rules, w.Rule) {
			m.unwait(b, w) // an edit made something else of it
		}
	}
	if a.History || a.Prior.Found || m.now.Sub(a.At) > waitMost || a.At.Before(b.state.Sources[a.Key.Source]) {
		return // known, too old, or from before its source was listened to
	}
	for _, id := range j.Rules {
		if r, ok := m.set.Rule(id); ok && m.set.SLAOf(r) != nil {
			m.wait(b, Waiting{Brand: b.state.ID, Rule: id, Key: a.Key, At: a.At, From: a.At, Author: authorHash(a, x)}, a)
		}
	}
}

// wait starts the clocks of a complaint. One that comes to light when the first has run out already starts then: nobody
// could have known.
func (m *Model) wait(b *brand, of Waiting, a *Arrival) {
	w := &complaint{Waiting: of}
	if first, _ := m.deadlines(w); a.heard().After(first) {
		w.From, w.first = a.heard(), time.Time{}
	}
	if len(b.waiting) >= maxWaiting {
		m.unwait(b, b.waiting[0])
	}
	at, _ := slices.BinarySearchFunc(b.waiting, w, inOrder)
	b.waiting = slices.Insert(b.waiting, at, w)
	next := b.clockAt
	m.putWaiting(b, w)
	m.alsoLookAt(b, w, next)
}

// alsoLookAt sets when the clocks of the brand are looked at next, where only w is new to them.
func (m *Model) alsoLookAt(b *brand, w *complaint, next time.Time) {
	first, second := m.deadlines(w)
	if next.IsZero() || !first.After(m.now) {
		return // all of them at once
	}
	b.clockAt = next
	b.look(first, m.now)
	b.look(second, m.now)
	b.look(w.At.Add(withinDay), m.now)
}

// deadlines returns when the clocks of a complaint run out.
func (m *Model) deadlines(w *complaint) (first, second time.Time) {
	if w.first.IsZero() {
		r, _ := m.set.Rule(w.Rule)
		sla := m.set.SLAOf(r)
		c := m.set.Clock(sla)
		w.first, w.second = c.After(w.From, sla.FirstAnswer), c.After(w.From, sla.Answer)
	}
	return w.first, w.second
}

func (b *brand) waitingOf(k sources.Key) []*complaint {
	var of []*complaint
	for _, w := range b.waiting {
		if w.Key == k {
			of = append(of, w)
		}
	}
	return of
}

// answered stops the clocks of a complaint.
func (m *Model) answered(b *brand, k sources.Key, at time.Time) {
	if k.ID == "" {
		return
	}
	for _, w := range b.waitingOf(k) {
		m.decide(b, w, at)
		m.unwait(b, w)
	}
}

func (m *Model) putWaiting(b *brand, w *complaint) {
	b.clockAt = time.Time{}
	m.change.Waiting = append(m.change.Waiting, w.Waiting)
}

func (m *Model) unwait(b *brand, w *complaint) {
	b.clockAt = time.Time{}
	b.waiting = slices.DeleteFunc(b.waiting, func(x *complaint) bool { return x == w })
	m.change.Waiting = slices.DeleteFunc(m.change.Waiting, func(x Waiting) bool { return x.Ref() == w.Ref() })
	m.change.DropWaiting = append(m.change.DropWaiting, w.Ref())
}

// stopWaiting stops the clocks of a complaint that is gone.
func (m *Model) stopWaiting(b *brand, k sources.Key) {
	for _, w := range b.waitingOf(k) {
		m.unwait(b, w)
	}
}

// dealtWith stops the clocks of what people have heard of and closed.
func (m *Model) dealtWith(i *Incident) {
	b := m.brand(i.Brand)
	for _, w := range slices.Clone(b.waiting) {
		if w.Told > 0 && i.signal(&ActiveSignal{Rule: w.Rule, Series: unanswered}) != nil {
			m.unwait(b, w)
		}
	}
}

// markAnswered stops the clocks of what a person says is answered: the mentions that the event names, or all that the
// incident tells of.
func (m *Model) markAnswered(i *Incident, e *Event) {
	b := m.brand(i.Brand)
	for _, k := range e.Args.Mentions {
		m.answered(b, k, m.now)
	}
	if len(e.Args.Mentions) > 0 {
		return
	}
	for _, w := range slices.Clone(b.waiting) {
		if w.Told > 0 && i.signal(&ActiveSignal{Rule: w.Rule, Series: unanswered}) != nil {
			m.answered(b, w.Key, m.now)
		}
	}
}

// clocks tells of the complaints whose clocks have run out.
func (m *Model) clocks() {
	for _, id := range sortedKeys(m.brands) {
		if b := m.brands[id]; !m.now.Before(b.clockAt) && (len(b.waiting) > 0 || b.clockAt.IsZero()) {
			m.clocksOf(b)
		}
	}
}

// never is when the clocks of a brand are looked at next that has no reason to.
const never = 365 * 24 * time.Hour

func (m *Model) clocksOf(b *brand) {
	b.clockAt = m.now.Add(never)
	late := map[string][]*complaint{}
	for _, w := range slices.Clone(b.waiting) {
		if r, ok := m.set.Rule(w.Rule); !ok || m.set.SLAOf(r) == nil || m.now.Sub(w.At) > waitMost {
			m.unwait(b, w)
			continue
		}
		first, second := m.deadlines(w)
		b.look(first, m.now)
		b.look(second, m.now)
		b.look(w.At.Add(waitMost+time.Second), m.now)
		if !w.Counted {
			b.look(w.At.Add(withinDay), m.now)
		}
		if !w.Counted && m.now.Sub(w.At) >= withinDay {
			m.decide(b, w, time.Time{})
			m.putWaiting(b, w)
		}
		if !m.now.Before(first) {
			late[w.Rule] = append(late[w.Rule], w)
		}
	}
	if b.clockAt.IsZero() {
		b.clockAt = m.now.Add(time.Second) // something left while it was looked at
	}
	for _, rule := range sortedKeys(late) {
		m.overdue(b, rule, late[rule])
	}
	m.allAnswered(b, late)
}

// look has the clocks of the brand looked at again at t, if that is to come.
func (b *brand) look(t, now time.Time) {
	if t.After(now) && t.Before(b.clockAt) {
		b.clockAt = t
	}
}

// overdue tells of a rule's complaints that are late: the first at once, more of them and fewer in batches, the second
// clock at once again.
func (m *Model) overdue(b *brand, rule string, late []*complaint) {
	r, _ := m.set.Rule(rule)
	sig := ActiveSignal{
		Rule: rule, Signal: unanswered, Series: unanswered, First: m.now, LastHit: m.now, Standing: true,
		Quiet: Duration(cmp.Or(r.ResolveQuiet, answerBatch)),
	}
	fresh, graver := false, false
	for _, w := range late {
		breaches := m.breaches(w)
		fresh = fresh || breaches > w.Told
		graver = graver || breaches == 2 && w.Told < 2
	}
	known := m.holding(b, &sig)
	if known != nil {
		was := known.signal(&sig)
		same := !fresh && was.Standing && int(known.Evidence.Window.Observed) == len(late)
		if same || known.Signal != unanswered && !fresh {
			return
		}
		if next := was.LastHit.Add(cmp.Or(r.Batch, answerBatch)); m.now.Before(next) && !graver && was.Standing {
			b.look(next, m.now)
			return
		}
	} else if !fresh {
		return
	}
	f := found{rule: r, signal: sig, evidence: m.waitingEvidence(b, r, late), since: late[0].At, opened: fresh, grown: graver}
	f.signal.graded(m.answerLevel(r, late))
	m.raise(b, &f)
	next := b.clockAt
	for _, w := range late {
		if n := m.breaches(w); n > w.Told {
			w.Told = n
			m.putWaiting(b, w)
		}
	}
	b.clockAt = next // what was told needs no other look
}

// breaches is how many clocks of a complaint have run out.
func (m *Model) breaches(w *complaint) int {
	first, second := m.deadlines(w)
	switch {
	case !m.now.Before(second):
		return 2
	case !m.now.Before(first):
		return 1
	}
	return 0
}

// answerLevel is the severity of the first breach, and one step graver once a second clock has run out.
func (m *Model) answerLevel(r *rules.Rule, late []*complaint) (rules.Severity, Said) {
	sla := m.set.SLAOf(r)
	level := cmp.Or(sla.BreachSeverity, r.Severity, rules.Issue)
	if slices.ContainsFunc(late, func(w *complaint) bool { return m.breaches(w) == 2 }) {
		return max(rules.Crisis, level-1), Said{{Code: "why.unanswered", Span: howLong(sla.Answer)}}
	}
	return level, Said{{Code: "why.unanswered", Span: howLong(sla.FirstAnswer)}}
}

// allAnswered ends the signals of rules of which nothing waits too long any more.
func (m *Model) allAnswered(b *brand, late map[string][]*complaint) {
	for _, i := range m.openOf(b) {
		t := begin(*i, m.set, m.now, Actor{Kind: "rule", Via: "rule"})
		for k := range t.inc.Signals {
			s := &t.inc.Signals[k]
			if s.Signal == unanswered && s.Standing && len(late[s.Rule]) == 0 {
				s.Standing, s.LastHit = false, m.now
				t.actor.ID = s.Rule
				t.line("updated", "", code("note.answered"))
				t.edit()
			}
		}
		if len(t.lines) > 0 {
			m.commit(t)
		}
	}
}

// waitingEvidence gathers what waits, the longest first.
func (m *Model) waitingEvidence(b *brand, r *rules.Rule, late []*complaint) Evidence {
	var keys []sources.Key
	authors, places := map[uint64]bool{}, map[string]int{}
	for _, w := range late {
		keys = append(keys, w.Key)
		authors[w.Author] = true
		places[w.Key.Source]++
	}
	keys = keys[:min(len(keys), maxMentions)]
	ev := m.evidenceOf(b, keys)
	ev.Mentions, ev.Sources, ev.Authors, ev.First = keys, places, len(authors), late[0].At
	ev.Window = Window{Observed: float64(len(late))}
	ev.Answers = b.figures()
	ev.Waited, ev.Limit = howLong(m.now.Sub(late[0].At)), howLong(m.set.SLAOf(r).FirstAnswer)
	return ev
}

// waitingSentence says what waits, for how long, and how soon the team answers otherwise.
func waitingSentence(f *found) string {
	n, oldest := f.evidence.Window.Observed, Words(time.Duration(f.evidence.Waited))
	s := fmt.Sprintf("%s longer than %s for an answer, the longest for %s", waitWords(n), Words(time.Duration(f.evidence.Limit)), oldest)
	if n == 1 {
		s = fmt.Sprintf("A complaint has been waiting for an answer for %s", oldest)
	}
	s += onWords(&f.evidence) + "."
	if a := f.evidence.Answers; a != nil {
		s += " " + a.Sentence()
	}
	return s
}

func waitWords(n float64) string { return number(n) + " complaints have been waiting" }

// Longest returns what waits for an answer as it was last committed; see [Model.Longest].
func (d *Detector) Longest(n int) []Waiting {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.model.Longest(n)
}

// Longest returns what waits for an answer, the longest first, at most n.
func (m *Model) Longest(n int) []Waiting {
	var all []*complaint
	for _, id := range sortedKeys(m.brands) {
		all = append(all, m.brands[id].waiting...)
	}
	slices.SortFunc(all, inOrder)
	out := make([]Waiting, 0, min(n, len(all)))
	for _, w := range all {
		if len(out) < n && !slices.ContainsFunc(out, func(x Waiting) bool { return x.Key == w.Key }) {
			out = append(out, w.Waiting)
		}
	}
	return out
}
