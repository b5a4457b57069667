package detector

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"emberwatch/rules"
)

// Nothing happens in quiet weeks, up to the documented rate: one page per brand and week after the first.
func TestQuietWeeksAreQuiet(t *testing.T) {
	if testing.Short() {
		t.Skip("eight weeks of eight streams")
	}
	const weeks = 8
	for _, rate := range []float64{1, 10} {
		pages := 0
		for seed := range uint64(4) {
			s, _ := aged(t, starterSet(), seed, rate, weeks)
			s.expectPages("first day", monday, monday.Add(day), 0)
			n := len(s.pages(monday.Add(7*day), s.now))
			if n > 2*weeks {
				t.Errorf("%g an hour, stream %d: %d pages", rate, seed, n)
			}
			pages += n
		}
		perWeek := float64(pages) / (weeks - 1) / 4
		t.Logf("%g an hour: %.2f pages per brand-week after the first week", rate, perWeek)
		if perWeek > 1 {
			t.Errorf("%g an hour: %.2f pages per brand-week", rate, perWeek)
		}
	}
}

// A surge that begins by day is told within the documented delay, as the median of streams that begin on
// other days and at other hours. (At night, with a fifth of the usual rate, it takes until the morning.)
func TestSurgeIsFoundInTime(t *testing.T) {
	if testing.Short() {
		t.Skip("five weeks of 28 streams")
	}
	for _, tt := range []struct {
		rate, times float64
		within      time.Duration
	}{
		{1, 5, 3 * time.Hour},
		{1, 10, 40 * time.Minute},
		{10, 5, 72 * time.Minute},
		{10, 10, 20 * time.Minute},
	} {
		t.Run(fmt.Sprintf("%g an hour times %g", tt.rate, tt.times), func(t *testing.T) {
			t.Parallel()
			var delays []time.Duration
			for seed := range uint64(7) {
				s, x := aged(t, plainRules(), seed, tt.rate, 4)
				begin := s.now.Add(time.Duration(seed)*day + time.Duration(21+3*seed%10)*time.Hour) // from 9 to 18
				s.live(x.between(s.now, begin, 1))
				s.now = begin
				s.live(x.between(begin, begin.Add(day), tt.times))
				if n := len(s.pages(begin, begin.Add(day))); n > 2 {
					t.Errorf("stream %d: %d incidents for one surge", seed, n)
				}
				delays = append(delays, s.toldAfter(begin))
			}
			slices.Sort(delays)
			t.Logf("delays %v", delays)
			if got := delays[len(delays)/2]; got > tt.within {
				t.Errorf("median delay %s, want at most %s", got, tt.within)
			}
		})
	}
}

// The incident of a surge stays one incident while the surge goes on.
func TestSurgeIsOneIncident(t *testing.T) {
	for seed := range uint64(3) {
		s, x := aged(t, plainRules(), seed, 4, 3)
		begin := s.now
		for hours := 8; hours > 0 || s.m.anyOpen(); hours-- {
			s.live(x.between(begin, begin.Add(time.Hour), 1))
			begin = begin.Add(time.Hour)
		}
		s.live(x.between(begin, begin.Add(12*time.Hour), 10))
		s.expectPages(fmt.Sprintf("stream %d", seed), begin, begin.Add(12*time.Hour), 1)
	}
}

func TestFloodsByFewAuthors(t *testing.T) {
	for authors, want := range map[int]int{1: 0, 2: 0, 40: 1} {
		s, _ := aged(t, starterSet(), 1, 2, 2)
		from := s.now
		s.live(crowd(s, 100, authors, "bad"))
		s.expectPages(fmt.Sprintf("%d authors", authors), from, s.now.Add(day), want)
	}
}

// A brand that nobody has heard of tells nobody on its first day, whatever happens.
func TestColdStartIsSilent(t *testing.T) {
	s, x := newStage(t, starterSet()), newStream(1, 4)
	s.m.volatile = true
	s.live(x.between(monday, monday.Add(12*time.Hour), 1))
	s.live(crowd(s, 60, 60, "bad"))
	s.live(x.between(monday.Add(13*time.Hour), monday.Add(day), 3))
	s.expectPages("first day", monday, monday.Add(day), 0)
}

