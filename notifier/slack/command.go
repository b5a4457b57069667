package slack

import (
	"context"
	"fmt"
	"strings"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
)

const maxListed = 10

// command answers /emberwatch with what is open, seen by the person who asked alone. The answer travels in the
// acknowledgement.
func (n *Notifier) command(ctx context.Context, c *slackapi.SlashCommand) any {
	if c.TeamID != n.teamID() {
		return spoken("Only members of this workspace can ask me.")
	}
	if n.cfg.Reader == nil {
		return spoken("I cannot look anything up here.")
	}
	ctx, cancel := context.WithTimeout(ctx, commitWithin)
	defer cancel()
	open, err := n.cfg.Reader.Incidents(ctx, detector.IncidentFilter{State: "open", Limit: maxListed + 1})
	if err != nil {
		n.log.Warn("slack: command", "error", err)
		return spoken("I could not look that up. Please try again in a moment.")
	}
	if len(open) == 0 {
		return spoken("Nothing is open.")
	}
	return spoken(overview(open))
}

// gist is how much of a sentence a list shows: ten of them and their owners fit into one section.
const gist = 120

func overview(open []detector.Incident) string {
	var b strings.Builder
	for i := range open[:min(maxListed, len(open))] {
		in := &open[i]
		fmt.Fprintf(&b, "%s *%s* %s – %s %s\n", icon(in.Severity), title(in.Severity.String()),
			esc(in.ID, maxName), esc(in.Sentence, gist), handling(in))
	}
	if len(open) > maxListed {
		b.WriteString("… and more on the page.")
	}
	return b.String()
}

// spoken is an answer that only the person sees. Slack drops an acknowledgement of 20 kB without a word, so the
// words stand in it once, and the text for screen readers is short.
func spoken(s string) any {
	head, _, _ := strings.Cut(s, "\n")
	return map[string]any{"response_type": "ephemeral", "text": head, "blocks": []slackapi.Block{section(s)}}
}
