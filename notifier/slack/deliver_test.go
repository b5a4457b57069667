package slack_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/notifier/slack"
)

// outcome is the delivery error that a message ends with.
func outcome(t *testing.T, n *slack.Notifier, m *notifier.Message) *notifier.DeliveryError {
	t.Helper()
	_, err := n.Notify(t.Context(), m)
	e, ok := errors.AsType[*notifier.DeliveryError](err)
	if !ok {
		t.Fatalf("no delivery error: %T %v", err, err)
	}
	return e
}

func TestOutcomes(t *testing.T) {
	for name, c := range map[string]struct {
		fault  notifiertest.Fault
		want   notifier.Outcome
		reason string
		wait   time.Duration
	}{
		"429":                   {notifiertest.Fault{Status: 429, RetryAfter: "7"}, notifier.Busy, "ratelimited", 7 * time.Second},
		"429 for hours":         {notifiertest.Fault{Status: 429, RetryAfter: "36000"}, notifier.Busy, "ratelimited", 2 * time.Minute},
		"429 without a time":    {notifiertest.Fault{Status: 429}, notifier.Busy, "ratelimited", 30 * time.Second},
		"429 with nonsense":     {notifiertest.Fault{Status: 429, RetryAfter: "soon"}, notifier.Busy, "ratelimited", 30 * time.Second},
		"busy in words":         {notifiertest.Refuse("ratelimited"), notifier.Busy, "ratelimited", 30 * time.Second},
		"500":                   {notifiertest.Fault{Status: 500}, notifier.Unknown, "http_500", 0},
		"502 with a page":       {notifiertest.Fault{Status: 502, Body: "<html>"}, notifier.Unknown, "http_502", 0},
		"403 of a proxy":        {notifiertest.Fault{Status: 403}, notifier.NotSent, "http_403", 0},
		"a redirect":            {notifiertest.Fault{Status: 302}, notifier.NotSent, "http_302", 0},
		"garbage":               {notifiertest.Fault{Body: "<html>welcome"}, notifier.Unknown, "the_answer_makes_no_sense", 0},
		"neither yes nor no":    {notifiertest.Fault{Body: "{}"}, notifier.Unknown, "the_answer_makes_no_sense", 0},
		"half an answer":        {notifiertest.Fault{Body: `{"ok":tr`}, notifier.Unknown, "connection_lost", 0},
		"connection cut":        {notifiertest.Fault{Drop: true}, notifier.Unknown, "connection_lost", 0},
		"temporary":             {notifiertest.Refuse("service_unavailable"), notifier.Down, "service_unavailable", 0},
		"perhaps half done":     {notifiertest.Refuse("internal_error"), notifier.Unknown, "internal_error", 0},
		"a code of tomorrow":    {notifiertest.Refuse("moon_phase"), notifier.NotSent, "moon_phase", 0},
		"a code that is a leak": {notifiertest.Refuse("see " + notifiertest.BotToken), notifier.NotSent, "unreadable_code", 0},
		"archived":              {notifiertest.Refuse("is_archived"), notifier.ForGood, "is_archived", 0},
		"revoked":               {notifiertest.Refuse("token_revoked"), notifier.ForGood, "token_revoked", 0},
		"no scope":              {notifiertest.Refuse("missing_scope"), notifier.ForGood, "missing_scope", 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, n := workspace(t)
			s.Fail("chat.postMessage", c.fault)
			e := outcome(t, n, notifiertest.Sample())
			if e.Outcome != c.want || e.Reason != c.reason || e.RetryAfter != c.wait {
				t.Errorf("%v %q after %v, want %v %q after %v", e.Outcome, e.Reason, e.RetryAfter, c.want, c.reason, c.wait)
			}
			if s.Calls("chat.postMessage") != 1 {
				t.Errorf("%d posts: the outbox alone may repeat", s.Calls("chat.postMessage"))
			}
		})
	}
}

func TestWhatCannotReachSlackIsDown(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	for name, c := range map[string]struct{ url, reason string }{
		"nobody listens": {"http://" + closed.Addr().String() + "/", "connection_refused"},
		"no such name":   {"http://slack.invalid/", "name_not_found"},
		"no tls there":   {"", "tls_failed"},
	} {
		t.Run(name, func(t *testing.T) {
			s, n := workspace(t, func(cfg *slack.Config) {
				if c.url == "" {
					c.url = strings.Replace(cfg.APIURL, "http:", "https:", 1)
				}
				cfg.APIURL = c.url
				cfg.HTTP = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
			})
			if e := outcome(t, n, notifiertest.Sample()); e.Outcome != notifier.Down || e.Reason != c.reason {
				t.Errorf("%v %q", e.Outcome, e.Reason)
			} else if e.Reason == "name_not_found" && !strings.HasSuffix(e.Error(), "the name slack.invalid cannot be resolved; look at DNS or the network") {
				t.Error(e)
			}
			if s.Calls("chat.postMessage") != 0 {
				t.Error("it did reach Slack")
			}
		})
	}
}

