package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/notifier/notifiertest"
	"emberwatch/sources"
)

// TestKill kills the daemon again and again while mentions come in, people acknowledge and alerts go out, over a
// Slack that fails in every way that matters, the worst among them: it stores a message and the answer is lost.
// In the end nothing that was acknowledged may be missing, nothing may be counted twice, and nobody may have been
// told the same thing twice. (Killing keeps the page cache: whether a commit reaches the disk is not seen here.)
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("starts some fifty daemons, one after the other")
	}
	const rounds = 50
	slack := notifiertest.NewSlack()
	defer slack.Close()
	k := newKilling(t, slack)
	for k.round = range rounds {
		k.fail()
		k.kill()
	}
	c := start(t, k.launch)
	k.settle(c)
	c.stop(t)
	k.judge()
	t.Logf("%d rounds, %d mentions acknowledged, %d deliveries repeated, %d acknowledgements, %d messages",
		rounds, len(k.acked), k.repeated, len(k.acks), slack.Calls("chat.postMessage"))
}

// killing is the state of the test outside of the daemon, which is the memory of its senders and people.
type killing struct {
	t      *testing.T
	slack  *notifiertest.Slack
	launch launch
	rules  string
	round  int

	mu       sync.Mutex        // guards what follows
	acked    map[string]string // id of a mention that was answered 200 -> its brand
	sent     map[string]string // every id that was ever sent -> its brand
	unsure   []delivery        // nobody knows whether they arrived: they are sent again
	arrived  []delivery
	repeated int
	acks     map[string]bool // idempotency key of an acknowledgement -> answered 200
}

// delivery is one POST, which is repeated as it is until it is answered.
type delivery struct {
	id    string // webhook-id; empty: none
	brand string
	items []string // ids
	body  string
}

const (
	posters = 3
	learned = "learned" // a brand with a past, so that bursts are judged
)

// killKinds are the kinds that a brand's mentions may be of; each has its rule, route and channel.
var killKinds = []sources.Kind{sources.Comment, sources.Review, sources.Tag, sources.Post, sources.Article, sources.Share}

func newKilling(t *testing.T, slack *notifiertest.Slack) *killing {
	dir := t.TempDir()
	for i := range killKinds {
		slack.AddChannel(notifiertest.Channel{ID: fmt.Sprintf("C0KILL%d", i), Name: fmt.Sprintf("kill-%d", i), Member: true})
	}
	k := &killing{t: t, slack: slack, acked: map[string]string{}, sent: map[string]string{}, acks: map[string]bool{}}
	k.rules = writeFile(t, filepath.Join(dir, "rules.yml"), killRules())
	writeFile(t, filepath.Join(dir, "past.ndjson"), pastOf(learned, time.Now()))
	config := writeFile(t, filepath.Join(dir, "emberwatch.yml"), anyPort+`rules: [rules.yml]
slack: {bot_token: env:EW_BOT, app_token: env:EW_APP, channel: "#pr-alerts", api_url: "`+slack.URL()+`"}
sources:
  - {type: jsonl, name: past, path: past.ndjson, history: true}
`)
	k.launch = launch{
		config: config, data: filepath.Join(dir, "data"), home: dir,
		env: []string{"EW_BOT=" + notifiertest.BotToken, "EW_APP=" + notifiertest.AppToken},
	}
	return k
}

// killRules tell of every injured person within a second, in several channels so that the pace of one does not
// hold up the test. The brands are named nowhere, which leaves the starter rules to them as well.
func killRules() string {
	const route = "{slack: {channel: \"#%s\"}, notify: {gather: 1s, roots: \"1000 in 10m\"}}\n"
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\nroutes:\n  default: "+route, "pr-alerts")
	for i := range killKinds {
		fmt.Fprintf(&b, "  r%d: "+route, i, fmt.Sprintf("kill-%d", i))
	}
	b.WriteString("rules:\n")
	for i, kind := range killKinds {
		id := fmt.Sprintf("hurt-%d", i)
		if i == 0 {
			id = "safety" // takes the place of the starter rule, which tells in one channel
		}
		fmt.Fprintf(&b, "  - {id: %s, title: Somebody may be hurt, kind: each, severity: 1, route: r%d,\n"+
			"     match: {kinds: [%s], category: safety_injury, confidence: 0.7}, dedupe: {by: [author, text], for: 24h}}\n", id, i, kind)
	}
	return b.String()
}

// pastOf is two quiet weeks of a brand up to now.
func pastOf(brand string, now time.Time) string {
	var b strings.Builder
	for h := range 14 * 24 {
		at := now.Add(time.Duration(h-14*24) * time.Hour).UTC().Format(time.RFC3339)
		fmt.Fprintf(&b, `{"id":"past%d","brand":%q,"author":"@p%d","text":"where can I buy filters","created_at":%q}`+"\n", h, brand, h, at)
	}
	return b.String()
}

// fail lets some of Slack's next calls go wrong.
func (k *killing) fail() {
	faults := []notifiertest.Fault{
		{Drop: true, After: true},       // stored, the answer is lost
		{Drop: true},                    // lost before
		{Delay: 300 * time.Millisecond}, // somebody may be killed meanwhile
		{Status: 500, After: true},      // stored, and says that it failed
		{Status: 429, RetryAfter: "1"},  // too fast
		notifiertest.Refuse("internal_error"),
	}
	if rand.N(3) > 0 { // not always: what is left over has to be lived through in the end
		k.slack.Fail("chat.postMessage", faults[rand.N(len(faults))])
	}
	if rand.N(6) == 0 {
		k.slack.Fail("chat.update", faults[rand.N(len(faults))])
		k.slack.Fail("conversations.history", notifiertest.Fault{Status: 500})
	}
}

// kill lets senders and people work with a daemon until it is killed at some moment.
func (k *killing) kill() {
	c := start(k.t, k.launch)
	var wg sync.WaitGroup
	for p := range posters {
		wg.Go(func() { k.post(c, p) })
	}
	wg.Go(func() { k.acknowledge(c) })
	time.Sleep(rand.N(900 * time.Millisecond)) // the moment is what is tested
	c.kill()
	wg.Wait()
	for _, line := range c.log.at("ERROR") {
		if strings.Contains(line, "commit") || strings.Contains(line, "panic") {
			k.t.Errorf("round %d: %s", k.round, line)
		}
	}
}
