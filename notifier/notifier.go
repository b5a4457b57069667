// Package notifier is people, in both directions: it tells them what the detector found, and brings back
// what they do about it.
//
// [Dispatcher] drains the detector's outbox: it takes an [detector.Alert], looks up the incident and its most
// telling mentions as they are now, has reply drafts made, and hands the [Message] to the [Notifier] that the
// alert goes by. "sending" is committed before the call and the receipt after it; what may have been posted is
// looked up before it is sent again. The packages below implement the ways to people: slack, console, email,
// web; and to machines: webhook and command, which get the message as an [Envelope]. draft makes the reply drafts, chart draws
// what was counted. What we say ourselves stands in files of phrases, one for each [Language]; [Sentence] and [ReportLines]
// say with them what an incident and a period are about, [Language.Tell] what the detector has said in clauses.
//
// Nothing here decides what is unusual or changes an incident: a pressed button becomes a
// [detector.Event] for the [Responder] and comes back as new alerts.
//
// # Caveats
//
// Texts, authors, titles and links in a Message are foreign and not escaped. Each notifier escapes for its
// own medium, at the edge.
package notifier

import (
	"context"
	"fmt"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"
)

// Message is everything needed to tell people about one alert, looked up and ready to be put in words.
type Message struct {
	Alert    detector.Alert
	Incident detector.Incident
	Brand    *rules.Brand      // never nil; only ID is set for a brand that no file names
	Route    *rules.Route      // where it goes
	Root     detector.Ref      // the incident's root in this channel; zero for a root
	Mention  []rules.Slack     // whom to name
	OnDuty   string            // who answers on this route, in words
	Quotes   []detector.Judged // the most telling mentions that are still there, at most 5; DMs only if the route is private
	Private  int               // direct messages left out of Quotes
	Topics   []detector.Topic  // what it is about in people's own words, the most telling first; foreign text
	Drafts   int               // reply drafts that can be looked at
	Digest   []Entry           // of a digest: the incidents that it names, the gravest first; Incident is zero then
	Next     *Escalation       // what happens if nobody acknowledges; nil: nothing
	Link     string            // to the incident on the page; may be empty
	Language *Language         // of our own words; nil: English
	Zone     *time.Location    // of the weekday in our sentence; nil: UTC
	Chart    *Chart            // of what was counted; nil: none belongs to this alert
	Now      time.Time
}

// Entry is an incident in a digest.
type Entry struct {
	Brand    string // its name; foreign text
	Incident detector.Incident
}

// Escalation is the next rung of the ladder.
type Escalation struct {
	At time.Time
	To string // in words: "@ingrid", "#crisis"
}

// Notifier is one way to people. Notify returns where the message is; for an edit, where it was.
// Errors are a *DeliveryError where the outcome is known, anything else counts as Unknown. It must not retry
// by itself, and it is safe for concurrent use.
type Notifier interface {
	Name() string
	Notify(ctx context.Context, m *Message) (detector.Ref, error)
}

// Reconciler is a Notifier that can look up whether a message with the alert's key was posted.
type Reconciler interface {
	Notifier
	// Find looks for the message in its channel from since on. An error means that it could not look.
	Find(ctx context.Context, m *Message, since time.Time) (detector.Ref, bool, error)
}

// Outcome says how a delivery failed.
type Outcome int

// The outcomes of a failed delivery.
const (
	Unknown Outcome = iota // may have been posted: look it up before sending again
	NotSent                // certainly not posted, worth another try
	Busy                   // refused for now: try after RetryAfter, no attempt counted
	ForGood                // refused for good: another way has to be found
	Down                   // certainly not posted, as nothing there can be reached: the whole channel waits
)

// String returns the word for the outcome.
func (o Outcome) String() string {
	return [...]string{"unknown", "not_sent", "busy", "for_good", "down"}[o]
}

// words say what an outcome means, for people who read an error.
func (o Outcome) words() string {
	return [...]string{"it is not known whether it was delivered", "not delivered", "not delivered for now", "not delivered, and never will be this way", "not delivered, since nothing can be reached there"}[o]
}

// DeliveryError is a failed delivery whose outcome is known. Reason is a short word without secrets, such
// as Slack's "not_in_channel".
type DeliveryError struct {
	Outcome    Outcome
	Reason     string
	RetryAfter time.Duration
	Err        error
}

// Error says in words what became of it, with the reason, and the cause where that says more.
func (e *DeliveryError) Error() string {
	if e.Err == nil || strings.ReplaceAll(e.Err.Error(), " ", "_") == e.Reason {
		return fmt.Sprintf("%s: %s", e.Outcome.words(), e.Reason)
	}
	return fmt.Sprintf("%s: %s: %v", e.Outcome.words(), e.Reason, e.Err)
}

// Unwrap returns the cause.
func (e *DeliveryError) Unwrap() error { return e.Err }

