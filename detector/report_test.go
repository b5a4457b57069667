package detector

import (
	"context"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// records is a Reader over a few incidents, their audit and mentions.
type records struct {
	Reader
	incidents []Incident
	audit     map[string][]Audit
	mentions  []Judged
}

func (r records) Incidents(context.Context, IncidentFilter) ([]Incident, error) {
	return r.incidents, nil
}

func (r records) Audit(_ context.Context, id string) ([]Audit, error) { return r.audit[id], nil }

func (r records) Brands(context.Context) ([]BrandState, error) {
	first := monday.Unix() / 86400
	return []BrandState{{ID: "quiet"}, {ID: "acme", Name: "Acme", Answers: []AnswerDay{
		{Day: first - 1, Decided: 50}, {Day: first, Decided: 3, Hour: 1, InDay: 2}, {Day: first + 6, Decided: 1, InDay: 1}, {Day: first + 14, Decided: 90},
	}}}, nil
}

func (r records) Counts(_ context.Context, brand string, from, to time.Time, step time.Duration) ([]Count, error) {
	if brand == "quiet" {
		return nil, nil
	}
	return []Count{{At: from, All: 120, Negative: 30}}, nil
}

func (r records) Mentions(_ context.Context, f MentionFilter) (out []Judged, _ error) {
	for _, j := range r.mentions {
		if at := j.Mention.CreatedAt; j.P.Label() == f.Label && !at.Before(f.From) && at.Before(f.To) {
			out = append(out, j)
		}
	}
	return out, nil
}

// incident is an incident that began ten minutes before it was told, and what was done to it, each so long after.
func (r *records) incident(id string, at time.Time, peak rules.Severity, closing Closing, lines ...Audit) {
	i := Incident{ID: id, Brand: "acme", Rule: "burst", Peak: peak, OpenedAt: at, Since: at.Add(-10 * time.Minute), Handling: New}
	if closing != "" {
		i.Handling, i.Closing, i.ClosedAt = Closed, closing, at.Add(2*time.Hour)
	}
	r.incidents = append(r.incidents, i)
	r.audit[id] = append([]Audit{{Op: "opened", At: at, Actor: Actor{Kind: "rule"}}}, lines...)
}

func did(op Operation, at time.Time, draft DraftFate) Audit {
	a := Audit{Op: string(op), At: at, Actor: Actor{Kind: "person", ID: "ann"}}
	if draft != "" {
		a.Draft = &DraftUse{Use: draft}
	}
	return a
}

func said(id string, at time.Time, label Label, change func(*Judged)) Judged {
	j := Judged{Known: true, Mention: sources.Mention{ID: id, Source: "shop", Text: "so long a text as one needs, " + id, CreatedAt: at}}
	j.P = map[Label]P{Negative: {Negative: 1}, Positive: {Positive: 1}}[label]
	change(&j)
	return j
}

func TestAReportOfAWeek(t *testing.T) {
	from, to := monday, monday.Add(7*day)
	at := from.Add(day)
	r := records{audit: map[string][]Audit{}}
	r.incident("acme-1", at, rules.Serious, Resolved,
		did(OpNote, at.Add(time.Minute), DraftDiscarded), did(OpAck, at.Add(5*time.Minute), ""),
		did(OpAnswered, at.Add(30*time.Minute), DraftEdited), did(OpAnswered, at.Add(31*time.Minute), DraftUsed))
	r.incident("acme-2", at, rules.Issue, FalseAlarm, did(OpFalseAlarm, at.Add(15*time.Minute), ""))
	r.incident("acme-3", at, rules.Issue, KnownEvent)
	r.incident("acme-4", at, rules.Issue, CalmAgain)
	r.incident("acme-5", at, rules.Notice, "")                                                   // is not told
	r.incident("acme-6", from.Add(-time.Hour), rules.Crisis, "", did(OpAnswered, at, DraftUsed)) // of the week before; its draft is of this one
	r.incident("acme-7", to, rules.Crisis, "", did(OpAnswered, to.Add(time.Minute), DraftUsed))  // of the next
	about := func(c string) func(*Judged) { return func(j *Judged) { j.Category = c } }
	reach := func(n int) func(*Judged) { return func(j *Judged) { j.Mention.Author.Followers = n } }
	r.mentions = []Judged{
		said("n1", at, Negative, about("price")), said("n2", at, Negative, about("delivery")), said("n3", at, Negative, about("delivery")),
		said("n4", from.Add(-day), Negative, about("delivery")), said("n5", at, Negative, about("")),
		said("n6", at, Negative, func(j *Judged) { j.Category, j.Own = "delivery", true }),
		said("p1", at, Positive, reach(5)), said("p2", at, Positive, reach(900)), said("p3", at, Positive, reach(10)), said("p4", at, Positive, reach(7)),
		said("p2", at, Positive, reach(900)), // names two brands
		said("copy", at, Positive, func(j *Judged) { j.Mention.Text, j.Mention.Author.Followers = "So long a text as one needs, P2", 800 }),
		said("dm", at, Positive, func(j *Judged) { j.Mention.Visibility, j.Mention.Author.Followers = sources.Private, 9999 }),
		said("own", at, Positive, func(j *Judged) { j.Own, j.Mention.Author.Followers = true, 9999 }),
		said("short", at, Positive, func(j *Judged) { j.Mention.Text, j.Mention.Author.Followers = "nice", 9999 }),
	}
	set := &rules.Set{Budgets: map[string]rules.Budget{"default": {rules.Issue: {N: 2, Per: 7 * day}, rules.Serious: {N: 1, Per: 28 * day}}}}
	got, err := NewReport(t.Context(), r, set, from, to)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "incidents", got.Incidents, 4)
	expect(t, "by severity", got.Severity, map[string]int{"2": 1, "3": 3})
	minutes := func(n int) Duration { return Duration(time.Duration(n) * time.Minute) }
	expect(t, "to detect", got.Detect, Times{4, minutes(10), minutes(10), 0})
	expect(t, "to acknowledge", got.Acknowledge, Times{2, minutes(5), minutes(15), 2})
	expect(t, "to answer", got.Answer, Times{1, minutes(30), minutes(30), 3})
	expect(t, "to resolve", got.Resolve, Times{2, minutes(120), minutes(120), 0})
	expect(t, "precision", *got.Verdicts.Precision, 0.5)
	got.Verdicts.Precision = nil
	expect(t, "verdicts", got.Verdicts, Verdicts{1, 1, 1, 1, nil})
	expect(t, "budgets", got.Budgets, []BudgetReport{{Route: "default", Severity: 2, Told: 1, Allowed: 0.25, N: 1, Per: Duration(28 * day)}, {Route: "default", Severity: 3, Told: 3, Allowed: 2, N: 2, Per: Duration(7 * day)}})
	expect(t, "answered", *got.Brands[0].Answers, AnswerFigures{Of: 4, Hour: 0.25, Day: 0.75})
	got.Brands[0].Answers = nil
	expect(t, "brands", got.Brands, []BrandReport{{"acme", "Acme", 120, 30, nil}})
	expect(t, "topics", got.Topics, []TopicReport{{"delivery", 2, 1}, {"price", 1, 0}})
	expect(t, "drafts", got.Drafts, DraftReport{2, 1, 1})
	var share []string
	for _, j := range got.Share {
		share = append(share, j.Mention.ID)
	}
	expect(t, "worth sharing", share, []string{"p2", "p3", "p4"})
}

