package detector

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// answerRules: complaints have clocks of an hour and a day, those about a leak only while somebody is at the desk.
const answerRules = `
version: 1
brands: {acme: {names: [Acme], own_authors: ["shop:acme"]}}
routes: {desk: {slack: {channel: "#desk"}}}
availability: {office: {timezone: UTC, hours: {mon-fri: "08:00-18:00"}}}
sla:
  complaint: {}
  leak: {first_answer: 2h, answer: 8h, clock: availability.office, breach_severity: 2}
categories:
  leak: {sev: 3, weight: 0.9, cues: {en: [drip]}}
rules:
  - {id: late, title: Complaints wait too long, kind: unanswered, match: {sentiment: negative, not_categories: [leak]}, sla: complaint, severity: 3, route: desk}
  - {id: leaks, title: Leaks wait, kind: unanswered, match: {category: leak}, sla: leak, severity: 3, route: desk}
`

var answerSet = sync.OnceValue(func() *rules.Set { return mustRules(answerRules) })

// listening is a stage whose source is known.
func listening(t testing.TB) *stage {
	s := newStage(t, answerSet())
	s.say("hello")
	s.wait(time.Minute)
	return s
}

// complain says something and returns its key.
func (s *stage) complain(text string) sources.Key {
	m := s.mention(text)
	s.hear(m)
	return m.Key()
}

// answer is what the brand writes below a mention.
func (s *stage) answer(to sources.Key, change ...func(*sources.Mention)) {
	m := s.mention("we are on it")
	m.Author, m.ParentID = sources.Author{ID: "acme"}, to.ID
	for _, f := range change {
		f(&m)
	}
	s.hear(m)
}

func TestFirstClockOpensAnIncidentTheSecondIsGraver(t *testing.T) {
	s := listening(t)
	s.complain("bad")
	s.wait(59 * time.Minute)
	expect(t, "before the hour", len(s.disk.incidents), 0)
	s.wait(2 * time.Minute)
	i := s.inc("acme-1")
	expect(t, "incident", fmt.Sprintf("%d %s %s %s", i.Severity, i.Signal, i.Rule, i.Title), "3 unanswered late Complaints wait too long")
	expect(t, "told", s.told(), []string{"root first desk"})
	if want := "A complaint has been waiting for an answer for 1 h; all on shop."; i.Sentence != want {
		t.Errorf("sentence %q, want %q", i.Sentence, want)
	}
	s.do(OpAck, Args{For: Duration(48 * time.Hour)})
	s.wait(22*time.Hour + 57*time.Minute)
	expect(t, "it stands while nobody answers", s.inc("acme-1").Level, rules.Issue)
	s.told()
	s.wait(3 * time.Minute)
	i = s.inc("acme-1")
	expect(t, "after a day", fmt.Sprintf("%d %s", i.Severity, i.Handling), "2 new")
	expect(t, "told", s.told(), []string{"broadcast worse desk"})
	checkFold(t, s)
}

func TestAnAnswerInWordsStopsTheClocks(t *testing.T) {
	for name, x := range map[string]struct {
		change func(*sources.Mention)
		stops  bool
	}{
		"below it":              {func(*sources.Mention) {}, true},
		"further down":          {func(m *sources.Mention) { m.RootID, m.ParentID = m.ParentID, "other" }, true},
		"a like":                {func(m *sources.Mention) { m.Kind, m.Text = sources.Like, "" }, false},
		"without words":         {func(m *sources.Mention) { m.Text = "" }, false},
		"by somebody else":      {func(m *sources.Mention) { m.Author.ID = "troll" }, false},
		"below something else":  {func(m *sources.Mention) { m.ParentID = "other" }, false},
		"the same id elsewhere": {func(m *sources.Mention) { m.Source, m.Network = "forum", "shop" }, false},
	} {
		s := listening(t)
		k := s.complain("bad")
		s.wait(30 * time.Minute)
		s.answer(k, x.change)
		s.wait(2 * time.Hour)
		if told := len(s.disk.incidents) > 0; told == x.stops {
			t.Errorf("%s: stops %v, and an incident %v", name, x.stops, told)
		}
	}
}

