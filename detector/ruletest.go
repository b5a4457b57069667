package detector

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// RuleTests runs the inline tests of rule files on the same model as the daemon, with the test's own time. Nothing is
// stored and nothing sent. Tests share nothing and run side by side; the same test always ends the same way.
type RuleTests struct {
	Rules  *rules.Set
	Scorer Scorer
	// Read returns the mentions of a file that a test names as its history; nil: files cannot be read.
	Read func(file string) ([]sources.Mention, error)
	// Drafts says which reply drafts an incident would get; nil: expected drafts are not looked at.
	Drafts func(ctx context.Context, i *Incident, ms []Judged) ([]TestDraft, error)
}

// TestDraft is a reply draft as far as tests ask for it.
type TestDraft struct {
	ID, Lang string
	Sendable bool
	Why      string // the guards that it fails
}

// TestResult is how one test ended.
type TestResult struct {
	Test     *rules.Test
	Problems []string // why it failed; none: it passed
	Notes    []string // what else was told, and how far off the expected was
	Skipped  bool     // there was no time for it
	Took     time.Duration
}

// Passed reports whether everything came as expected.
func (r *TestResult) Passed() bool { return len(r.Problems) == 0 && !r.Skipped }

// Run runs tests and returns their results in the same order. Once ctx is done the rest is skipped.
func (x *RuleTests) Run(ctx context.Context, tests []*rules.Test) []TestResult {
	results := make([]TestResult, len(tests))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(tests)) {
		wg.Go(func() {
			for i := range next {
				start := time.Now()
				results[i] = x.one(ctx, tests[i])
				results[i].Took = time.Since(start)
			}
		})
	}
	for i := range tests {
		next <- i
	}
	close(next)
	wg.Wait()
	return results
}

func (x *RuleTests) one(ctx context.Context, t *rules.Test) TestResult {
	if t.Rates {
		return x.rates(ctx, t)
	}
	res := TestResult{Test: t}
	s, err := x.play(ctx, t, seedOf(t))
	switch {
	case err != nil:
		res.Problems = append(res.Problems, err.Error())
	case s.stopped:
		res.Skipped = true
	default:
		s.compare(ctx, &res)
	}
	return res
}

func seedOf(t *rules.Test) uint64 {
	if t.History == nil {
		return 0
	}
	return t.History.Seed
}

// session is one run of one test.
type session struct {
	x       *RuleTests
	test    *rules.Test
	replay  *Replay
	now     time.Time
	from    time.Time // alerts count from here on
	last    time.Time // of the feed
	told    []sighting
	opened  map[string]time.Time   // by incident
	judged  map[sources.Key]Judged // of the feed
	order   []sources.Key
	stopped bool
}

// sighting is the first time that an open incident was told for a rule at a severity.
type sighting struct {
	incident string
	rule     string
	severity rules.Severity
	at       time.Time
}

// play feeds history and feed, and lets the clock run to the test's now.
func (x *RuleTests) play(ctx context.Context, t *rules.Test, seed uint64) (*session, error) {
	s := &session{x: x, test: t, now: t.Now, opened: map[string]time.Time{}, judged: map[sources.Key]Judged{}}
	zone := x.Rules.Zone
	if s.now.IsZero() {
		s.now = time.Date(2026, 1, 14, 12, 0, 0, 0, zone)
	}
	s.now = s.now.UTC()
	brand := t.Brand
	if brand == "" {
		brand = x.Rules.FirstBrand(t.Pos.File)
	}
	history, end, err := x.history(t, brand, s.now, zone, seed)
	if err != nil {
		return nil, err
	}
	feed := s.feed(brand)
	s.from = end
	if len(feed) > 0 {
		s.last = feed[len(feed)-1].mention.CreatedAt
		if first := feed[0].mention.CreatedAt; first.Before(s.from) {
			s.from = first
		}
	}
	if t.Rates {
		s.from = s.now.Add(-t.Over)
	}
	s.replay = NewReplay(x.Rules, x.Scorer)
	s.replay.coarse = t.Rates
	s.replay.changed = s.note
	all := append(history, feed...)
	slices.SortStableFunc(all, func(a, b spoken) int { return a.mention.CreatedAt.Compare(b.mention.CreatedAt) })
	for i := range all {
		if i%256 == 0 && ctx.Err() != nil {
			s.stopped = true
			return s, nil
		}
		s.hear(&all[i], i >= len(history) || !all[i].mention.CreatedAt.Before(s.from))
	}
	s.run(s.now)
	return s, nil
}

// history returns what was said before, and when it ends.
func (x *RuleTests) history(t *rules.Test, brand string, now time.Time, zone *time.Location, seed uint64) ([]spoken, time.Time, error) {
	h := t.History
	if h == nil {
		return nil, now, nil
	}
	end := now.Add(-h.Until)
	if h.File == "" {
		b, _ := x.Rules.Brand(brand)
		return generate(h, b, brand, end, zone, seed), end, nil
	}
	if x.Read == nil {
		return nil, end, fmt.Errorf("the history %s cannot be read here", h.File)
	}
	ms, err := x.Read(h.File)
	if err != nil {
		return nil, end, fmt.Errorf("history: %w", err)
	}
	var all []spoken
	for i := range ms {
		if ms[i].CreatedAt.Before(end) {
			if ms[i].Brand == "" {
				ms[i].Brand = brand
			}
			all = append(all, spoken{mention: ms[i]})
		}
	}
	return all, end, nil
}

