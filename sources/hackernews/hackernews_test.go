package hackernews

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

func source(t testing.TB, address string, query ...string) *Source {
	t.Helper()
	client := sources.NewClient(sources.ClientOptions{Allow: loopback, Retries: -1})
	t.Cleanup(client.Close)
	s, err := New(Options{Name: "hn", URL: address, Query: append(query, "nordhavn"), Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func item(id string, kind sources.Kind, title, text, author, parent, root string, at int64) sources.Mention {
	return sources.Mention{
		V: 1, ID: id, Source: "hn", Network: "hackernews", Kind: kind, Op: sources.Create, Visibility: sources.Public,
		Author: sources.Author{ID: author, Handle: author}, Title: title, Text: text, ParentID: parent, RootID: root,
		URL: "https://news.ycombinator.com/item?id=" + id, CreatedAt: time.Unix(at, 0).UTC(),
	}
}

func TestDecode(t *testing.T) {
	body, err := os.ReadFile("testdata/search.json")
	if err != nil {
		t.Fatal(err)
	}
	var got findings
	last, err := source(t, "https://example.org").decode(body, &got, now)
	if err != nil || last != 0 {
		t.Fatalf("last page %d, %v", last, err)
	}
	story := item("47000001", sources.Post, "Nordhavn heaters taken apart & measured", "", "opener", "", "", 1794821000)
	story.Engagement = sources.Engagement{Likes: 31, Replies: 3}
	want := []sources.Mention{
		item("47000007", sources.Comment, "", "I wouldn't leave a Nordhavn on at night:\n\"Normal warmth\", says support. Photos at https://blog.example.com/plug",
			"plug_fan", "47000001", "47000001", 1794824400),
		item("47000005", sources.Comment, "", "مدفأة Nordhavn توقفت عن العمل", "", "", "47000001", 1794823000),
		story,
	}
	if diff := cmp.Diff(want, got.mentions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.rejected.Count != 1 || got.newest != 1794824400 {
		t.Errorf("%d rejected, newest %d", got.rejected.Count, got.newest)
	}
}

func TestOddAnswers(t *testing.T) {
	s := source(t, "https://example.org")
	for name, tt := range map[string]struct {
		body            string
		items, rejected int
		fails           bool
	}{
		"empty":                   {`{"hits":[],"nbPages":0}`, 0, 0, false},
		"null items and scalars":  {`{"hits":[null,7,"x",[],{}]}`, 0, 5, false},
		"a time as a string":      {`{"hits":[{"objectID":"1","comment_text":"x","created_at_i":"1794820000"}]}`, 1, 0, false},
		"no time":                 {`{"hits":[{"objectID":"1","comment_text":"x"}]}`, 0, 1, false},
		"an absurd time":          {`{"hits":[{"objectID":"1","comment_text":"x","created_at_i":99999999999999}]}`, 1, 0, false},
		"a negative time":         {`{"hits":[{"objectID":"1","comment_text":"x","created_at_i":-5}]}`, 0, 1, false},
		"a title that is a list":  {`{"hits":[{"objectID":"1","title":["x"],"created_at_i":1794820000}]}`, 0, 1, false},
		"an error of the service": {`{"message":"Too many requests","status":429}`, 0, 0, true},
		"a web page":              {`<html>`, 0, 0, true},
		"cut off":                 {`{"hits":[{"objectID":"1"`, 0, 0, true},
		"deep":                    {`{"hits":` + strings.Repeat("[", 100_000), 0, 0, true},
		"nothing":                 {``, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			var got findings
			_, err := s.decode([]byte(tt.body), &got, now)
			if (err != nil) != tt.fails || len(got.mentions) != tt.items || got.rejected.Count != tt.rejected {
				t.Errorf("%d items, %d rejected, %v", len(got.mentions), got.rejected.Count, err)
			}
			if got.newest > now.Unix() {
				t.Error("the cursor is ahead of time")
			}
		})
	}
}

// service answers each request with the function that stands for its page; what is asked is noted.
type service struct {
	pages []func(w http.ResponseWriter)
	asked []string
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.asked = append(s.asked, r.FormValue("query")+" "+r.FormValue("page")+" "+r.FormValue("numericFilters")+" "+r.FormValue("tags"))
	s.pages[min(len(s.asked), len(s.pages))-1](w)
}

func hits(pages int, ids ...int) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		list := []map[string]any{}
		for _, id := range ids {
			list = append(list, map[string]any{"objectID": fmt.Sprint(id), "title": fmt.Sprint("story ", id), "points": id, "created_at_i": 1794820000 + id})
		}
		json.NewEncoder(w).Encode(map[string]any{"hits": list, "nbPages": pages})
	}
}

func fails(status int, header ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
	}
}

// polls is a source on a service, with what it emitted.
type polls struct {
	*Source
	service *service
	known   memory
	again   *sources.Revisit
	batches []sources.Batch
}

func newPolls(t *testing.T, pages ...func(http.ResponseWriter)) *polls {
	p := &polls{service: &service{pages: pages}, again: &sources.Revisit{}}
	srv := httptest.NewServer(p.service)
	t.Cleanup(srv.Close)
	p.Source = source(t, srv.URL+"/canary/")
	return p
}

func (p *polls) once(t *testing.T) (ops []string, err error) {
	t.Helper()
	p.known, err = p.poll(t.Context(), p.known, p.again, func(_ context.Context, b sources.Batch) (sources.Taken, error) {
		p.batches = append(p.batches, b)
		return sources.Taken{}, nil
	})
	if err != nil {
		return nil, err
	}
	for _, m := range p.batches[len(p.batches)-1].Mentions {
		ops = append(ops, string(m.Op)+" "+m.ID)
	}
	return ops, nil
}

