package detector

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"emberwatch/rules"
)

// refreshEvery is how often an incident's numbers are renewed while nothing else changes.
const refreshEvery = 45 * time.Second

// found is a signal at or above its bar, on its way to an incident.
type found struct {
	rule     *rules.Rule
	signal   ActiveSignal
	evidence Evidence
	category string // leading; empty: none
	item     *Item  // of a rule of kind each: the mention that it found
	since    time.Time
	opened   bool // it has just begun, rather than going on
	grown    bool // it has reached another step
}

// with returns newer evidence with what is known of the alert.
func (ev *Evidence) with(newer Evidence) Evidence {
	newer.Bar, newer.Budget, newer.Learning, newer.Day = ev.Bar, ev.Budget, ev.Learning, ev.Day
	newer.Per, newer.Product, newer.Season = ev.Per, ev.Product, ev.Season
	return newer
}

// teaches reports whether a series is that of a source that has come on line within the day.
func (b *brand) teaches(s *series) bool {
	source, ok := strings.CutPrefix(s.key.Signal, "source:")
	_, fresh := b.state.Onset[source]
	return ok && fresh
}

// suspect holds a burst at severity 4 while it looks like a fault of the collector, and after that until a window that
// lies behind the fault is surprising by itself: what was dumped stays in the long ones.
func (m *Model) suspect(b *brand, p *episode, f *found, known *Incident, e *Eval) {
	if known != nil && notifying(known.Peak) {
		return
	}
	if m.fault(b, &f.evidence, e.Bucket) != "" {
		p.fault = e.Bucket
	}
	if p.fault == 0 || e.since(p.fault) {
		return
	}
	f.reference()
	f.signal.Level = rules.Notice
	f.signal.because(code("why.fault"))
}

// since reports whether a window that begins after bucket b is very surprising.
func (e *Eval) since(b int64) bool {
	return slices.ContainsFunc(e.Windows, func(w WindowEval) bool {
		return int64(w.Buckets) <= e.Bucket-b && w.Surprise >= sureSurprise
	})
}

// sureSurprise is what a single window has to show to speak for itself.
const sureSurprise = 4.0

// reference has growth counted from what the windows hold now.
func (f *found) reference() {
	f.signal.Window, f.signal.Count = Duration(f.evidence.Window.Length), f.evidence.Window.Observed
	f.signal.Counts, f.signal.Steps, f.grown = nil, 0, false
	for k := range f.evidence.Windows {
		f.signal.Counts = append(f.signal.Counts, f.evidence.Windows[k].Observed)
	}
}

// title is what an incident that the signal leads is called.
func (f *found) title() string {
	if f.signal.Watch {
		return "Slow rise: " + f.rule.Title
	}
	if f.signal.Signal == unanswered && f.rule.Kind != rules.Unanswered {
		return "No answer yet: " + f.rule.Title
	}
	return f.rule.Title
}

// watchMark sets the signal of a slow rise apart from the bursts of the same series.
const watchMark = "/slow"

// freshWatch is for how many hours after it began a slow rise may open an incident.
const freshWatch = 6

// watch looks at the slow-burn channel of a series for one rule. A burst explains a slow rise, now and for a day: then
// nothing is added to it.
func (m *Model) watch(b *brand, r *rules.Rule, d dim, s *series, quiet bool) {
	w := s.burst.slow
	rate := m.rateOf(b, r, d)
	bar := watchBar(rate)
	if w == nil || !w.inside || quiet || w.top < bar {
		return
	}
	sig := ActiveSignal{
		Rule: r.ID, Signal: signalWord(r, d), Series: s.key.Signal + watchMark, Watch: true, Level: rules.Issue,
		First: m.now, LastHit: m.now, Quiet: Duration(quietOf(r)),
	}
	sig.because(Said{{Code: "why.watch", N: int(w.since)}})
	known := m.holding(b, &sig)
	if known != nil && m.now.Sub(known.ChangedAt) < refreshEvery && !known.lapses(&sig, m.now) {
		return
	}
	fresh := w.hours-w.opened < freshWatch
	if known == nil && !fresh {
		return
	}
	f := found{rule: r, signal: sig, evidence: m.slowEvidence(b, s), opened: known == nil}
	if f.evidence.Authors < r.Floor.Authors {
		return
	}
	f.evidence.Bar = bar
	_, f.evidence.Budget = s.episode(r.ID).barOf(rate, s.burst.cur-s.burst.first, s.burst.cur)
	m.setApart(b, &f.evidence, r, d)
	f.since = f.evidence.First
	f.category = leadingCategory(d, r, &f.evidence)
	f.evidence.learns(s.burst.cur - s.burst.first)
	if known == nil && m.explained(b, &f) {
		return
	}
	m.raise(b, &f)
}

