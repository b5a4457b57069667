package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"emberwatch/sources"
)

// TestTheDoorChangesHandsUnderLoad: while one webhook takes over from another, a request is taken or asked to
// come again, and none that was begun is cut off.
func TestTheDoorChangesHandsUnderLoad(t *testing.T) {
	t.Parallel()
	d := &Daemon{log: slog.New(slog.DiscardHandler)}
	keeper := func() *doorkeeper {
		k, err := d.newDoorkeeper(&Config{HTTP: HTTPConfig{Listen: "127.0.0.1:0"}})
		if err != nil || k == nil {
			t.Fatal(k, err)
		}
		return k
	}
	var emitted, taken atomic.Int64
	emit := func(ctx context.Context, b sources.Batch) (sources.Taken, error) {
		select {
		case <-ctx.Done():
			t.Error("a batch was cut off")
		case <-time.After(time.Millisecond):
		}
		emitted.Add(1)
		return sources.Taken{Accepted: 1}, nil
	}
	o := &door{inside: keeper()}
	o.protected(func(h http.Handler) http.Handler { return h })
	ctx, stop := context.WithCancel(context.Background())
	var running, posters sync.WaitGroup
	running.Go(func() { _ = o.Run(ctx, nil, emit) })
	var done atomic.Bool
	for range 4 {
		posters.Go(func() {
			for !done.Load() {
				w := httptest.NewRecorder()
				o.ServeHTTP(w, httptest.NewRequest("POST", "/v1/mentions", strings.NewReader(item("a", "b", "c"))))
				switch w.Code {
				case http.StatusOK:
					taken.Add(1)
				case http.StatusServiceUnavailable, http.StatusTooManyRequests:
					time.Sleep(time.Millisecond)
				default:
					t.Errorf("answer %d %s", w.Code, w.Body)
				}
			}
		})
	}
	for range 20 {
		time.Sleep(5 * time.Millisecond)
		o.replace(keeper())
	}
	done.Store(true)
	posters.Wait()
	if taken.Load() == 0 || taken.Load() != emitted.Load() {
		t.Errorf("%d requests were taken, %d batches handed over", taken.Load(), emitted.Load())
	}
	o.replace(nil)
	w := httptest.NewRecorder()
	o.ServeHTTP(w, httptest.NewRequest("POST", "/v1/mentions", strings.NewReader("{}")))
	if w.Code != http.StatusUnauthorized {
		t.Errorf("a closed door: %d", w.Code)
	}
	stop()
	running.Wait()
}
