package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
	"emberwatch/sources/webhook"
)

// readmeSources is the first example in the README after a text, as a validated configuration in a folder.
func readmeSources(t *testing.T, dir, after string) *Config {
	t.Helper()
	block := readmeBlock(t, after)
	if !strings.HasPrefix(block, "sources:") {
		block = "sources:\n" + block
	}
	c := Default()
	c.dir, c.place = dir, map[string]rules.Pos{}
	if errs := append(c.read([]byte(block)), c.Validate()...); len(errs) > 0 {
		t.Fatalf("%s\n%v", block, errs)
	}
	return c
}

func TestExamplesOfSourcesInTheREADME(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file, err := json.Marshal(map[string]string{
		"client_email": "x@example.com", "private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "play-key.json"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"YOUTUBE_KEY", "META_APP_SECRET", "META_VERIFY", "META_TOKEN"} {
		t.Setenv(name, "of the test")
	}
	if c := readmeSources(t, dir, "### App stores, YouTube, Facebook and Instagram"); len(c.Sources) != 4 {
		t.Errorf("%d sources", len(c.Sources))
	}
}

// TestRecipesOfTheREADME pushes what helpdesks send, as it was recorded, to the webhooks of the README.
func TestRecipesOfTheREADME(t *testing.T) {
	for _, name := range []string{"ZENDESK_SECRET", "INTERCOM_CLIENT_SECRET", "TRUSTPILOT_SECRET"} {
		t.Setenv(name, "of the test")
	}
	for _, tt := range []struct {
		recipe, body string
		want         []string
	}{
		{"**Zendesk**", "zendesk_ticket_created.json", []string{"zendesk dm 35436 by 8447388090001: The heater was delivered without its plug."}},
		{"**Intercom**", "intercom_created.json", []string{"intercom dm 2340001 by 5310d8e7598c9a0b24000002: Three weeks and still no refund."}},
		{"**Intercom**", "intercom_replied.json", []string{"intercom dm 990001 by 5310d8e7598c9a0b24000002: Hello?"}},
		{"**Trustpilot**", "trustpilot.json", []string{
			"trustpilot review 6919a4c10000640002975001 by 53bffc3900006400017e5001: Paketet kom trasigt",
			"trustpilot review 6919a4c10000640002975002 by 53bffc3900006400017e5002: Warm within minutes.",
		}},
	} {
		t.Run(tt.body, func(t *testing.T) {
			body, err := os.ReadFile(filepath.Join("../../sources/webhook/testdata", tt.body))
			if err != nil {
				t.Fatal(err)
			}
			ms := pushedTo(t, &readmeSources(t, t.TempDir(), tt.recipe).Sources[0], string(body))
			if len(ms) != len(tt.want) {
				t.Fatalf("%d mentions: %+v", len(ms), ms)
			}
			for i, m := range ms {
				if got := fmt.Sprintf("%s %s %s by %s: %s", m.Network, m.Kind, m.ID, m.Author.ID, m.Text); !strings.HasPrefix(got, tt.want[i]) || m.Brand != "fjellbryg" {
					t.Errorf("got %s about %s", got, m.Brand)
				}
			}
		})
	}
}

// pushedTo is what a webhook makes of a body.
func pushedTo(t *testing.T, s *SourceConfig, body string) (ms []sources.Mention) {
	t.Helper()
	mapping, err := s.mapping()
	if err != nil {
		t.Fatal(err)
	}
	h, err := webhook.New(webhook.Options{Name: s.Name, AllowUnsigned: true, Brand: s.Brand, Map: mapping})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()
	running.Go(func() {
		_ = h.Run(ctx, nil, func(_ context.Context, b sources.Batch) (sources.Taken, error) {
			ms = b.Mentions
			return sources.Taken{Accepted: len(ms)}, nil
		})
	})
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/v1/hooks/"+s.Name, strings.NewReader(body)))
		switch {
		case w.Code == http.StatusOK:
			return ms
		case w.Code != http.StatusServiceUnavailable || time.Now().After(deadline): // it is not running yet
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}
