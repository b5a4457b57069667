package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/console"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/urfave/cli/v2"
)

// operations of the contract with what each does, in the order of a day's work.
var operations = []struct {
	op    detector.Operation
	usage string
}{
	{detector.OpAck, "take it: the ladder stops, the watching does not"},
	{detector.OpUnack, "give it back: the ladder runs again"},
	{detector.OpAssign, "hand it to somebody (--to)"},
	{detector.OpSnooze, "be silent for a while, or until it gets worse (--for, --until)"},
	{detector.OpResolve, "close it: dealt with"},
	{detector.OpFalseAlarm, "close it: it was nothing"},
	{detector.OpKnownEvent, "close it: it was expected"},
	{detector.OpReopen, "open it again"},
	{detector.OpNote, "add a note (--note)"},
	{detector.OpSeverity, "set another severity (--severity)"},
	{detector.OpMerge, "merge it into another (--into)"},
	{detector.OpSplit, "take mentions out into an incident of their own (--mention), or bring a merged one back (--into)"},
	{detector.OpAnswered, "mark mentions as answered (--mention)"},
	{detector.OpFacts, "renew the fact sheet (--fact name=text)"},
}

func (a *app) incidentsCommand() *cli.Command {
	subs := []*cli.Command{
		{
			Name: "list", Usage: "open incidents, the gravest first", Action: a.incidentsList,
			Flags: append(serverFlags(), jsonFlag(), &cli.StringFlag{Name: "state", Value: "open", Usage: "open, closed, all, new, acked or snoozed"},
				&cli.StringFlag{Name: "brand", Usage: "only this brand `ID`"}, languageFlag()),
		},
		{
			Name: "show", Usage: "evidence, arithmetic and timeline of one incident", ArgsUsage: "ID", Action: a.incidentsShow,
			Flags: append(serverFlags(), jsonFlag(), &cli.BoolFlag{Name: "markdown", Usage: "to hand on"}, languageFlag()),
		},
	}
	subs = append(subs, &cli.Command{
		Name: "export", Usage: "the audit trail of incidents, one line of JSON for each entry, each with the hash of the one before",
		ArgsUsage: "ID…", Flags: serverFlags(), Action: a.incidentsExport,
	})
	for _, o := range operations {
		subs = append(subs, &cli.Command{
			Name: string(o.op), Usage: o.usage, ArgsUsage: "ID…", Flags: append(serverFlags(), operationFlags(o.op)...),
			Action: func(c *cli.Context) error { return a.incidentsDo(c, o.op) },
		})
	}
	return &cli.Command{Name: "incidents", Usage: "list, show and work on incidents of the running daemon", Subcommands: subs}
}

// operationFlags are the flags of one operation: its own, and those of all.
func operationFlags(op detector.Operation) []cli.Flag {
	flags := []cli.Flag{jsonFlag(), &cli.StringFlag{Name: "note", Usage: "`TEXT`, goes into the audit"}}
	mention := &cli.StringSliceFlag{Name: "mention", Usage: "`SOURCE/ID` of a mention; may be repeated"}
	into := &cli.StringFlag{Name: "into", Usage: "the other incident's `ID`"}
	switch op {
	case detector.OpAck, detector.OpSnooze:
		flags = append(flags, &cli.StringFlag{Name: "for", Usage: "`DURATION`, such as 4h"}, &cli.StringFlag{Name: "until", Usage: "`TIME` instead (RFC 3339)"})
	case detector.OpAssign:
		flags = append(flags, &cli.StringFlag{Name: "to", Usage: "`NAME` of the assignee"})
	case detector.OpSeverity:
		flags = append(flags, &cli.IntFlag{Name: "severity", Usage: "1 (gravest) to 4"})
	case detector.OpMerge:
		flags = append(flags, into)
	case detector.OpSplit:
		flags = append(flags, mention, into)
	case detector.OpAnswered:
		flags = append(flags, mention)
	case detector.OpFacts:
		flags = append(flags, &cli.StringSliceFlag{Name: "fact", Usage: "`NAME=TEXT`; may be repeated"})
	}
	return flags
}

