package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"
	"emberwatch/sources"
	"emberwatch/sources/jsonl"

	"github.com/urfave/cli/v2"
)

func (a *app) replayCommand() *cli.Command {
	return &cli.Command{
		Name: "replay", Usage: "history through the same engine: which incidents, when, why", ArgsUsage: "FILE…",
		Description: "Reads NDJSON or CSV, plain or compressed, in any order; - is standard input. Nothing is sent and no data\n" +
			"folder is touched. Nobody acknowledges in a replay: an incident closes when calm.",
		Flags:  append(historyFlags(), &cli.StringSliceFlag{Name: "rules", Usage: "rule `FILE` instead of those of the configuration"}),
		Action: a.replay,
	}
}

// historyFlags choose what of the past is played, and how it is printed; see replayFlags.
func historyFlags() []cli.Flag {
	return []cli.Flag{
		jsonFlag(),
		&cli.StringSliceFlag{Name: "brand", Usage: "only this brand, by `ID` or name"},
		&cli.StringFlag{Name: "from", Usage: "only mentions from `TIME` on"},
		&cli.StringFlag{Name: "to", Usage: "only mentions before `TIME`"},
		&cli.StringFlag{Name: "timezone", Usage: "IANA `ZONE` of times without one"},
		&cli.StringFlag{Name: "labels", Usage: "`FILE` with known events: a JSON list of {brand, start, end}"},
	}
}

// replayOptions are the flags, read.
type replayOptions struct {
	brands   []string
	from, to time.Time
	zone     *time.Location
	labels   []label
}

func (a *app) replay(c *cli.Context) error {
	if !c.Args().Present() {
		return usage("name at least one file, or - for standard input")
	}
	opt, err := replayFlags(c)
	if err != nil {
		return err
	}
	set, model, err := a.judgeFromFlags(c)
	if err != nil {
		return err
	}
	start := time.Now()
	ms, rejected, err := a.readMentions(c.Args().Slice(), opt)
	if err != nil {
		return err
	}
	if opt, err = opt.of(set, ms); err != nil {
		return err
	}
	detector.Sort(ms)
	r := detector.NewReplay(set, model)
	out := &replayOutput{w: a.stdout, json: c.Bool("json"), zone: set.Zone, labels: opt.labels, peak: r.Peak}
	r.Event, r.Brands = out.event, opt.brands
	r.Run(ms)
	r.Rejected(rejected)
	return out.summary(r.Summary(), time.Since(start))
}

func replayFlags(c *cli.Context) (opt replayOptions, err error) {
	opt.brands = c.StringSlice("brand")
	if opt.from, err = timeFlag(c, "from"); err != nil {
		return opt, err
	}
	if opt.to, err = timeFlag(c, "to"); err != nil {
		return opt, err
	}
	if z := c.String("timezone"); z != "" {
		if opt.zone, err = time.LoadLocation(z); err != nil {
			return opt, usage("--timezone %q: use an IANA name such as Europe/Oslo", z)
		}
	}
	if f := c.String("labels"); f != "" {
		opt.labels, err = readLabels(f)
	}
	return opt, err
}

func timeFlag(c *cli.Context, name string) (time.Time, error) {
	s := c.String(name)
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usage("--%s %q: write it like 2026-11-16 or 2026-11-16T07:42:10Z", name, s)
}

// readMentions reads all files; what cannot be read is counted and told on stderr, the first of it in full.
func (a *app) readMentions(names []string, opt replayOptions) (ms []sources.Mention, rejected int, err error) {
	const shown = 10
	o := jsonl.Options{Name: "file", Timezone: opt.zone, Verdicts: true, Report: func(file string, line int, err error) {
		if rejected++; rejected <= shown {
			fmt.Fprintf(a.stderr, "emberwatch: %s:%d: %v\n", file, line, err)
		}
	}}
	for _, name := range names {
		if err := a.readFile(name, o, func(m sources.Mention) {
			if opt.keeps(&m) {
				ms = append(ms, m)
			}
		}); err != nil {
			return nil, rejected, &exitError{exitUsage, err}
		}
	}
	if rejected > shown {
		fmt.Fprintf(a.stderr, "emberwatch: and %d more lines that could not be read\n", rejected-shown)
	}
	return ms, rejected, nil
}

func (a *app) readFile(name string, o jsonl.Options, fn func(sources.Mention)) error {
	var r io.Reader = a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		r = f
	}
	_, err := jsonl.Read(r, name, o, func(_ int, m sources.Mention) error {
		fn(m)
		return nil
	})
	return err
}

