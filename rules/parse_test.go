package rules

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/text/encoding/unicode"
)

// one parses a file by itself, on top of the embedded library.
func one(t *testing.T, text string, opt Options) (*Set, Errors) {
	t.Helper()
	return Parse([]File{{Name: "r.yml", Data: []byte(text)}}, opt)
}

// must parses what has no errors, on top of the embedded library; bare without it.
func must(t *testing.T, text string) *Set {
	t.Helper()
	return parsed(t, text, Options{})
}

func bare(t *testing.T, text string) *Set {
	t.Helper()
	return parsed(t, text, Options{Builtin: true})
}

func parsed(t *testing.T, text string, opt Options) *Set {
	t.Helper()
	s, errs := one(t, text, opt)
	if s == nil {
		t.Fatalf("refused:\n%s", errs)
	}
	return s
}

// A file that holds everything the format knows has no errors, and only warnings of what people may doubt.
func TestFullExample(t *testing.T) {
	data, err := os.ReadFile("testdata/full.yml")
	if err != nil {
		t.Fatal(err)
	}
	s, errs := Parse([]File{{Name: "full.yml", Data: data}}, Options{
		Now:       time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC),
		Notifiers: []string{"mail", "siren"},
	})
	if s == nil {
		t.Fatalf("refused:\n%s", errs)
	}
	warnings := map[string]int{}
	for _, e := range errs {
		warnings[e.ID]++
	}
	if warnings["W07"] != 1 || warnings["W03"] != 11 || warnings["W04"] != 1 || len(warnings) != 3 {
		t.Errorf("warnings %v:\n%s", warnings, errs)
	}
	checkFull(t, s)
}

func checkFull(t *testing.T, s *Set) {
	t.Helper()
	var ids []string
	for _, r := range s.Rules {
		ids = append(ids, r.ID)
	}
	if want := []string{"neg-burst", "neg-share", "injury", "leak-tank", "one-post-runs", "our-answer-backfires", "followers-leave", "unanswered", "app-rating", "many-fronts", "source-silent"}; !slices.Equal(ids, want) {
		t.Errorf("rules %v, want %v", ids, want)
	}
	neg := s.Rules[0]
	if neg.Window() != 6*time.Hour || neg.ResolveQuiet != 12*time.Hour || neg.Budget[Issue].PerWeek() != 2 || neg.Signal() != "negative" {
		t.Errorf("neg-burst is %+v", neg)
	}
	if got := fmt.Sprint(neg.Match.Kinds); got != "[comment tag review post]" {
		t.Errorf("kinds %s", got)
	}
	signals := map[string]string{
		"neg-share": "share", "one-post-runs": "spread", "our-answer-backfires": "backlash", "followers-leave": "gauge:followers",
		"many-fronts": "rule:many-fronts", "source-silent": "silence", "app-rating": "rule:app-rating",
	}
	for id, want := range signals {
		if r, _ := s.Rule(id); r.Signal() != want {
			t.Errorf("%s counts %q, want %q", id, r.Signal(), want)
		}
	}
	checkKinds(t, s)
	desk := s.Route("pr-desk")
	if len(desk.Ladder) != 4 || !desk.Ladder[3].Again || desk.Quiet.From != 22*60 || desk.Quiet.To != 7*60 || desk.Notify.Roots != 6 || desk.Notify.RootsIn != 10*time.Minute {
		t.Errorf("pr-desk is %+v", desk)
	}
	delivery := s.Categories["delivery"]
	en := delivery.Cues["en"]
	if delivery.Sev != Issue || delivery.Weight != 0.7 || !slices.Contains(en, "porch pirate") || slices.Contains(en, "delays") || !slices.Contains(en, "never arrived") {
		t.Errorf("the file has not changed the category delivery: %+v", delivery)
	}
	p := s.Playbooks["defect-leak"]
	if p.Facts.NextUpdate.In != 3*time.Hour || len(p.Drafts) != 3 || p.Drafts[2].Kind != "holding_statement" || len(p.Approve[Crisis]) != 2 {
		t.Errorf("defect-leak is %+v", p)
	}
	if got := s.PlaybookFor(nil, "greenhouse_leak"); got != p {
		t.Errorf("the playbook for greenhouse_leak is %v", got)
	}
}

