package main

import (
	"cmp"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// secretEnds are the ends of names of query parameters that hold secrets.
var secretEnds = []string{"key", "token", "secret", "password", "passwd", "pwd", "sig", "signature", "auth", "credential", "credentials", "jwt"}

// secretParameter reports whether a query parameter of that name is likely to hold a secret.
func secretParameter(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(secretEnds, func(end string) bool { return strings.HasSuffix(name, end) })
}

// elsewhere reads an address that is a secret itself, written as env:NAME or file:PATH. It reports whether there is an
// address to look at; one that stands in the file must hold no secrets.
func (v *validation) elsewhere(at string, address *string, instead string) bool {
	if !strings.HasPrefix(*address, "env:") && !strings.HasPrefix(*address, "file:") || strings.Contains(*address, "://") {
		v.openSecrets(at, *address, cmp.Or(instead, at[strings.LastIndexByte(at, '.')+1:]))
		return true
	}
	s := Secret{ref: *address}
	if err := s.resolve(v.c.dir); err != nil {
		v.fail(at, err.Error(), "", "")
		return false
	}
	if v.c.elsewhere == nil {
		v.c.elsewhere = map[string]string{}
	}
	v.c.elsewhere[at], *address = *address, s.value
	return true
}

// openSecrets refuses a password in an address, and warns of what looks like another secret in it. instead is the key that
// a secret may stand under, or the address itself; empty: there is none.
func (v *validation) openSecrets(at, address, instead string) {
	const why = "files are copied, shown and committed"
	u, err := url.Parse(address)
	if err != nil {
		return // told elsewhere
	}
	move := "take it out; what the server has to know is written as " + instead + ": env:NAME or file:PATH"
	if instead == "url" {
		move = "write url: env:NAME or file:PATH, where the whole address stands"
	}
	if u.User != nil {
		hint := "take it out, and use an address that needs none"
		if instead != "" {
			hint = move
		}
		v.fail(at, "holds a user name or password", why, hint)
	}
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		name, value, _ := strings.Cut(pair, "=")
		if name, err = url.QueryUnescape(name); err != nil || value == "" || !secretParameter(name) {
			continue
		}
		hint := "if it is one, keep the file to the user that runs emberwatch (chmod 600): there is no other place for it"
		if instead != "" {
			hint = move
		}
		v.warn(at, "the parameter "+name+" looks like a secret", why, hint)
	}
}

// instead is the key of a source that takes what its server has to know.
func (s *SourceConfig) instead() string {
	for _, key := range []string{"token", "key", "credentials"} {
		if slices.Contains(sourceKeys[s.Type], key) {
			return key
		}
	}
	return ""
}

var (
	userOfAddress  = regexp.MustCompile(`://[^/?#\s]*@`)
	pairsOfAddress = regexp.MustCompile(`([?&;])([^=&;#\s]+)=([^&;#\s]+)`)
)

// veiled is an address without what may be secret in it.
func veiled(address string) string {
	address = userOfAddress.ReplaceAllString(address, "://***@")
	return pairsOfAddress.ReplaceAllStringFunc(address, func(pair string) string {
		m := pairsOfAddress.FindStringSubmatch(pair)
		if name, err := url.QueryUnescape(m[2]); err == nil && !secretParameter(name) {
			return pair
		}
		return m[1] + m[2] + "=***"
	})
}

// printable is c as it may be printed: with addresses that stand elsewhere as where that is.
func (c *Config) printable() *Config {
	out := *c
	out.Sources, out.Notifiers = slices.Clone(c.Sources), slices.Clone(c.Notifiers)
	for i := range out.Sources {
		s := &out.Sources[i]
		s.URL = cmp.Or(c.elsewhere[fmt.Sprintf("sources[%d].url", i)], s.URL)
	}
	for i := range out.Notifiers {
		n := &out.Notifiers[i]
		n.URL = cmp.Or(c.elsewhere[fmt.Sprintf("notifiers[%d].url", i)], n.URL)
	}
	return &out
}

// veil hides the secrets in all addresses of a document.
func veil(n *yaml.Node) {
	if n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "://") {
		n.Value = veiled(n.Value)
	}
	for _, child := range n.Content {
		veil(child)
	}
}
