package detector

import (
	"cmp"
	"slices"
	"time"

	"emberwatch/rules"
)

// Standing is how far a rule is from telling about one brand, as of a time: what is expected, what is there, what the bar
// is, and what came nearest to it. A rule with baseline.per has one for each series.
type Standing struct {
	Brand    string      `json:"brand"`
	Rule     string      `json:"rule"`
	Signal   string      `json:"signal"` // in the vocabulary of the contract
	At       time.Time   `json:"at"`
	Window   Window      `json:"window"` // the one that leads, or the longest if nothing is surprising
	Windows  []Window    `json:"windows"`
	Score    float64     `json:"score"` // -9: the floors do not hold or nothing is surprising by itself
	Bar      float64     `json:"bar"`   // what the score has to reach now, habituation joined in
	Floor    rules.Floor `json:"floor"`
	Authors  int         `json:"authors"` // in the window that leads
	Budget   *Budget     `json:"budget,omitempty"`
	Learning string      `json:"learning,omitempty"`
	Incident string      `json:"incident,omitempty"` // the open one that the rule speaks for
	Nearest  []Miss      `json:"nearest"`            // the highest scores of the history, the highest first

	Per map[string]string `json:"per,omitempty"` // of a rule with baseline.per: what the series is of
}

// Miss is one stretch of the history in which a rule's score stood out.
type Miss struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	Score float64   `json:"score"`
	Told  bool      `json:"told"`
}

const shownMisses = 5

// Standings says how a rule of kind burst stands for a brand at a time. It changes nothing.
func (m *Model) Standings(brand string, r *rules.Rule, at time.Time) []Standing {
	b := m.brands[brand]
	if b == nil || r.Kind != rules.Burst {
		return nil
	}
	var all []Standing
	for _, name := range sortedKeys(b.series) {
		if d, ok := watchedDim(r, name); ok {
			all = append(all, m.standing(b, r, d, b.series[name], at))
		}
	}
	return all
}

// standing looks at a copy of the series, rolled on to a time.
func (m *Model) standing(b *brand, r *rules.Rule, d dim, s *series, at time.Time) Standing {
	x := &series{key: s.key}
	blob, _ := s.MarshalBinary() // never fails
	if x.UnmarshalBinary(blob) != nil {
		x = s
	}
	x.burst.rollOver(max(bucketOf(at), x.burst.cur), m.lag, b.state.Down)
	e := x.burst.eval(float64(max(1, r.Floor.Items)))
	if e.Surprise == 0 {
		e.Lead = len(e.Windows) - 1
	}
	ev := m.evidence(b, x, r, &e)
	p := x.episode(r.ID)
	bar, budget := p.barOf(m.rateOf(b, r, d), e.Bucket-x.burst.first, e.Bucket)
	st := Standing{
		Brand: b.state.ID, Rule: r.ID, Signal: signalWord(r, d), Per: d.values(r), At: at, Window: ev.Window, Windows: ev.Windows, Score: e.Score,
		Bar: p.bar(bar, e.Bucket), Floor: r.Floor, Authors: ev.Authors, Budget: budget,
		Learning: learning(e.Bucket - x.burst.first), Nearest: p.misses(),
	}
	if p.insideAt(e.Bucket) {
		st.Bar = stay(bar)
	}
	if i := m.holding(b, &ActiveSignal{Rule: r.ID, Series: s.key.Signal}); i != nil {
		st.Incident = i.ID
	}
	return st
}

// misses are the highest scores of the history.
func (p *episode) misses() []Miss {
	peaks := slices.Clone(p.peaks)
	slices.SortStableFunc(peaks, func(a, b peak) int { return cmp.Compare(b.score, a.score) })
	all := []Miss{}
	for _, x := range peaks[:min(shownMisses, len(peaks))] {
		all = append(all, Miss{bucketStart(x.at), bucketStart(x.end + 1), float64(x.score), x.told})
	}
	return all
}

// Standings says how a rule stands now, for one brand or (brand empty) for every one that it judges.
func (d *Detector) Standings(brand string, r *rules.Rule) []Standing {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.model.standings(brand, r, d.now())
}

// Standings says how a rule stands at the end of the replay, or at a later time.
func (r *Replay) Standings(brand string, rule *rules.Rule, at time.Time) []Standing {
	if at.Before(r.clock) {
		at = r.clock
	}
	return r.model.standings(brand, rule, at)
}

// standings are those of one brand, or of all that the rule judges.
func (m *Model) standings(brand string, r *rules.Rule, at time.Time) []Standing {
	var all []Standing
	for _, id := range sortedKeys(m.brands) {
		if (brand == "" || brand == id) && slices.ContainsFunc(m.set.RulesFor(id), func(x *rules.Rule) bool { return x.ID == r.ID }) {
			all = append(all, m.Standings(id, r, at)...)
		}
	}
	return all
}
