package detector

import (
	"maps"
	"strings"
	"testing"
)

func TestRenewFacts(t *testing.T) {
	old := map[string]string{FactKnown: "it leaks", FactStale: "true", "since": "noon"}
	kept := maps.Clone(old)
	for _, c := range []struct {
		name string
		more map[string]string
		want map[string]string // nil: refused
	}{
		{"a new fact is laid over the old ones, and the sheet is fresh", map[string]string{FactKnown: " it drips "}, map[string]string{FactKnown: "it drips", "since": "noon"}},
		{"an empty value takes a fact out", map[string]string{FactKnown: ""}, map[string]string{"since": "noon"}},
		{"stale is kept when it is what is said", map[string]string{FactStale: "true"}, old},
		{"a time has a zone", map[string]string{FactNextUpdate: "2026-11-16T14:00:00+01:00"}, map[string]string{FactKnown: "it leaks", "since": "noon", FactNextUpdate: "2026-11-16T14:00:00+01:00"}},
		{"a time without one is refused", map[string]string{FactNextContact: "14:00"}, nil},
		{"cleared is yes or no", map[string]string{FactCleared + "cause": "maybe"}, nil},
		{"a cluster is one of three", map[string]string{FactCluster: "guilty"}, nil},
		{"a novel is no fact", map[string]string{FactKnown: strings.Repeat("x", 2001)}, nil},
		{"a fact has a name", map[string]string{" ": "x"}, nil},
	} {
		got, err := renewFacts(old, c.more)
		if (err != nil) != (c.want == nil) || !maps.Equal(got, c.want) && c.want != nil {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
		if !maps.Equal(old, kept) {
			t.Fatalf("%s: the old sheet was changed: %v", c.name, old)
		}
	}
}

// TestAnsweredKeepsTheReply: what people sent is in the audit, for whoever offers it again.
func TestAnsweredKeepsTheReply(t *testing.T) {
	s := &DraftUse{Text: strings.Repeat("x", maxReplyRunes+1)}
	x := &turn{}
	if o, _ := x.answered(&Event{Op: OpAnswered, Args: Args{Draft: s}}); o != Refused {
		t.Error("a reply longer than any network takes is kept")
	}
	s = &DraftUse{Playbook: "delivery", ID: "public-short", Use: DraftEdited, Lang: "en", Text: "Hi."}
	if o, _ := x.answered(&Event{Op: OpAnswered, Args: Args{Draft: s}}); o != Applied || x.lines[len(x.lines)-1].Draft != s {
		t.Errorf("%v: %+v", o, x.lines)
	}
}
