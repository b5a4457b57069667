package feed

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/mmcdole/gofeed"

	"emberwatch/sources"
)

// What is wrong with an answer that is not a feed to be read.
var (
	ErrNoFeed = errors.New("this is no RSS, Atom or JSON feed")
	ErrDTD    = errors.New("the document brings a DTD of its own")
)

// document is one answer of the server, read.
type document struct {
	mentions       []sources.Mention
	rejected       sources.Rejects
	etag, modified string
}

// fetch gets the feed, or nil if it is the same as last time.
func (s *Source) fetch(ctx context.Context, seen memory) (*document, error) {
	header := s.opt.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("Accept", "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5")
	if seen.ETag != "" {
		header.Set("If-None-Match", seen.ETag)
	}
	if seen.Modified != "" {
		header.Set("If-Modified-Since", seen.Modified)
	}
	resp, err := s.opt.Client.Get(ctx, s.opt.URL, header)
	if err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	if resp.Status == http.StatusNotModified {
		return nil, nil
	}
	doc, err := s.parse(ctx, resp.Body, resp.Header.Get("Content-Type"), resp.URL, time.Now())
	if err != nil {
		return nil, fmt.Errorf("parse: %w", err)
	}
	doc.etag, doc.modified = bounded(resp.Header.Get("ETag")), bounded(resp.Header.Get("Last-Modified"))
	return doc, nil
}

// bounded drops a validator that is too long to be kept with every cursor.
func bounded(validator string) string {
	if len(validator) > 1024 {
		return ""
	}
	return validator
}

// parse reads a feed. Items that cannot be mentions, and those past the first maxItems, are counted; of several
// with one id the first stands, which is the newest in every feed that repeats ids for edits.
func (s *Source) parse(ctx context.Context, body []byte, contentType, from string, now time.Time) (*document, error) {
	body, err := prepare(body, contentType)
	if err != nil {
		return nil, err
	}
	parsed, err := parseSafely(body)
	if err != nil {
		return nil, err
	}
	items := parsed.Items[:min(len(parsed.Items), maxItems)]
	doc := &document{}
	if more := len(parsed.Items) - len(items); more > 0 {
		doc.rejected = sources.Rejects{Count: more, Why: fmt.Sprintf("past the first %d items of the document", maxItems)}
	}
	base := baseAddress(parsed, from)
	shared := sharedIDs(items)
	known := map[string]bool{}
	for _, item := range items {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if item == nil {
			continue
		}
		m := s.mention(item, base, shared, now)
		if err := sources.Normalize(&m, now); err != nil {
			doc.rejected.Add(err)
			continue
		}
		if !known[m.ID] {
			known[m.ID] = true
			doc.mentions = append(doc.mentions, m)
		}
	}
	return doc, nil
}

// parseSafely runs the parser with a panic turned into an error: its input is anybody's. Its errors may quote
// that input, so they are told in our words.
func parseSafely(body []byte) (feed *gofeed.Feed, err error) {
	defer func() {
		if p := recover(); p != nil {
			feed, err = nil, fmt.Errorf("the parser panicked with a %T", p)
		}
	}()
	feed, err = gofeed.NewParser().Parse(bytes.NewReader(body))
	if err == nil {
		return feed, nil
	}
	if errors.Is(err, gofeed.ErrFeedTypeNotDetected) {
		return nil, ErrNoFeed
	}
	if syntax, ok := errors.AsType[*xml.SyntaxError](err); ok {
		return nil, fmt.Errorf("broken XML in line %d", syntax.Line)
	}
	return nil, errors.New("the document is broken")
}

// baseAddress is what relative links of a feed are relative to.
func baseAddress(feed *gofeed.Feed, from string) *url.URL {
	base, err := url.Parse(from)
	if err != nil {
		base = &url.URL{}
	}
	if feed.Link == "" || len(feed.Link) > sources.MaxURL { // it would be copied for every item
		return base
	}
	if site, err := base.Parse(feed.Link); err == nil {
		return site
	}
	return base
}
