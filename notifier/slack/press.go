package slack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
)

// pressed carries out a press. It returns what is still to be said to the person (nil: nothing, the root
// shows it), and whether Slack may be told that all is well: not if the press could not be committed, then
// the person sees an error and presses again.
func (n *Notifier) pressed(ctx context.Context, cb *slackapi.InteractionCallback) (job, bool) {
	if cb.Type != slackapi.InteractionTypeBlockActions || len(cb.ActionCallback.BlockActions) == 0 {
		return nil, true // a modal was closed, or something of a later version
	}
	a := cb.ActionCallback.BlockActions[0]
	if !n.ours(cb) {
		n.log.Warn("slack: press from another team or app refused", "team", cb.User.TeamID)
		return n.whisper(cb, "Only members of this workspace can do that."), true
	}
	t, err := parseToken(value(a))
	if err != nil {
		return nil, true // a link button carries nothing
	}
	if a.ActionID == actDrafts {
		return n.showDrafts(cb, t), true
	}
	e, ok := n.toEvent(cb, a, t)
	if !ok {
		return n.whisper(cb, "This button is no longer known. Please use the ones of the newest message."), true
	}
	return n.commit(ctx, cb, e)
}

// commit hands the event over before anything is acknowledged. The commit may outlast the connection.
func (n *Notifier) commit(ctx context.Context, cb *slackapi.InteractionCallback, e detector.Event) (job, bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
	defer cancel()
	allowed, err := n.allowed(ctx, cb, e.Op)
	switch {
	case err != nil:
		n.log.Warn("slack: could not check who may act", "error", harmless(err))
		return n.whisper(cb, "I could not check whether you may do that. Please try again in a moment."), true
	case !allowed:
		return n.whisper(cb, "You may not do that here; ask whoever runs Emberwatch."), true
	}
	r, err := n.cfg.Responder.Respond(ctx, e)
	switch {
	case errors.Is(err, detector.ErrNotFound):
		return n.whisper(cb, "I do not know "+esc(e.Incident, maxName)+" any more; the data may have been restored from a backup."), true
	case err != nil:
		n.log.Error("slack: a press was not stored", "incident", e.Incident, "op", e.Op, "error", err)
		return n.whisper(cb, "That could not be stored, so nothing has changed. Please press again."), false
	case r.Outcome == detector.Applied:
		return nil, true
	}
	return n.whisper(cb, n.unchanged(r)), true
}

// unchanged says kindly why a press changed nothing.
func (n *Notifier) unchanged(r detector.Result) string {
	if r.Message != "" {
		return esc(r.Message, maxBlurb)
	}
	i := &r.Incident
	switch i.Handling {
	case detector.Acked:
		return fmt.Sprintf("Nothing changed: already acknowledged by %s %s ago.", person(i.Owner), ago(i.AckedAt, n.now()))
	case detector.Snoozed:
		return fmt.Sprintf("Nothing changed: snoozed by %s until %s.", person(i.Owner), when(i.SnoozeUntil))
	case detector.Closed:
		return "Nothing changed: " + closing(i) + "."
	}
	return "Nothing changed."
}

// ours reports whether a press comes from a member of our workspace and through our app.
func (n *Notifier) ours(cb *slackapi.InteractionCallback) bool {
	team := n.teamID()
	if team == "" || cb.Team.ID != team || cb.User.TeamID != "" && cb.User.TeamID != team {
		return false
	}
	app := n.app.Load()
	return app == nil || *app == "" || cb.APIAppID == *app
}

// resolving are the operations of Allow.Resolve.
var resolving = []detector.Operation{detector.OpResolve, detector.OpFalseAlarm, detector.OpKnownEvent}

// allowed checks the person against the configuration. A group that Slack cannot name now is an error, not a no.
func (n *Notifier) allowed(ctx context.Context, cb *slackapi.InteractionCallback, op detector.Operation) (bool, error) {
	list := n.cfg.Allow.Act
	if slices.Contains(resolving, op) && len(n.cfg.Allow.Resolve) > 0 {
		list = n.cfg.Allow.Resolve
	}
	if len(list) == 0 {
		return true, nil
	}
	if slices.ContainsFunc(list, func(s string) bool { return s == cb.User.ID || bare(s) == bare(cb.User.Name) }) {
		return true, nil
	}
	groups, err := n.names.groups.all(ctx, n.now())
	if err != nil {
		return false, err
	}
	for handle, g := range groups {
		if slices.Contains(g.members, cb.User.ID) && slices.ContainsFunc(list, func(s string) bool { return s == g.id || bare(s) == handle }) {
			return true, nil
		}
	}
	return false, nil
}

// value is what was pressed or chosen.
func value(a *slackapi.BlockAction) string {
	if a.SelectedOption.Value != "" {
		return a.SelectedOption.Value
	}
	return a.Value
}

// toEvent makes the event of a press. Its id is the same however often Slack delivers it.
func (n *Notifier) toEvent(cb *slackapi.InteractionCallback, a *slackapi.BlockAction, t token) (detector.Event, bool) {
	e := detector.Event{
		ID:       a.ActionTs + cb.User.ID + a.ActionID,
		Incident: t.incident,
		Expected: t.version,
		Actor:    detector.Actor{Kind: "person", ID: cb.User.ID, Name: cb.User.Name, Via: "slack"},
	}
	switch a.ActionID {
	case actAck:
		e.Op = detector.OpAck
	case actAckFor:
		e.Op = detector.OpAck
		return e, until(&e.Args, t, n.now())
	case actSnooze:
		e.Op = detector.OpSnooze
		return e, until(&e.Args, t, n.now())
	case actResolve:
		e.Op = detector.OpResolve
	case actUnack:
		e.Op = detector.OpUnack
	case actReopen:
		e.Op = detector.OpReopen
	case actMore:
		e.Op = detector.Operation(t.choice)
		return e, e.Op == detector.OpUnack || slices.Contains(resolving, e.Op)
	default:
		return e, false
	}
	return e, true
}

// until fills in how long. A tomorrow is counted from the press, not from the message.
func until(args *detector.Args, t token, now time.Time) bool {
	switch t.choice {
	case choiceHour:
		args.For = detector.Duration(time.Hour)
	case choiceHours:
		args.For = detector.Duration(4 * time.Hour)
	case choiceTomorrow:
		args.Until = tomorrow(now, t.zone)
	default:
		return false
	}
	return true
}

// whisper says something to the person who pressed, and to nobody else.
func (n *Notifier) whisper(cb *slackapi.InteractionCallback, s string) job {
	channel, thread := cb.Channel.ID, cb.Container.ThreadTs
	return func(ctx context.Context) {
		_, err := n.api.PostEphemeralContext(ctx, channel, cb.User.ID,
			slackapi.MsgOptionText(clip(s, maxSection), false),
			slackapi.MsgOptionBlocks(section(s)),
			slackapi.MsgOptionTS(thread),
			slackapi.MsgOptionParse(false), slackapi.MsgOptionLinkNames(false))
		if err != nil {
			n.log.Warn("slack: could not answer a press", "error", harmless(err))
		}
	}
}
