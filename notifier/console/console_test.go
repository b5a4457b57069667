package console

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

var noon = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

// alert is the first message about a serious incident, with nothing hostile in it.
func alert() *notifier.Message {
	return &notifier.Message{
		Alert: detector.Alert{Key: "fjellbryg-3/pr/root/1", Incident: "fjellbryg-3", Route: "pr", Kind: detector.KindRoot, Reason: detector.ReasonFirst, Severity: rules.Serious},
		Incident: detector.Incident{
			ID: "fjellbryg-3", Brand: "fjellbryg", Severity: rules.Serious, Level: rules.Serious, Handling: detector.New,
			Sentence:    "47 negative mentions about delivery in 1 hour from 39 people, where 6.1 are usual and 14 would be much.",
			SeverityWhy: "three times the usual high, two sources", Since: noon.Add(-40 * time.Minute),
			Evidence: detector.Evidence{
				Window: detector.Window{Length: time.Hour, Observed: 47, Expected: 6.1, High: 14, Surprise: 9.3},
				Score:  8.7, Bar: 4.6, Authors: 39, Private: 2, Reach: 12400,
				Sources: map[string]int{"shop": 30, "instagram": 12}, Languages: map[string]int{"de": 33, "ar": 8, "ja": 6},
				Categories: map[string]int{"delivery": 40, "service": 7},
			},
		},
		Brand: &rules.Brand{ID: "fjellbryg", Names: []string{"Fjellbryg"}},
		Quotes: []detector.Judged{
			quote("de", "Seit zwei Wochen warte ich, das Paket ist immer noch nicht angekommen. Niemand antwortet auf meine Nachrichten!", "Maja L.", 1),
			quote("ar", "لم يصل الطلب حتى الآن، والشركة لا ترد على الرسائل. خدمة سيئة جدا!", "أحمد", 0),
			quote("ja", "二週間待っても荷物が届きません。問い合わせても返事がないので、もう二度と注文しません。本当に残念です。", "さくら", 2),
		},
		OnDuty: "Ingrid", Private: 2, Drafts: 3, Link: "https://ember.example.com/incidents/fjellbryg-3",
		Next: &notifier.Escalation{At: noon.Add(20 * time.Minute), To: "@ingrid"}, Now: noon,
	}
}

func quote(lang, text, author string, rating float64) detector.Judged {
	return detector.Judged{Lang: lang, Category: "delivery", Mention: sources.Mention{
		ID: "1", Source: "shop", Network: "instagram", Text: text, Rating: rating, URL: "https://example.com/p/1", Author: sources.Author{Name: author},
	}}
}

// hostile puts into every foreign field what a terminal must not get to see.
func hostile() *notifier.Message {
	m := alert()
	evil := "\x1b[31mred\x1b[0m \x1b]0;owned\x07title \x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\ \x9b2J\u009b2J\r\nfirst\x08\x08\x00\u202egnp.exe\u2066 a\u200bb\u2028c\x7f " +
		"Z" + strings.Repeat("\u0301", 80) + "algo \x1bPq#0;2\x1b\\ \x1b(0x \xff\xfe \x1b[" + strings.Repeat("9", 200) + "m \U000E0041 end\x1b"
	m.Incident.ID, m.Incident.Sentence, m.Incident.SeverityWhy = "fjell\x1b[2Jbryg-3", evil, evil
	m.Incident.Evidence.Sources, m.Incident.Evidence.Categories = map[string]int{evil: 3}, map[string]int{evil: 2}
	m.Incident.Evidence.Languages, m.Incident.Evidence.Learning = map[string]int{"\x1b[1m": 1}, evil
	m.Brand, m.Incident.Brand, m.Alert.Note, m.OnDuty, m.Next.To = &rules.Brand{Names: []string{evil}}, evil, evil, evil, evil
	q := quote("\x1b[5mde", evil, evil, 1)
	q.Category, q.Mention.Network, q.Mention.URL = evil, evil, "https://example.com/a\u202eb?c=\u001b[31m"
	bad := quote("en", strings.Repeat("unbroken", 60), strings.Repeat("name ", 60), 9)
	bad.Mention.URL = "javascript:alert(1)"
	m.Quotes = []detector.Judged{q, bad}
	m.Link = "https://example.com/ \x1b[31m"
	return m
}

