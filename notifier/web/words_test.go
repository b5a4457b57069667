package web

import (
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"

	"github.com/google/go-cmp/cmp"
)

// english is the voice of a reader of English in UTC, at noon.
var english = voice{notifier.English(), time.UTC, noon}

func TestClockNamesTheDayOnlyWhereNeeded(t *testing.T) {
	for at, want := range map[time.Time]string{
		noon: "12:00 UTC", noon.Add(-13 * time.Hour): "15 Nov 23:00 UTC", noon.AddDate(-1, 0, 0): "16 Nov 2025 12:00 UTC",
		noon.In(time.FixedZone("", 7200)): "12:00 UTC",
	} {
		if got := english.clock(at); got != want {
			t.Errorf("clock(%s) = %q, want %q", at, got, want)
		}
	}
}

func TestSplitGathersTheSmallOnes(t *testing.T) {
	parts := map[string]int{"a": 50, "b": 30}
	for _, c := range "cdefghijkl" {
		parts[string(c)] = 2
	}
	got := english.split(parts, asIs)
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
		{"the top, with a reminder", at(2, "pr", remind), &next{"reminder", "in 1 h"}},
		{"somebody has it", at(0, "pr", remind, func(i *detector.Incident) { i.Handling = detector.Acked }), nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, english.next(c.i, set)); diff != "" {
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

// TestAPageSpeaksTheLanguageOfItsReader: the first of the browser's that there is; everything else is English.
func TestAPageSpeaksTheLanguageOfItsReader(t *testing.T) {
	s := New(configOf(busy()))
	for accept, want := range map[string][]string{
		"":                         {`<html lang="en">`, "What to do", "Acknowledge", "The last 48 hours"},
		"fi, sv;q=0.8":             {`<html lang="en">`},
		"pl, de-AT;q=0.9, en;q=.5": {`<html lang="de">`, "Seit 27 Min. nicht übernommen", "Was zu tun ist", "Übernehmen", "Die letzten 48 Stunden"},
		"\x00;;q=,,":               {`<html lang="en">`},
	} {
		mustContain(t, get("/incidents/fjellbryg-3", "Accept-Language", accept).send(s).Body.String(), want...)
	}
}
