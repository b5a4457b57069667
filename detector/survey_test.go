package detector

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/sources"
)

// judgedOnly are records that hold mentions alone, as they were judged.
type judgedOnly struct {
	heardOf
	mentions []Judged
}

func (r judgedOnly) Mentions(_ context.Context, f MentionFilter) ([]Judged, error) {
	return slices.DeleteFunc(slices.Clone(r.mentions), func(j Judged) bool { return j.Mention.CreatedAt.Before(f.From) }), nil
}

const surveyed = `
version: 1
brands: {acme: {names: [Acme]}, other: {names: [Other]}}
routes: {desk: {slack: {channel: "#a"}}, shop: {slack: {channel: "#b"}}}
sla: {complaint: {first_answer: 1h}}
rules:
  - {id: all, title: T, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, route: desk}
  - {id: long, title: T, kind: burst, match: {sentiment: negative}, window: 24h, floor: {items: 5, authors: 3}, route: [shop, desk]}
  - {id: each-source, title: T, kind: burst, match: {sentiment: negative}, baseline: {per: [source]}, floor: {items: 5, authors: 3}, route: desk}
  - {id: shop-only, title: T, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, route: shop}
  - {id: late, title: T, kind: unanswered, match: {sentiment: negative}, sla: complaint, severity: 3, route: desk}
  - {id: mood, title: T, kind: shift, measure: share(sentiment = negative), window: 3h, floor: {items: 5, authors: 3}, budget: 1/week, route: desk}
  - {id: stars, title: T, kind: shift, measure: share(rating <= 2), window: 3h, floor: {items: 5, authors: 3}, budget: 1/week, route: desk}
packs: [starter]`

// Rules are doubted that tell the same people of the same mentions: of one kind, and counted alike.
func TestRulesThatLookAtTheSame(t *testing.T) {
	set := mustRules(surveyed)
	for _, tt := range []struct {
		name  string
		say   func(matched func(brand string, n int, rules ...string))
		doubt map[string]string // by rule
	}{
		{
			"the same", func(say func(string, int, ...string)) { say("acme", 30, "all", "long") },
			map[string]string{"long": "the rule all: of the last 30 mentions of acme that one of the two matched, both matched 30"},
		},
		{
			"nearly the same", func(say func(string, int, ...string)) { say("acme", 81, "all", "long"); say("acme", 19, "all") },
			map[string]string{"long": "of the last 100 mentions of acme that one of the two matched, both matched 81"},
		},
		{"not quite", func(say func(string, int, ...string)) { say("acme", 80, "all", "long"); say("acme", 20, "all") }, nil},
		{"one within the other", func(say func(string, int, ...string)) { say("acme", 30, "all", "long"); say("acme", 300, "all") }, nil},
		{"too few", func(say func(string, int, ...string)) { say("acme", 19, "all", "long") }, nil},
		{"too few of each brand", func(say func(string, int, ...string)) {
			say("acme", 15, "all", "long")
			say("other", 15, "all", "long")
		}, nil},
		{
			"of the brand with most", func(say func(string, int, ...string)) {
				say("acme", 20, "all", "long")
				say("other", 21, "all", "long")
			},
			map[string]string{"long": "of other"},
		},
		{"counted apart", func(say func(string, int, ...string)) { say("acme", 30, "all", "each-source") }, nil},
		{"told to others", func(say func(string, int, ...string)) { say("acme", 30, "all", "shop-only") }, nil},
		{"of two kinds", func(say func(string, int, ...string)) { say("acme", 30, "all", "late") }, nil},
		{"two shares", func(say func(string, int, ...string)) { say("acme", 30, "mood", "stars") }, nil},
		{"embedded rules", func(say func(string, int, ...string)) { say("acme", 30, "volume", "neg-burst") }, nil},
		{"a rule that is gone", func(say func(string, int, ...string)) { say("acme", 30, "all", "gone") }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := judgedOnly{heardOf: heardOf{since: monday.Add(-14 * day)}}
			at := monday
			tt.say(func(brand string, n int, ids ...string) {
				for range n {
					at = at.Add(-time.Minute)
					r.mentions = append(r.mentions, Judged{Brand: brand, Rules: ids, Mention: sources.Mention{CreatedAt: at}})
				}
			})
			own, old := r.mentions[0], r.mentions[0]
			own.Own, own.Rules, old.Rules, old.Mention.CreatedAt = true, []string{"all"}, []string{"all"}, monday.Add(-31*day)
			for range 50 { // that count for nothing
				r.mentions = append(r.mentions, own, old)
			}
			s, err := NewSurvey(t.Context(), r, set, "", monday.Add(-PracticeTime), monday)
			if err != nil {
				t.Fatal(err)
			}
			checkSurvey(t, s, len(r.mentions)-50, set.RuleIDs(), tt.doubt)
		})
	}
}

func checkSurvey(t *testing.T, s *Survey, compared int, ids []string, want map[string]string) {
	t.Helper()
	if s.Compared != compared || s.Oldest.IsZero() || len(s.Rules) != len(ids) {
		t.Errorf("compared on %d mentions since %s, %d rules", s.Compared, s.Oldest, len(s.Rules))
	}
	for _, p := range s.Rules {
		said := ""
		for _, d := range p.Practice.Doubts {
			if d.ID == "W05" {
				said += d.What
			}
		}
		if doubt := want[p.Rule]; (doubt == "") != (said == "") || !strings.Contains(said, doubt) {
			t.Errorf("%s: doubt %q, want %q", p.Rule, said, doubt)
		}
	}
}

// What the rules have done is beside it, and embedded rules may be quiet for ever.
func TestSurveySaysWhatEachRuleHasDone(t *testing.T) {
	set := mustRules(surveyed)
	s, err := NewSurvey(t.Context(), judgedOnly{heardOf: heardOf{since: monday.Add(-400 * day)}}, set, "acme", monday.Add(-PracticeTime), monday)
	if err != nil {
		t.Fatal(err)
	}
	quiet := map[string]bool{"all": true, "mood": true, "safety": false, "volume": false} // mood takes the place of an embedded rule
	for _, p := range s.Rules {
		if doubted, ok := quiet[p.Rule]; ok && (p.Practice.Since.IsZero() || doubted != strings.Contains(fmt.Sprint(p.Practice.Doubts), "W06: it has told of nothing in 180 days")) {
			t.Errorf("%s: %+v", p.Rule, p.Practice)
		}
	}
}
