package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"emberwatch/notifier"
)

// guarded is a server with a token for each kind of holder, and its clock.
func guarded(w *world) (*Server, *time.Time) {
	now := noon
	c := configOf(w)
	c.Open, c.Now = false, func() time.Time { return now }
	c.Tokens = []Token{
		NewToken("reader", "read-secret", Read), NewToken("desk", "desk-secret", Read, Act),
		NewToken("intake", "ingest-secret", Ingest), NewToken("root", "admin-secret", Admin),
	}
	return New(c), &now
}

func bearer(secret string) []string { return []string{"Authorization", "Bearer " + secret} }

func TestScopes(t *testing.T) {
	s, _ := guarded(busy())
	reload := s.Require(Admin, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusAccepted) }))
	const list, ack = "/api/v1/incidents", "/api/v1/incidents/fjellbryg-3/ack"
	for _, c := range []struct {
		name string
		h    http.Handler
		request
		code int
	}{
		{"nobody reads", s, get(list), 401},
		{"an unknown token", s, get(list, bearer("guess")...), 401},
		{"an empty token", s, get(list, bearer("")...), 401},
		{"another kind of authorization", s, get(list, "Authorization", "Basic read-secret"), 401},
		{"read reads", s, get(list, bearer("read-secret")...), 200},
		{"the word bearer in small letters", s, get(list, "Authorization", "bearer read-secret"), 200},
		{"read does not act", s, post(ack, "", bearer("read-secret")...), 403},
		{"act acts", s, post(ack, "", bearer("desk-secret")...), 200},
		{"ingest does not read", s, get(list, bearer("ingest-secret")...), 403},
		{"admin alone does not read", s, get(list, bearer("admin-secret")...), 403},
		{"read does not administer", reload, post("/-/reload", "", bearer("read-secret")...), 403},
		{"admin administers", reload, post("/-/reload", "", bearer("admin-secret")...), 202},
		{"nobody administers", reload, post("/-/reload", ""), 401},
		{"an unknown path says nothing to strangers", s, get("/api/v1/secret"), 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := c.send(c.h)
			if a.Code != c.code {
				t.Fatalf("got %d %s, want %d", a.Code, a.Body, c.code)
			}
			if asks := a.Header().Get("WWW-Authenticate") != ""; asks != (c.code == 401) {
				t.Errorf("WWW-Authenticate is there: %v", asks)
			}
			if c.code >= 400 && decode[problem](t, a).Error == "" {
				t.Errorf("no words: %s", a.Body)
			}
		})
	}
}

func TestActorIsTheToken(t *testing.T) {
	for claim, want := range map[string]string{"": "desk", "desk": "desk", "Boris": "Boris (desk)"} {
		w := busy()
		s, _ := guarded(w)
		post("/api/v1/incidents/fjellbryg-3/ack", `{"as":"`+claim+`"}`, bearer("desk-secret")...).send(s)
		if a := w.last(t).Actor; a.ID != "desk" || a.Name != want || a.Kind != "person" {
			t.Errorf("who says %q is %+v", claim, a)
		}
	}
}

func TestDirectMessagesAreForThoseWhoAct(t *testing.T) {
	s, _ := guarded(busy())
	for _, path := range []string{"/api/v1/incidents/fjellbryg-3", "/api/v1/incidents/fjellbryg-3/drafts", "/api/v1/mentions", "/incidents/fjellbryg-3"} {
		for secret, visible := range map[string]bool{"read-secret": false, "desk-secret": true} {
			body := get(path, bearer(secret)...).send(s).Body.String()
			for _, private := range []string{"Harbour Lane", "Private Person", "@pp", "example.com/p/m4"} {
				if got := strings.Contains(body, private); got && !visible {
					t.Errorf("%s shows %q with %s", path, private, secret)
				}
			}
			if strings.Contains(body, "Harbour Lane") != visible {
				t.Errorf("%s with %s: direct message visible is not %v", path, secret, visible)
			}
			if !strings.Contains(body, "tomwrites") {
				t.Errorf("%s with %s lacks what is public", path, secret)
			}
		}
	}
	drafts := decode[struct {
		Drafts []struct {
			Mention struct{ Masked bool }
			notifier.Suggestion
		}
	}](t, get("/api/v1/incidents/fjellbryg-3/drafts", bearer("read-secret")...).send(s))
	if d := drafts.Drafts[3]; !d.Mention.Masked || len(d.Drafts) != 0 || d.Why != "" || d.Suggest != notifier.Handover {
		t.Errorf("drafts for a masked message: %+v", d)
	}
}

