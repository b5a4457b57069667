package rules

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"emberwatch/sources"

	"go.yaml.in/yaml/v4"
)

// tests reads the inline tests; those of packs are for who changes the packs.
func (l *loader) tests(v *yaml.Node) {
	if l.builtin {
		return
	}
	l.list(v, func(n *yaml.Node) {
		t := &Test{Pos: l.pos(n)}
		seen := l.object(n, "a test", fields{
			"name":        func(v *yaml.Node) { t.Name = l.str(v); l.define(v, "test", t.Name) },
			"brand":       func(v *yaml.Node) { t.Brand = l.str(v); l.refer(v, "brand", t.Brand) },
			"history":     func(v *yaml.Node) { t.History = l.history(v) },
			"now":         func(v *yaml.Node) { t.Now = l.time(v) },
			"feed":        func(v *yaml.Node) { l.list(v, func(n *yaml.Node) { l.feedItem(n, t) }) },
			"expect":      func(v *yaml.Node) { l.list(v, func(n *yaml.Node) { l.expected(n, t) }) },
			"over":        func(v *yaml.Node) { t.Over = l.duration(v, expectRates) },
			"expect_rate": func(v *yaml.Node) { t.Rates, t.ExpectRate = true, l.expectRate(v) },
		})
		if seen == nil || !l.need(n, seen, "a test", "name") {
			return
		}
		l.checkTest(n, seen, t)
		l.set.Tests = append(l.set.Tests, t)
	})
}

func (l *loader) checkTest(n *yaml.Node, seen map[string]*yaml.Node, t *Test) {
	switch {
	case seen["expect"] == nil && seen["expect_rate"] == nil:
		l.fail(n, "key", "a test needs expect or expect_rate", "", "write expect: [] if nothing may be told")
	case seen["expect"] != nil && t.Rates:
		l.fail(seen["expect_rate"], "key", "a test has expect or expect_rate, not both", "", "make two tests of it")
	case t.Rates && (seen["history"] == nil || seen["over"] == nil):
		l.fail(seen["expect_rate"], "key", "expect_rate needs history and over", "a rate is of a time", "write history: {generate: weekly_wave, rate: 12/h, weeks: 34}, and over: 26w")
	case seen["over"] != nil && !t.Rates:
		l.fail(seen["over"], "key", "over belongs to expect_rate", "", "take it out")
	}
}

var (
	hourlyForm = regexp.MustCompile(`^([0-9]{1,5}(?:\.[0-9]{1,4})?)\s*/\s*(h|hour|d|day|w|week)$`)
	rateLimit  = regexp.MustCompile(`^(<=|>=)?\s*(\S.*)$`)
)

// perHour reads "2/h".
func (l *loader) perHour(n *yaml.Node) float64 {
	m := hourlyForm.FindStringSubmatch(n.Value)
	if n.Kind != yaml.ScalarNode || m == nil {
		l.typeError(n, "how many mentions come", "2/h or 30/d")
		return 0
	}
	v, _ := strconv.ParseFloat(m[1], 64)
	per := units[m[2]]
	if v = v / per.Hours(); v > maxPerHour {
		l.typeError(n, fmt.Sprintf("at most %d/h", maxPerHour), "")
		return 0
	}
	return v
}

const maxPerHour = 1000

// before reads a time before now: -20m.
func (l *loader) before(n *yaml.Node) time.Duration {
	d, ok := durationOf(strings.TrimPrefix(n.Value, "-"))
	if n.Kind != yaml.ScalarNode || !ok || d > 0 && n.Value[0] != '-' {
		l.typeError(n, "a time before now", "-20m")
		return 0
	}
	return l.bounded(n, d, ofTestsOr0)
}

