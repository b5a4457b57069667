package detector

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

func TestRefusedOnClosed(t *testing.T) {
	for _, op := range []Operation{OpAck, OpSnooze, OpAssign, OpSeverity, OpFacts} {
		s := opened(t, "drip three")
		s.do(OpResolve, Args{})
		s.wait(5 * time.Minute)
		before := s.inc("acme-1")
		res := s.send(s.event("bob", op, "acme-1", Args{Assignee: "cy", Severity: rules.Crisis, Facts: map[string]string{"cause": "x"}}))
		if res.Outcome != Refused || !strings.Contains(res.Message, "already closed by ann 5 min ago (resolved)") {
			t.Errorf("%s on a closed incident: %s: %s", op, res.Outcome, res.Message)
		}
		expect(t, "incident", s.inc("acme-1"), before)
	}
	s := opened(t, "drip three")
	s.do(OpResolve, Args{})
	expect(t, "resolve twice", s.send(s.event("bob", OpFalseAlarm, "acme-1", Args{})).Outcome, Already)
	expect(t, "closing", s.inc("acme-1").Closing, Resolved)
	s.do(OpNote, Args{Note: "the courier was late"})
	expect(t, "last line", s.ops("acme-1")[len(s.ops("acme-1"))-1], "note")
}

func TestOtherOperations(t *testing.T) {
	s := opened(t, "drip three")
	s.do(OpAssign, Args{Assignee: "bob"})
	s.do(OpFacts, Args{Facts: map[string]string{"cause": "a hose", "since": "noon"}})
	s.do(OpFacts, Args{Facts: map[string]string{"cause": "a valve"}})
	s.do(OpNote, Args{Note: "called the plant"})
	s.do(OpAnswered, Args{Mentions: []sources.Key{{Source: "shop", ID: "m1"}}})
	i := s.inc("acme-1")
	expect(t, "owner", i.Owner, "bob")
	expect(t, "facts", i.Facts, map[string]string{"cause": "a valve", "since": "noon"})
	expect(t, "handling", i.Handling, New)
	expect(t, "history", s.ops("acme-1"), []string{"opened", "assign", "facts", "facts", "note", "answered"})
	for _, e := range []Event{
		s.event("ann", OpNote, "acme-1", Args{}), s.event("ann", OpFacts, "acme-1", Args{}),
		s.event("ann", OpAssign, "acme-1", Args{Assignee: " "}), s.event("ann", OpSeverity, "acme-1", Args{Severity: 5}),
		s.event("ann", OpUnack, "acme-1", Args{}), s.event("ann", "explode", "acme-1", Args{}),
		s.event("ann", OpNote, "acme-1", Args{Note: strings.Repeat("x", 4001)}),
	} {
		if res := s.send(e); res.Outcome != Refused || res.Message == "" {
			t.Errorf("%s %+v: %s %q", e.Op, e.Args, res.Outcome, res.Message)
		}
	}
	expect(t, "reopen of an open one", s.send(s.event("ann", OpReopen, "acme-1", Args{})).Outcome, Already)
	if _, _, ok := s.m.Respond(s.event("ann", OpAck, "acme-9", Args{}), s.now); ok {
		t.Error("an operation on an unknown incident is taken")
	}
	expect(t, "incident", s.inc("acme-1"), i)
}

