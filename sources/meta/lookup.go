package meta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"emberwatch/sources"
)

const (
	maxLookups = 20               // of one delivery; the others stay without text
	lookupTime = 15 * time.Second // for all of them: the sender waits
)

// asked is an Instagram mention of which only the id is known.
type asked struct {
	edge string // mentioned_comment or mentioned_media; empty: nothing is missing
	id   string
}

// fields are what is asked for, by edge.
var fields = map[string]string{
	"mentioned_comment": "mentioned_comment.comment_id(%s){id,text,timestamp,username,like_count}",
	"mentioned_media":   "mentioned_media.media_id(%s){id,caption,timestamp,username,permalink,like_count,comments_count}",
}

// found is what the Graph API says about a comment or a medium.
type found struct {
	Text      string `json:"text"`
	Caption   string `json:"caption"`
	Timestamp string `json:"timestamp"`
	Username  string `json:"username"`
	Permalink string `json:"permalink"`
	Likes     int    `json:"like_count"`
	Comments  int    `json:"comments_count"`
}

// complete looks up what notices lack, if there is a token. What the server refuses for good stays without text,
// and counts as a tag all the same; any other failure is an error: the delivery will come again.
func (s *Source) complete(ctx context.Context, told []notice) error {
	if s.opt.Token == "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTime)
	defer cancel()
	lookups := 0
	for i := range told {
		n := &told[i]
		if n.ask.edge == "" || !digits(n.ask.id) || !digits(n.account) || lookups == maxLookups {
			continue
		}
		lookups++
		answer, err := s.lookup(ctx, n.account, n.ask)
		s.asked.Note(err)
		if err != nil && !final(err) {
			return fmt.Errorf("look up a mention: %w", err)
		}
		if err != nil {
			s.opt.Log.Warn("mention without text", "source", s.opt.Name, "error", err)
			continue
		}
		answer.addTo(&n.mention)
	}
	return nil
}

func digits(id string) bool { return id != "" && len(id) <= 32 && strings.Trim(id, "0123456789") == "" }

// throttled are the codes of errors that pass by themselves, which come with a status that speaks of others: limits
// of the app, the user, the Page and of one call.
var throttled = []int{1, 2, 4, 17, 32, 613}

// final reports an answer that asking again does not change.
func final(err error) bool {
	status, ok := errors.AsType[*sources.StatusError](err)
	if !ok {
		return errors.Is(err, errForm)
	}
	var told struct {
		Error struct {
			Code      int  `json:"code"`
			Transient bool `json:"is_transient"`
		} `json:"error"`
	}
	if json.Unmarshal(status.Body, &told) == nil && (told.Error.Transient || slices.Contains(throttled, told.Error.Code)) {
		return false
	}
	return status.Status >= 400 && status.Status < 500 && status.Status != http.StatusRequestTimeout &&
		status.Status != http.StatusTooEarly && status.Status != http.StatusTooManyRequests
}

var errForm = errors.New("the answer is not what was asked for")

func (s *Source) lookup(ctx context.Context, account string, what asked) (*found, error) {
	address := s.opt.URL + "/" + account + "?fields=" + url.QueryEscape(fmt.Sprintf(fields[what.edge], what.id))
	resp, err := s.opt.Client.Get(ctx, address, http.Header{"Authorization": {"Bearer " + s.opt.Token}})
	if err != nil {
		return nil, err
	}
	return decodeFound(resp.Body, what.edge)
}

func decodeFound(body []byte, edge string) (*found, error) {
	var edges map[string]json.RawMessage
	var f found
	if err := sources.DecodeJSON(body, &edges); err != nil { // a half of it, or the page of something between
		return nil, err
	}
	if json.Unmarshal(edges[edge], &f) != nil {
		return nil, errForm
	}
	return &f, nil
}

// addTo fills in what the notification did not say.
func (f *found) addTo(m *sources.Mention) {
	m.Text = first(f.Text, f.Caption)
	m.Author.Handle = f.Username
	m.URL = f.Permalink
	m.Engagement = sources.Engagement{Likes: f.Likes, Replies: f.Comments}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if at, err := time.Parse(layout, f.Timestamp); err == nil {
			m.CreatedAt = at
		}
	}
}
