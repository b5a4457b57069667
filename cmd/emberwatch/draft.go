package main

import (
	"encoding/json"
	"fmt"
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
		Name: "draft", Usage: "reply drafts and their guard results for mentions", ArgsUsage: "FILE…",
		Flags: []cli.Flag{
			jsonFlag(),
			&cli.StringSliceFlag{Name: "rules", Usage: "rule `FILE` with brands and playbooks"},
			&cli.StringFlag{Name: "network", Usage: "for this `NETWORK` instead of the mention's own"},
			&cli.IntFlag{Name: "severity", Usage: "as in an incident of this severity, 1 to 4"},
		},
		Action: a.draft,
	}
}

// drafted is one line of JSON output.
type drafted struct {
	Mention string           `json:"mention"`
	Suggest notifier.Suggest `json:"suggest"`
	Why     string           `json:"why,omitempty"`
	Approve []string         `json:"approve,omitempty"`
	Drafts  []notifier.Draft `json:"drafts"`
}

func (a *app) draft(c *cli.Context) error {
	if !c.Args().Present() {
		return usage("name a file with mentions, or - for standard input")
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
	ms, _, err := a.readMentions(c.Args().Slice(), set, replayOptions{})
	if err != nil {
		return err
	}
	for _, m := range latest(ms) {
		j := detector.Judge(set, model, m)[0]
		s, err := lib.Draft(c.Context, notifier.Request{Mention: j, Severity: sev, Network: c.String("network"), Rules: set, Now: time.Now()})
		if err != nil {
			return fmt.Errorf("mention %s: %w", m.ID, err)
		}
		if err := a.printDrafts(c.Bool("json"), &m, s); err != nil {
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
		return enc.Encode(drafted{m.ID, s.Suggest, s.Why, s.Approve, s.Drafts})
	}
	text := []rune(strings.Join(strings.Fields(clean(m.Body())), " "))
	fmt.Fprintf(a.stdout, "%s: %s\n  %s", m.ID, string(text[:min(len(text), 100)]), s.Suggest)
	if s.Why != "" {
		fmt.Fprintf(a.stdout, ": %s", s.Why)
	}
	if len(s.Approve) > 0 {
		fmt.Fprintf(a.stdout, "; to be approved by %s", strings.Join(s.Approve, ", "))
	}
	fmt.Fprintln(a.stdout)
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
	fmt.Fprintf(a.stdout, "\n  [%s, %s, %s, %d%s characters: %s]\n    %s\n", d.ID, d.Lang, d.Network, d.Length, limit, state,
		strings.ReplaceAll(d.Text, "\n", "\n    "))
	failed := slices.DeleteFunc(slices.Clone(d.Guards), func(g notifier.Guard) bool { return g.Pass })
	for _, g := range failed {
		fmt.Fprintf(a.stdout, "    %s %s: %s\n", g.ID, g.Level, g.Why)
	}
}
