package detector

import (
	"emberwatch/rules"
	"emberwatch/sources"
)

// What the brand itself writes is never counted. It is remembered for a day, so that what people write under it can be told
// from the rest: anger under one's own answer is a crisis of one's own making.

// own remembers a mention that the brand wrote.
func (m *Model) own(b *brand, a *Arrival, j *Judged) {
	if b.state.LastSeen.Sub(a.At) >= keepItems {
		return
	}
	it := &Item{Key: a.Key, Brand: j.Brand, At: a.At, Kind: j.Mention.Kind, Network: j.Mention.Network, Lang: j.Lang, Own: true}
	b.insert(it)
	m.change.Items = append(m.change.Items, *it)
}

// under returns the id of the brand's own mention that a mention was written under, if it was: its parent, or the root of
// its thread.
func (b *brand) under(x *sources.Mention) string {
	for _, id := range []string{x.ParentID, x.RootID} {
		if own := b.byKey[sources.Key{Source: x.Source, ID: id}]; id != "" && own != nil && own.Own {
			return id
		}
	}
	return ""
}

// counts reports whether a rule counts an item that it matches: one of kind backlash only what is under an own mention.
func counts(r *rules.Rule, it *Item) bool {
	return r.Kind == rules.Burst || r.Kind == rules.Backlash && it.Under != ""
}

// underOne returns which items are under the own mention that has drawn most, in a window of an evaluation.
func (m *Model) underOne(b *brand, series string, e *Eval, window int) func(*Item) bool {
	from := bucketStart(e.Bucket - int64(e.Windows[window].Buckets) + 1)
	n := map[string]int{}
	for _, it := range b.items {
		if !it.At.Before(from) && m.inSeries(b, series, it) {
			n[it.Under]++
		}
	}
	most := top(n, 1)
	return func(it *Item) bool {
		return len(most) > 0 && it.Under == most[0] && m.inSeries(b, series, it)
	}
}

// answer says which own mention the evidence of a backlash is under, and keeps its numbers to that.
func (ev *Evidence) answer(b *brand) {
	n := 0
	for _, k := range ev.Mentions {
		if it := b.byKey[k]; it != nil {
			ev.Place = it.Under
			break
		}
	}
	for _, c := range ev.Sources {
		n += c
	}
	ev.Window.Observed = float64(n)
}
