package slack_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/notifier/slack"
	"emberwatch/rules"
	"emberwatch/sources"
)

// desk is a Responder that takes its time and answers what it is told to.
type desk struct {
	takes  time.Duration
	result detector.Result
	err    error

	mu     sync.Mutex
	events []detector.Event
}

func (d *desk) Respond(_ context.Context, e detector.Event) (detector.Result, error) {
	time.Sleep(d.takes) // what a commit takes on a slow disk
	d.mu.Lock()
	defer d.mu.Unlock()
	d.events = append(d.events, e)
	r := d.result
	if e.Op == detector.OpSnooze && r.Incident.SnoozeUntil.IsZero() {
		r.Incident.SnoozeUntil = notifiertest.At.Add(time.Hour)
	}
	return r, d.err
}

func (d *desk) all() []detector.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]detector.Event(nil), d.events...)
}

// listening is a workspace whose notifier takes presses, with the sample's root posted.
func listening(t *testing.T, d *desk, change ...func(*slack.Config)) (*notifiertest.Slack, *slack.Notifier, notifiertest.Message) {
	t.Helper()
	s, n := workspace(t, append(change, func(cfg *slack.Config) { cfg.AppToken, cfg.Responder = notifiertest.AppToken, d })...)
	s.AddUser(notifiertest.User{ID: "U0EVE", Name: "eve", Team: "T0OTHER"})
	s.Allow("<@U0BORIS>")
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Listen(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("listen: %v", err)
		}
	})
	eventually(t, "the socket", func() bool { return s.Connected() == 1 && n.Ready(notifiertest.At) == nil })
	m := notifiertest.Sample()
	m.Route.Quiet = &rules.QuietHours{Zone: oslo(t)}
	root := tell(t, n, m)
	return s, n, s.Thread(root.ID)[0]
}

func oslo(t *testing.T) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("Europe/Oslo")
	if err != nil {
		t.Skip(err)
	}
	return z
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%s never came", what)
		}
	}
}

// press lets somebody press the n-th choice behind an action of a message.
func press(t *testing.T, s *notifiertest.Slack, m notifiertest.Message, action string, n int, user string) notifiertest.Ack {
	t.Helper()
	values := m.Values(action)
	if n >= len(values) {
		t.Fatalf("%s has %v", action, values)
	}
	ack, err := s.Click(t.Context(), m.TS, action, values[n], user)
	if err != nil {
		t.Fatalf("%s: %v", action, err)
	}
	return ack
}

func TestAPressIsCommittedBeforeItIsAcknowledged(t *testing.T) {
	d := &desk{takes: 80 * time.Millisecond, result: detector.Result{Outcome: detector.Applied}}
	s, _, root := listening(t, d)
	ack := press(t, s, root, "ack", 0, "U0BORIS")
	if ack.Latency < d.takes/2 || len(d.all()) != 1 {
		t.Errorf("acknowledged after %v with %d events committed", ack.Latency, len(d.all()))
	}
	e := d.all()[0]
	want := detector.Actor{Kind: "person", ID: "U0BORIS", Name: "boris", Via: "slack"}
	if e.Op != detector.OpAck || e.Incident != "fjellbryg-3" || e.Expected != 1 || e.Actor != want {
		t.Errorf("%+v", e)
	}
	if !strings.HasSuffix(e.ID, "U0BORISack") || e.Args.For != 0 {
		t.Errorf("id %q, args %+v", e.ID, e.Args)
	}
	clean(t, s)
}

