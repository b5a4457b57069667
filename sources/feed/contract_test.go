package feed

import (
	"context"
	"encoding/xml"
	"fmt"
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

// server serves an RSS feed that grows at its top, with an ETag.
type server struct {
	mu    sync.Mutex
	items []string
}

func (s *server) add(item string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.items = append([]string{item}, s.items...)
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tag := fmt.Sprintf("%q", fmt.Sprint(len(s.items)))
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	fmt.Fprintf(w, `<rss version="2.0"><channel><title>t</title>%s</channel></rss>`, strings.Join(s.items, ""))
}

func rssItem(m sources.Mention) string {
	var text strings.Builder
	xml.EscapeText(&text, []byte(m.Text))
	return fmt.Sprintf("<item><guid>%s</guid><link>%s</link><title>%s</title><description>%s</description><pubDate>%s</pubDate></item>",
		m.ID, m.URL, m.Title, text.String(), m.CreatedAt.Format(time.RFC1123Z))
}

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Harness {
		feed := &server{}
		srv := httptest.NewServer(feed)
		t.Cleanup(srv.Close)
		client := sources.NewClient(sources.ClientOptions{Allow: loopback})
		t.Cleanup(client.Close)
		return sourcetest.Harness{
			Source: func(t *testing.T) sources.Source {
				s, err := New(Options{Name: "news", URL: srv.URL, Client: client})
				if err != nil {
					t.Fatal(err)
				}
				s.opt.Every = 5 * time.Millisecond
				return closing{s, client}
			},
			Put: func(_ context.Context, ms ...sources.Mention) error {
				for _, m := range ms {
					feed.add(rssItem(m))
				}
				return nil
			},
			PutBad: func(_ context.Context, ms ...sources.Mention) error {
				for _, m := range ms {
					feed.add("<item><guid>empty</guid></item>")
					feed.add(rssItem(m))
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
