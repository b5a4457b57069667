package main

import (
	"net/http"
	"sync/atomic"
)

// gate lets requests through until it is closed; later ones are asked to come back.
type gate struct {
	next   http.Handler
	closed atomic.Bool
}

func (g *gate) close() { g.closed.Store(true) }

// ServeHTTP passes the request on, or answers 503.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.closed.Load() {
		w.Header().Set("Retry-After", "5")
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": "shutting down; send it again"})
		return
	}
	g.next.ServeHTTP(w, r)
}
