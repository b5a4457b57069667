package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/notifier"
)

// A view takes 100 blocks and 250 kB; one mention needs a handful, the rest stays free for the last words.
const (
	maxViewBlocks = 90
	maxViewBytes  = 200_000
)

// showDrafts opens a modal at once, since a trigger lives 3 s, and fills it when the drafts are made. Direct
// messages are shown only where the button says that the channel is private.
func (n *Notifier) showDrafts(cb *slackapi.InteractionCallback, t token) job {
	return func(ctx context.Context) {
		opened, err := n.api.OpenViewContext(ctx, cb.TriggerID, modal(section("Making the drafts …")))
		if err != nil {
			n.log.Warn("slack: could not open the drafts", "incident", t.incident, "error", harmless(err))
			n.whisper(cb, "The drafts could not be shown. Please press again.")(ctx)
			return
		}
		_, err = n.api.UpdateViewContext(ctx, modal(n.draftBlocks(ctx, t)...), "", "", opened.ID)
		if err != nil {
			n.log.Warn("slack: could not fill in the drafts", "incident", t.incident, "error", deliveryError(err, notifier.NotSent))
		}
	}
}

func modal(blocks ...slackapi.Block) slackapi.ModalViewRequest {
	return slackapi.ModalViewRequest{
		Type:   slackapi.VTModal,
		Title:  words("Reply drafts"),
		Close:  words("Close"),
		Blocks: slackapi.Blocks{BlockSet: blocks},
	}
}

func (n *Notifier) draftBlocks(ctx context.Context, t token) []slackapi.Block {
	if n.cfg.Drafts == nil {
		return []slackapi.Block{section("No drafts are made here.")}
	}
	ds, err := n.cfg.Drafts(ctx, t.incident)
	if err != nil {
		n.log.Error("slack: drafts", "incident", t.incident, "error", err)
		return []slackapi.Block{section("The drafts could not be made. Please try again.")}
	}
	return suggestions(ds, t.choice == choicePrivate, n.now())
}

// suggestions lays out what a drafter says, mention by mention, as far as a view can hold it.
func suggestions(ds []Drafted, private bool, now time.Time) []slackapi.Block {
	var blocks []slackapi.Block
	size, left := 0, 0
	for i := range ds {
		if !private && direct(&ds[i].Mention.Mention) {
			left++
			continue
		}
		b := suggestion(&ds[i], now)
		if size += weight(b); len(blocks)+len(b) > maxViewBlocks || size > maxViewBytes {
			left += len(ds) - i
			break
		}
		blocks = append(blocks, b...)
	}
	if left > 0 {
		blocks = append(blocks, remark(some(left, "mention is", "mentions are")+" not shown here; see the page."))
	}
	if len(blocks) == 0 {
		return []slackapi.Block{section("There is nothing to reply to.")}
	}
	return append(blocks, remark("Nothing is posted for you: copy a draft, check it, and answer where the mention was written."))
}

func weight(blocks []slackapi.Block) int {
	raw, err := json.Marshal(blocks)
	if err != nil {
		return maxViewBytes // cannot be sent anyway
	}
	return len(raw)
}

// suggestion is one mention with what to do about it.
func suggestion(d *Drafted, now time.Time) []slackapi.Block {
	s := &d.Suggestion
	blocks := []slackapi.Block{
		slackapi.NewRichTextBlock("", quote(&d.Mention, now)...),
		section(join(advice(s.Suggest), esc(s.Why, maxBlurb))),
	}
	for i := range s.Drafts {
		blocks = append(blocks, draft(&s.Drafts[i])...)
	}
	if len(s.Approve) > 0 && len(s.Drafts) > 0 {
		blocks = append(blocks, remark("Must be approved by "+esc(strings.Join(s.Approve, ", "), maxBlurb)+" before it is sent."))
	}
	return append(blocks, slackapi.NewDividerBlock())
}

func advice(s notifier.Suggest) string {
	switch s {
	case notifier.Reply:
		return "💬 *Reply.*"
	case notifier.Monitor:
		return "👀 *Watch, do not reply.*"
	case notifier.Handover:
		return "🤝 *Hand over to a colleague.*"
	}
	return "*" + title(esc(string(s), maxName)) + ".*"
}

// draft is one text to copy, what it is, and why it cannot be sent.
func draft(d *notifier.Draft) []slackapi.Block {
	about := []string{esc(d.ID, maxName), esc(language(d.Lang), maxName), esc(d.Network, maxName), length(d)}
	verdict := "✅ can be sent"
	if !d.Sendable {
		verdict = "⛔ *NOT SENDABLE*"
	}
	blocks := []slackapi.Block{remark(strings.Join(compact(about), " · ") + " · " + verdict)}
	if failed := failures(d.Guards); failed != "" {
		blocks = append(blocks, remark(failed))
	}
	return append(blocks, preformatted(d.Text))
}

func compact(parts []string) []string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}

func length(d *notifier.Draft) string {
	if d.Limit > 0 {
		return fmt.Sprintf("%d of %d characters", d.Length, d.Limit)
	}
	return fmt.Sprintf("%d characters", d.Length)
}

// failures lists the guards that did not pass, the hard ones being those that forbid.
func failures(guards []notifier.Guard) string {
	var out []string
	for _, g := range guards {
		if !g.Pass {
			out = append(out, fmt.Sprintf("%s (%s): %s", esc(g.ID, maxName), esc(g.Level, maxName), esc(g.Why, maxQuote)))
		}
	}
	return strings.Join(out, "\n")
}

// preformatted is text that can be copied as it is, in pieces that Slack takes; a draft is never cut short
// unless no network would take it either.
func preformatted(s string) slackapi.Block {
	const piece, pieces = 2800, 8
	var elements []slackapi.RichTextSectionElement
	rest := clean(s)
	for rest != "" && len(elements) < pieces {
		head := rest
		if units(rest) > piece {
			head = rest[:prefix(rest, piece)]
		}
		elements = append(elements, rich(head, nil))
		rest = rest[len(head):]
	}
	if elements == nil {
		elements = append(elements, rich("(empty)", nil))
	}
	return slackapi.NewRichTextBlock("", &slackapi.RichTextPreformatted{Type: slackapi.RTEPreformatted, Elements: elements})
}

// prefix is the length in bytes of the first most units.
func prefix(s string, most int) int {
	used := 0
	for i, r := range s {
		if used += units(string(r)); used > most {
			return i
		}
	}
	return len(s)
}
