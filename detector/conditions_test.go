package detector

import (
	"strings"
	"testing"
	"time"

	"emberwatch/rules"
)

var conditional = mustRules(`
version: 1
brands:
  acme: {names: [acme]}
rules:
  - id: burnt
    title: Somebody is burnt
    kind: each
    brand: acme
    match: {any_of: [burnt]}
    dedupe: {by: [author], for: 1h}
    severity: 2
    severity_if: [{when: "authors(1h) == 1 and reach < 500 and not has_media", severity: 4}]
    escalate_if: [{when: "incidents(burnt, 30d) >= 2", severity: 1}]
`)

// A condition on one mention and on what the rule has found decides how grave it is; the reason says so.
func TestSeverityIf(t *testing.T) {
	s := newStage(t, conditional)
	s.say("the cake was burnt")
	i := s.inc("acme-1")
	expect(t, "a single small voice", i.Severity, rules.Notice)
	if !strings.HasSuffix(i.SeverityWhy, "; rule burnt: authors(1h) == 1 and reach < 500 and not has_media") {
		t.Errorf("why: %s", i.SeverityWhy)
	}
	s.say("mine was burnt too")
	expect(t, "two authors", s.inc("acme-1").Severity, rules.Serious)
}

func TestSeverityIfOfAWidelyReadAuthor(t *testing.T) {
	s := newStage(t, conditional)
	m := s.mention("the cake was burnt")
	m.Author.Followers = 500
	s.hear(m)
	expect(t, "a single voice that many hear", s.inc("acme-1").Severity, rules.Serious)
}

// The second incident within a month is graver, also when the first has long left memory and the daemon was restarted.
func TestEscalateIfIncidentsRepeat(t *testing.T) {
	s := newStage(t, conditional)
	s.say("the cake was burnt")
	s.do(OpResolve, Args{})
	s.now = s.now.Add(20 * 24 * time.Hour)
	s.tick()
	s.restart()
	s.say("burnt again")
	expect(t, "the second within 30 days", s.inc("acme-2").Severity, rules.Crisis)
	s.send(s.event("ann", OpResolve, "acme-2", Args{}))
	s.now = s.now.Add(40 * 24 * time.Hour)
	s.tick()
	s.say("burnt once more")
	expect(t, "the next after 40 days", s.inc("acme-3").Severity, rules.Notice)
}
