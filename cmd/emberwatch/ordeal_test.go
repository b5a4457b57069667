package main

import (
	"bufio"
	"context"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"emberwatch/detector"
	"emberwatch/sources"
)

// truths are what the health of a source has to say of each plight.
var truths = [plights]*regexp.Regexp{
	slow:    regexp.MustCompile(`timed out|deadline exceeded|gone silent|does not answer pings`),
	failing: regexp.MustCompile(`status 500`),
	busy:    regexp.MustCompile(`status 429: asked to come back in 1s`),
	cutOff:  regexp.MustCompile(`closed early|unexpected EOF`),
	half:    regexp.MustCompile(`broken JSON|XML syntax error|has ended it|closed early|parse: `),
	reset:   regexp.MustCompile(`reset by peer|closed early`),
	webPage: regexp.MustCompile(`broken JSON|parse: |no stream of events|no websocket`),
}

// ordeal is what one source goes through: each plight in turn, and after each a recovery. The next begins when the
// health has told the truth about the one before.
type ordeal struct {
	service string
	plight  plight // the one that is on, or that comes next; plights: it is over
	ill     bool
	since   time.Time // of illness or recovery
}

// step looks at the health of the source and moves on. It reports whether the ordeal is over.
func (o *ordeal) step(b *oneServer, h *sources.Health) bool {
	switch told := h.State == sources.Failing || o.service == "meta"; { // what is pushed to stays open, and says what it lacks
	case o.plight == plights:
		return true
	case o.ill && told && truths[o.plight].MatchString(h.LastError):
		b.set(o.service, well)
		b.trace("%s, plight %d, after %v: %s", o.service, o.plight, time.Since(o.since).Round(time.Millisecond), h.LastError)
		o.plight, o.ill, o.since = o.plight+1, false, time.Now()
	case !o.ill && h.State == sources.Running && h.LastSuccess.After(o.since):
		b.set(o.service, o.plight)
		b.grow(o.service, 9) // more than a page
		o.ill, o.since = true, time.Now()
	}
	return false
}

const ordealConfig = `rules: [rules.yml]
outgoing: {allow: ["127.0.0.0/8"]}
sources:
  - {type: feed, name: feed, url: "URL/feed", every: 1m, brand: fjellbryg}
  - {type: appstore, name: appstore, url: "URL/appstore", app: 1, countries: [us, de], every: 1m, brand: fjellbryg}
  - {type: googleplay, name: googleplay, url: "URL/googleplay", app: com.example.app, credentials: "file:play.json", every: 1m, brand: fjellbryg}
  - {type: youtube, name: youtube, url: "URL/youtube", channel: UCnordhavn0000000000, key: env:ORDEAL_SECRET, every: 1m, brand: fjellbryg}
  - {type: hackernews, name: hackernews, url: "URL/hackernews", query: Fjellbryg, every: 1m, brand: fjellbryg}
  - {type: discourse, name: discourse, url: "URL/discourse", every: 1m, brand: fjellbryg}
  - {type: mastodon, name: mastodon, url: "URL/mastodon", hashtags: [fjellbryg], token: env:ORDEAL_SECRET, every: 1m, brand: fjellbryg}
  - {type: bluesky, name: bluesky, url: "URL/bluesky/subscribe", api: "URL/bluesky"}
  - {type: meta, name: meta, url: "URL/meta", secret: env:ORDEAL_SECRET, verify_token: env:ORDEAL_SECRET, token: env:ORDEAL_SECRET, brand: fjellbryg}
  - {type: jsonl, name: file, path: "inbox.ndjson", follow: true}
  - type: webhook
    name: desk
    secret: env:ORDEAL_DESK
    brand: fjellbryg
    each: /events
    map: {id: /no, text: /body, created_at: /at, author.id: /from, op: /did}
`

