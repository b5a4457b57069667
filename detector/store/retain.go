package store

import (
	"context"
	"fmt"
	"time"
)

// Retention says how long which class of data is kept; zero is for ever.
type Retention struct {
	Text   time.Duration // texts and authors, exact to the day
	Counts time.Duration // item records without them, to the month
	Audit  time.Duration // closed incidents and their history
}

// What the working of the daemon needs, whatever the retention.
const (
	seenKept     = 35 * 24 * time.Hour
	deliveryKept = 24 * time.Hour
	outboxKept   = 30 * 24 * time.Hour
)

// Retained says what a call of Retain has let go.
type Retained struct {
	Days       []string `json:"days,omitempty"`      // whose texts expired
	Months     []string `json:"months,omitempty"`    // whose counts expired
	Rewritten  []string `json:"rewritten,omitempty"` // files that held deleted bytes
	Seen       int      `json:"seen_days"`
	Done       int      `json:"done_days"`
	Deliveries int      `json:"delivery_days"`
	Alerts     int      `json:"alerts"`
	Incidents  int      `json:"incidents"`
	AuditLines int      `json:"audit_lines"` // of other chains than those incidents
}

// Retain lets go of what has been kept long enough at now. It may be broken off at any point and called again.
// Commits wait while a day is worked on.
func (db *DB) Retain(ctx context.Context, now time.Time, r Retention) (Retained, error) {
	var done Retained
	for _, sp := range db.archive.spans() {
		if err := db.retainFile(ctx, sp, now, r, &done); err != nil {
			return done, fmt.Errorf("retain %s: %w", sp.name(), err)
		}
	}
	if err := db.begin(ctx); err != nil {
		return done, fmt.Errorf("retain: %w", err)
	}
	defer db.writing.Unlock()
	err := db.state.update(func(t *txn) error { return expireState(t, now, r, &done) })
	if err != nil {
		return done, fmt.Errorf("retain: %w", err)
	}
	db.seen.forgetBefore(now.Add(-seenKept))
	return done, nil
}

// past reports whether a stretch of time that ended at end has been kept for at least keep.
func past(end, now time.Time, keep time.Duration) bool {
	return keep > 0 && !end.After(now.Add(-keep))
}

func (db *DB) retainFile(ctx context.Context, sp span, now time.Time, r Retention, done *Retained) error {
	if err := db.begin(ctx); err != nil {
		return err
	}
	defer db.writing.Unlock()
	switch {
	case sp.month && past(sp.to, now, r.Counts):
		done.Months = append(done.Months, sp.from.Format("2006-01"))
		return db.archive.remove(sp)
	case !sp.month && past(sp.to, now, r.Text):
		done.Days = append(done.Days, sp.from.Format(time.DateOnly))
		return db.fold(sp)
	}
	rewritten, err := db.clean(sp)
	if rewritten {
		done.Rewritten = append(done.Rewritten, sp.name())
	}
	return err
}

// fold copies the item records of a day without their authors into the file of the month and deletes the
// file of the day. Doing it again after a crash in between changes nothing.
func (db *DB) fold(day span) error {
	from, ok := db.archive.get(day)
	if !ok {
		return nil
	}
	to, err := db.archive.make(monthSpan(day.from))
	if err != nil {
		return err
	}
	err = from.view(func(src *txn) error {
		return to.update(func(dst *txn) error { return copyItems(dst, src) })
	})
	if err != nil {
		return err
	}
	if err := db.pause("folded"); err != nil {
		return err
	}
	return db.archive.remove(day)
}

func copyItems(dst, src *txn) error {
	items := dst.b(itemBucket)
	items.FillPercent = 0.9
	return src.b(itemBucket).ForEach(func(k, v []byte) error {
		brand, at, hash, err := splitItemKey(k)
		if err != nil {
			return err
		}
		name, err := src.word(brand)
		if err != nil {
			return err
		}
		if brand, err = dst.id(name); err != nil {
			return err
		}
		rec, err := decodeRecord(src, v)
		if err != nil {
			return err
		}
		rec.authors = nil
		if v, err = rec.encode(dst); err != nil {
			return err
		}
		return items.Put(appendItemKey(brand, at, hash), v)
	})
}
