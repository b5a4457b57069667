package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"emberwatch/detector/sentiment"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/prometheus/client_golang/prometheus"
)

// town is a server of many services, by host. Each has another item every ten minutes, and all misbehave: some answers
// come too late, half, as errors, as web pages or not at all.
type town struct {
	born     time.Time
	services map[string]func(r *http.Request, newestFirst []thing) any

	mu    sync.Mutex
	dice  *mathrand.Rand
	mood  mood
	asked map[string]int // by host
}

type thing struct {
	n  int
	id string
	at time.Time
}

type mood int

const (
	unruly mood = iota // half of the answers are wrong in some way
	down               // all are errors
	calm
)

func (t *town) setMood(m mood) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.mood = m
}

func (t *town) isCalm() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.mood == calm
}

// things are what a service holds by now.
func (t *town) things(service string) (list []thing) {
	for n, at := 0, t.born; !at.After(time.Now()); n, at = n+1, at.Add(10*time.Minute) {
		list = append(list, thing{n, fmt.Sprintf("%s-%d", service, n), at.UTC()})
	}
	slices.Reverse(list)
	return list
}

// RoundTrip answers a request, or does not.
func (t *town) RoundTrip(r *http.Request) (*http.Response, error) {
	t.mu.Lock()
	host := r.URL.Hostname()
	t.asked[host]++
	throw := t.dice.IntN(14)
	switch t.mood {
	case down:
		throw = 1
	case calm:
		throw = 13
	}
	t.mu.Unlock()
	body, link := t.body(r, host)
	switch throw {
	case 0: // slow
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-time.After(time.Hour):
		}
	case 1:
		return respond(r, 500, "internal error"), nil
	case 2:
		return respond(r, 429, "", "Retry-After", "40"), nil
	case 3: // cut off on the way
		resp := respond(r, 200, "")
		resp.Body = io.NopCloser(io.MultiReader(strings.NewReader(body[:len(body)/2]), broken{}))
		return resp, nil
	case 4:
		return nil, &net.OpError{Op: "read", Err: syscall.ECONNRESET}
	case 5:
		return respond(r, 200, "<!DOCTYPE html><title>Sign in</title>", "Content-Type", "text/html"), nil
	case 6: // written in half
		return respond(r, 200, body[:len(body)/2]), nil
	}
	return respond(r, 200, body, "Link", link), nil
}

// broken is the end of a body that does not come.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// linked is an answer with a Link header.
type linked struct {
	body any
	link string
}

func (t *town) body(r *http.Request, host string) (body, link string) {
	answer := t.services[host](r, t.things(strings.TrimSuffix(host, ".test")))
	if l, ok := answer.(linked); ok {
		answer, link = l.body, l.link
	}
	if s, ok := answer.(string); ok {
		return s, link
	}
	b, _ := json.Marshal(answer)
	return string(b), link
}

func respond(r *http.Request, status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r, ContentLength: -1}
}

// page cuts a page out of a list, by an offset, and says where the next begins; 0: nowhere.
func page(list []thing, from string) ([]thing, int) {
	const size = 8
	at, _ := strconv.Atoi(from)
	if at+size >= len(list) {
		return list[min(at, len(list)):], 0
	}
	return list[at : at+size], at + size
}

func labelled(s string) map[string]string { return map[string]string{"label": s} }

// townServices speak the languages of the services. Both countries of the app store have reviews of their own.
var townServices = map[string]func(*http.Request, []thing) any{
	"feed.test": func(_ *http.Request, list []thing) any {
		var b strings.Builder
		b.WriteString(`<rss version="2.0"><channel><title>t</title>`)
		for _, x := range list {
			fmt.Fprintf(&b, "<item><guid>%s</guid><title>Text %s</title><pubDate>%s</pubDate></item>", x.id, x.id, x.at.Format(time.RFC1123Z))
		}
		return b.String() + "</channel></rss>"
	},
	"appstore.test": func(r *http.Request, list []thing) any {
		var country string
		var n int
		fmt.Sscanf(strings.ReplaceAll(r.URL.Path, "/", " "), "%s rss customerreviews page=%d", &country, &n)
		list, _ = page(list, strconv.Itoa(8*(n-1)))
		var entries []any
		for _, x := range list {
			entries = append(entries, map[string]any{"id": labelled(x.id + "-" + country), "title": labelled("Text " + x.id), "im:rating": labelled("2"), "updated": labelled(x.at.Format(time.RFC3339))})
		}
		return map[string]any{"feed": map[string]any{"entry": entries}}
	},
	"googleplay.test": func(r *http.Request, list []thing) any {
		if r.URL.Path == "/token" {
			return map[string]any{"access_token": "t", "expires_in": 3600}
		}
		list, next := page(list, r.URL.Query().Get("token"))
		var reviews []any
		for _, x := range list {
			comment := map[string]any{"text": "Text " + x.id, "starRating": 2, "lastModified": map[string]any{"seconds": fmt.Sprint(x.at.Unix())}}
			reviews = append(reviews, map[string]any{"reviewId": x.id, "comments": []any{map[string]any{"userComment": comment}}})
		}
		return map[string]any{"reviews": reviews, "tokenPagination": map[string]any{"nextPageToken": nextToken(next)}}
	},
	"youtube.test": func(r *http.Request, list []thing) any {
		list, next := page(list, r.URL.Query().Get("pageToken"))
		items := []any{}
		for _, x := range list {
			comment := map[string]any{"id": x.id, "snippet": map[string]any{"textDisplay": "Text " + x.id, "publishedAt": x.at.Format(time.RFC3339)}}
			items = append(items, map[string]any{"snippet": map[string]any{"videoId": "nordvid0001", "topLevelComment": comment}})
		}
		return map[string]any{"items": items, "nextPageToken": nextToken(next)}
	},
}

