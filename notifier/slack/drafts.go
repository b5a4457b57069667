package slack

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/sources"
)

// A view takes 100 blocks and 250 kB; one mention needs a handful, the rest stays free for the last words.
const (
	maxViewBlocks = 90
	maxViewBytes  = 200_000
)

// choice is what a button on a draft carries.
type choice struct {
	Token   string      `json:"t"`
	Mention sources.Key `json:"m"`
	Draft   string      `json:"d,omitempty"` // empty: none of them
	Sum     string      `json:"s,omitempty"` // of its text: one that was changed before has the id of its template
}

// showDrafts opens a window at once, since a trigger lives 3 s, and fills it when the drafts are made. Direct
// messages are shown only where the button says that the channel is private.
func (n *Notifier) showDrafts(cb *slackapi.InteractionCallback, t token) job {
	v := n.spoken(t.lang)
	title := words(v.Say("drafts.title"))
	return func(ctx context.Context) {
		opened, err := n.api.OpenViewContext(ctx, cb.TriggerID, plainView(title, v, section(v.Say("drafts.making"))))
		if err != nil {
			n.log.Warn("slack: could not open the drafts", "incident", t.incident, "error", harmless(err))
			n.answer(cb, v.Say("modal.failed"))(ctx)
			return
		}
		n.replaceView(opened.ID, plainView(title, v, n.draftBlocks(ctx, v, t)...))(ctx)
	}
}

func (n *Notifier) draftBlocks(ctx context.Context, v voice, t token) []slackapi.Block {
	if n.cfg.Drafts == nil {
		return []slackapi.Block{section(v.Say("drafts.none.here"))}
	}
	ds, err := n.cfg.Drafts(ctx, t.incident)
	if err != nil {
		n.log.Error("slack: drafts", "incident", t.incident, "error", err)
		return []slackapi.Block{section(v.Say("drafts.failed"))}
	}
	l := layout{v: v, n: n, t: t, private: t.choice == choicePrivate, fates: n.fates(ctx, t.incident)}
	return l.suggestions(ds)
}

// fates says what became of the drafts to each mention: the last line of the audit about it.
func (n *Notifier) fates(ctx context.Context, incident string) map[sources.Key]detector.Audit {
	if n.cfg.Reader == nil {
		return nil
	}
	lines, err := n.cfg.Reader.Audit(ctx, incident)
	if err != nil {
		n.log.Warn("slack: what became of the drafts is not known", "incident", incident, "error", err)
	}
	out := map[sources.Key]detector.Audit{}
	for _, l := range lines {
		if l.Draft != nil {
			out[l.Draft.Mention] = l
		}
	}
	return out
}

// layout lays out what a drafter says, mention by mention, as far as a view can hold it.
type layout struct {
	v       voice
	n       *Notifier
	t       token
	private bool
	fates   map[sources.Key]detector.Audit
	buttons int // each needs an id of its own
}

func (l *layout) suggestions(ds []Drafted) []slackapi.Block {
	var blocks []slackapi.Block
	size, left := 0, 0
	for i := range ds {
		if !l.private && direct(&ds[i].Mention.Mention) {
			left++
			continue
		}
		b := l.suggestion(&ds[i])
		if size += weight(b); len(blocks)+len(b) > maxViewBlocks || size > maxViewBytes {
			left += len(ds) - i
			break
		}
		blocks = append(blocks, b...)
	}
	if left > 0 {
		blocks = append(blocks, remark(l.v.Count("drafts.hidden", left)))
	}
	if len(blocks) == 0 {
		return []slackapi.Block{section(l.v.Say("drafts.nothing"))}
	}
	return append(blocks, remark(l.v.Say("drafts.posted")))
}

func weight(blocks []slackapi.Block) int {
	raw, err := json.Marshal(blocks)
	if err != nil {
		return maxViewBytes // cannot be sent anyway
	}
	return len(raw)
}

// suggestion is one mention with what to do about it, and what was done.
func (l *layout) suggestion(d *Drafted) []slackapi.Block {
	s := &d.Suggestion
	blocks := []slackapi.Block{
		slackapi.NewRichTextBlock("", l.v.quote(&d.Mention, l.n.now())...),
		section(join(l.v.advice(s.Suggest), l.v.tell(s.Why, s.Said))),
	}
	if len(s.DoNot) > 0 {
		blocks = append(blocks, remark(l.v.Say("page.donot")+" "+esc(strings.Join(l.v.DoNots(s), "; "), maxBlurb)))
	}
	key := d.Mention.Mention.Key()
	fate, decided := l.fates[key]
	if decided {
		blocks = append(blocks, remark(l.v.fate(&fate)))
		if fate.Draft.Use != detector.DraftDiscarded {
			blocks = append(blocks, l.v.preformatted(fate.Draft.Text))
		}
	}
	for i := range s.Drafts {
		blocks = append(blocks, l.draft(key, &s.Drafts[i])...)
	}
	if len(s.Approve) > 0 && len(s.Drafts) > 0 {
		blocks = append(blocks, remark(l.v.Say("drafts.approve", "roles", esc(strings.Join(s.Approve, ", "), maxBlurb))))
	}
	if b := l.press(actDiscard, l.v.Say("drafts.discard"), choice{Token: l.t.String(), Mention: key}); b != nil && len(s.Drafts) > 0 && !decided {
		blocks = append(blocks, b)
	}
	return append(blocks, slackapi.NewDividerBlock())
}

