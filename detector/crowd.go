package detector

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"emberwatch/rules"
)

// A channel that gets too many incidents at once is read by nobody. So a channel has room for a few roots in a
// while, the gravest first; what comes on top is named in one digest, which is edited while it grows. A crisis
// finds no room only among crises.
const (
	roomFor    = 6
	roomIn     = 10 * time.Minute
	digestMost = 200 // incidents that one digest names
)

const digestPrefix = "digest:"

// IsDigest reports whether an id is that of a digest. No incident has such an id: a brand's holds no colon.
func IsDigest(id string) bool { return strings.HasPrefix(id, digestPrefix) }

// place is where a root takes room: a channel, a person, or a notifier.
func (m *Model) place(a *Alert) string {
	s := m.set.Route(a.Route).Slack
	return cmp.Or(a.Via, s.Channel, s.User)
}

// room is what a route says about how many roots may come in which time.
func (m *Model) room(a *Alert) (roots int, in time.Duration) {
	n := m.set.Route(a.Route).Notify
	return cmp.Or(n.Roots, roomFor), cmp.Or(n.RootsIn, roomIn)
}

// crowded returns the roots that are due at now and for which their channel has no room.
func (m *Model) crowded(now time.Time) map[uint64]bool {
	type taken struct{ all, crises int }
	used := map[string]*taken{}
	var waiting []*Alert
	for _, seq := range sortedSeqs(m.alerts) {
		a := m.alerts[seq]
		if a.Kind != KindRoot || a.Digest != "" || IsDigest(a.Incident) || a.NotBefore.After(now) && a.TriedAt.IsZero() {
			continue
		}
		p := m.place(a)
		if used[p] == nil {
			used[p] = &taken{}
		}
		if _, in := m.room(a); a.TriedAt.IsZero() {
			waiting = append(waiting, a)
		} else if now.Sub(a.TriedAt) < in {
			used[p].all++
			if a.Severity == rules.Crisis {
				used[p].crises++
			}
		}
	}
	slices.SortStableFunc(waiting, func(a, b *Alert) int { return int(a.Severity) - int(b.Severity) })
	crowded := map[uint64]bool{}
	for _, a := range waiting {
		u := used[m.place(a)]
		roots, _ := m.room(a)
		if a.Severity == rules.Crisis && u.crises < roots {
			u.crises++
		} else if u.all >= roots {
			crowded[a.Seq] = true
			continue
		}
		u.all++
	}
	return crowded
}

// crowd has roots that find no room named in a digest, and forgets digests of which nothing is left.
func (m *Model) crowd() {
	over := m.crowded(m.now)
	for _, seq := range sortedSeqs(m.alerts) {
		if over[seq] {
			m.nameIn(m.alerts[seq])
		}
	}
	m.forgetDigests()
}

func (m *Model) forgetDigests() {
	named := map[string]bool{}
	for _, a := range m.alerts {
		named[a.Digest] = true
	}
	for seq, a := range m.alerts {
		old := !IsList(a.Incident) || m.now.Sub(a.NotBefore) > keepClosed // people may acknowledge what a list names
		if IsDigest(a.Incident) && a.State.Done() && !named[a.Incident] && old {
			delete(m.alerts, seq)
		}
	}
}

// nameIn has a digest name a root's incident instead.
func (m *Model) nameIn(a *Alert) {
	d := m.openDigest(a)
	a.Digest, a.Ref = d.Incident, d.Ref
	if d.State == AlertSent {
		a.State = AlertSent
	}
	m.putAlert(a)
	if slices.Contains(d.Members, a.Incident) {
		return
	}
	d.Members = append(slices.Clip(d.Members), a.Incident)
	d.Mention = union(d.Mention, a.Mention)
	graver := a.Severity.GraverThan(d.Severity)
	if graver {
		d.Severity = a.Severity
	}
	m.putAlert(d)
	if d.State == AlertPending {
		return // it will be posted with all its names
	}
	m.renew(d, ReasonDigest, 0, false)
	if graver { // an edit is not heard
		note := Said{{Code: "note.graver", Name: a.Incident, Word: a.Severity.String()}}
		m.row(Alert{
			Incident: d.Incident, Route: d.Route, Via: d.Via, Kind: KindBroadcast, Reason: ReasonWorse, Severity: a.Severity,
			Mention: a.Mention, Note: note.String(), Said: note,
		})
	}
}

