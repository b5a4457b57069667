package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// plight is how a service misbehaves.
type plight int

const (
	well    plight = iota
	slow           // the answer does not come; a stream falls silent, a socket answers no ping
	failing        // 500
	busy           // 429, with the wish to be left alone for a second
	cutOff         // the connection ends in the middle of the answer
	half           // only half of the answer was written, and it ends as it should
	reset          // TCP
	webPage        // something else answers
	plights        // how many there are
)

// oneServer is the town behind one address: each service has a path and a plight of its own. Those with pages answer one more
// request well before they fall ill, so that walks break off in their middle.
type oneServer struct {
	url string

	mu     sync.Mutex
	lists  map[string][]thing // the oldest first
	plight map[string]plight
	asked  map[string]int // since the plight began
	frames []frame        // of Bluesky's stream
	events []string       // of Mastodon's streams
	told   func(service, op string, x thing)
	trace  func(format string, args ...any)
}

// frame is an event of Bluesky's stream.
type frame struct {
	at   int64 // microseconds
	text string
}

// connection is the key of a request's connection in its context.
type connection struct{}

func newOneServer(t *testing.T) *oneServer {
	b := &oneServer{lists: map[string][]thing{}, plight: map[string]plight{}, asked: map[string]int{}}
	b.told, b.trace = func(string, string, thing) {}, t.Logf
	srv := httptest.NewUnstartedServer(b)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connection{}, c) }
	srv.Start()
	t.Cleanup(srv.Close)
	b.url = srv.URL
	return b
}

// set changes how a service behaves.
func (b *oneServer) set(service string, p plight) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.plight[service], b.asked[service] = p, 0
}

func (b *oneServer) is(service string) plight {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.plight[service]
}

// things are what a service holds, the newest first.
func (b *oneServer) things(service string) []thing {
	b.mu.Lock()
	defer b.mu.Unlock()
	return newestFirst(b.lists[service])
}

// grow adds things to a service.
func (b *oneServer) grow(service string, n int) {
	for range n {
		b.mu.Lock()
		x := newThing(service, len(b.lists[service]), time.Now())
		b.lists[service] = append(b.lists[service], x)
		b.mu.Unlock()
		b.tell(service, "create", x)
	}
}

// edit changes what the newest harmless thing of a service says.
func (b *oneServer) edit(service string) {
	b.mu.Lock()
	list := b.lists[service]
	at := len(list) - 1
	for list[at].bad() || list[at].lookedUp() {
		at--
	}
	list[at].text = "Fjellbryg again, no. " + list[at].id
	x := list[at]
	b.mu.Unlock()
	b.tell(service, "update", x)
}

// remove takes back the newest bad thing of a service, which is among its newest eight.
func (b *oneServer) remove(service string) (gone thing) {
	b.mu.Lock()
	b.lists[service] = slices.DeleteFunc(b.lists[service], func(x thing) bool {
		newest := x.bad() && x.n+8 >= len(b.lists[service])
		if newest {
			gone = x
		}
		return newest
	})
	b.mu.Unlock()
	b.tell(service, "delete", gone)
	return gone
}

// tell has streams and senders speak of a thing.
func (b *oneServer) tell(service, op string, x thing) {
	b.mu.Lock()
	switch service {
	case "bluesky":
		at := time.Now().UnixMicro()
		b.frames = append(b.frames, frame{at, fmt.Sprintf(`{"did":"did:plc:%s","time_us":%d,"kind":"commit","commit":{"operation":%q,"collection":"app.bsky.feed.post","rkey":"r","record":{"text":%q}}}`, x.id, at, op, x.text)})
	case "mastodon":
		body, _ := json.Marshal(status(x))
		b.events = append(b.events, map[string]string{
			"create": "event: update\ndata: " + string(body) + "\n\n",
			"update": "event: status.update\ndata: " + string(body) + "\n\n",
			"delete": "event: delete\ndata: " + strconv.Itoa(1000+x.n) + "\n\n",
		}[op])
	}
	b.mu.Unlock()
	b.told(service, op, x)
}

