package detector

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"emberwatch/rules"
)

// Every brand has these series, whether or not a rule watches them: all mentions, the negative ones, each
// source, and the negative ones of each category. A burst rule that asks for just that uses them, so that
// it finds them learnt when it is written; any other rule has series of its own.

// signalName returns the name of the series that a rule of kind burst or backlash watches for one dim: one of the common
// ones, or "rule:<id>/<dim>"; "rule:<id>@<season>/<dim>" where it asks for a season of its own, since what is forecast is a
// part of what a series learns.
func signalName(r *rules.Rule, d dim) string {
	if common, ok := commonName(r); ok {
		return cmp.Or(common, string(d))
	}
	name := ownName(r)
	if d != "" {
		name += "/" + string(d)
	}
	return name
}

// commonName returns which of the common series a rule watches: one for each dim where the name is empty. ok is false for a
// rule that has its own.
func commonName(r *rules.Rule) (name string, ok bool) {
	if r.Kind != rules.Burst || r.Windows != nil || r.Season != "" || !plainMatch(&r.Match) {
		return "", false
	}
	negative := r.Match.Sentiment == string(Negative)
	switch {
	case len(r.Per) == 0 && negative:
		return "negative", true
	case len(r.Per) == 0:
		return "all", true
	case len(r.Per) == 1 && negative:
		return "", r.Per[0] == "category"
	case len(r.Per) == 1:
		return "", r.Per[0] == "source"
	}
	return "", false
}

// ownName is the name of a rule's own series, for a rule per something the beginning of it.
func ownName(r *rules.Rule) string { return "rule:" + seasoned(r) }

// watchedDim reports whether a series is one that a rule watches, and for which dim.
func watchedDim(r *rules.Rule, series string) (dim, bool) {
	if len(r.Per) == 0 {
		return "", series == signalName(r, "")
	}
	d := dim(series)
	if _, common := commonName(r); !common {
		rest, ok := strings.CutPrefix(series, ownName(r)+"/")
		if !ok {
			return "", false
		}
		d = dim(rest)
	}
	return d, d.fits(r)
}

// plainMatch reports whether a match asks for nothing, or for negative mentions and nothing else.
func plainMatch(m *rules.Match) bool {
	return (m.Sentiment == "" || m.Sentiment == string(Negative)) &&
		len(m.Categories)+len(m.NotCategories)+len(m.Kinds)+len(m.Sources)+len(m.Languages)+
			len(m.AllOf)+len(m.AnyOf)+len(m.NoneOf) == 0 &&
		m.Confidence == 0 && m.MinRating == 0 && m.MaxRating == 0 && m.MinReach == 0 && m.Authors.Empty()
}

// signalWord is what a signal is called outside: the vocabulary of the contract.
func signalWord(r *rules.Rule, d dim) string {
	if len(r.Per) == 1 && (r.Per[0] == "source" || r.Per[0] == "category") {
		return string(d)
	}
	return r.Signal()
}

// commonSeries returns the series an item counts for whatever the rules say.
func (b *brand) commonSeries(it *Item) []string {
	if !speaks(it.Kind) {
		return nil
	}
	names := []string{"all"}
	if _, ok := b.state.Sources[it.Key.Source]; ok {
		names = append(names, "source:"+it.Key.Source)
	}
	if it.negative() {
		names = append(names, "negative")
		for _, c := range it.Categories {
			names = append(names, "category:"+c)
		}
	}
	return names
}

func (it *Item) negative() bool { return it.Known && it.Label == Negative }

// watched returns the series that rules watch and the item counts for, beyond the common ones.
func (m *Model) watched(b *brand, it *Item) []string {
	var names []string
	for _, id := range it.Rules {
		r, ok := m.set.Rule(id)
		if !ok || !counts(r, it) {
			continue
		}
		for _, d := range b.dims(r, it) {
			if name := signalName(r, d); strings.HasPrefix(name, "rule:") {
				names = append(names, name)
			}
		}
	}
	return names
}

// countedIn returns the series that an item counts for.
func (m *Model) countedIn(b *brand, it *Item) []string {
	names := append(b.commonSeries(it), m.watched(b, it)...)
	return slices.DeleteFunc(names, func(name string) bool { return !it.countsFor(name) })
}

