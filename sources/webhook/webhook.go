// Package webhook takes mentions that others push: the handler of POST /v1/mentions, and of hooks whose senders
// have a JSON of their own, which a [Mapping] translates.
//
// A request passes five gates, each of which answers by itself: its size, its signature over the raw bytes,
// the rate of its sender, its form, and the intake. The answer is given after the batch is durable, so that a sender who got 200 may
// forget what it sent, and one who got anything else sends it again.
//
// A [Handler] is an [http.Handler] and a [sources.Source] at once: between the start and the end of Run it
// has somewhere to hand batches to, at other times it answers 503. It keeps nothing: repeated deliveries are
// recognised by the intake, across restarts.
//
// The package never listens; whoever mounts the handler decides on address, TLS and cross-origin checks.
//
// # Caveats
//
// Signatures are checked over the bytes as they were sent, before any unpacking: a sender that compresses
// signs what it has compressed.
//
// AllowUnsigned lets in everybody who can reach the address.
package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"golang.org/x/time/rate"

	"emberwatch/sources"
)

// Sender is one who may push, with the profile it signs by and its active secrets.
type Sender struct {
	Name    string
	Profile sources.Profile // empty: Standard
	Secrets []string        // one, or two while one replaces the other
}

// Options configures a [Handler].
type Options struct {
	Name    string // of the source; empty: webhook
	Senders []Sender

	// AllowUnsigned takes requests with no proof at all. It is for loopback; where there are senders it means
	// nothing.
	AllowUnsigned bool

	MaxBody  int64 // bytes of a body, as sent and unpacked; 0: 1 MiB
	MaxItems int   // 0: 10 000
	// PerSecond is how many requests of one sender are taken each second in the long run, whatever they hold,
	// and Burst how many at once; 0: 500 and 1000. That is far more than one that waits for its answers can
	// make, and keeps one that has gone wild from shutting out the others.
	PerSecond float64
	Burst     int
	Timeout   time.Duration  // until a batch must be durable; 0: 30 s
	Brand     string         // of mentions that name none
	Timezone  *time.Location // of times without a zone; nil makes them errors
	Map       *Mapping       // of bodies in another form than a mention's; nil: they are mentions
	Log       *slog.Logger   // hears of refused requests, never of their content; nil: nobody does
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "webhook"
	}
	if o.MaxBody <= 0 {
		o.MaxBody = 1 << 20
	}
	if o.MaxItems <= 0 {
		o.MaxItems = 10_000
	}
	if o.PerSecond <= 0 {
		o.PerSecond = 500
	}
	if o.Burst <= 0 {
		o.Burst = 1000
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Handler answers pushes. It is safe for concurrent use.
type Handler struct {
	opt     Options
	senders []sender
	rates   map[string]*rate.Limiter // by the name of the sender; fixed after New
	now     func() time.Time

	inlet sources.Inlet
}

type sender struct {
	name     string
	verifier *sources.Verifier
}

var (
	_ sources.Source = (*Handler)(nil)
	_ http.Handler   = (*Handler)(nil)
)

// New checks the senders. Without any, AllowUnsigned must say that this is meant.
func New(opt Options) (*Handler, error) {
	h := &Handler{opt: opt.withDefaults(), rates: map[string]*rate.Limiter{}, now: time.Now}
	h.limit(h.opt.Name)
	seen := map[string]bool{}
	for _, s := range opt.Senders {
		if s.Profile == "" {
			s.Profile = sources.Standard
		}
		v, err := sources.NewVerifier(s.Profile, s.Secrets...)
		if err != nil {
			return nil, fmt.Errorf("source %s: sender %q: %w", h.opt.Name, s.Name, err)
		}
		if s.Name == "" {
			s.Name = h.opt.Name
		}
		// One name may sign in several ways; two secrets of one way belong into one sender.
		if seen[s.Name+"\x00"+string(s.Profile)] {
			return nil, fmt.Errorf("source %s: two senders are named %q and use profile %s", h.opt.Name, s.Name, s.Profile)
		}
		seen[s.Name+"\x00"+string(s.Profile)] = true
		h.senders = append(h.senders, sender{s.Name, v})
		h.limit(s.Name)
	}
	if len(h.senders) == 0 && !opt.AllowUnsigned {
		return nil, fmt.Errorf("source %s: no sender has a secret, and unsigned requests are not allowed", h.opt.Name)
	}
	return h, nil
}

// limit gives a sender a rate of its own. One that may sign in several ways has one for all of them.
func (h *Handler) limit(sender string) {
	h.rates[sender] = rate.NewLimiter(rate.Limit(h.opt.PerSecond), h.opt.Burst)
}

// Name is the configured name.
func (h *Handler) Name() string { return h.opt.Name }

// Type is the name of this type of source in the configuration.
func (h *Handler) Type() string { return "webhook" }

// Run lets requests in until ctx ends, and waits for those that are being handed over. It keeps no cursor:
// what was not acknowledged comes again.
func (h *Handler) Run(ctx context.Context, _ sources.Cursor, emit sources.Emit) error {
	if err := h.inlet.Run(ctx, emit); err != nil {
		return fmt.Errorf("source %s: %w", h.opt.Name, err)
	}
	return nil
}
