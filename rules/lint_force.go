package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// awaited are rules that something waits for. They have to be in force for a brand that it looks at.
type awaited struct {
	pos   Pos
	of    []string
	least int           // how many of them have to tell
	brand func() string // the brand it looks at, known when all is read; "": all of them
	id    string        // of the problem if they are not in force
	what  string
	test  bool // the brand is one that the files name, if they name any
	past  bool // what a rule told before it was disabled is enough
}

func (l *loader) await(a awaited) {
	if !l.builtin {
		l.awaited = append(l.awaited, a)
	}
}

// lintForce refuses what waits for rules that never tell it anything: starter rules where they are not in force, rules of
// other brands, and disabled ones.
func (l *loader) lintForce() {
	for _, a := range l.awaited {
		known := func(id string) bool { return slices.Contains(l.ruleIDs, id) }
		if !slices.ContainsFunc(a.of, func(id string) bool { return !known(id) }) && !l.hears(&a) {
			why, hint := l.idle(&a)
			l.add(LevelError, a.pos, a.id, a.what, why, hint)
		}
	}
}

// hears reports whether enough of the rules are in force for one of the brands.
func (l *loader) hears(a *awaited) bool {
	return slices.ContainsFunc(l.brandsOf(a), func(brand string) bool {
		n := 0
		for _, id := range a.of {
			if l.inForce(id, brand) || a.past && l.disabled[id] {
				n++
			}
		}
		return n >= a.least
	})
}

// brandsOf are the brands that a looks at. The one without a name stands for all that no file names.
func (l *loader) brandsOf(a *awaited) []string {
	if brand := a.brand(); brand != "" {
		return []string{brand}
	}
	named := sortedKeys(l.set.Brands)
	if a.test && len(named) > 0 {
		return named
	}
	return append(named, "")
}

// lintOff refuses what is to switch off an embedded rule and names none.
func (l *loader) lintOff() {
	embedded := rulesByID(l.set.everyEmbedded())
	for _, r := range l.set.off {
		if r.Kind == "" && embedded[r.ID] == nil {
			l.add(LevelError, r.Pos, "E01", fmt.Sprintf("no pack that is asked for has a rule %q to switch off", r.ID), "", Suggest(r.ID, sortedKeys(embedded)))
		}
	}
}

func rulesByID(all []*Rule) map[string]*Rule {
	by := map[string]*Rule{}
	for _, r := range all {
		by[r.ID] = r
	}
	return by
}

func (l *loader) inForce(id, brand string) bool {
	return slices.ContainsFunc(l.rulesInForce(brand), func(r *Rule) bool { return r.ID == id })
}

func (l *loader) rulesInForce(brand string) []*Rule {
	starter := l.set.Brands[brand] == nil || slices.Contains(l.set.Packs, starterPack)
	return l.set.rulesOf(brand, starter)
}

// idle says why the rules tell nothing, and what to do about it.
func (l *loader) idle(a *awaited) (why, hint string) {
	hint = "name rules of one brand"
	var said, starters []string
	for _, id := range a.of {
		own := slices.IndexFunc(l.set.Rules, func(r *Rule) bool { return r.ID == id })
		switch brand := a.brand(); {
		case l.disabled[id]:
			said = append(said, fmt.Sprintf("%q is disabled", id))
			hint = "take enabled: false out, or name another rule"
		case own >= 0 && l.set.Rules[own].Brand != "" && l.set.Rules[own].Brand != brand:
			said = append(said, fmt.Sprintf("%q is of the brand %q", id, l.set.Rules[own].Brand))
		case own < 0 && slices.ContainsFunc(l.set.starter, func(r *Rule) bool { return r.ID == id }) && !slices.Contains(l.set.Packs, starterPack):
			starters = append(starters, strconv.Quote(id))
		}
	}
	if len(starters) > 0 {
		said = append(said, strings.Join(starters, " and ")+" of the starter pack, which brands of the files do not have by themselves")
		hint = "add packs: [" + starterPack + "]"
	}
	return strings.Join(said, " and "), hint
}

// suggestRule is the hint for an unknown rule: one of the files' own before one of the library's.
func (l *loader) suggestRule(id string) string {
	var own []string
	for _, r := range l.set.Rules {
		own = append(own, r.ID)
	}
	if Nearest(id, own) == "" && (Nearest(id, l.ruleIDs) != "" || len(own) == 0) {
		return Suggest(id, l.ruleIDs)
	}
	return Suggest(id, own)
}
