package main

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"time"

	"emberwatch/detector"
)

// Reloaded says what a reload has done.
type Reloaded struct {
	Rules    string   // hash of the rules in force
	Applied  []string // changed settings that are in force now
	Restart  []string // changed settings that take effect after a restart
	Warnings int
}

// String is the answer to whoever asked. It names settings, never values.
func (r *Reloaded) String() string {
	s := "reloaded, rules " + r.Rules
	if len(r.Applied) > 0 {
		s += "; now in force: " + strings.Join(r.Applied, ", ")
	}
	if len(r.Restart) > 0 {
		s += "; take effect after a restart: " + strings.Join(r.Restart, ", ")
	}
	return s
}

// Reload reads rules, configuration and secrets again and puts in force what can be while the daemon runs, all
// or nothing: rules that fail their own tests are refused. Of the rest it says that it needs a restart.
func (d *Daemon) Reload(by detector.Actor) (Reloaded, error) {
	d.reloading.Lock()
	defer d.reloading.Unlock()
	r, err := d.reload()
	if err != nil {
		d.refuse(err)
		return r, err
	}
	d.reloadErr.Store("")
	d.reloads.WithLabelValues("ok").Inc()
	d.log.Info("reloaded", "rules", r.Rules, "applied", r.Applied, "warnings", r.Warnings)
	if len(r.Restart) > 0 {
		d.log.Warn("these settings take effect after a restart", "settings", r.Restart)
	}
	line := detector.Audit{At: time.Now().UTC(), Actor: by, Op: "reload", Note: r.String(), RuleHash: r.Rules}
	if err := d.db.Record(context.Background(), line); err != nil {
		d.log.Error("the reload is in force, but not in the audit", "err", err)
	}
	return r, nil
}

func (d *Daemon) reload() (r Reloaded, err error) {
	if d.extra != nil {
		return r, errors.New("this daemon plays a recording with rules of its own: there is nothing to reload")
	}
	was := d.cfg()
	wanted, errs, err := Load(was.path)
	if err != nil {
		return r, err
	}
	if errs = append(errs, wanted.Validate()...); errs.Refused() {
		return r, errs
	}
	d.tried.Store(newTriedRules(wanted))
	select {
	case d.read <- struct{}{}:
	default: // it is told already
	}
	set, errs := loadRules(wanted, d.library)
	if errs.Refused() {
		return r, errs
	}
	if set.Hash != d.detector.Rules().Hash {
		if err := d.rehearse(context.Background(), set); err != nil {
			return r, err
		}
	}
	next := was.live(wanted, d.intake != nil)
	keeper, err := d.newDoorkeeper(next)
	if err != nil {
		return r, err
	}
	named, err := d.newNotifiers(next)
	if err != nil {
		return r, err
	}

	// Nothing from here on can fail.
	d.notifiers.Store(&named)
	d.detector.SetRules(set)
	d.detector.SetAutoBrands(next.Limits.AutoBrands)
	d.server.page.SetTokens(webTokens(next))
	if d.intake != nil && otherSenders(was, next) {
		d.intake.replace(keeper)
	}
	d.config.Store(next)
	r = Reloaded{Rules: set.Hash, Warnings: len(errs)}
	r.Applied, r.Restart = compare(was, next, wanted)
	return r, nil
}

// live is the configuration with everything of another one that can be changed while the daemon runs. What
// guards a listener is taken over, where it listens is not: whether unsigned mentions or strangers are let in
// is therefore judged by the address that is in use. The first and the last token change what the page is,
// open or closed, and need a restart; so does an intake that was closed at the start.
func (c *Config) live(wanted *Config, intake bool) *Config {
	next := *c
	next.Rules, next.path, next.dir, next.place = wanted.Rules, wanted.path, wanted.dir, wanted.place
	next.Limits, next.Retention, next.Store.Backup = wanted.Limits, wanted.Retention, wanted.Store.Backup
	next.Notifiers = wanted.Notifiers
	if (len(c.HTTP.Tokens) == 0) == (len(wanted.HTTP.Tokens) == 0) {
		next.HTTP.Tokens = wanted.HTTP.Tokens
	}
	if intake {
		next.Intake.Secret, next.Intake.Senders = wanted.Intake.Secret, wanted.Intake.Senders
	}
	return &next
}

// otherSenders reports whether other senders, or the same with other secrets, may push.
func otherSenders(a, b *Config) bool {
	x, openX := senders(a)
	y, openY := senders(b)
	return openX != openY || !reflect.DeepEqual(x, y)
}

// settings are the parts of a configuration by the names they are told under.
var settings = []struct {
	name string
	of   func(*Config) any
}{
	{"http.listen", func(c *Config) any { return c.HTTP.Listen }},
	{"http.public_url", func(c *Config) any { return c.HTTP.PublicURL }},
	{"http.tls", func(c *Config) any { return c.HTTP.TLS }},
	{"http.tokens", func(c *Config) any { return c.HTTP.Tokens }},
	{"intake.listen", func(c *Config) any { return c.Intake.Listen }},
	{"intake.secret", func(c *Config) any { return c.Intake.Secret }},
	{"intake.senders", func(c *Config) any { return c.Intake.Senders }},
	{"slack", func(c *Config) any { return c.Slack }},
	{"languages", func(c *Config) any { return c.Languages }},
	{"sources", func(c *Config) any { return c.Sources }},
	{"notifiers", func(c *Config) any { return c.Notifiers }},
	{"outgoing", func(c *Config) any { return c.Outgoing }},
	{"sentiment", func(c *Config) any { return c.Sentiment }},
	{"drafts", func(c *Config) any { return c.Drafts }},
	{"limits", func(c *Config) any { return c.Limits }},
	{"store.max_size", func(c *Config) any { return c.Store.MaxSize }},
	{"store.backup", func(c *Config) any { return c.Store.Backup }},
	{"retention", func(c *Config) any { return c.Retention }},
}

// compare tells what was wanted: what is in force now, and what is not.
func compare(was, is, wanted *Config) (applied, restart []string) {
	for _, s := range settings {
		switch now, want := s.of(is), s.of(wanted); {
		case !same(reflect.ValueOf(now), reflect.ValueOf(want)):
			restart = append(restart, s.name)
		case !same(reflect.ValueOf(s.of(was)), reflect.ValueOf(want)):
			applied = append(applied, s.name)
		}
	}
	return applied, restart
}

// same reports whether two settings mean the same. Of secrets it is the value that counts, not where it is
// read from: one that was exchanged in its place is another one. Those that are not in use have no value.
func same(a, b reflect.Value) bool {
	switch x := a.Interface().(type) {
	case Secret:
		y := b.Interface().(Secret)
		return x.value == y.value && (x.value != "" || x.ref == y.ref)
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		for i := range min(a.Len(), b.Len()) {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return a.Len() == b.Len()
	}
	return a.Equal(b)
}

// signalActor is who asks by a signal: nobody knows who sent it.
var signalActor = detector.Actor{Kind: "system", ID: "SIGHUP", Via: "signal"}
