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
	Since   time.Time `json:"since,omitzero"`  // from when on it could: zero if no mention of a brand has arrived yet
	Opened  int       `json:"opened"`          // incidents
	Told    int       `json:"told"`            // those among them of severity 1 to 3
	Allowed float64   `json:"allowed"`         // what its budget allows in that time; 0: it has none
	Doubt   string    `json:"doubt,omitempty"` // W06, in words: it has been quiet for all of PracticeTime, or tells too much
}

// NewPractice looks up what a rule has done for a brand (empty: every one) since from, or since the brand is heard of.
func NewPractice(ctx context.Context, r Reader, set *rules.Set, rule *rules.Rule, brand string, from, to time.Time) (p Practice, err error) {
	brands, err := r.Brands(ctx)
	if err != nil {
		return p, fmt.Errorf("what the rule %s has done: %w", rule.ID, err)
	}
	all, err := r.Incidents(ctx, IncidentFilter{Brand: brand, Limit: reportIncidents})
	if err != nil {
		return p, fmt.Errorf("what the rule %s has done: %w", rule.ID, err)
	}
	for i := range brands {
		if b := &brands[i]; (brand == "" || b.ID == brand) && slices.Contains(set.RulesFor(b.ID), rule) {
			p.heard(b, rule, from, to)
		}
	}
	for k := range all {
		if i := &all[k]; i.Rule == rule.ID && !p.Since.IsZero() && !i.OpenedAt.Before(p.Since) {
			p.Opened++
			if notifying(i.Peak) {
				p.Told++
			}
		}
	}
	p.doubt(to)
	return p, nil
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

func (p *Practice) doubt(to time.Time) {
	switch {
	case p.Since.IsZero():
	case p.Opened == 0 && to.Sub(p.Since) >= PracticeTime:
		p.Doubt = "W06: it has opened no incident in 180 days; unless it is new, its terms, handles or floor may no longer fit: try them with rules diff"
	case p.Allowed > 0 && float64(p.Told) > tooMuch*max(1, p.Allowed):
		p.Doubt = fmt.Sprintf("W06: it has told %d incidents where its budget allows %.1f; see what rules tune proposes, or give it the budget it needs", p.Told, p.Allowed)
	}
}
