package web

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// throttleSize bounds how many addresses are remembered.
const throttleSize = 4096

// throttle counts failures by address: after limit of them within the pause, the address has to wait.
type throttle struct {
	limit int
	pause time.Duration

	mu    sync.Mutex
	tally map[netip.Prefix]tally
}

type tally struct {
	failures int
	until    time.Time // forgotten then
}

func newThrottle(limit int, pause time.Duration) *throttle {
	return &throttle{limit: limit, pause: pause, tally: map[netip.Prefix]tally{}}
}

// blocked returns how long the address still has to wait; zero if it may try.
func (t *throttle) blocked(from netip.Prefix, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if f := t.tally[from]; f.failures >= t.limit {
		return max(f.until.Sub(now), 0)
	}
	return 0
}

// failed counts one failure.
func (t *throttle) failed(from netip.Prefix, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.tally[from]
	if !now.Before(f.until) {
		f = tally{}
	}
	if len(t.tally) >= throttleSize {
		t.forget(now)
	}
	t.tally[from] = tally{f.failures + 1, now.Add(t.pause)}
}

// forget makes room: all that are over, and if there are none, any one.
func (t *throttle) forget(now time.Time) {
	for k, f := range t.tally {
		if !now.Before(f.until) {
			delete(t.tally, k)
		}
	}
	for k := range t.tally {
		if len(t.tally) < throttleSize {
			return
		}
		delete(t.tally, k)
	}
}

// address returns where a request comes from; of IPv6 the network, because one customer has all of it.
// Nothing that the request says about itself is believed.
func address(r *http.Request) netip.Prefix {
	ap, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Prefix{}
	}
	ip, bits := ap.Addr().Unmap(), 32
	if ip.Is6() {
		bits = 64
	}
	p, _ := ip.WithZone("").Prefix(bits)
	return p
}
