package detector

import (
	"math"
	"time"

	"emberwatch/rules"

	"gonum.org/v1/gonum/mathext"
)

// The burst channel: is a count of mentions more than this series' own normal allows? Counts fall into
// five-minute buckets; each bucket gets a forecast from a slowly moving level and the season (season.go); windows of
// several lengths are compared with the forecasts as they were made, by the upper tail (or the lower one, where a
// drop is looked for) of a negative binomial whose dispersion is learnt. Each window's surprise is then measured against the largest surprises this
// very series shows on its ordinary days (M, D below): a stream that bursts every other day is calm by
// its own standards. The score is the mean of the two most unusual windows.
//
// Gamma-Poisson outbreak detection with capped updates follows Farrington et al. 1996 and Noufaily et al.
// 2013; the calibration on daily maxima is ours.

const (
	// BucketLength is the length of one bucket of counts.
	BucketLength = 5 * time.Minute

	bucketsPerDay = 288
	maxWindow     = bucketsPerDay // the longest window, in buckets

	startEvents = 1.0 // the level starts as one event in fifty buckets

	priorDispersion = 0.35 * 0.35

	minCount       = 5   // fewer mentions in a window are never a surprise (a rule's floor replaces it)
	minSurprise    = 2.5 // of the most surprising window, in powers of ten
	noScore        = -9.0
	defaultBar     = 0.9 // the score that opens an episode
	habituation    = 0.15
	habituationCap = 3.0
	episodeQuiet   = 8 * time.Hour // an episode is over when the score stayed below the bar for so long

	ringHours   = 48
	ringRest    = 12 // the youngest hours of the ring: they may be the incident
	minDays     = 3.0
	capSurprise = 10.0 // daily maxima above M + 10 D count as that
	minSpread   = 0.25
	firstDay    = bucketsPerDay     // buckets in which a series learns and never tells
	provisional = 7 * bucketsPerDay // buckets until which it is called provisional
)

var (
	seasonDecay = math.Exp2(-1.0 / 28)
	maxDays     = 1 / (1 - math.Exp2(-1.0/21))
)

// defaultWindows are watched unless a rule names others, in buckets: 5 min, 30 min, 2 h, 6 h.
var defaultWindows = []int{1, 6, 24, 72}

// Start values of M and D for the default windows: medians over streams of brand mentions.
var (
	startM = []float64{3.7, 2.1, 1.5, 1.15}
	startD = []float64{1.7, 1.0, 0.6, 0.38}
)

// bucketOf returns the number of the five-minute bucket that holds t, counted from the Unix epoch.
func bucketOf(t time.Time) int64 { return fiveMinutes.bucketOf(t) }

// bucketStart returns when five-minute bucket b begins.
func bucketStart(b int64) time.Time { return fiveMinutes.start(b) }

// trust is how many events an hour of the day and an hour of the week have to see before half of their difference from
// the rest is believed.
type trust struct{ hod, how float64 }

var (
	// steady believes the hours soon: what people write to a brand has a rhythm, and a surge is found sooner against it.
	steady = trust{30, 120}
	// wary believes them late: counts of any kind may have none.
	wary = trust{2000, 4000}
)

// windowState is what one window of a series has learnt.
type windowState struct {
	buckets int
	v, vn   float64 // dispersion and the weight behind it
	m, d    float64 // location and spread of this series' daily largest surprises
	hourMax float64
	maxima  [ringHours]float32 // of the last live hours, a ring
}