func TestForeignHostIsRefusedWhenOpen(t *testing.T) {
	c := configOf(busy())
	c.Hosts, c.PublicURL = []string{"ember.lan:8080"}, "http://desk.example.org/"
	s := New(c)
	for host, code := range map[string]int{
		"localhost:8080": 200, "LOCALHOST": 200, "127.0.0.1:9": 200, "[::1]:8080": 200, "[::1]": 200, "127.9.9.9": 200,
		"ember.lan": 200, "ember.lan:1": 200, "desk.example.org": 200, "localhost.": 200,
		"evil.example": 403, "evil.example:8080": 403, "localhost.evil.example": 403, "192.168.1.5:8080": 403, "": 403, "127.0.0.1.nip.io": 403,
	} {
		for _, h := range []http.Handler{s, s.Require(Read, s)} {
			if a := get("/api/v1/brands", "Host", host).send(h); a.Code != code {
				t.Errorf("Host %q: got %d, want %d", host, a.Code, code)
			}
		}
	}
}

func TestCrossOriginPostIsRefused(t *testing.T) {
	c := configOf(busy())
	c.PublicURL = "https://ember.example.org"
	s := New(c)
	form := url.Values{"do": {"resolve"}, "version": {"4"}}.Encode()
	const kind, urlencoded = "Content-Type", "application/x-www-form-urlencoded"
	for name, c := range map[string]struct {
		headers []string
		code    int
	}{
		"another site":                 {[]string{"Sec-Fetch-Site", "cross-site"}, 403},
		"a sister site":                {[]string{"Sec-Fetch-Site", "same-site"}, 403},
		"another origin, old browser":  {[]string{"Origin", "https://evil.example"}, 403},
		"no origin":                    {[]string{"Origin", "null"}, 403},
		"the page itself":              {[]string{"Sec-Fetch-Site", "same-origin", "Origin", "http://localhost:8080"}, 303},
		"the public address, by proxy": {[]string{"Origin", "https://ember.example.org"}, 303},
		"no browser":                   {nil, 303},
	} {
		t.Run(name, func(t *testing.T) {
			if a := post("/incidents/fjellbryg-3", form, append(c.headers, kind, urlencoded)...).send(s); a.Code != c.code {
				t.Errorf("page: got %d, want %d", a.Code, c.code)
			}
			want := map[int]int{403: 403, 303: 200}[c.code]
			if a := post("/api/v1/incidents/fjellbryg-3/ack", "", c.headers...).send(s); a.Code != want {
				t.Errorf("API: got %d, want %d", a.Code, want)
			}
		})
	}
}

// login logs in and returns the session cookie.
func login(t *testing.T, s http.Handler, secret string) *http.Cookie {
	t.Helper()
	a := post("/login", url.Values{"token": {secret}, "next": {"/incidents/fjellbryg-3"}}.Encode(), "Content-Type", "application/x-www-form-urlencoded").send(s)
	cookies := a.Result().Cookies()
	if a.Code != 303 || a.Header().Get("Location") != "/incidents/fjellbryg-3" || len(cookies) != 1 {
		t.Fatalf("login: %d to %q with %v", a.Code, a.Header().Get("Location"), cookies)
	}
	return cookies[0]
}

