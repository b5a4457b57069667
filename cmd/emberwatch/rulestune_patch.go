package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"emberwatch/rules"

	"go.yaml.in/yaml/v4"
)

// ruleText is a rule as it stands in its file. Edits go by the places that the YAML reader gives, so that they never reach
// into another rule, however the file is laid out.
type ruleText struct {
	lines []string
	node  *yaml.Node // the rule's mapping
	id    *yaml.Node
}

// edit exchanges the bytes from..to of a line, which counts from 0.
type edit struct {
	line, from, to int
	text           string
}

// findRule returns a rule of a file; nil if it is not written out there.
func findRule(f rules.File, lines []string, r *rules.Rule) *ruleText {
	var doc yaml.Node
	if yaml.Load(f.Data, &doc) != nil || len(doc.Content) == 0 {
		return nil
	}
	list := valueOf(doc.Content[0], "rules")
	if list == nil {
		return nil
	}
	for _, n := range list.Content {
		if id := valueOf(n, "id"); id != nil && id.Line == r.Pos.Line && id.Column == r.Pos.Col {
			return &ruleText{lines, n, id}
		}
	}
	return nil
}

// valueOf returns the value of a key that is written in the mapping itself, or nil.
func valueOf(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// replace puts another value in the place of a word or number. What an anchor shares with other rules is left alone.
func (t *ruleText) replace(n *yaml.Node, text string) (edit, bool) {
	if n == nil || n.Kind != yaml.ScalarNode || n.Anchor != "" {
		return edit{}, false
	}
	from, to, ok := t.span(n)
	return edit{n.Line - 1, from, to, text}, ok
}

// add writes one key more, behind the rule's id.
func (t *ruleText) add(key, value string) (edit, bool) {
	_, to, ok := t.span(t.id)
	if !ok {
		return edit{}, false
	}
	if t.node.Style&yaml.FlowStyle != 0 {
		return edit{t.id.Line - 1, to, to, ", " + key + ": " + value}, true
	}
	line := t.lines[t.id.Line-1]
	end := len(strings.TrimSuffix(line, "\r"))
	return edit{t.id.Line - 1, end, end, line[end:] + "\n" + strings.Repeat(" ", t.node.Column-1) + key + ": " + value}, true
}

// span returns where a scalar stands in its line, in bytes; false if the line does not read as the YAML reader has it.
func (t *ruleText) span(n *yaml.Node) (from, to int, ok bool) {
	if n.Line < 1 || n.Line > len(t.lines) {
		return 0, 0, false
	}
	line := []rune(t.lines[n.Line-1])
	if n.Column < 1 || n.Column > len(line) {
		return 0, 0, false
	}
	from = len(string(line[:n.Column-1]))
	written := n.Value
	switch {
	case n.Style&yaml.DoubleQuotedStyle != 0:
		written = `"` + written + `"`
	case n.Style&yaml.SingleQuotedStyle != 0:
		written = "'" + written + "'"
	}
	return from, from + len(written), strings.HasPrefix(t.lines[n.Line-1][from:], written)
}

// writePatch writes a unified diff without context that patch -p0 takes.
func writePatch(w io.Writer, file string, lines []string, edits []edit) error {
	if len(edits) == 0 {
		return nil
	}
	slices.SortFunc(edits, func(a, b edit) int {
		if a.line != b.line {
			return a.line - b.line
		}
		return b.from - a.from // from the end of a line, so that places stay what they are
	})
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", file, file)
	for more := 0; len(edits) > 0; {
		k := edits[0].line
		fresh := lines[k]
		for ; len(edits) > 0 && edits[0].line == k; edits = edits[1:] {
			fresh = fresh[:edits[0].from] + edits[0].text + fresh[edits[0].to:]
		}
		last := ""
		if k == len(lines)-1 {
			last = "\\ No newline at end of file\n"
		}
		count := ""
		if n := strings.Count(fresh, "\n"); n > 0 {
			count = fmt.Sprintf(",%d", n+1)
		}
		fmt.Fprintf(&b, "@@ -%d +%d%s @@\n-%s\n%s+%s\n%s", k+1, k+1+more, count, lines[k], last, strings.ReplaceAll(fresh, "\n", "\n+"), last)
		more += strings.Count(fresh, "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}
