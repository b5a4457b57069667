package detector

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"emberwatch/rules"
)

// How rules of kind silence stand: by source, with when each spoke last, and when its silence would be told.

// sourcesStand looks at each source that the brand is heard of from.
func (m *Model) sourcesStand(b *brand, r *rules.Rule) []Standing {
	var all []Standing
	for _, source := range sortedKeys(b.state.Heard) {
		if r.Sources == nil || slices.Contains(r.Sources, source) {
			all = append(all, m.sourceStands(b, r, source))
		}
	}
	return all
}

func (m *Model) sourceStands(b *brand, r *rules.Rule, source string) Standing {
	x, heard := m.heardLast(b, source), b.state.Heard[source]
	if x.s == nil {
		st := m.standing(b, &found{rule: r, signal: ActiveSignal{Rule: r.ID, Signal: r.Signal()}, evidence: Evidence{Place: source}})
		st.Now = fmt.Sprintf("%s spoke last %s.", placeWords(source), m.agoWords(heard))
		st.Tells = fmt.Sprintf("never: what is usual is learnt only of sources that bring something in words, and of %d of these", maxSources)
		st.Lacks = append(st.Lacks, "nothing is learnt of it")
		return st
	}
	x.until(m.now)
	f := m.silent(r, source, &x)
	m.conditions(b, &f)
	st := m.standing(b, &f)
	st.Now = fmt.Sprintf("%s spoke last %s; since then %s to be expected, at this hour %s.",
		placeWords(source), m.agoWords(heard), toBe(x.expected), everyWords(x.s.burst.awaited(bucketOf(m.now))))
	st.Tells = fmt.Sprintf("once the chance of so long a silence is 1 in 10^%.0f, now it is %s", x.bar(), oneIn(x.unlikely))
	if st.Due = x.due(); !st.Due.IsZero() && st.Due.After(m.now) {
		st.Tells += fmt.Sprintf("; if nothing comes that is at %s, after %s", m.clock(st.Due), Words(st.Due.Sub(x.since)))
	}
	if x.since.After(heard) {
		st.Also = append(st.Also, "counted from "+m.clock(x.since)+": nobody listened before")
	}
	st.Lacks = append(x.lacks(m), st.Lacks...)
	return st
}

func (m *Model) agoWords(t time.Time) string {
	return fmt.Sprintf("at %s, %s ago", m.clock(t), Words(m.now.Sub(t)))
}

// oneIn writes powers of ten as a chance.
func oneIn(powers float64) string {
	switch {
	case powers < 0.02:
		return "no surprise at all"
	case powers < 1:
		return fmt.Sprintf("1 in %.1f", math.Pow(10, powers))
	case powers < 3.5:
		return fmt.Sprintf("1 in %.0f", math.Pow(10, powers))
	}
	return fmt.Sprintf("1 in 10^%.1f", powers)
}

// toBe says how many mentions were to be expected.
func toBe(n float64) string {
	switch about(n) {
	case about(0):
		return "next to nothing was"
	case "1":
		return "1 mention was"
	}
	return about(n) + " mentions were"
}

// everyWords says how often something comes, of what a bucket usually holds.
func everyWords(mu float64) string {
	if mu == 0 {
		return "usually nothing comes"
	}
	return "one usually comes every " + Words(max(time.Minute, time.Duration(float64(BucketLength)/mu)))
}

// due is when a silence would be told; zero: it never would.
func (x *missed) due() time.Time {
	from := bucketOf(x.since) + 1
	unlikely := 0.0
	for b := from; span(int(b-from)) < longSilence; b++ {
		_, more := x.s.burst.unheard(b, b)
		if unlikely += more; unlikely >= x.bar() {
			return bucketStart(b + 1)
		}
	}
	return time.Time{}
}

// lacks says what a silence lacks for being told by the brand that misses it.
func (x *missed) lacks(m *Model) []string {
	var all []string
	if x.age() < provisional {
		all = append(all, "the source is too young: what is usual is learnt for a week")
	}
	switch silent := m.now.Sub(x.since); {
	case silent > longSilence:
		all = append(all, "it has been silent for longer than "+Words(longSilence)+", which is no news")
	case x.unlikely < x.bar():
		all = append(all, "it has not been silent for long enough")
	}
	source := strings.TrimPrefix(x.s.key.Signal, "source:")
	for _, id := range sortedKeys(m.brands) {
		if y := m.missedFrom(m.brands[id], source); id != x.b.state.ID && y.expected > x.expected {
			return append(all, "brand "+id+" misses more from it, and tells for all")
		}
	}
	return all
}
