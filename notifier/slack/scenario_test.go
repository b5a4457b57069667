package slack_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/notifier/slack"
	"emberwatch/rules"
)

// box is an outbox in memory: what is due, how far it is, and where the roots are.
type box struct {
	mu     sync.Mutex
	alerts []detector.Alert
	open   map[string]detector.Incident
}

func (b *box) Pending(now time.Time) (due []detector.Alert) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.alerts {
		root := detector.Ref{}
		for _, r := range b.alerts {
			if r.Kind == detector.KindRoot && r.Incident == a.Incident {
				root = r.Ref
			}
		}
		if !a.State.Done() && !a.NotBefore.After(now) && (a.Kind == detector.KindRoot || root != detector.Ref{}) {
			due = append(due, a)
		}
	}
	return due
}

func (b *box) Mark(_ context.Context, rs ...detector.Receipt) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range rs {
		a := &b.alerts[r.Seq-1]
		a.State, a.NotBefore, a.LastError = r.State, r.NotBefore, r.Error
		if r.State == detector.AlertSending {
			a.TriedAt = time.Now()
		}
		if r.State == detector.AlertSent {
			a.Ref = r.Ref
		}
	}
	return nil
}

func (b *box) Root(incident, _ string) (detector.Ref, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.alerts {
		if a.Kind == detector.KindRoot && a.Incident == incident && a.State == detector.AlertSent {
			return a.Ref, true
		}
	}
	return detector.Ref{}, false
}

func (b *box) Incident(id string) (detector.Incident, bool) {
	i, ok := b.open[id]
	return i, ok
}

func (b *box) left() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.alerts {
		if !a.State.Done() {
			n++
		}
	}
	return n
}

// TestTroubleOnTheWayOut: every way in which a post can go wrong, in hostile words. Each alert is told once, whatever
// became of the answers, and no foreign text becomes live.
func TestTroubleOnTheWayOut(t *testing.T) {
	if testing.Short() {
		t.Skip("channels rest a second between messages")
	}
	faults := []notifiertest.Fault{
		{Status: 429, RetryAfter: "1"},
		{Status: 500},
		{Status: 503, After: true},
		{Drop: true},
		{Drop: true, After: true},
		{Body: "<html>not JSON", After: true},
		notifiertest.Refuse("internal_error"), notifiertest.Refuse("service_unavailable"), notifiertest.Refuse("invalid_blocks"),
	}
	s, n := workspace(t)
	b := &box{open: map[string]detector.Incident{}}
	set := &rules.Set{Routes: map[string]*rules.Route{}}
	hostile := notifiertest.Hostile()
	for k, f := range faults {
		name := fmt.Sprintf("c%d", k)
		s.AddChannel(notifiertest.Channel{ID: "C0" + strings.ToUpper(name), Name: name, Member: true})
		set.Routes[name] = &rules.Route{ID: name, Slack: rules.Slack{Channel: "#" + name}}
		i := notifiertest.Poison(notifiertest.Sample(), hostile[k%len(hostile)]).Incident
		i.ID, i.Evidence.Mentions = "brand-"+name, nil
		b.open[i.ID] = i
		for _, kind := range []detector.AlertKind{detector.KindRoot, detector.KindBroadcast} {
			reason := detector.ReasonFirst
			if kind != detector.KindRoot {
				reason = detector.ReasonWorse
			}
			seq := uint64(len(b.alerts) + 1)
			b.alerts = append(b.alerts, detector.Alert{
				Seq: seq, Key: fmt.Sprintf("%s/%s/%s/1", i.ID, name, kind), Incident: i.ID, Route: name, Kind: kind, Reason: reason, State: detector.AlertPending,
			})
		}
		s.Fail("chat.postMessage", f)
	}
	d := notifier.NewDispatcher(notifier.DispatchOptions{
		Outbox: b, Reader: shelf{}, Rules: func() *rules.Set { return set }, For: func(*rules.Route) notifier.Notifier { return n },
	})
	ahead := time.Duration(0)
	d.Now = func() time.Time { return time.Now().Add(ahead) }
	for pass := 0; b.left() > 0; pass++ {
		if pass > 60 {
			t.Fatalf("%d alerts never got out", b.left())
		}
		d.Drain(t.Context())
		ahead += 40 * time.Second          // what waits for another try need not wait for us
		time.Sleep(250 * time.Millisecond) // channels rest by the clock on the wall
	}
	for _, a := range b.alerts {
		if a.State != detector.AlertSent {
			t.Errorf("%s is %s: %s", a.Key, a.State, a.LastError)
		}
	}
	for k := range faults {
		seen := map[any]int{}
		for _, m := range s.Messages(fmt.Sprintf("#c%d", k)) {
			seen[m.Metadata.Payload["idempotency_key"]]++
		}
		if len(seen) != 2 {
			t.Errorf("fault %d: %v", k, seen)
		}
		for key, times := range seen {
			if times != 1 {
				t.Errorf("fault %d: %v was posted %d times", k, key, times)
			}
		}
	}
	clean(t, s)
}

