package slack

import (
	"context"
	"slices"
	"strings"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

const (
	maxListed = 10
	readMost  = 200 // open incidents that are looked through
)

// command answers /emberwatch, seen by the person who asked alone. The answer travels in the acknowledgement.
func (n *Notifier) command(ctx context.Context, c *slackapi.SlashCommand) reaction {
	v := n.spoken("")
	if c.TeamID != n.teamID() || c.TeamID == "" || !n.ourApp(c.APIAppID) {
		return reaction{payload: spoken(v.Say("command.elsewhere"))}
	}
	ctx, cancel := context.WithTimeout(ctx, commitWithin)
	defer cancel()
	args := strings.Fields(unescape(c.Text))
	word := "status"
	if len(args) > 0 {
		word, args = strings.ToLower(args[0]), args[1:]
	}
	switch word {
	case "status":
		return n.listing(ctx, v, v.Say("command.calm"), func(*detector.Incident) bool { return true })
	case "mine":
		r := n.listing(ctx, v, v.Say("command.mine.none"), func(i *detector.Incident) bool {
			return bare(i.Owner) == bare(c.UserName) || n.owns(i.Owner, c.UserID)
		})
		r.then = n.lookUpPeople // for the next time
		return r
	case "brand":
		name := strings.Join(args, " ")
		id := n.brandID(name)
		return n.listing(ctx, v, v.Say("command.brand.none", "brand", esc(name, maxName)), func(i *detector.Incident) bool { return i.Brand == id })
	case "ack", "snooze":
		return n.told(ctx, v, c, word, args)
	case "help":
		return reaction{payload: spoken(n.help(v))}
	}
	return reaction{payload: spoken(v.Say("command.unknown", "word", esc(word, maxName)) + "\n" + n.help(v))}
}

func (n *Notifier) help(v voice) string { return v.Say("command.help", "cmd", "`/emberwatch`") }

// unescape takes back what Slack escapes in the text of a command.
func unescape(s string) string {
	return strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&").Replace(s)
}

// brandID is the id of a brand that somebody named by its id or one of its names.
func (n *Notifier) brandID(name string) string {
	for id, b := range n.ruleSet().Brands {
		if slices.ContainsFunc(append([]string{id}, b.Names...), func(s string) bool { return strings.EqualFold(s, name) }) {
			return id
		}
	}
	return strings.ToLower(strings.ReplaceAll(name, " ", "-"))
}

// brandName is what people call a brand; one that no rule file names is called by its id.
func (n *Notifier) brandName(id string) string {
	if b, ok := n.ruleSet().Brand(id); ok && b != nil {
		return notifier.BrandName(b)
	}
	return id
}

// ruleSet is the rules in force, empty if there are none.
func (n *Notifier) ruleSet() *rules.Set {
	if n.cfg.Rules == nil {
		return &rules.Set{}
	}
	return n.cfg.Rules()
}

// listing lists open incidents, the gravest first.
func (n *Notifier) listing(ctx context.Context, v voice, none string, wanted func(*detector.Incident) bool) reaction {
	if n.cfg.Reader == nil {
		return reaction{payload: spoken(v.Say("command.blind"))}
	}
	open, err := n.cfg.Reader.Incidents(ctx, detector.IncidentFilter{State: "open", Limit: readMost})
	if err != nil {
		n.log.Warn("slack: command", "error", err)
		return reaction{payload: spoken(v.Say("command.failed"))}
	}
	open = slices.DeleteFunc(open, func(i detector.Incident) bool { return !wanted(&i) })
	if len(open) == 0 {
		return reaction{payload: spoken(none)}
	}
	byGravity(open)
	return reaction{payload: spoken(n.overview(v, open))}
}

// gist is how much of a sentence a list shows: ten of them and their owners fit into one section.
const gist = 120

func (n *Notifier) overview(v voice, open []detector.Incident) string {
	var b strings.Builder
	for i := range open[:min(maxListed, len(open))] {
		in := &open[i]
		s := notifier.Sentence(v.Language, in, n.cfg.Zone, func(s string) string { return esc(s, gist) })
		b.WriteString(v.entry(in, clip(s, 2*gist)) + "\n")
	}
	if len(open) > maxListed {
		b.WriteString(v.Say("command.more"))
	}
	return b.String()
}

// entry is an incident in a list.
func (v voice) entry(i *detector.Incident, sentence string) string {
	return icon(i.Severity) + " *" + title(v.severity(i.Severity)) + "* " + esc(i.ID, maxName) + " – " + sentence + " " + v.handling(i)
}

// told carries out "ack ID [2h]" and "snooze ID 2h".
func (n *Notifier) told(ctx context.Context, v voice, c *slackapi.SlashCommand, word string, args []string) reaction {
	example := map[string]string{"ack": "`/emberwatch ack fjellbryg-3 2h`", "snooze": "`/emberwatch snooze fjellbryg-3 2h`"}[word]
	if len(args) == 0 || len(args) > 2 || n.cfg.Responder == nil {
		return reaction{payload: spoken(v.Say("command.which", "example", example))}
	}
	who := clicker{c.UserID, c.UserName, c.ChannelID}
	e := detector.Event{ID: c.TriggerID + c.UserID + word, Incident: args[0], Op: detector.Operation(word), Actor: who.actor()}
	if len(args) == 2 {
		d, err := detector.ParseDuration(args[1])
		if err != nil {
			return reaction{payload: spoken(v.Say("command.length", "word", esc(args[1], maxName)))}
		}
		e.Args.For = detector.Duration(d)
	}
	done, said, lost := n.carry(ctx, v, who, e)
	if done != nil {
		said = v.Say("told.done", "id", esc(args[0], maxName), "how", n.stands(ctx, v, args[0]))
	}
	if done != nil && e.Op == detector.OpSnooze {
		said = join(said, n.preview(ctx, v, done))
	}
	return reaction{payload: spoken(said), lost: lost}
}

// stands says how an incident stands now.
func (n *Notifier) stands(ctx context.Context, v voice, incident string) string {
	if n.cfg.Reader != nil {
		if i, err := n.cfg.Reader.Incident(ctx, incident); err == nil {
			return v.handling(&i)
		}
	}
	return "✅"
}

// spoken is an answer that only the person sees. Slack drops an acknowledgement of 20 kB without a word, so the
// words stand in it once, and the text for screen readers is short.
func spoken(s string) any {
	head, _, _ := strings.Cut(s, "\n")
	return map[string]any{"response_type": "ephemeral", "text": head, "blocks": []slackapi.Block{section(s)}}
}
