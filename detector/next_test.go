package detector

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/rules"
)

// machineRules let one mention open an incident of a chosen severity: "drip four" to "drip one". Theft is
// another story; roar is a third, on two routes.
const machineRules = `
version: 1
brands: {acme: {names: [Acme], own_authors: ["shop:acme"]}}
routes:
  desk: {slack: {channel: "#desk"}}
  night:
    slack: {channel: "#night"}
    quiet_hours: {timezone: UTC, hours: "22:00-07:00"}
  climb:
    slack: {channel: "#climb"}
    ladder:
      - {after: 5m, severity: 3, to: boss}
      - {after: 15m, severity: 3, to: crisis}
  boss: {slack: {user: "@boss"}}
  crisis: {slack: {channel: "#crisis"}}
categories:
  leak: {sev: 3, weight: 0.9, cues: {en: [drip]}}
  theft: {sev: 3, weight: 0.9, cues: {en: [stolen]}}
rules:
  - {id: four, title: Four, kind: each, match: {category: leak, any_of: [{phrase: four}]}, severity: 4, route: desk, dedupe: {by: [author], for: 1m}}
  - {id: three, title: Three, kind: each, match: {category: leak, any_of: [{phrase: three}]}, severity: 3, route: desk, dedupe: {by: [author], for: 1m}}
  - {id: two, title: Two, kind: each, match: {category: leak, any_of: [{phrase: two}]}, severity: 2, route: desk, dedupe: {by: [author], for: 1m}}
  - {id: one, title: One, kind: each, match: {category: leak, any_of: [{phrase: one}]}, severity: 1, route: desk, dedupe: {by: [author], for: 1m}}
  - {id: theft, title: Theft, kind: each, match: {category: theft}, severity: 3, route: desk, dedupe: {by: [author], for: 1m}}
  - {id: dark, title: Dark, kind: each, match: {any_of: [{phrase: dark}]}, severity: 3, route: night, dedupe: {by: [author], for: 1m}}
  - {id: darker, title: Darker, kind: each, match: {any_of: [{phrase: darker}]}, severity: 2, route: night, dedupe: {by: [author], for: 1m}}
  - {id: climb, title: Climb, kind: each, match: {any_of: [{phrase: ladder}]}, severity: 3, route: climb, dedupe: {by: [author], for: 1m}}
`

var machineSet = sync.OnceValue(func() *rules.Set { return mustRules(machineRules) })

// step is one row of a script: do something, then see how the incident acme-1 stands and what was said.
type step struct {
	what string
	do   func(s *stage)
	want Handling
	told []string // "kind reason", on the only route; edits apart
}

func say(texts ...string) func(*stage) { return func(s *stage) { s.say(texts...) } }

func wait(d time.Duration) func(*stage) { return func(s *stage) { s.wait(d) } }

func do(op Operation, args Args) func(*stage) { return func(s *stage) { s.do(op, args) } }

func lasting(d time.Duration) Args { return Args{For: Duration(d)} }

func both(fs ...func(*stage)) func(*stage) { return func(s *stage) { each(s, fs) } }

func again(every time.Duration, n int) func(s *stage) {
	return func(s *stage) {
		for range n {
			s.wait(every)
			s.say("drip three")
		}
	}
}

func each(s *stage, fs []func(*stage)) {
	for _, f := range fs {
		f(s)
	}
}

