package detector

import (
	"cmp"
	"encoding"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"emberwatch/rules"
)

// How rules stand that are judged by a score: each looks at a copy of what it keeps, rolled on to the time that is asked for,
// through the same sight as a mention would make it.

// countsStand looks at the series of a rule of kind burst or backlash.
func (m *Model) countsStand(b *brand, r *rules.Rule) []Standing {
	var all []Standing
	for _, name := range sortedKeys(b.series) {
		d, ok := watchedDim(r, name)
		if !ok {
			continue
		}
		x := &series{key: b.series[name].key}
		if !copied(b.series[name], x) {
			continue
		}
		x.burst.rollOver(max(bucketOf(m.now), x.burst.cur), m.lag, b.state.Down)
		v := m.countSight(b, r, d, x)
		v.short = func() string { return v.eval.shortOf(leastItems(r), nounOf(r)) }
		if v.eval.Surprise == 0 {
			v.eval.Lead = len(v.eval.Windows) - 1
		}
		st := m.stand(b, v)
		if x.burst.slow != nil && r.Kind == rules.Burst {
			words := x.burst.slow.words(watchBar(m.rateOf(b, r, d)), nounOf(r))
			if i := m.holding(b, &ActiveSignal{Rule: r.ID, Series: v.key + watchMark}); i != nil {
				words += "; told as " + i.ID
			}
			st.Also = append(st.Also, words)
		}
		all = append(all, st)
	}
	return all
}

// copied makes of one what another is; it fails only if what was written cannot be read.
func copied(from encoding.BinaryMarshaler, to encoding.BinaryUnmarshaler) bool {
	blob, err := from.MarshalBinary()
	return err == nil && to.UnmarshalBinary(blob) == nil
}

// words say how far a slow rise is from being told.
func (s *slow) words(bar float64, noun string) string {
	bar = max(watchScore+s.habit, bar)
	if s.sum == 0 {
		return "slow rise: none; it is told from a score of " + fmt.Sprintf("%.2f on", bar)
	}
	return fmt.Sprintf("slow rise: %s in %s where %s are usual, score %.2f; it is told from %.2f on, with %.0f more than usual",
		counted(s.count, noun), counted(float64(s.since), "hours"), about(s.mu), s.score(), bar, watchExcess)
}

// sharesStand looks at the shares that a rule of kind shift follows.
func (m *Model) sharesStand(b *brand, r *rules.Rule) []Standing {
	var all []Standing
	for _, key := range sortedKeys(b.trails) {
		d, ok := watchedTrail(r, key)
		if !ok {
			continue
		}
		t := m.trailCopy(b, key)
		if t == nil || t.share == nil {
			continue
		}
		t.share.roll(max(bucketOf(m.now), t.share.cur))
		v := m.shareSight(b, r, d, t)
		v.short = func() string { return shortOf(t.share.held().all, float64(r.Floor.Items), "mentions") }
		st := m.stand(b, v)
		if st.Of == 0 {
			st.Now = fmt.Sprintf("No mention in %s; of those that come, usually %s are %s.",
				lastWords(st.Window.Length), percent(t.share.expected(t.share.cur)), r.Measure.Noun())
		}
		all = append(all, st)
	}
	return all
}

// trailCopy returns a copy of what a rule remembers, nil if that is nothing yet.
func (m *Model) trailCopy(b *brand, key string) *trail {
	t := b.trails[key]
	if t == nil {
		return nil
	}
	x := &trail{key: t.key}
	if !copied(t, x) {
		return nil
	}
	return x
}

// spreadStands looks at the mention that is passed on fastest.
func (m *Model) spreadStands(b *brand, r *rules.Rule) []Standing {
	t := m.trailCopy(b, trailKey(r, ""))
	if t == nil {
		t = &trail{key: SeriesKey{b.state.ID, trailKey(r, "")}, first: bucketOf(b.state.FirstSeen)}
	}
	fastest := &Item{Brand: b.state.ID, At: m.now}
	for _, it := range b.items {
		if it.concerns(r) && it.passedWithin(time.Hour, m.now) > fastest.passedWithin(time.Hour, m.now) {
			fastest = it
		}
	}
	st := m.stand(b, m.spreadSight(b, r, t, fastest))
	if st.Place == "" {
		st.Why = "that is what its severity or budget says"
		st.Now = "Nothing that it looks at has been passed on within the last hour."
	}
	st.Tells = fmt.Sprintf("from %.0f shares of one mention within an hour on", math.Ceil(st.Bar))
	return []Standing{st}
}

// gaugesStand looks at the number that each source reports.
func (m *Model) gaugesStand(b *brand, r *rules.Rule) []Standing {
	var all []Standing
	for _, key := range sortedKeys(b.trails) {
		source, ok := strings.CutPrefix(key, trailKey(r, "")+"/")
		if !ok {
			continue
		}
		if t := m.trailCopy(b, key); t != nil && t.gauge != nil {
			v := m.gaugeSight(r, t, source)
			v.short = func() string { return t.gauge.shortOf(r) }
			st := m.stand(b, v)
			st.Tells += fmt.Sprintf("; a move of at least %.0f beyond the usual", math.Ceil(t.gauge.leastMove(r)))
			st.Also = append(st.Also, fmt.Sprintf("the last value came at %s", m.clock(t.gauge.at)))
			all = append(all, st)
		}
	}
	return all
}

