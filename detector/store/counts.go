package store

import (
	"context"
	"fmt"
	"time"

	"emberwatch/detector"
)

// maxSteps bounds what one call of Counts may return.
const maxSteps = 100_000

// Counts returns the mentions of a brand in steps from from to to, empty steps included: all of them, and those
// that are negative on known ground. A record that stands for many counts as many; what the brand wrote
// itself and samples of gauges do not count.
func (db *DB) Counts(ctx context.Context, brand string, from, to time.Time, step time.Duration) ([]detector.Count, error) {
	if step < time.Millisecond || !from.Before(to) {
		return nil, fmt.Errorf("counts: no steps of %s from %s to %s", step, from, to)
	}
	n := int((to.Sub(from) + step - 1) / step)
	if n > maxSteps {
		return nil, fmt.Errorf("counts: %d steps are more than %d", n, maxSteps)
	}
	counts := make([]detector.Count, n)
	for i := range counts {
		counts[i].At = from.Add(time.Duration(i) * step)
	}
	for _, day := range db.archive.days(from, to) {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("counts: %w", err)
		}
		if err := db.countDay(brand, day, from, to, step, counts); err != nil {
			return nil, fmt.Errorf("counts: %w", err)
		}
	}
	return counts, nil
}

// countDay adds up one day. The file of the day is read first; what the file of the month has of the same
// mentions is not counted again.
func (db *DB) countDay(brand string, day span, from, to time.Time, step time.Duration, counts []detector.Count) error {
	both := db.archive.has(daySpan(day.from)) && db.archive.has(monthSpan(day.from))
	counted := make(map[place]bool)
	return db.archive.view(day, func(t *txn) error {
		id, ok := t.known(brand)
		if !ok {
			return nil
		}
		return rangeOf(id, day, from, to).forward(t, func(p place, v []byte) (bool, error) {
			rec, err := peekRecord(v)
			if err != nil || !rec.counts() || counted[p] {
				return true, err
			}
			if both {
				counted[p] = true
			}
			c := &counts[time.UnixMilli(p.at).Sub(from)/step]
			c.All += rec.count
			if rec.flags&recKnown != 0 && rec.p.Label() == detector.Negative {
				c.Negative += rec.count
			}
			return true, nil
		})
	})
}
