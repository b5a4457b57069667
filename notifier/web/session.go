package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	sessionLength = 12 * time.Hour
	loginTries    = 10 // failures that an address has
	loginPause    = time.Minute
	formLimit     = 64 << 10
)

// cookieName is the name of the session cookie. Browsers take one with the prefix only over TLS and for
// this host alone.
func (s *Server) cookieName(r *http.Request) string {
	if s.secure(r) {
		return "__Host-emberwatch"
	}
	return "emberwatch"
}

// seal makes the value of a session cookie: name of the token, end, signature.
func (s *Server) seal(name string, until time.Time) string {
	body := base64.RawURLEncoding.EncodeToString([]byte(name)) + "." + strconv.FormatInt(until.Unix(), 10)
	return body + "." + s.sign(body)
}

func (s *Server) sign(body string) string {
	key := s.access.Load().key
	mac := hmac.New(sha256.New, key[:])
	mac.Write([]byte("session\x00" + body))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// session returns who the session cookie was given to.
func (s *Server) session(r *http.Request) (person, bool) {
	c, err := r.Cookie(s.cookieName(r))
	if err != nil {
		return person{}, false
	}
	i := strings.LastIndexByte(c.Value, '.')
	if i < 0 || !hmac.Equal([]byte(s.sign(c.Value[:i])), []byte(c.Value[i+1:])) {
		return person{}, false
	}
	name64, end, _ := strings.Cut(c.Value[:i], ".")
	name, err := base64.RawURLEncoding.DecodeString(name64)
	until, err2 := strconv.ParseInt(end, 10, 64)
	if err != nil || err2 != nil || !s.c.Now().Before(time.Unix(until, 0)) {
		return person{}, false
	}
	for _, t := range s.access.Load().tokens {
		if t.Name == string(name) {
			return person{name: t.Name, scopes: t.Scopes}, true
		}
	}
	return person{}, false
}

// askLogin answers a stranger. Somebody who follows a link from another site (a Slack message) may well be
// logged in: a SameSite=Strict cookie is not sent then. A page that calls itself up again sends it.
func (s *Server) askLogin(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Site") == "cross-site" {
		s.render(w, s.voice(r), http.StatusOK, "wait.html", struct {
			frame
			Again string
		}{frame{Title: s.voice(r).Say("page.moment")}, r.URL.RequestURI()})
		return
	}
	target := "/login"
	if r.Method == http.MethodGet && r.URL.Path != "/" {
		target += "?" + url.Values{"next": {r.URL.RequestURI()}}.Encode()
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// loginView is what the login page shows.
type loginView struct {
	frame
	Next    string
	Problem string
}

func (s *Server) loginForm(w http.ResponseWriter, r *http.Request) {
	if s.c.Open {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	v := s.voice(r)
	s.render(w, v, http.StatusOK, "login.html", loginView{frame{Title: v.Say("page.login")}, localPath(r.FormValue("next")), ""})
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, formLimit)
	now, from := s.c.Now(), address(r)
	v := s.voice(r)
	again := loginView{frame{Title: v.Say("page.login")}, localPath(r.PostFormValue("next")), ""}
	if wait := s.logins.blocked(from, now); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait.Seconds())+1))
		again.Problem = v.Say("page.login.many", "span", v.spanAfter(wait+time.Minute))
		s.render(w, v, http.StatusTooManyRequests, "login.html", again)
		return
	}
	t, ok := s.token(strings.TrimSpace(r.PostFormValue("token")))
	if !ok {
		s.logins.failed(from, now)
		s.c.Logger.Warn("login refused", "from", from.String())
		again.Problem = v.Say("page.login.unknown")
		s.render(w, v, http.StatusUnauthorized, "login.html", again)
		return
	}
	s.setCookie(w, r, s.cookieName(r), s.seal(t.Name, now.Add(sessionLength)), sessionLength)
	http.Redirect(w, r, again.Next, http.StatusSeeOther)
}

func (s *Server) logout(w http.ResponseWriter, r *http.Request) {
	s.setCookie(w, r, s.cookieName(r), "", -time.Second)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

func (s *Server) setCookie(w http.ResponseWriter, r *http.Request, name, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: int(age / time.Second),
		HttpOnly: true, Secure: s.secure(r), SameSite: http.SameSiteStrictMode,
	})
}

// localPath returns p if it is a path on this server, else "/": a login must not send people elsewhere.
func localPath(p string) string {
	u, err := url.Parse(p)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(p, "/") ||
		strings.HasPrefix(p, "//") || strings.ContainsRune(p, '\\') {
		return "/"
	}
	return p
}
