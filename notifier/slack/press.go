package slack

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
)

// reaction is what follows something pressed, typed or handed in.
type reaction struct {
	then    job  // a call of Slack that is still to be made; nil: none
	payload any  // of the acknowledgement; nil: none
	lost    bool // it could not be stored: Slack is told nothing, so that the person sees an error and tries again
}

// clicker is who pressed or typed something, and where.
type clicker struct {
	id, name string
	channel  string // empty: in a window or on the home tab
}

func clickerOf(cb *slackapi.InteractionCallback) clicker {
	return clicker{cb.User.ID, cb.User.Name, cb.Channel.ID}
}

func (c clicker) actor() detector.Actor {
	return detector.Actor{Kind: "person", ID: c.id, Name: c.name, Via: "slack"}
}

// pressed carries out a press.
func (n *Notifier) pressed(ctx context.Context, cb *slackapi.InteractionCallback) reaction {
	switch {
	case cb.Type == slackapi.InteractionTypeViewSubmission:
		return n.submitted(ctx, cb)
	case cb.Type != slackapi.InteractionTypeBlockActions || len(cb.ActionCallback.BlockActions) == 0:
		return reaction{} // a window was closed, or something of a later version
	}
	a := cb.ActionCallback.BlockActions[0]
	if !n.ours(cb) {
		n.log.Warn("slack: press from another team or app refused", "team", cb.User.TeamID)
		return reaction{then: n.answer(cb, n.spoken("").Say("told.elsewhere"))}
	}
	if a.ActionID == actUse || a.ActionID == actDiscard {
		return n.drafted(ctx, cb, a)
	}
	t, err := parseToken(value(a))
	if err != nil {
		return reaction{} // a link button carries nothing
	}
	switch {
	case a.ActionID == actDrafts:
		return reaction{then: n.showDrafts(cb, t)}
	case a.ActionID == actMore && t.choice == choiceAssign:
		return reaction{then: n.askAssignee(cb, t)}
	case a.ActionID == actMore && t.choice == choiceMerge:
		return reaction{then: n.askMerge(cb, t)}
	}
	e, ok := n.toEvent(cb, a, t)
	if !ok {
		return reaction{then: n.answer(cb, n.spoken(t.lang).Say("told.unknown.button"))}
	}
	v := n.spoken(t.lang)
	done, said, lost := n.carry(ctx, v, clickerOf(cb), e)
	switch {
	case done != nil && e.Op == detector.OpSnooze:
		return reaction{then: n.previewed(cb, v, *done)}
	case done != nil && cb.View.Type == slackapi.VTHomeTab:
		return reaction{then: n.home(cb.User.ID)}
	}
	return reaction{then: n.answer(cb, said), lost: lost}
}

// carry commits an event before anything is acknowledged, and returns the incident as it is then, or what the person has to
// hear. The commit may outlast the connection.
func (n *Notifier) carry(ctx context.Context, v voice, who clicker, e detector.Event) (done *detector.Incident, said string, lost bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitWithin)
	defer cancel()
	allowed, err := n.allowed(who, e.Op)
	switch {
	case err != nil:
		n.log.Warn("slack: could not check who may act", "error", harmless(err))
		return nil, v.Say("told.unchecked"), false
	case !allowed:
		return nil, v.Say("told.forbidden"), false
	}
	r, err := n.cfg.Responder.Respond(ctx, e)
	switch {
	case errors.Is(err, detector.ErrNotFound):
		return nil, v.Say("told.unknown.incident", "id", esc(e.Incident, maxName)), false
	case err != nil:
		n.log.Error("slack: a press was not stored", "incident", e.Incident, "op", e.Op, "error", err)
		return nil, v.Say("told.unstored"), true
	case r.Outcome == detector.Applied:
		return &r.Incident, "", false
	}
	return nil, n.unchanged(v, r), false
}

// unchanged says kindly why a press changed nothing.
func (n *Notifier) unchanged(v voice, r detector.Result) string {
	i := &r.Incident
	switch {
	case r.Outcome == detector.Refused && r.Message != "":
		return v.tell(r.Message, r.Said)
	case i.Handling == detector.Acked:
		return v.Say("told.unchanged.acked", "who", v.person(i.Owner), "span", v.ago(i.AckedAt, n.now()))
	case i.Handling == detector.Snoozed:
		return v.Say("told.unchanged.snoozed", "who", v.person(i.Owner), "when", when(i.SnoozeUntil))
	case i.Handling == detector.Closed:
		return v.Say("told.unchanged.closed", "how", v.closing(i))
	case r.Message != "":
		return v.tell(r.Message, r.Said)
	}
	return v.Say("told.unchanged")
}