func TestPagesThatShiftAreReadOnce(t *testing.T) {
	p := newPolls(t, hits(2, 5, 4), hits(2, 4, 3), hits(1, 6, 5, 4))
	first, err := p.once(t)
	if want := []string{"create 5", "create 4", "create 3"}; err != nil || !slices.Equal(first, want) {
		t.Errorf("got %q, %v, want %q", first, err, want)
	}
	second, err := p.once(t)
	if want := []string{"create 6"}; err != nil || !slices.Equal(second, want) {
		t.Errorf("got %q, %v, want %q", second, err, want)
	}
	if want := `nordhavn 0 created_at_i>1794819705 (story,comment)`; p.service.asked[2] != want {
		t.Errorf("asked %q, want %q: the newest, less the overlap", p.service.asked[2], want)
	}
}

func TestWalkThatBreaksOffIsBegunAnew(t *testing.T) {
	for name, failure := range map[string]func(http.ResponseWriter){
		"429": fails(429, "Retry-After", "600"), "500": fails(500), "half a page": func(w http.ResponseWriter) { w.Write([]byte(`{"hits":[{`)) },
		"cut off": func(w http.ResponseWriter) {
			w.Header().Set("Content-Length", "100")
			w.Write([]byte(`{"hits":[`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPolls(t, hits(2, 2), failure, hits(2, 2), hits(2, 1))
			_, err := p.once(t)
			if err == nil || strings.Contains(err.Error(), "canary") || strings.Contains(err.Error(), "nordhavn") {
				t.Errorf("got %v", err)
			}
			if len(p.batches) != 0 {
				t.Error("half a walk was handed over")
			}
			if later, ok := errors.AsType[*sources.RetryAfterError](err); name == "429" && (!ok || later.After != 10*time.Minute) {
				t.Errorf("got %v", err)
			}
			if got, err := p.once(t); err != nil || !slices.Equal(got, []string{"create 2", "create 1"}) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestEndlessPages(t *testing.T) {
	p := newPolls(t, hits(1_000_000, 1))
	if _, err := p.once(t); err != nil || len(p.service.asked) != maxPages {
		t.Errorf("asked %d times, %v", len(p.service.asked), err)
	}
}

func TestEachQueryIsAsked(t *testing.T) {
	p := newPolls(t, hits(1))
	p.opt.Query = []string{"nord havn", "nordhavn"}
	if _, err := p.once(t); err != nil || len(p.service.asked) != 2 {
		t.Fatalf("asked %q, %v", p.service.asked, err)
	}
	if !strings.HasPrefix(p.service.asked[0], `"nord havn" 0`) || !strings.HasPrefix(p.service.asked[1], `nordhavn 0`) {
		t.Errorf("asked %q", p.service.asked)
	}
}

func TestHotStoriesAreLookedAtAgain(t *testing.T) {
	p := newPolls(t, hits(1), hits(1, 7), hits(1), hits(1, 7))
	p.again = &sources.Revisit{Hot: func(context.Context) []string { return []string{"7", "no number"} }, Look: p.look}
	if got, err := p.once(t); err != nil || !slices.Equal(got, []string{"update 7"}) {
		t.Errorf("got %q, %v", got, err)
	}
	if want := "   story,(story_7)"; p.service.asked[1] != want {
		t.Errorf("asked %q", p.service.asked[1])
	}
	if got, err := p.once(t); err != nil || len(got) != 0 {
		t.Errorf("told again: %q, %v", got, err)
	}
}

func TestALookAsksOnce(t *testing.T) {
	p := newPolls(t, hits(1, 2))
	p.opt.Client = p.opt.Client.Once()
	if ms, err := sourcetest.Look(t.Context(), p.Source); err != nil || len(ms) != 1 {
		t.Errorf("got %v, %v", ms, err)
	}
	p.service.pages = append(p.service.pages, fails(403))
	if _, err := sourcetest.Look(t.Context(), p.Source); err == nil {
		t.Error("403 was taken for an answer")
	}
}

func TestNew(t *testing.T) {
	client := sources.NewClient(sources.ClientOptions{})
	for name, opt := range map[string]Options{
		"no name":   {Query: []string{"x"}, Client: client},
		"no query":  {Name: "a", Client: client},
		"no client": {Name: "a", Query: []string{"x"}},
		"a file":    {Name: "a", Query: []string{"x"}, URL: "file:///x", Client: client},
		"too often": {Name: "a", Query: []string{"x"}, Every: time.Second, Client: client},
	} {
		if _, err := New(opt); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if s, err := New(Options{Name: "a", Query: []string{"x"}, Client: client}); err != nil || s.opt.Every != DefaultEvery || s.opt.URL != DefaultURL || s.Type() != "hackernews" {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := source(t, "https://example.org").Run(t.Context(), sources.Cursor("{"), nil); err == nil {
		t.Error("a broken cursor was taken")
	}
}

func FuzzDecode(f *testing.F) {
	body, err := os.ReadFile("testdata/search.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"hits":[{"objectID":7,"title":"a\u202eb","created_at_i":1e300,"points":"-3"}],"nbPages":1e99}`))
	s := source(f, "https://example.org")
	f.Fuzz(func(t *testing.T, body []byte) {
		var got findings
		if _, err := s.decode(body, &got, now); err != nil {
			return
		}
		for _, m := range got.mentions {
			again := m
			if err := sources.Normalize(&again, now); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(m, again); diff != "" {
				t.Errorf("not normalised:\n%s", diff)
			}
		}
	})
}