// inSeries reports whether an item counts for the series called name.
func (m *Model) inSeries(b *brand, name string, it *Item) bool {
	return it.countsFor(name) && m.about(b, name, it)
}

// countsFor reports whether an item counts for a series that it is about: a copy only where volume is counted, so that a
// brigade is seen for what it is.
func (it *Item) countsFor(name string) bool {
	return it.Weight > 0 && (!it.Copy || countsCopies(name)) && (!it.Held || strings.HasPrefix(name, "source:"))
}

func countsCopies(series string) bool { return series == "all" || strings.HasPrefix(series, "source:") }

// about reports whether an item belongs to the series called name by what it says.
func (m *Model) about(b *brand, name string, it *Item) bool {
	if !strings.HasPrefix(name, "rule:") {
		return slices.Contains(b.commonSeries(it), name)
	}
	return slices.Contains(m.watched(b, it), name)
}

// windowsOf returns the windows of a rule in buckets.
func windowsOf(r *rules.Rule) []int {
	if r == nil || len(r.Windows) == 0 {
		return defaultWindows
	}
	out := make([]int, 0, len(r.Windows))
	for _, w := range r.Windows {
		out = append(out, min(max(int(w/BucketLength), 1), maxWindow))
	}
	return out
}

// seriesOf returns the series called name, made as old as its brand if it is new, with bucket b running.
// A series that already runs further ahead is left as it is.
func (m *Model) seriesOf(b *brand, name string, r *rules.Rule, bucket int64) *series {
	s := b.series[name]
	if s == nil || r != nil && !s.burst.watches(windowsOf(r)) {
		first := min(bucketOf(b.since(name)), max(bucket, bucketOf(b.state.FirstSeen)))
		if oldest := bucket - oldestStart; first < oldest {
			first = oldest
		}
		s = newSeries(SeriesKey{b.state.ID, name}, windowsOf(r), first)
		if burnsSlowly(name, r) {
			s.burst.slow = newSlow()
		}
		b.series[name] = s
		clear(b.taken)
		m.touch(s)
	}
	if bucket > s.burst.cur {
		s.burst.rollOver(bucket, m.lag, b.state.Down)
		m.touch(s)
	}
	return s
}

// since returns from when on a series of the brand can have had something to count: a source's from when it was first heard.
func (b *brand) since(name string) time.Time {
	if _, source, ok := strings.Cut(name, "source:"); ok {
		if at, known := b.state.Sources[source]; known {
			return at
		}
	}
	return b.state.FirstSeen
}

// watches reports whether a series has these windows; a rule whose windows changed learns anew.
func (s *burst) watches(windows []int) bool {
	return slices.EqualFunc(s.windows, windows, func(w windowState, n int) bool { return w.buckets == n })
}

// oldestStart bounds how far back a new series of an old brand begins, in buckets: five weeks of zeros
// teach it all there is.
const oldestStart = 35 * bucketsPerDay

// quietOf returns how long a rule's signal has to stay away to be over.
func quietOf(r *rules.Rule) time.Duration {
	if r.ResolveQuiet > 0 {
		return r.ResolveQuiet
	}
	return calmAfter
}

// knownAfter is the age, in buckets, from which the level of a series says more than what it started with.
const knownAfter = 3 * bucketsPerDay

// watchedBy returns among how many series of the brand a rule with baseline.per shares its budget: those in which something
// happens every day, the others for as much as they hold.
func (b *brand) watchedBy(r *rules.Rule) float64 {
	if len(r.Per) == 0 {
		return 1
	}
	n := 0.0
	for _, name := range sortedKeys(b.series) {
		s := b.series[name]
		if _, ok := watchedDim(r, name); ok && s.burst.cur-s.burst.first >= knownAfter {
			n += min(1, s.burst.level.a/s.burst.level.b*bucketsPerDay)
		}
	}
	for _, key := range sortedKeys(b.trails) {
		t := b.trails[key]
		if _, ok := watchedTrail(r, key); ok && t.share.cur-t.first >= knownAfter {
			n += min(1, t.share.perDay())
		}
	}
	return max(1, n)
}
