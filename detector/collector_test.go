package detector

import (
	"fmt"
	"math"
	"testing"
	"time"

	"emberwatch/sources"
)

const perSourceRules = `
version: 1
rules:
  - {id: neg, title: Complaints, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, baseline: {per: [source]}}
`

// forumFrom makes what a busy forum says from a time on, each complaint by somebody else.
func forumFrom(from, to time.Time, perHour float64) []sources.Mention {
	x := newStream(8, perHour)
	x.text = "bad forum"
	ms := x.between(from, to, 1)
	for i := range ms {
		ms[i].Source = "forum"
	}
	return ms
}

// What a collector has dumped is no crisis either once the dump is over, though the long windows still hold it.
func TestShortCollectorFault(t *testing.T) {
	skipShort(t)
	s := newStage(t, plainRules())
	s.m.volatile = true
	usual := func(from, to time.Time) []sources.Mention {
		var all []sources.Mention
		for k := range 5 {
			x := newStream(uint64(100+k)+uint64(from.Unix()), 8)
			x.text = fmt.Sprintf("bad brand%d", k)
			for _, m := range x.between(from, to, 1) {
				m.Brand, m.ID = fmt.Sprintf("brand%d", k), fmt.Sprintf("%d-%s", from.Unix(), m.ID)
				m.Author.ID = m.ID
				all = append(all, m)
			}
		}
		return all
	}
	begin := monday.Add(21*day + 2*time.Hour)
	before := usual(monday, begin)
	Sort(before)
	s.live(before)
	after := usual(begin, begin.Add(8*time.Hour))
	for k := range 40 * 5 {
		id := fmt.Sprintf("dump%d", k)
		after = append(after, sources.Mention{
			ID: id, Source: "shop", Kind: sources.Comment, Brand: fmt.Sprintf("brand%d", k%5), Author: sources.Author{ID: id},
			Text: "bad", CreatedAt: begin.Add(3*time.Minute + time.Duration(k)*3*time.Second),
		})
	}
	Sort(after)
	s.live(after)
	if n := len(s.pages(begin, s.now)); n > 1 {
		t.Errorf("%d pages for a dump on five brands", n)
	}
}

// Brands that the same mentions are about are no proof against each other.
func TestUmbrellaBrandIsNoFault(t *testing.T) {
	skipShort(t)
	s := newStage(t, mustRules(`
version: 1
brands: {b0: {names: [Fjell]}, b1: {names: [Fjellbryg]}, b2: {names: [Fjellhome]}}
rules:
  - {id: neg, title: Complaints, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}}
`))
	s.m.volatile = true
	x := newStream(3, 8)
	x.text = "bad Fjell Fjellbryg Fjellhome"
	about := func(ms []sources.Mention) []sources.Mention {
		for i := range ms {
			ms[i].Brand = ""
		}
		return ms
	}
	begin := monday.Add(21 * day)
	s.live(about(x.between(monday, begin, 1)))
	s.live(about(x.between(begin, begin.Add(4*time.Hour), 15)))
	s.expectPages("a surge about three brands at once", begin, s.now, 3)
}

// A mention that does not count judges nothing: an old surge is not told anew.
func TestHeldMentionsJudgeNothing(t *testing.T) {
	s, _ := aged(t, plainRules(), 4, 1, 4)
	s.live(crowd(s, 25, 25, "bad"))
	s.wait(11 * time.Hour)
	from := s.now
	for range 6 {
		m := s.mention("bad forum")
		m.Source, m.CreatedAt = "forum", s.now
		s.hear(m)
		s.wait(time.Hour)
	}
	s.expectPages("a few complaints on a new source", from, s.now, 0)
}

// A source that comes on line with old posts teaches for a day all the same.
func TestOnsetWithABacklog(t *testing.T) {
	s, x := aged(t, plainRules(), 4, 2, 3)
	begin := s.now
	old := s.mention("bad forum")
	old.Source, old.CreatedAt = "forum", begin.Add(-3*day)
	s.hear(old)
	all := append(x.between(begin, begin.Add(12*time.Hour), 1), forumFrom(begin.Add(2*time.Hour), begin.Add(12*time.Hour), 40)...)
	Sort(all)
	s.live(all)
	s.expectPages("a forum that begins with an old post", begin, s.now, 0)
}

