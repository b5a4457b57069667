package detector

import (
	"time"

	"emberwatch/rules"
)

// NotifyReason is why people are told something. It is the same word in the audit, in metrics, in logs and
// in messages.
type NotifyReason string

// The reasons to notify.
const (
	ReasonFirst          NotifyReason = "first"
	ReasonWorse          NotifyReason = "worse"
	ReasonNewSource      NotifyReason = "new_source"
	ReasonEscalated      NotifyReason = "escalated"
	ReasonReminder       NotifyReason = "reminder"
	ReasonLeaseEnded     NotifyReason = "lease_ended"
	ReasonSnoozeOver     NotifyReason = "snooze_over"
	ReasonCalm           NotifyReason = "calm"
	ReasonResolved       NotifyReason = "resolved"
	ReasonReopened       NotifyReason = "reopened"
	ReasonDigest         NotifyReason = "digest"
	ReasonSourceDown     NotifyReason = "source_down"
	ReasonDeliveryFailed NotifyReason = "delivery_failed"
	// ReasonUpdated is the reason of an edit in place: nothing new is said, the root shows the newest numbers.
	ReasonUpdated NotifyReason = "updated"
)

// AlertKind is the form an alert takes in a channel.
type AlertKind string

// The kinds: a Root opens the incident's thread in a channel, an Edit renews that root in place, a Thread
// line follows it, a Broadcast is a thread line that the channel sees too.
const (
	KindRoot      AlertKind = "root"
	KindEdit      AlertKind = "edit"
	KindThread    AlertKind = "thread"
	KindBroadcast AlertKind = "broadcast"
)

// AlertState is how far the delivery of an alert is.
type AlertState string

// The states: sending is committed before the call to the outside; unknown means that it may have been
// posted and has to be looked up before it is sent again.
const (
	AlertPending   AlertState = "pending"
	AlertSending   AlertState = "sending"
	AlertUnknown   AlertState = "unknown"
	AlertSent      AlertState = "sent"
	AlertDead      AlertState = "dead"
	AlertCancelled AlertState = "cancelled"
)

// Done reports whether nothing more will happen to an alert in this state.
func (s AlertState) Done() bool {
	return s == AlertSent || s == AlertDead || s == AlertCancelled
}

// Ref is where a message is: a channel and the id it has there. The zero Ref is no message.
type Ref struct {
	Channel string `json:"channel,omitempty"`
	ID      string `json:"id,omitempty"` // Slack: ts
}

// Alert is one thing that must be told: a row of the outbox. The words are made when it is sent, from the
// incident as it is then. Incident is the id of a digest ([IsDigest]) where it tells of many at once.
type Alert struct {
	Seq       uint64         `json:"seq"`
	Key       string         `json:"key"` // incident/route/kind/n; travels with the message, so that it can be found again
	Incident  string         `json:"incident"`
	Version   int            `json:"version"` // of the incident when the alert was raised
	Route     string         `json:"route"`
	Via       string         `json:"via,omitempty"` // the notifier that carries it; empty: the route's own, Slack or the console
	Kind      AlertKind      `json:"kind"`
	Reason    NotifyReason   `json:"reason"`
	Severity  rules.Severity `json:"severity"`
	Mention   []string       `json:"mention,omitempty"` // routes whose people are to be named in it
	Note      string         `json:"note,omitempty"`    // one sentence that belongs to this alert alone, in English
	Said      Said           `json:"said,omitempty"`    // the same in clauses
	CreatedAt time.Time      `json:"created_at"`
	NotBefore time.Time      `json:"not_before"`
	Expires   time.Time      `json:"expires,omitzero"`

	State     AlertState `json:"state"`
	Attempts  int        `json:"attempts"`
	TriedAt   time.Time  `json:"tried_at,omitzero"`
	LastError string     `json:"last_error,omitempty"`
	Ref       Ref        `json:"ref,omitzero"`

	EditedAt time.Time `json:"edited_at,omitzero"`  // of a root: when an edit of it was last tried
	FellBack bool      `json:"fell_back,omitempty"` // of a root that is late: the route's fallback has been told
	Held     bool      `json:"held,omitempty"`      // quiet hours hold it back
	Digest   string    `json:"digest,omitempty"`    // of a root: the digest that names it, instead of a message of its own
	Members  []string  `json:"members,omitempty"`   // of the root of a digest: the incidents that it names
}

// Receipt reports the progress of one alert back: Sending before the call, the rest after it.
type Receipt struct {
	Seq       uint64
	State     AlertState
	Ref       Ref
	Error     string
	Why       string    // dead: the refusal in a word, for those who are told instead
	NotBefore time.Time // pending again: not before then
	NoAttempt bool      // the channel was busy: does not count as an attempt
}
