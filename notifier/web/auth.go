package web

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// Scope is what a token is good for. None includes another.
type Scope string

// The scopes.
const (
	Ingest Scope = "ingest" // hand in mentions
	Read   Scope = "read"   // look at everything but direct messages
	Act    Scope = "act"    // answer incidents, and see direct messages
	Admin  Scope = "admin"  // reload, back up, erase
)

// Token lets its holder in.
type Token struct {
	Name   string   // who it is in the audit
	Hash   [32]byte // SHA-256 of the secret
	Scopes []Scope
}

// NewToken returns the token of a secret, which is not kept.
func NewToken(name, secret string, scopes ...Scope) Token {
	return Token{Name: name, Hash: sha256.Sum256([]byte(secret)), Scopes: scopes}
}

// access is what tells friends from strangers. It is replaced as a whole.
type access struct {
	tokens []Token
	key    [32]byte // signs session cookies; new in every process
}

// SetTokens puts other tokens in force, from the next request on. If they differ from those before, everybody
// has to log in again: a session must not outlive the secret it was opened with. Whether the server is Open
// stays as it is.
func (s *Server) SetTokens(tokens []Token) {
	if was := s.access.Load(); was != nil && reflect.DeepEqual(was.tokens, tokens) {
		return
	}
	a := &access{tokens: tokens}
	rand.Read(a.key[:]) // never fails
	s.access.Store(a)
}

// person is who asks.
type person struct {
	name   string // of the token; empty when the server is open
	scopes []Scope
	open   bool
}

// may reports whether the person has the scope.
func (p person) may(need Scope) bool { return p.open || slices.Contains(p.scopes, need) }

// who returns who asks; ok is false if they have shown nothing that is known here.
func (s *Server) who(r *http.Request) (p person, ok bool) {
	if s.c.Open {
		return person{open: true}, true
	}
	if kind, secret, found := strings.Cut(r.Header.Get("Authorization"), " "); found {
		if !strings.EqualFold(kind, "Bearer") {
			return person{}, false
		}
		t, ok := s.token(strings.TrimSpace(secret))
		return person{name: t.Name, scopes: t.Scopes}, ok
	}
	return s.session(r)
}

// token finds the token of a secret. It compares with all of them, so that the time taken tells nothing.
func (s *Server) token(secret string) (found Token, ok bool) {
	sum := sha256.Sum256([]byte(secret))
	for _, t := range s.access.Load().tokens {
		if subtle.ConstantTimeCompare(sum[:], t.Hash[:]) == 1 && secret != "" {
			found, ok = t, true
		}
	}
	return found, ok
}

// api lets those in who have the scope, and answers the others in JSON.
func (s *Server) api(need Scope, h handlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := s.who(r)
		switch {
		case !ok:
			w.Header().Set("WWW-Authenticate", `Bearer realm="emberwatch"`)
			s.fail(w, r, refuse(http.StatusUnauthorized, "send a token: Authorization: Bearer TOKEN"))
		case !p.may(need):
			s.fail(w, r, refuse(http.StatusForbidden, "the token %q lacks the scope %q", p.name, need))
		default:
			if err := h(w, r, p); err != nil {
				s.fail(w, r, err)
			}
		}
	})
}

// page lets those in who have the scope, and sends strangers to the login.
func (s *Server) page(need Scope, h handlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, ok := s.who(r)
		switch {
		case !ok:
			s.askLogin(w, r)
		case !p.may(need):
			s.fail(w, r, refuseSaying(http.StatusForbidden, "problem.scope", "name", p.name, "scope", string(need)))
		default:
			if err := h(w, r, p); err != nil {
				s.fail(w, r, err)
			}
		}
	})
}
