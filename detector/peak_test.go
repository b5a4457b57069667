package detector

import (
	"fmt"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// The peak of an incident is the end of its fullest hour, however long its windows stay full after that; it is there for
// one that was told after it.
func TestPeakIsTheFullestHour(t *testing.T) {
	const text = `version: 1
brands: {acme: {names: [Acme], own_authors: ["s:acme"]}}
rules:
  - {id: neg, title: Complaints, kind: burst, brand: acme, match: {sentiment: negative}, window: [1h, 6h], floor: {items: %d, authors: 4}, budget: 2/week}
  - {id: quiet, title: Quiet, kind: silence}
`
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	var ms []sources.Mention
	add := func(at time.Time, label Label) {
		m := sources.Mention{V: 1, ID: fmt.Sprint("m", len(ms)), Source: "s", Kind: sources.Comment, Op: sources.Create, CreatedAt: at}
		m.Author.ID = fmt.Sprint("u", len(ms))
		m.Brand, m.Verdict = "acme", &sources.Verdict{Lang: "en", Known: true}
		m.Verdict.P.Neutral = 1
		if label == Negative {
			m.Verdict.P.Negative, m.Verdict.P.Neutral, m.Verdict.Rules = 1, 0, []string{"neg"}
		}
		ms = append(ms, m)
	}
	for h := range 14 * 24 {
		add(start.Add(time.Duration(h)*time.Hour), Neutral)
	}
	burst := start.Add(14*24*time.Hour + 9*time.Hour)
	for k := range 30 {
		add(burst.Add(time.Duration(k)*2*time.Minute), Negative) // a full hour …
	}
	for k := range 40 {
		add(burst.Add(time.Hour+time.Duration(k)*6*time.Minute), Negative) // … and four that fade
	}
	add(burst.Add(10*time.Hour), Neutral)
	for _, c := range []struct {
		floor int
		early bool
	}{{5, true}, {45, false}} {
		set, errs := rules.Parse([]rules.File{{Name: "a.yml", Data: fmt.Appendf(nil, text, c.floor)}}, rules.Options{})
		if set == nil {
			t.Fatal(errs)
		}
		var opened ReplayEvent
		r := NewReplay(set, nil)
		r.Event = func(e ReplayEvent) {
			if e.Op == "opened" {
				opened = e
			}
		}
		r.Run(ms)
		p, ok := r.Peak(opened.Incident.ID)
		if want := burst.Add(time.Hour); !ok || !p.End.Equal(want) || p.Count != 30 {
			t.Errorf("floor %d, told at %s: peak %v %+v, want 30 at %s", c.floor, opened.At, ok, p, want)
		}
		if opened.At.Before(p.End) != c.early {
			t.Errorf("floor %d: told at %s", c.floor, opened.At)
		}
	}
}
