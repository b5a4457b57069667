package rules

import (
	"time"
)

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
