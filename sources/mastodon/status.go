package mastodon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"emberwatch/sources"
)

// status is a post as the API gives it.
type status struct {
	ID         sources.Loose   `json:"id"`
	CreatedAt  sources.Loose   `json:"created_at"`
	EditedAt   sources.Loose   `json:"edited_at"`
	Content    sources.Loose   `json:"content"`
	Warning    sources.Loose   `json:"spoiler_text"`
	Visibility sources.Loose   `json:"visibility"`
	Language   sources.Loose   `json:"language"`
	URL        sources.Loose   `json:"url"`
	URI        sources.Loose   `json:"uri"`
	ReplyTo    sources.Loose   `json:"in_reply_to_id"`
	Replies    sources.Loose   `json:"replies_count"`
	Boosts     sources.Loose   `json:"reblogs_count"`
	Favourites sources.Loose   `json:"favourites_count"`
	Quotes     sources.Loose   `json:"quotes_count"`
	Account    json.RawMessage `json:"account"`
	Media      json.RawMessage `json:"media_attachments"`
	Boosted    json.RawMessage `json:"reblog"`
}

// notice is a notification.
type notice struct {
	ID        sources.Loose   `json:"id"`
	Type      sources.Loose   `json:"type"`
	CreatedAt sources.Loose   `json:"created_at"`
	Account   json.RawMessage `json:"account"`
	Status    json.RawMessage `json:"status"`
}

type account struct {
	ID        sources.Loose `json:"id"`
	Acct      sources.Loose `json:"acct"`
	Name      sources.Loose `json:"display_name"`
	Followers sources.Loose `json:"followers_count"`
}

// author reads an account. Without one the mention has no author; that is no reason to lose it.
func author(raw json.RawMessage) sources.Author {
	var a account
	if len(raw) == 0 || sources.DecodeJSON(raw, &a) != nil {
		return sources.Author{}
	}
	return sources.Author{ID: a.ID.String(), Handle: a.Acct.String(), Name: a.Name.String(), Followers: a.Followers.Int()}
}

// decoder makes a mention of one item of a list. Its id is that of the item in the list.
type decoder func(raw []byte, now time.Time) (id string, m sources.Mention, err error)

// errOther is for items that are fine and no mention.
var errOther = errors.New("not a mention")

// decodeStatus is a decoder of posts.
func (s *Source) decodeStatus(raw []byte, now time.Time) (string, sources.Mention, error) {
	var p status
	if err := sources.DecodeJSON(raw, &p); err != nil {
		return "", sources.Mention{}, err
	}
	m := s.mention(&p)
	return p.ID.String(), m, sources.Normalize(&m, now)
}

// mention translates a post. It is not normalised yet.
func (s *Source) mention(p *status) sources.Mention {
	m := sources.Mention{
		ID: p.ID.String(), Source: s.opt.Name, Network: "mastodon", Brand: s.opt.Brand, Op: sources.Create, Kind: sources.Post,
		Author:    author(p.Account),
		Title:     sources.PlainText(p.Warning.String()),
		Text:      sources.HTMLText(p.Content.String()),
		Lang:      p.Language.String(),
		URL:       p.URL.String(),
		ParentID:  p.ReplyTo.String(),
		CreatedAt: p.CreatedAt.Time(),
		UpdatedAt: p.EditedAt.Time(),
		HasMedia:  len(p.Media) > len("[]") && p.Media[0] == '[',
		Engagement: sources.Engagement{
			Likes: p.Favourites.Int(), Shares: p.Boosts.Int() + p.Quotes.Int(), Replies: p.Replies.Int(),
		},
	}
	if m.URL == "" {
		m.URL = p.URI.String()
	}
	if m.ParentID != "" {
		m.Kind = sources.Comment
	}
	switch p.Visibility {
	case "private":
		m.Visibility = sources.Private
	case "direct":
		m.Kind = sources.DM
	}
	var boosted status
	if len(p.Boosted) > 0 && sources.DecodeJSON(p.Boosted, &boosted) == nil && boosted.ID != "" {
		m.Kind, m.Title, m.Text, m.ParentID = sources.Share, "", "", boosted.ID.String()
	}
	return m
}

// noticeKinds are the kinds of notification that are counted and hold no text.
var noticeKinds = map[sources.Loose]sources.Kind{"reblog": sources.Share, "favourite": sources.Like, "follow": sources.Follow}

