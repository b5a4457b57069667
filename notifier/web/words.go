package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// moment is a time as a page shows it: exact, and how far from now.
type moment struct {
	ISO      string
	Clock    string
	Relative string
}

// voice says a page to one reader: in their language, with the times of the team's zone, as seen now.
type voice struct {
	*notifier.Language
	zone *time.Location
	now  time.Time
}

// voice returns the voice for whoever asks: the first language of their browser that we speak, else English.
func (s *Server) voice(r *http.Request) voice {
	v := voice{notifier.English(), s.rules().Zone, s.c.Now()}
	if v.zone == nil {
		v.zone = time.UTC
	}
	tags, _, _ := language.ParseAcceptLanguage(r.Header.Get("Accept-Language")) // what cannot be read asks for nothing
	for _, t := range tags {
		base, _ := t.Base()
		if slices.Contains(s.c.Languages.Codes(), base.String()) {
			v.Language = s.c.Languages.In(base.String())
			break
		}
	}
	return v
}

// at returns the moment of t; nil, which templates leave out, if there is none.
func (v voice) at(t time.Time) *moment {
	if t.IsZero() {
		return nil
	}
	return &moment{t.UTC().Format(time.RFC3339), v.clock(t), v.relative(t)}
}

// clock writes a time in the team's zone, with as much of the date as is needed.
func (v voice) clock(t time.Time) string {
	t, now := t.In(v.zone), v.now.In(v.zone)
	switch {
	case t.YearDay() == now.YearDay() && t.Year() == now.Year():
		return t.Format("15:04 MST")
	case t.Sub(now).Abs() < 180*24*time.Hour:
		return t.Format(v.Say("page.date") + " 15:04 MST")
	}
	return t.Format(v.Say("page.date.year") + " 15:04 MST")
}

// relative says how long ago t was, or how far ahead it is.
func (v voice) relative(t time.Time) string {
	switch d := t.Sub(v.now); {
	case d.Abs() < 30*time.Second:
		return v.Say("page.now")
	case d > 0:
		return v.Say("page.ahead", "span", v.spanAfter(d))
	default:
		return v.Say("ago", "span", v.spanAfter(d))
	}
}

// due says when something will happen that may be a little late.
func (v voice) due(t time.Time) string {
	if !t.After(v.now) {
		return v.Say("page.due")
	}
	return v.relative(t)
}

// span writes a length of time to the minute, and spanAfter the same after a preposition.
func (v voice) span(d time.Duration) string      { return v.Span(d.Abs().Round(time.Minute)) }
func (v voice) spanAfter(d time.Duration) string { return v.SpanAfter(d.Abs().Round(time.Minute)) }

// count writes a whole number.
func (v voice) count(n int) string { return v.Number(float64(n)) }

// severity is how a severity is shown: always as a word and a shape, never as a colour alone.
type severity struct {
	N    int
	Word string
}

func (v voice) severity(s rules.Severity) severity {
	return severity{int(s), v.Say("severity." + strconv.Itoa(int(s)))}
}

// share is one line of a split.
type share struct {
	Name    string
	N       int
	Percent int
}

// manner is how a page shows names and times.
func (v voice) manner() notifier.Manner { return notifier.Manner{Foreign: asIs, When: v.clock} }

// told is why a button changed nothing.
func (v voice) told(r *detector.Result) string { return capital(v.Tell(r.Message, r.Said, v.manner())) }

// split returns the parts of a whole, the largest first, the small ones of many as one.
func (v voice) split(parts map[string]int, name func(string) string) []share {
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
		out = append(out[:most-1], share{Name: v.Count("page.others", len(parts)-most+1), N: rest})
	}
	for i := range out {
		out[i].Percent = (100*out[i].N + total/2) / max(total, 1)
	}
	return out
}

func asIs(s string) string { return s }

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