func checkKinds(t *testing.T, s *Set) {
	t.Helper()
	rule := func(id string) *Rule { r, _ := s.Rule(id); return r }
	if r := rule("our-answer-backfires"); r.Match.Sentiment != "negative" || r.Window() != 2*time.Hour {
		t.Errorf("backlash is %+v", r)
	}
	if r := rule("followers-leave"); r.Direction != "down" || len(r.Watch) != 2 || !r.Watch[1].Drift || r.Watch[1].Length != 7*24*time.Hour {
		t.Errorf("gauge is %+v", r)
	}
	if r := rule("many-fronts"); r.AtLeast != 2 || r.Within != 2*time.Hour || len(r.Of) != 3 {
		t.Errorf("correlate is %+v", r)
	}
	if r := rule("one-post-runs"); r.Floor.Shares != 20 {
		t.Errorf("spread is %+v", r)
	}
	week := time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	if w, e := s.Planned("fjellbryg", "volume", week); w == nil || w.ID != "black-week" || !e.Expected {
		t.Errorf("in the black week: %+v %+v", w, e)
	}
	if _, e := s.Planned("fjellbryg", "delivery", week); e.Expected || e.Budget != 2 {
		t.Errorf("delivery in the black week: %+v", e)
	}
	if w, _ := s.Planned("fjellbryg", "volume", week.AddDate(0, 0, 7)); w != nil {
		t.Errorf("after the black week: %+v", w)
	}
}

const head = "version: 1\nbrands:\n  acme: {names: [Acme]}\nrules:\n"

