package main

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/rules"
	"emberwatch/sources"
)

// scopes that a token may have.
var tokenScopes = []string{"ingest", "read", "act", "admin"}

func byPlace(a, b *rules.Error) int { return cmp.Or(a.Pos.Line-b.Pos.Line, a.Pos.Col-b.Pos.Col) }

type validation struct {
	c    *Config
	errs rules.Errors
}

func (v *validation) add(level rules.Level, id, at, what, why, fix string) {
	pos := v.place(at)
	if name, ok := v.c.variable[at]; ok {
		what = fmt.Sprintf("%s (the variable %s): %s", at, name, what)
	} else if at != "" {
		what = at + ": " + what
	}
	v.errs = append(v.errs, &rules.Error{Pos: pos, ID: id, Level: level, What: what, Why: why, Hint: fix})
}

// place is where a key stands, or for one that is missing, where it should.
func (v *validation) place(at string) rules.Pos {
	for {
		if pos, ok := v.c.place[at]; ok {
			return pos
		}
		dot := strings.LastIndexByte(at, '.')
		if dot < 0 {
			return rules.Pos{File: v.c.name(), Line: 1, Col: 1}
		}
		at = at[:dot]
	}
}

func (v *validation) fail(at, what, why, fix string) {
	v.add(rules.LevelError, "config", at, what, why, fix)
}

func (v *validation) warn(at, what, why, fix string) {
	v.add(rules.LevelWarning, "config", at, what, why, fix)
}

func (v *validation) http() {
	h := &v.c.HTTP
	v.listen("http.listen", h.Listen)
	if (h.TLS.Cert == "") != (h.TLS.Key == "") {
		v.fail("http.tls", "only one of cert and key is set", "TLS needs both", "set http.tls.cert and http.tls.key, or neither")
	} else if _, err := v.c.serverTLS(); err != nil {
		v.fail("http.tls", err.Error(), "nothing can be served with it",
			"set cert and key to files in PEM, the certificate with its chain and the private key that belongs to it; paths are relative to "+v.c.name())
	}
	if h.PublicURL != "" {
		v.webAddress("http.public_url", h.PublicURL)
		v.openSecrets("http.public_url", h.PublicURL, "")
	}
	names := map[string]bool{}
	for i := range h.Tokens {
		at, t := fmt.Sprintf("http.tokens[%d]", i), &h.Tokens[i]
		if t.Name == "" || names[t.Name] {
			v.fail(at+".name", "a token needs a name of its own", "it stands in the audit", "give each token another name")
		}
		names[t.Name] = true
		v.secret(at+".secret", &t.Secret, true)
		for _, s := range t.Scopes {
			if !slices.Contains(tokenScopes, s) {
				v.fail(at+".scopes", fmt.Sprintf("unknown scope %q", s), "", rules.Suggest(s, tokenScopes))
			}
		}
		if len(t.Scopes) == 0 {
			v.fail(at+".scopes", "no scopes", "the token would allow nothing", "use some of "+strings.Join(tokenScopes, ", "))
		}
	}
	if reachable(h.Listen) && len(h.Tokens) == 0 {
		v.fail("http.listen", h.Listen+" is reachable from other machines and no token is configured",
			"everybody could read customers' complaints", "set http.tokens, or listen on 127.0.0.1")
	}
}

func (v *validation) intake() {
	in := &v.c.Intake
	v.secret("intake.secret", &in.Secret, false)
	if in.Listen != "" {
		v.listen("intake.listen", in.Listen)
	}
	for i := range in.Senders {
		at, s := fmt.Sprintf("intake.senders[%d]", i), &in.Senders[i]
		if s.Name == "" {
			v.fail(at+".name", "a sender needs a name", "", "name it after the system that sends")
		}
		v.profile(at+".profile", s.Profile)
		if len(s.Secret) == 0 {
			v.fail(at+".secret", "no secret", "anybody could send", "set it to env:NAME or file:PATH")
		}
		for k := range s.Secret {
			v.secret(at+".secret", &s.Secret[k], true)
			v.signs(at+".secret", sources.Profile(s.Profile), s.Secret[k])
		}
	}
	v.signs("intake.secret", sources.Standard, in.Secret)
	v.senderNames()
	addr := v.c.HTTP.Listen
	if in.Listen != "" {
		addr = in.Listen
	}
	if reachable(addr) && in.Secret.ref == "" && len(in.Senders) == 0 {
		v.fail("intake.secret", "no secret, and "+addr+" is reachable from other machines",
			"anybody could raise false alarms", "set intake.secret to env:NAME or file:PATH, or configure intake.senders")
	}
}

func (v *validation) profile(at, s string) {
	if s != "" && !slices.Contains(sources.Profiles, sources.Profile(s)) {
		v.fail(at, fmt.Sprintf("unknown profile %q", s), "", rules.Suggest(s, profileNames()))
	}
}

func profileNames() []string {
	var names []string
	for _, p := range sources.Profiles {
		names = append(names, string(p))
	}
	return names
}

// signs refuses a secret that is set and that nobody could sign with.
func (v *validation) signs(at string, profile sources.Profile, s Secret) {
	if profile != "" && profile != sources.Standard || s.value == "" {
		return
	}
	if _, err := sources.NewVerifier(sources.Standard, s.value); err != nil {
		v.fail(at, err.Error(), "no request could be signed with it", "write whsec_ and base64, or a secret that begins otherwise")
	}
}

