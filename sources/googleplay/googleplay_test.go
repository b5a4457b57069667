package googleplay

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

func TestDecode(t *testing.T) {
	body, err := os.ReadFile("testdata/page1.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := source(t, "https://example.org").decode(body, now)
	if err != nil {
		t.Fatal(err)
	}
	mention := func(id string, seconds int64) sources.Mention {
		review, _, _ := strings.Cut(id, ":reply")
		return sources.Mention{
			V: 1, ID: id, Source: "android", Network: "googleplay", Kind: sources.Review, Op: sources.Create, Visibility: sources.Public,
			Author: sources.Author{ID: id}, CreatedAt: time.Unix(seconds, 0).UTC(),
			URL: "https://play.google.com/store/apps/details?id=com.example.app&reviewId=" + strings.Replace(review, ":", "%3A", 1),
		}
	}
	first, second, reply, third := mention("gp:AOq1", 1794817600), mention("gp:AOq2", 1794814000), mention("gp:AOq2:reply", 1794816600), mention("gp:AOq3", 1794814000)
	first.Text, first.Rating, first.Lang, first.Author.Name, first.Engagement.Likes = "Heater not found since the update & no answer", 1, "en", "Runa", 9
	second.Title, second.Text, second.Rating, second.Lang = "Сломалось", "После обновления не греет", 2, "ru"
	reply.Kind, reply.Text, reply.ParentID, reply.RootID = sources.Comment, "Здравствуйте! Напишите нам, пожалуйста.", "gp:AOq2", "gp:AOq2"
	reply.Author.ID = "com.example.app" // one's own
	third.Rating, third.Lang, third.Author.Name = 4, "en", "no words"
	if diff := cmp.Diff(sources.Page{Mentions: []sources.Mention{first, second, reply, third}, Rejected: sources.Rejects{Count: 4, Why: "created_at: missing"}, Next: "CAES+/="}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff) // rejected: no time, no id, a comment that is a number, a review that is a string
	}
}

func TestOddAnswers(t *testing.T) {
	s := source(t, "https://example.org")
	for body, want := range map[string]int{
		`{}`: 0, `{"reviews":[]}`: 0, `{"reviews":null,"tokenPagination":null}`: 0,
		`{"error":{"code":403,"message":"x"}}`: -1, `<html>`: -1, ``: -1, `[]`: -1, `{"reviews":[{"reviewId"`: -1, `{"reviews":` + strings.Repeat("[", 100_000): -1,
	} {
		p, err := s.decode([]byte(body), now)
		if (err != nil) != (want < 0) || len(p.Mentions) > 0 || p.Next != "" {
			t.Errorf("%.40s: %+v, %v", body, p, err)
		}
	}
}

// polls is a source on a store, with what it emitted.
type polls struct {
	*Source
	store   *store
	known   memory
	batches []sources.Batch
}

func newPolls(t *testing.T) *polls {
	p := &polls{store: newStore(t)}
	p.Source = source(t, p.store.URL)
	return p
}

// once polls; the cursor goes through its stored form.
func (p *polls) once(t *testing.T) (ops []string, err error) {
	t.Helper()
	p.store.asked = nil
	var stored sources.Cursor
	known, err := p.poll(t.Context(), p.known, func(_ context.Context, b sources.Batch) (sources.Taken, error) {
		p.batches = append(p.batches, b)
		for _, m := range b.Mentions {
			ops = append(ops, string(m.Op)+" "+m.ID)
		}
		stored = b.Cursor
		return sources.Taken{}, nil
	})
	p.known = known
	if stored != nil {
		p.known = memory{}
		if err := json.Unmarshal(stored, &p.known); err != nil {
			t.Fatal(err)
		}
	}
	return ops, err
}

func (p *polls) want(t *testing.T, asked []string, ops ...string) {
	t.Helper()
	got, err := p.once(t)
	if err != nil || !slices.Equal(got, ops) || !slices.Equal(p.store.asked, asked) {
		t.Errorf("got %v, %v, asking for %q; want %v", got, err, p.store.asked, ops)
	}
}

func TestPollsReadWhatIsNew(t *testing.T) {
	p := newPolls(t)
	p.want(t, []string{"token", "0"})
	if len(p.batches) != 1 {
		t.Error("no batch tells of the empty poll")
	}
	p.store.put("1", "x", "")
	p.store.put("2", "x", "")
	p.store.put("3", "x", "")
	p.want(t, []string{"0", "2"}, "create 3", "create 2", "create 1")
	p.want(t, []string{"0"})
	p.store.put("1", "edited", "")
	p.want(t, []string{"0", "2"}, "update 1")
	p.store.put("3", "x", "Sorry!")
	p.want(t, []string{"0", "2"}, "create 3:reply")
	p.store.put("3", "x", "Sorry, and thanks!")
	p.want(t, []string{"0", "2"}, "update 3:reply")
}

