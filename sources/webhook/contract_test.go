package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"emberwatch/sources"
	"emberwatch/sources/sourcetest"
)

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Harness {
		var current atomic.Pointer[Handler]
		push := func(ctx context.Context, items ...any) error {
			body, err := json.Marshal(map[string]any{"items": items})
			if err != nil {
				return err
			}
			for ctx.Err() == nil {
				w := httptest.NewRecorder()
				current.Load().ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/mentions", bytes.NewReader(body)))
				switch w.Code {
				case http.StatusOK:
					return nil
				case http.StatusServiceUnavailable:
					time.Sleep(time.Millisecond) // a sender tries again later
				default:
					return fmt.Errorf("status %d: %s", w.Code, w.Body)
				}
			}
			return ctx.Err()
		}
		return sourcetest.Harness{
			Pushed: true,
			Source: func(t *testing.T) sources.Source {
				h, err := New(Options{AllowUnsigned: true})
				if err != nil {
					t.Fatal(err)
				}
				current.Store(h)
				return h
			},
			Put: func(ctx context.Context, ms ...sources.Mention) error {
				var items []any
				for _, m := range ms {
					items = append(items, m)
				}
				return push(ctx, items...)
			},
			PutBad: func(ctx context.Context, ms ...sources.Mention) error {
				var items []any
				for _, m := range ms {
					items = append(items, map[string]any{"id": "", "kind": 7}, m)
				}
				return push(ctx, items...)
			},
		}
	})
}
