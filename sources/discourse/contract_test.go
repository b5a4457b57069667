package discourse

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
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

// forum stands for a Discourse: posts in the order of their ids, in pages of three.
type forum struct {
	mu       sync.Mutex
	posts    []map[string]any // id is index+1; nil: deleted
	bad      bool             // each page begins with something unreadable
	asked    []string
	windowed bool // pages are windows of ids, as in older versions
}

func (f *forum) add(text string) int { return f.addAt(text, time.Now().Add(-time.Hour)) }

func (f *forum) addAt(text string, at time.Time) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := len(f.posts) + 1
	f.posts = append(f.posts, map[string]any{
		"id": id, "username": "u", "user_id": 5, "cooked": text, "created_at": at.UTC().Format(time.RFC3339Nano), "post_number": 2, "post_type": 1, "topic_id": 1,
	})
	return id
}

func (f *forum) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, strings.TrimSuffix(r.URL.Path+"?"+r.URL.RawQuery, "?"))
	switch r.URL.Path {
	case "/posts.json":
		before, _ := strconv.Atoi(r.FormValue("before"))
		json.NewEncoder(w).Encode(map[string]any{"latest_posts": f.list(before)})
	case "/search.json":
		page, _ := strconv.Atoi(r.FormValue("page"))
		found := []any{}
		if before := len(f.posts) - 3*(page-1); before > 0 {
			found = f.list(before)
		}
		json.NewEncoder(w).Encode(map[string]any{"posts": found})
	default:
		id, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/posts/"), ".json"))
		if err != nil || id < 1 || id > len(f.posts) || f.posts[id-1] == nil {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		json.NewEncoder(w).Encode(f.posts[id-1])
	}
}

func (f *forum) list(before int) []any {
	if before == 0 {
		before = len(f.posts)
	}
	page := []any{}
	if f.bad {
		page = append(page, "unreadable")
	}
	for id, n := before, 0; id >= 1 && n < 3 && (!f.windowed || id > before-window); id-- {
		if f.posts[id-1] != nil {
			page, n = append(page, f.posts[id-1]), n+1
		}
	}
	return page
}

func TestContract(t *testing.T) {
	for name, query := range map[string][]string{"latest": nil, "search": {"sample"}} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Harness { return harness(t, query) })
		})
	}
}

func harness(t *testing.T, query []string) sourcetest.Harness {
	f := &forum{}
	srv := httptest.NewServer(f)
	t.Cleanup(srv.Close)
	client := sources.NewClient(sources.ClientOptions{Allow: loopback})
	t.Cleanup(client.Close)
	put := func(_ context.Context, ms ...sources.Mention) error {
		for _, m := range ms {
			f.addAt("<p>"+html.EscapeString(m.Text)+"</p>", m.CreatedAt)
		}
		return nil
	}
	return sourcetest.Harness{
		Source: func(t *testing.T) sources.Source {
			s, err := New(Options{Name: "forum", URL: srv.URL, Query: query, Client: client})
			if err != nil {
				t.Fatal(err)
			}
			s.opt.Every = 5 * time.Millisecond
			return sampled{s, client}
		},
		Put: put,
		PutBad: func(ctx context.Context, ms ...sources.Mention) error {
			f.mu.Lock()
			f.bad = true
			f.mu.Unlock()
			return put(ctx, ms...)
		},
	}
}

// sampled gives posts, whose ids are numbers here, the ids of the samples, and ends idle connections with each run.
type sampled struct {
	*Source
	client *sources.Client
}

func (s sampled) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	defer s.client.Close()
	return s.Source.Run(ctx, from, func(ctx context.Context, b sources.Batch) (sources.Taken, error) {
		b.Mentions = slices.Clone(b.Mentions)
		for i := range b.Mentions {
			b.Mentions[i].ID = fmt.Sprint("sample-", b.Mentions[i].ID)
		}
		return emit(ctx, b)
	})
}