// A button that was drawn for a state that has passed is answered in words, and the message is redrawn at once.
func TestStaleClick(t *testing.T) {
	s := opened(t, "drip three")
	seen := s.inc("acme-1").Version
	s.send(s.event("boris", OpAck, "acme-1", Args{}))
	s.wait(2 * time.Minute)
	before := s.inc("acme-1")
	edits := len(s.sent)
	e := s.event("ann", OpAck, "acme-1", Args{})
	e.Expected = seen
	res := s.send(e)
	expect(t, "outcome", res.Outcome, Already)
	expect(t, "message", res.Message, "already acknowledged by boris 2 min ago")
	expect(t, "incident", s.inc("acme-1"), before)
	if len(s.sent) != edits+1 || s.sent[edits].Kind != KindEdit {
		t.Errorf("the root was not redrawn: %v", s.sent[edits:])
	}

	s.do(OpResolve, Args{})
	s.wait(time.Minute)
	for _, op := range []Operation{OpAck, OpSnooze, OpResolve, OpFalseAlarm, OpKnownEvent} {
		e := s.event("cy", op, "acme-1", Args{})
		e.Expected = seen
		res := s.send(e)
		if res.Outcome != Already || res.Message != "already closed by ann 1 min ago (resolved)" {
			t.Errorf("stale %s: %s: %s", op, res.Outcome, res.Message)
		}
	}
	fresh := opened(t, "drip three")
	e = fresh.event("ann", OpAck, "acme-1", Args{})
	e.Expected = fresh.inc("acme-1").Version
	expect(t, "fresh click", fresh.send(e).Outcome, Applied)
}

func TestRepeatedEventGetsTheFirstAnswer(t *testing.T) {
	s := opened(t, "drip three")
	e := s.event("ann", OpAck, "acme-1", Args{})
	first := s.send(e)
	s.wait(10 * time.Minute)
	s.do(OpUnack, Args{})
	before, lines := s.inc("acme-1"), len(s.disk.audit["acme-1"])
	res, c, _ := s.m.Respond(e, s.now)
	expect(t, "answer", res, first)
	if !c.Empty() {
		t.Errorf("the repetition changes something: %+v", c)
	}
	s.restart()
	res, c, _ = s.m.Respond(e, s.now)
	expect(t, "answer after a restart", res.Message, first.Message)
	if !c.Empty() {
		t.Errorf("the repetition changes something after a restart: %+v", c)
	}
	expect(t, "incident", s.inc("acme-1"), before)
	expect(t, "history", len(s.disk.audit["acme-1"]), lines)
}

func TestMerge(t *testing.T) {
	s := opened(t, "drip three")
	s.say("stolen")
	s.wait(time.Minute)
	s.told()
	res := s.send(s.event("ann", OpMerge, "acme-2", Args{Into: "acme-1"}))
	expect(t, "outcome", res.Outcome, Applied)
	expect(t, "answer is about", res.Incident.ID, "acme-1")
	old := s.inc("acme-2")
	expect(t, "old one", fmt.Sprint(old.Handling, old.Closing, old.MergedInto), fmt.Sprint(Closed, Merged, "acme-1"))
	expect(t, "mentions", len(s.inc("acme-1").Evidence.Mentions), 2)
	s.send(s.event("bob", OpAck, "acme-2", Args{}))
	expect(t, "an old button leads to the new one", s.inc("acme-1").Handling, Acked)
	s.say("stolen")
	expect(t, "the story goes on in the new one", len(s.disk.incidents), 2)
	s.say("drip two")
	s.restart()
	s.send(s.event("bob", OpAck, "acme-2", Args{}))
	expect(t, "after a restart too", s.inc("acme-1").Handling, Acked)

	for name, e := range map[string]Event{
		"into itself":    s.event("ann", OpMerge, "acme-1", Args{Into: "acme-2"}),
		"into nothing":   s.event("ann", OpMerge, "acme-1", Args{Into: "acme-7"}),
		"without target": s.event("ann", OpMerge, "acme-1", Args{}),
	} {
		if res := s.send(e); res.Outcome == Applied {
			t.Errorf("merge %s is applied", name)
		}
	}
	checkChain(t, s)
}

func TestMergeBringsSeverity(t *testing.T) {
	s := opened(t, "stolen") // acme-1, severity 3
	s.say("drip two")        // acme-2
	s.wait(time.Minute)
	s.do(OpAck, Args{})
	s.told()
	s.send(s.event("bob", OpMerge, "acme-2", Args{Into: "acme-1"}))
	i := s.inc("acme-1")
	expect(t, "severity", i.Severity, rules.Serious)
	expect(t, "growth breaks through the ack", i.Handling, New)
	expect(t, "told", s.told(), []string{"broadcast worse desk", "thread resolved desk"})
}