func write(t *testing.T, o Options, ms ...*notifier.Message) string {
	t.Helper()
	var b bytes.Buffer
	n := New(&b, o)
	for _, m := range ms {
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatalf("Notify(%s): %v", m.Alert.Key, err)
		}
	}
	return b.String()
}

func TestRootIsOneReadableBlock(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	private := alert()
	private.Incident.Handling, private.Incident.Owner, private.Incident.LeaseUntil = detector.Acked, "Boris", noon.Add(4*time.Hour)
	german := alert()
	german.Language = (*notifier.Languages)(nil).In("de")
	german.Incident.Signal, german.Incident.Category = "negative", "delivery"
	german.Incident.Signals = []detector.ActiveSignal{{Series: "negative"}}
	german.Incident.SeveritySaid = detector.Said{{Code: "why.topic", Topic: "delivery"}, {Code: "why.times", N: 2}}
	bare := &notifier.Message{Alert: alert().Alert, Incident: detector.Incident{ID: "x-1", Brand: "x", Severity: rules.Notice, Sentence: "Something."}, Now: noon}
	for name, c := range map[string]struct {
		o Options
		m *notifier.Message
	}{
		"plain":   {Options{}, alert()},
		"color":   {Options{Color: true}, alert()},
		"narrow":  {Options{Width: 40, Zone: berlin}, alert()},
		"acked":   {Options{Width: 100}, private},
		"bare":    {Options{}, bare},
		"hostile": {Options{}, hostile()},
		"german":  {Options{Zone: berlin}, german},
	} {
		t.Run(name, func(t *testing.T) { golden(t, name, write(t, c.o, c.m)) })
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s differs (-want +got), -update rewrites it:\n%s", file, diff)
	}
}

// follow returns the message with what happened after it.
func follow(kind detector.AlertKind, reason detector.NotifyReason, change func(*notifier.Message)) *notifier.Message {
	m := alert()
	m.Alert.Kind, m.Alert.Reason, m.Alert.Key = kind, reason, fmt.Sprintf("fjellbryg-3/pr/%s/%s", kind, reason)
	m.Root = detector.Ref{Channel: "console", ID: "fjellbryg-3/pr/root/1"}
	if change != nil {
		change(m)
	}
	return m
}

func acked(m *notifier.Message) {
	m.Incident.Handling, m.Incident.Owner, m.Incident.LeaseUntil = detector.Acked, "Boris", noon.Add(4*time.Hour)
}

