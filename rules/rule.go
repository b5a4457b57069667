package rules

import (
	"time"

	"emberwatch/sources"
)

// Kind says what a rule looks at.
type Kind string

// The kinds of rules, named by what a person sees; see Parse for those it knows by name only.
const (
	Each      Kind = "each"      // a single mention is enough
	Burst     Kind = "burst"     // more of something than usual
	Shift     Kind = "shift"     // a larger share of something than usual
	Spread    Kind = "spread"    // one mention is passed on fast
	Backlash  Kind = "backlash"  // anger under one thing that the brand itself wrote
	Gauge     Kind = "gauge"     // a number of a source, such as followers, steps or drifts
	Silence   Kind = "silence"   // a source says nothing
	Correlate Kind = "correlate" // several rules tell at the same time

	Unanswered Kind = "unanswered" // complaints wait for an answer
)

// Reads reports whether rules of the kind look at what single mentions say.
func (k Kind) Reads() bool { return k != Gauge && k != Silence && k != Correlate }

// Measure is the part of a rule's matches that a rule of kind shift follows: those for which a condition holds.
type Measure struct {
	Text string // as written: "share(sentiment = negative)"
	Of   *Expr  // the condition; nil: shares_per_hour
}

// Counts reports whether a mention that the rule matches is one of those whose share is measured.
func (m *Measure) Counts(f *Facts) bool { return m.Of != nil && m.Of.Holds(f) }

// Says is what holds of the mentions that count, for a sentence: "mentions in the last hour are negative".
func (m *Measure) Says(when string) string {
	switch of, value := m.Share(); of {
	case ShareRating:
		return "ratings in " + when + " are " + value + " stars or fewer"
	case ShareCondition:
		return "mentions in " + when + " are of the kind " + value
	default:
		return "mentions in " + when + " are " + string(of)
	}
}

// ShareOf is of what mentions a share is measured.
type ShareOf string

// Shares of a sentiment are called as that is; the others are those of ratings up to a number of stars, and of what a
// condition says.
const (
	ShareRating    ShareOf = "rating"
	ShareCondition ShareOf = "kind"
)

// Share says of what a share is measured, and with it the number of stars or the condition.
func (m *Measure) Share() (of ShareOf, value string) {
	fact, sign, value, _ := m.Of.Only()
	switch {
	case fact == "sentiment" && sign == "=":
		return ShareOf(value), ""
	case fact == "rating" && sign == "<=":
		return ShareRating, value
	}
	return ShareCondition, m.Of.inner()
}

// Noun is what is counted, for a sentence: "negative mentions", "low ratings".
func (m *Measure) Noun() string {
	switch of, value := m.Share(); of {
	case ShareRating:
		return "low ratings"
	case ShareCondition:
		return "mentions of the kind " + value
	default:
		return string(of) + " mentions"
	}
}

// Watch is one way in which a gauge may move: its length, and whether it is judged as a step (something happened) or as a
// drift (day by day).
type Watch struct {
	Drift  bool
	Length time.Duration
}

// PerValues are what a rule may judge by itself (baseline.per).
var PerValues = []string{"category", "language", "product", "source"}

// Season is the rhythm that what a rule expects follows.
type Season string

// The seasons.
const (
	NoSeason   Season = "none"
	HourOfDay  Season = "hour_of_day"
	DayOfWeek  Season = "day_of_week"
	HourOfWeek Season = "hour_of_week"
)

// Window is a planned event: for as long as it lasts, what it expects is no surprise. From is in it, To is not.
type Window struct {
	Pos      Pos
	ID       string
	Brand    string // id; empty: every brand
	From, To time.Time
	Effects  map[string]Effect // by "volume" or category id
	Note     string
}

// Effect is what a window does to bursts of what it names. It never touches severity 1 or rules of kind each.
type Effect struct {
	Expected bool    // volume: held at severity 4; a category: one step milder, not past 3
	Budget   float64 // the budget is multiplied by this; 0: unchanged
}

// Rate is how often people are willing to be told: N times per Per.
type Rate struct {
	N   float64
	Per time.Duration
}

