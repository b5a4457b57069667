package detector

import (
	"testing"
	"time"

	"emberwatch/rules"
)

// ownHistory is a series of ten weeks with peaks of these scores, a day apart, the last one three days ago.
func ownHistory(scores ...float64) (*episode, int64) {
	p, b := &episode{}, int64(10*7*bucketsPerDay)
	first := b - int64(len(scores)+2)*bucketsPerDay
	for k, s := range scores {
		p.note(&Eval{Bucket: first + int64(k)*bucketsPerDay, Score: s})
	}
	return p, b
}

func TestOwnBar(t *testing.T) {
	many := []float64{1, 5, 2, 4, 3, 1, 1, 1}
	for _, c := range []struct {
		name    string
		scores  []float64
		perWeek float64
		want    float64
	}{
		{"no peaks", nil, 0.25, 0},
		{"fewer than the budget allows", []float64{7, 8}, 0.25, 0},
		{"the third of two allowed", many, 0.25, 3 + aboveOwn},
		{"a looser budget", many, 0.5, 1 + aboveOwn},
		{"a budget for all of them", many, 2, 0},
	} {
		p, b := ownHistory(c.scores...)
		if got, weeks := p.ownBar(c.perWeek, b, b); got != float64(float32(c.want-aboveOwn))+aboveOwn && got != c.want || weeks != 8 {
			t.Errorf("%s: bar %.3f over %v weeks, want %.3f", c.name, got, weeks, c.want)
		}
	}
	p, b := ownHistory(many...)
	if got, weeks := p.ownBar(0.25, leastSpan-1, b); got != 0 || weeks != 0 {
		t.Errorf("a young series: bar %v over %v weeks", got, weeks)
	}
	p.note(&Eval{Bucket: b - 1, Score: 50})
	if got, _ := p.ownBar(0.25, b, b); got > 4 {
		t.Errorf("the stretch that is running counts against itself: bar %v", got)
	}
	p.confirm(b-9*bucketsPerDay, b)
	if got, _ := p.ownBar(0.25, b, b); got > 3 {
		t.Errorf("a confirmed incident still raises the bar: %v", got)
	}
}

// What is confirmed while it goes on leaves no trace, neither under its own date nor under an older one.
func TestConfirmedStretch(t *testing.T) {
	p := &episode{}
	day := int64(bucketsPerDay)
	p.note(&Eval{Bucket: 20 * day, Score: 0.7})
	p.note(&Eval{Bucket: 40 * day, Score: 9})
	p.confirm(40*day, 40*day+1)
	p.note(&Eval{Bucket: 40*day + 2, Score: 8})
	if len(p.peaks) != 1 || p.peaks[0].score > 1 {
		t.Errorf("peaks %+v", p.peaks)
	}
	p.note(&Eval{Bucket: 42 * day, Score: 3})
	if len(p.peaks) != 2 || p.peaks[1].at != 42*day {
		t.Errorf("the next stretch: %+v", p.peaks)
	}
}

func TestPeaksHaveALimit(t *testing.T) {
	p := &episode{}
	for k := range int64(400) {
		p.note(&Eval{Bucket: k * bucketsPerDay / 2, Score: 1 + float64(k%50)})
	}
	if len(p.peaks) > maxPeaks {
		t.Fatalf("%d peaks", len(p.peaks))
	}
	for _, x := range p.peaks[:len(p.peaks)-1] {
		if x.score < 20 || p.seen-x.at > historySpan {
			t.Errorf("kept: %v, %d days old", x.score, (p.seen-x.at)/bucketsPerDay)
		}
	}
}

// A stream that bursts every other day by its nature is told no more often than the budget says, once it is known.
func TestBudgetHoldsOnABurstyStream(t *testing.T) {
	const weeks = 16
	set := mustRules(`
version: 1
rules:
  - {id: neg, title: Complaints, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, budget: 1/month}
`)
	s, x := newStage(t, set), newStream(9, 2)
	for day := range weeks * 7 {
		from := monday.AddDate(0, 0, day)
		s.live(x.between(from, from.AddDate(0, 0, 1), 1))
		if day%3 == 1 {
			at := from.Add(time.Duration(8+day%7) * time.Hour)
			s.live(x.between(at, at.Add(time.Hour), 12+float64(day%5)))
		}
	}
	known := monday.AddDate(0, 0, 10*7)
	got := len(s.pages(known, monday.AddDate(0, 0, weeks*7)))
	t.Logf("%d pages in %d weeks with two bursts each", got, weeks-10)
	if got > 3 { // 1.4 in six weeks, half as many again, and one for luck
		t.Errorf("%d pages in %d weeks", got, weeks-10)
	}
	i := s.inc("acme-1")
	if i.Evidence.Budget == nil || i.Evidence.Budget.PerWeek < 0.2 {
		t.Errorf("the alert does not say its budget: %+v", i.Evidence.Budget)
	}
}

// A budget is told as people write it, in the unit that it is a whole number of.
func TestABudgetIsToldAsWritten(t *testing.T) {
	for rate, want := range map[string]string{
		"2/week": "2 false alerts a week", "1/month": "1 false alert a month", "3/day": "3 false alerts a day", "1/hour": "1 false alert an hour", "0.5/week": "2.1 false alerts a month",
	} {
		r, err := rules.ParseRate(rate)
		if err != nil {
			t.Fatal(err)
		}
		if got := rateWords(r.PerWeek()); got != want {
			t.Errorf("%s: %s, want %s", rate, got, want)
		}
	}
}
