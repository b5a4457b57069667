package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier/draft"
	"emberwatch/notifier/notifiertest"
	"emberwatch/sources"
)

const e2eSecret = "whsec_LGysw1F/nQbffsRRKdzy2dam+x6dVq6r"

// startDaemon runs the daemon of cfg until stop is called, which drains it; change may alter its options.
func startDaemon(t *testing.T, dir, cfg string, change ...func(*DaemonOptions)) (d *Daemon, stop func()) {
	t.Helper()
	c, errs, err := Load(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if errs = append(errs, c.Validate()...); errs.Refused() {
		t.Fatal(errs)
	}
	lib, err := draft.New(draft.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set, errs := loadRules(c, lib)
	if errs.Refused() {
		t.Fatal(errs)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	if testing.Verbose() {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	opt := DaemonOptions{Config: c, Rules: set, Dir: dir, Log: log, Out: io.Discard}
	for _, f := range change {
		f(&opt)
	}
	d, err = NewDaemon(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return d, stop
}

// e2eConfig writes a configuration and a rule file that tells within a second.
func e2eConfig(t *testing.T, dir, slackURL, history string) string {
	t.Helper()
	t.Setenv("E2E_BOT", notifiertest.BotToken)
	t.Setenv("E2E_APP", notifiertest.AppToken)
	t.Setenv("E2E_INTAKE", e2eSecret)
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("rules.yml", `version: 1
brands:
  fjellbryg: {names: [Fjellbryg], products: {one: ["Fjellbryg One"]}}
packs: [starter]
routes:
  default:
    slack: {channel: "#pr-alerts"}
    notify: {gather: 1s}
    ladder:
      - {after: 2s, severity: 2, to: lead}
      - {after: 4s, severity: 2, to: lead}
      - {after: 2s, severity: 3, to: lead}
      - {after: 4s, severity: 3, to: lead}
  lead: {slack: {user: "@ingrid"}}
`)
	sourcesPart := ""
	if history != "" {
		sourcesPart = "sources:\n  - {type: jsonl, name: past, path: " + history + ", history: true}\n"
	}
	return write("emberwatch.yml", `version: 1
rules: [rules.yml]
http: {listen: "127.0.0.1:0"}
intake: {secret: env:E2E_INTAKE}
slack:
  report: "off"
  bot_token: env:E2E_BOT
  app_token: env:E2E_APP
  channel: "#pr-alerts"
  api_url: `+slackURL+"\n"+sourcesPart)
}

// sendSigned posts a batch as a helpdesk would.
func sendSigned(t *testing.T, d *Daemon, id string, items []map[string]any) map[string]any {
	t.Helper()
	body, err := json.Marshal(map[string]any{"items": items})
	if err != nil {
		t.Fatal(err)
	}
	var last string
	for range 100 {
		req, _ := http.NewRequest(http.MethodPost, d.server.URL()+"/v1/mentions", bytes.NewReader(body))
		if err := sources.SignStandard(req.Header, e2eSecret, id, body, time.Now()); err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			var out map[string]any
			if err := json.Unmarshal(b, &out); err != nil {
				t.Fatal(err)
			}
			return out
		}
		last = fmt.Sprint(res.StatusCode, " ", string(b))
		if res.StatusCode != http.StatusServiceUnavailable { // history is read first
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("intake answered ", last)
	return nil
}

func getJSON(t *testing.T, d *Daemon, path string, out any) {
	t.Helper()
	res, err := http.Get(d.server.URL() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		b, _ := io.ReadAll(res.Body)
		t.Fatalf("%s: %d %s", path, res.StatusCode, b)
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		t.Fatal(err)
	}
}

// eventually waits until f holds; the daemon works on the real clock here.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("%s: not within 30 s", what)
}

// ordinaryWeeks writes two weeks of a quiet brand up to now.
func ordinaryWeeks(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	texts := []string{"Lovely coffee, thank you", "Where can I buy filters?", "My parcel is late again, annoying", "Just ordered the new one"}
	start := time.Now().Add(-14 * 24 * time.Hour)
	for k := range 14 * 24 * 2 {
		fmt.Fprintf(&b, `{"id":"p%d","source":"instagram","network":"instagram","brand":"Fjellbryg","author":{"id":"u%d"},"text":%q,"created_at":%q}`+"\n",
			k, k%97, texts[(k*7+k/5)%4], start.Add(time.Duration(k)*30*time.Minute).UTC().Format(time.RFC3339))
	}
	path := filepath.Join(dir, "past.ndjson")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFromMentionToAcknowledgement is the whole way: a signed batch comes in, Slack shows an alert with its
// evidence, somebody presses Acknowledge, the message changes and the ladder stops; after a restart nothing is
// sent twice.
func TestFromMentionToAcknowledgement(t *testing.T) {
	fake := notifiertest.NewSlack()
	defer fake.Close()
	fake.AddUser(notifiertest.User{ID: "U0INGRID", Name: "ingrid", Display: "Ingrid"})
	fake.Allow("<@U0INGRID>")
	dir := t.TempDir()
	cfg := e2eConfig(t, dir, fake.URL(), ordinaryWeeks(t, dir))
	data := filepath.Join(dir, "data")
	d, stop := startDaemon(t, data, cfg)

	var items []map[string]any
	for k := range 30 {
		items = append(items, map[string]any{
			"id": fmt.Sprint("leak", k), "source": "instagram", "network": "instagram", "brand": "Fjellbryg",
			"kind": "comment", "author": map[string]any{"id": fmt.Sprint("a", k), "handle": fmt.Sprint("@a", k), "followers": 120},
			"text":       fmt.Sprintf("The tank of my Fjellbryg One leaks, water everywhere, terrible! <!channel> case %d", k),
			"url":        fmt.Sprint("https://example.com/p/", k),
			"created_at": time.Now().Add(-time.Duration(30-k) * 10 * time.Second).UTC().Format(time.RFC3339),
		})
	}
	if got := sendSigned(t, d, "msg_1", items); got["accepted"] != 30.0 {
		t.Fatalf("intake: %v", got)
	}
	if got := sendSigned(t, d, "msg_1", items); got["accepted"] != 0.0 || got["duplicates"] != 30.0 {
		t.Errorf("the same delivery again: %v", got)
	}
	var mentions struct {
		Mentions []detector.Judged `json:"mentions"`
	}
	getJSON(t, d, "/api/v1/mentions?brand=fjellbryg&limit=5", &mentions)
	if len(mentions.Mentions) != 5 || mentions.Mentions[0].P.Label() != detector.Negative {
		t.Errorf("mentions: %+v", mentions)
	}

	eventually(t, "an alert in Slack", func() bool { return len(fake.Messages("#pr-alerts")) > 0 })
	eventually(t, "a socket", func() bool { return fake.Connected() > 0 })
	root := fake.Messages("#pr-alerts")[0]
	if strings.Contains(string(root.Blocks), "<!channel>") && !strings.Contains(string(root.Blocks), "rich_text") {
		t.Errorf("foreign mention is live: %s", root.Blocks)
	}
	value := regexp.MustCompile(`"value":"(fjellbryg-1\|\d+)"`).FindStringSubmatch(string(root.Blocks))
	if value == nil {
		t.Fatalf("no button: %s", root.Blocks)
	}
	eventually(t, "the ladder", func() bool { return len(fake.Thread(root.TS)) > 1 })
	action := regexp.MustCompile(`"action_id":"([^"]*ack[^"]*)"`).FindStringSubmatch(string(root.Blocks))
	ack, err := fake.Click(t.Context(), root.TS, action[1], value[1], "U0INGRID")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("click acked: %+v", ack)
	var view incidentView
	eventually(t, "an owner", func() bool {
		getJSON(t, d, "/api/v1/incidents/fjellbryg-1", &view)
		return view.Incident.Handling == detector.Acked
	})
	if err := detector.VerifyAudit(view.Audit); err != nil {
		t.Error(err)
	}
	eventually(t, "an edited root", func() bool {
		m := fake.Thread(root.TS)[0]
		return strings.Contains(string(m.Blocks), view.Incident.Owner)
	})
	if i := view.Incident; !i.LadderFrom.IsZero() || !i.RemindAt.IsZero() {
		t.Errorf("the ladder runs on after the acknowledgement: %+v", i)
	}
	eventually(t, "an empty outbox", func() bool { return len(d.detector.Pending(time.Now().Add(24*time.Hour))) == 0 })

	chartShows(t, fake, root.TS)
	draftIsMarked(t, d, fake, fake.Thread(root.TS)[0])

	stop()
	before := fake.Calls("chat.postMessage")
	d, stop = startDaemon(t, data, cfg)
	var list struct {
		Incidents []detector.Incident `json:"incidents"`
	}
	getJSON(t, d, "/api/v1/incidents?state=open", &list)
	if len(list.Incidents) != 1 || list.Incidents[0].Owner != view.Incident.Owner {
		t.Errorf("after the restart: %+v", list)
	}
	if due := d.detector.Pending(time.Now().Add(24 * time.Hour)); len(due) != 0 {
		t.Errorf("after the restart there is something to send: %+v", due)
	}
	d.dispatcher.Drain(t.Context())
	if after := fake.Calls("chat.postMessage"); after != before {
		t.Errorf("%s messages after a restart", strconv.Itoa(after-before))
	}
	stop()
	for _, v := range fake.Violations() {
		t.Error(v)
	}
}

// chartShows expects the incident's picture in its thread.
func chartShows(t *testing.T, fake *notifiertest.Slack, root string) {
	t.Helper()
	eventually(t, "the chart", func() bool { f := fake.Files(); return len(f) > 0 && f[0].Channel != "" })
	f := fake.Files()[0]
	img, err := png.Decode(bytes.NewReader(f.Data))
	if err != nil || f.ThreadTS != root || !strings.Contains(f.Alt, "The peak is") {
		t.Errorf("the chart: %v, in %s, %q", err, f.ThreadTS, f.Alt)
	}
	if err == nil && img.Bounds().Dx() < 800 {
		t.Errorf("the chart is %v", img.Bounds())
	}
	if dir := os.Getenv("CHARTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, "incident.png"), f.Data, 0o600); err != nil {
			t.Error(err)
		}
	}
}

// draftIsMarked goes through the drafts in Slack and marks the first as sent; the report counts it.
func draftIsMarked(t *testing.T, d *Daemon, fake *notifiertest.Slack, root notifiertest.Message) {
	t.Helper()
	if _, err := fake.Click(t.Context(), root.TS, "drafts", root.Values("drafts")[0], "U0INGRID"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the drafts", func() bool { m := fake.Modals(); return len(m) == 1 && m[0].Updates == 1 })
	list := fake.Modals()[0]
	use := regexp.MustCompile(`"action_id":"use","value":("(?:[^"\\]|\\.)*")`).FindStringSubmatch(string(list.View))
	var value string
	if use == nil || json.Unmarshal([]byte(use[1]), &value) != nil {
		t.Fatalf("no draft to use: %s", list.View)
	}
	if _, err := fake.ClickView(t.Context(), list.ID, "use", value); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the draft", func() bool { m := fake.Modals(); return len(m) == 2 && m[1].Updates == 1 })
	if _, err := fake.Submit(t.Context(), fake.Modals()[1].ID, nil); err != nil {
		t.Fatal(err)
	}
	var r detector.Report
	eventually(t, "a report with the draft", func() bool {
		getJSON(t, d, "/api/v1/report?from=1d", &r)
		return r.Drafts.Used == 1
	})
	if r.Incidents != 1 || r.Acknowledge.N != 1 || r.Answer.N != 1 {
		t.Errorf("the report: %+v", r)
	}
}

// TestTokensCloseTheIntake: once there are API tokens, nobody may push without one or a secret.
func TestTokensCloseTheIntake(t *testing.T) {
	t.Setenv("E2E_READ", "read-only-secret-for-tests")
	dir := t.TempDir()
	cfg := filepath.Join(dir, "emberwatch.yml")
	text := "version: 1\nhttp:\n  listen: 127.0.0.1:0\n  tokens: [{name: desk, secret: env:E2E_READ, scopes: [read]}]\n"
	if err := os.WriteFile(cfg, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	d, stop := startDaemon(t, filepath.Join(dir, "data"), cfg)
	defer stop()
	body := `{"id":"1","text":"x","created_at":"2026-11-16T07:42:10Z"}`
	for _, token := range []string{"", "read-only-secret-for-tests"} {
		req, _ := http.NewRequest(http.MethodPost, d.server.URL()+"/v1/mentions", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+token)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("token %q: %d", token, res.StatusCode)
		}
	}
}
