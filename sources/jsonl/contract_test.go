package jsonl

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emberwatch/sources"
	"emberwatch/sources/sourcetest"
)

func appendTo(t testing.TB, path, text string) {
	t.Helper()
	if err := appendFile(path, text); err != nil {
		t.Fatal(err)
	}
}

func appendFile(path, text string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = f.WriteString(text)
	return err
}

func ndjson(ms ...sources.Mention) string {
	var b strings.Builder
	for _, m := range ms {
		line, _ := json.Marshal(m)
		fmt.Fprintf(&b, "%s\n", line)
	}
	return b.String()
}

func quick(t testing.TB, opt Options) *Source {
	t.Helper()
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	s.look = 5 * time.Millisecond
	return s
}

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) sourcetest.Harness {
		path := filepath.Join(t.TempDir(), "in.ndjson")
		return sourcetest.Harness{
			Source: func(t *testing.T) sources.Source {
				return quick(t, Options{Name: "in", Paths: []string{path}, Follow: true})
			},
			Put: func(_ context.Context, ms ...sources.Mention) error {
				return appendFile(path, ndjson(ms...))
			},
			PutBad: func(_ context.Context, ms ...sources.Mention) error {
				for _, m := range ms {
					if err := appendFile(path, "{\"id\":\n"+ndjson(m)); err != nil {
						return err
					}
				}
				return nil
			},
		}
	})
}
