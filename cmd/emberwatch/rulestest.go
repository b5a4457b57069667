package main

import (
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/draft"
	"emberwatch/rules"
	"emberwatch/sources"
	"emberwatch/sources/jsonl"

	"github.com/urfave/cli/v2"
)

func (a *app) rulesTestCommand() *cli.Command {
	return &cli.Command{
		Name: "test", Usage: "run the inline tests of rule files", ArgsUsage: "[FILE…]", Action: a.rulesTest,
		Description: "Runs the tests of the files, or of the configuration's rule files, on the same engine as the daemon with the\n" +
			"tests' own time. Nothing is sent and no data folder is touched.",
		Flags: []cli.Flag{
			jsonFlag(),
			&cli.StringFlag{Name: "junit", Usage: "write the results as JUnit XML to `FILE` as well"},
			&cli.StringFlag{Name: "run", Usage: "only tests whose name matches `REGEXP`"},
		},
	}
}

func (a *app) rulesTest(c *cli.Context) error {
	cfg, err := a.ruleConfig(c, c.Args().Slice())
	if err != nil {
		return err
	}
	set, model, lib, err := a.judgeBy(c, cfg)
	if err != nil {
		return err
	}
	tests, err := chosenTests(set.Tests, c.String("run"))
	if err != nil {
		return err
	}
	results := testsOf(set, model, lib).Run(c.Context, tests)
	if file := c.String("junit"); file != "" {
		if err := writeJUnit(file, results); err != nil {
			return err
		}
	}
	return a.tellTests(c.Bool("json"), results)
}

// chosenTests are those whose name matches an expression; empty: all.
func chosenTests(all []*rules.Test, expr string) ([]*rules.Test, error) {
	if expr == "" {
		return all, nil
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, usage("--run: %w", err)
	}
	var names []string
	for _, t := range all {
		names = append(names, strconv.Quote(t.Name))
	}
	if chosen := slices.DeleteFunc(slices.Clone(all), func(t *rules.Test) bool { return !re.MatchString(t.Name) }); len(chosen) > 0 {
		return chosen, nil
	}
	const most = 20
	switch {
	case len(names) == 0:
		return nil, usage("--run %s: the rule files have no tests", expr)
	case len(names) > most:
		names = append(names[:most], fmt.Sprintf("and %d more", len(names)-most))
	}
	return nil, usage("--run %s matches no test; there are %s", expr, strings.Join(names, ", "))
}

// testsOf returns what runs the inline tests of a set: histories come from files, drafts from the library.
func testsOf(set *rules.Set, scorer detector.Scorer, lib *draft.Library) *detector.RuleTests {
	return &detector.RuleTests{
		Rules: set, Scorer: scorer, Read: readHistory,
		Drafts: func(ctx context.Context, i *detector.Incident, ms []detector.Judged) ([]detector.TestDraft, error) {
			each, err := lib.ForIncident(ctx, notifier.Request{Incident: i, Severity: i.Severity, Rules: set, Now: i.ChangedAt}, ms)
			var all []detector.TestDraft
			for _, m := range each {
				for _, d := range m.Drafts {
					all = append(all, testDraft(&d))
				}
			}
			return all, err
		},
	}
}

// readHistory reads the mentions of a file, all of which have to be readable.
func readHistory(file string) (ms []sources.Mention, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var bad error
	o := jsonl.Options{Name: testSource, Verdicts: true, Report: func(_ string, line int, err error) {
		bad = cmp.Or(bad, fmt.Errorf("%s:%d: %w", file, line, err))
	}}
	_, err = jsonl.Read(f, file, o, func(_ int, m sources.Mention) error {
		ms = append(ms, m)
		return nil
	})
	detector.Sort(ms)
	return ms, errors.Join(err, bad)
}

// testSource is the source of mentions in a history that name none.
const testSource = "test"

func testDraft(d *notifier.Draft) detector.TestDraft {
	t := detector.TestDraft{ID: d.ID, Lang: d.Lang, Sendable: d.Sendable}
	for _, g := range d.Guards {
		if !g.Pass {
			t.Why = strings.TrimPrefix(t.Why+", "+g.ID+" "+g.Why, ", ")
		}
	}
	return t
}

// testJSON is one line of JSON output.
type testJSON struct {
	Name     string   `json:"name"`
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Passed   bool     `json:"passed"`
	Skipped  bool     `json:"skipped,omitempty"`
	Problems []string `json:"problems"`
	Notes    []string `json:"notes"`
	Seconds  float64  `json:"seconds"`
}

// tellTests prints the results; a test that failed makes exit code 3.
func (a *app) tellTests(asJSON bool, results []detector.TestResult) error {
	failed := 0
	enc := json.NewEncoder(a.stdout)
	enc.SetEscapeHTML(false)
	for i := range results {
		r := &results[i]
		if !r.Passed() {
			failed++
		}
		if !asJSON {
			a.printTest(r)
			continue
		}
		x := testJSON{r.Test.Name, r.Test.Pos.File, r.Test.Pos.Line, r.Passed(), r.Skipped, orEmpty(r.Problems), orEmpty(r.Notes), round3(r.Took.Seconds())}
		if err := enc.Encode(x); err != nil {
			return err
		}
	}
	if !asJSON {
		fmt.Fprintf(a.stdout, "%s, %d failed\n", several(len(results), "test"), failed)
	}
	if len(results) == 0 {
		fmt.Fprintln(a.stderr, "the rule files have no tests; write some under tests:, see the README")
	}
	if failed > 0 {
		return &exitError{Code: exitProblems}
	}
	return nil
}

// orEmpty has an empty list stand in JSON where there is nothing.
func orEmpty(list []string) []string { return append([]string{}, list...) }

func (a *app) printTest(r *detector.TestResult) {
	word := "ok  "
	switch {
	case r.Skipped:
		word = "skip"
	case !r.Passed():
		word = "FAIL"
	}
	fmt.Fprintf(a.stdout, "%s %s (%s)\n", word, clean(r.Test.Name), r.Took.Round(time.Millisecond))
	if !r.Passed() {
		fmt.Fprintf(a.stdout, "     %s\n", r.Test.Pos)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(a.stdout, "     %s\n", clean(p))
	}
	for _, n := range r.Notes {
		fmt.Fprintf(a.stdout, "     note: %s\n", clean(n))
	}
}

// The parts of JUnit XML that CI systems read.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     float64     `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr"`
		Line    int           `xml:"line,attr"`
		Time    float64       `xml:"time,attr"`
		Failure *junitFailure `xml:"failure,omitempty"`
		Skipped *struct{}     `xml:"skipped,omitempty"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func writeJUnit(file string, results []detector.TestResult) error {
	s := junitSuite{Name: "emberwatch rules", Tests: len(results)}
	for i := range results {
		r := &results[i]
		c := junitCase{
			Name: r.Test.Name, Class: r.Test.Pos.File, File: r.Test.Pos.File, Line: r.Test.Pos.Line,
			Time: round3(r.Took.Seconds()), Out: strings.Join(r.Notes, "\n"),
		}
		switch {
		case r.Skipped:
			s.Skipped++
			c.Skipped = &struct{}{}
		case !r.Passed():
			s.Failures++
			c.Failure = &junitFailure{r.Problems[0], strings.Join(r.Problems, "\n")}
		}
		s.Time = round3(s.Time + c.Time)
		s.Cases = append(s.Cases, c)
	}
	b, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("junit: %w", err)
	}
	if err := os.WriteFile(file, append([]byte(xml.Header), append(b, '\n')...), 0o644); err != nil {
		return fmt.Errorf("junit: %w", err)
	}
	return nil
}
