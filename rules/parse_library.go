package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// category reads a category, or what a file changes of an embedded one. Cues are added to those that
// are there; one with a minus before it is taken out.
func (l *loader) category(id string, k, v *yaml.Node) {
	c := &Category{ID: id, Weight: 0.75}
	if old, ok := l.set.Categories[id]; ok {
		changed := *old
		c = &changed
	}
	c.Pos = l.pos(k)
	l.object(v, "a category", fields{
		"sev":          func(v *yaml.Node) { c.Sev = l.severity(v) },
		"solo":         func(v *yaml.Node) { c.Solo = l.bool(v) },
		"cluster_hint": func(v *yaml.Node) { c.Cluster = l.cluster(v) },
		"weight":       func(v *yaml.Node) { c.Weight = l.float(v, 0, 0.99) },
		"cues":         func(v *yaml.Node) { c.Cues = l.changeWords(c.Cues, v) },
		"weak":         func(v *yaml.Node) { c.Weak = l.changeWords(c.Weak, v) },
		"topics":       func(v *yaml.Node) { c.Topics = l.changeWords(c.Topics, v) },
		"signs":        func(v *yaml.Node) { c.Signs = l.changeWords(c.Signs, v) },
		"no_draft":     func(v *yaml.Node) { c.NoDraft = l.bool(v) },
	})
	l.set.Categories[id] = c
}

func (l *loader) cluster(v *yaml.Node) Cluster {
	return Cluster(l.oneOf(v, string(Victim), string(Accidental), string(Preventable)))
}

// changeWords returns old with the words of v added, or taken out where they begin with a minus.
func (l *loader) changeWords(old map[string][]string, v *yaml.Node) map[string][]string {
	words := maps.Clone(old)
	if words == nil {
		words = map[string][]string{}
	}
	for lang, more := range l.cuesByLanguage(v) {
		list := slices.Clone(words[lang])
		for _, w := range more {
			if out, ok := strings.CutPrefix(w, "-"); ok {
				list = slices.DeleteFunc(list, func(s string) bool { return sameCue(s, out) })
			} else if !slices.Contains(list, w) {
				list = append(list, w)
			}
		}
		words[lang] = list
	}
	return words
}

// sameCue reports whether two cues mean the same words.
func sameCue(a, b string) bool {
	return Fold(strings.TrimSuffix(a, "?")) == Fold(strings.TrimSuffix(b, "?"))
}

// cuesByLanguage reads cues by language.
func (l *loader) cuesByLanguage(v *yaml.Node) map[string][]string {
	m := map[string][]string{}
	l.each(v, func(k, v *yaml.Node) {
		if k.Value != "any" && l.language(k) == "" {
			return
		}
		for _, n := range l.items(v) {
			if s := l.cue(n); s != "" {
				m[k.Value] = append(m[k.Value], s)
			}
		}
	})
	return m
}

// cue reads one word or phrase that may have gaps (...) and number signs (#).
func (l *loader) cue(n *yaml.Node) string {
	s := l.str(n)
	if !strings.Contains(s, "...") && !strings.Contains(s, "…") && !slices.Contains(strings.Fields(s), numberSign) {
		return l.term(n)
	}
	if !l.cleanTerm(n, s) {
		return ""
	}
	parts := cueParts(strings.TrimPrefix(s, "-"))
	last := len(parts) - 1
	switch empty := slices.IndexFunc(parts, func(p []string) bool { return len(p) == 0 }); {
	case last > 0 && (empty == 0 || empty == last || empty > 0 && len(parts[last]) == 0):
		l.fail(n, "type", describe(n)+" begins or ends with a gap", "nothing would stand on the other side of it", "write words before and after the ...")
		return ""
	case empty >= 0:
		l.fail(n, "type", describe(n)+" has a gap with nothing in it", "one gap follows another", fmt.Sprintf("leave one ... out; it stands for up to %d words", gapWords))
		return ""
	case !slices.ContainsFunc(slices.Concat(parts...), func(w string) bool { return w != numberSign }):
		l.fail(n, "type", describe(n)+" holds no word", "every number would match it", "write a word beside the #")
		return ""
	case openInside(s):
		l.fail(n, "type", "a * inside a word", "only the end of a word may be open", "write the beginning of the word and a * after it")
		return ""
	}
	return s
}

// scope reads the words that say how a complaint is meant.
func (l *loader) scope(v *yaml.Node) {
	s := &l.set.scope
	l.object(v, "the scope", fields{
		"numbers": func(v *yaml.Node) { s.Numbers = l.byLanguage(v) },
		"why":     func(v *yaml.Node) { s.Why = l.cuesByLanguage(v) },
		"press":   func(v *yaml.Node) { s.Press = l.cuesByLanguage(v) },
		"suppose": func(v *yaml.Node) { s.Suppose = l.cuesByLanguage(v) },
		"spare":   func(v *yaml.Node) { s.Spare = l.cuesByLanguage(v) },
		"settle":  func(v *yaml.Node) { s.Settle = l.cuesByLanguage(v) },
	})
}

