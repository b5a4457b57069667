// Package email tells people by mail, over SMTP.
//
// An alert is one mail with a plain and an HTML part. All mails about one incident are one thread: the subject never
// changes, and each mail refers to the same id and to the mail that began it. The HTML loads nothing from anywhere.
//
// The connection is TLS from its beginning on port 465; else it must be upgraded by STARTTLS, unless the server is on
// this machine. [Notifier.Notify] makes one attempt and says what became of it. A mail whose answer was lost is sent
// again under the same Message-ID, by which many mail systems drop the second.
//
// # Caveats
//
// Foreign text goes into encoded words and quoted-printable bodies only after line breaks and control characters are
// gone; addresses come from the configuration alone. Errors hold codes of the server, never its words, a password or
// a text.
package email

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
)

// callTimeout is for one mail, from the connection to the last answer.
const callTimeout = 30 * time.Second

// Options are what a Notifier is made from. Name, Server, From and To are mandatory.
type Options struct {
	Name     string
	Server   string // host:port
	From     string
	To       []string
	User     string // empty: the address of From
	Password string // empty: no authentication
	TLS      *tls.Config
}

// Notifier sends mails through one server. It is safe for concurrent use.
type Notifier struct {
	name, server, host, domain string
	port                       string
	from                       *mail.Address
	to                         []*mail.Address
	auth                       smtp.Auth // nil: none
	tls                        *tls.Config
}

var _ notifier.Notifier = (*Notifier)(nil)

// New returns a notifier, or says what is wrong with its options. Whether the server answers shows with the first mail.
func New(o Options) (*Notifier, error) {
	if o.Name == "" {
		return nil, errors.New("email: no name")
	}
	host, port, err := net.SplitHostPort(o.Server)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("email %s: smtp is no server; write it like mail.example.com:587", o.Name)
	}
	n := &Notifier{name: o.Name, server: o.Server, host: host, port: port}
	if n.from, err = mail.ParseAddress(o.From); err != nil {
		return nil, fmt.Errorf("email %s: from is no mail address; write it like ember@example.com", o.Name)
	}
	if len(o.To) == 0 {
		return nil, fmt.Errorf("email %s: to is empty; write to: [\"pr@example.com\"]", o.Name)
	}
	for _, s := range o.To {
		a, err := mail.ParseAddress(s)
		if err != nil {
			return nil, fmt.Errorf("email %s: to holds %q, which is no mail address", o.Name, s)
		}
		n.to = append(n.to, a)
	}
	_, n.domain, _ = strings.Cut(n.from.Address, "@")
	if o.Password != "" {
		user := o.User
		if user == "" {
			user = n.from.Address
		}
		n.auth = smtp.PlainAuth("", user, o.Password, host)
	}
	n.tls = &tls.Config{}
	if o.TLS != nil {
		n.tls = o.TLS.Clone()
	}
	n.tls.ServerName, n.tls.MinVersion = host, tls.VersionTLS12
	return n, nil
}

// Name returns the configured name.
func (n *Notifier) Name() string { return n.name }

// Notify sends one mail. The reference is the name and the mail's Message-ID, for an edit that of the root.
func (n *Notifier) Notify(ctx context.Context, m *notifier.Message) (detector.Ref, error) {
	id := n.messageID(m.Alert.Key)
	text, err := n.compose(m, id)
	if err != nil {
		return detector.Ref{}, &notifier.DeliveryError{Outcome: notifier.ForGood, Reason: "not_composed", Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := n.send(ctx, text); err != nil {
		return detector.Ref{}, err
	}
	if m.Alert.Kind == detector.KindEdit && m.Root != (detector.Ref{}) {
		return m.Root, nil
	}
	return detector.Ref{Channel: n.name, ID: id}, nil
}

// Probe connects, upgrades the connection and logs in as for a mail, and sends none.
func (n *Notifier) Probe(ctx context.Context) error {
	c, err := n.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.Quit() // it has answered
	return nil
}

// send hands one mail over. Until the server has all of it, nothing was sent.
func (n *Notifier) send(ctx context.Context, text []byte) error {
	c, err := n.connect(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := n.envelope(c); err != nil {
		return err
	}
	w, err := c.Data()
	if err == nil {
		_, err = w.Write(text)
	}
	if err != nil {
		return failure(err, notifier.NotSent)
	}
	if err := w.Close(); err != nil {
		return failure(err, notifier.Unknown)
	}
	_ = c.Quit() // the mail is theirs
	return nil
}

// connect opens a connection that is safe to talk over, and logs in.
func (n *Notifier) connect(ctx context.Context) (*smtp.Client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", n.server)
	if err != nil {
		return nil, failure(err, notifier.Down)
	}
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return nil, failure(errors.Join(err, conn.Close()), notifier.NotSent)
		}
	}
	if n.port == "465" {
		conn = tls.Client(conn, n.tls)
	}
	c, err := smtp.NewClient(conn, n.host)
	if err != nil {
		return nil, failure(errors.Join(err, conn.Close()), notifier.NotSent)
	}
	if err := n.secure(c); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (n *Notifier) secure(c *smtp.Client) error {
	if err := c.Hello(n.domain); err != nil {
		return failure(err, notifier.NotSent)
	}
	if _, is := c.TLSConnectionState(); !is {
		switch offered, _ := c.Extension("STARTTLS"); {
		case offered:
			if err := c.StartTLS(n.tls); err != nil {
				return failure(err, notifier.NotSent)
			}
		case !local(n.host):
			return &notifier.DeliveryError{Outcome: notifier.ForGood, Reason: "no_starttls", Err: errors.New("the server would read complaints in the clear")}
		}
	}
	if n.auth == nil {
		return nil
	}
	if err := c.Auth(n.auth); err != nil {
		return failure(err, notifier.NotSent)
	}
	return nil
}

// envelope names sender and recipients. A mail that some may get goes to those.
func (n *Notifier) envelope(c *smtp.Client) error {
	if err := c.Mail(n.from.Address); err != nil {
		return failure(err, notifier.NotSent)
	}
	var refused error
	taken := 0
	for _, to := range n.to {
		if err := c.Rcpt(to.Address); err != nil {
			refused = err
			continue
		}
		taken++
	}
	if taken == 0 {
		return failure(refused, notifier.NotSent)
	}
	return nil
}

// failure sorts an error: an answer of the server is final (5xx) or for now (4xx), anything else leaves what doubt says.
func failure(err error, doubt notifier.Outcome) error {
	e := &notifier.DeliveryError{Outcome: doubt, Reason: "connection"}
	var timeout net.Error
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		e.Reason = fmt.Sprintf("smtp_%d", answer.Code)
		e.Outcome = notifier.NotSent
		switch {
		case answer.Code == 421 || answer.Code == 521: // it takes no mail at all now
			e.Outcome = notifier.Down
		case answer.Code >= 500:
			e.Outcome = notifier.ForGood
		}
	} else if errors.As(err, &timeout) && timeout.Timeout() {
		e.Reason = "timeout"
	} else if cause, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		e.Reason, e.Err = "tls", cause.Err
	} else if lookup, ok := errors.AsType[*net.DNSError](err); ok {
		e.Reason, e.Err = "name_not_found", fmt.Errorf("the name %s cannot be resolved; look at DNS or the network", lookup.Name)
	}
	return e
}

// local reports whether a server is this machine.
func local(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
