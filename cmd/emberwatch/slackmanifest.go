package main

import (
	"emberwatch/notifier/slack"

	"github.com/urfave/cli/v2"
)

func (a *app) slackManifestCommand() *cli.Command {
	return &cli.Command{
		Name: "slack-manifest", Usage: "print the manifest of the Slack app",
		Description: "Paste it at https://api.slack.com/apps under \"Create New App\", \"From a manifest\".",
		Action: func(*cli.Context) error {
			_, err := a.stdout.Write(slack.Manifest())
			return err
		},
	}
}