func TestATimeoutIsUnknownForAPostAndHarmlessForAnEdit(t *testing.T) {
	s, n := workspace(t)
	root := tell(t, n, notifiertest.Sample())
	s.Fail("chat.postMessage", notifiertest.Fault{Delay: time.Minute})
	s.Fail("chat.update", notifiertest.Fault{Delay: time.Minute})
	edit := notifiertest.Sample()
	edit.Root, edit.Alert.Kind = root, detector.KindEdit
	for _, c := range []struct {
		m    *notifier.Message
		want notifier.Outcome
	}{{notifiertest.Sample(), notifier.Unknown}, {edit, notifier.NotSent}} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		_, err := n.Notify(ctx, c.m)
		cancel()
		e, ok := errors.AsType[*notifier.DeliveryError](err)
		if !ok || e.Outcome != c.want || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v, want %v", c.m.Alert.Kind, err, c.want)
		}
	}
}

func TestALostAnswerIsFoundAgain(t *testing.T) {
	s, n := workspace(t)
	since := time.Now()
	root := notifiertest.Sample()
	s.Fail("chat.postMessage", notifiertest.Fault{After: true, Drop: true})
	if e := outcome(t, n, root); e.Outcome != notifier.Unknown {
		t.Fatalf("%v: people may have read it", e)
	}
	ref, found, err := n.Find(t.Context(), root, since)
	if err != nil || !found {
		t.Fatalf("found %v, %v", found, err)
	}
	if posted := s.Messages("#pr-alerts"); len(posted) != 1 || posted[0].TS != ref.ID || ref.Channel != "C0ALERTS" {
		t.Fatalf("found %v among %d messages", ref, len(posted))
	}

	line := notifiertest.Line(ref, detector.ReasonWorse)
	s.Fail("chat.postMessage", notifiertest.Fault{After: true, Status: 503}, notifiertest.Fault{Status: 503})
	_ = outcome(t, n, line)
	if got, found, err := n.Find(t.Context(), line, since); err != nil || !found || got.ID != s.Thread(ref.ID)[1].TS {
		t.Errorf("line: %v %v %v", got, found, err)
	}
	never := notifiertest.Line(ref, detector.ReasonReminder)
	_ = outcome(t, n, never)
	if _, found, err := n.Find(t.Context(), never, since); err != nil || found {
		t.Errorf("a message that was never posted: found %v, %v", found, err)
	}
	if _, found, err := n.Find(t.Context(), root, time.Now().Add(time.Minute)); err != nil || found {
		t.Errorf("a message from before: found %v, %v", found, err)
	}
}

func TestFindLooksThroughABusyChannel(t *testing.T) {
	s, n := workspace(t)
	since := time.Now()
	want := tell(t, n, notifiertest.Sample())
	other := notifiertest.Sample()
	other.Alert.Key = "another"
	for range 250 {
		tell(t, n, other)
	}
	if ref, found, err := n.Find(t.Context(), notifiertest.Sample(), since); err != nil || ref != want {
		t.Errorf("%v %v %v", ref, found, err)
	}
	if s.Calls("conversations.history") != 2 {
		t.Errorf("%d pages", s.Calls("conversations.history"))
	}
}

func TestFindSaysWhenItCannotLook(t *testing.T) {
	s, n := workspace(t)
	s.Grant("chat:write", "channels:read")
	_, _, err := n.Find(t.Context(), notifiertest.Sample(), time.Now())
	if e, ok := errors.AsType[*notifier.DeliveryError](err); !ok || e.Reason != "missing_scope" || !strings.Contains(err.Error(), "channels_history") {
		t.Errorf("%v", err)
	}
}

func TestALayoutThatSlackRefusesGoesOutAsText(t *testing.T) {
	s, n := workspace(t)
	s.Fail("chat.postMessage", notifiertest.Refuse("invalid_blocks"))
	root := tell(t, n, notifiertest.Sample())
	got := s.Thread(root.ID)[0]
	if got.Blocks != nil || !strings.Contains(got.Text, "47 negative mentions") {
		t.Errorf("%s\n%s", got.Text, got.Blocks)
	}
	s.Fail("chat.update", notifiertest.Refuse("msg_too_long"), notifiertest.Refuse("msg_too_long"))
	edit := notifiertest.Sample()
	edit.Root, edit.Alert.Kind = root, detector.KindEdit
	if e := outcome(t, n, edit); e.Outcome != notifier.ForGood || s.Calls("chat.update") != 2 {
		t.Errorf("%v after %d edits: text alone is tried once", e, s.Calls("chat.update"))
	}
}

