package bluesky

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"emberwatch/sources"
	"emberwatch/sources/sourcetest"
)

// loopback lets a client connect to test servers.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// jetstream stands for a server: it keeps all frames and replays those from the cursor on, or all.
type jetstream struct {
	url string

	mu     sync.Mutex
	frames []string
	more   chan struct{}              // closed when there are more
	asked  []string                   // queries
	after  func(conn *websocket.Conn) // what happens to a connection that has had all frames; nil: it stays
	refuse func(w http.ResponseWriter, r *http.Request) bool
}

func newJetstream(t *testing.T) *jetstream {
	j := &jetstream{more: make(chan struct{})}
	srv := httptest.NewServer(j)
	t.Cleanup(srv.Close)
	j.url = srv.URL
	return j
}

func (j *jetstream) add(frames ...string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.frames = append(j.frames, frames...)
	close(j.more)
	j.more = make(chan struct{})
}

func (j *jetstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	j.mu.Lock()
	j.asked = append(j.asked, r.URL.Path+"?"+r.URL.RawQuery)
	refuse, after := j.refuse, j.after
	j.mu.Unlock()
	if refuse != nil && refuse(w, r) {
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	ctx := conn.CloseRead(r.Context())
	from, _ := strconv.ParseInt(r.FormValue("cursor"), 10, 64)
	for at := 0; ; {
		j.mu.Lock()
		frames, more := j.frames[at:], j.more
		j.mu.Unlock()
		for _, f := range frames {
			at++
			if when := timeOf(f); when != 0 && when < from {
				continue
			}
			if conn.Write(ctx, websocket.MessageText, []byte(f)) != nil {
				return
			}
		}
		if after != nil {
			after(conn)
			return
		}
		select {
		case <-more:
		case <-ctx.Done():
			return
		}
	}
}

// timeOf is the place of a frame in the stream, 0 if it has none.
func timeOf(frame string) int64 {
	var f struct {
		TimeUS  int64 `json:"time_us"`
		Payload struct {
			Seq int64 `json:"seq"`
		} `json:"payload"`
	}
	_ = json.Unmarshal([]byte(frame), &f)
	return max(f.TimeUS, f.Payload.Seq)
}

func post(m sources.Mention) string {
	return fmt.Sprintf(`{"did":"did:plc:x","time_us":%d,"kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.post","rkey":%q,"record":{"text":%q}}}`,
		m.CreatedAt.UnixMicro(), m.ID, m.Text)
}

func TestContract(t *testing.T) {
	for name, looks := range map[string]bool{"a stream": false, "a stream with second looks": true} {
		t.Run(name, func(t *testing.T) {
			sourcetest.Run(t, func(t *testing.T) sourcetest.Harness { return harness(t, looks) })
		})
	}
}

// harness is a source that listens, and looks again at all that it was sent.
func harness(t *testing.T, looks bool) sourcetest.Harness {
	server, api := newJetstream(t), httptest.NewServer(http.HandlerFunc(everything))
	t.Cleanup(api.Close)
	client := sources.NewClient(sources.ClientOptions{Allow: loopback})
	t.Cleanup(client.Close)
	opt := Options{Name: "bsky", URL: server.url, API: api.URL, Client: client, Keep: func(text string) bool { return strings.HasPrefix(text, "Text no. ") }}
	taken := &held{}
	if looks {
		opt.Hot = taken.hot
	}
	put := func(bad bool) func(context.Context, ...sources.Mention) error {
		return func(_ context.Context, ms ...sources.Mention) error {
			for _, m := range ms {
				if bad {
					server.add(`{"kind":"commit","did":7}`)
				}
				server.add(post(sources.Mention{ID: "other", Text: "not about us", CreatedAt: m.CreatedAt}), post(m))
			}
			return nil
		}
	}
	return sourcetest.Harness{
		Source: func(t *testing.T) sources.Source {
			s := source(t, opt)
			s.looks = 2 * time.Millisecond
			return sampled{s, client, taken}
		},
		Put: put(false), PutBad: put(true),
	}
}

// sampled gives posts, whose ids are addresses here, the ids of the samples, and ends idle connections with each run.
type sampled struct {
	*Source
	client *sources.Client
	held   *held
}

// held are the ids of what was taken.
type held struct{ sync.Map }

func (h *held) hot(context.Context) (ids []string) {
	h.Range(func(id, _ any) bool { ids = append(ids, id.(string)); return true })
	return ids
}

func (s sampled) Run(ctx context.Context, from sources.Cursor, emit sources.Emit) error {
	defer s.client.Close()
	return s.Source.Run(ctx, from, func(ctx context.Context, b sources.Batch) (sources.Taken, error) {
		posts := b.Mentions
		b.Mentions = slices.Clone(posts)
		for i := range b.Mentions {
			b.Mentions[i].ID = path.Base(b.Mentions[i].ID)
		}
		taken, err := emit(ctx, b)
		if err == nil {
			for i := range posts {
				s.held.Store(posts[i].ID, true)
			}
		}
		return taken, err
	})
}
