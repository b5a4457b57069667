package detector

import (
	"fmt"
	"math"
	"slices"
	"time"

	"emberwatch/rules"
)

// refreshEvery is how often an incident's numbers are renewed while nothing else changes.
const refreshEvery = 45 * time.Second

// found is a signal at or above its bar, on its way to an incident.
type found struct {
	rule     *rules.Rule
	signal   ActiveSignal
	evidence Evidence
	category string // leading; empty: none
	since    time.Time
	opened   bool // it has just begun, rather than going on
	grown    bool // it has reached another step
}

// burst looks at one series for one rule. quiet: it teaches only.
func (m *Model) burst(b *brand, r *rules.Rule, dim string, s *series, quiet bool) {
	floor := float64(minCount)
	if r.Floor.Items > 0 {
		floor = float64(r.Floor.Items)
	}
	base := barOf(b, r)
	e := s.burst.eval(floor)
	p := s.episode(r.ID)
	if !p.wants(&e, base) {
		return
	}
	sig := ActiveSignal{
		Rule: r.ID, Signal: signalWord(r, dim), Series: s.key.Signal, First: m.now, LastHit: m.now,
		Quiet: Duration(quietOf(r)),
	}
	known := m.holding(b, &sig)
	if known != nil && m.now.Sub(known.ChangedAt) < refreshEvery && !m.grows(known, &sig, s) && !known.lapses(&sig, m.now) {
		if !p.insideAt(e.Bucket) || p.lastHit != e.Bucket {
			p.hit(&e, base)
			m.touch(s)
		}
		return
	}
	f := found{rule: r, signal: sig, evidence: m.evidence(b, r, dim, s, &e)}
	if f.evidence.Authors < r.Floor.Authors {
		return
	}
	alone := p.lastHit == p.since
	opened, above := p.hit(&e, base)
	m.touch(s)
	young := e.Bucket-s.burst.first < firstDay
	if opened && young {
		p.muted = true
	}
	unsure := e.Bucket-s.burst.first < provisional
	if !above || quiet || young || p.muted || unsure && e.Bucket == p.since {
		return // a provisional signal needs two buckets in a row
	}
	f.opened = opened || unsure && alone
	f.evidence.Bar = p.bar(base, e.Bucket)
	f.since = f.evidence.First
	f.category = leadingCategory(dim, r, &f.evidence)
	if known == nil && !f.opened {
		known = m.ended(b, &sig) // somebody closed it while it went on
	}
	m.step(known, &f, s)
	f.signal.Level, f.signal.Why = m.burstLevel(&f, unsure)
	f.evidence.Learning = learning(e.Bucket - s.burst.first)
	m.raise(b, &f)
}

// holding returns the open incident that a signal already speaks for.
func (m *Model) holding(b *brand, sig *ActiveSignal) *Incident {
	for _, id := range sortedKeys(m.incidents) {
		i := m.incidents[id]
		if i.Brand == b.state.ID && i.Open() && i.signal(sig) != nil {
			return i
		}
	}
	return nil
}

func (i *Incident) signal(sig *ActiveSignal) *ActiveSignal {
	for k := range i.Signals {
		if i.Signals[k].Rule == sig.Rule && i.Signals[k].Series == sig.Series {
			return &i.Signals[k]
		}
	}
	return nil
}

// ended returns the incident that spoke for a signal and was closed last.
func (m *Model) ended(b *brand, sig *ActiveSignal) *Incident {
	var last *Incident
	for _, id := range sortedKeys(m.incidents) {
		i := m.incidents[id]
		if i.Brand == b.state.ID && !i.Open() && i.Closing != Merged && i.signal(sig) != nil &&
			(last == nil || i.ClosedAt.After(last.ClosedAt)) {
			last = i
		}
	}
	return last
}

// lapses reports whether a signal that goes on has to be noted again lest it be taken for over: signals
// that do not lead are noted so rarely only.
func (i *Incident) lapses(sig *ActiveSignal, now time.Time) bool {
	was := i.signal(sig)
	return was != nil && now.Sub(was.LastHit) >= time.Duration(was.Quiet)/8
}

// grows reports whether a signal has reached another doubling since it was first told.
func (m *Model) grows(i *Incident, sig *ActiveSignal, s *series) bool {
	was := i.signal(sig)
	return was != nil && was.Steps < maxSteps && s.burst.countIn(was.Window) >= doubled(was.Count, was.Steps+1)
}

const maxSteps = 3