// feed makes the mentions of the test, in the order of time.
func (s *session) feed(brand string) []spoken {
	var all []spoken
	for n, f := range s.test.Feed {
		every := f.Every
		if every == 0 {
			every = time.Second
		}
		for k := range f.Repeat {
			m := f.Mention
			m.CreatedAt = s.now.Add(-f.At).Add(time.Duration(k) * every)
			if m.CreatedAt.After(s.now) {
				m.CreatedAt = s.now
			}
			m.ID = orNumbered(m.ID, "feed", n, k, f.Repeat)
			if m.Author.ID == "" || f.Authors > 0 {
				who := k
				if f.Authors > 0 {
					who = k % f.Authors
				}
				m.Author.ID = orNumbered(m.Author.ID, "author", n, who, 2)
			}
			s.fillIn(&m, brand)
			all = append(all, spoken{m, Label(f.Sentiment), f.Repeat > 1 && !f.Copied})
		}
	}
	slices.SortStableFunc(all, func(a, b spoken) int { return a.mention.CreatedAt.Compare(b.mention.CreatedAt) })
	return all
}

func orNumbered(id, what string, n, k, of int) string {
	switch {
	case id == "":
		return fmt.Sprintf("%s-%d-%d", what, n+1, k+1)
	case of > 1:
		return fmt.Sprintf("%s-%d", id, k+1)
	}
	return id
}

// fillIn sets what an item leaves open. Whose mention a text is, the rules find out, as they do of a source that does not
// say; what has no text is said to be the brand's.
func (s *session) fillIn(m *sources.Mention, brand string) {
	if m.Source == "" {
		m.Source = testSource
	}
	if m.Network == "" && m.Source != testSource {
		m.Network = m.Source
	}
	if m.Brand == "" && (m.Text == "" && m.Title == "" || len(s.x.Rules.Brands) == 0) {
		m.Brand = brand
	}
	switch {
	case m.Kind != "":
	case m.Metric != nil:
		m.Kind = sources.Metric
	case m.Rating > 0:
		m.Kind = sources.Review
	default:
		m.Kind = sources.Comment
	}
}

// hear judges one mention and books it. What was said before the test begins teaches and is told to nobody.
func (s *session) hear(x *spoken, live bool) {
	var scorer Scorer = s.x.Scorer
	if x.label != "" {
		scorer = believed{s.x.Scorer, x.label, x.mention.Lang}
	}
	judged := Judge(s.x.Rules, scorer, x.mention)
	if strings.HasPrefix(x.mention.ID, "history-") || !live {
		s.run(x.mention.CreatedAt)
		s.replay.book(&x.mention, judged, !live)
		return
	}
	for i := range judged {
		if x.ownWords {
			judged[i].Sketch = 0
		}
		s.judged[x.mention.Key()] = judged[i]
	}
	s.order = append(s.order, x.mention.Key())
	s.run(x.mention.CreatedAt)
	s.replay.book(&x.mention, judged, false)
}

// run lets the clock work: minute by minute once alerts count, before that only while an incident is open.
func (s *session) run(to time.Time) {
	if to.After(s.from) && s.replay.clock.Before(s.from) {
		s.replay.advance(s.from)
	}
	if s.test.Rates || !to.After(s.from) {
		s.replay.advance(to)
		return
	}
	s.replay.tickTo(to)
}

// note keeps what people are told by a change.
func (s *session) note(c *Change) {
	for k := range c.Incidents {
		i := &c.Incidents[k]
		s.opened[i.ID] = i.OpenedAt
		if c.At.Before(s.from) || !i.Open() {
			continue
		}
		names := []string{i.Rule}
		for _, sig := range i.Signals {
			names = append(names, sig.Rule)
		}
		for _, rule := range names {
			x := sighting{i.ID, rule, told(i), c.At}
			if !slices.ContainsFunc(s.told, func(y sighting) bool { return y.incident == x.incident && y.rule == x.rule && y.severity == x.severity }) {
				s.told = append(s.told, x)
			}
		}
	}
}

// believed is a scorer for texts whose sentiment a test knows.
type believed struct {
	Scorer
	label Label
	lang  string
}

// Score believes the test, and asks the scorer for the language only.
func (x believed) Score(doc *rules.Doc, about About) Score {
	s := Score{Lang: x.lang}
	if len(doc.Tokens) > 0 {
		s = x.Scorer.Score(doc, about)
		if x.lang != "" {
			s.Lang = x.lang
		}
	}
	s.P, s.Known, s.Disagree = P{0.05, 0.9, 0.05}, true, false
	switch x.label {
	case Negative:
		s.P = P{0.9, 0.08, 0.02}
	case Positive:
		s.P = P{0.02, 0.08, 0.9}
	}
	return s
}
