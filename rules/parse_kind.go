package rules

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"
)

// kinds are the kinds of rules that a file may name.
var kinds = []string{"burst", "each", "shift", "spread", "backlash", "gauge", "silence", "unanswered", "correlate"}

// Keys that belong to one kind of rule only; with another kind they would do nothing.
var kindKeys = map[string]Kind{
	"measure": Shift, "metric": Gauge, "direction": Gauge, "watch": Gauge, "under": Backlash, "sources": Silence, "expect": Silence,
	"of": Correlate, "at_least": Correlate, "within": Correlate, "dedupe": Each,
}

// kindFields adds the keys that belong to one kind of rule.
func (l *loader) kindFields(r *ruleDraft, known fields) {
	known["measure"] = func(v *yaml.Node) { r.Measure = l.measure(v) }
	known["metric"] = func(v *yaml.Node) { r.Metric = l.id(v) }
	known["direction"] = func(v *yaml.Node) { r.Direction = l.oneOf(v, "up", "down", "both") }
	known["watch"] = func(v *yaml.Node) {
		l.nothing(v, "watch", "watch: [{step: 6h}]")
		l.list(v, func(n *yaml.Node) { l.watch(n, r) })
	}
	known["under"] = func(v *yaml.Node) { l.oneOf(v, "own_authors") }
	known["sources"] = func(v *yaml.Node) {
		if v.Value != "*" {
			l.nothing(v, "sources", `sources: "*"`)
			r.Sources = l.strs(v)
		}
	}
	known["expect"] = func(v *yaml.Node) { l.oneOf(v, "learned") }
	known["of"] = func(v *yaml.Node) {
		for _, id := range l.some(v, "of", "[one-rule, another]") {
			r.Of = append(r.Of, l.str(id))
			l.refer(id, "rule", id.Value)
		}
	}
	known["at_least"] = func(v *yaml.Node) { r.AtLeast = l.int(v, 2, 100) }
	known["within"] = func(v *yaml.Node) { r.Within = l.duration(v, together) }
}

// measure reads what a rule of kind shift follows. "shares_per_hour" is what every rule of kind spread does.
func (l *loader) measure(v *yaml.Node) *Measure {
	if v.Value == sharesPerHour {
		return &Measure{Text: v.Value}
	}
	if e := l.typed(v, ofMention, true); e != nil {
		return &Measure{Text: v.Value, Of: e}
	}
	return nil
}

const sharesPerHour = "shares_per_hour"

func (l *loader) watch(n *yaml.Node, r *ruleDraft) {
	add := func(drift bool, in span) func(*yaml.Node) {
		return func(v *yaml.Node) { r.Watch = append(r.Watch, Watch{drift, l.duration(v, in)}) }
	}
	l.nothing(n, "a watch", "{step: 6h}")
	l.object(n, "a watch", fields{"step": add(false, aStep), "drift": add(true, aDrift)})
}

// maxDrift is the longest drift that the history of a gauge reaches back for.
const maxDrift = 7 * 24 * time.Hour

// checkRule checks what only the whole rule can tell, and fills in what its kind takes for granted.
func (l *loader) checkRule(n *yaml.Node, seen map[string]*yaml.Node, r *ruleDraft) {
	for _, k := range sortedKeys(kindKeys) {
		if kind := kindKeys[k]; seen[k] != nil && kind != r.Kind && (k != "measure" || r.Kind != Spread) {
			l.fail(seen[k], "key", fmt.Sprintf("%s is for rules of kind %s", k, kind), fmt.Sprintf("with kind %s it would do nothing", r.Kind), "take it out or change the kind")
		}
	}
	what := "a rule of kind " + string(r.Kind)
	switch r.Kind {
	case Burst:
		l.need(n, seen, what, "match")
		l.checkFloor(n, seen["floor"], r, "items", "authors")
	case Each:
		l.need(n, seen, what, "match", "severity", "dedupe")
	case Shift:
		l.need(n, seen, what, "measure", "window", "floor", "budget")
		l.checkFloor(n, seen["floor"], r, "items", "authors")
		l.checkShift(seen, r)
	case Spread:
		l.checkFloor(n, seen["floor"], r, "shares")
	case Backlash:
		l.checkFloor(n, seen["floor"], r, "items", "authors")
		r.setBacklash()
	case Gauge:
		l.need(n, seen, what, "metric")
		r.setGauge()
	case Silence:
		r.Severity = cmp.Or(r.Severity, Notice)
	case Correlate:
		l.need(n, seen, what, "of", "within", "severity")
		l.checkCorrelate(seen, r)
	}
	l.checkBaseline(r)
	l.checkWindows(r)
	if r.quietNode != nil {
		r.ResolveQuiet = l.bounded(r.quietNode, time.Duration(r.quietOf)*r.Window(), toBeQuiet)
	}
}

