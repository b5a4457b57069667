package rules

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// ruleDraft is a rule while it is read.
type ruleDraft struct {
	*Rule
	off         bool
	quietOf     int        // resolve.quiet as a number of windows
	quietNode   *yaml.Node // where it is that
	history     time.Duration
	windowNode  *yaml.Node
	floorFields map[string]*yaml.Node
	baseline    map[string]*yaml.Node
}

func (l *loader) rule(n *yaml.Node) {
	r := &ruleDraft{Rule: &Rule{Pos: l.pos(n)}}
	known := l.ruleFields(r)
	known["severity_if"], known["escalate_if"] = nil, nil // read when the kind is known
	l.kindFields(r, known)
	l.answerFields(r, known)
	seen := l.object(n, "a rule", known)
	if r.off && seen["kind"] == nil && r.ID != "" {
		r.Pos = l.pos(seen["id"])
		l.switchOff(r.Rule)
		return
	}
	if !l.need(n, seen, "a rule", "id", "title", "kind") || r.Kind == "" {
		return
	}
	if r.ID != "" {
		r.Pos = l.pos(seen["id"])
	}
	l.checkRule(n, seen, r)
	l.forBrand = func() string { return r.Brand }
	l.conditions(seen, r)
	l.forBrand = func() string { return "" }
	l.checkAnswers(n, seen, r)
	if r.off {
		l.switchOff(r.Rule)
		return
	}
	l.set.Rules = append(l.set.Rules, r.Rule)
}

// switchOff takes in a rule with enabled: false. One of the library of the same id is not in force either.
func (l *loader) switchOff(r *Rule) {
	l.disabled[r.ID] = true
	l.set.off = append(l.set.off, r)
}

func (l *loader) ruleFields(r *ruleDraft) fields {
	return fields{
		"id": func(v *yaml.Node) {
			if r.ID = l.id(v); l.define(v, "rule", r.ID) && r.ID != "" {
				l.ruleIDs = append(l.ruleIDs, r.ID)
			}
		},
		"title":    func(v *yaml.Node) { r.Title = l.title(v) },
		"note":     func(v *yaml.Node) { r.Note = l.str(v) },
		"enabled":  func(v *yaml.Node) { r.off = !l.bool(v) },
		"kind":     func(v *yaml.Node) { r.Kind = Kind(l.oneOf(v, kinds...)) },
		"brand":    func(v *yaml.Node) { r.Brand = l.str(v); l.refer(v, "brand", r.Brand) },
		"match":    func(v *yaml.Node) { r.Match = l.match(v) },
		"window":   func(v *yaml.Node) { r.Windows, r.windowNode = l.durations(v), v },
		"baseline": func(v *yaml.Node) { l.baseline(v, r) },
		"floor":    func(v *yaml.Node) { l.floor(v, r) },
		"budget":   func(v *yaml.Node) { r.Budget = l.budget(v) },
		"severity": func(v *yaml.Node) { r.Severity = l.severity(v) },
		"dedupe":   func(v *yaml.Node) { r.Dedupe = l.dedupe(v) },
		"resolve":  func(v *yaml.Node) { l.resolve(v, r) },
		"route": func(v *yaml.Node) {
			for _, n := range l.some(v, "route", DefaultRoute) {
				r.Routes = append(r.Routes, l.str(n))
				l.refer(n, "route", n.Value)
			}
		},
		"playbook": func(v *yaml.Node) { r.Playbook = l.str(v); l.refer(v, "playbook", r.Playbook) },
	}
}

func (l *loader) title(v *yaml.Node) string {
	s := l.str(v)
	if n := utf8.RuneCountInString(s); n > 80 {
		l.fail(v, "type", fmt.Sprintf("the title has %d letters", n), "at most 80 fit into an alert", "put the rest into note")
	}
	return s
}

func (l *loader) durations(v *yaml.Node) []time.Duration {
	var all []time.Duration
	for _, n := range l.some(v, "window", "[15m, 1h, 6h]") {
		if d := l.duration(n, aWindow); d > 0 {
			all = append(all, d)
		}
	}
	return all
}

