package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/store"
	"emberwatch/notifier/notifiertest"
	"emberwatch/sources"
)

// anyPort is a configuration that says no more than where to listen.
const anyPort = "version: 1\nhttp: {listen: \"127.0.0.1:0\"}\n"

// promptly are rules that tell within a second.
const promptly = "version: 1\nroutes: {default: {slack: {channel: \"#pr-alerts\"}, notify: {gather: 1s}}}\n"

// item is a comment as JSON, written now.
func item(id, brand, text string) string { return itemOf(sources.Comment, id, brand, text) }

// itemOf is item for another kind of mention.
func itemOf(kind sources.Kind, id, brand, text string) string {
	b, _ := json.Marshal(map[string]any{
		"id": id, "kind": kind, "brand": brand, "text": text, "author": "@" + id,
		"created_at": time.Now().UTC().Format(time.RFC3339),
	})
	return string(b)
}

// took is the body of a 200 of the intake.
type took struct {
	Accepted, Duplicates int
	Rejected             []sources.Rejected
}

func TestRunWithoutConfiguration(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	c := spawn(t, launch{home: home})
	select {
	case c.url = <-c.log.running:
	case <-c.done:
		if strings.Contains(c.log.String(), "address already in use") {
			t.Skip("somebody else listens on 127.0.0.1:8080")
		}
		t.Fatalf("exit code %d\n%s", c.code(), c.log)
	case <-time.After(patience):
		t.Fatalf("does not start\n%s", c.log)
	}
	if c.url != "http://127.0.0.1:8080" {
		t.Errorf("listens on %s", c.url)
	}

	// As curl -d sends it.
	res := c.ask(t, http.MethodPost, "/v1/mentions", item("m1", "US Airways", "my wife was injured on board and is in hospital"),
		header("Content-Type", "application/x-www-form-urlencoded"))
	if want := `{"accepted":1,"duplicates":0,"rejected":[]}`; res.status != 200 || strings.TrimSpace(res.body) != want {
		t.Errorf("answer %d %s, want %s", res.status, res.body, want)
	}
	var found struct{ Mentions []detector.Judged }
	c.ask(t, http.MethodGet, "/api/v1/mentions?brand=us-airways", "").decode(t, &found)
	if len(found.Mentions) != 1 || found.Mentions[0].Mention.ID != "m1" || found.Mentions[0].P.Label() != detector.Negative {
		t.Errorf("mentions %+v", found.Mentions)
	}
	if res := c.ask(t, http.MethodGet, "/api/v1/brands", ""); res.status != 200 || !strings.Contains(res.body, `"us-airways"`) {
		t.Errorf("brands: %d %s", res.status, res.body)
	}
	for _, path := range []string{"/", "/healthz", "/readyz", "/metrics", "/api/v1/sources", "/api/v1/incidents"} {
		if res := c.ask(t, http.MethodGet, path, ""); res.status != 200 {
			t.Errorf("%s: %d %s", path, res.status, res.body)
		}
	}
	if !strings.Contains(c.log.String(), "unsigned") {
		t.Error("nobody is told that unsigned mentions are taken")
	}
	c.stop(t)
	if _, err := os.Stat(filepath.Join(home, "state", "emberwatch", "state.db")); err != nil {
		t.Error(err)
	}
}

func TestWithoutSlackTheConsoleTells(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "rules.yml"), promptly)
	c := start(t, launch{config: writeFile(t, filepath.Join(dir, "e.yml"), anyPort+"rules: [rules.yml]\n"), data: filepath.Join(dir, "d")})
	c.expect(t, item("m1", "Fjellbryg", "my wife was \x1b[31minjured and is in hospital"), func(*http.Request) {}, 200, 1, 0)
	soon(t, "the alert is on the console", func() bool { return strings.Contains(c.log.said(), "fjellbryg-1") })
	if strings.ContainsRune(c.log.said(), '\x1b') {
		t.Errorf("an escape sequence reached something that is no terminal: %q", c.log.said())
	}
	c.stop(t)
}

