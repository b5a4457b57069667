// Package appstore polls the public feed of customer reviews that Apple's App Store has for every app and country.
//
// A poll goes from country to country, and in each from the newest page on until one holds nothing new; each country
// is one batch. What was told is remembered in the cursor. When a walk breaks off, what was read is handed over, and
// the next walk does not stop before it has passed the place. One country that fails does not keep the others from
// being read, but the poll then fails as a whole, so that it is known.
//
// The feed needs no login and is not documented. It is seen to be empty for a while although there are reviews: after
// earlier reviews that is a failure, not news.
//
// # Caveats
//
// The feed holds the newest 500 reviews of a country. A review carries one time, that of its last change. One without
// any is taken for written now, except on first contact, when it is left out. Deletions are not to be seen.
package appstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"emberwatch/sources"
)

// Where the feed lives. In the path {country}, {app} and {page} are filled in.
const (
	DefaultURL  = "https://itunes.apple.com"
	DefaultPath = "/{country}/rss/customerreviews/page={page}/id={app}/sortby=mostrecent/json"
)

// Bounds of the interval between polls, and of pages.
const (
	DefaultEvery = 10 * time.Minute
	MinEvery     = time.Minute
	MaxPages     = 10
)

const maxSeen = 500 // of a country: all that the feed can hold

// Options configures a [Source].
type Options struct {
	Name      string
	App       string        // its number, as in the address of its page
	Countries []string      // two letters each; none: us
	Pages     int           // most pages of a country; 0: MaxPages
	Every     time.Duration // between polls of a country; 0: DefaultEvery
	URL       string        // empty: DefaultURL
	Path      string        // empty: DefaultPath
	Brand     string        // of the mentions; empty leaves it to the rules
	Client    *sources.Client
}

// Source polls the reviews of one app. It implements [sources.Source].
type Source struct {
	opt Options
}

var _ sources.Source = (*Source)(nil)

var (
	appNumber   = regexp.MustCompile(`^[0-9]{1,20}$`)
	countryCode = regexp.MustCompile(`^[a-z]{2}$`)
)

// New checks the options and fetches nothing.
func New(opt Options) (*Source, error) {
	opt = opt.withDefaults()
	switch {
	case opt.Name == "":
		return nil, errors.New("source of type appstore: name is missing")
	case opt.Client == nil:
		return nil, fmt.Errorf("source %s: client is missing", opt.Name)
	}
	u, err := url.Parse(opt.URL)
	wrong := sources.Wrong{Source: opt.Name}
	wrong.If(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https", "url is not an address of http or https")
	wrong.If(opt.Every < MinEvery, "every: %v is less than %v", opt.Every, MinEvery)
	wrong.If(!appNumber.MatchString(opt.App), "app is no number of an app; it is the number after id in the address of its page")
	wrong.If(opt.Pages < 1 || opt.Pages > MaxPages, "pages: %d is not one of 1 to %d", opt.Pages, MaxPages)
	wrong.If(!strings.HasPrefix(opt.Path, "/") || !strings.Contains(opt.Path, "{country}") || !strings.Contains(opt.Path, "{app}"),
		"path lacks {country} or {app}, or does not begin with /")
	for _, c := range opt.Countries {
		wrong.If(!countryCode.MatchString(c), "countries: %q is not two letters such as us", c)
	}
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	return &Source{opt: opt}, nil
}

func (o Options) withDefaults() Options {
	if len(o.Countries) == 0 {
		o.Countries = []string{"us"}
	}
	if o.Pages == 0 {
		o.Pages = MaxPages
	}
	if o.Every == 0 {
		o.Every = DefaultEvery
	}
	if o.URL == "" {
		o.URL = DefaultURL
	}
	if o.Path == "" {
		o.Path = DefaultPath
	}
	if !strings.Contains(o.Path, "{page}") {
		o.Pages = 1
	}
	o.URL = strings.TrimRight(o.URL, "/")
	return o
}

// Name is the configured name.
func (s *Source) Name() string { return s.opt.Name }

// Type is the name of this type of source in the configuration.
func (s *Source) Type() string { return "appstore" }

// Broken reports whether its circuit breaker is open.
func (s *Source) Broken() bool { return s.opt.Client.Broken() }

// memory is what is remembered between polls, by country: the cursor of the source.
type memory struct {
	App       string                     `json:"app"`
	Countries map[string]sources.Listing `json:"countries"`
}

// Run polls until ctx ends or a poll fails.
func (s *Source) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	known := memory{App: s.opt.App, Countries: map[string]sources.Listing{}}
	if len(from) > 0 {
		var stored memory
		if err := json.Unmarshal(from, &stored); err != nil {
			return fmt.Errorf("source %s: stored cursor: %w", s.opt.Name, err)
		}
		if stored.App == s.opt.App && stored.Countries != nil { // that of another app is worth nothing
			known = stored
		}
	}
	onTheWay := s.between() * time.Duration(len(s.opt.Countries)-1)
	err := s.opt.Client.Poll(ctx, s.opt.Every-onTheWay, func(ctx context.Context) error { return s.poll(ctx, known, emit) })
	if err != nil {
		return fmt.Errorf("source %s: %w", s.opt.Name, err)
	}
	return nil
}

// poll reads every country and hands over what is new there. Known is brought up to date with each batch that was
// taken. The error tells of all countries that failed.
func (s *Source) poll(ctx context.Context, known memory, emit sources.Emit) error {
	var failed []error
	for i, code := range s.opt.Countries {
		if i > 0 && !s.opt.Client.Rest(ctx, s.between()) {
			break
		}
		w := s.walk(ctx, code, known.Countries[code], time.Now())
		if w.Err != nil {
			failed = append(failed, fmt.Errorf("country %s: %w", code, w.Err))
		}
		if w.Pages == 0 {
			continue
		}
		if err := s.handOver(ctx, known, code, &w, emit); err != nil {
			return err
		}
	}
	return errors.Join(failed...)
}

// between is how long a poll rests between two countries: half of the interval is spent so.
func (s *Source) between() time.Duration {
	return s.opt.Every / 2 / time.Duration(len(s.opt.Countries))
}

// handOver emits what a walk found, with the cursor after it. With many countries that is large, and nothing that
// stays as it is need be written again.
func (s *Source) handOver(ctx context.Context, known memory, code string, w *sources.Walked, emit sources.Emit) (err error) {
	b := sources.Batch{Source: s.opt.Name, Mentions: w.News, Known: w.Known, Rejected: w.Rejected}
	before := known.Countries[code]
	if len(w.News) > 0 || w.After.Open != before.Open {
		known.Countries[code] = w.After
		if b.Cursor, err = json.Marshal(known); err != nil {
			return err
		}
	}
	if _, err = emit(ctx, b); err != nil {
		known.Countries[code] = before
	}
	return err
}