func (l *loader) history(v *yaml.Node) *History {
	h := &History{Weeks: 8, Seed: 1}
	known := fields{
		"generate": func(v *yaml.Node) { h.Generate = l.oneOf(v, "steady", "hours", "weekly_wave") },
		"file":     func(v *yaml.Node) { h.File = l.besides(v) },
		"rate":     func(v *yaml.Node) { h.PerHour = l.perHour(v) },
		"negative": func(v *yaml.Node) { h.Negative = l.float(v, 0, 1) },
		"weeks":    func(v *yaml.Node) { h.Weeks = float64(l.int(v, 1, 60)) },
		"seed":     func(v *yaml.Node) { h.Seed = uint64(l.int(v, 0, 1<<31)) },
		"until":    func(v *yaml.Node) { h.Until = l.before(v) },
	}
	for days, name := range dayNames {
		known[name] = func(v *yaml.Node) { l.hoursOfDays(v, h, dayRanges[days]) }
	}
	seen := l.object(v, "a history", known)
	switch {
	case seen == nil:
	case (seen["file"] == nil) == (seen["generate"] == nil):
		l.fail(v, "key", "a history has one of generate and file", "", "write generate: steady, rate: 2/h, weeks: 8")
	case h.Generate == "hours" || h.File != "":
	case seen["rate"] == nil:
		l.fail(v, "key", "rate is missing", "a generated history needs it", "write rate: 2/h")
	}
	return h
}

// besides reads the name of a file that lies beside the rule file or below it.
func (l *loader) besides(v *yaml.Node) string {
	name := l.str(v)
	if name != "" && !filepath.IsLocal(name) {
		l.fail(v, "type", describe(v)+" does not lie beside the rule file", "a rule file reads nothing else", "give a path relative to this file, without ..")
		return ""
	}
	return filepath.Join(filepath.Dir(l.file), name)
}