// The open networks count their posts, and are asked for those before or after one.
func init() {
	townServices["hackernews.test"] = func(r *http.Request, list []thing) any {
		after, _ := strconv.ParseInt(strings.TrimPrefix(r.URL.Query().Get("numericFilters"), "created_at_i>"), 10, 64)
		list = slices.DeleteFunc(list, func(x thing) bool { return x.at.Unix() <= after })
		at, _ := strconv.Atoi(r.URL.Query().Get("page"))
		cut, _ := page(list, strconv.Itoa(8*at))
		hits := []any{}
		for _, x := range cut {
			hits = append(hits, map[string]any{"objectID": x.id, "comment_text": "Text " + x.id, "created_at_i": x.at.Unix()})
		}
		return map[string]any{"hits": hits, "nbPages": (len(list) + 7) / 8}
	}
	townServices["discourse.test"] = func(r *http.Request, list []thing) any {
		before, _ := strconv.Atoi(r.URL.Query().Get("before"))
		list = slices.DeleteFunc(list, func(x thing) bool { return before > 0 && x.n+1 > before })
		cut, _ := page(list, "")
		posts := []any{}
		for _, x := range cut {
			posts = append(posts, map[string]any{"id": x.n + 1, "username": "u", "cooked": "Text " + x.id, "created_at": x.at.Format(time.RFC3339), "post_number": 2, "post_type": 1, "topic_id": 1})
		}
		return map[string]any{"latest_posts": posts}
	}
	townServices["mastodon.test"] = func(r *http.Request, list []thing) any {
		first := func(x thing) bool { return false }
		if n, err := strconv.Atoi(r.URL.Query().Get("max_id")); err == nil {
			first = func(x thing) bool { return 1000+x.n >= n }
		}
		list = slices.DeleteFunc(list, first)
		if n, err := strconv.Atoi(r.URL.Query().Get("min_id")); err == nil { // the page right after it
			list = slices.DeleteFunc(list, func(x thing) bool { return 1000+x.n <= n })
			list = list[max(len(list)-8, 0):]
		}
		cut, _ := page(list, "")
		posts := []any{}
		for _, x := range cut {
			posts = append(posts, map[string]any{"id": strconv.Itoa(1000 + x.n), "content": "Text " + x.id, "created_at": x.at.Format(time.RFC3339), "account": map[string]any{"id": "1", "acct": "a"}})
		}
		if len(cut) == 0 {
			return posts
		}
		return linked{posts, fmt.Sprintf(`<http://mastodon.test/api/v1/timelines/tag/x?max_id=%d>; rel="next"`, 1000+cut[len(cut)-1].n)}
	}
}

func nextToken(next int) any {
	if next == 0 {
		return nil
	}
	return strconv.Itoa(next)
}

