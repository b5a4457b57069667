package slack

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// Report posts a report to a route, once: a message with the same key that was posted since then is left alone, whoever
// posted it. It reports whether it was posted now. Errors are *notifier.DeliveryError; one of outcome Unknown is settled
// by the next call.
func (n *Notifier) Report(ctx context.Context, r *detector.Report, route *rules.Route, key string, since time.Time) (bool, error) {
	text, blocks := voice{n.cfg.Languages.In(route.Language)}.report(r, n.zone(route), n.now())
	return n.postOnce(ctx, route, letter{text: text, blocks: blocks, key: key}, since)
}

// Refused posts to a route that a reload was refused, and why, once as [Notifier.Report] does.
func (n *Notifier) Refused(ctx context.Context, why []string, route *rules.Route, key string, since time.Time) (bool, error) {
	v := voice{n.cfg.Languages.In(route.Language)}
	text := "⚠️ *" + v.Say("reload.refused") + "*"
	for _, l := range why {
		text += "\n• " + esc(l, maxQuote)
	}
	return n.postOnce(ctx, route, letter{text: text, key: key}, since)
}

// postOnce posts a letter to the channel of a route, unless one with its key was posted since then.
func (n *Notifier) postOnce(ctx context.Context, route *rules.Route, l letter, since time.Time) (bool, error) {
	name, err := n.channel(ctx, route)
	if err != nil {
		return false, err
	}
	id, err := n.names.channel(ctx, name)
	switch {
	case err != nil:
		return false, beforePost(err)
	case id == "":
		return false, forGood("channel_not_found")
	}
	oldest := since.Add(-findMargin)
	found, err := n.look(ctx, search{channel: id, oldest: fmt.Sprintf("%d.000000", oldest.Unix())}, l.key)
	if err != nil || found != "" {
		return false, errOrNil(err)
	}
	l.channel = id
	_, err = n.deliver(ctx, l)
	return err == nil, err
}

// errOrNil keeps a nil *DeliveryError from becoming an error.
func errOrNil(err error) error {
	if err == nil {
		return nil
	}
	return beforePost(err)
}

// report lays a report out: its figures in pairs, then what is worth sharing.
func (v voice) report(r *detector.Report, zone *time.Location, now time.Time) (string, []slackapi.Block) {
	title := notifier.ReportTitle(v.Language, r, zone)
	blocks := []slackapi.Block{slackapi.NewHeaderBlock(slackapi.NewTextBlockObject(slackapi.PlainTextType, plain(title, maxHeader), false, false))}
	lines := notifier.ReportLines(v.Language, r, func(s string) string { return esc(s, maxName) })
	var fields []*slackapi.TextBlockObject
	for i := range lines {
		f := mrkdwn("*"+lines[i].Name+"*\n"+lines[i].Text, maxField)
		if strings.Contains(lines[i].Text, "\n") || units(lines[i].Text) > maxPair {
			blocks = append(blocks, slackapi.NewSectionBlock(f, nil, nil))
			continue
		}
		fields = append(fields, f)
	}
	at := 1 // below the title
	for some := range slices.Chunk(fields, maxFields) {
		blocks = slices.Insert(blocks, at, slackapi.Block(slackapi.NewSectionBlock(nil, some, nil)))
		at++
	}
	if q := v.quotes(r.Share, now); q != nil {
		blocks = append(blocks, section("*"+v.Say("report.share")+"*"), q)
	}
	return title + ". " + oneLine(lines[0].Text), blocks
}

// maxPair is what still reads well beside another field.
const maxPair = 120
