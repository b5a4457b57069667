package detector

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

const shiftRules = `
version: 1
rules:
  - {id: mood, title: The mood tips, kind: shift, measure: share(sentiment = negative), window: 3h, floor: {items: 20, authors: 8}, budget: 1/month}
  - {id: stars, title: Bad ratings, kind: shift, measure: share(rating <= 2), match: {kinds: [review]}, window: 24h, floor: {items: 8, authors: 5}, budget: 1/month}
`

// mixed returns mentions of which a share is bad.
func mixed(seed uint64, from, to time.Time, perHour, share float64) []sources.Mention {
	x := newStream(seed, perHour)
	ms := x.between(from, to, 1)
	for i := range ms {
		ms[i].ID, ms[i].Author.ID = fmt.Sprintf("%d-%d", seed, i), fmt.Sprintf("%d-%d", seed, i)
		if ms[i].Text = "good"; x.rng.Float64() < share {
			ms[i].Text = "bad"
		}
	}
	return ms
}

// incidentsOf returns the incidents that a rule has opened or joined.
func (s *stage) incidentsOf(rule string) []Incident {
	var out []Incident
	for _, id := range sortedKeys(s.disk.incidents) {
		i := s.disk.incidents[id]
		for _, sig := range i.Signals {
			if sig.Rule == rule {
				out = append(out, i)
			}
		}
	}
	return out
}

func (s *stage) oneIncidentOf(rule string) Incident {
	s.t.Helper()
	all := s.incidentsOf(rule)
	if len(all) != 1 {
		s.t.Fatalf("%d incidents of rule %s: %+v", len(all), rule, all)
	}
	return all[0]
}

func says(t *testing.T, i Incident, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(i.Sentence, p) {
			t.Errorf("the sentence lacks %q: %s", p, i.Sentence)
		}
	}
}

// The share of complaints is news though there are no more mentions than usual.
func TestShareOfNegativeShifts(t *testing.T) {
	s := newStage(t, mustRules(shiftRules))
	s.m.volatile = true
	turn := monday.Add(21*day - 2*time.Hour)
	s.live(mixed(1, monday, turn, 12, 0.15))
	if got := s.incidentsOf("mood"); len(got) > 0 {
		t.Fatalf("three calm weeks raised %s", got[0].Sentence)
	}
	s.live(mixed(2, turn, turn.Add(5*time.Hour), 12, 0.6))
	i := s.oneIncidentOf("mood")
	expect(t, "signal", i.Signal, "share")
	expect(t, "severity", i.Severity, rules.Issue)
	says(t, i, "% of the mentions in the last 3 hours are negative", "people); usually")
	if after := i.OpenedAt.Sub(turn); after > 3*time.Hour {
		t.Errorf("found after %s", after)
	}
}

// Two bad words among three are no shift, and neither is more of everything.
func TestShareAsksForItsFloorAndNotForVolume(t *testing.T) {
	s := newStage(t, mustRules(shiftRules))
	s.m.volatile = true
	turn := monday.Add(14 * day)
	s.live(mixed(3, monday, turn, 2, 0.2))
	s.live(mixed(4, turn, turn.Add(6*time.Hour), 40, 0.2))
	if got := s.incidentsOf("mood"); len(got) > 0 {
		t.Errorf("more of everything raised %s", got[0].Sentence)
	}
}

func TestLowRatings(t *testing.T) {
	s := newStage(t, mustRules(shiftRules))
	s.m.volatile = true
	turn := monday.Add(28 * day)
	reviews := func(ms []sources.Mention) []sources.Mention {
		for i := range ms {
			ms[i].Kind, ms[i].Rating = sources.Review, 5
			if ms[i].Text == "bad" {
				ms[i].Rating = 1
			}
		}
		return ms
	}
	s.live(reviews(mixed(5, monday, turn, 1, 0.15)))
	s.live(reviews(mixed(6, turn, turn.Add(20*time.Hour), 1, 0.9)))
	all := s.incidentsOf("stars")
	if len(all) == 0 || all[len(all)-1].OpenedAt.Before(turn) {
		t.Fatalf("incidents %d", len(all))
	}
	i := all[len(all)-1]
	expect(t, "joined by", i.Signals[len(i.Signals)-1].Signal, "rating")
}