// ours reports whether a press comes from a member of our workspace and through our app.
func (n *Notifier) ours(cb *slackapi.InteractionCallback) bool {
	team := n.teamID()
	if team == "" || cb.Team.ID != team || cb.User.TeamID != "" && cb.User.TeamID != team {
		return false
	}
	return n.ourApp(cb.APIAppID)
}

func (n *Notifier) ourApp(id string) bool {
	app := n.app.Load()
	return app == nil || *app == "" || id == *app
}

// resolving are the operations of Allow.Resolve.
var resolving = []detector.Operation{detector.OpResolve, detector.OpFalseAlarm, detector.OpKnownEvent}

// allowed checks a person and where they are against the configuration, by the names that are known already. What Slack
// has not named is an error, not a no.
func (n *Notifier) allowed(who clicker, op detector.Operation) (bool, error) {
	list := n.cfg.Allow.Act
	if slices.Contains(resolving, op) && len(n.cfg.Allow.Resolve) > 0 {
		list = n.cfg.Allow.Resolve
	}
	if len(list) == 0 || slices.ContainsFunc(list, func(s string) bool { return s == who.id || bare(s) == bare(who.name) }) {
		return true, nil
	}
	if here, err := n.allowedHere(list, who.channel); here || err != nil {
		return here, err
	}
	groups, err := n.names.groups.known()
	if err != nil {
		return false, err
	}
	for handle, g := range groups {
		if slices.Contains(g.members, who.id) && slices.ContainsFunc(list, func(s string) bool { return s == g.id || bare(s) == handle }) {
			return true, nil
		}
	}
	return false, nil
}

// allowedHere reports whether everybody may who presses in this channel.
func (n *Notifier) allowedHere(list []string, channel string) (bool, error) {
	if channel == "" || slices.Contains(list, channel) {
		return channel != "", nil
	}
	if !slices.ContainsFunc(list, named) {
		return false, nil
	}
	channels, err := n.names.channels.known()
	return slices.ContainsFunc(list, func(s string) bool { return named(s) && channels[bare(s)] == channel }), err
}

// named reports whether somebody wrote a channel by its name.
func named(s string) bool { return strings.HasPrefix(s, "#") }

// lookUpAllowed asks Slack for what allowed goes by.
func (n *Notifier) lookUpAllowed(ctx context.Context) {
	list := slices.Concat(n.cfg.Allow.Act, n.cfg.Allow.Resolve)
	if len(list) == 0 {
		return
	}
	_, err := n.names.groups.all(ctx, n.now())
	if slices.ContainsFunc(list, named) {
		_, channels := n.names.channels.all(ctx, n.now())
		err = cmp.Or(channels, err)
	}
	if err != nil && ctx.Err() == nil {
		n.log.Warn("slack: could not look up who may act", "error", harmless(err))
	}
}

// lookUpPeople asks Slack for the names of people and groups, so that they are known when somebody asks for them.
func (n *Notifier) lookUpPeople(ctx context.Context) {
	_, users := n.names.users.all(ctx, n.now())
	_, groups := n.names.groups.all(ctx, n.now())
	if err := cmp.Or(users, groups); err != nil && ctx.Err() == nil {
		n.log.Warn("slack: could not look up names", "error", harmless(err))
	}
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
		Actor:    clickerOf(cb).actor(),
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
	case choiceWeek:
		args.For = detector.Duration(7 * 24 * time.Hour)
	case choiceTomorrow:
		args.Until = tomorrow(now, t.zone)
	default:
		return false
	}
	return true
}

// answer says something to the person who pressed, and to nobody else, where they pressed: below a message, in the
// window, or on the home tab. Nothing to say is no job.
func (n *Notifier) answer(cb *slackapi.InteractionCallback, s string) job {
	switch {
	case s == "":
		return nil
	case cb.View.Type == slackapi.VTModal:
		return n.replaceView(cb.View.ID, plainView(words(n.spoken("").Say("drafts.title")), n.spoken(""), section(s)))
	case cb.View.Type == slackapi.VTHomeTab || cb.Channel.ID == "":
		return n.homeSaying(cb.User.ID, s)
	}
	return n.whisper(cb.Channel.ID, cb.Container.ThreadTs, cb.User.ID, s)
}

// whisper says something to one person in a channel.
func (n *Notifier) whisper(channel, thread, user, s string) job {
	return func(ctx context.Context) {
		_, err := n.api.PostEphemeralContext(ctx, channel, user,
			slackapi.MsgOptionText(clip(s, maxSection), false),
			slackapi.MsgOptionBlocks(section(s)),
			slackapi.MsgOptionTS(thread),
			slackapi.MsgOptionParse(false), slackapi.MsgOptionLinkNames(false))
		if err != nil {
			n.log.Warn("slack: could not answer a press", "error", harmless(err))
		}
	}
}