func (b *oneServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	service, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	b.mu.Lock()
	p := b.plight[service]
	b.asked[service]++
	first := b.asked[service] == 1 && service != "feed"
	b.mu.Unlock()
	switch path = "/" + path; {
	case path == "/subscribe":
		b.jetstream(w, r, p)
	case p == well && strings.HasPrefix(path, "/api/v1/streaming/"):
		b.stream(w, r, path)
	case p == well || first:
		a := services[service](r, path, b.things(service))
		if a.link != "" {
			w.Header().Set("Link", a.link)
		}
		w.WriteHeader(cmp.Or(a.status, 200))
		io.WriteString(w, a.text())
	default:
		b.misbehave(w, r, p, services[service](r, path, b.things(service)).text())
	}
}

// misbehave answers as a service does that is not well.
func (b *oneServer) misbehave(w http.ResponseWriter, r *http.Request, p plight, body string) {
	switch p {
	case slow:
		<-r.Context().Done()
	case failing:
		w.WriteHeader(http.StatusInternalServerError)
	case busy:
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	case cutOff:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		io.WriteString(w, body[:len(body)/2])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case half:
		io.WriteString(w, body[:len(body)/2])
	case reset:
		resetConnection(r)
		panic(http.ErrAbortHandler)
	case webPage:
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<!DOCTYPE html><title>Sign in</title>")
	}
}

func resetConnection(r *http.Request) {
	c := r.Context().Value(connection{}).(*net.TCPConn)
	c.SetLinger(0)
	c.Close()
}

// stream is one of Mastodon's. It tells what happens while it is open, and breaks when the service falls ill.
func (b *oneServer) stream(w http.ResponseWriter, r *http.Request, path string) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	b.mu.Lock()
	at := len(b.events)
	b.mu.Unlock()
	for beat := 0; r.Context().Err() == nil; beat++ {
		b.mu.Lock()
		p, news := b.plight["mastodon"], strings.Join(b.events[at:], "")
		at = len(b.events)
		b.mu.Unlock()
		switch {
		case p == slow:
			<-r.Context().Done()
			return
		case p == reset:
			resetConnection(r)
			return
		case p != well:
			io.WriteString(w, "event: update\ndata: {\"id\":\"half of")
			out.Flush()
			if p == cutOff {
				panic(http.ErrAbortHandler)
			}
			return
		case beat%10 == 0:
			io.WriteString(w, ":thump\n")
		}
		if strings.HasSuffix(path, "/hashtag") {
			io.WriteString(w, news)
		}
		out.Flush()
		time.Sleep(20 * time.Millisecond)
	}
}

// jetstream is Bluesky's stream, from the cursor on.
func (b *oneServer) jetstream(w http.ResponseWriter, r *http.Request, p plight) {
	if p == failing || p == busy || p == webPage {
		b.misbehave(w, r, p, "")
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	for p == slow { // who does not read answers no ping
		time.Sleep(20 * time.Millisecond)
		p = b.is("bluesky")
	}
	ctx := conn.CloseRead(r.Context())
	from, _ := strconv.ParseInt(r.FormValue("cursor"), 10, 64)
	for at := 0; ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		b.mu.Lock()
		p, news := b.plight["bluesky"], b.frames[at:]
		at = len(b.frames)
		b.mu.Unlock()
		if p != well {
			breakSocket(conn, r, p)
			return
		}
		for _, f := range news {
			if f.at >= from && conn.Write(ctx, websocket.MessageText, []byte(f.text)) != nil {
				return
			}
		}
	}
}

// breakSocket ends a websocket: in the middle of a frame, by a reset, or as it should be.
func breakSocket(conn *websocket.Conn, r *http.Request, p plight) {
	switch p {
	case cutOff, half:
		raw := r.Context().Value(connection{}).(net.Conn)
		raw.Write([]byte{0x81, 126, 0x10, 0x00, '{', '"'}) // a text of 4096 bytes begins
		raw.Close()
	case reset:
		resetConnection(r)
	default:
		conn.Close(websocket.StatusGoingAway, "")
	}
}
