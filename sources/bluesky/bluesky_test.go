package bluesky

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"emberwatch/sources"
	"emberwatch/sources/sourcetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

func options(t testing.TB, address string) Options {
	t.Helper()
	client := sources.NewClient(sources.ClientOptions{Allow: loopback})
	t.Cleanup(client.Close)
	return Options{
		Name: "bsky", URL: address, Client: client, DIDs: []string{"did:plc:nordhavn"}, Brand: "nordhavn",
		Keep: func(text string) bool { return strings.Contains(text, "Nordhavn") },
	}
}

func source(t testing.TB, opt Options) *Source {
	t.Helper()
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	s.every, s.quiet = 2*time.Millisecond, 2*time.Millisecond
	return s
}

func recorded(t testing.TB, name string) []string {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(body)), "\n")
}

const adasPost, bosPost = "at://did:plc:ada/app.bsky.feed.post/3kpost1", "at://did:plc:bo/app.bsky.feed.post/3kpost2"

func TestMentionsOfPosts(t *testing.T) {
	s := source(t, options(t, ""))
	var got []sources.Mention
	for _, frame := range recorded(t, "v1.ndjson")[:3] {
		e, err := decode([]byte(frame))
		if err != nil {
			t.Fatal(err)
		}
		if s.sift(&e); !e.kept {
			if e.record.Text != "" {
				t.Error("the text of a post that is not kept is held")
			}
			continue
		}
		m, err := s.mention(&e, now)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, m)
	}
	base := sources.Mention{V: 1, Source: "bsky", Network: "bluesky", Op: sources.Create, Visibility: sources.Public}
	first, second := base, base
	first.ID, first.Kind, first.Text, first.Lang, first.HasMedia = adasPost, sources.Post, "The plug of my Nordhavn melted 🔥", "en", true
	first.URL, first.Author = "https://bsky.app/profile/did:plc:ada/post/3kpost1", sources.Author{ID: "did:plc:ada"}
	first.CreatedAt = time.UnixMicro(1794824400120000).UTC()
	second.ID, second.Kind, second.Text, second.Lang, second.Brand = bosPost, sources.Tag, "نعم 🙃 @heaters.example", "ar", "nordhavn"
	second.URL, second.Author = "https://bsky.app/profile/did:plc:bo/post/3kpost2", sources.Author{ID: "did:plc:bo"}
	second.CreatedAt, second.ParentID, second.RootID = time.UnixMicro(1794824401000000).UTC(), adasPost, adasPost
	if diff := cmp.Diff([]sources.Mention{first, second}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// sink takes batches and knows which posts it holds.
type sink struct {
	*gathered
	held    map[string]string // id -> author
	ops     []string
	cursor  string
	batches int
}

func newSink(t *testing.T, opt Options) *sink {
	k := &sink{held: map[string]string{}}
	opt.Known = func(_ context.Context, ids []string) (map[string]string, error) {
		found := map[string]string{}
		for _, id := range ids {
			if _, ok := k.held[id]; ok {
				found[id] = "nordhavn"
			}
		}
		return found, nil
	}
	opt.Authored = func(_ context.Context, author string) (ids []string, _ error) {
		for id, by := range k.held {
			if by == author {
				ids = append(ids, id)
			}
		}
		return ids, nil
	}
	k.gathered = &gathered{Source: source(t, opt), emit: k.take}
	k.quiet = 0
	return k
}

func (k *sink) take(_ context.Context, b sources.Batch) (sources.Taken, error) {
	k.batches++
	for _, m := range b.Mentions {
		k.ops = append(k.ops, fmt.Sprintf("%s %s %s", m.Op, m.Kind, m.ID))
		if m.Op == sources.Delete {
			delete(k.held, m.ID)
		} else {
			k.held[m.ID] = m.Author.ID
		}
		if m.Kind == sources.Share && m.Op == sources.Create && (m.Brand != "nordhavn" || m.ParentID != adasPost) {
			return sources.Taken{}, fmt.Errorf("a repost is %+v", m)
		}
	}
	if b.Cursor != nil {
		k.cursor = string(b.Cursor)
	}
	return sources.Taken{}, nil
}

// feed takes frames in hand as read does.
func (k *sink) feed(t *testing.T, frames ...string) {
	t.Helper()
	for _, f := range frames {
		e, err := decode([]byte(f))
		if err != nil {
			e = event{bad: true}
		}
		k.sift(&e)
		k.add(e)
	}
}

func TestWhatHappensToPosts(t *testing.T) {
	const share = "create share at://did:plc:cy/app.bsky.feed.repost/3krepost"
	want := []string{
		"create post " + adasPost, "create tag " + bosPost, share,
		"update post " + adasPost, "delete post " + bosPost, "delete post " + adasPost,
	}
	frames := recorded(t, "v1.ndjson")
	for name, size := range map[string]int{"one by one": 1, "three at once": 3, "all at once": len(frames)} {
		t.Run(name, func(t *testing.T) {
			k := newSink(t, options(t, ""))
			for chunk := range slices.Chunk(frames, size) {
				k.feed(t, chunk...)
				if err := k.handOver(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(k.ops, want) {
				t.Errorf("got %q, want %q", k.ops, want)
			}
			if k.cursor != `{"time_us":1794824409000000}` {
				t.Errorf("cursor %s", k.cursor)
			}
		})
	}
}

func TestSecondVersion(t *testing.T) {
	opt := options(t, "")
	opt.URL = "https://jetstream.example/xrpc/network.bsky.jetstream.subscribeEvents?x=1"
	k := newSink(t, opt)
	k.feed(t, recorded(t, "v2.ndjson")...)
	if err := k.handOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"create post " + adasPost, "delete post " + adasPost}; !slices.Equal(k.ops, want) {
		t.Errorf("got %q, want %q", k.ops, want)
	}
	var at place
	if err := json.Unmarshal([]byte(k.cursor), &at); err != nil || at.Seq != 700004 {
		t.Errorf("cursor %s, %v", k.cursor, err)
	}
	if got := k.address(at); !strings.HasSuffix(got, "subscribeEvents?cursor=700004&wantedCollections=app.bsky.feed.post&wantedCollections=app.bsky.feed.repost&x=1") {
		t.Errorf("goes on at %s", got)
	}
}

func TestWithoutKnownDeletionsArePassedOn(t *testing.T) {
	k := newSink(t, options(t, ""))
	k.opt.Known, k.opt.Authored = nil, nil
	k.feed(t, recorded(t, "v1.ndjson")...)
	if err := k.handOver(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"create post " + adasPost, "create tag " + bosPost,
		"delete post " + adasPost, "delete post at://did:plc:dee/app.bsky.feed.post/3kforeign",
	}
	slices.Sort(k.ops)
	if slices.Sort(want); !slices.Equal(k.ops, want) {
		t.Errorf("got %q, want %q", k.ops, want)
	}
}

func TestOddFrames(t *testing.T) {
	commit := func(fields string) string {
		return `{"did":"did:plc:a","time_us":1794824400000000,"kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.post","rkey":"r"` + fields + `}}`
	}
	for name, tt := range map[string]struct {
		frame string
		fails bool
	}{
		"null fields":             {commit(`,"record":{"text":"Nordhavn","langs":null,"facets":null,"reply":null,"embed":null}`), false},
		"fields of other types":   {commit(`,"record":{"text":"Nordhavn","langs":"en","facets":{},"reply":7,"embed":[]}`), false},
		"an empty record":         {commit(`,"record":{}`), false},
		"no record":               {commit(``), true},
		"a record that is a list": {commit(`,"record":[]`), true},
		"no rkey":                 {`{"did":"did:plc:a","kind":"commit","commit":{"operation":"delete","collection":"app.bsky.feed.post"}}`, true},
		"a rkey with a path":      {`{"did":"did:plc:a","kind":"commit","commit":{"operation":"delete","collection":"app.bsky.feed.post","rkey":"../x"}}`, true},
		"no DID":                  {`{"kind":"commit","commit":{"operation":"delete","collection":"app.bsky.feed.post","rkey":"r"}}`, true},
		"an unknown operation":    {`{"did":"did:plc:a","kind":"commit","commit":{"operation":"melt","collection":"app.bsky.feed.post","rkey":"r"}}`, true},
		"another collection":      {`{"did":"did:plc:a","kind":"commit","commit":{"operation":"create","collection":"app.bsky.feed.like","rkey":"r"}}`, false},
		"an unknown kind":         {`{"did":"did:plc:a","kind":"party"}`, false},
		"no kind":                 {`{"did":"did:plc:a"}`, true},
		"no commit":               {`{"did":"did:plc:a","kind":"commit","commit":null}`, true},
		"no account":              {`{"did":"did:plc:a","kind":"account"}`, false},
		"a list":                  {`[]`, true},
		"nothing":                 {``, true},
		"cut off":                 {`{"did":"did:plc:a","kind":"comm`, true},
		"deep":                    {strings.Repeat(`{"commit":`, 100_000), true},
		"an info of v2":           {`{"$type":"message","payload":{"$type":"x#info","name":"OutdatedCursor"}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := decode([]byte(tt.frame))
			if (err != nil) != tt.fails {
				t.Fatalf("got %+v, %v", e, err)
			}
			if err == nil {
				source(t, options(t, "")).sift(&e)
			}
		})
	}
}

func TestAbsurdTimesDoNotMoveTheCursor(t *testing.T) {
	at := place{TimeUS: 1794824400000000}
	for _, us := range []int64{0, -1, 12, 9e18, now.Add(time.Hour).UnixMicro()} {
		if got := at.after(&event{timeUS: us}, now); got != at {
			t.Errorf("%d: %+v", us, got)
		}
	}
	e := event{op: sources.Create, did: "did:plc:a", id: "at://did:plc:a/x/y", timeUS: 9e18, kept: true, record: record{Text: "Nordhavn"}}
	if m, err := source(t, options(t, "")).mention(&e, now); err != nil || !m.CreatedAt.Equal(now) {
		t.Errorf("got %v, %v", m.CreatedAt, err)
	}
}

func TestResumeGoesBackBeforeTheCursor(t *testing.T) {
	server := newJetstream(t)
	server.after = func(conn *websocket.Conn) { conn.Close(websocket.StatusGoingAway, "canary") }
	server.add(recorded(t, "v1.ndjson")...)
	s := source(t, options(t, server.url))
	taken := 0
	err := s.Run(t.Context(), sources.Cursor(`{"time_us":1794824700120000}`), func(_ context.Context, b sources.Batch) (sources.Taken, error) {
		taken += len(b.Mentions)
		return sources.Taken{}, nil
	})
	if err == nil || err.Error() != "source bsky: the server has closed the connection with code 1001" {
		t.Errorf("got %v", err)
	}
	if want := "/subscribe?cursor=1794824400120000&wantedCollections=app.bsky.feed.post&wantedCollections=app.bsky.feed.repost"; server.asked[0] != want {
		t.Errorf("asked for %s, want %s", server.asked[0], want)
	}
	if taken == 0 {
		t.Error("what came before the connection ended is lost")
	}
}

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		frame, want string
		reset       bool
	}{
		"too slow":   {`{"$type":"error","error":"ConsumerTooSlow","message":"canary"}`, "the server refuses to go on: ConsumerTooSlow", false},
		"too old":    {`{"$type":"error","payload":{"error":"CursorTooOld"}}`, "the server refuses to go on: CursorTooOld", true},
		"by payload": {`{"$type":"error","payload":{"name":"CursorTooOld"}}`, "the server refuses to go on: CursorTooOld", true},
		"unknown":    {`{"$type":"error","error":"canary"}`, "the server refuses to go on: for a reason that is not known", false},
	} {
		t.Run(name, func(t *testing.T) {
			server := newJetstream(t)
			server.add(tt.frame)
			var cursor sources.Cursor
			err := source(t, options(t, server.url)).Run(t.Context(), sources.Cursor(`{"seq":7}`), func(_ context.Context, b sources.Batch) (sources.Taken, error) {
				if b.Cursor != nil {
					cursor = b.Cursor
				}
				return sources.Taken{}, nil
			})
			if err == nil || !strings.HasSuffix(err.Error(), tt.want) || strings.Contains(err.Error(), "canary") {
				t.Errorf("got %v", err)
			}
			if (string(cursor) == "{}") != tt.reset {
				t.Errorf("cursor %q", cursor)
			}
		})
	}
}

func TestConnectionsThatFail(t *testing.T) {
	for name, tt := range map[string]struct {
		refuse func(w http.ResponseWriter, r *http.Request) bool
		after  func(conn *websocket.Conn)
		want   string // what the error begins with
		told   string // and ends with
		wait   time.Duration
	}{
		"overloaded": {refuse: func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "120")
			w.WriteHeader(429)
			return true
		}, want: "source bsky: connect: GET 127.0.0.1:", wait: 2 * time.Minute},
		"no websocket": {refuse: func(w http.ResponseWriter, _ *http.Request) bool { fmt.Fprint(w, "canary"); return true }, want: "source bsky: connect: GET 127.0.0.1:"},
		"reset":        {after: func(conn *websocket.Conn) { conn.CloseNow() }, want: "source bsky: READ 127.0.0.1:"},
		"a huge frame": {after: func(conn *websocket.Conn) {
			conn.Write(context.Background(), websocket.MessageText, make([]byte, maxFrame+1))
		}, want: "source bsky: READ 127.0.0.1:"},
	} {
		t.Run(name, func(t *testing.T) {
			server := newJetstream(t)
			server.refuse, server.after = tt.refuse, tt.after
			s := source(t, options(t, strings.Replace(server.url, "http://", "ws://canary:canary@", 1)+"/canary?key=canary"))
			err := s.Run(t.Context(), nil, func(context.Context, sources.Batch) (sources.Taken, error) { return sources.Taken{}, nil })
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) || !strings.HasSuffix(err.Error(), tt.told) || strings.Contains(err.Error(), "canary") {
				t.Errorf("got %v", err)
			}
			if later, ok := errors.AsType[*sources.RetryAfterError](err); ok != (tt.wait > 0) || ok && later.After != tt.wait {
				t.Errorf("got %v", later)
			}
		})
	}
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	server := newJetstream(t)
	inside := server.url
	outside := newJetstream(t)
	outside.refuse = func(w http.ResponseWriter, r *http.Request) bool {
		http.Redirect(w, r, strings.Replace(inside, "127.0.0.1", "127.0.0.2", 1), http.StatusFound)
		return true
	}
	opt := options(t, outside.url)
	for name, client := range map[string]*sources.Client{
		"at once":          sources.NewClient(sources.ClientOptions{}),
		"after a redirect": sources.NewClient(sources.ClientOptions{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}}),
	} {
		opt.Client = client
		if err := source(t, opt).Run(t.Context(), nil, nil); !errors.Is(err, sources.ErrAddress) {
			t.Errorf("%s: %v", name, err)
		}
		client.Close()
	}
}

// TestALookEndsWithTheFirstBatch: somebody who checks the configuration does not wait for ever.
func TestALookEndsWithTheFirstBatch(t *testing.T) {
	server := newJetstream(t)
	s := source(t, options(t, server.url))
	s.opt.Client, s.quiet = s.opt.Client.Once(), time.Millisecond
	if ms, err := sourcetest.Look(t.Context(), s); err != nil || ms != nil {
		t.Errorf("got %v, %v", ms, err)
	}
	server.refuse = func(w http.ResponseWriter, _ *http.Request) bool { w.WriteHeader(http.StatusNotFound); return true }
	if _, err := sourcetest.Look(t.Context(), s); !sources.Gone(err) {
		t.Errorf("got %v", err)
	}
}

func TestFailedLookUpKeepsTheCursor(t *testing.T) {
	k := newSink(t, options(t, ""))
	failure := errors.New("store is busy")
	k.opt.Known = func(context.Context, []string) (map[string]string, error) { return nil, failure }
	k.feed(t, recorded(t, "v1.ndjson")...)
	if err := k.handOver(t.Context()); !errors.Is(err, failure) || k.cursor != "" {
		t.Errorf("got %v, cursor %s", err, k.cursor)
	}
}

func TestNew(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"no name": func(o *Options) { o.Name = "" }, "no client": func(o *Options) { o.Client = nil }, "no filter": func(o *Options) { o.Keep = nil },
		"a file": func(o *Options) { o.URL = "file:///x" }, "a handle": func(o *Options) { o.DIDs = []string{"nordhavn.example"} },
		"a brand of nothing": func(o *Options) { o.DIDs = nil },
	} {
		opt := options(t, "")
		change(&opt)
		if _, err := New(opt); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	s := source(t, options(t, ""))
	if got := s.address(place{Seq: 7}); got != DefaultURL+"?wantedCollections=app.bsky.feed.post&wantedCollections=app.bsky.feed.repost" {
		t.Errorf("address %s", got)
	}
	if err := s.Run(t.Context(), sources.Cursor("{"), nil); err == nil {
		t.Error("a broken cursor was taken")
	}
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"v1.ndjson", "v2.ndjson"} {
		for _, frame := range recorded(f, name) {
			f.Add([]byte(frame))
		}
	}
	f.Add([]byte(`{"$type":"error","payload":{"error":"CursorTooOld"}}`))
	s := source(f, options(f, ""))
	f.Fuzz(func(t *testing.T, frame []byte) {
		e, err := decode(frame)
		if err != nil {
			return
		}
		if s.sift(&e); e.op == "" {
			return
		}
		m, err := s.mention(&e, now)
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

// BenchmarkSift is what a post costs that is about nobody: most of the network.
func BenchmarkSift(b *testing.B) {
	s := source(b, options(b, ""))
	frame := []byte(recorded(b, "v1.ndjson")[2])
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		e, err := decode(frame)
		if s.sift(&e); err != nil || e.kept {
			b.Fatal(err)
		}
	}
}