// The table of the incident machine, cell by cell: what the signal, people and the clock do in each state of
// handling.
func TestIncidentMachine(t *testing.T) {
	first := []string{"root first"}
	opened := step{"opens", both(say("drip three"), wait(time.Minute)), New, first}
	acked := step{"ack", do(OpAck, Args{}), Acked, nil}
	snoozed := step{"snooze", do(OpSnooze, lasting(2*time.Hour)), Snoozed, nil}
	resolved := step{"resolve", do(OpResolve, Args{}), Closed, []string{"thread resolved"}}
	falseAlarm := step{"false alarm", do(OpFalseAlarm, Args{}), Closed, []string{"thread resolved"}}
	tests := []struct {
		name  string
		steps []step
	}{
		{"signal up in new", []step{opened, {"worse", say("drip two"), New, []string{"broadcast worse"}}}},
		{"signal up in acked breaks through", []step{opened, acked, {"worse", say("drip two"), New, []string{"broadcast worse"}}}},
		{"signal up in snoozed breaks through", []step{opened, snoozed, {"worse", say("drip two"), New, []string{"broadcast worse"}}}},
		{"signal up soon after resolve reopens", []step{
			opened, resolved,
			{"again", both(wait(90*time.Minute), say("drip three")), New, []string{"broadcast reopened"}},
		}},
		{"each level is told once", []step{
			opened,
			{"worse", say("drip two"), New, []string{"broadcast worse"}},
			{"same again", say("drip two", "drip three"), New, nil},
		}},

		{"signal same in new", []step{opened, {"same", say("drip three"), New, nil}}},
		{"signal same in acked", []step{opened, acked, {"same", say("drip three"), Acked, nil}}},
		{"signal same in snoozed", []step{opened, snoozed, {"same", say("drip three"), Snoozed, nil}}},

		{"calm closes new", []step{
			opened,
			{"ack and unack stop no clock", both(do(OpAck, Args{}), do(OpUnack, Args{})), New, nil},
			{"reminded meanwhile", wait(7 * time.Hour), New, []string{"thread reminder", "thread reminder", "thread reminder"}},
			{"calm", wait(time.Hour), Closed, []string{"thread reminder", "thread calm"}},
		}},
		{"calm in acked asks once, then closes after a day", []step{
			opened,
			{"ack for days", do(OpAck, lasting(72*time.Hour)), Acked, nil},
			{"calm", wait(8 * time.Hour), Acked, []string{"thread calm"}},
			{"waits", wait(23 * time.Hour), Acked, nil},
			{"closes", wait(61 * time.Minute), Closed, []string{"thread calm"}},
		}},
		{"a signal that comes back stops the closing", []step{
			opened,
			{"ack for days", do(OpAck, lasting(72*time.Hour)), Acked, nil},
			{"calm", wait(8 * time.Hour), Acked, []string{"thread calm"}},
			{"back", both(wait(20*time.Hour), say("drip three"), wait(5*time.Hour)), Acked, nil},
			{"calm once more", wait(4 * time.Hour), Acked, []string{"thread calm"}},
		}},
		{"calm in snoozed waits for the end", []step{
			opened,
			{"snooze", do(OpSnooze, lasting(12*time.Hour)), Snoozed, nil},
			{"calm, silently", wait(11 * time.Hour), Snoozed, nil},
			{"end", wait(time.Hour), Closed, []string{"thread calm"}},
		}},

		{"ack in acked renews the lease", []step{
			opened, acked,
			{"renewed", both(wait(23*time.Hour), say("drip three"), do(OpAck, Args{})), Acked, []string{"thread calm"}},
			{"still held", again(time.Hour, 20), Acked, nil},
		}},
		{"ack in snoozed", []step{opened, snoozed, acked}},
		{"unack", []step{
			opened, acked,
			{"unack", do(OpUnack, Args{}), New, nil},
			{"the clocks run again", wait(30 * time.Minute), New, []string{"thread reminder"}},
		}},
		{"lease end asks, then new", []step{
			opened,
			{"ack for an hour", do(OpAck, lasting(time.Hour)), Acked, nil},
			{"held", wait(59 * time.Minute), Acked, nil},
			{"asked", wait(time.Minute), Acked, []string{"thread lease_ended"}},
			{"grace", wait(29 * time.Minute), Acked, nil},
			{"no answer", wait(time.Minute), New, []string{"broadcast lease_ended"}},
			{"reminded anew", wait(30 * time.Minute), New, []string{"thread reminder"}},
		}},
		{"an answer at the end of the lease keeps it", []step{
			opened,
			{"ack for an hour", do(OpAck, lasting(time.Hour)), Acked, nil},
			{"asked", wait(time.Hour), Acked, []string{"thread lease_ended"}},
			{"answer", do(OpAck, lasting(2*time.Hour)), Acked, nil},
			{"held", wait(time.Hour), Acked, nil},
		}},
		{"snooze in acked", []step{opened, acked, snoozed}},
		{"snooze in snoozed replaces", []step{
			opened, snoozed,
			{"longer", do(OpSnooze, lasting(5*time.Hour)), Snoozed, nil},
			{"still", wait(4 * time.Hour), Snoozed, nil},
			{"over", wait(time.Hour), New, []string{"broadcast snooze_over"}},
		}},
		{"snooze end while bad", []step{
			opened, snoozed,
			{"over", wait(2 * time.Hour), New, []string{"broadcast snooze_over"}},
			{"reminded", wait(30 * time.Minute), New, []string{"thread reminder"}},
		}},

		{"resolve in new", []step{opened, resolved}},
		{"resolve in acked", []step{opened, acked, resolved}},
		{"resolve in snoozed", []step{opened, snoozed, resolved}},
		{"false alarm in new", []step{opened, falseAlarm}},
		{"false alarm in acked", []step{opened, acked, falseAlarm}},
		{"false alarm in snoozed", []step{opened, snoozed, falseAlarm}},
		{"known event", []step{opened, {"known", do(OpKnownEvent, Args{}), Closed, []string{"thread resolved"}}}},
		{"nothing happens to what is closed", []step{opened, resolved, {"days", wait(23 * time.Hour), Closed, nil}}},
		{"a false alarm is muted for a day", []step{opened, falseAlarm, {"again and again", again(5*time.Hour, 4), Closed, nil}}},
		{"reopen by a person", []step{
			opened, falseAlarm,
			{"reopened", both(wait(20*time.Hour), do(OpReopen, Args{})), New, []string{"broadcast reopened"}},
			{"reminded", wait(30 * time.Minute), New, []string{"thread reminder"}},
			{"closes when calm", wait(8 * time.Hour), Closed, []string{"thread reminder", "thread reminder", "thread reminder", "thread calm"}},
		}},

		{"severity 4 makes no alert", []step{
			{"opens", both(say("drip four"), wait(time.Hour)), New, nil},
			{"closes", wait(7 * time.Hour), Closed, nil},
		}},
		{"severity 4 grows", []step{
			{"opens", both(say("drip four"), wait(time.Hour)), New, nil},
			{"worse", both(say("drip three"), wait(time.Minute)), New, first},
		}},
		{"severity 4 that nobody takes expires", []step{
			{"opens", say("drip four"), New, nil},
			{"goes on", func(s *stage) {
				for range 27 {
					s.wait(6 * time.Hour)
					s.say("drip four")
				}
			}, New, nil},
			{"a week", wait(6 * time.Hour), Closed, nil},
		}},
		{"override to a notifying severity tells", []step{
			{"opens", say("drip four"), New, nil},
			{"override", both(do(OpSeverity, Args{Severity: rules.Serious}), wait(time.Minute)), New, first},
		}},
		{"override makes no noise otherwise", []step{opened, {"override", do(OpSeverity, Args{Severity: rules.Crisis}), New, nil}}},
		{"growth within an override does not break an ack", []step{
			opened,
			{"override", do(OpSeverity, Args{Severity: rules.Crisis}), New, nil},
			acked,
			{"grows to less than that", say("drip two"), Acked, nil},
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(t, machineSet())
			for _, st := range tt.steps {
				st.do(s)
				i := s.inc("acme-1")
				told := s.told()
				for k := range told {
					told[k] = strings.TrimSuffix(told[k], " desk")
				}
				if i.Handling != st.want || !slices.Equal(told, st.told) {
					t.Fatalf("%s: handling %s, told %q; want %s, %q\nhistory %v", st.what, i.Handling, told, st.want, st.told, s.ops("acme-1"))
				}
			}
			checkChain(t, s)
			checkVersions(t, s)
		})
	}
}

