package web

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"emberwatch/detector"
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

func newCard(i detector.Incident, brands namer, set *rules.Set, now time.Time) card {
	return card{
		ID: i.ID, Path: "/incidents/" + i.ID, Brand: brands.name(i.Brand), Title: i.Title, Sentence: i.Sentence,
		Severity: severityOf(i.Severity), DataSays: dataSays(&i), State: stateOf(&i, now), Handling: string(i.Handling),
		Since: at(i.Since, now), Closed: at(i.ClosedAt, now), Next: nextOf(&i, set, now),
	}
}

// dataSays tells when the data has become milder or graver than what people were told.
func dataSays(i *detector.Incident) string {
	switch {
	case !i.Open() || i.Level == i.Severity:
		return ""
	case i.Level == rules.Calm:
		return "calm by now"
	}
	return i.Level.String() + " by now"
}

// waitingSince is when an incident began to wait for somebody.
func waitingSince(i *detector.Incident) time.Time {
	if i.LadderFrom.IsZero() {
		return i.OpenedAt
	}
	return i.LadderFrom
}

// stateOf says in words what people did about an incident.
func stateOf(i *detector.Incident, now time.Time) string {
	owner := cmp.Or(i.Owner, "Somebody")
	switch i.Handling {
	case detector.New:
		return "Not acknowledged for " + span(now.Sub(waitingSince(i)))
	case detector.Acked:
		if i.LeaseUntil.IsZero() {
			return owner + " has it"
		}
		return owner + " has it until " + clock(i.LeaseUntil, now)
	case detector.Snoozed:
		return "Snoozed until " + clock(i.SnoozeUntil, now) + " or until it gets worse" + by(i.Owner)
	}
	if i.Closing == detector.Merged {
		return "Merged into " + i.MergedInto
	}
	return cmp.Or(closings[i.Closing], "Closed") + by(i.ClosedBy)
}

// closings says why an incident was closed.
var closings = map[detector.Closing]string{
	detector.Resolved: "Resolved", detector.FalseAlarm: "Closed as a false alarm",
	detector.KnownEvent: "Closed as a known event", detector.CalmAgain: "Closed when calm again",
	detector.Expired: "Expired",
}

func by(name string) string {
	if name == "" {
		return ""
	}
	return " by " + name
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

// nextOf says what happens next if nobody does anything; nil if nothing is due.
func nextOf(i *detector.Incident, set *rules.Set, now time.Time) *next {
	if step, when, ok := detector.NextStep(set, i); ok {
		return &next{"escalates" + to(set.Route(step.To)), due(when, now)}
	}
	if i.Handling == detector.New && !i.RemindAt.IsZero() {
		return &next{"reminder", due(i.RemindAt, now)}
	}
	return nil
}

// to names the people a route leads to, as far as it says.
func to(r *rules.Route) string {
	if name := cmp.Or(r.Slack.Mention, r.Slack.User, r.Slack.Channel); name != "" {
		return " to " + name
	}
	return ""
}
