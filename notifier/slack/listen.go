package slack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
	"golang.org/x/sync/errgroup"

	"emberwatch/notifier"
)

// How presses are worked off. Slack waits 3 s for an acknowledgement, and as long for a modal to open.
const (
	commitWithin = 2500 * time.Millisecond
	answerWithin = 10 * time.Second
	workers      = 4
	waiting      = 64
	readLimit    = 4 << 20
	firstPause   = time.Second
	longestPause = 5 * time.Minute
	mostSilent   = 4 // sockets in a row without a hello
)

// Listen works off what people press until ctx ends, and then returns nil. With an app token it keeps the Socket Mode
// connection: whatever ends it, a revoked token included, it is tried again; Ready tells. With a signing secret alone
// it works off what ServeHTTP takes in. It must run only once at a time.
func (n *Notifier) Listen(ctx context.Context) error {
	if n.cfg.AppToken == "" && n.cfg.SigningSecret == "" {
		return errors.New("slack: listen: no app token and no signing secret")
	}
	g, ctx := errgroup.WithContext(ctx)
	for range workers {
		g.Go(func() error { n.work(ctx); return nil })
	}
	g.Go(func() error { n.keep(ctx); return nil })
	g.Go(func() error { n.remember(ctx); return nil })
	return g.Wait()
}

// remember keeps fresh what presses are judged by. What a press needs to know is known before it comes: while somebody
// waits for an acknowledgement, Slack is asked nothing.
func (n *Notifier) remember(ctx context.Context) {
	for sleep(ctx, namesPause) {
		n.lookUpAllowed(ctx)
	}
}

// keep keeps a session until ctx ends.
func (n *Notifier) keep(ctx context.Context) {
	for pause := firstPause; ; pause = min(2*pause, longestPause) {
		start := n.now()
		err := n.session(ctx)
		if ctx.Err() != nil {
			return
		}
		safe := harmless(err)
		n.pulse.trouble(safe.Error())
		n.log.Error("slack: nobody can press anything until it is back", "error", safe, "next_try", pause)
		if n.now().Sub(start) > longestPause {
			pause = firstPause
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// session is one life of a Socket Mode client; slack-go reconnects within it and gives up only for good. Without
// Socket Mode it lasts once we know who we are.
func (n *Notifier) session(ctx context.Context) error {
	if _, err := n.Auth(ctx); err != nil {
		return err
	}
	n.lookUpAllowed(ctx)
	n.offer(n.lookUpPeople)
	if n.cfg.AppToken == "" {
		n.pulse.fine()
		<-ctx.Done()
		return ctx.Err()
	}
	client := socketmode.New(n.api, socketmode.OptionDialer(n.dialer()), socketmode.OptionReadLimit(readLimit), socketmode.OptionPingInterval(n.cfg.Deaf))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return client.RunContext(ctx) })
	g.Go(func() error { return n.take(ctx, client) })
	return g.Wait()
}

// job is a call of Slack that follows an acknowledgement.
type job func(ctx context.Context)

func (n *Notifier) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case j := <-n.jobs:
			jobCtx, cancel := context.WithTimeout(ctx, answerWithin)
			j(jobCtx)
			cancel()
		}
	}
}

// offer leaves a job to the workers. With none free for so long that the queue is full, an answer comes too late
// to mean anything, and the next acknowledgement must not wait for it.
func (n *Notifier) offer(j job) {
	if j == nil {
		return
	}
	select {
	case n.jobs <- j:
	default:
		n.log.Warn("slack: too busy to answer a press in words")
	}
}

// take reads the socket: decode, commit, acknowledge, and leave the rest to the workers.
// A socket that ends again and again before Slack says hello (Socket Mode was turned off) is an error: slack-go would
// open the next one at once.
func (n *Notifier) take(ctx context.Context, client *socketmode.Client) error {
	silent := 0
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case e := <-client.Events:
			switch e.Type {
			case socketmode.EventTypeConnected:
				silent++
			case socketmode.EventTypeHello:
				silent = 0
			}
			if silent > mostSilent {
				return errSilent
			}
			n.event(ctx, client, e)
		}
	}
}

// errSilent is why a session ends in which Slack never says hello.
var errSilent = &notifier.DeliveryError{Outcome: notifier.Down, Reason: "no_hello", Err: errors.New("sockets end at once; is Socket Mode on?")}

func (n *Notifier) event(ctx context.Context, client *socketmode.Client, e socketmode.Event) {
	switch data := e.Data.(type) {
	case slackapi.InteractionCallback:
		n.react(ctx, client, e, n.pressed(ctx, &data))
		return
	case slackapi.SlashCommand:
		n.react(ctx, client, e, n.command(ctx, &data))
		return
	case slackevents.EventsAPIEvent:
		n.react(ctx, client, e, n.happened(&data))
		return
	case *slackapi.ConnectionErrorEvent:
		n.log.Warn("slack: no connection", "error", harmless(data.ErrorObj), "next_try", data.Backoff)
		return
	}
	switch e.Type {
	case socketmode.EventTypeHello:
		n.app.Store(&e.Request.ConnectionInfo.AppID)
		n.pulse.fine()
		n.log.Info("slack: listening", "team", n.teamID())
	case socketmode.EventTypeEventsAPI:
		n.ack(ctx, client, e, nil)
	case socketmode.EventTypeErrorBadMessage, socketmode.EventTypeErrorWriteFailed:
		n.log.Warn("slack: socket", "event", string(e.Type))
	}
}

// react acknowledges, and leaves the rest to the workers. What was lost is not acknowledged.
func (n *Notifier) react(ctx context.Context, client *socketmode.Client, e socketmode.Event, r reaction) {
	if !r.lost {
		n.ack(ctx, client, e, r.payload)
	}
	n.offer(r.then)
}

// happened answers an event of the Events API: somebody opens our home tab. Slack delivers events again; renewing a
// tab twice does no harm.
func (n *Notifier) happened(e *slackevents.EventsAPIEvent) reaction {
	opened, ok := e.InnerEvent.Data.(*slackevents.AppHomeOpenedEvent)
	if !ok || opened.Tab != "home" || e.TeamID != n.teamID() || !n.ourApp(e.APIAppID) {
		return reaction{}
	}
	return reaction{then: n.home(opened.User)}
}

func (n *Notifier) ack(ctx context.Context, client *socketmode.Client, e socketmode.Event, payload any) {
	if err := client.AckCtx(ctx, e.Request.EnvelopeID, payload); err != nil {
		n.log.Warn("slack: could not acknowledge", "error", harmless(err))
	}
}

// Identity is who we are in Slack.
type Identity struct {
	Team, TeamID, User string
	Missing            []string // scopes of the manifest that the token lacks; nil also if Slack does not say
}

// Auth asks Slack who we are. Errors are *notifier.DeliveryError.
func (n *Notifier) Auth(ctx context.Context) (Identity, error) {
	r, err := n.api.AuthTestContext(ctx)
	if err != nil {
		return Identity{}, fmt.Errorf("slack: auth: %w", beforePost(err))
	}
	n.team.Store(&r.TeamID)
	id := Identity{Team: r.Team, TeamID: r.TeamID, User: r.User}
	if granted := r.Header.Get("X-OAuth-Scopes"); granted != "" {
		id.Missing = missing(Scopes(), strings.Split(granted, ","))
	}
	return id, nil
}

func (n *Notifier) teamID() string {
	if t := n.team.Load(); t != nil {
		return *t
	}
	return ""
}
