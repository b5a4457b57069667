// Package bluesky listens to the whole of Bluesky through a Jetstream server and keeps what is about the brands.
//
// A websocket brings every post and repost of the network. Of a post only the text is looked at before Keep decides
// whether it goes on; one that tags an account of the brand goes on without. What is kept is handed over once a
// second. Deletions, edits, reposts and accounts that vanish concern us only where we hold the post in question:
// Known and Authored are asked for that, so that none of the rest of the network passes through the store.
//
// How posts are liked, passed on and answered is not in the stream. Those that Hot names are asked for at an AppView
// every few minutes, and told as updates.
//
// The cursor is the time of the last event in microseconds (or its sequence number, at servers that speak the second
// version of the protocol). A restart goes back some minutes before it; what comes twice is recognised by its
// id. Servers replay about a day and a half.
//
// # Caveats
//
// The time of a mention is when the server saw it: the one in the post is the author's to choose.
//
// The stream names accounts by their DID alone: names are known of posts that were looked at again, numbers of followers
// never.
//
// A post that the AppView leaves out of its answer is no deleted one: moderators hide posts, and accounts rest. Only the
// stream tells deletions.
package bluesky

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"emberwatch/sources"
)

// DefaultURL is one of the public servers.
const DefaultURL = "wss://jetstream2.us-east.bsky.network/subscribe"

const (
	overlap  = 5 * time.Minute
	maxBatch = 500 // events in hand before they are handed over early
)

// Options configures a [Source].
type Options struct {
	Name   string
	URL    string                 // of the server; empty: DefaultURL
	Keep   func(text string) bool // whether a text names a brand
	DIDs   []string               // accounts of the brand: posts that tag one are kept whatever they say
	Brand  string                 // of posts that tag one of DIDs; of all others the rules decide
	Client *sources.Client

	Hot sources.Hot // posts to look at again; nil: none
	API string      // of the AppView that is asked for them; empty: DefaultAPI

	// Known returns those of the ids that are held, each with a brand of it. nil: deletions are passed on
	// unasked, and reposts are not counted.
	Known func(ctx context.Context, ids []string) (map[string]string, error)

	// Authored returns the ids of what is held of an author. nil: nothing is done about accounts that vanish.
	Authored func(ctx context.Context, author string) ([]string, error)
}

// Source listens to one server. It implements [sources.Source].
type Source struct {
	opt    Options
	every  time.Duration // between batches
	quiet  time.Duration // longest without a batch, be it an empty one
	second bool          // the server is asked in the second version of the protocol

	looks  time.Duration   // between second looks
	looked sources.Ailment // how the last one went
}

var (
	_ sources.Source   = (*Source)(nil)
	_ sources.Troubled = (*Source)(nil)
)

// New checks the options and connects to nothing.
func New(opt Options) (*Source, error) {
	if opt.URL == "" {
		opt.URL = DefaultURL
	}
	if opt.API == "" {
		opt.API = DefaultAPI
	}
	u, err := url.Parse(opt.URL)
	api, notAPI := url.Parse(opt.API)
	switch {
	case opt.Name == "":
		return nil, errors.New("source of type bluesky: name is missing")
	case opt.Client == nil || opt.Keep == nil:
		return nil, fmt.Errorf("source %s: client or filter is missing", opt.Name)
	case err != nil || u.Host == "" || !slices.Contains([]string{"ws", "wss", "http", "https"}, u.Scheme):
		return nil, fmt.Errorf("source %s: url is not an address of ws, wss, http or https", opt.Name)
	case notAPI != nil || api.Host == "" || api.Scheme != "http" && api.Scheme != "https":
		return nil, fmt.Errorf("source %s: api is not an address of http or https", opt.Name)
	case opt.Brand != "" && len(opt.DIDs) == 0:
		return nil, fmt.Errorf("source %s: brand is of posts that tag an account, and dids names none", opt.Name)
	}
	for _, did := range opt.DIDs {
		if !strings.HasPrefix(did, "did:") {
			return nil, fmt.Errorf("source %s: %q is no DID such as did:plc:abc", opt.Name, did)
		}
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/subscribe"
	}
	opt.URL, opt.API = u.String(), strings.TrimRight(opt.API, "/")
	pace := opt.Client.Pace
	return &Source{
		opt: opt, every: pace(time.Second), quiet: pace(15 * time.Second), second: strings.HasPrefix(u.Path, "/xrpc/"), looks: lookEvery,
	}, nil
}

// Name is the configured name.
func (s *Source) Name() string { return s.opt.Name }

// Type is the name of this type of source in the configuration.
func (s *Source) Type() string { return "bluesky" }

// Broken reports whether its circuit breaker is open.
func (s *Source) Broken() bool { return s.opt.Client.Broken() }

// place is where in the stream we are: the cursor of the source.
type place struct {
	TimeUS int64 `json:"time_us,omitempty"`
	Seq    int64 `json:"seq,omitempty"`
}

// after is the place once an event has been taken. Times that cannot be right are not believed: nothing would ever
// come after them.
func (p place) after(e *event, now time.Time) place {
	if e.timeUS >= 1e15 && e.timeUS <= now.Add(sources.MaxAhead).UnixMicro() {
		p.TimeUS = e.timeUS
	}
	if e.seq > 0 {
		p.Seq = e.seq
	}
	return p
}

// address is where to connect to go on from a place.
func (s *Source) address(p place) string {
	u, _ := url.Parse(s.opt.URL) // checked
	q := u.Query()
	q["wantedCollections"] = []string{posts, reposts}
	switch {
	case s.second && p.Seq > 0:
		q.Set("cursor", fmt.Sprint(p.Seq))
	case !s.second && p.TimeUS > 0:
		q.Set("cursor", fmt.Sprint(p.TimeUS-overlap.Microseconds()))
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// Run listens until ctx ends or the connection does; with a client that looks once, until the first batch.
func (s *Source) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	var at place
	if len(from) > 0 {
		if err := json.Unmarshal(from, &at); err != nil {
			return fmt.Errorf("source %s: stored cursor: %w", s.opt.Name, err)
		}
	}
	err := s.listen(ctx, &gathered{Source: s, emit: emit, at: at, told: time.Now()})
	if refused, ok := errors.AsType[*refusedError](err); ok && refused.name == tooOld { // the next run begins with what comes
		_, failed := emit(ctx, sources.Batch{Source: s.opt.Name, Cursor: sources.Cursor("{}")})
		err = errors.Join(err, failed)
	}
	if err != nil {
		return fmt.Errorf("source %s: %w", s.opt.Name, err)
	}
	return nil
}
