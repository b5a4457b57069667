package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/store"
	"emberwatch/notifier/console"
	"emberwatch/notifier/slack"
	"emberwatch/rules"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"
)

func (a *app) doctorCommand() *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "look at everything between here and the first alert, and say how to repair it",
		Description: "The online half of check: data folder, lock, disk, clock, Slack (token, scopes, every channel by a message that is\n" +
			"edited and deleted again, the people and groups that are named, the socket), the other notifiers without telling anything,\n" +
			"every part of each source read once\n" +
			"(of those that are pushed to the running daemon is asked), and what the rules have done so far: those that look at the\n" +
			"same (W05), are silent or tell too much (W06). Nothing that it does stays. Exit code 3 if there are problems; warnings alone: 0, with --strict 3.",
		Flags: []cli.Flag{
			jsonFlag(),
			&cli.BoolFlag{Name: "strict", Usage: "warnings are problems too"},
			serverFlag(),
		},
		Action: a.doctor,
	}
}

// finding is one line of doctor.
type finding struct {
	Check   string `json:"check"`
	Level   string `json:"level"` // ok, warning, error
	Detail  string `json:"detail,omitempty"`
	Problem string `json:"problem,omitempty"`
	Fix     string `json:"fix,omitempty"`
}

func good(check, format string, args ...any) finding {
	return finding{Check: check, Level: "ok", Detail: fmt.Sprintf(format, args...)}
}

func bad(check, problem, fix string) finding {
	return finding{Check: check, Level: "error", Problem: problem, Fix: fix}
}

func doubtful(check, problem, fix string) finding {
	return finding{Check: check, Level: "warning", Problem: problem, Fix: fix}
}

func (a *app) doctor(c *cli.Context) error {
	if c.Args().Present() {
		return usage("doctor takes no arguments")
	}
	cfg, err := a.loadConfig(c)
	if err != nil {
		return err
	}
	set, errs := loadRules(cfg, nil)
	if err := a.report(errs); err != nil {
		return err
	}
	dir, err := dataDir(c)
	if err != nil {
		return err
	}
	count := map[string]int{}
	tell := func(fs ...finding) {
		for _, f := range fs {
			count[f.Level]++
			a.tellFinding(c, f)
		}
	}
	tell(examineFolder(c.Context, cfg, dir)...)
	tell(a.examineRules(c, cfg, set, dir)...)
	tell(examineSlack(c.Context, cfg, set)...)
	tell(examineNotifiers(c.Context, cfg)...)
	tell(examineSources(c.Context, cfg, a.running(c))...)
	if !c.Bool("json") {
		fmt.Fprintf(a.stdout, "%s, %s\n", several(count["error"], "problem"), several(count["warning"], "warning"))
	}
	if count["error"] > 0 || c.Bool("strict") && count["warning"] > 0 {
		return &exitError{Code: exitProblems}
	}
	return nil
}

func (a *app) tellFinding(c *cli.Context, f finding) {
	if c.Bool("json") {
		_ = json.NewEncoder(a.stdout).Encode(f)
		return
	}
	if f.Problem == "" {
		fmt.Fprintf(a.stdout, "ok       %s: %s\n", console.Clean(f.Check), console.Clean(f.Detail))
		return
	}
	fmt.Fprintf(a.stdout, "%-8s %s: %s\n         repair: %s\n", f.Level, console.Clean(f.Check), console.Clean(f.Problem), console.Clean(f.Fix))
}

// examineFolder looks at the data folder, who holds it, and the disk below it. It makes no folder.
func examineFolder(ctx context.Context, cfg *Config, dir string) []finding {
	const check = "data folder"
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		parent := existing(dir)
		if err := unix.Access(parent, unix.W_OK); err != nil {
			return []finding{bad(check, fmt.Sprintf("%s does not exist, and %s cannot be written to", dir, parent), "make it for the user that runs emberwatch, or name another one with --data")}
		}
		return []finding{good(check, "%s does not exist yet; run makes it", dir), examineDisk(parent)}
	}
	return []finding{examineStore(ctx, cfg, dir), examineDisk(dir)}
}

