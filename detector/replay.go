package detector

import (
	"runtime"
	"slices"
	"sync"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// Replay feeds a Model from a stream without a store: the stream's own order of time is the clock, nobody
// answers, nothing is sent. Mentions have to come in the order of created_at; Sort brings them into it.
type Replay struct {
	// Event is called for each step of an incident, in the order of time. It must not keep the Incident's
	// slices.
	Event func(ReplayEvent)

	// Brands limits what is told and counted to these ids; empty: all. The others are judged all the same, because what
	// a source says of them tells that it is not silent.
	Brands []string

	changed func(*Change) // is called with each change, if set

	scorer  Scorer
	set     *rules.Set
	model   *Model
	seen    map[sources.Key]Seen
	shown   map[string]float64
	clock   time.Time // how far the stream has come
	ticked  time.Time // when the clock last worked
	coarse  bool      // the clock never works minute by minute: for counts over months
	summary ReplaySummary
	worst   map[string]rules.Severity
	begun   map[string]begun
	matches []matched // of rules of kind each, the last week, in the order of time

	climbs   map[string]*climb            // by incident
	climbing map[string]map[string]*climb // those that are open, by brand and incident
}

// begun is how an incident was opened.
type begun struct {
	brand, rule string
	at          time.Time
}

// ReplayEvent is one step of one incident.
type ReplayEvent struct {
	Op       string // opened, worse, new_source, updated, calm, reopened, closed
	At       time.Time
	Incident Incident
}

// ReplaySummary is what a replay adds up to.
type ReplaySummary struct {
	Mentions   int
	Rejected   int
	Duplicates int
	Incidents  map[string]map[rules.Severity]int // by brand and gravest severity
	First      time.Time
	Last       time.Time
}

// Weeks returns the length of the stream.
func (s *ReplaySummary) Weeks() float64 {
	return s.Last.Sub(s.First).Hours() / (7 * 24)
}

// PerWeek returns how many incidents of severity 1 to 3 were raised per week; zero for a stream under a
// day.
func (s *ReplaySummary) PerWeek() float64 {
	if s.Last.Sub(s.First) < 24*time.Hour {
		return 0
	}
	n := 0
	for _, by := range s.Incidents {
		for sev, k := range by {
			if notifying(sev) {
				n += k
			}
		}
	}
	return float64(n) / s.Weeks()
}

// NewReplay returns a replay that judges by set.
func NewReplay(set *rules.Set, scorer Scorer) *Replay {
	m := NewModel(set, LagReplay)
	m.volatile = true
	return &Replay{
		scorer: scorer, set: set, model: m, seen: map[sources.Key]Seen{},
		shown: map[string]float64{}, worst: map[string]rules.Severity{}, begun: map[string]begun{},
		climbs: map[string]*climb{}, climbing: map[string]map[string]*climb{},
	}
}

// Sort puts mentions in the order of time; records of one mention keep theirs.
func Sort(ms []sources.Mention) {
	slices.SortStableFunc(ms, func(a, b sources.Mention) int { return a.CreatedAt.Compare(b.CreatedAt) })
}

// chunk is how many mentions are judged side by side.
const chunk = 2048

// Run feeds mentions, sorted by time. It may be called again with later ones.
func (r *Replay) Run(ms []sources.Mention) {
	judged := make([][]Judged, min(len(ms), chunk))
	for len(ms) > 0 {
		part := ms[:min(len(ms), chunk)]
		ms = ms[len(part):]
		r.judge(part, judged)
		for i := range part {
			r.one(&part[i], judged[i])
		}
	}
}

// judge scores a chunk on all cores.
func (r *Replay) judge(ms []sources.Mention, out [][]Judged) {
	var wg sync.WaitGroup
	n := runtime.GOMAXPROCS(0)
	for w := range n {
		wg.Go(func() {
			for i := w; i < len(ms); i += n {
				out[i] = nil
				if ms[i].Op != sources.Delete {
					out[i] = Judge(r.set, r.scorer, ms[i])
				}
			}
		})
	}
	wg.Wait()
}

// one feeds one mention, after letting the clock work up to its time.
func (r *Replay) one(m *sources.Mention, judged []Judged) {
	r.advance(m.CreatedAt)
	r.book(m, judged, false)
}

// book takes in one mention; one of a history teaches only.
func (r *Replay) book(m *sources.Mention, judged []Judged, history bool) {
	if r.summary.First.IsZero() {
		r.summary.First = m.CreatedAt
	}
	r.summary.Last = m.CreatedAt
	a := Arrival{Key: m.Key(), Op: m.Op, At: m.CreatedAt, Arrived: m.CreatedAt, History: history, Judged: judged}
	if s, ok := r.seen[a.Key]; ok {
		a.Prior = Known{Found: true, Seen: s}
	}
	c, fates := r.model.Apply([]Arrival{a}, m.CreatedAt)
	switch {
	case !r.tellsOfAny(judged):
	case fates[0] == Duplicate:
		r.summary.Duplicates++
	default:
		r.summary.Mentions++
	}
	for _, s := range c.Seen {
		r.seen[s.Key] = s
	}
	r.show(c)
	r.climbOn(m, judged)
}

func (r *Replay) tellsOf(brand string) bool {
	return len(r.Brands) == 0 || slices.Contains(r.Brands, brand)
}

func (r *Replay) tellsOfAny(judged []Judged) bool {
	return len(r.Brands) == 0 || slices.ContainsFunc(judged, func(j Judged) bool { return r.tellsOf(j.Brand) })
}

// advance lets the clock work up to a time, however close the mentions are: once a minute while an incident is open or a
// complaint waits (unless it is coarse), otherwise often enough to hear a silence.
func (r *Replay) advance(to time.Time) {
	if r.clock.IsZero() {
		r.ticked = to
	}
	for {
		step := silenceEvery
		if !r.coarse && r.model.anyOpen() {
			step = time.Minute
		}
		next := r.ticked.Add(step)
		if next.Before(r.clock) { // a mention has opened something since
			next = r.clock
		}
		if !next.Before(to) {
			break
		}
		r.tick(next)
	}
	r.clock = to
}

// tickTo lets the clock work minute by minute, up to a time.
func (r *Replay) tickTo(to time.Time) {
	for next := r.clock.Add(time.Minute); !next.After(to); next = next.Add(time.Minute) {
		r.tick(next)
	}
}

func (r *Replay) tick(at time.Time) {
	r.clock, r.ticked = at, at
	r.show(r.model.Tick(at))
}

// anyOpen reports whether an incident is open, or could open because a clock runs.
func (m *Model) anyOpen() bool {
	for _, i := range m.incidents {
		if i.Open() {
			return true
		}
	}
	for _, b := range m.brands {
		if len(b.waiting) > 0 {
			return true
		}
	}
	return false
}

// show passes on what a change says about incidents. Updates are shown when the count has grown by half.
func (r *Replay) show(c *Change) {
	if r.changed != nil {
		r.changed(c)
	}
	r.note(c)
	for _, l := range c.Audit {
		i, ok := r.model.Incident(l.Incident)
		if !ok || !r.tellsOf(i.Brand) {
			continue
		}
		r.follow(l.Op, &i)
		if s := told(&i); s.GraverThan(r.worst[i.ID]) {
			r.worst[i.ID] = s
		}
		if _, ok := r.begun[i.ID]; !ok {
			r.begun[i.ID] = begun{brand: i.Brand, rule: i.Rule, at: i.OpenedAt}
		}
		switch l.Op {
		case "updated":
			if i.Evidence.Window.Observed < 1.5*r.shown[i.ID] {
				continue
			}
		case "opened", "worse", "new_source", "calm", "reopened", "closed":
		default:
			continue
		}
		r.shown[i.ID] = i.Evidence.Window.Observed
		if r.Event != nil {
			r.Event(ReplayEvent{Op: l.Op, At: l.At, Incident: i})
		}
	}
}

// Rejected counts input that could not be read.
func (r *Replay) Rejected(n int) { r.summary.Rejected += n }

// Summary returns what the replay adds up to so far.
func (r *Replay) Summary() ReplaySummary {
	s := r.summary
	s.Incidents = map[string]map[rules.Severity]int{}
	for id, sev := range r.worst {
		b := r.begun[id].brand
		if s.Incidents[b] == nil {
			s.Incidents[b] = map[rules.Severity]int{}
		}
		s.Incidents[b][sev]++
	}
	return s
}
