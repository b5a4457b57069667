package slack_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/rules"
)

var update = flag.Bool("update", false, "rewrite the golden messages")

// rootAs is the sample's root after something happened.
func rootAs(change func(*notifier.Message)) func(detector.Ref) *notifier.Message {
	return func(detector.Ref) *notifier.Message {
		m := notifiertest.Sample()
		m.Incident.Version++
		change(m)
		return m
	}
}

// lineFor is a line of the sample's thread.
func lineFor(r detector.NotifyReason, change func(*notifier.Message)) func(detector.Ref) *notifier.Message {
	return func(root detector.Ref) *notifier.Message {
		m := notifiertest.Line(root, r)
		m.Incident.Version++
		change(m)
		return m
	}
}

func acked(m *notifier.Message) {
	i := &m.Incident
	i.Handling, i.Owner, i.AckedAt, i.LeaseUntil = detector.Acked, "U0BORIS", notifiertest.At, notifiertest.At.Add(4*time.Hour)
	m.Next = nil
}

func grown(m *notifier.Message) {
	i := &m.Incident
	i.Level, i.Severity = rules.Crisis, rules.Crisis
	i.SeverityWhy = "16 times the usual rate in five sources"
	i.Sentence = "104 negative mentions about delivery in 1 h, 6.1 are usual, from 88 people since 07:20."
	i.Evidence.Window.Observed, i.Evidence.Authors, i.Evidence.Negative, i.Evidence.Total = 104, 88, 104, 131
	i.NewSources = []string{"instagram", "youtube"}
}

func closed(why detector.Closing) func(*notifier.Message) {
	return func(m *notifier.Message) {
		i := &m.Incident
		i.Handling, i.Closing, i.ClosedBy, i.ClosedAt = detector.Closed, why, "U0BORIS", notifiertest.At.Add(time.Hour)
	}
}

func TestMessagesReadAsAgreed(t *testing.T) {
	for name, c := range map[string]func(detector.Ref) *notifier.Message{
		"root_new":    rootAs(func(*notifier.Message) {}),
		"root_grown":  rootAs(grown),
		"root_acked":  rootAs(acked),
		"root_closed": rootAs(closed(detector.Resolved)),
		"root_calm": rootAs(func(m *notifier.Message) {
			acked(m)
			m.Incident.Level, m.Incident.CalmSince = rules.Calm, notifiertest.At.Add(time.Hour)
		}),
		"root_snoozed": rootAs(func(m *notifier.Message) {
			m.Incident.Handling, m.Incident.Owner, m.Incident.SnoozeUntil = detector.Snoozed, "ingrid", notifiertest.At.Add(24*time.Hour)
		}),
		"line_worse":      lineFor(detector.ReasonWorse, grown),
		"line_new_source": lineFor(detector.ReasonNewSource, grown),
		"line_escalated": lineFor(detector.ReasonEscalated, func(m *notifier.Message) {
			m.Mention = []rules.Slack{{User: "@ingrid"}}
		}),
		"line_reminder":         lineFor(detector.ReasonReminder, func(*notifier.Message) {}),
		"line_lease_asked":      lineFor(detector.ReasonLeaseEnded, acked),
		"line_lease_ended":      lineFor(detector.ReasonLeaseEnded, func(*notifier.Message) {}),
		"line_snooze_over":      lineFor(detector.ReasonSnoozeOver, func(m *notifier.Message) { m.Incident.Owner = "ingrid" }),
		"line_calm_close":       lineFor(detector.ReasonCalm, func(m *notifier.Message) { acked(m); m.Incident.CalmSince = notifiertest.At }),
		"line_calm_closed":      lineFor(detector.ReasonCalm, closed(detector.CalmAgain)),
		"line_resolved":         lineFor(detector.ReasonResolved, closed(detector.Resolved)),
		"line_false_alarm":      lineFor(detector.ReasonResolved, closed(detector.FalseAlarm)),
		"line_reopened":         lineFor(detector.ReasonReopened, func(m *notifier.Message) { m.Incident.Reopened = make([]time.Time, 2) }),
		"line_delivery_failed":  lineFor(detector.ReasonDeliveryFailed, func(m *notifier.Message) { m.Alert.Note = "The channel #crisis is archived." }),
		"notice_of_no_incident": notice,
	} {
		t.Run(name, func(t *testing.T) {
			s, n := workspace(t)
			s.Allow("<@U0BORIS>", "<@U0INGRID>")
			root := tell(t, n, notifiertest.Sample())
			ref := tell(t, n, c(root))
			clean(t, s)
			for _, m := range s.Messages("#pr-alerts") {
				if m.TS == ref.ID {
					golden(t, name, m)
				}
			}
		})
	}
}

func notice(detector.Ref) *notifier.Message {
	m := notifiertest.Sample()
	m.Incident, m.Alert.Incident = detector.Incident{}, ""
	m.Alert.Reason, m.Alert.Note = detector.ReasonDigest, "9 more incidents of the last 10 minutes are on the page."
	return m
}

// golden compares what was posted with what was agreed on, byte by byte.
func golden(t *testing.T, name string, m notifiertest.Message) {
	t.Helper()
	var got bytes.Buffer
	var blocks any
	if err := json.Unmarshal(m.Blocks, &blocks); err != nil {
		t.Fatal(err)
	}
	write(t, &got, map[string]any{"text": m.Text, "blocks": blocks})
	agreed(t, name, got.Bytes())
}

// goldenView is golden for a window or a home tab.
func goldenView(t *testing.T, name string, view json.RawMessage) {
	t.Helper()
	var got bytes.Buffer
	var v any
	if err := json.Unmarshal(view, &v); err != nil {
		t.Fatal(err)
	}
	write(t, &got, v)
	agreed(t, name, got.Bytes())
}

func write(t *testing.T, to *bytes.Buffer, v any) {
	t.Helper()
	e := json.NewEncoder(to)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
}

func agreed(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s reads differently; look at it and run with -update:\n%s", name, got)
	}
}
