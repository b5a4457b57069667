package detector

import (
	"math"
	"time"

	"emberwatch/rules"
)

// The slow-burn channel: complaints that double for days without ever bursting. Hour by hour it sums up how much better
// what was counted fits 2.2 times the usual than the usual (a CUSUM after Page 1954, of negative binomial counts after Höhle
// and Paul 2008), against a baseline of its own that moves slowly. The sum is measured against the largest sums of this
// very series' ordinary days. It asks for a watch, never for more: its incidents stay apart from those of bursts, and a
// burst within a watch is told like a first one.

const (
	slowHOD        = 15.0
	slowHOW        = 60.0
	slowDispersion = 0.12
	slowPrior      = 48.0 // hours that the prior of the dispersion weighs
	slowFactor     = 2.2
	slowLeast      = -4.0 // bounds of what one hour adds
	slowMost       = 3.0
	slowCap        = 30.0
	slowFrozen     = 3.0 // above this sum nothing is learnt …
	slowAccept     = 48  // … for at most so many hours: then that is the new normal
	slowSilent     = 48  // hours in which a series only learns
	watchSum       = 6.0
	watchScore     = 2.0
	watchExcess    = 8.0
	watchHabit     = 0.3
)

var (
	slowLevelDecay  = math.Exp2(-1.0 / (7 * 24))
	slowSeasonDecay = math.Exp2(-1.0 / 21)
)

// slow is the state of the slow-burn channel of one series, by the hour. Numbers that add up are doubles; the rest is kept
// short, there are many series.
type slow struct {
	hours  int64 // that were seen
	level  struct{ a, b float64 }
	hod    [24]struct{ c, e float32 }
	how    [168]struct{ c, e float32 }
	v, vn  float64
	sum    float64 // of the log likelihood ratio, never below zero
	since  int64   // hours for which the sum has been above zero
	count  float64 // counted in them …
	mu     float64 // … and expected
	frozen int64   // hours for which the sum has been too high to learn
	m, d   float64
	maxima [ringHours]float32
	habit  float64 // raises the score that a watch asks for; halves every seven days
	inside bool    // a watch is on
	opened int64   // since this one of the hours
	top    float64 // its highest score
}

func newSlow() *slow {
	s := &slow{v: slowDispersion, vn: slowPrior, m: 2, d: 1.5}
	s.level.a, s.level.b = startEvents, 50.0/12
	return s
}

// step closes an hour of the week with x counted.
func (s *slow) step(how int, x float64) {
	m := s.level.a / s.level.b * s.factor(how)
	s.hours++
	s.habit *= math.Exp2(-1.0 / (7 * 24))
	if s.hours > slowSilent {
		s.add(how, x, m)
		s.calibrate()
	}
	s.judge()
	switch {
	case s.sum <= slowFrozen:
		s.frozen = 0
		s.learn(how, x, m)
	default:
		if s.frozen++; s.frozen >= slowAccept {
			s.accept()
		}
	}
	if how%24 == 23 {
		for i := range s.hod {
			s.hod[i].c *= float32(slowSeasonDecay)
			s.hod[i].e *= float32(slowSeasonDecay)
		}
		for i := range s.how {
			s.how[i].c *= float32(slowSeasonDecay)
			s.how[i].e *= float32(slowSeasonDecay)
		}
	}
}

func (s *slow) factor(how int) float64 {
	d, w := s.hod[how%24], s.how[how]
	f := (float64(d.c) + slowHOD) / (float64(d.e) + slowHOD)
	return (float64(w.c) + slowHOW*f) / (float64(w.e) + slowHOW)
}

// add adds the hour's log likelihood ratio to the sum. The less has been seen of this hour of the day, the less is sure.
func (s *slow) add(how int, x, m float64) {
	a := min(max(s.v, 0.02), 0.2) + 1/(float64(s.hod[how%24].c)+1)
	r := 1 / a
	llr := x*math.Log(slowFactor) - (x+r)*math.Log((slowFactor*m+r)/(m+r))
	s.sum = min(max(0, s.sum+min(max(llr, slowLeast), slowMost)), slowCap)
	if s.sum == 0 {
		s.since, s.count, s.mu = 0, 0, 0
		return
	}
	s.since++
	s.count += x
	s.mu += m
}

