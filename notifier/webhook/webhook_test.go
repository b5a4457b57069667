package webhook_test

import (
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

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/notifier/webhook"
	"emberwatch/sources"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "whsec_LGysw1F/nQbffsRRKdzy2dam+x6dVq6r"

// receiver takes signed alerts and notes what is wrong with them.
type receiver struct {
	*httptest.Server

	mu     sync.Mutex
	bodies []string
	ids    []string
	wrong  []string
	answer func(w http.ResponseWriter) bool // for the next call, once; true: it has answered
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) serve(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	v, err := sources.NewVerifier(sources.Standard, secret)
	if err == nil {
		err = v.Verify(q.Header, body, time.Now())
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bodies, r.ids = append(r.bodies, string(body)), append(r.ids, q.Header.Get("webhook-id"))
	var e notifier.Envelope
	if err == nil {
		err = json.Unmarshal(body, &e)
	}
	if err != nil || e.V != 1 || e.Key == "" {
		r.wrong = append(r.wrong, fmt.Sprint("no signed alert of version 1: ", err, " ", string(body)))
	}
	if f := r.answer; f != nil {
		r.answer = nil
		if f(w) {
			return
		}
	}
	w.WriteHeader(http.StatusNoContent)
}

// next answers the next call with a status and headers.
func (r *receiver) next(status int, header ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = func(w http.ResponseWriter) bool {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		return true
	}
}

func open(t *testing.T, r *receiver) *webhook.Notifier {
	t.Helper()
	n, err := webhook.New(webhook.Options{Name: "oncall", URL: r.URL + "/hook?token=canary", Secret: secret, Client: r.Client()})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestContract(t *testing.T) {
	notifiertest.Run(t, func(t *testing.T) notifiertest.Harness {
		r := newReceiver(t)
		look := func(f func() string) string {
			r.mu.Lock()
			defer r.mu.Unlock()
			return f()
		}
		return notifiertest.Harness{
			Notifier: open(t, r),
			Sent:     func() int { r.mu.Lock(); defer r.mu.Unlock(); return len(r.bodies) },
			Shown: func() string {
				return look(func() string { return strings.ReplaceAll(strings.Join(r.bodies, "\n"), "_", " ") })
			},
			Leaks: func() []string { r.mu.Lock(); defer r.mu.Unlock(); return r.wrong },
			Break: func() { r.next(http.StatusInternalServerError) },
		}
	})
}

func TestWhatAnAnswerMeans(t *testing.T) {
	for _, c := range []struct {
		status  int
		header  []string
		outcome notifier.Outcome
		wait    time.Duration
	}{
		{http.StatusInternalServerError, nil, notifier.Unknown, 0},
		{http.StatusServiceUnavailable, nil, notifier.Unknown, 0},
		{http.StatusServiceUnavailable, []string{"Retry-After", "7"}, notifier.Busy, 7 * time.Second},
		{http.StatusTooManyRequests, nil, notifier.Busy, 30 * time.Second},
		{http.StatusTooManyRequests, []string{"Retry-After", "86400"}, notifier.Busy, 5 * time.Minute},
		{http.StatusTooManyRequests, []string{"Retry-After", "-3"}, notifier.Busy, time.Second},
		{http.StatusRequestTimeout, nil, notifier.NotSent, 0},
		{http.StatusUnauthorized, nil, notifier.ForGood, 0},
		{http.StatusGone, nil, notifier.ForGood, 0},
		{http.StatusFound, []string{"Location", "/elsewhere"}, notifier.ForGood, 0}, // a redirect is not followed
	} {
		t.Run(fmt.Sprint(c.status, c.header), func(t *testing.T) {
			r := newReceiver(t)
			r.next(c.status, c.header...)
			_, err := open(t, r).Notify(t.Context(), notifiertest.Sample())
			de, ok := errors.AsType[*notifier.DeliveryError](err)
			if !ok || de.Outcome != c.outcome || de.RetryAfter != c.wait || len(r.ids) != 1 {
				t.Errorf("%v, waits %v, %d calls", err, de.RetryAfter, len(r.ids))
			}
			if strings.Contains(err.Error(), "canary") {
				t.Errorf("the address is told: %v", err)
			}
		})
	}
}

// TestALostAnswerIsRepeatedUnderTheSameID, so that the receiver can tell.
func TestALostAnswerIsRepeatedUnderTheSameID(t *testing.T) {
	r := newReceiver(t)
	n := open(t, r)
	r.answer = func(http.ResponseWriter) bool { panic(http.ErrAbortHandler) }
	m := notifiertest.Sample()
	m.Alert.Key = "marke-ü 1/default/root/7\r\nX-Evil: 1"
	_, err := n.Notify(t.Context(), m)
	de, ok := errors.AsType[*notifier.DeliveryError](err)
	if !ok || de.Outcome != notifier.Unknown || strings.Contains(err.Error(), "canary") {
		t.Fatal(err)
	}
	if _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if len(r.ids) != 2 || r.ids[0] != r.ids[1] || r.ids[0] != "marke-__1/default/root/7__X-Evil:_1" {
		t.Errorf("ids %q", r.ids)
	}
}

func TestNobodyListens(t *testing.T) {
	r := newReceiver(t)
	n := open(t, r)
	r.Close()
	_, err := n.Notify(t.Context(), notifiertest.Sample())
	if de, ok := errors.AsType[*notifier.DeliveryError](err); !ok || de.Outcome != notifier.Down || strings.Contains(err.Error(), "canary") {
		t.Error(err)
	}
}

// TestTheBodyIsAsPromised: receivers rely on these names.
func TestTheBodyIsAsPromised(t *testing.T) {
	r := newReceiver(t)
	if _, err := open(t, r).Notify(t.Context(), notifiertest.Sample()); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(r.bodies[0]), &got); err != nil {
		t.Fatal(err)
	}
	incident, _ := got["incident"].(map[string]any)
	for key, want := range map[string]any{"v": 1.0, "key": "fjellbryg-3/default/root/1", "type": "root", "reason": "first", "severity": 2.0} {
		if got[key] != want {
			t.Errorf("%s is %v, want %v", key, got[key], want)
		}
	}
	for key, want := range map[string]any{
		"id": "fjellbryg-3", "brand": "fjellbryg", "brand_name": "Fjellbryg", "severity": 2.0, "handling": string(detector.New),
		"observed": 47.0, "expected": 6.1, "window": "1h0m0s", "authors": 39.0, "link": "http://127.0.0.1:8080/incidents/fjellbryg-3",
	} {
		if incident[key] != want {
			t.Errorf("incident.%s is %v, want %v", key, incident[key], want)
		}
	}
	if mentions, _ := got["mentions"].([]any); len(mentions) != 3 {
		t.Errorf("mentions %v", got["mentions"])
	}
}

func TestNewSaysWhatIsWrong(t *testing.T) {
	for _, o := range []webhook.Options{
		{URL: "https://example.com", Secret: secret},
		{Name: "x", URL: "ftp://example.com", Secret: secret},
		{Name: "x", URL: "https://example.com"},
		{Name: "x", URL: "https://example.com", Secret: "whsec_???"},
	} {
		if _, err := webhook.New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// TestProbePostsNothing: the server is reached, with TLS where the address says so, and hears of no alert.
func TestProbePostsNothing(t *testing.T) {
	r := newReceiver(t)
	stranger := httptest.NewTLSServer(r.Config.Handler)
	t.Cleanup(stranger.Close)
	for url, want := range map[string]string{
		r.URL: " takes connections", stranger.URL: "certificate", "http://127.0.0.1:1/": "connection refused", strings.Replace(r.URL, "http:", "https:", 1): "no TLS with ",
	} {
		n, err := webhook.New(webhook.Options{Name: "oncall", URL: url, Secret: secret})
		if err != nil {
			t.Fatal(err)
		}
		if reached, err := n.Probe(t.Context()); !strings.Contains(fmt.Sprint(reached, err), want) || (err == nil) != (url == r.URL) {
			t.Errorf("%s: %q, %v", url, reached, err)
		}
	}
	if len(r.ids) != 0 || len(r.wrong) != 0 {
		t.Errorf("it was posted to: %v %v", r.ids, r.wrong)
	}
}