func TestEverythingThatCanBePressed(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	s, _, root := listening(t, d)
	nine := time.Date(2026, 11, 17, 8, 0, 0, 0, time.UTC) // 09:00 in Oslo
	for _, c := range []struct {
		action string
		n      int
		op     detector.Operation
		args   detector.Args
	}{
		{"ack_for", 0, detector.OpAck, detector.Args{For: detector.Duration(time.Hour)}},
		{"ack_for", 1, detector.OpAck, detector.Args{For: detector.Duration(4 * time.Hour)}},
		{"ack_for", 2, detector.OpAck, detector.Args{Until: nine}},
		{"snooze", 0, detector.OpSnooze, detector.Args{For: detector.Duration(time.Hour)}},
		{"snooze", 2, detector.OpSnooze, detector.Args{Until: nine}},
		{"snooze", 3, detector.OpSnooze, detector.Args{For: detector.Duration(7 * 24 * time.Hour)}},
		{"more", 1, detector.OpResolve, detector.Args{}},
		{"more", 2, detector.OpFalseAlarm, detector.Args{}},
		{"more", 3, detector.OpKnownEvent, detector.Args{}},
	} {
		press(t, s, root, c.action, c.n, "U0BORIS")
		all := d.all()
		e := all[len(all)-1]
		if e.Op != c.op || e.Args.For != c.args.For || !e.Args.Until.Equal(c.args.Until) {
			t.Errorf("%s %d: %s %+v", c.action, c.n, e.Op, e.Args)
		}
	}
	eventually(t, "what three snoozes hide", func() bool { return len(s.Ephemerals()) == 3 })
	for _, e := range s.Ephemerals() {
		if !strings.HasPrefix(e.Text, "💤") {
			t.Errorf("what worked is shown by the root, not said again: %+v", e)
		}
	}
	clean(t, s)
}

// TestASnoozeSaysWhatItHides: the figures, what would have been hidden in as long a time before, and what breaks through.
func TestASnoozeSaysWhatItHides(t *testing.T) {
	lines := []detector.Audit{{At: notifiertest.At.Add(-9 * time.Hour), Reason: detector.ReasonReminder}} // too long ago
	for _, r := range []detector.NotifyReason{detector.ReasonFirst, detector.ReasonReminder, detector.ReasonNewSource, detector.ReasonEscalated, ""} {
		lines = append(lines, detector.Audit{At: notifiertest.At.Add(-time.Hour), Reason: r})
	}
	for level, want := range map[rules.Severity]string{
		rules.Serious: "47 in 1 h, usually 6.1; 39 authors. In the 4 h before, a snooze would have hidden 3 messages. It speaks up sooner if it gets worse than serious.",
		rules.Crisis:  "Nothing is worse than a crisis: until then it stays silent, whatever happens.",
	} {
		i := notifiertest.Sample().Incident
		i.Handling, i.Owner, i.AtLevel, i.SnoozeUntil = detector.Snoozed, "boris", level, notifiertest.At.Add(4*time.Hour)
		d := &desk{result: detector.Result{Outcome: detector.Applied, Incident: i}}
		s, _, root := listening(t, d, func(cfg *slack.Config) { cfg.Reader = shelf{open: []detector.Incident{i}, audit: lines} })
		press(t, s, root, "snooze", 1, "U0BORIS")
		eventually(t, "the preview", func() bool { return len(s.Ephemerals()) == 1 })
		if e := s.Ephemerals()[0]; e.User != "U0BORIS" || !strings.HasSuffix(e.Text, want) {
			t.Errorf("%q, want %q", e.Text, want)
		}
		ack, err := s.Slash(t.Context(), "/emberwatch", "snooze fjellbryg-3 4h", "U0BORIS")
		if err != nil || !strings.Contains(string(ack.Payload), want) {
			t.Errorf("%v %s", err, ack.Payload)
		}
		clean(t, s)
	}
}

func TestLinesCanBePressedToo(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	s, n, root := listening(t, d)
	at := detector.Ref{Channel: root.Channel, ID: root.TS}
	asked := notifiertest.Line(at, detector.ReasonLeaseEnded)
	acked(asked)
	tell(t, n, asked)
	over := notifiertest.Sample()
	over.Root, over.Alert.Kind = at, detector.KindEdit
	closed(detector.Resolved)(over)
	tell(t, n, over)
	thread := s.Thread(root.TS)
	press(t, s, thread[1], "ack", 0, "U0BORIS")
	press(t, s, thread[1], "resolve", 0, "U0BORIS")
	press(t, s, thread[1], "unack", 0, "U0BORIS")
	press(t, s, thread[0], "reopen", 0, "U0BORIS")
	var ops []string
	for _, e := range d.all() {
		ops = append(ops, string(e.Op))
	}
	if got := strings.Join(ops, " "); got != "ack resolve unack reopen" {
		t.Error(got)
	}
	if v := thread[0].Values("ack"); v != nil {
		t.Errorf("a closed incident can be acknowledged: %v", v)
	}
	clean(t, s)
}

