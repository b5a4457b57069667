package slack_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/notifier/slack"
	"emberwatch/rules"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// workspace is a stand-in with the people of the samples, and a notifier in it.
func workspace(t *testing.T, change ...func(*slack.Config)) (*notifiertest.Slack, *slack.Notifier) {
	t.Helper()
	s := notifiertest.NewSlack()
	t.Cleanup(s.Close)
	s.AddUser(notifiertest.User{ID: "U0INGRID", Name: "ingrid", Display: "Ingrid B."})
	s.AddUser(notifiertest.User{ID: "U0BORIS", Name: "boris"})
	s.AddGroup(notifiertest.Group{ID: "S0CRISIS", Handle: "pr-oncall", Users: []string{"U0INGRID"}})
	s.Allow("<http://127.0.0.1:8080/incidents/fjellbryg-3|Details>")
	cfg := slack.Config{
		BotToken: notifiertest.BotToken, APIURL: s.URL(), HTTP: s.Client(), DefaultChannel: "#pr-alerts",
		Logger: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Drafts: func(context.Context, string) ([]slack.Drafted, error) { return nil, nil },
		Now:    func() time.Time { return notifiertest.At },
	}
	for _, c := range change {
		c(&cfg)
	}
	n, err := slack.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s, n
}

// tell delivers a message that must get through.
func tell(t *testing.T, n *slack.Notifier, m *notifier.Message) detector.Ref {
	t.Helper()
	ref, err := n.Notify(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// clean fails the test for everything that was done wrong.
func clean(t *testing.T, s *notifiertest.Slack) {
	t.Helper()
	for _, v := range s.Violations() {
		t.Error(v)
	}
}

func TestContract(t *testing.T) {
	notifiertest.Run(t, func(t *testing.T) notifiertest.Harness {
		s, n := workspace(t)
		return notifiertest.Harness{
			Notifier: n,
			Sent: func() int {
				return s.Calls("chat.postMessage") + s.Calls("chat.update")
			},
			Shown: func() string {
				var b strings.Builder
				for _, m := range s.Messages("#pr-alerts") {
					b.WriteString(m.Shown())
				}
				return b.String()
			},
			Leaks: s.Violations,
			Break: func() { s.Fail("chat.postMessage", notifiertest.Fault{Status: 500}) },
		}
	})
}

func TestAnIncidentIsOneRootAndItsThread(t *testing.T) {
	s, n := workspace(t)
	root := tell(t, n, notifiertest.Sample())

	edit := notifiertest.Sample()
	edit.Root, edit.Alert.Kind = root, detector.KindEdit
	tell(t, n, edit)
	tell(t, n, notifiertest.Line(root, detector.ReasonNewSource))
	worse := notifiertest.Line(root, detector.ReasonWorse)
	worse.Alert.Kind = detector.KindBroadcast
	tell(t, n, worse)

	got := s.Thread(root.ID)
	if len(got) != 3 || got[0].Edits != 1 || got[1].ThreadTS != root.ID || got[1].Broadcast || !got[2].Broadcast {
		t.Fatalf("want a root edited once, a line, and a line that the channel sees: %+v", got)
	}
	if k := got[0].Metadata.Payload["idempotency_key"]; k != "fjellbryg-3/default/root/1" {
		t.Errorf("after an edit the root is found under %v", k)
	}
	clean(t, s)
}

func TestWhereARootGoes(t *testing.T) {
	s, n := workspace(t)
	s.AddChannel(notifiertest.Channel{ID: "C0CRISIS", Name: "crisis", Member: true})
	for _, c := range []struct {
		to   rules.Slack
		want string
	}{
		{rules.Slack{Channel: "#crisis"}, "C0CRISIS"},
		{rules.Slack{Channel: "C0CRISIS", User: "@ingrid"}, "C0CRISIS"},
		{rules.Slack{User: "@ingrid"}, "D0INGRID"},
		{rules.Slack{User: "U0BORIS"}, "D0BORIS"},
		{rules.Slack{}, "C0ALERTS"},
	} {
		m := notifiertest.Sample()
		m.Route.Slack = c.to
		if ref := tell(t, n, m); ref.Channel != c.want {
			t.Errorf("%+v went to %s, want %s", c.to, ref.Channel, c.want)
		}
	}
	clean(t, s)
}

func TestMentionsComeFromTheConfiguration(t *testing.T) {
	for _, c := range []struct{ mention, want string }{
		{"@here", "<!here>"},
		{"@pr-oncall", "<!subteam^S0CRISIS>"},
		{"@ingrid", "<@U0INGRID>"},
		{"U0BORIS", "<@U0BORIS>"},
		{"S0CRISIS", "<!subteam^S0CRISIS>"},
		{"@nobody", "@\u2060nobody"},
	} {
		s, n := workspace(t)
		s.Allow(c.want)
		m := notifiertest.Sample()
		m.Route.Slack.Mention = c.mention
		root := tell(t, n, m)
		if got := s.Thread(root.ID)[0]; !strings.HasPrefix(got.Text, c.want+" ") || !strings.Contains(got.Shown(), "\n"+c.want+" ") {
			t.Errorf("%s: %q", c.mention, got.Text)
		}
		clean(t, s)
	}
}

func TestTheOwnerHearsWhatIsMeantForThem(t *testing.T) {
	for _, c := range []struct {
		reason detector.NotifyReason
		owner  string
		want   string
	}{
		{detector.ReasonLeaseEnded, "boris", "<@U0BORIS>, *your acknowledgement has ended.*"},
		{detector.ReasonCalm, "Boris", "<@U0BORIS>, close it?"},
		{detector.ReasonSnoozeOver, "boris", "The snooze by <@U0BORIS>"},
		{detector.ReasonWorse, "boris", "<@U0BORIS> 🟠 *It is getting worse:*"},
		{detector.ReasonLeaseEnded, "night desk", "⏳ night desk, *your"},
		{detector.ReasonReminder, "boris", "Still nobody"},
	} {
		s, n := workspace(t)
		s.Allow("<@U0BORIS>")
		root := tell(t, n, notifiertest.Sample())
		m := notifiertest.Line(root, c.reason)
		acked(m)
		m.Incident.Owner = c.owner
		tell(t, n, m)
		if got := s.Thread(root.ID)[1].Text; !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", c.reason, got, c.want)
		}
		clean(t, s)
	}
}

func TestANoteIsSaidOnce(t *testing.T) {
	for reason, c := range map[detector.NotifyReason]struct{ note, want string }{
		detector.ReasonNewSource: {"tiktok", "📡 *It has spread to tiktok.*"},
		detector.ReasonReminder:  {"unacknowledged for 30 min", "🔔 *Still nobody is on it*, 30 min after it was opened. 47 in 1 h, usually 6.1; 39 authors."},
		detector.ReasonWorse:     {"16 times the usual rate", "🟠 *It is getting worse:* now serious. 47 in 1 h, usually 6.1; 39 authors. 16 times the usual rate."},
		detector.ReasonEscalated: {"", "🔔 *Nobody has acknowledged this serious incident for 30 min.* Please take it."},
	} {
		s, n := workspace(t)
		root := tell(t, n, notifiertest.Sample())
		m := notifiertest.Line(root, reason)
		m.Alert.Note = c.note
		tell(t, n, m)
		if got := s.Thread(root.ID)[1].Text; got != c.want {
			t.Errorf("%s: %q, want %q", reason, got, c.want)
		}
	}
}

func TestDirectMessagesAreQuotedOnPrivateRoutesOnly(t *testing.T) {
	for _, private := range []bool{false, true} {
		s, n := workspace(t)
		m := notifiertest.Sample()
		m.Route.Private = private
		m.Quotes[0].Mention.Kind, m.Quotes[0].Mention.Text = "dm", "my number is 555-0100"
		root := tell(t, n, m)
		if got := strings.Contains(s.Thread(root.ID)[0].Shown(), "555-0100"); got != private {
			t.Errorf("private route %v: direct message shown %v", private, got)
		}
		clean(t, s)
	}
}

func TestAuthTellsWhatIsMissing(t *testing.T) {
	s, n := workspace(t)
	s.Grant("chat:write", "users:read", "channels:history")
	id, err := n.Auth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if id.TeamID != notifiertest.TeamID || len(id.Missing) != len(slack.Scopes())-3 {
		t.Errorf("%+v", id)
	}
}
