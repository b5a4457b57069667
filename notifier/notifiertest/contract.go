package notifiertest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
)

// Harness is one notifier and a view of what arrives at its people.
type Harness struct {
	Notifier notifier.Notifier
	Sent     func() int      // how often something was handed to the medium, failures included
	Shown    func() string   // everything that people can read by now
	Leaks    func() []string // what became live of a foreign text: mentions, links, escape codes, markup
	Break    func()          // lets the next delivery fail; nil: the medium cannot fail
}

// reasons are what a thread line may be about.
var reasons = []detector.NotifyReason{
	detector.ReasonWorse, detector.ReasonNewSource, detector.ReasonEscalated, detector.ReasonReminder,
	detector.ReasonLeaseEnded, detector.ReasonSnoozeOver, detector.ReasonCalm, detector.ReasonResolved,
	detector.ReasonReopened, detector.ReasonSourceDown, detector.ReasonDeliveryFailed, detector.ReasonDigest,
}

// Run holds a notifier to the contract of [notifier.Notifier]. open makes a fresh one for each part.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	t.Run("an incident is told from its root to its end", func(t *testing.T) { fromRootToEnd(t, open(t)) })
	t.Run("every reason has words", func(t *testing.T) { everyReason(t, open(t)) })
	t.Run("a digest names every incident", func(t *testing.T) { everyName(t, open(t)) })
	t.Run("foreign text stays text", func(t *testing.T) { foreignText(t, open(t)) })
	t.Run("a failure is told and not repeated", func(t *testing.T) { failure(t, open(t)) })
	t.Run("many at once", func(t *testing.T) { manyAtOnce(t, open(t)) })
}

func fromRootToEnd(t *testing.T, h Harness) {
	if h.Notifier.Name() == "" {
		t.Error("a notifier without a name")
	}
	root := notify(t, h, Sample())
	if root == (detector.Ref{}) {
		t.Fatal("a root without a place: its edits and its thread would be lost")
	}
	contains(t, h.Shown(), "Fjellbryg", "47 negative mentions from 39 people")

	edit := Sample()
	edit.Root, edit.Alert.Kind, edit.Alert.Reason = root, detector.KindEdit, detector.ReasonUpdated
	edit.Incident.Version, edit.Incident.Handling, edit.Incident.Owner = 2, detector.Acked, "Boris"
	edit.Incident.LeaseUntil = At.Add(4 * time.Hour)
	if ref := notify(t, h, edit); ref != root {
		t.Errorf("an edit is at %v, its root at %v", ref, root)
	}
	contains(t, h.Shown(), "Boris")

	line := Line(root, detector.ReasonWorse)
	line.Alert.Note = "It has doubled since 08:00."
	notify(t, h, line)
	contains(t, h.Shown(), "It has doubled since 08:00")

	end := Line(root, detector.ReasonResolved)
	end.Alert.Kind = detector.KindBroadcast
	end.Incident.Handling, end.Incident.Closing, end.Incident.ClosedBy = detector.Closed, detector.FalseAlarm, "Boris"
	notify(t, h, end)
	contains(t, h.Shown(), "false alarm")
}

func everyReason(t *testing.T, h Harness) {
	root := notify(t, h, Sample())
	for _, r := range reasons {
		before := len(h.Shown())
		notify(t, h, Line(root, r))
		if len(h.Shown()) <= before {
			t.Errorf("%s: nothing was said", r)
		}
	}
	leaks(t, h, "plain samples")
}

func everyName(t *testing.T, h Harness) {
	m := Digest(200)
	root := notify(t, h, m)
	shown := h.Shown()
	for i := range m.Digest {
		contains(t, shown, m.Digest[i].Incident.ID)
	}
	edit := Digest(200)
	edit.Root, edit.Alert.Kind = root, detector.KindEdit
	for i := range edit.Digest {
		edit.Digest[i].Incident.Handling, edit.Digest[i].Incident.Owner = detector.Acked, "Boris"
	}
	if ref := notify(t, h, edit); ref != root {
		t.Errorf("the edit of a digest is at %v, its root at %v", ref, root)
	}
	contains(t, h.Shown(), "Boris")
	leaks(t, h, "a digest")
}

func foreignText(t *testing.T, h Harness) {
	for i, s := range Hostile() {
		m := Poison(Sample(), s)
		m.Alert.Key = fmt.Sprintf("hostile/root/%d", i)
		root := notify(t, h, m)
		for _, r := range reasons {
			l := Poison(Line(root, r), s)
			l.Alert.Key = fmt.Sprintf("hostile/%s/%d", r, i)
			notify(t, h, l)
		}
		d := Poison(Digest(3), s)
		d.Alert.Key = fmt.Sprintf("hostile/digest/%d", i)
		notify(t, h, d)
		closed := Poison(Sample(), s)
		closed.Root, closed.Alert.Kind, closed.Incident.Handling = root, detector.KindEdit, detector.Closed
		notify(t, h, closed)
		leaks(t, h, fmt.Sprintf("hostile text %d", i))
	}
}

func failure(t *testing.T, h Harness) {
	if h.Break == nil {
		t.Skip("this medium cannot fail")
	}
	h.Break()
	before := h.Sent()
	_, err := h.Notifier.Notify(t.Context(), Sample())
	if err == nil {
		t.Fatal("a failed delivery was taken for a success")
	}
	if _, ok := errors.AsType[*notifier.DeliveryError](err); !ok {
		t.Errorf("the outcome is not told: %T %v", err, err)
	}
	if n := h.Sent() - before; n != 1 {
		t.Errorf("handed over %d times, the outbox alone may repeat", n)
	}
	notify(t, h, Sample()) // and it works again
}

func manyAtOnce(t *testing.T, h Harness) {
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			m := Sample()
			m.Alert.Key = fmt.Sprintf("many/%d", i)
			if _, err := h.Notifier.Notify(t.Context(), m); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if h.Sent() != 8 {
		t.Errorf("8 messages, %d deliveries", h.Sent())
	}
}

// notify delivers a message and expects exactly one delivery.
func notify(t *testing.T, h Harness, m *notifier.Message) detector.Ref {
	t.Helper()
	before := h.Sent()
	ref, err := h.Notifier.Notify(t.Context(), m)
	if err != nil {
		t.Fatalf("%s %s: %v", m.Alert.Kind, m.Alert.Reason, err)
	}
	if n := h.Sent() - before; n != 1 {
		t.Errorf("%s %s: %d deliveries for one message", m.Alert.Kind, m.Alert.Reason, n)
	}
	return ref
}

func leaks(t *testing.T, h Harness, of string) {
	t.Helper()
	for i, l := range h.Leaks() {
		if i == 5 {
			t.Fatalf("%s: and more", of)
		}
		t.Errorf("%s: %s", of, l)
	}
}
