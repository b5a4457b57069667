// Package webhook tells machines: it posts each alert as JSON to an address, signed as Standard Webhooks asks.
//
// The body is a [notifier.Envelope]. The header webhook-id is the alert's key: an alert whose answer was lost is
// posted again under the same id, so a receiver that remembers ids takes each alert once. An answer of 2xx means taken;
// 429, or 503 with Retry-After, is obeyed; any other 4xx is a refusal for good.
//
// It never follows a redirect, reads no more of an answer than its status, and keeps nothing.
//
// # Caveats
//
// The address may hold a secret: errors name the host only.
package webhook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/sources"
)

// Waits after an answer that asks for one.
const (
	callTimeout = 15 * time.Second
	leastWait   = time.Second
	mostWait    = 5 * time.Minute
	defaultWait = 30 * time.Second
)

// Options are what a Notifier is made from. Name, URL and Secret are mandatory.
type Options struct {
	Name   string
	URL    string
	Secret string       // whsec_ and base64, or raw
	Client *http.Client // must not retry; nil: one with timeouts of its own
	Now    func() time.Time
}

// Notifier posts to one address. It is safe for concurrent use.
type Notifier struct {
	name, url, host, secret string
	client                  *http.Client
	now                     func() time.Time
}

var _ notifier.Paced = (*Notifier)(nil)

// New returns a notifier, or says what is wrong with its options.
func New(o Options) (*Notifier, error) {
	u, err := url.Parse(o.URL)
	switch {
	case o.Name == "":
		return nil, errors.New("webhook: no name")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("webhook %s: url is no web address; write it like https://example.com/hook", o.Name)
	}
	if err := sources.SignStandard(http.Header{}, o.Secret, "probe", nil, time.Time{}); err != nil {
		return nil, fmt.Errorf("webhook %s: secret: %w", o.Name, err)
	}
	client := http.Client{Timeout: callTimeout}
	if o.Client != nil {
		client = *o.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Notifier{name: o.Name, url: o.URL, host: u.Host, secret: o.Secret, client: &client, now: o.Now}, nil
}

// Probe connects to the server of the address, with TLS where it has it, and posts nothing. It says how far it came.
func (n *Notifier) Probe(ctx context.Context) (reached string, err error) {
	u, err := url.Parse(n.url)
	if err != nil {
		return "", errors.New("url is no web address")
	}
	if proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u}); err == nil && proxy != nil {
		return fmt.Sprintf("%s is reached through the proxy %s; no connection was tried", n.host, proxy.Host), nil
	}
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return "", fmt.Errorf("no connection to %s: %w", n.host, err)
	}
	defer conn.Close()
	if u.Scheme == "http" {
		return n.host + " takes connections", nil
	}
	if err := tls.Client(conn, &tls.Config{ServerName: u.Hostname()}).HandshakeContext(ctx); err != nil {
		return "", fmt.Errorf("no TLS with %s: %w", n.host, err)
	}
	return n.host + " takes connections with TLS", nil
}

// Name returns the configured name.
func (n *Notifier) Name() string { return n.name }

// Pace is ten alerts a second.
func (n *Notifier) Pace() notifier.Pace { return notifier.Pace{Channel: 100 * time.Millisecond} }

// Notify posts the alert once. The reference is the name and the key of the root.
func (n *Notifier) Notify(ctx context.Context, m *notifier.Message) (detector.Ref, error) {
	body, err := notifier.EncodeEnvelope(m)
	if err != nil {
		return detector.Ref{}, &notifier.DeliveryError{Outcome: notifier.ForGood, Reason: "not_encodable", Err: err}
	}
	if err := n.post(ctx, id(m.Alert.Key), body); err != nil {
		return detector.Ref{}, err
	}
	if m.Alert.Kind == detector.KindEdit && m.Root != (detector.Ref{}) {
		return m.Root, nil
	}
	return detector.Ref{Channel: n.name, ID: m.Alert.Key}, nil
}

// id makes a header value of a key: what stands in a brand's id may be anything.
func id(key string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return '_'
		}
		return r
	}, key)
}

func (n *Notifier) post(ctx context.Context, id string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url, bytes.NewReader(body))
	if err != nil {
		return &notifier.DeliveryError{Outcome: notifier.ForGood, Reason: "no_request"}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "emberwatch")
	if err := sources.SignStandard(req.Header, n.secret, id, body, n.now()); err != nil {
		return &notifier.DeliveryError{Outcome: notifier.ForGood, Reason: "not_signed", Err: err}
	}
	res, err := n.client.Do(req)
	if err != nil {
		e := &notifier.DeliveryError{Outcome: notifier.Unknown, Reason: reason(err), Err: fmt.Errorf("post to %s", n.host)}
		if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
			e.Outcome = notifier.Down
		}
		return e
	}
	defer res.Body.Close()
	return n.judge(res)
}

// reason says in a word why there was no answer; the error itself holds the address.
func reason(err error) string {
	if e, ok := errors.AsType[*url.Error](err); ok && e.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return "timeout"
	}
	if errors.Is(err, context.Canceled) {
		return "cancelled"
	}
	return "no_answer"
}

// judge sorts an answer by its status. A lost or doubtful one may be repeated: the id is the same.
func (n *Notifier) judge(res *http.Response) error {
	status := res.StatusCode
	e := &notifier.DeliveryError{Outcome: notifier.Unknown, Reason: "http_" + strconv.Itoa(status), Err: fmt.Errorf("post to %s", n.host)}
	after := res.Header.Get("Retry-After")
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && after != "":
		e.Outcome, e.RetryAfter = notifier.Busy, wait(after, n.now())
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly:
		e.Outcome = notifier.NotSent
	case status < 500:
		e.Outcome = notifier.ForGood
	}
	return e
}

// wait reads a Retry-After, which is a number of seconds or a date, within bounds.
func wait(after string, now time.Time) time.Duration {
	d := defaultWait
	if s, err := strconv.Atoi(strings.TrimSpace(after)); err == nil {
		d = time.Duration(min(s, int(mostWait/time.Second))) * time.Second
	} else if at, err := http.ParseTime(after); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, leastWait), mostWait)
}
