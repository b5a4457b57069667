// Package meta takes what Facebook and Instagram push to a webhook: comments on the posts of a Page, posts on it and
// reactions, comments on the media of an Instagram account, and mentions of it.
//
// A [Source] is an [http.Handler] and a [sources.Source] at once. A GET is the handshake by which an app proves that
// the address is its own; a POST is a delivery, signed over its raw bytes. The answer is given after the batch is
// durable: what was not taken is sent again, for about a day and a half.
//
// What the Page or account itself wrote arrives too. It comes with the author id that the notification is about, so
// that own_authors of a brand ("facebook:PAGE-ID", "instagram:ACCOUNT-ID" or its handle) knows it.
//
// The package never listens, and asks for nothing but the text of Instagram mentions, which notifications carry only
// the ids of.
//
// # Caveats
//
// Nothing is stored on the other side: what was sent while nobody could answer for longer than a day is lost. Stories
// and private media are not notified. A comment that the Page hides stays as it was: it was written.
package meta

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"emberwatch/sources"
)

// DefaultURL is the address of the Graph API.
const DefaultURL = "https://graph.facebook.com/v24.0"

const (
	maxBody = 1 << 20
	patient = 30 * time.Second // until a batch must be durable
)

// Options configures a [Source].
type Options struct {
	Name        string
	Secrets     []string        // of the app, which signs: one, or two while one replaces the other
	VerifyToken string          // what the handshake has to bring
	Token       string          // to look up the text of Instagram mentions; empty: they are counted without it
	URL         string          // of the Graph API; empty: DefaultURL
	Brand       string          // of the mentions; empty leaves it to the rules
	Client      *sources.Client // needed with a token
	Log         *slog.Logger    // hears of refused requests, never of their content; nil: nobody does
}

// Source takes the notifications of one app. It implements [sources.Source] and is safe for concurrent use.
type Source struct {
	opt      Options
	verifier *sources.Verifier
	inlet    sources.Inlet
	asked    sources.Ailment // how the last look-up went
	now      func() time.Time
}

var (
	_ sources.Source   = (*Source)(nil)
	_ sources.Troubled = (*Source)(nil)
	_ http.Handler     = (*Source)(nil)
)

// New checks the options.
func New(opt Options) (*Source, error) {
	if opt.URL == "" {
		opt.URL = DefaultURL
	}
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	verifier, err := sources.NewVerifier(sources.HubSHA256, opt.Secrets...)
	u, notAddress := url.Parse(opt.URL)
	switch {
	case opt.Name == "":
		return nil, errors.New("source of type meta: name is missing")
	case err != nil:
		return nil, fmt.Errorf("source %s: app secret: %w", opt.Name, err)
	case opt.VerifyToken == "":
		return nil, fmt.Errorf("source %s: the verify token is missing", opt.Name)
	case opt.Token != "" && opt.Client == nil:
		return nil, fmt.Errorf("source %s: client is missing", opt.Name)
	case notAddress != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("source %s: url is not an address of http or https", opt.Name)
	}
	opt.URL = strings.TrimRight(opt.URL, "/")
	return &Source{opt: opt, verifier: verifier, now: time.Now}, nil
}

// Name is the configured name.
func (s *Source) Name() string { return s.opt.Name }

// Type is the name of this type of source in the configuration.
func (s *Source) Type() string { return "meta" }

// Trouble is why the last look-up of a mention failed, nil if it did not: deliveries are put off then, or come without text.
func (s *Source) Trouble() error {
	if err := s.asked.Err(); err != nil {
		return fmt.Errorf("source %s: look up a mention: %w", s.opt.Name, err)
	}
	return nil
}

// Run lets deliveries in until ctx ends, and waits for those that are being handed over. It keeps no cursor: what
// was not acknowledged comes again.
func (s *Source) Run(ctx context.Context, _ sources.Cursor, emit sources.Emit) error {
	if err := s.inlet.Run(ctx, emit); err != nil {
		return fmt.Errorf("source %s: %w", s.opt.Name, err)
	}
	return nil
}