func TestTheSamePressHasTheSameID(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	s, _, root := listening(t, d)
	if _, err := s.Again(t.Context(), root.TS, "ack", root.Values("ack")[0], "U0BORIS", 2); err != nil {
		t.Fatal(err)
	}
	press(t, s, root, "ack", 0, "U0BORIS")
	e := d.all()
	if len(e) != 3 || e[0].ID != e[1].ID || e[0].ID == e[2].ID {
		t.Errorf("%q %q %q", e[0].ID, e[1].ID, e[2].ID)
	}
}

func TestWhatIsSaidToWhoPressed(t *testing.T) {
	for name, c := range map[string]struct {
		desk *desk
		user string
		want string
		done bool // acknowledged
	}{
		"stale": {
			&desk{result: detector.Result{Outcome: detector.Already, Incident: detector.Incident{
				Handling: detector.Acked, Owner: "U0BORIS", AckedAt: notifiertest.At.Add(-2 * time.Minute),
			}}},
			"U0INGRID", "already acknowledged by <@U0BORIS> 2 min ago", true,
		},
		"refused": {
			&desk{result: detector.Result{Outcome: detector.Refused, Message: "fjellbryg-3 was closed by boris <!here>"}},
			"U0INGRID", "fjellbryg-3 was closed by boris &lt;!here&gt;", true,
		},
		"unknown":    {&desk{err: detector.ErrNotFound}, "U0INGRID", "I do not know fjellbryg-3 any more", true},
		"not stored": {&desk{err: errors.New("disk full")}, "U0INGRID", "Please press again", false},
		"foreign":    {&desk{}, "U0EVE", "Only members of this workspace", true},
	} {
		t.Run(name, func(t *testing.T) {
			s, _, root := listening(t, c.desk)
			if c.done {
				press(t, s, root, "ack", 0, c.user)
				clean(t, s)
			} else {
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				if _, err := s.Click(ctx, root.TS, "ack", root.Values("ack")[0], c.user); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("acknowledged without being stored: %v", err)
				}
			}
			eventually(t, "the answer", func() bool { return len(s.Ephemerals()) == 1 })
			if e := s.Ephemerals()[0]; e.User != c.user || !strings.Contains(e.Text, c.want) {
				t.Errorf("%+v", e)
			}
			if name == "foreign" && len(c.desk.all()) != 0 {
				t.Error("a stranger changed something")
			}
		})
	}
}

func TestWhoMayDoWhat(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	s, _, root := listening(t, d, func(cfg *slack.Config) {
		cfg.Allow = slack.Allow{Act: []string{"@boris", "pr-oncall"}, Resolve: []string{"S0CRISIS"}}
	})
	s.AddUser(notifiertest.User{ID: "U0GUEST", Name: "guest"})
	for _, c := range []struct {
		user, action string
		may          bool
	}{
		{"U0BORIS", "ack", true},
		{"U0INGRID", "ack", true},
		{"U0GUEST", "ack", false},
		{"U0BORIS", "more", false},
		{"U0INGRID", "more", true},
		{"U0GUEST", "more", false},
	} {
		before, said := len(d.all()), len(s.Ephemerals())
		n := 0
		if c.action == "more" {
			n = 1 // resolve
		}
		press(t, s, root, c.action, n, c.user)
		if got := len(d.all()) > before; got != c.may {
			t.Errorf("%s %s: %v", c.user, c.action, got)
		}
		if !c.may {
			eventually(t, "the refusal", func() bool { return len(s.Ephemerals()) > said })
		}
	}
	clean(t, s)
}

// TestAPressNeverWaitsForNames: who may act, whose an incident is and which groups there are is known before, and asked for
// again while nobody waits.
func TestAPressNeverWaitsForNames(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	var later atomic.Int64
	s, _, root := listening(t, d, func(cfg *slack.Config) {
		cfg.Reader = desktop()
		cfg.Allow = slack.Allow{Act: []string{"pr-oncall", "#pr-alerts"}, Resolve: []string{"pr-oncall"}}
		cfg.Now = func() time.Time { return notifiertest.At.Add(time.Duration(later.Load())) }
	})
	later.Store(int64(24 * time.Hour)) // what is known is a day old
	for _, method := range []string{"users.list", "usergroups.list", "conversations.list"} {
		s.Fail(method, slices.Repeat([]notifiertest.Fault{{Delay: time.Minute}}, 9)...)
	}
	press(t, s, root, "ack", 0, "U0INGRID")
	press(t, s, root, "more", 1, "U0INGRID")
	press(t, s, root, "more", 1, "U0BORIS") // may not resolve
	if _, err := s.Slash(t.Context(), "/emberwatch", "mine", "U0BORIS"); err != nil {
		t.Error(err)
	}
	press(t, s, root, "more", 0, "U0BORIS")
	window(t, s, 1, 0)
	if len(d.all()) != 2 {
		t.Errorf("%+v", d.all())
	}
	clean(t, s)
	latencies(t, s)
}

