package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/urfave/cli/v2"
)

func (a *app) rulesDiffCommand() *cli.Command {
	return &cli.Command{
		Name: "diff", Usage: "two rule sets on one history: which alerts appear, vanish, move", ArgsUsage: "OLD NEW FILE…", Action: a.rulesDiff,
		Description: "OLD and NEW are rule files, or folders of them; FILE is what replay reads. Nothing is sent and no data folder is touched.",
		Flags:       append(historyFlags(), &cli.BoolFlag{Name: "markdown", Usage: "a table to paste into a review"}),
	}
}

// raised is one incident of one side.
type raised struct {
	Rule     string    `json:"rule"`
	Severity int       `json:"severity"`
	At       time.Time `json:"at"`
	Size     float64   `json:"size"`                   // mentions of its fullest hour; 0: it does not rest on any
	Peak     time.Time `json:"peak,omitzero"`          // the end of that hour
	Lead     *float64  `json:"lead_minutes,omitempty"` // from the alert to there; below zero: it came later
	brand    string
}

// changedAlert is one line of the comparison; one side is missing where an alert appears or vanishes.
type changedAlert struct {
	Change string  `json:"change"` // same, appears, vanishes, moves
	Brand  string  `json:"brand"`
	Old    *raised `json:"old,omitempty"`
	New    *raised `json:"new,omitempty"`
}

// diffSide is one rule set's replay.
type diffSide struct {
	Name    string       `json:"rules"`
	Hash    string       `json:"hash"`
	PerWeek float64      `json:"per_week"` // alerts of severity 1 to 3
	Labels  *labelResult `json:"labels,omitempty"`
	alerts  []*raised
	zone    *time.Location // that of its rules
}

func (a *app) rulesDiff(c *cli.Context) error {
	if c.NArg() < 3 {
		return usage("name two rule sets and at least one file: emberwatch rules diff OLD NEW FILE…")
	}
	opt, err := replayFlags(c)
	if err != nil {
		return err
	}
	files := c.Args().Slice()
	sets := make([]*rules.Set, 2)
	models := make([]detector.Scorer, 2)
	for i, name := range files[:2] {
		cfg, err := a.ruleConfig(c, []string{name})
		if err != nil {
			return err
		}
		if sets[i], models[i], _, err = a.judgeBy(c, cfg); err != nil {
			return err
		}
	}
	ms, _, err := a.readMentions(files[2:], opt)
	if err != nil {
		return err
	}
	detector.Sort(ms)
	sides := make([]*diffSide, 2)
	for i, set := range sets {
		own, err := opt.of(set, ms, sets...)
		if err != nil {
			return err
		}
		sides[i] = replaySide(files[i], set, models[i], ms, own)
	}
	return a.printDiff(c, sides[0], sides[1], compareAlerts(sides[0].alerts, sides[1].alerts))
}

// replaySide replays mentions, sorted by time, by one rule set.
func replaySide(name string, set *rules.Set, model detector.Scorer, ms []sources.Mention, opt replayOptions) *diffSide {
	side := &diffSide{Name: name, Hash: set.Hash, zone: set.Zone}
	byID := map[string]*raised{}
	r := detector.NewReplay(set, model)
	out := &replayOutput{w: io.Discard, labels: opt.labels, peak: r.Peak}
	r.Brands = opt.brands
	r.Event = func(e detector.ReplayEvent) {
		out.event(e)
		side.note(byID, &e)
	}
	r.Run(ms)
	sum := r.Summary()
	side.PerWeek = round3(sum.PerWeek())
	if opt.labels != nil {
		side.Labels = out.judge(sum.Weeks())
	}
	for id, x := range byID {
		if p, ok := r.Peak(id); ok {
			lead := p.End.Sub(x.At).Minutes()
			x.Size, x.Peak, x.Lead = p.Count, p.End.UTC(), &lead
		}
	}
	return side
}

// note keeps what an event says of an incident: when it was told, and how grave it got.
func (d *diffSide) note(byID map[string]*raised, e *detector.ReplayEvent) {
	i := &e.Incident
	x := byID[i.ID]
	if x == nil {
		x = &raised{Rule: i.Rule, At: e.At.UTC(), Severity: int(i.Severity), brand: i.Brand}
		byID[i.ID] = x
		d.alerts = append(d.alerts, x)
	}
	if i.Severity.GraverThan(rules.Severity(x.Severity)) {
		x.Severity = int(i.Severity)
	}
}

// sameAlert is how far apart two alerts about one thing may be.
const sameAlert = 12 * time.Hour

