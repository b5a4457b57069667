package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"emberwatch/detector"
)

// Erased says what EraseAuthor has removed.
type Erased struct {
	Mentions int      `json:"mentions"` // judged mentions, one for each brand
	Files    []string `json:"files,omitempty"`
	Sources  []string `json:"sources,omitempty"` // where nothing is held of the source: those of which something is
}

// Erasure asks for the removal of what one author wrote.
type Erasure struct {
	Source string
	Author string // id or handle, or the name if the source gave neither
	Hash   string // instead of Author: the pseudonym that the proof of an erasure names
	By     detector.Actor
	At     time.Time
}

// EraseAuthor removes text and author of everything that one author of a source has written; what it counted
// stays. The files are written anew, so that no byte of it remains in them. Backups keep what they hold until
// they expire. A line of the system chain is the proof: it names the author by the pseudonym alone, which only
// somebody who knows both the author and this folder can compare. By that pseudonym the erasure can be repeated in
// an older copy of the folder.
func (db *DB) EraseAuthor(ctx context.Context, e Erasure) (Erased, error) {
	pseudonym := db.pseudonym(e.Source, e.Author)
	if e.Hash != "" {
		var err error
		if pseudonym, err = ParseHash(e.Hash); err != nil {
			return Erased{}, err
		}
	}
	done, err := db.eraseAll(ctx, seqKey(pseudonym))
	note := fmt.Sprintf("%d records of author %016x of source %q in %d files", done.Mentions, pseudonym, e.Source, len(done.Files))
	if err != nil {
		note += "; broken off, has to be repeated"
	}
	// What is gone is gone: the proof is written although whoever asked may have left.
	line := detector.Audit{At: e.At.UTC(), Actor: e.By, Op: "erase", Note: note}
	err = errors.Join(err, db.Record(context.WithoutCancel(ctx), line))
	if err != nil || done.Mentions > 0 {
		return done, err
	}
	held, err := db.sources(ctx)
	if !slices.Contains(held, e.Source) {
		done.Sources = held
	}
	return done, err
}

// ParseHash reads the pseudonym of an author as the proof of an erasure writes it.
func ParseHash(s string) (uint64, error) {
	hash, err := strconv.ParseUint(s, 16, 64)
	if err != nil || len(s) != 16 {
		return 0, fmt.Errorf("%q is no hash of an author: it has 16 digits, as store info lists it", s)
	}
	return hash, nil
}

// sources lists those of which mentions are held, in order. It reads every record.
func (db *DB) sources(ctx context.Context) ([]string, error) {
	names := map[string]bool{}
	for _, sp := range db.archive.spans() {
		v, ok := db.archive.get(sp)
		if !ok {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("sources of mentions: %w", err)
		}
		err := v.view(func(t *txn) error {
			return t.b(itemBucket).ForEach(func(_, record []byte) error {
				r, err := decodeRecord(t, record)
				names[r.source] = true
				return err
			})
		})
		if err != nil {
			return nil, fmt.Errorf("sources of mentions: %w", err)
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
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
