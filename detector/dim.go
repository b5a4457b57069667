package detector

import (
	"slices"
	"strings"

	"emberwatch/rules"
)

// dim is what one series of a rule with baseline.per is of: "language:de", and where the rule asks for several
// "language:de/source:shop". It is empty for a rule without. The parts stand in the order of [rules.PerValues], where what
// may hold any sign comes last.
type dim string

// of returns the value of a part that the dim has.
func (d dim) of(by string) string {
	_, value, _ := strings.Cut("/"+string(d), "/"+by+":")
	for _, later := range rules.PerValues[slices.Index(rules.PerValues, by)+1:] {
		value, _, _ = strings.Cut(value, "/"+later+":")
	}
	return value
}

func (d dim) with(by, value string) dim {
	if d != "" {
		d += "/"
	}
	return d + dim(by+":"+value)
}

// category is the value of a rule per category.
func (d dim) category(r *rules.Rule) (string, bool) {
	if !slices.Contains(r.Per, "category") {
		return "", false
	}
	return d.of("category"), true
}

// values returns each part of a rule's dim with its value, nil for a rule without.
func (d dim) values(r *rules.Rule) map[string]string {
	if len(r.Per) == 0 {
		return nil
	}
	all := map[string]string{}
	for _, by := range r.Per {
		all[by] = d.of(by)
	}
	return all
}

// setApart notes which of a rule's series the evidence is of, and which season its normal follows.
func (m *Model) setApart(b *brand, ev *Evidence, r *rules.Rule, d dim) {
	ev.Per, ev.Season = d.values(r), r.Season
	if key, ok := ev.Per["product"]; ok {
		ev.Product = m.set.ProductName(b.state.ID, key)
	}
}

// Concerns reports whether a mention is of what the evidence's series is of; every one, for a rule without baseline.per.
func (ev *Evidence) Concerns(j *Judged) bool {
	it := Item{Key: j.Mention.Key(), Lang: j.Lang, Categories: j.Categories, Products: j.Products}
	for by, value := range ev.Per {
		if !slices.Contains(it.values(by), value) {
			return false
		}
	}
	return true
}

// fits reports whether a dim is one of a rule as it asks now.
func (d dim) fits(r *rules.Rule) bool {
	again := dim("")
	for _, by := range r.Per {
		again = again.with(by, d.of(by))
	}
	return again == d
}

// dims returns those that an item counts for: an empty one for a rule without, none if it lacks what the rule asks for.
func dims(r *rules.Rule, it *Item) []dim {
	all := []dim{""}
	for _, by := range r.Per {
		var longer []dim
		for _, d := range all {
			for _, value := range it.values(by) {
				longer = append(longer, d.with(by, value))
			}
		}
		all = longer
	}
	return all
}

func (it *Item) values(by string) []string {
	switch by {
	case "category":
		return it.Categories
	case "language":
		return []string{it.Lang}
	case "product":
		return it.Products
	case "source":
		return []string{it.Key.Source}
	}
	return nil
}

// maxDims is how many series a rule with baseline.per has of one brand. What is combined with what comes from outside, so
// further combinations are not kept apart; they count for the brand alone.
const maxDims = 200

// dims returns those that an item counts for among those that the brand keeps apart: names of sources come from outside,
// and only so many have series, and so have combinations.
func (b *brand) dims(r *rules.Rule, it *Item) []dim {
	all := dims(r, it)
	if len(r.Per) == 0 {
		return all
	}
	if _, known := b.state.Sources[it.Key.Source]; !known && slices.Contains(r.Per, "source") {
		return nil
	}
	if _, common := commonName(r); common {
		return all
	}
	room := b.room(r)
	return slices.DeleteFunc(all, func(d dim) bool {
		if !b.isNew(r, d) {
			return false
		}
		room--
		return room < 0
	})
}

// refused returns for how many dims an item is not counted, once the series are there that it has room for.
func (m *Model) refused(b *brand, it *Item) int {
	n := 0
	for _, id := range it.Rules {
		if r, ok := m.set.Rule(id); ok && len(r.Per) > 0 {
			n += len(dims(r, it)) - len(b.dims(r, it))
		}
	}
	return n
}

// isNew reports whether a rule has nothing of its own yet for a dim.
func (b *brand) isNew(r *rules.Rule, d dim) bool {
	if r.Kind == rules.Shift {
		return b.trails[trailKey(r, string(d))] == nil
	}
	return b.series[signalName(r, d)] == nil
}

// room is how many more series a rule may have. It is counted anew when one has come, or other rules.
func (b *brand) room(r *rules.Rule) int {
	n, known := b.taken[r.ID]
	if !known {
		for name := range b.series {
			if _, ok := watchedDim(r, name); ok {
				n++
			}
		}
		for key := range b.trails {
			if _, ok := watchedTrail(r, key); ok {
				n++
			}
		}
		b.taken[r.ID] = n
	}
	return max(0, maxDims-n)
}
