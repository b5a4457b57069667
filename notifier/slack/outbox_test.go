package slack_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/notifier/slack"
	"emberwatch/rules"
	"emberwatch/sources"
)

// newsroom is all of delivery in one bubble of time: a model's outbox, the dispatcher, the notifier and the strict
// stand-in for Slack. What the model changes is durable at once.
type newsroom struct {
	t    *testing.T
	fake *notifiertest.Slack
	d    *notifier.Dispatcher
	mail *mailbox
	wake chan struct{}

	mu    sync.Mutex
	set   *rules.Set
	model *detector.Model
	rows  map[uint64]detector.Alert
	n     int
	down  bool // Slack cannot be reached
}

// newsRules have brands b0 to b219, whose incidents have a severity that their mentions say: "crisis", "serious", "issue".
func newsRules(desk string) string {
	var b strings.Builder
	b.WriteString("version: 1\nbrands:\n")
	for n := range 220 {
		fmt.Fprintf(&b, "  b%d: {names: [\"Shop %03d\"]}\n", n, n)
	}
	fmt.Fprintf(&b, "routes:\n  desk: %s\n  second: {slack: {channel: \"#second\"}}\nrules:\n", desk)
	for k, word := range []string{"crisis", "serious", "issue"} {
		fmt.Fprintf(&b, "  - {id: %s, title: A complaint, kind: each, match: {any_of: [{phrase: %s}]}, severity: %d, route: [desk], dedupe: {by: [author], for: 1m}}\n", word, word, k+1)
	}
	return b.String()
}

