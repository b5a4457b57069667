package detector

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"emberwatch/rules"
)

// How rules stand that no score decides: complaints that wait, single mentions, and rules that look at others.

// clocksStand looks at the complaints whose answer clocks run.
func (m *Model) clocksStand(b *brand, r *rules.Rule) Standing {
	sla := m.set.SLAOf(r)
	open, late := m.waitingFor(b, r)
	f := found{rule: r, signal: ActiveSignal{Rule: r.ID, Signal: unanswered, Series: unanswered}}
	f.signal.graded(m.answerLevel(r, late))
	f.evidence.Answers = b.figures()
	if len(late) > 0 {
		f.evidence, f.since = m.waitingEvidence(b, r, late), late[0].At
		m.conditions(b, &f)
	}
	st := m.standing(b, &f)
	st.Waiting, st.Latest = len(open), m.waits(open)
	if len(late) == 0 {
		st.Lacks = append(st.Lacks, "no clock has run out")
		st.Now = m.patientWords(open)
	}
	st.Due = m.nextBreach(open)
	st.Tells = fmt.Sprintf("when a complaint has no answer after %s, and again after %s", Words(sla.FirstAnswer), Words(sla.Answer))
	if !st.Due.IsZero() {
		st.Tells += fmt.Sprintf("; the next clock runs out at %s", m.clock(st.Due))
	}
	st.Tells += fmt.Sprintf("; more of them are told %s apart", Words(cmp.Or(r.Batch, answerBatch)))
	if c := m.set.Clock(sla); c != nil && !c.Open(m.now) {
		st.Also = append(st.Also, fmt.Sprintf("the clocks stand still until %s opens at %s", sla.Clock, m.clock(c.Opens(m.now))))
	}
	if a := f.evidence.Answers; a != nil && len(late) == 0 {
		st.Also = append(st.Also, a.Sentence())
	}
	second := max(rules.Crisis, cmp.Or(sla.BreachSeverity, r.Severity, rules.Issue)-1)
	if st.Severity != second {
		st.Graver = append(st.Graver, fmt.Sprintf("%d once a second clock has run out", second))
	}
	return st
}

// waitingFor returns a rule's complaints that wait, and those of them that are late. They are copies: looking at deadlines
// notes them down.
func (m *Model) waitingFor(b *brand, r *rules.Rule) (open, late []*complaint) {
	for _, w := range b.waiting {
		if w.Rule != r.ID || m.now.Sub(w.At) > waitMost {
			continue
		}
		x := *w
		open = append(open, &x)
		if m.breaches(&x) > 0 {
			late = append(late, &x)
		}
	}
	return open, late
}

func (m *Model) patientWords(open []*complaint) string {
	if len(open) == 0 {
		return "No complaint waits for an answer."
	}
	return fmt.Sprintf("%s for an answer, none for too long; the longest for %s.", waitsFor(len(open)), Words(m.now.Sub(open[0].At)))
}

func waitsFor(n int) string {
	if n == 1 {
		return "1 complaint waits"
	}
	return fmt.Sprintf("%d complaints wait", n)
}

// nextBreach is when the next clock runs out; zero: none will.
func (m *Model) nextBreach(open []*complaint) (next time.Time) {
	for _, w := range open {
		first, second := m.deadlines(w)
		for _, t := range []time.Time{first, second} {
			if t.After(m.now) && (next.IsZero() || t.Before(next)) {
				next = t
			}
		}
	}
	return next
}

// waits lists the complaints that wait longest, each until its first clock runs out.
func (m *Model) waits(open []*complaint) []Miss {
	var all []Miss
	for _, w := range open[:min(shownMisses, len(open))] {
		first, _ := m.deadlines(w)
		all = append(all, Miss{From: w.At, To: first, What: nameOf(w.Key), Told: w.Told > 0})
	}
	return all
}

