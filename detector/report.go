package detector

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// Report is how a period went: what was told, how fast people were, and what they thought of it. It is computed from
// incidents, their audit and the archive, so it says no more than these still hold.
type Report struct {
	From      time.Time      `json:"from"`
	To        time.Time      `json:"to"`
	Incidents int            `json:"incidents"` // opened in the period, at a severity that is told
	Severity  map[string]int `json:"by_severity"`
	// To detect: from when it began in the data to when it was opened. The others count from there: until a person took or
	// closed it, until somebody marked an answer, until it was resolved or calm.
	Detect      Times          `json:"detect"`
	Acknowledge Times          `json:"acknowledge"`
	Answer      Times          `json:"answer"`
	Resolve     Times          `json:"resolve"`
	Verdicts    Verdicts       `json:"verdicts"`
	Budgets     []BudgetReport `json:"budgets"`
	Brands      []BrandReport  `json:"brands"`
	Topics      []TopicReport  `json:"topics"`
	Share       []Judged       `json:"share"` // positive public mentions, of the widest reach
	Drafts      DraftReport    `json:"drafts"`
	Sources     []SourceReport `json:"sources"` // that need a look, as they were when the report was made; see [Report.Listen]
}

// Times are how long something took.
type Times struct {
	N      int      `json:"n"`
	Median Duration `json:"median"`
	Slow   Duration `json:"slow"`  // nine in ten were as fast
	Never  int      `json:"never"` // it has not happened, so far
}

// Verdicts are what people said about incidents of the period. Calm again, expired and merged is no verdict.
type Verdicts struct {
	Real       int      `json:"real"`
	FalseAlarm int      `json:"false_alarm"`
	KnownEvent int      `json:"known_event"`
	Unjudged   int      `json:"unjudged"`
	Precision  *float64 `json:"precision"` // real among real and false alarms; null if nobody judged
}

// BudgetReport compares what was told with what a budget allows: of a route, or of a rule for one brand.
type BudgetReport struct {
	Route    string         `json:"route,omitempty"`
	Rule     string         `json:"rule,omitempty"`
	Brand    string         `json:"brand,omitempty"`
	Name     string         `json:"name,omitempty"` // of the brand
	Severity rules.Severity `json:"severity"`
	Told     int            `json:"told"`
	Allowed  float64        `json:"allowed"` // in the period
	N        float64        `json:"n"`       // the budget itself: so many …
	Per      Duration       `json:"per"`     // … in so long
}

// BrandReport is how much was said about a brand, and how soon its complaints were answered: null without answer clocks, or
// if the period is too long ago.
type BrandReport struct {
	Brand    string `json:"brand"`
	Name     string `json:"name,omitempty"`
	Mentions int    `json:"mentions"`
	Negative int    `json:"negative"`

	Answers *AnswerFigures `json:"answers"`
}

// TopicReport is how many negative mentions were about a category, in the period and in the one before.
type TopicReport struct {
	Category string `json:"category"`
	Mentions int    `json:"mentions"`
	Before   int    `json:"before"`
}

// SourceReport is a source that fails, of which most is rejected, or from which nothing comes any more.
type SourceReport struct {
	Name  string   `json:"name"`
	Fails bool     `json:"fails"`         // else it is silent, or of little use
	Why   string   `json:"why,omitempty"` // of one that is read, and most of which is rejected
	For   Duration `json:"for"`           // since it was read last, or, of a silent one, since its last mention; 0: not since the start
	Usual Duration `json:"usual"`         // of a silent one: how soon its next mention was expected
}

// DraftReport is what became of reply drafts, as far as people said so.
type DraftReport struct {
	Used      int `json:"used"`
	Edited    int `json:"edited"`
	Discarded int `json:"discarded"`
}

const (
	reportIncidents = 100_000
	reportMentions  = 10_000 // that are read for topics, of each period
	reportTopics    = 5
	reportShare     = 3
	leastShared     = 20 // characters of a mention worth sharing
)

// NewReport makes the report of a period. set says which budgets there are.
func NewReport(ctx context.Context, r Reader, set *rules.Set, from, to time.Time) (*Report, error) {
	if !from.Before(to) {
		return nil, fmt.Errorf("report: the period ends before it begins")
	}
	w := &reporter{ctx: ctx, r: r, set: set, out: &Report{From: from, To: to, Severity: map[string]int{}}}
	for _, step := range []func() error{w.incidents, w.brands, w.topics, w.share} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
	}
	w.budgets()
	return w.out, nil
}

// Listen adds to the report which sources fail, have most of what they bring rejected, or are silent now. Who makes it without a running daemon does not know.
func (r *Report) Listen(health []sources.Health, now time.Time) {
	for i := range health {
		h := &health[i]
		switch {
		case h.Failed() && h.LastSuccess.IsZero():
			r.Sources = append(r.Sources, SourceReport{Name: h.Name, Fails: true})
		case h.Failed():
			r.Sources = append(r.Sources, SourceReport{Name: h.Name, Fails: true, For: Duration(now.Sub(h.LastSuccess))})
		case h.Rejecting:
			r.Sources = append(r.Sources, SourceReport{Name: h.Name, Why: h.RejectedWhy})
		case h.Silent(now):
			r.Sources = append(r.Sources, SourceReport{Name: h.Name, For: Duration(now.Sub(h.LastMention)), Usual: Duration(h.ExpectedGap)})
		}
	}
}