func (o *replayOptions) keeps(m *sources.Mention) bool {
	return (o.from.IsZero() || !m.CreatedAt.Before(o.from)) && (o.to.IsZero() || m.CreatedAt.Before(o.to))
}

// of puts the ids of a set in the place of the brands that are named. A brand is known by a rule file (one of several sets
// that are compared) or by a mention that was read; another one would be looked for in vain.
func (o replayOptions) of(set *rules.Set, ms []sources.Mention, others ...*rules.Set) (replayOptions, error) {
	known := map[string]bool{}
	for _, s := range append(others, set) {
		for id := range s.Brands {
			known[id] = true
		}
	}
	said := map[string]bool{}
	for i := range ms {
		said[ms[i].Brand] = true
	}
	delete(said, "")
	for name := range said {
		id, _ := set.BrandID(name)
		known[id] = true
	}
	named := o.brands
	o.brands = nil
	for _, name := range named {
		id, err := knownBrand(set, known, name)
		if err != nil {
			return o, usage("--brand %w", err)
		}
		o.brands = append(o.brands, id)
	}
	return o, o.resolveLabels(set, known)
}

// brandFlag is the id of the one brand that --brand names, empty without the flag.
func brandFlag(c *cli.Context, set *rules.Set, ms []sources.Mention) (string, error) {
	name := c.String("brand")
	if name == "" {
		return "", nil
	}
	o, err := replayOptions{brands: []string{name}}.of(set, ms)
	if err != nil {
		return "", err
	}
	return o.brands[0], nil
}

// knownBrand returns the id of a brand that is named by id or name, without regard to case.
func knownBrand(set *rules.Set, known map[string]bool, name string) (string, error) {
	id, _ := set.BrandID(name)
	if known[id] {
		return id, nil
	}
	const most = 20
	ids := sortedNames(known)
	hint := "there is none at all"
	if near := rules.Nearest(id, ids); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	} else if len(ids) > 0 {
		hint = "known are " + strings.Join(ids[:min(most, len(ids))], ", ")
		if len(ids) > most {
			hint += fmt.Sprintf(" and %d more", len(ids)-most)
		}
	}
	return "", fmt.Errorf("%q: neither the rules nor the mentions have this brand; %s", name, hint)
}

// replayEvent is one line of JSON output.
type replayEvent struct {
	Event    string    `json:"event"`
	At       time.Time `json:"at"`
	Incident string    `json:"incident"`
	Brand    string    `json:"brand"`
	Rule     string    `json:"rule"`
	Severity int       `json:"severity"`
	Title    string    `json:"title"`
	Category string    `json:"category"`
	Signal   string    `json:"signal"`
	Window   string    `json:"window"`
	Observed float64   `json:"observed"`
	Expected float64   `json:"expected"`
	Surprise float64   `json:"surprise"`
	Authors  int       `json:"authors"`
	Since    time.Time `json:"since"`
	Sentence string    `json:"sentence"`
	Mentions []string  `json:"mentions"`

	sources []string
}

// replaySummary is the last line.
type replaySummary struct {
	Event      string                    `json:"event"`
	Mentions   int                       `json:"mentions"`
	Rejected   int                       `json:"rejected"`
	Duplicates int                       `json:"duplicates"`
	Incidents  map[string]map[string]int `json:"incidents"`
	Weeks      float64                   `json:"weeks"`
	PerWeek    float64                   `json:"per_week"`
	Seconds    float64                   `json:"seconds"`
	PerSecond  float64                   `json:"per_second"`
	Labels     *labelResult              `json:"labels,omitempty"`
}

// replayOutput prints a replay, for programs or for people.
type replayOutput struct {
	w      io.Writer
	json   bool
	zone   *time.Location
	labels []label
	peak   func(incident string) (detector.Peak, bool)
	opened []replayEvent
	err    error
}

func (o *replayOutput) event(e detector.ReplayEvent) {
	i := &e.Incident
	sev := i.Severity
	if i.Override != rules.Calm {
		sev = i.Override
	}
	x := replayEvent{
		Event: e.Op, At: e.At.UTC(), Incident: i.ID, Brand: i.Brand, Rule: i.Rule, Severity: int(sev), Title: i.Title,
		Category: i.Category, Signal: i.Signal, Window: shortDuration(i.Evidence.Window.Length),
		Observed: i.Evidence.Window.Observed, Expected: round3(i.Evidence.Window.Expected), Surprise: round3(i.Evidence.Window.Surprise),
		Authors: i.Evidence.Authors, Since: i.Since.UTC(), Sentence: i.Sentence, Mentions: []string{}, sources: i.NewSources,
	}
	for _, k := range i.Evidence.Mentions {
		x.Mentions = append(x.Mentions, k.ID)
	}
	if e.Op == "opened" || e.Op == "reopened" || e.Op == "worse" {
		o.opened = append(o.opened, x)
	}
	if o.json {
		o.encode(x)
		return
	}
	o.print(x)
}

