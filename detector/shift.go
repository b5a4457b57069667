package detector

import (
	"math"
	"slices"
	"time"

	"emberwatch/rules"
)

// The shift channel: is a larger share of the mentions negative (or low-rated, …) than usual, whatever their number? The
// hits among the n mentions of a window follow a beta-binomial: the usual share, and how much it wanders from window to
// window, are learnt from what has left the window. Its upper tail is the surprise, measured like a burst's against the
// largest that this very series shows on ordinary days. So 3 of 4 is nothing, and 300 of 1000 may be much.

const (
	priorShare    = 0.25 // before anything is known, as if that many …
	priorMentions = 20.0 // … mentions had been seen
	partWeight    = 200  // mentions of a weekday, or of an hour, before half of its difference is believed
	priorWander   = 0.02 // correlation of two mentions of one window
	wanderWeight  = 48.0 // hours behind it
	wanderMemory  = 21 * 24.0
	leastShare    = 3.5 // surprise that a window has to show, in powers of ten: there is but one
	leastMentions = 5   // fewer in a window teach nothing about how much the share wanders
)

// shareDecay lets the usual share follow within three weeks, by the hour.
var shareDecay = math.Exp2(-1.0 / (21 * 24))

// part is a number of mentions and the hits among them.
type part struct{ hit, all float64 }

// share is what a rule of kind shift knows of one brand.
type share struct {
	window windowState // v is how much the share wanders
	cur    int64       // the running bucket
	hours  int         // calibrated so far
	ring   []part      // by bucket
	usual  part        // decayed sums
	season rules.Season
	parts  []part // by what the season tells apart, likewise
}

func newShare(window time.Duration, season rules.Season, at time.Time) *share {
	m, d := startCalibration(window)
	buckets := max(1, int(window/BucketLength))
	return &share{
		window: windowState{buckets: buckets, v: priorWander, vn: wanderWeight, m: m, d: d},
		cur:    bucketOf(at), ring: make([]part, ringOf(buckets)),
		season: season, parts: make([]part, partsOf(season)),
	}
}

// partsOf is how many times a season tells apart; the usual one of shares is the day of the week.
func partsOf(season rules.Season) int {
	switch season {
	case rules.NoSeason:
		return 0
	case rules.HourOfDay:
		return 24
	case rules.HourOfWeek:
		return 168
	}
	return 7
}

// part returns the part of the season that bucket b lies in, nil without a season.
func (s *share) part(b int64) *part {
	how, _ := fiveMinutes.hour(b)
	switch s.season {
	case rules.NoSeason:
		return nil
	case rules.HourOfDay:
		return &s.parts[how%24]
	case rules.HourOfWeek:
		return &s.parts[how]
	}
	return &s.parts[weekday(b)]
}

// ringOf is how many buckets are kept: the window, the hour that leaves it, and what comes late.
func ringOf(window int) int { return window + int(time.Hour/BucketLength) + learnLagMax }

func (s *share) at(b int64) *part { return &s.ring[floorMod(b, int64(len(s.ring)))] }

// roll makes b the running bucket. What has just left the window is learnt hour by hour.
func (s *share) roll(b int64) {
	if b-s.cur > oldestStart {
		s.cur = b - oldestStart
		clear(s.ring)
	}
	for s.cur < b {
		if fiveMinutes.ends(s.cur, 3600) {
			s.learn()
		}
		s.cur++
		*s.at(s.cur) = part{}
	}
}

// add books a mention of bucket b; what is older than the window is dropped.
func (s *share) add(b int64, hit bool, n float64) {
	if b > s.cur || b <= s.cur-int64(len(s.ring)) {
		return
	}
	p := s.at(b)
	p.all = max(0, p.all+n)
	if hit {
		p.hit = max(0, p.hit+n)
	}
}

// sum adds up the buckets from..to.
func (s *share) sum(from, to int64) (p part) {
	for b := from; b <= to; b++ {
		x := s.at(b)
		p.hit, p.all = p.hit+x.hit, p.all+x.all
	}
	return p
}

// held returns what the window holds now.
func (s *share) held() part { return s.sum(s.cur-int64(s.window.buckets)+1, s.cur) }

