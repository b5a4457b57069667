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

// moody stands for four services at once, each of which answers from its second request on.
type moody struct {
	now   time.Time
	mu    sync.Mutex
	asked map[string]bool // by service
}

func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service := strings.Split(r.URL.Path, "/")[1]
	m.mu.Lock()
	asked := m.asked[service]
	m.asked[service] = true
	m.mu.Unlock()
	switch {
	case !asked:
		w.WriteHeader(http.StatusInternalServerError)
	case service == "jet":
		m.stream(w, r)
	default:
		io.WriteString(w, m.answer(service, r))
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

// TestOpenNetworks reads the open networks through a daemon: what names a brand comes in once, what is about that
// follows it, and the health of each source is known.
func TestOpenNetworks(t *testing.T) {
	server := httptest.NewServer(&moody{now: time.Now().UTC().Truncate(time.Second), asked: map[string]bool{}})
	defer server.Close()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "rules.yml"), "version: 1\nbrands: {fjellbryg: {names: [Fjellbryg]}}\npacks: [starter]\n")
	cfg := writeFile(t, filepath.Join(dir, "emberwatch.yml"), strings.ReplaceAll(anyPort+`rules: [rules.yml]
outgoing: {allow: ["127.0.0.0/8"]}
sources:
  - {type: hackernews, name: hn, url: "URL/hn", query: Fjellbryg}
  - {type: discourse, name: forum, url: "URL/forum"}
  - {type: mastodon, name: social, url: "URL/social", hashtags: [Fjellbryg]}
  - {type: bluesky, name: bsky, url: "URL/jet", api: "off"}
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
		if failed := h.Type == "bluesky"; h.State != sources.Running || failed != (h.LastError != "") || h.LastSuccess.IsZero() || h.LastMention.IsZero() || h.Duplicates != 0 {
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