func (a *app) incidentsList(c *cli.Context) error {
	l, err := a.language(c)
	if err != nil {
		return err
	}
	cl, err := a.newClient(c)
	if err != nil {
		return err
	}
	q := url.Values{}
	if s := c.String("state"); s != "all" {
		q.Set("state", s)
	}
	if b := c.String("brand"); b != "" {
		q.Set("brand", b)
	}
	var res struct {
		Incidents []json.RawMessage `json:"incidents"`
	}
	if _, err := cl.do(c.Context, http.MethodGet, "/api/v1/incidents?"+q.Encode(), nil, &res); err != nil {
		return err
	}
	if c.Bool("json") {
		for _, raw := range res.Incidents {
			fmt.Fprintln(a.stdout, string(raw))
		}
		return nil
	}
	list := make([]detector.Incident, len(res.Incidents))
	for i, raw := range res.Incidents {
		if err := json.Unmarshal(raw, &list[i]); err != nil {
			return fmt.Errorf("read the answer: %w", err)
		}
	}
	if len(list) == 0 {
		fmt.Fprintln(a.stdout, "no incidents: all is calm")
		return nil
	}
	sort.SliceStable(list, func(x, y int) bool { return list[x].Severity < list[y].Severity })
	for i := range list {
		a.incidentLine(l, &list[i])
	}
	return nil
}

// incidentLine prints an incident in two lines. Names are what people call themselves, and the sentence has
// words of mentions in it: all of it is foreign to a terminal.
func (a *app) incidentLine(l *notifier.Language, i *detector.Incident) {
	state := ""
	switch i.Handling {
	case detector.Acked:
		state = l.Say("show.acked", "who", console.Clean(i.Owner), "when", localIn(l)(i.LeaseUntil))
	case detector.Snoozed:
		state = l.Say("show.snoozed", "who", console.Clean(i.Owner), "when", localIn(l)(i.SnoozeUntil))
	case detector.Closed:
		state = l.Say("show.closed", "how", l.Word(string(i.Closing)), "who", console.Clean(i.ClosedBy))
	default:
		state = l.Say("show.new")
	}
	fmt.Fprintf(a.stdout, "%-20s %s  %s\n    %s\n", console.Clean(i.ID), l.Say("show.line", "n", strconv.Itoa(int(i.Severity)),
		"severity", l.Say("severity."+strconv.Itoa(int(i.Severity))), "when", localIn(l)(i.Since)), state, notifier.Sentence(l, i, time.Local, console.Clean))
}

func local(t time.Time) string { return t.Local().Format("2006-01-02 15:04 MST") }

// localIn writes times as a language does, in the zone of this machine.
func localIn(l *notifier.Language) func(time.Time) string {
	return func(t time.Time) string { return t.Local().Format(l.Say("report.date") + " 15:04 MST") }
}

func languageFlag() cli.Flag {
	return &cli.StringFlag{Name: "language", Usage: "`CODE` of the language, such as de"}
}

// language is the one asked for, of those of the program and those that the configuration names.
func (a *app) language(c *cli.Context) (*notifier.Language, error) {
	var all *notifier.Languages
	if cfg, _, err := Load(c.String("config")); err == nil {
		all, _ = cfg.languages() // what is wrong with a file, check says
	}
	code := c.String("language")
	base, _, _ := strings.Cut(strings.ToLower(code), "-")
	if code != "" && !slices.Contains(all.Codes(), base) {
		return nil, usage("--language %q: nobody has translated that; there are %s, and languages of the configuration names files of more", code, strings.Join(all.Codes(), ", "))
	}
	return all.In(code), nil
}

// shown is how a terminal shows names and times.
func shown(l *notifier.Language) notifier.Manner {
	return notifier.Manner{Foreign: console.Clean, When: localIn(l)}
}

// incidentView is what the API says about one incident.
type incidentView struct {
	Incident detector.Incident `json:"incident"`
	Audit    []detector.Audit  `json:"audit"`
	Mentions []detector.Judged `json:"mentions"`
}

