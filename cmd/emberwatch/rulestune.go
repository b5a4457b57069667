package main

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"emberwatch/detector"
	"emberwatch/notifier/draft"
	"emberwatch/rules"

	"github.com/urfave/cli/v2"
	"go.yaml.in/yaml/v4"
)

func (a *app) rulesTuneCommand() *cli.Command {
	return &cli.Command{
		Name: "tune", Usage: "propose a patch to rule files from what people said of alerts", ArgsUsage: "[FILE…]", Action: a.rulesTune,
		Description: "Reads from the running daemon which incidents people closed as false alarm, as known event or as real, and\n" +
			"proposes for each rule of the files, or of the configuration, what would have spared the false ones and kept\n" +
			"the real ones. The patch goes to stdout, the reasons to stderr; nothing is changed. Try it with rules diff first.",
		Flags: serverFlags(),
	}
}

// mostJudged is how many closed incidents are looked at: as many as a daemon lists at once.
const mostJudged = 1000

// verdicts are the incidents of one rule by what people said of them.
type verdicts struct {
	real, wrong, known []*detector.Incident
}

func (a *app) rulesTune(c *cli.Context) error {
	lib, err := draft.New(draft.Options{})
	if err != nil {
		return err
	}
	cfg, err := a.ruleConfig(c, c.Args().Slice())
	if err != nil {
		return err
	}
	files, errs := cfg.ruleFiles()
	set, more := parseRules(cfg, files, lib)
	if errs = append(errs, more...); errs.Refused() {
		return a.report(errs)
	}
	cl, err := a.newClient(c)
	if err != nil {
		return err
	}
	var res struct {
		Incidents []detector.Incident `json:"incidents"`
	}
	if _, err := cl.do(c.Context, http.MethodGet, fmt.Sprintf("/api/v1/incidents?state=closed&limit=%d", mostJudged), nil, &res); err != nil {
		return err
	}
	if len(res.Incidents) == mostJudged {
		fmt.Fprintf(a.stderr, "the newest %d closed incidents count, older ones do not\n", mostJudged)
	}
	return a.printTuning(files, set, judgedByPeople(res.Incidents))
}

// judgedByPeople sorts closed incidents by rule and verdict; those that nobody judged say nothing.
func judgedByPeople(all []detector.Incident) map[string]*verdicts {
	by := map[string]*verdicts{}
	for k := range all {
		i := &all[k]
		v := by[i.Rule]
		if v == nil {
			v = &verdicts{}
			by[i.Rule] = v
		}
		switch i.Closing {
		case detector.FalseAlarm:
			v.wrong = append(v.wrong, i)
		case detector.KnownEvent:
			v.known = append(v.known, i)
		case detector.Resolved:
			v.real = append(v.real, i)
		}
	}
	return by
}

// proposal is a change to a rule, and why; or why there is none.
type proposal struct {
	key  string // what changes; empty: nothing
	why  string
	edit edit
}

func (a *app) printTuning(files []rules.File, set *rules.Set, by map[string]*verdicts) error {
	proposed := 0
	for _, f := range files {
		lines := strings.Split(string(f.Data), "\n")
		var edits []edit
		for _, r := range set.Rules {
			v := by[r.ID]
			if r.Pos.File != f.Name || v == nil {
				continue
			}
			fmt.Fprintf(a.stderr, "%s: %d real, %d false, %d known events\n", r.ID, len(v.real), len(v.wrong), len(v.known))
			switch p := propose(r, v, findRule(f, lines, r)); {
			case p.key != "":
				fmt.Fprintf(a.stderr, "  %s: %s\n", p.key, p.why)
				edits = append(edits, p.edit)
			case p.why != "":
				fmt.Fprintf(a.stderr, "  no proposal: %s\n", p.why)
			}
			for _, i := range v.known {
				fmt.Fprintf(a.stderr, "  known event from %s to %s: if it comes again, write a window for it\n",
					i.Since.Format("2006-01-02 15:04"), cmp.Or(i.CalmSince, i.ClosedAt).Format("2006-01-02 15:04"))
			}
		}
		proposed += len(edits)
		if err := writePatch(a.stdout, f.Name, lines, edits); err != nil {
			return err
		}
	}
	if proposed == 0 {
		fmt.Fprintln(a.stderr, "nothing to propose")
	}
	return nil
}

