package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/store"
	"emberwatch/notifier"
	"emberwatch/notifier/web"
	"emberwatch/sources"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// server is the plumbing of HTTP: it listens, and mounts handlers made in the rooms they belong to.
type server struct {
	d      *Daemon
	page   *web.Server
	main   *http.Server
	intake *http.Server // nil: mentions come in over main
	mainLn net.Listener
	inLn   net.Listener
	gate   *gate
	tls    *tls.Config // nil: in the clear
}

// newServer opens the listeners and loads the certificate, so that a taken port or a missing key fails the start.
func newServer(d *Daemon) (*server, error) {
	h := &d.cfg().HTTP
	s := &server{d: d}
	var err error
	if s.tls, err = d.cfg().serverTLS(); err != nil {
		return nil, err
	}
	if s.mainLn, err = net.Listen("tcp", h.Listen); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", h.Listen, err)
	}
	d.onClose("listener", func() error { return ignoreClosed(s.mainLn.Close()) })
	s.page = d.newPage()
	s.gate = &gate{next: s.pushes()}
	mux := s.routes(s.page)
	if d.cfg().Intake.Listen != "" {
		if s.inLn, err = net.Listen("tcp", d.cfg().Intake.Listen); err != nil {
			return nil, fmt.Errorf("listen on %s: %w", d.cfg().Intake.Listen, err)
		}
		d.onClose("intake listener", func() error { return ignoreClosed(s.inLn.Close()) })
		m := http.NewServeMux()
		m.Handle("/v1/", s.gate)
		m.HandleFunc("GET /healthz", s.healthz)
		s.intake = s.guarded(m)
	} else {
		mux.Handle("/v1/", s.gate)
	}
	s.main = s.guarded(mux)
	return s, nil
}

// pushes are the addresses that mentions are pushed to.
func (s *server) pushes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/v1/mentions", s.intakeHandler())
	s.mountHooks(mux)
	return mux
}

// intakeHandler is the webhook, or a refusal where it is closed. Without signatures it needs the page's checks
// against foreign web sites.
func (s *server) intakeHandler() http.Handler {
	if s.d.intake == nil {
		return http.HandlerFunc(closedDoor)
	}
	s.d.intake.protected(s.page.Protect)
	return s.d.intake
}

// guarded is a server that slow or greedy clients cannot hold up. What it has to say about connections goes to the log.
func (s *server) guarded(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, TLSConfig: s.tls, ErrorLog: slog.NewLogLogger(s.d.log.With("part", "http").Handler(), slog.LevelWarn),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second,
		WriteTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 16 << 10,
	}
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (d *Daemon) newPage() *web.Server {
	h := &d.cfg().HTTP
	c := web.Config{
		Reader: d.db, Responder: d.replies(), Sources: d.supervisor.Health, Rules: d.detector.Rules,
		About: d.about, Languages: d.languages, Open: len(h.Tokens) == 0, Tokens: webTokens(d.cfg()), PublicURL: h.PublicURL, Now: d.detector.Now, Logger: d.log.With("part", "web"),
		Drafts: func(ctx context.Context, id string) ([]web.MentionDrafts, error) {
			found, err := d.draftsFor(ctx, id)
			out := make([]web.MentionDrafts, len(found))
			for i, f := range found {
				out[i] = web.MentionDrafts{Mention: f.Mention, Suggestion: f.Suggestion}
			}
			return out, err
		},
	}
	return web.New(c)
}

func webTokens(cfg *Config) []web.Token {
	var list []web.Token
	for i := range cfg.HTTP.Tokens {
		t := &cfg.HTTP.Tokens[i]
		var scopes []web.Scope
		for _, s := range t.Scopes {
			scopes = append(scopes, web.Scope(s))
		}
		list = append(list, web.NewToken(t.Name, t.Secret.value, scopes...))
	}
	return list
}

