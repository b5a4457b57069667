package slack

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"emberwatch/detector"
	"emberwatch/notifier"
)

// How far Find looks: Slack's clock may be a little behind ours, and a channel may be busy.
const (
	findMargin   = 5 * time.Second
	findPerPage  = 200
	findMaxPages = 5
)

// Find looks for the alert's message since then: among the channel's for a root, in the thread for a line. An edit
// is never found, it can simply be sent again. Without the scope to read the channel it returns an error.
func (n *Notifier) Find(ctx context.Context, m *notifier.Message, since time.Time) (detector.Ref, bool, error) {
	if m.Alert.Kind == detector.KindEdit {
		return detector.Ref{}, false, nil
	}
	channel, err := n.where(ctx, m)
	if err != nil {
		return detector.Ref{}, false, fmt.Errorf("slack: find %s: %w", m.Alert.Key, err)
	}
	oldest := since.Add(-findMargin)
	q := search{channel: channel, oldest: fmt.Sprintf("%d.%06d", oldest.Unix(), oldest.Nanosecond()/1000)}
	if m.Alert.Kind != detector.KindRoot {
		q.thread = m.Root.ID
	}
	ts, err := n.look(ctx, q, m.Alert.Key)
	if err != nil {
		return detector.Ref{}, false, fmt.Errorf("slack: find %s: %w", m.Alert.Key, beforePost(err))
	}
	return detector.Ref{Channel: channel, ID: ts}, ts != "", nil
}

// where returns the id of the channel in which the message would be.
func (n *Notifier) where(ctx context.Context, m *notifier.Message) (string, error) {
	if m.Alert.Kind != detector.KindRoot && m.Root.Channel != "" {
		return m.Root.Channel, nil
	}
	name, err := n.channel(ctx, m.Route)
	if err != nil {
		return "", err
	}
	id, err := n.names.channel(ctx, name)
	switch {
	case err != nil:
		return "", beforePost(err)
	case id == "":
		return "", forGood("channel_not_found")
	}
	return id, nil
}

// search is one place to look through.
type search struct{ channel, thread, oldest string }

// look returns the ts of the message with the key; empty: it is not there.
func (n *Notifier) look(ctx context.Context, q search, key string) (string, error) {
	cursor := ""
	for range findMaxPages {
		messages, next, err := n.page(ctx, q, cursor)
		if err != nil {
			return "", err
		}
		for i := range messages {
			if k, _ := messages[i].Metadata.EventPayload["idempotency_key"].(string); k == key && !older(messages[i].Timestamp, q.oldest) {
				return messages[i].Timestamp, nil
			}
		}
		if next == "" {
			return "", nil
		}
		cursor = next
	}
	return "", fmt.Errorf("more than %d messages to look through", findMaxPages*findPerPage)
}

func (n *Notifier) page(ctx context.Context, q search, cursor string) ([]slackapi.Message, string, error) {
	if q.thread != "" {
		messages, _, next, err := n.api.GetConversationRepliesContext(ctx, &slackapi.GetConversationRepliesParameters{
			ChannelID: q.channel, Timestamp: q.thread, Oldest: q.oldest, Cursor: cursor, Limit: findPerPage, IncludeAllMetadata: true,
		})
		if err == nil && len(messages) == 0 {
			err = errGarbage // a thread holds its root at least; slack-go takes {} for an empty one
		}
		return messages, next, err
	}
	h, err := n.api.GetConversationHistoryContext(ctx, &slackapi.GetConversationHistoryParameters{
		ChannelID: q.channel, Oldest: q.oldest, Cursor: cursor, Limit: findPerPage, IncludeAllMetadata: true,
	})
	switch {
	case err != nil:
		return nil, "", err
	case !h.Ok:
		return nil, "", errGarbage
	}
	return h.Messages, h.ResponseMetaData.NextCursor, nil
}

// older compares two ts: seconds and counter, as numbers.
func older(a, b string) bool {
	as, au := split(a)
	bs, bu := split(b)
	return as < bs || as == bs && au < bu
}

func split(ts string) (int64, int64) {
	sec, frac, _ := strings.Cut(ts, ".")
	s, _ := strconv.ParseInt(sec, 10, 64)
	f, _ := strconv.ParseInt(frac, 10, 64)
	return s, f
}
