package main

import (
	"regexp"
	"slices"
	"strings"

	"emberwatch/rules"
)

// shown is the configuration as excerpts beside problems show it: keys, references and signs. All other values are dots,
// of their own width: a secret may wrongly stand in any of them.
func (c *Config) shown() rules.File {
	lines := strings.Split(string(rules.Decoded(c.text)), "\n")
	for i, line := range lines {
		lines[i] = dotted(line)
	}
	return rules.File{Name: c.path, Data: []byte(strings.Join(lines, "\n"))}
}

var (
	keyOfLine = regexp.MustCompile(`(?:^[\s{\[-]*|[{,]\s*)([A-Za-z_<][\w<-]*)\s*:(?:\s|$)`)
	reference = regexp.MustCompile(`\b(?:env|file):[\w./-]+`)
)

const signs = " \t\r{}[],:\"'"

func dotted(line string) string {
	kept := make([]bool, len(line))
	keep := func(from, to int) {
		for i := from; i < to; i++ {
			kept[i] = true
		}
	}
	keep(0, len(line)-len(strings.TrimLeft(line, " -")))
	for _, at := range keyOfLine.FindAllStringSubmatchIndex(line, -1) {
		keep(at[2], at[3])
	}
	for _, at := range reference.FindAllStringIndex(line, -1) {
		keep(at[0], at[1])
	}
	var b strings.Builder
	for i, r := range line {
		if kept[i] || strings.ContainsRune(signs, r) {
			b.WriteRune(r)
		} else {
			b.WriteRune('·')
		}
	}
	return b.String()
}

// inOrder puts the problems of the configuration first, from top to bottom; those of rule files are in order.
func (c *Config) inOrder(errs rules.Errors) rules.Errors {
	slices.SortStableFunc(errs, func(a, b *rules.Error) int {
		switch ours := a.Pos.File == c.name(); {
		case ours != (b.Pos.File == c.name()) && ours:
			return -1
		case ours != (b.Pos.File == c.name()):
			return 1
		case !ours:
			return 0
		}
		return byPlace(a, b)
	})
	return errs
}
