package hackernews

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"emberwatch/sources"
)

const (
	perPage  = 100
	maxPages = 10 // the search gives no more than 1000 hits
)

// findings are what a walk over pages brought.
type findings struct {
	mentions []sources.Mention
	rejected sources.Rejects
	newest   int64 // Unix seconds
}

// page is one answer of the search.
type page struct {
	Hits  []json.RawMessage `json:"hits"`
	Pages sources.Loose     `json:"nbPages"`
}

// hit is a story or a comment.
type hit struct {
	ID          sources.Loose `json:"objectID"`
	Author      sources.Loose `json:"author"`
	Title       sources.Loose `json:"title"`
	StoryText   sources.Loose `json:"story_text"`
	CommentText sources.Loose `json:"comment_text"`
	StoryID     sources.Loose `json:"story_id"`
	ParentID    sources.Loose `json:"parent_id"`
	CreatedAt   sources.Loose `json:"created_at_i"`
	Points      sources.Loose `json:"points"`
	Comments    sources.Loose `json:"num_comments"`
}

// since asks for everything that was written after a second, for each query in turn.
func (s *Source) since(ctx context.Context, second int64, now time.Time) (findings, error) {
	var all findings
	for i, query := range s.opt.Query {
		for at := 0; at < maxPages; at++ {
			last, err := s.fetch(ctx, &all, url.Values{
				"query":          {phrase(query)},
				"advancedSyntax": {"true"}, // what is quoted is a phrase
				"typoTolerance":  {"false"},
				"tags":           {"(story,comment)"},
				"numericFilters": {fmt.Sprintf("created_at_i>%d", second)},
				"hitsPerPage":    {strconv.Itoa(perPage)},
				"page":           {strconv.Itoa(at)},
			}, now)
			if err != nil {
				return findings{}, fmt.Errorf("query %d: %w", i+1, err)
			}
			if last <= at {
				break
			}
		}
	}
	return all, nil
}

// phrase has several words stand together.
func phrase(query string) string {
	if strings.ContainsAny(query, " \t") {
		return strconv.Quote(query)
	}
	return query
}

// fetch adds one page to the findings and returns the number of the last page.
func (s *Source) fetch(ctx context.Context, to *findings, q url.Values, now time.Time) (last int, err error) {
	resp, err := s.opt.Client.Get(ctx, s.opt.URL+"/search_by_date?"+q.Encode(), nil)
	if err != nil {
		return 0, fmt.Errorf("fetch: %w", err)
	}
	if last, err = s.decode(resp.Body, to, now); err != nil {
		return 0, fmt.Errorf("parse: %w", err)
	}
	return last, nil
}

func (s *Source) decode(body []byte, to *findings, now time.Time) (last int, err error) {
	var p page
	if err := sources.DecodeJSON(body, &p); err != nil {
		return 0, err
	}
	if p.Hits == nil {
		return 0, errors.New("the answer has no hits, not even an empty list of them")
	}
	for _, raw := range p.Hits {
		var h hit
		if sources.DecodeJSON(raw, &h) != nil {
			to.rejected.Add(sources.ErrForm)
			continue
		}
		m := s.mention(&h)
		if err := sources.Normalize(&m, now); err != nil {
			to.rejected.Add(err)
			continue
		}
		to.mentions = append(to.mentions, m)
		to.newest = max(to.newest, min(m.CreatedAt.Unix(), now.Unix()))
	}
	return p.Pages.Int() - 1, nil
}

// mention translates a hit. It is not normalised yet.
func (s *Source) mention(h *hit) sources.Mention {
	id := h.ID.String()
	m := sources.Mention{
		ID: id, Source: s.opt.Name, Network: "hackernews", Brand: s.opt.Brand, Op: sources.Create,
		Kind:     sources.Post,
		Title:    sources.HTMLText(h.Title.String()),
		Text:     sources.HTMLText(h.StoryText.String()),
		Author:   sources.Author{ID: h.Author.String(), Handle: h.Author.String()},
		ParentID: h.ParentID.String(),
		RootID:   h.StoryID.String(),
		Engagement: sources.Engagement{
			Likes: h.Points.Int(), Replies: h.Comments.Int(),
		},
	}
	if m.RootID == id { // a story is its own
		m.RootID = ""
	}
	if h.CommentText != "" {
		m.Kind, m.Title, m.Text = sources.Comment, "", sources.HTMLText(h.CommentText.String())
	}
	if id != "" {
		m.URL = "https://news.ycombinator.com/item?id=" + url.QueryEscape(id)
	}
	if at := h.CreatedAt.Int(); at > 0 {
		m.CreatedAt = time.Unix(int64(at), 0)
	}
	return m
}

// look reads stories again, to see how they grew.
func (s *Source) look(ctx context.Context, ids []string) ([]sources.Mention, error) {
	tags := ""
	for _, id := range ids {
		if n, err := strconv.ParseUint(id, 10, 63); err == nil {
			tags += fmt.Sprintf(",story_%d", n)
		}
	}
	if tags == "" {
		return nil, nil
	}
	var found findings
	_, err := s.fetch(ctx, &found, url.Values{
		"tags": {"story,(" + tags[1:] + ")"}, "hitsPerPage": {strconv.Itoa(perPage)},
	}, time.Now())
	return found.mentions, err
}
