package main

import (
	"net/http"
	"sync"
	"time"
)

// gate lets requests through until it is closed; later ones are asked to come back.
type gate struct {
	next http.Handler

	mu     sync.Mutex // guards closed, and that nobody enters behind a wait
	closed bool
	inside sync.WaitGroup
}

// enter reports whether a request may go on; it then has to leave.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.closed {
		g.inside.Add(1)
	}
	return !g.closed
}

// close lets nobody in any more and waits for those who are, at most that long.
func (g *gate) close(most time.Duration) {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	done := make(chan struct{})
	go func() {
		g.inside.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(most):
	}
}

// ServeHTTP passes the request on, or answers 503.
func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !g.enter() {
		w.Header().Set("Retry-After", "5")
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": "shutting down; send it again"})
		return
	}
	defer g.inside.Done()
	g.next.ServeHTTP(w, r)
}
