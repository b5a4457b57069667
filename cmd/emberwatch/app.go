package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"emberwatch/detector/sentiment"
	"emberwatch/detector/store"
	"emberwatch/notifier/draft"
	"emberwatch/rules"

	"github.com/lmittmann/tint"
	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// Exit codes of the contract.
const (
	exitOK       = 0
	exitFailed   = 1 // at run time
	exitUsage    = 2 // wrong usage, or invalid configuration or rules: nothing was started
	exitProblems = 3 // check, doctor, rules test found problems
	exitStore    = 4 // data folder locked or unreadable
)

// exitError carries an exit code. A nil Err has been told already.
type exitError struct {
	Code int
	Err  error
}

func (e *exitError) Error() string {
	if e.Err == nil {
		return ""
	}
	return e.Err.Error()
}

func (e *exitError) Unwrap() error { return e.Err }

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// app is what commands work with, so that tests can run them with streams of their own.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	log            *slog.Logger // where warnings go of a daemon that logs JSON; nil: to stderr, as lines
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{stdin: stdin, stdout: stdout, stderr: stderr}
	c := a.cli()
	err := c.RunContext(ctx, flagsFirst(c, args))
	code := exitCode(err)
	if err != nil && err.Error() != "" {
		fmt.Fprintln(stderr, "emberwatch: "+err.Error())
	}
	return code
}

// exitCode maps errors to the codes of the contract.
func exitCode(err error) int {
	var ex *exitError
	var locked *store.LockedError
	var damaged *store.DamagedError
	var version *store.VersionError
	var exposed *store.ExposedError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &ex):
		return ex.Code
	case errors.As(err, &locked), errors.As(err, &damaged), errors.As(err, &version), errors.As(err, &exposed):
		return exitStore
	}
	return exitFailed
}

func (a *app) cli() *cli.App {
	c := &cli.App{
		Name:                      "emberwatch",
		Usage:                     "early warning of reputation crises, self-hosted",
		Description:               "Reads what people say about your brands, notices what departs from each brand's own normal, and tells the right people in Slack.\nStart with: emberwatch demo",
		Version:                   version(),
		HideVersion:               true,
		Reader:                    a.stdin,
		Writer:                    a.stdout,
		ErrWriter:                 a.stderr,
		Suggest:                   true,
		EnableBashCompletion:      true,
		DisableSliceFlagSeparator: true, // a licence has commas, and so have file names
		ExitErrHandler:            func(*cli.Context, error) {},
		OnUsageError:              usageError,
		CommandNotFound:           nil,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "config", Usage: "configuration `FILE`", EnvVars: []string{"EMBERWATCH_CONFIG"}},
			&cli.StringFlag{Name: "data", Usage: "data `DIR`", EnvVars: []string{"EMBERWATCH_DATA"}},
			&cli.StringFlag{Name: "log-level", Value: "info", Usage: "debug, info, warn or error", EnvVars: []string{"EMBERWATCH_LOG_LEVEL"}},
			&cli.StringFlag{Name: "log-format", Value: "auto", Usage: "auto, text or json", EnvVars: []string{"EMBERWATCH_LOG_FORMAT"}},
			&cli.StringFlag{Name: "sentiment-model", Usage: "sentiment model `FILE` instead of the embedded one", EnvVars: []string{"EMBERWATCH_SENTIMENT_MODEL"}},
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return unknownCommand(c)
			}
			return cli.ShowAppHelp(c)
		},
		Commands: []*cli.Command{
			a.runCommand(), a.demoCommand(), a.initCommand(), a.checkCommand(), a.scoreCommand(),
			a.detectCommand(), a.replayCommand(), a.draftCommand(), a.incidentsCommand(), a.reportCommand(), a.storeCommand(), a.slackManifestCommand(), a.doctorCommand(),
			a.rulesCommand(), a.trainCommand(), a.evalCommand(), a.completionCommand(), a.versionCommand(),
		},
	}
	for _, cmd := range c.Commands {
		harden(cmd)
	}
	return c
}

// harden makes a command report wrong usage as ours: one line, exit code 2.
func harden(c *cli.Command) {
	c.OnUsageError = usageError
	for _, sub := range c.Subcommands {
		harden(sub)
	}
	if len(c.Subcommands) > 0 && c.Action == nil {
		c.Action = func(c *cli.Context) error {
			if c.Args().Present() {
				return unknownCommand(c)
			}
			return usage("%s needs a sub-command; see emberwatch %s --help", c.Command.Name, c.Command.Name)
		}
	}
}

func usageError(_ *cli.Context, err error, _ bool) error {
	return usage("%w; see --help", err)
}

func unknownCommand(c *cli.Context) error {
	name := c.Args().First()
	var names []string
	list := c.App.Commands
	if c.Command != nil && len(c.Command.Subcommands) > 0 {
		list = c.Command.Subcommands
	}
	for _, x := range list {
		names = append(names, x.Name)
	}
	if near := rules.Nearest(name, names); near != "" {
		return usage("there is no command %q; did you mean %q?", name, near)
	}
	return usage("there is no command %q; there are %s", name, strings.Join(names, ", "))
}