// A provisional signal needs two buckets; an episode that follows a closed incident is told nevertheless.
func TestProvisionalEpisodeAfterAClosedOne(t *testing.T) {
	s, x := newStage(t, mustRules(graveRules)), newStream(1, 2)
	s.m.volatile, x.text = true, "drip"
	s.live(x.between(monday, monday.Add(3*day), 1))
	surge := func() int {
		from := s.now
		ms := crowd(s, 30, 30, "drip")
		for k := range ms {
			ms[k].Author.ID = ms[k].ID
			ms[k].CreatedAt = from.Add(time.Duration(k) * 30 * time.Second)
		}
		s.live(ms[:4])
		if n := len(s.pages(from, s.now.Add(time.Minute))); n > 0 {
			t.Errorf("%d incidents after a single bucket", n)
		}
		s.live(ms[4:])
		return len(s.pages(from, s.now.Add(time.Minute)))
	}
	expect(t, "first", surge(), 1)
	s.send(s.event("ann", OpResolve, "acme-1", Args{}))
	s.wait(9 * time.Hour)
	expect(t, "second", surge(), 1)
}

// Bursts of a grave topic are of severity 2, but not before a baseline is a week old.
func TestProvisionalBaselineHoldsSeverity(t *testing.T) {
	for days, want := range map[int]rules.Severity{3: rules.Issue, 6: rules.Issue, 9: rules.Serious} {
		s, x := newStage(t, mustRules(graveRules)), newStream(1, 2)
		s.m.volatile, x.text = true, "drip"
		s.live(x.between(monday, monday.Add(time.Duration(days)*day), 1))
		from := s.now
		ms := crowd(s, 12, 12, "drip")
		for k := range ms {
			ms[k].CreatedAt = from.Add(time.Duration(k) * time.Minute)
		}
		s.live(ms)
		found := s.pages(from, s.now.Add(time.Minute))
		if len(found) != 1 || found[0].Severity != want {
			t.Errorf("day %d: %d incidents, want one of severity %d", days, len(found), want)
			continue
		}
		if learning := found[0].Evidence.Learning != ""; learning != (days < 7) {
			t.Errorf("day %d: learning %q", days, found[0].Evidence.Learning)
		}
	}
}

// What a source could not deliver for hours comes all at once, and is booked to when it was written.
func TestBackfillDoesNotPage(t *testing.T) {
	s, x := aged(t, starterSet(), 3, 10, 2)
	from := s.now
	late := x.between(from, from.Add(5*time.Hour), 1)
	s.now = from.Add(5 * time.Hour)
	s.hear(late...)
	s.tick()
	s.expectPages("all at once", from, s.now.Add(time.Second), 0)

	// The same number of complaints, written now, is a surge.
	s, _ = aged(t, starterSet(), 3, 10, 2)
	from = s.now
	s.live(crowd(s, len(late), len(late), "bad"))
	s.expectPages("written now", from, s.now.Add(time.Second), 1)
}

// History teaches and alerts nobody; the same afterwards is judged by what it taught.
func TestHistoryTeachesSilently(t *testing.T) {
	s, x := newStage(t, starterSet()), newStream(1, 3)
	s.m.volatile = true
	start := monday.Add(-14 * day)
	past := x.between(start, monday.Add(-day), 1)
	past = append(past, x.between(monday.Add(-day), monday.Add(-12*time.Hour), 10)...)
	past = append(past, x.between(monday.Add(-12*time.Hour), monday, 1)...)
	grave := s.mention("someone got an electric shock from it, my hand is burnt")
	grave.CreatedAt = monday.Add(-time.Minute)
	for _, m := range append(past, grave) {
		a := s.arrival(m)
		a.History = true
		c, _ := s.m.Apply([]Arrival{a}, s.now)
		s.take(c)
	}
	expect(t, "incidents", len(s.disk.incidents), 0)
	expect(t, "alerts", len(s.disk.alerts), 0)

	s.live(crowd(s, 60, 60, "bad"))
	s.expectPages("a surge after two weeks of history", monday, s.now.Add(time.Second), 1)
	expect(t, "still learning", s.pages(monday, s.now.Add(time.Second))[0].Evidence.Learning, "")
}

