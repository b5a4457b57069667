package detector

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"emberwatch/rules"
)

// A budget is a ceiling on how often a rule may tell without cause, not a quota. It picks the bar that a series' score has
// to pass: the higher of the one that holds the rate on generated streams, and the one that would have held it on the
// series' own history. So a calm stream stays silent, and one that bursts more than any generated stream is held too.

// bars are what a series' score has to reach so that calm streams raise no more alarms a week than this: measured on
// generated negative binomial streams (hourly variance 0.25 and 1, daily and weekend rhythm, 0.1 to 1000 mentions an
// hour, 60 streams of 26 weeks each; TestCalibrationBudgets) and rounded up; the worst of these streams counts.
var bars = []struct{ perWeek, bar float64 }{
	{3.5, -1.2},
	{2.4, -0.9},
	{2.2, -0.6},
	{2.0, -0.3},
	{1.7, 0},
	{1.35, 0.3},
	{1.05, 0.6},
	{0.82, 0.9},
	{0.62, 1.2},
	{0.5, 1.5},
	{0.42, 1.8},
	{0.33, 2.1},
	{0.24, 2.5},
	{0.16, 3.0},
	{0.13, 3.5},
	{0.11, 4.0},
	{0.09, 5.0},
	{0.07, 6.0},
}

// barFor returns the bar that holds a rate, between the measured ones along a line. A rate looser than any
// measured does not lower the bar further, a stricter one does not raise it further.
func barFor(perWeek float64) float64 {
	if perWeek >= bars[0].perWeek {
		return bars[0].bar
	}
	for i := 1; i < len(bars); i++ {
		hi, lo := bars[i-1], bars[i]
		if perWeek >= lo.perWeek {
			return lo.bar + (hi.bar-lo.bar)*(perWeek-lo.perWeek)/(hi.perWeek-lo.perWeek)
		}
	}
	return bars[len(bars)-1].bar
}

// rateOf returns the rate that a rule's budget allows one of its series now: for the mildest severity that it names, shared
// among the series it watches, changed by a planned event. 0: no budget.
func (m *Model) rateOf(b *brand, r *rules.Rule, d dim) float64 {
	rate := 0.0
	for sev := rules.Notice; sev >= rules.Crisis && rate == 0; sev-- {
		rate = r.Budget[sev].PerWeek()
	}
	if _, e := m.set.Planned(b.state.ID, plannedKey(r, d), m.now); e.Budget > 0 {
		rate *= e.Budget
	}
	return rate / b.watchedBy(r)
}

const (
	maxPeaks    = 60 // of a rule on a series: enough for one a day
	historySpan = 8 * 7 * bucketsPerDay
	leastSpan   = 2 * 7 * bucketsPerDay // younger series are held by the generated streams alone
	aboveOwn    = 0.01                  // how far above a peak the bar is that shuts it out
)

// peak is the highest score of one stretch of time in which a series stood out, whether or not anybody was told.
type peak struct {
	at    int64 // the bucket in which it began …
	end   int64 // … and the last one so far
	score float32
	told  bool
}

// note takes an evaluation into the history of peaks, and reports whether that changed it. Scores within eight hours of
// each other are of one stretch. A peak rises in steps, so that a surge is not written down with each of its mentions.
func (p *episode) note(e *Eval) (changed bool) {
	if e.Score < trackedScore {
		return false
	}
	changed = e.Bucket != p.seen
	running := p.running(e.Bucket)
	p.seen = e.Bucket
	switch {
	case running && p.settled:
		return changed // what goes on has been confirmed
	case running && len(p.peaks) > 0:
		last := &p.peaks[len(p.peaks)-1]
		last.end = e.Bucket
		if e.Score > float64(last.score)+max(0.1, 0.05*e.Score) {
			last.score, changed = float32(e.Score), true
		}
		return changed
	}
	p.forgetPeaks(e.Bucket)
	p.settled = false
	p.peaks = append(p.peaks, peak{at: e.Bucket, end: e.Bucket, score: float32(e.Score)})
	return true
}

// running reports whether a stretch goes on in bucket b.
func (p *episode) running(b int64) bool {
	return p.seen > 0 && p.length(b-p.seen) <= episodeQuiet && (p.settled || len(p.peaks) > 0)
}

// trackedScore is the least score that is worth remembering.
const trackedScore = 0.6

// forgetPeaks drops what is older than the history, and makes room: the lowest peak goes first.
func (p *episode) forgetPeaks(b int64) {
	p.peaks = slices.DeleteFunc(p.peaks, func(x peak) bool { return b-x.at > historySpan })
	for len(p.peaks) >= maxPeaks {
		lowest := 0
		for i := range p.peaks {
			if p.peaks[i].score < p.peaks[lowest].score {
				lowest = i
			}
		}
		p.peaks = slices.Delete(p.peaks, lowest, lowest+1)
	}
}

