package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"
	"emberwatch/sources"
	"emberwatch/sources/jsonl"
)

// sourceKeys are the types of source of this version, each with the keys that it uses besides type and name. A
// key that is not listed here would be ignored, and is warned of.
var sourceKeys = map[string][]string{
	"appstore":   {"app", "countries", "pages", "every", "url", "path", "brand", "budget"},
	"bluesky":    {"url", "api", "dids", "brand", "budget"},
	"discourse":  {"url", "query", "token", "user", "every", "brand", "budget"},
	"feed":       {"url", "every", "kind", "network", "brand", "budget"},
	"googleplay": {"app", "credentials", "every", "url", "brand"},
	"hackernews": {"url", "query", "every", "brand", "budget"},
	"jsonl":      {"path", "follow", "history", "brand", "timezone"},
	"mastodon":   {"url", "hashtags", "token", "every", "brand", "budget"},
	"meta":       {"secret", "verify_token", "token", "url", "brand"},
	"webhook":    {"secret", "profile", "each", "map", "brand", "timezone"},
	"youtube":    {"key", "channel", "videos", "budget", "every", "url", "brand"},
}

// intakeName is the name that the pushed mentions have, which no other source can have.
const intakeName = "webhook"

func (v *validation) sources() {
	names := map[string]int{}
	for i := range v.c.Sources {
		at, s := fmt.Sprintf("sources[%d]", i), &v.c.Sources[i]
		if s.Name == "" {
			v.fail(at+".name", "a source needs a name", "it stands in every mention and alert", "add name: something short")
		} else if first, ok := names[s.Name]; ok {
			v.fail(at+".name", fmt.Sprintf("the name %q is taken by sources[%d]", s.Name, first), "ids are unique within a source", "choose another name")
		} else if s.Name == intakeName && s.Type != "webhook" {
			v.fail(at+".name", fmt.Sprintf("the name %q is taken by the intake", s.Name), "mentions that are pushed to /v1/mentions have it", "choose another name")
		}
		names[s.Name] = i
		v.sourceSecrets(at, s)
		if v.elsewhere(at+".url", &s.URL, s.instead()) {
			v.sourceType(at, s)
			v.sourceValues(at, s)
		}
	}
}

func (v *validation) sourceType(at string, s *SourceConfig) {
	_, known := sourceKeys[s.Type]
	if !known {
		v.fail(at+".type", fmt.Sprintf("unknown type %q", s.Type), "", rules.Suggest(s.Type, slices.Sorted(maps.Keys(sourceKeys))))
		return
	}
	if s.Type == "jsonl" && (len(s.Path) == 0 || slices.Contains(s.Path, "")) {
		v.fail(at+".path", "not set", "there is nothing to read", "add path: a file, folder, pattern, or - for standard input")
	}
	v.unusedKeys(at, s)
	v.history(at, s)
	switch {
	case s.Type == "jsonl":
		v.paths(at, s)
	case s.Type == "webhook":
		v.webhook(at, s)
	case s.Type == "meta":
		v.meta(at, s)
	case s.Type == "appstore", s.Type == "googleplay", s.Type == "youtube":
		v.account(at, s)
	default:
		v.polled(at, s)
	}
}

// keys lists the keys that have a value, besides type and name.
func (s *SourceConfig) keys() []string {
	var out []string
	v := reflect.ValueOf(*s)
	for i := range v.NumField() {
		if key := v.Type().Field(i).Tag.Get("yaml"); key != "type" && key != "name" && !v.Field(i).IsZero() {
			out = append(out, key)
		}
	}
	return out
}

// unusedKeys warns of keys that the type of a source does nothing with. A history that cannot be is an error
// of its own.
func (v *validation) unusedKeys(at string, s *SourceConfig) {
	uses := sourceKeys[s.Type]
	fix := "remove it; a source of this type uses " + strings.Join(append([]string{"type", "name"}, uses...), ", ")
	for _, key := range s.keys() {
		if !slices.Contains(uses, key) && key != "history" {
			v.warn(at+"."+key, "a source of type "+s.Type+" does not use it", "it is ignored", fix)
		}
	}
}

