package detector

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// Complaints that rise to twice the usual and stay there never burst. They are watched, once; a burst within the watch is
// told like a first one.
func TestSlowRise(t *testing.T) {
	skipShort(t)
	found := 0
	for seed := range uint64(4) {
		s, x := aged(t, mustRules(`
version: 1
rules:
  - {id: neg, title: Complaints, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, budget: 1/week}
`), seed, 30, 3)
		x.variance = 0.02
		begin := s.now
		s.live(x.between(begin, begin.Add(2*day), 1.9))
		pages := s.pages(begin, s.now)
		if len(pages) > 2 {
			t.Errorf("stream %d: %d incidents for one rise", seed, len(pages))
		}
		if len(pages) == 0 || !onlyWatches(pages[0].Signals) {
			continue // a burst came first, as it may
		}
		found++
		i := pages[0]
		if i.Severity != rules.Issue || !strings.Contains(i.Sentence, "no burst, but more than usual hour after hour") || !strings.HasPrefix(i.Title, "Slow rise: ") {
			t.Errorf("told as severity %d, %s: %s", i.Severity, i.Title, i.Sentence)
		}
		if seed > 1 {
			continue
		}
		s.live(x.between(s.now.Truncate(time.Hour), s.now.Truncate(time.Hour).Add(2*time.Hour), 25))
		after := s.inc(i.ID)
		if after.Handling != Closed {
			expect(t, "operation of the burst", strings.Contains(fmt.Sprint(s.ops(i.ID)), "worse"), true)
			expect(t, "title once it has burst", after.Title, "Complaints")
		}
	}
	if found == 0 {
		t.Error("no slow rise was watched")
	}
}

// A step that stays is told, and then it is the normal: no daily repeats (traps 6 and 10).
func TestLevelShiftIsToldOnce(t *testing.T) {
	skipShort(t)
	s, x := aged(t, plainRules(), 3, 10, 4)
	begin := s.now
	s.live(x.between(begin, begin.Add(21*day), 4))
	first, later := len(s.pages(begin, begin.Add(4*day))), len(s.pages(begin.Add(4*day), s.now))
	if first == 0 || first > 3 || later > 3 {
		t.Errorf("%d incidents in the first four days of a step to four times as many, %d in the 17 days after", first, later)
	}
}

// Falling from a peak is no news at each daily crest (trap 11).
func TestLaunchDecay(t *testing.T) {
	skipShort(t)
	s, x := aged(t, plainRules(), 5, 6, 4)
	begin := s.now
	for d := range 10 {
		at := begin.AddDate(0, 0, d)
		times := 1 + 14/float64(int(1)<<d)
		s.live(x.between(at, at.Add(day), times))
	}
	if n := len(s.pages(begin, begin.Add(2*day))); n == 0 || n > 2 {
		t.Errorf("%d incidents at the launch", n)
	}
	if n := len(s.pages(begin.Add(2*day), s.now)); n > 1 {
		t.Errorf("%d incidents while it decays", n)
	}
}

// Few complaints are never a burst, however rare they are (trap 9).
func TestZeroInflation(t *testing.T) {
	s, _ := aged(t, plainRules(), 1, 0.02, 6)
	begin := s.now
	s.live(crowd(s, 4, 4, "bad"))
	s.expectPages("four complaints where there are hardly any", begin, s.now.Add(day), 0)
	s.now = s.now.Add(day)
	s.live(crowd(s, 8, 2, "bad"))
	s.expectPages("two people", begin, s.now.Add(day), 0)
}

// The hour at which a stream begins decides nothing: there are no fixed days (trap 8).
func TestNoFixedDays(t *testing.T) {
	var alerts []int
	for shift := range 6 {
		w := newBurstWatcher(bucketOf(countsStart)+int64(shift)*48, defaultBar)
		n := 0
		cell{5, 0.25}.feed(77, 6, 0, 1, func(b int64, c float64) bool {
			if b >= w.s.first && w.next(b, c) && b > bucketOf(countsStart)+14*bucketsPerDay {
				n++
			}
			return true
		})
		alerts = append(alerts, n)
	}
	for _, n := range alerts {
		if n > alerts[0]+2 || n < alerts[0]-2 {
			t.Errorf("alerts of one stream that begins at six hours of the day: %v", alerts)
		}
	}
}

// Late mentions belong to when they were written: a backlog is no surge (trap 2).
func TestBacklogIsNoSurge(t *testing.T) {
	s, x := aged(t, plainRules(), 2, 6, 3)
	begin := s.now
	backlog := x.between(begin, begin.Add(day), 1)
	s.now = begin.Add(day)
	for _, m := range backlog { // all at once, after a day of silence
		s.hear(m)
	}
	s.expectPages("a day's mentions in one go", begin, s.now.Add(day), 0)
	expect(t, "they count", countOfSeries(s, "negative") > 0, true)
}

