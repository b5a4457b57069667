package slack

import (
	"context"
	"net/http"
	"net/http/httptrace"
	"path"
	"sync/atomic"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
)

// eventType marks our messages among everybody's.
const eventType = "emberwatch_alert"

// letter is one message ready to be sent.
type letter struct {
	channel   string
	thread    string // ts of the root: a line of its thread
	broadcast bool
	edits     string // ts of the message to be replaced
	text      string // mrkdwn; what screen readers and notifications read
	blocks    []slackapi.Block
	key       string // of the alert; empty: the metadata stays as it is
	incident  string
	version   int
}

// deliver sends a letter. What Slack refuses for its layout goes out once more as text alone; a public channel
// that the bot is not in is joined once. Both follow a plain refusal, so that nothing can be there twice.
func (n *Notifier) deliver(ctx context.Context, l letter) (detector.Ref, error) {
	ref, err := n.send(ctx, l)
	if reason(err) == "not_in_channel" && n.join(ctx, l.channel) {
		ref, err = n.send(ctx, l)
	}
	if badLayout(reason(err)) && l.blocks != nil {
		n.log.Error("slack refused the layout, sending text alone", "incident", l.incident, "reason", reason(err), "detail", err)
		l.blocks = nil
		ref, err = n.send(ctx, l)
	}
	return ref, err
}

// send makes exactly one call.
func (n *Notifier) send(ctx context.Context, l letter) (detector.Ref, error) {
	var reached atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { reached.Store(true) }})
	channel, ts, _, err := n.api.SendMessageContext(ctx, l.channel, l.options()...)
	if err == nil && ts == "" {
		err = errGarbage // slack-go takes {"ok":false} without a reason for success
	}
	switch {
	case err == nil:
		return detector.Ref{Channel: channel, ID: ts}, nil
	case !reached.Load():
		return detector.Ref{}, unreachable(err)
	case l.edits != "":
		return detector.Ref{}, beforePost(err) // it can be repeated whatever became of it
	}
	return detector.Ref{}, maybePosted(err)
}

func (l *letter) options() []slackapi.MsgOption {
	o := []slackapi.MsgOption{
		slackapi.MsgOptionText(clip(l.text, maxSection), false),
		slackapi.MsgOptionDisableLinkUnfurl(),
		slackapi.MsgOptionDisableMediaUnfurl(),
		slackapi.MsgOptionParse(false),
		slackapi.MsgOptionLinkNames(false),
		slackapi.MsgOptionBlocks(l.blocks...), // an empty list clears those of an edited message
	}
	if l.edits != "" {
		return append(o, slackapi.MsgOptionUpdate(l.edits))
	}
	if l.thread != "" {
		o = append(o, slackapi.MsgOptionTS(l.thread))
	}
	if l.broadcast {
		o = append(o, slackapi.MsgOptionBroadcast())
	}
	return append(o, slackapi.MsgOptionPost(), slackapi.MsgOptionMetadata(slackapi.SlackMetadata{
		EventType:    eventType,
		EventPayload: map[string]any{"idempotency_key": l.key, "incident": l.incident, "version": l.version},
	}))
}

// join brings the bot into a public channel.
func (n *Notifier) join(ctx context.Context, channel string) bool {
	id, err := n.names.channel(ctx, channel)
	if err != nil || id == "" {
		return false
	}
	if _, _, _, err = n.api.JoinConversationContext(ctx, id); err != nil {
		n.log.Warn("slack: could not join the channel", "channel", id, "error", harmless(err))
		return false
	}
	return true
}

// Limits of the HTTP side: an answer of Slack is small, and an alert that hangs must come back to the outbox.
const (
	callTimeout = 15 * time.Second
	maxAnswer   = 16 << 20
)

// doer is the HTTP client of slack-go: it follows no redirect (the token travels in the body), bounds answers,
// and gives every 429 a readable Retry-After.
type doer struct{ client *http.Client }

func newDoer(c *http.Client) doer {
	if c == nil {
		c = &http.Client{Timeout: callTimeout}
	}
	own := *c
	own.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return doer{&own}
}

// Do makes one request.
func (d doer) Do(r *http.Request) (*http.Response, error) {
	resp, err := d.client.Do(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusTooManyRequests {
		unsaid := defaultWait
		if path.Base(r.URL.Path) == "apps.connections.open" {
			unsaid = socketWait
		}
		resp.Header.Set("Retry-After", retryAfter(resp.Header.Get("Retry-After"), unsaid, time.Now()))
	}
	resp.Body = http.MaxBytesReader(nil, resp.Body, maxAnswer)
	return resp, nil
}