// within reports the hours of which the state says something: as far as the sum reaches back, but no further than items do.
func (s *slow) within() int64 { return min(s.since, int64(keepItems/time.Hour)-1) }

// calibrate moves location and spread of the series' daily largest sums, as the burst channel does with surprises.
func (s *slow) calibrate() {
	n := s.hours - slowSilent
	s.maxima[n%ringHours] = float32(s.sum)
	if n < ringHours {
		return
	}
	x := 0.0
	for age := int64(fiveMinutes.rest); age < ringHours; age++ {
		x = max(x, float64(s.maxima[(n-age+ringHours)%ringHours]))
	}
	days := min(minDays+float64(n-ringHours+1)/24, maxDays)
	weight := 1.0 / 24 / days
	x = min(x, s.m+capSurprise*s.d)
	off := math.Abs(x - s.m)
	s.m += weight * (x - s.m)
	s.d = max(s.d+weight*(off-s.d), minSpread)
}

// score is the sum as this series' ordinary days measure it.
func (s *slow) score() float64 { return (s.sum - s.m) / s.d }

// judge turns a watch on and off.
func (s *slow) judge() {
	switch {
	case s.inside:
		s.inside = s.sum > slowFrozen
		s.top = max(s.top, s.score()-s.habit+watchHabit)
	case s.sum >= watchSum && s.score() >= watchScore+s.habit && s.count-s.mu >= watchExcess:
		s.inside, s.opened, s.top = true, s.hours, s.score()-s.habit
		s.habit += watchHabit
	}
}

// watchBars are what the score of a watch has to reach so that calm streams ask for no more watches a week than this,
// measured as bars are (TestCalibrationSlowBurn).
var watchBars = []struct{ perWeek, bar float64 }{{0.36, watchScore}, {0.19, 3}, {0.1, 4}, {0.05, 5}, {0.01, 7}}

// watchBar returns the score that a rule with a budget wants from a watch: watches may use half as much again as bursts.
// perWeek 0 is no budget.
func watchBar(perWeek float64) float64 {
	if perWeek == 0 || perWeek/2 >= watchBars[0].perWeek {
		return watchScore
	}
	for i := 1; i < len(watchBars); i++ {
		hi, lo := watchBars[i-1], watchBars[i]
		if perWeek/2 >= lo.perWeek {
			return lo.bar + (hi.bar-lo.bar)*(perWeek/2-lo.perWeek)/(hi.perWeek-lo.perWeek)
		}
	}
	return watchBars[len(watchBars)-1].bar
}

func (s *slow) learn(how int, x, m float64) {
	noise := 1 / (m + 0.5)
	sd := math.Sqrt(s.v + noise)
	y := min(max(math.Log((x+0.5)/(m+0.5)), -6*sd), 6*sd)
	s.vn = min(s.vn+1, 21*24)
	s.v += (max(y*y-noise, 0) - s.v) / s.vn
	x = min(x, m+6*math.Sqrt(m+max(s.v, 0.05)*m*m)+1)
	f, rate := s.factor(how), s.level.a/s.level.b
	s.hod[how%24].c += float32(x)
	s.hod[how%24].e += float32(rate)
	s.how[how].c += float32(x)
	s.how[how].e += float32(rate)
	s.level.a = s.level.a*slowLevelDecay + x
	s.level.b = s.level.b*slowLevelDecay + f
}

// accept makes what has been counted for two days the new normal: a step that stays is told once.
func (s *slow) accept() {
	if s.mu > 0 {
		s.level.a *= s.count / s.mu
	}
	s.sum, s.since, s.count, s.mu, s.frozen, s.inside = 0, 0, 0, 0, 0, false
}

// burnsSlowly reports whether a series of this name has a slow-burn channel: complaints of a brand, and what a rule of its
// own looks for; not volume, which is no trouble, nor each topic and source, of which there are too many.
func burnsSlowly(name string, r *rules.Rule) bool {
	if name == "negative" {
		return true
	}
	return r != nil && len(r.Per) == 0 && name == ownName(r) && r.Severity != rules.Notice
}
