package slack

import (
	"context"
	"slices"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/rules"
)

// hushed are the reasons for which a snoozed incident is not told.
var hushed = []detector.NotifyReason{detector.ReasonReminder, detector.ReasonEscalated, detector.ReasonNewSource}

// previewed tells whoever has snoozed an incident what the snooze will hide.
func (n *Notifier) previewed(cb *slackapi.InteractionCallback, v voice, i detector.Incident) job {
	return func(ctx context.Context) { n.answer(cb, n.preview(ctx, v, &i))(ctx) }
}

// preview says until when a snooze lasts, what it hides, by what it would have hidden in as long a time before, and what
// ends it.
func (n *Notifier) preview(ctx context.Context, v voice, i *detector.Incident) string {
	p := page{Message: n.alone(i), v: v, zone: time.UTC}
	until := v.Say("snooze.worse", "state", v.state(i.AtLevel))
	if i.AtLevel == rules.Crisis {
		until = v.Say("snooze.crisis")
	}
	return join(v.Say("snooze.until", "when", when(i.SnoozeUntil)), sentence(p.summary()), n.hidden(ctx, v, i), until)
}

// hidden says how many messages a snooze of that length would have kept back if it had begun so long ago.
func (n *Notifier) hidden(ctx context.Context, v voice, i *detector.Incident) string {
	if n.cfg.Reader == nil {
		return ""
	}
	lines, err := n.cfg.Reader.Audit(ctx, i.ID)
	if err != nil {
		n.log.Warn("slack: what a snooze hides is not known", "incident", i.ID, "error", err)
		return ""
	}
	span := i.SnoozeUntil.Sub(n.now()).Round(time.Minute)
	from, count := n.now().Add(-span), 0
	for _, l := range lines {
		if l.At.After(from) && slices.Contains(hushed, l.Reason) {
			count++
		}
	}
	return v.Count("snooze.hidden", count, "span", v.SpanAfter(span))
}
