package slack

import (
	"strconv"
	"strings"

	"emberwatch/detector"
)

// figures are what one judges the incident by and the sentence does not say, a line each. Of a closed one those remain
// that tell it from others.
func (p *page) figures() string {
	i, e := &p.Incident, &p.Incident.Evidence
	var lines []string
	add := func(key, value string) {
		if value != "" {
			lines = append(lines, "*"+p.v.Say("field."+key)+":* "+value)
		}
	}
	if !i.Since.IsZero() {
		add("since", when(i.Since))
	}
	if i.Open() {
		add("growth", p.growth())
	}
	add("people", p.people())
	add("where", p.whereFrom())
	if i.Open() {
		if e.Total > 0 {
			add("negative", p.v.Say("field.negative.value", "n", p.counted(e.Negative), "mentions", p.v.Count("mentions", e.Total)))
		}
		add("languages", p.v.top(e.Languages, p.v.LanguageName, p.counted))
		add("about", p.v.top(e.Categories, p.v.Topic, p.shareOf(e.Categories)))
	}
	return strings.Join(lines, "\n")
}

// growth says what has changed since people were first told: how many times as much it is, and where it is new.
func (p *page) growth() string {
	i := &p.Incident
	var parts []string
	if len(i.Signals) > 0 {
		was, now := i.Signals[0].Count, i.Evidence.Window.Observed
		if was > 0 && now >= 1.5*was && i.Signals[0].Window == detector.Duration(i.Evidence.Window.Length) {
			parts = append(parts, p.v.Say("field.growth.value", "n", p.v.Number(was), "times", p.v.Number(now/was)))
		}
	}
	if len(i.NewSources) > 0 {
		names := make([]string, 0, 3)
		for _, s := range i.NewSources[max(0, len(i.NewSources)-3):] {
			names = append(names, esc(s, maxName))
		}
		parts = append(parts, p.v.Say("field.growth.new", "places", strings.Join(names, ", ")))
	}
	return strings.Join(parts, "; ")
}

func (p *page) people() string {
	e := &p.Incident.Evidence
	if e.Authors == 0 {
		return ""
	}
	s := p.v.Count("authors", e.Authors)
	if e.Reach > 0 {
		s += ", " + p.v.Say("field.people.reach", "n", p.counted(e.Reach))
	}
	if e.Copied > 0 {
		s += ", " + p.v.Count("copied", e.Copied)
		if all := e.Copied + int(e.Window.Observed); all > 0 {
			s += " (" + p.v.Say("percent", "n", strconv.Itoa(100*e.Copied/all)) + ")"
		}
	}
	return s
}

// whereFrom lists networks, or the sources where no network is known.
func (p *page) whereFrom() string {
	same := func(s string) string { return s }
	if e := &p.Incident.Evidence; len(e.Networks) > 0 {
		return p.v.top(e.Networks, same, p.counted)
	}
	return p.v.top(p.Incident.Evidence.Sources, same, p.counted)
}

func (p *page) counted(n int) string { return p.v.Number(float64(n)) }

// shareOf shows a count as its part of the whole split.
func (p *page) shareOf(split map[string]int) func(int) string {
	all := 0
	for _, n := range split {
		all += n
	}
	return func(n int) string {
		return p.v.Say("percent", "n", strconv.Itoa((200*n+all)/(2*max(all, 1))))
	}
}

// summary is the figures in one clause, for lines: "94 in 1 h, usually 6.1; 71 authors".
func (p *page) summary() string {
	e := &p.Incident.Evidence
	if e.Window.Length <= 0 {
		return ""
	}
	s := p.v.Say("summary", "n", p.v.Number(e.Window.Observed), "window", p.v.SpanAfter(e.Window.Length), "usual", p.v.Number(e.Window.Expected))
	if e.Authors > 0 {
		s += "; " + p.v.Count("authors", e.Authors)
	}
	return s
}
