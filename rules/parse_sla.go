package rules

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// calendarPrefix stands in front of a calendar's id where a file refers to one.
const calendarPrefix = "availability."

// calendar reads when somebody is there.
func (l *loader) calendar(id string, k, v *yaml.Node) {
	c := &Calendar{Pos: l.pos(k), ID: id}
	seen := l.object(v, "a calendar", fields{
		"timezone": func(v *yaml.Node) { c.Zone = l.zone(v) },
		"hours":    func(v *yaml.Node) { l.week(v, c) },
		"holidays": func(v *yaml.Node) { c.Holidays = l.holidays(v) },
	})
	l.need(v, seen, "a calendar", "hours")
	l.set.Calendars[id] = c
}

// placeCalendars gives calendars without a zone that of the files, which may stand below them.
func (l *loader) placeCalendars() {
	for _, c := range l.set.Calendars {
		if c.Zone == nil {
			c.Zone = l.set.Zone
		}
	}
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// week reads the hours of weekdays: mon, mon-fri, daily. A span past midnight goes on into the next day.
func (l *loader) week(v *yaml.Node, c *Calendar) {
	l.each(v, func(k, v *yaml.Node) {
		days := l.days(k)
		for _, n := range l.items(v) {
			from, to := l.hours(n)
			for _, d := range days {
				if from < to {
					c.Hours[d] = append(c.Hours[d], Hours{from, to})
				} else if from > to {
					c.Hours[d] = append(c.Hours[d], Hours{from, 24 * 60})
					c.Hours[(d+1)%7] = append(c.Hours[(d+1)%7], Hours{0, to})
				}
			}
		}
	})
	open := false
	for d := range c.Hours {
		c.Hours[d] = joined(c.Hours[d])
		open = open || len(c.Hours[d]) > 0
	}
	if !open {
		l.fail(v, "E07", "the calendar is never open", "its clocks would stand still for ever", `write hours: {mon-fri: "08:00-20:00"}`)
	}
}

// joined sorts hours and joins those that meet.
func joined(hours []Hours) []Hours {
	slices.SortFunc(hours, func(a, b Hours) int { return cmp.Compare(a.From, b.From) })
	var out []Hours
	for _, h := range hours {
		if h.From == h.To {
			continue
		}
		if n := len(out); n > 0 && h.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, h.To)
			continue
		}
		out = append(out, h)
	}
	return out
}

// days reads the weekdays that a key names.
func (l *loader) days(k *yaml.Node) []int {
	if k.Value == "daily" {
		return []int{0, 1, 2, 3, 4, 5, 6}
	}
	first, last, span := strings.Cut(k.Value, "-")
	if !span {
		last = first
	}
	from, to := slices.Index(weekdays, first), slices.Index(weekdays, last)
	if from < 0 || to < 0 {
		l.fail(k, "E07", describe(k)+" is no day of the week", "", "write mon, mon-fri, sat or daily")
		return nil
	}
	days := []int{from}
	for d := from; d != to; {
		d = (d + 1) % 7
		days = append(days, d)
	}
	return days
}

var digestForm = regexp.MustCompile(`^(?:(mon|tue|wed|thu|fri|sat|sun|daily) )?([01]?[0-9]|2[0-3]):([0-5][0-9])$`)

// digestTime reads "Mon 09:00", or "09:00" for every day.
func (l *loader) digestTime(v *yaml.Node) *DigestTime {
	m := digestForm.FindStringSubmatch(strings.ToLower(v.Value))
	if v.Kind != yaml.ScalarNode || m == nil {
		l.typeError(v, "a time of the week or day", `"Mon 09:00" or "09:00"`)
		return nil
	}
	hour, _ := strconv.Atoi(m[2])
	minute, _ := strconv.Atoi(m[3])
	return &DigestTime{time.Weekday(slices.Index(weekdays, m[1])), hour*60 + minute} // -1, which is Daily, where there is none
}

var holidayForm = regexp.MustCompile(`^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\.\.([0-9]{4}-[0-9]{2}-[0-9]{2}))?$`)