// openDigest returns the digest that a root is named in: the one of its way and route that still takes names, else a new one.
func (m *Model) openDigest(a *Alert) *Alert {
	_, in := m.room(a) // one that has not gone out yet takes names however old it is
	for _, seq := range sortedSeqs(m.alerts) {
		d := m.alerts[seq]
		if IsDigest(d.Incident) && !IsList(d.Incident) && d.Kind == KindRoot && d.Route == a.Route && d.Via == a.Via && d.Reason == ReasonDigest &&
			(m.now.Sub(d.CreatedAt) < in || d.State == AlertPending) && len(d.Members) < digestMost {
			return d
		}
	}
	return m.row(Alert{
		Incident: fmt.Sprintf("%s%d", digestPrefix, m.seq+1), Route: a.Route, Via: a.Via, Kind: KindRoot,
		Reason: ReasonDigest, Severity: a.Severity, Mention: a.Mention,
	})
}

// settleMembers books for the roots that a digest stands for what became of it.
func (m *Model) settleMembers(d *Alert) {
	if d.Kind != KindRoot || !IsDigest(d.Incident) {
		return
	}
	for _, seq := range sortedSeqs(m.alerts) {
		if a := m.alerts[seq]; a.Digest == d.Incident && !a.State.Done() {
			a.State, a.Ref, a.TriedAt = d.State, d.Ref, d.TriedAt
			m.putAlert(a)
		}
	}
}

// named tells about an incident that has no message of its own. What asks for somebody gets one, if the channel
// has room again; the rest shows in the digest.
func (m *Model) named(t *turn, x tell, root *Alert) {
	d := m.root(root.Digest, root.Route, root.Via)
	if d != nil && d.State == AlertPending { // it will say how things stand by then
		d.Mention = union(d.Mention, x.mention)
		m.putAlert(d)
		return
	}
	switch {
	case x.kind == KindBroadcast, x.reason == ReasonReminder, x.reason == ReasonLeaseEnded, x.reason == ReasonSnoozeOver:
		m.post(t, tell{kind: KindRoot, reason: x.reason, mention: x.mention, said: x.said}, root.Route, root.Via)
	case d != nil:
		m.renew(d, ReasonDigest, t.inc.Version, t.urgent)
	}
}

// Members returns the incidents that a digest names, the gravest first, those that nobody has before others.
func (m *Model) Members(digest string) []Incident {
	var members []Incident
	for _, a := range m.alerts {
		if a.Incident != digest || a.Kind != KindRoot {
			continue
		}
		for _, id := range a.Members {
			if i, ok := m.incidents[id]; ok && !slices.ContainsFunc(members, func(x Incident) bool { return x.ID == id }) {
				members = append(members, *i)
			}
		}
	}
	slices.SortFunc(members, func(a, b Incident) int {
		return cmp.Or(int(a.Severity)-int(b.Severity), ownerless(&b)-ownerless(&a), a.OpenedAt.Compare(b.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
	return members
}

// ownerless is 2 for an incident that nobody has, 1 for one that somebody has, 0 for a closed one.
func ownerless(i *Incident) int {
	switch i.Handling {
	case New:
		return 2
	case Closed:
		return 0
	}
	return 1
}

// ackAll acknowledges the incidents of a digest that nobody has, in one change.
func (m *Model) ackAll(e *Event) Result {
	members := m.Members(e.Incident)
	switch {
	case len(members) == 0:
		return result(Refused, code("refused.digest.over"), Incident{})
	case e.Op != OpAck:
		return result(Refused, Said{{Code: "refused.digest.op", Name: string(e.Op)}}, Incident{})
	}
	taken := 0
	for k := range members {
		if members[k].Handling != New {
			continue
		}
		t := begin(members[k], m.set, m.now, e.Actor)
		if outcome, _ := t.respond(&Event{ID: e.ID, Incident: members[k].ID, Op: OpAck, Actor: e.Actor, Args: e.Args}); outcome == Applied {
			m.commit(t)
			taken++
		}
	}
	if taken == 0 {
		return result(Already, code("refused.digest.taken"), Incident{})
	}
	return Result{Outcome: Applied, Message: fmt.Sprintf("%s acknowledged by %s", counted(float64(taken), "incidents"), e.Actor.name())}
}

func union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}
