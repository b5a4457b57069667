package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emberwatch/sources"
)

// TestSourcesAreReachedAtAddressesOfTheirOwn pushes to a helpdesk's webhook, to meta and to the intake of one daemon:
// each answers when it is durable, knows its own secret only, and fills in its own brand and time zone.
func TestSourcesAreReachedAtAddressesOfTheirOwn(t *testing.T) {
	t.Setenv("HOOK_INTAKE", "of the intake")
	t.Setenv("HOOK_DESK", "of the desk")
	t.Setenv("HOOK_APP", "of the app")
	t.Setenv("HOOK_VERIFY", "verify me")
	dir := t.TempDir()
	cfg := filepath.Join(dir, "emberwatch.yml")
	if err := os.WriteFile(cfg, []byte(`version: 1
http: {listen: "127.0.0.1:0"}
intake: {secret: env:HOOK_INTAKE}
sources:
  - {type: webhook, name: webhook, brand: nordhavn, timezone: Europe/Oslo}
  - type: webhook
    name: desk
    secret: env:HOOK_DESK
    brand: fjellbryg
    each: /events
    map: {id: /id, text: [/body, /subject], created_at: /at, author.id: ^/from, kind: =dm}
  - {type: meta, name: fb, secret: env:HOOK_APP, verify_token: env:HOOK_VERIFY, brand: fjellbryg}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	d, stop := startDaemon(t, filepath.Join(dir, "data"), cfg)
	defer stop()
	now := time.Now().UTC()
	events := fmt.Sprintf(`{"from":"u1","events":[{"id":7,"body":"<p>No answer since Monday</p>","at":%d},{"id":8}]}`, now.Unix())
	comment := fmt.Sprintf(`{"object":"page","entry":[{"id":"1","time":%d,"changes":[{"field":"feed","value":{"item":"comment","verb":"add","comment_id":"1_2","message":"It leaks","from":{"id":"9"}}}]}]}`, now.Unix())
	zoneless := `{"id":"z","text":"x","created_at":"` + now.In(mustZone(t, "Europe/Oslo")).Format("2006-01-02T15:04:05") + `"}`
	app := hmac.New(sha256.New, []byte("of the app"))
	app.Write([]byte(comment))
	for _, tt := range []struct {
		path, header, value, body string
		status                    int
		answer                    string
	}{
		{"/v1/hooks/desk", "Authorization", "Bearer of the desk", events, 200, `"accepted":1,"duplicates":0,"rejected":[{"index":1,"error":"created_at: missing"}]`},
		{"/v1/hooks/desk", "Authorization", "Bearer of the desk", events, 200, `"accepted":0,"duplicates":1`},
		{"/v1/hooks/desk", "Authorization", "Bearer of the intake", events, 401, "not signed"},
		{"/v1/hooks/desk", "", "", events, 401, "not signed"},
		{"/v1/hooks/fb", "X-Hub-Signature-256", "sha256=" + hex.EncodeToString(app.Sum(nil)), comment, 200, `"accepted":1`},
		{"/v1/hooks/fb", "X-Hub-Signature-256", "sha256=00", comment, 401, "not signed"},
		{"/v1/hooks/webhook", "Authorization", "Bearer of the intake", zoneless, 404, "no source of this name"},
		{"/v1/mentions", "Authorization", "Bearer of the intake", zoneless, 200, `"accepted":1`},
	} {
		if status, body := pushTo(t, d, tt.path, tt.header, tt.value, tt.body); status != tt.status || !strings.Contains(body, tt.answer) {
			t.Errorf("%s with %q: %d %s", tt.path, tt.value, status, body)
		}
	}
	shaken, err := http.Get(d.server.URL() + "/v1/hooks/fb?hub.mode=subscribe&hub.challenge=42&hub.verify_token=verify+me")
	if err != nil {
		t.Fatal(err)
	}
	defer shaken.Body.Close()
	if body, _ := io.ReadAll(shaken.Body); shaken.StatusCode != 200 || string(body) != "42" {
		t.Errorf("handshake: %d %s", shaken.StatusCode, body)
	}
	for key, want := range map[sources.Key]string{
		{Source: "desk", ID: "7"}: "fjellbryg dm u1 No answer since Monday", {Source: "fb", ID: "1_2"}: "fjellbryg comment 9 It leaks", {Source: "webhook", ID: "z"}: "nordhavn comment  x",
	} {
		brand, _, _ := strings.Cut(want, " ")
		found, err := d.db.MentionsByKey(t.Context(), brand, []sources.Key{key})
		if err != nil || len(found) != 1 {
			t.Errorf("%v: %v, %v", key, found, err)
			continue
		}
		m := found[0].Mention
		if got := fmt.Sprintf("%s %s %s %s", found[0].Brand, m.Kind, m.Author.ID, m.Text); got != want || now.Sub(m.CreatedAt).Abs() > time.Minute {
			t.Errorf("%v: %s at %v", key, got, m.CreatedAt)
		}
	}
}

// TestUnsignedHooksKeepForeignSitesOff: without a secret a hook is as open as the intake, to programs of this machine.
func TestUnsignedHooksKeepForeignSitesOff(t *testing.T) {
	dir := t.TempDir()
	cfg := filepath.Join(dir, "emberwatch.yml")
	if err := os.WriteFile(cfg, []byte(anyPort+"sources: [{type: webhook, name: desk}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, stop := startDaemon(t, filepath.Join(dir, "data"), cfg)
	defer stop()
	if status, body := pushTo(t, d, "/v1/hooks/desk", "", "", item("a", "x", "y")); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	if status, body := pushTo(t, d, "/v1/hooks/desk", "Origin", "https://evil.example", item("b", "x", "y")); status != 403 {
		t.Errorf("another site: %d %s", status, body)
	}
}

// TestAWrongMappingIsNoSilence: whoever looks at the log, at the sources or at the report hears that nothing of what is
// pushed is understood, and why.
func TestAWrongMappingIsNoSilence(t *testing.T) {
	dir := t.TempDir()
	cfg := filepath.Join(dir, "emberwatch.yml")
	hook := "sources: [{type: webhook, name: trustpilot, each: /events, map: {id: /id, text: /text, created_at: /when}}]\n"
	if err := os.WriteFile(cfg, []byte(anyPort+hook), 0o600); err != nil {
		t.Fatal(err)
	}
	d, stop := startDaemon(t, filepath.Join(dir, "data"), cfg)
	defer stop()
	for i := range 3 {
		body := fmt.Sprintf(`{"events":[{"id":"%d","text":"secretly angry","createdAt":"2026-11-16T07:42:10Z"}]}`, i)
		if status, answer := pushTo(t, d, "/v1/hooks/trustpilot", "", "", body); status != 200 || !strings.Contains(answer, `"accepted":0`) {
			t.Fatalf("%d %s", status, answer)
		}
	}
	out := func() string {
		_, out, _ := invoke(t, "--config", cfg, "--data", filepath.Join(dir, "data"), "doctor", "--server", d.server.URL())
		return out
	}()
	if !strings.Contains(out, "error    source trustpilot: most of what comes is rejected, 3 items since the start; the latest: created_at: missing") {
		t.Errorf("doctor says %s", out)
	}
	for path, want := range map[string]string{
		"/api/v1/sources": `"rejected":3,"rejected_why":"created_at: missing","rejecting":true`,
		"/api/v1/report":  `"name":"trustpilot","fails":false,"why":"created_at: missing"`,
		"/":               "rejecting most of what comes",
	} {
		res, err := http.Get(d.server.URL() + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if !strings.Contains(string(body), want) || strings.Contains(string(body), "secretly") {
			t.Errorf("%s: %s", path, body)
		}
	}
}

// pushTo posts a body, again while the daemon is still starting.
func pushTo(t *testing.T, d *Daemon, path, header, value, body string) (int, string) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		req, err := http.NewRequest(http.MethodPost, d.server.URL()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		if header != "" {
			req.Header.Set(header, value)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != http.StatusServiceUnavailable || time.Now().After(deadline) {
			return res.StatusCode, string(got)
		}
	}
}

func mustZone(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}
