package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/notifier"
)

// Finding is what one look at Slack has shown. A finding without Problem is good.
type Finding struct {
	Check   string // what was looked at
	Detail  string // what was seen
	Problem string
	Fix     string // how to repair it
	Warning bool   // alerts get out all the same
}

const (
	socketWithin  = 15 * time.Second
	clockWarning  = 30 * time.Second
	clockProblem  = 4 * time.Minute // signed requests are refused from five minutes on
	settingsTitle = "https://api.slack.com/apps"
)

// repairs say what to do about Slack's refusals on the way to the first message.
var repairs = map[string]string{
	"invalid_auth":            "copy the Bot User OAuth Token (xoxb-…) from OAuth & Permissions at " + settingsTitle + " into SLACK_BOT_TOKEN, or what slack.bot_token names",
	"not_authed":              "set slack.bot_token to env:NAME or file:PATH with the Bot User OAuth Token (xoxb-…)",
	"not_allowed_token_type":  "use the Bot User OAuth Token (xoxb-…) as slack.bot_token and an app-level token (xapp-…) as slack.app_token",
	"token_revoked":           "install the app again at " + settingsTitle + " (Install App), and copy the new token",
	"token_expired":           "turn token rotation off at " + settingsTitle + " (OAuth & Permissions), install the app again, and copy the new token",
	"account_inactive":        "the app was removed from the workspace: install it again at " + settingsTitle + ", and copy the new token",
	"missing_scope":           "add the scope under OAuth & Permissions at " + settingsTitle + ", and install the app again",
	"is_archived":             "unarchive the channel in Slack, or name another one in the configuration",
	"restricted_action":       "an administrator has restricted who may post in this channel: allow the app, or name another channel",
	"no_permission":           "an administrator of the workspace has to allow the app",
	"team_access_not_granted": "an administrator has to install the app in this workspace",
}

// socketRepairs say what to do where Slack opens no socket, and socketRepair where it does not say why.
var socketRepairs = map[string]string{
	"invalid_auth":           "copy the app-level token (xapp-…) from Basic Information, App-Level Tokens at " + settingsTitle + " into SLACK_APP_TOKEN, or what slack.app_token names",
	"missing_scope":          "make an app-level token with the scope connections:write at " + settingsTitle + " (Basic Information), and use it as slack.app_token",
	"not_allowed_token_type": "make an app-level token with the scope connections:write at " + settingsTitle + " (Basic Information), and use it as slack.app_token",
	"socket_mode_disabled":   "turn Socket Mode on at " + settingsTitle + " (Socket Mode)",
}

const socketRepair = "give the app-level token the scope connections:write, and turn Socket Mode on, both at " + settingsTitle + " (Basic Information; Socket Mode)"

// Examine looks at everything between us and the first message: the token, its scopes, the clock, each channel by a
// message that is edited and deleted again, the people and groups that are named, and the socket. It changes nothing that
// stays.
func (n *Notifier) Examine(ctx context.Context, channels, people []string) []Finding {
	found := n.examineToken(ctx)
	if found[0].Problem != "" {
		return found // nothing else can be asked without it
	}
	found = append(found, n.examined(ctx, channels)...)
	found = append(found, n.examinePeople(ctx, people)...)
	return append(found, n.examineReturn(ctx)...)
}

// examineToken asks who we are, and sees what we may and how our clock goes by the answer.
func (n *Notifier) examineToken(ctx context.Context) []Finding {
	f := Finding{Check: "slack: bot token"}
	switch t := n.cfg.BotToken; {
	case strings.HasPrefix(t, "xapp-"):
		f.Problem, f.Fix = "this is an app-level token (xapp-…)", repairs["invalid_auth"]
		return []Finding{f}
	case strings.HasPrefix(t, "xoxp-"):
		f.Problem, f.Fix = "this is the token of a person (xoxp-…)", repairs["invalid_auth"]
		return []Finding{f}
	}
	r, err := n.api.AuthTestContext(ctx)
	if err != nil {
		return []Finding{refused(f, beforePost(err))}
	}
	n.team.Store(&r.TeamID)
	f.Detail = fmt.Sprintf("team %s, bot %s", esc(r.Team, maxName), esc(r.User, maxName))
	return []Finding{f, scopesFound(r.Header), n.clockFound(r.Header)}
}

// refused says what Slack refused, or why it was not reached, and what to do about it.
func refused(f Finding, err error) Finding {
	code := reason(err)
	f.Problem = "Slack says " + code
	e, ok := errors.AsType[*notifier.DeliveryError](err)
	switch {
	case ok && e.Err != nil && (code == noName || e.Err.Error() == strings.ReplaceAll(code, "_", " ")):
		f.Problem = "Slack cannot be reached: " + e.Err.Error()
		f.Fix = "look at slack.api_url, DNS, the network and a proxy"
		return f
	case ok && e.Err != nil:
		f.Problem += ", " + e.Err.Error()
	}
	f.Fix = cmp.Or(repairs[code], "look at slack.api_url, the network and a proxy; a word of Slack's own is explained at https://api.slack.com/methods")
	return f
}

func scopesFound(h http.Header) Finding {
	f := Finding{Check: "slack: scopes"}
	granted := h.Get("X-OAuth-Scopes")
	if granted == "" {
		f.Detail = "Slack does not say which there are"
		return f
	}
	have := strings.Split(strings.ReplaceAll(granted, " ", ""), ",")
	lacking := missing(Scopes(), have)
	if lacking == nil {
		f.Detail = fmt.Sprintf("all %d", len(Scopes()))
		return f
	}
	f.Problem = "missing " + strings.Join(lacking, ", ")
	f.Fix = "add them under OAuth & Permissions at " + settingsTitle + " (emberwatch slack-manifest has them all), and install the app again"
	f.Warning = !slices.Contains(lacking, "chat:write")
	return f
}