// matchesStand looks at the single mentions that a rule has found within a day.
func (m *Model) matchesStand(b *brand, r *rules.Rule) Standing {
	matches, told := m.matchesOf(b, r)
	f := m.lastMatch(b, r, matches)
	st := m.standing(b, &f)
	st.Tells = "each mention that it matches"
	if r.Dedupe.For > 0 {
		st.Tells += fmt.Sprintf("; what repeats the %s within %s is one", strings.Join(r.Dedupe.By, " and "), Words(r.Dedupe.For))
	}
	for i, it := range slices.Backward(matches) {
		if len(st.Latest) < shownMisses {
			st.Latest = append(st.Latest, Miss{From: it.At, To: it.At, What: nameOf(it.Key), Told: told[i]})
		}
		if !told[i] && m.now.Sub(it.At) <= 24*time.Hour {
			st.Repeats++
		}
	}
	switch {
	case f.evidence.Window.Observed == 0:
		st.Now = "No mention has matched within a day."
		st.Lacks = append(st.Lacks, "nothing has matched within a day")
	case !told[len(told)-1]:
		st.Lacks = append(st.Lacks, "the last match repeats one that was told")
	}
	if st.Repeats > 0 {
		st.Also = append(st.Also, fmt.Sprintf("within a day %d repeated the %s of one that was told", st.Repeats, strings.Join(r.Dedupe.By, " and ")))
	}
	if m.set.SLAOf(r) != nil {
		open, late := m.waitingFor(b, r)
		st.Waiting = len(open)
		st.Also = append(st.Also, fmt.Sprintf("%s for an answer, %d of them for too long", waitsFor(len(open)), len(late)))
	}
	return st
}

// lastMatch is what the last of the matches brings to an incident; without one, what the next might.
func (m *Model) lastMatch(b *brand, r *rules.Rule, matches []*Item) found {
	at := &Item{At: m.now, Categories: r.Match.Categories}
	if n := len(matches); n > 0 {
		at = matches[n-1]
	}
	f := found{rule: r, signal: ActiveSignal{Rule: r.ID, Signal: r.Signal()}, category: eachCategory(r, at), since: at.At, item: at}
	f.evidence = m.eachEvidence(b, r, m.now)
	f.evidence.Window.Length = 24 * time.Hour
	f.signal.graded(m.eachLevel(b, r, at, f.category))
	if len(matches) > 0 {
		m.conditions(b, &f)
	}
	return f
}

// matchesOf returns the matches that are still in memory, in the order of time, and which of them were told rather than
// taken for repetitions.
func (m *Model) matchesOf(b *brand, r *rules.Rule) (matches []*Item, told []bool) {
	until := map[string]time.Time{}
	for _, it := range b.items {
		if !it.concerns(r) {
			continue
		}
		key := dedupeKey(r, it)
		end := b.state.Deduped[key]
		before := end.Add(-r.Dedupe.For).Before(it.At) && it.At.Before(end) // told before it was written
		again := r.Dedupe.For > 0 && (before || it.At.Before(until[key]))
		if !again {
			until[key] = it.At.Add(r.Dedupe.For)
		}
		matches, told = append(matches, it), append(told, !again)
	}
	return matches, told
}

// rulesStand looks at the rules that a rule of kind correlate waits for.
func (m *Model) rulesStand(b *brand, r *rules.Rule) Standing {
	told := m.tellingNow(b, r)
	f := found{rule: r, signal: m.atOnce(r, told)}
	f.evidence.Score, f.evidence.Bar = float64(len(told)), float64(r.AtLeast)
	f.evidence.Window = Window{Length: r.Within, Observed: float64(len(told))}
	if i := m.holding(b, &f.signal); i != nil {
		joined := found{rule: r, signal: f.signal, evidence: i.Evidence}
		m.conditions(b, &joined)
		f.signal = joined.signal
	}
	st := m.standing(b, &f)
	st.Raised = told
	st.Tells = fmt.Sprintf("when %d of %s tell within %s", r.AtLeast, strings.Join(r.Of, ", "), Words(r.Within))
	if len(told) < r.AtLeast {
		st.Now = "None of its rules tells."
		if len(told) > 0 {
			st.Now = fmt.Sprintf("Only %s tells.", strings.Join(told, " and "))
		}
		st.Why = setBy(r).String()
		st.Lacks = append(st.Lacks, fmt.Sprintf("%d of %d rules", len(told), r.AtLeast))
	}
	for _, i := range m.openOf(b) {
		for _, s := range i.Signals {
			if slices.Contains(r.Of, s.Rule) {
				st.Latest = append(st.Latest, Miss{From: s.First, To: s.LastHit, What: s.Rule, Told: slices.Contains(told, s.Rule)})
			}
		}
	}
	slices.SortStableFunc(st.Latest, func(a, b Miss) int { return b.To.Compare(a.To) })
	return st
}