func (s *server) routes(page *web.Server) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("/", page)
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /readyz", s.readyz)
	mux.Handle("GET /metrics", page.Require(web.Read, promhttp.HandlerFor(s.d.metrics, promhttp.HandlerOpts{})))
	mux.Handle("POST /-/reload", page.Require(web.Admin, http.HandlerFunc(s.reload)))
	mux.Handle("GET /api/v1/rules/explain", page.Require(web.Read, http.HandlerFunc(s.explainRule)))
	if s.d.slack != nil && s.d.cfg().Slack.SigningSecret.value != "" {
		mux.Handle("/slack", s.d.slack) // signed by Slack: the checks of the page are not for it
	}
	mux.Handle("POST /api/v1/store/{op}", page.Require(web.Admin, http.HandlerFunc(s.storeOp)))
	return mux
}

// URL is where the page is.
func (s *server) URL() string {
	scheme := "http"
	if s.tls != nil {
		scheme = "https"
	}
	return scheme + "://" + s.mainLn.Addr().String()
}

// Serve answers requests until Shutdown.
func (s *server) Serve() error {
	errs := make(chan error, 2)
	serve := func(srv *http.Server, ln net.Listener) {
		if s.tls != nil {
			errs <- srv.ServeTLS(ln, "", "") // with the certificate of its configuration
			return
		}
		errs <- srv.Serve(ln)
	}
	go serve(s.main, s.mainLn)
	if s.intake != nil {
		go serve(s.intake, s.inLn)
		defer func() { <-errs }()
	}
	err := <-errs
	if s.intake != nil {
		_ = s.intake.Close()
		_ = s.main.Close()
	}
	return err
}

// CloseIntake refuses further mentions and waits for those in hand.
func (s *server) CloseIntake() { s.gate.close(drainTime / 2) }

// Shutdown lets running requests end.
func (s *server) Shutdown(wait time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	errs := []error{s.main.Shutdown(ctx)}
	if s.intake != nil {
		errs = append(errs, s.intake.Shutdown(ctx))
	}
	return errors.Join(errs...)
}

