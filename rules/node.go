package rules

import (
	"fmt"
	"strconv"

	"go.yaml.in/yaml/v4"
)

// fields says how to read each key of a mapping. A nil one is known and read by nobody.
type fields map[string]func(v *yaml.Node)

func (l *loader) pos(n *yaml.Node) Pos { return Pos{l.file, max(n.Line, 1), max(n.Column, 1)} }

// add notes a problem. What is used more than once through an alias is told once.
func (l *loader) add(level Level, pos Pos, id, what, why, hint string) {
	e := Error{Pos: pos, ID: id, Level: level, What: what, Why: why, Hint: hint}
	if l.told[e] {
		return
	}
	l.told[e] = true
	l.errs = append(l.errs, &e)
}

func (l *loader) fail(n *yaml.Node, id, what, why, hint string) {
	l.add(LevelError, l.pos(n), id, what, why, hint)
}

func (l *loader) warn(n *yaml.Node, id, what, why, hint string) {
	l.add(LevelWarning, l.pos(n), id, what, why, hint)
}

func (l *loader) typeError(n *yaml.Node, want, example string) {
	hint := ""
	if example != "" {
		hint = "write it like " + example
	}
	l.fail(n, "type", fmt.Sprintf("%s is expected here, not %s", want, describe(n)), "", hint)
}

func describe(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	}
	if n.ShortTag() == "!!null" {
		return "nothing"
	}
	v := n.Value
	if r := []rune(v); len(r) > 40 {
		v = string(r[:40]) + "…"
	}
	return strconv.Quote(v)
}

// real follows an alias to what it stands for. It returns false once the file has been found too big.
func (l *loader) real(n *yaml.Node) (*yaml.Node, bool) {
	if l.spent.nodes++; l.spent.nodes == maxNodes {
		l.fail(n, "limit", "the file is too big", fmt.Sprintf("more than %d values, those that aliases stand for counted each time", maxNodes), "split it, and use fewer aliases")
	}
	for n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return n, l.spent.nodes < maxNodes
}

// each calls f for every key of a mapping: its own, then those that it merges (<<: *base) and does not have itself.
func (l *loader) each(n *yaml.Node, f func(k, v *yaml.Node)) (ok bool) {
	n, ok = l.real(n)
	if !ok || n.ShortTag() == "!!null" {
		return false
	}
	if n.Kind != yaml.MappingNode {
		l.typeError(n, "a mapping of key: value", "")
		return false
	}
	seen := map[string]*yaml.Node{}
	var bases []*yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, ok := l.real(n.Content[i])
		if !ok {
			return false
		}
		if k.Kind != yaml.ScalarNode {
			l.typeError(k, "a word as key", "")
			continue
		}
		if k.ShortTag() == "!!merge" {
			bases = append(bases, n.Content[i+1])
			continue
		}
		if first := seen[k.Value]; first != nil {
			l.fail(k, "E02", fmt.Sprintf("%q is there twice", k.Value), "only one of them could count",
				fmt.Sprintf("the first is at line %d; put them together", first.Line))
			continue
		}
		seen[k.Value] = k
		f(k, n.Content[i+1])
	}
	for _, b := range bases {
		l.merge(b, seen, f)
	}
	return true
}

// merge calls f for the keys of a mapping, or of several, that have not been seen. They keep their own places.
func (l *loader) merge(n *yaml.Node, seen map[string]*yaml.Node, f func(k, v *yaml.Node)) {
	n, ok := l.real(n)
	switch {
	case !ok:
	case n.Kind == yaml.SequenceNode:
		for _, base := range n.Content {
			l.merge(base, seen, f)
		}
	case n.Kind != yaml.MappingNode:
		l.typeError(n, "a mapping to merge, or a list of them", "<<: *base")
	default:
		l.each(n, func(k, v *yaml.Node) {
			if seen[k.Value] == nil {
				seen[k.Value] = k
				f(k, v)
			}
		})
	}
}

// object reads a mapping whose keys are known and returns the keys that are there, nil if it is no mapping.
func (l *loader) object(n *yaml.Node, what string, known fields) map[string]*yaml.Node {
	if l.keys != nil {
		l.keys[what] = sortedKeys(known)
	}
	seen := map[string]*yaml.Node{}
	ok := l.each(n, func(k, v *yaml.Node) {
		read, ok := known[k.Value]
		if !ok {
			l.fail(k, "key", fmt.Sprintf("unknown key %q in %s", k.Value, what), "", Suggest(k.Value, sortedKeys(known)))
			return
		}
		seen[k.Value] = v
		if v, ok := l.real(v); ok && read != nil {
			read(v)
		}
	})
	if !ok {
		return nil
	}
	return seen
}

// need reports the keys that are missing.
func (l *loader) need(n *yaml.Node, seen map[string]*yaml.Node, what string, keys ...string) bool {
	all := seen != nil
	for _, k := range keys {
		if seen != nil && seen[k] == nil {
			l.fail(n, "key", fmt.Sprintf("%s is missing", k), what+" needs it", "")
			all = false
		}
	}
	return all
}

// nothing refuses what says nothing where something is meant to be said.
func (l *loader) nothing(n *yaml.Node, what, example string) {
	if n.ShortTag() == "!!null" || n.Kind != yaml.ScalarNode && len(n.Content) == 0 {
		l.fail(n, "type", what+" is empty", "it would do nothing", "write "+example+", or take it out")
	}
}

// some returns the items of a list that must not be empty, or the one value that stands in its place.
func (l *loader) some(n *yaml.Node, what, example string) []*yaml.Node {
	l.nothing(n, what, what+": "+example)
	return l.items(n)
}

// list calls f for every item of a list.
func (l *loader) list(n *yaml.Node, f func(n *yaml.Node)) {
	n, ok := l.real(n)
	if !ok || n.ShortTag() == "!!null" {
		return
	}
	if n.Kind != yaml.SequenceNode {
		l.typeError(n, "a list", "[a, b]")
		return
	}
	for _, c := range n.Content {
		if c, ok := l.real(c); ok {
			f(c)
		}
	}
}

// items returns the items of a list, or the one value that stands in its place.
func (l *loader) items(n *yaml.Node) []*yaml.Node {
	n, ok := l.real(n)
	if !ok {
		return nil
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
		return []*yaml.Node{n}
	}
	var all []*yaml.Node
	l.list(n, func(c *yaml.Node) { all = append(all, c) })
	return all
}
