// Package discourse polls a Discourse forum, own or public: all posts, or those that a search finds.
//
// Without a query each poll reads the list of the newest posts and goes back, page by page, to what is known.
// Posts of the last page that were there before and are missing now are asked for one by one: those that are
// gone are told as deleted. With a query the search names the posts, and each new one is fetched, because the
// search shows excerpts only. Either way a poll is one batch, and what was told is remembered in the cursor.
//
// Quotes and link previews are the words of others: they are dropped, so that nobody is judged by what they
// quote. A post that holds nothing else is no mention.
//
// # Caveats
//
// With a key the source sees what its user sees, private categories too. Give it a user who sees no more than
// you want to keep.
//
// Deletions and edits are seen among the newest posts and those that are hot; what is older stays as it was read.
package discourse

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"emberwatch/sources"
)

// Bounds of the interval between polls.
const (
	DefaultEvery = 5 * time.Minute
	MinEvery     = time.Minute
)

const maxSeen = 1000 // mentions that are remembered

// Options configures a [Source].
type Options struct {
	Name   string
	URL    string        // of the forum
	Query  []string      // of searches; none: all posts
	Key    string        // of the API; empty: what everybody may read
	User   string        // whom the key acts for; empty: "system"
	Every  time.Duration // between polls; 0: DefaultEvery
	Brand  string        // of the mentions; empty leaves it to the rules
	Hot    sources.Hot   // posts to look at again; nil: none
	Client *sources.Client
}

// Source polls one forum. It implements [sources.Source].
type Source struct {
	opt  Options
	base *url.URL
}

var _ sources.Source = (*Source)(nil)

// New checks the options and fetches nothing.
func New(opt Options) (*Source, error) {
	if opt.Every == 0 {
		opt.Every = DefaultEvery
	}
	if opt.User == "" {
		opt.User = "system"
	}
	base, err := url.Parse(opt.URL)
	switch {
	case opt.Name == "":
		return nil, errors.New("source of type discourse: name is missing")
	case opt.Client == nil:
		return nil, fmt.Errorf("source %s: client is missing", opt.Name)
	case err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https":
		return nil, fmt.Errorf("source %s: url is not an address of http or https", opt.Name)
	case opt.Every < MinEvery:
		return nil, fmt.Errorf("source %s: every: %v is less than %v", opt.Name, opt.Every, MinEvery)
	}
	opt.URL = strings.TrimRight(opt.URL, "/")
	return &Source{opt: opt, base: base}, nil
}

// Name is the configured name.
func (s *Source) Name() string { return s.opt.Name }

// Type is the name of this type of source in the configuration.
func (s *Source) Type() string { return "discourse" }

// Broken reports whether its circuit breaker is open.
func (s *Source) Broken() bool { return s.opt.Client.Broken() }

// memory is what is remembered between polls: the cursor of the source.
type memory struct {
	Last  int64        `json:"last,omitempty"` // highest post id known
	Page  []int64      `json:"page,omitempty"` // ids of the newest page, to notice what is missing from the next
	Since time.Time    `json:"since,omitzero"` // when the newest post found by a search was written
	Seen  sources.Seen `json:"seen,omitempty"`
}

// findings are what one poll brought.
type findings struct {
	mentions []sources.Mention
	rejected sources.Rejects
	next     memory // without Seen
}

// Run polls until ctx ends or a poll fails.
func (s *Source) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	var known memory
	if len(from) > 0 {
		if err := json.Unmarshal(from, &known); err != nil {
			return fmt.Errorf("source %s: stored cursor: %w", s.opt.Name, err)
		}
	}
	again := &sources.Revisit{Hot: s.opt.Hot, Look: s.look}
	err := s.opt.Client.Poll(ctx, s.opt.Every, func(ctx context.Context) (err error) {
		known, err = s.poll(ctx, known, again, emit)
		return err
	})
	if err != nil {
		return fmt.Errorf("source %s: %w", s.opt.Name, err)
	}
	return nil
}

// poll reads once and hands over what is new. The memory it returns counts only if err is nil.
func (s *Source) poll(ctx context.Context, known memory, again *sources.Revisit, emit sources.Emit) (memory, error) {
	found, err := s.read(ctx, known, time.Now())
	if err != nil {
		return known, err
	}
	hot, err := again.News(ctx)
	if err != nil {
		return known, err
	}
	next := found.next
	next.Seen = known.Seen.With(found.mentions, maxSeen)
	news := known.Seen.News(found.mentions)
	b := sources.Batch{
		Source: s.opt.Name, Mentions: append(news, hot...), Known: len(found.mentions) - len(news), Rejected: found.rejected,
	}
	if b.Cursor, err = json.Marshal(next); err != nil {
		return known, err
	}
	if _, err := emit(ctx, b); err != nil {
		return known, err
	}
	return next, nil
}

func (s *Source) read(ctx context.Context, known memory, now time.Time) (findings, error) {
	if len(s.opt.Query) > 0 {
		return s.search(ctx, known, now)
	}
	return s.latest(ctx, known, now)
}

// get fetches a path of the forum.
func (s *Source) get(ctx context.Context, path string, into any) error {
	header := http.Header{"Accept": {"application/json"}}
	if s.opt.Key != "" {
		header.Set("Api-Key", s.opt.Key)
		header.Set("Api-Username", s.opt.User)
	}
	resp, err := s.opt.Client.Get(ctx, s.opt.URL+path, header)
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	if err := sources.DecodeJSON(resp.Body, into); err != nil {
		return fmt.Errorf("parse: %w", err)
	}
	return nil
}
