package main

import (
	"strings"
	"testing"
)

// Without a file a token stands in a variable, and that is what a problem names.
func TestProblemsNameTheVariable(t *testing.T) {
	t.Setenv("SLACK_BOT_TOKEN", "xapp-1")
	c := Default()
	c.fromEnvironment()
	errs := c.Validate()
	if !errs.Refused() || !strings.Contains(errs.Error(), "config: slack.bot_token (the variable SLACK_BOT_TOKEN): this is an app token") {
		t.Errorf("got %s", errs)
	}
}
