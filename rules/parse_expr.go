package rules

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// expr reads a condition on mentions, signals or both; nil if it is none.
func (l *loader) expr(v *yaml.Node, of factOf) *Expr { return l.typed(v, of, false) }

func (l *loader) typed(v *yaml.Node, of factOf, measure bool) *Expr {
	s := l.str(v)
	if s == "" {
		return nil
	}
	e, refs, errs := parseExpr(s, of, measure)
	for _, err := range errs {
		l.add(LevelError, l.within(v, err.at), "E10", err.what, err.why, err.hint)
	}
	for _, r := range refs {
		l.refs = append(l.refs, reference{l.within(v, r.at), r.kind, r.id})
		if r.kind == "rule" {
			l.set.counted[r.id] = true
			l.await(awaited{
				pos: l.within(v, r.at), of: []string{r.id}, least: 1, brand: l.forBrand, past: true, id: "E10",
				what: fmt.Sprintf("the incidents of %q are always none here", r.id),
			})
		}
	}
	return e
}

// within returns the place of a byte of a scalar. In a block or a text over several lines the scalar's own place has to do.
func (l *loader) within(v *yaml.Node, at int) Pos {
	pos := l.pos(v)
	before := v.Value[:min(at, len(v.Value))]
	if v.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.Contains(before, "\n") {
		return pos
	}
	pos.Col += utf8.RuneCountInString(before)
	switch {
	case v.Style&yaml.DoubleQuotedStyle != 0:
		pos.Col += 1 + strings.Count(before, `"`) + strings.Count(before, `\`)
	case v.Style&yaml.SingleQuotedStyle != 0:
		pos.Col += 1 + strings.Count(before, "'")
	}
	return pos
}

// SeverityIf is one line of severity_if or escalate_if.
type SeverityIf struct {
	Pos      Pos
	When     *Expr
	Severity Severity
}

// severityIf reads conditions, each with the severity that it stands for.
func (l *loader) severityIf(v *yaml.Node, of factOf) []SeverityIf {
	var all []SeverityIf
	l.nothing(v, "the list of conditions", `[{when: "authors(1h) >= 5", severity: 2}]`)
	l.list(v, func(n *yaml.Node) {
		s := SeverityIf{Pos: l.pos(n)}
		seen := l.object(n, "a condition", fields{
			"when":     func(v *yaml.Node) { s.When = l.expr(v, of) },
			"severity": func(v *yaml.Node) { s.Severity = l.severity(v) },
		})
		if l.need(n, seen, "a condition", "when", "severity") && s.When != nil {
			all = append(all, s)
		}
	})
	return all
}

// conditions reads severity_if and escalate_if once the rule's kind is known: only kind each looks at one mention.
func (l *loader) conditions(seen map[string]*yaml.Node, r *ruleDraft) {
	of := ofSignal
	if r.Kind == Each {
		of |= ofMention
	}
	if v := seen["severity_if"]; v != nil {
		r.SeverityIf = l.severityIf(v, of)
	}
	if v := seen["escalate_if"]; v != nil {
		r.EscalateIf = l.severityIf(v, of)
	}
}