func TestDraftsAreShownAndNeverPosted(t *testing.T) {
	made := func(_ context.Context, incident string) ([]slack.Drafted, error) {
		dm := drafted("secret words")
		dm.Mention.Mention.Kind = sources.DM
		return []slack.Drafted{drafted("Where is my parcel? <!channel>"), dm}, nil
	}
	s, _, root := listening(t, &desk{}, func(cfg *slack.Config) { cfg.Drafts = made })
	press(t, s, root, "drafts", 0, "U0BORIS")
	eventually(t, "the drafts", func() bool { m := s.Modals(); return len(m) == 1 && m[0].Updates == 1 })
	modal := s.Modals()[0]
	shown := readable(t, modal.View)
	for _, want := range []string{
		"Where is my parcel? <!channel>", "Reply.", "We are sorry, Maja.", "19 of 280 characters", "can be sent",
		"NOT SENDABLE", "G04 (hard): names a cause that nobody has cleared", "approved by pr-lead, legal", "1 mention is not shown",
		"Do not: name a cause", "as a colleague changed it before", "Fact cause (known): a &lt;!channel&gt; valve",
	} {
		if !strings.Contains(shown, want) {
			t.Errorf("nobody can read %q in\n%s", want, shown)
		}
	}
	if strings.Contains(shown, "secret words") {
		t.Error("a direct message is shown from a channel that is not private")
	}
	if modal.User != "U0BORIS" || len(s.Messages("#pr-alerts")) != 1 {
		t.Errorf("shown to %s, %d messages in the channel", modal.User, len(s.Messages("#pr-alerts")))
	}
	clean(t, s)
}

func TestManyDraftsFitIntoAModal(t *testing.T) {
	made := func(context.Context, string) ([]slack.Drafted, error) {
		var ds []slack.Drafted
		for _, h := range notifiertest.Hostile() {
			d := drafted(h)
			d.Suggestion.Why, d.Suggestion.Drafts[0].Text, d.Suggestion.Drafts[1].Guards[0].Why = h, h, h
			ds = append(ds, d, d)
		}
		return ds, nil
	}
	s, _, root := listening(t, &desk{}, func(cfg *slack.Config) { cfg.Drafts = made })
	press(t, s, root, "drafts", 0, "U0BORIS")
	eventually(t, "the drafts", func() bool { m := s.Modals(); return len(m) == 1 && m[0].Updates == 1 })
	clean(t, s)
}

func drafted(text string) slack.Drafted {
	m := notifiertest.Sample().Quotes[0]
	m.Mention.Text = text
	return slack.Drafted{Mention: m, Suggestion: notifier.Suggestion{
		Suggest: notifier.Reply, DoNot: []string{"name a cause"}, Why: "a complaint that can be solved", Approve: []string{"pr-lead", "legal"},
		Drafts: []notifier.Draft{
			{
				ID: "public-short", Lang: "en", Network: "instagram", Text: "We are sorry, Maja.", Length: 19, Limit: 280, Sendable: true,
				Origin: notifier.Edited, Facts: []notifier.Fact{{Name: "cause", State: "known", Text: "a <!channel> valve"}},
				Guards: []notifier.Guard{{ID: "G01", Level: "hard", Pass: true}},
			},
			{
				ID: "public-full", Lang: "en", Network: "instagram", Text: "The depot burnt down.", Length: 21,
				Guards: []notifier.Guard{{ID: "G04", Level: "hard", Why: "names a cause that nobody has cleared"}},
			},
		},
	}}
}

// readable joins every text of a view.
func readable(t *testing.T, view json.RawMessage) string {
	t.Helper()
	var v struct {
		Blocks json.RawMessage `json:"blocks"`
	}
	if err := json.Unmarshal(view, &v); err != nil {
		t.Fatal(err)
	}
	m := notifiertest.Message{Blocks: v.Blocks}
	return strings.ReplaceAll(m.Shown(), "*", "")
}
