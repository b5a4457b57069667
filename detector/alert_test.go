package detector

import (
	"slices"
	"testing"
	"time"

	"emberwatch/rules"
)

// escalations returns how long after the opening each escalation was told.
func escalations(s *stage) []string {
	out := []string{}
	for _, l := range s.disk.audit["acme-1"] {
		if l.Op == "escalated" {
			out = append(out, Words(l.At.Sub(s.disk.incidents["acme-1"].OpenedAt)))
		}
	}
	return out
}

func TestLadder(t *testing.T) {
	for text, want := range map[string][]string{
		"drip one": {"10 min", "20 min", "40 min"}, "drip two": {"20 min", "1 h"}, "drip three": {}, "drip four": {},
	} {
		s := newStage(t, machineSet())
		s.say(text)
		s.wait(5 * time.Hour)
		expect(t, text, escalations(s), want)
	}
}

func TestLadderStopsAtAckAndRunsAnewAfterIt(t *testing.T) {
	s := opened(t, "drip one")
	s.wait(10 * time.Minute)
	s.do(OpAck, Args{})
	s.wait(59 * time.Minute)
	expect(t, "while acknowledged", escalations(s), []string{"10 min"})
	s.wait(time.Minute + leaseGrace)
	lost := s.now
	s.wait(50 * time.Minute)
	expect(t, "after the lease", len(escalations(s)), 4)
	lines := s.disk.audit["acme-1"]
	at := slices.IndexFunc(lines, func(l Audit) bool { return l.Op == "escalated" && l.At.After(lost) })
	expect(t, "first step after the lease", lines[at].At.Sub(lost), 10*time.Minute)
}

// A suspended daemon that wakes up late tells the highest step that is due, once.
func TestLadderAfterAPause(t *testing.T) {
	s := opened(t, "drip one")
	s.now = s.now.Add(25 * time.Minute)
	s.tick()
	expect(t, "told", s.told(), []string{"broadcast escalated desk"})
	expect(t, "steps climbed", s.inc("acme-1").LadderStep, 2)
	s.now = s.now.Add(-20 * time.Minute) // and the clock is put back
	s.tick()
	expect(t, "told again", s.told(), []string{})
}

// The steps of a route lead to a person, who is named in the thread, and to another channel, which gets a
// root of its own and everything from then on.
func TestRouteLadder(t *testing.T) {
	s := newStage(t, machineSet())
	s.say("ladder")
	s.wait(time.Minute)
	expect(t, "told", s.told(), []string{"root first climb"})
	s.wait(5 * time.Minute)
	expect(t, "told", s.told(), []string{"broadcast escalated climb"})
	expect(t, "people named", s.sent[len(s.sent)-2].Mention, []string{"boss"})
	s.wait(10 * time.Minute)
	expect(t, "told", s.told(), []string{"root escalated crisis"})
	expect(t, "routes", s.inc("acme-1").Routes, []string{"climb", "crisis"})
	s.do(OpResolve, Args{})
	expect(t, "told", s.told(), []string{"thread resolved climb", "thread resolved crisis"})
}

func TestRemindersGrow(t *testing.T) {
	s := opened(t, "drip three")
	var waits []string
	last := s.inc("acme-1").OpenedAt
	for range 40 {
		s.wait(30 * time.Minute)
		s.say("drip three")
	}
	for _, l := range s.disk.audit["acme-1"] {
		if l.Op == "reminder" {
			waits = append(waits, Words(l.At.Sub(last)))
			last = l.At
		}
	}
	expect(t, "intervals", waits, []string{"30 min", "1 h", "2 h", "4 h", "4 h", "4 h", "4 h"})
}

func TestReminderOvertakenByAck(t *testing.T) {
	s := opened(t, "drip three")
	s.mute = true
	s.wait(31 * time.Minute)
	s.do(OpAck, Args{})
	for seq, a := range s.disk.alerts {
		if a.Reason == ReasonReminder && a.State != AlertCancelled {
			t.Errorf("reminder %d is %s after the acknowledgement", seq, a.State)
		}
	}
}

