package detector

import (
	"fmt"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

func TestOwnAuthorsDoNotCount(t *testing.T) {
	s, _ := aged(t, mustRules(graveRules), 1, 2, 0)
	s.hear(s.mention("drip"))
	before := s.disk.clone()
	for _, m := range crowd(s, 30, 1, "drip") {
		m.Author = sources.Author{ID: "acme"}
		s.now = m.CreatedAt
		s.hear(m)
	}
	counted := 0
	for _, it := range s.disk.items {
		counted += it.Weight
	}
	expect(t, "counted", counted, len(before.items))
	expect(t, "kept as evidence", len(s.disk.seen), len(before.seen)+30)
}

// countOfSeries returns what a series of acme holds in the last hour.
func countOfSeries(s *stage, name string) float64 {
	x := s.m.brands["acme"].series[name]
	if x == nil {
		return 0
	}
	return x.burst.countIn(Duration(time.Hour))
}

func TestEditChangesWhatCounts(t *testing.T) {
	s := newStage(t, starterSet())
	m := s.mention("bad")
	s.hear(m, s.mention("bad"), s.mention("good"))
	s.wait(20 * time.Minute)
	s.hear(s.mention("good"))
	expect(t, "negative before", countOfSeries(s, "negative"), 2)
	m.Op, m.Text = sources.Update, "good, they called me"
	s.hear(m)
	expect(t, "negative after", countOfSeries(s, "negative"), 1)
	expect(t, "all after", countOfSeries(s, "all"), 4)
	m.Text = "bad after all"
	s.hear(m, m)
	expect(t, "negative at last", countOfSeries(s, "negative"), 2)
	expect(t, "all at last", countOfSeries(s, "all"), 4)
	s.restart()
	expect(t, "negative after a restart", countOfSeries(s, "negative"), 2)
}

// An edit may take the mention away from one brand and give it to another.
func TestEditMovesMentionToAnotherBrand(t *testing.T) {
	s := newStage(t, starterSet())
	m := s.mention("bad")
	s.hear(m)
	m.Op, m.Brand = sources.Update, "umbra"
	s.hear(m)
	expect(t, "acme", countOfSeries(s, "negative"), 0)
	expect(t, "umbra", s.m.brands["umbra"].series["negative"].burst.countIn(Duration(time.Hour)), 1)
	expect(t, "items", len(s.disk.items), 1)
}

// An old mention that is edited is not counted a second time, whoever remembers it.
func TestEditOfOldMention(t *testing.T) {
	s := newStage(t, starterSet())
	m := s.mention("bad")
	s.hear(m)
	for range 30 {
		s.wait(time.Hour)
		s.hear(s.mention("good"))
	}
	m.Op = sources.Update
	s.hear(m)
	x := s.m.brands["acme"].series["negative"].burst
	expect(t, "count of its bucket", x.n[x.slot(bucketOf(m.CreatedAt))], 1)
}

// Names of sources come from outside: only so many get a series of their own, and mentions of the others count all the
// same.
func TestManySources(t *testing.T) {
	s := newStage(t, starterSet())
	var ms []sources.Mention
	for k := range 3 * maxSources {
		m := s.mention("bad")
		m.Source = fmt.Sprintf("s%d", k)
		ms = append(ms, m)
	}
	s.hear(ms...)
	expect(t, "known sources", len(s.m.brands["acme"].state.Sources), maxSources)
	if n := len(s.m.brands["acme"].series); n > maxSources+5 {
		t.Errorf("%d series", n)
	}
	expect(t, "negative", countOfSeries(s, "negative"), float64(len(ms)))
}

// Who repeats what was told stays quiet, and what is remembered for that has a limit.
func TestDedupeHasALimit(t *testing.T) {
	s := newStage(t, starterSet())
	b, r := s.m.brand("acme"), &rules.Rule{ID: "r", Dedupe: rules.Dedupe{By: []string{"author"}, For: 24 * time.Hour}}
	s.m.begin(s.now)
	for k := range maxDeduped + 500 {
		s.m.now = s.now.Add(time.Duration(k) * time.Second)
		if s.m.deduped(b, r, &Item{Author: uint64(k)}) {
			t.Fatalf("author %d was never heard before", k)
		}
	}
	if n := len(b.state.Deduped); n > maxDeduped {
		t.Errorf("%d are remembered", n)
	}
	if !s.m.deduped(b, r, &Item{Author: maxDeduped + 499}) {
		t.Error("the last author is forgotten")
	}
	s.m.now = s.now.Add(48 * time.Hour)
	if s.m.deduped(b, r, &Item{Author: maxDeduped + 499}) {
		t.Error("the last author is remembered for too long")
	}
}

// An edit that speaks of another brand takes the mention along; the old brand keeps nothing of it.
func TestEditMovesToAnotherBrand(t *testing.T) {
	s := newStage(t, starterSet())
	m := s.mention("bad")
	s.hear(m)
	m.Op, m.Brand = sources.Update, "other"
	c, _ := s.m.Apply([]Arrival{s.arrival(m)}, s.now)
	s.take(c)
	expect(t, "brands", c.Seen[len(c.Seen)-1].Brands, []string{"other"})
	expect(t, "negative of the old brand", countOfSeries(s, "negative"), 0)

	again, back := m, m
	again.Brand, back.Brand = "third", "other"
	batch := []Arrival{s.arrival(again), s.arrival(back)}
	fillPriors(batch, []Known{s.disk.seen[m.Key()], s.disk.seen[m.Key()]})
	expect(t, "what the second edit finds", batch[1].Prior.Seen.Brands, []string{"third"})
}

// A delete takes text and author away; what was counted stays counted.
func TestDeleteKeepsTheCount(t *testing.T) {
	s := newStage(t, starterSet())
	m := s.mention("bad")
	s.hear(m, s.mention("bad"))
	item := func() Item {
		for _, it := range s.disk.items {
			if it.Key == m.Key() {
				return it
			}
		}
		t.Fatal("the item is gone")
		return Item{}
	}
	before := item()
	m.Op = sources.Delete
	c, _ := s.m.Apply([]Arrival{s.arrival(m)}, s.now)
	s.take(c)
	expect(t, "erased", c.Erase, []sources.Key{m.Key()})
	expect(t, "negative", countOfSeries(s, "negative"), 2)
	after := item()
	if after.Author == before.Author {
		t.Error("the author is still there")
	}
	after.Author = before.Author
	expect(t, "the rest", after, before)
	s.restart()
	expect(t, "negative after a restart", countOfSeries(s, "negative"), 2)

	unknown := s.mention("bad")
	unknown.Op = sources.Delete
	c, _ = s.m.Apply([]Arrival{s.arrival(unknown)}, s.now)
	expect(t, "delete of an unknown id", c.Empty(), true)
}
