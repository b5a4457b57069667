package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"

	"github.com/urfave/cli/v2"
)

// standingsJSON is the answer of /api/v1/rules/explain for one rule.
type standingsJSON struct {
	Rule      string              `json:"rule"`
	Title     string              `json:"title"`
	Kind      string              `json:"kind"`
	RuleHash  string              `json:"rule_hash"`
	Standings []detector.Standing `json:"standings"`
	Practice  *detector.Practice  `json:"practice,omitempty"`
}

// explainRule says how a rule stands now, and of all of them what they have done: it is the daemon that knows.
func (s *server) explainRule(w http.ResponseWriter, r *http.Request) {
	set, id, brand := s.d.detector.Rules(), r.FormValue("rule"), r.FormValue("brand")
	from, now := practiceTime(s.d.cfg(), s.d.detector.Now())
	if brand != "" {
		known, err := s.brands(r.Context(), set)
		if err != nil {
			answer(w, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
			return
		}
		if brand, err = knownBrand(set, known, brand); err != nil {
			answer(w, http.StatusBadRequest, map[string]string{"error": "brand " + err.Error()})
			return
		}
	}
	if id == "" {
		survey, err := detector.NewSurvey(r.Context(), s.d.db, set, brand, from, now)
		if err != nil {
			answer(w, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
			return
		}
		answer(w, http.StatusOK, survey)
		return
	}
	rule, ok := set.Rule(id)
	if !ok {
		answer(w, http.StatusBadRequest, map[string]string{"error": fmt.Sprintf("no rule %q; there are %s", id, strings.Join(set.RuleIDs(), ", "))})
		return
	}
	if why := idle(set, rule, brand); brand != "" && why != "" {
		answer(w, http.StatusBadRequest, map[string]string{"error": why})
		return
	}
	done, err := detector.NewPractice(r.Context(), s.d.db, set, rule, brand, from, now)
	if err != nil {
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
		return
	}
	all := s.d.detector.Standings(brand, rule)
	if err := detector.AddWeek(r.Context(), s.d.db, rule, all); err != nil {
		answer(w, http.StatusServiceUnavailable, map[string]string{"error": err.Error()})
		return
	}
	res := standingsOf(set, rule, all)
	res.Practice = &done
	answer(w, http.StatusOK, res)
}

// brands are the ids of those that a rule file names, and of those that were heard of.
func (s *server) brands(ctx context.Context, set *rules.Set) (map[string]bool, error) {
	known := map[string]bool{}
	for id := range set.Brands {
		known[id] = true
	}
	heard, err := s.d.db.Brands(ctx)
	for i := range heard {
		known[heard[i].ID] = true
	}
	return known, err
}

// practiceTime is from when on to look for what rules have done: no further back than the audit is kept.
func practiceTime(cfg *Config, now time.Time) (from, to time.Time) {
	kept, _ := detector.ParseDuration(cfg.Retention.Audit) // validated
	return now.UTC().Add(-min(kept, detector.PracticeTime)), now.UTC()
}

func standingsOf(set *rules.Set, rule *rules.Rule, all []detector.Standing) standingsJSON {
	if all == nil {
		all = []detector.Standing{}
	}
	return standingsJSON{Rule: rule.ID, Title: rule.Title, Kind: string(rule.Kind), RuleHash: set.Hash, Standings: all}
}

// explainStanding asks the running daemon how a rule stands.
func (a *app) explainStanding(c *cli.Context, id string) error {
	cl, err := a.newClient(c)
	if err != nil {
		return err
	}
	q := url.Values{"rule": {id}, "brand": {c.String("brand")}}
	var res standingsJSON
	if _, err := cl.do(c.Context, http.MethodGet, "/api/v1/rules/explain?"+q.Encode(), nil, &res); err != nil {
		return err
	}
	return a.printStandings(c.Bool("json"), &res)
}

// explainPast replays files up to a time and says how the rule stood then.
func (a *app) explainPast(c *cli.Context, set *rules.Set, rule *rules.Rule, scorer detector.Scorer) error {
	at, err := timeFlag(c, "at")
	if err != nil {
		return err
	}
	ms, _, err := a.readMentions(c.Args().Tail(), replayOptions{to: at})
	if err != nil {
		return err
	}
	brand, err := ruleBrandFlag(c, set, rule, ms)
	if err != nil {
		return err
	}
	detector.Sort(ms)
	r := detector.NewReplay(set, scorer)
	r.Run(ms)
	res := standingsOf(set, rule, r.Standings(brand, rule, at))
	res.Practice = r.Practice(brand, rule)
	return a.printStandings(c.Bool("json"), &res)
}

func (a *app) printStandings(asJSON bool, res *standingsJSON) error {
	if asJSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetEscapeHTML(false)
		return enc.Encode(res)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s (kind %s, rules %s)\n", res.Rule, clean(res.Title), res.Kind, res.RuleHash)
	if len(res.Standings) == 0 {
		fmt.Fprintf(&b, "  nothing has come for it yet\n")
	}
	printEach(&b, res.Kind, res.Standings)
	printPractice(&b, res.Practice)
	_, err := io.WriteString(a.stdout, b.String())
	return err
}

// printPractice writes what the rule has done, and the doubt that follows from it.
func printPractice(b *strings.Builder, p *detector.Practice) {
	if p == nil || p.Since.IsZero() {
		return
	}
	fmt.Fprintf(b, "\nincidents opened since %s: %d, of severity 1 to 3: %d", p.Since.Format(time.DateOnly), p.Opened, p.Told)
	if p.Allowed > 0 {
		fmt.Fprintf(b, "; its budget allows %.1f", p.Allowed)
	}
	if p.Joined > 0 {
		fmt.Fprintf(b, "; it joined %d of other rules", p.Joined)
	}
	b.WriteString("\n")
	for _, d := range p.Doubts {
		fmt.Fprintf(b, "warning: %s\n", clean(d.String()))
	}
}