// holidays reads days and spans of days: "2027-01-01", "2026-12-24..2026-12-26".
func (l *loader) holidays(v *yaml.Node) []Holiday {
	var all []Holiday
	for _, n := range l.items(v) {
		m := holidayForm.FindStringSubmatch(n.Value)
		if n.Kind != yaml.ScalarNode || m == nil {
			l.fail(n, "E07", describe(n)+" is no day", "", `write it like "2027-01-01" or "2026-12-24..2026-12-26"`)
			continue
		}
		h := Holiday{m[1], cmp.Or(m[2], m[1])}
		_, wrong := time.Parse(time.DateOnly, h.From)
		end, bad := time.Parse(time.DateOnly, h.To)
		switch {
		case wrong != nil || bad != nil:
			l.fail(n, "E07", describe(n)+" has a day that is in no calendar", "", "")
		case h.To < h.From:
			l.fail(n, "E07", "the holiday ends before it begins", "", "exchange the days")
		case !l.opt.Now.IsZero() && end.AddDate(0, 0, 2).Before(l.opt.Now):
			l.warn(n, "W15", "the holiday "+n.Value+" has ended", "it changes nothing any more", "take it out or write that of the next year")
			fallthrough
		default:
			all = append(all, h)
		}
	}
	return all
}

// sla reads answer clocks.
func (l *loader) sla(id string, k, v *yaml.Node) {
	a := &SLA{Pos: l.pos(k), ID: id, FirstAnswer: time.Hour, Answer: 24 * time.Hour}
	at := answerPlaces{a.Pos, a.Pos}
	seen := l.object(v, "an sla", fields{
		"first_answer":    func(v *yaml.Node) { a.FirstAnswer, at.first = l.duration(v, toAnswer), l.pos(v) },
		"answer":          func(v *yaml.Node) { a.Answer, at.answer = l.duration(v, toAnswer), l.pos(v) },
		"clock":           func(v *yaml.Node) { a.Clock = l.clock(v, "always") },
		"breach_severity": func(v *yaml.Node) { a.BreachSeverity = l.severity(v) },
	})
	switch {
	case seen["first_answer"] != nil && seen["answer"] == nil:
		a.Answer = max(a.Answer, a.FirstAnswer)
	case a.FirstAnswer == 0 || a.Answer == 0: // told already
	case a.FirstAnswer > a.Answer:
		l.fail(cmp.Or(seen["first_answer"], k), "type", fmt.Sprintf("first_answer of %s comes after answer of %s", shortDuration(a.FirstAnswer), shortDuration(a.Answer)),
			"the second breach is the graver one", "make first_answer the shorter one")
	}
	l.set.SLAs[id], l.answerPos[id] = a, at
}

// clock reads "availability.ID", or the word for none.
func (l *loader) clock(v *yaml.Node, none string) string {
	s := l.str(v)
	if s == none || s == "" {
		return ""
	}
	id, ok := strings.CutPrefix(s, calendarPrefix)
	if !ok {
		l.fail(v, "type", fmt.Sprintf("%s is no calendar", describe(v)), "", fmt.Sprintf("write %s, or %sdesk and define it under availability", none, calendarPrefix))
		return ""
	}
	l.refer(v, "calendar", id)
	return id
}

// answerFields adds the keys of answer clocks.
func (l *loader) answerFields(r *ruleDraft, known fields) {
	known["sla"] = func(v *yaml.Node) { r.SLA = l.str(v); l.refer(v, "sla", r.SLA) }
	known["batch"] = func(v *yaml.Node) { r.Batch = l.duration(v, toBatch) }
}

// checkAnswers checks the answer clocks of a rule.
func (l *loader) checkAnswers(n *yaml.Node, seen map[string]*yaml.Node, r *ruleDraft) {
	switch {
	case r.Kind == Unanswered:
		l.need(n, seen, "a rule of kind unanswered", "sla", "severity")
	case r.Kind != Each && seen["sla"] != nil:
		l.fail(seen["sla"], "key", "sla is for rules of kind unanswered and each", fmt.Sprintf("a rule of kind %s looks at no single complaint", r.Kind), "write a rule of kind unanswered with the same match")
	}
	if seen["batch"] != nil && seen["sla"] == nil {
		l.fail(seen["batch"], "key", "batch is for rules with an sla", "", "take it out")
	}
}
