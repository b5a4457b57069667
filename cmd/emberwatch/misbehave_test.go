package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"net/http"
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

// town is a server of many services, by host. Each has another thing every ten minutes, and all misbehave: some answers
// come too late, half, as errors, as web pages or not at all.
type town struct {
	born time.Time

	mu    sync.Mutex
	dice  *mathrand.Rand
	mood  mood
	asked map[string]int // by service
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

// things are what a service holds by now, the newest first.
func (t *town) things(service string) (list []thing) {
	for at := t.born; !at.After(time.Now()); at = at.Add(10 * time.Minute) {
		list = append(list, newThing(service, len(list), at))
	}
	return newestFirst(list)
}

// RoundTrip answers a request, or does not.
func (t *town) RoundTrip(r *http.Request) (*http.Response, error) {
	service := strings.TrimSuffix(r.URL.Hostname(), ".test")
	t.mu.Lock()
	t.asked[service]++
	throw := t.dice.IntN(14)
	switch t.mood {
	case down:
		throw = 1
	case calm:
		throw = 13
	}
	t.mu.Unlock()
	a := services[service](r, r.URL.Path, t.things(service))
	body := a.text()
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
	return respond(r, cmp.Or(a.status, 200), body, "Link", a.link), nil
}

// broken is the end of a body that does not come.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func respond(r *http.Request, status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), Request: r, ContentLength: -1}
}

// serviceKey is the file of a service account that asks for tokens at an address.
func serviceKey(t *testing.T, tokens string) []byte {
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
		"client_email": "x@example.com", "token_uri": tokens,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestSourcesLoseAndRepeatNothing runs all pollers against a server that, once they have had their first look, misbehaves in every way for hours, is down for
// an hour, and recovers; now and then the intake is closed, too. In the end each item was taken once, and at
// all times the health of each source was the truth.
func TestSourcesLoseAndRepeatNothing(t *testing.T) {
	t.Parallel()
	key := Secret{ref: "env:KEY", value: string(serviceKey(t, "http://googleplay.test/token"))}
	dir := t.TempDir()
	model := sentiment.New()
	synctest.Test(t, func(t *testing.T) {
		w := &town{mood: calm, born: time.Now().Add(-5 * time.Hour), dice: mathrand.New(mathrand.NewPCG(9, 4)), asked: map[string]int{}}
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
	for _, src := range in.opt.Sources {
		service := src.Name()
		for _, x := range w.things(service)[2:] { // the last two are too young
			for _, id := range toldAs(service, x) {
				known, err := in.d.db.Lookup(t.Context(), []sources.Key{{Source: service, ID: id}})
				if n := in.created[sources.Key{Source: service, ID: id}]; n != 1 || err != nil || !known[0].Found {
					t.Errorf("%s of %s was taken %d times, %v", id, service, n, err)
				}
			}
		}
		if w.asked[service] < 20 {
			t.Errorf("%s was asked %d times", service, w.asked[service])
		}
	}
	if err := in.d.Close(); err != nil {
		t.Error(err)
	}
}
