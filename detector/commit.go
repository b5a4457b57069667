package detector

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"time"

	"emberwatch/rules"
)

// commit takes a turn into the model and into the running change: version, audit chain, alerts.
func (m *Model) commit(t *turn) {
	if len(t.lines) == 0 && reflect.DeepEqual(t.inc, t.was) {
		return
	}
	i := &t.inc
	i.Version = t.was.Version + 1
	i.ChangedAt = t.now
	if len(t.lines) == 0 {
		t.line("updated", "", nil)
	}
	fields := changes(&t.was, i)
	for k := range t.lines {
		l := t.lines[k]
		if k == 0 {
			l.Changes, l.Patch = fields, m.patch(t)
			l.Mentions = append(l.Mentions, i.Evidence.Mentions[:min(5, len(i.Evidence.Mentions))]...)
		}
		m.audit(i, l)
	}
	if t.cancel {
		m.overtake(i)
	}
	for _, x := range t.tells {
		m.alert(t, x)
	}
	m.incidents[i.ID] = i
	m.putIncident(*i)
}

// patch is what a turn has changed. Where nobody stores the histories they need none.
func (m *Model) patch(t *turn) json.RawMessage {
	if m.volatile {
		return nil
	}
	return patchOf(&t.was, &t.inc)
}

// putIncident has the incident written with this change, once.
func (m *Model) putIncident(i Incident) {
	for k := range m.change.Incidents {
		if m.change.Incidents[k].ID == i.ID {
			m.change.Incidents[k] = i
			return
		}
	}
	m.change.Incidents = append(m.change.Incidents, i)
}

// audit adds a line to the incident's chain.
func (m *Model) audit(i *Incident, l Audit) {
	last := m.chain[i.ID]
	l.Seq, l.Incident, l.RuleHash, l.Model, l.Prev = last.Seq+1, i.ID, m.set.Hash, m.scorer, last.Hash
	l.Hash = l.hash()
	m.chain[i.ID] = l
	m.change.Audit = append(m.change.Audit, l)
}

