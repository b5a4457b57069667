package detector

import (
	"cmp"
	"slices"
	"time"

	"emberwatch/rules"
)

// sight is one series as one rule looks at it: how unusual it is now, and what the rule remembers of it. Every kind of rule
// that is judged by its own normal comes this way, whatever its series counts.
type sight struct {
	rule    *rules.Rule
	dim     dim
	key     string // of the series, within its brand
	word    string // what the signal is called outside
	episode *episode
	eval    Eval
	age     int64 // of the series, in buckets
	quiet   bool  // it teaches only
	mute    bool  // whatever begins now is told to nobody

	bar      func(rate float64) (float64, *Budget)
	touch    func()                                   // have the series written
	evidence func() Evidence                          // of the mentions behind it
	reached  func(was *ActiveSignal, step int) bool   // it has doubled that often since it was first told
	level    func(*found) (rules.Severity, Said)      // how grave it is, and why
	suspect  func(f *found, known *Incident, e *Eval) // holds it back where something else may be the cause
	checked  func(f *found, known *Incident)          // has other things happen that follow from it
	short    func() string                            // of a standing: in words, what a look without a score lacks; empty: a surprise
}

// burst looks at one series of counts for one rule. quiet: it teaches only.
func (m *Model) burst(b *brand, r *rules.Rule, d dim, s *series, quiet bool) {
	v := m.countSight(b, r, d, s)
	v.quiet = quiet
	v.checked = func(f *found, known *Incident) {
		if known == nil && notifying(f.signal.Level) && len(b.state.Onset) > 0 && b.mostlyKnown(&f.evidence) {
			m.release(b)
			v.eval = s.burst.eval(leastItems(r))
			f.evidence = f.evidence.with(v.evidence())
			f.reference()
		}
	}
	m.judge(b, v)
}

// leastItems is how many mentions a window has to hold for a rule of counts.
func leastItems(r *rules.Rule) float64 { return float64(cmp.Or(r.Floor.Items, minCount)) }

// countSight is one series of counts as a rule looks at it.
func (m *Model) countSight(b *brand, r *rules.Rule, d dim, s *series) *sight {
	p := s.episode(r.ID)
	v := &sight{
		rule: r, dim: d, key: s.key.Signal, word: signalWord(r, d), episode: p, eval: s.burst.eval(leastItems(r)),
		age: s.burst.cur - s.burst.first, mute: b.teaches(s), touch: func() { m.touch(s) }, reached: s.reached,
	}
	v.bar = func(rate float64) (float64, *Budget) { return p.barOf(rate, v.age, v.eval.Bucket) }
	v.evidence = func() Evidence { return m.evidence(b, s, r, &v.eval) }
	v.level = func(f *found) (rules.Severity, Said) { return m.burstLevel(f, v.unsure()) }
	v.suspect = func(f *found, known *Incident, e *Eval) { m.suspect(b, p, f, known, e) }
	return v
}

func (v *sight) unsure() bool { return v.age < provisional }

// signal is how an incident knows the sight.
func (v *sight) signal(now time.Time) ActiveSignal {
	return ActiveSignal{
		Rule: v.rule.ID, Signal: v.word, Series: v.key, First: now, LastHit: now, Quiet: Duration(quietOf(v.rule)),
	}
}

// foundBy is what a sight brings to an incident.
func (m *Model) foundBy(b *brand, v *sight, sig ActiveSignal, bar float64, budget *Budget) found {
	f := found{rule: v.rule, signal: sig, evidence: v.evidence()}
	m.setApart(b, &f.evidence, v.rule, v.dim)
	f.evidence.Bar, f.evidence.Budget = bar, budget
	f.evidence.learns(v.age)
	f.since, f.category = f.evidence.First, leadingCategory(v.dim, v.rule, &f.evidence)
	return f
}

