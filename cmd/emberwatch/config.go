package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/rules"
	"emberwatch/sources"
)

// Config is the whole configuration, as written in emberwatch.yml. Durations, sizes and secrets stay the
// strings that they are in the file; Validate reads them all, so that every problem is reported at once with
// its place.
type Config struct {
	Version   int              `yaml:"version"`
	Rules     []string         `yaml:"rules"`
	HTTP      HTTPConfig       `yaml:"http"`
	Intake    IntakeConfig     `yaml:"intake"`
	Slack     SlackConfig      `yaml:"slack"`
	Sources   []SourceConfig   `yaml:"sources"`
	Notifiers []NotifierConfig `yaml:"notifiers"`
	Outgoing  OutgoingConfig   `yaml:"outgoing"`
	Sentiment SentimentConfig  `yaml:"sentiment"`
	Drafts    DraftsConfig     `yaml:"drafts"`
	Limits    LimitsConfig     `yaml:"limits"`
	Store     StoreConfig      `yaml:"store"`
	Retention RetentionConfig  `yaml:"retention"`

	path  string               // of the file; empty: the built-in defaults
	dir   string               // that relative paths are relative to
	place map[string]rules.Pos // of each key, by its path: "sources[0].every"
}

// HTTPConfig is the one listener.
type HTTPConfig struct {
	Listen    string        `yaml:"listen"`
	PublicURL string        `yaml:"public_url"`
	TLS       TLSConfig     `yaml:"tls"`
	Tokens    []TokenConfig `yaml:"tokens"`
}

// TLSConfig names the files of a certificate.
type TLSConfig struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// TokenConfig is one API token.
type TokenConfig struct {
	Name   string   `yaml:"name"`
	Secret Secret   `yaml:"secret"`
	Scopes []string `yaml:"scopes"`
}

// IntakeConfig says who may push mentions.
type IntakeConfig struct {
	Secret  Secret         `yaml:"secret"`
	Listen  string         `yaml:"listen"`
	Senders []SenderConfig `yaml:"senders"`
}

// SenderConfig is one who may push, with one secret, or two while rotating.
type SenderConfig struct {
	Name    string  `yaml:"name"`
	Profile string  `yaml:"profile"`
	Secret  Secrets `yaml:"secret"`
}

// SlackConfig is the workspace.
type SlackConfig struct {
	BotToken      Secret      `yaml:"bot_token"`
	AppToken      Secret      `yaml:"app_token"`
	SigningSecret Secret      `yaml:"signing_secret"`
	Channel       string      `yaml:"channel"`
	APIURL        string      `yaml:"api_url"`
	Allow         AllowConfig `yaml:"allow"`
}

// AllowConfig lists users or groups per operation.
type AllowConfig struct {
	Act     []string `yaml:"act"`
	Resolve []string `yaml:"resolve"`
}

// SourceConfig is one source; which keys count depends on its type.
type SourceConfig struct {
	Type     string  `yaml:"type"`
	Name     string  `yaml:"name"`
	URL      string  `yaml:"url"`
	Path     Strings `yaml:"path"`
	Every    string  `yaml:"every"`
	History  bool    `yaml:"history"`
	Follow   bool    `yaml:"follow"`
	Brand    string  `yaml:"brand"`
	Kind     string  `yaml:"kind"`
	Network  string  `yaml:"network"`
	Timezone string  `yaml:"timezone"`
}

// NotifierConfig is a way to people besides Slack.
type NotifierConfig struct {
	Type     string   `yaml:"type"`
	Name     string   `yaml:"name"`
	URL      string   `yaml:"url"`
	Secret   Secret   `yaml:"secret"`
	SMTP     string   `yaml:"smtp"`
	From     string   `yaml:"from"`
	To       []string `yaml:"to"`
	Password Secret   `yaml:"password"`
	Run      []string `yaml:"run"`
}

// OutgoingConfig lists networks, besides public addresses, that sources may fetch from.
type OutgoingConfig struct {
	Allow []string `yaml:"allow"`
}

// SentimentConfig names a model file; none is in this version.
type SentimentConfig struct {
	Model string `yaml:"model"`
}

// DraftsConfig configures drafts.
type DraftsConfig struct {
	Rephrase RephraseConfig `yaml:"rephrase"`
}

// RephraseConfig is the optional rephrasing model.
type RephraseConfig struct {
	URL   string `yaml:"url"`
	Model string `yaml:"model"`
	Key   Secret `yaml:"key"`
}

// LimitsConfig bounds what may grow.
type LimitsConfig struct {
	AutoBrands int `yaml:"auto_brands"`
}

// StoreConfig is about the data folder.
type StoreConfig struct {
	MaxSize string       `yaml:"max_size"`
	Backup  BackupConfig `yaml:"backup"`
}

// BackupConfig says how often to back up, and how many to keep.
type BackupConfig struct {
	Every string `yaml:"every"`
	Keep  int    `yaml:"keep"`
}