// After a real step there is one incident, and then the step is normal.
func TestLevelShift(t *testing.T) {
	s, x := aged(t, starterSet(), 2, 4, 4)
	from := s.now
	s.live(x.between(from, from.Add(21*day), 5))
	first := len(s.pages(from, from.Add(3*day)))
	if first < 1 || first > 2 {
		t.Errorf("%d incidents in the first days after the step", first)
	}
	if later := len(s.pages(from.Add(4*day), from.Add(21*day))); later > 2 {
		t.Errorf("%d more incidents when the step should be normal", later)
	}
}

// Falling from a peak does not page on each daily crest.
func TestDecayAfterPeak(t *testing.T) {
	s, x := aged(t, starterSet(), 5, 4, 4)
	from := s.now
	for k := range 6 * 24 {
		at := from.Add(time.Duration(k) * time.Hour)
		s.live(x.between(at, at.Add(time.Hour), 1+20*math.Exp2(-float64(k)/24)))
	}
	if n := len(s.pages(from, s.now)); n < 1 || n > 2 {
		t.Errorf("%d incidents for one peak", n)
	}
}

// A restart with an open incident sends nothing again and forgets nothing.
func TestRestartSendsNothingAgain(t *testing.T) {
	s, _ := aged(t, starterSet(), 1, 2, 0)
	s.m.volatile = false
	x := newStream(1, 2)
	s.live(x.between(monday, monday.Add(8*day), 1))
	s.live(crowd(s, 60, 60, "bad"))
	s.wait(2 * time.Minute)
	sent := len(s.sent)
	if sent == 0 {
		t.Fatal("nothing was sent before the restart")
	}
	for range 5 {
		s.restart()
		s.now = s.now.Add(time.Second)
		s.tick()
	}
	for _, a := range s.sent[sent:] {
		if a.Kind != KindEdit {
			t.Errorf("sent after the restart: %s %s", a.Kind, a.Reason)
		}
	}
	expect(t, "incidents", len(s.disk.incidents), 1)
	checkChain(t, s)
}

// A rule may call a signal calm long before its episode ends; if it comes back the story is told again.
func TestStoryComesBackWithinItsEpisode(t *testing.T) {
	set := mustRules(graveRules + `
  - {id: quick, title: Quick, kind: burst, match: {sentiment: negative, any_of: [{phrase: bad}]}, floor: {items: 5, authors: 3}, resolve: {quiet: 1h}}
`)
	s, x := newStage(t, set), newStream(1, 2)
	s.m.volatile = true
	s.live(x.between(monday, monday.Add(8*day), 1))
	s.now = monday.Add(8 * day)
	for _, i := range s.disk.incidents {
		if i.Open() {
			t.Fatal("an incident is open before the surge")
		}
	}
	from := s.now
	s.live(crowd(s, 40, 40, "bad"))
	s.expectPages("surge", from, s.now.Add(time.Minute), 1)
	id := s.pages(from, s.now.Add(time.Minute))[0].ID
	s.wait(3*time.Hour + 5*time.Minute)
	expect(t, "calm", s.inc(id).Closing, CalmAgain)
	from = s.now
	s.live(crowd(s, 80, 80, "bad"))
	s.expectPages("three hours later", from, s.now.Add(time.Minute), 1)
}

// Growth is told although somebody closed the incident while it went on.
func TestGrowthAfterResolve(t *testing.T) {
	for _, op := range []Operation{OpResolve, OpFalseAlarm} {
		s, _ := aged(t, starterSet(), 1, 2, 2)
		from := s.now
		s.live(crowd(s, 20, 20, "bad"))
		found := s.pages(from, s.now.Add(time.Minute))
		if len(found) != 1 {
			t.Fatalf("%d incidents", len(found))
		}
		id := found[0].ID
		s.wait(time.Minute)
		s.send(s.event("ann", op, id, Args{}))
		n := s.m.brands["acme"].state.Incidents
		s.live(crowd(s, 3, 3, "bad"))
		i := s.inc(id)
		if i.Open() || s.m.brands["acme"].state.Incidents != n {
			t.Errorf("%s: what goes on as before is told again", op)
		}
		ms := crowd(s, 400, 400, "bad")
		for k := range ms {
			ms[k].Author.ID = fmt.Sprintf("more%d", k)
		}
		s.live(ms)
		i = s.inc(id)
		if !i.Open() && s.m.brands["acme"].state.Incidents == n {
			t.Errorf("%s: a surge of twenty times as many is not told", op)
		}
	}
}