// Outbox is the detector's list of what must be told.
type Outbox interface {
	// Pending returns the alerts that are due at now, those of sending and unknown outcome included, in
	// the order in which they should go: gravest and first notifications first.
	Pending(now time.Time) []detector.Alert
	// Mark commits the progress of alerts.
	Mark(ctx context.Context, rs ...detector.Receipt) error
	// Root returns where the sent root is that an alert belongs to.
	Root(of *detector.Alert) (detector.Ref, bool)
	// Members returns the incidents that a digest names, the gravest first.
	Members(digest string) []detector.Incident
	// Incident returns an incident as it was last committed.
	Incident(id string) (detector.Incident, bool)
}

// Responder takes what people do. The result of a repeated event id is that of its first.
type Responder interface {
	Respond(ctx context.Context, e detector.Event) (detector.Result, error)
}

// Suggest says what to do about a mention.
type Suggest string

// What a drafter suggests.
const (
	Reply    Suggest = "reply"
	Monitor  Suggest = "monitor"
	Handover Suggest = "handover"
)

// Request asks for reply drafts to one mention. Everything from History on may be empty.
type Request struct {
	Mention  detector.Judged
	Incident *detector.Incident // nil: outside of one
	Severity rules.Severity     // of the incident, or as asked for; 0: none
	Network  string             // empty: the mention's, else its source's
	Rules    *rules.Set
	Now      time.Time
	History  []detector.Incident       // the brand's earlier incidents: a repetition weighs more
	Sent     []string                  // what the brand has said lately in the same thread or incident
	Edits    []detector.DraftUse       // how people changed drafts before, the newest first
	Hours    func(time.Time) time.Time // when somebody is first there to answer, not before a time; nil: always
}

// Guard is the result of one check on a draft.
type Guard struct {
	ID    string `json:"id"`    // G01, …
	Level string `json:"level"` // hard, warning
	Pass  bool   `json:"pass"`
	Why   string `json:"why"`  // one line; empty when passed
	What  string `json:"what"` // what it looks at, in one line
}

// Draft is one reply that a person could send. It is never posted by the daemon.
type Draft struct {
	ID       string  `json:"id"`
	Lang     string  `json:"lang"`
	Network  string  `json:"network"`
	Text     string  `json:"text"`
	Length   int     `json:"length"` // counted the network's way
	Limit    int     `json:"limit"`  // 0: none known
	Sendable bool    `json:"sendable"`
	Guards   []Guard `json:"guards"`
	Kind     string  `json:"kind"`            // reply, holding_statement
	Playbook string  `json:"playbook"`        // whose template it is
	Origin   Origin  `json:"origin"`          // where the words come from
	Model    string  `json:"model,omitempty"` // that rephrased it
	Facts    []Fact  `json:"facts,omitempty"` // of the fact sheet, that stand in it
}

// Origin says where the words of a draft come from.
type Origin string

// The origins.
const (
	Reviewed  Origin = "template"  // a reviewed text with its slots filled
	Edited    Origin = "edited"    // what a person made of one before
	Rephrased Origin = "rephrased" // what a model made of one just now
)

// Fact is one entry of an incident's fact sheet.
type Fact struct {
	Name  string    `json:"name"` // see detector.FactKnown and its like
	Text  string    `json:"text"`
	State FactState `json:"state"`
}

// FactState says how far a fact may be relied on.
type FactState string

// The states of a fact. A stale one withholds the drafts that hold it.
const (
	Confirmed FactState = "confirmed" // known, cleared, or set by a person for this incident
	Checking  FactState = "checking"  // being looked into
	Standing  FactState = "standing"  // of the playbook: true of every such incident
	Stale     FactState = "stale"
)

// Posture is how much responsibility the drafts take, and why. It is a proposal unless a person has set it.
type Posture struct {
	Cluster rules.Cluster `json:"cluster"`
	Why     string        `json:"why"` // in English
	Said    detector.Said `json:"said,omitempty"`
	Set     bool          `json:"set"` // by a person
}

// Suggestion is what a drafter says about one mention.
type Suggestion struct {
	Suggest Suggest `json:"suggest"`
	Why     string  `json:"why"` // in English

	Said detector.Said `json:"said,omitempty"` // the same in clauses

	Approve  []string  `json:"approve,omitempty"` // roles that must approve at this severity
	Drafts   []Draft   `json:"drafts"`
	Playbook string    `json:"playbook,omitempty"`
	Posture  *Posture  `json:"posture,omitempty"` // nil: nothing to answer for
	DoNot    []string  `json:"do_not,omitempty"`  // what people agreed not to say
	Facts    []Fact    `json:"facts,omitempty"`   // the whole fact sheet
	FactsAt  time.Time `json:"facts_at,omitzero"` // when people last set it
}

// Drafter makes reply drafts. The same request always gives the same drafts.
type Drafter interface {
	Draft(ctx context.Context, r Request) (Suggestion, error)
}
