package web

import (
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"

	"github.com/google/go-cmp/cmp"
)

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5 * time.Second: "5 s", 59*time.Second + 700*time.Millisecond: "60 s", time.Minute: "1 min", 90 * time.Minute: "90 min", 2 * time.Hour: "2 h",
		150 * time.Minute: "2.5 h", 30 * time.Hour: "30 h", 47 * time.Hour: "2 days", 24 * 30 * time.Hour: "30 days", -time.Hour: "60 min",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 6.1: "6.1", 6.04: "6.0", 47: "47", 1140.2: "1,140", 1234567: "1,234,567", -5: "-5", -1234: "-1,234", 999: "999"} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestClockNamesTheDayOnlyWhereNeeded(t *testing.T) {
	for at, want := range map[time.Time]string{
		noon: "12:00 UTC", noon.Add(-13 * time.Hour): "15 Nov 23:00 UTC", noon.AddDate(-1, 0, 0): "16 Nov 2025 12:00 UTC",
		noon.In(time.FixedZone("", 7200)): "12:00 UTC",
	} {
		if got := clock(at, noon); got != want {
			t.Errorf("clock(%s) = %q, want %q", at, got, want)
		}
	}
}

func TestSplitGathersTheSmallOnes(t *testing.T) {
	parts := map[string]int{"a": 50, "b": 30}
	for _, c := range "cdefghijkl" {
		parts[string(c)] = 2
	}
	got := split(parts, asIs)
	if len(got) != 8 || got[0] != (share{"a", 50, 50}) || got[7] != (share{"5 others", 10, 10}) {
		t.Errorf("got %v", got)
	}
}

func TestLink(t *testing.T) {
	for raw, want := range map[string]string{
		"https://example.com/a?b=c#d": "https://example.com/a?b=c#d", "http://example.com": "http://example.com", "javascript:alert(1)": "",
		"https://user:pw@example.com/": "", "//example.com": "", "mailto:a@b.c": "", "": "", "https://%zz": "",
	} {
		if got := link(raw); got != want {
			t.Errorf("link(%q) = %q, want %q", raw, got, want)
		}
	}
}

func TestNext(t *testing.T) {
	set := ruleSet()
	at := func(step int, route string, change ...func(*detector.Incident)) *detector.Incident {
		i := &detector.Incident{Severity: rules.Crisis, LadderStep: step, Handling: detector.New, LadderFrom: noon, Routes: []string{route}}
		for _, c := range change {
			c(i)
		}
		return i
	}
	remind := func(i *detector.Incident) { i.RemindAt = noon.Add(time.Hour) }
	for _, c := range []struct {
		name string
		i    *detector.Incident
		want *next
	}{
		{"a rung that names people", at(0, "pr"), &next{"escalates to @ingrid", "in 20 min"}},
		{"a rung that is late", at(0, "pr", func(i *detector.Incident) { i.LadderFrom = noon.Add(-time.Hour) }), &next{"escalates to @ingrid", "any moment"}},
		{"a route that leads to where everything goes", at(0, "unknown"), &next{"escalates", "in 10 min"}},
		{"the top of the ladder", at(2, "pr"), nil},
		{"the top, with a reminder", at(2, "pr", remind), &next{"reminder", "in 60 min"}},
		{"somebody has it", at(0, "pr", remind, func(i *detector.Incident) { i.Handling = detector.Acked }), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, nextOf(c.i, set, noon)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestMorningIsThatOfTheTeam(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("no zone data here: ", err)
	}
	// The clocks are set back in the night to 25 October 2026.
	now := time.Date(2026, 10, 24, 22, 30, 0, 0, time.UTC) // already the 25th in Berlin
	if got, want := morning(now, berlin), time.Date(2026, 10, 26, 8, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := morning(now, nil), time.Date(2026, 10, 25, 9, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("without a zone: got %s, want %s", got, want)
	}
}