// expected returns the usual share at the time of bucket b.
func (s *share) expected(b int64) float64 {
	p := (s.usual.hit + priorShare*priorMentions) / (s.usual.all + priorMentions)
	d := s.part(b)
	if d == nil {
		return p
	}
	return (d.hit + partWeight*p) / (d.all + partWeight)
}

// perDay is about how many mentions come a day.
func (s *share) perDay() float64 { return s.usual.all * (1 - shareDecay) * 24 }

func weekday(b int64) time.Weekday { return bucketStart(b).Weekday() }

// learn takes in the hour that has left the window, and how far the window lies from the usual share now.
func (s *share) learn() {
	s.wander()
	end := s.cur - int64(s.window.buckets)
	h := s.sum(end-int64(time.Hour/BucketLength)+1, end)
	p := s.expected(end)
	h.hit = min(h.hit, h.all*p+6*math.Sqrt(h.all*p*(1-p)*s.inflation(h.all))+1) // a crisis is no new normal at once
	for _, into := range []*part{&s.usual, s.part(end)} {
		if into != nil {
			into.hit, into.all = into.hit*shareDecay+h.hit, into.all*shareDecay+h.all
		}
	}
	s.hours++
	s.window.calibrate(s.hours, ringHours, ringRest)
}

// inflation is how much larger than binomial the variance of the hits among n is.
func (s *share) inflation(n float64) float64 { return 1 + max(0, n-1)*s.window.v }

// wander moves how much the share wanders: the method of moments for a beta-binomial, outliers cut at six deviations.
func (s *share) wander() {
	w, p := s.held(), s.expected(s.cur)
	if w.all < leastMentions {
		return
	}
	off := (w.hit - w.all*p) * (w.hit - w.all*p) / (w.all * p * (1 - p))
	off = min(off, 36*s.inflation(w.all))
	s.window.vn = min(s.window.vn+1, wanderMemory)
	s.window.v += ((off-1)/(w.all-1) - s.window.v) / s.window.vn
	s.window.v = min(max(s.window.v, 0.001), 0.5)
}

// eval looks at the window now. floor is the least number of mentions in it.
func (s *share) eval(floor float64) Eval {
	w, p := s.held(), s.expected(s.cur)
	one := WindowEval{Buckets: s.window.buckets, N: w.hit, Mu: w.all * p, V: s.window.v}
	if w.all >= floor {
		one.Surprise = shareSurprise(w.hit, w.all, p, s.window.v)
	}
	s.window.hourMax = max(s.window.hourMax, one.Surprise)
	one.G = (one.Surprise - s.window.m) / s.window.d
	e := Eval{Bucket: s.cur, Score: noScore, Surprise: one.Surprise, Expected: one.Mu, Windows: []WindowEval{one}}
	if one.Surprise >= leastShare {
		e.Score = one.G
	}
	return e
}

// shareSurprise returns −log10 P(X ≥ k) for a beta-binomial X of n trials with mean share p and correlation rho.
func shareSurprise(k, n, p, rho float64) float64 {
	k, n = math.Round(k), math.Round(n)
	if k <= n*p || n <= 0 || p <= 0 || p >= 1 {
		return 0
	}
	a, b := p*(1/rho-1), (1-p)*(1/rho-1)
	lg := func(x float64) float64 { v, _ := math.Lgamma(x); return v }
	log := lg(n+1) - lg(k+1) - lg(n-k+1) + lg(k+a) + lg(n-k+b) - lg(n+a+b) + lg(a+b) - lg(a) - lg(b)
	sum, term := 1.0, 1.0 // of the tail, in units of its first member
	for x := k; x < n; x++ {
		term *= (n - x) * (x + a) / ((x + 1) * (n - x - 1 + b))
		if sum += term; term < 1e-12*sum {
			break
		}
	}
	return max(0, -(log+math.Log(sum))/math.Ln10)
}

func (s *share) write(w *blobWriter) {
	s.window.write(w)
	w.ints(s.cur, int64(s.hours))
	for _, p := range append(s.ring[:len(s.ring):len(s.ring)], s.usual) {
		w.floats(p.hit, p.all)
	}
	for _, p := range s.parts {
		w.floats(p.hit, p.all)
	}
}