// stand says how a sight stands.
func (m *Model) stand(b *brand, v *sight) Standing {
	e, p := &v.eval, v.episode
	base, budget := v.bar(m.rateOf(b, v.rule, v.dim))
	f := m.foundBy(b, v, v.signal(m.now), base, budget)
	if n := len(f.evidence.Windows); e.Surprise == 0 && n > 0 && f.evidence.Window.Observed == 0 {
		f.evidence.Window = f.evidence.Windows[n-1] // nothing in a long time says more
	}
	known := m.holding(b, &f.signal)
	m.step(known, &f, v)
	f.signal.graded(v.level(&f))
	if v.suspect != nil {
		v.suspect(&f, known, e)
	}
	m.planned(b, &f)
	m.conditions(b, &f)
	st := m.standing(b, &f)
	st.Score, st.Bar, st.Nearest = e.Score, p.bar(base, e.Bucket), p.misses(b.state.LiveSince)
	st.Habit = st.Bar - base
	inside := p.insideAt(e.Bucket)
	if inside {
		st.Bar, st.Habit = stay(base), 0
	}
	st.Tells = st.scoreWords(inside)
	st.Lacks = append(v.lacks(&f, base), st.Lacks...)
	return st
}

// scoreWords say from which score on a rule tells.
func (st *Standing) scoreWords(inside bool) string {
	now := "none"
	if st.Score > noScore {
		now = fmt.Sprintf("%.2f", st.Score)
	}
	s := fmt.Sprintf("from a score of %.2f on, now %s", st.Bar, now)
	switch {
	case inside:
		s += "; it has begun, and this keeps it going"
	case st.Habit >= 0.005:
		s += fmt.Sprintf("; %.2f of it because it was there lately", st.Habit)
	}
	switch f := st.Floor; {
	case f.Items > 0 && f.Authors > 0:
		s += fmt.Sprintf("; at least %s from %s", counted(float64(f.Items), "mentions"), people(f.Authors))
	case f.Items > 0:
		s += "; at least " + counted(float64(f.Items), "mentions")
	}
	return s
}

// lacks says what a sight lacks for telling.
func (v *sight) lacks(f *found, base float64) []string {
	e, p, all := &v.eval, v.episode, []string{}
	inside := p.insideAt(e.Bucket)
	if !p.wants(e, base) {
		all = append(all, v.shortOfBar(base))
	}
	if n := f.evidence.Authors; n < v.rule.Floor.Authors {
		all = append(all, fmt.Sprintf("it has %d of at least %s", n, people(v.rule.Floor.Authors)))
	}
	switch {
	case v.age < firstDay || v.mute:
		all = append(all, "it is too young: it only learns yet")
	case inside && p.muted:
		all = append(all, "what goes on began while it only learnt")
	case v.unsure() && (!inside || p.since == e.Bucket):
		all = append(all, "while it is provisional, the score has to hold for a second five minutes")
	}
	return all
}

func (v *sight) shortOfBar(base float64) string {
	bar := v.episode.bar(base, v.eval.Bucket)
	switch {
	case v.rule.Kind == rules.Spread:
		return fmt.Sprintf("%s of %.0f shares", number(v.eval.Score), math.Ceil(bar))
	case v.eval.Score > noScore:
		return fmt.Sprintf("the score is %.2f of %.2f", v.eval.Score, bar)
	}
	return cmp.Or(v.short(), "nothing is surprising by itself")
}

// shortOf says what a number lacks of the least that is asked for; empty: nothing.
func shortOf(n, least float64, what string) string {
	if n >= least {
		return ""
	}
	return fmt.Sprintf("it has %s of at least %s", number(n), counted(least, what))
}

// shortOf says what the fullest window lacks.
func (e *Eval) shortOf(least float64, what string) string {
	most := 0.0
	for _, w := range e.Windows {
		most = max(most, w.N)
	}
	return shortOf(most, least, what)
}

// shortOf says what the largest move lacks.
func (g *gauge) shortOf(r *rules.Rule) string {
	most := 0.0
	for i := range g.watches {
		by, usual, _ := g.moved(i, g.hour, g.last)
		most = max(most, math.Abs(by-usual))
	}
	if least := g.leastMove(r); most < least {
		return fmt.Sprintf("it has moved %.0f otherwise than usual, of at least %.0f", most, math.Ceil(least))
	}
	return ""
}

// misses are the highest scores of the history, of a brand that is live since then; zero: it is not yet.
func (p *episode) misses(live time.Time) []Miss {
	peaks := slices.Clone(p.peaks)
	slices.SortStableFunc(peaks, func(a, b peak) int { return cmp.Compare(b.score, a.score) })
	all := []Miss{}
	for _, x := range peaks[:min(shownMisses, len(peaks))] {
		from, to := bucketStart(x.at), bucketStart(x.end+1)
		all = append(all, Miss{From: from, To: to, Score: float64(x.score), Told: x.told, History: live.IsZero() || to.Before(live)})
	}
	return all
}