// Every way to be wrong is told at its place, with a hint where there is one.
func TestProblems(t *testing.T) {
	burst := "  - {id: a, title: A, kind: burst, match: {}, floor: {items: 5, authors: 3}"
	for _, c := range []struct{ name, text, at, id, what string }{
		{"authors misspelt", head + "  - {id: a, title: A, kind: burst, match: {authors: {follower: \">= 1000\"}}, floor: {items: 5, authors: 3}}\n", "5:54", "key", "did you mean \"followers\""},
		{"authors as a list", head + "  - {id: a, title: A, kind: burst, match: {authors: [maja]}, floor: {items: 5, authors: 3}}\n", "5:53", "type", "any, none, followers or verified"},
		{"authors ask nothing", head + "  - {id: a, title: A, kind: burst, match: {authors: {}}, floor: {items: 5, authors: 3}}\n", "5:53", "type", "verified: true"},
		{"no account", head + "  - {id: a, title: A, kind: burst, match: {authors: {any: []}}, floor: {items: 5, authors: 3}}\n", "5:59", "type", "at least one account"},
		{"account of nobody", head + "  - {id: a, title: A, kind: burst, match: {authors: {any: [maja, \"mastodon:@\"]}}, floor: {items: 5, authors: 3}}\n", "5:66", "type", "network:handle"},
		{"account unseen", head + "  - {id: a, title: A, kind: burst, match: {authors: {none: [\"ma\u200bja\"]}}, floor: {items: 5, authors: 3}}\n", "5:61", "E13", "U+200B"},
		{"followers in words", head + "  - {id: a, title: A, kind: burst, match: {authors: {followers: many}}, floor: {items: 5, authors: 3}}\n", "5:65", "type", "a comparison"},
		{"no followers", head + "  - {id: a, title: A, kind: burst, match: {authors: {followers: \"< 1\"}}, floor: {items: 5, authors: 3}}\n", "5:65", "type", "above 0"},
		{"half verified", head + "  - {id: a, title: A, kind: burst, match: {authors: {verified: maybe}}, floor: {items: 5, authors: 3}}\n", "5:64", "type", "true or false"},
		{"season misspelt", head + burst + ", baseline: {season: hour_of_weak}}\n", "5:97", "type", `did you mean "hour_of_week"`},
		{"per misspelt", head + burst + ", baseline: {per: [source, produkt]}}\n", "5:103", "type", `did you mean "product"`},
		{"per without series", head + "  - {id: a, title: A, kind: each, match: {}, dedupe: {by: [author], for: 1h}, severity: 3, baseline: {per: [source]}}\n", "5:108", "key", "with kind each it would do nothing"},
		{"season without series", head + "  - {id: a, title: A, kind: silence, baseline: {season: none}}\n", "5:57", "key", "is for rules of kind burst, shift and backlash"},
		{"per no product", head + burst + ", brand: acme, baseline: {per: product}}\n", "5:107", "E01", "name them in products"},
		{"syntax", "version: 1\nbrands:\n  acme: [\n", "4:1", "syntax", "did not find expected"},
		{"latin letters", "version: 1\nbrands:\n  acme: {names: [K\u00e4se, K\xe4se]}\n", "3:25", "syntax", "the file is not UTF-8; the byte E4 is no letter there; save it as UTF-8"},
		{"a zero", "version: 1\nbrands:\n  acme: {names: [\"a\x00b\"]}\n", "3:20", "syntax", "the control character U+0000; nobody who reads it can see it; take it out"},
		{"wide letters unsaid", "v\x00e\x00r\x00s\x00i\x00o\x00n\x00", "1:2", "syntax", "as in UTF-16; save it as UTF-8"},
		{"empty", "# nothing\n", "1:1", "syntax", "empty"},
		{"share of what", head + "  - {id: a, title: A, kind: shift, measure: share(hats), window: 3h, floor: {items: 5, authors: 3}, budget: 1/week}\n", "5:51", "E10", "unknown fact"},
		{"key of another kind", head + "  - {id: a, title: A, kind: burst, match: {}, floor: {items: 5, authors: 3}, metric: followers}\n", "5:86", "key", "for rules of kind gauge"},
		{"alone together", head + "  - {id: a, title: A, kind: correlate, of: [a], within: 1h, severity: 1}\n", "5:44", "E14", "never fire together"},
		{"spread without floor", head + "  - {id: a, title: A, kind: spread}\n", "5:5", "E06", "floor.shares"},
		{"long drift", head + "  - {id: a, title: A, kind: gauge, metric: followers, watch: [{drift: 60d}]}\n", "5:71", "E05", "from 1d to 1w"},
		{"odd effect", "version: 1\nwindows:\n  - {id: w, from: 2026-11-01T00:00:00Z, to: 2026-11-02T00:00:00Z, effect: {volume: loud}}\n", "3:84", "type", "no effect"},
		{"no version", "team: x\n", "1:1", "key", "version is missing"},
		{"other version", "version: 2\n", "1:10", "type", "version 2"},
		{"unknown key", "version: 1\nbrand: {}\n", "2:1", "key", `did you mean "brands"`},
		{"no mapping", "version: 1\nbrands: [acme]\n", "2:9", "type", "not a list"},
		{"bad id", "version: 1\nbrands:\n  Ac Me: {names: [x]}\n", "3:3", "type", "ac-me"},
		{"no names", "version: 1\nbrands:\n  acme: {languages: [en]}\n", "3:3", "key", "names is missing"},
		{"bad language", "version: 1\nbrands:\n  acme: {names: [Acme], languages: [english]}\n", "3:37", "type", "two letters"},
		{"double key", "version: 1\nbrands:\n  acme: {names: [Acme]}\n  acme: {names: [B]}\n", "4:3", "E02", "twice"},
		{"double rule", head + burst + "}\n" + burst + "}\n", "6:10", "E02", `the rule "a" is defined twice`},
		{"unknown route", head + burst + ", route: pr-dsk}\nroutes: {pr-desk: {slack: {channel: \"#a\"}}}\n", "5:85", "E01", `did you mean "pr-desk"`},
		{"unknown brand", head + burst + ", brand: acne}\n", "5:85", "E01", `did you mean "acme"`},
		{"unknown category", head + "  - {id: a, title: A, kind: burst, match: {category: delivry}, floor: {items: 5, authors: 3}}\ncategories: {delivery: {}}\n", "5:54", "E01", `"delivery"`},
		{"unknown playbook", head + burst + ", playbook: nope-nope-nope}\n", "5:88", "E01", `unknown playbook`},
		{"unknown product", head + "  - {id: a, title: A, kind: burst, brand: acme, match: {any_of: [product.one]}, floor: {items: 5, authors: 3}}\n", "5:66", "E01", "product"},
		{"unknown pack", "version: 1\npacks: [startr]\n", "2:9", "E01", `did you mean "starter"`},
		{"not ambiguous", "version: 1\nbrands:\n  acme:\n    names: [Acme]\n    ambiguous:\n      Acmo: {need_any: [x-ray]}\n", "6:7", "E01", "neither a name nor a product"},
		{"silenced", "version: 1\nroutes:\n  a:\n    slack: {channel: \"#a\"}\n    quiet_hours: {hours: \"22:00-07:00\", pass_severity: 1}\n", "5:56", "E03", "silence severity 2"},
		{"digest only", head + "  - {id: a, title: A, kind: each, match: {}, dedupe: {by: [author], for: 1h}, severity: 1, route: w}\nroutes: {w: {slack: {channel: \"#a\"}, digest: Mon 09:00}}\n", "5:10", "E03", "digest"},
		{"reaches nobody", "version: 1\nroutes:\n  a: {private: true}\n", "3:3", "E04", "reaches nobody"},
		{"window", head + burst + ", window: 7m}\n", "5:86", "E05", "multiples of 5m"},
		{"long window", head + burst + ", window: 24h, baseline: {history: 3d}}\n", "5:86", "E05", "quarter"},
		{"window of nothing", head + burst + ", window: 0m}\n", "5:86", "E05", `"0m" is too short; mentions are counted by steps of 5m, for up to a day; use multiples of 5m from 5m to 1d`},
		{"one window too long", head + burst + ", window: [15m, 999999w]}\n", "5:92", "E05", `"999999w" is too long`},
		{"no window", head + burst + ", window: []}\n", "5:86", "type", "window is empty; it would do nothing; write window: [15m, 1h, 6h], or take it out"},
		{"no budget", head + burst + ", budget: {}}\n", "5:86", "type", "a budget is empty; it would do nothing; write {severity_3: 2/week}, or take it out"},
		{"budget of nothing", head + burst + ", budget: }\n", "5:86", "type", "a rate above zero is expected here, not nothing"},
		{"no route", head + burst + ", route: []}\n", "5:85", "type", "route is empty"},
		{"no condition", head + burst + ", severity_if: []}\n", "5:91", "type", "the list of conditions is empty"},
		{"per nothing", head + burst + ", baseline: {per: []}}\n", "5:94", "type", "per is empty"},
		{"history of nothing", head + burst + ", baseline: {history: 0w}}\n", "5:98", "E05", `"0w" is too short`},
		{"history beyond memory", head + burst + ", baseline: {history: 999999w}}\n", "5:98", "E05", "from 1d to 400d"},
		{"quiet at once", head + burst + ", resolve: {quiet: 0 windows}}\n", "5:95", "type", `"0 windows" is too short`},
		{"never quiet", head + burst + ", resolve: {quiet: 999 windows}}\n", "5:95", "type", `"999 windows" is too long`},
		{"quiet in no time", head + burst + ", resolve: {quiet: 0m}}\n", "5:95", "type", `"0m" is too short`},
		{"near one short word", head + "  - {id: a, title: A, kind: burst, match: {any_of: [{near: [ab]}]}, floor: {items: 5, authors: 3}}\n", "5:60", "type", "at least 2 words are needed here"},
		{"any of nothing", head + "  - {id: a, title: A, kind: burst, match: {any_of: []}, floor: {items: 5, authors: 3}}\n", "5:52", "type", "the list is empty"},
		{"categories of nothing", head + "  - {id: a, title: A, kind: burst, match: {categories: }, floor: {items: 5, authors: 3}}\n", "5:56", "type", "the list is empty"},
		{"confidence in nothing", head + "  - {id: a, title: A, kind: burst, match: {confidence: 0.7}, floor: {items: 5, authors: 3}}\n", "5:56", "key", "confidence belongs to category"},
		{"better than the best", head + "  - {id: a, title: A, kind: burst, match: {rating: \"> 5\"}, floor: {items: 5, authors: 3}}\n", "5:52", "type", "no rating is > 5; ratings are from 1 to 5: nothing would match"},
		{"switching off nothing", head + "  - {id: moood, enabled: false}\n", "5:10", "E01", "no pack that is asked for has a rule \"moood\" to switch off"},
		{"an exact reach", head + "  - {id: a, title: A, kind: burst, match: {reach: \"== 500\"}, floor: {items: 5, authors: 3}}\n", "5:51", "type", "a least reach"},
		{"worse than the worst", head + "  - {id: a, title: A, kind: burst, match: {rating: \"< 1\"}, floor: {items: 5, authors: 3}}\n", "5:52", "type", "no rating is < 1"},
		{"forgotten at once", head + "  - {id: a, title: A, kind: each, match: {}, severity: 2, dedupe: {by: [author], for: 0m}}\n", "5:87", "type", `"0m" is too short`},
		{"never forgotten", head + "  - {id: a, title: A, kind: each, match: {}, severity: 2, dedupe: {by: [author], for: 999999w}}\n", "5:87", "type", `"999999w" is too long; what is like the one before is left out for that long; use one from 1m to 400d`},
		{"alike in nothing", head + "  - {id: a, title: A, kind: each, match: {}, severity: 2, dedupe: {by: [], for: 1h}}\n", "5:72", "type", "by is empty"},
		{"together in no time", head + "  - {id: a, title: A, kind: correlate, of: [a], within: 0m, severity: 1}\n", "5:57", "type", `"0m" is too short`},
		{"together of nothing", head + "  - {id: a, title: A, kind: correlate, of: [], within: 1h, severity: 1}\n", "5:44", "type", "of is empty"},
		{"step of nothing", head + "  - {id: a, title: A, kind: gauge, metric: followers, watch: [{step: 0h}]}\n", "5:70", "E05", `"0h" is too short`},
		{"watch of nothing", head + "  - {id: a, title: A, kind: gauge, metric: followers, watch: [{}]}\n", "5:63", "type", "a watch is empty"},
		{"silence of nothing", head + "  - {id: a, title: A, kind: silence, sources: []}\n", "5:47", "type", "sources is empty"},
		{"product of nothing", "version: 1\nbrands:\n  acme: {names: [Acme], products: {one: []}}\n", "3:41", "type", "one is empty"},
		{"needs nothing", "version: 1\nbrands:\n  acme: {names: [Acme], ambiguous: {Acme: {need_any: []}}}\n", "3:54", "type", "need_any is empty"},
		{"effect of nothing", "version: 1\nwindows: [{id: a, from: 2026-01-02T00:00:00Z, to: 2026-01-03T00:00:00Z, effect: {}}]\n", "2:81", "type", "effect is empty"},
		{"answer at once", "version: 1\nsla: {a: {first_answer: 0m}}\n", "2:25", "type", `"0m" is too short`},
		{"answer that nobody waits for", "version: 1\nsla: {a: {answer: 8d}}\n", "2:19", "type", "from 1m to 1w"},
		{"step at once", "version: 1\nroutes: {a: {slack: {channel: \"#a\"}, ladder: [{after: 0m, severity: 1, to: default}]}}\n", "2:55", "type", `"0m" is too short`},
		{"reminder at once", "version: 1\nroutes: {a: {slack: {channel: \"#a\"}, notify: {reminder: 0m}}}\n", "2:57", "type", `"0m" is too short`},
		{"roots in no time", "version: 1\nroutes: {a: {slack: {channel: \"#a\"}, notify: {roots: 6 in 0m}}}\n", "2:54", "type", `"6 in 0m" is too short`},
		{"gathering all day", "version: 1\nroutes: {a: {slack: {channel: \"#a\"}, notify: {gather: 1d}}}\n", "2:55", "type", "from 1s to 1h"},
		{"update at once", "version: 1\nplaybooks: {a: {facts: {next_update: {in: 0m}}}}\n", "2:43", "type", `"0m" is too short`},
		{"over nothing", "version: 1\ntests: [{name: x, history: {generate: steady, rate: 2/h}, over: 0w, expect_rate: {severity_3: 1/week}}]\n", "2:65", "type", `"0w" is too short`},
		{"rate of nothing", "version: 1\ntests: [{name: x, history: {generate: steady, rate: 2/h}, over: 8w, expect_rate: {}}]\n", "2:82", "type", "expect_rate is empty"},
		{"before all memory", "version: 1\ntests: [{name: x, feed: [{at: -999999w, text: x}], expect: []}]\n", "2:31", "type", `"-999999w" is too long`},
		{"every nothing", "version: 1\ntests: [{name: x, feed: [{at: -1h, every: 0m, text: x}], expect: []}]\n", "2:43", "type", `"0m" is too short`},
		{"no floor", head + "  - {id: a, title: A, kind: burst, match: {}}\n", "5:5", "E06", "floor.items"},
		{"impossible floor", head + "  - {id: a, title: A, kind: burst, match: {}, floor: {items: 3, authors: 5}}\n", "5:54", "E06", "5 authors of 3"},
		{"zone", "version: 1\ntimezone: Europe/Olso\n", "2:11", "E07", "unknown time zone"},
		{"window backwards", "version: 1\nwindows: [{id: a, from: 2026-01-02T00:00:00Z, to: 2026-01-01T00:00:00Z, effect: {}}]\n", "2:51", "E07", "ends before it begins"},
		{"slot", "version: 1\nplaybooks:\n  p:\n    drafts:\n      - {id: a, text: \"Hi {{item.autor}}\"}\n", "5:23", "E09", `did you mean "item.author"`},
		{"filter", "version: 1\nplaybooks:\n  p:\n    drafts:\n      - {id: a, text: \"{{facts.known | upper}}\"}\n", "5:23", "E09", "the only filter"},
		{"open slot", "version: 1\nplaybooks:\n  p:\n    drafts:\n      - {id: a, text: \"{{facts.known\"}\n", "5:23", "E09", "not closed"},
		{"ladder to itself", "version: 1\nroutes:\n  a:\n    slack: {channel: \"#a\"}\n    ladder: [{after: 5m, severity: 1, to: a}]\n", "5:43", "E11", "its own route"},
		{"ladder falls", "version: 1\nroutes:\n  b: {slack: {channel: \"#b\"}}\n  a:\n    slack: {channel: \"#a\"}\n    ladder: [{after: 5m, severity: 1, to: b}, {after: 5m, severity: 1, to: b}]\n", "6:55", "E11", "rise in time"},
		{"regex", head + "  - {id: a, title: A, kind: burst, match: {any_of: [{regex: '(?=x)'}]}, floor: {items: 5, authors: 3}}\n", "5:61", "E12", "RE2"},
		{"empty regex", head + "  - {id: a, title: A, kind: burst, match: {any_of: [{regex: 'x*'}]}, floor: {items: 5, authors: 3}}\n", "5:61", "E12", "empty text"},
		{"invisible", "version: 1\nbrands:\n  acme: {names: [\"Ac\u200bme\"]}\n", "3:18", "E13", "U+200B"},
		{"inner star", "version: 1\nbrands:\n  acme: {names: [A*me]}\n", "3:18", "type", "inside a word"},
		{"channel", "version: 1\nroutes:\n  a: {slack: {channel: pr}}\n", "3:24", "type", "Slack channel"},
		{"channel as comment", "version: 1\nroutes:\n  a:\n    slack:\n      channel: #pr\n", "5:15", "type", "quotes"},
		{"duration", head + burst + ", window: 2 hours}\n", "5:86", "type", "a duration"},
		{"rate", head + burst + ", budget: 2 per week}\n", "5:86", "type", "a rate"},
		{"kind", head + "  - {id: a, title: A, kind: bursts, match: {}}\n", "5:29", "type", `did you mean "burst"`},
		{"two ways", head + "  - {id: a, title: A, kind: burst, match: {any_of: [{raw: x, phrase: yyy}]}, floor: {items: 5, authors: 3}}\n", "5:53", "type", "exactly one"},
		{"each without dedupe", head + "  - {id: a, title: A, kind: each, match: {}, severity: 2}\n", "5:5", "key", "dedupe is missing"},
		{"unknown of", head + "  - {id: c, title: C, kind: correlate, of: [nothing], within: 1h, severity: 1}\n", "5:45", "E01", "unknown rule"},
		{"short term", "version: 1\nbrands:\n  acme: {names: [Acme, ac]}\n", "3:24", "W02", "shorter than 3"},
		{"mixed scripts", "version: 1\nbrands:\n  acme: {names: [Acmе]}\n", "3:18", "W12", "Latin and Cyrillic"},
		{"ended window", "version: 1\nwindows: [{id: a, from: 2020-01-01T00:00:00Z, to: 2020-01-02T00:00:00Z, effect: {}}]\n", "2:51", "W15", "has ended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, errs := one(t, c.text, Options{Builtin: true, Now: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
			at := "r.yml:" + c.at
			if !slices.ContainsFunc(errs, func(e *Error) bool {
				return e.Pos.String() == at && e.ID == c.id && strings.Contains(e.Error(), c.what) && (e.Level == LevelWarning) == strings.HasPrefix(c.id, "W")
			}) {
				t.Errorf("no %s with %q at %s in:\n%s", c.id, c.what, at, errs)
			}
		})
	}
}

