package detector

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"emberwatch/sources"
)

const nightRules = `
version: 1
timezone: Europe/Oslo
brands: {acme: {names: [Acme]}}
availability: {office: {hours: {mon-fri: "08:00-18:00"}}}
routes:
  night: {slack: {channel: "#night"}, quiet_hours: {hours: "22:00-07:00"}}
  week: {slack: {channel: "#week"}, quiet_hours: {outside: availability.office}}
categories:
  leak: {sev: 3, weight: 0.9, cues: {en: [drip]}}
  theft: {sev: 3, weight: 0.9, cues: {en: [stolen]}}
  fire: {sev: 3, weight: 0.9, cues: {en: [smoke]}}
rules:
  - {id: leak, title: Leak, kind: each, match: {category: leak}, severity: 3, route: night, dedupe: {by: [author], for: 1m}}
  - {id: theft, title: Theft, kind: each, match: {category: theft}, severity: 2, route: night, dedupe: {by: [author], for: 1m}}
  - {id: fire, title: Fire, kind: each, match: {category: fire}, severity: 3, route: week, dedupe: {by: [author], for: 1m}}
`

// A day and a night with the daemon's own second hand, over the change of the clocks: two o'clock of 29 March is three
// o'clock in Oslo. Everything is told once, when it is due, by the clock on the wall where that counts.
func TestDayWithChangeOfClocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, _ := open(t, func(o *Options) { o.Rules = mustRules(nightRules) })
		d.Now = time.Now
		oslo, err := time.LoadLocation("Europe/Oslo")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Date(2026, 3, 28, 22, 30, 0, 0, oslo)
		time.Sleep(time.Until(start))
		told := []string{}
		n := 0
		say := func(text string) {
			n++
			m := sources.Mention{
				ID: fmt.Sprint(n), Source: "shop", Kind: sources.Comment, Brand: "acme", Author: sources.Author{ID: fmt.Sprint(n)},
				Text: text, CreatedAt: time.Now().UTC(),
			}
			if _, err := d.Ingest(t.Context(), sources.Batch{Source: "shop", Mentions: []sources.Mention{m}}); err != nil {
				t.Fatal(err)
			}
		}
		until := func(at time.Time) {
			for ; time.Now().Before(at); time.Sleep(time.Second) {
				if err := d.Tick(t.Context()); err != nil {
					t.Fatal(err)
				}
				told = append(told, deliver(t, d, oslo)...)
			}
		}
		say("drip")   // severity 3 waits for the morning
		say("smoke")  // severity 3 on a route that follows the office waits for Monday
		say("stolen") // severity 2 waits for nothing
		until(start.Add(90 * time.Minute))
		res, err := d.Respond(t.Context(), Event{ID: "1", Incident: "acme-3", Op: OpAck, Actor: Actor{ID: "ann"}})
		if err != nil || res.Outcome != Applied {
			t.Fatalf("%+v, %v", res, err)
		}
		until(time.Date(2026, 3, 29, 6, 0, 0, 0, oslo))
		say("drip") // they go on: severity 3 is over after eight hours
		say("stolen")
		until(start.AddDate(0, 0, 1))
		say("smoke") // a second time, after the first was over: Monday morning is one message
		until(time.Date(2026, 3, 30, 8, 5, 0, 0, oslo))
		want := []string{
			"28 22:30 acme-3 root first",
			"28 22:50 acme-3 broadcast escalated",
			"28 23:00 acme-3 thread reminder",
			"28 23:30 acme-3 broadcast escalated",
			"29 05:00 acme-3 thread lease_ended", // four hours after midnight, of which there is no 02:00
			"29 05:30 acme-3 broadcast lease_ended",
		}
		if got := told[:min(len(told), len(want))]; !slices.Equal(got, want) {
			t.Errorf("in the night:\n got %q\nwant %q", got, want)
		}
		for _, w := range []string{"29 07:00 acme-1 root first", "30 08:00 digest root digest"} {
			if !slices.Contains(told, w) {
				t.Errorf("not told: %s\nbut %q", w, told)
			}
		}
		slices.Sort(told)
		if len(slices.Compact(told)) != len(told) {
			t.Errorf("told twice: %q", told)
		}
	})
}

// deliver sends what is due and returns it, edits apart, with the time on the wall.
func deliver(t *testing.T, d *Detector, zone *time.Location) []string {
	t.Helper()
	var told []string
	for _, a := range d.Pending(time.Now()) {
		ref := Ref{Channel: a.Route, ID: fmt.Sprint(a.Seq)}
		if err := d.Mark(t.Context(), Receipt{Seq: a.Seq, State: AlertSending}, Receipt{Seq: a.Seq, State: AlertSent, Ref: ref}); err != nil {
			t.Fatal(err)
		}
		if IsDigest(a.Incident) {
			a.Incident = "digest"
		}
		if a.Kind != KindEdit {
			told = append(told, time.Now().In(zone).Format("02 15:04")+fmt.Sprintf(" %s %s %s", a.Incident, a.Kind, a.Reason))
		}
	}
	return told
}