// RetentionConfig says how long what is kept.
type RetentionConfig struct {
	Text   string `yaml:"text"`
	Counts string `yaml:"counts"`
	Audit  string `yaml:"audit"`
}

// Default returns the configuration that is in force where a file says nothing. Without a file, Slack and
// intake secrets come from their usual variables if those are set.
func Default() *Config {
	return &Config{
		Version:   1,
		HTTP:      HTTPConfig{Listen: "127.0.0.1:8080"},
		Slack:     SlackConfig{APIURL: "https://slack.com/api/", Channel: "#pr-alerts"},
		Limits:    LimitsConfig{AutoBrands: 1000},
		Store:     StoreConfig{MaxSize: "8GB", Backup: BackupConfig{Every: "24h", Keep: 7}},
		Retention: RetentionConfig{Text: "30d", Counts: "400d", Audit: "24mo"}, dir: ".",
	}
}

// fromEnvironment fills in the secrets that the built-in defaults look for.
func (c *Config) fromEnvironment() {
	for name, to := range map[string]*Secret{
		"SLACK_BOT_TOKEN": &c.Slack.BotToken, "SLACK_APP_TOKEN": &c.Slack.AppToken,
		"SLACK_SIGNING_SECRET": &c.Slack.SigningSecret, "EMBERWATCH_INTAKE_SECRET": &c.Intake.Secret,
	} {
		if os.Getenv(name) != "" {
			*to = Secret{ref: "env:" + name}
		}
	}
}

// scopes that a token may have.
var tokenScopes = []string{"ingest", "read", "act", "admin"}

// sourceTypes are those of this version, with the keys that each needs.
var sourceTypes = map[string][]string{"jsonl": {"path"}, "feed": {"url"}, "webhook": nil}

// laterSources are types of the format that this version does not read yet.
var laterSources = []string{"appstore", "bluesky", "discourse", "googleplay", "hackernews", "mastodon", "meta", "youtube"}

// Validate reads every value and returns all problems at once; it also resolves the secrets.
func (c *Config) Validate() rules.Errors {
	v := &validation{c: c}
	if c.Version != 1 {
		v.fail("version", fmt.Sprintf("version %d", c.Version), "this program reads version 1", "write version: 1")
	}
	v.http()
	v.intake()
	v.slack()
	v.sources()
	v.notifiers()
	v.rest()
	slices.SortStableFunc(v.errs, func(a, b *rules.Error) int { return a.Pos.Line - b.Pos.Line })
	return v.errs
}

type validation struct {
	c    *Config
	errs rules.Errors
}

func (v *validation) add(level rules.Level, id, at, what, why, fix string) {
	pos, ok := v.c.place[at]
	if !ok {
		pos = rules.Pos{File: v.c.name(), Line: 1, Col: 1}
	}
	if at != "" {
		what = at + ": " + what
	}
	v.errs = append(v.errs, &rules.Error{Pos: pos, ID: id, Level: level, What: what, Why: why, Hint: fix})
}

func (v *validation) fail(at, what, why, fix string) {
	v.add(rules.LevelError, "config", at, what, why, fix)
}

func (v *validation) warn(at, what, why, fix string) {
	v.add(rules.LevelWarning, "config", at, what, why, fix)
}

func (c *Config) name() string {
	if c.path == "" {
		return "defaults"
	}
	return c.path
}

func (v *validation) http() {
	h := &v.c.HTTP
	v.listen("http.listen", h.Listen)
	if (h.TLS.Cert == "") != (h.TLS.Key == "") {
		v.fail("http.tls", "only one of cert and key is set", "TLS needs both", "set http.tls.cert and http.tls.key, or neither")
	}
	if h.PublicURL != "" {
		v.webAddress("http.public_url", h.PublicURL)
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
				v.fail(at+".scopes", fmt.Sprintf("unknown scope %q", s), "", "use "+strings.Join(tokenScopes, ", "))
			}
		}
		if len(t.Scopes) == 0 {
			v.fail(at+".scopes", "no scopes", "the token would allow nothing", "use some of "+strings.Join(tokenScopes, ", "))
		}
	}
	if !loopback(h.Listen) && len(h.Tokens) == 0 {
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
		switch sources.Profile(s.Profile) {
		case "", sources.Standard, sources.HubSHA256, sources.Bearer:
		default:
			v.fail(at+".profile", fmt.Sprintf("unknown profile %q", s.Profile), "", "use standard, hub-sha256 or bearer")
		}
		if len(s.Secret) == 0 {
			v.fail(at+".secret", "no secret", "anybody could send", "set it to env:NAME or file:PATH")
		}
		for k := range s.Secret {
			v.secret(at+".secret", &s.Secret[k], true)
		}
	}
	addr := v.c.HTTP.Listen
	if in.Listen != "" {
		addr = in.Listen
	}
	if !loopback(addr) && in.Secret.ref == "" && len(in.Senders) == 0 {
		v.fail("intake.secret", "no secret, and "+addr+" is reachable from other machines",
			"anybody could raise false alarms", "set intake.secret to env:NAME or file:PATH, or configure intake.senders")
	}
}