// Once the last is answered the incident closes by itself, soon.
func TestAllAnswered(t *testing.T) {
	s := listening(t)
	a := s.complain("bad")
	s.wait(5 * time.Minute)
	b := s.complain("bad too")
	s.wait(2 * time.Hour)
	i := s.inc("acme-1")
	expect(t, "the longest first", i.Evidence.Mentions, []sources.Key{a, b})
	expect(t, "waiting", i.Evidence.Window.Observed, 2.0)
	s.answer(a)
	s.wait(20 * time.Minute)
	expect(t, "one left", s.inc("acme-1").Evidence.Mentions, []sources.Key{b})
	s.do(OpAnswered, Args{Mentions: []sources.Key{b}})
	s.wait(14 * time.Minute)
	expect(t, "still open", s.inc("acme-1").Handling, New)
	s.wait(3 * time.Minute)
	expect(t, "closed", s.inc("acme-1").Closing, CalmAgain)
	expect(t, "nothing waits", len(s.m.Longest(10)), 0)
	checkFold(t, s)
}

// More of them are told in batches, quietly.
func TestBreachesAreGathered(t *testing.T) {
	s := listening(t)
	for range 5 {
		s.complain("bad")
		s.wait(2 * time.Minute)
	}
	s.wait(51 * time.Minute)
	expect(t, "the first at once", s.inc("acme-1").Evidence.Window.Observed, 1.0)
	s.wait(13 * time.Minute)
	expect(t, "not before the batch", s.inc("acme-1").Evidence.Window.Observed, 1.0)
	s.wait(2 * time.Minute)
	expect(t, "then all", s.inc("acme-1").Evidence.Window.Observed, 5.0)
	expect(t, "authors", s.inc("acme-1").Evidence.Authors, 5)
	expect(t, "told", s.told(), []string{"root first desk"})
	expect(t, "the longest waiting", len(s.m.Longest(3)), 3)
}

func TestClocksStandStillWhileNobodyIsThere(t *testing.T) {
	s := listening(t)
	s.now = time.Date(2026, 3, 6, 17, 0, 0, 0, time.UTC) // a Friday
	s.complain("drip")
	s.wait(64*time.Hour - time.Minute)
	expect(t, "until Monday at nine", len(s.disk.incidents), 0)
	s.wait(2 * time.Minute)
	expect(t, "severity of the sla", s.inc("acme-1").Severity, rules.Serious)
}

// A story of complaints and that they wait are two incidents; and one answer for two rules counts once.
func TestWaitingIsAStoryOfItsOwn(t *testing.T) {
	s := listening(t)
	s.complain("bad")
	s.wait(61 * time.Minute)
	s.complain("drip")
	s.wait(121 * time.Minute)
	expect(t, "incidents", sortedKeys(s.disk.incidents), []string{"acme-1", "acme-2"})
}

// What a person closes is dealt with: it does not come back by itself, the next complaint does.
func TestClosedByAPersonIsDealtWith(t *testing.T) {
	s := listening(t)
	s.complain("bad")
	s.wait(61 * time.Minute)
	s.do(OpResolve, Args{})
	s.told()
	s.wait(30 * time.Minute)
	expect(t, "told", s.told(), []string{})
	expect(t, "closed", s.inc("acme-1").Handling, Closed)
	s.complain("bad")
	s.wait(62 * time.Minute)
	expect(t, "told", s.told(), []string{"broadcast reopened desk"})
	s.do(OpAnswered, Args{})
	s.wait(17 * time.Minute)
	expect(t, "answered, all of it", s.inc("acme-1").Closing, CalmAgain)
	s.do(OpReopen, Args{})
	s.wait(17 * time.Minute)
	expect(t, "and does not stand for ever once reopened", s.inc("acme-1").Handling, Closed)
}

// Clocks do not run for what nobody could know of, and for what is gone.
func TestNoClockFor(t *testing.T) {
	for name, hear := range map[string]func(*stage){
		"what was written before its source was known": func(s *stage) {
			m := s.mention("bad")
			m.Source, m.CreatedAt = "forum", s.now.Add(-10*time.Hour)
			s.hear(m)
		},
		"what was deleted": func(s *stage) {
			m := s.mention("bad")
			s.hear(m)
			m.Op = sources.Delete
			s.hear(m)
		},
		"what an edit made something else": func(s *stage) {
			m := s.mention("bad")
			s.hear(m)
			m.Op, m.Text = sources.Update, "good"
			s.hear(m)
		},
		"praise": func(s *stage) { s.complain("good") },
	} {
		s := listening(t)
		hear(s)
		s.wait(3 * time.Hour)
		if len(s.disk.incidents) > 0 || len(s.disk.waiting) > 0 {
			t.Errorf("%s: %v", name, s.disk.waiting)
		}
	}
	s := listening(t)
	m := s.mention("bad")
	m.CreatedAt = s.now.Add(-2 * time.Minute)
	late := m
	late.ID, late.CreatedAt = "late", s.now.Add(-30*time.Hour)
	s.m.brands["acme"].state.Sources["shop"] = s.now.Add(-48 * time.Hour)
	s.hear(late)
	s.wait(59 * time.Minute)
	expect(t, "what comes to light late has an hour from then", len(s.disk.incidents), 0)
	s.wait(2 * time.Minute)
	expect(t, "incidents", len(s.disk.incidents), 1)
}

