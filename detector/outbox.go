package detector

import (
	"cmp"
	"slices"
	"time"
)

// Receive books the progress of alerts. What was refused for good is told the route's other ways.
func (m *Model) Receive(rs []Receipt, now time.Time) *Change {
	m.begin(now)
	for i := range rs {
		if a, ok := m.alerts[rs[i].Seq]; ok && !a.State.Done() {
			m.receive(a, &rs[i])
		}
	}
	return m.end()
}

func (m *Model) receive(a *Alert, r *Receipt) {
	a.State, a.LastError = r.State, r.Error
	if r.State == AlertSending {
		a.TriedAt = m.now
		if !r.NoAttempt {
			a.Attempts++
		}
		m.renewed(a)
	}
	if r.NoAttempt && a.Attempts > 0 && r.State == AlertPending {
		a.Attempts--
	}
	if !r.NotBefore.IsZero() {
		a.NotBefore = r.NotBefore
	}
	switch r.State {
	case AlertSent:
		a.Ref = r.Ref
		m.settleMembers(a)
	case AlertDead:
		m.settleMembers(a)
		if a.Kind != KindEdit { // an edit takes no news with it
			why := Clause{Text: r.Why}
			if r.Why == "" {
				why.Code = "note.refused"
			}
			m.fallBack(a, why)
		}
	}
	m.putAlert(a)
}

// renewed notes on the root when it was last edited, so that edits keep their distance.
func (m *Model) renewed(a *Alert) {
	if root := m.root(a.Incident, a.Route, a.Via); root != nil && a.Kind == KindEdit {
		root.EditedAt = m.now
		m.putAlert(root)
	}
}

// sameThread reports whether two rows belong to the same message and its thread.
func (a *Alert) sameThread(b *Alert) bool {
	return a.Incident == b.Incident && a.Route == b.Route && a.Via == b.Via
}

// supersede cancels reminders that have not been sent when the next one comes.
func (m *Model) supersede(next *Alert) {
	for _, seq := range sortedSeqs(m.alerts) {
		if a := m.alerts[seq]; a.Reason == ReasonReminder && a.State == AlertPending && a.Kind == KindThread && a.sameThread(next) {
			a.State = AlertCancelled
			m.putAlert(a)
		}
	}
}

// Due returns the alerts that may go at now, in the order in which they should: first notifications before
// the rest, graver ones before milder ones, then in the order of time. Those found in sending or unknown
// are included; what belongs into a thread waits for its root, and for what was sent there before it and is
// not decided yet. Roots for which a channel has no room wait for the digest that will name them.
func (m *Model) Due(now time.Time) []Alert {
	var due []Alert
	undecided := map[[3]string]bool{}
	crowded := m.crowded(now)
	for _, seq := range sortedSeqs(m.alerts) {
		a := m.alerts[seq]
		thread := [3]string{a.Incident, a.Route, a.Via}
		if undecided[thread] && a.Kind != KindEdit && a.State == AlertPending {
			continue
		}
		if a.State == AlertSending || a.State == AlertUnknown {
			undecided[thread] = true
		}
		if a.State.Done() || a.NotBefore.After(now) || a.Digest != "" || crowded[seq] {
			continue
		}
		if _, rooted := m.Root(a); a.Kind == KindRoot || rooted {
			due = append(due, *a)
		}
	}
	slices.SortStableFunc(due, func(a, b Alert) int {
		return cmp.Or(rank(a.Kind)-rank(b.Kind), int(a.Severity)-int(b.Severity))
	})
	return due
}

func rank(k AlertKind) int {
	switch k {
	case KindRoot:
		return 0
	case KindBroadcast:
		return 1
	case KindThread:
		return 2
	}
	return 3
}

// Root returns where the root is that an alert belongs to.
func (m *Model) Root(of *Alert) (Ref, bool) {
	if a := m.root(of.Incident, of.Route, of.Via); a != nil && a.State == AlertSent {
		return a.Ref, true
	}
	return Ref{}, false
}
