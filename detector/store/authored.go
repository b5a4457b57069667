package store

import (
	"bytes"
	"context"
	"fmt"

	"emberwatch/detector"
	"emberwatch/sources"
)

// Authored returns the mentions of a source that are held with their text and were written by an author: an id, a
// handle, or a name where the source gives neither. It takes time in proportion to the days kept and the mentions
// found, not to those held.
func (db *DB) Authored(ctx context.Context, source, author string) ([]sources.Key, error) {
	prefix := seqKey(db.pseudonym(source, author))
	found := make(map[sources.Key]bool)
	var keys []sources.Key
	for _, sp := range db.archive.spans() {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("mentions of an author: %w", err)
		}
		v, ok := db.archive.get(sp)
		if !ok || sp.month { // a month's file holds no authors
			continue
		}
		err := v.view(func(t *txn) error {
			c := t.b(authorBucket).Cursor()
			for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
				text := getText(t, k[len(prefix):])
				if text == nil {
					continue
				}
				j, err := parseJSON[detector.Judged](text)
				if err != nil {
					return err
				}
				if key := j.Mention.Key(); key.Source == source && !found[key] {
					found[key] = true
					keys = append(keys, key)
				}
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("mentions of an author: %w", err)
		}
	}
	return keys, nil
}
