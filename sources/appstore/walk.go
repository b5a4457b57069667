package appstore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"emberwatch/sources"
)

// errEmptied is the error of a feed that held reviews and holds none now. Asking again soon would not help.
var errEmptied = errors.New("the feed is empty, and it held reviews before")

// walk reads the pages of a country.
func (s *Source) walk(ctx context.Context, code string, known sources.Listing, now time.Time) sources.Walked {
	return known.Walk(ctx, s.opt.Pages, maxSeen, func(ctx context.Context, token string) (out sources.Page, err error) {
		n, _ := strconv.Atoi(token)
		p, err := s.fetch(ctx, code, n+1)
		if err != nil {
			return out, fmt.Errorf("page %d: %w", n+1, err)
		}
		out.Mentions, out.Rejected = s.mentions(p, now, len(known.Seen) == 0)
		switch {
		case n == 0 && len(out.Mentions)+out.Rejected.Count == 0 && len(known.Seen) > 0:
			return out, &sources.RetryAfterError{After: s.opt.Every, Err: errEmptied, Ours: true}
		case len(p.Entry) > 0:
			out.Next = strconv.Itoa(n + 1)
		}
		return out, nil
	})
}

func (s *Source) fetch(ctx context.Context, code string, n int) (*page, error) {
	path := strings.NewReplacer("{country}", code, "{app}", s.opt.App, "{page}", fmt.Sprint(n)).Replace(s.opt.Path)
	resp, err := s.opt.Client.Get(ctx, s.opt.URL+path, nil)
	if err != nil {
		return nil, err
	}
	return decode(resp.Body)
}
