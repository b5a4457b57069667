package detector

import (
	"context"
	"fmt"
	"slices"
	"time"

	"emberwatch/rules"
)

// Rules are compared on the mentions of the last 30 days, on the newest of them where there are very many.
const (
	overlapTime = 30 * 24 * time.Hour
	overlapMost = 10_000
)

// Two rules are doubted that have at least leastAlike mentions of a brand in common, and these are more than alikeShare of
// all that either of them matches there.
const (
	leastAlike = 20
	alikeShare = 0.8
)

// Survey is what all rules have done, and how far they look at the same.
type Survey struct {
	Rules    []RulePractice `json:"rules"`                // in the order of the files, the embedded ones last
	Compared int            `json:"compared"`             // mentions that the rules were compared on, the newest ones
	Oldest   time.Time      `json:"compared_to,omitzero"` // when the oldest of them was written
}

// RulePractice is the practice of one rule.
type RulePractice struct {
	Rule     string   `json:"rule"`
	Title    string   `json:"title"`
	Kind     string   `json:"kind"`
	Practice Practice `json:"practice"`
}

// NewSurvey looks up what all rules have done for a brand (empty: every one) since from. It reads at most overlapMost
// mentions, and takes the rules that they matched when they were judged: what has been changed since shows in time.
func NewSurvey(ctx context.Context, r Reader, set *rules.Set, brand string, from, to time.Time) (*Survey, error) {
	d, err := lookUpDeeds(ctx, r, set, brand)
	if err != nil {
		return nil, fmt.Errorf("what the rules have done: %w", err)
	}
	ms, err := r.Mentions(ctx, MentionFilter{Brand: brand, From: to.Add(-overlapTime), Limit: overlapMost})
	if err != nil {
		return nil, fmt.Errorf("what the rules have matched: %w", err)
	}
	s := &Survey{Compared: len(ms)}
	if len(ms) > 0 {
		s.Oldest = ms[len(ms)-1].Mention.CreatedAt
	}
	alike := overlaps(set, ms)
	for _, id := range set.RuleIDs() {
		rule, _ := set.Rule(id)
		p := d.of(rule, from, to)
		p.Doubts = append(p.Doubts, alike[id]...)
		s.Rules = append(s.Rules, RulePractice{rule.ID, rule.Title, string(rule.Kind), p})
	}
	return s, nil
}

// comparison counts, for each brand, what a rule matched and what two rules that could be one both did.
type comparison struct {
	set     *rules.Set
	alike   map[[2]string]bool // rules that could be one, by id: the first in the order of the files in front
	matched map[branded]int
	both    map[brandedPair]int
}

type (
	branded     struct{ brand, rule string }
	brandedPair struct {
		brand string
		rules [2]string
	}
)

// overlaps finds the rules that tell the same people of the same things (W05), each two once: under the one that came
// later, or that the files have.
func overlaps(set *rules.Set, ms []Judged) map[string][]Doubt {
	c := &comparison{set: set, alike: map[[2]string]bool{}, matched: map[branded]int{}, both: map[brandedPair]int{}}
	pairs := c.pairs()
	for i := range ms {
		if j := &ms[i]; !j.Own {
			c.count(j)
		}
	}
	most, doubts := c.most(), map[string][]Doubt{}
	for _, p := range pairs {
		m, ok := most[p]
		if !ok {
			continue
		}
		at, other := p[1], p[0]
		if rule, _ := set.Rule(at); !slices.Contains(set.Rules, rule) {
			at, other = other, at
		}
		doubts[at] = append(doubts[at], Doubt{
			"W05", fmt.Sprintf("it looks at nearly the same as the rule %s: of the last %d mentions of %s that one of the two matched, both matched %d", other, m.of, m.brand, m.both),
			"make one rule of the two, with the windows and budgets of both, or keep them apart by none_of or not_categories",
		})
	}
	return doubts
}

// pairs returns the rules that could be one, in the order of the files.
func (c *comparison) pairs() (all [][2]string) {
	ids := c.set.RuleIDs()
	for i, first := range ids {
		for _, second := range ids[i+1:] {
			a, _ := c.set.Rule(first)
			b, _ := c.set.Rule(second)
			if p := [2]string{first, second}; couldBeOne(c.set, a, b) {
				c.alike[p], all = true, append(all, p)
			}
		}
	}
	return all
}

// couldBeOne reports whether two rules that match the same would tell the same people twice of one thing. Rules of two
// kinds would not: that complaints rise and that they wait for an answer are two things. Nor would rules that count
// apart (baseline.per), that measure different shares, or that go to different people. What two embedded rules have in
// common is meant.
func couldBeOne(set *rules.Set, a, b *rules.Rule) bool {
	written := slices.Contains(set.Rules, a) || slices.Contains(set.Rules, b)
	if a.Kind != b.Kind || !written || !slices.Equal(a.Per, b.Per) {
		return false
	}
	if a.Kind == rules.Shift && a.Measure.Text != b.Measure.Text {
		return false
	}
	return slices.ContainsFunc(routesOf(a), func(id string) bool { return slices.Contains(routesOf(b), id) })
}

// count counts a mention for each of its rules that is still there, and for each two of them that could be one.
func (c *comparison) count(j *Judged) {
	var ids []string
	for _, rule := range c.set.RulesFor(j.Brand) {
		if slices.Contains(j.Rules, rule.ID) {
			ids = append(ids, rule.ID)
			c.matched[branded{j.Brand, rule.ID}]++
		}
	}
	for i, first := range ids {
		for _, second := range ids[i+1:] {
			if p := [2]string{first, second}; c.alike[p] {
				c.both[brandedPair{j.Brand, p}]++
			}
		}
	}
}

// likeness is how many mentions of a brand two rules both matched, of those that one of them did.
type likeness struct {
	brand    string
	both, of int
}

// most returns where two rules have most in common, if that is anywhere enough to doubt them.
func (c *comparison) most() map[[2]string]likeness {
	most := map[[2]string]likeness{}
	for k, both := range c.both {
		of := c.matched[branded{k.brand, k.rules[0]}] + c.matched[branded{k.brand, k.rules[1]}] - both
		if both < leastAlike || float64(both) <= alikeShare*float64(of) {
			continue
		}
		if m := most[k.rules]; both > m.both || both == m.both && k.brand < m.brand {
			most[k.rules] = likeness{k.brand, both, of}
		}
	}
	return most
}

// routesOf are the ids of the routes that a rule tells.
func routesOf(r *rules.Rule) []string {
	if len(r.Routes) == 0 {
		return []string{rules.DefaultRoute}
	}
	return r.Routes
}
