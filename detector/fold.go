package detector

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
)

// An incident is the fold of its history: the first line of each turn holds, as a JSON merge patch (RFC 7396), all
// that the turn has changed. So what is stored can be held against what is said to have happened.

// ErrNoPatch: a history was written before its lines held what they change.
var ErrNoPatch = errors.New("its history does not say what it changes")

// Fold returns the incident that a whole history tells of.
func Fold(lines []Audit) (Incident, error) {
	if len(lines) == 0 || lines[0].Patch == nil {
		return Incident{}, ErrNoPatch
	}
	state := json.RawMessage("{}")
	for k := range lines {
		if lines[k].Patch == nil {
			continue
		}
		var err error
		if state, err = patched(state, lines[k].Patch); err != nil {
			return Incident{}, fmt.Errorf("line %d: %w", lines[k].Seq, err)
		}
	}
	var i Incident
	if err := json.Unmarshal(state, &i); err != nil {
		return Incident{}, fmt.Errorf("what the history tells of is no incident: %w", err)
	}
	return i, nil
}

// Same reports whether two incidents are the same once they have been written.
func (i *Incident) Same(o *Incident) bool { return bytes.Equal(mustJSON(i), mustJSON(o)) }

// patchOf returns what makes was of is. An incident that has no version yet is made from nothing.
func patchOf(was, is *Incident) json.RawMessage {
	before := json.RawMessage("{}")
	if was.Version > 0 {
		before = mustJSON(was)
	}
	patch, _ := difference(before, mustJSON(is))
	return patch
}

// mustJSON is JSON that reading and writing again does not change: what is not UTF-8 is U+FFFD in it.
func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("detector: an incident cannot be written: " + err.Error()) // its fields are ours
	}
	return bytes.ReplaceAll(b, []byte(`\ufffd`), []byte("\ufffd"))
}

// difference returns the merge patch from a to b, and whether there is any.
func difference(a, b json.RawMessage) (json.RawMessage, bool) {
	if bytes.Equal(a, b) {
		return nil, false
	}
	was, ok := object(a)
	is, both := object(b)
	if !ok || !both {
		return b, true
	}
	patch := map[string]json.RawMessage{}
	for k, v := range is {
		if d, changed := difference(was[k], v); changed {
			patch[k] = d
		}
	}
	for k := range was {
		if _, ok := is[k]; !ok {
			patch[k] = json.RawMessage("null")
		}
	}
	return mustJSON(patch), true
}

// patched applies a merge patch.
func patched(target, patch json.RawMessage) (json.RawMessage, error) {
	changes, ok := object(patch)
	if !ok {
		return patch, nil
	}
	state, ok := object(target)
	if !ok {
		state = map[string]json.RawMessage{}
	}
	out := maps.Clone(state)
	for k, v := range changes {
		if string(v) == "null" {
			delete(out, k)
			continue
		}
		x, err := patched(out[k], v)
		if err != nil {
			return nil, err
		}
		out[k] = x
	}
	return json.Marshal(out)
}

func object(b json.RawMessage) (map[string]json.RawMessage, bool) {
	var m map[string]json.RawMessage
	if len(b) == 0 || b[0] != '{' || json.Unmarshal(b, &m) != nil {
		return nil, false
	}
	return m, true
}
