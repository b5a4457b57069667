package main

import (
	"strings"
	"testing"

	"emberwatch/notifier/notifiertest"
	"emberwatch/rules"
)

// TestDoctorLooksAtEveryChannelAndName: those of routes, of the rooms that routes fall back on, and who may act.
func TestDoctorLooksAtEveryChannelAndName(t *testing.T) {
	fake := notifiertest.NewSlack()
	defer fake.Close()
	cfg := Default()
	cfg.Slack.BotToken.value, cfg.Slack.AppToken.value, cfg.Slack.APIURL = notifiertest.BotToken, notifiertest.AppToken, fake.URL()
	cfg.Slack.Channel = "#pr-alerts"
	cfg.Slack.Allow.Act = []string{"pr-team", "#pr-alerts"}
	cfg.Notifiers = []NotifierConfig{{Type: "slack", Name: "backup", Channel: "#pr-backup"}}
	set := &rules.Set{Routes: map[string]*rules.Route{"lead": {ID: "lead", Slack: rules.Slack{User: "@ingrid", Channel: "#leads", Mention: "@here"}}}}
	var problems []string
	for _, f := range examineSlack(t.Context(), cfg, set) {
		if f.Problem != "" {
			problems = append(problems, f.Check)
		}
	}
	if got := strings.Join(problems, ", "); got != "slack: channel #leads, slack: channel #pr-backup, slack: @ingrid, slack: pr-team" {
		t.Error(got)
	}
	for _, v := range fake.Violations() {
		t.Error(v)
	}
}
