package detector

import (
	"fmt"
	"math"
	"time"
)

// Direction says which departures from the normal count.
type Direction string

// The directions.
const (
	Up   Direction = "up"
	Down Direction = "down"
	Both Direction = "both"
)

// Counts judges a stream of counts that somebody brings along, by the burst channel that the daemon judges mentions
// by: in the order of time, without looking ahead. There is no first-day silence: who looks at numbers of their own
// sees for themselves how young they are.
type Counts struct {
	grain   *grain
	bar     float64
	sides   []side
	origin  time.Time // of the first row; buckets are counted from here, so that odd seconds do no harm
	first   int64     // its bucket
	last    int64     // the bucket of the last row
	started bool
}

// longestGap is how many days without a row are gone through; what was before a longer gap has little to say.
const longestGap = 60

// side looks in one direction.
type side struct {
	burst   *burst
	episode episode
	down    bool
}

// CountEval is what Counts says of one row.
type CountEval struct {
	Expected float64 // the forecast for the row's bucket
	Surprise float64 // −log10 of the tail probability, the largest of the windows
	Score    float64 // calibrated by the stream's own daily largest surprises; -9 where the floors do not hold
	Alert    bool    // an episode starts here
}

// NewCounts returns a judge of counts in buckets of a length of at least a second. perWeek is how many false alerts a
// week one is willing to get; 0: the fixed bar.
func NewCounts(bucket time.Duration, perWeek float64, d Direction) (*Counts, error) {
	if bucket < time.Second || bucket%time.Second != 0 || bucket > 7*24*time.Hour {
		return nil, fmt.Errorf("buckets of %s: from 1s to 7d, in whole seconds", bucket)
	}
	c := &Counts{grain: newGrain(bucket), bar: defaultBar}
	if perWeek > 0 {
		c.bar = barFor(perWeek)
	}
	switch d {
	case Up:
		c.sides = []side{{}}
	case Down:
		c.sides = []side{{down: true}}
	case Both:
		c.sides = []side{{}, {down: true}}
	default:
		return nil, fmt.Errorf("direction %q: up, down or both", d)
	}
	return c, nil
}

// Next judges the count of a row; NaN: its source was down. Rows of one bucket add up. Buckets without a row are taken
// for missing. A row older than the one before is an error and changes nothing.
func (c *Counts) Next(at time.Time, value float64) (CountEval, error) {
	if !math.IsNaN(value) && (value < 0 || math.IsInf(value, 0)) {
		return CountEval{}, fmt.Errorf("%v is no count: from 0 on", value)
	}
	b, first := c.bucket(at), !c.started
	switch {
	case first:
		c.begin(at)
		b = c.last
	case b < c.last:
		return CountEval{}, fmt.Errorf("%s is before the row above it", at.UTC().Format(time.RFC3339))
	}
	e := CountEval{Score: noScore}
	for i := range c.sides {
		c.sides[i].next(b, first || b > c.last, value, c.bar, &e)
	}
	c.last = b
	return e, nil
}

func (c *Counts) begin(at time.Time) {
	c.started, c.origin = true, at
	c.first = c.grain.bucketOf(at)
	c.last = c.first
	for i := range c.sides {
		s := &c.sides[i]
		s.burst = newBurstOf(c.grain, wary, c.grain.windows(), c.first)
		s.burst.down = s.down
		s.episode.grain = c.grain
	}
}

// bucket counts from the first row, with some patience for rows that are a little early.
func (c *Counts) bucket(at time.Time) int64 {
	away := at.Sub(c.origin) + c.grain.length/50
	return c.first + floorDiv(int64(away), int64(c.grain.length))
}

func (s *side) next(b int64, fresh bool, value, bar float64, out *CountEval) {
	x := s.burst
	x.leap(b - longestGap*x.grain.perDay)
	for x.cur < b {
		x.roll(x.cur+1, LagReplay)
		if x.cur < b {
			x.skip()
		}
	}
	expected := x.forecast(b)
	switch {
	case math.IsNaN(value) && fresh:
		x.skip()
	case !math.IsNaN(value):
		x.revive()
		x.add(b, value)
	}
	e := x.eval(minCount)
	opened, _ := s.episode.hit(&e, bar)
	out.Expected = expected
	out.Surprise = max(out.Surprise, e.Surprise)
	out.Score = max(out.Score, e.Score)
	out.Alert = out.Alert || opened
}
