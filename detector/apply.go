package detector

import (
	"maps"
	"slices"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

const (
	capAuthor = 2             // mentions that count, per author …
	capEvery  = 6 * time.Hour // … and span
	// staleBurst is how old a burst may be when it comes to light and still be told: the longest default window.
	staleBurst = 6 * time.Hour
	// staleEach is the same for a single mention: reviews are often found days after they were written.
	staleEach = 7 * 24 * time.Hour
	// oldest is how far back a mention of a live source counts; older ones are kept as evidence only.
	oldest = 35 * 24 * time.Hour
)

// Arrival is one mention as it comes to the model: judged, and with what was known of it before.
type Arrival struct {
	Key     sources.Key
	Op      sources.Op
	At      time.Time // created_at, bounded
	Arrived time.Time
	History bool
	Judged  []Judged // one for each brand; none for a delete
	Prior   Known
}

// Fate is what became of one arrival.
type Fate int

// The fates.
const (
	Accepted Fate = iota
	Duplicate
)

// Apply takes in mentions in the order of the batch. What was seen before is dropped unless it is an edit or
// a delete.
func (m *Model) Apply(batch []Arrival, now time.Time) (*Change, []Fate) {
	m.begin(now)
	fates := make([]Fate, len(batch))
	for i := range batch {
		a := &batch[i]
		switch {
		case a.Op == sources.Delete:
			m.erase(a)
		case a.Prior.Seen.Deleted, a.Prior.Found && a.Op != sources.Update:
			fates[i] = Duplicate
		default:
			m.take(a)
		}
	}
	return m.end(), fates
}

// erase honours a delete: text and author go, the count stays.
func (m *Model) erase(a *Arrival) {
	if !a.Prior.Found {
		return
	}
	m.change.Erase = append(m.change.Erase, a.Key)
	gone := a.Prior.Seen
	gone.Key, gone.Deleted = a.Key, true
	m.change.Seen = append(m.change.Seen, gone)
	for _, id := range a.Prior.Seen.Brands {
		if b := m.brands[id]; b != nil {
			m.stopWaiting(b, a.Key)
			if it := b.byKey[a.Key]; it != nil {
				b.forget(it)
				it.Author = hash64("deleted", a.Key.Source, a.Key.ID)
				b.remember(it)
				m.change.Items = append(m.change.Items, *it)
			}
		}
	}
}

// take books a new mention, or an edit of one that is known.
func (m *Model) take(a *Arrival) {
	if a.Prior.Found {
		a.At, a.Arrived = a.Prior.Seen.At, a.Prior.Seen.Arrived
	}
	seen := Seen{Key: a.Key, Arrived: a.Arrived, At: a.At}
	for i := range a.Judged {
		j := &a.Judged[i]
		m.change.Put = append(m.change.Put, *j)
		if j.Brand == "" {
			seen.Brands = append(seen.Brands, "")
			continue
		}
		seen.Brands = append(seen.Brands, j.Brand)
		m.count(a, j)
	}
	for _, id := range a.Prior.Seen.Brands {
		if !slices.Contains(seen.Brands, id) {
			m.leave(id, a.Key)
		}
	}
	m.change.Seen = append(m.change.Seen, seen)
}

// leave takes a mention out of the counts of a brand that its edit no longer speaks about.
func (m *Model) leave(id string, key sources.Key) {
	b := m.brands[id]
	if b == nil {
		return
	}
	m.stopWaiting(b, key)
	if b.byKey[key] != nil {
		m.uncount(b, b.byKey[key])
	}
}

// count books the mention for one brand and looks at what it changes.
func (m *Model) count(a *Arrival, j *Judged) {
	b := m.meet(a, j)
	old := b.byKey[a.Key]
	if old != nil {
		m.uncount(b, old)
	}
	m.await(b, a, j)
	if j.Own {
		m.own(b, a, j)
		return
	}
	if !a.History && m.now.Sub(a.At) > oldest {
		return
	}
	m.measure(b, a, j)
	it := m.item(b, a, j)
	if old != nil {
		it.Passed = old.Passed
	}
	if a.Prior.Found && b.state.LastSeen.Sub(it.At) >= keepItems {
		it.Weight = 0 // it counted when it was new, and nobody remembers how
	}
	if b.state.LastSeen.Sub(it.At) < keepItems {
		b.insert(it)
		m.change.Items = append(m.change.Items, *it)
	}
	bucket := bucketOf(it.At)
	for _, name := range m.countedIn(b, it) {
		s := m.seriesOf(b, name, m.ruleOfSeries(b, it, name), bucket)
		if s.burst.add(bucket, float64(it.Weight)) && (bucket < s.burst.cur || b.fading(bucket)) {
			m.touch(s)
		}
	}
	m.shares(b, it, 1)
	m.change.Refused += m.refused(b, it)
	m.prune(b)
	m.look(b, it, a.History)
	m.passing(b, it, &j.Mention, a.History)
}

// meet returns the brand of a mention, noting who it is and which source spoke.
func (m *Model) meet(a *Arrival, j *Judged) *brand {
	b := m.brand(j.Brand)
	_, named := m.set.Brand(j.Brand)
	changed := b.state.FirstSeen.IsZero() || b.state.Auto == named
	b.state.Auto = !named
	if b.state.Name == "" && j.Mention.Brand != "" {
		b.state.Name, changed = j.Mention.Brand, true
	}
	if b.state.FirstSeen.IsZero() {
		b.state.FirstSeen = a.heard()
	}
	if b.state.LiveSince.IsZero() && !a.History {
		b.state.LiveSince, changed = a.heard(), true
	}
	m.outage(b, a.At)
	if a.At.After(b.state.LastSeen) {
		b.state.LastSeen, changed = a.At, true
	}
	if at := b.state.Heard[a.Key.Source]; a.At.After(at) && (!at.IsZero() || len(b.state.Heard) < maxSources) {
		b.state.Heard[a.Key.Source], changed = a.At, true
	}
	if _, ok := b.state.Sources[a.Key.Source]; !ok && len(b.state.Sources) < maxSources {
		b.state.Sources[a.Key.Source], changed = a.heard(), true
		b.comesOnLine(a)
	}
	if since, ok := b.state.Onset[a.Key.Source]; ok && a.heard().Sub(since) >= onset {
		m.join(b, a.Key.Source)
		changed = true
	}
	if changed {
		m.touchBrand(b)
	}
	return b
}

// heard is when a mention was first heard of. A source that comes on line often begins with old ones; of a history, and in a
// replay, the mentions' own time is all there is.
func (a *Arrival) heard() time.Time {
	if a.History || a.Arrived.Before(a.At) {
		return a.At
	}
	return a.Arrived
}

// touchBrand has the brand's state written with the running change, once.
func (m *Model) touchBrand(b *brand) {
	if !b.dirty {
		b.dirty = true
		m.met = append(m.met, b)
	}
}

func (b BrandState) clone() BrandState {
	b.Sources = cloneMap(b.Sources)
	b.Heard = cloneMap(b.Heard)
	b.Deduped = cloneMap(b.Deduped)
	b.Onset = maps.Clone(b.Onset)
	b.Down = slices.Clone(b.Down)
	return b
}

func cloneMap[V any](m map[string]V) map[string]V {
	out := make(map[string]V, len(m))
	for k, v := range m {
		out[k] = v
	}
	return out
}

// item makes the record that the model keeps. Somebody who writes a third time within six hours is heard, not counted;
// the third of those who write the same counts as one more mention, not as one more complaint.
func (m *Model) item(b *brand, a *Arrival, j *Judged) *Item {
	x := &j.Mention
	it := &Item{
		Key: a.Key, Brand: j.Brand, At: a.At, Author: authorHash(a, x), Weight: x.Weight(),
		Negative: j.P.Negative, Label: j.P.Label(), Known: j.Known, Category: j.Category, Categories: j.Categories,
		Cue: j.Cue, Rules: j.Rules, Products: j.Products, Kind: x.Kind, Network: x.Network, Lang: j.Lang, Rating: x.Rating,
		Reach: x.Reach(), Private: x.Visibility == sources.Private, Media: x.HasMedia,
		Text: hash64(rules.Fold(x.Body())), Sketch: j.Sketch, Measured: j.Measured, Under: b.under(x),
	}
	if !speaks(x.Kind) {
		return it
	}
	it.Weight = 1
	if b.countOf(it) >= capAuthor {
		it.Weight = 0
	}
	_, it.Held = b.state.Onset[a.Key.Source]
	it.Copy = it.Weight > 0 && b.copied(it) >= capAuthor
	return it
}

// authorHash stands for the author of a mention; one without an author has one of its own.
func authorHash(a *Arrival, x *sources.Mention) uint64 {
	author := x.Author.Key()
	if author == "" {
		author = "\x00" + a.Key.ID
	}
	return hash64(a.Key.Source, author)
}

// countOf returns how many mentions of the item's author counted in the six hours before and after it; no more than
// capAuthor, for nothing else is asked.
func (b *brand) countOf(it *Item) int {
	n := 0
	for _, x := range b.by[it.Author] {
		if x.At.Sub(it.At).Abs() < capEvery {
			if n++; n == capAuthor {
				break
			}
		}
	}
	return n
}

// uncount takes an edited mention's old self out of every series and out of memory.
func (m *Model) uncount(b *brand, it *Item) {
	bucket := bucketOf(it.At)
	for _, name := range m.countedIn(b, it) {
		if s := b.series[name]; s != nil && s.burst.add(bucket, -float64(it.Weight)) {
			m.touch(s)
		}
	}
	m.shares(b, it, -1)
	b.remove(it)
	m.drop(it)
	m.promote(b, it)
}

// promote lets the next of the copies count in the place of a text that is gone.
func (m *Model) promote(b *brand, gone *Item) {
	if gone.Copy || gone.Weight == 0 || gone.Sketch == 0 {
		return
	}
	for _, it := range b.items {
		if !it.Copy || it.At.Sub(gone.At).Abs() >= capEvery || !copies(it.Sketch, gone.Sketch) {
			continue
		}
		before := m.countedIn(b, it)
		it.Copy = false
		m.shares(b, it, 1)
		m.change.Items = append(m.change.Items, *it)
		for _, name := range m.countedIn(b, it) {
			if slices.Contains(before, name) {
				continue
			}
			s := m.seriesOf(b, name, m.ruleOfSeries(b, it, name), bucketOf(it.At))
			s.burst.add(bucketOf(it.At), float64(it.Weight))
			m.touch(s)
		}
		return
	}
}

// drop has an item's record deleted with this change, or never written.
func (m *Model) drop(it *Item) {
	m.change.Items = slices.DeleteFunc(m.change.Items, func(x Item) bool { return x.Ref() == it.Ref() })
	m.change.DropItems = append(m.change.DropItems, it.Ref())
}

// prune forgets items that no window reaches any more.
func (m *Model) prune(b *brand) {
	n := 0
	for n < len(b.items) && b.state.LastSeen.Sub(b.items[n].At) >= keepItems {
		m.settle(b, b.items[n])
		m.drop(b.items[n])
		b.forget(b.items[n])
		n++
	}
	b.items = b.items[n:]
}

// settle has the series written whose running bucket counts an item that leaves memory: after a restart
// nothing else would know of it.
func (m *Model) settle(b *brand, it *Item) {
	for _, name := range m.countedIn(b, it) {
		if s := b.series[name]; s != nil && s.burst.cur == bucketOf(it.At) {
			m.touch(s)
		}
	}
}

// ruleOfSeries returns the rule whose own series name is, nil for one of the common series.
func (m *Model) ruleOfSeries(b *brand, it *Item, name string) *rules.Rule {
	for _, id := range it.Rules {
		r, ok := m.set.Rule(id)
		if !ok || !counts(r, it) {
			continue
		}
		for _, d := range b.dims(r, it) {
			if signalName(r, d) == name {
				return r
			}
		}
	}
	return nil
}

// look lets the rules that a mention concerns say whether something is unusual now.
func (m *Model) look(b *brand, it *Item, history bool) {
	for _, id := range it.Rules {
		r, ok := m.set.Rule(id)
		if !ok {
			continue
		}
		switch r.Kind {
		case rules.Each:
			if !history && m.now.Sub(it.At) <= staleEach {
				m.each(b, r, it)
			}
		case rules.Burst, rules.Backlash:
			for _, d := range b.dims(r, it) {
				m.lookAt(b, r, d, it, history)
			}
		case rules.Shift:
			m.shift(b, r, it, history)
		}
	}
}

// lookAt judges a series that an item counts for, as of now: what its last bucket held may be long ago.
func (m *Model) lookAt(b *brand, r *rules.Rule, d dim, it *Item, history bool) {
	name := signalName(r, d)
	s := b.series[name]
	if s == nil || !it.countsFor(name) {
		return
	}
	quiet := history || m.now.Sub(it.At) > staleBurst
	if !quiet {
		s = m.seriesOf(b, name, r, max(bucketOf(m.now), s.burst.cur))
	}
	m.burst(b, r, d, s, quiet)
	m.watch(b, r, d, s, quiet)
}
