package bluesky

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

// DefaultAPI is the public AppView, which answers without a login.
const DefaultAPI = "https://public.api.bsky.app"

const (
	lookEvery = 5 * time.Minute
	maxLook   = 25 // posts that app.bsky.feed.getPosts takes at once
)

// lookAgain asks from time to time how far hot posts have spread, until ctx ends. Where that fails the stream goes on:
// Trouble says so.
func (s *Source) lookAgain(ctx context.Context, emit sources.Emit) {
	again := sources.Revisit{Hot: s.opt.Hot, Look: s.look}
	_ = s.opt.Client.Poll(ctx, s.looks, func(ctx context.Context) error {
		err := s.tell(ctx, &again, emit)
		if _, paused := errors.AsType[*sources.PausedError](err); paused {
			return err
		}
		if s.looked.Note(err); err != nil {
			again = sources.Revisit{Hot: s.opt.Hot, Look: s.look} // what it took for told may not have been
		}
		return nil
	})
}

// tell hands over what a second look found.
func (s *Source) tell(ctx context.Context, again *sources.Revisit, emit sources.Emit) error {
	grown, err := again.News(ctx)
	if err != nil || len(grown) == 0 {
		return err
	}
	_, err = emit(ctx, sources.Batch{Source: s.opt.Name, Mentions: grown})
	return err
}

// Trouble is why the last second look failed, nil if it did not.
func (s *Source) Trouble() error {
	if err := s.looked.Err(); err != nil {
		return fmt.Errorf("source %s: second look: %w", s.opt.Name, err)
	}
	return nil
}

// look reads posts again. One that is missing from the answer is left as it was: it may be hidden by a moderator, or
// its account for a while, and what is gone for good the stream tells.
func (s *Source) look(ctx context.Context, ids []string) ([]sources.Mention, error) {
	ids = slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !strings.Contains(id, "/"+posts+"/") })
	if len(ids) == 0 {
		return nil, nil
	}
	query := url.Values{"uris": ids[:min(len(ids), maxLook)]}
	resp, err := s.opt.Client.Get(ctx, s.opt.API+"/xrpc/app.bsky.feed.getPosts?"+query.Encode(), http.Header{"Accept": {"application/json"}})
	if err != nil {
		return nil, err
	}
	ms, err := s.decodeViews(resp.Body, time.Now())
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	return slices.DeleteFunc(ms, func(m sources.Mention) bool { return !slices.Contains(ids, m.ID) }), nil
}

// view is a post as the AppView shows it.
type view struct {
	URI       sources.Loose   `json:"uri"`
	Author    json.RawMessage `json:"author"`
	Record    json.RawMessage `json:"record"`
	IndexedAt sources.Loose   `json:"indexedAt"`
	Likes     sources.Loose   `json:"likeCount"`
	Reposts   sources.Loose   `json:"repostCount"`
	Quotes    sources.Loose   `json:"quoteCount"`
	Replies   sources.Loose   `json:"replyCount"`
}

// decodeViews reads the answer to a second look. What cannot be read is left out: it stays as it was.
func (s *Source) decodeViews(body []byte, now time.Time) (ms []sources.Mention, err error) {
	var answer struct {
		Posts []json.RawMessage `json:"posts"`
	}
	if err := sources.DecodeJSON(body, &answer); err != nil {
		return nil, err
	}
	if answer.Posts == nil {
		return nil, errors.New("the answer has no list of posts")
	}
	for _, raw := range answer.Posts {
		var v view
		if json.Unmarshal(raw, &v) != nil { // its depth has been checked with the answer
			continue
		}
		if m, err := s.viewed(&v, now); err == nil {
			ms = append(ms, m)
		}
	}
	return ms, nil
}

// viewed makes a mention of a post as the stream would, with what the stream does not know: names and numbers.
func (s *Source) viewed(v *view, now time.Time) (m sources.Mention, err error) {
	did, path, _ := strings.Cut(strings.TrimPrefix(v.URI.String(), "at://"), "/")
	collection, rkey, _ := strings.Cut(path, "/")
	e := event{did: did}
	if at := v.IndexedAt.Time(); !at.IsZero() {
		e.timeUS = at.UnixMicro()
	}
	err = e.fill(&commit{Operation: "update", Collection: sources.Loose(collection), Rkey: rkey, Record: v.Record})
	if err != nil || e.id != v.URI.String() {
		return m, errors.Join(err, errors.New("uri: it names no post"))
	}
	s.sift(&e)
	if m, err = s.mention(&e, now); err != nil {
		return m, err
	}
	author := part[struct {
		Handle sources.Loose `json:"handle"`
		Name   sources.Loose `json:"displayName"`
	}](v.Author)
	if m.Author.Name = author.Name.String(); author.Handle != "handle.invalid" {
		m.Author.Handle = author.Handle.String()
	}
	m.Engagement = sources.Engagement{Likes: v.Likes.Int(), Shares: v.Reposts.Int() + v.Quotes.Int(), Replies: v.Replies.Int()}
	return m, sources.Normalize(&m, now)
}
