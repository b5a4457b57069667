package main

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"emberwatch/notifier/notifiertest"
	"emberwatch/sources"

	"github.com/google/go-cmp/cmp"
)

// rotating is a configuration whose secrets stand in files, with some more lines at its end.
const rotating = `version: 1
http:
  listen: "127.0.0.1:0"
  tokens:
    - {name: desk, secret: "file:desk", scopes: [read, act]}
    - {name: root, secret: "file:root", scopes: [admin]}
intake: {secret: "file:intake"}
`

func bearer(secret string) func(*http.Request) {
	return header("Authorization", "Bearer "+secret)
}

// rotatingDaemon starts a daemon on that configuration and returns how to write a file beside it.
func rotatingDaemon(t *testing.T) (c *child, write func(name, text string)) {
	t.Helper()
	dir := t.TempDir()
	write = func(name, text string) { writeFile(t, filepath.Join(dir, name), text) }
	for name, secret := range map[string]string{"desk": "desk-old", "root": "root-old", "intake": intakeSecret} {
		write(name, secret)
	}
	write("e.yml", rotating)
	return start(t, launch{data: filepath.Join(dir, "d"), config: filepath.Join(dir, "e.yml")}), write
}

// TestHangupReadsSecretsAgain is the rotation of secrets without a restart: the new ones are good, the old ones
// no longer, nothing is lost, and no value is told.
func TestHangupReadsSecretsAgain(t *testing.T) {
	t.Parallel()
	c, write := rotatingDaemon(t)
	defer c.stop(t)
	const newIntake = "whsec_bmV3IHNlY3JldCBuZXcgc2VjcmV0IG5ldw=="
	one, two := item("a", "Fjellbryg", "fine"), item("b", "Fjellbryg", "fine")
	c.expect(t, one, signed("d1", one, time.Now()), 200, 1, 0)
	write("desk", "desk-new")
	write("root", "root-new")
	write("intake", newIntake)
	if res := c.ask(t, "GET", "/api/v1/incidents", "", bearer("desk-new")); res.status != 401 {
		t.Errorf("before the reload: %d", res.status)
	}
	c.signal(t, syscall.SIGHUP)
	soon(t, "the new token is good", func() bool {
		return c.ask(t, "GET", "/api/v1/incidents", "", bearer("desk-new")).status == 200
	})
	if res := c.ask(t, "GET", "/api/v1/incidents", "", bearer("desk-old")); res.status != 401 {
		t.Errorf("the old token: %d", res.status)
	}
	c.expect(t, two, signed("d2", two, time.Now()), 401, 0, 0)
	c.expect(t, two, func(r *http.Request) {
		if err := sources.SignStandard(r.Header, newIntake, "d3", []byte(two), time.Now()); err != nil {
			t.Fatal(err)
		}
	}, 200, 1, 0)
	res := c.ask(t, "POST", "/-/reload", "", bearer("root-new"))
	if res.status != 200 || strings.Contains(res.body, "force:") || strings.Contains(res.body, "restart") {
		t.Errorf("with nothing changed: %d %s", res.status, res.body)
	}
	soon(t, "it is in the log", func() bool { return strings.Contains(c.log.String(), `"applied":["http.tokens","intake.secret"]`) })
	info := c.ask(t, "POST", "/api/v1/store/info", "", bearer("root-new"))
	if !strings.Contains(info.body, `"op":"reload"`) || !strings.Contains(info.body, "SIGHUP") || !strings.Contains(info.body, `"id":"root"`) {
		t.Errorf("the audit: %s", info.body)
	}
	for _, s := range []string{"desk-", "root-", "bXlvbGRz", "bmV3IHNl"} {
		if strings.Contains(c.log.String()+info.body+res.body, s) {
			t.Errorf("a secret with %q is told", s)
		}
	}
}

