package slack_test

import (
	"slices"
	"testing"

	slackapi "github.com/slack-go/slack"
	"go.yaml.in/yaml/v4"

	"emberwatch/notifier/slack"
)

func TestManifestIsWhatSlackReads(t *testing.T) {
	var m slackapi.Manifest
	if err := yaml.Unmarshal(slack.Manifest(), &m); err != nil {
		t.Fatal(err)
	}
	if got := m.OAuthConfig.Scopes.Bot; !slices.Equal(got, slack.Scopes()) {
		t.Errorf("the manifest asks for %v, the program needs %v", got, slack.Scopes())
	}
	if !m.Settings.SocketModeEnabled || m.Settings.Interactivity == nil || !m.Settings.Interactivity.IsEnabled {
		t.Error("without Socket Mode and interactivity no button works")
	}
	if len(m.Features.SlashCommands) != 1 || m.Features.SlashCommands[0].Command != "/emberwatch" {
		t.Errorf("commands: %+v", m.Features.SlashCommands)
	}
}
