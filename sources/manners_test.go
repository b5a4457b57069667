package sources_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"emberwatch/sources"
)

// answers is a transport that gives one answer after the other, the last of them for good, and notes when it was
// asked.
type answers struct {
	list  []func() (*http.Response, error)
	asked []time.Time
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked = append(a.asked, time.Now())
	resp, err := a.list[min(len(a.asked), len(a.list))-1]()
	if err == nil {
		resp.Request = r
	}
	return resp, err
}

func status(code int, header ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		resp := &http.Response{StatusCode: code, Header: http.Header{}, Body: http.NoBody}
		for i := 0; i < len(header); i += 2 {
			resp.Header.Set(header[i], header[i+1])
		}
		return resp, nil
	}
}

// polite is the client of one source that talks to a.
func polite(perDay int, a *answers) *sources.Client {
	return sources.NewClient(sources.ClientOptions{Transport: a, Retries: 2}).For(perDay)
}

func get(c *sources.Client) error {
	_, err := c.Get(context.Background(), "http://example.org/", nil)
	return err
}

func TestServerThatFailsIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{list: []func() (*http.Response, error){status(500)}}
		c := polite(0, a)
		for range 3 {
			get(c)
		}
		if len(a.asked) != 9 {
			t.Fatalf("%d requests, want three with two retries each", len(a.asked))
		}
		later, ok := errors.AsType[*sources.RetryAfterError](get(c))
		if !ok || later.After < 14*time.Second || later.After > 30*time.Second || len(a.asked) != 9 {
			t.Fatalf("the circuit is not open: %v after %d requests", later, len(a.asked))
		}
		if cause, ok := errors.AsType[*sources.StatusError](later); !ok || cause.Status != 500 {
			t.Errorf("the cause is lost: %v", later)
		}
		if err := get(c); err.Error() != "GET example.org: status 500" {
			t.Errorf("got %v", err)
		}
		time.Sleep(later.After)
		get(c)
		if len(a.asked) != 10 {
			t.Fatalf("%d requests, want one probe without retries", len(a.asked))
		}
		again, ok := errors.AsType[*sources.RetryAfterError](get(c))
		if !ok || again.After < 29*time.Second {
			t.Fatalf("a probe that failed does not open the circuit for longer: %v", again)
		}
		time.Sleep(again.After)
		a.list = append(a.list[:0], status(200))
		for range 5 {
			if err := get(c); err != nil {
				t.Errorf("after a probe that went well: %v", err)
			}
		}
	})
}

func TestOneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		a := &answers{list: []func() (*http.Response, error){status(404)}}
		for range 9 {
			a.list = append(a.list, status(500))
		}
		a.list = append(a.list, func() (*http.Response, error) { <-release; return status(200)() })
		c := polite(0, a)
		for range 4 {
			get(c)
		}
		time.Sleep(30 * time.Second)
		done := make(chan error)
		go func() { done <- get(c) }()
		synctest.Wait()
		if err := get(c); err == nil || len(a.asked) != 11 {
			t.Errorf("a second request went out beside the probe: %d, %v", len(a.asked), err)
		}
		close(release)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestAnOpenBreakerIsTold until a request has got through again.
func TestAnOpenBreakerIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{}
		for range 9 { // three requests, each with two retries
			a.list = append(a.list, status(500))
		}
		a.list = append(a.list, status(200))
		c := polite(0, a)
		var told []bool
		for range 3 {
			told = append(told, c.Broken())
			get(c)
		}
		told = append(told, c.Broken())
		time.Sleep(time.Minute)
		get(c)
		if told = append(told, c.Broken()); !slices.Equal(told, []bool{false, false, false, true, false}) {
			t.Errorf("got %v", told)
		}
	})
}

func TestRefusalsAreNoFailuresOfTheServer(t *testing.T) {
	a := &answers{list: []func() (*http.Response, error){status(404)}}
	c := polite(0, a)
	for range 10 {
		if err := get(c); !sources.Gone(err) {
			t.Errorf("got %v", err)
		}
	}
	if len(a.asked) != 10 {
		t.Errorf("%d requests", len(a.asked))
	}
}