func TestShareSurprise(t *testing.T) {
	binomial := func(k, n int, p float64) float64 { // exact, without wander
		sum := 0.0
		for x := k; x <= n; x++ {
			a, _ := math.Lgamma(float64(n + 1))
			b, _ := math.Lgamma(float64(x + 1))
			c, _ := math.Lgamma(float64(n - x + 1))
			sum += math.Exp(a - b - c + float64(x)*math.Log(p) + float64(n-x)*math.Log(1-p))
		}
		return -math.Log10(sum)
	}
	for _, c := range []struct {
		k, n int
		p    float64
	}{{8, 10, 0.2}, {40, 100, 0.25}, {350, 1000, 0.3}} {
		if got, want := shareSurprise(float64(c.k), float64(c.n), c.p, 1e-9), binomial(c.k, c.n, c.p); math.Abs(got-want) > 1e-3*want {
			t.Errorf("%d of %d at %g: %g, want %g", c.k, c.n, c.p, got, want)
		}
	}
	if a, b := shareSurprise(40, 100, 0.25, 0.001), shareSurprise(40, 100, 0.25, 0.05); a <= b {
		t.Errorf("a share that wanders surprises as much as one that does not: %g, %g", b, a)
	}
	if got := shareSurprise(20, 100, 0.25, 0.01); got != 0 {
		t.Errorf("less than usual surprises by %g", got)
	}
}

const backlashRules = `
version: 1
brands:
  acme: {names: [Acme], own_authors: ["shop:acme"]}
rules:
  - {id: backfire, title: Our answer draws anger, kind: backlash, under: own_authors, floor: {items: 6, authors: 5}, budget: {severity_2: 2/month}}
`

// Anger under one's own answer is told; the same anger elsewhere is not this rule's.
func TestBacklash(t *testing.T) {
	s := newStage(t, mustRules(backlashRules))
	s.m.volatile = true
	s.live(mixed(1, monday, monday.Add(14*day), 3, 0.3))
	answer := func(id string) sources.Mention {
		m := s.mention("we are sorry to hear this")
		m.ID, m.Author.ID = id, "acme"
		return m
	}
	s.now = s.now.Add(time.Minute)
	s.hear(answer("a1"), answer("a2"))
	reply := func(parent string) {
		s.now = s.now.Add(3 * time.Minute)
		m := s.mention("bad excuse")
		m.Text = fmt.Sprintf("bad excuse number %d, %s", s.n, strings.Repeat(string(rune('a'+s.n%20)), 3+s.n%7))
		m.ParentID = parent
		s.hear(m)
	}
	for range 8 {
		reply("somewhere")
	}
	if got := s.incidentsOf("backfire"); len(got) > 0 {
		t.Fatalf("replies to others raised %s", got[0].Sentence)
	}
	for range 3 {
		reply("a2")
	}
	for range 7 {
		reply("a1")
	}
	i := s.oneIncidentOf("backfire")
	expect(t, "signal", i.Signal, "backlash")
	expect(t, "severity", i.Severity, rules.Serious)
	expect(t, "place", i.Evidence.Place, "a1")
	says(t, i, "negative replies under one own post from")
}

const spreadRules = `
version: 1
rules:
  - {id: runs, title: One negative post is spreading, kind: spread, match: {sentiment: negative}, floor: {shares: 20}, budget: {severity_2: 1/week}}
`

// How fast a mention is passed on is seen by shares that name it, and by its own number when it is looked at again.
func TestSpread(t *testing.T) {
	for _, way := range []string{"shares", "edits"} {
		t.Run(way, func(t *testing.T) {
			s := newStage(t, mustRules(spreadRules))
			s.now = monday.Add(-2 * day)
			s.say("good")
			s.now = monday
			post, praise := s.mention("bad drip"), s.mention("good")
			s.hear(post, praise)
			pass := func(m *sources.Mention, n int) {
				m.Engagement.Shares += n
				if way == "edits" {
					m.Op = sources.Update
					s.hear(*m)
					return
				}
				for range n {
					x := s.mention("")
					x.Kind, x.ParentID = sources.Share, m.ID
					s.hear(x)
				}
			}
			for range 6 {
				s.wait(20 * time.Minute)
				pass(&post, 3)
				pass(&praise, 30)
			}
			if got := s.incidentsOf("runs"); len(got) > 0 {
				t.Fatalf("nine an hour raised %s", got[0].Sentence)
			}
			for range 3 {
				s.wait(20 * time.Minute)
				pass(&post, 15)
			}
			s.restart()
			for range 3 {
				s.wait(20 * time.Minute)
				pass(&post, 15)
			}
			i := s.oneIncidentOf("runs")
			expect(t, "signal", i.Signal, "spread")
			expect(t, "severity", i.Severity, rules.Serious)
			expect(t, "place", i.Evidence.Place, post.ID)
			says(t, i, "was shared", "times in the last hour", "in all")
		})
	}
}