func (a *app) incidentsShow(c *cli.Context) error {
	id, err := incidentArg(c)
	if err != nil {
		return err
	}
	l, err := a.language(c)
	if err != nil {
		return err
	}
	cl, err := a.newClient(c)
	if err != nil {
		return err
	}
	path := "/api/v1/incidents/" + url.PathEscape(id)
	if c.Bool("json") {
		_, err := cl.do(c.Context, http.MethodGet, path, nil, a.stdout)
		return err
	}
	var v incidentView
	if _, err := cl.do(c.Context, http.MethodGet, path, nil, &v); err != nil {
		return err
	}
	if c.Bool("markdown") {
		a.markdown(l, &v)
		return nil
	}
	a.show(l, &v)
	return nil
}

func incidentArg(c *cli.Context) (string, error) {
	if c.Args().Len() != 1 {
		return "", usage("name one incident, as in: emberwatch incidents %s fjellbryg-1", c.Command.Name)
	}
	return c.Args().First(), nil
}

// show prints an incident as a person reads it: what, the arithmetic, the evidence, what was done.
func (a *app) show(l *notifier.Language, v *incidentView) {
	a.incidentLine(l, &v.Incident)
	i, ev := &v.Incident, &v.Incident.Evidence
	fmt.Fprintf(a.stdout, "\n  %s\n", l.Say("show.rule", "title", console.Clean(notifier.Title(l, i)), "rule", console.Clean(i.Rule), "signal", console.Clean(i.Signal),
		"why", l.Tell(i.SeverityWhy, i.SeveritySaid, shown(l))))
	if len(ev.Windows) > 0 {
		fmt.Fprintf(a.stdout, "\n  %-8s %9s %9s %12s %9s\n", l.Say("show.window"), l.Say("show.observed"), l.Say("show.expected"), l.Say("show.high"), l.Say("show.surprise"))
		for _, w := range ev.Windows {
			fmt.Fprintf(a.stdout, "  %-8s %9s %9s %12s %9s\n", shortDuration(w.Length), l.Number(w.Observed), l.Number(w.Expected), l.Number(w.High), l.Number(w.Surprise))
		}
		fmt.Fprintf(a.stdout, "  %s %s\n", l.Say("show.score", "score", l.Number(ev.Score), "bar", l.Number(ev.Bar)), l.Learning(ev, console.Clean))
		if ev.Budget != nil {
			fmt.Fprintf(a.stdout, "  %s\n", l.Say("show.budget", "budget", l.Budget(ev.Budget)))
		}
	}
	fmt.Fprintf(a.stdout, "\n  %s\n", l.Say("show.from", "authors", l.Count("authors", ev.Authors), "sources", counts(ev.Sources, asIs),
		"languages", counts(ev.Languages, asIs), "topics", counts(ev.Categories, l.Topic)))
	for k := range min(len(v.Mentions), 8) {
		m := &v.Mentions[k].Mention
		fmt.Fprintf(a.stdout, "\n  %s  %s %s [%s]\n    %s\n", localIn(l)(m.CreatedAt), console.Clean(m.Source), console.Clean(authorName(l, m.Author)),
			console.Clean(v.Mentions[k].Lang), cut(console.Clean(m.Body()), 200))
	}
	fmt.Fprintf(a.stdout, "\n  %s\n", l.Say("show.timeline"))
	for _, x := range v.Audit {
		if x.Op != "updated" {
			fmt.Fprintf(a.stdout, "  %s  %-12s %s  %s\n", localIn(l)(x.At), l.Own("op.", console.Clean(x.Op)), console.Clean(x.Actor.ID+via(x.Actor)),
				strings.Join(slices.DeleteFunc(append(changed(l, &x), l.Tell(x.Note, x.Said, shown(l))), func(s string) bool { return s == "" }), "; "))
		}
	}
}