// openNewsroom must be called in a bubble, with a stand-in that was made outside of it.
func openNewsroom(t *testing.T, fake *notifiertest.Slack, desk string) *newsroom {
	t.Helper()
	set, errs := rules.Parse([]rules.File{{Name: "news.yml", Data: []byte(newsRules(desk))}}, rules.Options{})
	if set == nil {
		t.Fatal(errs)
	}
	r := &newsroom{
		t: t, fake: fake, set: set, model: detector.NewModel(set, detector.LagLive), rows: map[uint64]detector.Alert{},
		wake: make(chan struct{}, 1), mail: &mailbox{},
	}
	n, err := slack.New(slack.Config{
		BotToken: notifiertest.BotToken, APIURL: fake.URL(), DefaultChannel: "#pr-alerts",
		HTTP: &http.Client{Transport: r, Timeout: 15 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.d = notifier.NewDispatcher(notifier.DispatchOptions{
		Outbox: r, Reader: noArchive{}, Rules: func() *rules.Set { return set },
		For: func(via string) notifier.Notifier {
			if via == "mail" {
				return r.mail
			}
			return n
		},
	})
	return r
}

// RoundTrip reaches Slack, or does not.
func (r *newsroom) RoundTrip(q *http.Request) (*http.Response, error) {
	r.mu.Lock()
	down := r.down
	r.mu.Unlock()
	if down {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	return r.fake.Transport().RoundTrip(q)
}

func (r *newsroom) reachable(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = !yes
}

// run lets the clock tick and the dispatcher work for a while.
func (r *newsroom) run(span time.Duration) {
	ctx, stop := context.WithTimeout(r.t.Context(), span)
	defer stop()
	var clock sync.WaitGroup
	clock.Go(func() {
		for tick := time.NewTicker(time.Second); ; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-tick.C:
				r.change(func(now time.Time) *detector.Change { return r.model.Tick(now) })
			}
		}
	})
	if err := r.d.Run(ctx, r.wake); err != nil {
		r.t.Error(err)
	}
	clock.Wait()
}

// change commits what f does to the model.
func (r *newsroom) change(f func(now time.Time) *detector.Change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, a := range f(time.Now()).Alerts {
		r.rows[a.Seq] = a
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// complain opens an incident of brand n of the severity that is named.
func (r *newsroom) complain(n int, severity string) {
	r.change(func(now time.Time) *detector.Change {
		r.n++
		m := sources.Mention{
			ID: fmt.Sprint("m", r.n), Source: "shop", Kind: sources.Comment, Brand: fmt.Sprint("b", n),
			Author: sources.Author{ID: fmt.Sprint("a", r.n)}, Text: "what a " + severity, CreatedAt: now,
		}
		c, _ := r.model.Apply([]detector.Arrival{{
			Key: m.Key(), At: now.UTC(), Arrived: now, Judged: detector.Judge(r.set, neutral{}, m),
		}}, now)
		return c
	})
}

func (r *newsroom) do(id string, op detector.Operation) {
	r.change(func(now time.Time) *detector.Change {
		r.n++
		e := detector.Event{ID: fmt.Sprint("e", r.n), Incident: id, Op: op, Actor: detector.Actor{Kind: "person", ID: "boris"}}
		res, c, ok := r.model.Respond(e, now)
		if !ok || res.Outcome != detector.Applied {
			r.t.Errorf("%s %s: %s", op, id, res.Message)
		}
		return c
	})
}

// Pending, Mark, Root, Members and Incident are the model's.
func (r *newsroom) Pending(now time.Time) []detector.Alert {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.model.Due(now)
}

// Mark books receipts.
func (r *newsroom) Mark(_ context.Context, rs ...detector.Receipt) error {
	r.change(func(now time.Time) *detector.Change { return r.model.Receive(rs, now) })
	return nil
}

// Root is the model's.
func (r *newsroom) Root(of *detector.Alert) (detector.Ref, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.model.Root(of)
}

// Members is the model's.
func (r *newsroom) Members(digest string) []detector.Incident {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.model.Members(digest)
}

// Incident is the model's.
func (r *newsroom) Incident(id string) (detector.Incident, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.model.Incident(id)
}

// all returns the rows as they were last committed.
func (r *newsroom) all() []detector.Alert {
	r.mu.Lock()
	defer r.mu.Unlock()
	var rows []detector.Alert
	for _, a := range r.rows {
		rows = append(rows, a)
	}
	return rows
}

// check holds what must be true whatever happened: nothing wrong was sent, nothing is there twice, and every incident is
// named by a message of its own or by a digest.
func (r *newsroom) check(incidents int) {
	r.t.Helper()
	for _, v := range r.fake.Violations() {
		r.t.Error(v)
	}
	there, named := map[string]int{}, map[string]bool{}
	for _, channel := range []string{"#pr-alerts", "#second"} {
		for _, m := range r.fake.Messages(channel) {
			key, _ := m.Metadata.Payload["idempotency_key"].(string)
			there[key]++
		}
	}
	for _, a := range r.all() {
		if n := there[a.Key]; n > 1 {
			r.t.Errorf("%s is there %d times", a.Key, n)
		}
		if a.State == detector.AlertSent && a.Via == "" && a.Kind != detector.KindEdit && a.Digest == "" && there[a.Key] != 1 {
			r.t.Errorf("%s is booked as sent and there %d times", a.Key, there[a.Key])
		}
		if a.Kind == detector.KindRoot && a.State == detector.AlertSent && a.Digest == "" {
			named[a.Incident] = true
			for _, id := range a.Members {
				named[id] = true
			}
		}
	}
	for n := range incidents {
		if id := fmt.Sprintf("b%d-1", n); !named[id] {
			r.t.Errorf("nobody was told of %s", id)
		}
	}
}

// mailbox is another way to people.
type mailbox struct {
	mu  sync.Mutex
	got []detector.Alert
}

// Name returns "mail".
func (b *mailbox) Name() string { return "mail" }

// Notify takes everything.
func (b *mailbox) Notify(_ context.Context, m *notifier.Message) (detector.Ref, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.got = append(b.got, m.Alert)
	return detector.Ref{Channel: "mail", ID: m.Alert.Key}, nil
}

// neutral judges nothing: the rules go by words here.
type neutral struct{}

// Score is neutral.
func (neutral) Score(*rules.Doc, detector.About) detector.Score {
	return detector.Score{P: detector.P{Neutral: 1}, Lang: "en", Known: true}
}

// noArchive is a reader that finds no mentions.
type noArchive struct{ detector.Reader }

// MentionsByKey finds nothing.
func (noArchive) MentionsByKey(context.Context, string, []sources.Key) ([]detector.Judged, error) {
	return nil, nil
}
