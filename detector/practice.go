package detector

import (
	"context"
	"fmt"
	"slices"
	"time"

	"emberwatch/rules"
)

// PracticeTime is how far back one looks for what a rule has done.
const PracticeTime = 180 * 24 * time.Hour

// tooMuch is how many times its budget a rule may tell before it is doubted.
const tooMuch = 3

// Practice is what a rule has done since a time, for one brand or for all that it judges.
type Practice struct {
	Since   time.Time `json:"since,omitzero"`   // from when on it could: zero if no mention of a brand has arrived yet
	Opened  int       `json:"opened"`           // incidents
	Told    int       `json:"told"`             // those among them of severity 1 to 3
	Joined  int       `json:"joined"`           // incidents of other rules that it had a part in
	Allowed float64   `json:"allowed"`          // what its budget allows in that time; 0: it has none
	Doubts  []Doubt   `json:"doubts,omitempty"` // that follow from it
}

// Doubt is a warning about a rule that its file cannot tell, only what it has done. The id is one of those of check.
type Doubt struct {
	ID   string `json:"id"` // W05, W06
	What string `json:"what"`
	Fix  string `json:"fix"`
}

// String returns the doubt as check would write it.
func (d Doubt) String() string { return d.ID + ": " + d.What + "; " + d.Fix }

// NewPractice looks up what a rule has done for a brand (empty: every one) since from, or since the brand is heard of.
func NewPractice(ctx context.Context, r Reader, set *rules.Set, rule *rules.Rule, brand string, from, to time.Time) (Practice, error) {
	d, err := lookUpDeeds(ctx, r, set, brand)
	if err != nil {
		return Practice{}, fmt.Errorf("what the rule %s has done: %w", rule.ID, err)
	}
	return d.of(rule, from, to), nil
}

// deeds are what the rules have been able to do, and what they did.
type deeds struct {
	set       *rules.Set
	brands    []BrandState
	incidents []Incident
}

func lookUpDeeds(ctx context.Context, r Reader, set *rules.Set, brand string) (*deeds, error) {
	d := &deeds{set: set}
	var err error
	if d.brands, err = r.Brands(ctx); err != nil {
		return nil, err
	}
	if brand != "" {
		d.brands = slices.DeleteFunc(slices.Clone(d.brands), func(b BrandState) bool { return b.ID != brand })
	}
	d.incidents, err = r.Incidents(ctx, IncidentFilter{Brand: brand, Limit: reportIncidents})
	return d, err
}

func (d *deeds) of(rule *rules.Rule, from, to time.Time) (p Practice) {
	for i := range d.brands {
		if b := &d.brands[i]; slices.Contains(d.set.RulesFor(b.ID), rule) {
			p.heard(b, rule, from, to)
		}
	}
	for k := range d.incidents {
		if i := &d.incidents[k]; !p.Since.IsZero() && !i.OpenedAt.Before(p.Since) {
			p.count(i, rule.ID, i.Peak)
		}
	}
	p.doubt(slices.Contains(d.set.Rules, rule), to)
	return p
}

// count takes in an incident, whose gravest severity is given.
func (p *Practice) count(i *Incident, rule string, gravest rules.Severity) {
	switch {
	case i.Rule == rule:
		p.Opened++
		if notifying(gravest) {
			p.Told++
		}
	case slices.ContainsFunc(i.Signals, func(s ActiveSignal) bool { return s.Rule == rule }):
		p.Joined++
	}
}

// heard takes in for how long a brand has been listened to, and what the budget allows in that time.
func (p *Practice) heard(b *BrandState, rule *rules.Rule, from, to time.Time) {
	if b.LiveSince.IsZero() {
		return
	}
	if b.LiveSince.After(from) {
		from = b.LiveSince
	}
	if p.Since.IsZero() || from.Before(p.Since) {
		p.Since = from
	}
	for _, rate := range rule.Budget {
		p.Allowed += rate.PerWeek() * to.Sub(from).Hours() / (7 * 24)
	}
}

// doubt says what is odd about it. That an embedded rule has been quiet is not: most brands never need those for the
// gravest cases, and nobody has written down what they are to find.
func (p *Practice) doubt(written bool, to time.Time) {
	switch {
	case p.Since.IsZero():
	case p.Opened+p.Joined == 0 && written && to.Sub(p.Since) >= PracticeTime:
		p.Doubts = append(p.Doubts, Doubt{
			"W06", "it has told of nothing in 180 days",
			"unless it is new, its terms, handles or floor may no longer fit: try others with rules diff",
		})
	case p.Allowed > 0 && float64(p.Told) > tooMuch*max(1, p.Allowed):
		p.Doubts = append(p.Doubts, Doubt{
			"W06", fmt.Sprintf("it has told %d incidents where its budget allows %.1f", p.Told, p.Allowed),
			"see what rules tune proposes, or give it the budget it needs",
		})
	}
}
