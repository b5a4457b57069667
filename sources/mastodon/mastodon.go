// Package mastodon reads hashtags from a Mastodon server and, with a token, what reaches the brand's account.
//
// Each poll reads the newest page of every hashtag. Where that does not reach back to what is known, it walks
// forward from there (min_id), page by page, and each page is a batch of its own: a walk that breaks off is
// continued. Edits are seen because the content of a known id is another; a post that is missing from a page
// it was on is asked for by itself and, if it is gone, told as deleted.
//
// With a token the same comes over streams (server-sent events) within a second, edits and deletions of older
// posts too, together with the notifications of the account: mentions, boosts, favourites and new followers.
// The polls go on beside them and fill what a broken stream has left out: only polls move the cursor.
//
// # Caveats
//
// A token sees what its account sees. Posts that are not public are kept as private.
//
// Boosts, favourites and followers carry no text that names a brand: they count only where the source has one.
package mastodon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"emberwatch/sources"
)

// Bounds of the interval between polls.
const (
	DefaultEvery = 2 * time.Minute
	MinEvery     = time.Minute
)

const maxSeen = 1000 // mentions that are remembered

// Options configures a [Source].
type Options struct {
	Name     string
	URL      string   // of the server
	Hashtags []string // with or without "#"
	Token    string   // of an account, with read:statuses and read:notifications; empty: hashtags are polled
	Every    time.Duration
	Brand    string      // of the mentions; empty leaves it to the rules
	Hot      sources.Hot // posts to look at again; nil: none
	Client   *sources.Client
}

// Source reads from one server. It implements [sources.Source].
type Source struct {
	opt  Options
	idle time.Duration // longest silence of a stream, which sends a heartbeat every 15 s
}

var _ sources.Source = (*Source)(nil)

// New checks the options and fetches nothing.
func New(opt Options) (*Source, error) {
	if opt.Every == 0 {
		opt.Every = DefaultEvery
	}
	u, err := url.Parse(opt.URL)
	switch {
	case opt.Name == "":
		return nil, errors.New("source of type mastodon: name is missing")
	case opt.Client == nil:
		return nil, fmt.Errorf("source %s: client is missing", opt.Name)
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("source %s: url is not an address of http or https", opt.Name)
	case opt.Every < MinEvery:
		return nil, fmt.Errorf("source %s: every: %v is less than %v", opt.Name, opt.Every, MinEvery)
	case len(opt.Hashtags) == 0 && opt.Token == "":
		return nil, fmt.Errorf("source %s: there are neither hashtags nor a token", opt.Name)
	}
	opt.URL = strings.TrimRight(opt.URL, "/")
	tags := make([]string, len(opt.Hashtags))
	for i, tag := range opt.Hashtags {
		if tags[i] = strings.ToLower(strings.TrimLeft(strings.TrimSpace(tag), "#")); tags[i] == "" {
			return nil, fmt.Errorf("source %s: hashtag %d is empty", opt.Name, i+1)
		}
	}
	opt.Hashtags = tags
	return &Source{opt: opt, idle: opt.Client.Pace(90 * time.Second)}, nil
}

// Name is the configured name.
func (s *Source) Name() string { return s.opt.Name }

// Type is the name of this type of source in the configuration.
func (s *Source) Type() string { return "mastodon" }

// Broken reports whether its circuit breaker is open.
func (s *Source) Broken() bool { return s.opt.Client.Broken() }

// Run polls, and with a token listens too, until ctx ends or one of both fails.
func (s *Source) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	r, err := s.resume(from, emit)
	if err != nil {
		return fmt.Errorf("source %s: %w", s.opt.Name, err)
	}
	if err := r.listenAndPoll(ctx); err != nil {
		return fmt.Errorf("source %s: %w", s.opt.Name, err)
	}
	return nil
}

// run is one run of a source.
type run struct {
	*Source
	emit  sources.Emit
	again sources.Revisit

	mu    sync.Mutex // guards known, and has one batch follow the other
	known memory
}

// memory is what is remembered: the cursor of the source.
type memory struct {
	Tags   map[string]place `json:"tags,omitempty"`
	Notice string           `json:"notice,omitempty"` // id of the newest notification that a poll has read
	Seen   sources.Seen     `json:"seen,omitempty"`
}

// place is how far the polls have read a hashtag.
type place struct {
	Last string   `json:"last"`           // id of the newest post read
	Page []string `json:"page,omitempty"` // ids of the newest page, to notice what is missing from the next
}

func (s *Source) resume(from sources.Cursor, emit sources.Emit) (*run, error) {
	r := &run{Source: s, emit: emit, again: sources.Revisit{Hot: s.opt.Hot, Look: s.look}}
	if len(from) > 0 {
		if err := json.Unmarshal(from, &r.known); err != nil {
			return nil, fmt.Errorf("stored cursor: %w", err)
		}
	}
	return r, nil
}

// listenAndPoll opens the streams before it polls, so that nothing comes between both. Where they cannot be opened it
// polls once all the same.
func (r *run) listenAndPoll(ctx context.Context) error {
	if r.opt.Token == "" {
		return r.opt.Client.Poll(ctx, r.opt.Every, r.poll)
	}
	ctx, stop := context.WithCancelCause(ctx)
	var streams sync.WaitGroup
	defer streams.Wait()
	defer stop(nil) // before the wait
	refused := r.listen(ctx, &streams, stop)
	err := r.opt.Client.Poll(ctx, r.opt.Every, func(ctx context.Context) error {
		if err := r.poll(ctx); err != nil {
			return err
		}
		return refused
	})
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause // why a stream ended
	}
	return err
}

// handOver gives a batch of what is new of ms; move changes how far has been read, and has the memory stored with the
// batch. Nothing counts before the batch is durable.
func (r *run) handOver(ctx context.Context, ms []sources.Mention, rejected sources.Rejects, move func(*memory)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := r.known
	next.Seen = r.known.Seen.With(ms, maxSeen)
	b := sources.Batch{Source: r.opt.Name, Mentions: r.known.Seen.News(ms), Rejected: rejected}
	b.Known = len(ms) - len(b.Mentions)
	if move != nil { // else it comes from a stream, one by one, and the next poll stores it
		move(&next)
		cursor, err := json.Marshal(next)
		if err != nil {
			return err
		}
		b.Cursor = cursor
	}
	if _, err := r.emit(ctx, b); err != nil {
		return err
	}
	r.known = next
	return nil
}

// get fetches a path of the server.
func (s *Source) get(ctx context.Context, path string, q url.Values) (*sources.Response, error) {
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	resp, err := s.opt.Client.Get(ctx, s.opt.URL+path, s.header())
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	return resp, nil
}

func (s *Source) header() http.Header {
	h := http.Header{"Accept": {"application/json"}}
	if s.opt.Token != "" {
		h.Set("Authorization", "Bearer "+s.opt.Token)
	}
	return h
}