func (l *loader) checkShift(seen map[string]*yaml.Node, r *ruleDraft) {
	if r.Measure != nil && r.Measure.Of == nil {
		l.fail(seen["measure"], "E10", sharesPerHour+" is what rules of kind spread follow", "", "write share(sentiment = negative), or kind: spread")
	}
	if len(r.Windows) > 1 {
		l.fail(r.windowNode, "type", "a shift is looked for over one window", "", "write window: 3h")
	}
}

// setBacklash fills in defaults: anger within two hours.
func (r *ruleDraft) setBacklash() {
	if r.Match.Sentiment == "" && len(r.Match.Categories) == 0 {
		r.Match.Sentiment = "negative"
	}
	if len(r.Windows) == 0 {
		r.Windows = []time.Duration{2 * time.Hour}
	}
}

func (r *ruleDraft) setGauge() {
	r.Direction = cmp.Or(r.Direction, "down")
	if len(r.Watch) == 0 {
		r.Watch = []Watch{{false, 6 * time.Hour}, {true, maxDrift}}
	}
}

func (l *loader) checkCorrelate(seen map[string]*yaml.Node, r *ruleDraft) {
	r.AtLeast = cmp.Or(r.AtLeast, 2)
	slices.Sort(r.Of)
	r.Of = slices.Compact(r.Of)
	if seen["of"] != nil && len(r.Of) > 0 && len(r.Of) < r.AtLeast {
		l.fail(seen["of"], "E14", fmt.Sprintf("%d of %d rules can never fire together", r.AtLeast, len(r.Of)), "", "name more rules in of, or lower at_least")
	}
	if !r.off && seen["of"] != nil && len(r.Of) >= r.AtLeast {
		l.await(awaited{
			pos: l.pos(seen["of"]), of: r.Of, least: r.AtLeast, brand: func() string { return r.Brand }, id: "E14",
			what: fmt.Sprintf("%d of these rules can never fire together", r.AtLeast),
		})
	}
	if slices.Contains(r.Of, r.ID) {
		l.fail(seen["of"], "E14", "the rule waits for itself", "", "take its own id out of of")
	}
}

// window reads a planned event.
func (l *loader) window(n *yaml.Node) {
	w := Window{Pos: l.pos(n), Effects: map[string]Effect{}}
	var end *yaml.Node
	seen := l.object(n, "a window", fields{
		"id":   func(v *yaml.Node) { w.ID = l.id(v); l.define(v, "window", w.ID) },
		"from": func(v *yaml.Node) { w.From = l.time(v) },
		"to":   func(v *yaml.Node) { w.To = l.time(v); end = v },
		"effect": func(v *yaml.Node) {
			l.nothing(v, "effect", "effect: {volume: expected}")
			l.each(v, func(k, v *yaml.Node) { l.effect(k, v, w.Effects) })
		},
		"note":  func(v *yaml.Node) { w.Note = l.str(v) },
		"brand": func(v *yaml.Node) { w.Brand = l.str(v); l.refer(v, "brand", w.Brand) },
	})
	l.need(n, seen, "a window", "id", "from", "to", "effect")
	switch {
	case w.From.IsZero() || w.To.IsZero():
		return
	case !w.From.Before(w.To):
		l.fail(end, "E07", "the window ends before it begins", "", "exchange from and to")
	case !l.opt.Now.IsZero() && w.To.Before(l.opt.Now):
		l.warn(end, "W15", "the window has ended", "it changes nothing any more", "take it out or give it new dates")
	}
	l.set.Windows = append(l.set.Windows, w)
}

var budgetEffect = regexp.MustCompile(`^(raise|tighten)_budget_x([0-9]{1,3}(?:\.[0-9]+)?)$`)

// effect reads what a window does to the volume or to a category.
func (l *loader) effect(k, v *yaml.Node, into map[string]Effect) {
	if k.Value != "volume" {
		l.refer(k, "category", k.Value)
	}
	s := l.str(v)
	e := Effect{Expected: s == "expected"}
	if m := budgetEffect.FindStringSubmatch(s); m != nil {
		e.Budget, _ = strconv.ParseFloat(m[2], 64)
		if m[1] == "tighten" && e.Budget > 0 {
			e.Budget = 1 / e.Budget
		}
	}
	if !e.Expected && e.Budget == 0 && s != "label" {
		l.fail(v, "type", fmt.Sprintf("%q is no effect", s), "", "write expected, raise_budget_x2, tighten_budget_x2 or label")
		return
	}
	into[k.Value] = e
}

// Planned returns the window that lasts at a time and names what: "volume" or a category. Where several do, the first of
// the files counts.
func (s *Set) Planned(brand, what string, at time.Time) (*Window, Effect) {
	for i := range s.Windows {
		w := &s.Windows[i]
		e, named := w.Effects[what]
		if named && (w.Brand == "" || w.Brand == brand) && !at.Before(w.From) && at.Before(w.To) {
			return w, e
		}
	}
	return nil, Effect{}
}