// All problems of all files come at once, in the order of their places.
func TestProblemsTogether(t *testing.T) {
	_, errs := Parse([]File{
		{Name: "b.yml", Data: []byte("version: 1\nbrands:\n  acme: {names: [Acme], colour: red}\nteam: [x]\n")},
		{Name: "a.yml", Data: []byte("version: 1\nbrands:\n  acme: {names: [Acme]}\n")},
	}, Options{})
	var got []string
	for _, e := range errs {
		got = append(got, e.Pos.String()+" "+e.ID)
	}
	want := []string{"b.yml:3:25 key", "b.yml:4:7 type", "a.yml:3:3 E02"}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What waits for rules waits for those that are in force where it looks.
func TestRulesThatAreNotInForce(t *testing.T) {
	const files = `version: 1
%s
brands: {b: {names: [Bravo]}, c: {names: [Charlie]}}
rules:
  - {id: ours, title: A, kind: burst, brand: b, match: {}, floor: {items: 5, authors: 3}}
  - {id: theirs, title: B, kind: burst, brand: c, match: {}, floor: {items: 5, authors: 3}}
  - {id: off, title: C, kind: burst, enabled: false, match: {}, floor: {items: 5, authors: 3}}
  - {id: neg-brust, title: D, kind: burst, match: {}, floor: {items: 5, authors: 3}}
%s
`
	together := func(brand, of string) string {
		return "  - {id: x, title: X, kind: correlate, " + brand + "of: [" + of + "], within: 2h, severity: 1}"
	}
	counts := func(rule string) string {
		return "  - {id: x, title: X, kind: burst, brand: b, match: {}, floor: {items: 5, authors: 3}, severity_if: [{when: \"incidents(" + rule + ", 60d) > 1\", severity: 2}]}"
	}
	expects := func(rule string) string { return "tests: [{name: t, feed: [], expect: [{rule: " + rule + "}]}]" }
	for _, c := range []struct{ name, packs, text, want string }{
		{"starter rules of a named brand", "", together("brand: b, ", "neg-burst, mood"), `r.yml:9:54 E14 "mood" and "neg-burst" of the starter pack, which brands of the files do not have by themselves: add packs: [starter]`},
		{"starter rules that are asked for", "packs: [starter]", together("brand: b, ", "neg-burst, mood"), ""},
		{"starter rules of brands that no file names", "", together("", "neg-burst, mood"), ""},
		{"a disabled rule and one of another brand", "", together("brand: b, ", "off, theirs"), `r.yml:9:54 E14 "off" is disabled and "theirs" is of the brand "c": take enabled: false out, or name another rule`},
		{"one of each brand", "", together("", "ours, theirs"), `r.yml:9:44 E14 "ours" is of the brand "b" and "theirs" is of the brand "c": name rules of one brand`},
		{"enough without the disabled one", "", together("brand: b, ", "ours, neg-brust, off"), ""},
		{"a disabled correlation", "", together("enabled: false, ", "ours, theirs"), ""},
		{"incidents of a starter rule", "", counts("mood"), `r.yml:9:120 E10 "mood" of the starter pack, which brands of the files do not have by themselves: add packs: [starter]`},
		{"incidents of another brand", "", counts("theirs"), `r.yml:9:120 E10 "theirs" is of the brand "c": name rules of one brand`},
		{"incidents of before it was disabled", "", counts("off"), ""},
		{"a test of a starter rule", "", expects("mood"), `r.yml:9:45 E01 "mood" of the starter pack, which brands of the files do not have by themselves: add packs: [starter]`},
		{"a test of a disabled rule", "", expects("off"), `r.yml:9:45 E01 "off" is disabled: take enabled: false out, or name another rule`},
		{"a test of a starter rule that is asked for", "packs: [starter]", expects("mood"), ""},
		{"our own rule is meant", "", counts("neg-burts"), `r.yml:9:120 E01 : did you mean "neg-brust"?`},
		{"one of the library is meant", "packs: [starter]", counts("volme"), `r.yml:9:120 E01 : did you mean "volume"?`},
	} {
		_, errs := one(t, fmt.Sprintf(files, c.packs, c.text), Options{})
		var told []string
		for _, e := range errs {
			if e.Level == LevelError {
				told = append(told, fmt.Sprintf("%s %s %s: %s", e.Pos, e.ID, e.Why, e.Hint))
			}
		}
		if got := strings.Join(told, "\n"); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
}

func TestUnknownNotifier(t *testing.T) {
	text := "version: 1\nroutes:\n  a: {also: [siren]}\n"
	if _, errs := one(t, text, Options{}); errs.Refused() {
		t.Errorf("without a list of notifiers any will do:\n%s", errs)
	}
	_, errs := one(t, text, Options{Notifiers: []string{"siren2"}})
	if len(errs) != 1 || errs[0].ID != "E01" || errs[0].Pos.String() != "r.yml:3:14" {
		t.Errorf("got %v", errs)
	}
}

func TestAliases(t *testing.T) {
	s := must(t, "version: 1\nbrands:\n  acme: {names: &n [Acme], hashtags: *n}\n")
	if b := s.Brands["acme"]; !slices.Equal(b.Hashtags, b.Names) {
		t.Errorf("got %+v", b)
	}
	var bomb strings.Builder
	bomb.WriteString("version: 1\nteam: a\nbrands:\n  acme:\n    names: &a [x1, x2, x3, x4, x5, x6, x7, x8, x9]\n    handles:\n")
	for i := range 200_000 / 9 {
		fmt.Fprintf(&bomb, "      p%d: *a\n", i)
	}
	start := time.Now()
	if s, errs := one(t, bomb.String(), Options{Builtin: true}); s != nil {
		t.Errorf("took %d aliases: %v", 200_000/9, errs)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("refusing takes %s", took)
	}
}

// A mapping can take the keys of others; its own count before theirs.
func TestMergedKeys(t *testing.T) {
	s := must(t, `version: 1
brands: {acme: {names: [Acme]}}
rules:
  - &base {id: a, title: A, kind: burst, brand: acme, match: &m {sentiment: negative}, floor: {items: 5, authors: 3}, budget: 1/week}
  - {<<: *base, id: b, title: B, budget: 2/week}
  - {id: c, title: C, budget: 3/week, <<: [*base, {budget: 4/week, note: N}]}
  - {id: d, title: D, match: {<<: *m, languages: [en]}, <<: *base}
`)
	for i, want := range []string{"a 1 negative [] ", "b 2 negative [] ", "c 3 negative [] N", "d 1 negative [en] "} {
		r := s.Rules[i]
		if got := fmt.Sprint(r.ID, " ", r.Budget[Issue].PerWeek(), " ", r.Match.Sentiment, " ", r.Match.Languages, " ", r.Note); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	const broken = "version: 1\nbrands: {acme: {names: [Acme]}}\nrules:\n  - &base {id: a, title: A, kind: brst}\n  - {<<: *base, id: b}\n  - {<<: 7, id: c, title: C, kind: silence}\n"
	_, errs := one(t, broken, Options{})
	if got, want := refusals(errs), []string{"r.yml:4:35 type", "r.yml:6:10 type"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v:\n%s", got, want, errs)
	}
	for _, endless := range []string{"version: 1\nteam: &x {<<: *x}\n", "version: 1\n<<: &x [*x]\n", "&x version: 1\nbrands: &y {a: *y, <<: *y}\n"} {
		one(t, endless, Options{Builtin: true}) // ends
	}
}

func TestFormat(t *testing.T) {
	files := []File{{Name: "r.yml", Data: []byte("version: 1\nbrands:\n  acme: {names: [日本, \"x\x1b\"], colour: red}\n")}}
	errs := Errors{{Pos: Pos{"r.yml", 3, 29}, ID: "key", Level: LevelError, What: `unknown key "colour"`, Why: "w", Hint: "h"}}
	want := `r.yml:3:29: key: unknown key "colour"; w; h
     3 |   acme: {names: [日本, "x·"], colour: red}
       |                               ^
`
	got := Format(errs, files)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, order := range []unicode.Endianness{unicode.LittleEndian, unicode.BigEndian} {
		wide, err := unicode.UTF16(order, unicode.UseBOM).NewEncoder().Bytes(files[0].Data)
		if err != nil {
			t.Fatal(err)
		}
		if got := Format(errs, []File{{"r.yml", wide}}); got != want {
			t.Errorf("in UTF-16\n%s\nwant\n%s", got, want)
		}
		if _, errs := Parse([]File{{"r.yml", wide}}, Options{}); len(errs) != 1 || errs[0].Pos != (Pos{"r.yml", 3, 24}) {
			t.Errorf("in UTF-16: %v", errs)
		}
	}
	doubt := *errs[0]
	doubt.Level = LevelWarning
	if got := Format(Errors{&doubt}, nil); got != "r.yml:3:29: key: unknown key \"colour\"; w; h (warning)\n" {
		t.Errorf("a warning is not told from an error: %s", got)
	}
	errs[0].Pos.Line = 99
	if got := Format(errs, files); strings.Contains(got, "|") {
		t.Errorf("an excerpt of a line that is not there:\n%s", got)
	}
}

func FuzzParse(f *testing.F) {
	full, err := os.ReadFile("testdata/full.yml")
	if err != nil {
		f.Fatal(err)
	}
	starter, err := packs.ReadFile("packs/starter.yml")
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{string(full), string(starter), "a: &x [*x]", "a: &x {<<: [*x, *x]}", "version: 1\nrules: [{}]", "? [a]\n: b", "version: 1\nroutes: {a: {slack: ~, ladder: {a: b}}}", "brands: {a: {names: [*]}}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		files := []File{{Name: "f.yml", Data: []byte(s)}}
		set, errs := Parse(files, Options{Builtin: true})
		if (set == nil) != errs.Refused() {
			t.Errorf("a set is there: %t, refused: %t", set != nil, errs.Refused())
		}
		for _, e := range errs {
			if e.Pos.Line < 1 || e.Pos.Col < 1 || e.What == "" || e.ID == "" {
				t.Errorf("incomplete problem %#v", e)
			}
		}
		Format(errs, files)
	})
}

func TestClusterIfAndAddress(t *testing.T) {
	const book = `
version: 1
rules: [{id: leak-tank, title: Leak, kind: burst, match: {}, floor: {items: 5, authors: 3}}]
playbooks:
  leak:
    cluster: accidental
    cluster_if: [{when: "%s", cluster: preventable}]
    drafts: [{id: short, for: {languages: [de], clusters: [preventable], address: du}, text: "Hallo."}]
`
	for when, taken := range map[string]bool{
		"incidents(leak-tank, 60d) >= 2":  true,
		"sources >= 2 or reach >= 100000": true,
		"incidents(leak, 60d) >= 2":       false, // no rule
		"incidents(leak-tank) >= 2":       false,
		"sentiment = negative":            false, // one mention's
	} {
		set, errs := Parse([]File{{Name: "r.yml", Data: fmt.Appendf(nil, book, when)}}, Options{})
		if taken != (set != nil) {
			t.Errorf("%q: taken %v: %v", when, set != nil, errs)
			continue
		}
		if !taken {
			continue
		}
		p := set.Playbooks["leak"]
		if c := p.ClusterIf[0]; c.Cluster != Preventable || c.When.Text != when || p.Drafts[0].Address != "du" || p.Drafts[0].Clusters[0] != Preventable {
			t.Errorf("%q: %+v", when, p)
		}
	}
}

// What a rule judges by itself stands in one order however it is written, and the usual season of its kind goes without saying.
func TestBaseline(t *testing.T) {
	burst := "kind: burst, match: {}, floor: {items: 5, authors: 3}"
	shift := "kind: shift, measure: share(sentiment = negative), window: 3h, floor: {items: 5, authors: 3}, budget: 1/week"
	for _, c := range []struct{ rule, baseline, per, season string }{
		{burst, "{}", "[]", ""},
		{burst, "{per: source}", "[source]", ""},
		{burst, "{per: [source, language]}", "[language source]", ""},
		{burst, "{per: [source, product, source], season: hour_of_week}", "[product source]", ""},
		{burst, "{season: day_of_week}", "[]", "day_of_week"},
		{burst, "{season: none}", "[]", "none"},
		{shift, "{season: day_of_week, per: [category]}", "[category]", ""},
		{shift, "{season: hour_of_week}", "[]", "hour_of_week"},
	} {
		s, errs := one(t, "version: 1\nbrands: {acme: {names: [Acme], products: {one: [Acme One]}}}\nrules:\n  - {id: r, title: R, "+c.rule+", baseline: "+c.baseline+"}\n", Options{Builtin: true})
		if s == nil {
			t.Fatalf("%s is refused:\n%s", c.baseline, errs)
		}
		if r := s.Rules[0]; fmt.Sprint(r.Per) != c.per || string(r.Season) != c.season {
			t.Errorf("%s: per %v, season %q", c.baseline, r.Per, r.Season)
		}
	}
}
