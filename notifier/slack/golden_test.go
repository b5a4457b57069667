package slack_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
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
	i.Sentence = "104 negative mentions from 88 people in the last hour; at this time of a Monday usually 6.1, rarely more than 12; on 5 sources; mostly about delivery."
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
		"digest":                func(detector.Ref) *notifier.Message { return digest(func(*notifier.Message) {}) },
		"digest_taken": func(detector.Ref) *notifier.Message {
			return digest(func(m *notifier.Message) {
				m.Digest[0].Incident.Handling, m.Digest[0].Incident.Owner = detector.Acked, "boris"
				m.Digest[1].Incident.Handling = detector.Closed
			})
		},
		"digest_de": func(detector.Ref) *notifier.Message {
			return digest(func(m *notifier.Message) { m.Language = german() })
		},
		"root_arabic": rootAs(arabic),
		"root_full":   rootAs(full),
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

// digest is a digest of a crisis, a serious incident and issues of a shop.
func digest(change func(*notifier.Message)) *notifier.Message {
	m := notifiertest.Digest(5)
	change(m)
	return m
}

func german() *notifier.Language { return (*notifier.Languages)(nil).In("de") }

// arabic is an incident of a brand whose customers write Arabic.
func arabic(m *notifier.Message) {
	m.Brand.Names = []string{"فيلبريغ"}
	m.OnDuty, m.Next.To = "أمينة الشريف", "أمينة الشريف"
	m.Topics = []detector.Topic{{Words: "الطلبية", Count: 21, Of: 30, Lang: "ar"}, {Words: "خدمة العملاء", Count: 9, Of: 12, Lang: "ar"}}
	m.Incident.Evidence.Languages = map[string]int{"ar": 44, "fr": 3}
	m.Quotes[0].Mention.Text = "طلبت الجهاز قبل ثلاثة أسابيع (رقم 48213) ولم يصل حتى الآن، ولا أحد يرد على الهاتف!"
	m.Quotes[1].Mention.Text = "أسوأ خدمة: 1/5 ★ — لا تشتروا من Fjellbryg One\nأريد استرداد أموالي اليوم."
	for k := range m.Quotes {
		m.Quotes[k].Lang, m.Quotes[k].Mention.Author.Name, m.Quotes[k].Mention.Author.Handle = "ar", "أبو خالد", ""
	}
}

// full is the longest that happens: a crisis of a brand with a long name, in many places and languages, with all that
// there is to say about it.
func full(m *notifier.Message) {
	grown(m)
	i := &m.Incident
	m.Brand.Names = []string{"Vereinigte Fjellbrygger Kaffee- und Espressomaschinenwerke"}
	i.Title = "Complaints about delivery, billing and refunds, and how staff behaved"
	i.Sentence = "1,204 negative mentions from 1,088 people in the last 6 hours; at this time of a Wednesday usually 61, rarely more than 118 (still learning); on 14 sources; mostly about billing and refunds; 312 near-copies."
	i.SeverityWhy = "20 times the usual rate in fourteen sources; 3 authors with more than 100,000 followers; a newspaper writes about it"
	i.Previous, i.Evidence.Learning = "vereinigte-fjellbrygger-kaffee-und-espressomaschinenwerke-116", "9 of 28 days"
	i.Evidence.Copied, i.Evidence.Reach, i.Evidence.Authors = 312, 48_120_400, 1088
	i.Evidence.Budget = &detector.Budget{PerWeek: 0.5, Realised: 0.7, Weeks: 9}
	i.Signals = []detector.ActiveSignal{{Window: detector.Duration(time.Hour), Count: 47}}
	for k := range m.Quotes {
		m.Quotes[k].Mention.Text = strings.Repeat("Ich warte seit drei Wochen auf mein Paket und niemand antwortet mir. ", 12)
		m.Quotes[k].Mention.Author.Name = "Dr. Maximiliane Freifrau von und zu Oberhohenstein-Unterbergen"
		m.Quotes[k].Disagree, m.Quotes[k].Mention.Rating = true, 5
	}
	m.Topics = append(m.Topics, detector.Topic{Words: "Rückerstattung verweigert", Count: 640, Of: 702, Lang: "de"}, detector.Topic{Words: "Kundendienst", Count: 411, Of: 455, Lang: "de"})
	m.Private = 1204
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
