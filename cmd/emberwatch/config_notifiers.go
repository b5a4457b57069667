package main

import (
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"

	"emberwatch/notifier"
	"emberwatch/notifier/command"
	"emberwatch/notifier/email"
	"emberwatch/notifier/slack"
	"emberwatch/notifier/webhook"
	"emberwatch/rules"
)

// NotifierConfig is a way to people besides the routes' own; which keys count depends on its type, see notifierKeys.
type NotifierConfig struct {
	Type     string   `yaml:"type"`
	Name     string   `yaml:"name"`
	URL      string   `yaml:"url"`
	Secret   Secret   `yaml:"secret"`
	SMTP     string   `yaml:"smtp"`
	From     string   `yaml:"from"`
	To       []string `yaml:"to"`
	User     string   `yaml:"user"`
	Password Secret   `yaml:"password"`
	Run      []string `yaml:"run"`
	Channel  string   `yaml:"channel"`
}

// notifierKeys are the types of notifier, each with the keys that it needs besides type and name.
var notifierKeys = map[string][]string{
	"webhook": {"url", "secret"},
	"email":   {"smtp", "from", "to"},
	"command": {"run"},
	"slack":   {"channel"}, // another channel of the same workspace
}

// notifierMay are keys that a type can do without.
var notifierMay = map[string][]string{"email": {"user", "password"}}

// ownNames are the names of the ways that routes have by themselves.
var ownNames = []string{"slack", "console"}

func (v *validation) notifiers() {
	taken := map[string]bool{}
	for i := range v.c.Notifiers {
		at, n := fmt.Sprintf("notifiers[%d]", i), &v.c.Notifiers[i]
		switch {
		case n.Name == "":
			v.fail(at+".name", "a notifier needs a name", "routes name it in also and fallback", "add name: something short")
		case slices.Contains(ownNames, n.Name) || taken[n.Name]:
			v.fail(at+".name", fmt.Sprintf("the name %q is taken", n.Name), "routes could not tell the two apart", "choose another name")
		}
		taken[n.Name] = true
		v.secret(at+".secret", &n.Secret, false)
		v.secret(at+".password", &n.Password, false)
		if v.elsewhere(at+".url", &n.URL, "") {
			v.notifier(at, n)
		}
	}
}

// notifier checks one notifier by its type, and at last by making it.
func (v *validation) notifier(at string, n *NotifierConfig) {
	needs, known := notifierKeys[n.Type]
	if !known {
		v.fail(at+".type", fmt.Sprintf("unknown type %q", n.Type), "", rules.Suggest(n.Type, slices.Sorted(maps.Keys(notifierKeys))))
		return
	}
	set, complete := n.keys(), n.Name != ""
	for _, key := range needs {
		if !slices.Contains(set, key) {
			v.fail(at+"."+key, "not set", "a notifier of type "+n.Type+" cannot do without it", "add "+key+": "+notifierExamples[key])
			complete = false
		}
	}
	uses := slices.Concat(needs, notifierMay[n.Type])
	for _, key := range set {
		if !slices.Contains(uses, key) {
			v.warn(at+"."+key, "a notifier of type "+n.Type+" does not use it", "it is ignored",
				"remove it; a notifier of this type uses "+strings.Join(append([]string{"type", "name"}, uses...), ", "))
		}
	}
	if n.Type == "slack" && v.c.Slack.BotToken.ref == "" {
		v.fail(at+".type", "there is no slack.bot_token", "the channel could not be reached", "set slack.bot_token, or use another type")
		return
	}
	if !complete || n.Secret.ref != "" && n.Secret.value == "" {
		return // told already
	}
	if _, err := newNotifier(n, nil, slog.New(slog.DiscardHandler)); err != nil {
		v.fail(at, err.Error(), "", "")
		return
	}
	if n.Type != "command" {
		return
	}
	if err := command.Startable(n.Run[0]); err != nil {
		v.warn(at+".run", err.Error(), "alerts that go there are lost", programRepair)
	}
}

// programRepair says what to do about a program that cannot be run.
const programRepair = "install it on the machine that runs emberwatch, make it executable (chmod +x), or correct its path"

var notifierExamples = map[string]string{
	"url": "https://example.com/hook", "secret": "env:NAME or file:PATH", "smtp": "mail.example.com:587",
	"from": "ember@example.com", "to": `["pr@example.com"]`, "run": `["/usr/local/bin/siren"]`, "channel": `"#pr-backup"`,
}

// keys lists the keys that have a value, besides type and name.
func (n *NotifierConfig) keys() []string {
	var out []string
	v := reflect.ValueOf(*n)
	for i := range v.NumField() {
		if key := v.Type().Field(i).Tag.Get("yaml"); key != "type" && key != "name" && !v.Field(i).IsZero() {
			out = append(out, key)
		}
	}
	return out
}

// newNotifier makes a notifier; workspace is that of the configuration, nil where there is none.
func newNotifier(n *NotifierConfig, workspace *slack.Notifier, log *slog.Logger) (notifier.Notifier, error) {
	switch n.Type {
	case "webhook":
		return webhook.New(webhook.Options{Name: n.Name, URL: n.URL, Secret: n.Secret.value})
	case "email":
		return email.New(email.Options{
			Name: n.Name, Server: n.SMTP, From: n.From, To: n.To, User: n.User, Password: n.Password.value,
		})
	case "command":
		return command.New(command.Options{Name: n.Name, Run: n.Run, Log: log})
	}
	return workspace.Room(n.Name, n.Channel), nil
}

// newNotifiers makes the notifiers of a configuration, by name.
func (d *Daemon) newNotifiers(c *Config) (map[string]notifier.Notifier, error) {
	all := map[string]notifier.Notifier{}
	for i := range c.Notifiers {
		n := &c.Notifiers[i]
		if n.Type == "slack" && d.slack == nil {
			continue // slack.bot_token has come with a reload: it is there after a restart
		}
		made, err := newNotifier(n, d.slack, d.log.With("part", n.Name))
		if err != nil {
			return nil, fmt.Errorf("notifier %s: %w", n.Name, err)
		}
		all[n.Name] = made
	}
	return all, nil
}