func TestLoopbackIsNoOpenDoor(t *testing.T) {
	t.Parallel()
	c := start(t, launch{config: writeFile(t, filepath.Join(t.TempDir(), "e.yml"), anyPort), data: filepath.Join(t.TempDir(), "d")})
	defer c.stop(t)
	for name, tt := range map[string]struct {
		method, path string
		change       func(*http.Request)
		want         int
	}{
		"a foreign host hands in":      {"POST", "/v1/mentions", func(r *http.Request) { r.Host = "evil.example" }, 403},
		"a foreign host reads":         {"GET", "/api/v1/mentions", func(r *http.Request) { r.Host = "evil.example:80" }, 403},
		"a foreign host reloads":       {"POST", "/-/reload", func(r *http.Request) { r.Host = "evil.example" }, 403},
		"another site hands in":        {"POST", "/v1/mentions", header("Origin", "https://evil.example"), 403},
		"another site, a new browser":  {"POST", "/v1/mentions", header("Sec-Fetch-Site", "cross-site"), 403},
		"another site exports":         {"POST", "/api/v1/store/export", header("Origin", "https://evil.example"), 403},
		"nobody else":                  {"POST", "/v1/mentions", func(*http.Request) {}, 200},
		"by the name localhost":        {"POST", "/v1/mentions", func(r *http.Request) { r.Host = "localhost" }, 200},
		"with GET":                     {"GET", "/v1/mentions", func(*http.Request) {}, 405},
		"what does not exist":          {"GET", "/api/v1/nothing", func(*http.Request) {}, 404},
		"an operation not in contract": {"POST", "/api/v1/store/format", func(*http.Request) {}, 404},
	} {
		t.Run(name, func(t *testing.T) {
			body := ""
			if tt.method == "POST" {
				body = item("a", "Fjellbryg", "hm")
			}
			if res := c.ask(t, tt.method, tt.path, body, tt.change); res.status != tt.want {
				t.Errorf("answer %d %s, want %d", res.status, res.body, tt.want)
			}
		})
	}
}

func TestIntakeAnswers(t *testing.T) {
	t.Parallel()
	c := start(t, launch{config: writeFile(t, filepath.Join(t.TempDir(), "e.yml"), anyPort), data: filepath.Join(t.TempDir(), "d")})
	defer c.stop(t)
	var got took
	body := `{"items":[` + item("a", "Fjellbryg", "fine") + `,{"id":"b"},` + item("a", "Fjellbryg", "fine") + `,7]}`
	c.ask(t, "POST", "/v1/mentions", body).decode(t, &got)
	if got.Accepted != 1 || got.Duplicates != 1 || len(got.Rejected) != 2 || got.Rejected[0].Index != 1 || got.Rejected[1].Index != 3 {
		t.Errorf("a good, a bad, a repeated and a strange item: %+v", got)
	}
	if res := c.ask(t, "POST", "/v1/mentions", `{"id":`); res.status != 400 {
		t.Errorf("half an object: %d %s", res.status, res.body)
	}
	if res := c.ask(t, "POST", "/v1/mentions", `{"items":[{"id":"`+strings.Repeat("x", 2<<20)+`"}]}`); res.status != 413 {
		t.Errorf("2 MB: %d %s", res.status, res.body)
	}
	res := c.ask(t, "POST", "/v1/mentions", `{"items":[{},{}]}`)
	if res.decode(t, &got); res.status != 200 || got.Accepted != 0 || len(got.Rejected) != 2 {
		t.Errorf("only bad items: %d %s", res.status, res.body)
	}
}

const intakeSecret = "whsec_bXlvbGRzZWNyZXRteW9sZHNlY3JldA=="

// signed signs a request by Standard Webhooks.
func signed(id, body string, at time.Time) func(*http.Request) {
	return func(r *http.Request) {
		if err := sources.SignStandard(r.Header, intakeSecret, id, []byte(body), at); err != nil {
			panic(err) // the secret above is no secret
		}
	}
}

