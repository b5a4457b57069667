package slack_test

import (
	"strings"
	"testing"
	"time"

	"emberwatch/notifier/notifiertest"
	"emberwatch/notifier/slack"
)

// ills returns the findings that are none of the good ones, as "check: problem -> fix".
func ills(fs []slack.Finding) string {
	var out []string
	for _, f := range fs {
		if f.Problem != "" {
			out = append(out, f.Check+": "+f.Problem+" -> "+f.Fix)
		}
	}
	return strings.Join(out, "\n")
}

func TestAHealthyWorkspaceIsFoundSo(t *testing.T) {
	s, n := workspace(t, func(cfg *slack.Config) {
		cfg.AppToken, cfg.Responder, cfg.Now = notifiertest.AppToken, &desk{}, time.Now
	})
	s.AddChannel(notifiertest.Channel{ID: "C0OPEN", Name: "open"})
	fs := n.Examine(t.Context(), []string{"#pr-alerts", "C0OPEN"}, []string{"@Ingrid B.", "boris", "@pr-oncall", "@here", "U0BORIS", "#open", ""})
	if got := ills(fs); got != "" || len(fs) != 7 {
		t.Errorf("%d findings: %s", len(fs), got)
	}
	if len(s.Messages("#pr-alerts")) != 0 || s.Calls("chat.update") != 2 {
		t.Error("the test message stays, or was never edited")
	}
	clean(t, s)
}