// judge brings a series to an incident if it has reached the rule's bar.
func (m *Model) judge(b *brand, v *sight) {
	e, p := &v.eval, v.episode
	rate := m.rateOf(b, v.rule, v.dim)
	if e.Score < trackedScore && e.Score < barFor(rate) && !p.insideAt(e.Bucket) {
		return
	}
	base, budget := v.bar(rate)
	if m.plannedFor(b, v) == nil && p.note(e) { // what a planned event brings says nothing about other days
		v.touch()
	}
	if !p.wants(e, base) {
		return
	}
	sig := v.signal(m.now)
	known := m.holding(b, &sig)
	if known != nil && !m.due(known, v, &sig) {
		if !p.insideAt(e.Bucket) || p.lastHit != e.Bucket {
			p.hit(e, base)
			v.touch()
		}
		return
	}
	f := m.foundBy(b, v, sig, base, budget)
	if f.evidence.Authors < v.rule.Floor.Authors || !m.begins(v, &f, base) {
		return
	}
	p.tell()
	if known == nil && !f.opened {
		known = m.ended(b, &sig) // somebody closed it while it went on
	}
	m.step(known, &f, v)
	f.signal.graded(v.level(&f))
	if v.suspect != nil {
		v.suspect(&f, known, e)
	}
	if v.checked != nil {
		v.checked(&f, known)
	}
	m.planned(b, &f)
	m.raise(b, &f)
}

// begins takes the evaluation into the episode, and reports whether people may be told of it.
func (m *Model) begins(v *sight, f *found, base float64) bool {
	e, p := &v.eval, v.episode
	alone := p.lastHit == p.since
	opened, above := p.hit(e, base)
	v.touch()
	young := v.age < firstDay || v.mute
	if opened && young {
		p.muted = true
	}
	if !above || v.quiet || young || p.muted || v.unsure() && e.Bucket == p.since {
		return false // a provisional signal needs two buckets in a row
	}
	f.opened = opened || v.unsure() && alone
	return true
}

// due reports whether an open incident has to hear of its signal again: its numbers are old, it has grown, or it would
// be taken for over.
func (m *Model) due(known *Incident, v *sight, sig *ActiveSignal) bool {
	was := known.signal(sig)
	grows := was.Steps < maxSteps && v.reached != nil && v.reached(was, was.Steps+1)
	return m.now.Sub(known.ChangedAt) >= refreshEvery || grows || known.lapses(sig, m.now)
}

// step carries over what a signal was first told with, and counts the doublings since.
func (m *Model) step(known *Incident, f *found, v *sight) {
	f.reference()
	if known == nil {
		return
	}
	was := known.signal(&f.signal)
	f.signal.First, f.signal.Window, f.signal.Count, f.signal.Counts, f.signal.Steps = was.First, was.Window, was.Count, was.Counts, was.Steps
	for f.signal.Steps < maxSteps && v.reached != nil && v.reached(was, f.signal.Steps+1) {
		f.signal.Steps++
		f.grown = true
	}
}

// plannedFor returns the planned event that a series is a part of by what it counts.
func (m *Model) plannedFor(b *brand, v *sight) *rules.Window {
	w, _ := m.set.Planned(b.state.ID, plannedKey(v.rule, v.dim), m.now)
	return w
}

// plannedKey is what a planned event calls that which a rule counts.
func plannedKey(r *rules.Rule, d dim) string {
	c, ok := d.category(r)
	switch {
	case r.Signal() == "all":
		return "volume"
	case ok:
		return c
	case len(r.Match.Categories) == 1:
		return r.Match.Categories[0]
	}
	return ""
}

// planned marks a signal as part of a planned event. More volume that is expected is worth a notice, complaints about an
// expected topic one step less than otherwise; a crisis stays one.
func (m *Model) planned(b *brand, f *found) {
	what := plannedKey(f.rule, dim("").with("category", f.category))
	if what == "" {
		what = f.category
	}
	w, e := m.set.Planned(b.state.ID, what, m.now)
	if w == nil {
		return
	}
	f.evidence.Planned = w.ID
	if w.Note != "" {
		f.evidence.Planned += " (" + w.Note + ")"
	}
	switch {
	case !e.Expected || f.signal.Level == rules.Crisis:
	case what == "volume":
		f.signal.Level = rules.Notice
		f.signal.because(Said{{Code: "why.planned", Name: w.ID}})
	case f.signal.Level.GraverThan(rules.Issue):
		f.signal.Level++
		f.signal.also(Clause{Code: "why.milder", Name: w.ID})
	}
}

// gathered counts the items of a window of buckets that belong.
func (m *Model) gathered(b *brand, e *Eval, buckets int, belongs func(*Item) bool) Evidence {
	ev := Evidence{Score: e.Score}
	m.gather(&ev, b, bucketStart(e.Bucket-int64(buckets)+1), bucketStart(e.Bucket+1), belongs)
	return ev
}

// span returns how long so many buckets are.
func span(buckets int) time.Duration { return time.Duration(buckets) * BucketLength }

// concerns reports whether a rule of a kind looks at the item.
func (it *Item) concerns(r *rules.Rule) bool { return slices.Contains(it.Rules, r.ID) }
