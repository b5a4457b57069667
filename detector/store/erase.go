package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"emberwatch/detector"
)

// Erased says what EraseAuthor has removed.
type Erased struct {
	Mentions int      `json:"mentions"` // judged mentions, one for each brand
	Files    []string `json:"files,omitempty"`
}

// Erasure asks for the removal of what one author wrote.
type Erasure struct {
	Source string
	Author string // id or handle, or the name if the source gave neither
	By     detector.Actor
	At     time.Time
}

// EraseAuthor removes text and author of everything that one author of a source has written; what it counted
// stays. The files are written anew, so that no byte of it remains in them. Backups keep what they hold until
// they expire. A line of the system chain is the proof: it names the author by the pseudonym alone, which only
// somebody who knows both the author and this folder can compare.
func (db *DB) EraseAuthor(ctx context.Context, e Erasure) (Erased, error) {
	pseudonym := db.pseudonym(e.Source, e.Author)
	done, err := db.eraseAll(ctx, seqKey(pseudonym))
	note := fmt.Sprintf("%d records of author %016x of source %q in %d files", done.Mentions, pseudonym, e.Source, len(done.Files))
	if err != nil {
		note += "; broken off, has to be repeated"
	}
	// What is gone is gone: the proof is written although whoever asked may have left.
	line := detector.Audit{At: e.At.UTC(), Actor: e.By, Op: "erase", Note: note}
	return done, errors.Join(err, db.Record(context.WithoutCancel(ctx), line))
}

func (db *DB) eraseAll(ctx context.Context, prefix []byte) (Erased, error) {
	var done Erased
	for _, sp := range db.archive.spans() {
		if sp.month {
			continue // holds no authors
		}
		n, err := db.eraseIn(ctx, sp, prefix)
		if err != nil {
			return done, fmt.Errorf("erase author: %w", err)
		}
		if n > 0 {
			done.Mentions += n
			done.Files = append(done.Files, sp.name())
		}
	}
	return done, nil
}

func (db *DB) eraseIn(ctx context.Context, sp span, prefix []byte) (int, error) {
	if err := db.begin(ctx); err != nil {
		return 0, err
	}
	defer db.writing.Unlock()
	v, ok := db.archive.get(sp)
	if !ok {
		return 0, nil
	}
	var items [][]byte
	err := v.view(func(t *txn) error {
		c := t.b(authorBucket).Cursor()
		for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
			items = append(items, bytes.Clone(k[len(prefix):]))
		}
		return nil
	})
	if err != nil || len(items) == 0 {
		return 0, err
	}
	err = v.update(func(t *txn) error {
		for _, key := range items {
			if err := wipe(t, key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return len(items), db.rewrite(v)
}
