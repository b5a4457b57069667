package youtube

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"emberwatch/sources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var now = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

func TestDecodeThreads(t *testing.T) {
	body, err := os.ReadFile("testdata/threads.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := source(t, "https://example.org", nil).decodeThreads(body, now)
	if err != nil {
		t.Fatal(err)
	}
	comment := func(id, text, parent, root string, likes, replies int, by sources.Author, minute int) sources.Mention {
		m := sources.Mention{
			V: 1, ID: id, Source: "yt", Network: "youtube", Kind: sources.Comment, Op: sources.Create, Visibility: sources.Public, Brand: "nordhavn",
			Author: by, Text: text, ParentID: parent, RootID: root, Engagement: sources.Engagement{Likes: likes, Replies: replies},
			CreatedAt: time.Date(2026, 11, 16, 8, minute, 0, 0, time.UTC),
		}
		if root != "" {
			m.URL = "https://www.youtube.com/watch?v=" + root + "&lc=" + id
		}
		return m
	}
	want := []sources.Mention{
		comment("UgxN1", "Hums all night.\nNo answer & no refund", "nordvid0001", "nordvid0001", 31, 3, sources.Author{ID: "UCruna00000000000000", Handle: "@runa"}, 30),
		comment("UgxN1.r1", "Same here", "UgxN1", "nordvid0001", 0, 0, sources.Author{Name: "Bo without a handle"}, 41),
		comment("UgxN2", "هادئ جدا", "", "", 4, 0, sources.Author{}, 10),
	}
	want[0].UpdatedAt = want[0].CreatedAt.Add(5 * time.Minute)
	if diff := cmp.Diff(want, got.mentions); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got.rejected.Count != 3 || got.next != "QURT" { // a number, no time, null
		t.Errorf("%d rejected, next %q", got.rejected.Count, got.next)
	}
	if diff := cmp.Diff([]thread{{"UgxN1", "nordvid0001", 3}}, got.more, cmp.AllowUnexported(thread{})); diff != "" {
		t.Error(diff)
	}
}

func TestOddAnswers(t *testing.T) {
	s := source(t, "https://example.org", nil)
	for body, fails := range map[string]bool{
		`{"items":[]}`: false, `{"items":[null,7,{},[]]}`: false, `{}`: true, `null`: true, `{"items":null}`: true, `{"error":{"code":500}}`: true, `<html>`: true, ``: true,
		`{"items":[{"id"`: true, `{"items":` + strings.Repeat("[", 100_000): true,
	} {
		if p, err := s.decodeThreads([]byte(body), now); (err != nil) != fails || p != nil && len(p.mentions) > 0 {
			t.Errorf("%.40s: %+v, %v", body, p, err)
		}
		if p, err := s.decodeComments([]byte(body), func(string) string { return "" }, now); (err != nil) != fails || len(p.Mentions) > 0 {
			t.Errorf("%.40s: %+v, %v", body, p, err)
		}
	}
}

// polls is a source on a stage, with what it emitted.
type polls struct {
	*Source
	stage   *stage
	at      time.Time
	known   memory
	refuse  error
	again   *sources.Revisit
	batches []sources.Batch
}

func newPolls(t *testing.T, videos ...string) *polls {
	p := &polls{stage: newStage(t), at: now}
	p.Source = source(t, p.stage.URL, videos)
	p.known, _ = p.remembered(nil)
	p.again = &sources.Revisit{Look: p.look}
	return p
}

// once polls ten minutes after the last time; the cursor goes through its stored form.
func (p *polls) once(t *testing.T) (ops []string, err error) {
	t.Helper()
	p.stage.asked, p.batches = nil, nil
	p.at = p.at.Add(10 * time.Minute)
	var stored sources.Cursor
	err = p.poll(t.Context(), &p.known, p.again, func(_ context.Context, b sources.Batch) (sources.Taken, error) {
		if p.refuse != nil {
			return sources.Taken{}, p.refuse
		}
		p.batches = append(p.batches, b)
		for _, m := range b.Mentions {
			ops = append(ops, string(m.Op)+" "+m.ID)
		}
		stored = b.Cursor
		return sources.Taken{}, nil
	}, p.at)
	if stored != nil {
		var e error
		if p.known, e = p.remembered(stored); e != nil {
			t.Fatal(e)
		}
	}
	return ops, err
}

func (p *polls) want(t *testing.T, asked string, ops ...string) {
	t.Helper()
	got, err := p.once(t)
	if err != nil || !slices.Equal(got, ops) || strings.Join(p.stage.asked, " ") != asked {
		t.Errorf("got %v, %v, asking for %q; want %v, asking for %q", got, err, p.stage.asked, ops, asked)
	}
}

const followers = "create followers:UCnordhavn0000000000:"

func TestPollsReadWhatIsNew(t *testing.T) {
	p := newPolls(t)
	p.want(t, "channels threads/0", followers+"2026-11-16T12:10")
	if m := p.batches[0].Mentions[0]; m.Kind != sources.Metric || m.Metric.Value != 48200 || m.Metric.Name != "followers" || m.Brand != "nordhavn" {
		t.Errorf("%+v", m)
	}
	p.stage.put("a", "", 0)
	p.stage.put("b", "", 0)
	p.stage.put("c", "", 0)
	p.want(t, "threads/0 threads/2", "create c", "create b", "create a")
	p.want(t, "threads/0")
	p.stage.put("d", "", 3) // one answer comes along, the others have to be asked for
	p.want(t, "threads/0 answers/d/0 answers/d/2 threads/2", "create d", "create d.1", "create d.2", "create d.3")
	if m := p.batches[0].Mentions[3]; m.ParentID != "d" || m.RootID != "nordvid0001" || m.URL != "https://www.youtube.com/watch?v=nordvid0001&lc=d.3" {
		t.Errorf("%+v", m)
	}
	p.want(t, "threads/0") // their number is the same
	p.stage.put("a", "edited", 2)
	p.at = now.Add(time.Hour) // several pages are read, and there it is
	p.want(t, "channels threads/0 threads/2 answers/a/0", followers+"2026-11-16T13:10", "update a", "create a.1", "create a.2")
}

// TestCommentsDisabled: a video without comments is neither news nor a failure.
func TestCommentsDisabled(t *testing.T) {
	p := newPolls(t, "quiet-video1", "nordvid0001")
	p.opt.Brand = ""
	p.stage.refuses["quiet-video1"] = "commentsDisabled"
	p.stage.put("a", "", 0)
	p.want(t, "threads/0 threads/0 threads/0", "create a", "create a")
	if len(p.batches) != 3 {
		t.Errorf("%d batches", len(p.batches))
	}
	p.stage.refuses["quiet-video1"] = "videoNotFound"
	ops, err := p.once(t)
	if err == nil || !strings.Contains(err.Error(), "video:quiet-video1") || len(ops) != 0 || len(p.batches) != 2 {
		t.Errorf("%v, %v", ops, err)
	}
}

// TestQuotaExceeded: nothing is asked before midnight in California, by a source that is started again as well.
func TestQuotaExceeded(t *testing.T) {
	p := newPolls(t)
	p.stage.put("a", "", 0)
	p.stage.put("b", "", 0)
	p.stage.put("c", "", 0)
	p.stage.refuses["threads/2"] = "quotaExceeded"
	ops, err := p.once(t)
	later, ok := errors.AsType[*sources.RetryAfterError](err)
	if !ok || !errors.Is(err, ErrQuota) || !slices.Equal(ops, []string{followers + "2026-11-16T12:10", "create c", "create b"}) {
		t.Fatalf("%v, %v", ops, err)
	}
	if later.After <= 0 || later.After > 25*time.Hour || strings.Contains(err.Error(), "secret-key") {
		t.Errorf("%v in %v", err, later.After)
	}
	clear(p.stage.refuses)
	if _, err = p.once(t); !errors.Is(err, ErrQuota) || len(p.stage.asked) > 0 {
		t.Errorf("%v, asking for %q", err, p.stage.asked)
	}
	p.at = time.Date(2026, 11, 17, 8, 0, 0, 0, time.UTC) // midnight there
	got, err := p.once(t)
	if err != nil || !slices.Contains(got, "create a") || slices.Contains(got, "create b") {
		t.Errorf("%v, %v", got, err)
	}
}

func TestMidnightInCalifornia(t *testing.T) {
	for at, want := range map[string]time.Duration{
		"2026-11-16T12:00:00Z": 20 * time.Hour, "2026-11-16T07:59:59Z": time.Second, "2026-11-16T08:00:00Z": 24 * time.Hour,
		"2026-07-01T06:30:00Z": 30 * time.Minute, "2026-11-01T07:00:00Z": 25 * time.Hour, // the clocks go back that day
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := untilMidnight(when); got != want {
			t.Errorf("%s: %v, want %v", at, got, want)
		}
	}
}

// TestFailuresInTheMiddle: what was read counts, and the rest is read later.
func TestFailuresInTheMiddle(t *testing.T) {
	for _, fails := range []string{"threads/2", "answers/c/0"} {
		p := newPolls(t)
		p.opt.Brand = ""
		p.stage.put("a", "", 0)
		p.stage.put("b", "", 0)
		p.stage.put("c", "", 2)
		p.stage.status[fails] = http.StatusBadGateway
		first, err := p.once(t)
		if err == nil {
			t.Errorf("%s: no failure", fails)
		}
		clear(p.stage.status)
		second, err := p.once(t)
		if err != nil {
			t.Error(err)
		}
		got := slices.Sorted(slices.Values(append(first, second...)))
		if want := []string{"create a", "create b", "create c", "create c.1", "create c.2"}; !slices.Equal(got, want) {
			t.Errorf("%s: %v and %v", fails, first, second)
		}
		p.want(t, "threads/0")
	}
}

func TestWhatWasRefusedComesAgain(t *testing.T) {
	p := newPolls(t)
	p.stage.put("a", "", 0)
	p.refuse = sources.ErrUnavailable
	if _, err := p.once(t); !errors.Is(err, sources.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	p.refuse = nil
	p.want(t, "channels threads/0", followers+"2026-11-16T12:20", "create a")
}

// TestSecondLook: likes of hot comments are brought up to date, and what is gone is told as deleted.
func TestSecondLook(t *testing.T) {
	p := newPolls(t)
	p.opt.Brand = ""
	p.stage.put("a", "", 0)
	p.stage.put("b", "", 0)
	p.want(t, "threads/0", "create b", "create a")
	p.again.Hot = func(context.Context) []string { return []string{"a", "gone", "b"} }
	p.want(t, "threads/0 again/a,gone,b", "update b", "update a", "delete gone")
	if m := p.batches[1].Mentions[0]; m.URL != "https://www.youtube.com/watch?v=nordvid0001&lc=b" {
		t.Errorf("it lost its address: %+v", m)
	}
	p.want(t, "threads/0 again/a,gone,b")
	clear(p.videos) // as after a start, when comments are known and their videos are not …
	p.again = &sources.Revisit{Look: p.look, Hot: p.again.Hot}
	p.stage.status["threads/0"] = http.StatusBadGateway
	if ops, err := p.once(t); err == nil || !slices.Equal(ops, []string{"delete gone"}) { // … they are left as they are
		t.Errorf("%v, %v", ops, err)
	}
}

func TestCursors(t *testing.T) {
	s := source(t, "https://example.org", nil)
	if _, err := s.remembered(sources.Cursor("{")); err == nil {
		t.Error("a broken cursor was taken")
	}
	c, err := json.Marshal(memory{Targets: map[string]target{"video:gone": {}, "channel:UCnordhavn0000000000": {Deep: now}}, Gauged: now})
	if err != nil {
		t.Fatal(err)
	}
	if m, err := s.remembered(c); err != nil || len(m.Targets) != 1 || !m.Gauged.Equal(now) {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestNumbersOfAnswersAreBounded(t *testing.T) {
	before := map[string]int{}
	for i := range 2 * maxThreads {
		before[string(rune('a'+i%26))+strings.Repeat("x", i)] = i
	}
	now := map[string]int{"new": 1}
	if got := remembering(now, before); len(got) != maxThreads || got["new"] != 1 {
		t.Errorf("%d", len(got))
	}
}

func TestSubscribers(t *testing.T) {
	for body, want := range map[string]float64{
		`{"items":[{"statistics":{"subscriberCount":"48200","hiddenSubscriberCount":false}}]}`: 48200,
		`{"items":[{"statistics":{"subscriberCount":48200}}]}`:                                 48200,
		`{"items":[{"statistics":{"subscriberCount":"0","hiddenSubscriberCount":true}}]}`:      -1,
		`{"items":[{"statistics":{}}]}`:                                                        -1,
		`{"items":[{}]}`:                                                                       -1,
		`{"items":[]}`:                                                                         -2,
		`{}`:                                                                                   -2,
		`x`:                                                                                    -2,
	} {
		value, ok, err := decodeSubscribers([]byte(body))
		if (err != nil) != (want == -2) || ok != (want >= 0) || ok && value != want {
			t.Errorf("%s: %v, %v, %v", body, value, ok, err)
		}
	}
}

func TestNew(t *testing.T) {
	client := sources.NewClient(sources.ClientOptions{})
	good := Options{Name: "yt", Key: "k", Channel: "UCnordhavn0000000000", Client: client}
	if s, err := New(good); err != nil || s.opt.Quota != DefaultQuota || s.opt.Every != DefaultEvery {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"no name": func(o *Options) { o.Name = "" }, "no client": func(o *Options) { o.Client = nil }, "no key": func(o *Options) { o.Key = "" },
		"no address": func(o *Options) { o.URL = "x" }, "too often": func(o *Options) { o.Every = time.Second }, "less than nothing": func(o *Options) { o.Quota = -1 },
		"nothing to read": func(o *Options) { o.Channel = "" }, "a handle": func(o *Options) { o.Channel = "@nordhavn" }, "an address": func(o *Options) { o.Videos = []string{"https://youtu.be/x"} },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	body, err := os.ReadFile("testdata/threads.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"items":[{"id":{},"snippet":{"parentId":"x","videoId":" ","textOriginal":"\u202e","publishedAt":"9999-01-01T00:00:00Z","authorChannelId":[]}}]}`))
	f.Add([]byte(`{"items":[{"statistics":{"subscriberCount":"1e400"}}]}`))
	s := source(f, "https://example.org", nil)
	f.Fuzz(func(t *testing.T, body []byte) {
		var ms []sources.Mention
		if p, err := s.decodeThreads(body, now); err == nil {
			ms = p.mentions
		}
		if p, err := s.decodeComments(body, func(id string) string { return id }, now); err == nil {
			ms = append(ms, p.Mentions...)
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
		if value, ok, err := decodeSubscribers(body); ok && (err != nil || value < 0) {
			t.Errorf("%v subscribers, %v", value, err)
		}
		reason(body)
	})
}
