package rules

import (
	"math"
	"time"

	"emberwatch/sources"
)

// Facts are the flat values that the conditions of rules ask for. Rules declare them, the detector fills
// them in.
type Facts struct {
	Mention    *sources.Mention // nil: a condition on a signal
	PNegative  float64
	Label      string // negative, neutral, positive
	Lang       string
	Categories []string
	Found      *Found
	Sum        *Sum // nil: a condition on one mention alone
}

// Sum is what the mentions behind a signal add up to. The functions are called only where a condition asks.
type Sum struct {
	Items     func(within time.Duration) int // that count; within 0: the window that led
	Authors   func(within time.Duration) int // who wrote them
	Sources   int
	Languages int
	Reach     int
	Media     bool
	Incidents func(rule string, within time.Duration) int // that the rule has opened for the brand, the one in question too
}

// Fact is one of the facts that expressions may ask for, as schema and README list it.
type Fact struct {
	Name string // with its arguments: "authors(1h)"
	Says string
	Of   string // mention, signal, both
}

// KnownFacts returns the facts that expressions may ask for, in the order of the table.
func KnownFacts() []Fact {
	all := make([]Fact, len(factTable))
	for i := range factTable {
		t := &factTable[i]
		all[i] = Fact{t.name + t.example, t.says, t.of.String()}
	}
	return all
}

// factOf says what a fact is about.
type factOf uint8

const (
	ofMention factOf = 1 << iota // one mention
	ofSignal                     // what the mentions behind an alert add up to
)

func (o factOf) String() string {
	switch o {
	case ofMention:
		return "mention"
	case ofSignal:
		return "signal"
	}
	return "both"
}

// fact is one row of the table. Exactly one of number, flag and words is set. A number that is not known makes every
// comparison with it false.
type fact struct {
	name    string
	example string // its arguments: "(1h)"
	says    string
	of      factOf
	rule    bool // the first argument is a rule's id
	within  int  // arguments that are durations, at least …
	most    int  // … and at most
	known   []string
	refers  string // what its words are ids of

	number func(f *Facts, a factArgs) (n float64, known bool)
	flag   func(f *Facts) bool
	words  func(f *Facts) []string
}

type factArgs struct {
	rule   string
	within time.Duration
}

var factTable = []fact{
	{
		name: "sentiment", says: "negative, neutral or positive", of: ofMention, known: []string{"negative", "neutral", "positive"},
		words: func(f *Facts) []string { return []string{f.Label} },
	},
	{
		name: "p_negative", says: "how sure it is that the mention is negative, 0 to 1", of: ofMention,
		number: func(f *Facts, _ factArgs) (float64, bool) { return f.PNegative, true },
	},
	{
		name: "rating", says: "its stars, 1 to 5; without stars every comparison is false", of: ofMention,
		number: func(f *Facts, _ factArgs) (float64, bool) {
			return f.mention().Rating, f.mention().Rating > 0
		},
	},
	{
		name: "category", says: "a category that its words point to", of: ofMention, refers: "category",
		words: func(f *Facts) []string { return f.Categories },
	},
	{
		name: "language", says: "its language, as two letters", of: ofMention,
		words: func(f *Facts) []string { return []string{f.Lang} },
	},
	{
		name: "kind", says: "comment, review, tag, …", of: ofMention, known: kindWords(),
		words: func(f *Facts) []string { return []string{string(f.mention().Kind)} },
	},
	{
		name: "source", says: "the source or network that it comes from", of: ofMention,
		words: func(f *Facts) []string { return []string{f.mention().Source, f.mention().Network} },
	},
	{
		name: "private", says: "it is a direct message", of: ofMention,
		flag: func(f *Facts) bool { return f.mention().Visibility == sources.Private },
	},
	{
		name: "has_media", says: "it has a picture or video; of a signal: one of its mentions has", of: ofMention | ofSignal,
		flag: func(f *Facts) bool { return f.mention().HasMedia || f.Mention == nil && f.Sum != nil && f.Sum.Media },
	},
	{
		name: "reach", says: "followers of the author and shares; of a signal: the sum", of: ofMention | ofSignal,
		number: func(f *Facts, _ factArgs) (float64, bool) {
			if f.Mention == nil && f.Sum != nil {
				return float64(f.Sum.Reach), true
			}
			return float64(f.mention().Reach()), true
		},
	},
	{
		name: "authors", example: "(1h)", says: "how many people wrote what the rule has found within a time; without one: within the window that led", of: ofSignal, most: 1,
		number: func(f *Facts, a factArgs) (float64, bool) {
			return f.sum(func(s *Sum) int { return s.Authors(a.within) })
		},
	},
	{
		name: "items", example: "(1h)", says: "how many mentions it has found", of: ofSignal, most: 1,
		number: func(f *Facts, a factArgs) (float64, bool) {
			return f.sum(func(s *Sum) int { return s.Items(a.within) })
		},
	},
	{
		name: "sources", says: "on how many sources they are", of: ofSignal,
		number: func(f *Facts, _ factArgs) (float64, bool) { return f.sum(func(s *Sum) int { return s.Sources }) },
	},
	{
		name: "languages", says: "in how many languages they are", of: ofSignal,
		number: func(f *Facts, _ factArgs) (float64, bool) {
			return f.sum(func(s *Sum) int { return s.Languages })
		},
	},
	{
		name: "incidents", example: "(RULE, 60d)", says: "how many incidents a rule has opened within a time, this one too", of: ofSignal, rule: true, within: 1, most: 1,
		number: func(f *Facts, a factArgs) (float64, bool) {
			return f.sum(func(s *Sum) int { return s.Incidents(a.rule, a.within) })
		},
	},
}

func kindWords() []string {
	var words []string
	for _, k := range sources.Kinds {
		words = append(words, string(k))
	}
	return words
}

func factNamed(name string) *fact {
	for i := range factTable {
		if factTable[i].name == name {
			return &factTable[i]
		}
	}
	return nil
}

// factNames are those that may be asked for of what the expression is about.
func factNames(of factOf) []string {
	var names []string
	for i := range factTable {
		if factTable[i].of&of != 0 {
			names = append(names, factTable[i].name)
		}
	}
	return names
}

// noMention answers where there is none.
var noMention sources.Mention

func (f *Facts) mention() *sources.Mention {
	if f.Mention == nil {
		return &noMention
	}
	return f.Mention
}

func (f *Facts) sum(of func(*Sum) int) (float64, bool) {
	if f.Sum == nil {
		return math.NaN(), false
	}
	return float64(of(f.Sum)), true
}