func TestSession(t *testing.T) {
	s, now := guarded(busy())
	c := login(t, s, " desk-secret ")
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure || c.Path != "/" || strings.Contains(c.Value, "secret") {
		t.Errorf("cookie %+v", c)
	}
	if a := get("/", "Cookie", c.Name+"="+c.Value).send(s); a.Code != 200 || !strings.Contains(a.Body.String(), "Log out") {
		t.Errorf("with the session: %d", a.Code)
	}
	if a := post("/api/v1/incidents/fjellbryg-3/ack", "", "Cookie", c.Name+"="+c.Value).send(s); a.Code != 200 {
		t.Errorf("acting with the session: %d", a.Code)
	}
	other, _ := guarded(busy())
	for name, value := range map[string]string{
		"changed": "x" + c.Value, "cut": c.Value[:len(c.Value)-1], "without signature": c.Value[:strings.LastIndex(c.Value, ".")], "empty": "", "dots": "..",
	} {
		if a := get("/api/v1/brands", "Cookie", c.Name+"="+value).send(s); a.Code != 401 {
			t.Errorf("%s cookie: %d", name, a.Code)
		}
	}
	if a := get("/api/v1/brands", "Cookie", c.Name+"="+c.Value).send(other); a.Code != 401 {
		t.Errorf("cookie of another process: %d", a.Code)
	}
	*now = noon.Add(sessionLength)
	if a := get("/api/v1/brands", "Cookie", c.Name+"="+c.Value).send(s); a.Code != 401 {
		t.Errorf("after its end: %d", a.Code)
	}
}

func TestSessionHasTheScopesOfItsToken(t *testing.T) {
	s, _ := guarded(busy())
	c := login(t, s, "read-secret")
	a := get("/incidents/fjellbryg-3", "Cookie", c.Name+"="+c.Value).send(s)
	if strings.Contains(a.Body.String(), `name="do"`) || !strings.Contains(a.Body.String(), "token that may act") {
		t.Error("somebody who may only read is shown a form")
	}
	a = post("/incidents/fjellbryg-3", "do=resolve&version=4", "Cookie", c.Name+"="+c.Value, "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html").send(s)
	if a.Code != 403 || !strings.Contains(a.Body.String(), "lacks the scope") {
		t.Errorf("and it works: %d %s", a.Code, a.Body)
	}
}

func TestCookieIsBoundToTLSWhereThereIsSome(t *testing.T) {
	c := configOf(busy())
	c.Open, c.Tokens, c.PublicURL = false, []Token{NewToken("desk", "desk-secret", Read)}, "HTTPS://ember.example.org"
	if got := login(t, New(c), "desk-secret"); !got.Secure || got.Name != "__Host-emberwatch" {
		t.Errorf("cookie %+v", got)
	}
}

func TestStrangersAreSentToTheLogin(t *testing.T) {
	s, _ := guarded(busy())
	a := get("/incidents/fjellbryg-3?done=ack").send(s)
	if a.Code != 303 || a.Header().Get("Location") != "/login?next=%2Fincidents%2Ffjellbryg-3%3Fdone%3Dack" {
		t.Errorf("%d to %q", a.Code, a.Header().Get("Location"))
	}
	// A link from another site comes without the strict cookie. The page calls itself up again, once.
	a = get("/incidents/fjellbryg-3", "Sec-Fetch-Site", "cross-site").send(s)
	if a.Code != 200 || !strings.Contains(a.Body.String(), `content="0;url=/incidents/fjellbryg-3"`) || strings.Contains(a.Body.String(), "delivery") {
		t.Errorf("from another site: %d %s", a.Code, a.Body)
	}
}

func TestLoginLeadsNowhereElse(t *testing.T) {
	s, _ := guarded(busy())
	for _, next := range []string{"https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "evil", "", "/%zz"} {
		a := post("/login", url.Values{"token": {"desk-secret"}, "next": {next}}.Encode(), "Content-Type", "application/x-www-form-urlencoded").send(s)
		if a.Header().Get("Location") != "/" {
			t.Errorf("next %q leads to %q", next, a.Header().Get("Location"))
		}
	}
}