// history refuses a history without an end: all other sources wait until it has been read.
func (v *validation) history(at string, s *SourceConfig) {
	const why = "the other sources begin when a history has been read to its end"
	switch {
	case !s.History:
	case s.Type != "jsonl":
		v.fail(at+".history", "a source of type "+s.Type+" cannot be a history", why+", and this one has none",
			"remove it, or give the past as files: {type: jsonl, path: …, history: true}")
	case slices.Contains(s.Path, jsonl.Stdin):
		v.fail(at+".history", "standard input cannot be a history", why+", and nobody knows whether standard input has one",
			"put the mentions into a file, or remove history")
	case s.Follow:
		v.fail(at+".follow", "a history cannot be followed", why,
			"remove follow, or make two sources: one with history for the past, one with follow for what comes")
	}
}

// paths refuses what could be no file name, and warns of what leads to no file.
func (v *validation) paths(at string, s *SourceConfig) {
	before := len(v.errs)
	if slices.Contains(s.Path, jsonl.Stdin) && len(s.Path) > 1 {
		v.fail(at+".path", "standard input (-) stands beside files", "its end would never be known", "make it a source of its own")
	}
	for _, p := range s.Path {
		if _, err := filepath.Match(p, ""); err != nil {
			v.fail(at+".path", fmt.Sprintf("%q is no pattern", p), "a [ in it is not closed, or a \\ stands at its end", `write \[ for a bracket that is part of the name`)
		}
	}
	if len(v.errs) > before {
		return
	}
	for _, p := range v.c.unmatched(s) {
		v.warn(at+".path", fmt.Sprintf("no file is at %q", p), "nothing will be read from there", "correct it; a relative path begins where "+v.c.name()+" is")
	}
}

// unmatched are the paths of a source that lead to no file. Where files are followed they may come later, if there is a
// folder for them to come to.
func (c *Config) unmatched(s *SourceConfig) (missing []string) {
	for _, p := range s.Path {
		path := c.resolvePath(p)
		found, err := jsonl.Files([]string{path})
		if s.Follow {
			_, err = os.Stat(filepath.Dir(path))
		}
		if err != nil || len(found) == 0 && !s.Follow {
			missing = append(missing, p)
		}
	}
	return missing
}

// sourceValues checks what is written, whether the type uses it or not.
func (v *validation) sourceValues(at string, s *SourceConfig) {
	v.openSecrets(at+".api", s.API, "")
	if s.URL != "" && s.Type != "bluesky" { // whose addresses may be of websockets
		v.webAddress(at+".url", s.URL)
	}
	v.every(at+".every", s.Every)
	if s.Timezone != "" {
		if _, err := time.LoadLocation(s.Timezone); err != nil {
			v.fail(at+".timezone", fmt.Sprintf("unknown time zone %q", s.Timezone), "", "use an IANA name such as Europe/Oslo")
		}
	}
	if s.Kind != "" && !slices.Contains(sources.Kinds, sources.Kind(s.Kind)) {
		v.fail(at+".kind", fmt.Sprintf("unknown kind %q", s.Kind), "", rules.Suggest(s.Kind, kindNames()))
	}
}

func kindNames() []string {
	var names []string
	for _, k := range sources.Kinds {
		names = append(names, string(k))
	}
	return names
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

// networks returns where the configured sources read; nil if anything may come: where mentions are pushed, or read from files.
func (c *Config) networks() []string {
	if len(c.Sources) == 0 || c.Intake.Secret.ref != "" || len(c.Intake.Senders) > 0 {
		return nil
	}
	var all []string
	for i := range c.Sources {
		switch s := &c.Sources[i]; {
		case s.Network != "":
			all = append(all, s.Network)
		case s.Type == "meta":
			all = append(all, "instagram", "facebook")
		case s.Type == "jsonl", s.Type == "webhook":
			return nil
		default:
			all = append(all, s.Type)
		}
	}
	return all
}

// sourceSecrets reads the secrets of a source, whatever its type.
func (v *validation) sourceSecrets(at string, s *SourceConfig) {
	for i := range s.Secret {
		v.secret(at+".secret", &s.Secret[i], true)
	}
	v.secret(at+".verify_token", &s.VerifyToken, false)
	v.secret(at+".token", &s.Token, false)
	v.secret(at+".credentials", &s.Credentials, false)
	v.secret(at+".key", &s.Key, false)
}
