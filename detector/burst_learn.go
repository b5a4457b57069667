package detector

import (
	"math"
	"time"

	"emberwatch/rules"
)

// roll makes b the running bucket. Closed buckets are learnt from once they lie lag buckets back, so that
// late mentions still count.
func (s *burst) roll(b int64, lag int) {
	for s.cur < b {
		s.cur++
		for s.learned < s.cur-int64(lag) {
			s.learn(s.learned)
			s.learned++
		}
		i := s.slot(s.cur)
		s.n[i], s.m[i], s.missing[i] = 0, s.forecast(s.cur), false
	}
}

// rollOver rolls to bucket b; those of the spans are missing.
func (s *burst) rollOver(b int64, lag int, down []Span) {
	s.leap(b - oldestStart)
	for s.cur < b {
		s.roll(s.cur+1, lag)
		for _, d := range down {
			if s.cur < b && d.holds(s.cur) {
				s.skip()
			}
		}
	}
}

// leap makes bucket b the running one without going through those before it, if it lies ahead: they are missing.
func (s *burst) leap(b int64) {
	if b <= s.cur {
		return
	}
	for i := range s.n {
		s.n[i], s.m[i], s.missing[i] = 0, 0, true
	}
	s.cur, s.learned = b, b
}

// lift raises the level by so many a bucket: a source that teaches no longer has come to count. If that is most of what
// there will be, the series is another one than it was, and how it scatters has to be learnt anew.
func (s *burst) lift(perBucket float64) {
	if perBucket > s.level.a/s.level.b {
		for i := range s.windows {
			st := &s.windows[i]
			m, d := startCalibration(time.Duration(st.buckets) * s.grain.length)
			st.v, st.vn = max(st.v, priorDispersion), s.grain.priorWeight
			st.m, st.d = max(st.m, m), max(st.d, d)
		}
	}
	s.level.a += perBucket * s.level.b
	if s.slow != nil {
		s.slow.level.a += perBucket * float64(time.Hour/s.grain.length) * s.slow.level.b
	}
	if i := s.slot(s.cur); !s.missing[i] {
		s.m[i] = s.forecast(s.cur)
	}
}

// around returns what the last k buckets up to b hold and what is expected of them, without rolling.
func (s *burst) around(b int64, k int) (n, m float64) {
	for x := b - int64(k) + 1; x <= b; x++ {
		switch i := s.slot(x); {
		case x > s.cur:
			m += s.forecast(x)
		case x >= s.first && x > s.cur-int64(len(s.n)):
			n, m = n+s.n[i], m+s.m[i]
		}
	}
	return n, m
}

// skip marks the running bucket as missing: its source was down, so nothing is learnt from it.
func (s *burst) skip() {
	i := s.slot(s.cur)
	s.n[i], s.m[i], s.missing[i] = 0, 0, true
}

// revive takes back that the running bucket is missing.
func (s *burst) revive() {
	i := s.slot(s.cur)
	if s.missing[i] {
		s.m[i], s.missing[i] = s.forecast(s.cur), false
	}
}

// learn takes closed bucket b into dispersion, level, season and calibration, in this order.
func (s *burst) learn(b int64) {
	if !s.missing[s.slot(b)] {
		s.liveHour = s.liveHour || b-s.first >= s.grain.fullAge
		s.learnDispersion(b)
		s.learnLevel(b)
	}
	if s.grain.ends(b, 24*3600) {
		s.decaySeason()
	}
	if s.grain.ends(b, 3600) {
		s.calibrate()
		s.hearHour(b)
		s.burn(b)
	}
}

// Whether anything is heard in an hour is learnt even where its buckets are missing: what looks like an outage and comes
// every night is none.
const (
	startHeard  = 0.75 // two nights are enough
	heardWeight = 0.2
)

func (s *burst) hearHour(b int64) {
	h := &s.heard[s.hourClass(b)]
	x := float32(0)
	if s.inHour(b) > 0 {
		x = 1
	}
	*h += heardWeight * (x - *h)
}

// inHour returns what the hour that ends with bucket b holds.
func (s *burst) inHour(b int64) float64 {
	x := 0.0
	for k := max(s.first, b-int64(time.Hour/s.grain.length)+1); k <= b; k++ {
		x += s.n[s.slot(k)]
	}
	return x
}

// hourClass returns the hour of the day that bucket b lies in; those of weekends follow those of working days.
func (s *burst) hourClass(b int64) int {
	how, _ := s.grain.hour(b)
	if how >= 5*24 {
		return 24 + how%24
	}
	return how % 24
}