func TestWishesOfTheServer(t *testing.T) {
	at := time.Date(2026, 11, 16, 9, 0, 0, 0, time.UTC)
	tests := map[string]struct {
		answer func(now time.Time) func() (*http.Response, error)
		want   time.Duration
		paused bool
	}{
		"Retry-After":         {func(time.Time) func() (*http.Response, error) { return status(429, "Retry-After", "600") }, 10 * time.Minute, false},
		"Retry-After, capped": {func(time.Time) func() (*http.Response, error) { return status(503, "Retry-After", "864000") }, time.Hour, false},
		"reset as a time": {func(now time.Time) func() (*http.Response, error) {
			return status(429, "X-RateLimit-Reset", now.Add(5*time.Minute).Format(time.RFC3339Nano))
		}, 5 * time.Minute, false},
		"reset in Unix seconds": {func(now time.Time) func() (*http.Response, error) {
			return status(429, "X-RateLimit-Reset", fmt.Sprint(now.Add(time.Minute).Unix()))
		}, time.Minute, false},
		"reset in seconds": {func(time.Time) func() (*http.Response, error) { return status(429, "RateLimit-Reset", "90") }, 90 * time.Second, false},
		"nothing remains": {func(now time.Time) func() (*http.Response, error) {
			return status(200, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", now.Add(2*time.Minute).Format(time.RFC3339))
		}, 2 * time.Minute, true},
		"a reset in the past": {func(time.Time) func() (*http.Response, error) {
			return status(200, "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", at.Format(time.RFC3339))
		}, 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Until(at.Add(time.Hour)))
				a := &answers{list: []func() (*http.Response, error){tt.answer(time.Now()), status(200)}}
				c := polite(0, a)
				get(c)
				err := get(c)
				if tt.want == 0 {
					if err != nil || len(a.asked) != 2 {
						t.Errorf("got %v", err)
					}
					return
				}
				if len(a.asked) != 1 {
					t.Errorf("the server was asked again: %v", err)
				}
				paused, isPaused := errors.AsType[*sources.PausedError](err)
				later, isLater := errors.AsType[*sources.RetryAfterError](err)
				switch {
				case tt.paused != isPaused || tt.paused == isLater:
					t.Errorf("got %v", err)
				case isPaused && paused.After != tt.want, isLater && later.After != tt.want:
					t.Errorf("got %v, want %v", err, tt.want)
				}
				time.Sleep(tt.want)
				if err := get(c); err != nil {
					t.Errorf("after the wait: %v", err)
				}
			})
		})
	}
}

// A budget of 240 a day is at most 24 at once, and in any 24 hours no more than 240, retries included.
func TestBudgetIsSpreadOverTheDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{list: []func() (*http.Response, error){status(200), status(502)}}
		c := polite(240, a)
		var hours [48]int
		for hour := range hours {
			before := len(a.asked)
			for range 60 {
				get(c)
				time.Sleep(time.Minute)
			}
			hours[hour] = len(a.asked) - before
		}
		for i, first := range a.asked {
			n := 0
			for _, at := range a.asked[i:] {
				if at.Sub(first) < 24*time.Hour {
					n++
				}
			}
			if n > 240 {
				t.Fatalf("%d requests within a day", n)
			}
		}
		if hours[0] > 36 {
			t.Errorf("%d requests in the first hour", hours[0])
		}
	})
}

func TestPausedPollGoesOnLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{list: []func() (*http.Response, error){status(200)}}
		c := polite(24, a) // two at once, then one each 65 minutes
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		if err := c.Poll(ctx, 10*time.Minute, func(context.Context) error { return get(c) }); err != nil {
			t.Errorf("a pause was taken for a failure: %v", err)
		}
		if n := len(a.asked); n < 20 || n > 24 {
			t.Errorf("%d requests in a day", n)
		}
	})
}

func TestPollsAreJittered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Hour)
		defer cancel()
		var at []time.Time
		polite(0, nil).Poll(ctx, 10*time.Minute, func(context.Context) error { at = append(at, time.Now()); return nil })
		same := 0
		for i := 1; i < len(at); i++ {
			gap := at[i].Sub(at[i-1])
			if gap < 9*time.Minute || gap > 11*time.Minute {
				t.Fatalf("polled after %v", gap)
			}
			if i > 1 && gap == at[i-1].Sub(at[i-2]) {
				same++
			}
		}
		if len(at) < 50 || same > 5 {
			t.Errorf("%d polls, %d as regular as a clock", len(at), same)
		}
	})
}

func TestPaceOfPolls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &answers{list: []func() (*http.Response, error){status(200), status(200), status(429, "Retry-After", "40"), status(200)}}
		c := sources.NewClient(sources.ClientOptions{Transport: a, Pace: 60}).For(0)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		c.Poll(ctx, 10*time.Minute, func(context.Context) error { get(c); return nil })
		if len(a.asked) < 9 || a.asked[1].Sub(a.asked[0]) > 11*time.Second || a.asked[3].Sub(a.asked[2]) < 40*time.Second {
			t.Errorf("asked at %v", a.asked)
		}
	})
}

func TestPollIsPatientWithRefusals(t *testing.T) {
	for code, want := range map[int]time.Duration{404: time.Hour, 401: time.Hour, 500: 0, 408: 0} {
		a := &answers{list: []func() (*http.Response, error){status(code)}}
		c := sources.NewClient(sources.ClientOptions{Transport: a, Retries: -1})
		err := c.Poll(t.Context(), time.Hour, func(context.Context) error { return get(c) })
		later, ok := errors.AsType[*sources.RetryAfterError](err)
		if ok != (want > 0) || ok && later.After != want {
			t.Errorf("%d: %v", code, err)
		}
	}
}

// Sources share connections, not each other's troubles.
func TestMannersAreEachSourcesOwn(t *testing.T) {
	var tries atomic.Int32
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		tries.Add(1)
	})
	shared := local(t, sources.ClientOptions{})
	bad, good := shared.For(0), shared.For(0)
	bad.Get(t.Context(), url+"/bad", nil)
	if _, err := bad.Get(t.Context(), url+"/good", nil); err == nil {
		t.Error("the one that was sent away asked again")
	}
	if _, err := good.Get(t.Context(), url+"/good", nil); err != nil || tries.Load() != 1 {
		t.Errorf("the other one: %v", err)
	}
}