// step carries over what a signal was first told with, and counts the doublings since.
func (m *Model) step(known *Incident, f *found, s *series) {
	f.signal.Window, f.signal.Count = Duration(f.evidence.Window.Length), f.evidence.Window.Observed
	if known == nil {
		return
	}
	was := known.signal(&f.signal)
	f.signal.First, f.signal.Window, f.signal.Count, f.signal.Steps = was.First, was.Window, was.Count, was.Steps
	for n := s.burst.countIn(was.Window); f.signal.Steps < maxSteps && n >= doubled(was.Count, f.signal.Steps+1); {
		f.signal.Steps++
		f.grown = true
	}
}

func doubled(n float64, times int) float64 { return n * math.Exp2(float64(times)) }

// countIn returns how much the last window of that length holds.
func (s *burst) countIn(window Duration) float64 {
	n := 0.0
	for k := range int64(time.Duration(window) / BucketLength) {
		if b := s.cur - k; b >= s.first && k < int64(len(s.n)) {
			n += s.n[s.slot(b)]
		}
	}
	return n
}

// leadingCategory is what a burst is about: the dimension of a rule per category, else the category that
// half of its mentions point to.
func leadingCategory(dim string, r *rules.Rule, ev *Evidence) string {
	switch {
	case len(r.Per) > 0 && r.Per[0] == "category":
		return dim
	case len(r.Match.Categories) == 1:
		return r.Match.Categories[0]
	}
	for _, c := range sortedKeys(ev.Categories) {
		if n := ev.Categories[c]; n >= 2 && 2*n >= int(ev.Window.Observed) {
			return c
		}
	}
	return ""
}

// burstLevel decides how grave a burst is, and why. A rule's own severity wins.
func (m *Model) burstLevel(f *found, provisional bool) (rules.Severity, string) {
	if f.rule.Severity != rules.Calm {
		return f.rule.Severity, "set by rule " + f.rule.ID
	}
	if s := f.rule.Signal(); s == "all" || len(f.rule.Per) == 0 && f.rule.Match.Sentiment == string(Positive) {
		return rules.Notice, "more mentions, not more complaints"
	}
	level, why := rules.Issue, "an unusual number of complaints"
	if specific(f.rule) == ownTerms {
		why = "an unusual number of mentions that rule " + f.rule.ID + " looks for"
	}
	if s := budgeted(f); s.GraverThan(level) {
		level, why = s, why+"; above the bar of its budget for severity "+fmt.Sprint(int(s))
	}
	if c := m.set.Categories[f.category]; c != nil && c.Sev != rules.Calm && c.Sev <= rules.Serious {
		level, why = rules.Serious, "an unusual number of complaints about "+TopicWords(f.category)
	}
	if provisional && level.GraverThan(rules.Issue) {
		level, why = rules.Issue, why+"; held at 3 while the baseline is provisional"
	}
	return stepUp(level, why, f)
}

// budgeted returns the gravest severity whose budget's bar the score has passed; a budget that names only one
// severity means that one.
func budgeted(f *found) rules.Severity {
	b := f.rule.Budget
	if len(b) == 1 {
		for s := range b {
			return s
		}
	}
	for s := rules.Crisis; s <= rules.Notice; s++ {
		if rate := b[s].PerWeek(); rate > 0 && f.evidence.Score >= barFor(rate) {
			return s
		}
	}
	return rules.Calm
}

// How much a rule says about what happened, the most telling last.
const (
	anyComplaint = iota
	oneTopic
	ownTerms
	oneMention
)

func specific(r *rules.Rule) int {
	m := &r.Match
	switch {
	case r.Kind == rules.Each:
		return oneMention
	case len(m.AllOf)+len(m.AnyOf) > 0:
		return ownTerms
	case len(m.Categories) > 0 || len(r.Per) > 0:
		return oneTopic
	}
	return anyComplaint
}

// stepUp makes a growing burst graver: one level at twice its first count, and on to 1 at four times if it
// spreads or reaches many, at eight times in any case.
func stepUp(level rules.Severity, why string, f *found) (rules.Severity, string) {
	ev := &f.evidence
	spread := len(ev.Sources) >= 2 || len(ev.Languages) >= 2 || ev.Reach >= 50_000
	switch s := f.signal.Steps; {
	case s == 0:
		return level, why
	case s >= maxSteps, s == 2 && spread:
		return rules.Crisis, fmt.Sprintf("%s; %d times the count of the first alert", why, 1<<s)
	default:
		return max(rules.Serious, min(level, rules.Issue)-1), fmt.Sprintf("%s; %d times the count of the first alert", why, 1<<s)
	}
}

