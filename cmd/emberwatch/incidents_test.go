package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/rules"
	"emberwatch/sources"
)

// evil is a text that would move the cursor, turn the line around, and format markdown.
const evil = "1. \x1b[2J\u202e# <b>*x*</b>\n[y](https://evil.example) `z` | ![i](//e)"

// evilIncident has it wherever a foreign text can come from.
func evilIncident(h detector.Handling) *incidentView {
	return &incidentView{
		Incident: detector.Incident{
			ID: "acme-1", Title: evil, Sentence: evil, Rule: evil, Signal: evil, SeverityWhy: evil, Handling: h, Owner: evil, ClosedBy: evil,
			Evidence: detector.Evidence{Sources: map[string]int{evil: 1}, Learning: evil, Windows: make([]detector.Window, 1)},
		},
		Audit:    []detector.Audit{{Op: evil, Note: evil, Actor: detector.Actor{ID: evil, Via: evil}}, {Op: "note"}},
		Mentions: []detector.Judged{{Lang: evil, Mention: sources.Mention{Source: evil, Text: evil, Author: sources.Author{Name: evil}}}},
	}
}

func TestForeignTextOnlyShowsOnATerminal(t *testing.T) {
	for _, h := range []detector.Handling{detector.New, detector.Acked, detector.Snoozed, detector.Closed} {
		var out bytes.Buffer
		(&app{stdout: &out}).show(notifier.English(), evilIncident(h))
		if s := out.String(); strings.ContainsAny(s, "\x1b\u202e") || strings.Contains(s, "\n[y]") {
			t.Errorf("%s: %q", h, s)
		}
	}
}

func TestForeignTextFormatsNoMarkdown(t *testing.T) {
	var out bytes.Buffer
	(&app{stdout: &out}).markdown(notifier.English(), evilIncident(detector.New))
	escaped := regexp.MustCompile(`\\.`)
	for line := range strings.Lines(out.String()) {
		spans := strings.Split(escaped.ReplaceAllString(line, ""), "`")
		if len(spans)%2 == 0 {
			t.Errorf("a code span that does not end: %q", line)
		}
		for k := 0; k < len(spans); k += 2 { // what is outside of the spans
			if strings.ContainsAny(spans[k], "*<[!") {
				t.Errorf("%q formats %q", spans[k], line)
			}
		}
	}
	if s := out.String(); strings.ContainsAny(s, "\x1b\u202e") || strings.Contains(s, "\n1. ") {
		t.Errorf("%q", s)
	}
}

func TestProse(t *testing.T) {
	for in, want := range map[string]string{
		"12 negative mentions in 1 h.": "12 negative mentions in 1 h.",
		"1. one":                       `1\. one`,
		"- one":                        `\- one`,
		"follow-up":                    "follow-up",
		"a_b <i> [x](y)":               `a\_b \<i\> \[x\](y)`,
		"see https://evil.example":     `see https\://evil.example`,
		"two\nlines # here":            `two lines \# here`,
		"":                             "",
	} {
		if got := prose(in); got != want {
			t.Errorf("prose(%q) = %q, want %q", in, got, want)
		}
	}
}

// TestAnIncidentIsShownInGerman: no word of ours is the same as in English unless it is German too.
func TestAnIncidentIsShownInGerman(t *testing.T) {
	at := time.Date(2026, 11, 16, 8, 30, 0, 0, time.UTC)
	v := &incidentView{
		Incident: detector.Incident{
			ID: "acme-1", Title: "More complaints than usual", NamedBy: "neg-burst", Rule: "neg-burst", Signal: "negative", Severity: rules.Serious, Sentence: "Several mentions.",
			Signals: []detector.ActiveSignal{{Series: "negative"}}, SeveritySaid: detector.Said{{Code: "why.topic", Topic: "delivery"}}, Since: at,
			Evidence: detector.Evidence{
				Window: detector.Window{Length: time.Hour, Observed: 1200, Expected: 6.1, High: 12}, Windows: []detector.Window{{Length: time.Hour, Observed: 1200, Expected: 6.1, High: 12}},
				Authors: 39, Day: 3, Budget: &detector.Budget{PerWeek: 1}, Categories: map[string]int{"delivery": 40},
			},
		},
		Audit: []detector.Audit{
			{Op: "opened", At: at, Said: detector.Said{{Code: "why.topic", Topic: "delivery"}}, Changes: map[string][2]any{"handling": {"new", "acked"}, "severity": {3.0, 2.0}}},
			{Op: "false-alarm", At: at, Said: detector.Said{{Code: "note.until", At: at}}},
			{Op: "reopen", At: at, Changes: map[string][2]any{"handling": {"closed", "new"}, "owner": {"root", ""}}},
		},
		Mentions: []detector.Judged{{Mention: sources.Mention{Source: "shop", Text: "valve", CreatedAt: at}}},
	}
	told := func(lang string) string {
		var out bytes.Buffer
		a, l := &app{stdout: &out}, (*notifier.Languages)(nil).In(lang)
		for _, h := range []detector.Handling{detector.New, detector.Acked, detector.Snoozed, detector.Closed} {
			v.Incident.Handling, v.Incident.Closing = h, detector.KnownEvent
			a.show(l, v)
			a.markdown(l, v)
		}
		return out.String()
	}
	de := told("de")
	if left := notifiertest.Untranslated(t, "../../notifier/words/de.yml", told("en"), de, "acme neg-burst negative shop valve root UTC "+at.Local().Format("MST")); len(left) > 0 {
		t.Errorf("not translated: %v\n%s", left, de)
	}
	for _, want := range []string{
		"Mehr Beschwerden als sonst (Regel neg-burst", "ungewöhnlich viele Beschwerden über Lieferung", "1.200", "Bearbeitung offen → übernommen", "vorläufig, Tag 3 von 7",
		at.Local().Format("02.01.2006 15:04 MST") + "  shop jemand", "Bearbeitung geschlossen → offen; zuständig root → –\n",
	} {
		if !strings.Contains(de, want) {
			t.Errorf("%q is not in\n%s", want, de)
		}
	}
}