type reporter struct {
	ctx  context.Context
	r    Reader
	set  *rules.Set
	out  *Report
	told []Incident

	detect, ack, answer, resolve []time.Duration
	unresolved                   int
}

// incidents goes through what was opened in the period.
func (w *reporter) incidents() error {
	all, err := w.r.Incidents(w.ctx, IncidentFilter{Limit: reportIncidents})
	if err != nil {
		return err
	}
	for k := range all {
		i := &all[k]
		lines, err := w.r.Audit(w.ctx, i.ID)
		if err != nil {
			return err
		}
		w.drafts(lines)
		opened := cmp.Or(openedAt(lines), i.OpenedAt)
		if opened.Before(w.out.From) || !opened.Before(w.out.To) || !notifying(i.Peak) {
			continue
		}
		w.told = append(w.told, *i)
		w.out.Incidents++
		w.out.Severity[fmt.Sprint(int(i.Peak))]++
		w.times(i, opened, lines)
		w.verdict(i)
	}
	w.out.Detect, w.out.Acknowledge = w.took(w.detect), w.took(w.ack)
	w.out.Answer, w.out.Resolve = w.took(w.answer), w.took(w.resolve)
	w.out.Resolve.Never = w.unresolved
	if v := &w.out.Verdicts; v.Real+v.FalseAlarm > 0 {
		p := float64(v.Real) / float64(v.Real+v.FalseAlarm)
		v.Precision = &p
	}
	return nil
}

func openedAt(lines []Audit) time.Time {
	for i := range lines {
		if lines[i].Op == "opened" {
			return lines[i].At
		}
	}
	return time.Time{}
}

// times notes how long things took. What people do later than the period counts all the same: they did it.
func (w *reporter) times(i *Incident, opened time.Time, lines []Audit) {
	if !i.Since.IsZero() {
		w.detect = append(w.detect, max(0, opened.Sub(i.Since)))
	}
	var acked, answered bool
	for k := range lines {
		l := &lines[k]
		if !acked && l.Actor.Kind == "person" && takes(l.Op) {
			acked = true
			w.ack = append(w.ack, l.At.Sub(opened))
		}
		if !answered && l.Op == string(OpAnswered) {
			answered = true
			w.answer = append(w.answer, l.At.Sub(opened))
		}
	}
	if !i.Open() && (i.Closing == Resolved || i.Closing == CalmAgain) {
		w.resolve = append(w.resolve, i.ClosedAt.Sub(opened))
	}
	if i.Open() || i.Closing == Expired {
		w.unresolved++ // what was nothing, was expected or went on as another had nothing to resolve
	}
}

// takes reports whether an operation shows that a person has seen to it.
func takes(op string) bool {
	return !slices.Contains([]string{string(OpNote), string(OpUnack), string(OpReopen), string(OpSplit), string(OpSeverity), "opened"}, op)
}

func (w *reporter) verdict(i *Incident) {
	v := &w.out.Verdicts
	switch {
	case !i.Open() && i.Closing == Resolved:
		v.Real++
	case !i.Open() && i.Closing == FalseAlarm:
		v.FalseAlarm++
	case !i.Open() && i.Closing == KnownEvent:
		v.KnownEvent++
	default:
		v.Unjudged++
	}
}

// drafts counts what people said about drafts in the period, whenever the incident was opened.
func (w *reporter) drafts(lines []Audit) {
	for k := range lines {
		l := &lines[k]
		if l.Draft == nil || l.At.Before(w.out.From) || !l.At.Before(w.out.To) {
			continue
		}
		switch l.Draft.Use {
		case DraftUsed:
			w.out.Drafts.Used++
		case DraftEdited:
			w.out.Drafts.Edited++
		case DraftDiscarded:
			w.out.Drafts.Discarded++
		}
	}
}

func (w *reporter) took(ds []time.Duration) Times {
	t := Times{N: len(ds), Never: w.out.Incidents - len(ds)}
	if len(ds) > 0 {
		slices.Sort(ds)
		t.Median = Duration(ds[(len(ds)-1)/2])
		t.Slow = Duration(ds[(9*len(ds)-1)/10])
	}
	return t
}

func (w *reporter) brands() error {
	known, err := w.r.Brands(w.ctx)
	if err != nil {
		return err
	}
	for i := range known {
		b := BrandReport{Brand: known[i].ID, Name: w.brandName(known[i].ID, known[i].Name), Answers: known[i].AnswerFiguresIn(w.out.From, w.out.To)}
		counts, err := w.r.Counts(w.ctx, b.Brand, w.out.From, w.out.To, w.out.To.Sub(w.out.From))
		if err != nil {
			return err
		}
		for _, c := range counts {
			b.Mentions += c.All
			b.Negative += c.Negative
		}
		if b.Mentions > 0 || b.Answers != nil {
			w.out.Brands = append(w.out.Brands, b)
		}
	}
	slices.SortStableFunc(w.out.Brands, func(a, b BrandReport) int { return cmp.Compare(b.Mentions, a.Mentions) })
	return nil
}

