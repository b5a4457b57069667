package notifiertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

const (
	ackWithin = 3 * time.Second
	ackMost   = 20 * 1024
	pingEvery = 100 * time.Millisecond
)

// Ack is how an app acknowledged an envelope.
type Ack struct {
	Latency time.Duration
	Payload json.RawMessage // what it answered with; empty: nothing
}

// ErrNotAcked: the app did not acknowledge in time, the person saw an error.
var ErrNotAcked = errors.New("not acknowledged within 3 s")

// ErrNoSocket: no app is connected.
var ErrNoSocket = errors.New("no app is connected")

// socket is the Socket Mode half.
type socket struct {
	slack *Slack
	wg    sync.WaitGroup

	mu      sync.Mutex // guards what follows and is held for writing
	conns   []*websocket.Conn
	closed  bool
	silent  bool
	waiting map[string]chan []byte // by envelope id
	n       int
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
	if !k.join(conn) {
		return
	}
	defer k.wg.Done()
	done := make(chan struct{})
	var pinger sync.WaitGroup
	pinger.Go(func() { k.ping(conn, done) })
	k.read(conn)
	close(done)
	pinger.Wait()
	k.leave(conn)
}

func (k *socket) join(conn *websocket.Conn) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return false
	}
	k.wg.Add(1)
	k.conns = append(k.conns, conn)
	hello := map[string]any{"type": "hello", "num_connections": len(k.conns), "connection_info": map[string]string{"app_id": AppID}}
	return conn.WriteJSON(hello) == nil
}

func (k *socket) leave(conn *websocket.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, c := range k.conns {
		if c == conn {
			k.conns = append(k.conns[:i], k.conns[i+1:]...)
			return
		}
	}
}

func (k *socket) ping(conn *websocket.Conn, done <-chan struct{}) {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-done:
			return
		case <-t.C:
			k.mu.Lock()
			if !k.silent {
				_ = conn.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(time.Second))
			}
			k.mu.Unlock()
		}
	}
}

func (k *socket) read(conn *websocket.Conn) {
	for {
		_, raw, err := conn.ReadMessage()
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
		if ch, ok := k.waiting[a.ID]; ok {
			delete(k.waiting, a.ID)
			ch <- raw // holds one
		}
		k.mu.Unlock()
	}
}

func (k *socket) close() {
	k.mu.Lock()
	k.closed = true
	for _, c := range k.conns {
		_ = c.Close()
	}
	k.mu.Unlock()
	k.wg.Wait()
}

// push sends an envelope to the newest connection and waits for its acknowledgement.
func (k *socket) push(ctx context.Context, kind string, payload any) (Ack, error) {
	id, ch, err := k.send(kind, payload)
	if err != nil {
		return Ack{}, err
	}
	start := time.Now()
	t := time.NewTimer(ackWithin)
	defer t.Stop()
	select {
	case raw := <-ch:
		if len(raw) >= ackMost {
			k.slack.note("%s: acknowledgement of %d bytes is dropped", kind, len(raw))
		}
		return readAck(raw, time.Since(start))
	case <-ctx.Done():
		return Ack{}, ctx.Err()
	case <-t.C:
		k.slack.note("%s %s: not acknowledged within %s", kind, id, ackWithin)
		return Ack{}, ErrNotAcked
	}
}

func readAck(raw []byte, latency time.Duration) (Ack, error) {
	var body struct {
		Payload json.RawMessage `json:"payload"`
	}
	err := json.Unmarshal(raw, &body)
	return Ack{latency, body.Payload}, err
}

func (k *socket) send(kind string, payload any) (string, <-chan []byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.conns) == 0 {
		return "", nil, ErrNoSocket
	}
	k.n++
	id, ch := fmt.Sprintf("envelope-%d", k.n), make(chan []byte, 1)
	k.waiting[id] = ch
	err := k.conns[len(k.conns)-1].WriteJSON(map[string]any{
		"type": kind, "envelope_id": id, "payload": payload, "accepts_response_payload": kind == "slash_commands",
	})
	return id, ch, err
}

func (s *Slack) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.violate(format, args...)
}

// Connected reports how many Socket Mode connections there are.
func (s *Slack) Connected() int {
	s.socket.mu.Lock()
	defer s.socket.mu.Unlock()
	return len(s.socket.conns)
}

// Hush stops the pings: the connection is there and nothing comes through it any more.
func (s *Slack) Hush() {
	s.socket.mu.Lock()
	defer s.socket.mu.Unlock()
	s.socket.silent = true
}

// Hangup ends all Socket Mode connections; an app connects again.
func (s *Slack) Hangup() {
	s.socket.mu.Lock()
	defer s.socket.mu.Unlock()
	for _, c := range s.socket.conns {
		_ = c.Close()
	}
}

// Goodbye ends all Socket Mode connections with a close frame, as a server does that goes away in good order.
func (s *Slack) Goodbye() {
	s.socket.mu.Lock()
	defer s.socket.mu.Unlock()
	for _, c := range s.socket.conns {
		bye := websocket.FormatCloseMessage(websocket.CloseGoingAway, "")
		_ = c.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
		_ = c.Close()
	}
}

// Refresh asks the app to connect anew, as Slack does every few hours, and then ends the old connections.
func (s *Slack) Refresh() {
	s.socket.mu.Lock()
	defer s.socket.mu.Unlock()
	for _, c := range s.socket.conns {
		_ = c.WriteJSON(map[string]any{"type": "disconnect", "reason": "refresh_requested"})
		_ = c.Close()
	}
}
