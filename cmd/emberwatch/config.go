package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"emberwatch/rules"
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
	Languages []string         `yaml:"languages"`
	Sources   []SourceConfig   `yaml:"sources"`
	Notifiers []NotifierConfig `yaml:"notifiers"`
	Outgoing  OutgoingConfig   `yaml:"outgoing"`
	Sentiment SentimentConfig  `yaml:"sentiment"`
	Drafts    DraftsConfig     `yaml:"drafts"`
	Limits    LimitsConfig     `yaml:"limits"`
	Store     StoreConfig      `yaml:"store"`
	Retention RetentionConfig  `yaml:"retention"`

	named    []rules.File         // in the place of rules: what a command names, read once, since it may be a pipe
	path     string               // of the file; empty: the built-in defaults
	dir      string               // that relative paths are relative to
	place    map[string]rules.Pos // of each key, by its path: "sources[0].every"
	variable map[string]string    // of the environment, by the key that it fills in where there is no file
	text     []byte               // as read

	elsewhere map[string]string // references to addresses that are secrets themselves, by the path of their key
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

// serverTLS loads the certificate and its key; nil where none is named.
func (c *Config) serverTLS() (*tls.Config, error) {
	if c.HTTP.TLS.Cert == "" || c.HTTP.TLS.Key == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(c.resolvePath(c.HTTP.TLS.Cert), c.resolvePath(c.HTTP.TLS.Key))
	if err != nil {
		return nil, fmt.Errorf("certificate and key: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}}, nil
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
	Report        string      `yaml:"report"` // when the weekly report is posted: "monday 09:00"; off: never
	Allow         AllowConfig `yaml:"allow"`
}

// AllowConfig lists users or groups per operation.
type AllowConfig struct {
	Act     []string `yaml:"act"`
	Resolve []string `yaml:"resolve"`
}

// SourceConfig is one source; which keys count depends on its type, see sourceKeys.
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

	// Of sources that are polled or listened to.
	Budget   int     `yaml:"budget"`
	Query    Strings `yaml:"query"`
	Hashtags Strings `yaml:"hashtags"`
	DIDs     Strings `yaml:"dids"`
	API      string  `yaml:"api"` // beside url, where a second server is asked; off: none is
	User     string  `yaml:"user"`

	// Of sources that are pushed to; a token also of others.
	Secret      Secrets  `yaml:"secret"`
	Profile     string   `yaml:"profile"`
	Each        Strings  `yaml:"each"`
	Map         FieldMap `yaml:"map"`
	VerifyToken Secret   `yaml:"verify_token"`
	Token       Secret   `yaml:"token"`

	// Of sources that read what stands under one's own apps and videos.
	App         string  `yaml:"app"`
	Countries   Strings `yaml:"countries"`
	Pages       int     `yaml:"pages"`
	Credentials Secret  `yaml:"credentials"`
	Key         Secret  `yaml:"key"`
	Channel     string  `yaml:"channel"`
	Videos      Strings `yaml:"videos"`
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
		Slack:     SlackConfig{APIURL: "https://slack.com/api/", Channel: "#pr-alerts", Report: "monday 09:00"},
		Limits:    LimitsConfig{AutoBrands: 1000},
		Store:     StoreConfig{MaxSize: "8GB", Backup: BackupConfig{Every: "24h", Keep: 7}},
		Retention: RetentionConfig{Text: "30d", Counts: "400d", Audit: "24mo"}, dir: ".",
	}
}

// fromEnvironment fills in the secrets that the built-in defaults look for.
func (c *Config) fromEnvironment() {
	c.variable = map[string]string{}
	for name, to := range map[string]struct {
		at     string
		secret *Secret
	}{
		"SLACK_BOT_TOKEN":          {"slack.bot_token", &c.Slack.BotToken},
		"SLACK_APP_TOKEN":          {"slack.app_token", &c.Slack.AppToken},
		"SLACK_SIGNING_SECRET":     {"slack.signing_secret", &c.Slack.SigningSecret},
		"EMBERWATCH_INTAKE_SECRET": {"intake.secret", &c.Intake.Secret},
	} {
		if os.Getenv(name) != "" {
			*to.secret, c.variable[to.at] = Secret{ref: "env:" + name}, name
		}
	}
}

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
	slices.SortStableFunc(v.errs, byPlace)
	return v.errs
}

func (c *Config) name() string {
	if c.path == "" {
		return "defaults"
	}
	return c.path
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