// serviceKey is a key of a service account that may ask the town for tokens.
func serviceKey(t *testing.T) Secret {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file, err := json.Marshal(map[string]string{
		"client_email": "x@example.com", "token_uri": "http://googleplay.test/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return Secret{ref: "env:KEY", value: string(file)}
}

// TestSourcesLoseAndRepeatNothing runs all pollers against a server that, once they have had their first look, misbehaves in every way for hours, is down for
// an hour, and recovers; now and then the intake is closed, too. In the end each item was taken once, and at
// all times the health of each source was the truth.
func TestSourcesLoseAndRepeatNothing(t *testing.T) {
	t.Parallel()
	key := serviceKey(t)
	dir := t.TempDir()
	model := sentiment.New()
	synctest.Test(t, func(t *testing.T) {
		w := &town{mood: calm, born: time.Now().Add(-5 * time.Hour), services: townServices, dice: mathrand.New(mathrand.NewPCG(9, 4)), asked: map[string]int{}}
		in := newLedger(t, dir, model, w, []SourceConfig{
			{Type: "feed", Name: "feed", URL: "http://feed.test/", Every: "5m"},
			{Type: "appstore", Name: "appstore", URL: "http://appstore.test", App: "1", Countries: Strings{"us", "de"}, Every: "10m"},
			{Type: "googleplay", Name: "googleplay", URL: "http://googleplay.test", App: "com.example.app", Credentials: key},
			{Type: "youtube", Name: "youtube", URL: "http://youtube.test", Channel: "UCnordhavn0000000000", Key: Secret{value: "k"}},
			{Type: "hackernews", Name: "hackernews", URL: "http://hackernews.test", Query: Strings{"x"}},
			{Type: "discourse", Name: "discourse", URL: "http://discourse.test"},
			{Type: "mastodon", Name: "mastodon", URL: "http://mastodon.test", Hashtags: Strings{"x"}},
		})
		in.run(t, func(health func() map[string]sources.Health) {
			time.Sleep(20 * time.Minute) // from its first look on a source misses nothing
			w.setMood(unruly)
			time.Sleep(3 * time.Hour)
			w.setMood(down)
			outage := time.Now()
			time.Sleep(time.Hour)
			for name, h := range health() {
				if h.State != sources.Failing || h.Failures == 0 || h.LastError == "" || h.LastSuccess.After(outage.Add(2*time.Minute)) {
					t.Errorf("%s in an outage: %+v", name, h)
				}
			}
			w.setMood(calm)
			time.Sleep(time.Hour)
			for name, h := range health() {
				if h.State != sources.Running || h.Failures != 0 || time.Since(h.LastSuccess) > 15*time.Minute || time.Since(h.LastMention) > 30*time.Minute {
					t.Errorf("%s after the outage: %+v", name, h)
				}
			}
		})
		in.check(t)
	})
}

// ledger is an intake that notes what was taken.
type ledger struct {
	d      *Daemon
	town   *town
	opt    sources.SupervisorOptions
	client *sources.Client

	mu      sync.Mutex
	dice    *mathrand.Rand
	created map[sources.Key]int
}

func newLedger(t *testing.T, dir string, model *sentiment.Model, w *town, list []SourceConfig) *ledger {
	t.Helper()
	in := &ledger{
		town:    w,
		d:       &Daemon{log: slog.New(slog.DiscardHandler), metrics: prometheus.NewRegistry(), model: model, dir: dir},
		client:  sources.NewClient(sources.ClientOptions{Transport: w}),
		dice:    mathrand.New(mathrand.NewPCG(1, 4)),
		created: map[sources.Key]int{},
	}
	in.d.config.Store(Default())
	if err := in.d.openDetector(t.Context(), rules.Starter()); err != nil {
		t.Fatal(err)
	}
	in.opt = sources.SupervisorOptions{Emit: in.emit, Cursors: in.d.cursor}
	for i := range list {
		if err := in.d.addSource(&in.opt, &list[i], in.client); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

// run runs the sources while during does.
func (in *ledger) run(t *testing.T, during func(health func() map[string]sources.Health)) {
	t.Helper()
	s, err := sources.NewSupervisor(in.opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { s.Run(ctx) })
	during(func() map[string]sources.Health {
		all := map[string]sources.Health{}
		for _, h := range s.Health() {
			all[h.Name] = h
		}
		return all
	})
	stop()
	running.Wait()
	in.client.Close()
}

func (in *ledger) emit(ctx context.Context, b sources.Batch) (sources.Taken, error) {
	in.mu.Lock()
	closed := in.dice.IntN(20) == 0 && !in.town.isCalm()
	in.mu.Unlock()
	if closed {
		return sources.Taken{}, sources.ErrUnavailable
	}
	taken, err := in.d.detector.Ingest(ctx, b)
	if err == nil {
		in.mu.Lock()
		defer in.mu.Unlock()
		for _, m := range b.Mentions {
			if m.Op == sources.Create {
				in.created[m.Key()]++
			}
		}
	}
	return taken, err
}

// check holds what was taken against what there was.
func (in *ledger) check(t *testing.T) {
	t.Helper()
	w := in.town
	for host := range w.services {
		service := strings.TrimSuffix(host, ".test")
		for _, x := range w.things(service)[2:] { // the last two are too young
			for _, id := range toldAs(service, x) {
				known, err := in.d.db.Lookup(t.Context(), []sources.Key{{Source: service, ID: id}})
				if n := in.created[sources.Key{Source: service, ID: id}]; n != 1 || err != nil || !known[0].Found {
					t.Errorf("%s of %s was taken %d times, %v", id, service, n, err)
				}
			}
		}
		if w.asked[host] < 20 {
			t.Errorf("%s was asked %d times", host, w.asked[host])
		}
	}
	if err := in.d.Close(); err != nil {
		t.Error(err)
	}
}

// toldAs are the ids of a thing as a mention.
func toldAs(service string, x thing) []string {
	switch service {
	case "appstore":
		return []string{x.id + "-us", x.id + "-de"}
	case "discourse":
		return []string{strconv.Itoa(x.n + 1)}
	case "mastodon":
		return []string{strconv.Itoa(1000 + x.n)}
	}
	return []string{x.id}
}
