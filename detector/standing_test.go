package detector

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// standing is how a rule stands for acme, at a place if it has several. Asking changes nothing.
func (s *stage) standing(rule, place string) Standing {
	s.t.Helper()
	r, ok := s.set.Rule(rule)
	if !ok {
		s.t.Fatalf("no rule %s", rule)
	}
	before := s.memory()
	all := s.m.Standings("acme", r, s.now)
	if s.memory() != before {
		s.t.Fatalf("asking how %s stands has changed the model", rule)
	}
	for _, st := range all {
		if place == "" || st.Place == place {
			return st
		}
	}
	s.t.Fatalf("%s does not stand at %q: %+v", rule, place, all)
	return Standing{}
}

// memory is all that a model holds, in one text.
func (s *stage) memory() string {
	var all strings.Builder
	for _, id := range sortedKeys(s.m.brands) {
		b := s.m.brands[id]
		for _, name := range sortedKeys(b.series) {
			blob, _ := b.series[name].MarshalBinary()
			fmt.Fprintf(&all, "%s %x\n", name, hash64(string(blob)))
		}
		for _, key := range sortedKeys(b.trails) {
			blob, _ := b.trails[key].MarshalBinary()
			fmt.Fprintf(&all, "%s %x\n", key, hash64(string(blob)))
		}
		for _, it := range b.items {
			fmt.Fprintf(&all, "%+v\n", *it)
		}
		for _, w := range b.waiting {
			fmt.Fprintf(&all, "%+v\n", *w)
		}
		state, _ := json.Marshal(b.state)
		all.Write(state)
	}
	rest, _ := json.Marshal([]any{s.m.incidents, s.m.alerts, s.m.now, s.m.seq, len(s.m.touched), len(s.m.met)})
	all.Write(rest)
	return all.String()
}

