package store

import (
	"context"
	"encoding/binary"
	"fmt"

	"emberwatch/detector"
	"emberwatch/sources"
)

// Lookup says for each key what the store knows of that mention. Text and author of the judged ones are
// there while the text is retained; after that they hold what the archive still counts.
func (db *DB) Lookup(ctx context.Context, keys []sources.Key) ([]detector.Known, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("lookup: %w", err)
	}
	known := make([]detector.Known, len(keys))
	seen, err := db.recallAll(keys)
	if err != nil {
		return nil, fmt.Errorf("lookup: %w", err)
	}
	var places []place
	var owner []int // of each place: the index of its key
	for i, k := range keys {
		s, ok := seen[k]
		if !ok {
			continue
		}
		known[i].Found, known[i].Seen = true, s
		for _, brand := range s.Brands {
			places = append(places, placeOf(brand, s.At, k))
			owner = append(owner, i)
		}
	}
	got, err := db.fetch(places)
	if err != nil {
		return nil, fmt.Errorf("lookup: %w", err)
	}
	for n, h := range got {
		if h.found {
			i := owner[n]
			h.judged.Mention.ID = keys[i].ID
			known[i].Judged = append(known[i].Judged, h.judged)
		}
	}
	return known, nil
}

// recallAll returns what is stored about having seen the given mentions.
func (db *DB) recallAll(keys []sources.Key) (map[sources.Key]detector.Seen, error) {
	found := make(map[sources.Key]detector.Seen)
	days := make(map[sources.Key][]uint32)
	for _, k := range keys {
		if c := db.seen.candidates(hashKey(k)); len(c) > 0 {
			days[k] = c
		}
	}
	if len(days) == 0 {
		return found, nil
	}
	err := db.state.view(func(t *txn) error {
		for k, candidates := range days {
			s, ok, err := readSeen(t, k, candidates)
			if err != nil {
				return err
			}
			if ok {
				found[k] = s
			}
		}
		return nil
	})
	return found, err
}

// readSeen looks through the given days, newest first.
func readSeen(t *txn, k sources.Key, days []uint32) (detector.Seen, bool, error) {
	h := hashKey(k)
	for _, day := range days {
		b := t.b(seenBucket).Bucket(binary.BigEndian.AppendUint32(nil, day))
		if b == nil {
			continue
		}
		if v := b.Get(h[:]); v != nil {
			s, err := decodeSeen(t, v)
			s.Key = k
			return s, err == nil, err
		}
	}
	return detector.Seen{}, false, nil
}

func decodeSeen(t *txn, v []byte) (detector.Seen, error) {
	b, err := versioned(v)
	if err != nil {
		return detector.Seen{}, fmt.Errorf("seen: %w", err)
	}
	d := &decoder{t: t, b: b}
	s := detector.Seen{Arrived: d.time(), At: d.time(), Brands: d.words()}
	if len(d.b) > 0 {
		s.Deleted = d.byte() == 1
	}
	if err := d.done(); err != nil {
		return detector.Seen{}, fmt.Errorf("seen: %w", err)
	}
	return s, nil
}

// Delivery returns the digest a push delivery was taken with, if it was taken within the last day.
func (db *DB) Delivery(ctx context.Context, source, id string) (digest [32]byte, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return digest, false, fmt.Errorf("delivery: %w", err)
	}
	key := deliveryKey(source + "\x00" + id)
	err = db.state.view(func(t *txn) error {
		c := t.b(deliveryBucket).Cursor()
		for day, _ := c.Last(); day != nil && !ok; day, _ = c.Prev() {
			b := t.b(deliveryBucket).Bucket(day)
			if b == nil {
				return fmt.Errorf("delivery: %x is no day", day)
			}
			v := b.Get(key)
			if v == nil {
				continue
			}
			if v, err = versioned(v); err != nil || len(v) != len(digest) {
				return fmt.Errorf("delivery: %w", errShort)
			}
			digest, ok = [32]byte(v), true
		}
		return nil
	})
	return digest, ok, err
}

// Cursor returns where a source goes on, as of the last commit that brought a batch of it; nil for one that
// never told.
func (db *DB) Cursor(ctx context.Context, source string) (cursor sources.Cursor, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("cursor of %s: %w", source, err)
	}
	err = db.state.view(func(t *txn) error {
		v := t.b(cursorBucket).Get(chainKey(source))
		if v == nil {
			return nil
		}
		b, err := versioned(v)
		cursor = append(sources.Cursor{}, b...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("cursor of %s: %w", source, err)
	}
	return cursor, nil
}
