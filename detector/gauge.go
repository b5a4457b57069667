package detector

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"emberwatch/rules"
)

// The gauge channel: does a number that a source reports, such as followers, move otherwise than usual? Samples become values
// by the hour, a straight line between two of them. What an hour usually adds, and how much that scatters, is learnt; a step
// (hours) or a drift (days) is compared with what so many hours usually add. How unlikely that is, is measured against
// the largest such surprises that this very gauge shows on ordinary days, as with bursts.

const (
	gaugeHours   = 7*24 + 1 // values that are kept: the longest drift
	gaugePrior   = 24.0     // hours behind the first scatter
	gaugeMemory  = 28 * 24.0
	gaugeTeaches = 7 * bucketsPerDay // a gauge tells nothing in its first week
	leastMoved   = 20.0              // units; a rule's floor.items replaces it …
	leastPart    = 0.002             // … and of the value
)

// gauge is what a rule of kind gauge knows of one source's number.
type gauge struct {
	last    float64 // the last sample …
	at      time.Time
	hour    int64               // … and the hour it lies in, counted from the Unix epoch
	first   int64               // the hour of the first sample
	values  [gaugeHours]float64 // at the end of each hour, by hour
	mean, v float64             // of what an hour adds
	n       float64             // the weight behind them
	watches []windowState       // what is usual for each watch of the rule: m, d and the ring
	lengths []rules.Watch
}

func newGauge(watches []rules.Watch, value float64, at time.Time) *gauge {
	at = at.Truncate(time.Second)
	g := &gauge{last: value, at: at, hour: hourOf(at), first: hourOf(at), v: max(1, value*1e-6), lengths: watches}
	for _, w := range watches {
		m, d := startCalibration(w.Length)
		g.watches = append(g.watches, windowState{buckets: int(w.Length / BucketLength), m: m, d: d})
	}
	return g
}

func hourOf(t time.Time) int64 { return floorDiv(t.Unix(), 3600) }

// sample takes in a value. One that is older than the last is dropped.
func (g *gauge) sample(value float64, at time.Time) bool {
	at = at.Truncate(time.Second)
	if !at.After(g.at) {
		return false
	}
	from, slope := g.last, (value-g.last)/at.Sub(g.at).Hours()
	if hourOf(at)-g.hour > gaugeHours {
		g.hour, from = hourOf(at)-gaugeHours, value-slope*gaugeHours
		g.at = time.Unix(g.hour*3600, 0)
	}
	for h := g.hour; h < hourOf(at); h++ {
		end := time.Unix((h+1)*3600, 0)
		g.close(h, from+slope*end.Sub(g.at).Hours())
	}
	g.last, g.at, g.hour = value, at, hourOf(at)
	return true
}

// value is where the value at the end of an hour is kept.
func (g *gauge) value(h int64) *float64 { return &g.values[floorMod(h, gaugeHours)] }

// close ends an hour with a value.
func (g *gauge) close(h int64, value float64) {
	*g.value(h) = value
	if h > g.first {
		g.learn(value - *g.value(h - 1))
	}
	for i := range g.watches {
		w := &g.watches[i]
		w.hourMax = max(w.hourMax, g.surprise(i, h, value, "both"))
		w.calibrate(int(h-g.first)+1, ringHours, ringRest)
	}
}

// learn takes in what an hour has added, cut at six deviations.
func (g *gauge) learn(added float64) {
	g.n = min(g.n+1, gaugeMemory)
	off := added - g.mean
	if sd := math.Sqrt(g.v); math.Abs(off) > 6*sd {
		off = math.Copysign(6*sd, off)
	}
	g.mean += off / (g.n + 1)
	g.v += (off*off - g.v) / (g.n + gaugePrior)
}

// moved returns by how much the value lies above the one of a watch's length before, and what is usual; ok is false while
// the gauge is too young.
func (g *gauge) moved(i int, h int64, value float64) (by, usual float64, ok bool) {
	hours := int64(g.lengths[i].Length / time.Hour)
	if h-hours < g.first {
		return 0, 0, false
	}
	return value - *g.value(h - hours), g.mean * float64(hours), true
}

// surprise says how unlikely it is that a watch sees what it does, in powers of ten; the normal tail stands for a score, not
// for a probability: the scatter of these numbers has heavy tails.
func (g *gauge) surprise(i int, h int64, value float64, direction string) float64 {
	by, usual, ok := g.moved(i, h, value)
	if !ok {
		return 0
	}
	z := (by - usual) / math.Sqrt(max(g.v, 1e-9)*g.lengths[i].Length.Hours())
	switch direction {
	case "down":
		z = -z
	case "both":
		z = math.Abs(z)
	}
	if z <= 0 {
		return 0
	}
	return min(unlikely(0.5*math.Erfc(z/math.Sqrt2)), 300)
}

// eval looks at the last sample for a rule.
func (g *gauge) eval(r *rules.Rule, now int64) Eval {
	e := Eval{Bucket: now, Score: noScore}
	for i := range g.watches {
		by, usual, _ := g.moved(i, g.hour, g.last)
		w := WindowEval{Buckets: g.watches[i].buckets, N: by, Mu: usual, V: g.v}
		if math.Abs(by-usual) >= g.leastMove(r) {
			w.Surprise = g.surprise(i, g.hour, g.last, r.Direction)
		}
		w.G = (w.Surprise - g.watches[i].m) / g.watches[i].d
		if w.Surprise >= minSurprise && w.G > e.Score {
			e.Score, e.Lead = w.G, i
		}
		e.Surprise = max(e.Surprise, w.Surprise)
		e.Windows = append(e.Windows, w)
	}
	return e
}

