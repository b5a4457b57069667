// Package console tells people on a terminal: the way to them until a chat is configured, and in demo.
//
// [Notifier] writes one block of text for the root of an incident, a list for a digest, one line for what follows it, and for an
// edit one line when handling or severity has changed, else nothing: a terminal cannot be edited in place.
// Every alert is written in one call, so that alerts do not mix.
//
// It does not ask whether its writer is a terminal, how wide it is or whether NO_COLOR is set: [Options]
// says so.
//
// # Caveats
//
// A terminal obeys what is written to it. Foreign text (quotes, authors, brands, links) is stripped of
// control characters, escape sequences and everything that changes the direction of writing, and is cut;
// the only escape sequences written are our own colours.
package console

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// Options say how to write. The zero value is 80 columns, UTC, no colour.
type Options struct {
	Width int            // columns; 0: 80, at least 40
	Zone  *time.Location // of the times; nil: UTC
	Color bool
}

// Notifier writes alerts. It is safe for concurrent use.
type Notifier struct {
	o Options

	mu  sync.Mutex // one alert at a time; guards all below
	w   io.Writer
	was map[string]state // by incident: what was written last
	// By incident: the route its root was written for, and what was written last, and for which. Several
	// routes end at the same terminal, where once is enough.
	home map[string]string
	last map[string]said
}

// state is what an edit has to change to be worth a line.
type state struct {
	handling detector.Handling
	severity rules.Severity
	owner    string
	note     string // of an alert about no incident, such as a digest: what it says
}

// said is what was written for a route.
type said struct{ words, route string }

var _ notifier.Paced = (*Notifier)(nil)

// New returns a notifier that writes to w.
func New(w io.Writer, o Options) *Notifier {
	if o.Width == 0 {
		o.Width = 80
	}
	o.Width = max(o.Width, 40)
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	return &Notifier{o: o, w: w, was: map[string]state{}, home: map[string]string{}, last: map[string]said{}}
}

// Pace returns none: a terminal needs no pause between alerts.
func (n *Notifier) Pace() notifier.Pace { return notifier.Pace{} }

// Name returns "console".
func (n *Notifier) Name() string { return "console" }

// Notify writes the alert. The reference it returns is made from the alert's key, or for an edit that of
// the root, and leads nowhere.
func (n *Notifier) Notify(ctx context.Context, m *notifier.Message) (detector.Ref, error) {
	if err := ctx.Err(); err != nil {
		return detector.Ref{}, &notifier.DeliveryError{Outcome: notifier.NotSent, Reason: "cancelled", Err: err}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	words := n.words(m)
	if err := n.write(words); err != nil {
		return detector.Ref{}, err
	}
	n.remember(m, words)
	if m.Alert.Kind == detector.KindEdit && m.Root != (detector.Ref{}) {
		return m.Root, nil
	}
	return detector.Ref{Channel: "console", ID: m.Alert.Key}, nil
}

// Refused writes that a reload was refused, and why.
func (n *Notifier) Refused(l *notifier.Language, why []string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	text := clean(l.Say("reload.refused")) + "\n"
	for _, w := range why {
		text += "  " + clean(w) + "\n"
	}
	return n.write(text)
}

// words returns what to write about the alert; nothing for an edit that changes nothing.
func (n *Notifier) words(m *notifier.Message) string {
	l := &lines{o: n.o, say: m.Language, now: m.Now}
	switch {
	case len(m.Digest) > 0 && m.Alert.Kind != detector.KindThread && m.Alert.Kind != detector.KindBroadcast:
		if current(m) != n.before(m) {
			l.digest(m)
		}
	case m.Alert.Kind == detector.KindEdit:
		switch {
		case current(m) == n.before(m):
		case m.Incident.ID == "":
			l.thread(m)
		default:
			l.edit(m)
		}
	case m.Alert.Kind == detector.KindRoot && m.Incident.ID != "":
		if home, ok := n.home[m.Incident.ID]; ok && home != m.Alert.Route {
			l.also(m)
		} else {
			l.block(m)
		}
	default:
		l.thread(m)
	}
	if last := n.last[m.Incident.ID]; last.words == l.b.String() && last.route != m.Alert.Route {
		return "" // just said, for another route
	}
	return l.b.String()
}

func current(m *notifier.Message) state {
	s := state{m.Incident.Handling, m.Incident.Severity, m.Incident.Owner, ""}
	if m.Incident.ID == "" {
		return state{note: m.Alert.Note + membership(m)}
	}
	if s.handling == detector.Closed {
		s.owner = "" // who it belonged to no longer matters
	}
	return s
}

// subject is what an alert is about: an incident, or a digest.
func subject(m *notifier.Message) string { return cmp.Or(m.Incident.ID, m.Alert.Incident) }

// membership is which incidents a digest names, and who has them.
func membership(m *notifier.Message) string {
	var b strings.Builder
	for i := range m.Digest {
		fmt.Fprintf(&b, "%s %s\n", m.Digest[i].Incident.ID, m.Digest[i].Incident.Handling)
	}
	return b.String()
}

// before returns what was written last about the incident. After a restart that is not known: then an
// incident that nobody has is taken for told.
func (n *Notifier) before(m *notifier.Message) state {
	if s, ok := n.was[subject(m)]; ok {
		return s
	}
	if m.Incident.ID == "" {
		return state{}
	}
	return state{handling: detector.New, severity: m.Incident.Severity, owner: m.Incident.Owner}
}

// remember keeps what was written. Closed incidents are dropped when there are many; the worst that comes of
// it is a line written twice.
func (n *Notifier) remember(m *notifier.Message, words string) {
	const many = 1000
	if words != "" {
		n.last[m.Incident.ID] = said{words, m.Alert.Route}
	}
	if _, ok := n.home[m.Incident.ID]; !ok && m.Alert.Kind == detector.KindRoot {
		n.home[m.Incident.ID] = m.Alert.Route
	}
	n.was[subject(m)] = current(m)
	if len(n.was) <= many {
		return
	}
	for id, s := range n.was {
		if s.handling == detector.Closed {
			delete(n.home, id)
			delete(n.last, id)
			delete(n.was, id)
		}
	}
}

func (n *Notifier) write(text string) error {
	if text == "" {
		return nil
	}
	written, err := io.WriteString(n.w, text)
	if err == nil {
		return nil
	}
	outcome := notifier.NotSent
	if written > 0 {
		outcome = notifier.Unknown
	}
	return &notifier.DeliveryError{Outcome: outcome, Reason: "write", Err: fmt.Errorf("write to the console: %w", err)}
}