// changed says what an entry of the history did to those of its fields that people go by.
func changed(l *notifier.Language, x *detector.Audit) []string {
	var out []string
	for _, field := range []string{"handling", "severity", "owner"} {
		if c, ok := x.Changes[field]; ok && c[0] != "" && c[0] != 0.0 {
			side := func(v any) string {
				switch s := console.Clean(fmt.Sprint(v)); {
				case s == "":
					return l.Say("page.none")
				case field == "handling":
					return l.Own("handled.", s)
				default:
					return s
				}
			}
			out = append(out, l.Say("change."+field)+" "+side(c[0])+" → "+side(c[1]))
		}
	}
	return out
}

func asIs(s string) string { return s }

// incidentsExport prints the histories whole: with them anybody can work out the hashes and the incident anew.
func (a *app) incidentsExport(c *cli.Context) error {
	if c.Args().Len() == 0 {
		return usage("name one incident or more, as in: emberwatch incidents export fjellbryg-1")
	}
	cl, err := a.newClient(c)
	if err != nil {
		return err
	}
	for _, id := range c.Args().Slice() {
		var v struct {
			Audit []json.RawMessage `json:"audit"`
		}
		if _, err := cl.do(c.Context, http.MethodGet, "/api/v1/incidents/"+url.PathEscape(id), nil, &v); err != nil {
			return err
		}
		for _, line := range v.Audit {
			fmt.Fprintln(a.stdout, string(line))
		}
	}
	return nil
}

func via(x detector.Actor) string {
	if x.Via == "" || x.Via == x.Kind {
		return ""
	}
	return " (" + x.Via + ")"
}

func authorName(l *notifier.Language, x sources.Author) string {
	for _, s := range []string{x.Handle, x.Name} {
		if s != "" {
			return s
		}
	}
	return l.Say("somebody")
}