// agrees fails unless a standing says of a rule that has just told what the alert said.
func (st *Standing) agrees(t *testing.T, i Incident) {
	t.Helper()
	ev := &i.Evidence
	expect(t, "lacks", st.Lacks, []string{})
	expect(t, "incident", st.Incident, i.ID)
	expect(t, "in words", st.Now, i.Sentence)
	expect(t, "score", st.Score, ev.Score)
	expect(t, "window", st.Window, ev.Window)
	expect(t, "windows", st.Windows, ev.Windows)
	expect(t, "authors, of, place", fmt.Sprint(st.Authors, st.Of, st.Place), fmt.Sprint(ev.Authors, ev.Of, ev.Place))
	expect(t, "per", st.Per, ev.Per)
	expect(t, "learning", st.Learning, ev.Learning)
	expect(t, "severity", st.Severity, i.Level)
	expect(t, "why", st.Why, i.Signals[0].Why)
	expect(t, "budget", fmt.Sprintf("%+v", deref(st.Budget)), fmt.Sprintf("%+v", deref(ev.Budget)))
	if !strings.HasPrefix(st.Open, i.ID+" since 2026-") {
		t.Errorf("the open incident is %q", st.Open)
	}
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// standingRules are a rule of each kind that has a score.
var standingRules = map[string]string{
	"neg":      "title: Complaints, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, budget: {severity_3: 0.5/month, severity_2: 0.4/month}",
	"mood":     "title: The mood tips, kind: shift, measure: share(sentiment = negative), window: 3h, baseline: {per: [source], season: hour_of_day}, floor: {items: 15, authors: 8}, budget: 1/month",
	"backfire": "title: Our answer draws anger, kind: backlash, under: own_authors, floor: {items: 6, authors: 5}, budget: {severity_2: 2/month}",
	"runs":     "title: One post is spreading, kind: spread, match: {sentiment: negative}, floor: {shares: 20}, budget: {severity_2: 1/week}",
	"leave":    "title: Followers leave, kind: gauge, metric: followers, direction: down, budget: {severity_3: 1/month}",
}

func standingStage(t *testing.T, rule string) *stage {
	s := newStage(t, mustRules("version: 1\nbrands: {acme: {names: [Acme], own_authors: [\"shop:acme\"]}}\nrules: [{id: "+rule+", "+standingRules[rule]+"}]"))
	s.m.volatile = true
	return s
}

// A rule stands just below its bar before it tells; once it tells, the standing says what the alert says.
func TestStandingAndAlertAgree(t *testing.T) {
	rng, value := rand.New(rand.NewPCG(1, 2)), 48000.0
	var post sources.Mention
	for _, c := range []struct {
		rule, place string
		age         func(s *stage)
		step        func(s *stage) // towards the bar
		lacks       string         // at some step before
		graver      string
	}{
		{
			rule: "neg",
			age:  func(s *stage) { s.live(newStream(1, 2).between(monday, monday.Add(10*day), 1)) },
			step: func(s *stage) {
				s.now = s.now.Add(20 * time.Second)
				s.say("bad")
			},
			lacks: "the score is ", graver: "2 from a score of ",
		},
		{
			rule: "mood",
			age:  func(s *stage) { s.live(mixed(1, monday, monday.Add(10*day), 8, 0.15)) },
			step: func(s *stage) {
				s.now = s.now.Add(6 * time.Minute)
				s.say("bad")
			},
			lacks: "nothing is surprising by itself", graver: "2 where half of it is about ",
		},
		{
			rule: "backfire",
			age: func(s *stage) {
				s.live(mixed(1, monday, monday.Add(10*day), 1, 0.3))
				m := s.mention("we are sorry to hear this")
				m.ID, m.Author.ID = "a1", "acme"
				s.hear(m)
				reply := s.mention("bad")
				reply.ParentID = "a1"
				s.hear(reply)
			},
			step: func(s *stage) {
				s.now = s.now.Add(2 * time.Minute)
				m := s.mention("bad excuse")
				m.ParentID = "a1"
				s.hear(m)
			},
			lacks: "it has 5 of at least 6 negative replies under one own post", graver: "one step graver",
		},
		{
			rule: "runs",
			age: func(s *stage) {
				s.now = monday.Add(-2 * day)
				s.say("good")
				s.now = monday
				post = s.mention("bad drip")
				s.hear(post)
			},
			step: func(s *stage) {
				s.now = s.now.Add(7 * time.Minute)
				post.Op, post.Engagement.Shares = sources.Update, post.Engagement.Shares+3
				s.hear(post)
			},
			lacks: "18 of 20 shares",
		},
		{
			rule: "leave", place: "shop",
			age:   func(s *stage) { followers(s, rng, &value, 10*24, 20) },
			step:  func(s *stage) { followers(s, rng, &value, 1, -700) },
			lacks: "otherwise than usual, of at least",
		},
	} {
		t.Run(c.rule, func(t *testing.T) {
			s := standingStage(t, c.rule)
			c.age(s)
			var lacked []string
			for n := 0; len(s.incidentsOf(c.rule)) == 0; n++ {
				if n == 100 {
					t.Fatalf("never told; it lacks %v", lacked)
				}
				before := s.standing(c.rule, "")
				if len(before.Lacks) == 0 || before.Incident != "" {
					t.Fatalf("step %d: it lacks %v, and has opened %q", n, before.Lacks, before.Incident)
				}
				lacked = append(lacked, before.Lacks...)
				c.step(s)
			}
			i, st := s.oneIncidentOf(c.rule), s.standing(c.rule, c.place)
			st.agrees(t, i)
			if !slices.ContainsFunc(lacked, func(x string) bool { return strings.Contains(x, c.lacks) }) {
				t.Errorf("before it lacked %q, never %q", lacked, c.lacks)
			}
			if !strings.Contains(strings.Join(st.Graver, "\n"), c.graver) {
				t.Errorf("graver %q", st.Graver)
			}
			if len(st.Nearest) == 0 || !slices.ContainsFunc(st.Nearest, func(x Miss) bool { return x.Told && !x.History }) {
				t.Errorf("nothing in the history is told: %+v", st.Nearest)
			}
		})
	}
}

// The bar that a standing shows is the alert's, with what habituation adds until the next one; growth shows in its severity.
func TestStandingAfterItsAlert(t *testing.T) {
	s := standingStage(t, "neg")
	s.live(newStream(1, 2).between(monday, monday.Add(10*day), 1))
	before := s.standing("neg", "")
	for len(s.incidentsOf("neg")) == 0 {
		s.now = s.now.Add(20 * time.Second)
		s.say("bad")
	}
	expect(t, "bar", before.Bar-before.Habit, s.oneIncidentOf("neg").Evidence.Bar)
	during := s.standing("neg", "")
	if !strings.Contains(during.Tells, "from a score of 0.90 on, now ") {
		t.Errorf("it tells %q", during.Tells)
	}
	for s.oneIncidentOf("neg").Signals[0].Steps == 0 {
		s.now = s.now.Add(20 * time.Second)
		s.say("bad")
	}
	grown := s.standing("neg", "")
	grown.agrees(t, s.oneIncidentOf("neg"))
	if !strings.HasSuffix(grown.Why, "; 2 times the count of the first alert") {
		t.Errorf("grown: %q", grown.Why)
	}
	s.wait(12 * time.Hour)
	after := s.standing("neg", "")
	if after.Habit < before.Habit+0.1 || !strings.Contains(after.Tells, "; "+fmt.Sprintf("%.2f of it because it was there lately", after.Habit)) {
		t.Errorf("habit %g, before %g; it tells %q", after.Habit, before.Habit, after.Tells)
	}
}

// What stood out in a history was not told because a history only teaches.
func TestStandingOfAHistory(t *testing.T) {
	s := standingStage(t, "neg")
	ms := newStream(1, 2).between(monday, monday.Add(10*day), 1)
	s.now = monday.Add(10 * day)
	for range 60 {
		s.now = s.now.Add(20 * time.Second)
		ms = append(ms, s.mention("bad"))
	}
	for _, m := range ms {
		a := s.arrival(m)
		a.History = true
		c, _ := s.m.Apply([]Arrival{a}, m.CreatedAt)
		s.take(c)
	}
	s.now = s.now.Add(day)
	s.say("good")
	all := s.standing("neg", "").Nearest
	if len(all) == 0 || all[0].Told || !all[0].History {
		t.Errorf("the nearest are %+v", all)
	}
}

// Of a share of nothing it is said what is usual, and of nothing seen, over the longest window.
func TestStandingOfNothing(t *testing.T) {
	s := standingStage(t, "mood")
	s.live(mixed(1, monday, monday.Add(10*day), 4, 0.2))
	s.now = s.now.Add(9 * time.Hour)
	st := s.standing("mood", "")
	if !strings.HasPrefix(st.Now, "No mention in the last 3 hours; of those that come, usually ") || !strings.HasSuffix(st.Now, " % are negative mentions.") {
		t.Errorf("now %q", st.Now)
	}
	expect(t, "lacks", st.Lacks, []string{"it has 0 of at least 15 mentions", "it has 0 of at least 8 people"})

	s = standingStage(t, "neg")
	s.live(newStream(1, 2).between(monday, monday.Add(2*day), 1))
	s.now = s.now.Add(9 * time.Hour)
	st = s.standing("neg", "")
	expect(t, "window", st.Window.Length, 6*time.Hour)
	if !strings.HasPrefix(st.Now, "0 negative mentions from 0 people in the last 6 hours; ") || st.Window.Expected == 0 {
		t.Errorf("now %q of %g", st.Now, st.Window.Expected)
	}
}

// In its first days a rule says that it learns, and a brand that is not known has no standing.
func TestStandingWhileItLearns(t *testing.T) {
	s := standingStage(t, "neg")
	s.live(newStream(1, 2).between(monday, monday.Add(12*time.Hour), 1))
	st := s.standing("neg", "")
	expect(t, "learning", st.Learning, "provisional, day 1 of 7")
	if !slices.Contains(st.Lacks, "it is too young: it only learns yet") {
		t.Errorf("it lacks %q", st.Lacks)
	}
	r, _ := s.set.Rule("neg")
	expect(t, "unknown brand", len(s.m.Standings("nobody", r, s.now)), 0)
}

// A silence says when it would be told, and is told then; the numbers are the alert's.
func TestStandingOfSilence(t *testing.T) {
	s := newStage(t, mustRules(silenceRules))
	s.m.volatile = true
	last := monday.Add(28*day - 3*time.Hour)
	all := office(1, monday, last, 10)
	for _, m := range all {
		s.hush(m.CreatedAt.Add(-5 * time.Minute))
		s.now = m.CreatedAt
		s.hear(m)
	}
	spoke, other := s.now, all[len(all)-1]
	other.ID, other.Brand = "other", "other"
	s.hear(other)
	s.hush(last.Add(10 * time.Minute))
	early := s.standing("silent", "shop")
	expect(t, "lacks", early.Lacks, []string{"it has not been silent for long enough"})
	expect(t, "spoke last", early.First, spoke)
	for len(s.incidentsOf("silent")) == 0 && s.now.Before(last.Add(day)) {
		s.hush(s.now.Add(5 * time.Minute))
	}
	i, st := s.oneIncidentOf("silent"), s.standing("silent", "shop")
	if late := s.now.Sub(early.Due); late < 0 || late > 2*silenceEvery {
		t.Errorf("due at %s, told at %s", early.Due, s.now)
	}
	expect(t, "lacks", st.Lacks, []string{})
	expect(t, "incident", st.Incident, i.ID)
	expect(t, "evidence", []any{st.Score, st.Bar, st.Window, st.First, st.Place, st.Why},
		[]any{i.Evidence.Score, i.Evidence.Bar, i.Evidence.Window, i.Evidence.First, i.Evidence.Place, i.SeverityWhy})
	r, _ := s.set.Rule("silent")
	expect(t, "another brand", s.m.Standings("other", r, s.now)[0].Lacks,
		[]string{"the source is too young: what is usual is learnt for a week", "it has not been silent for long enough", "brand acme misses more from it, and tells for all"})
	week := s.m.Standings("acme", r, s.now.Add(8*day))[0]
	expect(t, "no news", week.Lacks, []string{"it has been silent for longer than 7 days, which is no news"})
	if early.Score >= early.Bar || st.Score < st.Bar {
		t.Errorf("score %g of %g, then %g of %g", early.Score, early.Bar, st.Score, st.Bar)
	}
}

// Complaints that wait say which clock runs out next, and what the alert says once one has.
func TestStandingOfAnswerClocks(t *testing.T) {
	s := listening(t)
	empty := s.standing("late", "")
	expect(t, "none", empty.Now, "No complaint waits for an answer.")
	first := s.complain("bad")
	s.wait(5 * time.Minute)
	s.complain("bad too")
	s.wait(30 * time.Minute)
	st := s.standing("late", "")
	expect(t, "now", st.Now, "2 complaints wait for an answer, none for too long; the longest for 35 min.")
	expect(t, "due", st.Due, st.At.Add(25*time.Minute))
	expect(t, "oldest", fmt.Sprint(st.Latest[0].What, st.Latest[0].To.Equal(st.Due), st.Waiting), "shop "+first.ID+"true 2")
	expect(t, "lacks", st.Lacks, []string{"no clock has run out"})
	s.wait(25 * time.Minute)
	i, late := s.inc("acme-1"), s.standing("late", "")
	expect(t, "lacks", late.Lacks, []string{})
	expect(t, "in words", late.Now, i.Sentence)
	expect(t, "evidence", []any{late.Window, late.Authors, late.First, late.Severity, late.Why, late.Incident},
		[]any{i.Evidence.Window, i.Evidence.Authors, i.Evidence.First, i.Severity, i.SeverityWhy, i.ID})
	expect(t, "told", late.Latest[0].Told, true)
	expect(t, "the second clock", late.Graver, []string{"2 once a second clock has run out"})
	if at := s.standing("leaks", ""); !strings.Contains(at.Tells, "no answer after 2 h, and again after 8 h") {
		t.Errorf("it tells %q", at.Tells)
	}
}

const singleRules = `
version: 1
sla: {complaint: {}}
rules:
  - {id: hurt, title: Somebody may be hurt, kind: each, match: {category: safety_injury}, dedupe: {by: [author], for: 12h}, severity: 2, escalate_if: [{when: "authors(1h) >= 3", severity: 1}]}
  - {id: legal, title: A lawyer, kind: each, match: {category: legal_authority}, dedupe: {by: [author], for: 24h}, severity: 3, sla: complaint}
  - {id: fronts, title: Several alarms at once, kind: correlate, of: [hurt, legal], within: 2h, severity: 1}
`

// A rule of kind each says what it matched, and which of it repeats what was told; one of kind correlate, which of its rules tell.
func TestStandingOfSingleMentionsAndOfRules(t *testing.T) {
	s, _ := aged(t, mustRules(singleRules), 1, 2, 0)
	s.say("good")
	none := s.standing("hurt", "")
	expect(t, "none", none.Now+fmt.Sprint(none.Lacks), "No mention has matched within a day.[nothing has matched within a day]")
	expect(t, "nothing raised", s.standing("fronts", "").Now, "None of its rules tells.")

	s.say("I burned my hand")
	i, st := s.inc("acme-1"), s.standing("hurt", "")
	st.agreesOnMatch(t, i)
	again := s.mention("I burned my hand again")
	again.Author.ID = fmt.Sprintf("a%d", s.n-1) // who wrote before
	s.now = s.now.Add(10 * time.Minute)
	s.hear(again)
	st = s.standing("hurt", "")
	expect(t, "repeats", []any{st.Window.Observed, st.Repeats, st.Latest[0].Told, st.Latest[1].Told}, []any{2.0, 1, false, true})
	expect(t, "lacks", st.Lacks, []string{"the last match repeats one that was told"})
	expect(t, "graver", st.Graver, []string{"1 once two people write about it independently within two hours", "at least 1 if authors(1h) >= 3"})
	one := s.standing("fronts", "")
	expect(t, "one raised", fmt.Sprint(one.Now, one.Lacks, one.Raised, one.Score, one.Bar), "Only hurt tells.[1 of 2 rules] [hurt] 1 2")

	s.wait(30 * time.Minute)
	s.say("my lawyer will sue you")
	both, joined := s.standing("fronts", ""), s.oneIncidentOf("fronts")
	expect(t, "lacks", both.Lacks, []string{})
	expect(t, "incident", both.Incident, joined.ID)
	says(t, joined, strings.TrimPrefix(both.Now, "Several alarms at once: "))
	expect(t, "told", both.Latest[0].What+" "+both.Latest[1].What, "legal hurt")
	if legal := s.standing("legal", ""); legal.Waiting != 1 || !slices.Contains(legal.Also, "1 complaint waits for an answer, 0 of them for too long") {
		t.Errorf("clocks %d, %q", legal.Waiting, legal.Also)
	}

	s.now = s.now.Add(20 * time.Hour) // who is silent for that long may be told of again
	again.ID, again.CreatedAt = "third", s.now
	s.hear(again)
	st = s.standing("hurt", "")
	expect(t, "told again", fmt.Sprint(st.Window.Observed, st.Repeats, st.Latest[0].What, st.Latest[0].Told), "3 1shop thirdtrue")
}

// agreesOnMatch is agrees for a kind without score.
func (st *Standing) agreesOnMatch(t *testing.T, i Incident) {
	t.Helper()
	expect(t, "lacks", st.Lacks, []string{})
	expect(t, "in words", st.Now, i.Sentence)
	expect(t, "evidence", []any{st.Window.Observed, st.Authors, st.First, st.Severity, st.Why, st.Incident},
		[]any{i.Evidence.Window.Observed, i.Evidence.Authors, i.Evidence.First, i.Severity, i.SeverityWhy, i.ID})
}

// What a person has called nothing is not told again within the day, and the standing says so.
func TestStandingAfterAFalseAlarm(t *testing.T) {
	s, _ := aged(t, mustRules(singleRules), 1, 2, 0)
	s.say("good")
	s.say("my lawyer will sue you")
	s.do(OpFalseAlarm, Args{})
	st := s.standing("legal", "")
	expect(t, "lacks", st.Lacks, []string{"acme-1 was closed as false alarm less than a day ago: what is no graver is not told"})
}

// During a planned event a standing says so, and what it makes of the severity.
func TestStandingDuringAPlannedEvent(t *testing.T) {
	s := newStage(t, mustRules(`
version: 1
windows: [{id: sale, from: 2026-03-10T00:00:00Z, to: 2026-03-12T00:00:00Z, effect: {volume: expected}, note: campaign}]
rules: [{id: volume, title: More is said, kind: burst, match: {}, floor: {items: 20, authors: 10}, budget: 1/month, severity: 3}]`))
	s.m.volatile = true
	s.live(newStream(1, 3).between(monday, monday.Add(8*day), 1))
	before := s.standing("volume", "")
	for len(s.incidentsOf("volume")) == 0 {
		s.now = s.now.Add(20 * time.Second)
		s.say("good")
	}
	st := s.standing("volume", "")
	st.agrees(t, s.oneIncidentOf("volume"))
	expect(t, "severity", []any{before.Severity, st.Severity, st.Why}, []any{rules.Notice, rules.Notice, "expected during sale"})
	if !slices.Contains(st.Also, "planned: sale (campaign)") {
		t.Errorf("also %q", st.Also)
	}
}
