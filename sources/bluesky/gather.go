package bluesky

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"emberwatch/sources"
)

// gathered are events in hand, and where the stream was before them.
type gathered struct {
	*Source
	emit   sources.Emit
	at     place
	told   time.Time // when a batch was last handed over
	events []event   // those that may concern us
	bad    sources.Rejects
	next   place
}

// add takes an event in hand.
func (g *gathered) add(e event) {
	if g.next == (place{}) {
		g.next = g.at
	}
	g.next = g.next.after(&e, time.Now())
	switch {
	case e.bad:
		g.bad.Add(sources.ErrForm)
	case e.kept, e.repost, e.vanished, e.op == sources.Delete, e.op == sources.Update:
		g.events = append(g.events, e)
	}
}

// remains hands over what was read before a connection ended. Nothing is handed over to one that is told to stop.
func (g *gathered) remains(ctx context.Context, events <-chan event) error {
	if ended(ctx) == nil {
		return nil
	}
	for {
		select {
		case e := <-events:
			g.add(e)
		default:
			return g.handOver(context.WithoutCancel(ctx))
		}
	}
}

// handOver gives a batch of what is in hand. Posts that something else is about already go ahead: it finds them known
// then. Without anything to tell it gives an empty batch from time to time, so that the cursor moves on.
func (g *gathered) handOver(ctx context.Context) error {
	now := time.Now()
	told, rest := g.posts(now)
	if concern(rest, told) {
		if _, err := g.emit(ctx, sources.Batch{Source: g.opt.Name, Mentions: told}); err != nil {
			return err
		}
		told = nil
	}
	about, err := g.about(ctx, rest, now)
	if err != nil {
		return err
	}
	g.events = g.events[:0]
	if told = append(told, about...); len(told)+g.bad.Count == 0 && now.Sub(g.told) < g.quiet {
		return nil
	}
	b := sources.Batch{Source: g.opt.Name, Mentions: told, Rejected: g.bad}
	if g.next != (place{}) {
		if b.Cursor, err = json.Marshal(g.next); err != nil {
			return err
		}
	}
	if _, err := g.emit(ctx, b); err != nil {
		return err
	}
	g.bad, g.told = sources.Rejects{}, now
	return nil
}

// concern reports whether an event is about one of the posts.
func concern(events []event, posts []sources.Mention) bool {
	ids := map[string]bool{}
	for i := range posts {
		ids[posts[i].ID] = true
	}
	return slices.ContainsFunc(events, func(e event) bool { return ids[e.concerns()] })
}

// posts makes mentions of the posts that are kept, and returns the other events.
func (g *gathered) posts(now time.Time) (told []sources.Mention, rest []event) {
	for i := range g.events {
		e := &g.events[i]
		if !e.kept {
			rest = append(rest, *e)
			continue
		}
		m, err := g.mention(e, now)
		if err != nil {
			g.bad.Add(err)
			continue
		}
		told = append(told, m)
	}
	return told, rest
}

// about makes mentions of what happened to posts that are held.
func (g *gathered) about(ctx context.Context, events []event, now time.Time) (told []sources.Mention, err error) {
	brands, err := g.known(ctx, events)
	if err != nil {
		return nil, err
	}
	for i := range events {
		e := &events[i]
		if e.vanished {
			gone, err := g.authored(ctx, e, now)
			if err != nil {
				return nil, err
			}
			told = append(told, gone...)
			continue
		}
		brand, held := brands[e.concerns()]
		if !held && (g.opt.Known != nil || e.op != sources.Delete) {
			continue
		}
		m, err := g.mention(e, now)
		if err != nil {
			g.bad.Add(err)
			continue
		}
		if e.repost && e.op != sources.Delete {
			m.Brand = brand
		}
		told = append(told, m)
	}
	return told, nil
}

// concerns is the id of the record that an event is about: of a repost, the post.
func (e *event) concerns() string {
	if e.repost && e.op != sources.Delete {
		return part[ref](e.record.Subject).URI
	}
	return e.id
}

// known returns which of the records that events are about are held, and their brands.
func (g *gathered) known(ctx context.Context, events []event) (map[string]string, error) {
	if g.opt.Known == nil {
		return nil, nil
	}
	var ids []string
	for i := range events {
		if id := events[i].concerns(); id != "" {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	slices.Sort(ids)
	return g.opt.Known(ctx, slices.Compact(ids))
}

// authored deletes what is held of an account that has vanished.
func (g *gathered) authored(ctx context.Context, e *event, now time.Time) (gone []sources.Mention, err error) {
	if g.opt.Authored == nil {
		return nil, nil
	}
	ids, err := g.opt.Authored(ctx, e.did)
	for _, id := range ids {
		m, err := g.mention(&event{op: sources.Delete, id: id, timeUS: e.timeUS}, now)
		if err == nil {
			gone = append(gone, m)
		}
	}
	return gone, err
}