// clockFound compares our clock with that of Slack's servers.
func (n *Notifier) clockFound(h http.Header) Finding {
	f := Finding{Check: "clock"}
	at, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		f.Detail = "Slack's answer has no time to compare with"
		return f
	}
	off := n.now().Sub(at).Round(time.Second)
	f.Detail = fmt.Sprintf("%s off Slack's", off.Abs())
	if off.Abs() > clockWarning {
		f.Problem, f.Fix = fmt.Sprintf("the clock of this machine is %s off", off.Abs()), "keep it right with NTP (timedatectl set-ntp true)"
		f.Warning = off.Abs() < clockProblem
	}
	return f
}

// examined looks at each channel.
func (n *Notifier) examined(ctx context.Context, channels []string) []Finding {
	var out []Finding
	all, err := n.everyChannel(ctx)
	for _, name := range channels {
		f := Finding{Check: "slack: channel " + name}
		if err != nil {
			out = append(out, refused(f, beforePost(err)))
			continue
		}
		i := slices.IndexFunc(all, func(c slackapi.Channel) bool { return c.ID == name || bare(c.Name) == bare(name) })
		switch {
		case i < 0:
			f.Problem = "there is no such channel, or it is private and the bot is not in it"
			f.Fix = "create it; if it is private, type /invite @emberwatch there"
		case all[i].IsArchived:
			f.Problem, f.Fix = "it is archived", repairs["is_archived"]
		case !all[i].IsMember && all[i].IsPrivate:
			f.Problem, f.Fix = "the bot is not in it", "type /invite @emberwatch there"
		default:
			f = n.examinePosting(ctx, f, all[i].ID)
		}
		out = append(out, f)
	}
	return out
}

// everyChannel lists the channels that the bot can see, archived ones too: only so they can be told from missing ones.
func (n *Notifier) everyChannel(ctx context.Context) ([]slackapi.Channel, error) {
	var all []slackapi.Channel
	q := slackapi.GetConversationsParameters{Types: []string{"public_channel", "private_channel"}, Limit: 1000}
	for {
		list, next, err := n.api.GetConversationsContext(ctx, &q)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if next == "" {
			return all, nil
		}
		q.Cursor = next
	}
}

// examinePosting posts, edits and deletes a message.
func (n *Notifier) examinePosting(ctx context.Context, f Finding, channel string) Finding {
	l := letter{channel: channel, text: "Emberwatch is being set up: this message is a test and goes again.", key: "doctor"}
	ref, err := n.deliver(ctx, l)
	if err != nil {
		if reason(err) == "not_in_channel" {
			f.Problem, f.Fix = "the bot is not in it", "type /invite @emberwatch there, or give it the scope channels:join"
			return f
		}
		return refused(f, err)
	}
	l.edits, l.key = ref.ID, ""
	if _, err = n.send(ctx, l); err != nil {
		f = refused(f, err)
	}
	if _, _, err := n.api.DeleteMessageContext(ctx, ref.Channel, ref.ID); err != nil && f.Problem == "" {
		f = refused(f, beforePost(err))
	}
	f.Detail = "posted, edited and deleted a message"
	return f
}

// examineReturn looks at the way back: how presses reach us.
func (n *Notifier) examineReturn(ctx context.Context) []Finding {
	f := Finding{Check: "slack: socket"}
	switch {
	case n.cfg.AppToken == "" && n.cfg.SigningSecret == "":
		f.Problem, f.Warning = "neither slack.app_token nor slack.signing_secret is set: buttons do nothing", true
		f.Fix = "make an app-level token with the scope connections:write at " + settingsTitle + " (Basic Information), and name it in slack.app_token"
		return []Finding{f}
	case n.cfg.AppToken == "":
		f.Detail = "presses come over HTTP: set Slack's request URLs to <http.public_url>/slack"
		return []Finding{f}
	case !strings.HasPrefix(n.cfg.AppToken, "xapp-"):
		f.Problem = "slack.app_token is no app-level token (xapp-…)"
		f.Fix = "make one with the scope connections:write at " + settingsTitle + " (Basic Information)"
		return []Finding{f}
	}
	return []Finding{n.examineSocket(ctx, f)}
}

// examineSocket opens a socket and waits for Slack's hello.
func (n *Notifier) examineSocket(ctx context.Context, f Finding) Finding {
	ctx, cancel := context.WithTimeout(ctx, socketWithin)
	defer cancel()
	_, url, err := n.api.StartSocketModeContext(ctx)
	if err != nil {
		err := beforePost(err)
		f = refused(f, err)
		f.Fix = cmp.Or(socketRepairs[reason(err)], socketRepair)
		return f
	}
	conn, resp, err := n.dialer().DialContext(ctx, url, nil)
	if resp != nil {
		resp.Body.Close()
	}
	if err != nil {
		f.Problem, f.Fix = "no socket: "+harmless(err).Error(), "let this machine open websockets (wss, port 443) to Slack; look at a proxy or firewall between"
		return f
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(socketWithin))
	var first struct {
		Type   string `json:"type"`
		Reason string `json:"reason"`
	}
	_, raw, err := conn.ReadMessage()
	switch {
	case err == nil && json.Unmarshal(raw, &first) == nil && first.Type == "hello":
		f.Detail = "Slack says hello"
	case first.Reason == "link_disabled":
		f.Problem, f.Fix = "Socket Mode is off", socketRepairs["socket_mode_disabled"]
	default:
		f.Problem, f.Fix = "the socket opened, and Slack did not say hello", "try again; look at a proxy between, which has to let websockets through"
	}
	return f
}
