package notifier

import (
	"cmp"
	"math"
	"strconv"
	"strings"
	"time"

	"emberwatch/detector"
)

// ReportLine is one line of a report: what it is about, and what there is to say.
type ReportLine struct{ Name, Text string }

// ReportTitle names the period of a report, by its first and its last day.
func ReportTitle(l *Language, r *detector.Report, zone *time.Location) string {
	day := func(t time.Time) string { return t.In(zone).Format(l.Say("report.date")) }
	return l.Say("report.title", "from", day(r.From), "to", day(r.To.Add(-time.Second)))
}

// ReportLines says a report line by line, but for the mentions worth sharing. render makes foreign words fit for where
// they go.
func ReportLines(l *Language, r *detector.Report, render func(string) string) []ReportLine {
	w := reportWords{l, r, render}
	var out []ReportLine
	add := func(key string, texts ...string) {
		if text := strings.Join(texts, "\n"); text != "" {
			out = append(out, ReportLine{l.Say("report." + key), text})
		}
	}
	add("incidents", w.told())
	add("detect", w.times(&r.Detect, false))
	add("ack", w.times(&r.Acknowledge, true))
	add("answer", w.times(&r.Answer, true))
	add("answered", w.answered()...)
	add("resolve", w.times(&r.Resolve, true))
	add("precision", w.precision())
	add("budget", w.budgets()...)
	add("mentions", w.brands()...)
	add("topics", w.topics())
	add("drafts", w.drafts())
	add("sources", w.sources()...)
	return out
}

type reportWords struct {
	l      *Language
	r      *detector.Report
	render func(string) string
}

func (w reportWords) told() string {
	if w.r.Incidents == 0 {
		return w.l.Say("report.none")
	}
	var parts []string
	for sev := 1; sev <= 3; sev++ {
		if n := w.r.Severity[strconv.Itoa(sev)]; n > 0 {
			parts = append(parts, w.l.Say("severity."+strconv.Itoa(sev))+" "+w.number(n))
		}
	}
	return w.l.Count("report.told", w.r.Incidents) + ": " + strings.Join(parts, ", ")
}

func (w reportWords) number(n int) string { return w.l.Number(float64(n)) }

// times says how long something took; nothing if there was nothing to wait for.
func (w reportWords) times(t *detector.Times, never bool) string {
	var parts []string
	switch {
	case t.N == 1:
		parts = append(parts, w.l.Say("report.once", "span", w.l.Span(time.Duration(t.Median))))
	case t.N > 1:
		parts = append(parts, w.l.Say("report.times", "median", w.l.SpanAfter(time.Duration(t.Median)), "slow", w.l.SpanAfter(time.Duration(t.Slow))))
	}
	if never && t.Never > 0 {
		parts = append(parts, w.l.Count("report.never", t.Never))
	}
	return strings.Join(parts, "; ")
}

// answered says how soon complaints were answered, beside what consumers expect.
func (w reportWords) answered() []string {
	var out []string
	for i := range w.r.Brands[:min(reportBrands, len(w.r.Brands))] {
		if b := &w.r.Brands[i]; b.Answers != nil {
			out = append(out, w.l.Count("report.answered.value", b.Answers.Of, "brand", w.brand(b),
				"hour", percent(b.Answers.Hour), "expect_hour", percent(detector.ExpectHour),
				"day", percent(b.Answers.Day), "expect_day", percent(detector.ExpectDay)))
		}
	}
	return out
}

func percent(share float64) string { return strconv.Itoa(int(math.Round(100 * share))) }

func (w reportWords) precision() string {
	v := &w.r.Verdicts
	if w.r.Incidents == 0 {
		return ""
	}
	s := w.l.Say("report.precision.none")
	if v.Precision != nil {
		s = w.l.Say("report.precision.value", "n", percent(*v.Precision), "judged", w.number(v.Real+v.FalseAlarm))
	}
	return s + "; " + w.l.Say("report.precision.detail",
		"real", w.number(v.Real), "false", w.number(v.FalseAlarm), "known", w.number(v.KnownEvent), "open", w.number(v.Unjudged))
}

func (w reportWords) budgets() []string {
	var out []string
	for i := range w.r.Budgets {
		b := &w.r.Budgets[i]
		key, name := "report.budget.route", b.Route
		if b.Rule != "" {
			key, name = "report.budget.rule", b.Rule
		}
		out = append(out, w.l.Say(key, "name", w.render(name), "brand", w.render(cmp.Or(b.Name, b.Brand)),
			"severity", w.l.Say("severity."+strconv.Itoa(int(b.Severity))), "told", w.number(b.Told), "allowed", w.rate(b)))
	}
	return out
}

// rate is what a budget allows in its own unit: a part of it for the time of the report reads as if one alert were too many.
func (w reportWords) rate(b *detector.BudgetReport) string {
	const month = 30 * 24 * time.Hour
	per := time.Duration(b.Per)
	for unit, d := range map[string]time.Duration{"hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour} {
		if per == d {
			return w.l.Say("report.per."+unit, "n", w.l.Number(b.N))
		}
	}
	return w.l.Say("report.per.month", "n", w.l.Number(b.N*float64(month)/float64(max(per, 1))))
}

// reportBrands is how many brands are listed.
const reportBrands = 8

func (w reportWords) brands() []string {
	var out []string
	for i := range w.r.Brands[:min(reportBrands, len(w.r.Brands))] {
		b := &w.r.Brands[i]
		out = append(out, w.l.Say("report.brand", "brand", w.brand(b), "n", w.number(b.Mentions), "negative", w.number(b.Negative)))
	}
	if more := len(w.r.Brands) - reportBrands; more > 0 {
		out = append(out, w.l.Count("more", more))
	}
	return out
}

func (w reportWords) brand(b *detector.BrandReport) string { return w.render(cmp.Or(b.Name, b.Brand)) }

func (w reportWords) topics() string {
	parts := make([]string, len(w.r.Topics))
	for i, t := range w.r.Topics {
		parts[i] = w.l.Say("report.topic", "topic", w.render(w.l.Topic(t.Category)), "n", w.number(t.Mentions), "before", w.number(t.Before))
	}
	return strings.Join(parts, ", ")
}

func (w reportWords) drafts() string {
	d := w.r.Drafts
	if d == (detector.DraftReport{}) {
		return w.l.Say("report.drafts.none")
	}
	return w.l.Say("report.drafts.value", "used", w.number(d.Used), "edited", w.number(d.Edited), "discarded", w.number(d.Discarded))
}

// reportSources is how many sources are named.
const reportSources = 8

// sources names those that need a look: what they would have told is missing from all the rest.
func (w reportWords) sources() []string {
	var out []string
	for i := range w.r.Sources[:min(reportSources, len(w.r.Sources))] {
		s := &w.r.Sources[i]
		key := "report.source.silent"
		switch {
		case s.Fails && s.For == 0:
			key = "report.source.never"
		case s.Fails:
			key = "report.source.fails"
		case s.Why != "":
			key = "report.source.rejects"
		}
		out = append(out, w.l.Say(key, "name", w.render(s.Name), "why", w.render(s.Why), "span", w.l.SpanAfter(time.Duration(s.For)), "usual", w.l.SpanAfter(time.Duration(s.Usual))))
	}
	if more := len(w.r.Sources) - reportSources; more > 0 {
		out = append(out, w.l.Count("more", more))
	}
	return out
}
