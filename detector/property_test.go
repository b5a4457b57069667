package detector

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"

	"pgregory.net/rapid"
)

// propertyRules also have answer clocks.
const propertyRules = burstRules + `
  - {id: late, title: Late, kind: unanswered, match: {sentiment: negative}, sla: soon, severity: 3, route: desk}
sla: {soon: {first_answer: 30m, answer: 3h, clock: availability.office}}
availability: {office: {timezone: Europe/Oslo, hours: {mon-fri: "07:00-19:00"}, holidays: ["2026-03-05"]}}
`

var propertySet = sync.OnceValue(func() *rules.Set { return mustRules(propertyRules) })

// lively is an ordinary stage with those rules.
func lively() *stage {
	s := ordinary(nil)
	s.set = propertySet()
	s.m.SetRules(s.set)
	return s
}

// replies are what the brand answers to an act of the log.
var replies = rapid.Map(rapid.IntRange(0, 40), func(n int) act { return act{Kind: "reply", N: n} })

var lives = rapid.SliceOfN(rapid.OneOf(acts, acts, acts, acts, replies), 1, 40)

// endure lets an act happen, wherever the daemon crashes meanwhile.
func (s *stage) endure(k int, a act) {
	start, n := s.now, s.n
	s.surviving(func() {
		s.now, s.n = later(s.now, start), n // mentions get the same ids again
		if a.Kind == "reply" {
			s.answer(sources.Key{Source: "shop", ID: fmt.Sprintf("act%d", a.N%(k+1))}, func(m *sources.Mention) { m.ID = fmt.Sprintf("reply%d", k) })
			s.tick()
			return
		}
		s.play(k, a)
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// The properties of the incident machine, whatever happens, in whatever order, with a crash at any moment: before a commit,
// after one and before anything is sent, or between the sending and the note that it was sent.
func TestLifecycleProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := lives.Draw(t, "log")
		s := lively()
		crash := rapid.IntRange(0, 200).Draw(t, "crash")
		s.crashIn = crash
		for k := range log {
			before := s.disk.clone()
			s.endure(k, log[k])
			for _, id := range sortedKeys(s.disk.incidents) {
				i, was := s.disk.incidents[id], before.incidents[id]
				bad := broken(s, &i, &was) // P2, P3, P5, P9
				if bad == "" {
					bad = unheard(s, &i, len(before.audit[id])) // P5
				}
				if bad != "" {
					t.Fatalf("after act %d (%s), crash at %d: %s: %s\nhandling %s level %d severity %d at %d now %s\nhistory %v",
						k, log[k].Kind, crash, id, bad, i.Handling, i.Level, i.Severity, i.AtLevel, s.now, s.ops(id))
				}
			}
		}
		s.crashIn = 0
		checkFold(t, s) // P1
		for _, id := range sortedKeys(s.disk.audit) {
			if err := VerifyAudit(s.disk.audit[id]); err != nil { // P1
				t.Fatal(err)
			}
			if bad := noisy(s.disk.audit[id]); bad != "" { // P4, P9
				t.Fatalf("%s: %s\nhistory %v", id, bad, s.ops(id))
			}
		}
		checkPosted(t, s)
		checkAnswersAgain(t, s, log)
		checkQuietRestart(t, s)
	})
}

// unheard says whether growth that broke through what people had said was not told in the same moment (P5). What was not
// told of at all yet is told by its root.
func unheard(s *stage, i *Incident, from int) string {
	for _, l := range s.disk.audit[i.ID][from:] {
		if l.Op != "worse" || !strings.Contains(l.Note, "breaks through") {
			continue
		}
		told := false
		for _, a := range s.disk.alerts {
			told = told || a.Incident == i.ID && a.CreatedAt.Equal(l.At) && (a.Reason == ReasonWorse || a.Reason == ReasonFirst) ||
				a.Incident == i.ID && a.Kind == KindRoot && !a.CreatedAt.After(l.At) && (a.TriedAt.IsZero() || !a.TriedAt.Before(l.At))
		}
		if !told {
			return fmt.Sprintf("nobody heard of the growth at %s", l.At)
		}
	}
	return ""
}

// checkPosted: at most one live root for each incident and route (P3), and none was sent twice.
func checkPosted(t *rapid.T, s *stage) {
	t.Helper()
	sent := map[uint64]bool{}
	for _, a := range s.sent {
		if sent[a.Seq] {
			t.Fatalf("%s was sent twice", a.Key)
		}
		sent[a.Seq] = true
	}
	roots := map[string]int{}
	for _, a := range s.disk.alerts {
		if a.Kind == KindRoot && a.State != AlertCancelled && a.State != AlertDead {
			if roots[a.Incident+" "+a.Route]++; roots[a.Incident+" "+a.Route] > 1 {
				t.Fatalf("%s has more than one root on %s", a.Incident, a.Route)
			}
		}
	}
}

// checkAnswersAgain: whoever presses again, in whatever order, changes nothing (P7).
func checkAnswersAgain(t *rapid.T, s *stage, log []act) {
	t.Helper()
	for _, id := range rapid.Permutation(sortedKeys(s.disk.done)).Draw(t, "again") {
		if s.now.Sub(s.disk.done[id].At) > keepDone {
			continue
		}
		incident, event, _ := strings.Cut(id, "\x00")
		_, c, _ := s.m.Respond(Event{ID: event, Incident: incident, Op: OpResolve, Actor: Actor{ID: "ann"}}, s.now)
		if !c.Empty() {
			t.Fatalf("%s pressed again changes %+v", event, c)
		}
	}
	for k := range log {
		if log[k].Kind != "hear" && log[k].Kind != "late" {
			continue
		}
		m := s.by(fmt.Sprintf("act%d", k), log[k].Who, log[k].Text, s.now)
		if fates := s.hear(m); fates[0] != Duplicate {
			t.Fatalf("%s counts again", m.ID)
		}
	}
}

// checkQuietRestart: whoever starts the daemon again without anything having happened hears nothing (P8).
func checkQuietRestart(t *rapid.T, s *stage) {
	t.Helper()
	s.tick()
	s.restart()
	for _, c := range []*Change{s.m.Tick(s.now), s.m.Tick(s.now)} {
		if len(c.Alerts)+len(c.Audit)+len(c.Incidents) > 0 {
			t.Fatalf("the restart changes %+v", c)
		}
	}
	if due := s.m.Due(s.now); slices.ContainsFunc(due, func(a Alert) bool { return a.State == AlertPending }) {
		t.Fatalf("the restart sends %+v", due)
	}
}
