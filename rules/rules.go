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
	"time"
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
	off     []*Rule // those of the files with enabled: false
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