// burst is the state of the burst channel of one series. The running bucket is number cur; buckets before it
// are closed. Learning lags behind by lag buckets, so that late mentions still change what is learnt.
type burst struct {
	grain   *grain
	trust   trust
	profile rules.Season // what the forecast follows; empty: the hour of the week
	down    bool         // it looks for drops: the lower tail counts
	cur     int64        // the running bucket
	first   int64        // the first bucket that was seen
	learned int64        // the next bucket to learn from
	level   struct{ a, b float64 }
	hod     [24]struct{ c, e float64 }
	how     [168]struct{ c, e float64 }
	windows []windowState
	heard   [48]float32 // how often each hour of a working day, then of a weekend, holds anything

	// Rings by bucket number: what was counted, what had been forecast, and which buckets were missing.
	n, m    []float64
	missing []bool

	slow     *slow // nil: none
	hours    int   // live hours calibrated so far
	liveHour bool  // the running hour had a live bucket
}

// Eval is the outcome of looking at the running bucket.
type Eval struct {
	Bucket   int64
	Score    float64 // noScore where the floors do not hold
	Surprise float64 // the largest of the windows
	Expected float64 // forecast for the running bucket
	Lead     int     // index of the most unusual window
	Windows  []WindowEval
}

// WindowEval is one window of an Eval.
type WindowEval struct {
	Buckets  int
	N, Mu    float64
	V        float64
	Surprise float64
	G        float64
}

// newBurst returns the state of a series of mentions in five-minute buckets, of which the first is number first.
func newBurst(windows []int, first int64) *burst {
	return newBurstOf(fiveMinutes, steady, windows, first)
}

func newBurstOf(g *grain, t trust, windows []int, first int64) *burst {
	longest := int(g.fullAge)
	for _, w := range windows {
		longest = max(longest, w)
	}
	size := longest + learnLagMax + 1
	s := &burst{
		grain: g, trust: t, cur: first, first: first, learned: first,
		n: make([]float64, size), m: make([]float64, size), missing: make([]bool, size),
	}
	s.level.a, s.level.b = startEvents, g.startBuckets
	for i := range s.heard {
		s.heard[i] = startHeard
	}
	for _, w := range windows {
		m, d := startCalibration(time.Duration(w) * g.length)
		s.windows = append(s.windows, windowState{buckets: w, v: priorDispersion, vn: g.priorWeight, m: m, d: d})
	}
	s.m[s.slot(first)] = s.forecast(first)
	return s
}

// learnLagMax bounds how many buckets learning may lag behind: 15 minutes.
const learnLagMax = 3

// startCalibration interpolates the start values of M and D over the logarithm of the window.
func startCalibration(window time.Duration) (m, d float64) {
	w := float64(window) / float64(BucketLength)
	if w <= float64(defaultWindows[0]) {
		return startM[0], startD[0]
	}
	for i := 1; i < len(defaultWindows); i++ {
		if w <= float64(defaultWindows[i]) {
			lo, hi := math.Log(float64(defaultWindows[i-1])), math.Log(float64(defaultWindows[i]))
			f := (math.Log(w) - lo) / (hi - lo)
			return startM[i-1] + f*(startM[i]-startM[i-1]), startD[i-1] + f*(startD[i]-startD[i-1])
		}
	}
	last := len(startM) - 1
	return startM[last], startD[last]
}

func (s *burst) slot(b int64) int {
	l := int64(len(s.n))
	return int((b%l + l) % l)
}

// season returns the factor of the hour that bucket b lies in, linear between the centres of hours, or of its day.
func (s *burst) season(b int64) float64 {
	h, pos := s.grain.hour(b)
	switch s.profile {
	case rules.NoSeason:
		return 1
	case rules.DayOfWeek:
		return s.dayFactor(h / 24)
	}
	other := h + 1
	if pos < 0 {
		other, pos = h-1, -pos
	}
	return (1-pos)*s.hourFactor(h) + pos*s.hourFactor((other+168)%168)
}

func (s *burst) hourFactor(how int) float64 {
	d := s.hod[how%24]
	f := (d.c + s.trust.hod) / (d.e + s.trust.hod)
	if s.profile == rules.HourOfDay {
		return f
	}
	w := s.how[how]
	return (w.c + s.trust.how*f) / (w.e + s.trust.how)
}