// TestWhatStandsBetweenANewTeamAndItsFirstMessage: every failure on the way is named, with its repair.
func TestWhatStandsBetweenANewTeamAndItsFirstMessage(t *testing.T) {
	now := func(cfg *slack.Config) {
		cfg.AppToken, cfg.Responder, cfg.Now = notifiertest.AppToken, &desk{}, time.Now
	}
	for what, c := range map[string]struct {
		config  func(*slack.Config)
		slack   func(*notifiertest.Slack)
		channel string
		person  string
		problem string
		fix     string
	}{
		"an app token as bot token": {config: func(c *slack.Config) { c.BotToken = "xapp-canary" }, problem: "app-level token", fix: "xoxb-"},
		"a person's token":          {config: func(c *slack.Config) { c.BotToken = "xoxp-canary" }, problem: "token of a person", fix: "xoxb-"},
		"a wrong bot token":         {config: func(c *slack.Config) { c.BotToken = "xoxb-canary-wrong" }, problem: "invalid_auth", fix: "OAuth & Permissions"},
		"a bot token as app token":  {config: func(c *slack.Config) { c.AppToken = "xoxb-canary" }, problem: "no app-level token", fix: "connections:write"},
		"a wrong app token":         {config: func(c *slack.Config) { c.AppToken = "xapp-canary-wrong" }, problem: "invalid_auth", fix: "SLACK_APP_TOKEN"},
		"an app token without its scope": {slack: func(s *notifiertest.Slack) {
			s.Fail("apps.connections.open", notifiertest.Refuse("missing_scope"))
		}, problem: "missing_scope", fix: "with the scope connections:write"},
		"Socket Mode that is off": {slack: func(s *notifiertest.Slack) { s.TurnOff(true) }, problem: "Socket Mode is off", fix: "turn Socket Mode on"},
		"an api_url that is none": {slack: func(s *notifiertest.Slack) {
			s.Fail("auth.test", notifiertest.Fault{Status: 404}, notifiertest.Fault{Status: 404})
		}, problem: "http_404", fix: "slack.api_url"},
		"a revoked token": {slack: func(s *notifiertest.Slack) { s.Fail("auth.test", notifiertest.Refuse("token_revoked")) }, problem: "token_revoked", fix: "install the app again"},
		"no leave to list channels": {slack: func(s *notifiertest.Slack) {
			s.Fail("conversations.list", notifiertest.Refuse("missing_scope"))
		}, problem: "channel #pr-alerts: Slack says missing_scope", fix: "add the scope"},
		"no leave to post": {slack: func(s *notifiertest.Slack) { s.Fail("chat.postMessage", notifiertest.Refuse("missing_scope")) }, problem: "channel #pr-alerts: Slack says missing_scope", fix: "add the scope"},
		"no way back":      {config: func(c *slack.Config) { c.AppToken = "" }, problem: "buttons do nothing", fix: "slack.app_token"},
		"no Socket Mode": {slack: func(s *notifiertest.Slack) {
			s.Fail("apps.connections.open", notifiertest.Refuse("socket_mode_disabled"))
		}, problem: "socket_mode_disabled", fix: "turn Socket Mode on"},
		"a removed app":               {slack: func(s *notifiertest.Slack) { s.Fail("auth.test", notifiertest.Refuse("account_inactive")) }, problem: "account_inactive", fix: "install it again"},
		"missing scopes":              {slack: func(s *notifiertest.Slack) { s.Grant("chat:write", "channels:read", "groups:read") }, problem: "missing commands, channels:history", fix: "install the app again"},
		"a channel that is not there": {channel: "#nowhere", problem: "no such channel", fix: "/invite @emberwatch"},
		"an archived channel":         {channel: "#old", problem: "archived", fix: "unarchive"},
		"a private channel":           {channel: "#secret", problem: "no such channel, or it is private", fix: "/invite @emberwatch"},
		"a channel that cannot be joined": {
			channel: "#open", slack: func(s *notifiertest.Slack) { s.Fail("conversations.join", notifiertest.Refuse("restricted_action")) },
			problem: "the bot is not in it", fix: "/invite @emberwatch",
		},
		"nobody of that name": {person: "@ingird", problem: "slack: @ingird: no person and no user group", fix: "behind the @"},
		"groups that cannot be asked for": {person: "@pr-nobody", slack: func(s *notifiertest.Slack) {
			s.Fail("usergroups.list", notifiertest.Refuse("missing_scope"))
		}, problem: "the user groups cannot be asked for", fix: "usergroups:read"},
		"people that cannot be asked for": {person: "@ingrid", slack: func(s *notifiertest.Slack) {
			s.Fail("users.list", notifiertest.Refuse("missing_scope"))
		}, problem: "people and groups: Slack says missing_scope", fix: "add the scope"},
		"a restricted channel": {slack: func(s *notifiertest.Slack) { s.Fail("chat.postMessage", notifiertest.Refuse("restricted_action")) }, problem: "restricted_action", fix: "administrator"},
		"Slack cannot be reached": {slack: func(s *notifiertest.Slack) {
			s.Fail("auth.test", notifiertest.Fault{Drop: true}, notifiertest.Fault{Drop: true})
		}, problem: "Slack cannot be reached: connection lost", fix: "slack.api_url"},
		"a name that leads nowhere": {
			config:  func(c *slack.Config) { c.APIURL = "http://slack.invalid/" },
			problem: "Slack cannot be reached: the name slack.invalid cannot be resolved; look at DNS", fix: "look at slack.api_url, DNS, the network and a proxy",
		},
		"a clock that is off": {config: func(c *slack.Config) { c.Now = func() time.Time { return time.Now().Add(7 * time.Minute) } }, problem: "7m", fix: "NTP"},
	} {
		t.Run(what, func(t *testing.T) {
			s, n := workspace(t, func(cfg *slack.Config) {
				now(cfg)
				if c.config != nil {
					c.config(cfg)
				}
			})
			s.AddChannel(notifiertest.Channel{ID: "C0OLD", Name: "old", Archived: true, Member: true})
			s.AddChannel(notifiertest.Channel{ID: "C0SECRET", Name: "secret", Private: true})
			s.AddChannel(notifiertest.Channel{ID: "C0OPEN", Name: "open"})
			if c.slack != nil {
				c.slack(s)
			}
			if c.channel == "" {
				c.channel = "#pr-alerts"
			}
			got := ills(n.Examine(t.Context(), []string{c.channel}, []string{c.person}))
			if !strings.Contains(got, c.problem) || !strings.Contains(got, c.fix) {
				t.Errorf("%s\nwant %q and %q", got, c.problem, c.fix)
			}
			if strings.Contains(got, "canary") || strings.Contains(got, s.URL()) {
				t.Errorf("a secret is told: %s", got)
			}
		})
	}
}