// PerWeek returns the rate as a number per week; zero if there is none.
func (r Rate) PerWeek() float64 {
	if r.Per == 0 {
		return 0
	}
	return r.N * float64(7*24*time.Hour) / float64(r.Per)
}

// Budget maps a severity to the rate that people allow for it. "2/week" alone is the rate of severity 3.
type Budget map[Severity]Rate

// Floor is what a rule needs at least before it may tell anybody.
type Floor struct {
	Items   int
	Authors int
	Shares  int // of one mention within an hour; spread only
}

// Dedupe says which repetitions of an each rule's hit are one.
type Dedupe struct {
	By  []string // author, text
	For time.Duration
}

// Match is what a mention must be like for a rule to look at it. An empty Match takes every mention of the brand.
type Match struct {
	Sentiment     string // negative, neutral, positive or empty
	Categories    []string
	NotCategories []string
	Confidence    float64 // least confidence of a category hit
	Kinds         []sources.Kind
	Sources       []string
	Languages     []string
	Authors       Authors
	MinRating     float64 // from rating: "<= 2", ">= 4"; 0 is open
	MaxRating     float64
	MinReach      int
	AllOf         []*Term
	AnyOf         []*Term
	NoneOf        []*Term
}

// Rule is one rule as written, references resolved and defaults filled in.
type Rule struct {
	Pos          Pos
	ID           string
	Title        string
	Note         string
	Kind         Kind
	Brand        string // id, or empty for every brand
	Match        Match
	Windows      []time.Duration // multiples of 5 minutes up to 24 h; nil: the four default windows
	Per          []string        // baseline.per: the rule judges each of these by itself, each combination if they are several; in the order of PerValues
	Season       Season          // baseline.season; empty: the usual one, the hour of the week, for shares the day of the week
	Floor        Floor
	Budget       Budget
	Severity     Severity      // 0: decided by category, see the detector
	SeverityIf   []SeverityIf  // the first that holds replaces the severity
	EscalateIf   []SeverityIf  // each that holds may raise it
	Dedupe       Dedupe        // each only
	Measure      *Measure      // shift only
	Metric       string        // gauge only: "followers"
	Direction    string        // gauge only: up, down or both
	Watch        []Watch       // gauge only
	Sources      []string      // silence only; nil: every source
	Of           []string      // correlate only: ids of rules
	AtLeast      int           // correlate only: how many of them …
	Within       time.Duration // … within which time
	SLA          string        // unanswered and each: id of the answer clocks of what matches; empty: none
	Batch        time.Duration // unanswered and each: how far apart breaches are told; 0: 15 minutes
	ResolveQuiet time.Duration // resolve.quiet; 0: the default
	Routes       []string      // ids; empty: default
	Playbook     string        // id; empty: the one of the leading category
}

// Signal returns the name of what the rule counts, in the vocabulary of the contract: "negative", "all", "share",
// "unfollow", "category:<id>", or "rule:<id>" for anything of its own.
func (r *Rule) Signal() string {
	switch r.Kind {
	case Shift:
		if r.Measure.Of.Asks("rating") {
			return "rating"
		}
		return "share"
	case Spread, Backlash, Silence, Unanswered:
		return string(r.Kind)
	case Gauge:
		return "gauge:" + r.Metric
	case Correlate:
		return "rule:" + r.ID
	}
	m := &r.Match
	if len(m.Kinds) == 1 && (m.Kinds[0] == sources.Share || m.Kinds[0] == sources.Unfollow) {
		return string(m.Kinds[0])
	}
	if len(m.AllOf)+len(m.AnyOf)+len(m.NoneOf)+len(m.Sources)+len(m.Languages) > 0 ||
		m.MinRating != 0 || m.MaxRating != 0 || m.MinReach != 0 || !m.Authors.Empty() {
		return "rule:" + r.ID
	}
	switch {
	case len(m.Categories) == 1:
		return "category:" + m.Categories[0]
	case len(m.Categories) > 1:
		return "rule:" + r.ID
	case m.Sentiment == "negative":
		return "negative"
	case m.Sentiment == "":
		return "all"
	}
	return "rule:" + r.ID
}