// logger writes to stderr: coloured text on a terminal, JSON elsewhere.
func (a *app) logger(c *cli.Context) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.String("log-level"))); err != nil {
		return nil, usage("--log-level %q: use debug, info, warn or error", c.String("log-level"))
	}
	switch a.logFormat(c) {
	case "json":
		return slog.New(slog.NewJSONHandler(a.stderr, &slog.HandlerOptions{Level: level})), nil
	case "text":
		return slog.New(tint.NewTextHandler(a.stderr, &tint.Options{Level: level, NoColor: !colour(a.stderr)})), nil
	}
	return nil, usage("--log-format %q: use auto, text or json", c.String("log-format"))
}

// logFormat is text or json where auto leaves the choice to us.
func (a *app) logFormat(c *cli.Context) string {
	switch format := c.String("log-format"); {
	case format != "auto":
		return format
	case isTerminal(a.stderr):
		return "text"
	}
	return "json"
}

func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colour reports whether to write colours: on a terminal, unless NO_COLOR says no.
func colour(w any) bool {
	return isTerminal(w) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// terminalWidth is the width of the terminal, 100 columns at most, 80 without one.
func terminalWidth() int {
	w, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || w <= 0 {
		return 80
	}
	return min(w, 100)
}

// dataDir is the folder that state is kept in.
func dataDir(c *cli.Context) (string, error) {
	if d := c.String("data"); d != "" {
		return d, nil
	}
	if d := os.Getenv("STATE_DIRECTORY"); d != "" {
		return strings.Split(d, ":")[0], nil
	}
	if d := os.Getenv("XDG_STATE_HOME"); d != "" {
		return filepath.Join(d, "emberwatch"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", usage("no home directory; name the data folder with --data DIR")
	}
	return filepath.Join(home, ".local", "state", "emberwatch"), nil
}

// loadConfig loads and validates the configuration; problems are printed, all of them.
func (a *app) loadConfig(c *cli.Context) (*Config, error) {
	cfg, errs, err := Load(c.String("config"))
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	return cfg, a.report(cfg.inOrder(append(errs, cfg.Validate()...)))
}

// report prints problems; errors among them end the program with exit code 2.
func (a *app) report(errs rules.Errors) error {
	for _, e := range errs {
		switch {
		case e.Level == rules.LevelError:
			fmt.Fprintln(a.stderr, e.Error())
		case a.log != nil:
			a.log.Warn("problem", "file", e.Pos.File, "line", e.Pos.Line, "id", e.ID, "what", inOneLine(e))
		default:
			fmt.Fprintln(a.stderr, "warning: "+e.Error())
		}
	}
	if errs.Refused() {
		return &exitError{Code: exitUsage}
	}
	return nil
}

// loadRules reads the rule files of a configuration, and has the drafts' guards look at every template.
func loadRules(cfg *Config, lib *draft.Library) (*rules.Set, rules.Errors) {
	files, errs := cfg.ruleFiles()
	if errs.Refused() {
		return nil, errs
	}
	return parseRules(cfg, files, lib)
}

func parseRules(cfg *Config, files []rules.File, lib *draft.Library) (*rules.Set, rules.Errors) {
	var names []string // nil without a configuration: then nobody knows them
	if cfg.path != "" {
		names = []string{}
	}
	for i := range cfg.Notifiers {
		names = append(names, cfg.Notifiers[i].Name)
	}
	set, errs := rules.Parse(files, rules.Options{Now: time.Now(), Notifiers: names, Networks: cfg.networks()})
	if set != nil {
		errs = append(errs, unheard(cfg, set)...)
	}
	if set != nil && lib != nil {
		errs = append(errs, lib.Check(set)...)
	}
	return set, errs
}

// judgeFromFlags returns the rules and the sentiment model: the rule files named by --rules, else those of the
// configuration, and the model of --sentiment-model, else that of the configuration.
func (a *app) judgeFromFlags(c *cli.Context) (*rules.Set, *sentiment.Model, error) {
	cfg, err := a.ruleConfig(c, c.StringSlice("rules"))
	if err != nil {
		return nil, nil, err
	}
	set, model, _, err := a.judgeBy(c, cfg)
	return set, model, err
}

// ruleConfig is the configuration; where rule files are named, the defaults with these.
func (a *app) ruleConfig(c *cli.Context, names []string) (*Config, error) {
	if len(names) == 0 {
		return a.loadConfig(c)
	}
	files, err := namedRules(names)
	if err != nil {
		return nil, err
	}
	if name := configuration(files); name != "" {
		return nil, usage("%s is a configuration, no rule file; name it with --config %s, or name its rule files", name, name)
	}
	cfg := Default()
	cfg.named = files
	return cfg, nil
}

// judgeBy returns the rules of a configuration, its sentiment model, and the drafts that the rules were checked with.
func (a *app) judgeBy(c *cli.Context, cfg *Config) (*rules.Set, *sentiment.Model, *draft.Library, error) {
	lib, err := draft.New(draft.Options{})
	if err != nil {
		return nil, nil, nil, err
	}
	set, errs := loadRules(cfg, lib)
	if errs.Refused() {
		return nil, nil, nil, a.report(errs)
	}
	model, err := openModel(c, cfg)
	return set, model, lib, err
}

// openModel returns the sentiment model of the flag, else of the configuration, else the embedded one.
func openModel(c *cli.Context, cfg *Config) (*sentiment.Model, error) {
	name := c.String("sentiment-model")
	if name == "" {
		name = cfg.modelFile()
	}
	if name == "" {
		return sentiment.New(), nil
	}
	m, err := sentiment.Open(name)
	if err != nil {
		return nil, &exitError{exitUsage, fmt.Errorf("sentiment model: %w", err)}
	}
	return m, nil
}
