package detector

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"emberwatch/sources"
)

// Item is what the model remembers of a mention for the length of the longest window: enough to count it,
// to name its authors and to point at it; no text and no name.
type Item struct {
	Key        sources.Key  `json:"k"`
	Brand      string       `json:"b"`
	At         time.Time    `json:"t"` // created_at, bounded
	Author     uint64       `json:"a"` // hash of source and author; unique per mention if there was no author
	Weight     int          `json:"w"` // what it counts, after the cap per author
	Negative   float64      `json:"n"` // P(negative)
	Label      Label        `json:"l"`
	Known      bool         `json:"kn,omitempty"`
	Category   string       `json:"c,omitempty"`
	Categories []string     `json:"cs,omitempty"`
	Cue        string       `json:"cu,omitempty"`
	Rules      []string     `json:"r,omitempty"`
	Products   []string     `json:"pr,omitempty"` // keys of the brand's products that it names
	Kind       sources.Kind `json:"ki"`
	Network    string       `json:"nw,omitempty"`
	Lang       string       `json:"la,omitempty"`
	Rating     float64      `json:"ra,omitempty"`
	Reach      int          `json:"re,omitempty"`
	Private    bool         `json:"p,omitempty"`
	Media      bool         `json:"m,omitempty"`
	Text       uint64       `json:"tx,omitempty"` // hash of the folded text, for dedupe
	Sketch     uint64       `json:"sk,omitempty"` // of the text, for finding copies
	Held       bool         `json:"h,omitempty"`  // its source has come on line within the day: it teaches that source's series
	Copy       bool         `json:"cp,omitempty"` // it says nearly what others said before it, and is no complaint of its own
	Own        bool         `json:"o,omitempty"`  // the brand itself wrote it: nothing counts it, others may write under it
	Under      string       `json:"u,omitempty"`  // id of the own mention that it was written under
	Measured   []string     `json:"ms,omitempty"` // rules of kind shift whose condition holds for it
	Passed     []Passed     `json:"ps,omitempty"` // how often it had been passed on, in the order of time, the last hours
}

// Passed is how often a mention had been passed on at a time, in all.
type Passed struct {
	At time.Time `json:"t"`
	N  int       `json:"n"`
}

// BrandState is what the model keeps about a brand besides its series.
type BrandState struct {
	ID        string               `json:"id"`
	Name      string               `json:"name,omitempty"`
	Auto      bool                 `json:"auto,omitempty"` // no rule file names it
	FirstSeen time.Time            `json:"first_seen"`
	LastSeen  time.Time            `json:"last_seen"`
	LiveSince time.Time            `json:"live_since,omitzero"` // when it was first heard of by other than a history
	Incidents int                  `json:"incidents"`           // the number of the last incident
	Sources   map[string]time.Time `json:"sources"`             // when each was first heard, up to maxSources
	Heard     map[string]time.Time `json:"heard,omitempty"`     // when each spoke last
	Onset     map[string]time.Time `json:"onset,omitempty"`     // sources that came on line lately, and when: their mentions only teach
	Answers   []AnswerDay          `json:"answers,omitempty"`   // how complaints fared, the last days
	Down      []Span               `json:"down,omitempty"`      // when nothing came though much should have, the last few
	Deduped   map[string]time.Time `json:"deduped,omitempty"`   // each rules: what was told lately, and until when it is one, up to maxDeduped
	Opened    []Opening            `json:"opened,omitempty"`    // of rules whose incidents a condition counts, up to maxOpenings
}

// Span is a span of five-minute buckets, counted from the Unix epoch, both ends included.
type Span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

func (s Span) holds(b int64) bool { return s.From <= b && b <= s.To }

// SeriesBlob is the state of one series, in the versioned binary form that Series.MarshalBinary writes.
type SeriesBlob struct {
	Key  SeriesKey
	Blob []byte
}

// Done is a finished operation, kept 48 hours so that its repetition gets the same answer.
type Done struct {
	ID     string    `json:"id"` // incident + "\x00" + event id
	At     time.Time `json:"at"`
	Result Result    `json:"result"`
}

// Change is one transaction's worth of change. Either all of it is durable or nothing.
type Change struct {
	At time.Time

	// The archive: written before the rest; repeating it is harmless.
	Put   []Judged      // mentions with their text, created or replaced
	Erase []sources.Key // deleted at their source: text and author go, the count stays

	// state.db, in one transaction. DropItems come before Items: an edit drops the record it renews.
	Seen      []Seen
	Items     []Item
	DropItems []ItemRef // edited away or out of every window
	Series    []SeriesBlob
	Brands    []BrandState
	Incidents []Incident
	Audit     []Audit
	Alerts    []Alert
	// DropWaiting comes before Waiting.
	Waiting     []Waiting
	DropWaiting []WaitingRef
	Done        []Done
	Cursors     map[string]sources.Cursor
	Deliveries  map[string][32]byte // source + "\x00" + delivery id

	Refused int // how often a mention was not counted apart for a rule with baseline.per, which has as many series as it may; not stored
}

