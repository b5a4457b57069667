package sources

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	breakAfter  = 3                // failed requests in a row, each with its retries, after which a server is left alone
	firstBreak  = 30 * time.Second // doubles with each probe that fails
	budgetBurst = 10               // of a day's budget one tenth may be spent at once
	dayOfBudget = 24 * time.Hour
)

// PausedError says that nothing was asked, because the source has asked enough for now. It is no failure.
type PausedError struct {
	After time.Duration // until asking is allowed again
	Why   string
}

func (e *PausedError) Error() string {
	return fmt.Sprintf("not asked: %s; again in %v", e.Why, e.After.Round(time.Second))
}

// For returns a client for one source. Connections are shared with c, manners are the source's own: when
// requests keep failing it asks nothing for a while, then lets one through without retries to see (a circuit
// breaker with a half-open state); it asks nothing before the server wants to be asked again (Retry-After,
// X-RateLimit-Reset, within an hour); and in any 24 hours it makes at most perDay requests, retries included,
// spread over the day. 0 is no limit.
func (c *Client) For(perDay int) *Client {
	own := *c
	if !c.once {
		own.manners = &manners{perDay: perDay, pace: c.opt.Pace}
	}
	return &own
}

// Broken reports whether the circuit breaker of a source is open: nothing is asked, or a single request to see.
func (c *Client) Broken() bool { return c.manners.broken() }

// manners is what a source knows of how its server wants to be treated. A nil one allows everything.
type manners struct {
	perDay int
	pace   Pace

	mu       sync.Mutex // guards what follows
	failures int        // in a row
	cause    error      // of the last of them
	until    time.Time  // nothing is asked before
	probing  bool       // a single request is out to see whether the server is back
	spare    float64    // requests that the budget has left at the moment
	filled   time.Time  // when spare was last added to; zero: never
}

// admit says whether a request may be made now. The one after a break is a probe: it is not retried.
func (m *manners) admit(now time.Time) (probe bool, err error) {
	if m == nil {
		return false, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	wait := m.until.Sub(now)
	switch {
	case wait > 0 && m.cause == nil:
		return false, &PausedError{After: wait, Why: "the server's rate limit is used up"}
	case wait > 0:
		return false, &RetryAfterError{After: wait, Err: m.cause, Ours: true}
	case m.probing:
		return false, &RetryAfterError{After: m.pace.Of(firstWait), Err: m.cause, Ours: true}
	}
	if wait := m.spend(now); wait > 0 {
		return false, &PausedError{After: wait, Why: fmt.Sprintf("the budget of %d calls a day is used up for now", m.perDay)}
	}
	m.probing = m.failures >= breakAfter
	return m.probing, nil
}

func (m *manners) broken() bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.failures >= breakAfter
}

// again says whether the budget has another request left for a retry.
func (m *manners) again(now time.Time) bool {
	if m == nil {
		return true
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.spend(now) == 0
}

// spend takes one request from the budget, or says how long until there is one. The budget refills evenly: a
// source that is too eager becomes slower, and is not blind for the rest of the day. What may be spent at once
// and what comes in a day are together what a day may cost.
func (m *manners) spend(now time.Time) time.Duration {
	if m.perDay <= 0 {
		return 0
	}
	burst := max(float64(m.perDay)/budgetBurst, 1)
	perDay := max(float64(m.perDay)-burst, 0.5)
	if m.filled.IsZero() {
		m.spare = burst
	} else {
		m.spare = min(burst, m.spare+perDay*float64(now.Sub(m.filled))/float64(dayOfBudget))
	}
	m.filled = now
	if m.spare >= 1 {
		m.spare--
		return 0
	}
	return time.Duration((1-m.spare)/perDay*float64(dayOfBudget)) + time.Millisecond
}

// settle notes how a request went.
func (m *manners) settle(now time.Time, resp *Response, err error) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.probing = false
	switch {
	case errors.Is(err, context.Canceled): // by us: it says nothing about the server
		return
	case !overloaded(err):
		m.failures, m.cause, m.until = 0, nil, time.Time{}
		if resp != nil && exhausted(resp.Header) {
			reset, _ := resetIn(resp.Header, now)
			m.until = now.Add(min(reset, longestAsked))
		}
		return
	}
	m.failures, m.cause = m.failures+1, err
	if m.failures >= breakAfter {
		wait := m.pace.Of(min(firstBreak<<min(m.failures-breakAfter, 10), longestWait))
		m.until = now.Add(wait/2 + rand.N(wait/2+1))
	}
	if asked, ok := errors.AsType[*RetryAfterError](err); ok {
		if at := now.Add(min(asked.After, longestAsked)); at.After(m.until) {
			m.until = at
		}
	}
}

// overloaded reports an error that speaks of the server's state and not of what it was asked for.
func overloaded(err error) bool {
	if err == nil {
		return false
	}
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.Status >= 500 || mayPass(status.Status)
	}
	return true
}

// mayPass reports those of the statuses 4xx that a later request may not meet.
func mayPass(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooEarly || status == http.StatusTooManyRequests
}

// exhausted reports an answer after which the server takes no other.
func exhausted(h http.Header) bool {
	return h.Get("X-Ratelimit-Remaining") == "0" || h.Get("Ratelimit-Remaining") == "0"
}

// resetIn reads when a rate limit begins anew: as a time, as Unix seconds, or in seconds from now.
func resetIn(h http.Header, now time.Time) (time.Duration, bool) {
	for _, name := range []string{"X-Ratelimit-Reset", "Ratelimit-Reset"} {
		value := h.Get(name)
		if at, err := time.Parse(time.RFC3339, value); err == nil {
			return max(at.Sub(now), 0), true
		}
		seconds, err := strconv.ParseUint(value, 10, 33)
		switch {
		case err != nil:
		case seconds > 1e9:
			return max(time.Unix(int64(seconds), 0).Sub(now), 0), true
		default:
			return time.Duration(seconds) * time.Second, true
		}
	}
	return 0, false
}
