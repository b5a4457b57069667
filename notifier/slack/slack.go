// Package slack tells people in Slack and brings back what they press.
//
// An incident is one root message, edited in place, with a few lines in its thread and a chart. [Notifier.Notify] puts a
// [notifier.Message] in words and Block Kit and makes one call of the Web API; [Notifier.Find] looks a message
// up by the key in its metadata when the answer to that call was lost. [Notifier.Listen] keeps the Socket Mode
// connection, [Notifier.ServeHTTP] is its like over HTTP: a press, a command or a window that is handed in becomes a
// [detector.Event], is committed by the [notifier.Responder], then acknowledged to Slack, and only then answered in words
// by a few workers. Reply drafts are shown in a window to the person who asked; the home tab lists what is open for one
// person. [Notifier.Report] posts the report of a week, [Notifier.Examine] says what stands between us and the first
// message.
//
// What a root says, from top to bottom, and why: how grave, whose, about what (a phone shows no more of it before one
// opens it); the sentence of what was counted against what is usual; who is on it, or who is told next and when (before
// the sentence where it is calm or closed: then that is past); the figures that the sentence does not say, a line each,
// as a phone has no second column; by which facts it is so grave; what to press. What follows is to read: what people
// say in their own words, up to three quotes, each with what one needs to judge it without reading its language, and last
// where the alert comes from, for those who doubt.
//
// The package keeps nothing but caches of names, never retries a post by itself, never decides about an
// incident, and never posts anything where the public could read it.
//
// # Caveats
//
// Foreign text goes only into rich_text text elements and plain_text objects, which Slack does not parse, or
// through the escaping of escape.go into mrkdwn. Those who are mentioned stand in the configuration, or own the
// incident; links are only a mention's own http(s) address under a label of ours.
//
// Slack has no idempotency key: an error with outcome Unknown may hide a message that people can read.
// Errors never carry tokens, addresses of the API or texts.
package slack

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// Config is what a Notifier needs. Only BotToken is mandatory; without AppToken messages go out and nothing
// comes back.
type Config struct {
	BotToken       string
	AppToken       string         // for Socket Mode
	SigningSecret  string         // for ServeHTTP: Slack sends what people press there
	APIURL         string         // base URL; empty: Slack's
	DefaultChannel string         // for routes that name neither channel nor person
	HTTP           *http.Client   // must not retry; nil: one with timeouts of its own
	Logger         *slog.Logger   // nil: silent
	Zone           *time.Location // whose morning "until tomorrow 09:00" means, if the route does not say; nil: UTC
	Allow          Allow
	Responder      notifier.Responder // takes presses; nil only without AppToken
	Reader         detector.Reader    // answers /emberwatch; may be nil
	// Waiting returns the complaints whose answer clocks run, the longest first, at most n; nil: no clocks run.
	Waiting func(n int) []detector.Waiting
	// Drafts returns the reply drafts to the top mentions of an incident; nil: no drafts are offered.
	Drafts func(ctx context.Context, incident string) ([]Drafted, error)
	// Recheck looks at a draft that a person has changed; nil: nobody does.
	Recheck   func(ctx context.Context, incident string, d detector.DraftUse, text string) ([]notifier.Guard, error)
	Rules     func() *rules.Set   // names of brands, and the language of what one person sees; nil: none, English
	Languages *notifier.Languages // nil: the embedded ones
	Now       func() time.Time    // nil: time.Now
	// Deaf is how long a socket may be without a ping of Slack before another is opened; 0: half a minute.
	Deaf time.Duration
}

// Drafted is one mention with what a drafter suggests about it.
type Drafted struct {
	Mention    detector.Judged
	Suggestion notifier.Suggestion
}

// Allow says who may do what: ids of users or user groups, "@user", the handle of a group, or "#channel" for everybody
// who presses there. An empty Act is
// everybody in the channel; an empty Resolve is everybody who may act.
type Allow struct {
	Act     []string
	Resolve []string // resolve, false alarm, known event
}

// Notifier is a workspace of Slack. It is safe for concurrent use.
type Notifier struct {
	cfg   Config
	api   *slackapi.Client
	log   *slog.Logger
	now   func() time.Time
	names *directory
	pulse pulse
	team  atomic.Pointer[string] // id of our workspace, once auth.test has told it
	app   atomic.Pointer[string] // id of our app, once the socket has told it
	jobs  chan job               // for the workers
}

var (
	_ notifier.Reconciler = (*Notifier)(nil)
	_ notifier.Paced      = (*Notifier)(nil)
)

// New returns a Notifier. It makes no call: a wrong token shows with the first one, see Auth.
func New(cfg Config) (*Notifier, error) {
	switch {
	case cfg.BotToken == "":
		return nil, errors.New("slack: no bot token")
	case (cfg.AppToken != "" || cfg.SigningSecret != "") && cfg.Responder == nil:
		return nil, errors.New("slack: an app token or a signing secret without a responder")
	}
	if cfg.APIURL == "" {
		cfg.APIURL = slackapi.APIURL
	}
	if !strings.HasSuffix(cfg.APIURL, "/") {
		cfg.APIURL += "/"
	}
	if cfg.Deaf <= 0 {
		cfg.Deaf = 30 * time.Second
	}
	n := &Notifier{cfg: cfg, log: cfg.Logger, now: cfg.Now, jobs: make(chan job, waiting)}
	if n.log == nil {
		n.log = slog.New(slog.DiscardHandler)
	}
	if n.now == nil {
		n.now = time.Now
	}
	n.api = slackapi.New(cfg.BotToken,
		slackapi.OptionAPIURL(cfg.APIURL),
		slackapi.OptionAppLevelToken(cfg.AppToken),
		slackapi.OptionHTTPClient(newDoer(cfg.HTTP)))
	n.names = newDirectory(n.api, n.now)
	return n, nil
}