// TestTroubleOnTheWayBack: every way in which a socket ends, while people press. Whoever sees an error presses again;
// every press is acknowledged in time, and committed once however often it comes.
func TestTroubleOnTheWayBack(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	s, _, root := listening(t, d, func(cfg *slack.Config) { cfg.Reader = desktop() })
	s.Allow("<@U0INGRID>")
	for name, drop := range map[string]func(){
		"nothing": func() {}, "the connection is cut": s.Hangup, "Slack says goodbye": s.Goodbye, "Slack renews the socket": s.Refresh,
		"the next connection is refused": func() { s.Fail("apps.connections.open", notifiertest.Fault{Status: 500}); s.Hangup() },
		"the next one has to wait":       func() { s.Fail("apps.connections.open", notifiertest.Fault{Status: 429, RetryAfter: "1"}); s.Hangup() },
		"answers to presses are refused": func() { s.Fail("chat.postEphemeral", notifiertest.Fault{Status: 429, RetryAfter: "9"}) },
		"the home tab cannot be renewed": func() { s.Fail("views.publish", notifiertest.Fault{Status: 503}) },
		"a window cannot be opened":      func() { s.Fail("views.open", notifiertest.Fault{Drop: true}) },
	} {
		before := len(d.all())
		drop()
		for _, action := range []string{"ack", "snooze", "more"} {
			again(t, name, func() (notifiertest.Ack, error) {
				return s.Click(t.Context(), root.TS, action, root.Values(action)[len(root.Values(action))/2], "U0BORIS")
			})
		}
		again(t, name, func() (notifiertest.Ack, error) { return s.Slash(t.Context(), "/emberwatch", "status", "U0BORIS") })
		again(t, name, func() (notifiertest.Ack, error) { return s.OpenHome(t.Context(), "U0BORIS") })
		if len(d.all()) < before+3 {
			t.Errorf("%s: %d of 3 presses were committed", name, len(d.all())-before)
		}
	}
	ids := map[string]bool{}
	for _, e := range d.all() {
		if ids[e.ID] {
			t.Errorf("%s was committed twice under one id: the detector takes it once, and it need not come twice", e.ID)
		}
		ids[e.ID] = true
	}
	for _, v := range s.Violations() {
		if !strings.Contains(v, "not acknowledged") { // the socket was gone by then: nobody could
			t.Error(v)
		}
	}
}

// again presses as people do: until it is acknowledged.
func again(t *testing.T, name string, press func() (notifiertest.Ack, error)) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		ack, err := press()
		switch {
		case err == nil && ack.Latency > 2*time.Second: // a second is the aim, and a busy machine may take another
			t.Errorf("%s: acknowledged after %s", name, ack.Latency)
			return
		case err == nil:
			return
		case time.Now().After(deadline) || strings.Contains(err.Error(), "no user") || strings.Contains(err.Error(), "has no"):
			t.Fatalf("%s: %v", name, err)
		}
	}
}
