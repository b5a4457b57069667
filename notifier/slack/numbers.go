package slack

import (
	"fmt"
	"time"

	slackapi "github.com/slack-go/slack"
)

// numbers are the figures of the incident, two beside each other where the screen is wide enough.
func (p *page) numbers() []*slackapi.TextBlockObject {
	e := &p.Incident.Evidence
	var f []*slackapi.TextBlockObject
	add := func(name, value string) {
		if value != "" {
			f = append(f, mrkdwn("*"+name+"*\n"+value, maxField))
		}
	}
	if w := e.Window; w.Length > 0 {
		add("Now", number(w.Observed)+" in "+span(w.Length))
		add("Usual", usual(w.Expected, w.High))
	}
	add("People", p.people())
	if e.Total > 0 {
		add("Negative", fmt.Sprintf("%s of %s", number(float64(e.Negative)), some(e.Total, "mention", "mentions")))
	}
	add("Where", p.whereFrom())
	add("Languages", top(e.Languages, language, counted))
	add("About", top(e.Categories, topic, shareOf(e.Categories)))
	if !p.Incident.Since.IsZero() {
		add("Since", when(p.Incident.Since))
	}
	return f
}

func usual(expected, high float64) string {
	s := number(expected)
	if high > expected {
		s += ", rarely above " + number(high)
	}
	return s
}

func (p *page) people() string {
	e := &p.Incident.Evidence
	if e.Authors == 0 {
		return ""
	}
	s := some(e.Authors, "author", "authors")
	if e.Reach > 0 {
		s += ", reach " + number(float64(e.Reach))
	}
	if e.Copied > 0 {
		s += ", " + some(e.Copied, "copied text", "copied texts")
	}
	return s
}

// whereFrom lists networks, or the sources where no network is known.
func (p *page) whereFrom() string {
	same := func(s string) string { return s }
	if e := &p.Incident.Evidence; len(e.Networks) > 0 {
		return top(e.Networks, same, counted)
	}
	return top(p.Incident.Evidence.Sources, same, counted)
}

func counted(n int) string { return number(float64(n)) }

// shareOf shows a count as its part of the whole split.
func shareOf(split map[string]int) func(int) string {
	all := 0
	for _, n := range split {
		all += n
	}
	return func(n int) string { return fmt.Sprintf("%d %%", (200*n+all)/(2*max(all, 1))) }
}

// summary is the figures in one clause, for lines: "94 in 1 h, usually 6.1; 71 authors".
func (p *page) summary() string {
	e := &p.Incident.Evidence
	if e.Window.Length <= 0 {
		return ""
	}
	s := fmt.Sprintf("%s in %s, usually %s", number(e.Window.Observed), span(e.Window.Length), number(e.Window.Expected))
	if e.Authors > 0 {
		s += "; " + some(e.Authors, "author", "authors")
	}
	return s
}

// ago is how long something has lasted, in words.
func ago(from, now time.Time) string {
	if from.IsZero() {
		return "a while"
	}
	return span(now.Sub(from).Round(time.Minute))
}
