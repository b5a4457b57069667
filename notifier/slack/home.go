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
	waitingRead   = 20 // incidents whose mentions are looked at
	mentionsRead  = 5  // of each
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
		mine, unowned, others := n.sorted(ctx, open, user)
		h.list("home.mine", v.Say("home.mine.none"), mine)
		h.list("home.unowned", v.Say("home.unowned.none"), unowned)
		if len(others) > 0 {
			h.list("home.others", "", others)
		}
		h.add(section(v.Say("home.waiting")))
		h.waiting(n.waiting(ctx, open))
	}
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
func (n *Notifier) sorted(ctx context.Context, open []detector.Incident, user string) (mine, unowned, others []detector.Incident) {
	for _, i := range open {
		switch {
		case n.owns(ctx, i.Owner, user):
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
// name alone.
func (n *Notifier) owns(ctx context.Context, owner, user string) bool {
	if owner == "" || owner == user {
		return owner != ""
	}
	id, err := n.names.user(ctx, owner)
	return err == nil && id == user
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

// pending is a mention that nobody has answered.
type pending struct {
	incident string
	detector.Judged
}

// waiting are the public mentions behind open incidents that nobody has marked as answered, the oldest first.
func (n *Notifier) waiting(ctx context.Context, open []detector.Incident) []pending {
	var out []pending
	seen := map[sources.Key]bool{}
	for k := range open[:min(waitingRead, len(open))] {
		i := &open[k]
		keys := i.Evidence.Mentions[:min(mentionsRead, len(i.Evidence.Mentions))]
		js, err := n.cfg.Reader.MentionsByKey(ctx, i.Brand, keys)
		if err != nil {
			n.log.Warn("slack: mentions of an incident", "incident", i.ID, "error", err)
			continue
		}
		answered := n.fates(ctx, i.ID)
		for _, j := range js {
			key := j.Mention.Key()
			if a, ok := answered[key]; seen[key] || direct(&j.Mention) || j.Own || ok && a.Draft.Use != detector.DraftDiscarded {
				continue
			}
			seen[key] = true
			out = append(out, pending{i.ID, j})
		}
	}
	slices.SortFunc(out, func(a, b pending) int { return a.Mention.CreatedAt.Compare(b.Mention.CreatedAt) })
	return out[:min(homeWaiting, len(out))]
}

func (h *homeTab) waiting(list []pending) {
	if len(list) == 0 {
		h.add(remark(h.v.Say("home.waiting.none")))
	}
	now := h.n.now()
	for k := range list {
		j := &list[k].Judged
		h.add(slackapi.NewRichTextBlock("", h.v.quote(j, now)...),
			remark(esc(list[k].incident, maxName)+" · "+h.v.Say("home.waits", "span", h.v.ago(j.Mention.CreatedAt, now))))
	}
}
