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
	maxDown     = 4              // outages that are remembered; series are rolled over them when they are next touched
	stepped     = 3.0            // surprise of brands that have stepped, added up
	leastBrands = 2              // others that have to step as well
)

// stepWindows are the windows, in buckets, in which brands may step together.
var stepWindows = []int{1, 6}

// comesOnLine notes a source that a brand has not heard before, unless its sources come on line together: a new brand, or
// one that has only been read about in a history. Whose past is known by another source's name is known all the same.
func (b *brand) comesOnLine(a *Arrival) {
	if a.History || a.At.Sub(b.state.LiveSince) < onset {
		return
	}
	if b.state.Onset == nil {
		b.state.Onset = map[string]time.Time{}
	}
	b.state.Onset[a.Key.Source] = a.At
}

// join lets a source count that has taught for a day: what it brought in that day is expected from now on.
func (m *Model) join(b *brand, source string) {
	counts := map[string]float64{}
	for _, it := range b.items {
		if it.Held && it.Key.Source == source && it.Weight > 0 {
			for _, name := range append(b.commonSeries(it), m.watched(it)...) {
				if name != "source:"+source {
					counts[name] += float64(it.Weight)
				}
			}
		}
	}
	for _, name := range sortedKeys(counts) {
		if s := b.series[name]; s != nil {
			s.burst.lift(counts[name] / bucketsPerDay)
			m.touch(s)
		}
	}
	delete(b.state.Onset, source)
	m.touchBrand(b)
}

// release lets the sources that only teach count at once, with what they brought so far: the brand's other sources have
// raised an incident, so what is said there is a part of it and no accident of collecting.
func (m *Model) release(b *brand) {
	if len(b.state.Onset) == 0 {
		return
	}
	for _, it := range b.items {
		if !it.Held {
			continue
		}
		it.Held = false
		m.change.Items = append(m.change.Items, *it)
		bucket := bucketOf(it.At)
		for _, name := range m.countedIn(b, it) {
			if strings.HasPrefix(name, "source:") {
				continue
			}
			s := m.seriesOf(b, name, m.ruleOfSeries(it, name), bucket)
			s.burst.add(bucket, float64(it.Weight))
			m.touch(s)
		}
	}
	clear(b.state.Onset)
	m.touchBrand(b)
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
	for x := d.From; x <= d.To && expected < surelyHeard; x++ {
		expected += all.burst.forecast(x)
	}
	if expected < surelyHeard {
		return
	}
	b.state.Down = append(b.state.Down[max(0, len(b.state.Down)-maxDown+1):], d)
	m.touchBrand(b)
}

// fault returns the source that a burst comes from if it looks like a fault of its collector: the source's other brands,
// nearly all of them, have much more than usual at the same time. What is said about one brand does not do that.
func (m *Model) fault(b *brand, ev *Evidence, bucket int64) string {
	places := top(ev.Sources, 1)
	if len(places) == 0 || 10*ev.Sources[places[0]] < 8*int(ev.Window.Observed) {
		return ""
	}
	others := m.othersOn("source:"+places[0], b, bucket)
	for _, window := range stepWindows {
		if together(others, bucket, window) {
			return places[0]
		}
	}
	return ""
}

// othersOn returns a series of other brands where it is old and busy enough to tell something.
func (m *Model) othersOn(name string, b *brand, bucket int64) []*burst {
	var out []*burst
	for _, id := range sortedKeys(m.brands) {
		s := m.brands[id].series[name]
		if s == nil || id == b.state.ID || bucket-s.burst.first < firstDay {
			continue
		}
		if _, mu := s.burst.around(bucket, int(s.burst.grain.fullAge)); mu >= 2 {
			out = append(out, s.burst)
		}
	}
	return out
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