// brandName is what a rule file calls a brand, else what the mentions called it.
func (w *reporter) brandName(id, called string) string {
	if w.set != nil {
		if b, ok := w.set.Brand(id); ok && b != nil && len(b.Names) > 0 {
			return b.Names[0]
		}
	}
	return called
}

func (w *reporter) topics() error {
	now, err := w.complaints(w.out.From, w.out.To)
	if err != nil {
		return err
	}
	before, err := w.complaints(w.out.From.Add(-w.out.To.Sub(w.out.From)), w.out.From)
	if err != nil {
		return err
	}
	for _, c := range slices.Sorted(maps.Keys(now)) {
		w.out.Topics = append(w.out.Topics, TopicReport{c, now[c], before[c]})
	}
	slices.SortStableFunc(w.out.Topics, func(a, b TopicReport) int { return cmp.Compare(b.Mentions, a.Mentions) })
	w.out.Topics = w.out.Topics[:min(reportTopics, len(w.out.Topics))]
	return nil
}

// complaints counts negative mentions by category.
func (w *reporter) complaints(from, to time.Time) (map[string]int, error) {
	js, err := w.r.Mentions(w.ctx, MentionFilter{From: from, To: to, Label: Negative, Limit: reportMentions})
	if err != nil {
		return nil, err
	}
	n := map[string]int{}
	for i := range js {
		if js[i].Known && !js[i].Own && js[i].Category != "" {
			n[js[i].Category]++
		}
	}
	return n, nil
}

// share picks what is worth passing on: kind words of strangers that many have seen.
func (w *reporter) share() error {
	js, err := w.r.Mentions(w.ctx, MentionFilter{From: w.out.From, To: w.out.To, Label: Positive, Limit: reportMentions})
	if err != nil {
		return err
	}
	js = slices.DeleteFunc(js, func(j Judged) bool {
		m := &j.Mention
		return j.Own || !j.Known || j.Disagree || m.Visibility == sources.Private || m.Kind == sources.DM || len([]rune(m.Body())) < leastShared
	})
	slices.SortStableFunc(js, func(a, b Judged) int {
		return cmp.Or(cmp.Compare(b.Mention.Reach(), a.Mention.Reach()), cmp.Compare(b.P.Positive, a.P.Positive))
	})
	seen := map[string]bool{} // one that names two brands is there twice, and some is copied
	for _, j := range js {
		if text := rules.Fold(j.Mention.Body()); len(w.out.Share) < reportShare && !seen[text] {
			seen[text] = true
			w.out.Share = append(w.out.Share, j)
		}
	}
	return nil
}

// budgets compares what was told with the budgets of routes; without any, with those of the rules that told something.
func (w *reporter) budgets() {
	if w.set == nil {
		return
	}
	weeks := w.out.To.Sub(w.out.From).Hours() / (7 * 24)
	for _, id := range slices.Sorted(maps.Keys(w.set.Budgets)) {
		for _, sev := range slices.Sorted(maps.Keys(w.set.Budgets[id])) {
			rate := w.set.Budgets[id][sev]
			b := BudgetReport{Route: id, Severity: sev, Allowed: rate.PerWeek() * weeks, N: rate.N, Per: Duration(rate.Per)}
			for k := range w.told {
				if i := &w.told[k]; i.Peak == sev && slices.Contains(w.routes(i), id) {
					b.Told++
				}
			}
			w.out.Budgets = append(w.out.Budgets, b)
		}
	}
	if len(w.out.Budgets) == 0 {
		w.ruleBudgets(weeks)
	}
}

func (w *reporter) routes(i *Incident) []string {
	if len(i.Routes) == 0 {
		return []string{rules.DefaultRoute}
	}
	return i.Routes
}

func (w *reporter) ruleBudgets(weeks float64) {
	type of struct {
		rule, brand string
		severity    rules.Severity
	}
	told := map[of]int{}
	for k := range w.told {
		told[of{w.told[k].Rule, w.told[k].Brand, w.told[k].Peak}]++
	}
	for key, n := range told {
		r, ok := w.set.Rule(key.rule)
		if !ok || r.Budget[key.severity].PerWeek() == 0 {
			continue
		}
		rate := r.Budget[key.severity]
		w.out.Budgets = append(w.out.Budgets, BudgetReport{
			Rule: key.rule, Brand: key.brand, Name: w.brandName(key.brand, ""), Severity: key.severity, Told: n,
			Allowed: rate.PerWeek() * weeks, N: rate.N, Per: Duration(rate.Per),
		})
	}
	slices.SortFunc(w.out.Budgets, func(a, b BudgetReport) int {
		return cmp.Or(cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Brand, b.Brand))
	})
}