func TestFiguresOfTheTeam(t *testing.T) {
	s := listening(t)
	for _, wait := range []time.Duration{10 * time.Minute, 50 * time.Minute, 5 * time.Hour, 0} {
		k := s.complain("bad")
		if wait == 0 {
			s.wait(25 * time.Hour)
			continue
		}
		s.wait(wait)
		s.answer(k)
	}
	f := ptr(s.disk.brands["acme"]).AnswerFigures()
	expect(t, "figures", *f, AnswerFigures{Of: 4, Hour: 0.5, Day: 0.75})
	want := "Of 4 complaints in the last 14 days, 50% were answered within an hour (40% of consumers expect that), 75% within a day (79%)."
	expect(t, "sentence", f.Sentence(), want)
	if i := s.inc("acme-1"); !strings.HasSuffix(i.Sentence, "within a day (79%).") {
		t.Errorf("incident says %q", i.Sentence)
	}
}

// What is kept of a brand is bounded, and nobody answers what is a week old.
func TestWaitingIsBounded(t *testing.T) {
	s := listening(t)
	s.mute = true
	for range maxWaiting + 10 {
		s.complain("bad")
		s.now = s.now.Add(time.Second)
	}
	expect(t, "at most", len(s.disk.waiting), maxWaiting)
	s.now = s.now.Add(8 * 24 * time.Hour)
	s.tick()
	s.now = s.now.Add(time.Second)
	s.tick()
	expect(t, "a week later", len(s.disk.waiting), 0)
}

// New rules mean new clocks; without an sla there are none.
func TestClocksFollowTheRules(t *testing.T) {
	s := listening(t)
	s.complain("bad")
	s.wait(time.Minute)
	s.set = mustRules(strings.Replace(answerRules, "complaint: {}", "complaint: {first_answer: 10m}", 1))
	s.m.SetRules(s.set)
	s.wait(10 * time.Minute)
	expect(t, "incidents", len(s.disk.incidents), 1)
	s.set = machineSet()
	s.m.SetRules(s.set)
	s.wait(20 * time.Minute)
	expect(t, "waiting", len(s.disk.waiting), 0)
	expect(t, "closed", s.inc("acme-1").Closing, CalmAgain)
}

// Whoever asks the detector hears of no complaint that is not on disk.
func TestWhoWaitsIsWhatIsCommitted(t *testing.T) {
	d, s := open(t, func(o *Options) { o.Rules = answerSet() })
	d.Now = func() time.Time { return monday.Add(-time.Hour) }
	if _, err := d.Ingest(t.Context(), batch("a", "hello")); err != nil {
		t.Fatal(err)
	}
	d.Now = func() time.Time { return monday }
	s.failCommits = 1
	if _, err := d.Ingest(t.Context(), batch("b", "bad")); err == nil {
		t.Fatal("the commit did not fail")
	}
	expect(t, "after a failed commit", len(d.Longest(5)), 0)
	if _, err := d.Ingest(t.Context(), batch("b", "bad")); err != nil {
		t.Fatal(err)
	}
	expect(t, "waiting", len(d.Longest(5)), 1)
	expect(t, "at most", len(d.Longest(0)), 0)
}

// In a stream that never pauses clocks run out as in a quiet one.
func TestReplayLetsClocksRunOutBetweenMentions(t *testing.T) {
	s := listening(t)
	start := s.now
	var ms []sources.Mention
	for at := start; at.Before(start.Add(3 * time.Hour)); at = at.Add(20 * time.Second) {
		m := s.mention("good")
		m.ID, m.CreatedAt = fmt.Sprint(at.Unix()), at
		ms = append(ms, m)
	}
	ms[30].Text = "bad"
	var breaches []time.Duration
	r := NewReplay(answerSet(), plainScorer{})
	r.Event = func(e ReplayEvent) {
		if e.Op == "opened" {
			breaches = append(breaches, e.At.Sub(ms[30].CreatedAt))
		}
	}
	r.Run(ms)
	if len(breaches) != 1 || breaches[0] < time.Hour || breaches[0] > time.Hour+2*time.Minute {
		t.Errorf("told after %v, not an hour", breaches)
	}
}