func TestAReportWithoutRouteBudgetsNamesThoseOfRules(t *testing.T) {
	r := records{audit: map[string][]Audit{}}
	r.incident("acme-1", monday, rules.Issue, "")
	set := mustRules(`
version: 1
brands: {acme: {names: [ACME Ltd]}}
rules: [{id: burst, title: T, kind: burst, brand: acme, match: {sentiment: negative}, floor: {items: 5, authors: 3}, budget: 3/week}]`)
	got, err := NewReport(t.Context(), r, set, monday, monday.Add(14*day))
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "budgets", got.Budgets, []BudgetReport{{Rule: "burst", Brand: "acme", Name: "ACME Ltd", Severity: 3, Told: 1, Allowed: 6, N: 3, Per: Duration(7 * day)}})
	expect(t, "a brand is called as its file calls it", got.Brands[0].Name, "ACME Ltd")
	expect(t, "what is open is not resolved", got.Resolve.Never, 1)
	if _, err := NewReport(t.Context(), r, set, monday, monday); err == nil {
		t.Error("a report of no time at all")
	}
}

// TestAReportNamesSourcesThatDoNotSpeak: those that fail, and those from which nothing comes though more was expected.
func TestAReportNamesSourcesThatDoNotSpeak(t *testing.T) {
	ago := func(d time.Duration) time.Time { return monday.Add(-d) }
	gap := sources.Gap(time.Hour)
	var r Report
	r.Listen([]sources.Health{
		{Name: "well", State: sources.Running, LastMention: ago(20 * time.Hour), ExpectedGap: gap},
		{Name: "rare", State: sources.Running, LastMention: ago(5 * day), ExpectedGap: sources.Gap(day)},
		{Name: "silent", State: sources.Running, LastMention: ago(25 * time.Hour), ExpectedGap: gap},
		{Name: "unknown", State: sources.Running, LastMention: ago(30 * day)},
		{Name: "read", State: sources.Ended, LastMention: ago(30 * day), ExpectedGap: gap},
		{Name: "down", State: sources.Failing, LastSuccess: ago(time.Hour), LastMention: ago(2 * day), ExpectedGap: gap},
		{Name: "never", State: sources.Failing},
		{Name: "mapped", State: sources.Running, Rejecting: true, RejectedWhy: "id: missing"},
	}, monday)
	expect(t, "sources", r.Sources, []SourceReport{
		{Name: "silent", For: Duration(25 * time.Hour), Usual: Duration(time.Hour)},
		{Name: "down", Fails: true, For: Duration(time.Hour)},
		{Name: "never", Fails: true},
		{Name: "mapped", Why: "id: missing"},
	})
}
