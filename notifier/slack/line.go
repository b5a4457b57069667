package slack

import (
	"strings"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
)

// line is one line of the thread: a sentence, and what can be pressed about it.
func (p *page) line() []slackapi.Block {
	blocks := []slackapi.Block{section(p.lineText())}
	if b := p.lineButtons(); b != nil && p.pressable() {
		blocks = append(blocks, slackapi.NewActionBlock("", b...))
	}
	return blocks
}

// lineText says the one thing that is new.
func (p *page) lineText() string {
	return lead(p.mentions, join(p.news(), p.note()))
}

// note is the alert's own sentence, where news has not said the same already.
func (p *page) note() string {
	switch p.Alert.Reason {
	case detector.ReasonNewSource, detector.ReasonReminder:
		return ""
	}
	return sentence(p.v.note(&p.Alert))
}

// news is the sentence for the alert's reason.
func (p *page) news() string {
	i := &p.Incident
	switch p.Alert.Reason {
	case detector.ReasonWorse:
		s := p.v.Say("line.worse", "icon", icon(i.Severity), "state", p.v.state(i.Severity))
		if p.owner != "" && !strings.Contains(p.mentions, p.owner) {
			s = p.owner + " " + s
		}
		return join(s, sentence(p.summary()))
	case detector.ReasonNewSource:
		return p.v.Say("line.source", "to", p.newest())
	case detector.ReasonEscalated:
		return p.v.Say("line.escalated", "thing", p.v.thing(i.Severity), "span", p.v.ago(i.LadderFrom, p.Now))
	case detector.ReasonReminder:
		return join(p.v.Say("line.reminder", "span", p.v.lasted(i.OpenedAt, p.Now)), sentence(p.summary()))
	case detector.ReasonLeaseEnded:
		return p.leaseEnded()
	case detector.ReasonSnoozeOver:
		return join(p.v.Say("line.snooze", "who", p.who(), "state", p.v.state(i.Severity)), sentence(p.summary()))
	case detector.ReasonCalm, detector.ReasonResolved:
		return p.over()
	case detector.ReasonReopened:
		return join(p.v.Say("line.reopened", "times", p.times(), "state", p.v.state(i.Severity)), sentence(p.summary()))
	}
	if p.Alert.Note != "" {
		return ""
	}
	return p.sentence()
}

// newest names the source that is new: the alert's, else the last that was told.
func (p *page) newest() string {
	name := p.Alert.Note
	if s := p.Incident.NewSources; name == "" && len(s) > 0 {
		name = s[len(s)-1]
	}
	if name == "" {
		return ""
	}
	return p.v.Say("line.source.to", "place", esc(name, maxName))
}

// who names the owner so that they hear it, if Slack knows them.
func (p *page) who() string {
	if p.owner != "" {
		return p.owner
	}
	return p.v.person(p.Incident.Owner)
}

// leaseEnded asks the owner first, and tells everybody once there was no answer.
func (p *page) leaseEnded() string {
	i := &p.Incident
	if i.Handling == detector.Acked {
		return p.v.Say("line.lease.asked", "who", p.who())
	}
	return join(p.v.Say("line.lease.ended"), sentence(p.summary()))
}

// over says that it has ended, or asks whether it has.
func (p *page) over() string {
	i := &p.Incident
	if !i.Open() {
		return p.v.Say("line.closed", "how", title(p.v.closing(i)))
	}
	since := ""
	if !i.CalmSince.IsZero() {
		since = p.v.Say("line.calm.since", "when", when(i.CalmSince))
	}
	ask := p.v.Say("line.calm.ask")
	if i.Handling == detector.Acked {
		ask = p.who() + ", " + ask
	}
	return p.v.Say("line.calm", "since", since, "ask", title(ask))
}

func (p *page) times() string {
	if n := len(p.Incident.Reopened); n > 1 {
		return p.v.Say("line.reopened.times", "nth", p.v.Ordinal(n))
	}
	return ""
}

// lineButtons are what can be pressed without scrolling up to the root.
func (p *page) lineButtons() []slackapi.BlockElement {
	i := &p.Incident
	if !i.Open() {
		return nil
	}
	switch p.Alert.Reason {
	case detector.ReasonLeaseEnded:
		if i.Handling == detector.Acked {
			return []slackapi.BlockElement{
				p.button(actAck, p.v.Say("do.still")).WithStyle(slackapi.StylePrimary),
				p.button(actResolve, p.v.Say("do.resolve")), p.button(actUnack, p.v.Say("do.unack")),
			}
		}
	case detector.ReasonCalm:
		return []slackapi.BlockElement{p.button(actResolve, p.v.Say("do.close")), p.button(actAck, p.v.Say("do.keep"))}
	case detector.ReasonWorse, detector.ReasonEscalated, detector.ReasonReminder, detector.ReasonSnoozeOver, detector.ReasonReopened:
	default:
		return nil
	}
	if i.Handling == detector.Acked {
		return nil
	}
	return []slackapi.BlockElement{p.button(actAck, p.v.Say("do.ack")).WithStyle(slackapi.StylePrimary)}
}

// sentence makes a sentence of a clause.
func sentence(clause string) string {
	if clause == "" || strings.HasSuffix(clause, ".") || strings.HasSuffix(clause, "!") || strings.HasSuffix(clause, "?") {
		return title(clause)
	}
	return title(clause) + "."
}

// join puts what is there side by side.
func join(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, " ")
}