// senderNames refuses two who would be taken for one: same name, same profile. The intake's own secret goes by
// the name of the intake with every profile, a token by its name with bearer.
func (v *validation) senderNames() {
	c := v.c
	type signer struct {
		name    string
		profile sources.Profile
	}
	taken := map[signer]bool{}
	if c.Intake.Secret.ref != "" {
		for _, p := range sources.Profiles {
			taken[signer{intakeName, p}] = true
		}
	}
	claim := func(at, name string, p sources.Profile) {
		if name != "" && taken[signer{name, p}] {
			v.fail(at+".name", fmt.Sprintf("the name %q is taken by another sender of profile %s", name, p), "nobody could tell whose mentions they are",
				"choose another name, or write both secrets into one sender while rotating")
		}
		taken[signer{name, p}] = true
	}
	for i, s := range c.Intake.Senders {
		claim(fmt.Sprintf("intake.senders[%d]", i), s.Name, cmp.Or(sources.Profile(s.Profile), sources.Standard))
	}
	for i, t := range c.HTTP.Tokens {
		if slices.Contains(t.Scopes, "ingest") {
			claim(fmt.Sprintf("http.tokens[%d]", i), t.Name, sources.Bearer)
		}
	}
}

func (v *validation) slack() {
	s := &v.c.Slack
	v.secret("slack.bot_token", &s.BotToken, false)
	v.secret("slack.app_token", &s.AppToken, false)
	v.secret("slack.signing_secret", &s.SigningSecret, false)
	v.webAddress("slack.api_url", s.APIURL)
	v.openSecrets("slack.api_url", s.APIURL, "")
	if t := s.BotToken.value; t != "" && strings.HasPrefix(t, "xapp-") {
		v.fail("slack.bot_token", "this is an app token (xapp-…)", "messages need a bot token", "use the token that starts with xoxb-")
	}
	if t := s.AppToken.value; t != "" && strings.HasPrefix(t, "xoxb-") {
		v.fail("slack.app_token", "this is a bot token (xoxb-…)", "Socket Mode needs an app-level token", "use the token that starts with xapp-")
	}
	if s.BotToken.ref != "" && s.AppToken.ref == "" && s.SigningSecret.ref == "" {
		v.warn("slack.app_token", "not set", "alerts go out, but buttons do nothing", "set it to an app-level token with connections:write")
	}
	if s.SigningSecret.ref != "" && s.AppToken.ref == "" && v.c.HTTP.PublicURL == "" && v.c.path != "" {
		v.warn("http.public_url", "not set", "without Socket Mode, Slack sends what people press to this address",
			"set it, and Slack's request URLs to it with /slack at the end; or set slack.app_token")
	}
	if _, _, _, err := parseWeekly(s.Report); err != nil {
		v.fail("slack.report", err.Error(), "", "write it like monday 09:00, or off")
	}
}

// rephrase takes a model on this machine over http, and any other only over https: mentions go there.
func (v *validation) rephrase(r *RephraseConfig) {
	if r.URL == "" {
		return
	}
	u, err := url.Parse(r.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil:
		v.fail("drafts.rephrase.url", "is no address of a model's server", "", "write it like http://127.0.0.1:11434/v1, and a password as the key")
	case r.Model == "":
		v.fail("drafts.rephrase.model", "is empty", "the server has to know which model to use", "name one that the server has")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		v.warn("drafts.rephrase.url", "is not encrypted", "mentions and the key would cross the network in the clear", "use https")
	}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (v *validation) rest() {
	c := v.c
	if _, err := c.languages(); err != nil {
		v.fail("languages", err.Error(), "", "see the comment at the top of notifier/words/en.yml for what such a file looks like")
	}
	for i, s := range c.Outgoing.Allow {
		if _, err := netip.ParsePrefix(s); err != nil {
			v.fail(fmt.Sprintf("outgoing.allow[%d]", i), fmt.Sprintf("%q is no network", s), "", "write it like 10.1.0.0/16")
		}
	}
	if name := c.modelFile(); name != "" {
		if _, err := sentiment.Open(name); err != nil {
			v.fail("sentiment.model", err.Error(), "without it nothing can be scored", "make one with emberwatch train, or remove the line: the embedded model is used then")
		}
	}
	v.rephrase(&c.Drafts.Rephrase)
	if c.Limits.AutoBrands < 0 {
		v.fail("limits.auto_brands", "must not be negative", "", "")
	}
	if _, err := ParseSize(c.Store.MaxSize); err != nil {
		v.fail("store.max_size", err.Error(), "", "")
	}
	for at, s := range map[string]string{
		"store.backup.every": c.Store.Backup.Every, "retention.text": c.Retention.Text,
		"retention.counts": c.Retention.Counts, "retention.audit": c.Retention.Audit,
	} {
		if _, err := detector.ParseDuration(s); err != nil && s != "" {
			v.fail(at, err.Error(), "", "")
		}
	}
}

func (v *validation) listen(at, addr string) {
	if _, port, err := net.SplitHostPort(addr); err != nil {
		v.fail(at, fmt.Sprintf("%q is no address", addr), "", "write it like 127.0.0.1:8080")
	} else if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		v.fail(at, fmt.Sprintf("%q is no port", port), "", "use a number up to 65535")
	}
}

// reachable reports whether other machines can reach a listen address. What is none is told elsewhere.
func reachable(addr string) bool {
	_, _, err := net.SplitHostPort(addr)
	return err == nil && !loopback(addr)
}

func (v *validation) webAddress(at, s string) {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		v.fail(at, "is no web address", "", "write it like https://example.com/")
	}
}

func (v *validation) secret(at string, s *Secret, needed bool) {
	switch err := s.resolve(v.c.dir); {
	case err != nil:
		v.fail(at, err.Error(), "", "")
	case needed && s.ref == "":
		v.fail(at, "not set", "", "set it to env:NAME or file:PATH")
	}
}

// loopback reports whether a listen address can only be reached from this machine.
func loopback(listen string) bool {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}
