package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

func (l *loader) route(id string, k, v *yaml.Node) {
	r := &Route{Pos: l.pos(k), ID: id}
	l.object(v, "a route", fields{
		"slack":       func(v *yaml.Node) { r.Slack = l.slack(v) },
		"quiet_hours": func(v *yaml.Node) { r.Quiet = l.quietHours(v) },
		"ladder":      func(v *yaml.Node) { r.Ladder = l.ladder(v, id) },
		"also":        func(v *yaml.Node) { r.Also = l.notifiers(v) },
		"fallback":    func(v *yaml.Node) { r.Fallback = l.notifiers(v) },
		"notify":      func(v *yaml.Node) { r.Notify = l.notify(v) },
		"private":     func(v *yaml.Node) { r.Private = l.bool(v) },
		"language":    func(v *yaml.Node) { r.Language = l.language(v) },
		"digest":      func(v *yaml.Node) { r.Digest = l.digestTime(v) },
	})
	if r.Slack.Channel == "" && r.Slack.User == "" && len(r.Also)+len(r.Fallback) == 0 && id != DefaultRoute {
		l.fail(k, "E04", fmt.Sprintf("the route %q reaches nobody", id), "what goes there is lost",
			`give it slack: {channel: "#…"} or also: [a notifier]`)
	}
	l.set.Routes[id] = r
}

func (l *loader) slack(v *yaml.Node) Slack {
	var s Slack
	l.object(v, "slack", fields{
		"channel": func(v *yaml.Node) { s.Channel = l.channel(v) },
		"user":    func(v *yaml.Node) { s.User = l.str(v) },
		"mention": func(v *yaml.Node) { s.Mention = l.str(v) },
	})
	return s
}

var channelForm = regexp.MustCompile(`^(#[^\s#@]{1,80}|[CGD][A-Z0-9]{6,})$`)

func (l *loader) channel(v *yaml.Node) string {
	if v.Kind == yaml.ScalarNode && v.ShortTag() == "!!null" {
		l.fail(v, "type", "the channel is empty", "after a space # begins a comment in YAML", `put it in quotes: "#pr-alerts"`)
		return ""
	}
	s := l.str(v)
	if s != "" && !channelForm.MatchString(s) {
		l.typeError(v, "a Slack channel", `"#pr-alerts", in quotes because of the #`)
		return ""
	}
	return s
}

func (l *loader) quietHours(v *yaml.Node) *QuietHours {
	q := &QuietHours{PassSeverity: Serious, Otherwise: "digest_at_end"}
	seen := l.object(v, "quiet_hours", fields{
		"timezone":      func(v *yaml.Node) { q.Zone = l.zone(v) },
		"hours":         func(v *yaml.Node) { q.From, q.To = l.hours(v) },
		"outside":       func(v *yaml.Node) { q.Outside = l.clock(v, "never") },
		"pass_severity": func(v *yaml.Node) { q.PassSeverity = l.passSeverity(v) },
		"otherwise":     func(v *yaml.Node) { q.Otherwise = l.oneOf(v, "digest_at_end", "hold") },
	})
	if seen != nil && seen["outside"] == nil {
		l.need(v, seen, "quiet_hours", "hours")
	}
	return q
}

func (l *loader) passSeverity(v *yaml.Node) Severity {
	s := l.severity(v)
	if s == Crisis {
		l.fail(v, "E03", "pass_severity 1 would silence severity 2 at night", "severities 1 and 2 always reach people", "write 2, 3 or 4")
	}
	return s
}

var hoursForm = regexp.MustCompile(`^([01]?[0-9]|2[0-3]):([0-5][0-9])\s*-\s*([01]?[0-9]|2[0-4]):([0-5][0-9])$`)

// hours reads "22:00-07:00" as minutes of the day.
func (l *loader) hours(v *yaml.Node) (from, to int) {
	m := hoursForm.FindStringSubmatch(v.Value)
	if v.Kind != yaml.ScalarNode || m == nil {
		l.typeError(v, "a span of hours", `"22:00-07:00"`)
		return 0, 0
	}
	var t [4]int
	for i := range t {
		t[i], _ = strconv.Atoi(m[i+1])
	}
	from, to = t[0]*60+t[1], t[2]*60+t[3]
	if from == to || to > 24*60 {
		l.fail(v, "E07", "the hours "+v.Value+" are no span", "", `write it like "22:00-07:00"`)
	}
	return from, to
}

// ladder reads the steps and checks that they lead up: in time, and to somebody else.
func (l *loader) ladder(v *yaml.Node, own string) []Step {
	steps := []Step{}
	last := map[Severity]time.Duration{}
	l.list(v, func(n *yaml.Node) {
		var s Step
		seen := l.object(n, "a step", fields{
			"after":    func(v *yaml.Node) { s.After = l.duration(v, toClimb) },
			"severity": func(v *yaml.Node) { s.Severity = l.severity(v) },
			"to":       func(v *yaml.Node) { s.To = l.str(v); l.refer(v, "route", s.To) },
			"again":    func(v *yaml.Node) { s.Again = l.bool(v) },
		})
		if !l.need(n, seen, "a step", "after", "severity", "to") {
			return
		}
		if s.To == own && !s.Again {
			l.fail(seen["to"], "E11", fmt.Sprintf("the ladder leads back to its own route %q", own),
				"the people there have been told already", "name another route, or add again: true to remind them")
		}
		if before, ok := last[s.Severity]; ok && s.After > 0 && s.After <= before {
			l.fail(seen["after"], "E11", fmt.Sprintf("this step for severity %d comes after %s, the one before it after %s", s.Severity, shortDuration(s.After), shortDuration(before)),
				"the steps for one severity must rise in time", "put them in the order of time")
		}
		last[s.Severity] = s.After
		steps = append(steps, s)
	})
	return steps
}

func (l *loader) notifiers(v *yaml.Node) []string {
	var all []string
	for _, n := range l.items(v) {
		s := l.str(n)
		if s == "" {
			continue
		}
		if l.opt.Notifiers != nil {
			l.refs = append(l.refs, reference{l.pos(n), "notifier", s})
		}
		all = append(all, s)
	}
	return all
}

func (l *loader) notify(v *yaml.Node) Notify {
	var n Notify
	l.object(v, "notify", fields{
		"reminder": func(v *yaml.Node) { n.Reminder = l.duration(v, toNotify) },
		"worse":    func(v *yaml.Node) { n.Worse = l.duration(v, toNotify) },
		"gather":   func(v *yaml.Node) { n.Gather = l.duration(v, toGather) },
		"roots":    func(v *yaml.Node) { n.Roots, n.RootsIn = l.roots(v) },
	})
	return n
}

// mostRoots is how many new threads a route may be told of in a time.
const mostRoots = 1000

// roots reads "6 in 10m".
func (l *loader) roots(v *yaml.Node) (int, time.Duration) {
	many, in, ok := strings.Cut(v.Value, " in ")
	n, err := strconv.Atoi(strings.TrimSpace(many))
	d, timed := durationOf(strings.TrimSpace(in))
	if v.Kind != yaml.ScalarNode || !ok || err != nil || n < 1 || n > mostRoots || !timed {
		l.typeError(v, fmt.Sprintf("a number up to %d in a time", mostRoots), `"6 in 10m"`)
		return 0, 0
	}
	return n, l.bounded(v, d, toNotify)
}