// Name returns "slack".
func (n *Notifier) Name() string { return "slack" }

// Pace is what Slack bears: a message a second in each channel, some hundred a minute in the workspace, and at least
// fifty calls of chat.update a minute.
func (n *Notifier) Pace() notifier.Pace {
	return notifier.Pace{
		Channel: time.Second,
		Posts:   notifier.Rate{Every: time.Minute / 200, Burst: 10},
		Edits:   notifier.Rate{Every: time.Minute / 45, Burst: 5},
	}
}

// Notify posts or edits one message. A root goes to the route's channel, else its user, else the default
// channel; the returned Ref always names a channel by its id. Errors are *notifier.DeliveryError.
func (n *Notifier) Notify(ctx context.Context, m *notifier.Message) (detector.Ref, error) {
	l := n.compose(ctx, m)
	switch {
	case m.Alert.Kind == detector.KindEdit:
		if m.Root.ID == "" {
			return detector.Ref{}, forGood("no_root")
		}
		l.edits, l.channel, l.key = m.Root.ID, m.Root.Channel, ""
	case m.Alert.Kind != detector.KindRoot && m.Root.ID != "":
		l.thread, l.channel = m.Root.ID, m.Root.Channel
		l.broadcast = m.Alert.Kind == detector.KindBroadcast
	default: // a root, or a line whose root never came to be: better alone than lost
		channel, err := n.channel(ctx, m.Route)
		if err != nil {
			return detector.Ref{}, err
		}
		l.channel = channel
	}
	ref, err := n.deliver(ctx, l)
	if err == nil {
		n.illustrate(ctx, m, ref)
	}
	return ref, err
}

// compose puts a message in words; where it goes is filled in by the caller.
func (n *Notifier) compose(ctx context.Context, m *notifier.Message) letter {
	p := page{
		Message: m, v: voice{m.Language}, zone: n.zone(m.Route), drafts: n.cfg.Drafts != nil,
		mentions: n.mentions(ctx, m), owner: n.owner(ctx, m),
	}
	if code := p.v.Code(); code != n.spoken("").Code() {
		p.answers = code
	}
	l := letter{key: m.Alert.Key, incident: m.Alert.Incident, version: m.Incident.Version}
	isRoot := m.Alert.Kind == detector.KindRoot || m.Alert.Kind == detector.KindEdit
	switch {
	case isRoot && detector.IsDigest(m.Alert.Incident):
		l.text, l.blocks = p.digestText(), p.digest()
	case m.Incident.ID == "":
		l.text = p.notice()
		l.blocks = []slackapi.Block{section(l.text)}
	case isRoot:
		l.text, l.blocks = p.rootText(), p.root()
	default:
		l.text, l.blocks = p.lineText(), p.line()
	}
	return l
}

// alone is a message with nothing in it but an incident.
func (n *Notifier) alone(i *detector.Incident) *notifier.Message {
	return &notifier.Message{Incident: *i, Zone: n.cfg.Zone, Now: n.now()}
}

// spoken is the language of a code, else that of the default route.
func (n *Notifier) spoken(lang string) voice {
	if lang == "" && n.cfg.Rules != nil {
		lang = n.cfg.Rules().Route(rules.DefaultRoute).Language
	}
	return voice{n.cfg.Languages.In(lang)}
}

// zone is whose tomorrow a menu means.
func (n *Notifier) zone(r *rules.Route) *time.Location {
	switch {
	case r != nil && r.Quiet != nil && r.Quiet.Zone != nil:
		return r.Quiet.Zone
	case n.cfg.Zone != nil:
		return n.cfg.Zone
	}
	return time.UTC
}

// channel decides where the root of a route goes.
func (n *Notifier) channel(ctx context.Context, r *rules.Route) (string, error) {
	switch {
	case r != nil && r.Slack.Channel != "":
		return r.Slack.Channel, nil
	case r != nil && r.Slack.User != "":
		return n.direct(ctx, r.Slack.User)
	case n.cfg.DefaultChannel != "":
		return n.cfg.DefaultChannel, nil
	}
	return "", forGood("no_channel")
}

// direct returns the channel of direct messages to a user.
func (n *Notifier) direct(ctx context.Context, user string) (string, error) {
	id, err := n.names.user(ctx, user)
	if err != nil {
		return "", beforePost(err)
	}
	if id == "" {
		return "", forGood("user_not_found")
	}
	c, _, _, err := n.api.OpenConversationContext(ctx, &slackapi.OpenConversationParameters{Users: []string{id}})
	if err != nil {
		return "", beforePost(err)
	}
	return c.ID, nil
}
