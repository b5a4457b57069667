package appstore

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/sources"
	"emberwatch/sources/sourcetest"
)

// loopback lets a client fetch from test servers.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// page1 serves a feed of one page that grows at its top.
type page1 struct {
	mu      sync.Mutex
	entries []any
}

func (p *page1) add(entry any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.entries = append([]any{entry}, p.entries...)
}

func (p *page1) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	feed := map[string]any{}
	if len(p.entries) > 0 && strings.Contains(r.URL.Path, "page=1/") {
		feed["entry"] = p.entries
	}
	json.NewEncoder(w).Encode(map[string]any{"feed": feed})
}

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Harness {
		feed := &page1{}
		srv := httptest.NewServer(feed)
		t.Cleanup(srv.Close)
		client := sources.NewClient(sources.ClientOptions{Allow: loopback})
		t.Cleanup(client.Close)
		put := func(m sources.Mention) {
			feed.add(map[string]any{
				"id": wrap(m.ID), "title": wrap(m.Title), "content": wrap(m.Text), "im:rating": wrap("2"), "updated": wrap(m.CreatedAt.Format(time.RFC3339)),
			})
		}
		return sourcetest.Harness{
			Source: func(t *testing.T) sources.Source {
				s, err := New(Options{Name: "ios", App: "1", URL: srv.URL, Countries: []string{"us", "de"}, Client: client})
				if err != nil {
					t.Fatal(err)
				}
				s.opt.Every = 5 * time.Millisecond
				return closing{s, client}
			},
			Put: func(_ context.Context, ms ...sources.Mention) error {
				for _, m := range ms {
					put(m)
				}
				return nil
			},
			PutBad: func(_ context.Context, ms ...sources.Mention) error {
				for _, m := range ms {
					feed.add(map[string]any{"im:rating": wrap("9"), "id": 7})
					put(m)
				}
				return nil
			},
		}
	})
}

// closing ends the idle connections of the client with each run, so that only what the source started is
// looked for.
type closing struct {
	*Source
	client *sources.Client
}

func (c closing) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	defer c.client.Close()
	return c.Source.Run(ctx, from, emit)
}
