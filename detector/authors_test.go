package detector

import (
	"encoding/json"
	"strings"
	"testing"

	"emberwatch/sources"
)

// A rule that asks who wrote a mention is asked while it is judged: what the model remembers of it, and goes on with after a
// restart, says that the rule holds, and not who it was.
func TestRuleAsksWhoWroteIt(t *testing.T) {
	s := newStage(t, mustRules(`
version: 1
rules:
  - {id: voices, title: A voice that carries, kind: each, match: {sentiment: negative, authors: {any: ["@criticus", "web:U17"], followers: ">= 1000"}}, dedupe: {by: [text], for: 1h}, severity: 3}
`))
	write := func(text string, a sources.Author) {
		m := s.mention(text)
		m.Author = a
		s.hear(m)
	}
	write("bad day", sources.Author{ID: "1", Handle: "@somebody", Followers: 90_000})
	write("bad tea", sources.Author{ID: "2", Handle: "@criticus"}) // nobody knows how many follow
	write("bad cup", sources.Author{ID: "U17", Followers: 5000})   // of another source
	if got := s.incidentsOf("voices"); len(got) > 0 {
		t.Fatalf("told of %v", got[0].Evidence.Mentions)
	}
	write("bad pot", sources.Author{ID: "3", Handle: "Ｃriticus", Followers: 5000})
	i := s.oneIncidentOf("voices")
	expect(t, "mentions", i.Evidence.Window.Observed, 1.0)
	s.restart()
	write("bad mug", sources.Author{ID: "3", Handle: "criticus", Followers: 5000})
	expect(t, "mentions after a restart", s.inc(i.ID).Evidence.Window.Observed, 2.0)
	for _, it := range s.disk.items {
		if b, _ := json.Marshal(it); strings.Contains(strings.ToLower(string(b)), "riticus") {
			t.Errorf("an item says who wrote it: %s", b)
		}
	}
}
