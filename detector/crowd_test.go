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
)

// manyBrands are the machine's rules for brands b0 to b219, whose incidents all go to the desk.
var manyBrands = sync.OnceValue(func() *rules.Set {
	var b strings.Builder
	for n := range 220 {
		fmt.Fprintf(&b, ", b%d: {names: [B%d]}", n, n)
	}
	return mustRules(strings.Replace(machineRules, `brands: {acme: {names: [Acme], own_authors: ["shop:acme"]}`, `brands: {acme: {names: [Acme]}`+b.String(), 1))
})

// erupt opens an incident of brand n.
func (s *stage) erupt(n int, text string) {
	m := s.mention(text)
	m.Brand = fmt.Sprintf("b%d", n)
	s.hear(m)
}

// seconds lets the clock run in steps of a second, as the daemon does.
func (s *stage) seconds(n int) {
	for range n {
		s.now = s.now.Add(time.Second)
		s.tick()
	}
}

// storm opens 200 incidents within five minutes: a crisis each minute, every tenth serious, the rest issues.
func (s *stage) storm() {
	for n := range 200 {
		switch {
		case n%40 == 20:
			s.erupt(n, "drip one")
		case n%10 == 0:
			s.erupt(n, "drip two")
		default:
			s.erupt(n, "drip three")
		}
		if n%2 == 1 {
			s.seconds(3)
		}
	}
	s.seconds(60)
}

// rootsBy returns when roots of incidents were told, by the severity they had then; digests apart.
func (s *stage) rootsBy() (at map[rules.Severity][]time.Time, digests []time.Time) {
	at = map[rules.Severity][]time.Time{}
	for k, a := range s.sent {
		switch {
		case a.Kind != KindRoot:
		case IsDigest(a.Incident):
			digests = append(digests, s.sentAt[k])
		default:
			at[a.Severity] = append(at[a.Severity], s.sentAt[k])
		}
	}
	return at, digests
}

// most is the largest number of times within any span.
func most(at []time.Time, span time.Duration) (n int) {
	for _, from := range at {
		in := 0
		for _, t := range at {
			if d := t.Sub(from); d >= 0 && d < span {
				in++
			}
		}
		n = max(n, in)
	}
	return n
}

func TestAStormLeavesAChannelReadable(t *testing.T) {
	s := newStage(t, manyBrands())
	s.storm()
	at, digests := s.rootsBy()
	expect(t, "crises told on their own", len(at[rules.Crisis]), 5)
	expect(t, "digests", len(digests), 1)
	if others := slices.Concat(at[rules.Serious], at[rules.Issue]); len(others) == 0 || most(others, roomIn) > roomFor {
		t.Errorf("%d other roots", len(others))
	}
	for k, a := range s.sent {
		if late := s.sentAt[k].Sub(a.CreatedAt); a.Kind == KindRoot && a.Severity == rules.Crisis && !IsDigest(a.Incident) && late > time.Second {
			t.Errorf("%s is a crisis and was told after %s", a.Incident, late)
		}
	}
	expect(t, "incidents that nobody was told of", s.untold(), nil)
}

// untold returns the incidents that neither a root nor a digest names.
func (s *stage) untold() (ids []string) {
	named := map[string]bool{}
	for _, a := range s.disk.alerts {
		if a.Kind == KindRoot && a.State == AlertSent && a.Digest == "" {
			named[a.Incident] = true
			for _, id := range a.Members {
				named[id] = true
			}
		}
	}
	for id := range s.disk.incidents {
		if !named[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

func TestADigestIsAcknowledgedAtOnce(t *testing.T) {
	s := newStage(t, manyBrands())
	s.storm()
	s.restart() // what is named in a digest is in the store
	var digest string
	for _, a := range s.disk.alerts {
		if IsDigest(a.Incident) && a.Kind == KindRoot {
			digest = a.Incident
		}
	}
	members := s.m.Members(digest)
	if len(members) < 180 || members[0].Severity != rules.Serious || members[len(members)-1].Severity != rules.Issue {
		t.Fatalf("%d members", len(members))
	}
	s.told()
	e := s.event("ann", OpAck, digest, Args{})
	first := s.send(e)
	expect(t, "answer", first.Outcome, Applied)
	expect(t, "the same press again", s.send(e), first)
	for _, i := range s.m.Members(digest) {
		expect(t, i.ID, []any{i.Handling, i.Owner}, []any{Acked, "ann"})
	}
	edits := 0
	for _, a := range s.sent[s.shown:] {
		if a.Kind != KindEdit || a.Incident != digest {
			t.Errorf("%s %s of %s for it", a.Kind, a.Reason, a.Incident)
		}
		edits++
	}
	expect(t, "edits of the digest", edits, 1)
	expect(t, "once more", s.send(s.event("bob", OpAck, digest, Args{})).Outcome, Already)
	expect(t, "resolve", s.send(s.event("bob", OpResolve, digest, Args{})).Outcome, Refused)
	checkChain(t, s)
	checkVersions(t, s)
}

// What has no message of its own gets one when it asks for somebody and the channel has room again.
func TestANamedIncidentThatGrowsGetsItsOwnMessage(t *testing.T) {
	s := newStage(t, manyBrands())
	for n := range 9 {
		s.erupt(n, "drip three")
	}
	s.seconds(40)
	s.told()
	s.now = s.now.Add(roomIn)
	s.erupt(8, "drip two")
	s.seconds(40)
	expect(t, "told", s.told(), []string{"root worse desk"})
	own := slices.IndexFunc(s.sent, func(a Alert) bool { return a.Reason == ReasonWorse })
	expect(t, "about", s.sent[own].Incident, "b8-1")
	s.send(s.event("ann", OpResolve, "b7-1", Args{}))
	expect(t, "a named one that is closed shows in the digest", s.told(), []string{})
	if last := s.sent[len(s.sent)-1]; last.Kind != KindEdit || !IsDigest(last.Incident) {
		t.Errorf("%s of %s", last.Kind, last.Incident)
	}
}

// A digest that people have already says aloud once when something graver joins.
func TestAGraverOneIsHeardInADigest(t *testing.T) {
	s := newStage(t, manyBrands())
	for n := range 8 {
		s.erupt(n, "drip three")
	}
	s.seconds(40)
	s.told()
	for n := range 3 {
		s.erupt(100+n, "drip two")
	}
	s.seconds(100)
	expect(t, "told", s.told(), []string{"broadcast worse desk"})
}

// Nothing of a digest is left in memory once its incidents are.
func TestDigestsAreForgotten(t *testing.T) {
	s := newStage(t, manyBrands())
	for n := range 8 {
		s.erupt(n, "drip three")
	}
	s.seconds(40)
	for id := range s.disk.incidents {
		s.send(s.event("ann", OpResolve, id, Args{}))
	}
	s.now = s.now.Add(keepClosed + time.Hour)
	s.seconds(2)
	expect(t, "rows left", len(s.m.alerts), 0)
}

func TestRoomIsTheRoutesOwn(t *testing.T) {
	s := newStage(t, mustRules(strings.Replace(machineRules, `desk: {slack: {channel: "#desk"}}`, `desk: {slack: {channel: "#desk"}, notify: {roots: "1 in 1h"}}`, 1)))
	for k, text := range []string{"drip three", "stolen"} {
		m := s.mention(text)
		m.Author = sources.Author{ID: fmt.Sprint("x", k)}
		s.hear(m)
	}
	s.seconds(40)
	expect(t, "told", s.told(), []string{"root first desk", "root digest desk"})
}
