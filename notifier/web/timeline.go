package web

import (
	"cmp"
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
func (v voice) timeline(as []detector.Audit) []auditView {
	out := make([]auditView, len(as))
	for k, a := range as {
		out[len(as)-1-k] = auditView{
			When: v.at(a.At), Who: v.whoDid(a.Actor), What: v.Own("op.", a.Op),
			Note: v.Tell(a.Note, a.Said, v.manner()), Changes: v.changes(a.Changes),
		}
		if a.Reason != "" {
			out[len(as)-1-k].Told = v.Own("console.reason.", string(a.Reason))
		}
	}
	return out
}

func (v voice) whoDid(a detector.Actor) string {
	name := cmp.Or(a.Name, a.ID)
	switch {
	case name == "":
		return v.Own("actor.", a.Kind)
	case a.Kind == "person" && a.Via != "":
		return v.Say("actor.person", "name", name, "via", v.Own("via.", a.Via))
	case a.Kind == "rule":
		return v.Say("actor.rule", "name", name)
	}
	return name
}

// changes lists what became of each field, in the order of their names. Bare numbers of the evidence are in
// the table above and would bury the rest.
func (v voice) changes(m map[string][2]any) []string {
	var out []string
	for field, c := range m {
		if field == "version" || field == "evidence" || field == "signals" || field == "changed_at" {
			continue
		}
		out = append(out, fmt.Sprintf("%s: %s → %s", v.Own("change.", field), v.value(field, c[0]), v.value(field, c[1])))
	}
	slices.Sort(out)
	return out
}

// value shows one side of a change. It has been through JSON, where severities are numbers and times are texts.
func (v voice) value(field string, x any) string {
	s, isText := x.(string)
	n, wrong := strconv.ParseFloat(fmt.Sprint(x), 64)
	isNumber := !isText && wrong == nil
	switch {
	case x == nil || isText && s == "":
		return v.Say("page.none")
	case isNumber && (field == "severity" || field == "level"):
		return v.severity(rules.Severity(n)).Word
	case isNumber:
		return v.Number(n)
	case field == "handling":
		return v.Own("handled.", s)
	case field == "closing":
		return v.Word(s)
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return v.clock(t)
	}
	return cut(fmt.Sprint(x), 80)
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
	Failed                                    []failure
	Passed                                    string
	Origin                                    string // empty: the reviewed text
	Facts                                     []factView
}

// failure is a check that a reply did not pass.
type failure struct{ ID, Level, Why string }

// factView is a fact that stands in a reply.
type factView struct{ Name, State, Text string }

func (v voice) drafts(d shownDrafts) draftsView {
	out := draftsView{
		Mention: v.mention(d.Mention), Suggest: v.suggest(d.Suggest), Why: capital(v.Tell(d.Why, d.Said, v.manner())), Approve: strings.Join(d.Approve, ", "),
	}
	out.Mention.Text = cut(out.Mention.Text, 160)
	if p := d.Posture; p != nil {
		out.Posture = fmt.Sprintf("%s: %s", v.Word(string(p.Cluster)), v.Tell(p.Why, p.Said, v.manner()))
	}
	out.DoNot = strings.Join(v.DoNots(&d.Suggestion), "; ")
	for _, t := range d.Drafts {
		out.Drafts = append(out.Drafts, v.draft(t))
	}
	return out
}

func (v voice) suggest(s notifier.Suggest) string {
	if key := "page.suggest." + string(s); v.Has(key) {
		return v.Say(key)
	}
	return string(s)
}

func (v voice) draft(d notifier.Draft) draftView {
	out := draftView{
		ID: d.ID, Lang: langAttr(d.Lang), Language: v.LanguageName(d.Lang), Network: d.Network, Text: d.Text,
		Length: v.Count("characters", d.Length), Sendable: d.Sendable,
	}
	for i := range d.Facts {
		name, state := v.Fact(&d.Facts[i])
		out.Facts = append(out.Facts, factView{name, state, d.Facts[i].Text})
	}
	switch d.Origin {
	case notifier.Edited:
		out.Origin = v.Say("page.origin.edited")
	case notifier.Rephrased:
		out.Origin = v.Say("page.origin.reworded", "model", d.Model)
	}
	if d.Limit > 0 {
		out.Length = v.Say("drafts.length", "n", v.count(d.Length), "limit", v.count(d.Limit))
	}
	for i := range d.Guards {
		if g := &d.Guards[i]; !g.Pass {
			out.Failed = append(out.Failed, failure{g.ID, v.GuardLevel(g), v.Failure(g, asIs)})
		}
	}
	out.Passed = v.Count("page.passed", len(d.Guards)-len(out.Failed))
	return out
}
