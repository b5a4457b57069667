package detector

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/rules"
)

// Two that speak by the same signal, one of them split off: what was merged and is brought back leaves the other what it
// had of its own.
func TestMergeAndBackLeavesBothWhatTheyHad(t *testing.T) {
	s := opened(t, "drip three")
	s.say("drip three", "drip three")
	keys := s.inc("acme-1").Evidence.Mentions
	s.send(s.event("ann", OpSplit, "acme-1", Args{Mentions: keys[:1]}))
	before := s.inc("acme-1")
	s.send(s.event("ann", OpMerge, "acme-2", Args{Into: "acme-1"}))
	expect(t, "merged", len(s.inc("acme-1").Evidence.Mentions), 3)
	s.send(s.event("ann", OpSplit, "acme-1", Args{Into: "acme-2"}))
	after := s.inc("acme-1")
	expect(t, "signals", len(after.Signals), len(before.Signals))
	expect(t, "mentions", after.Evidence.Mentions, before.Evidence.Mentions)
	expect(t, "absorbed", len(after.Absorbed), 0)
	s.wait(7 * time.Hour)
	expect(t, "both are open", []Handling{s.inc("acme-1").Handling, s.inc("acme-2").Handling}, []Handling{New, New})
	checkFold(t, s)
}

// Any number is merged, in a chain too; each comes back alone, also from the far end and long after.
func TestMergeAnyNumberAndBack(t *testing.T) {
	s := newStage(t, mustRules(strings.Replace(machineRules, "rules:\n", `  fire: {sev: 3, weight: 0.9, cues: {en: [smoke]}}
rules:
  - {id: fire, title: Fire, kind: each, match: {category: fire}, severity: 3, route: desk, dedupe: {by: [author], for: 1m}}
`, 1)))
	s.say("drip three", "stolen", "smoke")
	s.wait(time.Minute)
	expect(t, "incidents", sortedKeys(s.disk.incidents), []string{"acme-1", "acme-2", "acme-3"})
	s.send(s.event("ann", OpMerge, "acme-3", Args{Into: "acme-2"}))
	s.send(s.event("ann", OpMerge, "acme-2", Args{Into: "acme-1"}))
	all := s.inc("acme-1")
	expect(t, "signals", len(all.Signals), 3)
	res := s.send(s.event("ann", OpNote, "acme-3", Args{Note: "an old button"}))
	expect(t, "it leads to", res.Incident.ID, "acme-1")
	res = s.send(s.event("ann", OpSplit, "acme-1", Args{Into: "acme-3"}))
	expect(t, "back", fmt.Sprintf("%s %s %s", res.Outcome, res.Incident.ID, res.Incident.Handling), "applied acme-3 new")
	expect(t, "signals", len(s.inc("acme-1").Signals), 2)
	res = s.send(s.event("ann", OpSplit, "acme-1", Args{Into: "acme-2"}))
	expect(t, "back", fmt.Sprintf("%s %s", res.Outcome, res.Incident.ID), "applied acme-2")
	expect(t, "signals", len(s.inc("acme-1").Signals), 1)
	checkFold(t, s)
}

// A story that comes back again and again is told as that once; from then on it has to last before it opens again, and
// its root alone says so, unless it is graver.
func TestFlappingIsDamped(t *testing.T) {
	s := opened(t, "drip three")
	for k := range 3 {
		s.do(OpResolve, Args{})
		s.wait(10 * time.Minute)
		s.say("drip three")
		lines := s.disk.audit["acme-1"]
		note := lines[len(lines)-1].Note
		expect(t, fmt.Sprintf("time %d is called flapping", k+1), strings.HasPrefix(note, "flapping, back 3 times"), k == 2)
	}
	expect(t, "flapping", ptr(s.inc("acme-1")).Flapping(s.now), true)
	s.told()
	s.do(OpResolve, Args{})
	s.wait(10 * time.Minute)
	s.say("drip three")
	expect(t, "open, and told by the root alone", s.told(), []string{"thread resolved desk"})
	expect(t, "handling", s.inc("acme-1").Handling, New)
	s.do(OpResolve, Args{})
	s.wait(10 * time.Minute)
	s.told()
	s.say("drip two")
	expect(t, "graver is told", s.told(), []string{"broadcast reopened desk"})
	s.wait(7 * time.Hour)
	expect(t, "flapping later", ptr(s.inc("acme-1")).Flapping(s.now), false)
}

func ptr[T any](v T) *T { return &v }

// A burst of a flapping incident has to last three times as long.
func TestFlappingBurstHasToLast(t *testing.T) {
	i := Incident{Peak: rules.Issue, Reopened: []time.Time{monday, monday, monday}}
	turnAt := func(d time.Duration) *turn { return begin(i, machineSet(), monday.Add(d), Actor{Kind: "rule"}) }
	sig := ActiveSignal{Rule: "neg", Series: "negative", Level: rules.Issue}
	first := turnAt(time.Hour)
	expect(t, "at once", first.knock(&sig), false)
	i = first.inc
	expect(t, "after 10 minutes", turnAt(70*time.Minute).knock(&sig), false)
	expect(t, "after 15 minutes", turnAt(75*time.Minute).knock(&sig), true)
	expect(t, "hours later it begins anew", turnAt(4*time.Hour).knock(&sig), false)
	expect(t, "graver", turnAt(61*time.Minute).knock(&ActiveSignal{Series: "negative", Level: rules.Serious}), true)
	expect(t, "a single report", turnAt(61*time.Minute).knock(&ActiveSignal{Level: rules.Issue}), true)
	expect(t, "no longer flapping", turnAt(7*time.Hour).knock(&sig), true)
}