func TestWhatFollowsIsOneLineOrNothing(t *testing.T) {
	same := follow(detector.KindEdit, detector.ReasonUpdated, func(m *notifier.Message) { m.Incident.Evidence.Window.Observed = 60 })
	ack := follow(detector.KindEdit, detector.ReasonUpdated, acked)
	crisis := func(m *notifier.Message) { m.Incident.Severity = rules.Crisis }
	worse := follow(detector.KindBroadcast, detector.ReasonWorse, crisis)
	digest := func(note string) *notifier.Message {
		return &notifier.Message{Alert: detector.Alert{Kind: detector.KindEdit, Reason: detector.ReasonDigest, Severity: rules.Notice, Note: note}, Now: noon}
	}
	closed := follow(detector.KindEdit, detector.ReasonUpdated, func(m *notifier.Message) {
		m.Incident.Handling, m.Incident.Closing, m.Incident.ClosedBy = detector.Closed, detector.FalseAlarm, "Maja"
	})
	sentence := alert().Incident.Sentence
	for _, c := range []struct {
		name string
		ms   []*notifier.Message // after the root
		want []string
	}{
		{"an edit with new numbers says nothing", []*notifier.Message{same, same}, nil},
		{"an acknowledgement is said once", []*notifier.Message{ack, ack}, []string{"12:00 UTC ▲ fjellbryg-3: serious, acknowledged by Boris until 16:00 UTC"}},
		{"a new owner is said", []*notifier.Message{ack, follow(detector.KindEdit, detector.ReasonUpdated, func(m *notifier.Message) {
			acked(m)
			m.Incident.Owner = "Maja"
		})}, []string{
			"12:00 UTC ▲ fjellbryg-3: serious, acknowledged by Boris until 16:00 UTC",
			"12:00 UTC ▲ fjellbryg-3: serious, acknowledged by Maja until 16:00 UTC",
		}},
		{
			"the edit behind a thread line does not repeat it",
			[]*notifier.Message{worse, follow(detector.KindEdit, detector.ReasonUpdated, crisis)},
			[]string{"12:00 UTC ■ fjellbryg-3 worse: " + sentence},
		},
		{
			"a change of severity alone is said",
			[]*notifier.Message{follow(detector.KindEdit, detector.ReasonUpdated, crisis)},
			[]string{"12:00 UTC ■ fjellbryg-3: crisis, not acknowledged"},
		},
		{"the end is said once", []*notifier.Message{closed, closed}, []string{"12:00 UTC ▲ fjellbryg-3: serious, closed by Maja as a false alarm"}},
		{"the note of an alert goes before the sentence", []*notifier.Message{follow(detector.KindThread, detector.ReasonEscalated, func(m *notifier.Message) {
			m.Alert.Note = "Nobody has acknowledged for 20 min.\nTelling @ingrid."
		})}, []string{"12:00 UTC ▲ fjellbryg-3 escalated: Nobody has acknowledged for 20 min. Telling @ingrid."}},
		{"a thread line about the end says how", []*notifier.Message{follow(detector.KindBroadcast, detector.ReasonResolved, func(m *notifier.Message) {
			m.Incident.Handling, m.Incident.Closing, m.Incident.ClosedBy = detector.Closed, detector.KnownEvent, "Maja"
		})}, []string{"12:00 UTC ▲ fjellbryg-3 resolved: closed by Maja as a known event"}},
		{
			"a digest is said as often as it grows",
			[]*notifier.Message{digest("6 more incidents"), digest("6 more incidents"), digest("7 more incidents")},
			[]string{"12:00 UTC ● digest: 6 more incidents", "12:00 UTC ● digest: 7 more incidents"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := write(t, Options{}, append([]*notifier.Message{alert()}, c.ms...)...)
			got = strings.TrimPrefix(got, write(t, Options{}, alert()))
			var lines []string
			if got != "" {
				lines = strings.Split(strings.TrimSuffix(got, "\n"), "\n")
			}
			if diff := cmp.Diff(c.want, lines); diff != "" {
				t.Errorf("lines differ (-want +got):\n%s", diff)
			}
		})
	}
}

// recorder counts what is written to it.
type recorder struct {
	mu    sync.Mutex
	sent  int
	fails bool // once
	text  strings.Builder
}

func (r *recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sent++
	if r.fails {
		r.fails = false
		return 0, os.ErrClosed
	}
	return r.text.Write(b)
}

// obeyed lists what a terminal would not show but do.
func (r *recorder) obeyed() (leaks []string) {
	for _, c := range r.text.String() {
		if c != '\n' && c != '\u200c' && c != '\u200d' && unicode.In(c, unicode.Cc, unicode.Cf) {
			leaks = append(leaks, fmt.Sprintf("%U reaches the terminal", c))
		}
	}
	return leaks
}

func TestContract(t *testing.T) {
	notifiertest.Run(t, func(*testing.T) notifiertest.Harness {
		r := &recorder{}
		return notifiertest.Harness{
			Notifier: New(r, Options{}),
			Sent:     func() int { return r.sent },
			Shown:    func() string { return strings.Join(strings.Fields(r.text.String()), " ") },
			Leaks:    r.obeyed,
			Break:    func() { r.fails = true },
		}
	})
}

func TestEveryReasonHasWords(t *testing.T) {
	for _, r := range []detector.NotifyReason{
		detector.ReasonFirst, detector.ReasonWorse, detector.ReasonNewSource, detector.ReasonEscalated, detector.ReasonReminder,
		detector.ReasonLeaseEnded, detector.ReasonSnoozeOver, detector.ReasonCalm, detector.ReasonResolved, detector.ReasonReopened,
		detector.ReasonDigest, detector.ReasonSourceDown, detector.ReasonDeliveryFailed, detector.ReasonUpdated,
	} {
		if !notifier.English().Has("console.reason." + string(r)) {
			t.Errorf("reason %q has no words", r)
		}
	}
}

func TestRef(t *testing.T) {
	n := New(&bytes.Buffer{}, Options{})
	root, err := n.Notify(t.Context(), alert())
	if want := (detector.Ref{Channel: "console", ID: "fjellbryg-3/pr/root/1"}); err != nil || root != want {
		t.Errorf("root: got %v, %v, want %v", root, err, want)
	}
	edit, err := n.Notify(t.Context(), follow(detector.KindEdit, detector.ReasonUpdated, acked))
	if err != nil || edit != root {
		t.Errorf("edit: got %v, %v, want where the root is: %v", edit, err, root)
	}
}

