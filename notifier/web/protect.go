package web

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// policy is the Content-Security-Policy of everything but the chart: our own style sheet, images and forms,
// no script at all.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; " +
	"frame-ancestors 'none'; base-uri 'none'"

// Protect puts in front of h what every request has to pass, whoever it comes from: it sets the security
// headers and refuses foreign hosts and other web sites. It is for handlers that know their senders by
// themselves, such as an intake that checks signatures; see Require for the others.
func (s *Server) Protect(h http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, refuseSaying(http.StatusForbidden, "problem.foreign"))
	}))
	if origin := originOf(s.c.PublicURL); origin != "" {
		// A proxy may change the Host, and then the browser's Origin no longer agrees with it.
		if err := cross.AddTrustedOrigin(origin); err != nil {
			s.c.Logger.Warn("public_url is no origin", "url", origin, "error", err)
		}
	}
	return secured(s.own(cross.Handler(h)))
}

// secured sets the headers that every answer has.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// ownHosts are the names that the server goes by, besides loopback addresses.
func ownHosts(c Config) map[string]bool {
	ours := map[string]bool{"localhost": true}
	for _, h := range c.Hosts {
		ours[hostname(h)] = true
	}
	if u, err := url.Parse(c.PublicURL); err == nil && u.Host != "" {
		ours[hostname(u.Host)] = true
	}
	return ours
}

// ownHost reports whether the Host header is ours. It only matters while nobody has to show a token: a foreign
// page whose name suddenly points to the loopback address would be of the same origin as we are.
func (s *Server) ownHost(r *http.Request) bool {
	if !s.c.Open {
		return true
	}
	name := hostname(r.Host)
	ip, err := netip.ParseAddr(name)
	return s.hosts[name] || err == nil && ip.IsLoopback()
}

// own refuses Host headers that are not ours.
func (s *Server) own(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.ownHost(r) {
			s.fail(w, r, refuseSaying(http.StatusForbidden, "problem.host", "name", oneLine(r.Host, longestName)))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname returns a Host header without its port, in lower case.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// originOf returns scheme://host of a URL; empty if it has none.
func originOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// secure reports whether cookies may be bound to TLS.
func (s *Server) secure(r *http.Request) bool {
	return r.TLS != nil || strings.HasPrefix(strings.ToLower(s.c.PublicURL), "https://")
}