// leastMove is by how much the number has to move otherwise than usual to be of interest to a rule.
func (g *gauge) leastMove(r *rules.Rule) float64 {
	return max(cmp.Or(float64(r.Floor.Items), leastMoved), leastPart*math.Abs(g.last))
}

// fits reports whether the gauge has been kept for these watches.
func (g *gauge) fits(watches []rules.Watch) bool { return slices.Equal(watches, g.lengths) }

// measure brings a sample to the rules of kind gauge that watch it.
func (m *Model) measure(b *brand, a *Arrival, j *Judged) {
	sample := j.Mention.Metric
	if sample == nil || a.Prior.Found {
		return
	}
	for _, r := range m.set.RulesFor(b.state.ID) {
		if r.Kind == rules.Gauge && r.Metric == sample.Name {
			m.gauge(b, r, a, sample.Value)
		}
	}
}

func (m *Model) gauge(b *brand, r *rules.Rule, a *Arrival, value float64) {
	fits := func(t *trail) bool { return t.gauge != nil && t.gauge.fits(r.Watch) }
	t := m.trail(b, trailKey(r, a.Key.Source), a.At, fits, func(t *trail) { t.gauge = newGauge(r.Watch, value, a.At) })
	t.gauge.sample(value, a.At)
	m.touch(t)
	v := m.gaugeSight(r, t, a.Key.Source)
	v.quiet = a.History || m.now.Sub(a.At) > staleBurst
	m.judge(b, v)
}

// gaugeSight is the number of a source as a rule looks at it.
func (m *Model) gaugeSight(r *rules.Rule, t *trail, source string) *sight {
	v := t.sight(m, r, "", t.gauge.eval(r, bucketOf(m.now)))
	v.mute = v.age < gaugeTeaches
	v.evidence = func() Evidence { return t.gauge.evidence(source, &v.eval) }
	v.level = m.gaugeLevel
	return v
}

func (g *gauge) evidence(source string, e *Eval) Evidence {
	ev := Evidence{Place: source, Score: e.Score, First: g.at.Add(-g.lengths[e.Lead].Length), Sources: map[string]int{source: 1}}
	for i, w := range e.Windows {
		sd := math.Sqrt(g.v * g.lengths[i].Length.Hours())
		ev.Windows = append(ev.Windows, Window{Length: g.lengths[i].Length, Observed: w.N, Expected: w.Mu, High: w.Mu + 3*math.Copysign(sd, w.N-w.Mu), Surprise: w.Surprise})
	}
	ev.Window = ev.Windows[e.Lead]
	ev.Of = int(g.last)
	return ev
}

func (m *Model) gaugeLevel(f *found) (rules.Severity, Said) {
	if f.rule.Severity != rules.Calm {
		return f.rule.Severity, setBy(f.rule)
	}
	why := Said{{Code: "why.gauge", Name: f.rule.Metric}}
	if s := budgeted(f); s.GraverThan(rules.Issue) {
		return s, append(why, code("why.gauge.budget")...)
	}
	return rules.Issue, why
}

// gaugeSentence says how a number moved.
func gaugeSentence(f *found) string {
	ev := &f.evidence
	word := "rose by"
	if ev.Window.Observed < 0 {
		word = "fell by"
	}
	usual := "moves little"
	if math.Abs(ev.Window.Expected) >= 1 {
		usual = fmt.Sprintf("changes by %+.0f", ev.Window.Expected)
	}
	return fmt.Sprintf("%s on %s %s %.0f to %d in %s; in such a time it usually %s, rarely by %+.0f.",
		strings.ToUpper(f.rule.Metric[:1])+f.rule.Metric[1:], ev.Place, word, math.Abs(ev.Window.Observed), ev.Of, lastWords(ev.Window.Length), usual, ev.Window.High)
}

func (g *gauge) write(w *blobWriter) {
	w.floats(g.last)
	w.ints(g.at.Unix(), g.hour, g.first)
	w.floats(g.values[:]...)
	w.floats(g.mean, g.v, g.n)
	w.ints(int64(len(g.watches)))
	for i := range g.watches {
		w.bools(g.lengths[i].Drift)
		w.ints(int64(g.lengths[i].Length))
		g.watches[i].write(w)
	}
}

const maxWatches = 8

func readGauge(r *blobReader) *gauge {
	g := &gauge{last: r.float(), at: time.Unix(r.int(), 0).UTC(), hour: r.int(), first: r.int()}
	r.floats(g.values[:])
	g.mean, g.v, g.n = r.float(), r.float(), r.float()
	n := r.int()
	if n < 1 || n > maxWatches || g.hour < g.first {
		r.failed = true
		return g
	}
	g.watches = make([]windowState, n)
	for i := range g.watches {
		g.lengths = append(g.lengths, rules.Watch{Drift: r.bool(), Length: time.Duration(r.int())})
		g.watches[i].read(r)
		if l := g.lengths[i].Length; l < time.Hour || l >= gaugeHours*time.Hour {
			r.failed = true
		}
	}
	return g
}