// A record that comes with its number at once says nothing of how fast it grew.
func TestSpreadIsNotReadOffAnExport(t *testing.T) {
	s := newStage(t, mustRules(spreadRules))
	s.now = monday.Add(-2 * day)
	s.say("good")
	s.now = monday
	m := s.mention("bad drip")
	m.Engagement.Shares = 5000
	s.hear(m)
	s.wait(time.Hour)
	s.say("good")
	if got := s.incidentsOf("runs"); len(got) > 0 {
		t.Errorf("an old number raised %s", got[0].Sentence)
	}
}

const gaugeRules = `
version: 1
rules:
  - {id: leave, title: Followers leave, kind: gauge, metric: followers, budget: {severity_3: 1/month}}
`

// followers feeds an hourly gauge that moves by some a day, with noise.
func followers(s *stage, rng *rand.Rand, value *float64, hours int, perDay float64) {
	for range hours {
		s.now = s.now.Add(time.Hour)
		s.tick()
		*value += perDay/24 + 3*rng.NormFloat64()
		m := s.mention("")
		m.Kind, m.Metric, m.Author = sources.Metric, &sources.Gauge{Name: "followers", Value: math.Round(*value)}, sources.Author{}
		s.hear(m)
	}
}

func TestGaugeFalls(t *testing.T) {
	for name, c := range map[string]struct {
		hours  int
		perDay float64
		within time.Duration
	}{
		"in a step": {6, -3000, 7 * time.Hour}, "in a drift": {6 * 24, -150, 6 * day},
	} {
		t.Run(name, func(t *testing.T) {
			s, rng, value := newStage(t, mustRules(gaugeRules)), rand.New(rand.NewPCG(1, 2)), 48000.0
			followers(s, rng, &value, 28*24, 20)
			if got := s.incidentsOf("leave"); len(got) > 0 {
				t.Fatalf("four calm weeks raised %s", got[0].Sentence)
			}
			turn := s.now
			s.restart()
			followers(s, rng, &value, c.hours, c.perDay)
			i := s.oneIncidentOf("leave")
			expect(t, "signal", i.Signal, "gauge:followers")
			says(t, i, "Followers on shop fell by")
			if after := i.OpenedAt.Sub(turn); after > c.within {
				t.Errorf("found after %s", after)
			}
		})
	}
}

// Growth is no loss, and a sample that comes twice or late is none.
func TestGaugeRises(t *testing.T) {
	s, rng, value := newStage(t, mustRules(gaugeRules)), rand.New(rand.NewPCG(1, 2)), 48000.0
	followers(s, rng, &value, 10*24, 20)
	followers(s, rng, &value, 12, 5000)
	late := s.mention("")
	late.Kind, late.Metric, late.CreatedAt = sources.Metric, &sources.Gauge{Name: "followers", Value: 10}, s.now.Add(-2*time.Hour)
	s.hear(late)
	if got := s.incidentsOf("leave"); len(got) > 0 {
		t.Errorf("raised %s", got[0].Sentence)
	}
}

const silenceRules = `
version: 1
rules:
  - {id: silent, title: A source has gone quiet, kind: silence, sources: "*", severity: 4}
  - {id: neg, title: Complaints, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}}
`

// office makes mentions at working hours only.
func office(seed uint64, from, to time.Time, perHour float64) []sources.Mention {
	x := newStream(seed, perHour)
	var ms []sources.Mention
	for _, m := range x.between(from, to, 1) {
		if h, d := m.CreatedAt.Hour(), m.CreatedAt.Weekday(); h >= 8 && h < 22 && d != time.Saturday && d != time.Sunday {
			m.ID, m.Author.ID, m.Text = fmt.Sprintf("o%d-%s", seed, m.ID), fmt.Sprintf("o%d-%s", seed, m.Author.ID), "good"
			ms = append(ms, m)
		}
	}
	return ms
}

// hush lets time pass with nothing heard.
func (s *stage) hush(until time.Time) {
	for s.now.Before(until) {
		s.now = s.now.Add(5 * time.Minute)
		s.tick()
	}
}

// Nights and weekends are no silence; a working day is, and it is over once the source speaks.
func TestSilenceOfASource(t *testing.T) {
	s := newStage(t, mustRules(silenceRules))
	s.m.volatile = true
	last := monday.Add(28*day - 4*time.Hour) // 08:00 on a Monday
	for _, m := range office(1, monday, last, 10) {
		s.hush(m.CreatedAt.Add(-5 * time.Minute))
		s.now = m.CreatedAt
		s.hear(m)
	}
	s.hush(last.Add(30 * time.Minute))
	if got := s.incidentsOf("silent"); len(got) > 0 {
		t.Fatalf("a weekend raised %s", got[0].Sentence)
	}
	s.hush(last.Add(6 * time.Hour))
	i := s.oneIncidentOf("silent")
	expect(t, "signal", i.Signal, "silence")
	expect(t, "severity", i.Severity, rules.Notice)
	says(t, i, "Nothing from shop for", "at this time of a Monday usually")
	for range 5 {
		s.say("bad " + strings.Repeat("x", s.n%9+1))
	}
	s.hush(s.now.Add(14 * time.Hour))
	if i = s.inc(i.ID); i.Open() {
		t.Errorf("still open 14 h after the source spoke")
	}
}

