package main

import (
	"context"
	"errors"
	"strings"
	"time"

	"emberwatch/notifier"
	"emberwatch/notifier/command"
	"emberwatch/notifier/email"
	"emberwatch/notifier/webhook"
)

// probeTimeout is for one notifier, from the name of its server to the last answer.
const probeTimeout = 10 * time.Second

// examineNotifiers goes with every notifier as far as one can without telling anybody anything. Those in Slack are
// among its channels.
func examineNotifiers(ctx context.Context, cfg *Config) []finding {
	var out []finding
	for i := range cfg.Notifiers {
		if n := &cfg.Notifiers[i]; n.Type != "slack" {
			out = append(out, examineNotifier(ctx, n))
		}
	}
	return out
}

func examineNotifier(ctx context.Context, n *NotifierConfig) finding {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	check := "notifier " + n.Name
	made, err := newNotifier(n, nil, nil)
	if err != nil {
		return bad(check, err.Error(), "see its keys in the configuration")
	}
	switch made := made.(type) {
	case *command.Notifier:
		if err := command.Startable(n.Run[0]); err != nil {
			return bad(check, err.Error(), programRepair)
		}
		return good(check, "%s is there and executable; it was not run", n.Run[0])
	case *email.Notifier:
		return examineMail(ctx, check, n, made)
	case *webhook.Notifier:
		return examineHook(ctx, check, made)
	}
	return bad(check, "type "+n.Type+" cannot be looked at", "look at its keys in the configuration")
}

func examineMail(ctx context.Context, check string, n *NotifierConfig, m *email.Notifier) finding {
	if err := m.Probe(ctx); err != nil {
		e, _ := errors.AsType[*notifier.DeliveryError](err)
		if e == nil {
			return bad(check, err.Error(), "look at smtp")
		}
		return bad(check, n.SMTP+": "+mailProblem(e), mailRepair(e))
	}
	login := "logged in"
	if n.Password.ref == "" {
		login = "without a login, since no password is set"
	}
	return good(check, "%s takes the connection, %s; no mail was sent: whether it takes one from %s to %s was not tried", n.SMTP, login, n.From, strings.Join(n.To, ", "))
}

// mailProblem says for what a mail would fail.
func mailProblem(e *notifier.DeliveryError) string {
	code, answered := strings.CutPrefix(e.Reason, "smtp_")
	switch {
	case e.Err != nil:
		return e.Err.Error()
	case answered:
		return "the server answers " + code
	case e.Reason == "timeout":
		return "no answer in time"
	}
	return "no connection"
}

// mailRepair says what to do about it.
func mailRepair(e *notifier.DeliveryError) string {
	switch {
	case e.Reason == "smtp_530", e.Reason == "smtp_534", e.Reason == "smtp_535":
		return "the server refuses the login: look at user and password, and whether it wants a password made for programs"
	case e.Reason == "tls":
		return "use the host name in smtp that the certificate is for; of a certificate authority of your own, name the file in the variable SSL_CERT_FILE"
	case e.Reason == "no_starttls":
		return "use a port with TLS (465), or one where the server offers STARTTLS (587)"
	}
	return "look at host and port in smtp, at DNS, and at a firewall on the way"
}

func examineHook(ctx context.Context, check string, w *webhook.Notifier) finding {
	reached, err := w.Probe(ctx)
	if err != nil {
		return bad(check, err.Error(), "look at host and port in url, at DNS, the certificate, and a firewall on the way")
	}
	return good(check, "%s; nothing was posted: whether the path and the secret are right was not tried", reached)
}