// checkChain verifies the histories of all incidents.
func checkChain(t testing.TB, s *stage) {
	t.Helper()
	for _, id := range sortedKeys(s.disk.audit) {
		if err := VerifyAudit(s.disk.audit[id]); err != nil {
			t.Error(err)
		}
	}
}

// checkVersions: an incident never has a history of fewer turns than its version says.
func checkVersions(t testing.TB, s *stage) {
	t.Helper()
	for _, id := range sortedKeys(s.disk.incidents) {
		if i := s.disk.incidents[id]; i.Version < 1 || len(s.disk.audit[id]) < i.Version {
			t.Errorf("%s: version %d with %d lines of history", id, i.Version, len(s.disk.audit[id]))
		}
	}
}

func opened(t *testing.T, text string) *stage {
	t.Helper()
	s := newStage(t, machineSet())
	s.say(text)
	s.wait(time.Minute)
	s.told()
	return s
}

func TestAcknowledgementIsALease(t *testing.T) {
	for text, lease := range map[string]time.Duration{"drip three": 24 * time.Hour, "drip two": 4 * time.Hour, "drip one": time.Hour} {
		s := opened(t, text)
		s.do(OpAck, Args{})
		i := s.inc("acme-1")
		expect(t, text+": lease", i.LeaseUntil.Sub(s.now), lease)
		expect(t, text+": owner", i.Owner, "ann")
		expect(t, text+": level it holds for", i.AtLevel, i.Severity)
	}
	s := opened(t, "drip three")
	s.do(OpAck, lasting(2*time.Hour))
	expect(t, "lease as asked", s.inc("acme-1").LeaseUntil, s.now.Add(2*time.Hour))
	res := s.send(s.event("bob", OpAck, "acme-1", Args{}))
	expect(t, "taken over", res.Incident.Owner, "bob")
	if !strings.Contains(res.Message, "taken over from ann") {
		t.Errorf("message %q does not say from whom", res.Message)
	}
	for _, a := range []Args{lasting(-time.Hour), lasting(8 * 24 * time.Hour), {Until: s.now.Add(-time.Minute)}} {
		if res := s.send(s.event("ann", OpSnooze, "acme-1", a)); res.Outcome != Refused {
			t.Errorf("snooze %+v: %s", a, res.Outcome)
		}
	}
}

