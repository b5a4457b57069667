// Package feed polls RSS, Atom and JSON feeds: news, blogs, forums, status pages, and the feeds of Google
// Alerts.
//
// Each poll is one conditional GET through the guarded client. What comes back is checked for size, nesting
// and DTDs before a parser sees it, becomes mentions in the order of the document, and is compared with what
// was seen before: a new id is created, a known id with other content is updated, the rest is left out. What
// was seen is part of the cursor, so a restart repeats nothing. Every poll emits, also one that found
// nothing.
//
// A failed poll ends Run: the supervisor starts it again, later each time and never before the server's
// Retry-After.
//
// The package fetches the feed and nothing a feed points to.
//
// # Caveats
//
// Feeds do not say that an item was deleted. An item that falls out of the document is forgotten after some
// thousand others and would count as new if it came back.
//
// Of a document with more than 5000 items the first 5000 are taken, in nearly all feeds the newest; the others
// count as rejected.
package feed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"emberwatch/sources"
)

// Bounds of the interval between polls.
const (
	DefaultEvery = 10 * time.Minute
	MinEvery     = time.Minute
)

// Options configures a [Source].
type Options struct {
	Name    string
	URL     string
	Every   time.Duration // between polls; 0: DefaultEvery
	Kind    sources.Kind  // of the mentions; empty: Article
	Network string        // of the mentions, if they come from one
	Brand   string        // of the mentions; empty leaves it to the rules
	Header  http.Header   // sent along, for feeds that ask for a key
	Client  *sources.Client
}

// Source polls one feed. It implements [sources.Source].
type Source struct {
	opt Options
}

var _ sources.Source = (*Source)(nil)

// New checks the options and fetches nothing.
func New(opt Options) (*Source, error) {
	u, err := url.Parse(opt.URL)
	switch {
	case opt.Name == "":
		return nil, errors.New("source of type feed: name is missing")
	case opt.Client == nil:
		return nil, fmt.Errorf("source %s: client is missing", opt.Name)
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("source %s: url is not an address of http or https", opt.Name)
	case opt.Every != 0 && opt.Every < MinEvery:
		return nil, fmt.Errorf("source %s: every: %v is less than %v", opt.Name, opt.Every, MinEvery)
	case opt.Kind != "" && !slices.Contains(sources.Kinds, opt.Kind):
		return nil, fmt.Errorf("source %s: kind %q is not one of a mention", opt.Name, opt.Kind)
	}
	if opt.Every == 0 {
		opt.Every = DefaultEvery
	}
	if opt.Kind == "" {
		opt.Kind = sources.Article
	}
	return &Source{opt: opt}, nil
}

// Name is the configured name.
func (s *Source) Name() string { return s.opt.Name }

// Type is the name of this type of source in the configuration.
func (s *Source) Type() string { return "feed" }

// Broken reports whether its circuit breaker is open.
func (s *Source) Broken() bool { return s.opt.Client.Broken() }

// Run polls until ctx ends or a poll fails.
func (s *Source) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	seen, err := parseMemory(from, s.opt.URL)
	if err != nil {
		return fmt.Errorf("source %s: %w", s.opt.Name, err)
	}
	err = s.opt.Client.Poll(ctx, s.opt.Every, func(ctx context.Context) error {
		seen, err = s.poll(ctx, seen, emit)
		return err
	})
	if err != nil {
		return fmt.Errorf("source %s: %w", s.opt.Name, err)
	}
	return nil
}

// poll fetches once and hands over what is new. The memory it returns counts only if err is nil.
func (s *Source) poll(ctx context.Context, seen memory, emit sources.Emit) (memory, error) {
	doc, err := s.fetch(ctx, seen)
	if err != nil {
		return seen, err
	}
	b := sources.Batch{Source: s.opt.Name}
	if doc != nil {
		next := seen.after(doc)
		b.Mentions, b.Rejected = seen.Seen.News(doc.mentions), doc.rejected
		b.Known = len(doc.mentions) - len(b.Mentions)
		if b.Cursor, err = next.cursor(); err != nil {
			return seen, err
		}
		seen = next
	}
	_, err = emit(ctx, b)
	return seen, err
}