// hash covers the record as it is written, without its own hash.
func (a Audit) hash() string {
	a.Hash = ""
	b, err := json.Marshal(a)
	if err != nil {
		panic("detector: an audit line cannot be written: " + err.Error()) // its fields are ours
	}
	// What is not UTF-8 is escaped now and a plain U+FFFD once it has been read back: both hash alike.
	b = bytes.ReplaceAll(b, []byte(`\ufffd`), []byte("\ufffd"))
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// VerifyAudit checks that the lines of an incident form an unbroken chain.
func VerifyAudit(lines []Audit) error {
	prev := ""
	for k, l := range lines {
		if l.Seq != k+1 {
			return fmt.Errorf("audit of %s: line %d is missing", l.Incident, k+1)
		}
		if l.Prev != prev || l.Hash != l.hash() {
			return fmt.Errorf("audit of %s: line %d was changed", l.Incident, l.Seq)
		}
		prev = l.Hash
	}
	return nil
}

// changes lists the fields that people follow, before and after, as plain values.
func changes(was, is *Incident) map[string][2]any {
	out := map[string][2]any{}
	put := func(name string, a, b any) {
		if a != b {
			out[name] = [2]any{a, b}
		}
	}
	put("handling", string(was.Handling), string(is.Handling))
	put("level", float64(was.Level), float64(is.Level))
	put("severity", float64(told(was)), float64(told(is)))
	put("owner", was.Owner, is.Owner)
	put("closing", string(was.Closing), string(is.Closing))
	put("merged_into", was.MergedInto, is.MergedInto)
	put("observed", was.Evidence.Window.Observed, is.Evidence.Window.Observed)
	put("authors", float64(was.Evidence.Authors), float64(is.Evidence.Authors))
	put("lease_until", stamp(was.LeaseUntil), stamp(is.LeaseUntil))
	put("snooze_until", stamp(was.SnoozeUntil), stamp(is.SnoozeUntil))
	if len(out) == 0 {
		return nil
	}
	return out
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// overtake cancels what has not been sent yet and no longer needs to be.
func (m *Model) overtake(i *Incident) {
	for _, seq := range sortedSeqs(m.alerts) {
		a := m.alerts[seq]
		if a.Incident != i.ID || a.State != AlertPending {
			continue
		}
		nudge := a.Reason == ReasonReminder || a.Reason == ReasonEscalated
		overtaken := nudge && (a.Kind != KindRoot || i.Open()) || a.Kind == KindRoot && i.closedByPeople()
		if overtaken {
			a.State = AlertCancelled
			m.putAlert(a)
		}
	}
}

// closedByPeople reports whether somebody knows of the incident, since they closed it. One that was over before it could
// be told, in quiet hours, is told all the same.
func (i *Incident) closedByPeople() bool {
	return i.Handling == Closed && i.Closing != CalmAgain && i.Closing != Expired
}

// alert makes the outbox rows of something to tell: on each route, for each way on which it is told there.
func (m *Model) alert(t *turn, x tell) {
	routes := x.routes
	if routes == nil {
		routes = t.inc.Routes
	}
	for _, id := range routes {
		for _, via := range m.ways(t.inc.ID, m.set.Route(id)) {
			m.alertVia(t, x, id, via)
		}
	}
}

func (m *Model) alertVia(t *turn, x tell, route, via string) {
	root := m.root(t.inc.ID, route, via)
	switch {
	case x.kind == KindRoot && root != nil:
		return // it is there, and an edit renews it
	case x.kind == KindEdit && via != "" && !t.turned():
		return // numbers alone are worth no mail
	case root != nil && root.Digest != "":
		m.named(t, x, root)
	case x.kind == KindEdit:
		m.edit(t, root)
	case x.kind == KindBroadcast && root == nil && notifying(told(&t.inc)):
		m.post(t, tell{kind: KindRoot, reason: x.reason, mention: x.mention, said: x.said}, route, via) // it was never told there, or its root was given up
	case x.kind == KindBroadcast && root == nil:
		m.post(t, tell{kind: KindRoot, reason: x.reason, said: x.said}, route, via) // nothing was told there, or it could not be
	case x.kind != KindRoot && root == nil:
		// nothing was ever told there
	case root != nil && root.State == AlertPending && saidByRoot(x.reason):
		root.Mention = union(root.Mention, x.mention)
		m.putAlert(root)
		m.hasten(root, &t.inc)
	default:
		m.post(t, x, route, via)
	}
}

// saidByRoot reports whether a root that has not gone out yet will say it: how things stand by then, and who is asked.
func saidByRoot(r NotifyReason) bool {
	return r == ReasonWorse || r == ReasonNewSource || r == ReasonEscalated || r == ReasonReminder || r == ReasonCalm
}

// turned reports whether a turn changed more than numbers.
func (t *turn) turned() bool {
	return t.urgent || t.inc.Handling != t.was.Handling || told(&t.inc) != told(&t.was)
}

// hasten brings forward a root that has not gone out yet and whose incident has become graver: a crisis stops
// gathering, and what quiet hours let through no longer waits for their end.
func (m *Model) hasten(root *Alert, i *Incident) {
	if !told(i).GraverThan(root.Severity) {
		return
	}
	root.Severity = told(i)
	r := m.set.Route(root.Route)
	due := root.CreatedAt.Add(cmp.Or(r.Notify.Gather, gather))
	if root.Severity == rules.Crisis {
		due = m.now
	}
	if root.Severity <= passSeverity(r) && root.Attempts == 0 && due.Before(root.NotBefore) {
		root.NotBefore, root.Held = due, false
	}
	m.putAlert(root)
}

// post adds one row.
func (m *Model) post(t *turn, x tell, route, via string) {
	r := m.set.Route(route)
	if x.kind == KindRoot && listOnly(r, told(&t.inc)) {
		if via == "" {
			m.list(&t.inc, route)
		}
		return
	}
	a := Alert{
		Incident: t.inc.ID, Version: t.inc.Version, Route: route, Via: via, Kind: x.kind, Reason: x.reason,
		Severity: told(&t.inc), Mention: x.mention, Note: x.said.String(), Said: x.said.coded(), NotBefore: t.now.Add(x.delay),
	}
	if x.kind == KindRoot {
		if x.delay > 0 && r.Notify.Gather > 0 {
			a.NotBefore = t.now.Add(r.Notify.Gather)
		}
		a.Mention = append(a.Mention, route)
	}
	if a.Severity > passSeverity(r) && x.kind != KindEdit { // edits make no noise
		due := a.NotBefore
		a.NotBefore = m.set.QuietEnd(r, due)
		a.Held = a.NotBefore.After(due)
	}
	if x.reason == ReasonReminder {
		m.supersede(&a)
		a.Expires = t.now.Add(remindMost)
	}
	m.row(a)
}

// row puts a new row into the outbox.
func (m *Model) row(a Alert) *Alert {
	m.seq++
	a.Seq, a.State, a.CreatedAt = m.seq, AlertPending, m.now
	if a.NotBefore.IsZero() {
		a.NotBefore = m.now
	}
	a.Key = fmt.Sprintf("%s/%s/%s/%d", a.Incident, a.Route, a.Kind, a.Seq)
	m.alerts[a.Seq] = &a
	m.putAlert(&a)
	return &a
}

// edit has a root renewed: at once if people changed something, else at most every 45 s. An edit that is waiting
// already takes the newest state with it.
func (m *Model) edit(t *turn, root *Alert) {
	if root == nil {
		return
	}
	if root.State == AlertPending { // it will be posted with the newest state
		m.hasten(root, &t.inc)
		return
	}
	m.renew(root, ReasonUpdated, t.inc.Version, t.urgent)
}

// renew puts an edit of a root into the outbox, or hastens the one that waits there.
func (m *Model) renew(root *Alert, why NotifyReason, version int, urgent bool) {
	due := m.now
	if !urgent {
		due = latest(due, root.TriedAt.Add(editEvery), root.EditedAt.Add(editEvery))
	}
	for _, a := range m.alerts {
		if a.Kind == KindEdit && a.State == AlertPending && a.sameThread(root) {
			a.Version = version
			if due.Before(a.NotBefore) {
				a.NotBefore = due
			}
			m.putAlert(a)
			return
		}
	}
	m.row(Alert{
		Incident: root.Incident, Version: version, Route: root.Route, Via: root.Via, Kind: KindEdit, Reason: why,
		Severity: root.Severity, NotBefore: due,
	})
}

func latest(ts ...time.Time) time.Time { return slices.MaxFunc(ts, time.Time.Compare) }

// putAlert has the row written with this change; rows that are done leave memory, but for roots.
func (m *Model) putAlert(a *Alert) {
	if a.State.Done() && (a.Kind != KindRoot || a.State != AlertSent) {
		delete(m.alerts, a.Seq)
	}
	for k := range m.change.Alerts {
		if m.change.Alerts[k].Seq == a.Seq {
			m.change.Alerts[k] = *a
			return
		}
	}
	m.change.Alerts = append(m.change.Alerts, *a)
}

// root returns the row of an incident's newest root on a way of a route, unless it was given up.
func (m *Model) root(incident, route, via string) *Alert {
	var newest *Alert
	for _, a := range m.alerts {
		if a.Incident == incident && a.Route == route && a.Via == via && a.Kind == KindRoot && (newest == nil || a.Seq > newest.Seq) {
			newest = a
		}
	}
	return newest
}

func sortedSeqs(m map[uint64]*Alert) []uint64 {
	seqs := make([]uint64, 0, len(m))
	for s := range m {
		seqs = append(seqs, s)
	}
	slices.Sort(seqs)
	return seqs
}

// passSeverity is the mildest severity that quiet hours let through; 1 and 2 always pass.
func passSeverity(r *rules.Route) rules.Severity {
	if r.Quiet == nil {
		return rules.Notice
	}
	return max(r.Quiet.PassSeverity, rules.Serious)
}