func examineStore(ctx context.Context, cfg *Config, dir string) finding {
	const check = "data folder"
	if _, err := os.Stat(filepath.Join(dir, "state.db")); errors.Is(err, os.ErrNotExist) {
		if err := unix.Access(dir, unix.W_OK); err != nil {
			return bad(check, dir+" cannot be written to", "make it belong to the user that runs emberwatch, or name another one with --data")
		}
		return good(check, "%s is empty; run fills it", dir)
	}
	db, err := store.Open(dir, store.Options{Timeout: time.Second})
	var locked *store.LockedError
	switch {
	case err == nil:
		if err := db.Close(); err != nil {
			return bad(check, err.Error(), "look at the disk, and at emberwatch store check")
		}
		return good(check, "%s can be opened, and nobody holds it", dir)
	case errors.As(err, &locked) && answers(ctx, cfg):
		return good(check, "%s is held by the running daemon (pid %d)", dir, locked.PID)
	case errors.As(err, &locked):
		return bad(check, err.Error()+", and no daemon answers at "+cfg.HTTP.Listen, "end that process if it hangs, or name the folder of this daemon with --data")
	}
	return bad(check, err.Error(), "the user that runs emberwatch has to own it (mode 0700); see emberwatch store check and store restore")
}

// answers reports whether a daemon answers where the configuration has it listen.
func answers(ctx context.Context, cfg *Config) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+cfg.HTTP.Listen+"/healthz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return true // with TLS it is a refusal, and an answer all the same
}

// existing is the nearest folder above that exists.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

func examineDisk(dir string) finding {
	free, err := store.Free(dir)
	switch {
	case err != nil:
		return bad("disk", err.Error(), "name a folder on a local disk with --data")
	case free < lowDisk:
		return bad("disk", fmt.Sprintf("%.0f%% free: below %.0f%% intake is closed", free, lowDisk), "free some space, or name another disk with --data")
	case free < 2*lowDisk:
		return doubtful("disk", fmt.Sprintf("%.0f%% free: below %.0f%% intake is closed", free, lowDisk), "free some space soon")
	}
	return good("disk", "%.0f%% free", free)
}

// examineSlack looks at Slack, and at every channel that a route leads to.
func examineSlack(ctx context.Context, cfg *Config, set *rules.Set) []finding {
	s := &cfg.Slack
	if s.BotToken.value == "" {
		return []finding{doubtful("slack", "no bot token: alerts go to the console", "make the app with emberwatch slack-manifest, and set slack.bot_token (or SLACK_BOT_TOKEN)")}
	}
	n, err := slack.New(slack.Config{
		BotToken: s.BotToken.value, AppToken: s.AppToken.value, SigningSecret: s.SigningSecret.value, APIURL: s.APIURL, DefaultChannel: s.Channel,
		Logger: slog.New(slog.DiscardHandler), Responder: nobody{},
	})
	if err != nil {
		return []finding{bad("slack", err.Error(), "see the slack part of the configuration")}
	}
	var out []finding
	for _, f := range n.Examine(ctx, slackChannels(cfg, set), slackPeople(cfg, set)) {
		level := "ok"
		switch {
		case f.Problem != "" && f.Warning:
			level = "warning"
		case f.Problem != "":
			level = "error"
		}
		out = append(out, finding{f.Check, level, f.Detail, f.Problem, f.Fix})
	}
	return out
}

// nobody takes no presses: doctor asks, and hears nothing.
type nobody struct{}

func (nobody) Respond(context.Context, detector.Event) (detector.Result, error) {
	return detector.Result{}, errors.New("doctor takes no presses")
}

// slackChannels are the channels that alerts may go to, each once.
func slackChannels(cfg *Config, set *rules.Set) []string {
	names := map[string]bool{cfg.Slack.Channel: true}
	if r, ok := set.Routes[rules.DefaultRoute]; ok && r.Slack.Channel != "" {
		delete(names, cfg.Slack.Channel)
	}
	for _, r := range set.Routes {
		names[r.Slack.Channel] = true
	}
	for i := range cfg.Notifiers {
		if x := &cfg.Notifiers[i]; x.Type == "slack" {
			names[x.Channel] = true
		}
	}
	delete(names, "")
	return slices.Sorted(maps.Keys(names))
}

// slackPeople are the people and groups that somebody has named: whom alerts go to or mention, and who may act.
func slackPeople(cfg *Config, set *rules.Set) []string {
	names := map[string]bool{}
	for _, s := range slices.Concat(cfg.Slack.Allow.Act, cfg.Slack.Allow.Resolve) {
		names[s] = true
	}
	for _, r := range set.Routes {
		names[r.Slack.User], names[r.Slack.Mention] = true, true
	}
	return slices.Sorted(maps.Keys(names))
}