// learning says how far a young baseline is.
func learning(age int64) string {
	if age >= provisional {
		return ""
	}
	return fmt.Sprintf("provisional, day %d of 7", age/bucketsPerDay+1)
}

// each looks at one mention for one each rule.
func (m *Model) each(b *brand, r *rules.Rule, it *Item) {
	if m.deduped(b, r, it) {
		return
	}
	sig := ActiveSignal{Rule: r.ID, Signal: r.Signal(), First: m.now, LastHit: m.now, Quiet: Duration(quietOf(r))}
	f := found{rule: r, signal: sig, evidence: m.eachEvidence(b, r, it), category: eachCategory(r, it), since: it.At, opened: true}
	f.signal.Level, f.signal.Why = m.eachLevel(b, r, it, f.category)
	if known := m.holding(b, &sig); known != nil {
		f.signal.First, f.since = known.signal(&sig).First, known.Since
	}
	m.raise(b, &f)
}

func eachCategory(r *rules.Rule, it *Item) string {
	for _, c := range r.Match.Categories {
		if slices.Contains(it.Categories, c) {
			return c
		}
	}
	return it.Category
}

// eachLevel is the rule's severity; two people independently within two hours about a category of severity
// 1 make a crisis.
func (m *Model) eachLevel(b *brand, r *rules.Rule, it *Item, category string) (rules.Severity, string) {
	c := m.set.Categories[category]
	if c == nil || c.Sev != rules.Crisis || !r.Severity.GraverThan(rules.Issue) {
		return r.Severity, "a single mention about " + TopicWords(category) + " is enough"
	}
	if r.Severity != rules.Crisis {
		for _, x := range b.items {
			if x != it && x.Author != it.Author && x.Text != it.Text && it.At.Sub(x.At).Abs() <= 2*time.Hour &&
				containsString(x.Rules, r.ID) {
				return rules.Crisis, "two people independently about " + TopicWords(category) + " within two hours"
			}
		}
	}
	return r.Severity, "a single credible mention about " + TopicWords(category)
}

// deduped reports whether the rule has told this author or text lately, and remembers that it now has.
func (m *Model) deduped(b *brand, r *rules.Rule, it *Item) bool {
	if r.Dedupe.For <= 0 {
		return false
	}
	key := r.ID
	for _, by := range r.Dedupe.By {
		switch by {
		case "author":
			key += fmt.Sprintf("|%016x", it.Author)
		case "text":
			key += fmt.Sprintf("|%016x", it.Text)
		}
	}
	for k, until := range b.state.Deduped {
		if !m.now.Before(until) {
			delete(b.state.Deduped, k)
		}
	}
	if _, ok := b.state.Deduped[key]; ok {
		return true
	}
	b.state.Deduped[key] = m.now.Add(r.Dedupe.For)
	m.touchBrand(b)
	return false
}

// raise brings a signal to the incident it belongs to: the one that has it, one of the same story, a lately
// closed one, or a new one.
func (m *Model) raise(b *brand, f *found) {
	actor := Actor{Kind: "rule", ID: f.rule.ID, Via: "rule"}
	if i := m.story(b, f); i != nil {
		t := begin(*i, m.set, m.now, actor)
		if m.lead(t, f) || i.signal(&f.signal) == nil || f.grown || i.lapses(&f.signal, m.now) {
			t.raise(f.signal)
			m.commit(t)
		}
		return
	}
	old := m.lately(b, f)
	switch {
	case old == nil:
		m.open(b, f, actor, "")
	case muted(old) && m.now.Sub(old.ClosedAt) < keepClosed && !f.signal.Level.GraverThan(old.Severity):
		return // said to be nothing, and no graver than then
	case !f.opened && !f.grown && old.Closing != CalmAgain:
		return // a person closed it while it went on as before
	case muted(old) || m.now.Sub(old.ClosedAt) > reopenWithin:
		m.open(b, f, actor, old.ID)
	default:
		t := begin(*old, m.set, m.now, actor)
		m.lead(t, f)
		t.putSignal(f.signal)
		t.inc.LastHit = m.now
		t.relevel()
		t.reopen(f.signal.Why)
		m.commit(t)
	}
}

func muted(i *Incident) bool { return i.Closing == FalseAlarm || i.Closing == KnownEvent }

// story returns the brand's open incident that a signal belongs to: one that has the signal, else one of the
// same story.
func (m *Model) story(b *brand, f *found) *Incident {
	if i := m.holding(b, &f.signal); i != nil {
		return i
	}
	for _, i := range m.openOf(b) {
		if m.same(i, f) {
			return i
		}
	}
	return nil
}

