package youtube

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"emberwatch/sources"
)

const network = "youtube"

// threadPage is a page of threads, read: the comments that begin them and the answers that came along.
type threadPage struct {
	mentions []sources.Mention
	rejected sources.Rejects
	next     string
	more     []thread // with answers that did not come along
}

type thread struct {
	id, video string
	answers   int
}

// comment is one comment as the API gives it.
type comment struct {
	ID      sources.Loose `json:"id"`
	Snippet struct {
		Video     sources.Loose `json:"videoId"`
		Parent    sources.Loose `json:"parentId"`
		Display   sources.Loose `json:"textDisplay"`
		Original  sources.Loose `json:"textOriginal"`
		Author    sources.Loose `json:"authorDisplayName"`
		Channel   author        `json:"authorChannelId"`
		Likes     sources.Loose `json:"likeCount"`
		Published sources.Loose `json:"publishedAt"`
		Updated   sources.Loose `json:"updatedAt"`
	} `json:"snippet"`
}

// author is the channel of who wrote a comment, which may be missing.
type author struct{ ID sources.Loose }

// UnmarshalJSON takes what it finds; a field that is not as expected must not cost the comment.
func (a *author) UnmarshalJSON(b []byte) error {
	var wrapped struct {
		Value sources.Loose `json:"value"`
	}
	if b[0] == '{' && json.Unmarshal(b, &wrapped) == nil {
		a.ID = wrapped.Value
	}
	return nil
}

// list is what every answer of the API that lists something looks like.
type list struct {
	Items []json.RawMessage `json:"items"`
	Next  sources.Loose     `json:"nextPageToken"`
}

func decodeList(body []byte) (*list, error) {
	var l *list
	if err := sources.DecodeJSON(body, &l); err != nil {
		return nil, err
	}
	if l == nil || l.Items == nil {
		return nil, errors.New("the answer is no list")
	}
	return l, nil
}

// decodeThreads reads an answer of commentThreads.list.
func (s *Source) decodeThreads(body []byte, now time.Time) (*threadPage, error) {
	l, err := decodeList(body)
	if err != nil {
		return nil, err
	}
	p := &threadPage{next: l.Next.String()}
	for _, raw := range l.Items {
		var t struct {
			Snippet struct {
				Video   sources.Loose `json:"videoId"`
				Top     comment       `json:"topLevelComment"`
				Answers sources.Loose `json:"totalReplyCount"`
			} `json:"snippet"`
			Replies struct {
				Comments []json.RawMessage `json:"comments"`
			} `json:"replies"`
		}
		if json.Unmarshal(raw, &t) != nil {
			p.rejected.Add(sources.ErrForm)
			continue
		}
		videoOf := func(string) string { return t.Snippet.Video.String() }
		top := s.mention(&t.Snippet.Top, videoOf)
		top.Engagement.Replies = t.Snippet.Answers.Int()
		p.add(top, now)
		for _, reply := range t.Replies.Comments {
			p.add(s.reply(reply, videoOf), now)
		}
		if id := t.Snippet.Top.ID.String(); id != "" && t.Snippet.Answers.Int() > len(t.Replies.Comments) {
			p.more = append(p.more, thread{id, t.Snippet.Video.String(), t.Snippet.Answers.Int()})
		}
	}
	return p, nil
}

// add takes a comment if it is a mention.
func (p *threadPage) add(m sources.Mention, now time.Time) {
	if err := sources.Normalize(&m, now); err != nil {
		p.rejected.Add(err)
		return
	}
	p.mentions = append(p.mentions, m)
}

// decodeComments reads an answer of comments.list. Which video a comment stands under is asked of videoOf.
func (s *Source) decodeComments(body []byte, videoOf func(id string) string, now time.Time) (sources.Page, error) {
	l, err := decodeList(body)
	if err != nil {
		return sources.Page{}, err
	}
	var p threadPage
	for _, raw := range l.Items {
		p.add(s.reply(raw, videoOf), now)
	}
	return sources.Page{Mentions: p.mentions, Rejected: p.rejected, Next: l.Next.String()}, nil
}

// reply reads a comment; one that cannot be read lacks everything.
func (s *Source) reply(raw json.RawMessage, videoOf func(id string) string) sources.Mention {
	var c comment
	if json.Unmarshal(raw, &c) != nil {
		return sources.Mention{}
	}
	return s.mention(&c, videoOf)
}

// mention translates a comment. A thread hangs under its video, an answer under the thread.
func (s *Source) mention(c *comment, videoOf func(id string) string) sources.Mention {
	video := c.Snippet.Video.String()
	if video == "" {
		video = videoOf(c.ID.String())
	}
	m := sources.Mention{
		ID: c.ID.String(), Source: s.opt.Name, Network: network, Kind: sources.Comment, Brand: s.opt.Brand,
		Author: sources.Author{ID: c.Snippet.Channel.ID.String()}, Text: c.Snippet.Original.String(),
		ParentID: c.Snippet.Parent.String(), RootID: video, Engagement: sources.Engagement{Likes: c.Snippet.Likes.Int()},
		CreatedAt: c.Snippet.Published.Time(),
	}
	if m.Text == "" {
		m.Text = sources.PlainText(c.Snippet.Display.String())
	}
	if m.ParentID == "" {
		m.ParentID = video
	}
	if video != "" {
		m.URL = "https://www.youtube.com/watch?v=" + video + "&lc=" + m.ID
	}
	if name := c.Snippet.Author.String(); strings.HasPrefix(name, "@") {
		m.Author.Handle = name
	} else {
		m.Author.Name = name
	}
	if at := c.Snippet.Updated.Time(); at.After(m.CreatedAt) {
		m.UpdatedAt = at
	}
	return m
}
