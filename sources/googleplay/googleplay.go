// Package googleplay polls the reviews of one's own app on Google Play, and what the developer answered to them.
//
// A service account with the right to answer reviews is needed; its key signs a short-lived token, of which one
// request in an hour asks for. A poll reads the pages of reviews, the last written or changed first, until one holds
// nothing new, as one batch. An answer of the developer is a comment under its review, by an author whose id is the
// package of the app: own_authors of a brand ("googleplay:com.example.app") knows it.
//
// # Caveats
//
// There are only reviews with words, of about the last week. A review has one time, that of its last change. Google
// allows 200 requests an hour for an app; the package stays below that.
package googleplay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"emberwatch/sources"
)

// DefaultURL is the address of the API.
const DefaultURL = "https://androidpublisher.googleapis.com"

// Bounds of the interval between polls.
const (
	DefaultEvery = 10 * time.Minute
	MinEvery     = time.Minute
)

const (
	perDay   = 1400 // requests: 140 of them at once and the rest spread over the day make fewer than 200 in any hour
	maxPages = 50   // of a poll, with 100 reviews each
	maxSeen  = 2000
)

// Options configures a [Source].
type Options struct {
	Name        string
	App         string        // its package, such as com.example.app
	Credentials []byte        // the key of the service account, as the JSON that Google gives out
	Every       time.Duration // between polls; 0: DefaultEvery
	URL         string        // empty: DefaultURL
	Brand       string        // of the mentions; empty leaves it to the rules
	Client      *sources.Client
}

// Source polls the reviews of one app. It implements [sources.Source].
type Source struct {
	opt     Options
	account *account
}

var _ sources.Source = (*Source)(nil)

var packageName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)+$`)

// New checks the options and the key, and fetches nothing.
func New(opt Options) (*Source, error) {
	if opt.Every == 0 {
		opt.Every = DefaultEvery
	}
	if opt.URL == "" {
		opt.URL = DefaultURL
	}
	switch {
	case opt.Name == "":
		return nil, errors.New("source of type googleplay: name is missing")
	case opt.Client == nil:
		return nil, fmt.Errorf("source %s: client is missing", opt.Name)
	}
	u, err := url.Parse(opt.URL)
	wrong := sources.Wrong{Source: opt.Name}
	wrong.If(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https", "url is not an address of http or https")
	wrong.If(opt.Every < MinEvery, "every: %v is less than %v", opt.Every, MinEvery)
	wrong.If(!packageName.MatchString(opt.App), "app is no package such as com.example.app")
	opt.URL = strings.TrimRight(opt.URL, "/")
	opt.Client = opt.Client.For(perDay)
	account, err := newAccount(opt.Credentials, opt.Client)
	wrong.If(err != nil, "credentials: %w", err)
	if err := wrong.Err(); err != nil {
		return nil, err
	}
	return &Source{opt: opt, account: account}, nil
}

// Name is the configured name.
func (s *Source) Name() string { return s.opt.Name }

// Type is the name of this type of source in the configuration.
func (s *Source) Type() string { return "googleplay" }

// Broken reports whether its circuit breaker is open.
func (s *Source) Broken() bool { return s.opt.Client.Broken() }

// memory is what is remembered between polls: the cursor of the source.
type memory struct {
	App     string          `json:"app"`
	Reviews sources.Listing `json:"reviews"`
}

// Run polls until ctx ends or a poll fails.
func (s *Source) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	known := memory{App: s.opt.App}
	if len(from) > 0 {
		var stored memory
		if err := json.Unmarshal(from, &stored); err != nil {
			return fmt.Errorf("source %s: stored cursor: %w", s.opt.Name, err)
		}
		if stored.App == s.opt.App { // that of another app is worth nothing
			known = stored
		}
	}
	err := s.opt.Client.Poll(ctx, s.opt.Every, func(ctx context.Context) (err error) {
		known, err = s.poll(ctx, known, emit)
		return err
	})
	if err != nil {
		return fmt.Errorf("source %s: %w", s.opt.Name, err)
	}
	return nil
}

// poll reads what is new and hands it over. The memory it returns is that of what was taken, also with an error: a
// walk that broke off has told what it read.
func (s *Source) poll(ctx context.Context, known memory, emit sources.Emit) (memory, error) {
	w := known.Reviews.Walk(ctx, maxPages, maxSeen, s.page)
	if w.Pages == 0 {
		return known, w.Err
	}
	next := memory{App: s.opt.App, Reviews: w.After}
	b := sources.Batch{Source: s.opt.Name, Mentions: w.News, Known: w.Known, Rejected: w.Rejected}
	var err error
	if b.Cursor, err = json.Marshal(next); err != nil {
		return known, err
	}
	if _, err := emit(ctx, b); err != nil {
		return known, err
	}
	return next, w.Err
}

// page reads one page of reviews.
func (s *Source) page(ctx context.Context, token string) (sources.Page, error) {
	bearer, err := s.account.token(ctx)
	if err != nil {
		return sources.Page{}, err
	}
	address := s.opt.URL + "/androidpublisher/v3/applications/" + s.opt.App + "/reviews?maxResults=100"
	if token != "" {
		address += "&token=" + url.QueryEscape(token)
	}
	resp, err := s.opt.Client.Get(ctx, address, http.Header{"Authorization": {"Bearer " + bearer}})
	if status, ok := errors.AsType[*sources.StatusError](err); ok && status.Status == http.StatusUnauthorized {
		s.account.forget()
	}
	if err != nil {
		return sources.Page{}, fmt.Errorf("reviews: %w", err)
	}
	return s.decode(resp.Body, time.Now())
}
