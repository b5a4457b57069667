package detector

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"
)

// Course is how an incident's leading signal went over the last day, against what was usual for each time of it.
type Course struct {
	Signal string // in the vocabulary of the contract
	Step   time.Duration
	Steps  []CourseStep // the oldest first; the last one ends with the running bucket
	Since  time.Time    // when the incident began in the data
	Now    time.Time
}

// CourseStep is one step of a Course: what was counted, what was expected, and what is rarely exceeded.
type CourseStep struct {
	At                    time.Time
	Count, Expected, High float64
}

const (
	courseSteps   = 48
	courseBuckets = 6 // of a step: half an hour
)

// Course returns the course of an open or lately closed incident. An incident that rests on single mentions has
// none, nor has one of other signals than counts of mentions, or whose series began less than an hour ago.
func (d *Detector) Course(incident string) (Course, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.model.course(incident, d.now())
}

// course reads the items, which reach back a day; the forecasts of buckets that have left the ring are made anew.
func (m *Model) course(incident string, now time.Time) (Course, bool) {
	i := m.incidents[incident]
	if i == nil || len(i.Signals) == 0 || i.Signals[0].Series == "" {
		return Course{}, false
	}
	b, name := m.brands[i.Brand], strings.TrimSuffix(i.Signals[0].Series, watchMark)
	if b == nil || b.series[name] == nil || !countsMentions(name) {
		return Course{}, false
	}
	s := b.series[name].burst
	end := bucketOf(now) + 1
	steps := min(courseSteps, (end-s.first)/courseBuckets)
	if steps < 2 {
		return Course{}, false
	}
	first := end - steps*courseBuckets
	c := Course{Signal: i.Signals[0].Signal, Step: courseBuckets * BucketLength, Since: i.Since, Now: now}
	for k := range steps {
		c.Steps = append(c.Steps, s.courseStep(first+k*courseBuckets))
	}
	for _, it := range b.items {
		if k := floorDiv(bucketOf(it.At)-first, courseBuckets); k >= 0 && k < steps && m.inSeries(b, name, it) {
			c.Steps[k].Count += float64(it.Weight)
		}
	}
	return c, true
}

// countsMentions reports whether a series counts the items that are remembered for a day.
func countsMentions(series string) bool {
	kind, _, _ := strings.Cut(series, ":")
	return slices.Contains([]string{"all", "negative", "category", "source", "rule"}, kind)
}

// courseStep is what was expected of the buckets from b on.
func (s *burst) courseStep(b int64) CourseStep {
	step := CourseStep{At: bucketStart(b)}
	for x := b; x < b+courseBuckets; x++ {
		if i := s.slot(x); x > s.cur-int64(len(s.m)) && x <= s.cur && !s.missing[i] {
			step.Expected += s.m[i]
		} else {
			step.Expected += s.forecast(x)
		}
	}
	near := slices.MinFunc(s.windows, func(p, q windowState) int {
		return cmp.Compare(far(p.buckets), far(q.buckets))
	})
	step.High = max(1, quantile(usualAtMost, step.Expected, near.v))
	return step
}

// far is how much a window differs in length from a step.
func far(buckets int) float64 { return math.Abs(math.Log(float64(buckets) / courseBuckets)) }