// TestDaemonAmongMisbehavingServices runs a daemon with a source of every type. All that are asked or listened to point to
// one server, where each service misbehaves in every way, recovers, and meanwhile goes on growing; those that push break off,
// repeat and forge. In the end each thing is there once, as it was last edited, and what was taken back is gone; in between
// the health of each source has told the truth. The daemon goes at sixty times its pace: a minute between polls is a second.
func TestDaemonAmongMisbehavingServices(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes twenty seconds")
	}
	t.Setenv("ORDEAL_SECRET", "secret")
	t.Setenv("ORDEAL_DESK", e2eSecret)
	b, dir := newOneServer(t), t.TempDir()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	defer http.DefaultClient.CloseIdleConnections()
	polled := []string{"feed", "appstore", "googleplay", "youtube", "hackernews", "discourse", "mastodon", "bluesky"}
	for _, service := range polled {
		b.grow(service, 12)
	}
	writeFile(t, filepath.Join(dir, "rules.yml"), "version: 1\nbrands: {fjellbryg: {names: [Fjellbryg]}}\npacks: [starter]\n")
	writeFile(t, filepath.Join(dir, "play.json"), string(serviceKey(t, b.url+"/googleplay/token")))
	cfg := writeFile(t, filepath.Join(dir, "emberwatch.yml"), anyPort+strings.ReplaceAll(ordealConfig, "URL", b.url))
	d, stop := startDaemon(t, filepath.Join(dir, "data"), cfg, func(o *DaemonOptions) { o.Pace = 60 })
	defer stop()
	defer b.push(t, d, filepath.Join(dir, "inbox.ndjson"))()
	for _, service := range []string{"meta", "desk", "file"} {
		b.grow(service, 12)
	}

	goThrough(t, d, b, append(polled, "meta"))
	for service := range b.lists {
		holdsAll(t, d, b, service, 0)
	}
	gone := map[string]int{}
	for _, service := range append(polled, "meta", "desk", "file") {
		b.edit(service)
		switch service {
		case "feed", "appstore", "googleplay", "hackernews": // deletions are not to be seen there
		default:
			b.remove(service)
			b.tell(service, "delete", newThing(service, 999, time.Now())) // nobody has heard of it
			gone[service] = 1
		}
	}
	for service := range b.lists {
		holdsAll(t, d, b, service, gone[service])
	}
	soon(t, "everybody well again", func() bool {
		return !slices.ContainsFunc(slices.Collect(maps.Values(healthOf(t, d))), func(h sources.Health) bool {
			return h.State != sources.Running || h.Failures != 0 || h.LastError != ""
		})
	})
	metricsAgree(t, d)
	soon(t, "the spread of a post on Bluesky", func() bool {
		return slices.ContainsFunc(mentionsOf(t, d, "bluesky"), func(j detector.Judged) bool { return j.Mention.Engagement == sources.Engagement{Likes: 7, Shares: 3} })
	})
}

