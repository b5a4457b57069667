package bluesky

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"emberwatch/sources"
)

// appView stands for the server that is asked how far posts have spread.
type appView struct {
	url string

	mu     sync.Mutex
	status int // 0: 200
	body   string
	asked  [][]string // uris
}

func newAppView(t *testing.T) *appView {
	a := &appView{}
	srv := httptest.NewServer(a)
	t.Cleanup(srv.Close)
	a.url = srv.URL
	return a
}

func (a *appView) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.URL.Path != "/xrpc/app.bsky.feed.getPosts" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	a.asked = append(a.asked, r.URL.Query()["uris"])
	if a.status != 0 {
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(a.status)
	}
	fmt.Fprint(w, a.body)
}

func (a *appView) say(status int, body string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.status, a.body = status, body
}

func (a *appView) requests() [][]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.asked)
}

// views is an answer of the AppView.
func views(posts ...string) string { return `{"posts":[` + strings.Join(posts, ",") + `]}` }

// shown is a post as the AppView shows it.
func shown(uri, text string, likes, reposts, quotes, replies int) string {
	return fmt.Sprintf(`{"uri":%q,"cid":"c","author":{"did":"did:plc:ada","handle":"ada.example","displayName":"Ada"},"record":{"text":%q,"createdAt":"2020-01-01T00:00:00Z","langs":["en"]},`+
		`"likeCount":%d,"repostCount":%d,"quoteCount":%d,"replyCount":%d,"indexedAt":"2026-11-16T11:00:00.120Z"}`, uri, text, likes, reposts, quotes, replies)
}

// looking is a source whose second looks go to a, with what it has told so far.
func looking(t *testing.T, a *appView, hot ...string) (*Source, func() []sources.Mention) {
	opt := options(t, newJetstream(t).url)
	opt.API, opt.Hot = a.url+"/", func(context.Context) []string { return hot }
	opt.Client = sources.NewClient(sources.ClientOptions{Allow: loopback, Retries: -1}).For(0)
	s := source(t, opt)
	s.looks = 2 * time.Millisecond
	var mu sync.Mutex
	var told []sources.Mention
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(ctx, nil, func(_ context.Context, b sources.Batch) (sources.Taken, error) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, b.Mentions...)
			return sources.Taken{}, nil
		}); err != nil {
			t.Errorf("the stream ended: %v", err)
		}
	})
	t.Cleanup(func() { stop(); running.Wait(); opt.Client.Close() })
	return s, func() []sources.Mention {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(told)
	}
}

func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("did not happen: %s", what)
		}
	}
}

func TestHotPostsAreSeenToSpread(t *testing.T) {
	a := newAppView(t)
	a.say(0, views(shown(adasPost, "Nordhavn melted", 4, 2, 1, 3), shown("at://did:plc:x/app.bsky.feed.post/unasked", "Nordhavn", 9, 9, 9, 9)))
	_, told := looking(t, a, adasPost, "at://did:plc:cy/app.bsky.feed.repost/3k", "~gone")
	soon(t, "the first look", func() bool { return len(told()) == 1 && len(a.requests()) > 2 })
	want := sources.Mention{
		V: 1, ID: adasPost, Source: "bsky", Network: "bluesky", Kind: sources.Post, Op: sources.Update, Visibility: sources.Public, Text: "Nordhavn melted", Lang: "en",
		Author: sources.Author{ID: "did:plc:ada", Handle: "ada.example", Name: "Ada"}, URL: "https://bsky.app/profile/did:plc:ada/post/3kpost1",
		CreatedAt: time.Date(2026, 11, 16, 11, 0, 0, 120e6, time.UTC), Engagement: sources.Engagement{Likes: 4, Shares: 3, Replies: 3},
	}
	if diff := cmp.Diff([]sources.Mention{want}, told()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if asked := a.requests()[0]; !slices.Equal(asked, []string{adasPost}) {
		t.Errorf("asked for %q", asked)
	}
	a.say(0, views()) // hidden, not deleted
	before := len(a.requests())
	soon(t, "looks at nothing", func() bool { return len(a.requests()) > before+2 })
	a.say(0, views(shown(adasPost, "Nordhavn melted", 4, 40, 1, 3)))
	soon(t, "the growth", func() bool { return len(told()) == 2 })
	if last := told()[1]; last.Op != sources.Update || last.Engagement.Shares != 41 {
		t.Errorf("got %+v", last)
	}
}

// A server that takes no questions costs the second looks and nothing else, is left alone as it asks, and is told.
func TestLooksThatFail(t *testing.T) {
	for name, tt := range map[string]struct {
		status int
		body   string
		want   string
	}{
		"down":            {500, "canary", "status 500"},
		"overloaded":      {429, "canary", "status 429: asked to come back in 10m0s"},
		"a page":          {0, "<html>canary", "parse: "},
		"half":            {0, `{"posts":[{"uri":"at://canary`, "parse: "},
		"no list":         {0, `{}`, "the answer has no list of posts"},
		"nothing of that": {404, "", "status 404"},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAppView(t)
			a.say(tt.status, tt.body)
			s, told := looking(t, a, adasPost)
			soon(t, "trouble", func() bool { return s.Trouble() != nil })
			if err := s.Trouble().Error(); !strings.HasPrefix(err, "source bsky: second look: ") || !strings.Contains(err, tt.want) || strings.Contains(err, "canary") || strings.Contains(err, "getPosts") {
				t.Errorf("got %s", err)
			}
			if tt.status == http.StatusTooManyRequests {
				time.Sleep(20 * time.Millisecond)
				if n := len(a.requests()); n != 1 {
					t.Errorf("asked %d times", n)
				}
				return
			}
			a.say(0, views(shown(adasPost, "Nordhavn melted", 1, 0, 0, 0)))
			if tt.status != http.StatusInternalServerError { // its breaker rests for half a minute
				soon(t, "a look that went well", func() bool { return s.Trouble() == nil && len(told()) == 1 })
			}
		})
	}
}

