package detector

import (
	"math"
	"time"
)

// grain is the length of the buckets of a series, and what follows from it. The daemon counts in five minutes; counts
// that somebody brings along may be of any length.
type grain struct {
	length       time.Duration
	startBuckets float64 // in which the level starts as one event
	priorWeight  float64 // of the dispersion, in buckets: a day
	maxWeight    float64
	levelDecay   float64 // a bucket, half in three days
	perDay       int64   // buckets, at least one
	fullAge      int64   // buckets that a series must have been seen for: six hours, and four buckets
	ring, rest   int     // the hours of the calibration ring, and the youngest ones: they may be the incident
}

var fiveMinutes = newGrain(BucketLength)

func newGrain(length time.Duration) *grain {
	per := func(d time.Duration) float64 { return float64(d) / float64(length) }
	hour := min(1, per(time.Hour)) // longer buckets end less than an hour of the ring each
	return &grain{
		length:       length,
		startBuckets: max(1, 50*float64(BucketLength)/float64(length)),
		priorWeight:  max(12, per(24*time.Hour)),
		maxWeight:    1 / (1 - math.Exp2(-1/per(21*24*time.Hour))),
		levelDecay:   math.Exp2(-1 / per(3*24*time.Hour)),
		perDay:       max(1, int64(per(24*time.Hour))),
		fullAge:      max(4, int64(per(6*time.Hour))),
		ring:         max(2, int(ringHours*hour)),
		rest:         max(1, int(ringRest*hour)),
	}
}

// watchable are the windows that are watched unless somebody names others: the first four that buckets fit into.
var watchable = []time.Duration{
	5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 6 * time.Hour, 24 * time.Hour, 3 * 24 * time.Hour, 7 * 24 * time.Hour,
}

// windows returns the default windows in buckets.
func (g *grain) windows() []int {
	var out []int
	for _, w := range watchable {
		n := int(math.Round(float64(w) / float64(g.length)))
		if n >= 1 && (len(out) == 0 || n > out[len(out)-1]) && len(out) < len(defaultWindows) {
			out = append(out, n)
		}
	}
	if len(out) == 0 || out[0] > 1 && g.length > watchable[0] {
		out = append([]int{1}, out...)[:min(len(out)+1, len(defaultWindows))]
	}
	return out
}

func (g *grain) bucketOf(t time.Time) int64 { return floorDiv(t.Unix(), int64(g.length/time.Second)) }

func (g *grain) start(b int64) time.Time { return time.Unix(g.seconds(b), 0).UTC() }

func (g *grain) seconds(b int64) int64 { return b * int64(g.length/time.Second) }

// hour returns the hour of the week in which bucket b begins, 0 from Monday 00:00 UTC, and where in it as seen from its
// centre, from -0.5 to 0.5; 0 if the buckets are no finer than hours.
func (g *grain) hour(b int64) (how int, pos float64) {
	const hour = 3600
	at := g.seconds(b)
	how = int(floorMod(floorDiv(at, hour)+3*24, 168)) // the epoch was a Thursday
	if g.length >= time.Hour {
		return how, 0
	}
	return how, float64(floorMod(at, hour))/hour - 0.5
}

// full returns the age in buckets from which a window counts: it has been filled once, and six hours are over.
func (g *grain) full(window int) int64 { return max(int64(window), g.fullAge) }

// ends reports whether bucket b is the last of a span of so many seconds.
func (g *grain) ends(b, span int64) bool {
	return floorDiv(g.seconds(b), span) != floorDiv(g.seconds(b+1), span)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return ((a % b) + b) % b }
