package detector

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"

	"gonum.org/v1/gonum/mathext"
)

const (
	maxMentions = 20 // ids kept in the evidence
	maxCues     = 5
	usualAtMost = 0.99 // the part of ordinary windows that hold no more than Window.High
)

// evidence gathers what a burst rests on: the mentions of the window that leads.
func (m *Model) evidence(b *brand, s *series, r *rules.Rule, e *Eval) Evidence {
	lead := e.leadWindow()
	for lead > 0 && e.Windows[lead-1].N == e.Windows[lead].N {
		lead-- // the same mentions in a shorter time say more
	}
	name, copied := s.key.Signal, 0
	belongs := func(it *Item) bool {
		if it.Copy && m.about(b, name, it) {
			copied++
		}
		return m.inSeries(b, name, it)
	}
	if r.Kind == rules.Backlash {
		belongs = m.underOne(b, name, e, lead)
	}
	ev := m.gathered(b, e, e.Windows[lead].Buckets, belongs)
	ev.Copied = copied
	if countsRecords(r) {
		ev.Counts = nounOf(r)
	}
	for i := range e.Windows {
		w := &e.Windows[i]
		ev.Windows = append(ev.Windows, Window{
			Length: span(w.Buckets), Observed: w.N, Expected: w.Mu, High: max(1, quantile(usualAtMost, w.Mu, w.V)), Surprise: w.Surprise,
		})
	}
	ev.Window = ev.Windows[lead]
	if r.Kind == rules.Backlash {
		ev.answer(b)
	}
	return ev
}

// slowEvidence gathers what a slow rise rests on: the hours since its sum left zero.
func (m *Model) slowEvidence(b *brand, s *series) Evidence {
	w := s.burst.slow
	length := time.Duration(w.within()) * time.Hour
	ev, name, n := Evidence{Score: w.score()}, s.key.Signal, 0.0
	m.gather(&ev, b, m.now.Add(-length), bucketStart(s.burst.cur+1), func(it *Item) bool {
		if !m.inSeries(b, name, it) {
			return false
		}
		n += float64(it.Weight)
		return true
	})
	mu := w.mu * float64(w.within()) / float64(max(w.since, 1))
	ev.Window = Window{Length: length, Observed: n, Expected: mu, High: max(1, quantile(usualAtMost, mu, w.v)), Surprise: w.sum / math.Ln10}
	ev.Windows = []Window{ev.Window}
	return ev
}

// leadWindow is the window that people are told: the most unusual one of those that are surprising by themselves. The
// score may be led by a long window that is unusual for this series and yet within what is usual.
func (e *Eval) leadWindow() int {
	lead := -1
	for k := range e.Windows {
		if e.Windows[k].Surprise >= minSurprise && (lead < 0 || e.Windows[k].G > e.Windows[lead].G) {
			lead = k
		}
	}
	if lead < 0 {
		return e.Lead
	}
	return lead
}

// eachEvidence gathers what an each rule has found within a day around a time.
func (m *Model) eachEvidence(b *brand, r *rules.Rule, at time.Time) Evidence {
	var ev Evidence
	n := 0
	m.gather(&ev, b, at.Add(-24*time.Hour), at.Add(24*time.Hour), func(it *Item) bool {
		if !it.concerns(r) {
			return false
		}
		n++
		return true
	})
	ev.Window = Window{Observed: float64(n)} // nothing is expected of single mentions
	return ev
}

// evidenceOf gathers what is known of chosen mentions; those that have left memory count by their source alone.
func (m *Model) evidenceOf(b *brand, keys []sources.Key) Evidence {
	ev := Evidence{Window: Window{Observed: float64(len(keys))}}
	m.gather(&ev, b, time.Time{}, m.now.Add(maxAhead), func(it *Item) bool { return slices.Contains(keys, it.Key) })
	for _, k := range keys {
		if b.byKey[k] == nil {
			if ev.Sources == nil {
				ev.Sources = map[string]int{}
			}
			ev.Sources[k.Source]++
			ev.Authors++
		}
	}
	ev.Mentions = slices.Clone(keys)
	return ev
}

// gather counts the items of a time span that belong, by author, place, language and topic.
func (m *Model) gather(ev *Evidence, b *brand, from, to time.Time, belongs func(*Item) bool) {
	ev.Sources, ev.Networks, ev.Languages, ev.Categories = map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	authors, cues := map[uint64]bool{}, map[string]int{}
	var mine []*Item
	for k := len(b.items) - 1; k >= 0 && !b.items[k].At.Before(from); k-- {
		it := b.items[k]
		if !it.At.Before(to) {
			continue
		}
		if it.Weight > 0 && speaks(it.Kind) {
			ev.Total++
		}
		if !belongs(it) {
			continue
		}
		mine = append(mine, it)
		ev.First = it.At
		authors[it.Author] = true
		ev.add(it, cues)
	}
	ev.Authors = len(authors)
	ev.Cues = top(cues, maxCues)
	ev.Mentions = telling(mine)
	for _, m := range []*map[string]int{&ev.Sources, &ev.Networks, &ev.Languages, &ev.Categories} {
		if len(*m) == 0 {
			*m = nil // as it is read back: an incident is not another one after a restart
		}
	}
}

