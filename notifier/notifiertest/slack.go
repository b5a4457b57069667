package notifiertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// What the stand-in is called and which tokens it takes. The tokens are canaries: they must not show up in
// any error, log or message.
const (
	BotToken = "xoxb-canary-1111-bot"
	AppToken = "xapp-canary-2222-app"
	TeamID   = "T0HOME"
	AppID    = "A0EMBER"
	BotUser  = "U0BOT"
)

// User is a member of the workspace; Team is TeamID unless set.
type User struct {
	ID, Name, Display, Team string
}

// Group is a user group.
type Group struct {
	ID, Handle string
	Users      []string
}

// Channel is a conversation. The bot can post where it is a Member.
type Channel struct {
	ID, Name                  string
	Private, Archived, Member bool
}

// Slack is the stand-in. The zero value is not usable; call NewSlack, and Close at the end.
type Slack struct {
	server *httptest.Server
	socket *socket

	mu         sync.Mutex // guards what follows
	channels   []*Channel
	users      []User
	groups     []Group
	messages   []*Message
	ephemerals []Ephemeral
	modals     []Modal
	triggers   map[string]time.Time // when each trigger of a click ends
	over       map[string]string    // the view that a trigger comes from
	homes      map[string]json.RawMessage
	files      []*File
	faults     map[string][]Fault
	calls      map[string]int
	scopes     []string // nil: every scope
	allowed    map[string]bool
	every      time.Duration // least time between two messages of a channel
	posted     map[string]time.Time
	violations []string
	latencies  []time.Duration // of acknowledgements
	n          int
}

// NewSlack starts a stand-in with one public channel, #pr-alerts (C0ALERTS), that the bot is a member of.
func NewSlack() *Slack {
	s := &Slack{
		triggers: map[string]time.Time{},
		over:     map[string]string{},
		homes:    map[string]json.RawMessage{},
		faults:   map[string][]Fault{},
		calls:    map[string]int{},
		allowed:  map[string]bool{},
		posted:   map[string]time.Time{},
		channels: []*Channel{{ID: "C0ALERTS", Name: "pr-alerts", Member: true}},
	}
	s.socket = newSocket(s)
	mux := http.NewServeMux()
	mux.HandleFunc("/socket", s.socket.serve)
	mux.HandleFunc("/upload/", s.upload)
	mux.HandleFunc("/", s.serve)
	s.server = httptest.NewServer(mux)
	return s
}

// URL is the base URL of the Web API, as api_url wants it.
func (s *Slack) URL() string { return s.server.URL + "/api/" }

// Client is an HTTP client for the stand-in whose idle connections end with Close.
func (s *Slack) Client() *http.Client { return s.server.Client() }

// Close ends every connection and waits for what the stand-in started.
func (s *Slack) Close() {
	s.socket.close()
	s.server.CloseClientConnections()
	s.server.Close()
}

// AddChannel adds a conversation.
func (s *Slack) AddChannel(c Channel) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.channels = append(s.channels, &c)
}

// AddUser adds a member, or somebody of another team.
func (s *Slack) AddUser(u User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.Team == "" {
		u.Team = TeamID
	}
	s.users = append(s.users, u)
}

// AddGroup adds a user group.
func (s *Slack) AddGroup(g Group) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups = append(s.groups, g)
}

// Allow names the control sequences that may stand in messages besides dates, such as "<!here>".
func (s *Slack) Allow(sequences ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, q := range sequences {
		s.allowed[q] = true
	}
}

// Grant limits the bot to these scopes; without a call it has every scope.
func (s *Slack) Grant(scopes ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scopes = append([]string{}, scopes...)
}

// Limit sets the least time between two messages of one channel; sooner ones get 429.
func (s *Slack) Limit(every time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.every = every
}

// Calls returns how often a method was called, refused calls included.
func (s *Slack) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// Violations returns everything that was done wrong, in order.
func (s *Slack) Violations() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.violations)
}

func (s *Slack) violate(format string, args ...any) { // s.mu is held
	s.violations = append(s.violations, fmt.Sprintf(format, args...))
}

// serve answers one call of the Web API: count, fault, token, scope, method.
func (s *Slack) serve(w http.ResponseWriter, r *http.Request) {
	c, err := readCall(r)
	if err != nil {
		writeJSON(w, refusal("invalid_form_data"))
		return
	}
	f := s.arrive(c.method)
	if !f.wait(r.Context()) {
		return
	}
	if f.fails() && !f.After {
		f.write(w)
		return
	}
	answer := s.answer(c)
	if f.fails() {
		f.write(w)
		return
	}
	s.write(w, answer)
}

// arrive counts the call and takes the next fault for it.
func (s *Slack) arrive(method string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[method]++
	q := s.faults[method]
	if len(q) == 0 {
		return Fault{}
	}
	s.faults[method] = q[1:]
	return q[0]
}

func (s *Slack) answer(c *call) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, known := methods[c.method]
	switch {
	case !known:
		s.violate("%s: unknown method", c.method)
		return refusal("unknown_method")
	case c.token == "":
		return refusal("not_authed")
	case c.token != m.token():
		return refusal("invalid_auth")
	case !s.granted(m.scopes):
		return reply{"ok": false, "error": "missing_scope", "needed": m.scopes[0], "provided": strings.Join(s.scopes, ",")}
	}
	return m.do(s, c)
}

// granted reports whether the bot has one of the scopes.
func (s *Slack) granted(scopes []string) bool {
	return s.scopes == nil || len(scopes) == 0 || slices.ContainsFunc(scopes, func(x string) bool {
		return slices.Contains(s.scopes, x)
	})
}

func (s *Slack) write(w http.ResponseWriter, a reply) {
	if after, ok := a["retry_after"]; ok {
		w.Header().Set("Retry-After", fmt.Sprint(after))
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	s.mu.Lock()
	w.Header().Set("X-OAuth-Scopes", strings.Join(s.scopes, ","))
	s.mu.Unlock()
	writeJSON(w, a)
}

// reply is the body of an answer; "retry_after" makes it a 429.
type reply map[string]any

func refusal(code string) reply { return reply{"ok": false, "error": code} }

func writeJSON(w http.ResponseWriter, a reply) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_ = json.NewEncoder(w).Encode(a) // the caller may be gone
}

// call is one call of a method, from a form or from JSON.
type call struct {
	method string
	token  string
	form   map[string]string
}

func readCall(r *http.Request) (*call, error) {
	c := &call{method: path.Base(r.URL.Path), form: map[string]string{}}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		c.token = bearer
	}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		return c, c.readJSON(r)
	}
	if err := r.ParseForm(); err != nil {
		return nil, err
	}
	for k := range r.PostForm {
		c.form[k] = r.PostForm.Get(k)
	}
	if c.token == "" {
		c.token = c.form["token"]
	}
	return c, nil
}

func (c *call) readJSON(r *http.Request) error {
	if r.ContentLength == 0 {
		return nil
	}
	var body map[string]json.RawMessage
	if err := json.NewDecoder(r.Body).Decode(&body); err != nil {
		return err
	}
	for k, raw := range body {
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		c.form[k] = text
	}
	return nil
}
