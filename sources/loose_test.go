package sources_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"emberwatch/sources"
)

func TestLoose(t *testing.T) {
	for text, want := range map[string]struct {
		s    string
		n    int
		true bool
		at   time.Time
	}{
		`"a\"b"`:                 {s: `a"b`},
		`"17"`:                   {s: "17", n: 17},
		`-3`:                     {s: "-3", n: -3},
		`2.9`:                    {s: "2.9", n: 2},
		`1e400`:                  {s: "1e400"},
		`99999999999999999999`:   {s: "99999999999999999999", n: 1e12},
		`"NaN"`:                  {s: "NaN"},
		`null`:                   {},
		`true`:                   {s: "true", true: true},
		`false`:                  {s: "false"},
		`[1]`:                    {},
		`{"a":{"b":[]}}`:         {},
		`"2026-11-16T09:00:00Z"`: {s: "2026-11-16T09:00:00Z", at: time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC)},
		`"2026-11-16T09:00:00"`:  {s: "2026-11-16T09:00:00"}, // of which zone?
	} {
		var l sources.Loose
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if l.String() != want.s || l.Int() != want.n || l.True() != want.true || !l.Time().Equal(want.at) {
			t.Errorf("%s: %q, %d, %v, %v", text, l.String(), l.Int(), l.True(), l.Time())
		}
	}
}

func TestDecodeJSONRepeatsNothing(t *testing.T) {
	var v struct{ A int }
	for _, body := range []string{"", "canary", `{"A":"canary"}`, `{"A":1`, strings.Repeat(`{"canary":`, sources.MaxDepth+1)} {
		if err := sources.DecodeJSON([]byte(body), &v); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%.20s: %v", body, err)
		}
	}
	if err := sources.DecodeJSON([]byte(`{"A":7,"b":[[[]]]}`), &v); err != nil || v.A != 7 {
		t.Errorf("got %+v, %v", v, err)
	}
}