func TestIntakeWithASecret(t *testing.T) {
	t.Parallel()
	l := launch{
		data: filepath.Join(t.TempDir(), "d"), env: []string{"EW_SECRET=" + intakeSecret},
		config: writeFile(t, filepath.Join(t.TempDir(), "e.yml"), anyPort+"intake: {secret: env:EW_SECRET}\n"),
	}
	c := start(t, l)
	one, two := item("a", "Fjellbryg", "fine"), item("b", "Fjellbryg", "fine")
	for _, tt := range []struct {
		name     string
		body     string
		change   func(*http.Request)
		status   int
		accepted int
		repeated int
	}{
		{"unsigned", one, func(*http.Request) {}, 401, 0, 0},
		{"signed for another body", one, signed("d1", two, time.Now()), 401, 0, 0},
		{"signed yesterday", one, signed("d1", one, time.Now().Add(-24*time.Hour)), 401, 0, 0},
		{"signed", one, signed("d1", one, time.Now()), 200, 1, 0},
		{"the same delivery again", one, signed("d1", one, time.Now()), 200, 0, 1},
		{"the id with another body", two, signed("d1", two, time.Now()), 409, 0, 0},
		{"the body under another id", one, signed("d2", one, time.Now()), 200, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) { c.expect(t, tt.body, tt.change, tt.status, tt.accepted, tt.repeated) })
	}
	c.stop(t)

	c = start(t, l) // what was delivered is remembered
	c.expect(t, one, signed("d1", one, time.Now()), 200, 0, 1)
	c.expect(t, two, signed("d1", two, time.Now()), 409, 0, 0)
	c.expect(t, two, signed("d3", two, time.Now()), 200, 1, 0)
	c.stop(t)
	if strings.Contains(c.log.String(), "bXlvbGRzZWNyZXQ") {
		t.Error("the secret is in the log")
	}
}

