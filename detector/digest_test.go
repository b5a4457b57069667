package detector

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"emberwatch/rules"
)

// lists returns the digests that were sent, with when and whom they name.
func lists(s *stage) []string {
	out := []string{}
	for k, a := range s.sent {
		if IsDigest(a.Incident) && a.Kind == KindRoot {
			out = append(out, fmt.Sprintf("%s %s %v", s.sentAt[k].Format("Mon 15:04"), a.Route, a.Members))
		}
	}
	return out
}

// Notices are listed once, at nine in the morning, with those that are over by then; without any there is no list.
func TestNoticesAreListed(t *testing.T) {
	s := newStage(t, machineSet())
	s.say("drip four")
	s.wait(72 * time.Hour)
	expect(t, "lists", lists(s), []string{"Tue 09:00 desk [acme-1]"})
	expect(t, "nothing else", s.told(), []string{})
}

// What a list names may be acknowledged together, also once it has gone out.
func TestListIsAcknowledged(t *testing.T) {
	s := newStage(t, machineSet())
	s.now = time.Date(2026, 3, 3, 8, 0, 0, 0, time.UTC)
	s.say("drip four")
	s.wait(90 * time.Minute)
	res := s.send(s.event("ann", OpAck, s.sent[0].Incident, Args{}))
	expect(t, "answer", res.Message, "1 incident acknowledged by ann")
	expect(t, "handling", s.inc("acme-1").Handling, Acked)
}

const weeklyRules = `
version: 1
timezone: Europe/Oslo
brands: {acme: {names: [Acme]}}
routes:
  weekly: {slack: {channel: "#weekly"}, digest: "Mon 09:00"}
  hold: {slack: {channel: "#hold"}, quiet_hours: {hours: "22:00-07:00"}}
categories:
  leak: {sev: 3, weight: 0.9, cues: {en: [drip]}}
  theft: {sev: 3, weight: 0.9, cues: {en: [stolen]}}
  fire: {sev: 3, weight: 0.9, cues: {en: [smoke]}}
  noise: {sev: 3, weight: 0.9, cues: {en: [rattle]}}
rules:
  - {id: leak, title: Leak, kind: each, match: {category: leak}, severity: 3, route: weekly, dedupe: {by: [author], for: 1m}}
  - {id: theft, title: Theft, kind: each, match: {category: theft}, severity: 2, route: [weekly, hold], dedupe: {by: [author], for: 1m}}
  - {id: fire, title: Fire, kind: each, match: {category: fire}, severity: 3, route: hold, dedupe: {by: [author], for: 1m}}
  - {id: noise, title: Noise, kind: each, match: {category: noise}, severity: 3, route: hold, dedupe: {by: [author], for: 1m}}
`

// A route with a digest is told of what is serious at once, and of the rest at its time, by the clock on its wall.
func TestRouteWithADigest(t *testing.T) {
	s := newStage(t, mustRules(weeklyRules))
	s.say("drip", "stolen")
	s.wait(7 * 24 * time.Hour)
	expect(t, "lists", lists(s), []string{"Mon 08:00 weekly [acme-1]"})
	expect(t, "told first", s.told()[:2], []string{"root first weekly", "root first hold"})
}

// What the night has held back comes as one message in the morning; one alone is told as ever.
func TestTheNightIsOneMessage(t *testing.T) {
	night := time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC)
	s := newStage(t, mustRules(weeklyRules))
	s.now = night
	s.say("smoke", "rattle")
	s.wait(6 * time.Hour)
	expect(t, "lists", lists(s), []string{"Tue 06:00 hold [acme-1 acme-2]"})

	s = newStage(t, mustRules(weeklyRules))
	s.now = night
	s.say("smoke")
	s.wait(6 * time.Hour)
	expect(t, "lists", lists(s), []string{})
	expect(t, "told", s.told()[0], "root first hold")
}

// A list says who has waited longest, and how soon the team answers.
func TestListSaysWhoWaitsLongest(t *testing.T) {
	s := newStage(t, mustRules(strings.Replace(answerRules, "rules:\n", "rules:\n  - {id: note, title: Note, kind: each, match: {any_of: [{phrase: praise}]}, severity: 4, route: desk, dedupe: {by: [author], for: 1m}}\n", 1)))
	s.say("hello")
	s.wait(time.Minute)
	s.answer(s.complain("bad"))
	k := s.complain("bad")
	s.say("praise")
	s.wait(21 * time.Hour)
	expect(t, "lists", len(lists(s)), 1)
	for _, a := range s.sent {
		if IsList(a.Incident) {
			want := "Longest waiting for an answer: " + keyWords(k) + " for 20 h 59 min. acme: Of 1 complaint in the last 14 days, 100% were answered within an hour"
			if !strings.HasPrefix(a.Note, want) {
				t.Errorf("note %q, want %q", a.Note, want)
			}
		}
	}
}

func TestDigestTimes(t *testing.T) {
	set := mustRules(weeklyRules)
	r := set.Route("weekly")
	before := time.Date(2026, 3, 28, 12, 0, 0, 0, time.UTC) // the clocks change in the night
	expect(t, "next", digestAt(set, r, before), time.Date(2026, 3, 30, 7, 0, 0, 0, time.UTC))
	expect(t, "after that", digestAt(set, r, time.Date(2026, 3, 30, 7, 0, 0, 0, time.UTC)), time.Date(2026, 4, 6, 7, 0, 0, 0, time.UTC))
	expect(t, "by default", digestAt(set, set.Route("hold"), before), time.Date(2026, 3, 29, 7, 0, 0, 0, time.UTC))
	expect(t, "serious is no list", listOnly(r, rules.Serious), false)
}
