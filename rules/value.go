package rules

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

func (l *loader) str(n *yaml.Node) string {
	n, ok := l.real(n)
	if !ok {
		return ""
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" || strings.TrimSpace(n.Value) == "" {
		l.typeError(n, "a text", "")
		return ""
	}
	return n.Value
}

func (l *loader) strs(n *yaml.Node) []string {
	var all []string
	for _, c := range l.items(n) {
		if s := l.str(c); s != "" {
			all = append(all, s)
		}
	}
	return all
}

func (l *loader) strMap(n *yaml.Node) map[string]string {
	m := map[string]string{}
	l.each(n, func(k, v *yaml.Node) { m[k.Value] = l.str(v) })
	return m
}

func (l *loader) bool(n *yaml.Node) bool {
	b, err := strconv.ParseBool(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		l.typeError(n, "true or false", "")
	}
	return b
}

func (l *loader) int(n *yaml.Node, lo, hi int) int {
	i, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || i < lo || i > hi {
		l.typeError(n, fmt.Sprintf("a whole number from %d to %d", lo, hi), "")
		return lo
	}
	return i
}

func (l *loader) float(n *yaml.Node, lo, hi float64) float64 {
	f, err := strconv.ParseFloat(n.Value, 64)
	if n.Kind != yaml.ScalarNode || err != nil || !(f >= lo && f <= hi) {
		l.typeError(n, fmt.Sprintf("a number from %g to %g", lo, hi), "")
		return lo
	}
	return f
}

func (l *loader) severity(n *yaml.Node) Severity { return Severity(l.int(n, 1, 4)) }

// oneOf reads one of the given words.
func (l *loader) oneOf(n *yaml.Node, words ...string) string {
	s := l.str(n)
	for _, w := range words {
		if s == w {
			return s
		}
	}
	if s != "" {
		hint := Suggest(s, words)
		l.fail(n, "type", fmt.Sprintf("%s is not one of %s", describe(n), strings.Join(words, ", ")), "", hint)
	}
	return ""
}

var rateForm = regexp.MustCompile(`^([0-9]{1,6}(?:\.[0-9]{1,6})?) ?/ ?(hour|day|week|month)$`)

// ParseRate reads a rate above zero, such as "2/week".
func ParseRate(s string) (Rate, error) {
	m := rateForm.FindStringSubmatch(s)
	if m == nil {
		return Rate{}, fmt.Errorf("%q is no rate; write it like 2/week (hour, day, week, month)", s)
	}
	v, _ := strconv.ParseFloat(m[1], 64)
	if v == 0 {
		return Rate{}, fmt.Errorf("%q: a rate is above zero, as in 1/month", s)
	}
	return Rate{v, units[m[2]]}, nil
}

func (l *loader) rate(n *yaml.Node) Rate {
	r, err := ParseRate(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		l.typeError(n, "a rate above zero", "2/week; the units are hour, day, week and month")
	}
	return r
}

// budget reads "2/week", which is the rate of severity 3, or a rate for each of several severities.
func (l *loader) budget(n *yaml.Node) Budget {
	if n, ok := l.real(n); ok && n.Kind == yaml.ScalarNode {
		return Budget{Issue: l.rate(n)}
	}
	b := Budget{}
	known := fields{}
	for s := Crisis; s <= Notice; s++ {
		known[fmt.Sprintf("severity_%d", s)] = func(v *yaml.Node) { b[s] = l.rate(v) }
	}
	l.nothing(n, "a budget", "{severity_3: 2/week}")
	l.object(n, "a budget", known)
	return b
}

func (l *loader) zone(n *yaml.Node) *time.Location {
	name := l.str(n)
	if name == "" {
		return time.UTC
	}
	z, err := time.LoadLocation(name)
	if err != nil || name == "Local" {
		l.fail(n, "E07", fmt.Sprintf("unknown time zone %q", name), "", "use an IANA name such as Europe/Oslo or UTC")
		return time.UTC
	}
	return z
}

func (l *loader) time(n *yaml.Node) time.Time {
	t, err := time.Parse(time.RFC3339, n.Value)
	if n.Kind != yaml.ScalarNode || err != nil {
		l.fail(n, "E07", describe(n)+" is no time with a zone", "", "write it like 2026-11-23T00:00:00+01:00")
	}
	return t
}

var (
	idForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,62}$`)
	langForm = regexp.MustCompile(`^[a-z]{2}$`)
)

// id reads an id and checks its form.
func (l *loader) id(n *yaml.Node) string {
	n, ok := l.real(n)
	if !ok {
		return ""
	}
	id := l.str(n)
	if id != "" && !idForm.MatchString(id) {
		l.fail(n, "type", fmt.Sprintf("%s is no id", describe(n)),
			"ids have lower-case letters, digits, - and _, at most 63", "for example "+makeID(id))
		return ""
	}
	return id
}

// ids reads a mapping of ids to what they define.
func (l *loader) ids(n *yaml.Node, kind string, f func(id string, k, v *yaml.Node)) {
	l.each(n, func(k, v *yaml.Node) {
		id := l.id(k)
		if id == "" {
			return
		}
		if v, ok := l.real(v); ok && l.define(k, kind, id) {
			f(id, k, v)
		}
	})
}

// define notes that the files define an id. Those of the embedded library may be defined once more.
func (l *loader) define(n *yaml.Node, kind, id string) bool {
	if l.builtin || id == "" {
		return true
	}
	key := kind + "\x00" + id
	if first, ok := l.seen[key]; ok {
		l.fail(n, "E02", fmt.Sprintf("the %s %q is defined twice", kind, id), "only one of them could count",
			fmt.Sprintf("the first is at %s; rename one", first))
		return false
	}
	l.seen[key] = l.pos(n)
	return true
}

// language reads a language code.
func (l *loader) language(n *yaml.Node) string {
	s := l.str(n)
	if s != "" && !langForm.MatchString(s) {
		l.typeError(n, "a language code of two letters", "en, de or sv")
		return ""
	}
	return s
}

func (l *loader) languages(n *yaml.Node) []string {
	var all []string
	for _, c := range l.items(n) {
		if s := l.language(c); s != "" {
			all = append(all, s)
		}
	}
	return all
}