func (l *loader) playbook(id string, k, v *yaml.Node) {
	p := &Playbook{Pos: l.pos(k), ID: id, Embedded: l.builtin}
	l.object(v, "a playbook", fields{
		"categories": func(v *yaml.Node) {
			for _, n := range l.items(v) {
				p.Categories = append(p.Categories, l.str(n))
				l.refer(n, "category", n.Value)
			}
		},
		"cluster": func(v *yaml.Node) { p.Cluster = l.cluster(v) },
		"cluster_if": func(v *yaml.Node) {
			l.list(v, func(n *yaml.Node) { p.ClusterIf = append(p.ClusterIf, l.clusterIf(n)) })
		},
		"facts":   func(v *yaml.Node) { p.Facts = l.facts(v) },
		"approve": func(v *yaml.Node) { p.Approve = l.approve(v) },
		"drafts": func(v *yaml.Node) {
			l.list(v, func(n *yaml.Node) { p.Drafts = append(p.Drafts, l.template(n)) })
		},
		"do_not": func(v *yaml.Node) { p.DoNot = l.strs(v) },
	})
	l.set.Playbooks[id] = p
}

func (l *loader) clusterIf(n *yaml.Node) ClusterIf {
	var c ClusterIf
	seen := l.object(n, "cluster_if", fields{
		"when":    func(v *yaml.Node) { c.When = l.expr(v, ofSignal) },
		"cluster": func(v *yaml.Node) { c.Cluster = l.cluster(v) },
	})
	l.need(n, seen, "cluster_if", "when", "cluster")
	return c
}

func (l *loader) facts(v *yaml.Node) PlaybookFacts {
	var f PlaybookFacts
	l.object(v, "facts", fields{
		"known":       func(v *yaml.Node) { f.Known = l.strs(v) },
		"checking":    func(v *yaml.Node) { f.Checking = l.strs(v) },
		"instruction": func(v *yaml.Node) { f.Instruction = l.instruction(v) },
		"next_update": func(v *yaml.Node) {
			l.object(v, "next_update", fields{
				"in":    func(v *yaml.Node) { f.NextUpdate.In = l.duration(v, nextUpdate) },
				"where": func(v *yaml.Node) { f.NextUpdate.Where = l.str(v); l.slots(v) },
			})
		},
		"cleared": func(v *yaml.Node) {
			f.Cleared = map[string]bool{}
			l.each(v, func(k, v *yaml.Node) { f.Cleared[k.Value] = l.bool(v) })
		},
	})
	return f
}

// instruction reads one text, or one for each language.
func (l *loader) instruction(v *yaml.Node) map[string]string {
	if v.Kind != yaml.MappingNode {
		return map[string]string{"": l.str(v)}
	}
	m := map[string]string{}
	l.each(v, func(k, v *yaml.Node) {
		if l.language(k) != "" {
			m[k.Value] = l.str(v)
		}
	})
	return m
}

func (l *loader) approve(v *yaml.Node) map[Severity][]string {
	m := map[Severity][]string{}
	known := fields{}
	for s := Crisis; s <= Notice; s++ {
		known["severity_"+strconv.Itoa(int(s))] = func(v *yaml.Node) { m[s] = l.strs(v) }
	}
	l.object(v, "approve", known)
	return m
}

func (l *loader) template(n *yaml.Node) Template {
	t := Template{Pos: l.pos(n)}
	seen := l.object(n, "a draft", fields{
		"id": func(v *yaml.Node) { t.ID = l.id(v) },
		"for": func(v *yaml.Node) {
			l.object(v, "for", fields{
				"kind":      func(v *yaml.Node) { t.Kind = l.oneOf(v, "reply", "holding_statement") },
				"networks":  func(v *yaml.Node) { t.Networks = l.strs(v) },
				"languages": func(v *yaml.Node) { t.Languages = l.languages(v) },
				"clusters": func(v *yaml.Node) {
					for _, n := range l.items(v) {
						t.Clusters = append(t.Clusters, l.cluster(n))
					}
				},
				"address": func(v *yaml.Node) { t.Address = l.oneOf(v, "du", "tú") },
			})
		},
		"text": func(v *yaml.Node) { t.Text = l.str(v); l.slots(v) },
	})
	l.need(n, seen, "a draft", "id", "text")
	return t
}

// knownSlots are what templates may ask for. brand.contact.<key> is known as well.
var knownSlots = []string{
	"item.author_greeting", "item.author", "item.product",
	"brand.name", "facts.instruction", "facts.known", "facts.checking",
	"facts.next_update.time", "facts.next_update.where",
	"next_contact.local", "now.local", "sign_off", "availability", "introduction", "apology",
}

var (
	slotForm    = regexp.MustCompile(`\{\{([^{}]*)\}\}`)
	contactForm = regexp.MustCompile(`^brand\.contact\.[a-z0-9][a-z0-9_-]*$`)
)

// slots checks the slots and filters of a text.
func (l *loader) slots(v *yaml.Node, more ...string) {
	known := slices.Concat(knownSlots, more)
	for _, m := range slotForm.FindAllStringSubmatch(v.Value, -1) {
		slot, filter, filtered := strings.Cut(m[1], "|")
		slot, filter = strings.TrimSpace(slot), strings.TrimSpace(filter)
		if !slices.Contains(known, slot) && !contactForm.MatchString(slot) {
			l.fail(v, "E09", "unknown slot {{"+slot+"}}", "the draft could never be filled in", Suggest(slot, append(known, "brand.contact.dm")))
		}
		if filtered && filter != "list" {
			l.fail(v, "E09", "unknown filter "+strconv.Quote(filter), "", "the only filter is list")
		}
	}
	if rest := slotForm.ReplaceAllString(v.Value, ""); strings.Contains(rest, "{{") || strings.Contains(rest, "}}") {
		l.fail(v, "E09", "a slot that is not closed, or is empty", "it would be sent as it is", "write {{name}}")
	}
}
