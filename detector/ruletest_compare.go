package detector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"emberwatch/rules"
)

// compare says what did not come as expected, and what else was told.
func (s *session) compare(ctx context.Context, res *TestResult) {
	used := map[string]bool{}
	for k := range s.test.Expect {
		e := &s.test.Expect[k]
		at := slices.IndexFunc(s.told, func(x sighting) bool { return s.meets(e, x) })
		if at < 0 {
			res.Problems = append(res.Problems, "not told: "+e.String()+s.instead(e))
			res.Notes = append(res.Notes, s.offBy(e)...)
			continue
		}
		used[s.told[at].incident] = true
		if e.Draft != nil {
			res.Problems = append(res.Problems, s.drafts(ctx, e, s.told[at].incident)...)
		}
	}
	for _, x := range s.told {
		i, ok := s.replay.model.Incident(x.incident)
		if !ok || used[x.incident] {
			continue
		}
		used[x.incident] = true
		text := fmt.Sprintf("told %s: %s, severity %d, %s: %s", s.ago(x.at), x.rule, x.severity, i.Brand, i.Sentence)
		if len(s.test.Expect) == 0 {
			res.Problems = append(res.Problems, "nothing should be told; "+text)
		} else {
			res.Notes = append(res.Notes, "also "+text)
		}
	}
}

func (s *session) meets(e *rules.Expected, x sighting) bool {
	i, ok := s.replay.model.Incident(x.incident)
	switch {
	case !ok, x.rule != e.Rule, e.Severity != rules.Calm && x.severity != e.Severity:
		return false
	case e.Brand != "" && i.Brand != e.Brand:
		return false
	case e.Route != "" && !slices.Contains(i.Routes, e.Route):
		return false
	}
	return e.By < 0 || !x.at.After(s.deadline(e))
}

func (s *session) deadline(e *rules.Expected) time.Time {
	from := s.last
	if from.IsZero() {
		from = s.from
	}
	return from.Add(e.By)
}

// instead says what the rule did in place of what was expected.
func (s *session) instead(e *rules.Expected) string {
	var parts []string
	for _, x := range s.told {
		i, ok := s.replay.model.Incident(x.incident)
		if !ok || x.rule != e.Rule {
			continue
		}
		part := fmt.Sprintf("severity %d %s", x.severity, s.ago(x.at))
		if late := x.at.Sub(s.deadline(e)); e.By >= 0 && late > 0 {
			part += ", " + late.Round(time.Second).String() + " late"
		}
		if e.Route != "" && !slices.Contains(i.Routes, e.Route) {
			part += ", to " + strings.Join(i.Routes, " and ")
		}
		parts = append(parts, part)
	}
	if parts == nil {
		return ""
	}
	return "; the rule told " + strings.Join(parts, "; ")
}

// ago says when something was, as the feed does.
func (s *session) ago(at time.Time) string {
	return "at -" + s.now.Sub(at).Round(time.Second).String()
}

// offBy says how far a rule was from telling.
func (s *session) offBy(e *rules.Expected) []string {
	r, ok := s.x.Rules.Rule(e.Rule)
	if !ok {
		return nil
	}
	var notes []string
	if n := len(s.order); n > 0 {
		notes = append(notes, s.matching(r, n))
	}
	brand := e.Brand
	if brand == "" {
		brand = r.Brand
	}
	if brand == "" {
		brand = s.x.Rules.FirstBrand(s.test.Pos.File)
	}
	for _, st := range s.replay.model.Standings(brand, r, s.now) {
		notes = append(notes, r.ID+" at the end: "+st.String())
	}
	return notes
}

// matching says how many items of the feed the rule looks at, and why not the first that it does not.
func (s *session) matching(r *rules.Rule, n int) string {
	held, first := 0, ""
	for _, k := range s.order {
		j := s.judged[k]
		if slices.Contains(j.Rules, r.ID) {
			held++
		} else if first == "" {
			first = s.why(r, &j)
		}
	}
	text := fmt.Sprintf("%s matches %d of %d mentions of the feed", r.ID, held, n)
	if first != "" {
		text += "; " + first
	}
	return text
}

