package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"emberwatch/rules"

	"github.com/urfave/cli/v2"
)

func (a *app) initCommand() *cli.Command {
	return &cli.Command{
		Name: "init", Usage: "write a first configuration and rule file", ArgsUsage: "[DIR]",
		Description: "Writes a commented emberwatch.yml and rules/BRAND.yml that check accepts. Never overwrites.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "brand", Usage: "`NAME` of the brand", Value: "Example Brand"},
			&cli.StringFlag{Name: "handle", Usage: "its `HANDLE` in networks, such as @example"},
			&cli.StringFlag{Name: "feed", Usage: "`URL` of a feed to read, such as a Google Alert"},
		},
		Action: a.init,
	}
}

// initData fills the templates.
type initData struct {
	Name, ID, Handle, Feed string
}

func (a *app) init(c *cli.Context) error {
	if c.Args().Len() > 1 {
		return usage("init takes one folder")
	}
	dir := c.Args().First()
	if dir == "" {
		dir = "."
	}
	name := strings.TrimSpace(c.String("brand"))
	if name == "" || strings.ContainsAny(name, "\n\r\x00") {
		return usage("--brand is empty or spans lines")
	}
	id, _ := rules.Starter().BrandID(name)
	data := initData{Name: name, ID: id, Handle: c.String("handle"), Feed: c.String("feed")}
	files := []rules.File{
		{Name: filepath.Join(dir, "emberwatch.yml"), Data: fill(initConfig, data)},
		{Name: filepath.Join(dir, "rules", id+".yml"), Data: fill(initRules, data)},
	}
	for _, f := range files {
		if _, err := os.Lstat(f.Name); err == nil {
			return &exitError{exitUsage, fmt.Errorf("%s exists already and is left as it is; choose another folder", f.Name)}
		}
	}
	if err := a.report(initProblems(files[0], files[1])); err != nil {
		return err
	}
	for _, f := range files {
		if err := writeNew(f); err != nil {
			return err
		}
		fmt.Fprintln(a.stdout, "wrote "+f.Name)
	}
	fmt.Fprintf(a.stdout, initNext, files[0].Name, id)
	return nil
}

// fill fills in a template; those of this file cannot fail.
func fill(text string, data initData) []byte {
	var b bytes.Buffer
	t := template.Must(template.New("").Funcs(template.FuncMap{"q": quoteYAML}).Parse(text))
	if err := t.Execute(&b, data); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// initProblems returns what check would refuse of the files: nothing of that kind is written.
func initProblems(config, ruleFile rules.File) (refused rules.Errors) {
	c := Default()
	c.path, c.place = config.Name, map[string]rules.Pos{}
	errs := append(c.read(config.Data), c.Validate()...)
	_, more := rules.Parse([]rules.File{ruleFile}, rules.Options{Now: time.Now()})
	for _, e := range append(errs, more...) {
		if e.Level == rules.LevelError {
			refused = append(refused, e)
		}
	}
	return refused
}

// writeNew writes a file that must not be there yet.
func writeNew(file rules.File) (err error) {
	if err := os.MkdirAll(filepath.Dir(file.Name), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(file.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(file.Data)
	return errors.Join(err, f.Close())
}

// quoteYAML writes a string as a YAML scalar that means just that.
func quoteYAML(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\t", `\t`).Replace(clean(s)) + `"`
}

const initNext = `
next:
  1. emberwatch --config %[1]s check
  2. emberwatch --config %[1]s run
     and, in another terminal, send a mention:
     curl -d '{"id":"1","brand":"%[2]s","text":"my charger caught fire and burned my hand","created_at":"'$(date -u +%%FT%%TZ)'"}' http://127.0.0.1:8080/v1/mentions
  3. emberwatch slack-manifest    (creates the Slack app; then set SLACK_BOT_TOKEN and SLACK_APP_TOKEN)
`

const initConfig = `# Emberwatch. Every key is optional but for version; "emberwatch check --print" shows what is in force.
version: 1

# Rule files, relative to this file.
rules: [rules/*.yml]

http:
  # Page, API and intake. Any address that others can reach needs tokens and an intake secret.
  listen: 127.0.0.1:8080

# Who may push mentions to POST /v1/mentions. Secrets never stand in this file.
# intake: {secret: env:EMBERWATCH_INTAKE_SECRET}

# slack:
#   bot_token: env:SLACK_BOT_TOKEN      # xoxb-…
#   app_token: env:SLACK_APP_TOKEN      # xapp-…, Socket Mode: no public address needed
#   channel: "#pr-alerts"
{{if .Feed}}
sources:
  - {type: feed, name: news, url: {{q .Feed}}, every: 10m}
{{- else}}
# sources:
#   - {type: feed, name: news, url: "https://www.google.com/alerts/feeds/…", every: 10m}
{{- end}}
#   - {type: bluesky, name: bsky}   # everything there that names a brand of the rule files; README lists the other types
#   - {type: jsonl, name: past, path: "history/*.ndjson.gz", history: true}   # teaches, alerts nobody

retention: {text: 30d, counts: 400d, audit: 24mo}
`

const initRules = `# What Emberwatch listens for. Check it with: emberwatch check
version: 1
timezone: UTC

brands:
  {{.ID}}:
    names: [{{q .Name}}]
{{- if .Handle}}
    handles: {any: [{{q .Handle}}]}
{{- else}}
    # handles: {instagram: ["@example"], x: ["@example"]}
{{- end}}
    # hashtags: [example]
    # own_authors: ["instagram:example"]     # what you write yourself is never counted
    # exclude: ["example recipe"]            # texts with these words are about something else

# The starter rules need no editing: more complaints than usual, many complaints about one topic, and
# single mentions of injury, leaked data, discrimination or lawyers. There are more for a trade: consumer (goods that
# people use or eat), app (apps and services), retail (shops and delivery), hospitality; for example [starter, retail].
packs: [starter]

routes:
  default:
    slack: {channel: "#pr-alerts"}
    # quiet_hours: {timezone: Europe/Berlin, hours: "22:00-07:00", pass_severity: 2, otherwise: digest_at_end}
    # ladder:
    #   - {after: 10m, severity: 1, to: lead}
  # lead: {slack: {user: "@ingrid"}}

# A rule of your own: a ceiling on how often it may tell you, not a threshold.
# rules:
#   - id: refunds
#     title: Many ask for their money back
#     kind: burst
#     brand: {{.ID}}
#     match: {sentiment: negative, category: billing_refund}
#     floor: {items: 5, authors: 4}
#     budget: {severity_3: 1/week}
`
