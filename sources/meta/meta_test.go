package meta

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"emberwatch/sources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "the app's secret"

var now = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

// intake records batches and answers as it is told.
type intake struct {
	batches []sources.Batch
	err     error
}

func (in *intake) emit(_ context.Context, b sources.Batch) (sources.Taken, error) {
	in.batches = append(in.batches, b)
	return sources.Taken{Accepted: len(b.Mentions)}, in.err
}

func source(t testing.TB, opt Options) *Source {
	t.Helper()
	opt.Name, opt.Secrets, opt.VerifyToken = "meta", []string{"the next one", secret}, "verify me"
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	s.now = func() time.Time { return now }
	return s
}

// running is a source whose Run goes on until the end of the test.
func running(t *testing.T, opt Options, emit sources.Emit) *Source {
	t.Helper()
	s := source(t, opt)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { s.Run(ctx, nil, emit) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	for deadline := time.Now().Add(20 * time.Second); !s.inlet.IsOpen(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("Run did not begin")
		}
	}
	return s
}

func sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func push(ctx context.Context, h http.Handler, body []byte, signature string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/hooks/meta", bytes.NewReader(body))
	if signature != "" {
		r.Header.Set("X-Hub-Signature-256", signature)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func recorded(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// brief is a mention in a line.
func brief(m sources.Mention) string {
	return fmt.Sprintf("%s %s %s %s by %s%s under %s of %s at %s: %s", m.Network, m.Op, m.Kind, m.ID, m.Author.ID, m.Author.Handle, m.ParentID, m.RootID,
		m.CreatedAt.Format("15:04:05"), m.Text)
}

func TestDeliveries(t *testing.T) {
	for name, tt := range map[string]struct {
		want     []string
		rejected int
	}{
		"page.json": {[]string{
			"facebook create comment 710_720 by 800000000000002 under 700000000000001_710 of 700000000000001_710 at 09:16:43: The valve drips again 😤",
			"facebook create comment 710_721 by 700000000000001 under 710_720 of 700000000000001_710 at 09:16:44: Sorry to hear that!", // the Page's own
			"facebook update comment 710_720 by 800000000000002 under 700000000000001_710 of 700000000000001_710 at 09:16:43: The valve drips again and again",
			"facebook create post 700000000000001_711 by 800000000000003 under  of  at 09:06:40: Anybody else without hot water?",
			"facebook create like like:700000000000001_710:800000000000004 by 800000000000004 under 700000000000001_710 of 700000000000001_710 at 09:06:41: ",
			"facebook delete like like:700000000000001_710:800000000000004 by 800000000000004 under 700000000000001_710 of 700000000000001_710 at 09:06:42: ",
			"facebook create share 712 by 800000000000005 under  of 700000000000001_710 at 09:06:43: ",
			"facebook delete comment 710_720 by  under 700000000000001_710 of 700000000000001_710 at 09:16:45: ",
			"facebook create comment 710_723 by  under  of  at 09:16:46: no time of its own, and nobody",
		}, 5}, // a picture without words, an id that is none, an entry and two changes that are none
		"instagram.json": {[]string{
			"instagram create comment 17900000000000011 by 900000000000011runa.k under 18000000000000011 of 18000000000000011 at 09:16:40: Two months. <3",
			"instagram create comment 17900000000000012 by 17841400000000009nordhavn under 17900000000000011 of 18000000000000011 at 09:16:40: Write to us",
			"instagram create tag 17900000000000013 by  under  of 18000000000000012 at 09:16:40: ",
			"instagram create tag 18000000000000013 by  under  of  at 09:16:40: ",
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			in := &intake{}
			s := running(t, Options{Brand: "nordhavn"}, in.emit)
			body := recorded(t, name)
			if w := push(t.Context(), s, body, sign(body)); w.Code != http.StatusOK {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			b := in.batches[0]
			var got []string
			for _, m := range b.Mentions {
				got = append(got, brief(m))
				if m.Source != "meta" || m.Brand != "nordhavn" {
					t.Errorf("%+v", m)
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if b.Rejected.Count != tt.rejected {
				t.Errorf("%d rejected, want %d", b.Rejected.Count, tt.rejected)
			}
			if want := sha256.Sum256(body); b.Delivery == nil || b.Delivery.Digest != want || !strings.HasPrefix(b.Delivery.ID, "body-") {
				t.Errorf("delivery %+v", b.Delivery)
			}
		})
	}
}

func TestHandshake(t *testing.T) {
	s := source(t, Options{}) // it is asked before anything runs
	ask := func(mode, token, challenge string) *httptest.ResponseRecorder {
		q := url.Values{"hub.mode": {mode}, "hub.verify_token": {token}, "hub.challenge": {challenge}}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/hooks/meta?"+q.Encode(), nil))
		return w
	}
	if w := ask("subscribe", "verify me", "1158201444"); w.Code != http.StatusOK || w.Body.String() != "1158201444" || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	for name, w := range map[string]*httptest.ResponseRecorder{
		"another token": ask("subscribe", "verify", "1"), "no token": ask("subscribe", "", "1"), "another mode": ask("unsubscribe", "verify me", "1"),
		"markup": ask("subscribe", "verify me", "<script>"), "no challenge": ask("subscribe", "verify me", ""), "a long one": ask("subscribe", "verify me", strings.Repeat("1", 200)),
	} {
		if w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "script") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

// TestRefusals: what is not taken is refused with a status after which it is sent again, or never was signed.
func TestRefusals(t *testing.T) {
	in := &intake{}
	s := running(t, Options{}, in.emit)
	body := recorded(t, "instagram.json")
	for name, tt := range map[string]struct {
		body      []byte
		signature string
		want      int
	}{
		"unsigned":     {body, "", 401},
		"another body": {body[:len(body)-2], sign(body), 401},
		"no hex":       {body, "sha256=x", 401},
		"no JSON":      {[]byte("x"), sign([]byte("x")), 400},
		"a list":       {[]byte("[]"), sign([]byte("[]")), 400},
		"deep":         {bytes.Repeat([]byte("["), 1000), sign(bytes.Repeat([]byte("["), 1000)), 400},
		"large":        {make([]byte, maxBody+1), "", 413},
	} {
		if w := push(t.Context(), s, tt.body, tt.signature); w.Code != tt.want || len(in.batches) != 0 {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	for want, err := range map[int]error{503: fmt.Errorf("store: %w", sources.ErrUnavailable), 409: sources.ErrConflict, 500: fmt.Errorf("canary")} {
		in.err = err
		if w := push(t.Context(), s, body, sign(body)); w.Code != want || strings.Contains(w.Body.String(), "canary") {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
	}
	if w := push(t.Context(), source(t, Options{}), body, sign(body)); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("before Run: %d", w.Code)
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPut, "/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "GET, POST" {
		t.Errorf("PUT: %d %v", w.Code, w.Header())
	}
}

// graph answers look-ups as it is told, and notes what was asked.
type graph struct {
	mu     sync.Mutex
	status int
	body   string
	asked  []string
}

func (g *graph) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = append(g.asked, r.URL.Path+" "+r.URL.Query().Get("fields")+" "+r.Header.Get("Authorization"))
	if g.status != 0 {
		w.WriteHeader(g.status)
	}
	if g.body != "" {
		fmt.Fprint(w, g.body)
		return
	}
	fmt.Fprint(w, `{"mentioned_comment":{"id":"17900000000000013","text":"@nordhavn is this normal?","timestamp":"2026-11-16T09:00:00+0000","username":"ivo","like_count":4},
		"mentioned_media":{"id":"18000000000000013","caption":"Cold again, @nordhavn","timestamp":"2026-11-16T08:00:00+0000","username":"bo","permalink":"https://www.instagram.com/p/x/"},"id":"17841400000000009"}`)
}

func TestMentionsAreLookedUp(t *testing.T) {
	g := &graph{}
	srv := httptest.NewServer(g)
	defer srv.Close()
	client := sources.NewClient(sources.ClientOptions{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Retries: -1})
	defer client.Close()
	body := recorded(t, "instagram.json")
	const withoutText = "instagram create tag 18000000000000013 by  under  of  at 09:16:40: "
	for name, tt := range map[string]struct {
		status int
		body   string
		code   int
		want   string // the last mention
	}{
		"found":                    {0, "", 200, "instagram create tag 18000000000000013 by bo under  of  at 08:00:00: Cold again, @nordhavn"},
		"gone":                     {404, `{"error":{"code":100}}`, 200, withoutText},
		"not allowed":              {400, `{"error":{"code":10}}`, 200, withoutText},
		"something else":           {200, `{"mentioned_comment":[]}`, 200, withoutText},
		"a page in between":        {200, `<html>`, 503, ""},
		"half of it":               {200, `{"mentioned_comment":{"text":"Cold ag`, 503, ""},
		"too often, as Meta says":  {400, `{"error":{"code":4,"is_transient":false}}`, 503, ""},
		"for the moment":           {400, `{"error":{"code":10,"is_transient":true}}`, 503, ""},
		"too often, as others say": {429, ``, 503, ""},
		"down":                     {500, `{}`, 503, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in := &intake{}
			s := running(t, Options{URL: srv.URL + "/v24.0/", Token: "token", Client: client}, in.emit)
			g.mu.Lock()
			g.status, g.body, g.asked = tt.status, tt.body, nil
			g.mu.Unlock()
			if w := push(t.Context(), s, body, sign(body)); w.Code != tt.code || strings.Contains(w.Body.String(), "127.0.0.1") {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			if err := s.Trouble(); (err == nil) != (name == "found") {
				t.Errorf("trouble: %v", err)
			}
			if tt.code != 200 {
				if len(in.batches) != 0 {
					t.Error("it was handed over and refused")
				}
				return
			}
			ms := in.batches[0].Mentions
			if got := brief(ms[len(ms)-1]); got != tt.want {
				t.Errorf("got %s", got)
			}
			g.mu.Lock()
			defer g.mu.Unlock()
			want := "/v24.0/17841400000000009 mentioned_comment.comment_id(17900000000000013){id,text,timestamp,username,like_count} Bearer token"
			if !slices.Contains(g.asked, want) || len(g.asked) != 2 {
				t.Errorf("asked %q", g.asked)
			}
		})
	}
}

// TestForeignIDsAskForNothing: an id from a delivery is put into an address only if it is a number.
func TestForeignIDsAskForNothing(t *testing.T) {
	in := &intake{}
	client := sources.NewClient(sources.ClientOptions{}) // 127.0.0.1 is refused: asking would be an error
	defer client.Close()
	s := running(t, Options{URL: "http://127.0.0.1:1", Token: "token", Client: client}, in.emit)
	for _, body := range []string{
		`{"object":"instagram","entry":[{"id":"../x","changes":[{"field":"mentions","value":{"media_id":"1"}}]}]}`,
		`{"object":"instagram","entry":[{"id":"1","changes":[{"field":"mentions","value":{"media_id":"1){x}&y="}}]}]}`,
	} {
		if w := push(t.Context(), s, []byte(body), sign([]byte(body))); w.Code != http.StatusOK || len(in.batches[len(in.batches)-1].Mentions) != 1 {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
}

func TestNew(t *testing.T) {
	good := Options{Name: "meta", Secrets: []string{"x"}, VerifyToken: "y"}
	if _, err := New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Options){
		"no name": func(o *Options) { o.Name = "" }, "no secret": func(o *Options) { o.Secrets = nil }, "empty secret": func(o *Options) { o.Secrets = []string{""} },
		"no verify token": func(o *Options) { o.VerifyToken = "" }, "no client": func(o *Options) { o.Token = "t" }, "no address": func(o *Options) { o.URL = "graph" },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzDelivery(f *testing.F) {
	f.Add(recorded(f, "page.json"))
	f.Add(recorded(f, "instagram.json"))
	f.Add([]byte(`{"object":"page","entry":[{"id":1e9,"time":-1,"changes":[{"field":"feed","value":{"item":"like","from":{"id":"\u202e"}}}]}]}`))
	s := source(f, Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		told, rejected, err := decode(body)
		if err != nil {
			return
		}
		b := s.batch(told, rejected)
		if len(b.Mentions)+b.Rejected.Count != len(told)+rejected.Count {
			t.Errorf("%d mentions and %d rejected of %d told and %d rejected", len(b.Mentions), b.Rejected.Count, len(told), rejected.Count)
		}
		for _, m := range b.Mentions {
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

func FuzzFound(f *testing.F) {
	f.Add([]byte(`{"mentioned_media":{"caption":"x","timestamp":"2026-11-16T08:00:00+0000","like_count":-4,"permalink":"javascript:x"},"id":"1"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, err := decodeFound(body, "mentioned_media")
		if err != nil {
			return
		}
		m := sources.Mention{ID: "1", Source: "meta", Kind: sources.Tag, CreatedAt: now}
		answer.addTo(&m)
		if sources.Normalize(&m, now) != nil {
			return // such as a year that cannot be right
		}
		if m.URL != "" && !strings.HasPrefix(strings.ToLower(m.URL), "http") {
			t.Errorf("address %q", m.URL)
		}
	})
}