func TestLoginIsThrottled(t *testing.T) {
	s, now := guarded(busy())
	try := func(secret, from string) *httptest.ResponseRecorder {
		r := httptest.NewRequest("POST", "http://ember/login", strings.NewReader("token="+secret))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	for i := range loginTries {
		if a := try("guess", "192.0.2.1:"+string(rune('1'+i%9))+"000"); a.Code != 401 || !strings.Contains(a.Body.String(), "not known") {
			t.Fatalf("guess %d: %d", i, a.Code)
		}
	}
	if a := try("desk-secret", "192.0.2.1:5000"); a.Code != 429 || a.Header().Get("Retry-After") == "" {
		t.Errorf("after too many failures: %d", a.Code)
	}
	if a := try("desk-secret", "192.0.2.2:5000"); a.Code != 303 {
		t.Errorf("from elsewhere: %d", a.Code)
	}
	*now = noon.Add(loginPause + time.Second)
	if a := try("desk-secret", "192.0.2.1:5000"); a.Code != 303 {
		t.Errorf("after the pause: %d", a.Code)
	}
}

func TestLogout(t *testing.T) {
	s, _ := guarded(busy())
	a := post("/logout", "").send(s)
	if c := a.Result().Cookies(); a.Code != 303 || len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("%d %v", a.Code, c)
	}
}

func TestThrottleForgets(t *testing.T) {
	th := newThrottle(2, time.Minute)
	for i := range throttleSize + 100 {
		r := &http.Request{RemoteAddr: "[2001:db8:" + string("0123456789abcdef"[i>>8&15]) + string("0123456789abcdef"[i>>4&15]) + string("0123456789abcdef"[i&15]) + ":" + string("0123456789abcdef"[i>>12&15]) + "::1]:80"}
		th.failed(address(r), noon)
	}
	if n := len(th.tally); n > throttleSize {
		t.Errorf("%d addresses are remembered", n)
	}
	same := func(host string) *http.Request { return &http.Request{RemoteAddr: "[2001:db8::" + host + "]:80"} }
	th.failed(address(same("1")), noon)
	th.failed(address(same("2")), noon)
	if th.blocked(address(same("3")), noon) == 0 {
		t.Error("one IPv6 network counts as many addresses")
	}
}

func TestOtherTokensAreInForceAtOnce(t *testing.T) {
	c := configOf(busy())
	c.Open, c.Tokens = false, []Token{NewToken("desk", "old-secret", Read)}
	s := New(c)
	login := func(secret string) *http.Cookie {
		t.Helper()
		w := post("/login", "token="+secret, "Content-Type", "application/x-www-form-urlencoded").send(s)
		for _, k := range w.Result().Cookies() {
			return k
		}
		t.Fatalf("login with %s: %d %s", secret, w.Code, w.Body)
		return nil
	}
	asks := func(headers ...string) int { return get("/api/v1/incidents", headers...).send(s).Code }
	session := login("old-secret")

	s.SetTokens([]Token{NewToken("desk", "old-secret", Read)})
	if got := asks("Cookie", session.String()); got != 200 {
		t.Errorf("the same tokens again end a session: %d", got)
	}
	s.SetTokens([]Token{NewToken("desk", "new-secret", Read)})
	for what, got := range map[string]struct{ got, want int }{
		"the old secret":             {asks("Authorization", "Bearer old-secret"), 401},
		"the new secret":             {asks("Authorization", "Bearer new-secret"), 200},
		"a session of the old one":   {asks("Cookie", session.String()), 401},
		"a session of the new one":   {asks("Cookie", login("new-secret").String()), 200},
		"nothing":                    {asks(), 401},
		"nothing, after no token is": {func() int { s.SetTokens(nil); return asks() }(), 401},
	} {
		if got.got != got.want {
			t.Errorf("%s: %d, want %d", what, got.got, got.want)
		}
	}
}

func TestMay(t *testing.T) {
	closed := configOf(busy())
	closed.Open, closed.Tokens = false, []Token{NewToken("desk", "desk-secret", Read), NewToken("shop", "shop-secret", Ingest)}
	open := configOf(busy())
	open.Open = true
	for _, tt := range []struct {
		name    string
		c       Config
		host    string
		secret  string
		allowed bool
	}{
		{"a stranger", closed, "ember.example", "", false},
		{"with the scope", closed, "ember.example", "desk-secret", true},
		{"without the scope", closed, "ember.example", "shop-secret", false},
		{"this machine", open, "localhost:8080", "", true},
		{"a web site that points here", open, "evil.example", "", false},
	} {
		r := httptest.NewRequest("GET", "http://"+tt.host+"/readyz", nil)
		if tt.secret != "" {
			r.Header.Set("Authorization", "Bearer "+tt.secret)
		}
		if got := New(tt.c).May(r, Read); got != tt.allowed {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