func TestQuietHours(t *testing.T) {
	night := time.Date(2026, 3, 3, 1, 0, 0, 0, time.UTC)
	at := func(s *stage, kind AlertKind) time.Time {
		for k, a := range s.sent {
			if a.Kind == kind {
				return s.sentAt[k]
			}
		}
		return time.Time{}
	}
	s := newStage(t, machineSet())
	s.now = night
	s.say("it is dark")
	s.wait(6 * time.Hour)
	expect(t, "severity 3 waits for the morning", at(s, KindRoot), night.Add(6*time.Hour))

	s = newStage(t, machineSet())
	s.now = night
	s.say("it is darker")
	s.wait(time.Minute)
	expect(t, "severity 2 does not", at(s, KindRoot), night.Add(time.Minute))

	s = newStage(t, machineSet())
	s.now = night
	s.say("it is dark")
	s.wait(time.Hour)
	s.say("it is darker")
	s.wait(2 * time.Minute)
	if got := at(s, KindRoot); got.IsZero() {
		t.Error("what grew to severity 2 in the night still waits for the morning")
	}

	s = newStage(t, machineSet())
	s.now = night
	s.say("it is dark")
	s.wait(time.Hour)
	s.do(OpSeverity, Args{Severity: rules.Crisis})
	s.wait(2 * time.Minute)
	if got := at(s, KindRoot); got.IsZero() {
		t.Error("what a person made severity 1 in the night still waits for the morning")
	}
}

// Whoever presses a button at night sees the message change.
func TestQuietHoursDoNotHoldBackEdits(t *testing.T) {
	s := newStage(t, machineSet())
	s.now = time.Date(2026, 3, 2, 21, 50, 0, 0, time.UTC)
	s.say("it is dark")
	s.wait(30 * time.Minute)
	n := len(s.sent)
	s.do(OpAck, Args{})
	if len(s.sent) != n+1 || s.sent[n].Kind != KindEdit {
		t.Errorf("no edit after the acknowledgement: %v", s.sent[n:])
	}
}

// A story that comes back before its root was ever posted is told.
func TestReopenedBeforeItWasTold(t *testing.T) {
	s := newStage(t, machineSet())
	s.say("drip three")
	s.do(OpResolve, Args{})
	s.wait(time.Hour)
	expect(t, "nothing was said", s.told(), []string{})
	s.say("drip three")
	s.wait(time.Minute)
	expect(t, "told", s.told(), []string{"root reopened desk"})
	s.say("drip two")
	expect(t, "told", s.told(), []string{"broadcast worse desk"})
}

// Numbers change all the time: the root is renewed at most every 45 seconds, but at once when people did something.
func TestEditsAreCoalesced(t *testing.T) {
	s := opened(t, "drip three")
	n := len(s.sent)
	for range 120 {
		s.now = s.now.Add(5 * time.Second)
		s.say("drip three")
		s.tick()
	}
	edits := s.sentAt[n:]
	if len(edits) < 10 || len(edits) > 14 {
		t.Errorf("%d edits in 10 minutes", len(edits))
	}
	for k := 1; k < len(edits); k++ {
		if d := edits[k].Sub(edits[k-1]); d < editEvery {
			t.Errorf("edits %s apart", d)
		}
	}
	s.do(OpAck, Args{})
	if last := s.sent[len(s.sent)-1]; last.Kind != KindEdit || s.sentAt[len(s.sent)-1] != s.now {
		t.Errorf("no edit at once after the acknowledgement; last %s at %s", last.Kind, s.sentAt[len(s.sent)-1])
	}
}

// An edit that is on its way holds back the next one just as one that has arrived.
func TestEditOnItsWayHoldsBackTheNext(t *testing.T) {
	s := opened(t, "drip three")
	s.mute = true
	s.now = s.now.Add(time.Minute)
	s.say("drip three")
	due := s.m.Due(s.now)
	expect(t, "due", len(due), 1)
	s.take(s.m.Receive([]Receipt{{Seq: due[0].Seq, State: AlertSending}}, s.now))
	s.now = s.now.Add(5 * time.Second)
	s.say("drip three")
	for _, a := range s.m.Due(s.now) {
		if a.State == AlertPending {
			t.Errorf("another edit is due %s after the one that is on its way", 5*time.Second)
		}
	}
}

func TestOneRootForEachRoute(t *testing.T) {
	s := opened(t, "drip three")
	s.say("drip three", "drip two")
	s.do(OpAck, Args{})
	s.say("drip one")
	s.do(OpResolve, Args{})
	s.wait(time.Hour)
	s.say("drip one")
	s.do(OpFalseAlarm, Args{})
	s.do(OpReopen, Args{})
	s.wait(3 * time.Hour)
	checkRoots(t, s)
}

// checkRoots: at most one live root for each incident and route.
func checkRoots(t testing.TB, s *stage) {
	t.Helper()
	roots := map[string]int{}
	for _, a := range s.disk.alerts {
		if a.Kind == KindRoot && a.State != AlertCancelled && a.State != AlertDead {
			if roots[a.Incident+" "+a.Route]++; roots[a.Incident+" "+a.Route] > 1 {
				t.Errorf("%s has more than one root on %s", a.Incident, a.Route)
			}
		}
	}
}
