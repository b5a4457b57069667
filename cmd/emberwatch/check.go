package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"emberwatch/notifier/draft"
	"emberwatch/rules"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v4"
)

func (a *app) checkCommand() *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "check rule files, or the configuration and its rule files", ArgsUsage: "[FILE…]",
		Description: "FILE is a rule file, a folder of them (*.yml, *.yaml), or a configuration. Without FILE it is the configuration in use.",
		Flags: []cli.Flag{
			jsonFlag(),
			&cli.BoolFlag{Name: "github", Usage: "print problems as annotations of GitHub Actions"},
			&cli.BoolFlag{Name: "sarif", Usage: "print problems as SARIF 2.1.0, for code scanning"},
			&cli.BoolFlag{Name: "strict", Usage: "warnings are problems too"},
			&cli.BoolFlag{Name: "print", Usage: "show the effective configuration, secrets hidden"},
		},
		Action: a.check,
	}
}

func (a *app) check(c *cli.Context) error {
	lib, err := draft.New(draft.Options{})
	if err != nil {
		return err
	}
	var files []rules.File
	var errs rules.Errors
	cfg, path := Default(), c.String("config")
	if c.Args().Present() {
		if files, err = namedRules(c.Args().Slice()); err != nil {
			return err
		}
		name := configuration(files)
		if name != "" && len(files) > 1 {
			return usage("%s is a configuration, no rule file; check it by itself: emberwatch check %s", name, name)
		}
		if name != "" {
			path, files = name, nil
		}
	}
	if files == nil {
		if cfg, errs, err = Load(path); err != nil {
			return &exitError{exitUsage, err}
		}
		errs = append(errs, cfg.Validate()...)
		if c.Bool("print") {
			return a.printConfig(cfg, cfg.inOrder(errs))
		}
		more, problems := cfg.ruleFiles()
		files, errs = more, append(errs, problems...)
	}
	set, problems := parseRules(cfg, files, lib)
	errs = append(errs, problems...)
	return a.tellProblems(c, cfg, cfg.inOrder(errs), files, set)
}

// readRuleFile reads no more of a file than tells that it is too large.
func readRuleFile(name string) (rules.File, error) {
	f, err := os.Open(name)
	if err != nil {
		return rules.File{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, rules.MaxFile+1))
	return rules.File{Name: name, Data: data}, err
}

// problemJSON is a problem in the form of the contract.
type problemJSON struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Col   int    `json:"col"`
	ID    string `json:"id"`
	Level string `json:"level"`
	What  string `json:"what"`
	Why   string `json:"why"`
	Fix   string `json:"fix"`
}

func (a *app) tellProblems(c *cli.Context, cfg *Config, errs rules.Errors, files []rules.File, set *rules.Set) error {
	count := map[rules.Level]int{}
	for _, e := range errs {
		count[e.Level]++
	}
	switch {
	case c.Bool("json"):
		if err := a.problemLines(errs); err != nil {
			return err
		}
	case c.Bool("sarif"):
		if err := writeSARIF(a.stdout, errs); err != nil {
			return err
		}
	case c.Bool("github"):
		for _, e := range errs {
			fmt.Fprintln(a.stdout, annotation(e))
		}
		a.checkSummary(count, files, set)
	default:
		fmt.Fprint(a.stdout, rules.Format(errs, append(slices.Clone(files), cfg.shown())))
		a.checkSummary(count, files, set)
	}
	if count[rules.LevelError] > 0 || c.Bool("strict") && count[rules.LevelWarning] > 0 {
		return &exitError{Code: exitProblems}
	}
	return nil
}

func (a *app) problemLines(errs rules.Errors) error {
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	for _, e := range errs {
		p := problemJSON{e.Pos.File, e.Pos.Line, e.Pos.Col, e.ID, string(e.Level), e.What, e.Why, e.Hint}
		if err := enc.Encode(p); err != nil {
			return err
		}
	}
	return nil
}

// What the workflow commands of GitHub Actions escape: in a message, and in the value of a property.
var (
	inMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	inProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

// annotation writes a problem so that a pull request shows it beside its line.
func annotation(e *rules.Error) string {
	return fmt.Sprintf("::%s file=%s,line=%d,col=%d,title=%s::%s",
		e.Level, inProperty.Replace(clean(e.Pos.File)), e.Pos.Line, e.Pos.Col, inProperty.Replace(e.ID), inMessage.Replace(inOneLine(e)))
}

// inOneLine is what a problem says, its place and id aside.
func inOneLine(e *rules.Error) string {
	said := slices.DeleteFunc([]string{e.What, e.Why, e.Hint}, func(s string) bool { return s == "" })
	return clean(strings.Join(said, "; "))
}

func (a *app) checkSummary(count map[rules.Level]int, files []rules.File, set *rules.Set) {
	problems := fmt.Sprintf("%s, %s", several(count[rules.LevelError], "error"), several(count[rules.LevelWarning], "warning"))
	switch {
	case set == nil, len(files) == 0 && count[rules.LevelError] > 0:
		fmt.Fprintln(a.stdout, problems)
	case len(files) == 0:
		fmt.Fprintf(a.stdout, "ok: no rule files, the starter rules are in force (%d rules for every brand)\n", len(set.RulesFor("")))
	default:
		all, packed := rulesInForce(set)
		fmt.Fprintf(a.stdout, "%s: %s, %s, %s, %d of them from packs, %s; %s\n", okWord(count), several(len(files), "rule file"),
			several(len(set.Brands), "brand"), several(all, "rule"), packed, several(len(set.Routes), "route"), problems)
	}
}

// rulesInForce counts the rules of the brands that are named, or without any those for every brand.
func rulesInForce(set *rules.Set) (all, packed int) {
	brands := sortedNames(set.Brands)
	if len(brands) == 0 {
		brands = []string{""}
	}
	seen := map[*rules.Rule]bool{}
	for _, b := range brands {
		for _, r := range set.RulesFor(b) {
			if seen[r] {
				continue
			}
			seen[r] = true
			if all++; !slices.Contains(set.Rules, r) {
				packed++
			}
		}
	}
	return all, packed
}

// several writes a count with its noun: "1 rule", "2 rules".
func several(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func okWord(count map[rules.Level]int) string {
	if count[rules.LevelError] > 0 {
		return "not ok"
	}
	return "ok"
}

// clean keeps control characters of a file off the terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\t' && (r < 0x20 || r >= 0x7f && r < 0xa0) {
			return -1
		}
		return r
	}, s)
}

// printConfig shows what is in force. Secrets are references, never values; those that stand in addresses are hidden.
func (a *app) printConfig(cfg *Config, errs rules.Errors) error {
	from := "built-in defaults"
	if cfg.path != "" {
		from = cfg.path + ", the rest built-in defaults"
	}
	fmt.Fprintf(a.stdout, "# from %s\n", from)
	var doc yaml.Node
	if err := doc.Encode(cfg.printable()); err != nil {
		return err
	}
	veil(&doc)
	b, err := yaml.Marshal(&doc)
	if err != nil {
		return err
	}
	if _, err := a.stdout.Write(b); err != nil {
		return err
	}
	if a.report(errs) != nil {
		return &exitError{Code: exitProblems}
	}
	return nil
}