// expect hands in a body and looks at the answer.
func (c *child) expect(t *testing.T, body string, change func(*http.Request), status, accepted, repeated int) {
	t.Helper()
	res := c.ask(t, "POST", "/v1/mentions", body, change)
	if res.status != status {
		t.Fatalf("answer %d %s, want %d", res.status, res.body, status)
	}
	if status != 200 {
		return
	}
	var got took
	if res.decode(t, &got); got.Accepted != accepted || got.Duplicates != repeated {
		t.Errorf("answer %s, want %d accepted and %d duplicates", res.body, accepted, repeated)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	const config = `version: 1
intake: {secret: env:EW_SECRET}
http:
  listen: "127.0.0.1:0"
  tokens:
    - {name: desk, secret: env:EW_DESK, scopes: [read, act]}
    - {name: shop, secret: env:EW_SHOP, scopes: [ingest]}
    - {name: root, secret: env:EW_ROOT, scopes: [admin]}
`
	c := start(t, launch{
		data: filepath.Join(t.TempDir(), "d"), config: writeFile(t, filepath.Join(t.TempDir(), "e.yml"), config),
		env: []string{"EW_SECRET=" + intakeSecret, "EW_DESK=desk-1", "EW_SHOP=shop-1", "EW_ROOT=root-1"},
	})
	defer c.stop(t)
	bearer := func(s string) func(*http.Request) { return header("Authorization", "Bearer "+s) }
	for name, tt := range map[string]struct {
		method, path string
		change       func(*http.Request)
		want         int
	}{
		"nobody reads":        {"GET", "/api/v1/incidents", func(*http.Request) {}, 401},
		"a stranger reads":    {"GET", "/api/v1/incidents", bearer("guess"), 401},
		"the desk reads":      {"GET", "/api/v1/incidents", bearer("desk-1"), 200},
		"the shop reads":      {"GET", "/api/v1/incidents", bearer("shop-1"), 403},
		"the shop hands in":   {"POST", "/v1/mentions", bearer("shop-1"), 200},
		"the desk hands in":   {"POST", "/v1/mentions", bearer("desk-1"), 401},
		"nobody hands in":     {"POST", "/v1/mentions", func(*http.Request) {}, 401},
		"the desk reloads":    {"POST", "/-/reload", bearer("desk-1"), 403},
		"root reloads":        {"POST", "/-/reload", bearer("root-1"), 200},
		"root sees the store": {"POST", "/api/v1/store/info", bearer("root-1"), 200},
		"nobody sees numbers": {"GET", "/metrics", func(*http.Request) {}, 401},
		"it lives":            {"GET", "/healthz", func(*http.Request) {}, 200},
	} {
		t.Run(name, func(t *testing.T) {
			body := ""
			if tt.path == "/v1/mentions" {
				body = item("a", "Fjellbryg", "hm")
			}
			if res := c.ask(t, tt.method, tt.path, body, tt.change); res.status != tt.want {
				t.Errorf("answer %d %s, want %d", res.status, res.body, tt.want)
			}
		})
	}
}

func TestSecondDaemonFindsTheFolderLocked(t *testing.T) {
	t.Parallel()
	l := launch{config: writeFile(t, filepath.Join(t.TempDir(), "e.yml"), anyPort), data: filepath.Join(t.TempDir(), "d")}
	first := start(t, l)
	second := spawn(t, l)
	if code := second.wait(t); code != exitStore {
		t.Errorf("exit code %d, want %d\n%s", code, exitStore, second.log)
	}
	if says := second.log.String(); !strings.Contains(says, l.data) || !strings.Contains(says, fmt.Sprint(first.cmd.Process.Pid)) {
		t.Errorf("it names neither the folder nor the other process: %s", says)
	}
	first.expect(t, item("a", "Fjellbryg", "fine"), func(*http.Request) {}, 200, 1, 0)
	first.stop(t)
}

func TestABrokenStartStartsNothing(t *testing.T) {
	t.Parallel()
	taken := start(t, launch{config: writeFile(t, filepath.Join(t.TempDir(), "e.yml"), anyPort), data: filepath.Join(t.TempDir(), "d")})
	defer taken.stop(t)
	for name, tt := range map[string]struct {
		config string
		want   int
		says   string
	}{
		"an unknown key":                 {"version: 1\nhtpp: {}\n", exitUsage, `did you mean "http"`},
		"a rule file that is not there":  {"version: 1\nrules: [gone/*.yml]\n", exitUsage, "no rule file matches"},
		"open to everybody":              {"version: 1\nhttp: {listen: \"0.0.0.0:0\"}\n", exitUsage, "reachable from other machines"},
		"a secret that is not there":     {anyPort + "intake: {secret: env:EW_NOT_SET}\n", exitUsage, "EW_NOT_SET is not set"},
		"a port that somebody else uses": {"version: 1\nhttp: {listen: \"" + strings.TrimPrefix(taken.url, "http://") + "\"}\n", exitFailed, "in use"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			l := launch{config: writeFile(t, filepath.Join(dir, "e.yml"), tt.config), data: filepath.Join(dir, "d")}
			c := spawn(t, l)
			if code := c.wait(t); code != tt.want || !strings.Contains(c.log.String(), tt.says) {
				t.Errorf("exit code %d, want %d\n%s", code, tt.want, c.log)
			}
			if _, err := os.Stat(l.data); tt.want == exitUsage && err == nil {
				t.Error("the data folder was made all the same")
			}
		})
	}
}

func TestTermLosesNothing(t *testing.T) {
	t.Parallel()
	l := launch{config: writeFile(t, filepath.Join(t.TempDir(), "e.yml"), anyPort), data: filepath.Join(t.TempDir(), "d")}
	c := start(t, l)
	var mu sync.Mutex
	acknowledged := map[string]bool{}
	var posters sync.WaitGroup
	for p := range 4 {
		posters.Go(func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("p%d-%d", p, i)
				res, err := c.try("POST", "/v1/mentions", item(id, "Fjellbryg", "fine"))
				switch {
				case err != nil:
					return // it is gone
				case res.status == 503:
					if res.header.Get("Retry-After") == "" {
						t.Error("503 without Retry-After")
					}
					return
				case res.status != 200:
					t.Errorf("answer %d %s", res.status, res.body)
					return
				}
				mu.Lock()
				acknowledged[id] = true
				mu.Unlock()
			}
		})
	}
	soon(t, "mentions are taken", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(acknowledged) > 20
	})
	c.stop(t)
	posters.Wait()
	stored := idsOf(t, l.data)
	for id := range acknowledged {
		if stored[id] != 1 {
			t.Errorf("%s was acknowledged and is stored %d times", id, stored[id])
		}
	}
}

