package meta

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"emberwatch/sources"
	"emberwatch/sources/sourcetest"
)

func comment(m sources.Mention) map[string]any {
	return map[string]any{"field": "feed", "value": map[string]any{
		"item": "comment", "verb": "add", "comment_id": m.ID, "post_id": "1_2", "message": m.Text, "created_time": m.CreatedAt.Unix(),
	}}
}

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Harness {
		var current atomic.Pointer[Source]
		deliver := func(ctx context.Context, changes ...any) error {
			body, err := json.Marshal(map[string]any{"object": "page", "entry": []any{map[string]any{"id": "1", "time": time.Now().Unix(), "changes": changes}}})
			if err != nil {
				return err
			}
			for ctx.Err() == nil {
				switch w := push(ctx, current.Load(), body, sign(body)); w.Code {
				case http.StatusOK:
					return nil
				case http.StatusServiceUnavailable:
					time.Sleep(time.Millisecond) // Meta tries again later
				default:
					return fmt.Errorf("status %d: %s", w.Code, w.Body)
				}
			}
			return ctx.Err()
		}
		return sourcetest.Harness{
			Pushed: true,
			Source: func(t *testing.T) sources.Source {
				s := source(t, Options{})
				s.now = time.Now
				current.Store(s)
				return s
			},
			Put: func(ctx context.Context, ms ...sources.Mention) error {
				var changes []any
				for _, m := range ms {
					changes = append(changes, comment(m))
				}
				return deliver(ctx, changes...)
			},
			PutBad: func(ctx context.Context, ms ...sources.Mention) error {
				var changes []any
				for _, m := range ms {
					changes = append(changes, map[string]any{"field": "feed", "value": []int{7}}, comment(m))
				}
				return deliver(ctx, changes...)
			},
		}
	})
}
