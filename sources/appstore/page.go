package appstore

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"emberwatch/sources"
)

// page is one page of the feed.
type page struct {
	Entry entries
}

// entries are the reviews of a page: a list, a single object where there is one, and nothing where there is none.
type entries []json.RawMessage

// UnmarshalJSON reads all three shapes.
func (e *entries) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '[':
		return json.Unmarshal(b, (*[]json.RawMessage)(e))
	case '{':
		*e = entries{append(json.RawMessage(nil), b...)}
	}
	return nil
}

// label is a scalar as the feed wraps it: {"label": …}. Of a list of them it is the first.
type label string

// UnmarshalJSON takes what it finds; a field that is not as expected must not cost the review.
func (l *label) UnmarshalJSON(b []byte) error {
	*l = ""
	switch b[0] {
	case '[':
		var list []label
		if json.Unmarshal(b, &list) == nil && len(list) > 0 {
			*l = list[0]
		}
	case '{':
		var wrapped struct {
			Label sources.Loose `json:"label"`
		}
		if json.Unmarshal(b, &wrapped) == nil {
			*l = label(wrapped.Label)
		}
	default:
		var bare sources.Loose
		if json.Unmarshal(b, &bare) == nil {
			*l = label(bare)
		}
	}
	return nil
}

// link is a link of an entry, of which there may be several.
type link string

// UnmarshalJSON takes the first address.
func (l *link) UnmarshalJSON(b []byte) error {
	type one struct {
		Attributes struct {
			Href sources.Loose `json:"href"`
		} `json:"attributes"`
	}
	var list []one
	if b[0] == '[' {
		_ = json.Unmarshal(b, &list)
	} else {
		list = make([]one, 1)
		_ = json.Unmarshal(b, &list[0])
	}
	if len(list) > 0 {
		*l = link(list[0].Attributes.Href)
	}
	return nil
}

// review is one entry. The app itself, which some feeds put first, has no rating.
type review struct {
	ID      label  `json:"id"`
	Title   label  `json:"title"`
	Content label  `json:"content"`
	Rating  label  `json:"im:rating"`
	Votes   label  `json:"im:voteSum"`
	Updated label  `json:"updated"`
	Link    link   `json:"link"`
	Author  author `json:"author"`
}

type author struct {
	Name label `json:"name"`
	URI  label `json:"uri"`
}

// UnmarshalJSON takes what it finds.
func (a *author) UnmarshalJSON(b []byte) error {
	type plain author
	if b[0] == '{' {
		_ = json.Unmarshal(b, (*plain)(a))
	}
	return nil
}

// decode reads a page. One without a feed is no page at all: proxies and error pages are such.
func decode(body []byte) (*page, error) {
	var answer struct {
		Feed *page `json:"feed"`
	}
	if err := sources.DecodeJSON(body, &answer); err != nil {
		return nil, fmt.Errorf("this is no review feed: %w", err)
	}
	if answer.Feed == nil {
		return nil, errors.New("this is no review feed")
	}
	return answer.Feed, nil
}

// mentions translates the reviews of a page. What cannot be a mention is counted.
func (s *Source) mentions(p *page, now time.Time, firstContact bool) (ms []sources.Mention, rejected sources.Rejects) {
	for _, raw := range p.Entry {
		var r review
		if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &r) != nil {
			rejected.Add(sources.ErrForm)
			continue
		}
		if r.Rating == "" {
			continue
		}
		m := s.mention(&r)
		if m.CreatedAt.IsZero() && !firstContact {
			m.CreatedAt = now
		}
		if err := sources.Normalize(&m, now); err != nil {
			rejected.Add(err)
			continue
		}
		ms = append(ms, m)
	}
	return ms, rejected
}

func (s *Source) mention(r *review) sources.Mention {
	rating, _ := strconv.ParseFloat(string(r.Rating), 64) // what is no number is no rating
	id, link := string(r.ID), string(r.Link)
	return sources.Mention{
		ID: id, Source: s.opt.Name, Network: "appstore", Kind: sources.Review, Brand: s.opt.Brand,
		Author: sources.Author{ID: reviewer(string(r.Author.URI)), Name: string(r.Author.Name)},
		Title:  sources.PlainText(string(r.Title)), Text: sources.PlainText(string(r.Content)), Rating: rating, URL: link,
		CreatedAt:  sources.Loose(r.Updated).Time(),
		Engagement: sources.Engagement{Likes: sources.Loose(r.Votes).Int()},
	}
}

// reviewer is the number at the end of the address of who wrote a review.
func reviewer(address string) string {
	_, id, _ := strings.Cut(address, "/reviews/id")
	return id
}
