package detector

import (
	"testing"
	"time"

	"emberwatch/rules"
)

// TestCourseShowsTheSurgeAgainstWhatWasUsual: the last steps stand above what is rarely exceeded, those of the quiet
// hours before do not.
func TestCourseShowsTheSurgeAgainstWhatWasUsual(t *testing.T) {
	s, x := aged(t, starterSet(), 1, 4, 2)
	begin := s.now
	s.live(x.between(begin, begin.Add(2*time.Hour), 10))
	id := ""
	for k, i := range s.disk.incidents {
		if i.Open() && i.OpenedAt.After(begin) {
			id = k
		}
	}
	if id == "" {
		t.Fatal("the surge was not found")
	}
	c, ok := s.m.course(id, s.now)
	if !ok || len(c.Steps) != courseSteps || c.Step != 30*time.Minute || c.Signal == "" {
		t.Fatalf("%v, %d steps of %s of %q", ok, len(c.Steps), c.Step, c.Signal)
	}
	above, usual := 0, 0
	for _, p := range c.Steps {
		if p.Expected <= 0 || p.High < p.Expected {
			t.Errorf("%s: expected %g, rarely above %g", p.At, p.Expected, p.High)
		}
		switch after := !p.At.Before(begin); {
		case after && p.Count > p.High:
			above++
		case !after && p.Count <= p.High:
			usual++
		}
	}
	if above < 3 || usual < 40 {
		t.Errorf("%d steps of the surge stand out, %d of the time before do not", above, usual)
	}
}

func TestSingleMentionsHaveNoCourse(t *testing.T) {
	m := NewModel(&rules.Set{}, LagLive)
	m.incidents["acme-1"] = &Incident{ID: "acme-1", Brand: "acme", Signals: []ActiveSignal{{Rule: "injury"}}}
	for _, id := range []string{"acme-1", "acme-2"} {
		if _, ok := m.course(id, monday); ok {
			t.Errorf("%s has a course", id)
		}
	}
}
