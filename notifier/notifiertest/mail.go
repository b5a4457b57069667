package notifiertest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http/httptest"
	"net/textproto"
	"slices"
	"strings"
	"sync"
)

// MailPassword is the one password that [Mail] takes. It is a canary: it must not show up in any error or log.
const MailPassword = "canary-3333-mail"

// Letter is one mail that was taken.
type Letter struct {
	From string
	To   []string
	Data string // head and body as they came
}

// Mail is a stand-in for a mail server on the loopback: SMTP with STARTTLS, and passwords only behind it.
type Mail struct {
	listener net.Listener
	tls      *tls.Config
	roots    *x509.CertPool
	sessions sync.WaitGroup

	mu         sync.Mutex // guards what follows
	letters    []Letter
	handed     int // mails whose data came in, refused ones included
	faults     map[string][]string
	violations []string
	open       map[net.Conn]bool
	plain      bool // it does not offer STARTTLS
}

// NewMail starts a stand-in. Close it at the end.
func NewMail() (*Mail, error) {
	lender := httptest.NewTLSServer(nil) // its certificate is for this machine
	defer lender.Close()
	m := &Mail{faults: map[string][]string{}, open: map[net.Conn]bool{}, roots: x509.NewCertPool()}
	m.roots.AddCert(lender.Certificate())
	m.tls = &tls.Config{Certificates: lender.TLS.Certificates, MinVersion: tls.VersionTLS12}
	var err error
	if m.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("stand-in for a mail server: %w", err)
	}
	m.sessions.Go(m.accept)
	return m, nil
}

// Addr is where it listens.
func (m *Mail) Addr() string { return m.listener.Addr().String() }

// TLS is the configuration of a client that trusts it.
func (m *Mail) TLS() *tls.Config { return &tls.Config{RootCAs: m.roots, MinVersion: tls.VersionTLS12} }

// Close ends every session.
func (m *Mail) Close() {
	m.listener.Close()
	m.mu.Lock()
	for c := range m.open {
		c.Close()
	}
	m.mu.Unlock()
	m.sessions.Wait()
}

// Plain takes STARTTLS away.
func (m *Mail) Plain() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.plain = true
}

// Fail gives the next commands of a verb these answers ("550 no such user"); "drop" ends the connection. The verb "."
// is the end of the data: the mail is not taken then, but for "lost", which takes it and ends the connection.
func (m *Mail) Fail(verb string, answers ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults[verb] = append(m.faults[verb], answers...)
}

// Letters returns the mails that were taken, oldest first.
func (m *Mail) Letters() []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.letters)
}

// Handed returns how many mails were handed over, those that were not taken included.
func (m *Mail) Handed() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.handed
}

// Violations returns what must never happen: passwords or mails in the clear.
func (m *Mail) Violations() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.violations)
}

func (m *Mail) accept() {
	for {
		conn, err := m.listener.Accept()
		if err != nil {
			return
		}
		m.mu.Lock()
		m.open[conn] = true
		m.mu.Unlock()
		m.sessions.Go(func() {
			defer func() {
				conn.Close()
				m.mu.Lock()
				delete(m.open, conn)
				m.mu.Unlock()
			}()
			s := &mailSession{m: m, conn: conn, text: textproto.NewConn(conn)}
			s.say("220 mail.example.com ready")
			for s.next() {
			}
		})
	}
}

// fault takes the next answer that a verb is to fail with.
func (m *Mail) fault(verb string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.faults[verb]
	if len(q) == 0 {
		return ""
	}
	m.faults[verb] = q[1:]
	return q[0]
}

func (m *Mail) violate(what string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.violations = append(m.violations, what)
}

// mailSession is one connection.
type mailSession struct {
	m       *Mail
	conn    net.Conn
	text    *textproto.Conn
	secured bool
	letter  Letter
}

func (s *mailSession) say(line string) { _ = s.text.PrintfLine("%s", line) }

// next answers one command; false: the session is over.
func (s *mailSession) next() bool {
	line, err := s.text.ReadLine()
	if err != nil {
		return false
	}
	verb, rest, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	switch f := s.m.fault(verb); {
	case f == "drop":
		return false
	case f != "":
		s.say(f)
		return true
	}
	switch verb {
	case "EHLO", "HELO":
		s.greet()
	case "STARTTLS":
		return s.startTLS()
	case "AUTH":
		s.login(rest)
	case "MAIL":
		s.letter = Letter{From: address(rest)}
		s.say("250 ok")
	case "RCPT":
		s.letter.To = append(s.letter.To, address(rest))
		s.say("250 ok")
	case "DATA":
		return s.data()
	case "QUIT":
		s.say("221 bye")
		return false
	default:
		s.say("502 what?")
	}
	return true
}

func (s *mailSession) greet() {
	s.m.mu.Lock()
	offer := !s.secured && !s.m.plain
	s.m.mu.Unlock()
	s.say("250-mail.example.com")
	if offer {
		s.say("250-STARTTLS")
	}
	s.say("250 AUTH PLAIN")
}

func (s *mailSession) startTLS() bool {
	s.say("220 go ahead")
	conn := tls.Server(s.conn, s.m.tls)
	if conn.Handshake() != nil {
		return false
	}
	s.secured, s.text = true, textproto.NewConn(conn)
	return true
}

func (s *mailSession) login(how string) {
	if !s.secured {
		s.m.violate("a password in the clear")
	}
	if how == "PLAIN "+base64.StdEncoding.EncodeToString([]byte("\x00ember@example.com\x00"+MailPassword)) {
		s.say("235 welcome")
		return
	}
	s.say("535 go away " + MailPassword) // servers say all sorts of things
}

func (s *mailSession) data() bool {
	s.say("354 go ahead")
	body, err := s.text.ReadDotBytes()
	if err != nil {
		return false
	}
	s.letter.Data = string(body)
	f := s.m.fault(".")
	s.m.mu.Lock()
	s.m.handed++
	if f == "" || f == "lost" {
		s.m.letters = append(s.m.letters, s.letter)
	}
	s.m.mu.Unlock()
	switch f {
	case "":
		s.say("250 taken")
	case "lost", "drop":
		return false
	default:
		s.say(f)
	}
	return true
}

// address reads "FROM:<a@b> …".
func address(s string) string {
	_, s, _ = strings.Cut(s, "<")
	s, _, _ = strings.Cut(s, ">")
	return s
}
