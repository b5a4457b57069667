package detector

import (
	"fmt"
	"math"
	"slices"
	"time"

	"emberwatch/rules"
)

// Silence is not calm. A source from which nothing comes though much should have is told of, by rules of kind silence, as a
// signal of its own. What should have come is the forecast of its series, hour by hour of the week: a night is no silence.
// Sources are judged over all brands: the brand that misses most from one tells for the others.

const (
	silenceBar   = 5.0                // powers of ten: how unlikely so long a silence has to be …
	silenceYoung = 10.0               // … and while no weekend has been seen twice
	silenceEvery = 5 * time.Minute    // how often it is looked for
	asleep       = 15 * time.Minute   // a longer pause between two looks is the daemon's own
	silenceQuiet = time.Hour          // the signal is over that long after the source has spoken
	seenTwice    = 14 * bucketsPerDay // the age at which every weekday has been seen twice
	leastEmpty   = 0.05               // the chance of an empty hour is never believed to be smaller
	longSilence  = 7 * 24 * time.Hour // older ones are no news
)

// missed is what a brand has not heard from a source.
type missed struct {
	b        *brand
	s        *series
	since    time.Time
	expected float64 // mentions since then
	unlikely float64 // powers of ten
}

// listen looks for silent sources, every few minutes. After a pause of the daemon's own it counts from there.
func (m *Model) listen() {
	pause := m.now.Sub(m.listened)
	if pause < silenceEvery {
		return
	}
	if pause > asleep {
		m.awake = m.now
	}
	m.listened = m.now
	most := map[string]missed{}
	for _, id := range sortedKeys(m.brands) {
		b := m.brands[id]
		for source := range b.state.Heard {
			if x := m.missedFrom(b, source); x.expected > most[source].expected {
				most[source] = x
			}
		}
	}
	for _, source := range sortedKeys(most) {
		x := most[source]
		for _, r := range m.set.RulesFor(x.b.state.ID) {
			if r.Kind == rules.Silence && (r.Sources == nil || slices.Contains(r.Sources, source)) {
				m.silence(r, source, &x)
			}
		}
	}
}

// missedFrom says what a brand has missed from a source since it was last heard; nothing where that is too little to matter.
func (m *Model) missedFrom(b *brand, source string) missed {
	x := m.heardLast(b, source)
	if x.s == nil || m.now.Sub(x.since) < silenceEvery || m.now.Sub(x.since) > longSilence || x.age() < provisional {
		return missed{}
	}
	const crest = 12 // no hour of the week has so many times the mean
	level := &x.s.burst.level
	if buckets := m.now.Sub(x.since).Minutes() / BucketLength.Minutes(); level.a/level.b*buckets*crest < silenceBar {
		return missed{}
	}
	x.until(m.now)
	return x
}

// heardLast says since when a brand has not heard from a source; without its series if the source has none.
func (m *Model) heardLast(b *brand, source string) missed {
	x := missed{b: b, s: b.series["source:"+source], since: b.state.Heard[source]}
	if x.since.Before(m.awake) {
		x.since = m.awake
	}
	return x
}

// until works out what should have come from the source up to now.
func (x *missed) until(now time.Time) {
	x.expected, x.unlikely = x.s.burst.unheard(bucketOf(x.since)+1, bucketOf(now)-1)
}

// age is how old the series was when the silence began, in buckets.
func (x *missed) age() int64 { return bucketOf(x.since) - x.s.burst.first }

// bar is how unlikely the silence has to be.
func (x *missed) bar() float64 {
	if x.age() < seenTwice {
		return silenceYoung
	}
	return silenceBar
}

// unheard returns how much is expected of buckets from..to, and how unlikely it is that they hold nothing: hour by hour the
// chance that such an hour holds nothing, as seen on this very source, and never less likely than by pure chance (Poisson).
func (s *burst) unheard(from, to int64) (expected, unlikely float64) {
	perHour := float64(time.Hour / s.grain.length)
	for b := from; b <= to; b++ {
		mu := s.awaited(b)
		empty := max(1-float64(s.heard[s.hourClass(b)]), leastEmpty)
		expected, unlikely = expected+mu, unlikely+min(-math.Log10(empty)/perHour, mu*math.Log10E)
	}
	return expected, unlikely
}

// silence tells of a silent source.
func (m *Model) silence(r *rules.Rule, source string, x *missed) {
	if x.unlikely < x.bar() {
		return
	}
	f := m.silent(r, source, x)
	known := m.holding(x.b, &f.signal)
	if known != nil && m.now.Sub(known.signal(&f.signal).LastHit) < silenceQuiet/2 {
		return
	}
	f.opened = known == nil
	m.raise(x.b, &f)
}

// silent is what a silence brings to an incident.
func (m *Model) silent(r *rules.Rule, source string, x *missed) found {
	sig := ActiveSignal{
		Rule: r.ID, Signal: r.Signal(), Series: "silence:" + source, Level: r.Severity, First: m.now, LastHit: m.now,
		Quiet: Duration(silenceQuiet),
	}
	sig.because(setBy(r))
	ev := Evidence{Place: source, Bar: x.bar(), Score: x.unlikely, Sources: map[string]int{source: 0}, First: x.since}
	ev.Window = Window{Length: m.now.Sub(x.since), Expected: x.expected, High: math.Ceil(x.expected), Surprise: x.unlikely}
	ev.Windows = []Window{ev.Window}
	return found{rule: r, signal: sig, evidence: ev, since: x.since}
}

// silenceSentence says what was not heard.
func (m *Model) silenceSentence(ev *Evidence) string {
	return fmt.Sprintf("Nothing from %s for %s; at this time of a %s usually %s. A source that is down hides what is said there.",
		ev.Place, lengthWords(ev.Window.Length), m.weekday(), counted(ev.Window.Expected, "mentions"))
}

// lengthWords says a length in words: "25 minutes", "5 hours", "2 days".
func lengthWords(d time.Duration) string {
	switch {
	case d < 2*time.Hour:
		return fmt.Sprintf("%d minutes", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