// decodeNotice is a decoder of notifications. A mention of the account comes as the post it is.
func (s *Source) decodeNotice(raw []byte, now time.Time) (string, sources.Mention, error) {
	var n notice
	if err := sources.DecodeJSON(raw, &n); err != nil {
		return "", sources.Mention{}, err
	}
	id := n.ID.String()
	var p status
	if len(n.Status) > 0 {
		_ = sources.DecodeJSON(n.Status, &p) // a follow has none
	}
	var m sources.Mention
	if kind, counted := noticeKinds[n.Type]; counted {
		m = sources.Mention{
			ID: "notification:" + id, Source: s.opt.Name, Network: "mastodon", Brand: s.opt.Brand, Op: sources.Create, Kind: kind,
			Author: author(n.Account), ParentID: p.ID.String(), CreatedAt: n.CreatedAt.Time(),
		}
	} else if n.Type == "mention" {
		if m = s.mention(&p); m.Kind != sources.DM {
			m.Kind = sources.Tag
		}
	} else {
		return id, m, errOther
	}
	if id == "" {
		return "", m, errors.New("id: missing")
	}
	return id, m, sources.Normalize(&m, now)
}

// page is one page of a list, newest first.
type page struct {
	ids      []string // also of items that are no mentions
	mentions []sources.Mention
	rejected sources.Rejects
	oldest   time.Time
	older    string // max_id of the page after it; empty: there is none
	walked   int    // pages that were added to it
}

func decodePage(body []byte, link string, decode decoder, now time.Time) (page, error) {
	var items []json.RawMessage
	if err := sources.DecodeJSON(body, &items); err != nil {
		return page{}, fmt.Errorf("parse: %w", err)
	}
	if items == nil {
		return page{}, errors.New("parse: the answer is no list")
	}
	p := page{older: olderThan(link)}
	for _, raw := range items {
		id, m, err := decode(raw, now)
		if id != "" && len(id) <= sources.MaxID {
			p.ids = append(p.ids, id)
		}
		switch {
		case errors.Is(err, errOther):
		case err != nil:
			p.rejected.Add(err)
		default:
			p.mentions = append(p.mentions, m)
			if p.oldest.IsZero() || m.CreatedAt.Before(p.oldest) {
				p.oldest = m.CreatedAt
			}
		}
	}
	return p, nil
}

// reaches reports whether nothing is missing between a page and an id.
func (p *page) reaches(last string) bool {
	for _, id := range p.ids {
		if compareIDs(id, last) <= 0 {
			return true
		}
	}
	return len(p.ids) == 0
}

var nextLink = regexp.MustCompile(`<([^>]*)>\s*;\s*rel="?next"?`)

// olderThan reads from a Link header what the next page begins below. Only that is taken from it: the address may
// be another than the configured one, and our token goes nowhere else.
func olderThan(link string) string {
	found := nextLink.FindStringSubmatch(link)
	if found == nil {
		return ""
	}
	u, err := url.Parse(found[1])
	if err != nil {
		return ""
	}
	return u.Query().Get("max_id")
}

// look reads posts again; those that are gone come as deletes. One that we may no longer read is left as it was.
func (s *Source) look(ctx context.Context, ids []string) (ms []sources.Mention, err error) {
	now := time.Now()
	for _, id := range ids {
		if strings.Contains(id, ":") {
			continue // a notification
		}
		resp, err := s.get(ctx, "/api/v1/statuses/"+url.PathEscape(id), nil)
		status, refused := errors.AsType[*sources.StatusError](err)
		switch {
		case sources.Gone(err):
			if m, err := s.deletion(id, now); err == nil {
				ms = append(ms, m)
			}
		case refused && (status.Status == 401 || status.Status == 403):
		case err != nil:
			return nil, err
		default:
			if _, m, err := s.decodeStatus(resp.Body, now); err == nil && m.ID == id {
				ms = append(ms, m)
			}
		}
	}
	return ms, nil
}

func (s *Source) deletion(id string, now time.Time) (sources.Mention, error) {
	m := sources.Mention{ID: id, Source: s.opt.Name, Network: "mastodon", Brand: s.opt.Brand, Op: sources.Delete, CreatedAt: now}
	return m, sources.Normalize(&m, now)
}
