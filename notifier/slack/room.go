package slack

import (
	"context"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// Room is one channel of a workspace as a notifier of its own, such as the one that a route falls back on. Everything
// goes there, whatever the route's own channel is.
type Room struct {
	*Notifier
	name, channel string
}

var (
	_ notifier.Reconciler = (*Room)(nil)
	_ notifier.Paced      = (*Room)(nil)
)

// Room returns a channel as a notifier of that name.
func (n *Notifier) Room(name, channel string) *Room { return &Room{n, name, channel} }

// Name returns the name of the room.
func (r *Room) Name() string { return r.name }

// Notify posts or edits one message in the room.
func (r *Room) Notify(ctx context.Context, m *notifier.Message) (detector.Ref, error) {
	return r.Notifier.Notify(ctx, r.here(m))
}

// Find looks for the alert's message in the room.
func (r *Room) Find(ctx context.Context, m *notifier.Message, since time.Time) (detector.Ref, bool, error) {
	return r.Notifier.Find(ctx, r.here(m), since)
}

// here is the message with the room for its route's channel.
func (r *Room) here(m *notifier.Message) *notifier.Message {
	there := *m
	route := rules.Route{}
	if m.Route != nil {
		route = *m.Route
	}
	route.Slack = rules.Slack{Channel: r.channel}
	there.Route = &route
	return &there
}
