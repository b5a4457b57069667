package webhook

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"emberwatch/sources"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "whsec_bXlvbGRzZWNyZXQ="

var now = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

func item(id string) string {
	return fmt.Sprintf(`{"id":%q,"text":"x","created_at":"2026-11-16T07:00:00Z"}`, id)
}

// intake records batches and answers as it is told.
type intake struct {
	batches []sources.Batch
	taken   sources.Taken
	err     error
}

func (in *intake) emit(ctx context.Context, b sources.Batch) (sources.Taken, error) {
	in.batches = append(in.batches, b)
	if errors.Is(in.err, context.DeadlineExceeded) { // an intake that hangs
		<-ctx.Done()
		return sources.Taken{}, ctx.Err()
	}
	return in.taken, in.err
}

// running is a handler whose Run goes on until the end of the test.
func running(t *testing.T, opt Options, emit sources.Emit) *Handler {
	t.Helper()
	h, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	h.now = func() time.Time { return now }
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { h.Run(ctx, nil, emit) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		if h.inlet.IsOpen() {
			return h
		}
		if time.Now().After(deadline) {
			t.Fatal("Run did not begin")
		}
	}
}

func post(h http.Handler, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/v1/mentions", strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAnswerTellsOfEachItem(t *testing.T) {
	in := &intake{taken: sources.Taken{Accepted: 1, Duplicates: 1, Rejected: []sources.Rejected{{Index: 1, Error: "brand: too many"}}}}
	h := running(t, Options{AllowUnsigned: true, Brand: "fjellbryg"}, in.emit)
	w := post(h, `{"items":[{},`+item("a")+`,7,`+item("b")+`,`+item("c")+`]}`)
	want := `{"accepted":1,"duplicates":1,"rejected":[{"index":0,"error":"id: missing"},{"index":2,"error":"not a JSON object"},{"index":3,"error":"brand: too many"}]}` + "\n"
	if w.Code != http.StatusOK || w.Body.String() != want || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	b := in.batches[0]
	if b.Source != "webhook" || len(b.Mentions) != 3 || b.Rejected.Count != 2 || b.Delivery != nil || b.Cursor != nil {
		t.Errorf("batch %+v", b)
	}
	if m := b.Mentions[0]; m.Source != "webhook" || m.Brand != "fjellbryg" || m.ID != "a" {
		t.Errorf("mention %+v", m)
	}
}

func TestForms(t *testing.T) {
	for name, tt := range map[string]struct {
		body   string
		header []string
		want   string
	}{
		"bare":                    {item("a"), nil, `{"accepted":0,"duplicates":0,"rejected":[]}`},
		"list":                    {"[" + item("a") + "]", nil, `{"accepted":0,"duplicates":0,"rejected":[]}`},
		"no items":                {`{"items":[]}`, nil, `{"accepted":0,"duplicates":0,"rejected":[]}`},
		"everything is rejected":  {`{"items":[{}]}`, nil, `{"accepted":0,"duplicates":0,"rejected":[{"index":0,"error":"id: missing"}]}`},
		"NDJSON":                  {item("a") + "\n{}\n" + item("b"), []string{"Content-Type", "application/x-ndjson; charset=utf-8"}, `{"accepted":0,"duplicates":0,"rejected":[{"index":1,"error":"id: missing"}]}`},
		"as curl sends it":        {item("a"), []string{"Content-Type", "application/x-www-form-urlencoded"}, `{"accepted":0,"duplicates":0,"rejected":[]}`},
		"gzip":                    {gzipped(item("a")), []string{"Content-Encoding", "gzip"}, `{"accepted":0,"duplicates":0,"rejected":[]}`},
		"zstd":                    {zstded(item("a")), []string{"Content-Encoding", "zstd"}, `{"accepted":0,"duplicates":0,"rejected":[]}`},
		"identity in large print": {item("a"), []string{"Content-Encoding", "Identity"}, `{"accepted":0,"duplicates":0,"rejected":[]}`},
	} {
		t.Run(name, func(t *testing.T) {
			h := running(t, Options{AllowUnsigned: true}, (&intake{}).emit)
			if w := post(h, tt.body, tt.header...); w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != tt.want {
				t.Errorf("got %d %s", w.Code, w.Body)
			}
		})
	}
}

func gzipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.String()
}

func zstded(s string) string {
	z, _ := zstd.NewWriter(nil)
	defer z.Close()
	return string(z.EncodeAll([]byte(s), nil))
}

