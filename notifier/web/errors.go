package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"emberwatch/detector"
	"emberwatch/sources"
)

// refusal is an answer other than the one asked for, in words that may be shown.
type refusal struct {
	code int
	text string
}

// Error returns the words.
func (r *refusal) Error() string { return r.text }

func refuse(code int, format string, args ...any) error {
	return &refusal{code, fmt.Sprintf(format, args...)}
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
		return &refusal{http.StatusRequestEntityTooLarge, fmt.Sprintf("the body may have %d bytes at most", large.Limit)}
	case errors.Is(err, detector.ErrNotFound):
		return &refusal{http.StatusNotFound, "there is no such incident"}
	case errors.Is(err, sources.ErrUnavailable):
		return &refusal{http.StatusServiceUnavailable, "nothing can be stored at the moment; try again shortly"}
	}
	return &refusal{http.StatusInternalServerError, "something went wrong here; the log of the daemon says what"}
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
		s.render(w, s.voice(r), told.code, "problem.html", problemView{frame{Title: http.StatusText(told.code)}, told.text})
		return
	}
	writeJSON(w, told.code, map[string]string{"error": told.text})
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
	return refuse(http.StatusNotFound, "there is no %s %s", r.Method, r.URL.Path)
}
