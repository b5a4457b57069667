package store

import (
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// writeDay does the chores of a day. A record that is not there is no error: it was done before, or the
// day has expired.
func (db *DB) writeDay(from time.Time, c *chores) error {
	if len(c.puts) > 0 {
		v, err := db.archive.make(daySpan(from))
		if err != nil {
			return err
		}
		if err := v.update(func(t *txn) error { return db.putAll(t, c.puts) }); err != nil {
			return err
		}
	}
	if len(c.drops)+len(c.wipes) == 0 {
		return nil
	}
	for _, sp := range []span{daySpan(from), monthSpan(from)} {
		v, ok := db.archive.get(sp)
		if !ok {
			continue
		}
		err := v.update(func(t *txn) error { return takeAway(t, c) })
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (db *DB) putAll(t *txn, puts []put) error {
	items, texts, authors := t.b(itemBucket), t.b(textBucket), t.b(authorBucket)
	items.FillPercent, texts.FillPercent = 0.9, 0.9 // keys mostly ascend
	for _, p := range puts {
		brand, err := t.id(p.brand)
		if err != nil {
			return err
		}
		key := appendItemKey(brand, p.at, p.hash)
		if err := forgetAuthors(t, key, items.Get(key)); err != nil {
			return err
		}
		rec := db.recordOf(p.judged)
		v, err := rec.encode(t)
		if err != nil {
			return err
		}
		if err = items.Put(key, v); err == nil {
			err = putJSON(texts, key, p.judged)
		}
		if err != nil {
			return fmt.Errorf("put %s: %w", p.judged.Mention.ID, err)
		}
		for _, a := range rec.authors {
			if err := authors.Put(authorKey(a, key), []byte{formatV1}); err != nil {
				return err
			}
		}
	}
	return nil
}

func authorKey(pseudonym uint64, item []byte) []byte { return append(seqKey(pseudonym), item...) }

// forgetAuthors removes what leads from the authors of a record to it; v may be nil. The bytes
// that a replaced record leaves in free pages make the file one to rewrite.
func forgetAuthors(t *txn, key, v []byte) error {
	if v == nil || t.b(authorBucket) == nil {
		return nil
	}
	rec, err := decodeRecord(t, v)
	if err != nil {
		return err
	}
	for _, a := range rec.authors {
		if err := t.b(authorBucket).Delete(authorKey(a, key)); err != nil {
			return err
		}
	}
	return t.b(metaBucket).Put([]byte(metaDirty), []byte{1})
}

// takeAway drops and wipes in one file, be it of a day or of a month.
func takeAway(t *txn, c *chores) error {
	for _, p := range c.drops {
		key, ok := p.find(t)
		if !ok {
			continue
		}
		if err := forgetAuthors(t, key, t.b(itemBucket).Get(key)); err != nil {
			return err
		}
		if err := t.b(itemBucket).Delete(key); err != nil {
			return err
		}
		if err := deleteText(t, key); err != nil {
			return err
		}
	}
	for _, p := range c.wipes {
		if key, ok := p.find(t); ok {
			if err := wipe(t, key); err != nil {
				return err
			}
		}
	}
	return nil
}

// wipe takes text and author from a mention; what it counts stays.
func wipe(t *txn, key []byte) error {
	v := t.b(itemBucket).Get(key)
	if v == nil {
		return nil
	}
	rec, err := decodeRecord(t, v)
	if err != nil {
		return err
	}
	if err := forgetAuthors(t, key, v); err != nil {
		return err
	}
	rec.authors, rec.flags = nil, rec.flags|recErased
	if v, err = rec.encode(t); err != nil {
		return err
	}
	if err := t.b(itemBucket).Put(key, v); err != nil {
		return err
	}
	return deleteText(t, key)
}

func deleteText(t *txn, key []byte) error {
	if b := t.b(textBucket); b != nil {
		return b.Delete(key)
	}
	return nil
}
