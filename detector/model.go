package detector

import (
	"encoding"
	"slices"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// Model is the whole decision state. Its methods take the time as an argument, touch no disk, clock, log or
// goroutine, and return the [Change] that has to be made durable; the same calls in the same order always
// give the same changes. It is not safe for concurrent use: its owner is [Detector], or [Replay].
type Model struct {
	set       *rules.Set
	lag       int
	scorer    string // the sentiment model by which mentions are judged, for the audit
	brands    map[string]*brand
	incidents map[string]*Incident // open ones, and those closed lately
	chain     map[string]Audit     // the last audit line of each
	alerts    map[uint64]*Alert    // not done, and the sent roots of incidents above
	done      map[string]Done
	seq       uint64

	change   *Change // of the call that is running
	now      time.Time
	touched  []kept    // by it
	met      []*brand  // likewise
	listened time.Time // when silent sources were looked for last …
	awake    time.Time // … and since when that was done without a pause
	volatile bool      // nobody stores the changes: series are not written out
}

// brand is what the model keeps of one brand.
type brand struct {
	state  BrandState
	series map[string]*series // by signal
	trails map[string]*trail  // by key
	items  []*Item            // of the longest window, in the order of time
	byKey  map[sources.Key]*Item
	by     map[uint64][]*Item // those that count, by author
	dirty  bool               // its state is written with the running change

	taken map[string]int // how many series a rule with baseline.per has; emptied when there is one more

	waiting []*complaint // complaints whose answer clocks run, in the order of time
	clockAt time.Time    // when they have to be looked at; zero: at once
}

// maxSources is how many sources of a brand have a series of their own and are known by name. A name comes from whoever
// pushes mentions; those of further sources count for the brand alone.
const maxSources = 100

// keepItems is how long items stay: the longest window and the grace for late ones.
const keepItems = 25 * time.Hour

// keepClosed is how long a closed incident stays in memory: reopening and the mute after a false alarm.
const keepClosed = 24 * time.Hour

const keepDone = 48 * time.Hour

// Lag is how many buckets learning waits for late mentions.
const (
	LagLive   = learnLagMax
	LagReplay = 0
)

// NewModel returns an empty model that judges by set. lag is LagLive or LagReplay.
func NewModel(set *rules.Set, lag int) *Model {
	return &Model{
		set: set, lag: lag, brands: map[string]*brand{}, incidents: map[string]*Incident{},
		chain: map[string]Audit{}, alerts: map[uint64]*Alert{}, done: map[string]Done{},
	}
}

// Restore fills an empty model from what a store has loaded.
func (m *Model) Restore(st *State) error {
	m.seq = st.Seq
	for _, b := range st.Brands {
		m.brand(b.ID).state = b.clone() // with maps, even where the record had none
	}
	for i := range st.Items {
		m.brand(st.Items[i].Brand).insert(&st.Items[i])
	}
	for _, s := range st.Series {
		if err := m.brand(s.Key.Brand).restore(s); err != nil {
			return err
		}
	}
	for i := range st.Waiting {
		b := m.brand(st.Waiting[i].Brand)
		b.waiting = append(b.waiting, &complaint{Waiting: st.Waiting[i]})
	}
	for _, b := range m.brands {
		m.recount(b)
		slices.SortFunc(b.waiting, inOrder)
	}
	for i := range st.Incidents {
		m.incidents[st.Incidents[i].ID] = &st.Incidents[i]
	}
	for id, a := range st.LastAudit {
		m.chain[id] = a
	}
	for i := range st.Alerts {
		m.alerts[st.Alerts[i].Seq] = &st.Alerts[i]
	}
	for _, d := range st.Done {
		m.done[d.ID] = d
	}
	return nil
}

// restore takes in one series or trail.
func (b *brand) restore(s SeriesBlob) error {
	if isTrail(s.Key.Signal) {
		t := &trail{key: s.Key}
		b.trails[s.Key.Signal] = t
		return t.UnmarshalBinary(s.Blob)
	}
	x := &series{key: s.Key}
	b.series[s.Key.Signal] = x
	return x.UnmarshalBinary(s.Blob)
}

// recount books the items of buckets that were still running when a series was last written: its blob holds
// the closed buckets, the items hold the rest. Where some of the items may be gone, the blob is right.
func (m *Model) recount(b *brand) {
	for _, sig := range sortedKeys(b.series) {
		s := b.series[sig]
		at := s.burst.slot(s.burst.cur)
		written := s.burst.n[at]
		s.burst.clearRunning()
		for _, it := range b.items {
			if bucketOf(it.At) == s.burst.cur && m.inSeries(b, sig, it) {
				s.burst.add(s.burst.cur, float64(it.Weight))
			}
		}
		if b.fading(s.burst.cur) {
			s.burst.n[at] = max(s.burst.n[at], written)
		}
	}
}

// fading reports whether items of a bucket may have left memory, so that only the series holds its count.
func (b *brand) fading(bucket int64) bool {
	return b.state.LastSeen.Sub(bucketStart(bucket)) >= keepItems
}

func (m *Model) begin(now time.Time) {
	m.now = now
	m.change = &Change{At: now}
}

// kept is what has a state of its own to be written: a series, or a trail.
type kept interface {
	encoding.BinaryMarshaler
	name() SeriesKey
	written() *bool // whether it is to be, with the running change
}

func (s *series) name() SeriesKey { return s.key }
func (s *series) written() *bool  { return &s.dirty }
func (t *trail) name() SeriesKey  { return t.key }
func (t *trail) written() *bool   { return &t.dirty }

// touch has the state of a series or a trail written with the running change.
func (m *Model) touch(k kept) {
	if dirty := k.written(); !*dirty {
		*dirty = true
		m.touched = append(m.touched, k)
	}
}

// end collects what the running call has touched.
func (m *Model) end() *Change {
	m.noteOpened()
	for _, k := range m.touched {
		*k.written() = false
		if m.volatile {
			continue
		}
		blob, _ := k.MarshalBinary() // never fails
		m.change.Series = append(m.change.Series, SeriesBlob{k.name(), blob})
	}
	m.touched = m.touched[:0]
	for _, b := range m.met {
		b.dirty = false
		m.change.Brands = append(m.change.Brands, b.state.clone())
	}
	m.met = m.met[:0]
	c := m.change
	m.change = nil
	return c
}

func (m *Model) brand(id string) *brand {
	b := m.brands[id]
	if b == nil {
		b = &brand{
			state:  BrandState{ID: id, Sources: map[string]time.Time{}, Heard: map[string]time.Time{}, Deduped: map[string]time.Time{}},
			series: map[string]*series{}, trails: map[string]*trail{}, byKey: map[sources.Key]*Item{}, by: map[uint64][]*Item{}, taken: map[string]int{},
		}
		m.brands[id] = b
	}
	return b
}

// insert puts an item at its place in time.
func (b *brand) insert(it *Item) {
	at, _ := slices.BinarySearchFunc(b.items, it, func(a, x *Item) int {
		if c := a.At.Compare(x.At); c != 0 {
			return c
		}
		return -1 // equal times: after those that are there
	})
	b.items = slices.Insert(b.items, at, it)
	b.remember(it)
}

// remember puts an item into the indexes.
func (b *brand) remember(it *Item) {
	b.byKey[it.Key] = it
	if it.Weight > 0 && speaks(it.Kind) {
		b.by[it.Author] = append(b.by[it.Author], it)
	}
}

func (b *brand) remove(it *Item) {
	if at := slices.Index(b.items, it); at >= 0 {
		b.items = slices.Delete(b.items, at, at+1)
	}
	b.forget(it)
}

// forget takes an item out of the indexes.
func (b *brand) forget(it *Item) {
	delete(b.byKey, it.Key)
	mine := b.by[it.Author]
	at := slices.Index(mine, it)
	if at >= 0 {
		mine = slices.Delete(mine, at, at+1)
		b.by[it.Author] = mine
	}
	if len(mine) == 0 {
		delete(b.by, it.Author)
	}
}

// HasBrand reports whether the model knows the brand already; if not, also how many brands without rules it
// has.
func (m *Model) HasBrand(id string) (known bool, auto int) {
	if _, known = m.brands[id]; known {
		return true, 0
	}
	for _, b := range m.brands {
		if b.state.Auto {
			auto++
		}
	}
	return false, auto
}

// SetRules makes set the rules in force. Learnt series stay; those of rules that are gone fade away unused.
func (m *Model) SetRules(set *rules.Set) {
	m.set = set
	for _, b := range m.brands {
		b.clockAt = time.Time{}
		clear(b.taken)
		for _, w := range b.waiting {
			w.first, w.second = time.Time{}, time.Time{}
		}
	}
}

// Incident returns an open or lately closed incident.
func (m *Model) Incident(id string) (Incident, bool) {
	i, ok := m.incidents[id]
	if !ok {
		return Incident{}, false
	}
	return *i, true
}