func (ev *Evidence) add(it *Item, cues map[string]int) {
	ev.Sources[it.Key.Source]++
	if it.Network != "" {
		ev.Networks[it.Network]++
	}
	if it.Lang != "" && it.Lang != "und" {
		ev.Languages[it.Lang]++
	}
	for _, c := range it.Categories {
		ev.Categories[c]++
	}
	if it.Cue != "" {
		cues[it.Cue]++
	}
	if it.negative() {
		ev.Negative++
	}
	if it.Private {
		ev.Private++
	}
	ev.Reach += it.Reach
}

// top returns the most frequent keys.
func top(counts map[string]int, n int) []string {
	keys := sortedKeys(counts)
	slices.SortStableFunc(keys, func(a, b string) int { return counts[b] - counts[a] })
	return keys[:min(n, len(keys))]
}

// telling returns the keys of the mentions that say most: surely negative, with a topic, widely read, recent.
func telling(items []*Item) []sources.Key {
	weight := func(it *Item) float64 {
		w := it.Negative + 0.1*math.Log10(1+float64(it.Reach))
		if it.Category != "" {
			w += 0.3
		}
		return w
	}
	items = slices.Clone(items)
	slices.SortStableFunc(items, func(a, b *Item) int {
		if c := cmp.Compare(weight(b), weight(a)); c != 0 {
			return c
		}
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Key.Source, b.Key.Source), cmp.Compare(a.Key.ID, b.Key.ID))
	})
	var keys []sources.Key
	for _, it := range items[:min(maxMentions, len(items))] {
		keys = append(keys, it.Key)
	}
	return keys
}