// TestFailuresInTheMiddle: what was read counts, and the rest is read later.
func TestFailuresInTheMiddle(t *testing.T) {
	p := newPolls(t)
	for _, id := range []string{"1", "2", "3"} {
		p.store.put(id, "x", "")
	}
	p.store.fails["2"] = http.StatusTooManyRequests
	p.store.retryAfter = "3600"
	ops, err := p.once(t)
	later, ok := errors.AsType[*sources.RetryAfterError](err)
	if !ok || later.After != time.Hour || !slices.Equal(ops, []string{"create 3", "create 2"}) {
		t.Errorf("got %v, %v", ops, err)
	}
	clear(p.store.fails)
	p.Source = source(t, p.store.URL) // an hour later; the manners of the one before would still wait
	p.want(t, []string{"token", "0", "2"}, "create 1")
}

func TestTokens(t *testing.T) {
	p := newPolls(t)
	clock := time.Now()
	p.account.now = func() time.Time { return clock }
	p.want(t, []string{"token", "0"})
	clock = clock.Add(58 * time.Minute)
	p.want(t, []string{"0"}) // it is good for an hour
	clock = clock.Add(time.Minute)
	p.want(t, []string{"token", "0"})
	p.store.bearer = "another" // the old one was withdrawn
	if _, err := p.once(t); err == nil || strings.Contains(err.Error(), "bearer") {
		t.Errorf("got %v", err)
	}
	p.want(t, []string{"token", "0"})
	p.store.fails["token"] = http.StatusBadRequest
	p.account.forget()
	if _, err := p.once(t); err == nil || !strings.Contains(err.Error(), "token: POST 127.0.0.1") {
		t.Errorf("got %v", err)
	}
}

func TestDecodeToken(t *testing.T) {
	for body, want := range map[string]time.Duration{
		`{"access_token":"x","expires_in":300}`: 5 * time.Minute, `{"access_token":"x","expires_in":"300"}`: 5 * time.Minute, `{"access_token":"x"}`: time.Hour,
		`{"access_token":"x","expires_in":1e300}`: time.Hour, `{"access_token":"x","expires_in":-1}`: time.Hour, `{"access_token":""}`: 0, `{"error":"canary"}`: 0, `canary`: 0,
	} {
		bearer, life, err := decodeToken([]byte(body))
		if life != want || (err == nil) != (want > 0) || (bearer == "x") != (want > 0) || err != nil && strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %q, %v, %v", body, bearer, life, err)
		}
	}
}

func TestNew(t *testing.T) {
	client := sources.NewClient(sources.ClientOptions{})
	good := Options{Name: "android", App: "com.example.app", Credentials: keyFile(t, ""), Client: client}
	if s, err := New(good); err != nil || s.opt.URL != DefaultURL || s.account.address != "https://oauth2.googleapis.com/token" {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"no name": func(o *Options) { o.Name = "" }, "no client": func(o *Options) { o.Client = nil }, "no address": func(o *Options) { o.URL = "x" },
		"too often": func(o *Options) { o.Every = time.Second }, "no app": func(o *Options) { o.App = "" }, "a number": func(o *Options) { o.App = "123" },
		"a path": func(o *Options) { o.App = "com.example/../x" }, "no key": func(o *Options) { o.Credentials = nil },
		"a key that is none": func(o *Options) { o.Credentials = []byte(`{"client_email":"canary","private_key":"canary"}`) },
		"a key of another form": func(o *Options) {
			o.Credentials = []byte(`{"client_email":"x","private_key":"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"}`)
		},
		"a literal": func(o *Options) { o.Credentials = []byte("canary") },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	body, err := os.ReadFile("testdata/page1.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	f.Add([]byte(`{"reviews":[{"reviewId":{},"comments":[{"userComment":{"text":"\t\t","lastModified":{"seconds":1e300},"starRating":"5"}}]}]}`))
	s := source(f, "https://example.org")
	f.Fuzz(func(t *testing.T, body []byte) {
		p, err := s.decode(body, now)
		if err != nil {
			return
		}
		for _, m := range p.Mentions {
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

func FuzzToken(f *testing.F) {
	f.Add([]byte(`{"access_token":"x","expires_in":3599}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		bearer, life, err := decodeToken(body)
		if err == nil && (bearer == "" || life <= 0 || life > lifetime) {
			t.Errorf("%q for %v", bearer, life)
		}
	})
}