func readShare(r *blobReader, season rules.Season) *share {
	s := &share{season: season, parts: make([]part, partsOf(season))}
	s.window.read(r)
	s.cur, s.hours = r.int(), int(r.int())
	if s.window.buckets < 1 || s.window.buckets > maxWindow || s.window.v <= 0 {
		r.failed = true
		return s
	}
	s.ring = make([]part, ringOf(s.window.buckets))
	for i := range s.ring {
		s.ring[i] = part{r.float(), r.float()}
	}
	s.usual = part{r.float(), r.float()}
	for i := range s.parts {
		s.parts[i] = part{r.float(), r.float()}
	}
	return s
}

// shareOf returns the trail of a rule of kind shift for a dim, with the bucket of time at running.
func (m *Model) shareOf(b *brand, r *rules.Rule, d dim, at time.Time) *trail {
	buckets := max(1, int(r.Window()/BucketLength))
	fits := func(t *trail) bool { return t.share != nil && t.share.window.buckets == buckets }
	t := m.trail(b, trailKey(r, string(d)), at, fits, func(t *trail) { t.share = newShare(r.Window(), r.Season, at) })
	t.share.roll(bucketOf(at))
	m.touch(t)
	return t
}

// shares books an item for the rules of kind shift that it concerns; n is −1 where it leaves.
func (m *Model) shares(b *brand, it *Item, n float64) {
	if !it.countsFor("") {
		return
	}
	for _, id := range it.Rules {
		r, ok := m.set.Rule(id)
		if !ok || r.Kind != rules.Shift {
			continue
		}
		for _, d := range b.dims(r, it) {
			m.shareOf(b, r, d, it.At).share.add(bucketOf(it.At), it.hits(r), n)
		}
	}
}

// hits reports whether an item is one of those whose share a rule follows.
func (it *Item) hits(r *rules.Rule) bool {
	return slices.Contains(it.Measured, r.ID)
}

// shift looks at the shares that a rule follows, once an item has been booked.
func (m *Model) shift(b *brand, r *rules.Rule, it *Item, history bool) {
	if !it.hits(r) || !it.countsFor("") {
		return
	}
	for _, d := range b.dims(r, it) {
		m.shiftOf(b, r, d, it, history || m.now.Sub(it.At) > staleBurst)
	}
}

func (m *Model) shiftOf(b *brand, r *rules.Rule, d dim, it *Item, quiet bool) {
	t := m.shareOf(b, r, d, it.At)
	if !quiet {
		t = m.shareOf(b, r, d, m.now)
	}
	v := m.shareSight(b, r, d, t)
	v.quiet = quiet
	m.judge(b, v)
}

// shareSight is the share that a rule follows as it looks at it.
func (m *Model) shareSight(b *brand, r *rules.Rule, d dim, t *trail) *sight {
	v := t.sight(m, r, d, t.share.eval(float64(r.Floor.Items)))
	v.evidence = func() Evidence { return m.shareEvidence(b, v, t.share) }
	v.level = func(f *found) (rules.Severity, Said) { return m.burstLevel(f, v.unsure()) }
	return v
}

// sight is how a rule looks at its own trail.
func (t *trail) sight(m *Model, r *rules.Rule, d dim, e Eval) *sight {
	v := &sight{
		rule: r, dim: d, key: t.key.Signal, word: r.Signal(), episode: &t.episode, eval: e,
		age: e.Bucket - t.first, touch: func() { m.touch(t) },
	}
	v.bar = func(rate float64) (float64, *Budget) { return t.episode.barOf(rate, v.age, e.Bucket) }
	return v
}

// shareEvidence gathers the hits of the window.
func (m *Model) shareEvidence(b *brand, v *sight, s *share) Evidence {
	w := v.eval.Windows[0]
	ev := m.gathered(b, &v.eval, w.Buckets, func(it *Item) bool {
		return it.hits(v.rule) && it.countsFor("") && slices.Contains(dims(v.rule, it), v.dim)
	})
	ev.Of = int(s.held().all)
	of, value := v.rule.Measure.Share()
	ev.Counts, ev.Condition = string(of), value
	high := w.Mu
	for shareSurprise(high+1, float64(ev.Of), w.Mu/max(1, float64(ev.Of)), w.V) < 2 && int(high) < ev.Of {
		high++
	}
	ev.Window = Window{Length: span(w.Buckets), Observed: w.N, Expected: w.Mu, High: math.Ceil(high), Surprise: w.Surprise}
	ev.Windows = []Window{ev.Window}
	return ev
}