// leastWrong is how many false alarms ask for a change: one may be chance.
const leastWrong = 2

// propose finds the change that spares the false alarms and keeps what was real: a higher floor where it separates the two,
// else half the budget where most alarms were false.
func propose(r *rules.Rule, v *verdicts, t *ruleText) proposal {
	biggestWrong, smallestReal := biggest(v.wrong), smallest(v.real)
	floor := int(biggestWrong) + 1
	switch {
	case len(v.wrong) < leastWrong:
		return proposal{}
	case !slices.Contains([]rules.Kind{rules.Burst, rules.Shift, rules.Backlash, rules.Spread}, r.Kind):
		return proposal{why: fmt.Sprintf("a rule of kind %s has neither floor nor budget to change; look at what it asks for with emberwatch rules explain %s FILE…", r.Kind, r.ID)}
	case t == nil:
		return proposal{why: fmt.Sprintf("the rule is not written out at %s", r.Pos)}
	case r.Floor.Items > 0 && floor > r.Floor.Items && float64(floor) <= smallestReal && floor <= 4*r.Floor.Items:
		why := fmt.Sprintf("the %d false alarms held at most %.0f mentions, %s", len(v.wrong), biggestWrong, realWords(v.real, smallestReal))
		e, ok := t.replace(valueOf(valueOf(t.node, "floor"), "items"), strconv.Itoa(floor))
		return proposed("floor.items", why, fmt.Sprint(floor), e, ok)
	case len(v.wrong) > len(v.real):
		return tighten(r, t, fmt.Sprintf("%d of %d alarms were false, and no floor tells them from the real ones", len(v.wrong), len(v.wrong)+len(v.real)))
	}
	return proposal{why: "as many alarms were real as false, or more, and no floor tells them apart"}
}

// proposed is a change, or, where the place is shared with other rules, the same in words.
func proposed(key, why, value string, e edit, ok bool) proposal {
	if !ok {
		return proposal{why: fmt.Sprintf("%s; set %s to %s by hand, since other rules may share what is written there", why, key, value)}
	}
	return proposal{key, why, e}
}

// tighterThanNone is the budget proposed for a rule without one, which tells of calm streams about once a week.
const tighterThanNone = "2/month"

// tighten halves the budget: of several severities that of the mildest, which is the one that the bar is set by.
func tighten(r *rules.Rule, t *ruleText, why string) proposal {
	n := valueOf(t.node, "budget")
	if n == nil && len(r.Budget) == 0 {
		e, ok := t.add("budget", tighterThanNone)
		return proposed("budget", why, tighterThanNone, e, ok)
	}
	for sev := rules.Notice; sev >= rules.Crisis && n != nil && n.Kind == yaml.MappingNode; sev-- {
		if x := valueOf(n, fmt.Sprintf("severity_%d", int(sev))); x != nil {
			n = x
		}
	}
	half := "half"
	if n != nil && n.Kind == yaml.ScalarNode {
		if count, per, ok := strings.Cut(n.Value, "/"); ok {
			x, _ := strconv.ParseFloat(strings.TrimSpace(count), 64) // a rate, as the rules are in force
			half = strconv.FormatFloat(x/2, 'g', 4, 64) + "/" + strings.TrimSpace(per)
		}
	}
	e, ok := t.replace(n, half)
	return proposed("budget", why, half, e, ok)
}

func realWords(all []*detector.Incident, least float64) string {
	if len(all) == 0 {
		return "and none was real"
	}
	return fmt.Sprintf("the real ones at least %.0f", least)
}

func biggest(all []*detector.Incident) float64 {
	most := 0.0
	for _, i := range all {
		most = max(most, i.Evidence.Window.Observed)
	}
	return most
}

func smallest(all []*detector.Incident) float64 {
	least := math.Inf(1)
	for _, i := range all {
		least = min(least, i.Evidence.Window.Observed)
	}
	return least
}
