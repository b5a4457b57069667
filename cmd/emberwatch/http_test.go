package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"emberwatch/notifier/notifiertest"
)

func TestBackupOverHTTPNeedsAnAbsolutePath(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := start(t, launch{config: writeFile(t, filepath.Join(dir, "e.yml"), anyPort), data: filepath.Join(dir, "d"), home: dir})
	defer c.stop(t)
	to := func(path string) reply {
		return c.ask(t, http.MethodPost, "/api/v1/store/backup?"+url.Values{"to": {path}}.Encode(), "")
	}
	if res := to("copy"); res.status != http.StatusBadRequest || !strings.Contains(res.body, "relative path") {
		t.Errorf("relative: %d %s", res.status, res.body)
	}
	if _, err := os.Stat(filepath.Join(dir, "copy")); err == nil {
		t.Error("it was made all the same")
	}
	if res := to(filepath.Join(dir, "copy")); res.status != http.StatusOK {
		t.Errorf("absolute: %d %s", res.status, res.body)
	}
	if res := to(filepath.Join(dir, "copy")); res.status != http.StatusUnprocessableEntity || !strings.Contains(res.body, "name a folder that does not exist yet") {
		t.Errorf("again: %d %s", res.status, res.body)
	}
}

func TestReadinessTellsStrangersNoMoreThanTheClass(t *testing.T) {
	t.Parallel()
	c, write := rotatingDaemon(t)
	defer c.stop(t)
	write("e.yml", rotating+"htpp: {}\n")
	if res := c.ask(t, "POST", "/-/reload", "", bearer("root-old")); res.status != 422 {
		t.Fatalf("%d %s", res.status, res.body)
	}
	for what, change := range map[string]func(*http.Request){
		"nobody": func(*http.Request) {}, "a stranger": bearer("guess"), "somebody who may not read": bearer("root-old"),
	} {
		if res := c.ask(t, "GET", "/readyz", "", change); res.status != 200 || strings.TrimSpace(res.body) != `{"ready":true}` {
			t.Errorf("%s: %d %s", what, res.status, res.body)
		}
	}
	res := c.ask(t, "GET", "/readyz", "", bearer("desk-old"))
	if res.status != 200 || !strings.Contains(res.body, `"webhook":"running`) || !strings.Contains(res.body, "e.yml:8:1") {
		t.Errorf("the desk: %d %s", res.status, res.body)
	}
}

func TestReadinessNamesTheAlertThatDidNotGetThrough(t *testing.T) {
	t.Parallel()
	slack := notifiertest.NewSlack()
	defer slack.Close()
	for range 20 {
		slack.Fail("chat.postMessage", notifiertest.Refuse("channel_not_found"))
	}
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "rules.yml"), promptly)
	writeFile(t, filepath.Join(dir, "desk"), "desk-1")
	c := start(t, launch{
		data: filepath.Join(dir, "d"), env: []string{"EW_BOT=" + notifiertest.BotToken, "EW_SECRET=" + intakeSecret},
		config: writeFile(t, filepath.Join(dir, "e.yml"), "version: 1\nrules: [rules.yml]\nintake: {secret: env:EW_SECRET}\n"+
			"http: {listen: \"127.0.0.1:0\", tokens: [{name: desk, secret: \"file:desk\", scopes: [read]}]}\n"+
			"slack: {bot_token: env:EW_BOT, api_url: \""+slack.URL()+"\"}\n"),
	})
	defer c.stop(t)
	body := item("a", "Fjellbryg", "my wife was injured and is in hospital")
	c.expect(t, body, signed("d1", body, time.Now()), 200, 1, 0)
	var res reply
	soon(t, "it is not ready", func() (bad bool) {
		r, err := c.try("GET", "/readyz", "")
		res = r
		return err == nil && r.status == http.StatusServiceUnavailable
	})
	if strings.TrimSpace(res.body) != `{"ready":false,"missing":["delivery"]}` {
		t.Errorf("to strangers: %s", res.body)
	}
	res, err := c.try("GET", "/readyz", "", bearer("desk-1"))
	if err != nil || !strings.Contains(res.body, "channel_not_found") || !strings.Contains(res.body, "route default") || strings.Contains(strings.ToLower(res.body), "fjell") {
		t.Errorf("to the desk: %v %s", err, res.body)
	}
}
