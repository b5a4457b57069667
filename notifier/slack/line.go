package slack

import (
	"fmt"
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
	return sentence(esc(p.Alert.Note, maxBlurb))
}

// news is the sentence for the alert's reason.
func (p *page) news() string {
	i := &p.Incident
	switch p.Alert.Reason {
	case detector.ReasonWorse:
		s := fmt.Sprintf("%s *It is getting worse:* now %s.", icon(i.Severity), state(i.Severity))
		if p.owner != "" && !strings.Contains(p.mentions, p.owner) {
			s = p.owner + " " + s
		}
		return join(s, sentence(p.summary()))
	case detector.ReasonNewSource:
		return "📡 *It has spread" + p.newest() + ".*"
	case detector.ReasonEscalated:
		return fmt.Sprintf("🔔 *Nobody has acknowledged this %s for %s.* Please take it.", thing(i.Severity), ago(i.LadderFrom, p.Now))
	case detector.ReasonReminder:
		return join(fmt.Sprintf("🔔 *Still nobody is on it*, %s after it was opened.", ago(i.OpenedAt, p.Now)), sentence(p.summary()))
	case detector.ReasonLeaseEnded:
		return p.leaseEnded()
	case detector.ReasonSnoozeOver:
		return join(fmt.Sprintf("💤 *The snooze by %s has ended* and it is still %s.", p.who(), state(i.Severity)), sentence(p.summary()))
	case detector.ReasonCalm, detector.ReasonResolved:
		return p.over()
	case detector.ReasonReopened:
		return join(fmt.Sprintf("↩️ *Reopened%s:* it is %s again.", p.times(), state(i.Severity)), sentence(p.summary()))
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
	return " to " + esc(name, maxName)
}

// who names the owner so that they hear it, if Slack knows them.
func (p *page) who() string {
	if p.owner != "" {
		return p.owner
	}
	return person(p.Incident.Owner)
}

// leaseEnded asks the owner first, and tells everybody once there was no answer.
func (p *page) leaseEnded() string {
	i := &p.Incident
	if i.Handling == detector.Acked {
		return fmt.Sprintf("⏳ %s, *your acknowledgement has ended.* Are you still on it?", p.who())
	}
	return join("⏳ *The acknowledgement has ended* and nobody is on it.", sentence(p.summary()))
}

// over says that it has ended, or asks whether it has.
func (p *page) over() string {
	i := &p.Incident
	if !i.Open() {
		return "✅ *" + title(closing(i)) + ".*"
	}
	since := ""
	if !i.CalmSince.IsZero() {
		since = " since " + when(i.CalmSince)
	}
	who := ""
	if i.Handling == detector.Acked {
		who = p.who() + ", "
	}
	return fmt.Sprintf("🌤 *It has been calm%s.* %sclose it?", since, who)
}

func (p *page) times() string {
	if n := len(p.Incident.Reopened); n > 1 {
		return fmt.Sprintf(" for the %s time in 6 h", ordinal(n))
	}
	return ""
}

func ordinal(n int) string {
	switch {
	case n%100 >= 11 && n%100 <= 13:
		return fmt.Sprintf("%dth", n)
	case n%10 == 1:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3:
		return fmt.Sprintf("%drd", n)
	}
	return fmt.Sprintf("%dth", n)
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
				p.button(actAck, "Still on it").WithStyle(slackapi.StylePrimary),
				p.button(actResolve, "Resolve"), p.button(actUnack, "Hand back"),
			}
		}
	case detector.ReasonCalm:
		return []slackapi.BlockElement{p.button(actResolve, "Close it"), p.button(actAck, "Keep it open")}
	case detector.ReasonWorse, detector.ReasonEscalated, detector.ReasonReminder, detector.ReasonSnoozeOver, detector.ReasonReopened:
	default:
		return nil
	}
	if i.Handling == detector.Acked {
		return nil
	}
	return []slackapi.BlockElement{p.button(actAck, "Acknowledge").WithStyle(slackapi.StylePrimary)}
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
