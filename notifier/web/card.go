package web

import (
	"cmp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// card is an incident in short.
type card struct {
	ID       string
	Path     string
	Brand    string
	Title    string
	Sentence string
	Severity severity
	DataSays string // what the data says by now, where that is not the severity
	State    string // what people did about it
	Handling string
	Since    *moment
	Closed   *moment
	Next     *next
}

// next is what will happen if nobody does anything.
type next struct {
	What string
	When string
}

// namer gives brands their names.
type namer map[string]string

func names(bs []detector.BrandState) namer {
	n := namer{}
	for _, b := range bs {
		n[b.ID] = cmp.Or(b.Name, b.ID)
	}
	return n
}

func (n namer) name(id string) string { return cmp.Or(n[id], id) }

func (v voice) card(i *detector.Incident, brands namer, set *rules.Set) card {
	return card{
		ID: i.ID, Path: "/incidents/" + i.ID, Brand: brands.name(i.Brand), Title: notifier.Title(v.Language, i),
		Sentence: notifier.Sentence(v.Language, i, v.zone, asIs),
		Severity: v.severity(i.Severity), DataSays: v.dataSays(i), State: v.state(i), Handling: string(i.Handling),
		Since: v.at(i.Since), Closed: v.at(i.ClosedAt), Next: v.next(i, set),
	}
}

// dataSays tells when the data has become milder or graver than what people were told.
func (v voice) dataSays(i *detector.Incident) string {
	switch {
	case !i.Open() || i.Level == i.Severity:
		return ""
	case i.Level == rules.Calm:
		return v.Say("page.by.now", "what", v.Say("severity.0"))
	}
	return v.Say("page.by.now", "what", v.severity(i.Level).Word)
}

// waitingSince is when an incident began to wait for somebody.
func waitingSince(i *detector.Incident) time.Time {
	if i.LadderFrom.IsZero() {
		return i.OpenedAt
	}
	return i.LadderFrom
}

// state says in words what people did about an incident.
func (v voice) state(i *detector.Incident) string {
	owner := cmp.Or(i.Owner, capital(v.Say("somebody")))
	switch i.Handling {
	case detector.New:
		return v.Say("page.state.new", "span", v.spanAfter(v.now.Sub(waitingSince(i))))
	case detector.Acked:
		if i.LeaseUntil.IsZero() {
			return v.Say("page.state.acked", "who", owner)
		}
		return v.Say("page.state.until", "who", owner, "when", v.clock(i.LeaseUntil))
	case detector.Snoozed:
		return v.Say("page.state.snoozed", "when", v.clock(i.SnoozeUntil), "by", v.by(i.Owner))
	}
	return capital(v.Say("closing."+string(cmp.Or(i.Closing, detector.Resolved)), "by", v.by(i.ClosedBy), "into", i.MergedInto))
}

func capital(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + s[size:]
}

func (v voice) by(name string) string {
	if name == "" {
		return ""
	}
	return v.Say("closing.by", "who", name)
}

// gravestFirst is the order of the page: by severity, then those that nobody has, then those that have
// waited longest.
func gravestFirst(a, b detector.Incident) int {
	return cmp.Or(
		cmp.Compare(rank(a.Severity), rank(b.Severity)),
		cmp.Compare(handlingRank(a.Handling), handlingRank(b.Handling)),
		waitingSince(&a).Compare(waitingSince(&b)),
		strings.Compare(a.ID, b.ID))
}

func rank(s rules.Severity) rules.Severity {
	if s == rules.Calm {
		return rules.Notice + 1
	}
	return s
}

func handlingRank(h detector.Handling) int {
	return slices.Index([]detector.Handling{detector.New, detector.Acked, detector.Snoozed, detector.Closed}, h)
}

// next says what happens next if nobody does anything; nil if nothing is due.
func (v voice) next(i *detector.Incident, set *rules.Set) *next {
	if step, when, ok := detector.NextStep(set, i); ok {
		return &next{v.Say("page.escalates", "to", v.to(set.Route(step.To))), v.due(when)}
	}
	if i.Handling == detector.New && !i.RemindAt.IsZero() {
		return &next{v.Say("page.reminder"), v.due(i.RemindAt)}
	}
	return nil
}

// to names the people a route leads to, as far as it says.
func (v voice) to(r *rules.Route) string {
	if name := cmp.Or(r.Slack.Mention, r.Slack.User, r.Slack.Channel); name != "" {
		return v.Say("page.to", "whom", name)
	}
	return ""
}
