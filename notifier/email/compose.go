package email

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"net/textproto"
	"strings"
	texttemplate "text/template"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
)

var (
	//go:embed mail.html
	htmlPage string
	//go:embed mail.txt
	textPage string

	asHTML = template.Must(template.New("mail.html").Parse(htmlPage))
	asText = texttemplate.Must(texttemplate.New("mail.txt").Parse(textPage)) // everything foreign in a letter is one plain line
)

// messageID makes a Message-ID of a key, the same every time.
func (n *Notifier) messageID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "<" + hex.EncodeToString(sum[:12]) + "@" + n.domain + ">"
}

// compose writes a mail, head and body.
func (n *Notifier) compose(m *notifier.Message, id string) ([]byte, error) {
	l := newLetter(m)
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for _, p := range []struct {
		kind   string
		render func(*bytes.Buffer) error
	}{
		{"text/plain", func(b *bytes.Buffer) error { return asText.Execute(b, l) }},
		{"text/html", func(b *bytes.Buffer) error { return asHTML.Execute(b, l) }},
	} {
		var text bytes.Buffer
		if err := p.render(&text); err != nil {
			return nil, fmt.Errorf("compose %s of %s: %w", p.kind, m.Alert.Key, err)
		}
		if err := part(parts, p.kind, text.Bytes()); err != nil {
			return nil, err
		}
	}
	if err := parts.Close(); err != nil {
		return nil, fmt.Errorf("compose: %w", err)
	}
	head := n.head(m, id)
	head += "Content-Type: multipart/alternative; boundary=" + parts.Boundary() + "\r\n\r\n"
	return append([]byte(head), body.Bytes()...), nil
}

func part(parts *multipart.Writer, kind string, text []byte) error {
	w, err := parts.CreatePart(textproto.MIMEHeader{
		"Content-Type": {kind + "; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"},
	})
	if err != nil {
		return fmt.Errorf("compose %s: %w", kind, err)
	}
	q := quotedprintable.NewWriter(w)
	if _, err := q.Write(text); err != nil {
		return fmt.Errorf("compose %s: %w", kind, err)
	}
	return q.Close()
}

// head writes the header. All mails about an incident on a route refer to one id that no mail has, so that they stay
// together even where the first was never sent.
func (n *Notifier) head(m *notifier.Message, id string) string {
	thread := n.messageID("thread of " + m.Alert.Incident + " on " + m.Alert.Route)
	subject := subject(m)
	follows := ""
	if m.Alert.Kind != detector.KindRoot {
		subject = "Re: " + subject
		follows = thread
		if strings.HasPrefix(m.Root.ID, "<") {
			follows = m.Root.ID
			thread += " " + m.Root.ID
		}
	}
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			b.WriteString(name + ": " + value + "\r\n")
		}
	}
	line("From", n.from.String())
	line("To", addresses(n.to))
	line("Subject", strings.ReplaceAll(mime.QEncoding.Encode("utf-8", subject), "?= =?", "?=\r\n =?")) // a line of its own for each encoded word
	line("Date", m.Now.UTC().Format(time.RFC1123Z))
	line("Message-ID", id)
	line("In-Reply-To", follows)
	line("References", thread)
	line("Auto-Submitted", "auto-generated")
	line("MIME-Version", "1.0")
	return b.String()
}

func addresses(list []*mail.Address) string {
	all := make([]string, len(list))
	for i, a := range list {
		all[i] = a.String()
	}
	return strings.Join(all, ", ")
}
