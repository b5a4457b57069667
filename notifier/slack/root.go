package slack

import (
	"fmt"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// page is a message being put in words.
type page struct {
	*notifier.Message
	v        voice
	zone     *time.Location
	mentions string // control sequences, from the configuration alone
	owner    string // the owner's control sequence, where they must hear it
	drafts   bool   // drafts can be asked for
	answers  string // the language of what follows a press; empty: that of the default route
}

// root is the incident's message. What somebody has to know and can do comes before what they may want to read: a phone
// shows little more than the first blocks.
func (p *page) root() []slackapi.Block {
	blocks := []slackapi.Block{p.header(), section(p.lead()), section(p.standing())}
	if p.calm() || !p.Incident.Open() {
		blocks[1], blocks[2] = blocks[2], blocks[1] // what the sentence says is past
	}
	if p.Alert.Reason == detector.ReasonDeliveryFailed {
		blocks = append(blocks, remark("⚠️ "+sentence(p.v.note(&p.Alert))))
	}
	if f := p.figures(); f != "" {
		blocks = append(blocks, section(f))
	}
	if why := p.gravity(); why != "" {
		blocks = append(blocks, remark(why))
	}
	if a := p.actions(); a != nil {
		blocks = append(blocks, a)
	}
	if p.Incident.Open() {
		if len(p.Topics) > 0 {
			blocks = append(blocks, remark(p.v.Say("root.words", "words", notifier.TopicWords(p.v.Language, p.Topics, p.v.quoted))))
		}
		if q := p.v.quotes(p.shown(), p.Now); q != nil {
			blocks = append(blocks, q)
		}
	}
	return append(blocks, remark(strings.Join(p.background(), " · ")))
}

// rootText is what the root says without blocks: to a screen reader, and where Slack refuses the blocks.
func (p *page) rootText() string {
	s := fmt.Sprintf("%s %s: %s – %s", p.icon(), p.severity(), esc(p.brand(), maxName), p.sentence())
	return lead(p.mentions, join(s, p.standing()))
}

// quoted makes a few foreign words stand apart from ours.
func (v voice) quoted(s string) string { return v.Quote(esc(s, maxName)) }

func (p *page) header() slackapi.Block {
	s := p.icon() + " " + p.severity() + " · " + plain(p.brand(), maxName)
	if name := notifier.Title(p.v.Language, &p.Incident); name != "" {
		s += " · " + plain(name, maxHeader-units(s)-len(" . "))
	}
	return slackapi.NewHeaderBlock(slackapi.NewTextBlockObject(slackapi.PlainTextType, s, false, false))
}

func (p *page) icon() string {
	if !p.Incident.Open() {
		return "✅"
	}
	return icon(p.Incident.Severity)
}

// severity is the word for how grave it is; a closed incident is just that.
func (p *page) severity() string {
	if !p.Incident.Open() {
		return title(p.v.Say("severity.closed"))
	}
	return title(p.v.severity(p.Incident.Severity))
}

func (p *page) brand() string {
	switch {
	case p.Brand == nil:
		return p.Incident.Brand
	case len(p.Brand.Names) > 0:
		return p.Brand.Names[0]
	}
	return p.Brand.ID
}

func (p *page) lead() string { return lead(p.mentions, p.sentence()) }

func lead(mentions, s string) string {
	if mentions == "" {
		return s
	}
	return mentions + " " + s
}

func (p *page) sentence() string {
	return clip(notifier.Sentence(p.v.Language, &p.Incident, p.Zone, func(s string) string { return esc(s, maxBlurb) }), 2*maxBlurb)
}

// notice is a message about no incident: all it says is in its note.
func (p *page) notice() string {
	s := p.v.note(&p.Alert)
	if s == "" {
		s = "Emberwatch: " + p.v.Say("line."+string(p.Alert.Reason))
	}
	return lead(p.mentions, s)
}

// standing says who is on it, and what happens if nobody is; before that, that it is over in the data, if it is.
func (p *page) standing() string {
	i := &p.Incident
	s := p.v.handling(i)
	if i.Handling == detector.New {
		switch {
		case p.Next == nil:
		case p.Next.To == "":
			s += p.v.Say("handling.again", "when", when(p.Next.At))
		default:
			s += p.v.Say("handling.next", "when", when(p.Next.At), "whom", esc(p.Next.To, maxName))
		}
		if p.OnDuty != "" {
			s = join(sentence(s), p.v.Say("root.duty", "who", esc(p.OnDuty, maxName)))
		}
	}
	if p.calm() {
		s = p.v.Say("root.calm", "when", when(i.CalmSince)) + " " + s
	}
	return s
}

// calm reports whether an open incident is over in the data.
func (p *page) calm() bool {
	i := &p.Incident
	return i.Open() && i.Level == rules.Calm && !i.CalmSince.IsZero()
}

func (p *page) background() []string {
	parts := []string{p.origin()}
	if p.Private > 0 && p.Incident.Open() {
		parts = append(parts, p.v.Count("root.private", p.Private))
	}
	if u := webURL(p.Link); u != "" {
		parts = append(parts, "<"+strings.ReplaceAll(u, "&", "&amp;")+"|"+p.v.Say("root.details")+">")
	}
	return parts
}

// gravity says why it is as grave as the header says, and of a closed incident how grave it was; nothing where the header
// has said all.
func (p *page) gravity() string {
	i := &p.Incident
	s := fmt.Sprintf("%s *%s*", icon(i.Severity), title(p.v.severity(i.Severity)))
	switch {
	case i.SeverityWhy != "":
		return s + ": " + p.v.tell(i.SeverityWhy, i.SeveritySaid)
	case i.Open():
		return ""
	}
	return s
}

// origin says where the incident comes from: its number, its rule, how sure the rule is.
func (p *page) origin() string {
	i := &p.Incident
	s := esc(i.ID, maxName) + " · " + p.v.Say("root.rule", "rule", esc(i.Rule, maxName))
	if b := i.Evidence.Budget; b != nil && b.Weeks > 0 {
		s += " · " + p.v.Say("root.budget", "allowed", p.v.Number(b.PerWeek*30/7), "told", p.v.Number(b.Realised*30/7))
	}
	if how := p.v.Learning(&i.Evidence, func(s string) string { return esc(s, maxName) }); how != "" {
		s += " · " + p.v.Say("root.learning", "how", how)
	}
	if i.Previous != "" {
		s += " · " + p.v.Say("root.previous", "id", esc(i.Previous, maxName))
	}
	return s
}

// remark is a small paragraph.
func remark(s string) slackapi.Block {
	return slackapi.NewContextBlock("", mrkdwn(s, maxField))
}

// section is a paragraph of mrkdwn.
func section(s string) slackapi.Block {
	return slackapi.NewSectionBlock(mrkdwn(s, maxSection), nil, nil)
}

// mrkdwn is a text object in which Slack makes no links or mentions by itself.
func mrkdwn(s string, most int) *slackapi.TextBlockObject {
	return slackapi.NewTextBlockObject(slackapi.MarkdownType, clip(s, most), false, true)
}