func TestAPublicChannelIsJoinedOnce(t *testing.T) {
	s, n := workspace(t)
	s.AddChannel(notifiertest.Channel{ID: "C0OPEN", Name: "open"})
	s.AddChannel(notifiertest.Channel{ID: "G0SECRET", Name: "secret", Private: true})
	m := notifiertest.Sample()
	m.Route.Slack.Channel = "#open"
	if ref := tell(t, n, m); ref.Channel != "C0OPEN" {
		t.Errorf("%v", ref)
	}
	m.Route.Slack.Channel = "#secret"
	if e := outcome(t, n, m); e.Outcome != notifier.ForGood || e.Reason != "channel_not_found" {
		t.Errorf("%v", e)
	}
	if s.Calls("conversations.join") != 1 {
		t.Errorf("joined %d times", s.Calls("conversations.join"))
	}
}

func TestNamesThatCannotBeLookedUpDoNotHoldUpAnAlert(t *testing.T) {
	s, n := workspace(t)
	s.Fail("usergroups.list", notifiertest.Fault{Status: 500})
	s.Fail("users.list", notifiertest.Fault{Status: 429, RetryAfter: "60"})
	m := notifiertest.Sample()
	m.Route.Slack.Mention = "@ingrid"
	root := tell(t, n, m)
	tell(t, n, m)
	if text := s.Thread(root.ID)[0].Text; !strings.HasPrefix(text, "@\u2060ingrid ") {
		t.Errorf("a name that nobody knows is plain text: %q", text)
	}
	if s.Calls("users.list") != 1 || s.Calls("usergroups.list") != 1 {
		t.Error("Slack is asked again before a minute has passed")
	}
	clean(t, s)
}

func TestSlacksRateIsObeyed(t *testing.T) {
	s, n := workspace(t)
	s.Limit(time.Minute)
	root := tell(t, n, notifiertest.Sample())
	e := outcome(t, n, notifiertest.Line(root, detector.ReasonWorse))
	if e.Outcome != notifier.Busy || e.RetryAfter < 50*time.Second || e.RetryAfter > time.Minute {
		t.Errorf("%v after %v", e.Outcome, e.RetryAfter)
	}
}

// TestSecretsStayInside puts canaries into everything secret and fails every call in every way.
func TestSecretsStayInside(t *testing.T) {
	var log bytes.Buffer
	s, n := workspace(t, func(cfg *slack.Config) {
		cfg.APIURL = strings.Replace(cfg.APIURL, "http://", "http://canary-user:canary-pass@", 1) + "canary-path/"
		var hours atomic.Int64 // names are looked up anew each time
		cfg.Now = func() time.Time { return notifiertest.At.Add(time.Duration(hours.Add(1)) * time.Hour) }
		cfg.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	faults := []notifiertest.Fault{
		{Drop: true},
		{Status: 500},
		{Body: "<canary>"},
		{Status: 302},
		{Status: 429, RetryAfter: "canary"},
		notifiertest.Refuse("canary-code"),
		{Body: `{"ok":false,"error":"invalid_blocks","response_metadata":{"messages":["canary [json-pointer:/blocks/0]"]}}`},
	}
	m := notifiertest.Sample()
	m.Route.Slack.User, m.Route.Slack.Channel, m.Route.Slack.Mention = "@ingrid", "", "@pr-oncall"
	said := ""
	for _, method := range []string{"users.list", "usergroups.list", "conversations.open", "chat.postMessage", "conversations.history"} {
		for _, f := range faults {
			s.Fail(method, f, f)
			_, err := n.Notify(t.Context(), m)
			_, _, findErr := n.Find(t.Context(), m, time.Now())
			said += errText(err) + errText(findErr)
		}
	}
	if said += log.String(); strings.Count(said, "delivered") < 2*len(faults) {
		t.Fatalf("too little failed:\n%s", said)
	}
	for _, secret := range []string{"canary", "xoxb", strings.TrimPrefix(s.URL(), "http://")} {
		if i := strings.Index(said, secret); i >= 0 {
			t.Errorf("%q got out: …%s…", secret, said[max(0, i-80):min(len(said), i+80)])
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error() + "\n"
}
