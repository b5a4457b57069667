package email_test

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/email"
	"emberwatch/notifier/notifiertest"

	"go.uber.org/goleak"
	"golang.org/x/net/html"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func server(t testing.TB) *notifiertest.Mail {
	t.Helper()
	m, err := notifiertest.NewMail()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func open(t testing.TB, s *notifiertest.Mail, change ...func(*email.Options)) *email.Notifier {
	t.Helper()
	o := email.Options{
		Name: "mail", Server: s.Addr(), From: "Emberwatch <ember@example.com>", To: []string{"pr@example.com", "lead@example.com"},
		Password: notifiertest.MailPassword, TLS: s.TLS(),
	}
	for _, c := range change {
		c(&o)
	}
	n, err := email.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// read is a mail as its reader sees it.
type read struct {
	head       mail.Header
	text, html string
}

func parse(l *notifiertest.Letter) (r read, err error) {
	m, err := mail.ReadMessage(strings.NewReader(l.Data))
	if err != nil {
		return r, err
	}
	r.head = m.Header
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return r, fmt.Errorf("%s: %w", kind, err)
	}
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		p, err := parts.NextRawPart()
		if err == io.EOF {
			return r, nil
		}
		if err != nil {
			return r, err
		}
		b, err := io.ReadAll(quotedprintable.NewReader(p))
		if err != nil {
			return r, err
		}
		if strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
			r.html = string(b)
		} else {
			r.text = string(b)
		}
	}
}

// headers are all that a mail may have.
var headers = []string{
	"From", "To", "Subject", "Date", "Message-Id", "In-Reply-To", "References", "Auto-Submitted", "Mime-Version", "Content-Type",
}

// leaks returns what a foreign text became in a mail besides text.
func leaks(l *notifiertest.Letter) (out []string) {
	r, err := parse(l)
	if err != nil {
		return []string{"unreadable: " + err.Error()}
	}
	for name, values := range r.head {
		if !slices.Contains(headers, name) || len(values) != 1 {
			out = append(out, fmt.Sprintf("header %s %q", name, values))
		}
	}
	if !utf8.ValidString(r.text + r.html) {
		out = append(out, "not UTF-8")
	}
	for _, c := range r.text {
		if c != '\n' && c != '\u200c' && c != '\u200d' && (unicode.IsControl(c) || unicode.Is(unicode.Cf, c)) {
			out = append(out, fmt.Sprintf("%U in the text", c))
			break
		}
	}
	for line := range strings.Lines(l.Data) {
		if len(strings.TrimRight(line, "\r\n")) > 998 {
			out = append(out, "a line that is longer than mail may be")
		}
	}
	return append(out, liveHTML(r.html)...)
}

// tags are those of our own template.
var tags = []string{
	"html", "body", "h2", "p", "strong", "ul", "li", "table", "tr", "th", "td", "blockquote", "small", "a", "bdi",
}

func liveHTML(page string) (out []string) {
	for z := html.NewTokenizer(strings.NewReader(page)); ; {
		if z.Next() == html.ErrorToken {
			return out
		}
		t := z.Token()
		if t.Type == html.TextToken || t.Type == html.DoctypeToken {
			continue
		}
		if !slices.Contains(tags, t.Data) {
			out = append(out, "a live <"+t.Data+">")
		}
		for _, a := range t.Attr {
			ok := slices.Contains([]string{"lang", "style", "align", "dir"}, a.Key) ||
				a.Key == "href" && (strings.HasPrefix(a.Val, "https://") || strings.HasPrefix(a.Val, "http://"))
			if !ok {
				out = append(out, fmt.Sprintf("a live %s=%q", a.Key, a.Val))
			}
		}
	}
}

func TestContract(t *testing.T) {
	notifiertest.Run(t, func(t *testing.T) notifiertest.Harness {
		s := server(t)
		return notifiertest.Harness{
			Notifier: open(t, s),
			Sent:     s.Handed,
			Shown: func() string {
				var b strings.Builder
				for _, l := range s.Letters() {
					r, err := parse(&l)
					if err != nil {
						t.Error(err)
					}
					b.WriteString(r.text)
				}
				return b.String()
			},
			Leaks: func() []string {
				out := s.Violations()
				for _, l := range s.Letters() {
					out = append(out, leaks(&l)...)
				}
				return out
			},
			Break: func() { s.Fail(".", "451 try later") },
		}
	})
}

