package store

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"emberwatch/detector"
)

// linesShown is how many of the newest lines of the system chain Info tells.
const linesShown = 20

// Record adds a line to the system chain: what was done to the daemon or its data as a whole, by whom, when.
// Number, chain and hashes are filled in. The line must hold nothing that an erasure would have to remove.
func (db *DB) Record(ctx context.Context, line detector.Audit) error {
	if err := db.begin(ctx); err != nil {
		return fmt.Errorf("audit of %s: %w", detector.SystemChain, err)
	}
	defer db.writing.Unlock()
	err := db.state.update(func(t *txn) error {
		last, _, err := lastAudit(t, detector.SystemChain)
		if err != nil {
			return err
		}
		line.Incident = detector.SystemChain
		return putAudit(t, &detector.Change{Audit: []detector.Audit{detector.Chained(last, line)}})
	})
	if err != nil {
		return fmt.Errorf("audit of %s: %w", detector.SystemChain, err)
	}
	return nil
}

// lastLines returns the newest lines of a chain, the oldest of them first.
func lastLines(t *txn, name string, most int) ([]detector.Audit, error) {
	var lines []detector.Audit
	prefix := chainKey(name)
	c := t.b(auditBucket).Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		a, err := parseJSON[detector.Audit](v)
		if err != nil {
			return nil, fmt.Errorf("audit of %s: %w", name, err)
		}
		lines = append(lines, a)
	}
	return slices.Clone(lines[max(0, len(lines)-most):]), nil
}
