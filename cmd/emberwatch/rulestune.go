package main

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"emberwatch/detector"
	"emberwatch/notifier/draft"
	"emberwatch/rules"

	"github.com/urfave/cli/v2"
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
	if _, err := cl.do(c.Context, http.MethodGet, "/api/v1/incidents?state=closed", nil, &res); err != nil {
		return err
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

// proposal is a new value in a rule file, and why.
type proposal struct {
	key  string // items, or the budget
	old  string
	new  string
	line int // of the file, from 1
	why  string
}

func (a *app) printTuning(files []rules.File, set *rules.Set, by map[string]*verdicts) error {
	proposed := 0
	for _, f := range files {
		lines := strings.Split(string(f.Data), "\n")
		var changes []proposal
		for _, r := range set.Rules {
			v := by[r.ID]
			if r.Pos.File != f.Name || v == nil {
				continue
			}
			fmt.Fprintf(a.stderr, "%s: %d real, %d false, %d known events\n", r.ID, len(v.real), len(v.wrong), len(v.known))
			if p, ok := propose(r, v, lines); ok {
				fmt.Fprintf(a.stderr, "  %s: %s\n", p.key, p.why)
				changes = append(changes, p)
			}
			for _, i := range v.known {
				fmt.Fprintf(a.stderr, "  known event from %s to %s: if it comes again, write a window for it\n",
					i.Since.Format("2006-01-02 15:04"), cmp.Or(i.CalmSince, i.ClosedAt).Format("2006-01-02 15:04"))
			}
		}
		proposed += len(changes)
		if err := writePatch(a.stdout, f.Name, lines, changes); err != nil {
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
func propose(r *rules.Rule, v *verdicts, lines []string) (proposal, bool) {
	if r.Kind == rules.Each || len(v.wrong) < leastWrong {
		return proposal{}, false
	}
	biggestWrong, smallestReal := biggest(v.wrong), smallest(v.real)
	if floor := int(biggestWrong) + 1; r.Floor.Items > 0 && floor > r.Floor.Items && float64(floor) <= smallestReal && floor <= 4*r.Floor.Items {
		p, ok := changeIn(lines, r, floorForm, strconv.Itoa(floor))
		p.key, p.why = "floor.items", fmt.Sprintf("the %d false alarms held at most %.0f mentions, %s", len(v.wrong), biggestWrong, realWords(v.real, smallestReal))
		return p, ok
	}
	if len(v.wrong) > len(v.real) {
		p, ok := changeIn(lines, r, budgetForm, "")
		p.key, p.why = "budget", fmt.Sprintf("%d of %d alarms were false, and no floor tells them from the real ones", len(v.wrong), len(v.wrong)+len(v.real))
		return p, ok
	}
	return proposal{}, false
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

var (
	floorForm  = regexp.MustCompile(`(floor:.*?items:\s*|^\s+items:\s*)(\d+)()`)
	budgetForm = regexp.MustCompile(`(budget:.*?|severity_\d:\s*)(\d+(?:\.\d+)?)(\s*/\s*(?:hour|day|week|month))`)
)

// changeIn finds a value within the lines of a rule and puts another in its place: the given one, or half of what is there.
func changeIn(lines []string, r *rules.Rule, form *regexp.Regexp, value string) (proposal, bool) {
	indent := func(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }
	first := r.Pos.Line - 1
	for k := first; k < len(lines); k++ {
		if k > first && strings.TrimSpace(lines[k]) != "" && (indent(lines[k]) < indent(lines[first]) || strings.HasPrefix(strings.TrimSpace(lines[k]), "- id:")) {
			break
		}
		at := form.FindStringSubmatchIndex(lines[k])
		if at == nil {
			continue
		}
		if value == "" {
			n, _ := strconv.ParseFloat(lines[k][at[4]:at[5]], 64)
			value = strconv.FormatFloat(n/2, 'g', 4, 64)
		}
		return proposal{line: k + 1, old: lines[k], new: lines[k][:at[4]] + value + lines[k][at[5]:]}, true
	}
	return proposal{}, false
}

// writePatch writes a unified diff without context that patch -p0 takes.
func writePatch(w io.Writer, file string, lines []string, changes []proposal) error {
	if len(changes) == 0 {
		return nil
	}
	slices.SortFunc(changes, func(a, b proposal) int { return a.line - b.line })
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", file, file)
	for _, c := range changes {
		fmt.Fprintf(&b, "@@ -%d +%d @@\n-%s\n+%s\n", c.line, c.line, c.old, c.new)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
