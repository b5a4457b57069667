package slack

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// icon and severity go together: a colour alone says nothing to some people.
func icon(s rules.Severity) string {
	switch s {
	case rules.Crisis:
		return "🔴"
	case rules.Serious:
		return "🟠"
	case rules.Issue:
		return "🟡"
	case rules.Notice:
		return "🔵"
	}
	return "⚪"
}

// voice says our own words in one language, for Slack.
type voice struct{ *notifier.Language }

// severity is the word for how grave something is, thing the same as a noun, state as what an incident is.
func (v voice) severity(s rules.Severity) string { return v.Say("severity." + strconv.Itoa(int(s))) }
func (v voice) thing(s rules.Severity) string    { return v.Say("thing." + strconv.Itoa(int(s))) }
func (v voice) state(s rules.Severity) string    { return v.Say("state." + strconv.Itoa(int(s))) }

// title returns a word with a capital.
func title(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

// when shows a time in each reader's own zone.
func when(t time.Time) string {
	t = t.UTC()
	return fmt.Sprintf("<!date^%d^{date_short_pretty} {time}|%s>", t.Unix(), t.Format("2006-01-02 15:04 UTC"))
}

var dated = regexp.MustCompile(`<!date\^[^|>]*\|([^>]*)>`)

// spelledOut has times stand as they are, for places where Slack shows none in the reader's zone.
func spelledOut(s string) string { return dated.ReplaceAllString(s, "$1") }

// lasted is how long something has lasted, in words, and ago the same after a preposition.
func (v voice) lasted(from, now time.Time) string {
	if from.IsZero() {
		return v.Say("span.while")
	}
	return v.Span(now.Sub(from).Round(time.Minute))
}

func (v voice) ago(from, now time.Time) string {
	if from.IsZero() {
		return v.Say("span.after.while")
	}
	return v.SpanAfter(now.Sub(from).Round(time.Minute))
}

// tell says what the detector has said, with times in each reader's own zone.
func (v voice) tell(text string, said detector.Said) string {
	return clip(v.Tell(text, said, notifier.Manner{Foreign: func(s string) string { return esc(s, maxBlurb) }, When: when}), 2*maxBlurb)
}

// note is what an alert says besides its incident.
func (v voice) note(a *detector.Alert) string { return v.tell(a.Note, a.Said) }

// top lists the largest entries of a split, "instagram 31, reviews 9 and 2 more".
func (v voice) top(split map[string]int, name func(string) string, show func(n int) string) string {
	const most = 4
	keys := slices.SortedFunc(maps.Keys(split), func(a, b string) int {
		return cmp.Or(cmp.Compare(split[b], split[a]), cmp.Compare(a, b))
	})
	var out []string
	for _, k := range keys[:min(most, len(keys))] {
		out = append(out, esc(name(k), maxName)+" "+show(split[k]))
	}
	s := strings.Join(out, ", ")
	if more := len(keys) - most; more > 0 {
		s += " " + v.Count("more", more)
	}
	return s
}

// person names an owner: somebody who pressed a button here by their id, a group by its, anybody else in words.
func (v voice) person(owner string) string {
	switch {
	case owner == "":
		return v.Say("somebody")
	case userID.MatchString(owner):
		return "<@" + owner + ">"
	case groupID.MatchString(owner):
		return "<!subteam^" + owner + ">"
	}
	return esc(owner, maxName)
}

// closing says why an incident was closed.
func (v voice) closing(i *detector.Incident) string {
	by := ""
	if i.ClosedBy != "" {
		by = v.Say("closing.by", "who", v.person(i.ClosedBy))
	}
	reason := i.Closing
	if reason == "" {
		reason = detector.Resolved
	}
	return v.Say("closing."+string(reason), "by", by, "into", esc(i.MergedInto, maxName))
}

// handling says what people do about an incident.
func (v voice) handling(i *detector.Incident) string {
	switch i.Handling {
	case detector.Acked:
		s := "👤 " + v.Say("handling.acked", "who", v.person(i.Owner))
		if !i.LeaseUntil.IsZero() {
			s += v.Say("handling.until", "when", when(i.LeaseUntil))
		}
		return s
	case detector.Snoozed:
		return "💤 " + v.Say("handling.snoozed", "who", v.person(i.Owner), "when", when(i.SnoozeUntil))
	case detector.Closed:
		s := "✅ " + title(v.closing(i))
		if !i.ClosedAt.IsZero() {
			s += ", " + when(i.ClosedAt)
		}
		return s
	}
	return "⏳ " + v.Say("handling.new")
}
