package rules

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

const desk = `
version: 1
timezone: Europe/Oslo
availability:
  desk:
    hours: {mon-fri: "08:00-20:00", sat: "10:00-16:00"}
    holidays: ["2026-12-24..2026-12-26", "2027-01-01"]
  night: {timezone: America/New_York, hours: {daily: ["22:00-06:00", "12:00-13:00"]}}
sla:
  complaint: {first_answer: 1h, answer: 24h, clock: availability.desk, breach_severity: 3}
  safety: {first_answer: 15m, answer: 4h, clock: always}
  plain: {}
routes:
  a: {slack: {channel: "#a"}, quiet_hours: {outside: availability.desk}}
  b: {slack: {channel: "#b"}, quiet_hours: {outside: availability.desk, hours: "07:00-09:00"}}
  c: {slack: {channel: "#c"}, quiet_hours: {hours: "01:30-02:30"}}
rules:
  - {id: late, title: Late, kind: unanswered, match: {sentiment: negative}, sla: complaint, batch: 15m, severity: 3}
`

func oslo(t *testing.T, s string) time.Time {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestClocksStandStillOutsideOfTheCalendar(t *testing.T) {
	c := must(t, desk).Calendars["desk"]
	for _, x := range []struct {
		name, from string
		wait       time.Duration
		want       string
	}{
		{"within a day", "2026-11-16 09:00", time.Hour, "2026-11-16 10:00"},
		{"to the last minute", "2026-11-16 09:00", 11 * time.Hour, "2026-11-16 20:00"},
		{"over night", "2026-11-16 19:30", time.Hour, "2026-11-17 08:30"},
		{"written at night", "2026-11-16 23:00", time.Hour, "2026-11-17 09:00"},
		{"over the week-end", "2026-11-20 19:30", 8 * time.Hour, "2026-11-23 09:30"},
		{"over Christmas, which is Thursday to Saturday", "2026-12-23 19:30", time.Hour, "2026-12-28 08:30"},
		{"two working days", "2026-11-16 08:00", 24 * time.Hour, "2026-11-17 20:00"},
		{"clocks go forward on Sunday", "2026-03-28 15:30", time.Hour, "2026-03-30 08:30"},
		{"clocks go back on Sunday", "2026-10-24 15:30", time.Hour, "2026-10-26 08:30"},
	} {
		if got := c.After(oslo(t, x.from), x.wait); !got.Equal(oslo(t, x.want)) {
			t.Errorf("%s: %s after %s is %s, want %s", x.name, x.wait, x.from, got, x.want)
		}
	}
	if at := oslo(t, "2026-12-25 03:00"); !(*Calendar)(nil).After(at, time.Hour).Equal(at.Add(time.Hour)) || !(*Calendar)(nil).Open(at) {
		t.Error("without a calendar the clock stands still")
	}
}

// What is open past midnight is so in the other zone's night, through both changes of the clocks.
func TestOpenPastMidnight(t *testing.T) {
	c := must(t, desk).Calendars["night"]
	for at, want := range map[string]bool{
		"2026-03-08T03:59:00-05:00": true, "2026-03-08T05:59:00-04:00": true, "2026-03-08T06:00:00-04:00": false,
		"2026-11-01T05:59:00-05:00": true, "2026-11-01T12:30:00-05:00": true, "2026-11-01T13:00:00-05:00": false,
		"2026-11-01T21:59:59-05:00": false, "2026-11-01T22:00:00-05:00": true,
	} {
		at, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if c.Open(at) != want {
			t.Errorf("open at %s: %v", at, !want)
		}
	}
}

// Open time adds up: waiting twice is waiting for the sum, no time that passes is closed, and more waiting ends later.
func TestOpenTimeAddsUp(t *testing.T) {
	set := must(t, desk)
	rapid.Check(t, func(t *rapid.T) {
		c := set.Calendars[rapid.SampledFrom([]string{"desk", "night"}).Draw(t, "calendar")]
		at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 370*24*60).Draw(t, "minute")) * time.Minute)
		a := time.Duration(rapid.IntRange(1, 3000).Draw(t, "a")) * time.Minute
		b := time.Duration(rapid.IntRange(1, 3000).Draw(t, "b")) * time.Minute
		once := c.After(at, a)
		if twice, sum := c.After(once, b), c.After(at, a+b); !twice.Equal(sum) {
			t.Fatalf("%s, then %s, from %s: %s, and at once %s", a, b, at, twice, sum)
		}
		if before := once.Add(-time.Minute); !c.Open(before) {
			t.Fatalf("%s after %s ends at %s, a minute after a time that is closed", a, at, once)
		}
		open := time.Duration(0)
		for x := at; x.Before(once); x = x.Add(time.Minute) {
			if c.Open(x) {
				open += time.Minute
			}
		}
		if open != a {
			t.Fatalf("%s of open time from %s to %s, want %s", open, at, once, a)
		}
	})
}

