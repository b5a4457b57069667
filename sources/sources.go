// Package sources is what comes in: mentions of a brand, normalised and not yet judged.
//
// A source is anything that yields mentions: a feed that is polled, a file that is read, a webhook
// that is pushed to. Each lives in a package of its own below this one and hands [Batch] values to an
// [Emit] function. Emit returning nil means that the batch is durable: only then may a source move its
// cursor, acknowledge a delivery or forget what it read.
//
// The parent owns what sources share: the [Mention] and its JSON form, normalisation (HTML to text,
// Unicode NFC, control characters, time bounds), the guarded outgoing HTTP client with the manners of one that
// polls ([Client.For], [Client.Poll]), what a poller remembers ([Seen], [Listing]) and looks at again ([Revisit]), signature
// checks and the [Inlet] of those that are pushed to, and [Supervisor], which runs all sources, restarts those that
// fail and knows the health of each.
//
// This package never judges a mention, never decides what is unusual, and never logs text of a mention.
//
// # Caveats
//
// Everything in a Mention except the names of its source is foreign text. It has been stripped of
// control and bidi-override characters, but it is neither HTML-safe nor safe for Slack or a terminal:
// escape at the edge where it leaves.
package sources

import (
	"context"
	"errors"
	"time"
)

// Kind says what a mention is.
type Kind string

// The kinds of a mention. On input, "mention" is read as Tag and "reaction" as Like.
const (
	Comment  Kind = "comment"
	Review   Kind = "review"
	Tag      Kind = "tag"
	DM       Kind = "dm"
	Share    Kind = "share"
	Like     Kind = "like"
	Follow   Kind = "follow"
	Unfollow Kind = "unfollow"
	Post     Kind = "post"
	Article  Kind = "article"
	Metric   Kind = "metric"
)

// Kinds lists every kind, in the order of the contract.
var Kinds = []Kind{Comment, Review, Tag, DM, Share, Like, Follow, Unfollow, Post, Article, Metric}

// CountsWithoutText reports whether a mention of this kind means something with no text at all.
func (k Kind) CountsWithoutText() bool {
	switch k {
	case Like, Share, Follow, Unfollow, Tag:
		return true
	}
	return false
}

// Op says what a record does to the mention of its id.
type Op string

// The operations. An Update of an unknown id creates, a Delete of an unknown id is ignored.
const (
	Create Op = "create"
	Update Op = "update"
	Delete Op = "delete"
)

// Visibility says who could read the mention where it was written.
type Visibility string

// The visibilities. A DM is always Private.
const (
	Public  Visibility = "public"
	Private Visibility = "private"
)

// Author is who wrote a mention, as far as the source tells.
type Author struct {
	ID        string `json:"id,omitempty"`
	Name      string `json:"name,omitempty"`
	Handle    string `json:"handle,omitempty"`
	Followers int    `json:"followers,omitempty"`
	Verified  bool   `json:"verified,omitempty"`
}

// Key returns what identifies the author within a source: the id, else the handle, else the name. It is
// empty when the source named nobody.
func (a Author) Key() string {
	switch {
	case a.ID != "":
		return a.ID
	case a.Handle != "":
		return a.Handle
	}
	return a.Name
}

// Engagement is how people reacted to a mention up to the moment it was read.
type Engagement struct {
	Likes   int  `json:"likes,omitempty"`
	Shares  int  `json:"shares,omitempty"`
	Replies int  `json:"replies,omitempty"`
	Views   *int `json:"views,omitempty"`
}

// Gauge is one sample of a number that a source reports, such as the follower count.
type Gauge struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
}

// Mention is one comment, review, tag, message, share, like, follow, post, article or metric sample.
// Its JSON form is version 1 of the mention contract. Times are UTC.
type Mention struct {
	V          int        `json:"v,omitempty"`
	ID         string     `json:"id"`
	Source     string     `json:"source"`
	Network    string     `json:"network,omitempty"`
	Kind       Kind       `json:"kind"`
	Op         Op         `json:"op,omitempty"`
	Brand      string     `json:"brand,omitempty"`
	Author     Author     `json:"author,omitzero"`
	Title      string     `json:"title,omitempty"`
	Text       string     `json:"text,omitempty"`
	Lang       string     `json:"lang,omitempty"`
	Rating     float64    `json:"rating,omitempty"` // 1 (worst) to 5; 0 is none
	URL        string     `json:"url,omitempty"`
	ParentID   string     `json:"parent_id,omitempty"`
	RootID     string     `json:"root_id,omitempty"`
	Visibility Visibility `json:"visibility,omitempty"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at,omitzero"`
	Engagement Engagement `json:"engagement,omitzero"`
	Count      int        `json:"count,omitempty"` // how many likes, shares, … one record stands for; 0 and 1 are one
	Metric     *Gauge     `json:"metric,omitempty"`
	HasMedia   bool       `json:"has_media,omitempty"`
	Verdict    *Verdict   `json:"emberwatch,omitempty"`
}

