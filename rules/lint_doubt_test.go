package rules

import (
	"fmt"
	"strings"
	"testing"
)

// What a file leaves open is told with a way out, and only where nothing is refused.
func TestDoubts(t *testing.T) {
	const silent = "  - {id: quiet, title: Quiet, kind: silence}\n"
	brand := func(body string) string {
		return "version: 1\nbrands:\n  b: {own_authors: [\"x:b\"], " + body + "}\npacks: [starter]\n"
	}
	rule := func(more string) string {
		return "version: 1\nrules:\n" + silent + "  - {id: r, title: R, kind: burst, match: {}, floor: {items: 5, authors: 3}" + more + "}\n"
	}
	of := func(quiet string) string { // a rule of b, and one of kind silence
		return strings.Replace(rule(", brand: b"), "kind: silence", "kind: silence, brand: "+quiet, 1)
	}
	deaf := strings.Replace(rule(""), silent, "", 1)
	const owned = "brands:\n  b: {names: [Fjellbryg], own_authors: [\"x:b\"]}\n  c: {names: [Havbryg], own_authors: [\"x:c\"]}\n"
	for _, c := range []struct{ name, text, id, at, what string }{
		{"a word of everyday", brand("names: [Shell]"), "W01", "3:3", `"Shell" is a word of everyday`},
		{"with words near it", brand("names: [Shell], ambiguous: {Shell: {need_any: [petrol]}}"), "", "", ""},
		{"with words that exclude", brand("names: [Shell], exclude: [sea shell]"), "", "", ""},
		{"a word of its own", brand("names: [Fjellbryg]"), "", "", ""},
		{"no own authors", "version: 1\nbrands: {b: {names: [Fjellbryg], handles: {mastodon: [\"@b\"]}}}\npacks: [starter]\n", "W11", "2:10", "no own_authors"},
		{"no accounts either", "version: 1\nbrands: {b: {names: [Fjellbryg], handles: {any: [\"@b\"]}}}\npacks: [starter]\n", "", "", ""},
		{"a network nobody reads", brand("names: [Fjellbryg], handles: {tiktok: [\"@b\"]}"), "W13", "3:3", "no source reads tiktok"},
		{"a network that is read", brand("names: [Fjellbryg], handles: {mastodon: [\"@b@s.example\"]}"), "", "", ""},
		{"a condition that raises nothing", rule(`, severity: 2, escalate_if: [{when: "sources >= 2", severity: 2}]`), "W14", "4:105", "escalate_if to severity 2 raises nothing"},
		{"a condition that changes nothing", rule(`, severity: 2, severity_if: [{when: "sources >= 2", severity: 2}]`), "W14", "4:105", "severity_if gives severity 2"},
		{"a condition that does", rule(`, severity: 2, escalate_if: [{when: "sources >= 2", severity: 1}]`), "", "", ""},
		{"an untested rule", rule("") + "tests: [{name: a, expect: [{rule: quiet}]}]\n", "W03", "4:10", `no test expects the rule "r"`},
		{"a tested rule", rule("") + "tests: [{name: a, expect: [{rule: quiet}, {rule: r}]}]\n", "", "", ""},
		{"more than the route may hear", rule(", budget: 3/week, route: desk") + "routes: {desk: {slack: {channel: \"#a\"}}}\nbudgets: {desk: {severity_3: 2/week}}\n", "W04", "6:11", `may tell 3/week of severity 3, its budget is 2/week`},
		{"a category nobody answers for", "version: 1\ncategories: {leak: {sev: 2, cues: {en: [drip tray]}}}\n", "W08", "2:14", `no playbook answers for the category "leak"`},
		{"a category that is handed over", "version: 1\ncategories: {leak: {sev: 2, no_draft: true, cues: {en: [drip tray]}}}\n", "", "", ""},
		{"nobody listens for silence", deaf + owned, "W10", "5:3", `no rule is of kind silence for the brand "b" and 1 more`},
		{"the starter pack does", deaf + owned + "packs: [starter]\n", "", "", ""},
		{"the starter rules do for brands that no file names", deaf, "", "", ""},
		{"a rule does", rule("") + owned, "", "", ""},
		{"a rule of another brand does", of("c") + owned, "W10", "6:3", `no rule is of kind silence for the brand "b"`},
		{"no rule at all", "version: 1\nbrands: {b: {names: [Fjellbryg], own_authors: [\"x:b\"]}}\n", "W16", "2:10", `no rule is in force for the brand "b"`},
		{"rules of another brand only", of("b") + owned, "W16", "7:3", `no rule is in force for the brand "c"`},
		{"the starter pack for all", "version: 1\n" + owned + "packs: [starter]\n", "", "", ""},
	} {
		set, errs := one(t, c.text, Options{Networks: []string{"mastodon"}})
		if set == nil {
			t.Errorf("%s: refused:\n%s", c.name, errs)
			continue
		}
		if c.id == "" {
			if len(errs) > 0 {
				t.Errorf("%s: %s", c.name, errs)
			}
			continue
		}
		if len(errs) != 1 || errs[0].ID != c.id || fmt.Sprintf("%d:%d", errs[0].Pos.Line, errs[0].Pos.Col) != c.at || !strings.Contains(errs[0].What, c.what) || errs[0].Hint == "" {
			t.Errorf("%s:\n got %s\nwant %s at %s: %s", c.name, errs, c.id, c.at, c.what)
		}
	}
}

// A rule that a condition or a budget can make grave is not to end in a digest either.
func TestGraveRulesReachPeopleAtOnce(t *testing.T) {
	for _, more := range []string{
		`, severity: 3, escalate_if: [{when: "sources >= 2", severity: 1}]`,
		`, budget: {severity_2: 1/week}`,
	} {
		_, errs := one(t, "version: 1\nroutes: {weekly: {slack: {channel: \"#a\"}, digest: \"Mon 09:00\"}}\nrules:\n"+
			"  - {id: r, title: R, kind: burst, match: {}, floor: {items: 5, authors: 3}, route: weekly"+more+"}\n", Options{})
		if len(errs) == 0 || !strings.Contains(errs.Error(), "E03: the rule \"r\" of severity") {
			t.Errorf("%s: %s", more, errs)
		}
	}
}