// A daemon that was off has not listened.
func TestSilenceIsNotTheDaemonsOwn(t *testing.T) {
	s := newStage(t, mustRules(silenceRules))
	last := monday.Add(28*day - 4*time.Hour)
	s.live(office(1, monday, last, 10))
	s.now = last.Add(7 * time.Hour)
	s.restart()
	s.tick()
	s.hush(s.now.Add(20 * time.Minute))
	if got := s.incidentsOf("silent"); len(got) > 0 {
		t.Errorf("raised %s", got[0].Sentence)
	}
}

// Several rules at the same time are one crisis.
func TestCorrelate(t *testing.T) {
	s, _ := aged(t, mustRules(`
version: 1
rules:
  - {id: hurt, title: Somebody may be hurt, kind: each, match: {category: safety_injury}, dedupe: {by: [author], for: 24h}, severity: 2}
  - {id: legal, title: A lawyer, kind: each, match: {category: legal_authority}, dedupe: {by: [author], for: 24h}, severity: 3}
  - {id: fronts, title: Several alarms at once, kind: correlate, of: [hurt, legal], within: 2h, severity: 1}
`), 1, 2, 0)
	s.say("I burned my hand")
	if got := s.incidentsOf("fronts"); len(got) > 0 {
		t.Fatalf("one rule alone raised %s", got[0].Sentence)
	}
	s.wait(30 * time.Minute)
	s.say("my lawyer will sue you")
	i := s.oneIncidentOf("fronts")
	expect(t, "severity", i.Severity, rules.Crisis)
	says(t, i, "hurt and legal tell at the same time")
}

const windowRules = `
version: 1
windows:
  - {id: black-week, from: 2026-03-20T00:00:00Z, to: 2026-03-27T00:00:00Z, effect: {volume: expected}, note: campaign}
rules:
  - {id: volume, title: More is said, kind: burst, match: {}, floor: {items: 20, authors: 10}, budget: 1/month, severity: 3}
  - {id: neg, title: Complaints, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, budget: 1/month}
`

// A campaign explains more mentions, not more complaints.
func TestPlannedEvent(t *testing.T) {
	at := time.Date(2026, 3, 23, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]rules.Severity{"good": rules.Notice, "bad": rules.Issue} {
		s := newStage(t, mustRules(windowRules))
		s.m.volatile = true
		x := newStream(1, 6)
		x.text = text
		s.live(x.between(monday, at, 1))
		x.text = text + " surge"
		s.live(x.between(at, at.Add(2*time.Hour), 12))
		rule := map[string]string{"good": "volume", "bad": "neg"}[text]
		all := s.incidentsOf(rule)
		i := all[len(all)-1]
		if i.OpenedAt.Before(at) {
			t.Fatalf("nothing was told of the surge")
		}
		expect(t, text, i.Signals[0].Level.GraverThan(rules.Notice), want != rules.Notice)
		if text == "good" {
			says(t, i, "planned: black-week (campaign)")
		}
	}
}

// What trails remember comes back from the disk as it was, and a damaged one is refused.
func TestTrailsComeBack(t *testing.T) {
	s := newStage(t, mustRules(shiftRules+"  - {id: leave, title: Followers leave, kind: gauge, metric: followers}\n"))
	s.live(mixed(1, monday, monday.Add(2*day), 12, 0.2))
	value := 1000.0
	followers(s, rand.New(rand.NewPCG(1, 2)), &value, 30, 0)
	b := s.m.brands["acme"]
	if len(b.trails) < 2 {
		t.Fatalf("trails %v", sortedKeys(b.trails))
	}
	for _, key := range sortedKeys(b.trails) {
		blob, _ := b.trails[key].MarshalBinary()
		back := &trail{key: b.trails[key].key}
		if err := back.UnmarshalBinary(blob); err != nil {
			t.Fatal(err)
		}
		again, _ := back.MarshalBinary()
		if string(again) != string(blob) {
			t.Errorf("%s came back as another", key)
		}
		if len(blob) > 8<<10 {
			t.Errorf("%s takes %d bytes", key, len(blob))
		}
		for _, cut := range []int{0, 1, 9, len(blob) / 2, len(blob) - 1} {
			if (&trail{}).UnmarshalBinary(blob[:cut]) == nil {
				t.Errorf("%s cut at %d was read", key, cut)
			}
		}
	}
}
