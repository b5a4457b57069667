// Package youtube polls the comments under the videos of a channel, and under videos that are named.
//
// A poll reads the newest threads of each channel or video until a page holds nothing new; once an hour it reads
// several pages in any case, because edits and answers do not bring a thread back to the top. Answers beyond those
// that come with a thread are asked for when their number has changed. Each channel or video is one batch, with the
// cursor after it. Comments that are worth a second look are read again, and those that are gone are told as deleted.
//
// Every request costs one unit of the key's daily quota. A poll spends of what the configuration allows a day, spread
// over it; when Google says that the quota is used up, nothing is asked before midnight in California.
//
// With a brand, the number of subscribers is told once an hour as the metric followers.
//
// # Caveats
//
// Deletions of comments that are not looked at again are not to be seen. Numbers of subscribers are rounded to three
// figures: only large losses show. Live chats and community posts without comments threads are not read.
package youtube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"time"

	"emberwatch/sources"
)

// DefaultURL is the address of the API.
const DefaultURL = "https://www.googleapis.com/youtube/v3"

// Bounds of the interval between polls, and the quota that a key has unless Google gives more.
const (
	DefaultEvery = 10 * time.Minute
	MinEvery     = time.Minute
	DefaultQuota = 10_000
)

const (
	maxSeen    = 3000 // comments remembered of a channel or video
	maxThreads = 500  // whose number of answers is remembered
	firstPages = 10   // of 100 threads each, most that one poll reads
	deepPages  = 3    // that are read once in deepEvery in any case
	deepEvery  = time.Hour
	gaugeEvery = time.Hour
)

// Options configures a [Source]. Of Channel and Videos at least one is needed.
type Options struct {
	Name    string
	Key     string        // the API key
	Channel string        // id, such as UCxxxxxxxxxxxxxxxxxxxxxx
	Videos  []string      // ids
	Every   time.Duration // between polls; 0: DefaultEvery
	Quota   int           // units that may be spent in a day; 0: DefaultQuota
	URL     string        // empty: DefaultURL
	Brand   string        // of the mentions; empty leaves it to the rules
	Hot     sources.Hot   // comments to look at again; nil: none
	Client  *sources.Client
	Log     *slog.Logger // hears of videos without comments; nil: nobody does
}

// Source polls the comments of channels and videos. It implements [sources.Source].
type Source struct {
	opt     Options
	targets []string // channel:ID and video:ID

	// Of Run alone.
	closed time.Time         // the quota is used up until then
	videos map[string]string // that comments stand under: read one by one, they do not say it
}

var _ sources.Source = (*Source)(nil)

var (
	channelID = regexp.MustCompile(`^UC[A-Za-z0-9_-]{10,40}$`)
	videoID   = regexp.MustCompile(`^[A-Za-z0-9_-]{6,20}$`)
)

// New checks the options and fetches nothing.
func New(opt Options) (*Source, error) {
	opt = opt.withDefaults()
	switch {
	case opt.Name == "":
		return nil, errors.New("source of type youtube: name is missing")
	case opt.Client == nil:
		return nil, fmt.Errorf("source %s: client is missing", opt.Name)
	}
	if err := opt.check(); err != nil {
		return nil, err
	}
	s := &Source{opt: opt, videos: map[string]string{}}
	if opt.Channel != "" {
		s.targets = append(s.targets, "channel:"+opt.Channel)
	}
	for _, v := range opt.Videos {
		s.targets = append(s.targets, "video:"+v)
	}
	s.opt.Client = opt.Client.For(opt.Quota)
	return s, nil
}

// check tells all that is wrong with the options.
func (o Options) check() error {
	u, err := url.Parse(o.URL)
	wrong := sources.Wrong{Source: o.Name}
	wrong.If(o.Key == "", "key is missing")
	wrong.If(err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https", "url is not an address of http or https")
	wrong.If(o.Every < MinEvery, "every: %v is less than %v", o.Every, MinEvery)
	wrong.If(o.Quota < 0, "budget is negative")
	wrong.If(o.Channel == "" && len(o.Videos) == 0, "channel is missing, and so are videos; one of the two says what to read")
	wrong.If(o.Channel != "" && !channelID.MatchString(o.Channel), "channel is no id of a channel; it begins with UC")
	for _, v := range o.Videos {
		wrong.If(!videoID.MatchString(v), "videos: %q is no id of a video; it is what follows v= in its address", v)
	}
	return wrong.Err()
}

func (o Options) withDefaults() Options {
	if o.Every == 0 {
		o.Every = DefaultEvery
	}
	if o.Quota == 0 {
		o.Quota = DefaultQuota
	}
	if o.URL == "" {
		o.URL = DefaultURL
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	o.URL = strings.TrimRight(o.URL, "/")
	return o
}

// Name is the configured name.
func (s *Source) Name() string { return s.opt.Name }

// Type is the name of this type of source in the configuration.
func (s *Source) Type() string { return "youtube" }

// Broken reports whether its circuit breaker is open.
func (s *Source) Broken() bool { return s.opt.Client.Broken() }

// memory is what is remembered between polls: the cursor of the source.
type memory struct {
	Targets map[string]target `json:"targets"`
	Gauged  time.Time         `json:"gauged,omitzero"` // when the subscribers were counted last
}

// target is what is remembered of one channel or video.
type target struct {
	Threads sources.Listing `json:"threads"`
	Answers map[string]int  `json:"answers,omitempty"` // how many a thread had, where more than come with it
	Deep    time.Time       `json:"deep,omitzero"`     // when several pages were read last
}

// remembered reads a stored cursor. What is not configured any more is left out.
func (s *Source) remembered(c sources.Cursor) (memory, error) {
	known := memory{Targets: map[string]target{}}
	if len(c) == 0 {
		return known, nil
	}
	var stored memory
	if err := json.Unmarshal(c, &stored); err != nil {
		return known, fmt.Errorf("stored cursor: %w", err)
	}
	for _, name := range s.targets {
		if t, ok := stored.Targets[name]; ok {
			known.Targets[name] = t
		}
	}
	known.Gauged = stored.Gauged
	return known, nil
}

// Run polls until ctx ends or a poll fails.
func (s *Source) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	known, err := s.remembered(from)
	if err == nil {
		again := &sources.Revisit{Hot: s.opt.Hot, Look: s.look}
		err = s.opt.Client.Poll(ctx, s.opt.Every, func(ctx context.Context) error {
			return s.poll(ctx, &known, again, emit, time.Now())
		})
	}
	if err != nil {
		return fmt.Errorf("source %s: %w", s.opt.Name, err)
	}
	return nil
}
