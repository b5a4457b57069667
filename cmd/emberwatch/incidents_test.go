package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"emberwatch/detector"
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
		(&app{stdout: &out}).show(evilIncident(h))
		if s := out.String(); strings.ContainsAny(s, "\x1b\u202e") || strings.Contains(s, "\n[y]") {
			t.Errorf("%s: %q", h, s)
		}
	}
}

func TestForeignTextFormatsNoMarkdown(t *testing.T) {
	var out bytes.Buffer
	(&app{stdout: &out}).markdown(evilIncident(detector.New))
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