func cut(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

func counts(m map[string]int, called func(string) string) string {
	names := sortedNames(m)
	sort.SliceStable(names, func(x, y int) bool { return m[names[x]] > m[names[y]] })
	parts := make([]string, len(names))
	for i, n := range names {
		parts[i] = fmt.Sprintf("%s %d", console.Clean(called(n)), m[n])
	}
	if len(parts) == 0 {
		return "–"
	}
	return strings.Join(parts, ", ")
}

// markdown prints an incident to hand on. Quotes and notes stand in code spans, where they cannot format
// anything; our own sentences hold foreign words too and are escaped.
func (a *app) markdown(l *notifier.Language, v *incidentView) {
	i, ev := &v.Incident, &v.Incident.Evidence
	utc := notifier.Manner{Foreign: asIs, When: func(t time.Time) string { return t.UTC().Format(time.RFC3339) }}
	fmt.Fprintf(a.stdout, "# %s: %s\n\n%s\n\n%s\n\n", prose(i.ID), prose(notifier.Title(l, i)), prose(notifier.Sentence(l, i, time.UTC, asIs)),
		l.Say("show.how", "n", strconv.Itoa(int(i.Severity)), "severity", l.Say("severity."+strconv.Itoa(int(i.Severity))), "state", l.Own("handled.", string(i.Handling)),
			"when", i.Since.UTC().Format(time.RFC3339), "why", prose(l.Tell(i.SeverityWhy, i.SeveritySaid, utc))))
	if len(ev.Windows) > 0 {
		fmt.Fprintf(a.stdout, "| %s | %s | %s | %s | %s |\n| --- | --- | --- | --- | --- |\n", l.Say("show.window"), l.Say("show.observed"), l.Say("show.expected"), l.Say("show.high"), l.Say("show.surprise"))
		for _, w := range ev.Windows {
			fmt.Fprintf(a.stdout, "| %s | %s | %s | %s | %s |\n", shortDuration(w.Length), l.Number(w.Observed), l.Number(w.Expected), l.Number(w.High), l.Number(w.Surprise))
		}
	}
	fmt.Fprintf(a.stdout, "\n## %s\n\n", l.Say("show.mentions"))
	for k := range v.Mentions {
		m := &v.Mentions[k].Mention
		fmt.Fprintf(a.stdout, "- %s, %s: `%s`\n", m.CreatedAt.UTC().Format(time.RFC3339), prose(m.Source), code(cut(m.Body(), 280)))
	}
	fmt.Fprintf(a.stdout, "\n## %s\n\n", l.Say("page.timeline"))
	for _, x := range v.Audit {
		if x.Op != "updated" {
			fmt.Fprintf(a.stdout, "- %s %s %s `%s`\n", x.At.UTC().Format(time.RFC3339), prose(l.Own("op.", x.Op)), l.Say("page.by", "who", "`"+code(x.Actor.ID)+"`"), code(l.Tell(x.Note, x.Said, utc)))
		}
	}
}

// code is a text that may stand in a code span. An empty span would be two backticks that open another.
func code(s string) string {
	if s = strings.ReplaceAll(console.Clean(s), "`", "'"); s == "" {
		return " "
	}
	return s
}

// formatting are the characters that format a text wherever they stand; "://" would make a link of its own.
var formatting = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`,
	"|", `\|`, "~", `\~`, "&", `\&`, "#", `\#`, "!", `\!`, "://", `\://`)

// listStart is a number that begins a list; at the start of a line so do -, + and =.
var listStart = regexp.MustCompile(`^(\d+)([.)])`)

// prose is a text of one line that markdown shows as it is.
func prose(s string) string {
	s = listStart.ReplaceAllString(formatting.Replace(console.Clean(s)), `$1\$2`)
	if s != "" && strings.ContainsRune("-+=", rune(s[0])) {
		return `\` + s
	}
	return s
}

// incidentsDo sends one operation, for each incident that is named.
func (a *app) incidentsDo(c *cli.Context, op detector.Operation) error {
	if c.Args().Len() == 0 {
		return usage("name one incident or more, as in: emberwatch incidents %s fjellbryg-1", c.Command.Name)
	}
	args, err := operationArgs(c)
	if err != nil {
		return err
	}
	if need, ok := needs[op]; ok && !slices.ContainsFunc(need, c.IsSet) {
		return usage("%s needs --%s", op, strings.Join(need, " or --"))
	}
	cl, err := a.newClient(c)
	if err != nil {
		return err
	}
	refused := false
	for _, id := range c.Args().Slice() {
		var res detector.Result
		if _, err := cl.do(c.Context, http.MethodPost, "/api/v1/incidents/"+url.PathEscape(id)+"/"+string(op), args, &res); err != nil {
			return err
		}
		refused = refused || res.Outcome == detector.Refused
		if c.Bool("json") {
			if err := json.NewEncoder(a.stdout).Encode(res); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintf(a.stdout, "%s: %s\n", console.Clean(cmp.Or(res.Incident.ID, id)), console.Clean(res.Message))
	}
	if refused {
		return &exitError{Code: exitFailed}
	}
	return nil
}

// needs are the flags of which an operation wants one at least.
var needs = map[detector.Operation][]string{
	detector.OpSnooze: {"for", "until"}, detector.OpAssign: {"to"}, detector.OpNote: {"note"}, detector.OpSeverity: {"severity"},
	detector.OpMerge: {"into"}, detector.OpSplit: {"mention", "into"}, detector.OpFacts: {"fact"},
}

func operationArgs(c *cli.Context) (args detector.Args, err error) {
	args = detector.Args{Assignee: c.String("to"), Note: c.String("note"), Into: c.String("into"), Severity: rules.Severity(c.Int("severity"))}
	if s := c.String("for"); s != "" {
		d, err := detector.ParseDuration(s)
		if err != nil {
			return args, usage("--for: %v", err)
		}
		args.For = detector.Duration(d)
	}
	if args.Until, err = timeFlag(c, "until"); err != nil {
		return args, err
	}
	for _, m := range c.StringSlice("mention") {
		source, id, ok := strings.Cut(m, "/")
		if !ok {
			return args, usage("--mention %q: write SOURCE/ID", m)
		}
		args.Mentions = append(args.Mentions, sources.Key{Source: source, ID: id})
	}
	for _, f := range c.StringSlice("fact") {
		name, text, ok := strings.Cut(f, "=")
		if !ok {
			return args, usage("--fact %q: write NAME=TEXT", f)
		}
		if args.Facts == nil {
			args.Facts = map[string]string{}
		}
		args.Facts[name] = text
	}
	return args, nil
}
