// Package rules is what analysts write, and what it says about one mention.
//
// A rule file is YAML: brands with their terms, rules that say what counts and how often one is willing to be
// told, routes to people, categories with cue words, playbooks with reply templates. [Parse] reads any
// number of files into one immutable [Set] and reports every problem at once, each with file, line,
// column and a hint. [Set.Match] says of one mention, as a tokenised [Doc], which brands it speaks about
// and which categories its words point to; [Rule.Holds] says whether the rule's conditions hold for the
// [Facts] that the detector has filled in.
//
// What a mention costs must not depend on what analysts have written: words, phrases, raw texts and the letters that a regular
// expression needs are found in one walk over the text (trie.go, textterm.go), and a term of several words is looked at only
// where its rarest word is (termmatch.go). Words of terms match in all their forms (inflect.go), cues of categories as written.
//
// Folding, tokens, the phrase trie and the categories with their cue words live here because rules are
// the first room that needs them; the scorer and the drafts use them from here.
//
// The package never scores sentiment, keeps no state, opens no network connection and knows nothing of
// time beyond what a file says about it.
//
// # Caveats
//
// The cues are word lists with gaps. They know negation, questions, conditions, quotations and what has been put right by
// words that stand near, and a few slang traps; they know no irony and no grammar, and take "why is it still
// here?" for a complaint. Cues other than English ones want a native reader. A cue counts only in a text of its own language, so a
// wrongly recognised language hides it. An [Error] quotes rule files: use [Format] for a terminal.
package rules

import (
	"fmt"
	"strings"
	"time"

	"emberwatch/sources"
)

// Severity is how grave an incident is: 1 crisis, 2 serious, 3 issue, 4 notice. Zero is calm (or, in a
// rule, not set). A smaller positive number is graver.
type Severity int

// The severities.
const (
	Calm    Severity = 0
	Crisis  Severity = 1
	Serious Severity = 2
	Issue   Severity = 3
	Notice  Severity = 4
)

// String returns the word for the severity: crisis, serious, issue, notice or calm.
func (s Severity) String() string {
	switch s {
	case Calm:
		return "calm"
	case Crisis:
		return "crisis"
	case Serious:
		return "serious"
	case Issue:
		return "issue"
	case Notice:
		return "notice"
	}
	return fmt.Sprintf("severity(%d)", int(s))
}

// GraverThan reports whether s is graver than o. Everything is graver than Calm.
func (s Severity) GraverThan(o Severity) bool {
	return s != Calm && (o == Calm || s < o)
}

// Pos is a place in a rule file; lines and columns count from 1.
type Pos struct {
	File string
	Line int
	Col  int
}

// String returns file:line:col.
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col) }

// Level says whether a problem refuses the file.
type Level string

// The levels of a problem. Warnings never refuse a file.
const (
	LevelError   Level = "error"
	LevelWarning Level = "warning"
)

// Error is one problem in a rule file. What says what is wrong, Why says why it matters, Hint how to repair it.
type Error struct {
	Pos   Pos
	ID    string // E01, W03, …; "syntax", "limit", "key", "type" for problems of form; see [Problems]
	Level Level
	What  string
	Why   string
	Hint  string
}

// Error returns the problem as one line: file:line:col: id: what; why; how to repair.
func (e *Error) Error() string {
	parts := []string{e.What}
	for _, s := range []string{e.Why, e.Hint} {
		if s != "" {
			parts = append(parts, s)
		}
	}
	return fmt.Sprintf("%s: %s: %s", e.Pos, e.ID, strings.Join(parts, "; "))
}

// Errors are all problems of the files that were read together, in the order of their places.
type Errors []*Error

// Error returns one line for each problem.
func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// Refused reports whether at least one problem is an error rather than a warning.
func (es Errors) Refused() bool {
	for _, e := range es {
		if e.Level == LevelError {
			return true
		}
	}
	return false
}

// Brand is what a brand is called and who speaks for it.
type Brand struct {
	Pos             Pos
	ID              string
	Names           []string
	Products        map[string][]string
	Handles         map[string][]string // by network
	Hashtags        []string
	OwnAuthors      []string // "network:id" or "source:id"
	Exclude         []string
	Ambiguous       map[string]Ambiguity
	ContextNegative []string
	Senses          []Sense // what words mean in talk about this brand: its lexicon, and its names, which mean nothing
	Tone            Tone
	Contact         map[string]string // dm, status, phone, …
	Languages       []string
}

// Ambiguity says which other words an ambiguous name needs near it to count.
type Ambiguity struct {
	NeedAny     []string
	WithinWords int // 12 unless set
}

// Tone is how a brand speaks.
type Tone struct {
	SignOff string
	Address map[string]string // by language: Sie, du, Sie_in_complaints, Вы, vous, usted, …
	Emoji   string            // never, positive_only
}

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

// Step is one rung of an escalation ladder: After the first notification, incidents of exactly this Severity
// are told to the route To.
type Step struct {
	After    time.Duration
	Severity Severity
	To       string
	Again    bool
}

// Slack is where a route leads in Slack: a channel, or a person.
type Slack struct {
	Channel string // "#pr-alerts" or an id
	User    string // "@ingrid" or an id
	Mention string // "@pr-oncall", "@here" or an id; put into first notifications
}

