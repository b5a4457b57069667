package detector

import (
	"cmp"
	"slices"
	"time"

	"emberwatch/rules"
)

// lateAfter is how long a crisis may be on its way before it is told the route's other ways.
const lateAfter = 5 * time.Minute

// ways returns the notifiers by which an incident is told on a route: the route's own (""), those that are told
// also, and the fallbacks that have taken over for this incident. A route that names notifiers and no channel
// has no way of its own.
func (m *Model) ways(incident string, r *rules.Route) []string {
	var ways []string
	if r.Slack != (rules.Slack{}) || r.ID == rules.DefaultRoute || len(r.Also) == 0 {
		ways = append(ways, "")
	}
	ways = append(ways, r.Also...)
	for _, via := range r.Fallback {
		if !slices.Contains(ways, via) && m.root(incident, r.ID, via) != nil {
			ways = append(ways, via)
		}
	}
	return ways
}

// late tells crises that could not be told for five minutes the other ways, each once. The way that fails is
// tried on: what comes of it has the buttons.
func (m *Model) late() {
	for _, seq := range sortedSeqs(m.alerts) {
		a := m.alerts[seq]
		if a.Kind != KindRoot || a.Severity != rules.Crisis || a.State.Done() || a.FellBack || a.Digest != "" ||
			a.TriedAt.IsZero() || m.now.Sub(a.CreatedAt) <= lateAfter {
			continue
		}
		a.FellBack = true
		m.putAlert(a)
		m.fallBack(a, Clause{Code: "note.unreached", Span: howLong(lateAfter)})
	}
}

// fallBack puts what could not be told into the outbox for the route's fallbacks, with the reason delivery_failed.
// What a fallback itself could not tell goes no further.
func (m *Model) fallBack(a *Alert, why Clause) {
	r := m.set.Route(a.Route)
	if slices.Contains(r.Fallback, a.Via) {
		return
	}
	note := Said{{Code: "note.failed", Word: string(a.Reason), Name: wayName(r, a.Via)}, why}
	for _, via := range r.Fallback {
		kind := KindRoot
		if m.root(a.Incident, a.Route, via) != nil {
			kind = KindThread
		}
		m.row(Alert{
			Incident: a.Incident, Version: a.Version, Route: a.Route, Via: via, Kind: kind, Reason: ReasonDeliveryFailed,
			Severity: a.Severity, Mention: a.Mention, Members: a.Members,
			Note: note.String(), Said: note,
		})
	}
}

// wayName is what people call a way of a route.
func wayName(r *rules.Route, via string) string {
	return cmp.Or(via, r.Slack.Channel, r.Slack.User, "the default channel")
}