// Empty reports whether there is nothing to commit.
func (c *Change) Empty() bool {
	return len(c.Put)+len(c.Erase)+len(c.Seen)+len(c.Items)+len(c.DropItems)+len(c.Series)+len(c.Brands)+
		len(c.Incidents)+len(c.Audit)+len(c.Alerts)+len(c.Waiting)+len(c.DropWaiting)+len(c.Done)+len(c.Cursors)+len(c.Deliveries) == 0
}

// Seen marks a mention as taken. At and Brands say where its archive records are, so that edits and
// deletes find them.
type Seen struct {
	Key     sources.Key
	Arrived time.Time // decides the day it is kept under (35 days)
	At      time.Time // created_at, bounded
	Brands  []string
	Deleted bool // at its source: a late or repeated edit does not bring its text back
}

// ItemRef names an Item: those of one brand are kept in the order of time.
type ItemRef struct {
	Brand string
	At    time.Time
	Key   sources.Key
}

// Ref returns the reference of the item.
func (i *Item) Ref() ItemRef { return ItemRef{i.Brand, i.At, i.Key} }

// State is everything that a model is made from at start.
type State struct {
	Seq       uint64 // of the last alert
	Items     []Item // in the order of time within each brand
	Series    []SeriesBlob
	Brands    []BrandState
	Incidents []Incident       // open, and those closed in the last 24 h
	LastAudit map[string]Audit // the last line of each of those incidents
	Alerts    []Alert          // not done, and the sent roots of those incidents
	Waiting   []Waiting
	Done      []Done // of the last 48 h
	Cursors   map[string]sources.Cursor
}

// Store keeps the decision state on disk. It has one writer.
type Store interface {
	// Load returns the state as of the last commit.
	Load(ctx context.Context) (*State, error)
	// Commit makes c durable, all or nothing, before it returns nil. It may be called again with the same c
	// after an error.
	Commit(ctx context.Context, c *Change) error
	// Lookup says for each key what the store knows of that mention; unknown ones have Found false.
	Lookup(ctx context.Context, keys []sources.Key) ([]Known, error)
	// Delivery returns the digest a push delivery was taken with, if it was.
	Delivery(ctx context.Context, source, id string) ([32]byte, bool, error)
}

// Known is what the store knows of one mention: where it was put, and how it was judged for each of its
// brands.
type Known struct {
	Found  bool
	Seen   Seen
	Judged []Judged // empty when the archive no longer holds it
}

// ErrNotFound: there is no such incident, mention or series.
var ErrNotFound = errors.New("not found")

// IncidentFilter chooses incidents. The zero value is all of them.
type IncidentFilter struct {
	State string // open, closed, one of the Handling words; empty: all
	Brand string
	Limit int // 0: 200
}

// MentionFilter chooses mentions, newest first.
type MentionFilter struct {
	Brand  string // empty: all
	Source string
	From   time.Time // inclusive; zero: open
	To     time.Time // exclusive; zero: open
	Label  Label     // empty: all
	Limit  int       // 0: 100
}

// Reader is what page, API, Slack, drafts and reports look up. It sees committed state only.
type Reader interface {
	Incidents(ctx context.Context, f IncidentFilter) ([]Incident, error)
	// Incident returns one incident, or ErrNotFound. The id of a merged one gives the one it went into.
	Incident(ctx context.Context, id string) (Incident, error)
	Audit(ctx context.Context, id string) ([]Audit, error)
	Mentions(ctx context.Context, f MentionFilter) ([]Judged, error)
	// MentionsByKey returns those that are still there, in the order asked for.
	MentionsByKey(ctx context.Context, brand string, keys []sources.Key) ([]Judged, error)
	Brands(ctx context.Context) ([]BrandState, error)
	// Counts returns the mentions of a brand in steps, all and negative, from..to.
	Counts(ctx context.Context, brand string, from, to time.Time, step time.Duration) ([]Count, error)
}

// Count is one step of Reader.Counts.
type Count struct {
	At       time.Time `json:"at"`
	All      int       `json:"all"`
	Negative int       `json:"negative"`
}

// Duration is a time.Duration that reads and writes "90m" in JSON.
type Duration time.Duration

// MarshalJSON writes the duration as a string such as "1h30m0s".
func (d Duration) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(d).String())
}

// UnmarshalJSON reads "90m" or a number of seconds.
func (d *Duration) UnmarshalJSON(b []byte) error {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	switch v := v.(type) {
	case float64:
		*d = Duration(v * float64(time.Second))
		return nil
	case string:
		x, err := ParseDuration(v)
		*d = Duration(x)
		return err
	case nil:
		*d = 0
		return nil
	}
	return fmt.Errorf("a duration is a string such as \"2h\", not %s", b)
}