// confirmed takes what an incident rests on out of the histories: somebody said that there was a cause for it.
func (m *Model) confirmed(i *Incident) {
	b := m.brands[i.Brand]
	if b == nil {
		return
	}
	for k := range i.Signals {
		if s := b.series[i.Signals[k].Series]; s != nil {
			s.episode(i.Signals[k].Rule).confirm(bucketOf(i.Since), s.burst.cur)
			m.touch(s)
		} else if t := b.trails[i.Signals[k].Series]; t != nil {
			t.episode.confirm(bucketOf(i.Since), bucketOf(m.now))
			m.touch(t)
		}
	}
}

// confirm takes the peaks that reach to bucket from or beyond out of the history, and what goes on in bucket now.
func (p *episode) confirm(from, now int64) {
	p.settled = p.settled || p.running(now)
	p.peaks = slices.DeleteFunc(p.peaks, func(x peak) bool { return x.end >= from })
}

// ownBar returns the bar that would have held a rate on the series' own history before the stretch that is running, and
// how many weeks that is; 0 for a young series, or a history that asks for none.
func (p *episode) ownBar(perWeek float64, age, b int64) (bar, weeks float64) {
	span := min(age, historySpan)
	if span < leastSpan {
		return 0, 0
	}
	weeks = float64(span) / (7 * bucketsPerDay)
	var scores []float64
	for i := range p.peaks {
		running := i == len(p.peaks)-1 && !p.settled && p.running(b)
		if !running && b-p.peaks[i].at <= historySpan {
			scores = append(scores, float64(p.peaks[i].score))
		}
	}
	slices.SortFunc(scores, func(a, b float64) int { return cmp.Compare(b, a) })
	if allowed := int(perWeek*weeks + 0.5); allowed < len(scores) {
		bar = scores[allowed] + aboveOwn
	}
	return bar, weeks
}

// Budget is how an alert's bar came about.
type Budget struct {
	PerWeek  float64 `json:"per_week"`        // what the rule allows this series
	Own      bool    `json:"own"`             // the series' own history sets the bar, not the generated streams
	Weeks    float64 `json:"weeks"`           // of history that was looked at; 0: too young
	Floor    bool    `json:"floor,omitempty"` // the rule's floor stands for the generated streams
	Realised float64 `json:"realised"`        // alerts a week over that history, this one left out
}

// String says it in words: "at most 2 false alerts a week; held by the series' own last 8 weeks, in which it told 0.5 a month".
func (b *Budget) String() string {
	const month = 30.0 / 7
	s := "at most " + rateWords(b.PerWeek)
	switch {
	case b.Weeks == 0 && b.Floor:
		return s + "; its own history is too short to tell, so the rule's floor holds"
	case b.Floor && !b.Own:
		return s + fmt.Sprintf("; the rule's floor is enough for that: the last %.0f weeks had %.1f a month", b.Weeks, b.Realised*month)
	case b.Weeks == 0:
		return s + ", as measured on generated streams; its own history is too short to tell"
	case b.Own:
		s += ", as the series' own last"
	default:
		s += ", as measured on generated streams; the series' own last"
	}
	s += fmt.Sprintf(" %.0f weeks", b.Weeks)
	if b.Own {
		return s + fmt.Sprintf(" ask for; in them there were %.1f a month", b.Realised*month)
	}
	return s + fmt.Sprintf(" ask for no more, and had %.1f a month", b.Realised*month)
}

// rateWords writes a rate in the unit in which it is a whole number, as rule files do, else by the month.
func rateWords(perWeek float64) string {
	for _, u := range []struct {
		name string
		n    float64
	}{{"an hour", perWeek / (7 * 24)}, {"a day", perWeek / 7}, {"a week", perWeek}, {"a month", perWeek * 30 / 7}} {
		if n := math.Round(u.n); n >= 1 && math.Abs(u.n-n) < 1e-6 {
			return fmt.Sprintf("%s %s", counted(n, "false alerts"), u.name)
		}
	}
	return fmt.Sprintf("%.1f false alerts a month", perWeek*30/7)
}

// barOf returns the score that opens an episode of a series that is age buckets old in bucket now. Without a rate it is the
// default bar.
func (p *episode) barOf(rate float64, age, now int64) (float64, *Budget) {
	if rate == 0 {
		return defaultBar, nil
	}
	bar := barFor(rate)
	own, weeks := p.ownBar(rate, age, now)
	bg := &Budget{PerWeek: rate, Weeks: weeks, Own: own > bar}
	if weeks > 0 {
		bg.Realised = float64(p.toldSince(now-historySpan)) / weeks
	}
	return max(bar, own), bg
}

// toldSince counts the stretches since a bucket that people were told about, without the one that is running.
func (p *episode) toldSince(from int64) int {
	n := 0
	for i := range p.peaks {
		if p.peaks[i].told && p.peaks[i].at >= from && (i < len(p.peaks)-1 || !p.inside) {
			n++
		}
	}
	return n
}

// tell marks the running stretch as told.
func (p *episode) tell() {
	if n := len(p.peaks); n > 0 && !p.settled {
		p.peaks[n-1].told = true
	}
}
