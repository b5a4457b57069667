// Package web is the page and the HTTP API: people read incidents here and answer them.
//
// [New] makes a [Server] from what it may look up (a [detector.Reader], the health of the sources, the
// rules, reply drafts) and the one thing it may do: hand a [detector.Event] to a [notifier.Responder]. The
// API speaks JSON below /api/v1/, the page is plain HTML with forms and needs no script. A request passes,
// in this order: security headers, the Host check, the cross-origin check, the token or session, the scope,
// the handler.
//
// The package keeps no state but the tokens in force, the key that signs its session cookies and the count of
// failed logins. It
// never changes an incident by itself and never hides a button instead of checking a permission.
//
// # Caveats
//
// Texts, authors, titles, links and the errors of sources are foreign. Whatever shows them goes through
// html/template or an XML escaper, links only if they are http or https; nothing is marked as safe.
//
// Tokens are kept as SHA-256 sums, which suits long random secrets and nothing else: have the
// configuration refuse short ones. Logins are throttled by address; behind a proxy all of them share one.
//
// Links are absolute paths: a proxy must give the server a host of its own, not a folder.
package web

import (
	"context"
	"html/template"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
	"emberwatch/sources"
)

// Config is what a server is made of. Reader and Responder are needed, the rest may be left out.
type Config struct {
	Reader    detector.Reader
	Responder notifier.Responder
	// Drafts makes reply drafts for the mentions of an incident; nil: there are none.
	Drafts func(ctx context.Context, incident string) ([]MentionDrafts, error)
	// About says what incidents are about; nil: it is not said.
	About *notifier.About
	// Languages are those that pages are shown in, as a reader's browser asks for; nil: the embedded ones.
	Languages *notifier.Languages
	// Sources tells how the sources are doing.
	Sources func() []sources.Health
	// Rules returns the rules in force, for names, zones and ladders.
	Rules func() *rules.Set

	// Tokens say who may ask, until SetTokens. Without Open, a request with none of them is refused.
	Tokens []Token
	// Open lets everybody do everything. It is for a listener on the loopback address without tokens, and
	// it makes the server refuse foreign Host headers, so that no web site can reach it by DNS rebinding.
	Open bool
	// Hosts are allowed in the Host header when Open, besides localhost, the loopback addresses and the
	// host of PublicURL. A port in the header does not matter.
	Hosts []string
	// PublicURL is where people reach the page. With https, cookies are for TLS only.
	PublicURL string

	Now    func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: nothing is logged
}

// MentionDrafts is what a drafter says about one mention of an incident.
type MentionDrafts struct {
	Mention detector.Judged `json:"mention"`
	notifier.Suggestion
}

// Server serves page and API. It is safe for concurrent use.
type Server struct {
	c       Config
	access  atomic.Pointer[access]
	hosts   map[string]bool // that may stand in the Host header when Open
	logins  *throttle
	assets  map[string]asset              // by file name as embedded
	pages   map[string]*template.Template // by code of the language and name
	handler http.Handler
}

// New makes a server. It panics if its own templates cannot be read.
func New(c Config) *Server {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Sources == nil {
		c.Sources = func() []sources.Health { return nil }
	}
	if c.Drafts == nil {
		c.Drafts = func(context.Context, string) ([]MentionDrafts, error) { return nil, nil }
	}
	s := &Server{c: c, hosts: ownHosts(c), logins: newThrottle(loginTries, loginPause), assets: loadAssets()}
	s.SetTokens(c.Tokens)
	s.pages = parsePages(s.assets, c.Languages)
	s.handler = s.Protect(s.routes())
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// Require puts the server's protection in front of a handler made elsewhere: security headers, Host and
// cross-origin checks, and a token with the scope.
func (s *Server) Require(need Scope, h http.Handler) http.Handler {
	return s.Protect(s.api(need, func(w http.ResponseWriter, r *http.Request, p person) error {
		h.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, actorOf(r, p, ""))))
		return nil
	}))
}

type actorKey struct{}

// Actor is who asks, for the audit; it is for handlers behind [Server.Require].
func Actor(ctx context.Context) detector.Actor {
	a, _ := ctx.Value(actorKey{}).(detector.Actor)
	return a
}

// May reports whether a request could pass Require with this scope. It is for handlers that answer everybody,
// and some of them more.
func (s *Server) May(r *http.Request, need Scope) bool {
	p, ok := s.who(r)
	return ok && p.may(need) && s.ownHost(r)
}

// handlerFunc answers a request of a known person. What it returns is told to them: a *refusal in its own
// words, anything else in general ones.
type handlerFunc func(w http.ResponseWriter, r *http.Request, who person) error

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]handlerFunc{
		"GET /api/v1/incidents":             s.listIncidents,
		"GET /api/v1/incidents/{id}":        s.getIncident,
		"GET /api/v1/incidents/{id}/drafts": s.getDrafts,
		"GET /api/v1/mentions":              s.listMentions,
		"GET /api/v1/brands":                s.listBrands,
		"GET /api/v1/sources":               s.listSources,
		"GET /api/v1/report":                s.getReport,
		"GET /api/v1/series":                s.getSeries,
		"/api/":                             noSuchPath,
	} {
		mux.Handle(pattern, s.api(Read, h))
	}
	mux.Handle("POST /api/v1/incidents/{id}/{op}", s.api(Act, s.postOperation))

	mux.Handle("GET /{$}", s.page(Read, s.overview))
	mux.Handle("GET /incidents/{id}", s.page(Read, s.incidentPage))
	mux.Handle("GET /incidents/{id}/chart.svg", s.page(Read, s.chart))
	mux.Handle("POST /incidents/{id}", s.page(Act, s.postForm))
	mux.Handle("/", s.page(Read, noSuchPath))

	mux.HandleFunc("GET /login", s.loginForm)
	mux.HandleFunc("POST /login", s.login)
	mux.HandleFunc("POST /logout", s.logout)
	mux.HandleFunc("GET /static/{name}", s.static)
	return mux
}

// rules returns the rules in force; an empty set if nobody told.
func (s *Server) rules() *rules.Set {
	if s.c.Rules != nil {
		if set := s.c.Rules(); set != nil {
			return set
		}
	}
	return &rules.Set{}
}
