package sources

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

// LookBack is how far back a source reads at its first poll, where the service lets it: a month teaches the
// baselines, and what is much older is not counted.
const LookBack = 30 * 24 * time.Hour

// Pace is how many times faster than in life sources wait: between polls, before a restart, for a sign of life. 0 is
// life's own. A test of the whole program has an hour pass in a minute by it; what a server asks for is waited in full.
type Pace int

// Of is how long a wait takes.
func (p Pace) Of(d time.Duration) time.Duration { return d / time.Duration(max(p, 1)) }

// Poll calls step at once and then again and again, every so often with a fifth of the time left to chance, until
// ctx ends (nil) or step fails. A step that was paused ([PausedError]) has not failed: the next one waits until
// it may ask again. An error that asking again soon does not change, such as 404, is returned with the wish to
// be left alone until the next poll would have been. With [Client.Once] it is one step and what came of it.
func (c *Client) Poll(ctx context.Context, every time.Duration, step func(context.Context) error) error {
	every = c.Pace(every)
	for {
		wait := jittered(every)
		err := step(ctx)
		if c.once {
			return err
		}
		if err != nil {
			after, ok := paused(err)
			if !ok {
				return patient(err, every)
			}
			wait = max(wait, after)
		}
		if !pause(ctx, wait) {
			return nil
		}
	}
}

// Rest waits between two requests of one poll. It reports false when ctx ends meanwhile.
func (c *Client) Rest(ctx context.Context, d time.Duration) bool {
	if c.once {
		return ctx.Err() == nil
	}
	return pause(ctx, c.Pace(d))
}

// paused is how long a step waits that was paused and has not failed: of its parts none may have.
func paused(err error) (after time.Duration, ok bool) {
	if parts, many := err.(interface{ Unwrap() []error }); many {
		for _, part := range parts.Unwrap() {
			wait, ok := paused(part)
			if !ok {
				return 0, false
			}
			after = max(after, wait)
		}
		return after, true
	}
	if p, ok := errors.AsType[*PausedError](err); ok {
		return p.After, true
	}
	return 0, false
}

// patient has an answer that asking again soon does not change wait for the next poll, for an hour at most.
func patient(err error, every time.Duration) error {
	if _, ok := errors.AsType[*RetryAfterError](err); ok {
		return err
	}
	status, ok := errors.AsType[*StatusError](err)
	if !ok || status.Status < 400 || status.Status >= 500 || mayPass(status.Status) {
		return err
	}
	return &RetryAfterError{After: min(every, longestAsked), Err: err, Ours: true}
}

// jittered spreads the polls of many sources over a fifth of the interval.
func jittered(every time.Duration) time.Duration { return every - every/10 + rand.N(every/5+1) }

// Gone reports the answers of a server that no longer has what was asked for.
func Gone(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && (status.Status == http.StatusNotFound || status.Status == http.StatusGone)
}
