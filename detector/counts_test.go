package detector

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// poisson draws a count; a normal stands in for large means.
func poisson(r *rand.Rand, mean float64) float64 {
	if mean > 200 {
		return max(0, math.Round(mean+math.Sqrt(mean)*r.NormFloat64()))
	}
	n, p, limit := 0.0, r.Float64(), math.Exp(-mean)
	for p > limit {
		n++
		p *= r.Float64()
	}
	return n
}

// countStream is a generated series of counts: negative binomial by the hour, with a rhythm, and a surge.
type countStream struct {
	perHour, variance float64
	bucket            time.Duration
	surgeAt           time.Time // zero: none
	surgeFor          time.Duration
	factor            float64
	seed              uint64
}

func (s *countStream) counts(from time.Time, length time.Duration, fn func(time.Time, float64)) {
	r := rand.New(rand.NewPCG(s.seed, 1))
	g, hour := 1.0, int64(-1)
	for t := from; t.Before(from.Add(length)); t = t.Add(s.bucket) {
		if h := t.Unix() / 3600; h != hour {
			hour, g = h, gamma(r, s.variance)
		}
		m := rhythm(s.perHour, t) * s.bucket.Hours() * g
		if !s.surgeAt.IsZero() && !t.Before(s.surgeAt) && t.Before(s.surgeAt.Add(s.surgeFor)) {
			m *= s.factor
		}
		fn(t, poisson(r, m))
	}
}

var countsStart = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// Whatever the length of its buckets, a quiet stream is left alone and a surge is found soon.
func TestCountsOfAnyLength(t *testing.T) {
	for _, c := range []struct {
		bucket time.Duration
		within time.Duration
	}{
		{time.Minute, 2 * time.Hour},
		{5 * time.Minute, 2 * time.Hour},
		{15 * time.Minute, 2 * time.Hour},
		{time.Hour, 4 * time.Hour},
		{6 * time.Hour, 12 * time.Hour},
		{24 * time.Hour, 24 * time.Hour},
	} {
		t.Run(c.bucket.String(), func(t *testing.T) {
			const weeks = 10
			surge := countsStart.AddDate(0, 0, 9*7).Add(12 * time.Hour)
			s := countStream{perHour: 30, variance: 0.1, bucket: c.bucket, surgeAt: surge.Truncate(c.bucket), surgeFor: 36 * time.Hour, factor: 5, seed: 7}
			judge, err := NewCounts(c.bucket, 0, Up)
			if err != nil {
				t.Fatal(err)
			}
			early, found := 0, time.Time{}
			s.counts(countsStart, weeks*7*24*time.Hour, func(at time.Time, n float64) {
				e, err := judge.Next(at, n)
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case !e.Alert || at.Before(countsStart.AddDate(0, 0, 7)):
				case at.Before(s.surgeAt):
					early++
				case found.IsZero():
					found = at.Add(c.bucket)
				}
			})
			if early > weeks/2 {
				t.Errorf("%d alerts in %d quiet weeks", early, weeks-2)
			}
			if late := found.Sub(s.surgeAt); found.IsZero() || late > c.within {
				t.Errorf("a surge to five times the usual was found after %s, want within %s", late, c.within)
			}
		})
	}
}

func TestCountsFindDrops(t *testing.T) {
	for _, d := range []Direction{Up, Down, Both} {
		judge, err := NewCounts(5*time.Minute, 0, d)
		if err != nil {
			t.Fatal(err)
		}
		s := countStream{perHour: 120, variance: 0.05, bucket: 5 * time.Minute, surgeAt: countsStart.AddDate(0, 0, 28).Add(10 * time.Hour), surgeFor: 6 * time.Hour, factor: 0.05, seed: 3}
		found := false
		s.counts(countsStart, 29*24*time.Hour, func(at time.Time, n float64) {
			e, err := judge.Next(at, n)
			if err != nil {
				t.Fatal(err)
			}
			found = found || e.Alert && !at.Before(s.surgeAt)
		})
		if want := d != Up; found != want {
			t.Errorf("direction %s: a drop to a twentieth found: %v, want %v", d, found, want)
		}
	}
}

// Rows that are finer than a bucket add up: the running bucket is judged as they come, and its last row says the same
// as one row for all of it.
func TestCountsOfTheRunningBucket(t *testing.T) {
	whole, _ := NewCounts(5*time.Minute, 0, Up)
	parts, _ := NewCounts(5*time.Minute, 0, Up)
	s := countStream{perHour: 60, variance: 0.2, bucket: 5 * time.Minute, seed: 5}
	s.counts(countsStart, 14*24*time.Hour, func(at time.Time, n float64) {
		want, _ := whole.Next(at, n)
		var got CountEval
		opened := false
		for k, share := range []float64{0, math.Floor(n / 3), 0, n - math.Floor(n/3), 0} {
			got, _ = parts.Next(at.Add(time.Duration(k)*time.Minute), share)
			opened = opened || got.Alert
		}
		got.Alert = opened
		if got.Surprise != want.Surprise || want.Alert && !got.Alert {
			t.Fatalf("%s: in parts %+v, at once %+v", at, got, want)
		}
	})
}

// A gap and a blank value say the same: the source was down, and nothing is learnt from that.
func TestCountsOverGaps(t *testing.T) {
	gap, blank := []CountEval{}, []CountEval{}
	for _, keep := range []*[]CountEval{&gap, &blank} {
		judge, _ := NewCounts(5*time.Minute, 0, Up)
		s := countStream{perHour: 60, variance: 0.2, bucket: 5 * time.Minute, seed: 6}
		s.counts(countsStart, 12*24*time.Hour, func(at time.Time, n float64) {
			down := at.Sub(countsStart) > 8*24*time.Hour && at.Sub(countsStart) < 9*24*time.Hour
			if down && keep == &gap {
				return
			}
			if down {
				n = math.NaN()
			}
			e, err := judge.Next(at, n)
			if err != nil {
				t.Fatal(err)
			}
			if !down {
				*keep = append(*keep, e)
			}
		})
	}
	if !slices.Equal(gap, blank) {
		t.Error("rows that were left out and rows without a value are judged differently")
	}
	for _, e := range gap[8*288 : 8*288+72] {
		if e.Alert {
			t.Error("the end of an outage raised an alert")
		}
	}
}

func TestCountsRefuse(t *testing.T) {
	for _, d := range []time.Duration{0, time.Millisecond, 1500 * time.Millisecond, 8 * 24 * time.Hour} {
		if _, err := NewCounts(d, 0, Up); err == nil {
			t.Errorf("buckets of %s were taken", d)
		}
	}
	if _, err := NewCounts(time.Minute, 0, "sideways"); err == nil {
		t.Error("a direction sideways was taken")
	}
	judge, _ := NewCounts(time.Minute, 0, Up)
	if _, err := judge.Next(countsStart, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := judge.Next(countsStart.Add(-time.Hour), 1); err == nil {
		t.Error("a row out of order was taken")
	}
	for _, v := range []float64{-1, math.Inf(1), math.Inf(-1)} {
		if _, err := judge.Next(countsStart.Add(time.Minute), v); err == nil {
			t.Errorf("a count of %v was taken", v)
		}
	}
	if e, err := judge.Next(countsStart.Add(time.Minute), 4); err != nil || e.Expected <= 0 {
		t.Errorf("after refusals: %+v, %v", e, err)
	}
}