// compareAlerts pairs alerts of one brand that are near in time, those of the same rule first.
func compareAlerts(old, fresh []*raised) []changedAlert {
	taken := map[*raised]*raised{}
	for _, sameRule := range []bool{true, false} {
		for _, o := range old {
			if taken[o] != nil {
				continue
			}
			for _, n := range fresh {
				if taken[n] == nil && n.brand == o.brand && n.At.Sub(o.At).Abs() <= sameAlert && (!sameRule || n.Rule == o.Rule) {
					taken[o], taken[n] = n, o
					break
				}
			}
		}
	}
	var all []changedAlert
	for _, o := range old {
		n := taken[o]
		x := changedAlert{Change: "same", Brand: o.brand, Old: o, New: n}
		switch {
		case n == nil:
			x.Change = "vanishes"
		case n.At.Sub(o.At).Abs() >= time.Minute || n.Severity != o.Severity || n.Rule != o.Rule:
			x.Change = "moves"
		}
		all = append(all, x)
	}
	for _, n := range fresh {
		if taken[n] == nil {
			all = append(all, changedAlert{Change: "appears", Brand: n.brand, New: n})
		}
	}
	slices.SortStableFunc(all, func(a, b changedAlert) int { return a.at().Compare(b.at()) })
	return all
}

func (x *changedAlert) at() time.Time {
	if x.Old != nil {
		return x.Old.At
	}
	return x.New.At
}

func (a *app) printDiff(c *cli.Context, old, fresh *diffSide, all []changedAlert) error {
	if c.Bool("json") {
		enc := json.NewEncoder(a.stdout)
		enc.SetEscapeHTML(false)
		for _, x := range all {
			if err := enc.Encode(x); err != nil {
				return err
			}
		}
		return enc.Encode(map[string]any{"change": "summary", "old": old, "new": fresh})
	}
	rows := [][]string{{"", "when (" + fresh.zone.String() + ")", "brand", "rule", "severity", "told", "fullest hour", "before its end"}}
	for _, x := range all {
		rows = append(rows, x.row(fresh.zone))
	}
	var b strings.Builder
	if c.Bool("markdown") {
		markdownTable(&b, rows)
	} else {
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, r := range rows {
			fmt.Fprintln(w, strings.TrimRight(strings.Join(r, "\t"), "\t"))
		}
		_ = w.Flush() // a Builder takes everything
	}
	b.WriteByte('\n')
	for _, s := range []*diffSide{old, fresh} {
		fmt.Fprintf(&b, "%s (%s): %s, %.2f of severity 1 to 3 a week%s\n\n", clean(s.Name), s.Hash, several(len(s.alerts), "alert"), s.PerWeek, s.Labels)
	}
	_, err := io.WriteString(a.stdout, strings.TrimSuffix(b.String(), "\n"))
	return err
}

// String says how a side does against known events; nothing without labels.
func (l *labelResult) String() string {
	if l == nil {
		return ""
	}
	return fmt.Sprintf("; of the known events %d found, %d missed, median lead %.0f min; %.2f false alarms a week", l.Found, l.Missed, l.LeadMinutes, l.FalsePerWeek)
}

// told says when the new side tells, against the old one; nothing where only one of them does.
func (x *changedAlert) told() string {
	if x.Old == nil || x.New == nil {
		return "–"
	}
	switch d := x.New.At.Sub(x.Old.At).Round(time.Minute); {
	case d < 0:
		return detector.Words(-d) + " earlier"
	case d > 0:
		return detector.Words(d) + " later"
	}
	return "at the same time"
}

// row is one line of the table, its time in that zone: what changed, as "2 -> 1" where both sides tell.
func (x *changedAlert) row(zone *time.Location) []string {
	both := func(of func(*raised) string) string {
		switch {
		case x.Old == nil:
			return of(x.New)
		case x.New == nil || of(x.Old) == of(x.New):
			return of(x.Old)
		}
		return of(x.Old) + " → " + of(x.New)
	}
	return []string{
		x.Change, x.at().In(zone).Format("2006-01-02 15:04"), x.Brand,
		both(func(r *raised) string { return r.Rule }),
		both(func(r *raised) string { return fmt.Sprint(r.Severity) }),
		x.told(),
		both(func(r *raised) string { return orDash(r.Lead, fmt.Sprintf("%.0f", r.Size)) }),
		both(func(r *raised) string { return orDash(r.Lead, leadWords(r.Lead)) }),
	}
}

// orDash leaves figures out where an incident has no peak.
func orDash(lead *float64, words string) string {
	if lead == nil {
		return "–"
	}
	return words
}

// leadWords says how long before its peak an incident was told.
func leadWords(lead *float64) string {
	switch {
	case lead == nil:
		return ""
	case *lead < 0:
		return fmt.Sprintf("%.0f min after", -*lead)
	}
	return fmt.Sprintf("%.0f min", *lead)
}

func markdownTable(b *strings.Builder, rows [][]string) {
	for i, r := range rows {
		cells := make([]string, len(r))
		for k, cell := range r {
			cells[k] = strings.NewReplacer("|", `\|`, "\n", " ").Replace(cell)
		}
		fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
		if i == 0 {
			fmt.Fprintf(b, "|%s\n", strings.Repeat(" --- |", len(r)))
		}
	}
}