// awaited returns what is expected of bucket b unless its hour is one in which hardly ever anything is heard.
func (s *burst) awaited(b int64) float64 {
	mu := s.forecast(b)
	hour := mu * float64(time.Hour/s.grain.length)
	if float64(s.heard[s.hourClass(b)]) < (1-math.Exp(-hour))/2 {
		return 0
	}
	return mu
}

// burn passes the hour that ends with bucket b on to the slow-burn channel, if all of it is known.
func (s *burst) burn(b int64) {
	if s.slow == nil {
		return
	}
	for k := b - int64(time.Hour/s.grain.length) + 1; k <= b; k++ {
		if k < s.first || s.missing[s.slot(k)] {
			return
		}
	}
	how, _ := s.grain.hour(b)
	s.slow.step(how, s.inHour(b))
}

// learnDispersion notes the surprises of the windows ending with b, then moves the dispersion of those that
// are full.
func (s *burst) learnDispersion(b int64) {
	var buf [8]WindowEval
	out := append(buf[:0], make([]WindowEval, len(s.windows))...)
	s.sums(b, out)
	seen := b - s.first
	for i := range s.windows {
		st, w := &s.windows[i], &out[i]
		if seen < s.grain.full(st.buckets) {
			continue
		}
		w.V = st.v
		st.hourMax = max(st.hourMax, s.surprise(w, minCount))
		noise := 1 / (w.Mu + 0.5)
		sd := math.Sqrt(st.v + noise)
		y := math.Log((w.N + 0.5) / (w.Mu + 0.5))
		y = min(max(y, -6*sd), 6*sd)
		st.vn = min(st.vn+1, s.grain.maxWeight)
		st.v += (max(y*y-noise, 0) - st.v) / st.vn
	}
}

// learnLevel moves level and season. A count far above the forecast is capped, so that an incident does not
// become the normal it is judged by. A whole day is compared with a level that knows some days already: the first one would be
// taken for far above the others.
func (s *burst) learnLevel(b int64) {
	i := s.slot(b)
	mu := s.m[i]
	v := max(s.windows[0].v, 0.05)
	x := min(s.n[i], mu+6*math.Sqrt(mu+v*mu*mu)+1)
	how, _ := s.grain.hour(b)
	f, rate := s.season(b), s.level.a/s.level.b
	if s.profile != rules.DayOfWeek || b-s.first >= knownAfter {
		s.hod[how%24].c += x
		s.hod[how%24].e += rate
		s.how[how].c += x
		s.how[how].e += rate
	}
	s.level.a = s.level.a*s.grain.levelDecay + x
	s.level.b = s.level.b*s.grain.levelDecay + f
}

func (s *burst) decaySeason() {
	for i := range s.hod {
		s.hod[i].c *= seasonDecay
		s.hod[i].e *= seasonDecay
	}
	for i := range s.how {
		s.how[i].c *= seasonDecay
		s.how[i].e *= seasonDecay
	}
}

// calibrate ends an hour: its largest surprises enter the rings, and M and D follow the largest surprise of
// 36 hours that ended 12 hours ago. There are no fixed days, so the hour of the day at which a stream
// began does not matter. Hours count from the first in which the series is old enough to
// be surprised; an hour in which the source was down counts as a calm one.
func (s *burst) calibrate() {
	live := s.liveHour
	s.liveHour = false
	if !live && s.hours == 0 {
		return
	}
	s.hours++
	for i := range s.windows {
		s.windows[i].calibrate(s.hours, s.grain.ring, s.grain.rest)
	}
}

// calibrate takes the largest surprise of an hour, the hours-th one, into what is usual for the window.
func (w *windowState) calibrate(hours, ring, rest int) {
	w.maxima[hours%ring] = float32(w.hourMax)
	w.hourMax = 0
	if hours < ring {
		return
	}
	days := min(minDays+float64(hours-ring+1)/float64(ring)*2, maxDays)
	weight := 2 / float64(ring) / days
	x := 0.0
	for age := rest; age < ring; age++ {
		x = max(x, float64(w.maxima[(hours-age+ring)%ring]))
	}
	x = min(x, w.m+capSurprise*w.d)
	off := math.Abs(x - w.m)
	w.m += weight * (x - w.m)
	w.d = max(w.d+weight*(off-w.d), minSpread)
}