func TestSplit(t *testing.T) {
	s := opened(t, "drip three")
	s.say("drip three", "drip three")
	s.wait(time.Minute)
	s.told()
	keys := s.inc("acme-1").Evidence.Mentions
	expect(t, "refused without mentions", s.send(s.event("ann", OpSplit, "acme-1", Args{})).Outcome, Refused)
	res := s.send(s.event("ann", OpSplit, "acme-1", Args{Mentions: keys[:1]}))
	expect(t, "part", res.Incident.ID, "acme-2")
	part := s.inc("acme-2")
	expect(t, "part", fmt.Sprint(part.Handling, part.Severity, part.Previous, part.Evidence.Mentions), fmt.Sprint(New, rules.Issue, "acme-1", keys[:1]))
	expect(t, "rest", s.inc("acme-1").Evidence.Mentions, keys[1:])
	s.wait(time.Minute)
	expect(t, "told", s.told(), []string{"root first desk"})
	checkChain(t, s)
}

// A part that is taken out of a closed incident is open, and says nothing of how the other was closed.
func TestSplitOfClosed(t *testing.T) {
	s := opened(t, "drip three")
	s.say("drip three")
	s.wait(time.Minute)
	s.do(OpResolve, Args{})
	s.send(s.event("ann", OpSplit, "acme-1", Args{Mentions: s.inc("acme-1").Evidence.Mentions[:1]}))
	part := s.inc("acme-2")
	expect(t, "part", fmt.Sprint(part.Handling, part.Closing, part.ClosedBy, part.ClosedAt.IsZero()), fmt.Sprint(New, "", "", true))
	s.wait(10 * time.Minute)
	expect(t, "part stays", s.inc("acme-2").Handling, New)
}

// What was merged away can be brought back, and then has its own signal again.
func TestSplitUndoesMerge(t *testing.T) {
	for _, target := range []string{"acme-1", "acme-2"} {
		s := opened(t, "drip three")
		s.say("stolen")
		s.wait(time.Minute)
		other := map[string]string{"acme-1": "acme-2", "acme-2": "acme-1"}[target]
		text := map[string]string{"acme-1": "drip three", "acme-2": "stolen"}[other]
		s.send(s.event("ann", OpMerge, other, Args{Into: target}))
		res := s.send(s.event("ann", OpSplit, target, Args{Into: other}))
		expect(t, "outcome", res.Outcome, Applied)
		back := s.inc(other)
		expect(t, "brought back", fmt.Sprint(back.Handling, back.MergedInto), "new")
		s.wait(6 * time.Hour)
		s.say(text)
		s.wait(3 * time.Hour)
		expect(t, other+" lives on by its own signal", s.inc(other).Handling, New)
		expect(t, target+" is over by its own", s.inc(target).Handling, Closed)
	}
}

func TestSeverityOverride(t *testing.T) {
	s := opened(t, "drip three")
	s.do(OpSeverity, Args{Severity: rules.Crisis, Note: "the minister is asking"})
	expect(t, "as people see it", s.inc("acme-1").Severity, rules.Crisis)
	expect(t, "the data says the same as before", s.inc("acme-1").Level, rules.Issue)
	expect(t, "the same again", s.send(s.event("ann", OpSeverity, "acme-1", Args{Severity: rules.Crisis})).Outcome, Already)
	s.do(OpAck, Args{})
	expect(t, "lease of a crisis", s.inc("acme-1").LeaseUntil.Sub(s.now), time.Hour)
}

// TestAClosingIsSaidInWords: whoever closes it, and whoever comes too late, reads no id.
func TestAClosingIsSaidInWords(t *testing.T) {
	s := opened(t, "drip three")
	expect(t, "closed", s.send(s.event("ann", OpFalseAlarm, "acme-1", Args{})).Message, "closed as false alarm by ann")
	s.wait(time.Minute)
	expect(t, "too late", s.send(s.event("cy", OpAck, "acme-1", Args{})).Message, "already closed by ann 1 min ago (false alarm)")
}
