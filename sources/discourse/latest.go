package discourse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"emberwatch/sources"
)

const (
	maxPages = 20
	window   = 50 // ids that a page of older versions covers, however few of them are public
)

// latest reads the list of posts from the newest back to what is known, or a month back. More than maxPages pages
// between two polls are passed over.
func (s *Source) latest(ctx context.Context, known memory, now time.Time) (findings, error) {
	f := findings{next: memory{Last: known.Last, Page: known.Page}}
	present := map[int64]bool{}
	lowest := int64(0) // id that was read, 0: none yet
	before := int64(0) // where the next page begins
	for range maxPages {
		page, err := s.page(ctx, before, now)
		if err != nil {
			return findings{}, err
		}
		f.add(page, present)
		bottom := page.lowest()
		switch {
		case before == 0 && bottom > 0:
			f.next.Last, f.next.Page = max(known.Last, slices.Max(page.ids)), page.ids
		case before == 0, bottom == 0 || bottom >= before: // nothing further down on this page
			if known.Last == 0 || before-window <= known.Last {
				return f, s.missing(ctx, &f, known.Page, present, lowest)
			}
			before -= window
			continue
		}
		before, lowest = bottom, bottom
		if bottom <= known.Last || known.Last == 0 && page.oldest.Before(now.Add(-sources.LookBack)) {
			break
		}
	}
	return f, s.missing(ctx, &f, known.Page, present, lowest)
}

// missing asks for the posts that a page had before and that the list no longer has.
func (s *Source) missing(ctx context.Context, f *findings, before []int64, present map[int64]bool, lowest int64) error {
	var ids []string
	for _, id := range before {
		if lowest > 0 && id > lowest && !present[id] {
			ids = append(ids, fmt.Sprint(id))
		}
	}
	ms, err := s.look(ctx, ids)
	f.mentions = append(f.mentions, ms...)
	return err
}

// listed is one page of the list of posts.
type listed struct {
	ids      []int64 // also of posts that are no mentions
	mentions []sources.Mention
	rejected sources.Rejects
	oldest   time.Time
}

// lowest is the id the page ends with, or 0.
func (l *listed) lowest() int64 {
	if len(l.ids) == 0 {
		return 0
	}
	return slices.Min(l.ids)
}

func (f *findings) add(p listed, present map[int64]bool) {
	f.mentions = append(f.mentions, p.mentions...)
	f.rejected.Join(p.rejected)
	for _, id := range p.ids {
		present[id] = true
	}
}

// page fetches the newest posts, or those up to an id.
func (s *Source) page(ctx context.Context, before int64, now time.Time) (listed, error) {
	path := "/posts.json"
	if before > 0 {
		path += fmt.Sprintf("?before=%d", before)
	}
	var answer struct {
		Posts []json.RawMessage `json:"latest_posts"`
	}
	if err := s.get(ctx, path, &answer); err != nil {
		return listed{}, err
	}
	if answer.Posts == nil {
		return listed{}, errors.New("parse: the answer has no list of posts")
	}
	return s.decodeList(answer.Posts, now), nil
}

func (s *Source) decodeList(posts []json.RawMessage, now time.Time) (l listed) {
	for _, raw := range posts {
		p, m, err := s.decode(raw, now)
		if id := int64(p.ID.Int()); id > 0 {
			l.ids = append(l.ids, id)
		}
		if at := p.CreatedAt.Time(); !at.IsZero() && (l.oldest.IsZero() || at.Before(l.oldest)) {
			l.oldest = at
		}
		switch {
		case errors.Is(err, errNoWords):
		case err != nil:
			l.rejected.Add(err)
		default:
			l.mentions = append(l.mentions, m)
		}
	}
	return l
}
