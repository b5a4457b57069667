// Package hackernews polls Hacker News for stories and comments that hold a word, through the search of Algolia.
//
// A poll asks for everything since the newest item that is known, with some minutes of overlap because the index
// lags, and walks over the pages of the answer. All of a poll is one batch: a walk that breaks off half-way is
// begun anew. What was told is remembered in the cursor, so pages that shift while they are read repeat
// nothing. The first poll looks a month back.
//
// The package needs no login and reads no page that an item links to.
//
// # Caveats
//
// The search says nothing about deletions. Points of comments are not public, so only stories are seen to grow.
package hackernews

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"emberwatch/sources"
)

// DefaultURL is where the search lives.
const DefaultURL = "https://hn.algolia.com/api/v1"

// Bounds of the interval between polls.
const (
	DefaultEvery = 5 * time.Minute
	MinEvery     = time.Minute
)

const (
	overlap = 5 * time.Minute // the index may lag
	maxSeen = 1000
)

// Options configures a [Source].
type Options struct {
	Name   string
	URL    string        // of the search; empty: DefaultURL
	Query  []string      // words or phrases; each is searched for by itself
	Every  time.Duration // between polls; 0: DefaultEvery
	Brand  string        // of the mentions; empty leaves it to the rules
	Hot    sources.Hot   // stories to look at again; nil: none
	Client *sources.Client
}

// Source polls one set of queries. It implements [sources.Source].
type Source struct {
	opt Options
}

var _ sources.Source = (*Source)(nil)

// New checks the options and fetches nothing.
func New(opt Options) (*Source, error) {
	if opt.URL == "" {
		opt.URL = DefaultURL
	}
	if opt.Every == 0 {
		opt.Every = DefaultEvery
	}
	u, err := url.Parse(opt.URL)
	switch {
	case opt.Name == "":
		return nil, errors.New("source of type hackernews: name is missing")
	case opt.Client == nil:
		return nil, fmt.Errorf("source %s: client is missing", opt.Name)
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("source %s: url is not an address of http or https", opt.Name)
	case opt.Every < MinEvery:
		return nil, fmt.Errorf("source %s: every: %v is less than %v", opt.Name, opt.Every, MinEvery)
	case len(opt.Query) == 0:
		return nil, fmt.Errorf("source %s: query is missing", opt.Name)
	}
	opt.URL = strings.TrimRight(opt.URL, "/")
	return &Source{opt: opt}, nil
}

// Name is the configured name.
func (s *Source) Name() string { return s.opt.Name }

// Type is the name of this type of source in the configuration.
func (s *Source) Type() string { return "hackernews" }

// Broken reports whether its circuit breaker is open.
func (s *Source) Broken() bool { return s.opt.Client.Broken() }

// memory is what is remembered between polls: the cursor of the source.
type memory struct {
	Since int64        `json:"since"` // when the newest item known was written, in Unix seconds
	Seen  sources.Seen `json:"seen,omitempty"`
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

// poll asks once for each query and hands over what is new. The memory it returns counts only if err is nil.
func (s *Source) poll(ctx context.Context, known memory, again *sources.Revisit, emit sources.Emit) (memory, error) {
	now := time.Now()
	found, err := s.since(ctx, known.start(now), now)
	if err != nil {
		return known, err
	}
	hot, err := again.News(ctx)
	if err != nil {
		return known, err
	}
	news := known.Seen.News(found.mentions)
	b := sources.Batch{
		Source: s.opt.Name, Mentions: append(news, hot...), Known: len(found.mentions) - len(news), Rejected: found.rejected,
	}
	next := memory{Since: max(known.Since, found.newest), Seen: known.Seen.With(found.mentions, maxSeen)}
	if b.Cursor, err = json.Marshal(next); err != nil {
		return known, err
	}
	if _, err := emit(ctx, b); err != nil {
		return known, err
	}
	return next, nil
}

// start is the second after which everything is asked for.
func (m memory) start(now time.Time) int64 {
	if m.Since == 0 {
		return now.Add(-sources.LookBack).Unix()
	}
	return m.Since - int64(overlap/time.Second)
}