var (
	dayNames  = []string{"mon-fri", "mon-sun", "sat-sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	dayRanges = [][]time.Weekday{{1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5, 6}, {6, 0}, {1}, {2}, {3}, {4}, {5}, {6}, {0}}
	hoursPart = regexp.MustCompile(`^([0-9]{2})-([0-9]{2})$`)
)

// hoursOfDays reads "08-22: 10/h, else: 0/h".
func (l *loader) hoursOfDays(v *yaml.Node, h *History, days []time.Weekday) {
	var set [24]bool
	for part := range strings.SplitSeq(l.str(v), ",") {
		when, rate, ok := strings.Cut(part, ":")
		when = strings.TrimSpace(when)
		m := hoursPart.FindStringSubmatch(when)
		if !ok || m == nil && when != "else" {
			l.typeError(v, "hours with their rates", `"08-22: 10/h, else: 0/h"`)
			return
		}
		n := *v
		n.Value = strings.TrimSpace(rate)
		perHour, from, to := l.perHour(&n), 0, 24
		if m != nil {
			from, _ = strconv.Atoi(m[1])
			to, _ = strconv.Atoi(m[2])
		}
		for k := from; k < min(to, 24); k++ {
			if m == nil && set[k] {
				continue
			}
			set[k] = m != nil
			for _, d := range days {
				h.Hours[d][k] = perHour
			}
		}
	}
}

// feedItem reads one item of a feed; most keys are those of a mention.
func (l *loader) feedItem(n *yaml.Node, t *Test) {
	f := FeedItem{Pos: l.pos(n), Repeat: 1}
	m := &f.Mention
	str := func(to *string) func(*yaml.Node) { return func(v *yaml.Node) { *to = l.str(v) } }
	seen := l.object(n, "an item of a feed", fields{
		"at":        func(v *yaml.Node) { f.At = l.before(v) },
		"every":     func(v *yaml.Node) { f.Every = l.duration(v, ofTests) },
		"repeat":    func(v *yaml.Node) { f.Repeat = l.int(v, 1, 10_000) },
		"authors":   func(v *yaml.Node) { f.Authors = l.int(v, 1, 10_000) },
		"copied":    func(v *yaml.Node) { f.Copied = l.bool(v) },
		"sentiment": func(v *yaml.Node) { f.Sentiment = l.oneOf(v, "negative", "neutral", "positive") },
		"id":        str(&m.ID), "text": str(&m.Text), "title": str(&m.Title), "source": str(&m.Source), "network": str(&m.Network),
		"author": str(&m.Author.ID), "parent_id": str(&m.ParentID), "root_id": str(&m.RootID),
		"brand":     func(v *yaml.Node) { m.Brand = l.str(v); l.refer(v, "brand", m.Brand) },
		"lang":      func(v *yaml.Node) { m.Lang = l.language(v) },
		"kind":      func(v *yaml.Node) { m.Kind = l.oneKind(v) },
		"rating":    func(v *yaml.Node) { m.Rating = l.float(v, 1, 5) },
		"followers": func(v *yaml.Node) { m.Author.Followers = l.int(v, 0, 1<<31) },
		"verified":  func(v *yaml.Node) { m.Author.Verified = l.bool(v) },
		"shares":    func(v *yaml.Node) { m.Engagement.Shares = l.int(v, 0, 1<<31) },
		"count":     func(v *yaml.Node) { m.Count = l.int(v, 1, 1<<31) },
		"has_media": func(v *yaml.Node) { m.HasMedia = l.bool(v) },
		"private":   func(v *yaml.Node) { l.private(v, m) },
		"metric":    func(v *yaml.Node) { m.Metric = l.gauge(v) },
	})
	if l.need(n, seen, "an item of a feed", "at") {
		t.Feed = append(t.Feed, f)
	}
}

func (l *loader) oneKind(v *yaml.Node) sources.Kind {
	if v.Kind != yaml.ScalarNode {
		l.typeError(v, "a kind of mention", "comment")
		return ""
	}
	if all := l.kinds(v); len(all) > 0 {
		return all[0]
	}
	return ""
}

func (l *loader) private(v *yaml.Node, m *sources.Mention) {
	if l.bool(v) {
		m.Visibility = sources.Private
	}
}

func (l *loader) gauge(v *yaml.Node) *sources.Gauge {
	var g sources.Gauge
	l.object(v, "a metric", fields{
		"name":  func(v *yaml.Node) { g.Name = l.str(v) },
		"value": func(v *yaml.Node) { g.Value = l.float(v, -1e15, 1e15) },
	})
	return &g
}

func (l *loader) expected(n *yaml.Node, t *Test) {
	e, at := Expected{Pos: l.pos(n), By: -1}, l.pos(n)
	seen := l.object(n, "an expected alert", fields{
		"rule":     func(v *yaml.Node) { e.Rule, at = l.str(v), l.pos(v); l.refer(v, "rule", e.Rule) },
		"severity": func(v *yaml.Node) { e.Severity = l.severity(v) },
		"by":       func(v *yaml.Node) { e.By = l.duration(v, ofTestsOr0) },
		"route":    func(v *yaml.Node) { e.Route = l.str(v); l.refer(v, "route", e.Route) },
		"brand":    func(v *yaml.Node) { e.Brand = l.str(v); l.refer(v, "brand", e.Brand) },
		"draft":    func(v *yaml.Node) { e.Draft = l.expectedDraft(v) },
	})
	if l.need(n, seen, "an expected alert", "rule") {
		l.await(awaited{
			pos: at, of: []string{e.Rule}, least: 1, brand: func() string { return e.Brand }, id: "E01", test: true,
			what: fmt.Sprintf("no test can bring out the rule %q", e.Rule),
		})
		t.Expect = append(t.Expect, e)
	}
}

func (l *loader) expectedDraft(v *yaml.Node) *ExpectedDraft {
	var d ExpectedDraft
	seen := l.object(v, "an expected draft", fields{
		"id":     func(v *yaml.Node) { d.ID = l.id(v) },
		"lang":   func(v *yaml.Node) { d.Lang = l.language(v) },
		"guards": func(v *yaml.Node) { d.Guards = l.oneOf(v, "pass") != "" },
	})
	l.need(v, seen, "an expected draft", "id")
	return &d
}

func (l *loader) expectRate(v *yaml.Node) map[Severity]Atmost {
	all := map[Severity]Atmost{}
	known := fields{}
	for s := Crisis; s <= Notice; s++ {
		known[fmt.Sprintf("severity_%d", s)] = func(v *yaml.Node) {
			m := rateLimit.FindStringSubmatch(v.Value)
			if v.Kind != yaml.ScalarNode || m == nil {
				l.typeError(v, "a limit", `"<= 1.5/week"`)
				return
			}
			r, err := ParseRate(m[2])
			if err != nil {
				l.typeError(v, "a limit", `"<= 1.5/week"`)
				return
			}
			all[s] = Atmost{r, m[1] == ">=", v.Value}
		}
	}
	l.nothing(v, "expect_rate", `expect_rate: {severity_3: "<= 1/week"}`)
	l.object(v, "expect_rate", known)
	return all
}