func TestReloadSaysWhatNeedsARestart(t *testing.T) {
	t.Parallel()
	c, write := rotatingDaemon(t)
	defer c.stop(t)
	write("bot", "xoxb-new")
	write("e.yml", rotating+`slack: {bot_token: "file:bot", app_token: "file:bot2"}
limits: {auto_brands: 1}
retention: {text: 3d}
outgoing: {allow: ["10.0.0.0/8"]}
`)
	write("bot2", "xapp-new")
	res := c.ask(t, "POST", "/-/reload", "", bearer("root-old"))
	if res.status != 200 || !strings.Contains(res.body, "; now in force: limits, retention; take effect after a restart: slack, outgoing\n") {
		t.Errorf("%d %s", res.status, res.body)
	}
	again := c.ask(t, "POST", "/-/reload", "", bearer("root-old"))
	if !strings.Contains(again.body, "; take effect after a restart: slack, outgoing\n") || strings.Contains(again.body, "in force:") {
		t.Errorf("again: %s", again.body)
	}
	write("bot", "xoxb-newer")
	if res := c.ask(t, "POST", "/-/reload", "", bearer("root-old")); !strings.Contains(res.body, "restart: slack") {
		t.Errorf("another Slack token: %s", res.body)
	}

	one := `{"items":[` + item("a", "Fjellbryg", "fine") + "," + item("b", "Hav", "fine") + `]}`
	var got took
	c.ask(t, "POST", "/v1/mentions", one, signed("d1", one, time.Now())).decode(t, &got)
	if got.Accepted != 1 || len(got.Rejected) != 1 || !strings.Contains(got.Rejected[0].Error, "limits.auto_brands") {
		t.Errorf("past the new limit: %+v", got)
	}
}

func TestARefusedReloadChangesNothing(t *testing.T) {
	t.Parallel()
	c, write := rotatingDaemon(t)
	defer c.stop(t)
	write("desk", "desk-new")
	for what, config := range map[string]string{
		"an unknown key":          rotating + "htpp: {}\n",
		"a rule file not there":   rotating + "rules: [gone.yml]\n",
		"a secret that is empty":  strings.Replace(rotating, "file:intake", "file:nothing", 1),
		"no signing secret":       strings.Replace(rotating, "file:intake", "file:garbled", 1),
		"open to everybody":       "version: 1\nhttp: {listen: \"0.0.0.0:0\"}\n",
		"two senders of one name": strings.Replace(rotating, "intake: {", "intake: {senders: [{name: a, secret: \"file:intake\"}, {name: a, secret: \"file:intake\"}], ", 1),
	} {
		write("garbled", "whsec_!!")
		write("e.yml", config)
		if res := c.ask(t, "POST", "/-/reload", "", bearer("root-old")); res.status != 422 {
			t.Errorf("%s: %d %s", what, res.status, res.body)
		}
		if res := c.ask(t, "GET", "/api/v1/incidents", "", bearer("desk-old")); res.status != 200 {
			t.Errorf("%s: the token in force is refused: %d", what, res.status)
		}
	}
	one := item("a", "Fjellbryg", "fine")
	c.expect(t, one, signed("d1", one, time.Now()), 200, 1, 0)
}

// A reload must not open to strangers what listens to them already.
func TestReloadOpensNoDoor(t *testing.T) {
	secret := Secret{ref: "env:X", value: "x"}
	public := &Config{HTTP: HTTPConfig{Listen: "0.0.0.0:80", Tokens: []TokenConfig{{Name: "a", Secret: secret, Scopes: []string{"read"}}}}, Intake: IntakeConfig{Secret: secret}}
	private := &Config{HTTP: HTTPConfig{Listen: "127.0.0.1:80"}}
	next := public.live(private, true)
	if list, unsigned := senders(next); len(list) > 0 || unsigned {
		t.Errorf("after the secret is gone: %d senders, unsigned %v", len(list), unsigned)
	}
	if len(next.HTTP.Tokens) == 0 {
		t.Error("the page would be open")
	}
	applied, restart := compare(public, next, private)
	if diff := cmp.Diff([]string{"intake.secret"}, applied) + cmp.Diff([]string{"http.listen", "http.tokens"}, restart); diff != "" {
		t.Error(diff)
	}
}