// openOf returns a brand's open incidents, the gravest first.
func (m *Model) openOf(b *brand) []*Incident {
	var open []*Incident
	for _, id := range sortedKeys(m.incidents) {
		if i := m.incidents[id]; i.Brand == b.state.ID && i.Open() {
			open = append(open, i)
		}
	}
	slices.SortStableFunc(open, func(x, y *Incident) int {
		if x.Level != y.Level && x.Level.GraverThan(y.Level) {
			return -1
		}
		if x.Level != y.Level {
			return 1
		}
		return x.N - y.N
	})
	return open
}

// same reports whether a signal tells an incident's story: both have the same leading category, or one of them
// has none, or a third of the signal's mentions are the incident's or are about its topic too. A solo
// category about something else stays apart.
func (m *Model) same(i *Incident, f *found) bool {
	if i.Category == f.category {
		return true
	}
	if m.solo(i.Category) || m.solo(f.category) {
		return (i.Category == "" || f.category == "") && sharedThird(i, f)
	}
	return i.Category == "" || f.category == "" || sharedThird(i, f) ||
		3*f.evidence.Categories[i.Category] >= int(f.evidence.Window.Observed)
}

func (m *Model) solo(category string) bool {
	c := m.set.Categories[category]
	return c != nil && c.Solo
}

func sharedThird(i *Incident, f *found) bool {
	shared := 0
	for _, k := range f.evidence.Mentions {
		if slices.Contains(i.Evidence.Mentions, k) {
			shared++
		}
	}
	return len(f.evidence.Mentions) > 0 && 3*shared >= len(f.evidence.Mentions)
}

// lately returns the closed incident of the same story that was closed last.
func (m *Model) lately(b *brand, f *found) *Incident {
	var last *Incident
	for _, id := range sortedKeys(m.incidents) {
		i := m.incidents[id]
		if i.Brand != b.state.ID || i.Open() || i.Closing == Merged {
			continue
		}
		if (i.signal(&f.signal) != nil || m.same(i, f)) && (last == nil || i.ClosedAt.After(last.ClosedAt)) {
			last = i
		}
	}
	return last
}

// open starts a new incident.
func (m *Model) open(b *brand, f *found, actor Actor, previous string) {
	b.state.Incidents++
	m.touchBrand(b)
	i := Incident{
		ID: fmt.Sprintf("%s-%d", b.state.ID, b.state.Incidents), Brand: b.state.ID, N: b.state.Incidents,
		Since: f.since, Previous: previous, RuleHash: m.set.Hash, Routes: slices.Clone(f.rule.Routes),
	}
	if len(i.Routes) == 0 {
		i.Routes = []string{rules.DefaultRoute}
	}
	t := begin(i, m.set, m.now, actor)
	m.lead(t, f)
	t.putSignal(f.signal)
	t.inc.LastHit, t.inc.SeverityWhy = m.now, f.signal.Why
	t.relevel()
	t.open()
	m.commit(t)
}

// lead lets a signal speak for the incident if it leads: words and numbers are renewed from it. It reports
// whether it does.
func (m *Model) lead(t *turn, f *found) bool {
	i := &t.inc
	if len(i.Signals) > 0 {
		first := &i.Signals[0]
		own := first.Rule == f.signal.Rule && first.Series == f.signal.Series
		if !own && !f.signal.Level.GraverThan(first.Level) {
			m.places(t, f.signal.Signal, &f.evidence)
			return false
		}
	}
	named, ok := m.set.Rule(i.NamedBy)
	vaguer := ok && specific(f.rule) < specific(named)
	i.Rule, i.Signal = f.rule.ID, f.signal.Signal
	i.Evidence = f.evidence
	if f.category != "" {
		i.Category = f.category
	}
	if !vaguer {
		i.Title, i.NamedBy = f.rule.Title, f.rule.ID
		if p := m.set.PlaybookFor(f.rule, i.Category); p != nil {
			i.Playbook = p.ID
		}
	}
	for _, r := range f.rule.Routes {
		if !slices.Contains(i.Routes, r) {
			i.Routes = append(i.Routes, r)
		}
	}
	i.Sentence = m.sentence(f)
	m.places(t, f.signal.Signal, &f.evidence)
	return true
}

// places notes the sources that an incident is on; a single mention does not make a place.
func (m *Model) places(t *turn, signal string, ev *Evidence) {
	if signal == "all" {
		return // praise is no new front
	}
	for _, s := range sortedKeys(ev.Sources) {
		if ev.Sources[s] >= 2 || len(t.inc.NewSources) == 0 {
			t.newSource(s)
		}
	}
}