// Verdict is how a mention was judged before its text expired, as an export writes it. It is believed only
// where the operator replays own history, never from a source.
type Verdict struct {
	P struct {
		Negative float64 `json:"negative"`
		Neutral  float64 `json:"neutral"`
		Positive float64 `json:"positive"`
	} `json:"p"`
	Lang       string   `json:"lang"`
	Known      bool     `json:"known"`
	Category   string   `json:"category,omitempty"`
	Categories []string `json:"categories,omitempty"`
	Confidence float64  `json:"confidence,omitempty"`
	Rules      []string `json:"rules,omitempty"`
	Products   []string `json:"products,omitempty"`
	Own        bool     `json:"own,omitempty"`
}

// Key identifies a mention: ids are unique within their source.
type Key struct {
	Source string `json:"source"`
	ID     string `json:"id"`
}

// Key returns the identity of the mention.
func (m *Mention) Key() Key { return Key{m.Source, m.ID} }

// Weight is how many occurrences the record stands for, at least one.
func (m *Mention) Weight() int { return max(m.Count, 1) }

// Reach estimates how many people a mention was put before: the author's followers plus a hundred for
// each share.
func (m *Mention) Reach() int { return m.Author.Followers + 100*m.Engagement.Shares }

// Body is title and text in one, as they are scored and matched.
func (m *Mention) Body() string {
	switch {
	case m.Title == "":
		return m.Text
	case m.Text == "":
		return m.Title
	}
	return m.Title + "\n" + m.Text
}

// Cursor is where a source goes on after a restart. Its bytes mean something to that source alone; nil
// leaves the stored cursor as it is.
type Cursor []byte

// Delivery identifies one signed push, so that a repeated one is recognised across restarts.
type Delivery struct {
	ID     string
	Digest [32]byte // SHA-256 of the raw body
}

// Rejected is an item that was not taken, with the index it had in its batch (or its line) and why.
type Rejected struct {
	Index int    `json:"index"`
	Error string `json:"error"`
}

// Batch is what a source hands over at once. A poll that found nothing still emits an empty batch with
// its health: silence is judged like everything else.
type Batch struct {
	Source   string // the configured name of the source that read it
	Mentions []Mention
	Cursor   Cursor
	Delivery *Delivery
	History  bool    // teaches the baselines and alerts nobody
	Rejected Rejects // items that the source itself could not read
	Known    int     // items that were read again and have been told before; Mentions lacks them
}

// Taken says what became of a batch. Indices in Rejected refer to Batch.Mentions.
type Taken struct {
	Accepted   int
	Duplicates int
	Rejected   []Rejected
}

// Emit takes a batch. It blocks until the batch is durable and then returns nil; after an error nothing
// of the batch counts and the source has to hand it over again. It is safe for concurrent use.
type Emit func(ctx context.Context, b Batch) (Taken, error)

// Errors of Emit that a source may want to tell apart.
var (
	// ErrConflict: a delivery id was used before with another body.
	ErrConflict = errors.New("delivery id was used before with another body")
	// ErrUnavailable: intake is closed for the moment (store failing, disk full, shutting down).
	ErrUnavailable = errors.New("intake is closed for the moment")
)

// Source is one configured source.
type Source interface {
	// Name is the configured name, unique in the process.
	Name() string
	// Run reads from the source and emits batches until ctx ends, the source is exhausted (nil), or it
	// fails (an error: the supervisor starts it again with back-off). from is the stored cursor, nil on
	// first contact. Run must not return before every goroutine it started has ended.
	Run(ctx context.Context, from Cursor, emit Emit) error
}

// Troubled is a source of which one part may fail while the rest goes on, such as the second looks of one that listens to a
// stream. Trouble says what fails, nil while nothing does; the health has it as the last error.
type Troubled interface{ Trouble() error }

// State says how a source is doing.
type State string

// The states of a source.
const (
	Starting State = "starting"
	Running  State = "running"
	Failing  State = "failing" // it failed and will be started again at NextTry
	Ended    State = "ended"   // it has read everything there is
	Stopped  State = "stopped"
)

// Health is what is known about how a source is doing.
type Health struct {
	Name        string    `json:"name"`
	Type        string    `json:"type,omitempty"`
	State       State     `json:"state"`
	LastSuccess time.Time `json:"last_success,omitzero"` // last batch that became durable, empty ones included
	LastMention time.Time `json:"last_mention,omitzero"` // last batch that held a new mention; edits are none
	ExpectedGap Gap       `json:"expected_gap,omitzero"` // after it until the next; zero: not known yet
	Mentions    int64     `json:"mentions"`              // taken since start
	Duplicates  int64     `json:"duplicates"`
	Rejected    int64     `json:"rejected"`
	RejectedWhy string    `json:"rejected_why,omitempty"` // the latest reason
	Rejecting   bool      `json:"rejecting,omitempty"`    // most of what came lately was rejected
	Failures    int       `json:"failures"`               // in a row
	Broken      bool      `json:"breaker_open,omitempty"` // it asks its server nothing, or once to see
	LastError   string    `json:"last_error,omitempty"`
	NextTry     time.Time `json:"next_try,omitzero"`
}
