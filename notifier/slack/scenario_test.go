package slack_test

import (
	"context"
	"fmt"
	"slices"
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

func (b *box) Root(of *detector.Alert) (detector.Ref, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.alerts {
		if a.Kind == detector.KindRoot && a.Incident == of.Incident && a.State == detector.AlertSent {
			return a.Ref, true
		}
	}
	return detector.Ref{}, false
}

// Members returns none: there is no digest here.
func (b *box) Members(string) []detector.Incident { return nil }

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

// add queues the root of an incident and a line that the channel sees.
func (b *box) add(i detector.Incident, route string) {
	b.open[i.ID] = i
	for _, a := range []detector.Alert{{Kind: detector.KindRoot, Reason: detector.ReasonFirst}, {Kind: detector.KindBroadcast, Reason: detector.ReasonWorse}} {
		a.Seq, a.Key = uint64(len(b.alerts)+1), fmt.Sprintf("%s/%s/%s/1", i.ID, route, a.Kind)
		a.Incident, a.Route, a.State = i.ID, route, detector.AlertPending
		b.alerts = append(b.alerts, a)
	}
}

// hostile is an incident all of whose foreign words are hostile.
func hostile(k int) detector.Incident {
	texts := notifiertest.Hostile()
	i := notifiertest.Poison(notifiertest.Sample(), texts[k%len(texts)]).Incident
	i.ID, i.Evidence.Mentions = fmt.Sprintf("brand-%d", k), nil
	return i
}

// send gets everything out. What waits for another try need not wait for us; channels rest by the clock on the wall.
func (b *box) send(t *testing.T, n *slack.Notifier, set *rules.Set) {
	t.Helper()
	d := notifier.NewDispatcher(notifier.DispatchOptions{
		Outbox: b, Reader: shelf{}, Rules: func() *rules.Set { return set }, For: func(string) notifier.Notifier { return n },
	})
	ahead := time.Duration(0)
	d.Now = func() time.Time { return time.Now().Add(ahead) }
	for pass := 0; b.left() > 0; pass++ {
		if pass > 60 {
			t.Errorf("%d alerts never got out", b.left())
			return
		}
		d.Drain(t.Context())
		ahead += 40 * time.Second
		time.Sleep(250 * time.Millisecond)
	}
	for _, a := range b.alerts {
		if a.State != detector.AlertSent {
			t.Errorf("%s is %s: %s", a.Key, a.State, a.LastError)
		}
	}
}

// once checks that a channel holds each of so many messages once.
func once(t *testing.T, s *notifiertest.Slack, channel string, messages int) {
	t.Helper()
	seen := map[any]int{}
	for _, m := range s.Messages(channel) {
		seen[m.Metadata.Payload["idempotency_key"]]++
	}
	if len(seen) != messages {
		t.Errorf("%s: %d messages, want %d: %v", channel, len(seen), messages, seen)
	}
	for key, times := range seen {
		if times != 1 {
			t.Errorf("%s: %v was posted %d times", channel, key, times)
		}
	}
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
	for k, f := range faults {
		name := fmt.Sprintf("c%d", k)
		s.AddChannel(notifiertest.Channel{ID: "C0" + strings.ToUpper(name), Name: name, Member: true})
		set.Routes[name] = &rules.Route{ID: name, Slack: rules.Slack{Channel: "#" + name}}
		b.add(hostile(k), name)
		s.Fail("chat.postMessage", f)
	}
	b.send(t, n, set)
	for k := range faults {
		once(t, s, fmt.Sprintf("#c%d", k), 2)
	}
	clean(t, s)
}

// drops are the ways in which a socket ends or does not come, and others in which an answer to a press goes wrong.
var drops = map[string]func(*notifiertest.Slack){
	"nothing":                                           func(*notifiertest.Slack) {},
	"the connection is cut":                             (*notifiertest.Slack).Hangup,
	"Slack says goodbye":                                (*notifiertest.Slack).Goodbye,
	"Slack renews the socket":                           (*notifiertest.Slack).Refresh,
	"the connection is half open":                       (*notifiertest.Slack).Hush,
	"the next connection is refused":                    again(notifiertest.Fault{Status: 500}),
	"the next one is to wait":                           again(notifiertest.Fault{Status: 429, RetryAfter: "1"}),
	"the next one is to wait, and is not told how long": again(notifiertest.Fault{Status: 429}),
	"answers to presses are refused": func(s *notifiertest.Slack) {
		s.Fail("chat.postEphemeral", notifiertest.Fault{Status: 429, RetryAfter: "9"}, notifiertest.Fault{Status: 429})
	},
	"the home tab cannot be renewed": func(s *notifiertest.Slack) { s.Fail("views.publish", notifiertest.Fault{Status: 503}) },
	"a window cannot be opened":      func(s *notifiertest.Slack) { s.Fail("views.open", notifiertest.Fault{Drop: true}) },
}

// again cuts the connection, and lets the next one fail once.
func again(f notifiertest.Fault) func(*notifiertest.Slack) {
	return func(s *notifiertest.Slack) {
		s.Fail("apps.connections.open", f)
		s.Hangup()
	}
}

// TestTroubleOnTheWayBack: three people press whatever can be pressed while the socket ends in every way, and hostile
// alerts go out that Slack puts off. Whoever sees an error presses again. Every press is acknowledged within a second of
// the connection taking it, the stand-in notes later ones; what was acknowledged is committed; nothing is told twice.
func TestTroubleOnTheWayBack(t *testing.T) {
	if testing.Short() {
		t.Skip("channels rest a second between messages")
	}
	var all sync.WaitGroup
	for name, drop := range drops { // at once, and not by turns as t.Parallel does: most of it is waiting
		all.Go(func() { t.Run(name, func(t *testing.T) { pressThrough(t, name, drop) }) })
	}
	all.Wait()
}

// pressThrough is one way in which a socket ends, three times in a row.
func pressThrough(t *testing.T, name string, drop func(*notifiertest.Slack)) {
	d := &desk{takes: 5 * time.Millisecond, result: detector.Result{Outcome: detector.Applied}}
	s, n, root := listening(t, d, func(cfg *slack.Config) {
		cfg.Reader, cfg.Deaf = desktop(), 500*time.Millisecond
		cfg.Allow = slack.Allow{Act: []string{"pr-oncall", "@boris", "#pr-alerts"}, Resolve: []string{"pr-oncall"}}
	})
	s.Allow("<@U0INGRID>")
	b := &box{open: map[string]detector.Incident{}}
	b.add(hostile(len(name)), rules.DefaultRoute)
	var work sync.WaitGroup
	acked := make([]int, 3)
	for k, user := range []string{"U0BORIS", "U0INGRID", "U0BORIS"} {
		work.Go(func() { acked[k] = hammer(t, s, root, user) })
	}
	s.Fail("chat.postMessage", notifiertest.Fault{Status: 429, RetryAfter: "1"}, notifiertest.Fault{Status: 503, After: true})
	work.Go(func() { b.send(t, n, &rules.Set{}) })
	for range 3 {
		drop(s)
		time.Sleep(50 * time.Millisecond)
	}
	work.Wait()
	if got, want := len(d.all()), acked[0]+acked[1]+acked[2]; got < want {
		t.Errorf("%d presses were acknowledged, %d committed", want, got)
	}
	seen := map[string]bool{}
	for _, e := range d.all() {
		if seen[e.ID] {
			t.Errorf("%s was committed twice", e.ID)
		}
		seen[e.ID] = true
	}
	once(t, s, "#pr-alerts", 1+2) // the root that was pressed, that of the box and its line
	clean(t, s)
	latencies(t, s)
}

// hammer presses what there is, each until it is acknowledged, and returns how many presses that changed something were.
func hammer(t *testing.T, s *notifiertest.Slack, root notifiertest.Message, user string) (acked int) {
	for range 4 {
		for _, action := range []string{"ack", "ack_for", "snooze"} {
			values := root.Values(action)
			insist(t, func() (notifiertest.Ack, error) {
				return s.Click(t.Context(), root.TS, action, values[len(values)/2], user)
			})
			acked++
		}
		insist(t, func() (notifiertest.Ack, error) {
			return s.Click(t.Context(), root.TS, "more", root.Values("more")[0], user) // a window
		})
		insist(t, func() (notifiertest.Ack, error) { return s.Slash(t.Context(), "/emberwatch", "mine", user) })
		insist(t, func() (notifiertest.Ack, error) { return s.OpenHome(t.Context(), user) })
	}
	return acked
}

// insist presses as people do: until it is acknowledged.
func insist(t *testing.T, press func() (notifiertest.Ack, error)) {
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		_, err := press()
		if err == nil {
			time.Sleep(20 * time.Millisecond) // nobody presses faster
			return
		}
		if time.Now().After(deadline) {
			t.Errorf("never acknowledged: %v", err)
			return
		}
	}
}

// latencies logs how long acknowledgements took.
func latencies(t *testing.T, s *notifiertest.Slack) {
	all := s.Latencies()
	slices.Sort(all)
	t.Logf("%d acknowledged, half within %s, nine in ten within %s, all within %s", len(all), all[len(all)/2], all[len(all)*9/10], all[len(all)-1])
}
