package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// reference is an id that something in the files refers to.
type reference struct {
	pos  Pos
	kind string
	id   string
}

// lint checks what can be told only when all files are read.
func (l *loader) lint() {
	l.giveSigns()
	l.placeCalendars()
	l.lintOff()
	known := map[string][]string{
		"brand":    sortedKeys(l.set.Brands),
		"route":    append(sortedKeys(l.set.Routes), DefaultRoute),
		"playbook": sortedKeys(l.set.Playbooks),
		"category": sortedKeys(l.set.Categories),
		"notifier": l.opt.Notifiers,
		"rule":     l.ruleIDs,
		"sla":      sortedKeys(l.set.SLAs),
		"calendar": sortedKeys(l.set.Calendars),
	}
	for _, r := range l.refs {
		if r.id != "" && !slices.Contains(known[r.kind], r.id) {
			hint := Suggest(r.id, known[r.kind])
			if r.kind == "rule" {
				hint = l.suggestRule(r.id)
			}
			l.add(LevelError, r.pos, "E01", fmt.Sprintf("unknown %s %q", r.kind, r.id), "", hint)
		}
	}
	l.lintForce()
	for _, r := range l.set.Rules {
		l.lintProducts(r)
		l.lintPerProduct(r)
		l.lintSilenced(r)
	}
	for _, id := range sortedKeys(l.set.Playbooks) {
		l.lintLanguages(l.set.Playbooks[id])
	}
	if !l.errs.Refused() {
		l.doubts()
	}
}

// giveSigns gives the signs of the library to every category, besides its own.
func (l *loader) giveSigns() {
	for _, c := range l.set.Categories {
		all := maps.Clone(l.signs)
		for lang, words := range c.Signs {
			all[lang] = slices.Concat(all[lang], words)
		}
		c.Signs = all
	}
}

// lintProducts checks that product groups in terms are products of the rule's brand.
func (l *loader) lintProducts(r *Rule) {
	for _, t := range slices.Concat(r.Match.AllOf, r.Match.AnyOf, r.Match.NoneOf) {
		key, ok := strings.CutPrefix(t.group, "product.")
		if !ok {
			continue
		}
		var products []string
		for id, b := range l.set.Brands {
			if r.Brand == "" || r.Brand == id {
				for _, k := range sortedKeys(b.Products) {
					products = append(products, "product."+k)
				}
			}
		}
		if !slices.Contains(products, t.group) {
			slices.Sort(products)
			l.add(LevelError, t.Pos, "E01", fmt.Sprintf("unknown product %q", key), "", Suggest(t.group, products))
		}
	}
}

// lintPerProduct refuses rules per product of a brand that has none.
func (l *loader) lintPerProduct(r *Rule) {
	at, asked := l.perProduct[r]
	for id, b := range l.set.Brands {
		if (r.Brand == "" || r.Brand == id) && len(b.Products) > 0 {
			return
		}
	}
	if asked {
		l.add(LevelError, at, "E01", "baseline.per names products, and there are none", "nothing would be counted", "name them in products of the brand: {one: [Acme One]}")
	}
}

// lintSilenced refuses rules of severity 1 and 2 all of whose routes are told by a digest only.
func (l *loader) lintSilenced(r *Rule) {
	worst := r.gravest()
	if worst == Calm || worst > Serious || len(r.Routes) == 0 {
		return
	}
	for _, id := range r.Routes {
		if route, ok := l.set.Routes[id]; !ok || route.Digest == nil {
			return
		}
	}
	l.add(LevelError, r.Pos, "E03", fmt.Sprintf("the rule %q of severity %d goes to a digest only", r.ID, worst),
		"severities 1 and 2 must reach people at once", "add a route without digest")
}

// lintLanguages warns of playbooks of the files that lack a language of a brand.
func (l *loader) lintLanguages(p *Playbook) {
	if _, ours := l.seen["playbook\x00"+p.ID]; !ours || len(p.Drafts) == 0 {
		return
	}
	var have []string
	for _, t := range p.Drafts {
		if len(t.Languages) == 0 {
			return
		}
		have = append(have, t.Languages...)
	}
	var lacks []string
	for _, id := range sortedKeys(l.set.Brands) {
		for _, lang := range l.set.Brands[id].Languages {
			if !slices.Contains(have, lang) && !slices.Contains(lacks, lang) {
				lacks = append(lacks, lang)
			}
		}
	}
	if len(lacks) > 0 {
		l.add(LevelWarning, p.Pos, "W07", fmt.Sprintf("the playbook %q has no draft in %s", p.ID, strings.Join(lacks, ", ")),
			"people who write in it get no draft", "add drafts, or take the language out of the brand")
	}
}

// refer notes that n refers to an id, to be checked when all files are read.
func (l *loader) refer(n *yaml.Node, kind, id string) {
	l.refs = append(l.refs, reference{l.pos(n), kind, id})
}