func (s *session) why(r *rules.Rule, j *Judged) string {
	found := s.x.Rules.Match(&j.Mention, rules.Tokenize(j.Mention.Body()), j.Lang)
	f := &rules.Facts{
		Mention: &j.Mention, PNegative: j.P.Negative, Label: string(j.P.Label()), Lang: j.Lang, Categories: j.Categories, Found: &found,
	}
	for _, c := range r.Conditions(f) {
		if !c.Holds {
			text := fmt.Sprintf("not %q: %s", j.Mention.Body(), c.Wanted)
			if c.Found != "" {
				text += ", it has " + c.Found
			}
			return text
		}
	}
	if r.Brand != "" && j.Brand != r.Brand {
		return fmt.Sprintf("not %q: it does not name %s", j.Mention.Body(), r.Brand)
	}
	return ""
}

// String says in a line what there is, and what it lacks for telling.
func (st *Standing) String() string {
	text := strings.TrimSuffix(st.Now, ".")
	if len(st.Lacks) > 0 {
		text += "; not told: " + strings.Join(st.Lacks, ", ")
	}
	if st.Tells != "" {
		text += "; it tells " + st.Tells
	}
	if st.Learning != "" {
		text += "; " + st.Learning
	}
	return text
}

func (s *session) drafts(ctx context.Context, e *rules.Expected, incident string) []string {
	i, ok := s.replay.model.Incident(incident)
	if s.x.Drafts == nil || !ok {
		return nil
	}
	var ms []Judged
	for _, k := range i.Evidence.Mentions {
		if j, ok := s.judged[k]; ok {
			ms = append(ms, j)
		}
	}
	have, err := s.x.Drafts(ctx, &i, ms)
	if err != nil {
		return []string{"drafts: " + err.Error()}
	}
	var there, fails []string
	for _, d := range have {
		if d.ID == e.Draft.ID && (e.Draft.Lang == "" || d.Lang == e.Draft.Lang) {
			if !e.Draft.Guards || d.Sendable {
				return nil
			}
			fails = []string{fmt.Sprintf("the draft %s in %s fails its guards: %s", d.ID, d.Lang, d.Why)}
		}
		if name := d.ID + " in " + d.Lang; !slices.Contains(there, name) {
			there = append(there, name)
		}
	}
	if fails != nil {
		return fails
	}
	return []string{fmt.Sprintf("no draft %s %s; there are: %s", e.Draft.ID, e.Draft.Lang, strings.Join(there, ", "))}
}

// seeds are how many streams a rate is measured on.
const seeds = 3

// rates measures how often people are told without cause, on several streams.
func (x *RuleTests) rates(ctx context.Context, t *rules.Test) TestResult {
	res := TestResult{Test: t}
	streams := seeds
	if t.History.File != "" {
		streams = 1
	}
	plays := make([]*session, streams)
	errs := make([]error, streams)
	var wg sync.WaitGroup
	for k := range streams {
		wg.Go(func() { plays[k], errs[k] = x.play(ctx, t, seedOf(t)+uint64(k)) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		res.Problems = append(res.Problems, err.Error())
		return res
	}
	counts := map[rules.Severity]int{}
	for _, s := range plays {
		res.Skipped = res.Skipped || s.stopped
		for id, sev := range s.replay.worst {
			if !s.opened[id].Before(s.from) {
				counts[sev]++
			}
		}
	}
	res.judgeRates(counts, streams)
	return res
}

// judgeRates compares what was told with what is expected.
func (r *TestResult) judgeRates(counts map[rules.Severity]int, streams int) {
	weeks := r.Test.Over.Hours() / (7 * 24) * float64(streams)
	for sev := rules.Crisis; sev <= rules.Notice; sev++ {
		perWeek := float64(counts[sev]) / weeks
		limit, asked := r.Test.ExpectRate[sev]
		text := fmt.Sprintf("severity %d: %.2f a week (%d in %.0f weeks of %d streams)", sev, perWeek, counts[sev], weeks, streams)
		switch most := limit.Rate.PerWeek(); {
		case asked && (limit.AtLeast && perWeek < most || !limit.AtLeast && perWeek > most):
			r.Problems = append(r.Problems, text+"; expected "+limit.Text)
		case asked || counts[sev] > 0:
			r.Notes = append(r.Notes, text)
		}
	}
}