// While a collector is down nothing is learnt, and its return is no surge.
func TestOutageIsNotCalm(t *testing.T) {
	s, x := aged(t, plainRules(), 2, 6, 4)
	begin := s.now
	back := begin.AddDate(0, 0, 12)
	s.now = back
	s.live(x.between(back, back.Add(3*day), 1))
	s.expectPages("back after twelve days", begin, s.now, 0)
	if len(s.m.brands["acme"].state.Down) != 1 {
		t.Errorf("outages: %v", s.m.brands["acme"].state.Down)
	}
	s.live(x.between(s.now.Truncate(time.Hour).Add(time.Hour), s.now.Truncate(time.Hour).Add(5*time.Hour), 15))
	if len(s.pages(back, s.now)) == 0 {
		t.Error("a surge after the outage was not told")
	}
}

// A source that comes on line teaches for a day before its mentions count for the brand; from then on they are the normal
// (trap 1). Single reports of harm are heard at once.
func TestNewSourceTeachesFirst(t *testing.T) {
	skipShort(t)
	s, x := aged(t, plainRules(), 4, 2, 3)
	begin := s.now
	forum := newStream(8, 40)
	forum.text = "bad forum"
	both := append(x.between(begin, begin.Add(4*day), 1), forum.between(begin, begin.Add(4*day), 1)...)
	for i := range both {
		if strings.HasPrefix(both[i].Text, "bad forum") {
			both[i].Source = "forum"
		}
	}
	Sort(both)
	s.live(both)
	if n := len(s.pages(begin, s.now)); n > 1 {
		t.Errorf("%d incidents because of a source that came on line", n)
	}
	again := forum.between(s.now.Truncate(time.Hour).Add(time.Hour), s.now.Truncate(time.Hour).Add(7*time.Hour), 8)
	from := s.now
	for i := range again {
		again[i].Source = "forum"
	}
	s.live(again)
	if len(s.pages(from, s.now)) == 0 {
		t.Error("a surge on the new source was not told once it was known")
	}
}

// A brand whose past was read from an export knows its normal, whatever the live source is called.
func TestHistoryOfAnotherName(t *testing.T) {
	s, x := newStage(t, plainRules()), newStream(4, 4)
	s.m.volatile = true
	for _, m := range x.between(monday, monday.Add(21*day), 1) {
		m.Source = "export"
		s.now = m.CreatedAt
		a := s.arrival(m)
		a.History = true
		c, _ := s.m.Apply([]Arrival{a}, s.now)
		s.take(c)
	}
	begin := monday.Add(21*day + 12*time.Hour)
	s.live(x.between(begin, begin.Add(2*time.Hour), 15))
	s.expectPages("a surge on the first live source", begin, s.now, 1)
}

// Brands of one source that step together are a fault of the collector, which is no crisis of any of them; a brand that
// steps alone is.
func TestCollectorFault(t *testing.T) {
	skipShort(t)
	for _, c := range []struct {
		name  string
		step  int
		pages int
	}{{"all five", 5, 0}, {"one of five", 1, 1}} {
		s := newStage(t, plainRules())
		s.m.volatile = true
		feed := func(from, to time.Time, times func(k int) float64) {
			var all []sources.Mention
			for k := range 5 {
				x := newStream(uint64(100+k)+uint64(from.Unix()), 8)
				x.text = fmt.Sprintf("bad brand%d", k)
				ms := x.between(from, to, times(k))
				for i := range ms {
					ms[i].Brand, ms[i].ID = fmt.Sprintf("brand%d", k), fmt.Sprintf("%d-%s", from.Unix(), ms[i].ID)
					ms[i].Author.ID = ms[i].ID
				}
				all = append(all, ms...)
			}
			Sort(all)
			s.live(all)
		}
		feed(monday, monday.Add(21*day), func(int) float64 { return 1 })
		begin := monday.Add(21*day + 14*time.Hour)
		feed(monday.Add(21*day), begin, func(int) float64 { return 1 })
		feed(begin, begin.Add(2*time.Hour), func(k int) float64 {
			if k < c.step {
				return 20
			}
			return 1
		})
		got := s.pages(begin, s.now)
		if len(got) < c.pages || len(got) > 1 { // the first brand may be told before the others have shown what it is
			t.Errorf("%s: %d pages", c.name, len(got))
			for _, i := range got {
				t.Logf("%s %s: %s", i.ID, i.OpenedAt, i.SeverityWhy)
			}
		}
	}
}

// Followers that leave are counted as many as a record says, and told as what they are.
func TestFollowersLeave(t *testing.T) {
	s := newStage(t, starterSet())
	s.m.volatile = true
	leave := func(n int) {
		m := s.mention("")
		m.Kind, m.Count, m.Author = sources.Unfollow, n, sources.Author{}
		s.hear(m)
	}
	for hour := range 24 * 28 {
		s.now = monday.Add(time.Duration(hour) * time.Hour)
		leave(1 + hour%4)
	}
	begin := s.now
	for range 3 {
		s.wait(time.Hour)
		leave(60)
	}
	s.expectPages("followers leave", begin, s.now.Add(time.Minute), 1)
	i := s.inc("acme-1")
	expect(t, "signal", i.Signal, "unfollow")
	if !strings.Contains(i.Sentence, " unfollows in the last ") || strings.Contains(i.Sentence, "people") {
		t.Errorf("told as: %s", i.Sentence)
	}
}