// explained reports whether a burst of the same story is open or was lately.
func (m *Model) explained(b *brand, f *found) bool {
	for _, i := range m.openOf(b) {
		if explains(i) && m.same(i, f) {
			return true
		}
	}
	last := m.lately(b, f)
	return last != nil && explains(last) && m.now.Sub(last.ClosedAt) < keepClosed
}

// explains reports whether an incident is a burst of complaints that people were told about.
func explains(i *Incident) bool {
	return notifying(i.Peak) && i.Signal != "all" && !onlyWatches(i.Signals)
}

// holding returns the open incident that a signal already speaks for.
func (m *Model) holding(b *brand, sig *ActiveSignal) *Incident {
	for _, id := range sortedKeys(m.incidents) {
		i := m.incidents[id]
		if i.Brand == b.state.ID && i.Open() && i.signal(sig) != nil {
			return i
		}
	}
	return nil
}

func (i *Incident) signal(sig *ActiveSignal) *ActiveSignal {
	for k := range i.Signals {
		if i.Signals[k].Rule == sig.Rule && i.Signals[k].Series == sig.Series {
			return &i.Signals[k]
		}
	}
	return nil
}

// ended returns the incident that spoke for a signal and was closed last.
func (m *Model) ended(b *brand, sig *ActiveSignal) *Incident {
	var last *Incident
	for _, id := range sortedKeys(m.incidents) {
		i := m.incidents[id]
		if i.Brand == b.state.ID && !i.Open() && i.Closing != Merged && i.signal(sig) != nil &&
			(last == nil || i.ClosedAt.After(last.ClosedAt)) {
			last = i
		}
	}
	return last
}

// lapses reports whether a signal that goes on has to be noted again lest it be taken for over: signals
// that do not lead are noted so rarely only.
func (i *Incident) lapses(sig *ActiveSignal, now time.Time) bool {
	was := i.signal(sig)
	return was != nil && now.Sub(was.LastHit) >= time.Duration(was.Quiet)/8
}

// reached reports whether a window holds 2^step times what it held when a signal was first told. A short window cannot
// show that something goes on and on, a long one not that it explodes; so each may. One that is shorter than the one
// that led has to pass what that one held.
func (s *series) reached(was *ActiveSignal, step int) bool {
	for k := range s.burst.windows {
		ref := max(was.Count, leastDoubled)
		if k < len(was.Counts) {
			ref = max(ref, was.Counts[k])
		}
		if s.burst.countOver(s.burst.windows[k].buckets) >= doubled(ref, step) {
			return true
		}
	}
	return false
}

const maxSteps = 3

// leastDoubled is what doublings count from at least: an alert that came with the fifth mention doubles soon.
const leastDoubled = 10

func doubled(n float64, times int) float64 { return n * math.Exp2(float64(times)) }

// countIn returns how much the last window of that length holds.
func (s *burst) countIn(window Duration) float64 {
	return s.countOver(int(time.Duration(window) / BucketLength))
}

func (s *burst) countOver(buckets int) float64 {
	n := 0.0
	for k := range int64(buckets) {
		if b := s.cur - k; b >= s.first && k < int64(len(s.n)) {
			n += s.n[s.slot(b)]
		}
	}
	return n
}

// learning says how far a young baseline is.
func learning(age int64) string {
	if age >= provisional {
		return ""
	}
	return fmt.Sprintf("provisional, day %d of 7", age/bucketsPerDay+1)
}

