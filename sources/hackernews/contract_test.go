package hackernews

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/sources"
	"emberwatch/sources/sourcetest"
)

// loopback lets a client fetch from test servers.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// index stands for the search: hits by date, newest first, in pages.
type index struct {
	mu   sync.Mutex
	hits []map[string]any // oldest first
}

func (x *index) add(hit map[string]any) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.hits = append(x.hits, hit)
}

func (x *index) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x.mu.Lock()
	defer x.mu.Unlock()
	after, _ := strconv.ParseInt(strings.TrimPrefix(r.FormValue("numericFilters"), "created_at_i>"), 10, 64)
	page, _ := strconv.Atoi(r.FormValue("page"))
	const size = 2
	found := []map[string]any{}
	for i := len(x.hits) - 1; i >= 0; i-- {
		if at, ok := x.hits[i]["created_at_i"].(int64); !ok || at > after {
			found = append(found, x.hits[i])
		}
	}
	json.NewEncoder(w).Encode(map[string]any{
		"hits": found[min(page*size, len(found)):min((page+1)*size, len(found))], "nbPages": (len(found) + size - 1) / size, "page": page,
	})
}

func comment(m sources.Mention) map[string]any {
	return map[string]any{"objectID": m.ID, "comment_text": m.Text, "author": "a", "created_at_i": m.CreatedAt.Unix()}
}

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Harness {
		x := &index{}
		srv := httptest.NewServer(x)
		t.Cleanup(srv.Close)
		client := sources.NewClient(sources.ClientOptions{Allow: loopback})
		t.Cleanup(client.Close)
		return sourcetest.Harness{
			Source: func(t *testing.T) sources.Source {
				s, err := New(Options{Name: "hn", URL: srv.URL, Query: []string{"sample"}, Client: client})
				if err != nil {
					t.Fatal(err)
				}
				s.opt.Every = 5 * time.Millisecond
				return closing{s, client}
			},
			Put: func(_ context.Context, ms ...sources.Mention) error {
				for _, m := range ms {
					x.add(comment(m))
				}
				return nil
			},
			PutBad: func(_ context.Context, ms ...sources.Mention) error {
				for _, m := range ms {
					x.add(map[string]any{"objectID": nil, "comment_text": []int{1}})
					x.add(comment(m))
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