func TestSettingsAreComparedByWhatTheyMean(t *testing.T) {
	base := func() *Config {
		c := Default()
		c.Slack.BotToken = Secret{ref: "file:bot", value: "one"}
		c.Drafts.Rephrase.Key = Secret{ref: "env:KEY"}
		c.Notifiers = []NotifierConfig{{Name: "oncall", Secret: Secret{ref: "env:ONCALL"}}}
		return c
	}
	for _, tt := range []struct {
		change func(*Config)
		want   string
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.Slack.BotToken.value = "two" }, "[slack]"},
		{func(c *Config) { c.Slack.BotToken.ref = "env:BOT" }, ""}, // the same token from elsewhere
		{func(c *Config) { c.Slack.Allow.Act = []string{"pr"} }, "[slack]"},
		{func(c *Config) { c.Drafts.Rephrase.Key.ref = "env:OTHER" }, "[drafts]"},
		{func(c *Config) { c.Notifiers = nil }, ""}, // they are exchanged while it runs
		{func(c *Config) { c.Sentiment.Model = "m.bin" }, "[sentiment]"},
		{func(c *Config) { c.Sources = []SourceConfig{{Name: "news"}} }, "[sources]"},
		{func(c *Config) { c.Store.MaxSize = "1GB" }, "[store.max_size]"},
	} {
		wanted := base()
		tt.change(wanted)
		was := base()
		_, restart := compare(was, was.live(wanted, true), wanted)
		if got := fmt.Sprint(restart); got != tt.want && (tt.want != "" || len(restart) > 0) {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

const watchedRules = `version: 1
brands: {acme: {names: [Acme], own_authors: ["shop:acme"]}}
rules:
  - {id: burnt, title: %s, kind: each, brand: acme, match: {any_of: [%s]}, dedupe: {by: [author], for: 1h}, severity: 3}
tests:
  - {name: burnt is told, feed: [{at: -1m, text: Acme burnt my cake}], expect: [{rule: burnt}]}
`

// Changed rule files are put in force by themselves; those that fail their own tests are refused, and the old ones stay.
func TestChangedRulesAreTested(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "acme.yml"), fmt.Sprintf(watchedRules, "Burnt", "burnt"))
	writeFile(t, filepath.Join(dir, "e.yml"), "version: 1\nhttp: {listen: \"127.0.0.1:0\"}\nrules: [acme.yml]\n")
	c := start(t, launch{data: filepath.Join(dir, "d"), config: filepath.Join(dir, "e.yml")})
	defer c.stop(t)
	writeFile(t, filepath.Join(dir, "acme.yml"), fmt.Sprintf(watchedRules, "Burnt twice", "burnt"))
	soon(t, "the change is in force", func() bool { return strings.Contains(c.log.String(), `"msg":"reloaded"`) })
	writeFile(t, filepath.Join(dir, "acme.yml"), fmt.Sprintf(watchedRules, "Burnt", "scorched"))
	soon(t, "a set that fails its test is refused", func() bool {
		return strings.Contains(c.ask(t, "GET", "/readyz", "").body, "burnt is told")
	})
	if log := c.log.String(); strings.Count(log, `"msg":"reloaded"`) != 1 || !strings.Contains(log, "not told: burnt") {
		t.Errorf("the log: %s", log)
	}
	soon(t, "it is on the console", func() bool { return strings.Contains(c.log.said(), "was refused") })
}

// People are told in Slack why a changed set is not in force: once, however often it is tried, and again of another one.
func TestARefusedReloadIsToldInSlack(t *testing.T) {
	t.Parallel()
	slack := notifiertest.NewSlack()
	defer slack.Close()
	dir := t.TempDir()
	write := func(name, text string) { writeFile(t, filepath.Join(dir, name), text) }
	write("acme.yml", fmt.Sprintf(watchedRules, "Burnt", "burnt"))
	write("e.yml", "version: 1\nhttp: {listen: \"127.0.0.1:0\"}\nrules: [acme.yml]\nslack: {bot_token: env:EW_BOT, api_url: \""+slack.URL()+"\"}\n")
	c := start(t, launch{data: filepath.Join(dir, "d"), config: filepath.Join(dir, "e.yml"), env: []string{"EW_BOT=" + notifiertest.BotToken}})
	defer c.stop(t)
	told := func(n int, why string) {
		t.Helper()
		soon(t, "Slack says "+why, func() bool {
			said := slack.Messages("#pr-alerts")
			return len(said) >= n && strings.Contains(said[n-1].Text, why)
		})
	}
	write("acme.yml", fmt.Sprintf(watchedRules, "Burnt", "scorched"))
	told(1, "burnt is told")
	for range 3 {
		if res := c.ask(t, "POST", "/-/reload", ""); res.status != 422 {
			t.Errorf("tried again: %d", res.status)
		}
	}
	write("acme.yml", fmt.Sprintf(watchedRules, "Burnt, severity: <!channel>", "burnt"))
	told(2, "is expected here, not")
	if said := slack.Messages("#pr-alerts"); len(said) != 2 || !strings.Contains(said[1].Text, "&lt;!channel&gt;") || strings.Contains(said[1].Text, "<!") {
		t.Errorf("%d messages, the last %q", len(said), said[len(said)-1].Text)
	}
}