// QuietHours hold back what is milder than PassSeverity until they end.
type QuietHours struct {
	Zone         *time.Location
	From, To     int      // minutes of the day; To may be smaller than From (past midnight); equal: no daily hours
	Outside      string   // id of a calendar: quiet is also whenever it is closed
	PassSeverity Severity // 2 unless set: severities up to this one always pass
	Otherwise    string   // digest_at_end, hold
}

// Route leads to people.
type Route struct {
	Pos      Pos
	ID       string
	Slack    Slack
	Quiet    *QuietHours
	Ladder   []Step // nil: the default ladder of the severity
	Also     []string
	Fallback []string
	Notify   Notify
	Private  bool        // may show direct messages
	Language string      // of our own words; empty: English
	Digest   *DigestTime // when what is not serious is told, all at once; nil: each by itself
}

// Notify changes the re-notification defaults of a route.
type Notify struct {
	Reminder time.Duration
	Worse    time.Duration
	Gather   time.Duration
	Roots    int
	RootsIn  time.Duration
}

// Cluster is how much responsibility people are likely to attribute to the brand (SCCT, Coombs 2007).
type Cluster string

// The clusters.
const (
	Victim      Cluster = "victim"
	Accidental  Cluster = "accidental"
	Preventable Cluster = "preventable"
)

// Category is one topic of complaint, with the cue words that point to it.
type Category struct {
	Pos     Pos
	ID      string
	Sev     Severity // starting severity for one credible item; 0: a topic, never an alert by itself
	Solo    bool     // may fire on a single mention
	Cluster Cluster
	Weight  float64             // what P(negative) is raised to by a cue; 0: no raise
	Cues    map[string][]string // complaints, by language; * ends a word openly, # is a number, ... a gap, a final ? a question that complains
	Weak    map[string][]string // cues that are slang or another language's word as well: they count only in their own language, beside a sign, media or a low rating
	Topics  map[string][]string // what it is about, with no complaint in it: they raise nothing
	NoDraft bool                // never a public draft (legal, death, minors, self-harm)
	Signs   map[string][]string // by language: person and body words that make a solo cue credible
}

// Playbook is what people of the brand agreed to say about one kind of trouble.
type Playbook struct {
	Pos        Pos
	ID         string
	Categories []string // it answers for these where a rule names no playbook
	Cluster    Cluster
	ClusterIf  []ClusterIf // the first that holds replaces Cluster
	Facts      PlaybookFacts
	Approve    map[Severity][]string // roles that must approve a draft
	Drafts     []Template
	DoNot      []string
	Embedded   bool // it is one of the library; a file's own takes its place
}

// ClusterIf is a cluster that is proposed where a condition on the incident holds.
type ClusterIf struct {
	When    *Expr
	Cluster Cluster
}

// PlaybookFacts are the facts a playbook starts an incident's fact sheet with.
type PlaybookFacts struct {
	Known       []string
	Checking    []string
	Instruction map[string]string // by language; "" is any language
	NextUpdate  NextUpdate
	Cleared     map[string]bool // cause, apology, refund, …
}

// NextUpdate says when and where people hear more.
type NextUpdate struct {
	In    time.Duration
	Where string
}

// Template is one reviewed text with slots.
type Template struct {
	Pos       Pos
	ID        string   // public-short, public-full, private, holding, positive, …
	Kind      string   // reply (default), holding_statement
	Networks  []string // families or networks; empty: all
	Languages []string
	Clusters  []Cluster // empty: all
	Address   string    // du, tú: the familiar form; empty: the one used to strangers
	Text      string
}

// Set is everything that was read, immutable and safe for concurrent use.
type Set struct {
	Team       string
	Zone       *time.Location
	Brands     map[string]*Brand
	Routes     map[string]*Route
	Rules      []*Rule
	Categories map[string]*Category
	Playbooks  map[string]*Playbook
	Budgets    map[string]Budget // by route
	Windows    []Window          // planned events, in the order of the files
	Calendars  map[string]*Calendar
	SLAs       map[string]*SLA
	Packs      []string
	Tests      []*Test
	Hash       string // of the files, for the audit: first 12 hex digits of a SHA-256

	starter []*Rule // the embedded rules
	packed  []*Rule // those of the other packs that the files ask for
	byID    map[string]*Rule
	byBrand map[string]*brandRules // of the brands that the files name
	unnamed *brandRules            // of every other brand
	names   map[string]string      // folded id or name -> id
	counted map[string]bool        // rules whose incidents a condition counts
	scope   scopeWords
	index   *index
}

// Hit is one category that the words of a mention point to.
type Hit struct {
	Category   string
	Confidence float64 // 0..1; below 0.6 for a solo category that lacks a second sign
	Weight     float64 // what P(negative) is raised to; 0 if the words only name the topic, ask, suppose, quote or tell of what is over
	Cue        string  // the cue as written in the file
	Start, End int     // byte offsets of the words in the Doc's text
	Negated    bool
}

// Found is what the words of one mention say.
type Found struct {
	Brands []string // ids, sorted
	Hits   []Hit    // one for each category, the weightiest first; negated ones last

	given  bool     // the source said whose mention it is
	groups []string // brand terms that occur, as brand/group
	terms  foundTerms
}