func TestRefusals(t *testing.T) {
	big := `{"items":["` + strings.Repeat("x", 2<<20) + `"]}`
	for name, tt := range map[string]struct {
		body   string
		header []string
		emit   error
		want   int
	}{
		"unreadable":              {"hello", nil, nil, 400},
		"empty":                   {"", nil, nil, 400},
		"deep":                    {strings.Repeat("[", 1000), nil, nil, 400},
		"cut-off gzip":            {gzipped(item("a"))[:30], []string{"Content-Encoding", "gzip"}, nil, 400},
		"no gzip":                 {item("a"), []string{"Content-Encoding", "gzip"}, nil, 400},
		"no zstd":                 {item("a"), []string{"Content-Encoding", "zstd"}, nil, 400},
		"long delivery id":        {item("a"), []string{"webhook-id", strings.Repeat("x", 257)}, nil, 400},
		"large":                   {big, nil, nil, 413},
		"large when unpacked":     {gzipped(big), []string{"Content-Encoding", "gzip"}, nil, 413},
		"zstd bomb":               {zstded(strings.Repeat(big, 20)), []string{"Content-Encoding", "zstd"}, nil, 413},
		"many items":              {"[" + strings.Repeat("0,", 10_000) + "0]", nil, nil, 413},
		"another encoding":        {item("a"), []string{"Content-Encoding", "br"}, nil, 415},
		"two encodings":           {item("a"), []string{"Content-Encoding", "gzip, gzip"}, nil, 415},
		"id used before":          {item("a"), []string{"webhook-id", "m"}, fmt.Errorf("delivery: %w", sources.ErrConflict), 409},
		"intake closed":           {item("a"), nil, fmt.Errorf("store: %w", sources.ErrUnavailable), 503},
		"intake hangs":            {item("a"), nil, context.DeadlineExceeded, 503},
		"something else is wrong": {item("a"), nil, errors.New("canary in the store"), 500},
	} {
		t.Run(name, func(t *testing.T) {
			h := running(t, Options{AllowUnsigned: true, Timeout: 20 * time.Millisecond}, (&intake{err: tt.emit}).emit)
			w := post(h, tt.body, tt.header...)
			var answer struct{ Error string }
			if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || answer.Error == "" || strings.Contains(answer.Error, "canary") {
				t.Errorf("body %s", w.Body)
			}
			if w.Code != tt.want || (w.Header().Get("Retry-After") != "") != (tt.want == 503) {
				t.Errorf("status %d, want %d; Retry-After %q", w.Code, tt.want, w.Header().Get("Retry-After"))
			}
		})
	}
}

func TestOtherMethods(t *testing.T) {
	h := running(t, Options{AllowUnsigned: true}, (&intake{}).emit)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/v1/mentions", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("got %d, %v", w.Code, w.Header())
	}
}

func TestSenders(t *testing.T) {
	in := &intake{}
	h := running(t, Options{Senders: []Sender{
		{Name: "shop", Secrets: []string{"the next secret", secret}},
		{Name: "meta", Profile: sources.HubSHA256, Secrets: []string{"fixture-app-secret"}},
		{Name: "desk", Profile: sources.Bearer, Secrets: []string{"token"}},
	}}, in.emit)
	header := http.Header{}
	if err := sources.SignStandard(header, secret, "msg_1", []byte(item("a")), now); err != nil {
		t.Fatal(err)
	}
	signed := []string{"webhook-id", "msg_1", "webhook-timestamp", header.Get("webhook-timestamp"), "webhook-signature", header.Get("webhook-signature")}
	for name, tt := range map[string]struct {
		body   string
		header []string
		sender string // empty: 401
	}{
		"standard":              {item("a"), signed, "shop"},
		"another body":          {item("b"), signed, ""},
		"unsigned":              {item("a"), nil, ""},
		"hub":                   {"[]", []string{"X-Hub-Signature-256", "sha256=" + hubOfEmptyList}, "meta"},
		"hub, another body":     {"[ ]", []string{"X-Hub-Signature-256", "sha256=" + hubOfEmptyList}, ""},
		"bearer":                {item("a"), []string{"Authorization", "Bearer token"}, "desk"},
		"another token":         {item("a"), []string{"Authorization", "Bearer other"}, ""},
		"payload in the query":  {"", []string{"X-Body", item("a")}, ""},
		"unsigned and too deep": {strings.Repeat("[", 1000), nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			in.batches = nil
			w := post(h, tt.body, tt.header...)
			if tt.sender == "" {
				if w.Code != http.StatusUnauthorized || w.Body.String() != `{"error":"the request is not signed by a known sender"}`+"\n" || in.batches != nil {
					t.Errorf("got %d %s", w.Code, w.Body)
				}
				return
			}
			if w.Code != http.StatusOK {
				t.Fatalf("got %d %s", w.Code, w.Body)
			}
			for _, m := range in.batches[0].Mentions {
				if m.Source != tt.sender {
					t.Errorf("source %q, want %q", m.Source, tt.sender)
				}
			}
		})
	}
	if w := post(h, "[]", "X-Hub-Signature-256", "sha256="+hubOfEmptyList); w.Code != http.StatusOK {
		t.Errorf("hub: %d", w.Code)
	}
	if d := in.batches[len(in.batches)-1].Delivery; d == nil || !strings.HasPrefix(d.ID, "meta/body-") {
		t.Errorf("a signature without a time can be sent again and again: delivery %+v", d)
	}
	post(h, item("a"), signed...)
	want := &sources.Delivery{ID: "shop/msg_1", Digest: sha256.Sum256([]byte(item("a")))}
	if diff := cmp.Diff(want, in.batches[len(in.batches)-1].Delivery); diff != "" {
		t.Error(diff)
	}
	h.now = func() time.Time { return now.Add(5*time.Minute + time.Second) }
	if w := post(h, item("a"), signed...); w.Code != http.StatusUnauthorized {
		t.Errorf("replayed after the window: %d", w.Code)
	}
}