// The person who was asked has the whole grace to answer, even if the daemon slept past the end of the lease.
func TestLeaseQuestionLeavesTimeToAnswer(t *testing.T) {
	s := opened(t, "drip three")
	s.do(OpAck, lasting(time.Hour))
	s.now = s.now.Add(3 * time.Hour) // suspended
	s.tick()
	s.now = s.now.Add(time.Second)
	s.tick()
	expect(t, "told", s.told(), []string{"thread lease_ended desk"})
	s.wait(29 * time.Minute)
	expect(t, "handling within the grace", s.inc("acme-1").Handling, Acked)
	s.wait(time.Minute)
	expect(t, "handling after it", s.inc("acme-1").Handling, New)
}

// After a false alarm the same story is silent for 24 hours unless it is graver, and then a new incident
// that names the old one.
func TestMuteAfterFalseAlarm(t *testing.T) {
	s := opened(t, "drip three")
	s.do(OpFalseAlarm, Args{})
	s.wait(time.Hour)
	s.say("drip three")
	expect(t, "incidents while mute", len(s.disk.incidents), 1)
	s.say("drip two")
	expect(t, "graver opens", s.inc("acme-2").Previous, "acme-1")

	s = opened(t, "drip three")
	s.do(OpFalseAlarm, Args{})
	s.wait(23*time.Hour + 59*time.Minute)
	s.say("drip three")
	expect(t, "incidents just before the end", len(s.disk.incidents), 1)
	s.wait(2 * time.Minute)
	s.say("drip three")
	expect(t, "incidents after it", len(s.disk.incidents), 2)
	expect(t, "another story was never mute", func() int { s.say("stolen"); return len(s.disk.incidents) }(), 3)
}

func TestReopenOrNew(t *testing.T) {
	s := opened(t, "drip three")
	s.do(OpResolve, Args{})
	s.wait(time.Hour + 59*time.Minute)
	s.say("drip three")
	expect(t, "within two hours", len(s.disk.incidents), 1)
	expect(t, "reopened", len(s.inc("acme-1").Reopened), 1)
	expect(t, "closing", s.inc("acme-1").Closing, Closing(""))
	s.do(OpResolve, Args{})
	s.wait(2*time.Hour + time.Minute)
	s.say("drip three")
	expect(t, "later", s.inc("acme-2").Previous, "acme-1")
	s.say("stolen")
	expect(t, "another story", s.inc("acme-3").Previous, "")
}

func TestAuditShowsTampering(t *testing.T) {
	s := opened(t, "drip three")
	s.do(OpNote, Args{Note: "not valid \xff UTF-8, and \ufffd that is"})
	s.do(OpAck, Args{})
	s.do(OpResolve, Args{Note: "fixed"})
	lines := s.disk.audit["acme-1"]
	if err := VerifyAudit(lines); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func([]Audit) []Audit{
		"a changed note":   func(l []Audit) []Audit { l[1].Note = "nothing"; return l },
		"another actor":    func(l []Audit) []Audit { l[2].Actor.ID = "bob"; return l },
		"another time":     func(l []Audit) []Audit { l[2].At = l[2].At.Add(time.Second); return l },
		"a missing line":   func(l []Audit) []Audit { return slices.Delete(l, 1, 2) },
		"a missing start":  func(l []Audit) []Audit { return l[1:] },
		"lines exchanged":  func(l []Audit) []Audit { l[1], l[2] = l[2], l[1]; return l },
		"changed changes":  func(l []Audit) []Audit { l[2].Changes = nil; return l },
		"an inserted line": func(l []Audit) []Audit { return slices.Insert(l, 1, l[1]) },
	} {
		if VerifyAudit(change(slices.Clone(lines))) == nil {
			t.Errorf("%s does not show", name)
		}
	}
}

// Several sources at the opening are where it began; one that joins later is told, once.
func TestNewSource(t *testing.T) {
	s := newStage(t, machineSet())
	on := func(source string) {
		m := s.mention("drip three")
		m.Source = source
		s.hear(m)
	}
	on("shop")
	s.wait(time.Minute)
	expect(t, "history starts with", s.ops("acme-1")[0], "opened")
	s.told()
	on("forum")
	expect(t, "a single mention does not make a place", s.told(), []string{})
	on("forum")
	on("forum")
	expect(t, "told", s.told(), []string{"thread new_source desk"})
}

// An incident goes on as long as any of its signals does, not only the leading one.
func TestSecondSignalKeepsTheIncidentOpen(t *testing.T) {
	s := opened(t, "drip two")
	s.do(OpAck, lasting(7*24*time.Hour))
	for range 10 {
		s.wait(time.Hour)
		s.say("drip three")
	}
	i := s.inc("acme-1")
	expect(t, "level", i.Level, rules.Issue)
	expect(t, "calm since", i.CalmSince.IsZero(), true)
}