// fate says what a person did with the drafts to a mention.
func (v voice) fate(a *detector.Audit) string {
	key := "drafts.sent"
	switch a.Draft.Use {
	case detector.DraftEdited:
		key = "drafts.sent.edited"
	case detector.DraftDiscarded:
		key = "drafts.discarded"
	}
	return v.Say(key, "who", v.person(a.Actor.ID), "when", when(a.At))
}

func (v voice) advice(s notifier.Suggest) string {
	if key := "drafts." + string(s); slices.Contains([]notifier.Suggest{notifier.Reply, notifier.Monitor, notifier.Handover}, s) {
		return v.Say(key)
	}
	return "*" + title(esc(string(s), maxName)) + ".*"
}

// press is a row with one button; nil if what it has to carry is too long.
func (l *layout) press(action, label string, c choice) slackapi.Block {
	raw, err := json.Marshal(c)
	if err != nil || units(string(raw)) > maxButtonValue {
		return nil
	}
	l.buttons++
	return slackapi.NewActionBlock(fmt.Sprintf("%s_%d", action, l.buttons), slackapi.NewButtonBlockElement(action, string(raw), words(label)))
}

// draft is one text to copy, what it is, and why it cannot be sent, or the button to go on with it.
func (l *layout) draft(key sources.Key, d *notifier.Draft) []slackapi.Block {
	about := []string{esc(d.ID, maxName), l.v.origin(d), esc(l.v.LanguageName(d.Lang), maxName), esc(d.Network, maxName), l.v.length(d)}
	verdict := l.v.Say("drafts.can")
	if !d.Sendable {
		verdict = l.v.Say("drafts.cannot")
	}
	blocks := []slackapi.Block{remark(strings.Join(compact(about), " · ") + " · " + verdict)}
	if failed := l.v.failures(d.Guards); failed != "" {
		blocks = append(blocks, remark(failed))
	}
	for i := range d.Facts {
		f := &d.Facts[i]
		name, state := l.v.Fact(f)
		blocks = append(blocks, remark(l.v.Say("page.fact", "name", esc(name, maxName), "state", esc(state, maxName))+" "+esc(f.Text, maxQuote)))
	}
	blocks = append(blocks, l.v.preformatted(d.Text))
	if b := l.press(actUse, l.v.Say("drafts.use"), choice{l.t.String(), key, d.ID, sum(d.Text)}); b != nil && d.Sendable && units(d.Text) <= maxInput {
		blocks = append(blocks, b)
	}
	return blocks
}

// origin says where the words of a draft come from, if not from a reviewed text.
func (v voice) origin(d *notifier.Draft) string {
	switch d.Origin {
	case notifier.Edited:
		return v.Say("page.origin.edited")
	case notifier.Rephrased:
		return v.Say("page.origin.reworded", "model", esc(d.Model, maxName))
	}
	return ""
}