// learns notes how young the baseline is that the evidence is held against.
func (ev *Evidence) learns(age int64) {
	if ev.Learning, ev.Day = learning(age), 0; ev.Learning != "" {
		ev.Day = int(age/bucketsPerDay + 1)
	}
}

// each looks at one mention for one each rule.
func (m *Model) each(b *brand, r *rules.Rule, it *Item) {
	if m.deduped(b, r, it) {
		return
	}
	sig := ActiveSignal{Rule: r.ID, Signal: r.Signal(), First: m.now, LastHit: m.now, Quiet: Duration(quietOf(r))}
	f := found{rule: r, signal: sig, evidence: m.eachEvidence(b, r, it.At), category: eachCategory(r, it), since: it.At, opened: true, item: it}
	f.signal.graded(m.eachLevel(b, r, it, f.category))
	if known := m.holding(b, &sig); known != nil {
		f.signal.First, f.since = known.signal(&sig).First, known.Since
	}
	m.raise(b, &f)
}

func eachCategory(r *rules.Rule, it *Item) string {
	for _, c := range r.Match.Categories {
		if slices.Contains(it.Categories, c) {
			return c
		}
	}
	return it.Category
}

// eachLevel is the rule's severity; two people independently within two hours about a category of severity
// 1 make a crisis.
func (m *Model) eachLevel(b *brand, r *rules.Rule, it *Item, category string) (rules.Severity, Said) {
	c := m.set.Categories[category]
	switch {
	case category == "":
		return r.Severity, Said{{Code: "why.single.rule", Name: r.ID}}
	case c == nil || c.Sev != rules.Crisis || !r.Severity.GraverThan(rules.Issue):
		return r.Severity, Said{{Code: "why.single", Topic: category}}
	}
	if r.Severity != rules.Crisis {
		for _, x := range b.items {
			if x != it && x.Author != it.Author && x.Text != it.Text && it.At.Sub(x.At).Abs() <= 2*time.Hour &&
				slices.Contains(x.Rules, r.ID) {
				return rules.Crisis, Said{{Code: "why.two", Topic: category}}
			}
		}
	}
	return r.Severity, Said{{Code: "why.single.credible", Topic: category}}
}

// maxDeduped bounds what each rules remember of a brand; the first to end goes first.
const maxDeduped = 2000

// deduped reports whether the rule has told this author or text lately, and remembers that it now has.
func (m *Model) deduped(b *brand, r *rules.Rule, it *Item) bool {
	if r.Dedupe.For <= 0 {
		return false
	}
	key := dedupeKey(r, it)
	if until, ok := b.state.Deduped[key]; ok && m.now.Before(until) {
		return true
	}
	m.sweepDeduped(b)
	b.state.Deduped[key] = m.now.Add(r.Dedupe.For)
	m.touchBrand(b)
	return false
}

// dedupeKey is the same for mentions of which a rule tells but one.
func dedupeKey(r *rules.Rule, it *Item) string {
	parts := []string{r.ID}
	for _, by := range r.Dedupe.By {
		switch by {
		case "author":
			parts = append(parts, fmt.Sprintf("a%016x", it.Author))
		case "text":
			parts = append(parts, fmt.Sprintf("t%016x", it.Text))
		}
	}
	return fmt.Sprintf("%016x", hash64(parts...))
}

// sweepDeduped drops what is outdated each time that the number has doubled, and makes room where there is none. When it
// does follows from what is kept alone: after a restart it is the same.
func (m *Model) sweepDeduped(b *brand) {
	if n := len(b.state.Deduped); n < maxDeduped && (n < 64 || n&(n-1) != 0) {
		return
	}
	for k, until := range b.state.Deduped {
		if !m.now.Before(until) {
			delete(b.state.Deduped, k)
		}
	}
	for len(b.state.Deduped) >= maxDeduped {
		next := ""
		for _, k := range sortedKeys(b.state.Deduped) {
			if next == "" || b.state.Deduped[k].Before(b.state.Deduped[next]) {
				next = k
			}
		}
		delete(b.state.Deduped, next)
	}
}
