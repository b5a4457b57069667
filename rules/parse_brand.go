package rules

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v4"
)

func (l *loader) brand(id string, k, v *yaml.Node) {
	b := &Brand{Pos: l.pos(k), ID: id}
	seen := l.object(v, "a brand", fields{
		"names":            func(v *yaml.Node) { b.Names = l.terms(v) },
		"products":         func(v *yaml.Node) { b.Products = l.termsByKey(v) },
		"handles":          func(v *yaml.Node) { b.Handles = l.handles(v) },
		"hashtags":         func(v *yaml.Node) { b.Hashtags = l.terms(v) },
		"own_authors":      func(v *yaml.Node) { b.OwnAuthors = l.ownAuthors(v) },
		"exclude":          func(v *yaml.Node) { b.Exclude = l.terms(v) },
		"ambiguous":        func(v *yaml.Node) { b.Ambiguous = l.ambiguous(v) },
		"context_negative": func(v *yaml.Node) { b.ContextNegative = l.terms(v) },
		"lexicon":          func(v *yaml.Node) { b.Senses = l.senses(v) },
		"tone":             func(v *yaml.Node) { b.Tone = l.tone(v) },
		"contact":          func(v *yaml.Node) { b.Contact = l.strMap(v) },
		"languages":        func(v *yaml.Node) { b.Languages = l.languages(v) },
	})
	if l.need(k, seen, "a brand", "names") && len(b.Names) == 0 {
		l.fail(k, "key", "the brand has no names", "nothing could be found about it", fmt.Sprintf("write names: [%s]", id))
	}
	b.nameSenses()
	l.ambiguousNames(b, seen["ambiguous"])
	l.set.Brands[id] = b
}

// ambiguousNames checks that each ambiguous name is one of the brand's names or products.
func (l *loader) ambiguousNames(b *Brand, at *yaml.Node) {
	if at == nil {
		return
	}
	var known []string
	folded := map[string]bool{}
	for _, names := range append([][]string{b.Names}, values(b.Products)...) {
		for _, n := range names {
			known = append(known, n)
			folded[Fold(n)] = true
		}
	}
	l.each(at, func(k, _ *yaml.Node) {
		if !folded[Fold(k.Value)] {
			l.fail(k, "E01", fmt.Sprintf("%q is neither a name nor a product of the brand", k.Value),
				"only those can be ambiguous", Suggest(k.Value, known))
		}
	})
}

func values(m map[string][]string) [][]string {
	var all [][]string
	for _, k := range sortedKeys(m) {
		all = append(all, m[k])
	}
	return all
}

// handles reads names of accounts by network.
func (l *loader) handles(v *yaml.Node) map[string][]string {
	m := map[string][]string{}
	l.each(v, func(k, v *yaml.Node) {
		for _, n := range l.items(v) {
			if s := l.str(n); s != "" && l.affordsTerm(n, s) {
				m[k.Value] = append(m[k.Value], s)
			}
		}
	})
	return m
}

func (l *loader) ownAuthors(v *yaml.Node) []string {
	var all []string
	for _, n := range l.items(v) {
		s := l.str(n)
		if where, who, ok := strings.Cut(s, ":"); s != "" && (!ok || where == "" || who == "") {
			l.typeError(n, "network:id or source:id", `"mastodon:name@server.example"`)
			continue
		}
		all = append(all, s)
	}
	return all
}

func (l *loader) ambiguous(v *yaml.Node) map[string]Ambiguity {
	m := map[string]Ambiguity{}
	l.each(v, func(k, v *yaml.Node) {
		var a Ambiguity
		seen := l.object(v, "an ambiguous name", fields{
			"need_any": func(v *yaml.Node) {
				l.nothing(v, "need_any", "need_any: [words that stand near it]")
				a.NeedAny = l.terms(v)
			},
			"within_words": func(v *yaml.Node) { a.WithinWords = l.int(v, 1, 200) },
		})
		l.need(k, seen, "an ambiguous name", "need_any")
		m[k.Value] = a
	})
	return m
}

func (l *loader) tone(v *yaml.Node) Tone {
	var t Tone
	l.object(v, "tone", fields{
		"sign_off": func(v *yaml.Node) { t.SignOff = l.str(v); l.slots(v, "agent.first_name", "agent.name") },
		"address":  func(v *yaml.Node) { t.Address = l.strMap(v) },
		"emoji":    func(v *yaml.Node) { t.Emoji = l.oneOf(v, "never", "positive_only") },
	})
	return t
}