func (v *validation) slack() {
	s := &v.c.Slack
	v.secret("slack.bot_token", &s.BotToken, false)
	v.secret("slack.app_token", &s.AppToken, false)
	v.secret("slack.signing_secret", &s.SigningSecret, false)
	v.webAddress("slack.api_url", s.APIURL)
	if t := s.BotToken.value; t != "" && strings.HasPrefix(t, "xapp-") {
		v.fail("slack.bot_token", "this is an app token (xapp-…)", "messages need a bot token", "use the token that starts with xoxb-")
	}
	if t := s.AppToken.value; t != "" && strings.HasPrefix(t, "xoxb-") {
		v.fail("slack.app_token", "this is a bot token (xoxb-…)", "Socket Mode needs an app-level token", "use the token that starts with xapp-")
	}
	if s.BotToken.ref != "" && s.AppToken.ref == "" {
		v.warn("slack.app_token", "not set", "alerts go out, but buttons do nothing", "set it to an app-level token with connections:write")
	}
}

func (v *validation) sources() {
	names := map[string]int{}
	for i := range v.c.Sources {
		at, s := fmt.Sprintf("sources[%d]", i), &v.c.Sources[i]
		if s.Name == "" {
			v.fail(at+".name", "a source needs a name", "it stands in every mention and alert", "add name: something short")
		} else if first, ok := names[s.Name]; ok {
			v.fail(at+".name", fmt.Sprintf("the name %q is taken by sources[%d]", s.Name, first), "ids are unique within a source", "choose another name")
		}
		names[s.Name] = i
		v.sourceType(at, s)
		v.every(at+".every", s.Every)
		if s.Timezone != "" {
			if _, err := time.LoadLocation(s.Timezone); err != nil {
				v.fail(at+".timezone", fmt.Sprintf("unknown time zone %q", s.Timezone), "", "use an IANA name such as Europe/Oslo")
			}
		}
		if s.Kind != "" && !slices.Contains(sources.Kinds, sources.Kind(s.Kind)) {
			v.fail(at+".kind", fmt.Sprintf("unknown kind %q", s.Kind), "", "use one of those that a mention may have, such as article")
		}
	}
}

func (v *validation) sourceType(at string, s *SourceConfig) {
	needs, ok := sourceTypes[s.Type]
	switch {
	case slices.Contains(laterSources, s.Type):
		v.fail(at+".type", fmt.Sprintf("type %q is not in this version", s.Type), "the source would stay silent unnoticed",
			"remove it, or push its mentions to the webhook")
	case !ok:
		v.fail(at+".type", fmt.Sprintf("unknown type %q", s.Type), "", "use feed, jsonl or webhook")
	}
	for _, need := range needs {
		switch {
		case need == "path" && len(s.Path) == 0:
			v.fail(at+".path", "not set", "there is nothing to read", "add path: a file, folder, pattern, or - for standard input")
		case need == "url" && s.URL == "":
			v.fail(at+".url", "not set", "there is nothing to read", "add url: the address of the feed")
		case need == "url":
			v.webAddress(at+".url", s.URL)
		}
	}
}

func (v *validation) every(at, s string) {
	if s == "" {
		return
	}
	if d, err := detector.ParseDuration(s); err != nil {
		v.fail(at, err.Error(), "", "")
	} else if d < time.Minute {
		v.fail(at, s+" is too often", "servers ban impatient readers", "use at least 1m")
	}
}

func (v *validation) notifiers() {
	for i := range v.c.Notifiers {
		at := fmt.Sprintf("notifiers[%d]", i)
		v.warn(at, fmt.Sprintf("notifiers of type %q are not in this version", v.c.Notifiers[i].Type),
			"alerts go to Slack, or to the console without it", "")
	}
}

func (v *validation) rest() {
	c := v.c
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
	if c.Drafts.Rephrase.URL != "" {
		v.warn("drafts.rephrase", "rephrasing is not in this version", "drafts are the reviewed templates", "")
	}
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

// ParseSize reads 8GB, 512MB or a number of bytes.
func ParseSize(s string) (int64, error) {
	s = strings.TrimSpace(strings.ToUpper(s))
	if s == "" {
		return 0, nil
	}
	factor := int64(1)
	for _, u := range []struct {
		suffix string
		factor int64
	}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}} {
		if n, ok := strings.CutSuffix(s, u.suffix); ok {
			s, factor = strings.TrimSpace(n), u.factor
			break
		}
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n < 0 {
		return 0, errors.New("is no size; write it like 8GB or 512MB")
	}
	return int64(n * float64(factor)), nil
}

// resolvePath makes a path of the file relative to it.
func (c *Config) resolvePath(p string) string {
	if p == "-" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}
