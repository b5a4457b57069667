package googleplay

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"emberwatch/sources"
)

// review is one review as the API gives it. Its comments are that of the user, and after it that of the developer.
type review struct {
	ID       sources.Loose     `json:"reviewId"`
	Author   sources.Loose     `json:"authorName"`
	Comments []json.RawMessage `json:"comments"`
}

type userComment struct {
	Text     sources.Loose `json:"text"`
	Original sources.Loose `json:"originalText"` // when text is a translation
	Modified modified      `json:"lastModified"`
	Stars    sources.Loose `json:"starRating"`
	Lang     sources.Loose `json:"reviewerLanguage"`
	ThumbsUp sources.Loose `json:"thumbsUpCount"`
}

type developerComment struct {
	Text     sources.Loose `json:"text"`
	Modified modified      `json:"lastModified"`
}

type modified struct {
	Seconds sources.Loose `json:"seconds"`
}

func (m modified) time() time.Time {
	if n := m.Seconds.Int(); n > 0 {
		return time.Unix(int64(n), 0)
	}
	return time.Time{}
}

// decode reads a page. An empty object is what the API says where there are no reviews.
func (s *Source) decode(body []byte, now time.Time) (sources.Page, error) {
	var answer struct {
		Reviews []json.RawMessage `json:"reviews"`
		Paging  struct {
			Next sources.Loose `json:"nextPageToken"`
		} `json:"tokenPagination"`
		Error json.RawMessage `json:"error"`
	}
	if err := sources.DecodeJSON(body, &answer); err != nil {
		return sources.Page{}, fmt.Errorf("reviews: %w", err)
	}
	if len(answer.Error) > 0 {
		return sources.Page{}, fmt.Errorf("reviews: the answer is an error")
	}
	page := sources.Page{Next: answer.Paging.Next.String()}
	for _, raw := range answer.Reviews {
		var r review
		if json.Unmarshal(raw, &r) != nil {
			page.Rejected.Add(sources.ErrForm)
			continue
		}
		for _, m := range s.mentions(&r) {
			if err := sources.Normalize(&m, now); err != nil {
				page.Rejected.Add(err)
				continue
			}
			page.Mentions = append(page.Mentions, m)
		}
	}
	return page, nil
}

// mentions are the review and what the developer answered. What is neither is no comment.
func (s *Source) mentions(r *review) (ms []sources.Mention) {
	link := "https://play.google.com/store/apps/details?id=" + s.opt.App + "&reviewId=" + url.QueryEscape(r.ID.String())
	about := sources.Mention{Source: s.opt.Name, Network: "googleplay", Brand: s.opt.Brand, URL: link}
	for _, raw := range r.Comments {
		var c struct {
			User      *userComment      `json:"userComment"`
			Developer *developerComment `json:"developerComment"`
		}
		if json.Unmarshal(raw, &c) != nil {
			ms = append(ms, about) // lacks everything: counted as rejected
			continue
		}
		switch m := about; {
		case c.User != nil:
			c.User.fill(&m)
			m.ID = r.ID.String() // of the author too: each has one review, and many have the same name
			m.Author = sources.Author{ID: m.ID, Name: r.Author.String()}
			ms = append(ms, m)
		case c.Developer != nil && r.ID != "":
			m.Kind, m.Text, m.CreatedAt = sources.Comment, sources.PlainText(c.Developer.Text.String()), c.Developer.Modified.time()
			m.ID, m.ParentID, m.RootID = r.ID.String()+":reply", r.ID.String(), r.ID.String()
			m.Author = sources.Author{ID: s.opt.App}
			ms = append(ms, m)
		}
	}
	return ms
}

// fill sets what a user wrote: a title, a tab and a text, of which one may be empty.
func (c *userComment) fill(m *sources.Mention) {
	text := c.Text.String()
	if c.Original != "" {
		text = c.Original.String()
	}
	title, body, ok := strings.Cut(text, "\t")
	if !ok {
		title, body = "", text
	}
	m.Kind = sources.Review
	m.Title, m.Text = sources.PlainText(title), sources.PlainText(body)
	m.Lang, m.Rating, m.CreatedAt = c.Lang.String(), float64(c.Stars.Int()), c.Modified.time()
	m.Engagement.Likes = c.ThumbsUp.Int()
}