// People hear of each level once in half an hour, unless it breaks through what they said.
func TestWorseIsToldOncePerLevelAndHalfHour(t *testing.T) {
	again := func(hold bool) []string {
		s := opened(t, "drip three")
		s.say("drip two")
		s.do(OpResolve, Args{})
		s.wait(5 * time.Minute)
		s.say("drip three") // reopened; the other signal still stands
		s.told()
		s.m.incidents["acme-1"].Peak = rules.Issue
		if hold {
			s.do(OpAck, Args{})
		}
		s.say("drip two")
		return s.told()
	}
	expect(t, "told a moment ago", again(false), []string{})
	expect(t, "through an acknowledgement", again(true), []string{"broadcast worse desk"})
}

// After a long pause everybody whom the rungs lead to is told, each once.
func TestLadderAfterAPauseSkipsNobody(t *testing.T) {
	s := newStage(t, machineSet())
	s.say("ladder")
	s.wait(time.Minute)
	s.told()
	s.now = s.now.Add(25 * time.Minute)
	s.tick()
	expect(t, "told", s.told(), []string{"root escalated crisis", "broadcast escalated climb"})
	expect(t, "escalations", len(escalations(s)), 2)
}

// The third rung writes to the person.
func TestThirdRungIsADirectMessage(t *testing.T) {
	set := mustRules(strings.Replace(machineRules, "      - {after: 15m, severity: 3, to: crisis}\n",
		"      - {after: 15m, severity: 3, to: crisis}\n      - {after: 20m, severity: 3, to: boss, again: true}\n", 1))
	s := newStage(t, set)
	s.say("ladder")
	s.wait(21 * time.Minute)
	got := s.told()
	if !slices.Contains(got, "root escalated boss") {
		t.Errorf("told %q", got)
	}
}

// What somebody has taken on does not expire.
func TestOwnedNoticeDoesNotExpire(t *testing.T) {
	s := newStage(t, machineSet())
	s.say("drip four")
	s.do(OpAssign, Args{Assignee: "bob"})
	for range 30 {
		s.wait(6 * time.Hour)
		s.say("drip four")
	}
	expect(t, "handling", s.inc("acme-1").Handling, New)
}

// What was merged days ago can still be brought back.
func TestSplitBackLongAfter(t *testing.T) {
	d, s := open(t)
	old := Incident{ID: "acme-2", Brand: "acme", N: 2, Version: 3, Handling: Closed, Closing: Merged, MergedInto: "acme-1", Routes: []string{"desk"}}
	into := Incident{ID: "acme-1", Brand: "acme", N: 1, Version: 3, Handling: New, Routes: []string{"desk"}}
	d.opt.Reader = &recorded{incidents: map[string]Incident{old.ID: old, into.ID: into}}
	res, err := d.Respond(t.Context(), Event{ID: "e", Incident: "acme-1", Op: OpSplit, Args: Args{Into: "acme-2"}, Actor: Actor{ID: "ann"}})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "answer", fmt.Sprintf("%s %s %s", res.Outcome, res.Incident.ID, res.Incident.Handling), "applied acme-2 new")
	expect(t, "stored", s.disk.incidents["acme-2"].MergedInto, "")
}

// recorded is a reader that follows merges, as a store does.
type recorded struct {
	Reader
	incidents map[string]Incident
}

func (r *recorded) Recorded(_ context.Context, id string) (Incident, error) {
	i, ok := r.incidents[id]
	if !ok {
		return Incident{}, ErrNotFound
	}
	return i, nil
}

func (r *recorded) Incident(ctx context.Context, id string) (Incident, error) {
	i, err := r.Recorded(ctx, id)
	if i.MergedInto != "" {
		return r.Incident(ctx, i.MergedInto)
	}
	return i, err
}

func (r *recorded) Audit(_ context.Context, id string) ([]Audit, error) {
	return []Audit{{Seq: 1, Incident: id}}, nil
}

// What the data says goes down by a level for every two quiet windows; what people were told stays.
func TestLevelEasesWhileQuiet(t *testing.T) {
	s := opened(t, "drip one")
	s.do(OpAck, lasting(24*time.Hour))
	var levels []int
	for range 10 {
		levels = append(levels, int(s.inc("acme-1").Level))
		s.wait(time.Hour)
	}
	expect(t, "levels by the hour", levels, []int{1, 1, 2, 2, 3, 3, 4, 4, 0, 0})
	expect(t, "severity", s.inc("acme-1").Severity, rules.Crisis)

	s = opened(t, "drip one")
	s.do(OpAck, lasting(24*time.Hour))
	s.wait(5 * time.Hour)
	s.told()
	s.say("drip one")
	expect(t, "it is back", s.inc("acme-1").Level, rules.Crisis)
	expect(t, "nobody is told twice", s.told(), []string{})
}
