package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/sources"
)

// refusal is an answer other than the one asked for, in words that may be shown. What people can meet on a page has a
// phrase in every language.
type refusal struct {
	code  int
	text  string // in English
	key   string // of the phrase; empty: there is none
	pairs []string
}

// Error returns the words.
func (r *refusal) Error() string { return r.text }

func refuse(code int, format string, args ...any) error {
	return &refusal{code: code, text: fmt.Sprintf(format, args...)}
}

// refuseSaying refuses with a phrase.
func refuseSaying(code int, key string, pairs ...string) *refusal {
	return &refusal{code, notifier.English().Say(key, pairs...), key, pairs}
}

func badRequest(format string, args ...any) error {
	return refuse(http.StatusBadRequest, format, args...)
}

// asRefusal puts any error in words that may be shown. What it does not know says nothing about itself:
// it is for the log.
func asRefusal(err error) *refusal {
	var known *refusal
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &large):
		return refuseSaying(http.StatusRequestEntityTooLarge, "problem.large", "n", strconv.FormatInt(large.Limit, 10))
	case errors.Is(err, detector.ErrNotFound):
		return refuseSaying(http.StatusNotFound, "problem.incident")
	case errors.Is(err, sources.ErrUnavailable):
		return refuseSaying(http.StatusServiceUnavailable, "problem.store")
	}
	return refuseSaying(http.StatusInternalServerError, "problem.unknown")
}

// fail tells why a request was not answered, in the form that fits who asks. It is the one place that logs
// such an error.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	told := asRefusal(err)
	if told.code >= 500 && !errors.Is(err, context.Canceled) {
		s.c.Logger.Error("request failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
	if told.code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	if wantsPage(r) {
		v := s.voice(r)
		s.render(w, v, told.code, "problem.html", problemView{frame{Title: v.problem(told.code)}, capital(v.refusal(told))})
		return
	}
	writeJSON(w, told.code, map[string]string{"error": told.text})
}

// problem is the title of the page of an error.
func (v voice) problem(code int) string {
	if key := "problem." + strconv.Itoa(code); v.Has(key) {
		return v.Say(key)
	}
	return http.StatusText(code)
}

func (v voice) refusal(r *refusal) string {
	if r.key == "" {
		return r.text
	}
	return v.Say(r.key, r.pairs...)
}

// wantsPage reports whether a person with a browser asks, and not for the API.
func wantsPage(r *http.Request) bool {
	return !strings.HasPrefix(r.URL.Path, "/api/") && strings.Contains(r.Header.Get("Accept"), "text/html")
}

// writeJSON answers with v. Nothing has been written when it cannot be put in JSON.
func writeJSON(w http.ResponseWriter, code int, v any) {
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		code, b = http.StatusInternalServerError, *bytes.NewBufferString(`{"error":"the answer cannot be written as JSON"}`)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(code)
	_, _ = w.Write(b.Bytes()) // an error means that nobody is listening any more
}

func noSuchPath(_ http.ResponseWriter, r *http.Request, _ person) error {
	return refuseSaying(http.StatusNotFound, "problem.path", "method", r.Method, "path", r.URL.Path)
}
