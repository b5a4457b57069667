package appstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"emberwatch/sources"
)

// walk is what a walk over the pages of a country found.
type walk struct {
	mentions []sources.Mention
	rejected int
	read     bool  // at least the first page was read
	err      error // why the walk broke off, or what makes it doubtful
}

// emptied is the error of a feed that held reviews and holds none now. Asking again soon would not help.
type emptied struct{}

func (emptied) Error() string { return "the feed is empty, and it held reviews before" }

// walk reads pages until one holds nothing new. After a walk that broke off it reads to the end.
func (s *Source) walk(ctx context.Context, code string, known country, now time.Time) *walk {
	w := &walk{}
	for n := 1; n <= s.opt.Pages; n++ {
		p, err := s.fetch(ctx, code, n)
		if err != nil {
			w.err = err
			return w
		}
		if len(p.Entry) == 0 {
			if n == 1 && len(known.Seen) > 0 {
				w.err = &sources.RetryAfterError{After: s.opt.Every, Err: emptied{}, Ours: true}
				return w
			}
			w.read = true
			return w
		}
		w.read = true
		ms, rejected := s.mentions(p, now, len(known.Seen) == 0)
		w.mentions, w.rejected = append(w.mentions, ms...), w.rejected+rejected
		if !known.Open && len(ms) > 0 && len(known.Seen.News(ms)) == 0 {
			return w
		}
	}
	return w
}

func (s *Source) fetch(ctx context.Context, code string, n int) (*page, error) {
	path := strings.NewReplacer("{country}", code, "{app}", s.opt.App, "{page}", fmt.Sprint(n)).Replace(s.opt.Path)
	resp, err := s.opt.Client.Get(ctx, s.opt.URL+path, nil)
	if err != nil {
		return nil, fmt.Errorf("page %d: %w", n, err)
	}
	p, err := decode(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("page %d: %w", n, err)
	}
	return p, nil
}
