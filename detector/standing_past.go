package detector

import (
	"context"
	"fmt"
	"slices"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// What reaches further back than the model's memory is known to a store, or to a replay: what a rule of kind each has matched
// within a week, and what a rule has done.

const (
	matchWeek = 7 * 24 * time.Hour
	weekMost  = 10_000 // mentions that are looked through, the newest ones
)

// AddWeek says of a rule of kind each how much it has matched within a week, by what a store holds.
func AddWeek(ctx context.Context, r Reader, rule *rules.Rule, all []Standing) error {
	if rule.Kind != rules.Each || len(all) == 0 {
		return nil
	}
	filter := MentionFilter{From: all[0].At.Add(-matchWeek), To: all[0].At.Add(maxAhead), Limit: weekMost}
	if len(all) == 1 {
		filter.Brand = all[0].Brand
	}
	ms, err := r.Mentions(ctx, filter)
	if err != nil {
		return fmt.Errorf("what the rule %s has matched: %w", rule.ID, err)
	}
	n := map[string]int{}
	for k := range ms {
		if slices.Contains(ms[k].Rules, rule.ID) && !ms[k].Own {
			n[ms[k].Brand]++
		}
	}
	for i := range all {
		all[i].week(n[all[i].Brand], len(ms) == weekMost)
	}
	return nil
}

func (st *Standing) week(n int, atLeast bool) {
	text := fmt.Sprintf("%s matched in the last seven days", counted(float64(n), "mentions"))
	if atLeast {
		text = "at least " + text
	}
	st.Week, st.Also = n, append([]string{text}, st.Also...)
}

// matched is one match of a rule of kind each.
type matched struct {
	brand, rule string
	key         sources.Key
	at          time.Time
}

// note remembers for a week what rules of kind each have matched.
func (r *Replay) note(c *Change) {
	for i := range c.Put {
		j := &c.Put[i]
		for _, id := range j.Rules {
			if rule, ok := r.set.Rule(id); ok && rule.Kind == rules.Each && !j.Own {
				r.matches = append(r.matches, matched{j.Brand, id, j.Mention.Key(), j.Mention.CreatedAt})
			}
		}
	}
	old := 0
	for old < len(r.matches) && r.clock.Sub(r.matches[old].at) > matchWeek {
		old++
	}
	r.matches = r.matches[old:]
}

// weekOf says how much a rule has matched within the week before a time; an edit is no other match.
func (r *Replay) weekOf(brand, rule string, at time.Time) int {
	keys := map[sources.Key]bool{}
	for _, x := range r.matches {
		if x.brand == brand && x.rule == rule && at.Sub(x.at) <= matchWeek {
			keys[x.key] = true
		}
	}
	return len(keys)
}

// Practice says what a rule has done within the replay so far, for a brand or (empty) for all that it judges. A replay is no
// reason for doubts: what it was given need not be all.
func (r *Replay) Practice(brand string, rule *rules.Rule) *Practice {
	p := &Practice{}
	for _, id := range sortedKeys(r.model.brands) {
		if (brand == "" || brand == id) && slices.Contains(r.set.RulesFor(id), rule) {
			p.heard(&r.model.brands[id].state, rule, r.clock.Add(-PracticeTime), r.clock)
		}
	}
	for id, i := range r.begun {
		if (brand == "" || brand == i.brand) && i.rule == rule.ID && !i.at.Before(p.Since) {
			p.Opened++
			if notifying(r.worst[id]) {
				p.Told++
			}
		}
	}
	return p
}