func TestQuietUntilSomebodyIsThere(t *testing.T) {
	s := must(t, desk)
	for _, x := range []struct{ route, at, want string }{
		{"a", "2026-11-16 12:00", "2026-11-16 12:00"},
		{"a", "2026-11-21 18:00", "2026-11-23 08:00"},
		{"a", "2026-12-24 12:00", "2026-12-28 08:00"},
		{"b", "2026-11-21 18:00", "2026-11-23 09:00"},
		{"b", "2026-11-16 08:30", "2026-11-16 09:00"},
		{"c", "2026-03-29 01:45", "2026-03-29 03:30"}, // 02:30 is not there
		{"c", "2026-11-16 01:30", "2026-11-16 02:30"},
		{"default", "2026-11-16 03:00", "2026-11-16 03:00"},
	} {
		if got := s.QuietEnd(s.Route(x.route), oslo(t, x.at)); !got.Equal(oslo(t, x.want)) {
			t.Errorf("%s at %s: %s, want %s", x.route, x.at, got, x.want)
		}
	}
}

func TestAnswerClocks(t *testing.T) {
	s := must(t, desk)
	r, _ := s.Rule("late")
	a := s.SLAOf(r)
	if a == nil || a.FirstAnswer != time.Hour || a.Answer != 24*time.Hour || s.Clock(a) != s.Calendars["desk"] || a.BreachSeverity != Issue {
		t.Fatalf("%+v", a)
	}
	if p := s.SLAs["plain"]; p.FirstAnswer != time.Hour || p.Answer != 24*time.Hour || s.Clock(p) != nil {
		t.Errorf("defaults: %+v", p)
	}
	if s.Clock(s.SLAs["safety"]) != nil || r.Signal() != "unanswered" || r.Batch != 15*time.Minute {
		t.Errorf("%+v %+v", s.SLAs["safety"], r)
	}
}

// Who answers for a rule is there when its answer clocks run; with one calendar there is no doubt.
func TestDesk(t *testing.T) {
	s := must(t, desk)
	if got := s.Desk("late"); got != s.Calendars["desk"] {
		t.Errorf("of the answer clocks: %v", got)
	}
	if got := s.Desk("neg-burst"); got != nil {
		t.Errorf("one of two calendars: %v", got)
	}
	one := must(t, "version: 1\navailability: {desk: {hours: {mon-fri: \"08:00-20:00\"}}}\n")
	if got := one.Desk("neg-burst"); got == nil || got != one.Calendars["desk"] {
		t.Errorf("the only calendar: %v", got)
	}
}

func TestAnswerClockProblems(t *testing.T) {
	const unanswered = "version: 1\nrules:\n  - {id: r, title: R, kind: unanswered, severity: 3"
	for name, x := range map[string]struct{ text, id string }{
		"no sla":               {unanswered + "}\n", "key"},
		"unknown sla":          {unanswered + ", sla: s}\n", "E01"},
		"unknown calendar":     {"version: 1\nsla: {s: {clock: availability.desk}}\n", "E01"},
		"no calendar":          {"version: 1\nsla: {s: {clock: desk}}\n", "type"},
		"second before first":  {"version: 1\nsla: {s: {first_answer: 2h, answer: 1h}}\n", "type"},
		"at once":              {"version: 1\nsla: {s: {first_answer: 0m, answer: 0m}}\n", "type"},
		"for a burst":          {"version: 1\nsla: {s: {}}\nrules:\n  - {id: r, title: R, kind: burst, match: {}, floor: {items: 5, authors: 3}, sla: s}\n", "key"},
		"batch without clocks": {"version: 1\nrules:\n  - {id: r, title: R, kind: each, match: {}, severity: 3, dedupe: {by: [author], for: 1h}, batch: 5m}\n", "key"},
		"no hours":             {"version: 1\navailability: {a: {timezone: UTC}}\n", "key"},
		"never open":           {"version: 1\navailability: {a: {hours: {}}}\n", "E07"},
		"no day":               {"version: 1\navailability: {a: {hours: {mo-fr: \"08:00-20:00\"}}}\n", "E07"},
		"no holiday":           {"version: 1\navailability: {a: {hours: {mon: \"08:00-20:00\"}, holidays: [christmas]}}\n", "E07"},
		"no such day":          {"version: 1\navailability: {a: {hours: {mon: \"08:00-20:00\"}, holidays: [\"2026-02-30\"]}}\n", "E07"},
		"holiday backwards":    {"version: 1\navailability: {a: {hours: {mon: \"08:00-20:00\"}, holidays: [\"2026-12-26..2026-12-24\"]}}\n", "E07"},
		"quiet without hours":  {"version: 1\nroutes: {a: {slack: {channel: \"#a\"}, quiet_hours: {pass_severity: 2}}}\n", "key"},
	} {
		s, errs := one(t, x.text, Options{})
		if s != nil || errs[0].ID != x.id {
			t.Errorf("%s: refused %v: %v", name, s == nil, errs)
		}
	}
	_, errs := one(t, "version: 1\navailability: {a: {hours: {mon: \"08:00-20:00\"}, holidays: [\"2025-12-24\"]}}\n", Options{Now: oslo(t, "2026-03-01 12:00")})
	if len(errs) != 1 || errs[0].ID != "W15" {
		t.Errorf("a holiday that has ended: %v", errs)
	}
}
