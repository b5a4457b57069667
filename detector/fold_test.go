package detector

import (
	"encoding/json"
	"testing"
	"time"
	"unicode/utf8"

	"emberwatch/rules"

	"pgregory.net/rapid"
)

// checkFold: every incident is what its history tells of, and its version grows by one with each turn.
func checkFold(t failer, s *stage) {
	t.Helper()
	for _, id := range sortedKeys(s.disk.incidents) {
		i := s.disk.incidents[id]
		folded, err := Fold(s.disk.audit[id])
		if err != nil {
			t.Fatalf("fold the history of %s: %v", id, err)
		}
		if !folded.Same(&i) {
			t.Fatalf("%s is not what its history tells of:\n%s\n%s", id, mustJSON(&folded), mustJSON(&i))
		}
		version := 0
		for _, l := range s.disk.audit[id] {
			var p struct{ Version int }
			if l.Patch == nil {
				continue
			}
			if err := json.Unmarshal(l.Patch, &p); err != nil || p.Version != version+1 {
				t.Fatalf("%s: line %d: version %d after %d (%v)", id, l.Seq, p.Version, version, err)
			}
			version = p.Version
		}
	}
}

// failer is what rapid's tests and ordinary ones have in common.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

func TestIncidentIsTheFoldOfItsHistory(t *testing.T) {
	s := opened(t, "drip three")
	s.do(OpFacts, Args{Facts: map[string]string{"cause": "a <hose> & a valve \xff", "since": "noon"}})
	s.do(OpAssign, Args{Assignee: "b\xffb"})
	s.do(OpAck, Args{})
	s.say("drip two", "stolen")
	s.send(s.event("ann", OpMerge, "acme-2", Args{Into: "acme-1"}))
	s.do(OpSeverity, Args{Severity: rules.Crisis})
	s.send(s.event("ann", OpSplit, "acme-1", Args{Into: "acme-2"}))
	s.wait(10 * time.Hour)
	checkFold(t, s)
	checkChain(t, s)

	lines := s.disk.audit["acme-1"]
	lines[0].Patch = nil
	if _, err := Fold(lines); err == nil {
		t.Error("a history without a beginning is folded")
	}
}

// A merge patch takes any object to any other, nulls apart, which have no place in one.
func TestPatchTakesOneToTheOther(t *testing.T) {
	value := rapid.Custom(func(t *rapid.T) any {
		return rapid.OneOf(
			rapid.Just[any]("x"), rapid.Just[any](1.0), rapid.Just[any](true), rapid.Just[any]([]any{"a"}), rapid.Just[any]([]any{}),
			rapid.Just[any](map[string]any{}), rapid.Just[any](map[string]any{"k": 1.0}), rapid.Just[any](map[string]any{"k": map[string]any{"m": "n"}}),
		).Draw(t, "value")
	})
	object := rapid.MapOfN(rapid.StringOfN(rapid.RuneFrom([]rune("abcd")), 1, 2, -1), value, 0, 5)
	rapid.Check(t, func(t *rapid.T) {
		a, b := mustJSON(object.Draw(t, "a")), mustJSON(object.Draw(t, "b"))
		patch, changed := difference(a, b)
		if !changed {
			patch = json.RawMessage("{}")
		}
		got, err := patched(a, patch)
		if err != nil || string(got) != string(b) {
			t.Fatalf("%s and %s make %s, not %s (%v)", a, patch, got, b, err)
		}
	})
}

// What stands in a damaged file is an error or an incident, never a panic, and a valid text.
func FuzzFold(f *testing.F) {
	f.Add([]byte(`{"id":"a-1","version":1}`), []byte(`{"version":2,"facts":null}`))
	f.Add([]byte(`[]`), []byte(`{"id":{"a":1}}`))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		i, err := Fold([]Audit{{Seq: 1, Patch: a}, {Seq: 2, Patch: b}})
		if err == nil && !utf8.Valid(mustJSON(&i)) {
			t.Error("not UTF-8")
		}
	})
}