// TestOneIncidentIsOneThread: for programs that go by subjects as for those that go by references.
func TestOneIncidentIsOneThread(t *testing.T) {
	s := server(t)
	n := open(t, s)
	root, err := n.Notify(t.Context(), notifiertest.Sample())
	if err != nil {
		t.Fatal(err)
	}
	worse := notifiertest.Line(root, detector.ReasonWorse)
	worse.Incident.Severity, worse.Incident.Title = 1, "Another title"
	orphan := notifiertest.Line(detector.Ref{}, detector.ReasonDeliveryFailed) // its root went elsewhere
	for _, m := range []*notifier.Message{worse, orphan} {
		if _, err := n.Notify(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	var got []read
	for _, l := range s.Letters() {
		r, err := parse(&l)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r)
	}
	if id := got[0].head.Get("Message-Id"); id != root.ID || got[1].head.Get("In-Reply-To") != id {
		t.Errorf("root %q, its reference %q, the reply is to %q", id, root.ID, got[1].head.Get("In-Reply-To"))
	}
	thread := got[0].head.Get("References")
	for _, r := range got {
		if subject := strings.TrimPrefix(r.head.Get("Subject"), "Re: "); subject != "Emberwatch: Fjellbryg [fjellbryg-3]" {
			t.Errorf("subject %q", subject)
		}
		if !strings.HasPrefix(r.head.Get("References"), thread) || thread == "" {
			t.Errorf("references %q, the thread is %q", r.head.Get("References"), thread)
		}
	}
	other := notifiertest.Sample()
	other.Alert.Incident, other.Alert.Key = "fjellbryg-4", "fjellbryg-4/default/root/8"
	if _, err := n.Notify(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if r, _ := parse(&s.Letters()[3]); r.head.Get("References") == thread {
		t.Error("another incident is in the same thread")
	}
}

// TestAMailIsInGerman: no word of ours is the same as in English unless it is German too, and times are those of the team.
func TestAMailIsInGerman(t *testing.T) {
	said := func(lang string) string {
		s := server(t)
		n := open(t, s)
		first := notifiertest.Sample()
		for _, m := range []*notifier.Message{first, notifiertest.Line(detector.Ref{}, detector.ReasonEscalated), notifiertest.Digest(2)} {
			m.Language, m.Zone = (*notifier.Languages)(nil).In(lang), time.FixedZone("CET", 3600)
			m.Incident.Signals = []detector.ActiveSignal{{Series: "negative"}}
			for k := range m.Digest {
				m.Digest[k].Incident.Signals = m.Incident.Signals
			}
			m.Incident.SeveritySaid = detector.Said{{Code: "why.topic", Topic: "delivery"}, {Code: "why.times", N: 2}}
			m.Alert.Said = detector.Said{{Code: "note.until", At: notifiertest.At}, {Code: "note.escalated", Span: detector.Duration(72 * time.Hour)}}
			m.Incident.Handling, m.Incident.LeaseUntil, m.Incident.Owner = detector.Acked, notifiertest.At, "boris"
			if _, err := n.Notify(t.Context(), m); err != nil {
				t.Fatal(err)
			}
		}
		var b strings.Builder
		for _, l := range s.Letters() {
			r, err := parse(&l)
			if err != nil {
				t.Fatal(err)
			}
			b.WriteString(r.text)
		}
		return b.String()
	}
	en, de := said("en"), said("de")
	theirs := []string{"Fjellbryg fjellbryg instagram google maja boris Ingrid ingrid Paket pakken CET emberwatch incidents ack http https social.example digest"}
	for _, j := range notifiertest.Sample().Quotes {
		theirs = append(theirs, j.Mention.Text)
	}
	if left := notifiertest.Untranslated(t, "../words/de.yml", en, de, theirs...); len(left) > 0 {
		t.Errorf("not translated: %v\n%s", left, de)
	}
	for _, want := range []string{"bis 16.11.2026 09:20 CET; niemand hat innerhalb von 3 Tagen übernommen", "Warum: ungewöhnlich viele Beschwerden über Lieferung; das 2-Fache"} {
		if !strings.Contains(de, want) {
			t.Errorf("%q is not in\n%s", want, de)
		}
	}
}

func TestWhatAnAnswerMeans(t *testing.T) {
	for _, c := range []struct {
		verb, answer string
		outcome      notifier.Outcome
		reason       string
		there        int
	}{
		{"EHLO", "drop", notifier.NotSent, "connection", 0},
		{"STARTTLS", "454 not now", notifier.NotSent, "smtp_454", 0},
		{"AUTH", "535 wrong " + notifiertest.MailPassword, notifier.ForGood, "smtp_535", 0},
		{"MAIL", "421 too many", notifier.Down, "smtp_421", 0},
		{"MAIL", "550 not you", notifier.ForGood, "smtp_550", 0},
		{"DATA", "drop", notifier.NotSent, "connection", 0},
		{".", "451 try later", notifier.NotSent, "smtp_451", 0},
		{".", "554 spam", notifier.ForGood, "smtp_554", 0},
		{".", "lost", notifier.Unknown, "connection", 1},
	} {
		t.Run(c.verb+" "+c.answer, func(t *testing.T) {
			s := server(t)
			s.Fail(c.verb, c.answer)
			if c.verb == "EHLO" {
				s.Fail("HELO", "drop")
			}
			_, err := open(t, s).Notify(t.Context(), notifiertest.Sample())
			de, ok := errors.AsType[*notifier.DeliveryError](err)
			if !ok || de.Outcome != c.outcome || de.Reason != c.reason || len(s.Letters()) != c.there {
				t.Errorf("%v; %d mails are there", err, len(s.Letters()))
			}
			if strings.Contains(fmt.Sprint(err), notifiertest.MailPassword) {
				t.Errorf("the password is told: %v", err)
			}
		})
	}
}

func TestNobodyListens(t *testing.T) {
	s := server(t)
	n := open(t, s)
	s.Close()
	_, err := n.Notify(t.Context(), notifiertest.Sample())
	if de, ok := errors.AsType[*notifier.DeliveryError](err); !ok || de.Outcome != notifier.Down {
		t.Error(err)
	}
}

func TestARefusedRecipientDoesNotKeepItFromTheOthers(t *testing.T) {
	s := server(t)
	s.Fail("RCPT", "550 no such user")
	n := open(t, s)
	if _, err := n.Notify(t.Context(), notifiertest.Sample()); err != nil {
		t.Fatal(err)
	}
	if l := s.Letters(); len(l) != 1 || !slices.Equal(l[0].To, []string{"lead@example.com"}) {
		t.Errorf("%+v", l)
	}
	s.Fail("RCPT", "550 no", "550 no")
	if _, err := n.Notify(t.Context(), notifiertest.Sample()); err == nil {
		t.Error("nobody gets it, and it is taken for sent")
	}
}

func TestNothingInTheClear(t *testing.T) {
	s := server(t)
	s.Plain()
	refused := func(when string, outcome notifier.Outcome, reason string, change func(*email.Options)) {
		t.Helper()
		_, err := open(t, s, change).Notify(t.Context(), notifiertest.Sample())
		if de, ok := errors.AsType[*notifier.DeliveryError](err); !ok || de.Outcome != outcome || de.Reason != reason {
			t.Errorf("%s: %v", when, err)
		}
	}
	refused("another machine without STARTTLS", notifier.ForGood, "no_starttls", func(o *email.Options) {
		o.Server = strings.Replace(o.Server, "127.0.0.1", "0.0.0.0", 1) // the same server under a name that is not local
	})
	if _, err := open(t, s, func(o *email.Options) { o.Password = "" }).Notify(t.Context(), notifiertest.Sample()); err != nil {
		t.Errorf("a relay on this machine needs no STARTTLS: %v", err)
	}
	s = server(t)
	refused("a server that nobody vouches for", notifier.NotSent, "tls", func(o *email.Options) { o.TLS = nil })
	for _, v := range s.Violations() {
		t.Error(v)
	}
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	good := email.Options{Name: "mail", Server: "mail.example.com:587", From: "a@example.com", To: []string{"b@example.com"}}
	if _, err := email.New(good); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(*email.Options){
		func(o *email.Options) { o.Name = "" },
		func(o *email.Options) { o.Server = "mail.example.com" },
		func(o *email.Options) { o.From = "ember" },
		func(o *email.Options) { o.To = nil },
		func(o *email.Options) { o.To = []string{"b@example.com\r\nBcc: c@example.com"} },
	} {
		o := good
		change(&o)
		if _, err := email.New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// TestProbeLogsInAndSendsNothing: what a mail would fail for on the way to the login shows without one.
func TestProbeLogsInAndSendsNothing(t *testing.T) {
	s := server(t)
	if err := open(t, s).Probe(t.Context()); err != nil {
		t.Error(err)
	}
	for what, c := range map[string]struct {
		change func(*email.Options)
		reason string
	}{
		"a wrong password":            {func(o *email.Options) { o.Password = "wrong" }, "smtp_535"},
		"a certificate of a stranger": {func(o *email.Options) { o.TLS = nil }, "tls"},
		"a name that leads nowhere":   {func(o *email.Options) { o.Server = "mail.invalid:25" }, "name_not_found"},
	} {
		err := open(t, s, c.change).Probe(t.Context())
		if e, ok := errors.AsType[*notifier.DeliveryError](err); !ok || e.Reason != c.reason {
			t.Errorf("%s: %v", what, err)
		}
	}
	if n := s.Handed(); n != 0 {
		t.Errorf("%d mails were handed over", n)
	}
}
