package console

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
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

// headline says for each reason what has happened.
var headline = map[detector.NotifyReason]string{
	detector.ReasonFirst: "new", detector.ReasonWorse: "worse", detector.ReasonNewSource: "in another source",
	detector.ReasonEscalated: "escalated", detector.ReasonReminder: "still not acknowledged",
	detector.ReasonLeaseEnded: "acknowledgement has run out", detector.ReasonSnoozeOver: "snooze is over",
	detector.ReasonCalm: "calm again", detector.ReasonResolved: "resolved", detector.ReasonReopened: "reopened",
	detector.ReasonDigest: "digest", detector.ReasonSourceDown: "a source is silent",
	detector.ReasonDeliveryFailed: "could not be delivered", detector.ReasonUpdated: "update",
}

// handling says what people did.
func handling(i *detector.Incident, clock func(time.Time) string) string {
	who := by(i.Owner)
	switch i.Handling {
	case detector.New:
		return "not acknowledged"
	case detector.Acked:
		return "acknowledged" + who + until(i.LeaseUntil, clock)
	case detector.Snoozed:
		return "snoozed" + who + until(i.SnoozeUntil, clock) + ", or until it gets worse"
	}
	switch i.Closing {
	case detector.Merged:
		return "merged into " + clean(i.MergedInto)
	case detector.CalmAgain:
		return "closed, calm again"
	case detector.FalseAlarm, detector.KnownEvent:
		return "closed as " + strings.ReplaceAll(string(i.Closing), "_", " ") + by(i.ClosedBy)
	}
	return string(cmp.Or(i.Closing, "closed")) + by(i.ClosedBy)
}

func by(name string) string {
	if name == "" {
		return ""
	}
	return " by " + cut(clean(name), 40)
}

func until(t time.Time, clock func(time.Time) string) string {
	if t.IsZero() {
		return ""
	}
	return " until " + clock(t)
}

// tally lists the largest parts of a split.
func tally(parts map[string]int) string {
	const most = 4
	names := make([]string, 0, len(parts))
	for name := range parts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(parts[b]-parts[a], strings.Compare(a, b)) })
	var out []string
	for _, name := range names[:min(most, len(names))] {
		out = append(out, fmt.Sprintf("%s %d", cut(clean(name), 30), parts[name]))
	}
	if len(names) > most {
		out = append(out, fmt.Sprintf("%d more", len(names)-most))
	}
	return strings.Join(out, ", ")
}

// join puts what there is between separators.
func join(sep string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), sep)
}

// number writes a count or an expectation: whole where it is whole or large, else with one decimal.
func number(v float64) string {
	if v == float64(int64(v)) || v >= 100 || v <= -100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'f', 1, 64)
}

// span writes a length of time as people say it.
func span(d time.Duration) string {
	switch d = d.Abs(); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d/time.Second))
	case d < time.Hour || (d < 2*time.Hour && d%time.Hour != 0):
		return fmt.Sprintf("%d min", int(d.Round(time.Minute)/time.Minute))
	case d <= 48*time.Hour:
		return number(d.Round(30*time.Minute).Hours()) + " h"
	}
	return fmt.Sprintf("%d days", int(d.Hours()+12)/24)
}

// plural writes n and the noun in the number that goes with it; nothing for none.
func plural(n int, noun string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// stars writes a rating from 1 to 5; nothing for none.
func stars(rating float64) string {
	n := int(rating + 0.5)
	if n < 1 || n > 5 {
		return ""
	}
	return strings.Repeat("★", n) + strings.Repeat("☆", 5-n)
}