// ServeHTTP answers the handshake, and a delivery once it is durable.
func (s *Source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.Method {
	case http.MethodGet:
		s.handshake(w, r)
	case http.MethodPost:
		taken, no := s.deliver(w, r)
		if no != nil {
			no.Answer(w)
			return
		}
		sources.AnswerPush(w, http.StatusOK, map[string]int{"accepted": taken.Accepted, "duplicates": taken.Duplicates})
	default:
		w.Header().Set("Allow", "GET, POST")
		(&sources.Refusal{Status: http.StatusMethodNotAllowed, Reason: "only GET and POST are understood here"}).Answer(w)
	}
}

// handshake repeats the challenge to who knows the verify token.
func (s *Source) handshake(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	given, want := sha256.Sum256([]byte(q.Get("hub.verify_token"))), sha256.Sum256([]byte(s.opt.VerifyToken))
	challenge := q.Get("hub.challenge")
	if q.Get("hub.mode") != "subscribe" || subtle.ConstantTimeCompare(given[:], want[:]) != 1 || !harmless(challenge) {
		s.opt.Log.Warn("handshake refused", "source", s.opt.Name, "remote", r.RemoteAddr)
		(&sources.Refusal{Status: http.StatusForbidden, Reason: "this is no handshake with the verify token of this source"}).Answer(w)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	fmt.Fprint(w, challenge)
}

// harmless reports a challenge that may be repeated: in fact it is a number.
func harmless(challenge string) bool {
	return challenge != "" && len(challenge) <= 128 && strings.Trim(challenge, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == ""
}

// deliver takes one delivery. The signature knows no time: a delivery that comes again is recognised by its body.
func (s *Source) deliver(w http.ResponseWriter, r *http.Request) (sources.Taken, *sources.Refusal) {
	raw, no := sources.ReadPush(w, r, maxBody)
	if no != nil {
		return sources.Taken{}, no
	}
	if err := s.verifier.Verify(r.Header, raw, s.now()); err != nil {
		s.opt.Log.Warn("request refused", "source", s.opt.Name, "remote", r.RemoteAddr, "error", err)
		return sources.Taken{}, sources.RefuseSignature
	}
	told, rejected, err := decode(raw)
	if err != nil {
		s.opt.Log.Warn("request refused", "source", s.opt.Name, "remote", r.RemoteAddr, "error", err)
		return sources.Taken{}, &sources.Refusal{Status: http.StatusBadRequest, Reason: err.Error()}
	}
	if err := s.complete(r.Context(), told); err != nil {
		s.opt.Log.Warn("delivery put off", "source", s.opt.Name, "error", err)
		return sources.Taken{}, sources.RefuseForNow
	}
	b := s.batch(told, rejected)
	digest := sha256.Sum256(raw)
	b.Delivery = &sources.Delivery{ID: fmt.Sprintf("body-%x", digest), Digest: digest}
	taken, err := s.inlet.Emit(r.Context(), b, patient)
	if err != nil {
		no = sources.RefusalOf(err)
		s.opt.Log.Warn("delivery put off", "source", s.opt.Name, "error", err)
	}
	return taken, no
}

// batch normalises what was told. What cannot be a mention, such as a comment that is a picture alone, is counted.
func (s *Source) batch(told []notice, rejected sources.Rejects) sources.Batch {
	b := sources.Batch{Source: s.opt.Name, Rejected: rejected}
	for _, n := range told {
		m := n.mention
		m.Source, m.Brand = s.opt.Name, s.opt.Brand
		if m.CreatedAt.IsZero() {
			m.CreatedAt = s.now()
		}
		if err := sources.Normalize(&m, s.now()); err != nil {
			b.Rejected.Add(err)
			continue
		}
		b.Mentions = append(b.Mentions, m)
	}
	return b
}
