package discourse

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"emberwatch/sources"
)

const (
	overlap     = 5 * time.Minute // the index may lag
	searchPages = 5
	maxFetched  = 30 // new posts in one poll, the oldest first; the others follow with the next
)

// found is a post as a search lists it, with an excerpt of its text that is not used.
type found struct {
	ID        sources.Loose `json:"id"`
	CreatedAt sources.Loose `json:"created_at"`
}

// search asks for each query and fetches the posts that are new.
func (s *Source) search(ctx context.Context, known memory, now time.Time) (findings, error) {
	since := now.Add(-sources.LookBack)
	if !known.Since.IsZero() {
		since = known.Since.Add(-overlap)
	}
	f := findings{next: memory{Since: known.Since}}
	var fresh []found
	for i, query := range s.opt.Query {
		list, rejected, err := s.newest(ctx, query, since)
		if err != nil {
			return findings{}, fmt.Errorf("query %d: %w", i+1, err)
		}
		f.rejected.Join(rejected)
		fresh = append(fresh, list...)
	}
	fresh = slices.DeleteFunc(fresh, func(p found) bool { return known.Seen.Has(p.ID.String()) })
	slices.SortFunc(fresh, func(a, b found) int {
		return cmp.Or(a.CreatedAt.Time().Compare(b.CreatedAt.Time()), cmp.Compare(a.ID, b.ID))
	})
	fresh = slices.CompactFunc(fresh, func(a, b found) bool { return a.ID == b.ID })
	fresh = fresh[:min(len(fresh), maxFetched)]
	for _, p := range fresh {
		m, err := s.post(ctx, p.ID.String(), now)
		switch {
		case errors.Is(err, errNoWords) || isGone(err):
		case err != nil:
			return findings{}, err
		default:
			f.mentions = append(f.mentions, m)
		}
		if at := p.CreatedAt.Time(); at.After(f.next.Since) && !at.After(now) {
			f.next.Since = at
		}
	}
	return f, nil
}

// newest lists what a search finds from a time on.
func (s *Source) newest(ctx context.Context, query string, since time.Time) (list []found, rejected sources.Rejects, err error) {
	known := map[sources.Loose]bool{}
	for page := 1; page <= searchPages; page++ {
		var answer struct {
			Posts []json.RawMessage `json:"posts"`
		}
		q := url.Values{"q": {query + " order:latest"}, "page": {fmt.Sprint(page)}}
		if err := s.get(ctx, "/search.json?"+q.Encode(), &answer); err != nil {
			return nil, rejected, err
		}
		more := false
		for _, raw := range answer.Posts {
			var p found
			switch at := p.read(raw); {
			case at.IsZero():
				rejected.Add(sources.ErrForm)
			case !known[p.ID] && at.After(since):
				known[p.ID], more = true, true
				list = append(list, p)
			}
		}
		if !more { // the rest is older, or there is none
			break
		}
	}
	return list, rejected, nil
}

// read decodes a post and returns when it was written: the zero time if it is none.
func (p *found) read(raw []byte) time.Time {
	if sources.DecodeJSON(raw, p) != nil || p.ID.Int() <= 0 {
		return time.Time{}
	}
	return p.CreatedAt.Time()
}