// A rule that watches each source by itself does not take the first counted day of one for a surge.
func TestOnsetOfARulePerSource(t *testing.T) {
	s, x := aged(t, mustRules(perSourceRules), 4, 2, 3)
	begin := s.now
	all := append(x.between(begin, begin.Add(40*time.Hour), 1), forumFrom(begin, begin.Add(40*time.Hour), 20)...)
	Sort(all)
	s.live(all)
	s.expectPages("a steady forum", begin, s.now, 0)
}

// What a new source usually says is not added to a small burst elsewhere.
func TestReleaseTakesTheUsualForTheUsual(t *testing.T) {
	s, x := aged(t, plainRules(), 4, 2, 3)
	begin := s.now
	all := append(x.between(begin, begin.Add(22*time.Hour), 1), forumFrom(begin, begin.Add(22*time.Hour), 40)...)
	for k := range 14 {
		m := s.mention("bad")
		m.CreatedAt = begin.Add(20*time.Hour + time.Duration(k)*20*time.Second)
		all = append(all, m)
	}
	Sort(all)
	s.live(all)
	for _, i := range s.pages(begin, s.now) {
		if i.Peak < 3 {
			t.Errorf("fourteen complaints are severity %d: %s", i.Peak, i.Sentence)
		}
	}
}

// One old post does not make a new brand an old one.
func TestColdStartWithAnOldPost(t *testing.T) {
	s := newStage(t, plainRules())
	old := s.mention("bad")
	old.CreatedAt = s.now.Add(-400 * day)
	s.hear(old)
	begin := s.now
	s.live(newStream(4, 10).between(begin, begin.Add(12*time.Hour), 1))
	s.expectPages("the first day", begin, s.now, 0)
}

// More mentions than usual, which is no more than a notice, does not break an acknowledged slow rise open.
func TestNoticeWithinASlowRise(t *testing.T) {
	quiet := Duration(8 * time.Hour)
	i := Incident{
		ID: "a-1", Handling: Acked, Level: 3, Severity: 3, Peak: 3, OpenedAt: monday,
		Signals: []ActiveSignal{{Rule: "neg", Series: "negative" + watchMark, Watch: true, Level: 3, LastHit: monday, Quiet: quiet}},
	}
	tn := begin(i, plainRules(), monday.Add(time.Hour), Actor{})
	tn.raise(ActiveSignal{Rule: "all", Series: "all", Level: 4, LastHit: monday.Add(time.Hour), Quiet: quiet})
	expect(t, "handling", tn.inc.Handling, Acked)
	tn.raise(ActiveSignal{Rule: "neg", Series: "negative", Level: 3, LastHit: monday.Add(time.Hour), Quiet: quiet})
	expect(t, "handling after a burst", tn.inc.Handling, New)
}

// Once the first of some copies are edited away, others of them count.
func TestCopiesCountInThePlaceOfOthers(t *testing.T) {
	s := newStage(t, plainRules())
	s.say("good")
	var ms []sources.Mention
	for range 9 {
		ms = append(ms, s.mention("bad parcels never come on time here"))
	}
	s.hear(ms...)
	expect(t, "nine alike", countOfSeries(s, "negative"), 2)
	for _, m := range ms[:2] {
		m.Op, m.Text = sources.Update, "good now thank you very much indeed"
		s.hear(m)
	}
	expect(t, "seven alike", countOfSeries(s, "negative"), 2)
}

func TestCountsBeginWithABlank(t *testing.T) {
	c, _ := NewCounts(5*time.Minute, 0, Up)
	if _, err := c.Next(countsStart, math.NaN()); err != nil {
		t.Fatal(err)
	}
	if x := c.sides[0].burst; !x.missing[x.slot(x.cur)] {
		t.Error("a blank first row is taken for a zero")
	}
	if _, err := c.Next(countsStart.AddDate(60, 0, 0), 3); err != nil { // returns soon
		t.Fatal(err)
	}
}
