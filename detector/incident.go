package detector

import (
	"encoding/json"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// Handling is what people say about an incident. What the data says is Incident.Level; the two are kept
// apart, so that an acknowledgement cannot hide growth.
type Handling string

// The states of handling.
const (
	New     Handling = "new"
	Acked   Handling = "acked"
	Snoozed Handling = "snoozed"
	Closed  Handling = "closed"
)

// Closing is why an incident was closed.
type Closing string

// The closing reasons.
const (
	Resolved   Closing = "resolved"
	FalseAlarm Closing = "false_alarm"
	KnownEvent Closing = "known_event"
	Merged     Closing = "merged"
	CalmAgain  Closing = "calm"
	Expired    Closing = "expired"
)

// Window is what one window of a signal held when it was last looked at.
type Window struct {
	Length   time.Duration `json:"length"`
	Observed float64       `json:"observed"`
	Expected float64       `json:"expected"`
	High     float64       `json:"high"` // the most that the model still calls usual (1 in 100 windows is above)
	Surprise float64       `json:"surprise"`
}

// Evidence is what an incident rests on: numbers and the ids of mentions, never their texts.
type Evidence struct {
	Window     Window         `json:"window"`  // the window that led
	Windows    []Window       `json:"windows"` // all that were watched
	Score      float64        `json:"score"`   // calibrated score at the last evaluation
	Bar        float64        `json:"bar"`     // what the score had to pass
	Budget     *Budget        `json:"budget,omitempty"`
	Negative   int            `json:"negative"`
	Total      int            `json:"total"`            // mentions of the brand in the same window
	Authors    int            `json:"authors"`          // distinct authors
	Copied     int            `json:"copied,omitempty"` // mentions that copy texts of others; complaints among them are not counted
	Private    int            `json:"private"`          // direct messages among them
	Reach      int            `json:"reach"`
	Sources    map[string]int `json:"sources,omitempty"`
	Networks   map[string]int `json:"networks,omitempty"`
	Languages  map[string]int `json:"languages,omitempty"`
	Categories map[string]int `json:"categories,omitempty"`
	Cues       []string       `json:"cues,omitempty"`      // the words behind the leading category, most frequent first
	Mentions   []sources.Key  `json:"mentions"`            // the most telling first, at most 20
	First      time.Time      `json:"first,omitzero"`      // when the oldest of them was written
	Answers    *AnswerFigures `json:"answers,omitempty"`   // of the team, where complaints wait
	Learning   string         `json:"learning,omitempty"`  // "provisional, day 3 of 7"; empty once learnt
	Day        int            `json:"day,omitempty"`       // which of the seven that is
	Of         int            `json:"of,omitempty"`        // of a share: how many mentions it is a part of
	Planned    string         `json:"planned,omitempty"`   // the planned event during which it happens
	Counts     string         `json:"counts,omitempty"`    // what was counted, where the signal does not say: likes, or of a share the mentions that are in it
	Condition  string         `json:"condition,omitempty"` // of such a share: up to how many stars, or what holds of them
	From       string         `json:"from,omitempty"`      // the incident that it was split from
	Waited     Duration       `json:"waited,omitempty"`    // where complaints wait: how long the first of them has
	Limit      Duration       `json:"limit,omitempty"`     // likewise: how soon an answer was due
	Place      string         `json:"place,omitempty"`     // what it is about, if that is not a topic: a source, or a mention's id

	// Of a rule with a baseline of its own kind: which source, language, product (its key) or category it judges by itself,
	// that product as people call it, and the season that what is expected follows, if not the usual one.
	Per     map[string]string `json:"per,omitempty"`
	Product string            `json:"product,omitempty"`
	Season  rules.Season      `json:"season,omitempty"`
}

// ActiveSignal is one signal that speaks for an incident: a rule on one series, above its bar or lately so.
type ActiveSignal struct {
	Rule    string         `json:"rule"`
	Signal  string         `json:"signal"` // in the vocabulary of the contract: negative, category:delivery, …
	Series  string         `json:"series"` // signal part of the SeriesKey; empty for an each rule
	Level   rules.Severity `json:"level"`
	First   time.Time      `json:"first"`
	LastHit time.Time      `json:"last_hit"`
	Quiet   Duration       `json:"quiet"`            // calm once LastHit lies so far back
	Window  Duration       `json:"window,omitempty"` // of a burst: the window that led when it was first told …
	Count   float64        `json:"count,omitempty"`  // … and what it held then
	Counts  []float64      `json:"counts,omitempty"` // what each window held then; the steps 2x, 4x, 8x refer to it
	Steps   int            `json:"steps,omitempty"`  // steps told
	Watch   bool           `json:"watch,omitempty"`  // a slow rise, not a burst

	// Standing: it is not over by time, but when whoever raised it says so.
	Standing bool   `json:"standing,omitempty"`
	Why      string `json:"why"`            // why this level, in English
	Said     Said   `json:"said,omitempty"` // the same in clauses
}

// Incident is what people work on. Its history is its audit trail; its texts are in the archive.
type Incident struct {
	ID      string `json:"id"` // <brand>-<n>
	Brand   string `json:"brand"`
	N       int    `json:"n"`
	Version int    `json:"version"` // grows by one with each change

	Title       string   `json:"title"`    // of the rule
	Sentence    string   `json:"sentence"` // what happened against what was expected, in one sentence
	Rule        string   `json:"rule"`
	NamedBy     string   `json:"named_by"` // the rule whose title and playbook it has: the most telling one so far
	RuleHash    string   `json:"rule_hash"`
	Signal      string   `json:"signal"`
	Category    string   `json:"category,omitempty"`
	Playbook    string   `json:"playbook,omitempty"`
	Routes      []string `json:"routes"`
	Evidence    Evidence `json:"evidence"`
	SeverityWhy string   `json:"severity_why"` // which facts decided the severity, in English

	SeveritySaid Said `json:"severity_said,omitempty"` // the same in clauses

	Level    rules.Severity `json:"level"`    // what the data says now; Calm when it is over
	Severity rules.Severity `json:"severity"` // what people are told: the gravest level of this opening, or the override
	Peak     rules.Severity `json:"peak"`     // the gravest level of this opening
	Override rules.Severity `json:"override,omitempty"`
	Signals  []ActiveSignal `json:"signals"` // the leading one first

	Handling    Handling       `json:"handling"`
	Owner       string         `json:"owner,omitempty"`
	AtLevel     rules.Severity `json:"at_level,omitempty"` // the level at which it was acknowledged or snoozed
	LeaseUntil  time.Time      `json:"lease_until,omitzero"`
	LeaseAsked  bool           `json:"lease_asked,omitempty"`
	SnoozeUntil time.Time      `json:"snooze_until,omitzero"`
	Closing     Closing        `json:"closing,omitempty"`
	ClosedBy    string         `json:"closed_by,omitempty"`
	MergedInto  string         `json:"merged_into,omitempty"`
	Absorbed    []Absorbed     `json:"absorbed,omitempty"` // what was merged into it
	Previous    string         `json:"previous,omitempty"` // the older incident of the same story

	Since      time.Time `json:"since"` // start of the window that led: when it began in the data
	OpenedAt   time.Time `json:"opened_at"`
	ChangedAt  time.Time `json:"changed_at"`
	LastHit    time.Time `json:"last_hit"` // when the signal was last above the bar
	CalmSince  time.Time `json:"calm_since,omitzero"`
	CloseAsked bool      `json:"close_asked,omitempty"`
	AckedAt    time.Time `json:"acked_at,omitzero"`
	ClosedAt   time.Time `json:"closed_at,omitzero"`

	Facts   map[string]string `json:"facts,omitempty"` // what people added to the fact sheet
	FactsAt time.Time         `json:"facts_at,omitzero"`

	LadderFrom time.Time   `json:"ladder_from,omitzero"` // when the ladder began to run
	LadderStep int         `json:"ladder_step"`          // rungs already climbed
	RemindAt   time.Time   `json:"remind_at,omitzero"`
	Reminders  int         `json:"reminders"`
	Reopened   []time.Time `json:"reopened,omitempty"`    // of the last six hours
	KnockedAt  time.Time   `json:"knocked_at,omitzero"`   // closed and flapping: since when its signal has been back
	WorseAt    WorseAt     `json:"worse_at,omitempty"`    // when each level was last told
	NewSources []string    `json:"new_sources,omitempty"` // sources already told
}

// WorseAt is when people last heard that an incident had reached a level.
type WorseAt map[rules.Severity]time.Time

// Flapping reports whether an incident keeps coming back: it was reopened three times within six hours.
func (i *Incident) Flapping(now time.Time) bool {
	n := 0
	for _, at := range i.Reopened {
		if now.Sub(at) <= flapWindow {
			n++
		}
	}
	return n >= flapTimes
}

// Open reports whether people still have to do with the incident.
func (i *Incident) Open() bool { return i.Handling != Closed }

// Operation is what a person (or the daemon itself) does to an incident.
type Operation string

// The operations of the contract.
const (
	OpAck        Operation = "ack"
	OpUnack      Operation = "unack"
	OpAssign     Operation = "assign"
	OpSnooze     Operation = "snooze"
	OpResolve    Operation = "resolve"
	OpFalseAlarm Operation = "false-alarm"
	OpKnownEvent Operation = "known-event"
	OpReopen     Operation = "reopen"
	OpNote       Operation = "note"
	OpSeverity   Operation = "severity"
	OpMerge      Operation = "merge"
	OpSplit      Operation = "split"
	OpAnswered   Operation = "answered"
	OpFacts      Operation = "facts"
)

// Actor is who did something: a person, a rule or the clock.
type Actor struct {
	Kind string `json:"kind"` // person, rule, timer, system
	ID   string `json:"id"`   // for a person: a Slack user id, a token's name, a login
	Name string `json:"name,omitempty"`
	Via  string `json:"via"` // slack, cli, http, page, rule, timer
}

// Args are the arguments of an operation; which of them count depends on it.
type Args struct {
	For      Duration          `json:"for,omitempty"`      // ack, snooze: how long
	Until    time.Time         `json:"until,omitzero"`     // ack, snooze: until when, instead of For
	Assignee string            `json:"assignee,omitempty"` // assign
	Note     string            `json:"note,omitempty"`     // note, and as a comment on any other
	Severity rules.Severity    `json:"severity,omitempty"` // severity
	Into     string            `json:"into,omitempty"`     // merge
	Mentions []sources.Key     `json:"mentions,omitempty"` // split, answered
	Facts    map[string]string `json:"facts,omitempty"`    // facts
	Draft    *DraftUse         `json:"draft,omitempty"`    // answered, note: what became of a draft
}

// DraftUse is what a person did with the reply drafts to one mention. With Text, people's changes can be offered the
// next time.
type DraftUse struct {
	ID       string      `json:"id,omitempty"` // of the draft; empty: of none
	Mention  sources.Key `json:"mention"`
	Use      DraftFate   `json:"use"`
	Playbook string      `json:"playbook,omitempty"` // of the draft, as its language and network
	Lang     string      `json:"lang,omitempty"`
	Network  string      `json:"network,omitempty"`
	Text     string      `json:"text,omitempty"` // as it was sent
}

// DraftFate is what became of drafts.
type DraftFate string

// The fates of drafts: sent as it was, sent with changes, or none of them fitted.
const (
	DraftUsed      DraftFate = "used"
	DraftEdited    DraftFate = "edited"
	DraftDiscarded DraftFate = "discarded"
)

// Event is one operation on one incident. ID makes it idempotent: a repeated id gets the first result.
// Expected is the version the person saw, 0 for whatever is current.
type Event struct {
	ID       string    `json:"id"`
	Incident string    `json:"incident"`
	Op       Operation `json:"op"`
	Expected int       `json:"expected_version,omitempty"`
	Actor    Actor     `json:"actor"`
	Args     Args      `json:"args"`
}

// Outcome says what became of an event.
type Outcome string

// The outcomes. Already and Refused are no errors: Result.Message says to the person why nothing changed.
const (
	Applied Outcome = "applied"
	Already Outcome = "already" // it was so before; includes the repetition of an event id
	Refused Outcome = "refused"
)

// Result answers an event.
type Result struct {
	Outcome  Outcome  `json:"outcome"`
	Message  string   `json:"message"`        // one sentence for the person who asked, in English
	Said     Said     `json:"said,omitempty"` // why nothing changed, in clauses
	Incident Incident `json:"incident"`
}

// Audit is one line of an incident's history. Records form one chain per incident; Hash covers the record and
// the hash of the one before, so that a removed or changed line shows.
type Audit struct {
	Seq      int               `json:"seq"` // from 1, per incident
	Incident string            `json:"incident"`
	At       time.Time         `json:"at"`
	Actor    Actor             `json:"actor"`
	Op       string            `json:"op"`                // an Operation, or opened, worse, calm, closed, lease_ended, …
	Reason   NotifyReason      `json:"reason,omitempty"`  // why people were told, if they were
	Note     string            `json:"note,omitempty"`    // in English, and what a person wrote
	Said     Said              `json:"said,omitempty"`    // the same in clauses, if any of them is ours
	Changes  map[string][2]any `json:"changes,omitempty"` // field -> before, after
	RuleHash string            `json:"rule_hash,omitempty"`
	Patch    json.RawMessage   `json:"patch,omitempty"` // all that the turn changed, see Fold; on its first line
	Model    string            `json:"model,omitempty"` // of sentiment, by which the mentions were judged
	Mentions []sources.Key     `json:"mentions,omitempty"`
	Draft    *DraftUse         `json:"draft,omitempty"`
	Event    string            `json:"event,omitempty"` // id of the event behind it
	Prev     string            `json:"prev"`
	Hash     string            `json:"hash"`
}