func (s *server) healthz(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") }

// readiness is what /readyz says to those who may read. It is not ready when something without which no alert
// gets out is missing; a feed that is down is listed, no more.
type readiness struct {
	standing
	Problems []string          `json:"problems,omitempty"`
	Rules    string            `json:"rules"`
	Reload   string            `json:"last_reload_error,omitempty"`
	Sources  map[string]string `json:"sources"`
}

// standing is what /readyz says to everybody: load balancers have no token, and names of sources, paths and
// errors are nobody's business.
type standing struct {
	Ready   bool     `json:"ready"`
	Missing []string `json:"missing,omitempty"` // store, slack, disk, delivery, history
}

// lack notes what is missing, by its class and in words.
func (r *readiness) lack(class, format string, args ...any) {
	if !slices.Contains(r.Missing, class) {
		r.Missing = append(r.Missing, class)
	}
	r.Problems = append(r.Problems, fmt.Sprintf(format, args...))
}

func (s *server) readyz(w http.ResponseWriter, r *http.Request) {
	now := s.readiness()
	status := http.StatusOK
	if !now.Ready {
		status = http.StatusServiceUnavailable
	}
	if s.page.May(r, web.Read) {
		answer(w, status, now)
		return
	}
	answer(w, status, now.standing)
}

func (s *server) readiness() *readiness {
	d := s.d
	r := &readiness{Rules: d.detector.Rules().Hash, Sources: map[string]string{}}
	if err := d.detector.Healthy(); err != nil {
		r.lack("store", "store: %v", err)
	}
	if d.slack != nil {
		if err := d.slack.Ready(time.Now()); err != nil {
			r.lack("slack", "%v", err)
		}
	}
	if d.diskLow.Load() {
		r.lack("disk", "disk: almost full, intake is closed")
	}
	if u, ok := d.dispatcher.Undelivered(); ok {
		r.lack("delivery", "delivery: %s", undeliveredWords(&u, d.detector.Now()))
	}
	r.Reload, _ = d.reloadErr.Load().(string)
	for _, h := range d.supervisor.Health() {
		r.Sources[h.Name] = string(h.State)
		if h.State == sources.Starting {
			r.lack("history", "source %s: waits until history has been read", h.Name)
		}
		if !h.LastSuccess.IsZero() {
			r.Sources[h.Name] += ", last success " + h.LastSuccess.UTC().Format(time.RFC3339)
		}
	}
	r.Ready = len(r.Problems) == 0
	return r
}

// undeliveredWords says which alert did not get through, without a word of the brand.
func undeliveredWords(u *notifier.Undelivered, now time.Time) string {
	what := fmt.Sprintf("alert %d of severity %d on route %s", u.Seq, u.Severity, u.Route)
	ago := detector.Words(now.Sub(u.Since))
	if u.Refused != "" {
		return fmt.Sprintf("%s was refused for good %s ago (%s); repair the channel or its permissions: the next delivery there ends this", what, ago, u.Refused)
	}
	return fmt.Sprintf("%s has not been delivered for %s and is tried on; look for delivery_failed in the log, and whether Slack can be reached", what, ago)
}

func (s *server) reload(w http.ResponseWriter, r *http.Request) {
	done, err := s.d.Reload(web.Actor(r.Context()))
	if err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	fmt.Fprintln(w, done.String())
}

// sameFolder reports whether two paths lead to one folder.
func sameFolder(a, b string) bool {
	x, err := os.Stat(a)
	if err != nil {
		return false
	}
	y, err := os.Stat(b)
	return err == nil && os.SameFile(x, y)
}

// storeOp does for the store command what only the process that has the files open can do.
func (s *server) storeOp(w http.ResponseWriter, r *http.Request) {
	var result any
	var err error
	if dir := r.FormValue("folder"); dir != "" && !sameFolder(dir, s.d.db.Dir()) {
		answer(w, http.StatusMisdirectedRequest, map[string]string{"error": "this daemon keeps its data in another folder than " + dir})
		return
	}
	switch op := r.PathValue("op"); op {
	case "info":
		result, err = s.d.db.Info(r.Context())
	case "backup":
		s.backup(w, r)
		return
	case "erase":
		whom := store.Erasure{Source: r.FormValue("source"), Author: r.FormValue("author"), Hash: r.FormValue("author_hash"), By: web.Actor(r.Context()), At: time.Now()}
		if err := erasable(&whom); err != nil {
			answer(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			return
		}
		result, err = s.d.db.EraseAuthor(r.Context(), whom)
	case "export":
		s.export(w, r)
		return
	default:
		answer(w, http.StatusNotFound, map[string]string{"error": fmt.Sprintf("no operation %q; there are info, backup, export, erase", op)})
		return
	}
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
		return
	}
	answer(w, http.StatusOK, result)
}

// backup copies the store to where the request says. A relative path would be one of the daemon's working
// folder, which whoever asks neither knows nor means.
func (s *server) backup(w http.ResponseWriter, r *http.Request) {
	to := r.FormValue("to")
	if to == "" {
		to = s.d.db.BackupPath(time.Now())
	}
	if !filepath.IsAbs(to) {
		answer(w, http.StatusBadRequest, map[string]string{"error": fmt.Sprintf("to=%q is a relative path: name a folder on this machine from the root, such as /var/backups/emberwatch-monday, or leave it out", to)})
		return
	}
	copied, err := s.d.db.Backup(r.Context(), to)
	switch {
	case errors.Is(err, store.ErrOccupied):
		answer(w, http.StatusUnprocessableEntity, map[string]string{"error": err.Error()})
	case err != nil:
		answer(w, http.StatusInternalServerError, map[string]string{"error": err.Error()})
	default:
		answer(w, http.StatusOK, copied)
	}
}

func (s *server) export(w http.ResponseWriter, r *http.Request) {
	f := store.ExportFilter{Brand: r.FormValue("brand"), Source: r.FormValue("source"), Author: r.FormValue("author")}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Trailer", "X-Emberwatch-Lines")
	n, err := s.d.db.Export(r.Context(), w, f)
	if err != nil {
		s.d.log.Error("export", "err", err)
		panic(http.ErrAbortHandler) // the client must notice that it is cut
	}
	w.Header().Set("X-Emberwatch-Lines", fmt.Sprint(n))
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(v)
}

func trimSlash(s string) string { return strings.TrimRight(s, "/") }