// dayFactor is the factor of a whole day of the week, believed like an hour of the day.
func (s *burst) dayFactor(day int) float64 {
	c, e := s.trust.hod, s.trust.hod
	for _, w := range s.how[24*day : 24*day+24] {
		c, e = c+w.c, e+w.e
	}
	return c / e
}

// forecast returns the expected count of bucket b as of now.
func (s *burst) forecast(b int64) float64 {
	return s.level.a / s.level.b * s.season(b)
}

// add books x mentions to bucket b, which may lie back as far as the ring reaches; older ones are dropped
// and false is returned.
func (s *burst) add(b int64, x float64) bool {
	if b > s.cur || b < s.first || b <= s.cur-int64(len(s.n)) {
		return false
	}
	i := s.slot(b)
	if s.missing[i] && x > 0 { // it was late, not missing
		s.m[i], s.missing[i] = s.forecast(b), false
	}
	s.n[i] = max(0, s.n[i]+x)
	return true
}

// eval looks at the running bucket. floor is the least count of a window.
func (s *burst) eval(floor float64) Eval {
	e := Eval{Bucket: s.cur, Score: noScore, Expected: s.m[s.slot(s.cur)], Windows: make([]WindowEval, len(s.windows))}
	s.sums(s.cur, e.Windows)
	best, second := math.Inf(-1), math.Inf(-1)
	for i := range e.Windows {
		w, st := &e.Windows[i], &s.windows[i]
		w.V = st.v
		if s.cur-s.first >= s.grain.full(st.buckets) {
			w.Surprise = s.surprise(w, floor)
		}
		w.G = (w.Surprise - st.m) / st.d
		e.Surprise = max(e.Surprise, w.Surprise)
		switch {
		case w.G > best:
			best, second, e.Lead = w.G, best, i
		case w.G > second:
			second = w.G
		}
	}
	if len(e.Windows) == 1 {
		second = best
	}
	if e.Surprise >= minSurprise && !s.missing[s.slot(s.cur)] {
		e.Score = (best + second) / 2
	}
	return e
}

// sums fills in count and forecast of every window that ends with bucket end.
func (s *burst) sums(end int64, out []WindowEval) {
	longest := 0
	for i := range s.windows {
		out[i].Buckets = s.windows[i].buckets
		longest = max(longest, s.windows[i].buckets)
	}
	var n, m float64
	for k := range longest {
		b := end - int64(k)
		if b >= s.first {
			i := s.slot(b)
			n += s.n[i]
			m += s.m[i]
		}
		for i := range out {
			if out[i].Buckets == k+1 {
				out[i].N, out[i].Mu = n, m
			}
		}
	}
}

// surprise returns how surprising a window is, 0 below the floor: of what was counted or, where a drop is looked for,
// of what was expected.
func (s *burst) surprise(w *WindowEval, floor float64) float64 {
	switch {
	case s.down && w.Mu >= floor:
		return lack(w.N, w.Mu, w.V)
	case !s.down && w.N >= floor:
		return surprise(w.N, w.Mu, w.V)
	}
	return 0
}

// surprise returns −log10 P(X ≥ n) for a negative binomial X with mean m and variance m + v m².
func surprise(n, m, v float64) float64 {
	if n <= 0 || m <= 0 {
		return 0
	}
	r := 1 / v
	return unlikely(mathext.RegIncBeta(n, r, m/(r+m)))
}

// lack returns −log10 P(X ≤ n) for the same X.
func lack(n, m, v float64) float64 {
	if m <= 0 {
		return 0
	}
	r := 1 / v
	return unlikely(mathext.RegIncBeta(r, n+1, r/(r+m)))
}

func unlikely(p float64) float64 {
	if p <= 0 {
		return 300
	}
	return max(0, -math.Log10(p))
}

// clearRunning forgets what the running bucket holds; the caller counts it anew.
func (s *burst) clearRunning() { s.n[s.slot(s.cur)] = 0 }