func TestOddViews(t *testing.T) {
	s := source(t, options(t, ""))
	field := func(from, to string) string {
		return strings.Replace(shown(adasPost, "Nordhavn melted", 4, 2, 1, 3), from, to, 1)
	}
	for name, tt := range map[string]struct {
		post string
		want string // likes/shares/replies by handle: text; empty: left out
	}{
		"as it should be":    {field("", ""), "4/3/3 by ada.example: Nordhavn melted"},
		"no author":          {field(`"author":{"did":"did:plc:ada","handle":"ada.example","displayName":"Ada"},`, ""), "4/3/3 by : Nordhavn melted"},
		"author of null":     {field(`{"did":"did:plc:ada","handle":"ada.example","displayName":"Ada"}`, "null"), "4/3/3 by : Nordhavn melted"},
		"no handle any more": {field("ada.example", "handle.invalid"), "4/3/3 by : Nordhavn melted"},
		"no numbers":         {field(`"likeCount":4,"repostCount":2,"quoteCount":1,"replyCount":3,`, ""), "0/0/0 by ada.example: Nordhavn melted"},
		"numbers as text":    {field(`"likeCount":4`, `"likeCount":"4"`), "4/3/3 by ada.example: Nordhavn melted"},
		"negative numbers":   {field(`"likeCount":4`, `"likeCount":-4`), "0/3/3 by ada.example: Nordhavn melted"},
		"numbers of null":    {field(`"likeCount":4`, `"likeCount":null`), "0/3/3 by ada.example: Nordhavn melted"},
		"a time of nonsense": {field("2026-11-16T11:00:00.120Z", "yesterday"), "4/3/3 by ada.example: Nordhavn melted"},
		"right to left":      {field("Nordhavn melted", "نوردهافن\u202e انصهر"), "4/3/3 by ada.example: نوردهافن انصهر"},
		"entities":           {field("Nordhavn melted", "Nordhavn &amp; fire"), "4/3/3 by ada.example: Nordhavn &amp; fire"}, // posts are plain text
		"no record":          {field(`"record":{"text":"Nordhavn melted","createdAt":"2020-01-01T00:00:00Z","langs":["en"]},`, ""), ""},
		"a record of null":   {field(`{"text":"Nordhavn melted","createdAt":"2020-01-01T00:00:00Z","langs":["en"]}`, "null"), ""},
		"no text":            {field("Nordhavn melted", ""), ""},
		"no uri":             {field(adasPost, ""), ""},
		"another collection": {field("app.bsky.feed.post", "app.bsky.feed.like"), ""},
		"a path in the uri":  {field("3kpost1", "../x"), ""},
		"a handle in it":     {field("at://did:plc:ada", "at://ada.example"), ""},
		"not found":          {`{"uri":"` + adasPost + `","notFound":true}`, ""},
		"blocked":            {`{"uri":"` + adasPost + `","blocked":true,"author":{"did":"did:plc:ada"}}`, ""},
		"null":               {`null`, ""},
		"a list":             {`[]`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			good := shown(bosPost, "Nordhavn too", 1, 1, 1, 1)
			ms, err := s.decodeViews([]byte(views(tt.post, good)), now)
			if err != nil || len(ms) == 0 || ms[len(ms)-1].ID != bosPost {
				t.Fatalf("the good one is lost: %v, %v", ms, err)
			}
			got := ""
			if len(ms) == 2 {
				m := &ms[0]
				got = fmt.Sprintf("%d/%d/%d by %s: %s", m.Engagement.Likes, m.Engagement.Shares, m.Engagement.Replies, m.Author.Handle, m.Text)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	tagged := `{"posts":[{"uri":"` + adasPost + `","record":{"text":"hm","facets":[{"features":[{"did":"did:plc:nordhavn"}]}]},"likeCount":1}]}`
	if ms, err := s.decodeViews([]byte(tagged), now); err != nil || len(ms) != 1 || ms[0].Kind != sources.Tag || ms[0].Brand != "nordhavn" {
		t.Errorf("a post that tags the brand: %+v, %v", ms, err)
	}
}

func FuzzViews(f *testing.F) {
	f.Add([]byte(views(shown(adasPost, "Nordhavn melted", 4, 2, 1, 3), `null`, `{"uri":"at://a/b/c/d"}`)))
	f.Add([]byte(`{"posts":[{"uri":"at://did:x/app.bsky.feed.post/r","record":{"text":"\u202e x","reply":7},"author":[],"likeCount":1e300,"indexedAt":9}]}`))
	s := source(f, options(f, ""))
	f.Fuzz(func(t *testing.T, body []byte) {
		ms, err := s.decodeViews(body, now)
		if err != nil {
			return
		}
		for _, m := range ms {
			again := m
			if err := sources.Normalize(&again, now); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(m, again); diff != "" || m.Op != sources.Update || !strings.HasPrefix(m.ID, "at://did:") {
				t.Errorf("%s %s is not normalised:\n%s", m.Op, m.ID, diff)
			}
		}
	})
}

// everything is an AppView that knows every post by the text of a sample.
func everything(w http.ResponseWriter, r *http.Request) {
	var posts []json.RawMessage
	for _, uri := range r.URL.Query()["uris"] {
		posts = append(posts, json.RawMessage(shown(uri, "Text no. 0", len(posts), 1, 1, 1)))
	}
	json.NewEncoder(w).Encode(map[string]any{"posts": posts})
}
