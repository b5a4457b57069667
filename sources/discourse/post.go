package discourse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/html"

	"emberwatch/sources"
)

// post is one post as the API gives it.
type post struct {
	ID          sources.Loose     `json:"id"`
	UserID      sources.Loose     `json:"user_id"`
	Username    sources.Loose     `json:"username"`
	FullName    sources.Loose     `json:"name"`
	Cooked      sources.Loose     `json:"cooked"`
	Raw         sources.Loose     `json:"raw"`
	CreatedAt   sources.Loose     `json:"created_at"`
	UpdatedAt   sources.Loose     `json:"updated_at"`
	Number      sources.Loose     `json:"post_number"`
	Type        sources.Loose     `json:"post_type"`
	TopicID     sources.Loose     `json:"topic_id"`
	TopicTitle  sources.Loose     `json:"topic_title"`
	Address     sources.Loose     `json:"post_url"`
	Replies     sources.Loose     `json:"reply_count"`
	Reads       sources.Loose     `json:"reads"`
	Hidden      sources.Loose     `json:"hidden"`
	UserDeleted sources.Loose     `json:"user_deleted"`
	DeletedAt   sources.Loose     `json:"deleted_at"`
	Actions     []json.RawMessage `json:"actions_summary"`
}

// errNoWords: a post that is none of its author's own words, or a note of the system.
var errNoWords = errors.New("the post holds no words of its own")

// look reads posts again; those that are gone come as deletes.
func (s *Source) look(ctx context.Context, ids []string) (ms []sources.Mention, err error) {
	now := time.Now()
	for _, id := range ids {
		if _, err := strconv.ParseUint(id, 10, 63); err != nil {
			continue // no id of this source's
		}
		m, err := s.post(ctx, id, now)
		switch {
		case isGone(err):
			m = sources.Mention{ID: id, Op: sources.Delete, CreatedAt: now}
			if err := s.complete(&m, now); err != nil {
				return nil, err
			}
		case errors.Is(err, errNoWords):
			continue
		case err != nil:
			return nil, err
		}
		ms = append(ms, m)
	}
	return ms, nil
}

// isGone also takes a refusal for a deletion: the post was readable before.
func isGone(err error) bool {
	status, ok := errors.AsType[*sources.StatusError](err)
	return sources.Gone(err) || ok && status.Status == http.StatusForbidden
}

// post fetches one post.
func (s *Source) post(ctx context.Context, id string, now time.Time) (sources.Mention, error) {
	var raw json.RawMessage
	if err := s.get(ctx, "/posts/"+id+".json", &raw); err != nil {
		return sources.Mention{}, err
	}
	_, m, err := s.decode(raw, now)
	return m, err
}

// decode reads a post and makes a mention of it.
func (s *Source) decode(raw []byte, now time.Time) (p post, m sources.Mention, err error) {
	if err := sources.DecodeJSON(raw, &p); err != nil {
		return post{}, m, fmt.Errorf("parse: post: %w", err)
	}
	m = s.mention(&p)
	if t := p.Type.Int(); t > 1 { // notes of moderators and of the system, whispers
		return p, m, errNoWords
	}
	if m.Op != sources.Delete && m.ID != "" && strings.TrimSpace(m.Title+m.Text) == "" {
		return p, m, errNoWords
	}
	if err := s.complete(&m, now); err != nil {
		return p, m, fmt.Errorf("parse: post: %w", err)
	}
	return p, m, nil
}

func (s *Source) complete(m *sources.Mention, now time.Time) error {
	m.Source, m.Network, m.Brand = s.opt.Name, "discourse", s.opt.Brand
	return sources.Normalize(m, now)
}

// mention translates a post. It is neither complete nor normalised yet.
func (s *Source) mention(p *post) sources.Mention {
	m := sources.Mention{
		ID: p.ID.String(), Kind: sources.Comment, Op: sources.Create, CreatedAt: p.CreatedAt.Time(), URL: s.address(p),
	}
	if p.TopicID != "" {
		m.RootID = "topic:" + p.TopicID.String()
	}
	if p.Number.Int() == 1 {
		m.Kind = sources.Post
	}
	if p.Hidden.True() || p.UserDeleted.True() || p.DeletedAt != "" {
		m.Op = sources.Delete
		return m
	}
	m.Author = sources.Author{ID: p.UserID.String(), Handle: p.Username.String(), Name: p.FullName.String()}
	m.Text = text(p)
	if m.Kind == sources.Post {
		m.Title = sources.PlainText(p.TopicTitle.String())
	}
	if at := p.UpdatedAt.Time(); at.After(m.CreatedAt) {
		m.UpdatedAt = at
	}
	m.Engagement = sources.Engagement{Likes: p.likes(), Replies: p.Replies.Int()}
	if p.Reads != "" {
		reads := p.Reads.Int()
		m.Engagement.Views = &reads
	}
	return m
}

// address is where people read the post.
func (s *Source) address(p *post) string {
	path := p.Address.String()
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		return s.opt.URL + "/p/" + strconv.Itoa(p.ID.Int())
	}
	at, err := s.base.Parse(path)
	if err != nil {
		return ""
	}
	return at.String()
}

// likes are actions of kind 2.
func (p *post) likes() int {
	for _, raw := range p.Actions {
		var a struct{ ID, Count sources.Loose }
		if sources.DecodeJSON(raw, &a) == nil && a.ID == "2" {
			return a.Count.Int()
		}
	}
	return 0
}

// quoted matches a quote in the source text of a post, which is used only where the rendered one is missing.
var quoted = regexp.MustCompile(`(?is)\[quote\b[^\]]*\].*?\[/quote\]`)

// text is what the author wrote.
func text(p *post) string {
	if p.Cooked == "" {
		return strings.TrimSpace(quoted.ReplaceAllString(p.Raw.String(), "\n"))
	}
	return sources.HTMLText(withoutQuotes(p.Cooked.String()))
}

// withoutQuotes takes block quotes and asides (quotes with a name, previews of links) out of HTML.
func withoutQuotes(cooked string) string {
	var out strings.Builder
	depth := 0
	for z := html.NewTokenizer(strings.NewReader(cooked)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			return out.String()
		}
		raw := string(z.Raw()) // TagName changes what it points to
		name, _ := z.TagName()
		foreign := string(name) == "aside" || string(name) == "blockquote"
		switch {
		case foreign && kind == html.StartTagToken:
			depth++
			out.WriteString("<br>")
		case foreign && kind == html.EndTagToken:
			depth = max(depth-1, 0)
		case depth == 0:
			out.WriteString(raw)
		}
	}
}
