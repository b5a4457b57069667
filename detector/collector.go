package detector

import (
	"strings"
	"time"
)

// What a collector does is not what people do: a source that comes on line, one that is down and comes back, and one that
// delivers too much for all its brands at once.

const (
	onset       = 24 * time.Hour // for how long a source that came on line only teaches
	leastOutage = 2 * time.Hour  // shorter silences are nothing
	surelyHeard = 30             // mentions that would have come: so much silence is no chance
	surelyNow   = 24             // buckets, two hours: what came so lately may be a part of an incident
	maxDown     = 4              // outages that are remembered; series are rolled over them when they are next touched
	stepped     = 3.0            // surprise of brands that have stepped, added up
	leastBrands = 2              // others that have to step as well
)

// stepWindows are the windows, in buckets, in which brands may step together.
var stepWindows = []int{1, 6}

// comesOnLine notes a source that a brand has not heard before, unless its sources come on line together: a new brand, or
// one that has only been read about in a history. Whose past is known by another source's name is known all the same.
func (b *brand) comesOnLine(a *Arrival) {
	if a.History || a.heard().Sub(b.state.LiveSince) < onset {
		return
	}
	if b.state.Onset == nil {
		b.state.Onset = map[string]time.Time{}
	}
	b.state.Onset[a.Key.Source] = a.heard()
}

// held are the mentions of a source that only teaches, by the series that they will count for, in the order of time.
func (m *Model) held(b *brand, source string) map[string][]*Item {
	out := map[string][]*Item{}
	for _, it := range b.items {
		if !it.Held || it.Weight == 0 || it.Key.Source != source {
			continue
		}
		for _, name := range append(b.commonSeries(it), m.watched(b, it)...) {
			if !strings.HasPrefix(name, "source:") && (!it.Copy || countsCopies(name)) {
				out[name] = append(out[name], it)
			}
		}
	}
	return out
}

// join lets a source count that has taught for a day: what it brought in that day is expected from now on.
func (m *Model) join(b *brand, source string) {
	held := m.held(b, source)
	for _, name := range sortedKeys(held) {
		first := held[name][0]
		s := m.seriesOf(b, name, m.ruleOfSeries(b, first, name), bucketOf(m.now))
		s.burst.lift(float64(len(held[name])) / bucketsPerDay)
		m.touch(s)
	}
	delete(b.state.Onset, source)
	m.touchBrand(b)
}

// release lets the sources that only teach count at once: the brand's other sources raise an incident, so what is said
// there now is a part of it. What they brought before the last two hours is taken for their normal.
func (m *Model) release(b *brand) {
	now := bucketOf(m.now)
	for _, source := range sortedKeys(b.state.Onset) {
		since := bucketOf(b.state.Onset[source])
		held := m.held(b, source)
		for _, name := range sortedKeys(held) {
			s := m.seriesOf(b, name, m.ruleOfSeries(b, held[name][0], name), now)
			s.burst.expect(since, usualRate(held[name], since, now-surelyNow))
			for _, it := range held[name] {
				s.burst.add(bucketOf(it.At), float64(it.Weight))
			}
			m.touch(s)
		}
		m.unhold(b, source)
	}
	clear(b.state.Onset)
	m.touchBrand(b)
}

func (m *Model) unhold(b *brand, source string) {
	for _, it := range b.items {
		if it.Held && it.Key.Source == source {
			it.Held = false
			m.change.Items = append(m.change.Items, *it)
		}
	}
}

// usualRate is how much a bucket held on average from one bucket to another; 0 over less than an hour.
func usualRate(items []*Item, from, to int64) float64 {
	if to-from < int64(time.Hour/BucketLength) {
		return 0
	}
	n := 0
	for _, it := range items {
		if b := bucketOf(it.At); b >= from && b < to {
			n += it.Weight
		}
	}
	return float64(n) / float64(to-from)
}

// expect adds a rate to the level and to the forecasts from bucket from on.
func (s *burst) expect(from int64, perBucket float64) {
	for b := max(from, s.first, s.cur-int64(len(s.n))+1); b < s.cur; b++ {
		if i := s.slot(b); !s.missing[i] {
			s.m[i] += perBucket
		}
	}
	s.lift(perBucket)
}

// mostlyKnown reports whether most of what a burst rests on is from sources that do not only teach.
func (b *brand) mostlyKnown(ev *Evidence) bool {
	fresh, all := 0, 0
	for source, n := range ev.Sources {
		all += n
		if _, ok := b.state.Onset[source]; ok {
			fresh += n
		}
	}
	return 2*fresh <= all
}

// outage notes that nothing was heard of a brand for a while though much should have been: its sources were down, which is
// not calm. A mention at time at ends it.
func (m *Model) outage(b *brand, at time.Time) {
	all := b.series["all"]
	if all == nil || at.Sub(b.state.LastSeen) < leastOutage {
		return
	}
	d := Span{bucketOf(b.state.LastSeen) + 1, bucketOf(at) - 1}
	expected := 0.0
	for x := max(d.From, d.To-oldestStart); x <= d.To && expected < surelyHeard; x++ {
		expected += all.burst.awaited(x)
	}
	if expected < surelyHeard {
		return
	}
	b.state.Down = append(b.state.Down[max(0, len(b.state.Down)-maxDown+1):], d)
	m.touchBrand(b)
}

// fault returns the source that a burst comes from if it looks like a fault of its collector: the source's other brands,
// nearly all of them, have much more than usual at the same time.
func (m *Model) fault(b *brand, ev *Evidence, bucket int64) string {
	places := top(ev.Sources, 1)
	if len(places) == 0 || 10*ev.Sources[places[0]] < 8*int(ev.Window.Observed) {
		return ""
	}
	others := m.othersOn("source:"+places[0], b, ev, bucket)
	for _, window := range stepWindows {
		if together(others, bucket, window) {
			return places[0]
		}
	}
	return ""
}

// othersOn returns a series of other brands where it is old and busy enough to tell something. Brands that the same
// mentions are about are no others.
func (m *Model) othersOn(name string, b *brand, ev *Evidence, bucket int64) []*burst {
	var out []*burst
	for _, id := range sortedKeys(m.brands) {
		s := m.brands[id].series[name]
		if s == nil || id == b.state.ID || bucket-s.burst.first < firstDay || m.brands[id].shares(ev) {
			continue
		}
		if _, mu := s.burst.around(bucket, int(s.burst.grain.fullAge)); mu >= 2 {
			out = append(out, s.burst)
		}
	}
	return out
}

// shares reports whether a fifth of the mentions of a burst are about the brand as well.
func (b *brand) shares(ev *Evidence) bool {
	n := 0
	for _, k := range ev.Mentions {
		if b.byKey[k] != nil {
			n++
		}
	}
	return n > 0 && 5*n >= len(ev.Mentions)
}

// together reports whether four in five of the series have at least twice what is expected of a window, and all of them
// added up far more than by chance.
func together(all []*burst, bucket int64, window int) bool {
	var sum, mean float64
	up := 0
	for _, s := range all {
		n, mu := s.around(bucket, window)
		sum, mean = sum+n, mean+mu
		if n >= 1 && n >= 2*mu {
			up++
		}
	}
	return len(all) >= leastBrands && 5*up >= 4*len(all) && surprise(sum, mean, priorDispersion) >= stepped
}
