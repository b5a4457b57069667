package main

import (
	"testing"
	"time"
)

func TestTimesOfTheWeekAreRead(t *testing.T) {
	for s, want := range map[string]struct {
		day   time.Weekday
		after time.Duration
		on    bool
	}{
		"monday 09:00": {time.Monday, 9 * time.Hour, true},
		"Fri 17:30":    {time.Friday, 17*time.Hour + 30*time.Minute, true},
		"off":          {},
		"":             {},
	} {
		day, after, on, err := parseWeekly(s)
		if err != nil || on != want.on || day != want.day || after != want.after {
			t.Errorf("%q: %v %v %v %v", s, day, after, on, err)
		}
	}
	for _, s := range []string{"monday", "someday 09:00", "monday 25:00", "m 09:00"} {
		if _, _, _, err := parseWeekly(s); err == nil {
			t.Errorf("%q was read", s)
		}
	}
}

// TestWhenAReportWasDue: the last time it was, in the zone of the rules, across a change of clocks.
func TestWhenAReportWasDue(t *testing.T) {
	oslo, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Skip(err)
	}
	for now, want := range map[string]string{
		"2026-11-16T07:59:00Z": "2026-11-09T08:00:00Z",
		"2026-11-16T08:00:00Z": "2026-11-16T08:00:00Z",
		"2026-11-22T23:30:00Z": "2026-11-16T08:00:00Z", // a Monday already there, too early
		"2026-10-26T08:00:00Z": "2026-10-26T08:00:00Z", // winter time since the day before
		"2026-10-24T12:00:00Z": "2026-10-19T07:00:00Z",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		start, due := lastDue(at, oslo, time.Monday, 9*time.Hour)
		if got := due.UTC().Format(time.RFC3339); got != want || start.In(oslo).Hour() != 0 {
			t.Errorf("%s: %s from %s, want %s", now, got, start, want)
		}
	}
}