// idsOf returns how often each mention is in a data folder.
func idsOf(t *testing.T, dir string) map[string]int {
	t.Helper()
	db, err := store.Open(dir, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	all, err := db.Mentions(context.Background(), detector.MentionFilter{Limit: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for i := range all {
		n[all[i].Mention.ID]++
	}
	return n
}

func TestASecondTermLeavesAtOnce(t *testing.T) {
	t.Parallel()
	slack := notifiertest.NewSlack()
	defer slack.Close()
	slack.Fail("chat.postMessage", notifiertest.Fault{Delay: time.Hour}) // the drain waits for it
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "rules.yml"), promptly)
	c := start(t, launch{
		data: filepath.Join(dir, "d"), env: []string{"EW_BOT=" + notifiertest.BotToken},
		config: writeFile(t, filepath.Join(dir, "e.yml"), anyPort+"rules: [rules.yml]\nslack: {bot_token: env:EW_BOT, api_url: \""+slack.URL()+"\"}\n"),
	})
	c.expect(t, item("a", "Fjellbryg", "my wife was injured and is in hospital"), func(*http.Request) {}, 200, 1, 0)
	soon(t, "the alert is on its way", func() bool { return slack.Calls("chat.postMessage") > 0 })
	c.signal(t, syscall.SIGTERM)
	soon(t, "it is stopping", func() bool { return strings.Contains(c.log.String(), `"stopping"`) })
	began := time.Now()
	c.signal(t, syscall.SIGTERM)
	if code := c.wait(t); code == exitOK || time.Since(began) > 5*time.Second {
		t.Errorf("exit code %d after %s", code, time.Since(began))
	}
	if strings.Contains(c.log.String(), notifiertest.BotToken) {
		t.Error("the token is in the log")
	}
}

func TestHangupReloads(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "rules.yml")
	good := "version: 1\ntimezone: UTC\npacks: [starter]\n"
	writeFile(t, file, good)
	c := start(t, launch{data: filepath.Join(dir, "d"), config: writeFile(t, filepath.Join(dir, "e.yml"), anyPort+"rules: [rules.yml]\n")})
	defer c.stop(t)
	before := c.readiness(t)

	writeFile(t, file, good+"rulse: []\n")
	c.signal(t, syscall.SIGHUP)
	soon(t, "the refusal is told", func() bool { return c.readiness(t).Reload != "" })
	if r := c.readiness(t); r.Rules != before.Rules || !r.Ready || !strings.Contains(r.Reload, "rules.yml:4:1") {
		t.Errorf("after a broken file: %+v", r)
	}
	if res := c.ask(t, "POST", "/-/reload", ""); res.status != 422 || !strings.Contains(res.body, `did you mean "rules"`) {
		t.Errorf("reload over HTTP: %d %s", res.status, res.body)
	}

	writeFile(t, file, strings.Replace(good, "UTC", "Europe/Oslo", 1))
	c.signal(t, syscall.SIGHUP)
	soon(t, "the good file is in force", func() bool { return c.readiness(t).Rules != before.Rules })
	if r := c.readiness(t); r.Reload != "" {
		t.Errorf("the old refusal is still told: %+v", r)
	}
	if res := c.ask(t, "GET", "/metrics", ""); !strings.Contains(res.body, `emberwatch_reloads_total{outcome="ok"} 1`) ||
		!strings.Contains(res.body, `emberwatch_reloads_total{outcome="refused"} 2`) ||
		!strings.Contains(res.body, `emberwatch_refused_problems_total{id="key"} 2`) {
		t.Error("the reloads are not counted")
	}
}

// readiness asks whether the daemon is ready.
func (c *child) readiness(t *testing.T) (r readiness) {
	t.Helper()
	c.ask(t, http.MethodGet, "/readyz", "").decode(t, &r)
	return r
}
