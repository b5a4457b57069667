package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
	"emberwatch/sources/bluesky"
	"emberwatch/sources/discourse"
	"emberwatch/sources/hackernews"
	"emberwatch/sources/mastodon"
)

// newListener makes a source of the open networks.
func (d *Daemon) newListener(s *SourceConfig, client *sources.Client) (sources.Source, error) {
	switch s.Type {
	case "bluesky":
		opt := bluesky.Options{
			Name: s.Name, URL: s.URL, DIDs: s.DIDs, Brand: s.Brand, Client: client,
			Keep: d.keep, Known: d.known(s.Name), Authored: d.authored(s.Name),
		}
		if s.API != off {
			opt.API, opt.Hot = s.API, d.hot(s.Name)
		}
		return bluesky.New(opt)
	case "mastodon":
		return mastodon.New(mastodon.Options{
			Name: s.Name, URL: s.URL, Hashtags: s.Hashtags, Token: s.Token.value, Every: s.every(), Brand: s.Brand,
			Hot: d.hot(s.Name), Client: client,
		})
	case "hackernews":
		return hackernews.New(hackernews.Options{
			Name: s.Name, URL: s.URL, Query: s.Query, Every: s.every(), Brand: s.Brand, Hot: d.hot(s.Name), Client: client,
		})
	case "discourse":
		return discourse.New(discourse.Options{
			Name: s.Name, URL: s.URL, Query: s.Query, Key: s.Token.value, User: s.User, Every: s.every(), Brand: s.Brand,
			Hot: d.hot(s.Name), Client: client,
		})
	}
	return nil, fmt.Errorf("type %q is not known", s.Type)
}

// keep reports whether a text names a brand of the rules that are in force now. Where nothing is kept, as in doctor, any
// text will do.
func (d *Daemon) keep(text string) bool { return d.detector == nil || d.detector.Rules().Keep(text) }

// known tells a source which of its mentions are held, each with a brand it speaks about.
func (d *Daemon) known(source string) func(context.Context, []string) (map[string]string, error) {
	return func(ctx context.Context, ids []string) (map[string]string, error) {
		if d.db == nil {
			return nil, nil
		}
		keys := make([]sources.Key, len(ids))
		for i, id := range ids {
			keys[i] = sources.Key{Source: source, ID: id}
		}
		known, err := d.db.Lookup(ctx, keys)
		held := map[string]string{}
		for i, k := range known {
			if k.Found && !k.Seen.Deleted && len(k.Seen.Brands) > 0 {
				held[ids[i]] = k.Seen.Brands[0]
			}
		}
		return held, err
	}
}

// authored tells a source what is held of an author.
func (d *Daemon) authored(source string) func(context.Context, string) ([]string, error) {
	return func(ctx context.Context, author string) ([]string, error) {
		if d.db == nil {
			return nil, nil
		}
		keys, err := d.db.Authored(ctx, source, author)
		ids := make([]string, len(keys))
		for i, k := range keys {
			ids[i] = k.ID
		}
		return ids, err
	}
}

// Of what is hot: negative mentions of the last hours.
const (
	hotFor = 6 * time.Hour
	hotMax = 200 // that are looked through for the widest spread
)

// hot tells a source which of its mentions to look at again, the widest spread first. Without an answer it looks at
// none: the next poll asks again.
func (d *Daemon) hot(source string) sources.Hot {
	return func(ctx context.Context) []string {
		if d.db == nil {
			return nil
		}
		found, err := d.db.Mentions(ctx, detector.MentionFilter{
			Source: source, From: d.detector.Now().Add(-hotFor), Label: detector.Negative, Limit: hotMax,
		})
		if err != nil {
			d.log.Warn("hot mentions are not looked at again", "source", source, "err", err)
			return nil
		}
		slices.SortStableFunc(found, func(a, b detector.Judged) int { return cmp.Compare(spread(&b.Mention), spread(&a.Mention)) })
		var ids []string
		for i := range found {
			m := &found[i].Mention
			if m.Body() != "" && !slices.Contains(ids, m.ID) { // not those that are gone, and once for all brands
				ids = append(ids, m.ID)
			}
		}
		return ids
	}
}

// spread is how many people have carried a mention on, or would.
func spread(m *sources.Mention) int {
	return m.Reach() + m.Engagement.Likes + 10*m.Engagement.Replies
}

// Of what the health of a source is learned from at start. It costs a look at everything that came in meanwhile.
const (
	arrivalsFor = 7 * 24 * time.Hour
	arrivalsMax = 2000
)

// arrivals are the times of a source's mentions of the last week, the newest of them.
func (d *Daemon) arrivals(source string) []time.Time {
	found, err := d.db.Mentions(context.Background(), detector.MentionFilter{
		Source: source, From: d.detector.Now().Add(-arrivalsFor), Limit: arrivalsMax,
	})
	if err != nil {
		d.log.Warn("the health of a source is learned anew", "source", source, "err", err)
	}
	times := make([]time.Time, len(found))
	for i := range found {
		times[i] = found[i].Mention.CreatedAt
	}
	return times
}
