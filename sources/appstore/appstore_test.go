package appstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"emberwatch/sources"
	"emberwatch/sources/sourcetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

func source(t testing.TB, address string, countries ...string) *Source {
	t.Helper()
	client := sources.NewClient(sources.ClientOptions{Allow: loopback, Retries: -1})
	t.Cleanup(client.Close)
	s, err := New(Options{Name: "ios", App: "1000000001", URL: address, Countries: countries, Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestDecode(t *testing.T) {
	body, err := os.ReadFile("testdata/page1.json")
	if err != nil {
		t.Fatal(err)
	}
	p, err := decode(body)
	if err != nil {
		t.Fatal(err)
	}
	got, rejected := source(t, "https://example.org").mentions(p, now, false)
	review := func(id, title, text, author, name, link string, rating float64, votes int, at time.Time) sources.Mention {
		return sources.Mention{
			V: 1, ID: id, Source: "ios", Network: "appstore", Kind: sources.Review, Op: sources.Create, Visibility: sources.Public,
			Author: sources.Author{ID: author, Name: name}, Title: title, Text: text, URL: link, Rating: rating,
			Engagement: sources.Engagement{Likes: votes}, CreatedAt: at,
		}
	}
	want := []sources.Mention{
		review("15500000003", "Won't pair", "Since 3.0 it can't find the heater.\nAnyone?", "771", "heatseeker",
			"https://itunes.apple.com/us/review?id=1&type=Purple%20Software", 1, 6, time.Date(2026, 11, 16, 8, 12, 44, 0, time.UTC)),
		review("15500000002", "מעולה", "חם מאוד", "", "", "https://itunes.apple.com/il/review?id=1", 5, 0, time.Date(2026, 11, 15, 20, 0, 1, 0, time.UTC)),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if rejected.Count != 3 { // no id, eleven stars, a number
		t.Errorf("%d rejected", rejected.Count)
	}
}

func TestShapesOfEntry(t *testing.T) {
	const one = `{"id":{"label":"1"},"im:rating":{"label":"3"},"title":{"label":"x"},"updated":{"label":"2026-11-15T13:00:00-07:00"}}`
	for body, want := range map[string]int{
		`{"feed":{"entry":[` + one + `]}}`:                                 1,
		`{"feed":{"entry":` + one + `}}`:                                   1,
		`{"feed":{"entry":[]}}`:                                            0,
		`{"feed":{"entry":null}}`:                                          0,
		`{"feed":{"entry":"none"}}`:                                        0,
		`{"feed":{}}`:                                                      0,
		`{"feed":{"entry":[{"title":{"label":"the app itself"}}]}}`:        0,
		`{"feed":{"entry":[` + strings.ReplaceAll(one, `"1"`, "1") + `]}}`: 1,
		`{"feed":null}`:                                                    -1,
		`{}`:                                                               -1,
		`[]`:                                                               -1,
		`<html>502</html>`:                                                 -1,
		``:                                                                 -1,
		`{"feed":{"entry":[{"id"`:                                          -1,
		`{"feed":{"entry":` + strings.Repeat("[", 100_000): -1,
	} {
		p, err := decode([]byte(body))
		if err != nil {
			if want != -1 {
				t.Errorf("%.60s: %v", body, err)
			}
			continue
		}
		if ms, _ := source(t, "https://example.org").mentions(p, now, false); len(ms) != want {
			t.Errorf("%.60s: %d mentions, want %d", body, len(ms), want)
		}
	}
}

// store stands for the feed: the newest review first, so many to a page; what is asked is noted.
type store struct {
	reviews map[string][]listed // by country
	fails   map[string]int      // "us/2": the status instead
	onlyApp bool                // the feeds hold the app itself and nothing else
	asked   []string
}

type listed struct {
	id, title, updated string
	rating             int
}

const perPage = 2

func (s *store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var code string
	var n int
	fmt.Sscanf(strings.ReplaceAll(r.URL.Path, "/", " "), "%s rss customerreviews page=%d", &code, &n)
	at := fmt.Sprintf("%s/%d", code, n)
	s.asked = append(s.asked, at)
	if status := s.fails[at]; status != 0 {
		w.WriteHeader(status)
		return
	}
	if s.onlyApp {
		json.NewEncoder(w).Encode(map[string]any{"feed": map[string]any{"entry": map[string]any{"title": wrap("the app")}}})
		return
	}
	list := s.reviews[code]
	list = list[min((n-1)*perPage, len(list)):min(n*perPage, len(list))]
	feed := map[string]any{"id": wrap("x")}
	var out []any
	for _, r := range list {
		e := map[string]any{"id": wrap(r.id), "title": wrap(r.title), "content": wrap("text"), "im:rating": wrap(fmt.Sprint(r.rating))}
		if r.updated != "" {
			e["updated"] = wrap(r.updated)
		}
		out = append(out, e)
	}
	switch len(out) {
	case 0:
	case 1:
		feed["entry"] = out[0]
	default:
		feed["entry"] = out
	}
	json.NewEncoder(w).Encode(map[string]any{"feed": feed})
}

func wrap(s string) map[string]string { return map[string]string{"label": s} }

func reviews(ids ...int) (list []listed) {
	for _, id := range ids {
		list = append(list, listed{fmt.Sprint(id), "title", time.Unix(1794800000+int64(id), 0).UTC().Format(time.RFC3339), 3})
	}
	return list
}

// polls is a source on a store, with what it emitted.
type polls struct {
	*Source
	store   *store
	known   memory
	refuse  error
	batches []sources.Batch
}

func newPolls(t *testing.T, countries ...string) *polls {
	p := &polls{store: &store{reviews: map[string][]listed{}, fails: map[string]int{}}, known: memory{Countries: map[string]sources.Listing{}}}
	srv := httptest.NewServer(p.store)
	t.Cleanup(srv.Close)
	p.Source = source(t, srv.URL, countries...)
	p.opt.Every = time.Millisecond
	return p
}

// once polls and returns what was handed over; the cursor goes through its stored form.
func (p *polls) once(t *testing.T) (ops []string, err error) {
	t.Helper()
	p.batches, p.store.asked = nil, nil
	err = p.poll(t.Context(), p.known, func(_ context.Context, b sources.Batch) (sources.Taken, error) {
		if p.refuse != nil {
			return sources.Taken{}, p.refuse
		}
		p.batches = append(p.batches, b)
		if b.Cursor == nil {
			return sources.Taken{}, nil
		}
		p.known = memory{}
		return sources.Taken{}, json.Unmarshal(b.Cursor, &p.known)
	})
	for _, b := range p.batches {
		for _, m := range b.Mentions {
			ops = append(ops, string(m.Op)+" "+m.ID)
		}
	}
	return ops, err
}

func (p *polls) want(t *testing.T, asked int, ops ...string) {
	t.Helper()
	got, err := p.once(t)
	if err != nil || !slices.Equal(got, ops) || len(p.store.asked) != asked {
		t.Errorf("got %v, %v, asking for %v; want %v", got, err, p.store.asked, ops)
	}
}

func TestPollsReadWhatIsNew(t *testing.T) {
	p := newPolls(t, "us")
	p.want(t, 1) // nothing there: healthy, and told as an empty batch
	if len(p.batches) != 1 {
		t.Error("no batch tells of the empty poll")
	}
	p.store.reviews["us"] = reviews(5, 4, 3, 2, 1)
	p.want(t, 4, "create 5", "create 4", "create 3", "create 2", "create 1")
	p.want(t, 1) // the first page is known
	if p.batches[0].Cursor != nil {
		t.Error("what has not changed was written again")
	}
	p.store.reviews["us"] = append(reviews(7, 6), p.store.reviews["us"]...)
	p.want(t, 2, "create 7", "create 6")
	edited := listed{"3", "another title", "2026-11-16T00:00:00Z", 3}
	p.store.reviews["us"] = slices.Insert(slices.Delete(p.store.reviews["us"], 4, 5), 0, edited)
	p.want(t, 2, "update 3")
	p.store.reviews["us"][0].rating = 1 // the words stay
	p.want(t, 2, "update 3")
	p.store.reviews["us"] = append(reviews(9), append(reviews(9), p.store.reviews["us"]...)...) // twice, as pages that shift
	p.want(t, 2, "create 9")
}

func TestEmptyAfterReviewsIsNoNews(t *testing.T) {
	p := newPolls(t, "us", "de")
	p.store.reviews["us"], p.store.reviews["de"] = reviews(1), reviews(2)
	p.want(t, 4, "create 1", "create 2")
	kept := p.store.reviews["us"]
	p.store.reviews["us"] = nil
	p.store.reviews["de"] = reviews(3, 2)
	ops, err := p.once(t)
	later, ok := errors.AsType[*sources.RetryAfterError](err)
	if !slices.Equal(ops, []string{"create 3"}) || !ok || later.After != p.opt.Every || !strings.Contains(err.Error(), "country us: the feed is empty, and it held reviews before") {
		t.Errorf("got %v, %v", ops, err)
	}
	p.store.onlyApp = true
	if ops, err := p.once(t); err == nil || len(ops) != 0 {
		t.Errorf("with the app alone in the feed: %v, %v", ops, err)
	}
	p.store.onlyApp = false
	p.store.reviews["us"] = kept
	p.want(t, 2) // nothing is told twice
}

// TestWalksThatBreakOff: what was read counts, what was not is read later, however new the first page is by then.
func TestWalksThatBreakOff(t *testing.T) {
	p := newPolls(t, "us")
	p.store.reviews["us"] = reviews(5, 4, 3, 2, 1)
	p.store.fails["us/2"] = http.StatusBadGateway
	if ops, err := p.once(t); err == nil || !slices.Equal(ops, []string{"create 5", "create 4"}) {
		t.Errorf("got %v, %v", ops, err)
	}
	p.store.fails["us/1"] = http.StatusServiceUnavailable
	if ops, err := p.once(t); err == nil || len(ops) != 0 || len(p.batches) != 0 {
		t.Errorf("got %v, %v, %d batches", ops, err, len(p.batches))
	}
	clear(p.store.fails)
	p.want(t, 4, "create 3", "create 2", "create 1")
	p.want(t, 1)
}

func TestWhatWasRefusedComesAgain(t *testing.T) {
	p := newPolls(t, "us")
	p.store.reviews["us"] = reviews(1)
	p.refuse = sources.ErrUnavailable
	if _, err := p.once(t); !errors.Is(err, sources.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	p.refuse = nil
	p.want(t, 2, "create 1")
}

func TestOneCountryDoesNotKeepTheOthers(t *testing.T) {
	p := newPolls(t, "xx", "us")
	p.store.fails["xx/1"] = http.StatusNotFound
	p.store.reviews["us"] = reviews(1)
	ops, err := p.once(t)
	if status, ok := errors.AsType[*sources.StatusError](err); !ok || status.Status != 404 || !slices.Equal(ops, []string{"create 1"}) {
		t.Errorf("got %v, %v", ops, err)
	}
	if strings.Contains(err.Error(), "customerreviews") {
		t.Errorf("the error tells the address: %v", err)
	}
}

func TestReviewsWithoutATime(t *testing.T) {
	p := newPolls(t, "us")
	p.store.reviews["us"] = []listed{{"2", "old", "", 1}, {"1", "old", "2026-11-15T00:00:00Z", 1}}
	p.want(t, 2, "create 1") // nobody knows when the other was written
	p.store.reviews["us"] = append([]listed{{"3", "new", "", 1}}, p.store.reviews["us"][1:]...)
	p.want(t, 2, "create 3")
	if m := p.batches[0].Mentions[0]; time.Since(m.CreatedAt).Abs() > time.Minute {
		t.Errorf("written at %v", m.CreatedAt)
	}
}

func TestCursorOfAnotherApp(t *testing.T) {
	p := newPolls(t, "us")
	p.store.reviews["us"] = reviews(1)
	for cursor, want := range map[string]int{`{"app":"2","countries":{"us":{"seen":[["a","b"]]}}}`: 1, `{"app":"1000000001"}`: 1, `{`: 0} {
		taken := 0
		ctx, cancel := context.WithCancel(t.Context())
		err := p.Run(ctx, sources.Cursor(cursor), func(_ context.Context, b sources.Batch) (sources.Taken, error) {
			taken += len(b.Mentions)
			cancel()
			return sources.Taken{}, nil
		})
		cancel()
		if taken != want || (err != nil) != (want == 0) {
			t.Errorf("%s: %d mentions, %v", cursor, taken, err)
		}
	}
}

func TestPathIsOptional(t *testing.T) {
	client := sources.NewClient(sources.ClientOptions{Allow: loopback}).Once()
	defer client.Close()
	var asked string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked += r.URL.Path
		fmt.Fprint(w, `{"feed":{"entry":{"id":{"label":"1"},"im:rating":{"label":"3"},"title":{"label":"x"},"updated":{"label":"2026-11-15T13:00:00Z"}}}}`)
	}))
	defer srv.Close()
	s, err := New(Options{Name: "ios", App: "7", URL: srv.URL + "/mirror/", Path: "/{country}/id={app}/sortBy=mostRecent/json", Client: client})
	if err != nil {
		t.Fatal(err)
	}
	if ms, err := sourcetest.Look(t.Context(), s); err != nil || len(ms) != 1 || asked != "/mirror/us/id=7/sortBy=mostRecent/json" {
		t.Errorf("%v, %v, asked %s", ms, err, asked)
	}
	if w := s.walk(t.Context(), "us", sources.Listing{}, now); w.Err != nil || len(w.News) != 1 || s.opt.Pages != 1 {
		t.Errorf("%+v, %d pages", w, s.opt.Pages)
	}
}

func TestNew(t *testing.T) {
	client := sources.NewClient(sources.ClientOptions{})
	good := Options{Name: "ios", App: "1", Client: client}
	if s, err := New(good); err != nil || s.opt.Pages != MaxPages || s.opt.Countries[0] != "us" {
		t.Fatal(s, err)
	}
	for name, change := range map[string]func(*Options){
		"no name": func(o *Options) { o.Name = "" }, "no client": func(o *Options) { o.Client = nil }, "no address": func(o *Options) { o.URL = "itunes" },
		"too often": func(o *Options) { o.Every = time.Second }, "no app": func(o *Options) { o.App = "" }, "a name of an app": func(o *Options) { o.App = "com.example" },
		"many pages": func(o *Options) { o.Pages = 11 }, "a country in words": func(o *Options) { o.Countries = []string{"Norway"} },
		"a path without a country": func(o *Options) { o.Path = "/us/{app}" }, "a relative path": func(o *Options) { o.Path = "{country}/{app}" },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	body, err := os.ReadFile("testdata/page1.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"feed":{"entry":{"id":{"label":{}},"im:rating":[[{"label":2}]],"link":[],"author":[],"updated":7}}}`))
	s := source(f, "https://example.org")
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := decode(body)
		if err != nil {
			return
		}
		ms, rejected := s.mentions(p, now, false)
		if len(ms)+rejected.Count > len(p.Entry) {
			t.Errorf("%d and %d of %d", len(ms), rejected.Count, len(p.Entry))
		}
		for _, m := range ms {
			again := m
			if err := sources.Normalize(&again, now); err != nil {
				t.Errorf("%v", err)
			}
			if diff := cmp.Diff(m, again); diff != "" {
				t.Errorf("not normalised:\n%s", diff)
			}
		}
	})
}
