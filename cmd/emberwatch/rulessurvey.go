package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/store"
	"emberwatch/rules"

	"github.com/urfave/cli/v2"
)

// askSurvey asks the running daemon what its rules have done.
func (a *app) askSurvey(c *cli.Context) (*detector.Survey, error) {
	cl, err := a.newClient(c)
	if err != nil {
		return nil, err
	}
	var res detector.Survey
	q := url.Values{"brand": {c.String("brand")}}
	_, err = cl.do(c.Context, http.MethodGet, "/api/v1/rules/explain?"+q.Encode(), nil, &res)
	return &res, err
}

func (a *app) explainAll(c *cli.Context) error {
	s, err := a.askSurvey(c)
	if err != nil {
		return err
	}
	return a.printSurvey(c.Bool("json"), s)
}

func (a *app) printSurvey(asJSON bool, s *detector.Survey) error {
	if asJSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetEscapeHTML(false)
		for _, r := range s.Rules {
			if err := enc.Encode(r); err != nil {
				return err
			}
		}
		return nil
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "rule\tkind\tsince\topened\tof severity 1 to 3\tjoined\tbudget")
	for i := range s.Rules {
		r := &s.Rules[i]
		since, budget := "-", "-"
		if !r.Practice.Since.IsZero() {
			since = r.Practice.Since.Format(time.DateOnly)
		}
		if r.Practice.Allowed > 0 {
			budget = fmt.Sprintf("%.1f", r.Practice.Allowed)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%s\n", r.Rule, r.Kind, since, r.Practice.Opened, r.Practice.Told, r.Practice.Joined, budget)
	}
	_ = w.Flush() // a Builder takes everything
	b.WriteByte('\n')
	for i := range s.Rules {
		for _, d := range s.Rules[i].Practice.Doubts {
			fmt.Fprintf(&b, "warning: %s: %s\n", s.Rules[i].Rule, clean(d.String()))
		}
	}
	fmt.Fprintf(&b, "the rules were compared on %s\n", comparedOn(s))
	_, err := io.WriteString(a.stdout, b.String())
	return err
}

// comparedOn says how many mentions tell which rules look at the same.
func comparedOn(s *detector.Survey) string {
	if s.Compared == 0 {
		return "no mentions: none came in the last 30 days"
	}
	return fmt.Sprintf("the newest %d mentions, since %s", s.Compared, s.Oldest.Format(time.DateOnly))
}

// examineRules looks at what the rules have done: in the data folder, or through the daemon that holds it.
func (a *app) examineRules(c *cli.Context, cfg *Config, set *rules.Set, dir string) []finding {
	if _, err := os.Stat(filepath.Join(dir, "state.db")); err != nil {
		return nil // they have had nothing to look at
	}
	s, err := surveyFolder(c, cfg, set, dir)
	var locked *store.LockedError
	if errors.As(err, &locked) && answers(c.Context, cfg) {
		if s, err = a.askSurvey(c); err != nil {
			return []finding{doubtful("rules", "the daemon does not say what they have done: "+err.Error(), "set EMBERWATCH_TOKEN to one of its tokens with the scope read")}
		}
	}
	if err != nil {
		return nil // told of the data folder
	}
	var out []finding
	for _, r := range s.Rules {
		for _, d := range r.Practice.Doubts {
			out = append(out, doubtful("rule "+r.Rule, d.ID+": "+d.What, d.Fix))
		}
	}
	if len(out) == 0 {
		out = append(out, good("rules", "%s, nothing to doubt; compared on %s", several(len(s.Rules), "rule"), comparedOn(s)))
	}
	return out
}

// surveyFolder looks into a data folder that nobody holds.
func surveyFolder(c *cli.Context, cfg *Config, set *rules.Set, dir string) (*detector.Survey, error) {
	db, err := store.Open(dir, store.Options{Timeout: time.Second})
	if err != nil {
		return nil, err
	}
	from, now := practiceTime(cfg, time.Now())
	s, err := detector.NewSurvey(c.Context, db, set, "", from, now)
	return s, errors.Join(err, db.Close())
}
