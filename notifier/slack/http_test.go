package slack_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier/notifiertest"
	"emberwatch/notifier/slack"
)

const signingSecret = "canary-signing-secret"

// served is a workspace that sends what people press over HTTP.
func served(t *testing.T, d *desk) (*notifiertest.Slack, *httptest.Server) {
	t.Helper()
	s, n := workspace(t, func(cfg *slack.Config) {
		cfg.SigningSecret, cfg.Responder, cfg.Reader = signingSecret, d, desktop()
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Listen(ctx) }()
	srv := httptest.NewServer(n)
	t.Cleanup(func() {
		srv.Close()
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	eventually(t, "readiness", func() bool { return n.Ready(notifiertest.At) == nil })
	return s, srv
}

// post sends a body as Slack does, signed with a secret at a time.
func post(t *testing.T, srv *httptest.Server, body, secret string, at time.Time) (int, string) {
	t.Helper()
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte("v0:" + stamp + ":" + body))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/slack?payload=%7B%22type%22%3A%22block_actions%22%7D", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Slack-Request-Timestamp", stamp)
	r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
	resp, err := srv.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

const pressedAck = `{"type":"block_actions","api_app_id":"A0EMBER","team":{"id":"T0HOME"},"user":{"id":"U0BORIS","username":"boris","team_id":"T0HOME"},
	"channel":{"id":"C0ALERTS"},"container":{"type":"message","message_ts":"1.2","channel_id":"C0ALERTS"},
	"actions":[{"type":"button","action_id":"ack","block_id":"b1","action_ts":"17.5","value":"fjellbryg-3|1"}]}`

func TestPressesOverHTTP(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	s, srv := served(t, d)
	now := time.Now()
	if code, body := post(t, srv, url.Values{"payload": {pressedAck}}.Encode(), signingSecret, now); code != 200 || body != "" {
		t.Errorf("%d %s", code, body)
	}
	if all := d.all(); len(all) != 1 || all[0].Op != detector.OpAck || all[0].Actor.ID != "U0BORIS" || all[0].ID != "17.5U0BORISack" {
		t.Errorf("%+v", all)
	}
	form := url.Values{"command": {"/emberwatch"}, "text": {"mine"}, "team_id": {"T0HOME"}, "user_id": {"U0BORIS"}, "user_name": {"boris"}, "api_app_id": {"A0EMBER"}}
	if code, body := post(t, srv, form.Encode(), signingSecret, now); code != 200 || !strings.Contains(body, "fjellbryg-1") || !strings.Contains(body, "ephemeral") {
		t.Errorf("%d %s", code, body)
	}
	if code, body := post(t, srv, `{"type":"url_verification","token":"x","challenge":"c4"}`, signingSecret, now); code != 200 || !strings.Contains(body, `{"challenge":"c4"}`) {
		t.Errorf("%d %s", code, body)
	}
	home := `{"type":"event_callback","team_id":"T0HOME","api_app_id":"A0EMBER","event":{"type":"app_home_opened","user":"U0BORIS","tab":"home"}}`
	s.Allow("<@U0INGRID>")
	if code, _ := post(t, srv, home, signingSecret, now); code != 200 {
		t.Error(code)
	}
	eventually(t, "the home tab", func() bool { return s.Home("U0BORIS") != nil })
	clean(t, s)
}

func TestOnlySlackCanPressOverHTTP(t *testing.T) {
	d := &desk{result: detector.Result{Outcome: detector.Applied}}
	_, srv := served(t, d)
	body, now := url.Values{"payload": {pressedAck}}.Encode(), time.Now()
	for what, send := range map[string]func() (int, string){
		"another secret":   func() (int, string) { return post(t, srv, body, "guessed", now) },
		"an empty secret":  func() (int, string) { return post(t, srv, body, "", now) },
		"an old signature": func() (int, string) { return post(t, srv, body, signingSecret, now.Add(-6*time.Minute)) },
		"a future one":     func() (int, string) { return post(t, srv, body, signingSecret, now.Add(6*time.Minute)) },
		"the query alone":  func() (int, string) { return post(t, srv, "", "guessed", now) },
	} {
		if code, text := send(); code != http.StatusUnauthorized || strings.Contains(text, signingSecret) {
			t.Errorf("%s: %d %s", what, code, text)
		}
	}
	if code, _ := post(t, srv, strings.Repeat("x", 2<<20), signingSecret, now); code != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %d", code)
	}
	if code, _ := post(t, srv, "", signingSecret, now); code != 200 || len(d.all()) != 0 {
		t.Errorf("a signed request without a body has pressed something by its query: %d %v", code, d.all())
	}
	resp, err := srv.Client().Get(srv.URL)
	if err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("%v %v", resp, err)
	}
	resp.Body.Close()
}

func TestAPressOverHTTPThatIsNotStoredIsAnError(t *testing.T) {
	s, srv := served(t, &desk{err: errors.New("disk full")})
	if code, _ := post(t, srv, url.Values{"payload": {pressedAck}}.Encode(), signingSecret, time.Now()); code != http.StatusServiceUnavailable {
		t.Error(code)
	}
	eventually(t, "the answer", func() bool { return len(s.Ephemerals()) == 1 })
}

func FuzzHTTP(f *testing.F) {
	f.Add([]byte("payload=" + url.QueryEscape(pressedAck)))
	f.Add([]byte(`{"type":"event_callback","event":{"type":"app_home_opened"}}`))
	f.Add([]byte("command=%2Femberwatch&text=ack+x+2h&team_id=T0HOME"))
	f.Add([]byte("payload=" + url.QueryEscape(`{"type":"view_submission","view":{"private_metadata":"{\"incident\":\"a\"}"}}`)))
	s := notifiertest.NewSlack()
	f.Cleanup(s.Close)
	n, err := slack.New(slack.Config{
		BotToken: notifiertest.BotToken, APIURL: s.URL(), HTTP: s.Client(), SigningSecret: signingSecret,
		Responder: &desk{result: detector.Result{Outcome: detector.Applied}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		stamp := strconv.FormatInt(time.Now().Unix(), 10)
		mac := hmac.New(sha256.New, []byte(signingSecret))
		mac.Write([]byte("v0:" + stamp + ":" + string(body)))
		r := httptest.NewRequest(http.MethodPost, "/slack", strings.NewReader(string(body)))
		r.Header.Set("X-Slack-Request-Timestamp", stamp)
		r.Header.Set("X-Slack-Signature", "v0="+hex.EncodeToString(mac.Sum(nil)))
		w := httptest.NewRecorder()
		n.ServeHTTP(w, r)
		if w.Code != http.StatusOK && len(body) <= 1<<20 {
			t.Errorf("a signed request got %d", w.Code)
		}
	})
}
