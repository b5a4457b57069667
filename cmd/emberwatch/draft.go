package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/draft"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/urfave/cli/v2"
)

func (a *app) draftCommand() *cli.Command {
	return &cli.Command{
		Name: "draft", Usage: "reply drafts and their guard results for mentions, or for an incident of the running daemon", ArgsUsage: "FILE…",
		Flags: append([]cli.Flag{
			jsonFlag(),
			&cli.StringSliceFlag{Name: "rules", Usage: "rule `FILE` with brands and playbooks"},
			&cli.StringFlag{Name: "network", Usage: "for this `NETWORK` instead of the mention's own"},
			&cli.IntFlag{Name: "severity", Usage: "as in an incident of this severity, 1 to 4"},
			&cli.StringFlag{Name: "incident", Usage: "`ID` of an incident instead of files: drafts with its facts and its history"},
		}, serverFlags()...),
		Action: a.draft,
	}
}

// drafted is one line of JSON output.
type drafted struct {
	Mention string `json:"mention"`
	notifier.Suggestion
}

func (a *app) draft(c *cli.Context) error {
	if id := c.String("incident"); id != "" {
		return a.draftIncident(c, id)
	}
	if !c.Args().Present() {
		return usage("name a file with mentions, or - for standard input; or an incident with --incident")
	}
	sev := rules.Severity(c.Int("severity"))
	if sev < 0 || sev > rules.Notice {
		return usage("--severity is 1 (gravest) to 4")
	}
	set, model, err := a.judgeFromFlags(c)
	if err != nil {
		return err
	}
	lib, err := draft.New(draft.Options{})
	if err != nil {
		return err
	}
	rephraser, err := a.rephraserFor(c, lib)
	if err != nil {
		return err
	}
	log, err := a.logger(c)
	if err != nil {
		return err
	}
	ms, _, err := a.readMentions(c.Args().Slice(), replayOptions{})
	if err != nil {
		return err
	}
	for _, m := range latest(ms) {
		r := notifier.Request{
			Mention: detector.Judge(set, model, m)[0], Severity: sev, Network: c.String("network"), Rules: set, Now: time.Now(),
		}
		s, err := lib.Draft(c.Context, r)
		if err != nil {
			return fmt.Errorf("mention %s: %w", m.ID, err)
		}
		if rephraser != nil {
			if s, err = rephraser.Rephrase(c.Context, r, s); err != nil {
				log.Warn("a draft is not reworded", "mention", m.ID, "error", err)
			}
		}
		if err := a.printDrafts(c.Bool("json"), &m, s); err != nil {
			return err
		}
	}
	return nil
}

// rephraserFor returns the rephraser of the configuration; rule files given by hand come without one.
func (a *app) rephraserFor(c *cli.Context, lib *draft.Library) (*draft.Rephraser, error) {
	if len(c.StringSlice("rules")) > 0 {
		return nil, nil
	}
	cfg, err := a.loadConfig(c)
	if err != nil {
		return nil, err
	}
	return newRephraser(cfg, lib)
}

// draftIncident prints what the daemon suggests for the mentions of an incident.
func (a *app) draftIncident(c *cli.Context, id string) error {
	if c.Args().Present() {
		return usage("name files or an incident, not both")
	}
	cl, err := a.newClient(c)
	if err != nil {
		return err
	}
	var res struct {
		Drafts []struct {
			Mention detector.Judged `json:"mention"`
			notifier.Suggestion
		} `json:"drafts"`
	}
	if _, err := cl.do(c.Context, http.MethodGet, "/api/v1/incidents/"+url.PathEscape(id)+"/drafts", nil, &res); err != nil {
		return err
	}
	for i := range res.Drafts {
		d := &res.Drafts[i]
		if err := a.printDrafts(c.Bool("json"), &d.Mention.Mention, d.Suggestion); err != nil {
			return err
		}
	}
	return nil
}

// latest returns what is left of mentions once edits have replaced them and deletes have taken them away, in the order in
// which each first came.
func latest(ms []sources.Mention) []sources.Mention {
	at := map[sources.Key]int{}
	var out []sources.Mention
	for _, m := range ms {
		k, known := at[m.Key()]
		switch {
		case known && m.Op == sources.Create: // seen before
		case known:
			out[k] = m
		case m.Op != sources.Delete:
			at[m.Key()] = len(out)
			out = append(out, m)
		}
	}
	return slices.DeleteFunc(out, func(m sources.Mention) bool { return m.Op == sources.Delete })
}

func (a *app) printDrafts(asJSON bool, m *sources.Mention, s notifier.Suggestion) error {
	if s.Drafts == nil {
		s.Drafts = []notifier.Draft{}
	}
	if asJSON {
		enc := json.NewEncoder(a.stdout)
		enc.SetEscapeHTML(false)
		return enc.Encode(drafted{m.ID, s})
	}
	text := []rune(strings.Join(strings.Fields(clean(m.Body())), " "))
	fmt.Fprintf(a.stdout, "%s: %s\n  %s", clean(m.ID), string(text[:min(len(text), 100)]), s.Suggest)
	if s.Why != "" {
		fmt.Fprintf(a.stdout, ": %s", clean(s.Why))
	}
	if len(s.Approve) > 0 {
		fmt.Fprintf(a.stdout, "; to be approved by %s", clean(strings.Join(s.Approve, ", ")))
	}
	fmt.Fprintln(a.stdout)
	if p := s.Posture; p != nil {
		fmt.Fprintf(a.stdout, "  responsibility: %s (%s)\n", p.Cluster, clean(p.Why))
	}
	if len(s.DoNot) > 0 {
		fmt.Fprintf(a.stdout, "  do not %s\n", clean(strings.Join(s.DoNot, "; ")))
	}
	for _, d := range s.Drafts {
		a.printDraft(&d)
	}
	fmt.Fprintln(a.stdout)
	return nil
}

func (a *app) printDraft(d *notifier.Draft) {
	state := "ok to send"
	if !d.Sendable {
		state = "NOT SENDABLE"
	}
	limit := ""
	if d.Limit > 0 {
		limit = fmt.Sprintf(" of %d", d.Limit)
	}
	origin := ""
	if d.Origin != notifier.Reviewed {
		origin = ", " + string(d.Origin)
	}
	fmt.Fprintf(a.stdout, "\n  [%s%s, %s, %s, %d%s characters: %s]\n    %s\n", clean(d.ID), origin, clean(d.Lang), clean(d.Network), d.Length, limit, state,
		cleanLines(d.Text, "\n    "))
	for _, f := range d.Facts {
		fmt.Fprintf(a.stdout, "    fact %s (%s): %s\n", clean(f.Name), f.State, clean(f.Text))
	}
	for _, g := range d.Guards {
		if !g.Pass {
			fmt.Fprintf(a.stdout, "    %s %s: %s\n", g.ID, g.Level, clean(g.Why))
		}
	}
}

// cleanLines cleans a text line by line and joins the lines again.
func cleanLines(text, join string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = clean(lines[i])
	}
	return strings.Join(lines, join)
}