func compact(parts []string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

func (v voice) length(d *notifier.Draft) string {
	if d.Limit > 0 {
		return v.Say("drafts.length", "n", v.Number(float64(d.Length)), "limit", v.Number(float64(d.Limit)))
	}
	return v.Count("characters", d.Length)
}

// failures lists the guards that did not pass, the hard ones being those that forbid.
func (v voice) failures(guards []notifier.Guard) string {
	var out []string
	for i := range guards {
		if g := &guards[i]; !g.Pass {
			why := v.Failure(g, func(s string) string { return esc(s, maxQuote) })
			out = append(out, fmt.Sprintf("%s (%s): %s", esc(g.ID, maxName), esc(v.GuardLevel(g), maxName), why))
		}
	}
	return strings.Join(out, "\n")
}

// preformatted is text that can be copied as it is, in pieces that Slack takes; a draft is never cut short
// unless no network would take it either.
func (v voice) preformatted(s string) slackapi.Block {
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
		elements = append(elements, rich(v.Say("drafts.empty"), nil))
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

// drafted carries out a press on one of the drafts, or on none of them.
func (n *Notifier) drafted(ctx context.Context, cb *slackapi.InteractionCallback, a *slackapi.BlockAction) reaction {
	var c choice
	if json.Unmarshal([]byte(a.Value), &c) != nil {
		return reaction{}
	}
	t, err := parseToken(c.Token)
	if err != nil {
		return reaction{}
	}
	if a.ActionID == actUse {
		return reaction{then: n.showUse(cb, t, c)}
	}
	v := n.spoken(t.lang)
	_, said, lost := n.carry(ctx, v, clickerOf(cb), detector.Event{
		ID: a.ActionTs + cb.User.ID + a.ActionID, Incident: t.incident, Op: detector.OpNote, Actor: clickerOf(cb).actor(),
		Args: detector.Args{Note: v.Say("use.discarded"), Draft: &detector.DraftUse{Mention: c.Mention, Use: detector.DraftDiscarded}},
	})
	if said != "" {
		return reaction{then: n.answer(cb, said), lost: lost}
	}
	return reaction{then: func(ctx context.Context) {
		n.replaceView(cb.View.ID, plainView(words(v.Say("drafts.title")), v, n.draftBlocks(ctx, v, t)...))(ctx)
	}}
}

// showUse lays a window over the drafts, in which one of them can be changed, copied and marked as sent.
func (n *Notifier) showUse(cb *slackapi.InteractionCallback, t token, c choice) job {
	v := n.spoken(t.lang)
	title := words(v.Say("use.title"))
	return func(ctx context.Context) {
		opened, err := n.api.PushViewContext(ctx, cb.TriggerID, plainView(title, v, section(v.Say("drafts.making"))))
		if err != nil {
			n.log.Warn("slack: could not open a draft", "incident", t.incident, "error", harmless(err))
			n.answer(cb, v.Say("modal.failed"))(ctx)
			return
		}
		view := plainView(title, v, section(v.Say("drafts.failed")))
		if d, j := n.find(ctx, t, c); d != nil {
			view = n.useView(v, t, c, d, j)
		}
		view.Close = words(v.Say("modal.back"))
		n.replaceView(opened.ID, view)(ctx)
	}
}

// find makes the drafts again, which gives the same ones, and returns the one that was chosen.
func (n *Notifier) find(ctx context.Context, t token, c choice) (*notifier.Draft, *detector.Judged) {
	if n.cfg.Drafts == nil {
		return nil, nil
	}
	ds, err := n.cfg.Drafts(ctx, t.incident)
	if err != nil {
		n.log.Error("slack: drafts", "incident", t.incident, "error", err)
		return nil, nil
	}
	for i := range ds {
		if ds[i].Mention.Mention.Key() != c.Mention || t.choice != choicePrivate && direct(&ds[i].Mention.Mention) {
			continue
		}
		for k := range ds[i].Suggestion.Drafts {
			if d := &ds[i].Suggestion.Drafts[k]; d.ID == c.Draft && d.Sendable && sum(d.Text) == c.Sum {
				return d, &ds[i].Mention
			}
		}
	}
	return nil, nil
}

func (n *Notifier) useView(v voice, t token, c choice, d *notifier.Draft, j *detector.Judged) slackapi.ModalViewRequest {
	text := slackapi.NewPlainTextInputBlockElement(nil, fieldText)
	text.Multiline, text.InitialValue, text.MaxLength = true, clean(d.Text), maxInput
	blocks := []slackapi.Block{slackapi.NewRichTextBlock("", v.quote(j, n.now())...)}
	if failed := v.failures(d.Guards); failed != "" {
		blocks = append(blocks, remark(failed))
	}
	blocks = append(blocks, input(fieldText, v.Say("use.text"), text, false), remark(v.Say("use.how")))
	w := window{
		Incident: t.incident, Lang: t.lang, Sum: sum(d.Text),
		Draft: &detector.DraftUse{
			ID: d.ID, Mention: c.Mention, Use: detector.DraftUsed, Playbook: d.Playbook, Lang: d.Lang, Network: d.Network,
		},
	}
	return form(viewUse, w, v.Say("use.title"), v.Say("use.submit"), v, blocks...)
}

// used makes the event of a reply that was marked as sent. It returns what is wrong with it.
func (n *Notifier) used(ctx context.Context, w *window, v voice, text string, e *detector.Event) string {
	if strings.TrimSpace(text) == "" || w.Draft == nil {
		return v.Say("use.blank")
	}
	use := *w.Draft
	if sum(text) != w.Sum {
		use.Use = detector.DraftEdited
		if why := n.recheck(ctx, w, v, text); why != "" {
			return why
		}
	}
	e.Op = detector.OpAnswered
	use.Text = text
	e.Args = detector.Args{Mentions: []sources.Key{use.Mention}, Draft: &use}
	return ""
}

// recheck has the guards look at a changed reply, and returns why it should not be sent.
func (n *Notifier) recheck(ctx context.Context, w *window, v voice, text string) string {
	if n.cfg.Recheck == nil {
		return ""
	}
	guards, err := n.cfg.Recheck(ctx, w.Incident, *w.Draft, text)
	if err != nil {
		n.log.Error("slack: a changed draft was not checked", "incident", w.Incident, "error", err)
		return ""
	}
	var out []string
	for i := range guards {
		if g := &guards[i]; !g.Pass && g.Level == "hard" {
			out = append(out, g.ID+": "+v.Failure(g, verbatim))
		}
	}
	return strings.Join(out, "; ")
}

// sum tells whether a text was changed; line ends and blanks around it may change on the way through Slack.
func sum(s string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(strings.TrimSpace(strings.ReplaceAll(clean(s), "\r\n", "\n"))))
	return fmt.Sprintf("%016x", h.Sum64())
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
