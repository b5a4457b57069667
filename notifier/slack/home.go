package slack

import (
	"cmp"
	"context"
	"slices"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/sources"
)

// How much the home tab shows. Each incident takes two blocks, and a view holds a hundred.
const (
	homeIncidents = 12 // of each list
	homeWaiting   = 5
	homeRead      = 200
	waitingRead   = 20 // some cannot be shown
)

// home renews the home tab of one person.
func (n *Notifier) home(user string) job { return n.homeSaying(user, "") }

// homeSaying renews the home tab with something that this person has to hear on top.
func (n *Notifier) homeSaying(user, said string) job {
	return func(ctx context.Context) {
		blocks := n.homeBlocks(ctx, n.spoken(""), user)
		if said != "" {
			blocks = append([]slackapi.Block{section(said), slackapi.NewDividerBlock()}, blocks...)
		}
		_, err := n.api.PublishViewContext(ctx, slackapi.PublishViewContextRequest{
			UserID: user, View: slackapi.HomeTabViewRequest{Type: slackapi.VTHomeTab, Blocks: slackapi.Blocks{BlockSet: blocks}},
		})
		if err != nil {
			n.log.Warn("slack: could not renew a home tab", "error", deliveryError(err, 0))
		}
	}
}

func (n *Notifier) homeBlocks(ctx context.Context, v voice, user string) []slackapi.Block {
	if n.cfg.Reader == nil {
		return []slackapi.Block{section(v.Say("command.blind"))}
	}
	open, err := n.cfg.Reader.Incidents(ctx, detector.IncidentFilter{State: "open", Limit: homeRead})
	if err != nil {
		n.log.Warn("slack: home tab", "error", err)
		return []slackapi.Block{section(v.Say("home.failed"))}
	}
	byGravity(open)
	h := homeTab{n: n, v: v}
	if len(open) == 0 {
		h.add(section(v.Say("home.calm")))
	} else {
		n.lookUpPeople(ctx)
		mine, unowned, others := n.sorted(open, user)
		h.list("home.mine", v.Say("home.mine.none"), mine)
		h.list("home.unowned", v.Say("home.unowned.none"), unowned)
		if len(others) > 0 {
			h.list("home.others", "", others)
		}
	}
	h.waiting(ctx)
	h.add(remark(v.Say("home.as.of", "when", when(n.now()))))
	return h.blocks
}

// byGravity puts the gravest first, and of equally grave ones the oldest.
func byGravity(list []detector.Incident) {
	slices.SortStableFunc(list, func(a, b detector.Incident) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), a.OpenedAt.Compare(b.OpenedAt))
	})
}

// sorted are the incidents of one person, of nobody and of others.
func (n *Notifier) sorted(open []detector.Incident, user string) (mine, unowned, others []detector.Incident) {
	for _, i := range open {
		switch {
		case n.owns(i.Owner, user):
			mine = append(mine, i)
		case i.Handling == detector.New && i.Owner == "":
			unowned = append(unowned, i)
		default:
			others = append(others, i)
		}
	}
	return mine, unowned, others
}

// owns reports whether the owner of an incident is this user. Owners are ids or names: who took it on the page has a
// name alone, which is looked for among the names that are known.
func (n *Notifier) owns(owner, user string) bool {
	if owner == "" || owner == user {
		return owner != ""
	}
	users, err := n.names.users.known()
	return err == nil && users[bare(owner)] == user
}

// homeTab is a home tab being laid out.
type homeTab struct {
	n      *Notifier
	v      voice
	blocks []slackapi.Block
}

func (h *homeTab) add(b ...slackapi.Block) { h.blocks = append(h.blocks, b...) }

func (h *homeTab) list(key, none string, list []detector.Incident) {
	h.add(section(h.v.Say(key)))
	if len(list) == 0 {
		h.add(remark(none))
	}
	for k := range list[:min(homeIncidents, len(list))] {
		h.incident(&list[k], key == "home.mine")
	}
	if more := len(list) - homeIncidents; more > 0 {
		h.add(remark(h.v.Count("home.more", more)))
	}
	h.add(slackapi.NewDividerBlock())
}

// incident is an incident in two lines, with a button beside it if it can be taken.
func (h *homeTab) incident(i *detector.Incident, mine bool) {
	p := page{Message: h.n.alone(i), v: h.v, zone: time.UTC}
	line := slackapi.NewSectionBlock(mrkdwn(h.v.entry(i, p.sentence()), maxSection), nil, nil)
	switch {
	case !p.pressable():
	case mine:
		line.Accessory = slackapi.NewAccessory(p.button(actResolve, h.v.Say("do.resolve")))
	default:
		line.Accessory = slackapi.NewAccessory(p.button(actAck, h.v.Say("do.ack")))
	}
	h.add(line)
}

// waiting lists the complaints whose answer clocks have run longest. Without clocks nobody is known to wait, and the list
// says so: empty would mean that all is answered.
func (h *homeTab) waiting(ctx context.Context) {
	h.add(section(h.v.Say("home.waiting")))
	if h.n.cfg.Waiting == nil || len(h.n.ruleSet().SLAs) == 0 {
		h.add(remark(h.v.Say("home.waiting.off")))
		return
	}
	list := h.n.cfg.Waiting(waitingRead)
	if len(list) == 0 {
		h.add(remark(h.v.Say("home.waiting.none")))
	}
	shown := 0
	for k := range list {
		if shown < homeWaiting && h.wait(ctx, &list[k]) {
			shown++
		}
	}
	if shown == 0 && len(list) > 0 {
		h.add(remark(h.v.Say("home.waiting.hidden")))
	}
}

// wait shows a complaint that waits; it reports false for one that cannot be shown: it is direct, or gone.
func (h *homeTab) wait(ctx context.Context, w *detector.Waiting) bool {
	js, err := h.n.cfg.Reader.MentionsByKey(ctx, w.Brand, []sources.Key{w.Key})
	if err != nil {
		h.n.log.Warn("slack: a mention that waits", "brand", w.Brand, "error", err)
	}
	if len(js) == 0 || direct(&js[0].Mention) {
		return false
	}
	now := h.n.now()
	h.add(slackapi.NewRichTextBlock("", h.v.quote(&js[0], now)...),
		remark(esc(h.n.brandName(w.Brand), maxName)+" · "+h.v.Say("home.waits", "span", h.v.ago(w.At, now))))
	return true
}
