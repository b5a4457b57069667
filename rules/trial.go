package rules

import (
	"strings"
	"time"

	"emberwatch/sources"
)

// Test is one inline test of a rule file: what has been, what is said, and what people must be told of it.
type Test struct {
	Pos        Pos
	Name       string
	Brand      string    // id; what the generated history and the feed are about unless an item says otherwise
	Now        time.Time // when it is judged: a fixed Wednesday noon unless given
	History    *History  // nil: none
	Feed       []FeedItem
	Expect     []Expected          // with no ExpectRate: all of them must come true; none: nobody may be told anything
	Over       time.Duration       // of the rates: the last part of the history that counts
	ExpectRate map[Severity]Atmost // how often incidents may be told without cause
	Rates      bool                // it expects rates, rather than alerts
}

// Atmost is a ceiling, or a floor if AtLeast: "<= 1.5/week".
type Atmost struct {
	Rate    Rate
	AtLeast bool
	Text    string
}

// History is what was said before a test: generated from a seed, or read from a file.
type History struct {
	Generate string // steady, hours, weekly_wave
	File     string // NDJSON, relative to the rule file
	PerHour  float64
	Negative float64        // the share of complaints
	Hours    [7][24]float64 // of hours: by weekday, Sunday first, and hour in the zone of the file
	Weeks    float64
	Seed     uint64
	Until    time.Duration // how long before Now it ends
}

// FeedItem is one or several mentions of a test.
type FeedItem struct {
	Pos       Pos
	At        time.Duration // before Now
	Every     time.Duration // between repetitions
	Repeat    int
	Authors   int    // how many people write the repetitions; as many as there are unless given
	Copied    bool   // the repetitions are copies of one text, not people who say the same in words of their own
	Sentiment string // believed instead of the scorer
	Mention   sources.Mention
}

// Expected is an alert that a test waits for.
type Expected struct {
	Pos      Pos
	Rule     string
	Severity Severity      // 0: any
	By       time.Duration // after the last item of the feed; negative: by Now
	Route    string
	Brand    string
	Draft    *ExpectedDraft
}

// ExpectedDraft is a reply draft that the incident must have.
type ExpectedDraft struct {
	ID     string
	Lang   string
	Guards bool // it must be sendable
}

// String says what is waited for: "leak-tank, severity 1, by 0m, route pr-desk".
func (e *Expected) String() string {
	parts := []string{e.Rule}
	if e.Severity != Calm {
		parts = append(parts, "severity "+string('0'+rune(e.Severity)))
	}
	if e.By >= 0 {
		parts = append(parts, "by "+shortDuration(e.By))
	}
	if e.Route != "" {
		parts = append(parts, "route "+e.Route)
	}
	if e.Brand != "" {
		parts = append(parts, "brand "+e.Brand)
	}
	if d := e.Draft; d != nil {
		parts = append(parts, strings.TrimSpace("draft "+d.ID+" "+d.Lang))
	}
	return strings.Join(parts, ", ")
}