func (l *loader) baseline(v *yaml.Node, r *ruleDraft) {
	r.baseline = l.object(v, "baseline", fields{
		"season": func(v *yaml.Node) {
			r.Season = Season(l.oneOf(v, string(NoSeason), string(HourOfDay), string(DayOfWeek), string(HourOfWeek)))
		},
		"history": func(v *yaml.Node) { r.history = l.duration(v, aHistory) },
		"per": func(v *yaml.Node) {
			for _, n := range l.some(v, "per", "[source]") {
				if by := l.oneOf(n, PerValues...); by != "" {
					r.Per = append(r.Per, by)
				}
			}
			slices.Sort(r.Per) // as PerValues are
			r.Per = slices.Compact(r.Per)
		},
	})
}

// checkBaseline refuses what rules of the kind have no baseline for, and leaves the usual season unsaid.
func (l *loader) checkBaseline(r *ruleDraft) {
	usual := HourOfWeek
	switch r.Kind {
	case Burst, Backlash:
	case Shift:
		usual = DayOfWeek
	default:
		for _, k := range []string{"per", "season"} {
			if n := r.baseline[k]; n != nil {
				l.fail(n, "key", "baseline."+k+" is for rules of kind burst, shift and backlash", fmt.Sprintf("with kind %s it would do nothing", r.Kind), "take it out or change the kind")
			}
		}
	}
	if r.Season == usual {
		r.Season = ""
	}
	if n := r.baseline["per"]; n != nil && slices.Contains(r.Per, "product") {
		l.perProduct[r.Rule] = l.pos(n)
	}
}

func (l *loader) floor(v *yaml.Node, r *ruleDraft) {
	r.floorFields = l.object(v, "floor", fields{
		"items":   func(v *yaml.Node) { r.Floor.Items = l.int(v, 1, math.MaxInt32) },
		"authors": func(v *yaml.Node) { r.Floor.Authors = l.int(v, 1, math.MaxInt32) },
		"shares":  func(v *yaml.Node) { r.Floor.Shares = l.int(v, 1, math.MaxInt32) },
	})
}

func (l *loader) dedupe(v *yaml.Node) Dedupe {
	d := Dedupe{}
	seen := l.object(v, "dedupe", fields{
		"by": func(v *yaml.Node) {
			for _, n := range l.some(v, "by", "[author, text]") {
				if by := l.oneOf(n, "author", "text"); by != "" {
					d.By = append(d.By, by)
				}
			}
		},
		"for": func(v *yaml.Node) { d.For = l.duration(v, toForget) },
	})
	l.need(v, seen, "dedupe", "by", "for")
	return d
}

var quietForm = regexp.MustCompile(`^([0-9]{1,3})\s+windows?$`)

// resolve reads quiet as a duration or as a number of the rule's windows.
func (l *loader) resolve(v *yaml.Node, r *ruleDraft) {
	l.object(v, "resolve", fields{"quiet": func(v *yaml.Node) {
		if m := quietForm.FindStringSubmatch(v.Value); v.Kind == yaml.ScalarNode && m != nil {
			r.quietOf, _ = strconv.Atoi(m[1])
			r.quietNode = v
			return
		}
		r.ResolveQuiet = l.duration(v, toBeQuiet)
	}})
}

func (l *loader) checkFloor(n, floor *yaml.Node, r *ruleDraft, keys ...string) {
	if floor == nil {
		floor = n
	}
	for _, k := range keys {
		if r.floorFields[k] == nil {
			l.fail(floor, "E06", "floor."+k+" is missing",
				"without it two people may wake everybody", floorHints[keys[0]])
		}
	}
	if r.Floor.Items > 0 && r.Floor.Authors > r.Floor.Items {
		l.fail(floor, "E06", fmt.Sprintf("floor asks for %d authors of %d items", r.Floor.Authors, r.Floor.Items),
			"each item has one author: the rule could never fire", "make authors at most items")
	}
}

var floorHints = map[string]string{"items": "write floor: {items: 5, authors: 3}", "shares": "write floor: {shares: 20}"}

func (l *loader) checkWindows(r *ruleDraft) {
	for _, w := range r.Windows {
		if r.history > 0 && w > r.history/4 {
			l.fail(r.windowNode, "E05", fmt.Sprintf("a window of %s is longer than a quarter of the history of %s", shortDuration(w), shortDuration(r.history)),
				"nothing could be learnt about it", "make baseline.history longer")
		}
	}
	slices.Sort(r.Windows)
	r.Windows = slices.Compact(r.Windows)
}
