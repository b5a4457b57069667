package detector

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// What is not worth a message of its own is listed: notices (severity 4), and on a route with a digest everything that is
// not serious. The list goes out at the route's time, by itself at nine in the morning, and never without a reason to. What
// quiet hours have held back comes as one list at their end.

// digestHour is when a list goes out whose route does not say.
const digestHour = 9 * 60 // minutes of the day

// listPrefix marks the digests that gather what comes until their time, apart from those of a crowded channel.
const listPrefix = digestPrefix + "list-"

// IsList reports whether an id is that of a digest that gathers what comes until its time.
func IsList(id string) bool { return strings.HasPrefix(id, listPrefix) }

// listOnly reports whether an incident is listed on a route rather than told.
func listOnly(r *rules.Route, s rules.Severity) bool {
	return !notifying(s) || r.Digest != nil && s > rules.Serious
}

// list has an incident named in the next digest of a route.
func (m *Model) list(i *Incident, route string) {
	d := m.gathering(route)
	if d == nil {
		r := m.set.Route(route)
		d = m.row(Alert{
			Incident: fmt.Sprintf("%s%d", listPrefix, m.seq+1), Route: route, Kind: KindRoot, Reason: ReasonDigest,
			Severity: told(i), NotBefore: m.set.QuietEnd(r, digestAt(m.set, r, m.now)),
		})
	}
	if slices.Contains(d.Members, i.ID) || len(d.Members) >= digestMost {
		return
	}
	d.Members = append(slices.Clip(d.Members), i.ID)
	if told(i).GraverThan(d.Severity) {
		d.Severity = told(i)
	}
	note := m.digestNote()
	d.Note, d.Said = note.String(), note
	m.putAlert(d)
}

// gathering returns the digest of a route that still waits for its time.
func (m *Model) gathering(route string) *Alert {
	for _, a := range m.alerts {
		if IsList(a.Incident) && a.Route == route && a.Kind == KindRoot && a.State == AlertPending && a.NotBefore.After(m.now) && a.Attempts == 0 {
			return a
		}
	}
	return nil
}

// digestAt returns the next time of a route's digest after t.
func digestAt(set *rules.Set, r *rules.Route, t time.Time) time.Time {
	at := rules.DigestTime{Weekday: rules.Daily, Minute: digestHour}
	if r.Digest != nil {
		at = *r.Digest
	}
	return at.Next(t, set.Zone)
}

// listed reports whether an incident stands in a digest that has not gone out.
func (m *Model) listed(id string) bool {
	for _, a := range m.alerts {
		if IsList(a.Incident) && !a.State.Done() && slices.Contains(a.Members, id) {
			return true
		}
	}
	return false
}

// renewLists has digests that are about to go out say what waits by now.
func (m *Model) renewLists() {
	for _, seq := range sortedSeqs(m.alerts) {
		a := m.alerts[seq]
		if !IsList(a.Incident) || a.State != AlertPending || a.NotBefore.Sub(m.now) > time.Minute || a.Attempts > 0 {
			continue
		}
		if note := m.digestNote(); note.String() != a.Note {
			a.Note, a.Said = note.String(), note
			m.putAlert(a)
		}
	}
}

// longestShown is how many of the complaints that wait are named.
const longestShown = 5

// digestNote says who has waited longest for an answer, and how soon the team answers.
func (m *Model) digestNote() Said {
	var waits []Waited
	for _, w := range m.Longest(longestShown) {
		if first, _ := m.deadlines(&complaint{Waiting: w}); !m.now.Before(first) {
			waits = append(waits, Waited{keyWords(w.Key), howLong(m.now.Sub(w.At).Truncate(time.Minute))})
		}
	}
	var note Said
	if len(waits) > 0 {
		note = append(note, Clause{Code: "note.longest", Waits: waits})
	}
	for _, id := range sortedKeys(m.brands) {
		if f := m.brands[id].figures(); f != nil && len(m.brands[id].waiting) > 0 {
			note = append(note, Clause{Code: "figures.brand", Name: id, N: f.Of, Answers: f})
		}
	}
	return note
}

func keyWords(k sources.Key) string { return k.Source + "/" + k.ID }

// wakeUp puts what quiet hours have held back on a route into one digest at their end, if it is more than one.
func (m *Model) wakeUp() {
	held := map[string][]*Alert{}
	for _, seq := range sortedSeqs(m.alerts) {
		a := m.alerts[seq]
		if a.Held && a.Kind == KindRoot && a.State == AlertPending && a.Digest == "" && a.Attempts == 0 && !a.NotBefore.After(m.now) {
			way := a.Route + "\x00" + a.Via
			held[way] = append(held[way], a)
		}
	}
	for _, way := range sortedKeys(held) {
		roots := held[way]
		if q := m.set.Route(roots[0].Route).Quiet; len(roots) < 2 || q == nil || q.Otherwise != "digest_at_end" {
			continue
		}
		for _, a := range roots {
			m.nameIn(a)
		}
	}
}