// hubOfEmptyList is the HMAC-SHA256 of "[]" under fixture-app-secret, in hex.
const hubOfEmptyList = "4b264183a271cd8f5a0aadf534a314a82ae2b8785b64b5268059a92c03adc0b2"

func TestOnlyWhileRunIsRunning(t *testing.T) {
	h, err := New(Options{AllowUnsigned: true})
	if err != nil {
		t.Fatal(err)
	}
	if w := post(h, item("a")); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("before Run: %d", w.Code)
	}
	ctx, cancel := context.WithCancel(t.Context())
	inside, answered := make(chan struct{}), make(chan int)
	done := make(chan error)
	go func() {
		done <- h.Run(ctx, nil, func(ctx context.Context, _ sources.Batch) (sources.Taken, error) {
			close(inside)
			<-ctx.Done() // a commit that takes long
			return sources.Taken{}, ctx.Err()
		})
	}()
	go func() {
		for {
			w := post(h, item("a")) // refused until Run has begun, then held until it ends
			if ctx.Err() != nil {
				answered <- w.Code
				return
			}
		}
	}()
	<-inside
	if err := h.Run(ctx, nil, nil); err == nil {
		t.Error("it ran twice at once")
	}
	cancel()
	if code := <-answered; code != http.StatusServiceUnavailable {
		t.Errorf("a request in flight at the end: %d", code)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if w := post(h, item("a")); w.Code != http.StatusServiceUnavailable {
		t.Errorf("after Run: %d", w.Code)
	}
}

func TestNew(t *testing.T) {
	for name, opt := range map[string]Options{
		"nobody may push":   {},
		"empty secret":      {Senders: []Sender{{Name: "a", Secrets: []string{""}}}},
		"no secret":         {Senders: []Sender{{Name: "a"}}, AllowUnsigned: true},
		"unknown profile":   {Senders: []Sender{{Name: "a", Profile: "md5", Secrets: []string{"x"}}}},
		"two of one name":   {Senders: []Sender{{Name: "a", Secrets: []string{"x"}}, {Name: "a", Secrets: []string{"y"}}}},
		"two without names": {Senders: []Sender{{Secrets: []string{"x"}}, {Secrets: []string{"y"}}}},
	} {
		if _, err := New(opt); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	h := running(t, Options{Senders: []Sender{{Name: "a", Secrets: []string{"x"}}}, AllowUnsigned: true}, (&intake{}).emit)
	if w := post(h, item("a")); w.Code != http.StatusUnauthorized {
		t.Errorf("an unsigned request beside a sender: %d", w.Code)
	}
}

func TestSendersHaveARateEach(t *testing.T) {
	in := &intake{taken: sources.Taken{Accepted: 1}}
	h := running(t, Options{PerSecond: 0.5, Burst: 2, Senders: []Sender{
		{Name: "shop", Profile: sources.Bearer, Secrets: []string{"of the shop"}},
		{Name: "desk", Profile: sources.Bearer, Secrets: []string{"of the desk"}},
		{Name: "desk", Profile: sources.HubSHA256, Secrets: []string{"of the desk"}},
	}}, in.emit)
	at := now
	h.now = func() time.Time { return at }
	send := func(secret string) *httptest.ResponseRecorder {
		return post(h, item("a"), "Authorization", "Bearer "+secret)
	}
	for k, tt := range []struct {
		secret string
		want   int
	}{
		{"a guess", 401},
		{"a guess", 401},
		{"a guess", 401}, // strangers take nothing from anybody
		{"of the shop", 200},
		{"of the shop", 200},
		{"of the shop", 429},
		{"of the desk", 200},
	} {
		if w := send(tt.secret); w.Code != tt.want {
			t.Errorf("request %d, %s: %d %s", k, tt.secret, w.Code, w.Body)
		}
	}
	w := send("of the shop")
	if w.Code != 429 || w.Header().Get("Retry-After") != "2" || !strings.Contains(w.Body.String(), "Retry-After") {
		t.Errorf("%d, Retry-After %q, %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	if len(in.batches) != 3 {
		t.Errorf("%d batches were handed over", len(in.batches))
	}
	at = at.Add(2 * time.Second)
	if w := send("of the shop"); w.Code != 200 {
		t.Errorf("after Retry-After: %d %s", w.Code, w.Body)
	}
}

func TestTheUsualRateIsGenerous(t *testing.T) {
	h := running(t, Options{AllowUnsigned: true}, (&intake{}).emit)
	taken := 0
	for range 1100 {
		if w := post(h, item("a")); w.Code == 200 {
			taken++
		}
	}
	if taken != 1000 { // the clock of the test stands still
		t.Errorf("%d requests at once were taken", taken)
	}
}