// broken is a writer that takes some bytes and then fails.
type broken struct{ takes int }

func (b broken) Write([]byte) (int, error) { return b.takes, os.ErrClosed }

func TestFailedWriteTellsItsOutcome(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		name  string
		ctx   context.Context
		takes int
		want  notifier.Outcome
		cause error
	}{
		{"nothing was written", t.Context(), 0, notifier.NotSent, os.ErrClosed},
		{"some of it was written", t.Context(), 5, notifier.Unknown, os.ErrClosed},
		{"cancelled before", cancelled, 0, notifier.NotSent, context.Canceled},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := New(broken{c.takes}, Options{}).Notify(c.ctx, alert())
			var d *notifier.DeliveryError
			if !errors.As(err, &d) || d.Outcome != c.want || !errors.Is(err, c.cause) {
				t.Errorf("got %v, want a delivery error %v because of %v", err, c.want, c.cause)
			}
		})
	}
}

func TestFailedEditIsSaidAgain(t *testing.T) {
	var b bytes.Buffer
	n := New(broken{}, Options{})
	ack := follow(detector.KindEdit, detector.ReasonUpdated, acked)
	if _, err := n.Notify(t.Context(), ack); err == nil {
		t.Fatal("a broken writer went unnoticed")
	}
	n.w = &b
	if _, err := n.Notify(t.Context(), ack); err != nil || !strings.Contains(b.String(), "acknowledged by Boris") {
		t.Errorf("second try wrote %q, %v", b.String(), err)
	}
}

// TestTheConsoleIsInGerman: no word of ours is the same as in English unless it is German too.
func TestTheConsoleIsInGerman(t *testing.T) {
	said := func(lang string) string {
		l := (*notifier.Languages)(nil).In(lang)
		first := alert()
		first.Incident.Signal, first.Incident.Category, first.Incident.Evidence.Categories = "negative", "delivery", map[string]int{"delivery": 40}
		first.Incident.Signals, first.Incident.Evidence.Day = []detector.ActiveSignal{{Series: "negative"}}, 3
		first.Incident.SeveritySaid = detector.Said{{Code: "why.topic", Topic: "delivery"}, {Code: "why.times", N: 2}}
		first.Quotes = first.Quotes[:1]
		ms := []*notifier.Message{first}
		for _, r := range []detector.NotifyReason{
			detector.ReasonWorse, detector.ReasonNewSource, detector.ReasonEscalated, detector.ReasonReminder, detector.ReasonLeaseEnded, detector.ReasonSnoozeOver,
			detector.ReasonCalm, detector.ReasonResolved, detector.ReasonReopened, detector.ReasonDeliveryFailed, detector.ReasonSourceDown, detector.ReasonDigest,
		} {
			ms = append(ms, follow(detector.KindThread, r, func(m *notifier.Message) {
				m.Incident.Signals = first.Incident.Signals
				m.Incident.Signal, m.Incident.Category = "negative", "delivery"
				m.Alert.Said = detector.Said{{Code: "note.escalated.to", Span: detector.Duration(72 * time.Hour), Name: "ingrid"}, {Code: "note.until", At: noon}}
			}), follow(detector.KindEdit, r, acked))
		}
		for _, m := range ms {
			m.Language = l
		}
		return write(t, Options{Zone: time.FixedZone("CET", 3600)}, ms...)
	}
	en, de := said("en"), said("de")
	theirs := []string{"fjellbryg shop instagram emberwatch incidents ack Maja Boris Ingrid ingrid CET https ember.example.com/incidents/fjellbryg-3 https://example.com/p/1"}
	for _, j := range alert().Quotes {
		theirs = append(theirs, j.Mention.Text, j.Mention.Author.Name)
	}
	if left := notifiertest.Untranslated(t, "../words/de.yml", en, de, theirs...); len(left) > 0 {
		t.Errorf("not translated: %v\n%s", left, de)
	}
	if !strings.Contains(de, "niemand hat innerhalb von 3 Tagen übernommen, ingrid wurde benachrichtigt; bis 13:00 CET") {
		t.Error(de)
	}
}
