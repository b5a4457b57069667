package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/store"
	"emberwatch/notifier"
	"emberwatch/notifier/console"
	"emberwatch/rules"

	"github.com/urfave/cli/v2"
)

func (a *app) reportCommand() *cli.Command {
	return &cli.Command{
		Name: "report", Usage: "how a period went: times, answers, precision, budgets, topics, drafts, sources", Action: a.report7,
		Description: "Of the last seven days, unless --from and --to say otherwise. It asks the running daemon; without one it reads the\n" +
			"data folder. Times count from when an incident was told: until a person took or closed it, until an answer was\n" +
			"marked, until it was resolved or calm. Precision is what people closed as resolved among that and false alarms.\n" +
			"Answers within an hour and a day are those of complaints with answer clocks (sla), of the last 14 days at most. Sources that\n" +
			"fail, have most of what they bring rejected, or are silent are those of now; only a running daemon knows them.",
		Flags: append(serverFlags(), jsonFlag(),
			&cli.StringFlag{Name: "from", Usage: "`TIME` (RFC 3339 or a day such as 2026-11-09)"},
			&cli.StringFlag{Name: "to", Usage: "`TIME`, not included"},
			languageFlag()),
	}
}

func (a *app) report7(c *cli.Context) error {
	if c.Args().Present() {
		return usage("report takes no arguments; name the period with --from and --to")
	}
	l, err := a.language(c)
	if err != nil {
		return err
	}
	from, to, err := period(c, time.Now())
	if err != nil {
		return err
	}
	cl, err := a.newClient(c)
	if err != nil {
		return err
	}
	var r detector.Report
	q := url.Values{"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}
	_, err = cl.do(c.Context, http.MethodGet, "/api/v1/report?"+q.Encode(), nil, &r)
	if errors.Is(err, errNoDaemon) && !c.IsSet("server") {
		err = a.reportFromFolder(c, from, to, &r)
	}
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(a.stdout).Encode(&r)
	}
	a.printReport(&r, l)
	return nil
}

// period reads --from and --to. Days begin where this machine is.
func period(c *cli.Context, now time.Time) (from, to time.Time, err error) {
	read := func(name string) (t time.Time) {
		s := c.String(name)
		if s == "" || err != nil {
			return t
		}
		if t, err = time.Parse(time.RFC3339, s); err != nil {
			t, err = time.ParseInLocation(time.DateOnly, s, time.Local)
		}
		if err != nil {
			err = usage("--%s %q: write it like 2026-11-09 or 2026-11-09T08:00:00Z", name, s)
		}
		return t
	}
	if from, to = read("from"), read("to"); err != nil {
		return from, to, err
	}
	if to.IsZero() {
		to = now
	}
	if from.IsZero() {
		from = to.AddDate(0, 0, -7)
	}
	if !from.Before(to) {
		return from, to, usage("--from has to be before --to")
	}
	return from.UTC(), to.UTC(), nil
}

// reportFromFolder makes the report without a daemon. The budgets are those of the rule files, if they can be read.
func (a *app) reportFromFolder(c *cli.Context, from, to time.Time, out *detector.Report) error {
	var set *rules.Set
	if cfg, _, err := Load(c.String("config")); err == nil {
		set, _ = loadRules(cfg, nil)
	}
	return a.withStore(c, func(db *store.DB) error {
		r, err := detector.NewReport(c.Context, db, set, from, to)
		if err == nil {
			*out = *r
		}
		return err
	})
}

// printReport prints a report as a person reads it. Names and mentions are foreign to a terminal.
func (a *app) printReport(r *detector.Report, l *notifier.Language) {
	fmt.Fprintln(a.stdout, notifier.ReportTitle(l, r, time.Local))
	lines := notifier.ReportLines(l, r, console.Clean)
	width := 0
	for _, x := range lines {
		width = max(width, len([]rune(x.Name)))
	}
	for _, x := range lines {
		for k, text := range strings.Split(x.Text, "\n") {
			name := x.Name
			if k > 0 {
				name = ""
			}
			fmt.Fprintf(a.stdout, "  %-*s  %s\n", width, name, text)
		}
	}
	if len(r.Share) > 0 {
		fmt.Fprintf(a.stdout, "  %s\n", l.Say("report.share"))
	}
	for i := range r.Share {
		m := &r.Share[i].Mention
		fmt.Fprintf(a.stdout, "    %s, %s [%s]\n      %s\n", console.Clean(authorName(l, m.Author)), console.Clean(m.Source), console.Clean(r.Share[i].Lang),
			cut(console.Clean(m.Body()), 200))
	}
}