// quantile returns the smallest count that a negative binomial with mean mu and variance mu + v mu² does
// not exceed with probability q.
func quantile(q, mu, v float64) float64 {
	if mu <= 0 {
		return 0
	}
	r := 1 / v
	above := func(n float64) float64 { return mathext.RegIncBeta(n+1, r, mu/(r+mu)) } // P(X > n)
	lo, hi := 0.0, max(4, 2*mu)
	for above(hi) > 1-q {
		hi *= 2
	}
	for hi-lo >= 1 {
		mid := math.Floor((lo + hi) / 2)
		if above(mid) > 1-q {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return math.Floor(hi)
}

// sentence says what happened against what was expected, for somebody who has never seen the product.
func (m *Model) sentence(f *found) string {
	if f.signal.Signal == unanswered {
		return waitingSentence(f)
	}
	switch f.rule.Kind {
	case rules.Each:
		return m.eachSentence(f)
	case rules.Shift:
		return m.shareSentence(f)
	case rules.Spread:
		return m.spreadSentence(f)
	case rules.Gauge:
		return gaugeSentence(f)
	case rules.Silence:
		return m.silenceSentence(&f.evidence)
	case rules.Correlate:
		return "Several alarms at once: " + f.signal.Why + "."
	}
	ev := &f.evidence
	w := ev.Window
	var s strings.Builder
	s.WriteString(counted(w.Observed, nounOf(f.rule)) + apartWords(ev))
	if !countsRecords(f.rule) {
		s.WriteString(" from " + people(ev.Authors))
	}
	fmt.Fprintf(&s, " in %s; ", lastWords(w.Length))
	if f.signal.Watch {
		fmt.Fprintf(&s, "usually %s; no burst, but more than usual hour after hour%s", about(w.Expected), m.where(f))
		return s.String() + "."
	}
	fmt.Fprintf(&s, "%susually %s, rarely more than %s", m.timeWords(ev.Season), about(w.Expected), number(w.High))
	if ev.Learning != "" {
		s.WriteString(" (still learning)")
	}
	s.WriteString(m.where(f))
	s.WriteString(copyWords(ev.Copied, countsCopies(f.signal.Series)))
	s.WriteString(plannedWords(ev.Planned))
	return s.String() + "."
}

// timeWords says which times are compared: those that a season tells apart.
func (m *Model) timeWords(season rules.Season) string {
	switch season {
	case rules.NoSeason:
		return ""
	case rules.HourOfDay:
		return "at this time of day "
	case rules.DayOfWeek:
		return fmt.Sprintf("on a %s ", m.weekday())
	}
	return fmt.Sprintf("at this time of a %s ", m.weekday())
}

// weekday is the day that it is for the people of the rule files.
func (m *Model) weekday() time.Weekday { return m.now.In(m.zone()).Weekday() }

// shareSentence says which part of the mentions is of a kind, and which part is usual.
func (m *Model) shareSentence(f *found) string {
	ev := &f.evidence
	of := max(1, float64(ev.Of))
	var s strings.Builder
	fmt.Fprintf(&s, "%s of the %s", percent(ev.Window.Observed/of), f.rule.Measure.Says(lastWords(ev.Window.Length)+apartWords(ev)))
	fmt.Fprintf(&s, " (%s of %d, from %s); usually %s, rarely more than %s", number(ev.Window.Observed), ev.Of,
		people(ev.Authors), percent(ev.Window.Expected/of), percent(ev.Window.High/of))
	s.WriteString(m.where(f))
	s.WriteString(plannedWords(ev.Planned))
	return s.String() + "."
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// spreadSentence says how fast one mention is passed on.
func (m *Model) spreadSentence(f *found) string {
	ev := &f.evidence
	usual := fmt.Sprintf("the rule asks to be told from %d", f.rule.Floor.Shares)
	if ev.Budget != nil && ev.Budget.Own {
		usual = fmt.Sprintf("in the last %.0f weeks more than %.0f were rare", ev.Budget.Weeks, ev.Bar)
	}
	return fmt.Sprintf("One negative mention was shared %s times in the last hour, %d times in all; %s%s.",
		number(ev.Window.Observed), ev.Of, usual, m.where(f))
}

// plannedWords names the planned event during which something happens.
func plannedWords(event string) string {
	if event == "" {
		return ""
	}
	return "; planned: " + event
}

// CountsCopies reports whether texts that copy others count in the signal.
func (s *ActiveSignal) CountsCopies() bool { return countsCopies(s.Series) }

// copyWords says how many mentions say nearly what others say.
func copyWords(n int, counted bool) string {
	switch {
	case n == 0:
		return ""
	case counted:
		return fmt.Sprintf("; %d of them copy texts of others", n)
	case n == 1:
		return "; 1 near-copy of these texts is not counted"
	}
	return fmt.Sprintf("; %d near-copies of these texts are not counted", n)
}

// nounOf is what a rule counts, in words.
func nounOf(r *rules.Rule) string {
	switch m := &r.Match; {
	case r.Kind == rules.Backlash:
		return "negative replies under one own post"
	case countsRecords(r):
		return string(m.Kinds[0]) + "s"
	case m.Sentiment == string(Negative):
		return "negative mentions"
	}
	return "mentions"
}

// countsRecords reports whether a rule counts what has no words, of which one record may stand for many.
func countsRecords(r *rules.Rule) bool { return len(r.Match.Kinds) == 1 && !speaks(r.Match.Kinds[0]) }

func (m *Model) eachSentence(f *found) string {
	ev := &f.evidence
	topic := TopicWords(f.category)
	if f.category == "" {
		topic = "what rule " + f.rule.ID + " watches for"
	}
	var s strings.Builder
	if ev.Window.Observed <= 1 {
		fmt.Fprintf(&s, "Somebody writes about %s", topic)
	} else {
		fmt.Fprintf(&s, "%s mentions from %s write about %s within a day", number(ev.Window.Observed), people(ev.Authors), topic)
	}
	if len(ev.Cues) > 0 {
		fmt.Fprintf(&s, " (matched %s)", quoted(ev.Cues[:min(3, len(ev.Cues))]))
	}
	s.WriteString(onWords(ev))
	return s.String() + "."
}

// where says on which source and about what most of the mentions are.
func (m *Model) where(f *found) string {
	s := onWords(&f.evidence)
	if f.category != "" {
		if s != "" {
			s += ","
		} else {
			s = ";"
		}
		s += " mostly about " + TopicWords(f.category)
	}
	return s
}

func onWords(ev *Evidence) string {
	places := ev.Networks
	if len(places) == 0 {
		places = ev.Sources
	}
	name := top(places, 1)
	switch {
	case len(name) == 0:
		return ""
	case len(places) == 1:
		return "; all on " + placeWords(name[0])
	case 2*places[name[0]] >= int(ev.Window.Observed):
		return "; mostly on " + placeWords(name[0])
	}
	return fmt.Sprintf("; on %d sources", len(places))
}

func quoted(words []string) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = "“" + w + "”"
	}
	return strings.Join(out, ", ")
}

func number(n float64) string { return fmt.Sprintf("%d", int(math.Round(n))) }

// about says an expected count: small ones with a decimal, because "0" is never what is expected.
func about(n float64) string {
	switch {
	case n < 0.1:
		return "almost none"
	case n < 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0")
	}
	return number(n)
}

func people(n int) string {
	if n == 1 {
		return "one person"
	}
	return fmt.Sprintf("%d people", n)
}

func counted(n float64, what string) string { return number(n) + " " + plural(n, what) }

func plural(n float64, what string) string {
	if n == 1 {
		return strings.TrimSuffix(what, "s")
	}
	return what
}

func lastWords(d time.Duration) string {
	switch {
	case d == time.Hour:
		return "the last hour"
	case d < time.Hour:
		return fmt.Sprintf("the last %d minutes", int(d.Minutes()))
	case d%(24*time.Hour) == 0:
		if d == 24*time.Hour {
			return "the last day"
		}
		return fmt.Sprintf("the last %d days", int(d.Hours())/24)
	}
	return fmt.Sprintf("the last %d hours", int(d.Hours()))
}
