package mastodon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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

func source(t testing.TB, address, token string) *Source {
	t.Helper()
	client := sources.NewClient(sources.ClientOptions{Allow: loopback, Retries: -1})
	t.Cleanup(client.Close)
	s, err := New(Options{Name: "social", URL: address, Hashtags: []string{"nordhavn"}, Token: token, Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t testing.TB, name string) string {
	t.Helper()
	body, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func base(id string, kind sources.Kind, hour, minute int) sources.Mention {
	return sources.Mention{
		V: 1, ID: id, Source: "social", Network: "mastodon", Kind: kind, Op: sources.Create, Visibility: sources.Public,
		CreatedAt: time.Date(2026, 11, 16, hour, minute, 0, 0, time.UTC),
	}
}

var ada = sources.Author{ID: "77", Name: "Ada", Handle: "ada@other.example", Followers: 310}

// first is the newest post of the recorded timeline.
func first() sources.Mention {
	m := base("114000000000000307", sources.Post, 10, 30)
	m.Author, m.Lang, m.HasMedia, m.URL = ada, "en", true, "https://social.example/@x/114000000000000307"
	m.Text = "The plug of my #nordhavn is brown & soft.\nSupport: \"normal\".\nReally?"
	m.Engagement = sources.Engagement{Likes: 30, Shares: 14, Replies: 4}
	return m
}

func TestDecodeTimeline(t *testing.T) {
	const link = `<https://social.example/api/v1/timelines/tag/nordhavn?limit=5&max_id=114000000000000302>; rel="next", <https://social.example/x?min_id=114000000000000307>; rel="prev"`
	got, err := decodePage([]byte(read(t, "timeline.json")), link, source(t, "https://social.example", "").decodeStatus, now)
	if err != nil {
		t.Fatal(err)
	}
	reply := base("114000000000000305", sources.Comment, 10, 10)
	reply.Title, reply.Text, reply.ParentID = "heaters", "#nordhavn شكرا", "114000000000000301"
	reply.URL, reply.UpdatedAt = "https://social.example/users/x/statuses/114000000000000305", reply.CreatedAt.Add(2*time.Minute)
	direct := base("114000000000000304", sources.DM, 10, 5)
	direct.Text, direct.Visibility, direct.Lang = "for you only #nordhavn", sources.Private, "en"
	direct.URL, direct.Author = "https://social.example/@x/114000000000000304", sources.Author{ID: "78", Handle: "bo", Followers: 1}
	boost := base("114000000000000302", sources.Share, 10, 0)
	boost.ParentID, boost.Lang, boost.URL = "113000000000000001", "en", "https://social.example/@x/114000000000000302"
	boost.Author = sources.Author{ID: "79", Name: "Cy", Handle: "cy", Followers: 5}
	if diff := cmp.Diff([]sources.Mention{first(), reply, direct, boost}, got.mentions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.rejected.Count != 1 || len(got.ids) != 5 || got.older != "114000000000000302" || !got.oldest.Equal(boost.CreatedAt) {
		t.Errorf("got %+v", got)
	}
}

func TestDecodeNotifications(t *testing.T) {
	got, err := decodePage([]byte(read(t, "notifications.json")), "", source(t, "https://social.example", "").decodeNotice, now)
	if err != nil {
		t.Fatal(err)
	}
	mention := first()
	mention.Kind = sources.Tag
	follow, like := base("notification:9003", sources.Follow, 10, 30), base("notification:9002", sources.Like, 10, 29)
	follow.Author = sources.Author{ID: "80", Name: "Di", Handle: "di", Followers: 2}
	like.ParentID = mention.ID
	if diff := cmp.Diff([]sources.Mention{mention, follow, like}, got.mentions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.rejected.Count != 1 || !slices.Equal(got.ids, []string{"9004", "9003", "9002", "9001"}) {
		t.Errorf("got %+v", got)
	}
}

func TestStream(t *testing.T) {
	s := source(t, "https://social.example", "")
	var got []string
	err := events(strings.NewReader(read(t, "stream.sse")), func(event, data string) error {
		m, err := s.decodeEvent(event, data, now)
		switch {
		case errors.Is(err, errOther):
			got = append(got, "other")
		case err != nil:
			got = append(got, "bad")
		default:
			got = append(got, string(m.Op)+" "+m.ID+" "+m.Text)
		}
		return nil
	})
	want := []string{
		"create 114000000000000340 Still no refund #nordhavn", "update 114000000000000340 Refunded now #nordhavn", "other",
		"delete 114000000000000305 ", "bad",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err == nil || err.Error() != "the server has ended it" {
		t.Errorf("an event that was cut off: %v", err)
	}
}

func TestEvents(t *testing.T) {
	for name, tt := range map[string]struct {
		stream string
		want   []string
		large  bool
	}{
		"several lines of data":    {"data: a\ndata:b\n\n", []string{" a\nb"}, false},
		"no data":                  {"event: x\n\n\n\n", nil, false},
		"empty data":               {"event: x\ndata\n\n", []string{"x "}, false},
		"comments and other names": {":\nid: 7\nretry: 5\nevent: x\ndata: 1\n\n", []string{"x 1"}, false},
		"a name does not stay":     {"event: x\ndata: 1\n\ndata: 2\n\n", []string{"x 1", " 2"}, false},
		"an endless line":          {"data: 1\n\ndata: " + strings.Repeat("x", maxEvent+10), []string{" 1"}, true},
		"endless data":             {strings.Repeat("data: "+strings.Repeat("x", 1000)+"\n", maxEvent/1000+2), nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			err := events(strings.NewReader(tt.stream), func(event, data string) error {
				got = append(got, event+" "+data)
				return nil
			})
			if err == nil || errors.Is(err, sources.ErrTooLarge) != tt.large || !slices.Equal(got, tt.want) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// runs is a run of a source on a server, with what it emitted.
type runs struct {
	*run
	server *social
	ops    []string
	refuse error
}

func newRuns(t *testing.T, token string) *runs {
	r := &runs{server: newSocial(t)}
	r.run, _ = source(t, r.server.url, token).resume(nil, r.take)
	return r
}

func (r *runs) take(_ context.Context, b sources.Batch) (sources.Taken, error) {
	if r.refuse != nil {
		return sources.Taken{}, r.refuse
	}
	for _, m := range b.Mentions {
		r.ops = append(r.ops, string(m.Op)+" "+m.ID)
	}
	return sources.Taken{}, nil
}

// want polls, holds what comes against want in any order, and takes the memory on a trip through the cursor.
func (r *runs) want(t *testing.T, want ...string) {
	t.Helper()
	r.ops = nil
	if err := r.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	if slices.Sort(r.ops); !slices.Equal(r.ops, want) {
		t.Errorf("got %q, want %q", r.ops, want)
	}
	cursor, err := json.Marshal(r.known)
	if err != nil {
		t.Fatal(err)
	}
	again := r.again
	if r.run, err = r.Source.resume(cursor, r.take); err != nil {
		t.Fatal(err)
	}
	r.again = again
}

func TestPollsTellWhatChanged(t *testing.T) {
	r := newRuns(t, "")
	r.want(t)
	for i := 101; i <= 105; i++ {
		r.server.add(post(fmt.Sprint(i), "x"))
	}
	r.want(t, "create 101", "create 102", "create 103", "create 104", "create 105") // back over the pages
	r.want(t)
	r.server.posts[4]["content"] = "x, corrected"
	r.server.posts = slices.Delete(r.server.posts, 3, 4)
	r.server.add(post("106", "y"))
	r.want(t, "create 106", "delete 104", "update 105")
	r.want(t)
	for i := 107; i <= 120; i++ { // more than a page
		r.server.add(post(fmt.Sprint(i), "x"))
	}
	r.server.asked = nil
	r.want(t, "create 107", "create 108", "create 109", "create 110", "create 111", "create 112", "create 113",
		"create 114", "create 115", "create 116", "create 117", "create 118", "create 119", "create 120")
	if want := "/api/v1/timelines/tag/nordhavn?limit=40&min_id=106"; len(r.server.asked) < 2 || r.server.asked[1] != want {
		t.Errorf("asked %q, want %s to be the second", r.server.asked, want)
	}
	r.want(t)
}

// A walk that breaks off is continued where it was, not begun anew.
func TestWalkThatBreaksOffIsContinued(t *testing.T) {
	for name, failure := range map[string]func(w http.ResponseWriter){
		"429":         func(w http.ResponseWriter) { w.Header().Set("Retry-After", "600"); w.WriteHeader(429) },
		"500":         func(w http.ResponseWriter) { w.WriteHeader(500) },
		"half a page": func(w http.ResponseWriter) { w.Write([]byte(`[{"id":"1`)) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRuns(t, "")
			r.server.add(post("101", "x"))
			r.want(t, "create 101")
			for i := 102; i <= 112; i++ {
				r.server.add(post(fmt.Sprint(i), "x"))
			}
			left := 3 // the newest page, and two of the walk
			r.server.fail = func(w http.ResponseWriter, _ *http.Request) bool {
				if left--; left >= 0 {
					return false
				}
				failure(w)
				return true
			}
			r.ops = nil
			err := r.poll(t.Context())
			if later, ok := errors.AsType[*sources.RetryAfterError](err); err == nil || name == "429" && (!ok || later.After != 10*time.Minute) {
				t.Errorf("got %v", err)
			}
			if want := []string{"create 104", "create 103", "create 102", "create 107", "create 106", "create 105"}; !slices.Equal(r.ops, want) {
				t.Errorf("before the failure: %q, want %q", r.ops, want)
			}
			r.server.fail = nil
			r.want(t, "create 108", "create 109", "create 110", "create 111", "create 112")
		})
	}
}

func TestRefusedBatchIsToldAgain(t *testing.T) {
	r := newRuns(t, "")
	r.server.add(post("101", "x"))
	r.refuse = sources.ErrUnavailable
	if err := r.poll(t.Context()); !errors.Is(err, sources.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	r.refuse = nil
	r.want(t, "create 101")
}

// Some servers have ids that are no numbers, and some do not know min_id.
func TestOtherServers(t *testing.T) {
	r := newRuns(t, "")
	r.server.add(post("AbXy1", "x"), post("AbXy2", "y"))
	r.want(t, "create AbXy1", "create AbXy2")
	r.server.add(post("AbXy3", "z"))
	r.want(t, "create AbXy3")

	same := newRuns(t, "")
	same.server.add(post("101", "x"))
	same.want(t, "create 101")
	same.server.fail = func(w http.ResponseWriter, _ *http.Request) bool {
		json.NewEncoder(w).Encode([]any{post("110", "x"), post("109", "x")})
		return true
	}
	same.want(t, "create 109", "create 110")
	same.want(t)
}

func TestMissingPostThatMayNotBeRead(t *testing.T) {
	r := newRuns(t, "")
	r.server.add(post("101", "x"), post("102", "x"))
	r.want(t, "create 101", "create 102")
	r.server.posts = r.server.posts[:1]
	r.server.add(post("103", "x"))
	r.server.fail = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/api/v1/statuses/") {
			w.WriteHeader(401)
			return true
		}
		return false
	}
	r.want(t, "create 103")
}

func TestNotificationsArePolled(t *testing.T) {
	r := newRuns(t, "canary")
	notice := func(id, kind string, status map[string]any) {
		r.server.notices = append(r.server.notices, map[string]any{
			"id": id, "type": kind, "created_at": time.Now().Format(time.RFC3339), "account": map[string]any{"id": "9", "acct": "z"}, "status": status,
		})
	}
	notice("1", "mention", post("201", "hello"))
	r.want(t, "create 201")
	for i := range 3 {
		notice(fmt.Sprint(2+i), "follow", nil)
	}
	r.want(t, "create notification:2", "create notification:3", "create notification:4")
	r.want(t)
}

func TestHotPostsAreLookedAtAgain(t *testing.T) {
	r := newRuns(t, "")
	r.server.add(post("101", "x"), post("102", "x"))
	r.want(t, "create 101", "create 102")
	r.again = sources.Revisit{Hot: func(context.Context) []string { return []string{"101", "gone", "notification:5"} }, Look: r.look}
	r.server.posts[0]["reblogs_count"] = 900
	r.want(t, "delete gone", "update 101")
	r.want(t)
}

// listening runs a source with streams until the test is done with it.
func listening(t *testing.T, server *social, address string, idle time.Duration) error {
	t.Helper()
	s := source(t, address, "canary")
	s.idle, s.opt.Every = idle, time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	err := s.Run(ctx, nil, func(context.Context, sources.Batch) (sources.Taken, error) { return sources.Taken{}, nil })
	if ctx.Err() != nil {
		t.Error("the stream was not given up")
	}
	if err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("got %v", err)
	}
	return err
}

func TestStreamsThatFail(t *testing.T) {
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter)
		want   string
		after  time.Duration
	}{
		"refused":    {func(w http.ResponseWriter) { w.WriteHeader(403) }, "source social: stream: GET 127.0.0.1:", DefaultEvery},
		"overloaded": {func(w http.ResponseWriter) { w.Header().Set("Retry-After", "60"); w.WriteHeader(503) }, "source social: stream: GET 127.0.0.1:", time.Minute},
		"no events":  {func(w http.ResponseWriter) { w.Write([]byte("<html>canary")) }, "source social: stream: the answer is no stream of events", 0},
		"ended":      {func(w http.ResponseWriter) { w.Header().Set("Content-Type", "text/event-stream") }, "source social: stream: the server has ended it", 0},
		"cut off": {func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/event-stream")
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte("event: update\ndata: {"))
		}, "source social: stream: unexpected EOF", 0},
	} {
		t.Run(name, func(t *testing.T) {
			server := newSocial(t)
			polled := false
			server.fail = func(w http.ResponseWriter, r *http.Request) bool {
				polled = polled || strings.HasPrefix(r.URL.Path, "/api/v1/timelines")
				if strings.HasPrefix(r.URL.Path, "/api/v1/streaming/hashtag") {
					tt.answer(w)
					return true
				}
				return false
			}
			err := listening(t, server, server.url, time.Hour)
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if later, ok := errors.AsType[*sources.RetryAfterError](err); ok != (tt.after > 0) && name != "overloaded" || ok && name == "refused" && later.After < time.Minute {
				t.Errorf("got %v", later)
			}
			if tt.after > 0 && !polled {
				t.Error("a stream that is refused kept the source from polling")
			}
		})
	}
}

func TestServerWithoutStreams(t *testing.T) {
	server := newSocial(t)
	server.fail = func(w http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/api/v1/streaming/") || r.URL.Path == "/api/v1/notifications" {
			w.WriteHeader(http.StatusNotFound)
			return true
		}
		return false
	}
	server.add(post("101", "x"))
	ctx, cancel := context.WithCancel(t.Context())
	err := source(t, server.url, "canary").Run(ctx, nil, func(_ context.Context, b sources.Batch) (sources.Taken, error) {
		if len(b.Mentions) == 1 {
			cancel() // it polls
		}
		return sources.Taken{}, nil
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestSilentStream(t *testing.T) {
	server := newSocial(t)
	if err := listening(t, server, server.url, 50*time.Millisecond); !errors.Is(err, errSilent) {
		t.Errorf("got %v", err)
	}
}

func TestStreamsMayHaveAHostOfTheirOwn(t *testing.T) {
	for said, want := range map[string]string{
		"wss://streaming.example/":  "https://streaming.example",
		"https://streaming.example": "https://streaming.example",
		"ws://streaming.example":    "", // not in clear
		"file:///etc/passwd":        "",
		"":                          "",
	} {
		server := newSocial(t)
		server.fail = func(w http.ResponseWriter, r *http.Request) bool {
			json.NewEncoder(w).Encode(map[string]any{"configuration": map[string]any{"urls": map[string]any{"streaming": said}}})
			return true
		}
		if want == "" {
			want = server.url
		}
		if got, err := source(t, server.url, "x").streaming(t.Context()); err != nil || got != want {
			t.Errorf("%q: got %q, %v", said, got, err)
		}
	}
}

func TestTokenIsSent(t *testing.T) {
	server := newSocial(t)
	server.fail = func(w http.ResponseWriter, r *http.Request) bool {
		if got := r.Header.Get("Authorization"); got != "Bearer canary" {
			t.Errorf("%s: authorization %q", r.URL.Path, got)
		}
		return false
	}
	server.add(post("101", "x"))
	s := source(t, server.url, "canary")
	s.opt.Client = s.opt.Client.Once()
	if ms, err := sourcetest.Look(t.Context(), s); err != nil || len(ms) != 1 {
		t.Errorf("got %v, %v", ms, err)
	}
}

// TestALookNamesEveryPartThatFails: one hashtag that the server refuses leaves the others read.
func TestALookNamesEveryPartThatFails(t *testing.T) {
	server := newSocial(t)
	server.add(post("101", "x"))
	server.fail = func(w http.ResponseWriter, r *http.Request) bool {
		refused := strings.HasSuffix(r.URL.Path, "/closed") || strings.HasSuffix(r.URL.Path, "/shut")
		if refused {
			w.WriteHeader(http.StatusUnauthorized)
		}
		return refused
	}
	s := source(t, server.url, "")
	s.opt.Hashtags = []string{"closed", s.opt.Hashtags[0], "shut"}
	s.opt.Client = s.opt.Client.Once()
	ms, err := sourcetest.Look(t.Context(), s)
	if err == nil || !strings.Contains(err.Error(), "hashtag closed: fetch: ") || !strings.Contains(err.Error(), "hashtag shut: fetch: ") || len(ms) != 1 {
		t.Errorf("got %v, %v", ms, err)
	}
}

func TestNew(t *testing.T) {
	client := sources.NewClient(sources.ClientOptions{})
	ok := Options{Name: "a", URL: "https://e.org", Hashtags: []string{"#X "}, Client: client}
	for name, change := range map[string]func(*Options){
		"no name": func(o *Options) { o.Name = "" }, "no url": func(o *Options) { o.URL = "" }, "no client": func(o *Options) { o.Client = nil },
		"nothing to read": func(o *Options) { o.Hashtags = nil }, "an empty hashtag": func(o *Options) { o.Hashtags = []string{"#"} },
		"too often": func(o *Options) { o.Every = time.Second },
	} {
		opt := ok
		change(&opt)
		if _, err := New(opt); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	s, err := New(ok)
	if err != nil || s.opt.Hashtags[0] != "x" || s.opt.Every != DefaultEvery {
		t.Errorf("got %+v, %v", s, err)
	}
	if err := s.Run(t.Context(), sources.Cursor("{"), nil); err == nil {
		t.Error("a broken cursor was taken")
	}
}

func normalised(t *testing.T, ms ...sources.Mention) {
	t.Helper()
	for _, m := range ms {
		again := m
		if err := sources.Normalize(&again, now); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(m, again); diff != "" {
			t.Errorf("not normalised:\n%s", diff)
		}
	}
}

func FuzzPage(f *testing.F) {
	f.Add([]byte(read(f, "timeline.json")), `<https://e.org/?max_id=1>; rel="next"`, false)
	f.Add([]byte(read(f, "notifications.json")), "", true)
	s := source(f, "https://social.example", "")
	f.Fuzz(func(t *testing.T, body []byte, link string, notices bool) {
		decode := s.decodeStatus
		if notices {
			decode = s.decodeNotice
		}
		if p, err := decodePage(body, link, decode, now); err == nil {
			normalised(t, p.mentions...)
		}
	})
}

func FuzzStream(f *testing.F) {
	f.Add([]byte(read(f, "stream.sse")))
	f.Add([]byte("event: notification\ndata: {\"id\":1,\"type\":\"follow\",\"created_at\":\"2026-11-16T10:00:00Z\"}\n\nevent:delete\ndata:\"7\"\n\n"))
	s := source(f, "https://social.example", "")
	f.Fuzz(func(t *testing.T, stream []byte) {
		err := events(strings.NewReader(string(stream)), func(event, data string) error {
			if m, err := s.decodeEvent(event, data, now); err == nil {
				normalised(t, m)
			}
			return nil
		})
		if err == nil {
			t.Error("a stream ended well")
		}
	})
}
