package detector

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// plainRules are one rule without a budget: its bar is the one that the documented delays hold for.
var plainRules = sync.OnceValue(func() *rules.Set {
	return mustRules(`
version: 1
rules:
  - {id: neg, title: Complaints, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}}
`)
})

var starterSet = sync.OnceValue(rules.Starter)

// stream makes complaints as people write them: in each hour a gamma multiplier of the given variance, a
// daily cycle of 0.2 to 1.8, weekends at 0.7.
type stream struct {
	rng      *rand.Rand
	rate     float64 // complaints an hour
	variance float64
	text     string
	n        int
}

func newStream(seed uint64, rate float64) *stream {
	return &stream{rng: rand.New(rand.NewPCG(seed, 1)), rate: rate, variance: 0.25, text: "bad"}
}

// expected returns the rate at a time, without chance.
func (x *stream) expected(at time.Time) float64 { return rhythm(x.rate, at) }

// rhythm is the rate of a stream at a time: a daily cycle of 0.2 to 1.8, weekends at 0.7.
func rhythm(perHour float64, at time.Time) float64 {
	hour := float64(at.Hour()) + float64(at.Minute())/60
	rate := perHour * (1 - 0.8*math.Cos(2*math.Pi*(hour-4)/24))
	if d := at.Weekday(); d == time.Saturday || d == time.Sunday {
		rate *= 0.7
	}
	return rate
}

// gamma draws a multiplier of mean 1 (Marsaglia and Tsang 2000); the variance is at most 1.
func gamma(rng *rand.Rand, variance float64) float64 {
	shape := 1 / variance
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		z := rng.NormFloat64()
		v := math.Pow(1+c*z, 3)
		if v > 0 && math.Log(rng.Float64()) < z*z/2+d-d*v+d*math.Log(v) {
			return d * v / shape
		}
	}
}

// between returns the mentions of a time span of whole hours, times as many as usual.
func (x *stream) between(from, to time.Time, times float64) []sources.Mention {
	var ms []sources.Mention
	for hour := from; hour.Before(to); hour = hour.Add(time.Hour) {
		rate := x.expected(hour) * gamma(x.rng, x.variance) * times
		for at := x.rng.ExpFloat64() / rate; at < 1 && rate > 0; at += x.rng.ExpFloat64() / rate {
			x.n++
			ms = append(ms, sources.Mention{
				ID: fmt.Sprintf("%s%d", x.text, x.n), Source: "shop", Kind: sources.Comment,
				Brand: "acme", Author: sources.Author{ID: fmt.Sprintf("%s%d", x.text, x.n)}, Text: x.text,
				CreatedAt: hour.Add(time.Duration(at * float64(time.Hour))),
			})
		}
	}
	return ms
}

// live feeds mentions as they are written, ticking once a minute while an incident is open.
func (s *stage) live(ms []sources.Mention) {
	for _, m := range ms {
		for s.m.anyOpen() && m.CreatedAt.Sub(s.now) > time.Minute {
			s.now = s.now.Add(time.Minute)
			s.tick()
		}
		s.now = m.CreatedAt
		s.hear(m)
	}
}

// pages returns the incidents of severity 1 to 3 that were opened in a time span.
func (s *stage) pages(from, to time.Time) []Incident {
	var out []Incident
	for _, id := range sortedKeys(s.disk.incidents) {
		if i := s.disk.incidents[id]; notifying(i.Severity) && !i.OpenedAt.Before(from) && i.OpenedAt.Before(to) {
			out = append(out, i)
		}
	}
	return out
}

func (s *stage) expectPages(what string, from, to time.Time, want int) {
	s.t.Helper()
	if got := s.pages(from, to); len(got) != want {
		s.t.Errorf("%s: %d incidents of severity 1 to 3, want %d", what, len(got), want)
		for _, i := range got {
			s.t.Logf("%s at %s: %s", i.ID, i.OpenedAt.Format(time.RFC3339), i.Sentence)
		}
	}
}

const day = 24 * time.Hour

// aged returns a stage with weeks of ordinary complaints behind it, and the stream that goes on.
func aged(t testing.TB, set *rules.Set, seed uint64, rate float64, weeks int) (*stage, *stream) {
	s, x := newStage(t, set), newStream(seed, rate)
	s.m.volatile = true
	start := s.now
	s.live(x.between(start, start.Add(time.Duration(weeks)*7*day), 1))
	s.now = start.Add(time.Duration(weeks) * 7 * day)
	return s, x
}

// toldAfter returns how long after a moment people are told that something is unusual, or has grown.
func (s *stage) toldAfter(begin time.Time) time.Duration {
	first := 24 * time.Hour
	for _, lines := range s.disk.audit {
		for _, l := range lines {
			switch l.Op {
			case "opened", "worse", "reopened":
				if d := l.At.Sub(begin); d >= 0 {
					first = min(first, d)
				}
			}
		}
	}
	return first
}

// crowd returns n complaints within minutes, by so many authors.
func crowd(s *stage, n, authors int, text string) []sources.Mention {
	var ms []sources.Mention
	for k := range n {
		m := s.mention(text)
		m.Author.ID = fmt.Sprintf("crowd%d", k%authors)
		m.CreatedAt = s.now.Add(time.Duration(k+1) * 3 * time.Second)
		ms = append(ms, m)
	}
	return ms
}

const graveRules = `
version: 1
brands: {acme: {names: [Acme], own_authors: ["shop:acme"]}}
categories:
  leak: {sev: 2, weight: 0.9, cues: {en: [drip]}}
rules:
  - {id: topic, title: Topic, kind: burst, match: {sentiment: negative, category: leak}, floor: {items: 5, authors: 3}}
`
