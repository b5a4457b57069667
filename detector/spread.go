package detector

import (
	"math"
	"slices"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// The spread channel: is one mention passed on fast? How often a mention has been shared comes with its edits (engagement), or
// as shares that name it as their parent. What counts is the number of the last hour. There is no forecast of it: most
// mentions are never shared, and a few are without end. So the bar is the rule's floor, or what keeps its budget on the
// brand's own last eight weeks, whichever is higher.

const (
	maxPassed = 16 // marks of how often one mention was passed on
	// firstLook is how old a mention has to be when its number is first seen for it to say how fast it grew. A record that
	// comes with its number at once, such as one of an export, says nothing of that.
	firstLook = 5 * time.Minute
)

// sharesSeen notes what an item tells of shares: of itself, or of its parent.
func (m *Model) sharesSeen(b *brand, it *Item, x *sources.Mention, at time.Time) *Item {
	of, n := it, x.Engagement.Shares
	if it.Kind == sources.Share {
		if of = b.passedOn(x); of == nil {
			return nil
		}
		n = of.passed() + x.Weight()
	}
	if n == 0 || b.byKey[of.Key] != of || !of.passOn(at, n) {
		return nil
	}
	m.change.Items = append(m.change.Items, *of)
	return of
}

// passedOn returns the mention that a share passes on, if it is still in memory.
func (b *brand) passedOn(x *sources.Mention) *Item {
	for _, id := range []string{x.ParentID, x.RootID} {
		if it := b.byKey[sources.Key{Source: x.Source, ID: id}]; id != "" && it != nil {
			return it
		}
	}
	return nil
}

// passed returns how often the mention has been passed on, as far as is known.
func (it *Item) passed() int {
	if n := len(it.Passed); n > 0 {
		return it.Passed[n-1].N
	}
	return 0
}

// passOn notes that the mention had been passed on n times by a time; it reports whether that is news.
func (it *Item) passOn(at time.Time, n int) bool {
	if n <= it.passed() {
		return false
	}
	if len(it.Passed) == 0 && at.Sub(it.At) < firstLook {
		at = it.At
	}
	marks := slices.Clone(it.Passed)
	switch last := len(marks) - 1; {
	case last >= 0 && at.Sub(marks[last].At) < time.Minute:
		marks = marks[:last]
	case len(marks) == maxPassed:
		marks = slices.Delete(marks, 0, 1)
	}
	it.Passed = append(marks, Passed{at, n})
	return true
}

// passedWithin returns how often the mention was passed on in the last hour before a time: between two marks evenly.
func (it *Item) passedWithin(hour time.Duration, at time.Time) float64 {
	since := at.Add(-hour)
	before := Passed{At: it.At}
	for _, p := range it.Passed {
		if p.At.After(since) && p.At.After(it.At) {
			if before.At.Before(since) {
				f := float64(since.Sub(before.At)) / float64(p.At.Sub(before.At))
				return float64(it.passed()) - float64(before.N) - f*float64(p.N-before.N)
			}
			return float64(it.passed() - before.N)
		}
		before = p
	}
	return 0
}

// passing lets the rules of kind spread look at the mention that an item tells to have been passed on.
func (m *Model) passing(b *brand, it *Item, x *sources.Mention, history bool) {
	at := m.now
	if it.Kind == sources.Share {
		at = it.At
	}
	of := m.sharesSeen(b, it, x, at)
	if of == nil {
		return
	}
	for _, id := range of.Rules {
		if r, ok := m.set.Rule(id); ok && r.Kind == rules.Spread {
			m.spread(b, r, of, history || m.now.Sub(at) > staleBurst)
		}
	}
}

// spread looks at one mention that has just been passed on.
func (m *Model) spread(b *brand, r *rules.Rule, it *Item, quiet bool) {
	if it.passedWithin(time.Hour, m.now) < float64(r.Floor.Shares) {
		return
	}
	t := m.trail(b, trailKey(r, ""), b.state.FirstSeen, func(*trail) bool { return true }, func(t *trail) { t.episode.habitAt = bucketOf(m.now) })
	v := m.spreadSight(b, r, t, it)
	v.quiet = quiet
	m.judge(b, v)
}

// spreadSight is one mention as a rule looks at how it is passed on.
func (m *Model) spreadSight(b *brand, r *rules.Rule, t *trail, it *Item) *sight {
	n, now := it.passedWithin(time.Hour, m.now), bucketOf(m.now)
	hour := WindowEval{Buckets: int(time.Hour / BucketLength), N: n}
	v := t.sight(m, r, "", Eval{Bucket: now, Score: n, Surprise: minSurprise, Windows: []WindowEval{hour}})
	v.bar = func(rate float64) (float64, *Budget) {
		return t.episode.shareBar(rate, float64(r.Floor.Shares), v.age, now)
	}
	v.reached = func(was *ActiveSignal, step int) bool { return n >= doubled(max(was.Count, leastDoubled), step) }
	v.evidence = func() Evidence { return m.spreadEvidence(b, it, n) }
	v.level = func(f *found) (rules.Severity, Said) { return m.spreadLevel(f, it) }
	return v
}

// shareBar is barOf for a score that is a number of shares: the floor stands for the generated streams.
func (p *episode) shareBar(rate, floor float64, age, now int64) (float64, *Budget) {
	if rate == 0 {
		return floor, nil
	}
	own, weeks := p.ownBar(rate, age, now)
	bg := &Budget{PerWeek: rate, Weeks: weeks, Own: own > floor, Floor: true}
	if weeks > 0 {
		bg.Realised = float64(p.toldSince(now-historySpan)) / weeks
	}
	return max(floor, own), bg
}

func (m *Model) spreadEvidence(b *brand, it *Item, n float64) Evidence {
	ev := Evidence{Score: n}
	m.gather(&ev, b, it.At, it.At.Add(time.Nanosecond), func(x *Item) bool { return x == it })
	ev.Place, ev.Of = it.Key.ID, it.passed()
	ev.Window = Window{Length: time.Hour, Observed: n}
	ev.Windows = []Window{ev.Window}
	return ev
}

// spreadLevel is what the rule or its budget says, 3 without; it steps up with doublings as a burst does.
func (m *Model) spreadLevel(f *found, it *Item) (rules.Severity, Said) {
	if f.rule.Severity != rules.Calm {
		return f.rule.Severity, setBy(f.rule)
	}
	level, why := rules.Issue, Clause{Code: "why.spread", N: int(math.Round(f.evidence.Window.Observed))}
	if s := budgeted(f); s.GraverThan(level) {
		level = s
	}
	if c := m.set.Categories[it.Category]; c != nil && c.Sev != rules.Calm && c.Sev <= rules.Serious && rules.Serious.GraverThan(level) {
		level, why.Code, why.Topic = rules.Serious, "why.spread.topic", it.Category
	}
	return stepUp(level, Said{why}, f)
}
