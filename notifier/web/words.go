package web

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"emberwatch/rules"
)

// moment is a time as a page shows it: exact, and how far from now.
type moment struct {
	ISO      string
	Clock    string
	Relative string
}

// at returns the moment of t; nil, which templates leave out, if there is none.
func at(t, now time.Time) *moment {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &moment{t.Format(time.RFC3339), clock(t, now), relative(t, now)}
}

// clock writes a time in UTC, with as much of the date as is needed.
func clock(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04 UTC")
	case t.Sub(now).Abs() < 180*24*time.Hour:
		return t.Format("2 Jan 15:04 UTC")
	}
	return t.Format("2 Jan 2006 15:04 UTC")
}

// relative says how long ago t was, or how far ahead it is.
func relative(t, now time.Time) string {
	switch d := t.Sub(now); {
	case d.Abs() < 30*time.Second:
		return "now"
	case d > 0:
		return "in " + span(d)
	default:
		return span(d) + " ago"
	}
}

// due says when something will happen that may be a little late.
func due(t, now time.Time) string {
	if !t.After(now) {
		return "any moment"
	}
	return relative(t, now)
}

// window writes the length of a window: 15 min, 1 h, 24 h.
func window(d time.Duration) string {
	if d >= time.Hour && d%time.Hour == 0 {
		return strconv.Itoa(int(d/time.Hour)) + " h"
	}
	return span(d)
}

// span writes a length of time as people say it, rounded to its largest unit.
func span(d time.Duration) string {
	d = d.Abs()
	switch {
	case d < time.Minute:
		return strconv.Itoa(int(d.Round(time.Second)/time.Second)) + " s"
	case d < 100*time.Minute:
		return strconv.Itoa(int(d.Round(time.Minute)/time.Minute)) + " min"
	case d < 36*time.Hour:
		return number(d.Round(30*time.Minute).Hours()) + " h"
	}
	return strconv.Itoa(int((d+12*time.Hour)/(24*time.Hour))) + " days"
}

// number writes a count or an expectation: whole where it is whole or large, else with one decimal.
func number(v float64) string {
	if v == float64(int64(v)) || v >= 100 || v <= -100 {
		return thousands(int64(v))
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// thousands writes a number with commas.
func thousands[T int | int64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// severity is how a severity is shown: always as a word and a shape, never as a colour alone.
type severity struct {
	N    int
	Word string
}

func severityOf(s rules.Severity) severity { return severity{int(s), s.String()} }

// share is one line of a split.
type share struct {
	Name    string
	N       int
	Percent int
}

// split returns the parts of a whole, the largest first, the small ones of many as one.
func split(parts map[string]int, name func(string) string) []share {
	const most = 8
	var total, rest int
	out := make([]share, 0, len(parts))
	for k, n := range parts {
		out = append(out, share{Name: name(k), N: n})
		total += n
	}
	slices.SortFunc(out, func(a, b share) int { return cmp.Or(b.N-a.N, strings.Compare(a.Name, b.Name)) })
	if len(out) > most {
		for _, s := range out[most-1:] {
			rest += s.N
		}
		out = append(out[:most-1], share{Name: fmt.Sprintf("%d others", len(parts)-most+1), N: rest})
	}
	for i := range out {
		out[i].Percent = (100*out[i].N + total/2) / max(total, 1)
	}
	return out
}

func asIs(s string) string { return s }

// spaced turns an id such as false_alarm or not-arrived into words.
func spaced(s string) string { return strings.NewReplacer("_", " ", "-", " ").Replace(s) }

// languages names the codes that the scorer knows.
var languages = map[string]string{
	"ar": "Arabic", "de": "German", "en": "English", "es": "Spanish", "fr": "French", "it": "Italian",
	"nl": "Dutch", "pt": "Portuguese", "ru": "Russian", "sv": "Swedish", "tr": "Turkish", "uk": "Ukrainian",
	"zh": "Chinese", "ja": "Japanese", "und": "language not known", "": "language not known",
}

// language names a language; a code that has no name here stays as it is.
func language(code string) string {
	if name, ok := languages[code]; ok {
		return name
	}
	return code
}

// langAttr returns a code that may stand in a lang attribute, else nothing.
func langAttr(code string) string {
	if code == "und" || len(code) > 16 || strings.ContainsFunc(code, func(r rune) bool {
		return r != '-' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) {
		return ""
	}
	return code
}

// link returns a foreign address if a click on it only leads to another page.
func link(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
		return ""
	}
	return u.String()
}

// cut shortens a text to about most characters, at a blank if there is one near.
func cut(s string, most int) string {
	r := []rune(s)
	if len(r) <= most {
		return s
	}
	s = string(r[:most])
	if i := strings.LastIndexByte(s, ' '); i > len(s)*3/4 {
		s = s[:i]
	}
	return s + " …"
}

// plural writes n and the noun in the number that goes with it.
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}
