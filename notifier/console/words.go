package console

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// brandName returns what to call the brand of a message.
func brandName(m *notifier.Message) string {
	if m.Brand != nil && len(m.Brand.Names) > 0 {
		return cut(clean(m.Brand.Names[0]), 40)
	}
	return cut(clean(m.Incident.Brand), 40)
}

// icon is a shape for each severity, one column wide and in every terminal's font.
func icon(s rules.Severity) string {
	switch s {
	case rules.Crisis:
		return "■"
	case rules.Serious:
		return "▲"
	case rules.Issue:
		return "◆"
	}
	return "●"
}

// handling says what people did.
func (l *lines) handling(i *detector.Incident) string {
	switch i.Handling {
	case detector.New:
		return l.say.Say("console.state.new")
	case detector.Acked:
		return l.say.Say("console.state.acked", "by", l.by(i.Owner), "until", l.until(i.LeaseUntil))
	case detector.Snoozed:
		return l.say.Say("console.state.snoozed", "by", l.by(i.Owner), "until", l.until(i.SnoozeUntil))
	}
	return l.say.Say("closing."+string(cmp.Or(i.Closing, detector.Resolved)), "by", l.by(i.ClosedBy), "into", clean(i.MergedInto))
}

func (l *lines) by(name string) string {
	if name == "" {
		return ""
	}
	return l.say.Say("closing.by", "who", cut(clean(name), 40))
}

func (l *lines) until(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return l.say.Say("handling.until", "when", l.clock(t))
}

// contradiction says what the words of a mention are that its stars deny, or nothing.
func (l *lines) contradiction(j *detector.Judged) string {
	switch {
	case !j.Disagree:
		return ""
	case j.Mention.Rating < 3:
		return l.say.Say("quote.but.positive")
	}
	return l.say.Say("quote.but.negative")
}

func asIs(s string) string { return s }

// manner is how names and times are written.
func (l *lines) manner() notifier.Manner { return notifier.Manner{Foreign: clean, When: l.clock} }

// note is what an alert says besides its incident.
func (l *lines) note(m *notifier.Message) string {
	return l.say.Tell(m.Alert.Note, m.Alert.Said, l.manner())
}

// some writes n with its noun; nothing for none.
func (l *lines) some(key string, n int) string {
	if n == 0 {
		return ""
	}
	return l.say.Count(key, n)
}

// tally lists the largest parts of a split.
func (l *lines) tally(parts map[string]int, called func(string) string) string {
	const most = 4
	names := make([]string, 0, len(parts))
	for name := range parts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(parts[b]-parts[a], strings.Compare(a, b)) })
	var out []string
	for _, name := range names[:min(most, len(names))] {
		out = append(out, fmt.Sprintf("%s %d", cut(clean(called(name)), 30), parts[name]))
	}
	if len(names) > most {
		out = append(out, l.say.Count("more", len(names)-most))
	}
	return strings.Join(out, ", ")
}

// join puts what there is between separators.
func join(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), sep)
}

// stars writes a rating from 1 to 5; nothing for none.
func stars(rating float64) string {
	n := int(rating + 0.5)
	if n < 1 || n > 5 {
		return ""
	}
	return strings.Repeat("★", n) + strings.Repeat("☆", 5-n)
}
