package notifiertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	ackWithin = 3 * time.Second // then the person sees an error
	ackSoon   = time.Second     // longer is noted: the rest is for the way there and back
	ackMost   = 20 * 1024
	pingEvery = 100 * time.Millisecond
)

// Ack is how an app acknowledged an envelope.
type Ack struct {
	Latency time.Duration
	Payload json.RawMessage // what it answered with; empty: nothing
}

// ErrNotAcked: the app did not acknowledge, in time or on the connection that was asked; the person saw an error.
var ErrNotAcked = errors.New("not acknowledged within 3 s")

// ErrNoSocket: no app is connected.
var ErrNoSocket = errors.New("no app is connected")

// socket is the Socket Mode half.
type socket struct {
	slack *Slack
	wg    sync.WaitGroup

	mu      sync.Mutex // guards what follows and is held for writing
	links   []*link
	closed  bool
	off     bool
	waiting map[string]chan []byte // by envelope id
	n       int
}

// link is one connection of an app.
type link struct {
	*websocket.Conn
	gone chan struct{} // closed when the connection has ended
	deaf bool          // nothing comes through any more, either way; guarded by socket.mu
}

func newSocket(s *Slack) *socket { return &socket{slack: s, waiting: map[string]chan []byte{}} }

// serve keeps one connection: hello, pings, acknowledgements.
func (k *socket) serve(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	l := &link{Conn: conn, gone: make(chan struct{})}
	if !k.join(l) {
		return
	}
	defer k.wg.Done()
	var pinger sync.WaitGroup
	pinger.Go(func() { k.ping(l) })
	k.read(l)
	k.leave(l)
	close(l.gone)
	pinger.Wait()
}

func (k *socket) join(l *link) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return false
	}
	if k.off {
		_ = l.WriteJSON(map[string]any{"type": "disconnect", "reason": "link_disabled"})
		return false
	}
	k.wg.Add(1)
	k.links = append(k.links, l)
	hello := map[string]any{"type": "hello", "num_connections": len(k.links), "connection_info": map[string]string{"app_id": AppID}}
	return l.WriteJSON(hello) == nil
}

func (k *socket) leave(l *link) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.links = slices.DeleteFunc(k.links, func(x *link) bool { return x == l })
}

func (k *socket) ping(l *link) {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-l.gone:
			return
		case <-t.C:
			k.mu.Lock()
			if !l.deaf {
				_ = l.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(time.Second))
			}
			k.mu.Unlock()
		}
	}
}

func (k *socket) read(l *link) {
	for {
		_, raw, err := l.ReadMessage()
		if err != nil {
			return
		}
		var a struct {
			ID string `json:"envelope_id"`
		}
		if json.Unmarshal(raw, &a) != nil {
			continue
		}
		k.mu.Lock()
		if ch, ok := k.waiting[a.ID]; ok && !l.deaf {
			delete(k.waiting, a.ID)
			ch <- raw // holds one
		}
		k.mu.Unlock()
	}
}

func (k *socket) close() {
	k.mu.Lock()
	k.closed = true
	for _, l := range k.links {
		_ = l.Close()
	}
	k.mu.Unlock()
	k.wg.Wait()
}

// push sends an envelope to the newest connection and waits for its acknowledgement. A connection that ends takes the
// envelope with it: nobody could acknowledge.
func (k *socket) push(ctx context.Context, kind string, payload any) (Ack, error) {
	start := time.Now()
	id, l, ch, err := k.send(kind, payload)
	if err != nil {
		return Ack{}, err
	}
	t := time.NewTimer(ackWithin)
	defer t.Stop()
	select {
	case raw := <-ch:
		return k.acked(kind, raw, time.Since(start))
	case <-ctx.Done():
		return Ack{}, ctx.Err()
	case <-l.gone:
		return Ack{}, ErrNotAcked
	case <-t.C:
		if k.hears(l) {
			k.slack.note("%s %s: not acknowledged within %s", kind, id, ackWithin)
		}
		return Ack{}, ErrNotAcked
	}
}

func (k *socket) hears(l *link) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return !l.deaf
}

// acked judges an acknowledgement. The race detector makes everything slow: with it, a late one is merely recorded.
func (k *socket) acked(kind string, raw []byte, latency time.Duration) (Ack, error) {
	if len(raw) >= ackMost {
		k.slack.note("%s: acknowledgement of %d bytes is dropped", kind, len(raw))
	}
	if latency >= ackSoon && !raceDetector {
		k.slack.note("%s: acknowledged after %s, more than %s", kind, latency, ackSoon)
	}
	k.slack.record(latency)
	var body struct {
		Payload json.RawMessage `json:"payload"`
	}
	err := json.Unmarshal(raw, &body)
	return Ack{latency, body.Payload}, err
}

func (k *socket) send(kind string, payload any) (string, *link, <-chan []byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.links) == 0 {
		return "", nil, nil, ErrNoSocket
	}
	l := k.links[len(k.links)-1]
	k.n++
	id, ch := fmt.Sprintf("envelope-%d", k.n), make(chan []byte, 1)
	k.waiting[id] = ch
	if l.deaf {
		return id, l, ch, nil
	}
	err := l.WriteJSON(map[string]any{
		"type": kind, "envelope_id": id, "payload": payload, "accepts_response_payload": kind == "slash_commands",
	})
	return id, l, ch, err
}

func (s *Slack) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violate(format, args...)
}

func (s *Slack) record(latency time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latencies = append(s.latencies, latency)
}

// Latencies returns how long each acknowledgement took, in order.
func (s *Slack) Latencies() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.latencies)
}

// Connected reports how many Socket Mode connections there are.
func (s *Slack) Connected() int {
	s.socket.mu.Lock()
	defer s.socket.mu.Unlock()
	return len(s.socket.links)
}

// Hush leaves the connections half open: they are there, and nothing comes through them any more, either way. The next
// ones are sound.
func (s *Slack) Hush() {
	s.socket.mu.Lock()
	defer s.socket.mu.Unlock()
	for _, l := range s.socket.links {
		l.deaf = true
	}
}

// Hangup ends all Socket Mode connections; an app connects again.
func (s *Slack) Hangup() {
	s.socket.mu.Lock()
	defer s.socket.mu.Unlock()
	for _, l := range s.socket.links {
		_ = l.Close()
	}
}

// Goodbye ends all Socket Mode connections with a close frame, as a server does that goes away in good order.
func (s *Slack) Goodbye() {
	s.socket.mu.Lock()
	defer s.socket.mu.Unlock()
	for _, l := range s.socket.links {
		bye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
		_ = l.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
		_ = l.Close()
	}
}

// Refresh asks the app to connect anew, as Slack does every few hours, and then ends the old connections.
func (s *Slack) Refresh() {
	s.socket.mu.Lock()
	defer s.socket.mu.Unlock()
	for _, l := range s.socket.links {
		_ = l.WriteJSON(map[string]any{"type": "disconnect", "reason": "refresh_requested"})
		_ = l.Close()
	}
}

// TurnOff turns Socket Mode off, as an administrator may, or on again.
func (s *Slack) TurnOff(off bool) {
	s.socket.mu.Lock()
	s.socket.off = off
	s.socket.mu.Unlock()
	s.Hangup()
}