func (o *replayOutput) encode(v any) {
	enc := json.NewEncoder(o.w)
	enc.SetEscapeHTML(false)
	o.err = errors.Join(o.err, enc.Encode(v))
}

// print writes an event as a person reads it: the sentence when it opens or gets worse, a word otherwise.
func (o *replayOutput) print(x replayEvent) {
	zone := o.zone
	if zone == nil {
		zone = time.UTC
	}
	at := x.At.In(zone).Format("Mon 2006-01-02 15:04 MST")
	switch x.Event {
	case "updated":
	case "new_source":
		fmt.Fprintf(o.w, "%s  %-9s %s  now also on %s\n", at, x.Event, x.Incident, clean(x.sources[len(x.sources)-1]))
	case "opened", "worse", "reopened":
		fmt.Fprintf(o.w, "%s  %-9s %s  severity %d (%s)  %s\n    %s\n", at, x.Event, x.Incident, x.Severity,
			rules.Severity(x.Severity), x.Title, x.Sentence)
	default:
		fmt.Fprintf(o.w, "%s  %-9s %s\n", at, x.Event, x.Incident)
	}
}

func (o *replayOutput) summary(s detector.ReplaySummary, took time.Duration) error {
	x := replaySummary{
		Event: "summary", Mentions: s.Mentions, Rejected: s.Rejected, Duplicates: s.Duplicates,
		Incidents: map[string]map[string]int{}, Weeks: round3(s.Weeks()), PerWeek: round3(s.PerWeek()),
		Seconds: round3(took.Seconds()), PerSecond: round3(float64(s.Mentions) / max(took.Seconds(), 1e-9)),
	}
	for b, by := range s.Incidents {
		x.Incidents[b] = map[string]int{}
		for sev, n := range by {
			x.Incidents[b][fmt.Sprint(int(sev))] = n
		}
	}
	if o.labels != nil {
		x.Labels = o.judge(s.Weeks())
	}
	if o.json {
		o.encode(x)
		return o.err
	}
	o.printSummary(x)
	return o.err
}

func (o *replayOutput) printSummary(x replaySummary) {
	fmt.Fprintf(o.w, "\n%s in %.1f weeks (%s, %d not readable), %.1f s, %.0f/s\n",
		several(x.Mentions, "mention"), x.Weeks, several(x.Duplicates, "duplicate"), x.Rejected, x.Seconds, x.PerSecond)
	if len(x.Incidents) == 0 {
		fmt.Fprintln(o.w, "no incidents")
	}
	for _, b := range sortedNames(x.Incidents) {
		var parts []string
		for _, sev := range sortedNames(x.Incidents[b]) {
			parts = append(parts, fmt.Sprintf("%d of severity %s", x.Incidents[b][sev], sev))
		}
		fmt.Fprintf(o.w, "%s: %s\n", b, strings.Join(parts, ", "))
	}
	if x.PerWeek > 0 {
		fmt.Fprintf(o.w, "%.2f incidents of severity 1 to 3 per week\n", x.PerWeek)
	}
	if l := x.Labels; l != nil {
		fmt.Fprintf(o.w, "known events: %d found, %d missed, median delay %.0f min, median lead %.0f min; %d false alarms (%.2f per week)\n",
			l.Found, l.Missed, l.DelayMinutes, l.LeadMinutes, l.False, l.FalsePerWeek)
	}
}

func median(xs []float64) float64 {
	if len(xs) == 0 {
		return 0
	}
	slices.Sort(xs)
	return xs[len(xs)/2]
}

func sortedNames[V any](m map[string]V) []string {
	var names []string
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

func round3(x float64) float64 { return float64(int64(x*1000+0.5)) / 1000 }

// shortDuration writes 30m, 2h, 24h.
func shortDuration(d time.Duration) string {
	if d == 0 {
		return "24h" // single mentions are gathered over a day
	}
	if d%time.Hour == 0 {
		return fmt.Sprintf("%dh", int(d.Hours()))
	}
	return fmt.Sprintf("%dm", int(d.Minutes()))
}
