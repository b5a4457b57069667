package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"emberwatch/sources"
)

// jetstream stands for a Jetstream server that does not answer the first time.
type jetstream struct {
	now   time.Time
	asked atomic.Int32
}

// ServeHTTP sends posts of which two name the brand, a repost of one, and the end of the other's account.
func (m *jetstream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.asked.Add(1) == 1 {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
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

// TestBlueskyThroughTheDaemon reads a stream: what names a brand comes in once, and what is about that follows it.
func TestBlueskyThroughTheDaemon(t *testing.T) {
	server := httptest.NewServer(&jetstream{now: time.Now().UTC().Truncate(time.Second)})
	defer server.Close()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "rules.yml"), "version: 1\nbrands: {fjellbryg: {names: [Fjellbryg]}}\npacks: [starter]\n")
	cfg := writeFile(t, filepath.Join(dir, "emberwatch.yml"), anyPort+`rules: [rules.yml]
outgoing: {allow: ["127.0.0.0/8"]}
sources: [{type: bluesky, name: bsky, url: "`+server.URL+`/jet", api: "off"}]
`)
	d, stop := startDaemon(t, filepath.Join(dir, "data"), cfg)
	defer stop()
	want := []string{ // the author of the other post has left: its text and id are gone
		"at://did:plc:a/app.bsky.feed.post/r post My Fjellbryg caught fire", "at://did:plc:c/app.bsky.feed.repost/r share ", "~ post ",
	}
	var got []string
	defer func() {
		if t.Failed() {
			t.Logf("got %q\nwant %q\nhealth %+v", got, want, d.supervisor.Health())
		}
	}()
	soon(t, "all mentions, each once", func() bool {
		got = nil
		for _, j := range mentionsOf(t, d, "bsky") {
			if strings.HasPrefix(j.Mention.ID, "~") {
				j.Mention.ID = "~"
			}
			got = append(got, fmt.Sprintf("%s %s %s", j.Mention.ID, j.Mention.Kind, j.Mention.Text))
		}
		slices.Sort(got)
		return slices.Equal(got, want)
	})
	if h := healthOf(t, d)["bsky"]; h.State != sources.Running || h.LastError == "" || h.LastSuccess.IsZero() || h.LastMention.IsZero() || h.Duplicates != 0 {
		t.Errorf("%+v", h)
	}
	if hot := d.hot("bsky")(t.Context()); !slices.Equal(hot, []string{"at://did:plc:a/app.bsky.feed.post/r"}) {
		t.Errorf("looked at again: %q", hot)
	}
	if ids := d.hot("nowhere")(t.Context()); len(ids) != 0 {
		t.Errorf("of another source: %q", ids)
	}
}
