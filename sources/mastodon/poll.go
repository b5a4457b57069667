package mastodon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"emberwatch/sources"
)

const (
	pageSize  = 40 // the most that servers give
	backPages = 5  // of the first poll
	maxPages  = 50 // of a walk forward; the next poll continues it
)

// poll reads every hashtag, and what reached the account, once. One that fails does not keep the others from being
// read; the error tells of all that failed.
func (r *run) poll(ctx context.Context) error {
	var failed []error
	for _, tag := range r.opt.Hashtags {
		if err := r.pollTag(ctx, tag); err != nil {
			failed = append(failed, fmt.Errorf("hashtag %s: %w", tag, err))
		}
	}
	if r.opt.Token != "" {
		if err := r.pollNotices(ctx); err != nil {
			failed = append(failed, fmt.Errorf("notifications: %w", err))
		}
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	grown, err := r.again.News(ctx)
	if err != nil || len(grown) == 0 {
		return err
	}
	_, err = r.emit(ctx, sources.Batch{Source: r.opt.Name, Mentions: grown})
	return err
}

// at is how far a hashtag has been read.
func (r *run) at(tag string) place {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known.Tags[tag]
}

func (r *run) pollTag(ctx context.Context, tag string) error {
	head, err := r.timeline(ctx, tag, nil)
	if err != nil {
		return err
	}
	at := r.at(tag)
	switch {
	case at.Last == "":
		err = r.walkBack(ctx, tag, &head)
	case !head.reaches(at.Last):
		err = r.walkForward(ctx, tag, at, &head)
	}
	if err != nil {
		return err
	}
	gone, err := r.missing(ctx, at.Page, &head)
	if err != nil {
		return err
	}
	return r.handOver(ctx, append(head.mentions, gone...), head.rejected, func(m *memory) {
		if len(head.ids) > 0 {
			m.read(tag, place{Last: newest(append(head.ids, at.Last)), Page: head.ids})
		}
	})
}

// read notes how far a hashtag was read.
func (m *memory) read(tag string, at place) {
	m.Tags = maps.Clone(m.Tags)
	if m.Tags == nil {
		m.Tags = map[string]place{}
	}
	m.Tags[tag] = at
}

// walkBack adds older pages to the first one that was ever read.
func (r *run) walkBack(ctx context.Context, tag string, head *page) error {
	since := time.Now().Add(-sources.LookBack)
	for at := head; at.older != "" && at.oldest.After(since); {
		if head.walked++; head.walked >= backPages {
			return nil
		}
		p, err := r.timeline(ctx, tag, url.Values{"max_id": {at.older}})
		if err != nil {
			return err
		}
		head.mentions = append(head.mentions, p.mentions...)
		head.rejected.Join(p.rejected)
		at = &p
	}
	return nil
}

// walkForward hands over page after page between what is known and the newest page.
func (r *run) walkForward(ctx context.Context, tag string, from place, head *page) error {
	last := from.Last
	for range maxPages {
		p, err := r.timeline(ctx, tag, url.Values{"min_id": {last}})
		if err != nil {
			return err
		}
		next := newest(append(p.ids, last))
		if next == last {
			return nil
		}
		last = next
		err = r.handOver(ctx, p.mentions, p.rejected, func(m *memory) { m.read(tag, place{Last: last, Page: from.Page}) })
		if err != nil || head.reaches(last) { // what is left is on the newest page
			return err
		}
	}
	head.ids, head.mentions = []string{last}, nil // the next poll goes on from here
	return nil
}

// missing asks for the posts that were on the newest page and are no longer where they should be on it.
func (r *run) missing(ctx context.Context, before []string, head *page) ([]sources.Mention, error) {
	if len(head.ids) == 0 {
		return nil, nil
	}
	bottom := slices.MinFunc(head.ids, compareIDs)
	var ids []string
	for _, id := range before {
		if compareIDs(id, bottom) > 0 && !slices.Contains(head.ids, id) {
			ids = append(ids, id)
		}
	}
	return r.look(ctx, ids)
}

// pollNotices reads the notifications since the last one that is known, or the newest page.
func (r *run) pollNotices(ctx context.Context) error {
	for range maxPages {
		r.mu.Lock()
		last := r.known.Notice
		r.mu.Unlock()
		q := url.Values{}
		if last != "" {
			q.Set("min_id", last)
		}
		p, err := r.notifications(ctx, q)
		if sources.Gone(err) {
			return nil // a server that has none
		}
		if err != nil {
			return err
		}
		next := newest(append(p.ids, last))
		if err := r.handOver(ctx, p.mentions, p.rejected, func(m *memory) { m.Notice = next }); err != nil {
			return err
		}
		if next == last || last == "" || len(p.ids) < pageSize {
			return nil
		}
	}
	return nil
}

func (s *Source) timeline(ctx context.Context, tag string, q url.Values) (page, error) {
	return s.page(ctx, "/api/v1/timelines/tag/"+url.PathEscape(tag), q, s.decodeStatus)
}

func (s *Source) notifications(ctx context.Context, q url.Values) (page, error) {
	return s.page(ctx, "/api/v1/notifications", q, s.decodeNotice)
}

func (s *Source) page(ctx context.Context, path string, q url.Values, decode decoder) (page, error) {
	query := url.Values{"limit": {strconv.Itoa(pageSize)}}
	maps.Copy(query, q)
	resp, err := s.get(ctx, path, query)
	if err != nil {
		return page{}, err
	}
	return decodePage(resp.Body, resp.Header.Get("Link"), decode, time.Now())
}

// newest is the highest id. Ids are numbers as strings, or at other servers strings that sort by time.
func newest(ids []string) string { return slices.MaxFunc(ids, compareIDs) }

func compareIDs(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }
