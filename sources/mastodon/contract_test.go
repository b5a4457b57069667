package mastodon

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
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

// social stands for a Mastodon server: posts with one hashtag, in pages of a few, streamed to those who listen.
type social struct {
	mu      sync.Mutex
	size    int              // of a page
	posts   []map[string]any // oldest first
	notices []map[string]any
	heard   map[chan string]bool // streams; whether of the hashtag
	asked   []string
	fail    func(w http.ResponseWriter, r *http.Request) bool // nil: nothing fails
	url     string
}

func newSocial(t *testing.T) *social {
	s := &social{size: 3, heard: map[chan string]bool{}}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	s.url = srv.URL
	return s
}

func post(id, text string) map[string]any {
	return map[string]any{
		"id": id, "content": "<p>" + html.EscapeString(text) + "</p>", "created_at": time.Now().Add(-time.Hour).UTC().Format(time.RFC3339Nano),
		"account": map[string]any{"id": "1", "acct": "a"},
	}
}

func sample(m sources.Mention) map[string]any {
	p := post(m.ID, m.Text)
	p["created_at"] = m.CreatedAt.Format(time.RFC3339)
	return p
}

func (s *social) add(posts ...map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.posts = append(s.posts, posts...)
	for _, p := range posts {
		s.tell("update", p)
	}
}

// tell streams an event. The caller holds the lock.
func (s *social) tell(event string, data any) {
	text, _ := json.Marshal(data)
	for ch, hashtag := range s.heard {
		if !hashtag {
			continue
		}
		ch <- fmt.Sprintf("event: %s\ndata: %s\n\n", event, text)
	}
}

func (s *social) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.asked = append(s.asked, strings.TrimSuffix(r.URL.Path+"?"+r.URL.RawQuery, "?"))
	failed := s.fail != nil && s.fail(w, r)
	s.mu.Unlock()
	switch {
	case failed:
	case strings.HasPrefix(r.URL.Path, "/api/v1/timelines/tag/"):
		s.list(w, r, &s.posts)
	case r.URL.Path == "/api/v1/notifications":
		s.list(w, r, &s.notices)
	case strings.HasPrefix(r.URL.Path, "/api/v1/statuses/"):
		s.one(w, strings.TrimPrefix(r.URL.Path, "/api/v1/statuses/"))
	case strings.HasPrefix(r.URL.Path, "/api/v1/streaming/"):
		s.stream(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *social) list(w http.ResponseWriter, r *http.Request, items *[]map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []map[string]any{}
	min, max := r.FormValue("min_id"), r.FormValue("max_id")
	for _, p := range *items { // oldest first
		id, _ := p["id"].(string)
		if min != "" && compareIDs(id, min) <= 0 || max != "" && compareIDs(id, max) >= 0 {
			continue
		}
		if found = append([]map[string]any{p}, found...); min != "" && len(found) == s.size {
			break
		}
	}
	if len(found) > s.size {
		found = found[:s.size]
		w.Header().Set("Link", fmt.Sprintf(`<https://elsewhere.example/x?max_id=%s>; rel="next", <https://elsewhere.example/x?min_id=z>; rel="prev"`, found[s.size-1]["id"]))
	}
	json.NewEncoder(w).Encode(found)
}

func (s *social) one(w http.ResponseWriter, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.posts {
		if p["id"] == id {
			json.NewEncoder(w).Encode(p)
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}

func (s *social) stream(w http.ResponseWriter, r *http.Request) {
	ch := make(chan string, 1000)
	s.mu.Lock()
	s.heard[ch] = r.URL.Path == "/api/v1/streaming/hashtag"
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.heard, ch)
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprint(w, ":)\n\n")
	w.(http.Flusher).Flush()
	for {
		select {
		case <-r.Context().Done():
			return
		case text := <-ch:
			fmt.Fprint(w, text)
			w.(http.Flusher).Flush()
		}
	}
}

func TestContract(t *testing.T) {
	for name, tt := range map[string]struct {
		token string
		every time.Duration
	}{
		"polled":              {"", 5 * time.Millisecond},
		"polled and streamed": {"token", 5 * time.Millisecond},
		"streamed":            {"token", time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Harness { return harness(t, tt.token, tt.every) })
		})
	}
}

func harness(t *testing.T, token string, every time.Duration) sourcetest.Harness {
	server := newSocial(t)
	client := sources.NewClient(sources.ClientOptions{Allow: loopback})
	t.Cleanup(client.Close)
	return sourcetest.Harness{
		Source: func(t *testing.T) sources.Source {
			s, err := New(Options{Name: "social", URL: server.url, Hashtags: []string{"#Sample"}, Token: token, Client: client})
			if err != nil {
				t.Fatal(err)
			}
			s.opt.Every = every
			return closing{s, client}
		},
		Put: func(_ context.Context, ms ...sources.Mention) error {
			for _, m := range ms {
				server.add(sample(m))
			}
			return nil
		},
		PutBad: func(_ context.Context, ms ...sources.Mention) error {
			for _, m := range ms {
				server.add(map[string]any{"content": 7}, sample(m))
			}
			return nil
		},
	}
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