// push has senders push to the daemon what is told, until the function that it returns is called.
func (b *oneServer) push(t *testing.T, d *Daemon, file string) (stop func()) {
	meta := &sender{t: t, url: d.server.URL() + "/v1/hooks/meta", sign: signHub("secret")}
	desk := &sender{t: t, url: d.server.URL() + "/v1/hooks/desk", sign: signStandard(e2eSecret)}
	scribe := &scribe{t: t, path: file}
	b.told = func(service, op string, x thing) {
		switch service {
		case "meta":
			meta.add(metaDelivery(op, x))
		case "desk":
			desk.add(deskDelivery(op, x))
		case "file":
			scribe.add(op, x)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { meta.run(ctx) })
	running.Go(func() { desk.run(ctx) })
	return func() { cancel(); running.Wait() }
}

// goThrough puts services through their ordeals, all at once and each at its own speed.
func goThrough(t *testing.T, d *Daemon, b *oneServer, services []string) {
	t.Helper()
	var all []*ordeal
	for _, service := range services {
		all = append(all, &ordeal{service: service, plight: slow})
	}
	end := time.Now().Add(2 * patience)
	for over := 0; over < len(all); time.Sleep(25 * time.Millisecond) {
		over = 0
		health := healthOf(t, d)
		for _, o := range all {
			h, before := health[o.service], o.plight
			if o.step(b, &h) {
				over++
			}
			if o.service == "meta" && o.plight != before { // those nobody asks grow with it
				b.grow("desk", 5)
				b.grow("file", 5)
			}
			if time.Now().After(end) && o.plight < plights {
				t.Errorf("%s, plight %d, ill %t since %v: %+v", o.service, o.plight, o.ill, time.Since(o.since), h)
			}
		}
		if t.Failed() {
			t.FailNow()
		}
	}
}

func healthOf(t *testing.T, d *Daemon) map[string]sources.Health {
	t.Helper()
	var answer struct {
		Sources []sources.Health `json:"sources"`
	}
	getJSON(t, d, "/api/v1/sources", &answer)
	all := map[string]sources.Health{}
	for _, h := range answer.Sources {
		all[h.Name] = h
	}
	return all
}

func mentionsOf(t *testing.T, d *Daemon, source string) []detector.Judged {
	t.Helper()
	var answer struct {
		Mentions []detector.Judged `json:"mentions"`
	}
	getJSON(t, d, "/api/v1/mentions?brand=fjellbryg&limit=1000&source="+source, &answer)
	return answer.Mentions
}

// holdsAll waits until what the daemon holds of a source is what the service holds: everything once, and nothing else.
func holdsAll(t *testing.T, d *Daemon, b *oneServer, service string, gone int) {
	t.Helper()
	var want []string
	for _, x := range b.things(service) {
		for _, id := range toldAs(service, x) {
			want = append(want, id+": "+x.text)
		}
		if service == "mastodon" && x.liked() {
			want = append(want, "notification:"+strconv.Itoa(5000+x.n)+": ")
		}
	}
	for range gone {
		want = append(want, "gone: ")
	}
	slices.Sort(want)
	var got []string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		got = nil
		for _, j := range mentionsOf(t, d, service) {
			id := j.Mention.ID
			if strings.HasPrefix(id, "~") {
				id = "gone"
			}
			if j.Mention.Kind != sources.Metric {
				got = append(got, id+": "+j.Mention.Body())
			}
		}
		if slices.Sort(got); slices.Equal(got, want) {
			return
		}
	}
	t.Errorf("%s (-want +got):\n%s", service, cmp.Diff(want, got))
}

// metricsAgree compares the metrics with the health. What was taken stands still by now.
func metricsAgree(t *testing.T, d *Daemon) {
	t.Helper()
	res, err := http.Get(d.server.URL() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got := map[string]string{}
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok {
			got[name] = value
		}
	}
	for name, h := range healthOf(t, d) {
		if h.Type == "" {
			continue // the intake: nothing was pushed there
		}
		for fate, n := range map[string]int64{"accepted": h.Mentions, "duplicate": h.Duplicates, "rejected": h.Rejected} {
			if metric := got[fmt.Sprintf("emberwatch_mentions_total{fate=%q,source=%q}", fate, name)]; metric != fmt.Sprint(n) {
				t.Errorf("%s: %s %s by the metrics, %d by the health", name, metric, fate, n)
			}
		}
		read, _ := strconv.ParseFloat(got[fmt.Sprintf("emberwatch_source_last_success_timestamp_seconds{source=%q}", name)], 64)
		if ago := h.LastSuccess.Sub(time.Unix(int64(read), 0)); ago < 0 || ago > time.Minute {
			t.Errorf("%s: last read at %v by the metrics, %v by the health", name, read, h.LastSuccess)
		}
		if polls := h.Type != "bluesky" && h.Type != "mastodon" && h.Type != "meta" && h.Type != "webhook" && h.Type != "jsonl"; polls && h.Duplicates != 0 {
			t.Errorf("%s was told %d things twice", name, h.Duplicates)
		}
	}
}
