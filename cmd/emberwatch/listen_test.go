package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"emberwatch/detector"
	"emberwatch/sources"
)

// moody stands for four services at once, each of which misbehaves in turn before it answers: an error, a web page, a
// connection that breaks, half a page, and a wish to be left alone.
type moody struct {
	now   time.Time
	mu    sync.Mutex
	asked map[string]int // requests by service
}

func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service := strings.Split(r.URL.Path, "/")[1]
	m.mu.Lock()
	turn := m.asked[service]
	m.asked[service]++
	m.mu.Unlock()
	if service == "jet" && turn > 0 { // each costs a start of the source: two are enough
		turn += 2
	}
	answer := m.answer(service, r)
	switch turn {
	case 0:
		w.WriteHeader(http.StatusInternalServerError)
	case 1:
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<html><body>Just a moment…</body></html>")
	case 2:
		panic(http.ErrAbortHandler)
	case 3:
		io.WriteString(w, answer[:len(answer)/2])
	case 4:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	default:
		if service == "jet" {
			m.stream(w, r)
			return
		}
		io.WriteString(w, answer)
	}
}

func (m *moody) answer(service string, r *http.Request) string {
	at := m.now.Add(-time.Minute)
	var body any
	switch {
	case service == "hn":
		body = map[string]any{"nbPages": 1, "hits": []any{map[string]any{"objectID": "1", "title": "Fjellbryg leaks", "created_at_i": at.Unix()}}}
	case service == "forum" && r.URL.Path == "/forum/posts.json":
		body = map[string]any{"latest_posts": []any{map[string]any{"id": 2, "cooked": "<p>Fjellbryg broke</p>", "created_at": at, "username": "u"}}}
	case service == "social" && strings.HasPrefix(r.URL.Path, "/social/api/v1/timelines/tag/fjellbryg"):
		body = []any{map[string]any{"id": "3", "content": "<p>Fjellbryg is terrible</p>", "created_at": at, "account": nil}}
	default:
		body = "{}"
	}
	text, _ := json.Marshal(body)
	return string(text)
}

// stream sends posts of which two name the brand, a repost of one, and the end of the other's account.
func (m *moody) stream(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	ctx := conn.CloseRead(r.Context())
	post := `{"did":"did:plc:%s","time_us":%d,"kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.%s","rkey":"r","record":%s}}`
	for _, frame := range []string{
		fmt.Sprintf(post, "a", m.now.UnixMicro(), "post", `{"text":"My Fjellbryg caught fire"}`),
		fmt.Sprintf(post, "b", m.now.UnixMicro()+1, "post", `{"text":"Fjellbryg: never again"}`),
		fmt.Sprintf(post, "c", m.now.UnixMicro()+2, "post", `{"text":"Nothing of theirs"}`),
		fmt.Sprintf(post, "c", m.now.UnixMicro()+3, "repost", `{"subject":{"uri":"at://did:plc:a/app.bsky.feed.post/r"}}`),
		fmt.Sprintf(post, "c", m.now.UnixMicro()+4, "repost", `{"subject":{"uri":"at://did:plc:z/app.bsky.feed.post/r"}}`),
		fmt.Sprintf(`{"did":"did:plc:b","time_us":%d,"kind":"account","account":{"active":false,"status":"deleted"}}`, m.now.UnixMicro()+5),
	} {
		if conn.Write(ctx, websocket.MessageText, []byte(frame)) != nil {
			return
		}
	}
	<-ctx.Done()
}

// TestSourcesOutlastServicesThatMisbehave runs all of them on one server: nothing is lost, nothing comes twice, and the
// health of each tells the truth.
func TestSourcesOutlastServicesThatMisbehave(t *testing.T) {
	server := httptest.NewServer(&moody{now: time.Now().UTC().Truncate(time.Second), asked: map[string]int{}})
	defer server.Close()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "rules.yml"), "version: 1\nbrands: {fjellbryg: {names: [Fjellbryg]}}\npacks: [starter]\n")
	cfg := writeFile(t, filepath.Join(dir, "emberwatch.yml"), strings.ReplaceAll(anyPort+`rules: [rules.yml]
outgoing: {allow: ["127.0.0.0/8"]}
sources:
  - {type: hackernews, name: hn, url: "URL/hn", query: Fjellbryg}
  - {type: discourse, name: forum, url: "URL/forum"}
  - {type: mastodon, name: social, url: "URL/social", hashtags: [Fjellbryg]}
  - {type: bluesky, name: bsky, url: "URL/jet"}
`, "URL", server.URL))
	d, stop := startDaemon(t, filepath.Join(dir, "data"), cfg)
	defer stop()
	const share = "bsky at://did:plc:c/app.bsky.feed.repost/r share "
	want := []string{ // the author of the other post has left: its text and id are gone
		"bsky at://did:plc:a/app.bsky.feed.post/r post My Fjellbryg caught fire",
		share, "bsky ~ post ", "forum 2 comment Fjellbryg broke", "hn 1 post ", "social 3 post Fjellbryg is terrible",
	}
	var got []string
	defer func() {
		if t.Failed() {
			t.Logf("got %q\nwant %q\nhealth %+v", got, want, d.supervisor.Health())
		}
	}()
	soon(t, "all mentions, each once", func() bool {
		found, err := d.db.Mentions(t.Context(), detector.MentionFilter{Brand: "fjellbryg"})
		if err != nil {
			t.Fatal(err)
		}
		got = nil
		for _, j := range found {
			if strings.HasPrefix(j.Mention.ID, "~") {
				j.Mention.ID = "~"
			}
			got = append(got, fmt.Sprintf("%s %s %s %s", j.Mention.Source, j.Mention.ID, j.Mention.Kind, j.Mention.Text))
		}
		slices.Sort(got)
		return slices.Equal(got, want)
	})
	for _, h := range d.supervisor.Health() {
		if h.Type == "" {
			continue // the intake
		}
		if h.State != sources.Running || h.Failures < 2 || h.LastError == "" || h.LastSuccess.IsZero() || h.LastMention.IsZero() || h.Duplicates != 0 {
			t.Errorf("%+v", h)
		}
	}
	hot := d.hot("social")(t.Context())
	if !slices.Equal(hot, []string{"3"}) {
		t.Errorf("looked at again: %q", hot)
	}
	if ids := d.hot("nowhere")(t.Context()); len(ids) != 0 {
		t.Errorf("of another source: %q", ids)
	}
}
