package slack

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// Slack pings every few seconds; after deafAfter without a byte the bot is deaf, however healthy it looks.
const deafAfter = 60 * time.Second

// pulse knows when Slack was last heard on the socket. slack-go keeps its pings to itself, so the bytes of the
// connection are watched instead.
type pulse struct {
	last  atomic.Int64           // unix nanoseconds; 0: never
	fatal atomic.Pointer[string] // why there is no connection; nil: none known
}

func (p *pulse) beat(now time.Time) { p.last.Store(now.UnixNano()) }

// trouble remembers why the socket ended.
func (p *pulse) trouble(why string) { p.fatal.Store(&why) }

func (p *pulse) fine() { p.fatal.Store(nil) }

// Ready returns nil while presses can reach us: Slack was heard on the socket within the last minute. Where it sends
// them over HTTP it is enough that the token is good; without either there is nothing to wait for.
func (n *Notifier) Ready(now time.Time) error {
	if n.cfg.AppToken == "" && n.cfg.SigningSecret == "" {
		return nil
	}
	if why := n.pulse.fatal.Load(); why != nil {
		return fmt.Errorf("slack: socket: %s", *why)
	}
	last := n.pulse.last.Load()
	switch {
	case n.cfg.AppToken == "" && n.teamID() != "":
		return nil
	case last == 0:
		return errors.New("slack: socket: not connected yet")
	}
	if silence := now.Sub(time.Unix(0, last)); silence > deafAfter {
		return fmt.Errorf("slack: socket: nothing heard for %s", silence.Round(time.Second))
	}
	return nil
}

// Heard returns when Slack was last heard on the socket; zero: never.
func (n *Notifier) Heard() time.Time {
	if last := n.pulse.last.Load(); last != 0 {
		return time.Unix(0, last)
	}
	return time.Time{}
}

// dialer opens sockets whose every byte beats the pulse. The write buffer is above Slack's limit for an
// acknowledgement: it does not put fragments together.
func (n *Notifier) dialer() *websocket.Dialer {
	return &websocket.Dialer{
		Proxy:            http.ProxyFromEnvironment,
		HandshakeTimeout: callTimeout,
		WriteBufferSize:  32 << 10,
		NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := (&net.Dialer{Timeout: callTimeout}).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return heard{c, n}, nil
		},
	}
}

// heard is a connection that tells when something came.
type heard struct {
	net.Conn
	n *Notifier
}

// Read reads and beats the pulse.
func (h heard) Read(b []byte) (int, error) {
	k, err := h.Conn.Read(b)
	if k > 0 {
		h.n.pulse.beat(h.n.now())
	}
	return k, err
}
