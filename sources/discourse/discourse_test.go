package discourse

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
	s, err := New(Options{Name: "forum", URL: address, Query: query, Key: "canary", User: "ember", Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func at(hour, minute, second, ms int) time.Time {
	return time.Date(2026, 11, 16, hour, minute, second, ms*1e6, time.UTC)
}

func TestDecode(t *testing.T) {
	body, err := os.ReadFile("testdata/posts.json")
	if err != nil {
		t.Fatal(err)
	}
	var answer struct {
		Posts []json.RawMessage `json:"latest_posts"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		t.Fatal(err)
	}
	got := source(t, "https://forum.example.org/").decodeList(answer.Posts, now)
	reads := 17
	base := sources.Mention{V: 1, Source: "forum", Network: "discourse", Kind: sources.Comment, Op: sources.Create, Visibility: sources.Public}
	edited, bare, deleted, first := base, base, base, base
	edited.ID, edited.Author = "912", sources.Author{ID: "31", Name: "Ada", Handle: "ada"}
	edited.Text, edited.URL, edited.RootID = "Mine isn’t. The plug melted.\nWho else?", "https://forum.example.org/t/warm/44/2", "topic:44"
	edited.CreatedAt, edited.UpdatedAt = at(10, 30, 0, 500), at(10, 41, 0, 0)
	edited.Engagement = sources.Engagement{Likes: 9, Replies: 3, Views: &reads}
	bare.ID, bare.Text, bare.URL, bare.CreatedAt = "911", "It hums. \n Still.", "https://forum.example.org/p/911", at(10, 20, 0, 0)
	deleted.ID, deleted.Op, deleted.URL, deleted.RootID, deleted.CreatedAt = "910", sources.Delete, "https://forum.example.org/t/x/43/3", "topic:43", at(10, 10, 0, 0)
	first.ID, first.Kind, first.Author = "906", sources.Post, sources.Author{ID: "30", Name: "Bo", Handle: "bo"}
	first.Title, first.Text, first.URL, first.RootID, first.CreatedAt = "Warm & quiet", "دافئ وهادئ", "https://forum.example.org/t/warm/44/1", "topic:44", at(9, 0, 0, 0)
	if diff := cmp.Diff([]sources.Mention{edited, bare, deleted, first}, got.mentions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.rejected.Count != 1 || !slices.Equal(got.ids, []int64{912, 911, 910, 909, 908, 907, 906}) || !got.oldest.Equal(at(9, 0, 0, 0)) {
		t.Errorf("%d rejected, ids %v, oldest %v", got.rejected.Count, got.ids, got.oldest)
	}
}

func TestWithoutQuotes(t *testing.T) {
	for cooked, want := range map[string]string{
		"<p>a</p><aside class='quote'><blockquote>b<blockquote>c</blockquote></blockquote></aside><p>d</p>": "a\nd",
		"a<blockquote>b":                     "a",
		"</blockquote></aside>a":             "a",
		"<ASIDE>a</ASIDE>b":                  "b",
		"<p>x &lt;blockquote&gt; y</p>":      "x <blockquote> y",
		"<!-- <blockquote> --><p>a</p>":      "a",
		"<p title='<blockquote>'>a</p>":      "a",
		"":                                   "",
		"<script><blockquote></script><p>a ": "a",
	} {
		if got := sources.HTMLText(withoutQuotes(cooked)); got != want {
			t.Errorf("%q: got %q, want %q", cooked, got, want)
		}
	}
}

// polls is a source on a forum, with what it emitted.
type polls struct {
	*Source
	forum *forum
	known memory
	again *sources.Revisit
}

func newPolls(t *testing.T, query ...string) *polls {
	p := &polls{forum: &forum{}, again: &sources.Revisit{}}
	srv := httptest.NewServer(p.forum)
	t.Cleanup(srv.Close)
	p.Source = source(t, srv.URL, query...)
	return p
}

// want polls, holds what comes against want, and takes the memory on a trip through the cursor.
func (p *polls) want(t *testing.T, want ...string) {
	t.Helper()
	var ops []string
	var cursor sources.Cursor
	_, err := p.poll(t.Context(), p.known, p.again, func(_ context.Context, b sources.Batch) (sources.Taken, error) {
		for _, m := range b.Mentions {
			ops = append(ops, string(m.Op)+" "+m.ID)
		}
		cursor = b.Cursor
		return sources.Taken{}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	p.known = memory{}
	if err := json.Unmarshal(cursor, &p.known); err != nil {
		t.Fatal(err)
	}
	if slices.Sort(ops); !slices.Equal(ops, want) {
		t.Errorf("got %q, want %q", ops, want)
	}
}

func TestPollsTellWhatChanged(t *testing.T) {
	p := newPolls(t)
	p.want(t)
	for i := range 5 {
		p.forum.add(fmt.Sprint("post ", i))
	}
	p.want(t, "create 1", "create 2", "create 3", "create 4", "create 5")
	p.want(t)
	p.forum.posts[4]["cooked"] = "post 4, corrected"
	p.forum.posts[3] = nil
	p.forum.add("more")
	p.want(t, "create 6", "delete 4", "update 5")
	p.want(t)
	for range 4 {
		p.forum.add("more")
	}
	p.want(t, "create 10", "create 7", "create 8", "create 9")
	p.forum.posts[9]["hidden"] = true
	p.want(t, "delete 10")
	p.want(t)
}

func TestMissingPostThatIsStillThere(t *testing.T) {
	p := newPolls(t)
	p.forum.add("one")
	p.forum.add("two")
	p.want(t, "create 1", "create 2")
	hidden := p.forum.posts[1]
	p.forum.windowed = true
	p.forum.posts = append(p.forum.posts[:1], nil) // the list lags behind
	p.forum.add("three")
	p.forum.posts[1] = hidden
	p.want(t, "create 3")
}

func TestEmptyListIsNotADeletionOfAll(t *testing.T) {
	p := newPolls(t)
	p.forum.add("one")
	p.want(t, "create 1")
	kept := p.forum.posts
	p.forum.posts = nil
	p.want(t)
	p.forum.posts = kept
	p.want(t)
}

// In older versions a page is a window of ids, which may hold no public post.
func TestWindowsWithoutPosts(t *testing.T) {
	p := newPolls(t)
	p.forum.windowed = true
	p.forum.add("first")
	p.want(t, "create 1")
	p.forum.add("second")
	for range 3 * window {
		p.forum.posts = append(p.forum.posts, nil)
	}
	p.forum.add("last")
	p.want(t, fmt.Sprint("create ", len(p.forum.posts)), "create 2")
}

func TestSearchFetchesWhatItFinds(t *testing.T) {
	p := newPolls(t, "sample", "other")
	for i := range 3 {
		p.forum.add(fmt.Sprint("post ", i))
	}
	p.want(t, "create 1", "create 2", "create 3")
	p.forum.asked = nil
	p.want(t)
	for _, path := range p.forum.asked {
		if !strings.HasPrefix(path, "/search.json?") || !strings.HasSuffix(path, "+order%3Alatest") {
			t.Errorf("asked for %q though nothing is new", path)
		}
	}
	p.forum.add("post 3")
	p.want(t, "create 4")
}

func TestHotPostsAreLookedAtAgain(t *testing.T) {
	p := newPolls(t)
	p.forum.add("one")
	p.want(t, "create 1")
	p.again = &sources.Revisit{Hot: func(context.Context) []string { return []string{"1", "../admin"} }, Look: p.look}
	p.forum.posts[0]["reply_count"] = 50
	p.want(t, "update 1")
	p.want(t)
	for _, path := range p.forum.asked {
		if strings.Contains(path, "admin") {
			t.Errorf("asked for %q", path)
		}
	}
}

func TestFailures(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request)
		after  time.Duration
	}{
		"private": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, DefaultEvery},
		"429 in a walk": {func(w http.ResponseWriter, r *http.Request) {
			if r.FormValue("before") == "" {
				fmt.Fprintf(w, `{"latest_posts":[{"id":7,"cooked":"x","created_at":%q}]}`, time.Now().Format(time.RFC3339))
				return
			}
			w.Header().Set("Retry-After", "1800")
			w.WriteHeader(429)
		}, 30 * time.Minute},
		"500":          {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, 0},
		"a login page": {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>canary")) }, 0},
		"no list":      {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"errors":["canary"]}`)) }, 0},
		"deep":         {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(strings.Repeat("[", 100_000))) }, 0},
		"half a page":  {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"latest_posts":[{"id":7,`)) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(tt.answer))
			defer srv.Close()
			s := source(t, srv.URL)
			err := s.Run(t.Context(), nil, func(context.Context, sources.Batch) (sources.Taken, error) {
				t.Error("half a walk was handed over")
				return sources.Taken{}, nil
			})
			if err == nil || strings.Contains(err.Error(), "canary") || !strings.HasPrefix(err.Error(), "source forum: ") {
				t.Errorf("got %v", err)
			}
			if later, ok := errors.AsType[*sources.RetryAfterError](err); ok != (tt.after > 0) || ok && later.After != tt.after {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestKeyIsSent(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Api-Key") != "canary" || r.Header.Get("Api-Username") != "ember" {
			t.Errorf("asked with %v", r.Header)
		}
		w.Write([]byte(`{"latest_posts":[]}`))
	}))
	defer srv.Close()
	s := source(t, srv.URL)
	s.opt.Client = s.opt.Client.Once()
	if ms, err := sourcetest.Look(t.Context(), s); err != nil || len(ms) != 0 {
		t.Errorf("got %v, %v", ms, err)
	}
}

func TestNew(t *testing.T) {
	client := sources.NewClient(sources.ClientOptions{})
	for name, opt := range map[string]Options{
		"no name": {URL: "https://e.org", Client: client}, "no url": {Name: "a", Client: client}, "no client": {Name: "a", URL: "https://e.org"},
		"too often": {Name: "a", URL: "https://e.org", Every: time.Second, Client: client},
	} {
		if _, err := New(opt); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := source(t, "https://e.org").Run(t.Context(), sources.Cursor("{"), nil); err == nil {
		t.Error("a broken cursor was taken")
	}
}

func FuzzDecode(f *testing.F) {
	body, err := os.ReadFile("testdata/posts.json")
	if err != nil {
		f.Fatal(err)
	}
	var answer struct {
		Posts []json.RawMessage `json:"latest_posts"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		f.Fatal(err)
	}
	for _, raw := range answer.Posts {
		f.Add([]byte(raw))
	}
	s := source(f, "https://forum.example.org/sub")
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, m, err := s.decode(raw, now)
		if err != nil {
			return
		}
		again := m
		if err := sources.Normalize(&again, now); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Errorf("not normalised:\n%s", diff)
		}
	})
}
