package web

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// auditView is one line of an incident's history.
type auditView struct {
	When    *moment
	Who     string
	What    string
	Told    string // why people were told, if they were
	Note    string
	Changes []string
}

// timeline shows the history, the newest first.
func timeline(as []detector.Audit, now time.Time) []auditView {
	out := make([]auditView, len(as))
	for k, a := range as {
		out[len(as)-1-k] = auditView{
			When: at(a.At, now), Who: whoDid(a.Actor), What: spaced(a.Op), Told: spaced(string(a.Reason)),
			Note: a.Note, Changes: changes(a.Changes),
		}
	}
	return out
}

func whoDid(a detector.Actor) string {
	name := cmp.Or(a.Name, a.ID, a.Kind)
	switch {
	case a.Kind == "person" && a.Via != "":
		return name + ", " + a.Via
	case a.Kind == "rule" && name != a.Kind:
		return "rule " + name
	}
	return name
}

// changes lists what became of each field, in the order of their names. Bare numbers of the evidence are in
// the table above and would bury the rest.
func changes(m map[string][2]any) []string {
	var out []string
	for field, c := range m {
		if field == "version" || field == "evidence" || field == "signals" || field == "changed_at" {
			continue
		}
		out = append(out, fmt.Sprintf("%s: %s → %s", spaced(field), value(field, c[0]), value(field, c[1])))
	}
	slices.Sort(out)
	return out
}

// value shows one side of a change. It has been through JSON, where severities are numbers.
func value(field string, v any) string {
	if n, err := strconv.Atoi(fmt.Sprint(v)); err == nil && slices.Contains([]string{"severity", "level", "at_level", "override"}, field) {
		return rules.Severity(n).String()
	}
	if s, ok := v.(string); ok && s != "" && !strings.HasPrefix(s, "0001-01-01") {
		return cut(s, 80)
	}
	b, err := json.Marshal(v)
	switch s := string(b); {
	case err != nil || s == "null" || s == `""` || strings.HasPrefix(s, `"0001-01-01`):
		return "none"
	default:
		return cut(s, 80)
	}
}

// draftsView is what a drafter says about one mention.
type draftsView struct {
	Mention mentionView
	Suggest string
	Why     string
	Approve string
	Posture string // how much responsibility the drafts take, and why
	DoNot   string
	Drafts  []draftView
}

// draftView is one reply that a person could send.
type draftView struct {
	ID, Lang, Language, Network, Text, Length string
	Sendable                                  bool
	Failed                                    []notifier.Guard
	Passed                                    string
	Origin                                    string // empty: the reviewed text
	Facts                                     []notifier.Fact
}

func newDraftsView(d shownDrafts, now time.Time) draftsView {
	v := draftsView{
		Mention: newMentionView(d.Mention, now), Suggest: string(d.Suggest), Why: d.Why, Approve: strings.Join(d.Approve, ", "),
	}
	v.Mention.Text = cut(v.Mention.Text, 160)
	if p := d.Posture; p != nil {
		v.Posture = fmt.Sprintf("%s: %s", p.Cluster, p.Why)
	}
	v.DoNot = strings.Join(d.DoNot, "; ")
	for _, t := range d.Drafts {
		v.Drafts = append(v.Drafts, newDraftView(t))
	}
	return v
}

func newDraftView(d notifier.Draft) draftView {
	v := draftView{
		ID: d.ID, Lang: langAttr(d.Lang), Language: language(d.Lang), Network: d.Network, Text: d.Text,
		Length: plural(d.Length, "character"), Sendable: d.Sendable, Facts: d.Facts,
	}
	switch d.Origin {
	case notifier.Edited:
		v.Origin = "as a colleague changed it before"
	case notifier.Rephrased:
		v.Origin = "reworded by " + d.Model
	}
	if d.Limit > 0 {
		v.Length = fmt.Sprintf("%s of %s characters", thousands(d.Length), thousands(d.Limit))
	}
	for _, g := range d.Guards {
		if !g.Pass {
			v.Failed = append(v.Failed, g)
		}
	}
	v.Passed = plural(len(d.Guards)-len(v.Failed), "check")
	return v
}
