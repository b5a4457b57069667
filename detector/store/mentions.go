package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
)

const defaultMentions = 100

// Mentions returns judged mentions, newest first, one for each brand that a mention speaks about. Those
// whose text has expired or was deleted are among them, without text, author and id.
func (db *DB) Mentions(ctx context.Context, f detector.MentionFilter) ([]detector.Judged, error) {
	if f.Limit <= 0 {
		f.Limit = defaultMentions
	}
	var places []place
	days := db.archive.days(f.From, f.To)
	for _, day := range slices.Backward(days) {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("mentions: %w", err)
		}
		found, err := db.newest(day, f)
		if err != nil {
			return nil, fmt.Errorf("mentions: %w", err)
		}
		if places = append(places, found...); len(places) >= f.Limit {
			places = places[:f.Limit]
			break
		}
	}
	got, err := db.fetch(places)
	if err != nil {
		return nil, fmt.Errorf("mentions: %w", err)
	}
	list := make([]detector.Judged, 0, len(got))
	for _, h := range got {
		if h.found { // else it was taken away since
			list = append(list, h.judged)
		}
	}
	return list, nil
}

// newest returns the places of the newest mentions of a day that the filter chooses, at most f.Limit.
func (db *DB) newest(day span, f detector.MentionFilter) ([]place, error) {
	var places []place
	err := db.archive.view(day, func(t *txn) error {
		return eachBrand(t, f.Brand, func(id uint32, brand string) error {
			r := rangeOf(id, day, f.From, f.To)
			n := 0
			return r.backward(t, func(p place, v []byte) (bool, error) {
				ok, err := fits(t, v, f)
				if err != nil || !ok {
					return true, err
				}
				p.brand = brand
				places = append(places, p)
				n++
				return n < f.Limit, nil
			})
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(places, func(a, b place) int { return comparePlaces(b, a) })
	places = slices.Compact(places) // a record may be both in the file of its day and in that of its month
	return places[:min(len(places), f.Limit)], nil
}

// comparePlaces orders by time, then by mention, then by brand.
func comparePlaces(a, b place) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.hash, b.hash), cmp.Compare(a.brand, b.brand))
}

// fits reports whether a record is one that the filter asks for, brand and time aside.
func fits(t *txn, v []byte, f detector.MentionFilter) (bool, error) {
	if f.Label != "" {
		rec, err := peekRecord(v)
		if err != nil || rec.p.Label() != f.Label {
			return false, err
		}
	}
	if f.Source == "" {
		return true, nil
	}
	rec, err := decodeRecord(t, v)
	return rec.source == f.Source, err
}

// eachBrand calls fn for one brand, or for every brand that the file has items of if none is named.
func eachBrand(t *txn, brand string, fn func(id uint32, brand string) error) error {
	if brand != "" {
		id, ok := t.known(brand)
		if !ok {
			return nil
		}
		return fn(id, brand)
	}
	c := t.b(itemBucket).Cursor()
	for k, _ := c.First(); k != nil; {
		id, _, _, err := splitItemKey(k)
		if err != nil {
			return err
		}
		name, err := t.word(id)
		if err != nil {
			return err
		}
		if err := fn(id, name); err != nil || id == math.MaxUint32 {
			return err
		}
		k, _ = c.Seek(binary.BigEndian.AppendUint32(nil, id+1))
	}
	return nil
}

// keyRange is the items of one brand in a stretch of time, as keys.
type keyRange struct {
	first, end []byte // end is not part of it
}

// rangeOf cuts a day to from..to (either may be zero).
func rangeOf(brand uint32, day span, from, to time.Time) keyRange {
	start, end := day.from, day.to
	if from.After(start) {
		start = from
	}
	if !to.IsZero() && to.Before(end) {
		end = to
	}
	return keyRange{appendItemKey(brand, ceilMillis(start), 0), appendItemKey(brand, ceilMillis(end), 0)}
}

// ceilMillis rounds up: keys hold whole milliseconds.
func ceilMillis(t time.Time) int64 {
	return t.Add(time.Millisecond - time.Nanosecond).UnixMilli()
}

// forward calls fn in the order of time until it returns false.
func (r keyRange) forward(t *txn, fn func(p place, v []byte) (bool, error)) error {
	c := t.b(itemBucket).Cursor()
	for k, v := c.Seek(r.first); k != nil && bytes.Compare(k, r.end) < 0; k, v = c.Next() {
		if more, err := visit(k, v, fn); err != nil || !more {
			return err
		}
	}
	return nil
}

// backward calls fn against the order of time until it returns false.
func (r keyRange) backward(t *txn, fn func(p place, v []byte) (bool, error)) error {
	c := t.b(itemBucket).Cursor()
	var v []byte
	k, _ := c.Seek(r.end)
	if k == nil {
		k, v = c.Last()
	} else {
		k, v = c.Prev()
	}
	for ; k != nil && bytes.Compare(k, r.first) >= 0; k, v = c.Prev() {
		if more, err := visit(k, v, fn); err != nil || !more {
			return err
		}
	}
	return nil
}

func visit(k, v []byte, fn func(p place, v []byte) (bool, error)) (bool, error) {
	_, at, hash, err := splitItemKey(k)
	if err != nil {
		return false, err
	}
	return fn(place{at: at, hash: hash}, v)
}

// MentionsByKey returns those mentions that still have their text, in the order asked for, as they were
// judged for the brand; an empty brand stands for mentions of no brand.
func (db *DB) MentionsByKey(ctx context.Context, brand string, keys []sources.Key) ([]detector.Judged, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("mentions: %w", err)
	}
	seen, err := db.recallAll(keys)
	if err != nil {
		return nil, fmt.Errorf("mentions: %w", err)
	}
	places := make([]place, 0, len(keys))
	var unseen []sources.Key
	for _, k := range keys {
		if s, ok := seen[k]; ok {
			places = append(places, placeOf(brand, s.At, k))
		} else {
			unseen = append(unseen, k)
		}
	}
	if len(unseen) > 0 {
		old, err := db.searchOld(ctx, brand, unseen)
		if err != nil {
			return nil, fmt.Errorf("mentions: %w", err)
		}
		places = append(places, old...)
	}
	got, err := db.fetch(places)
	if err != nil {
		return nil, fmt.Errorf("mentions: %w", err)
	}
	byKey := make(map[sources.Key]detector.Judged, len(got))
	for _, h := range got {
		if h.whole {
			byKey[h.judged.Mention.Key()] = h.judged
		}
	}
	list := make([]detector.Judged, 0, len(byKey))
	for _, k := range keys {
		if j, ok := byKey[k]; ok {
			list = append(list, j)
		}
	}
	return list, nil
}

// searchOld finds mentions that arrived before the days of which seen ids are kept, by going through the
// keys of the brand. Mentions are never older than their arrival, so that there is nothing to search
// unless texts are kept longer than seen ids.
func (db *DB) searchOld(ctx context.Context, brand string, keys []sources.Key) ([]place, error) {
	wanted := make(map[uint64]bool, len(keys))
	for _, k := range keys {
		wanted[hashKey(k).short()] = true
	}
	var found []place
	for _, sp := range slices.Backward(db.archive.spans()) {
		v, ok := db.archive.get(sp)
		if !ok || sp.month || !sp.from.Before(db.seen.since()) {
			continue
		}
		if err := ctx.Err(); err != nil || len(found) == len(wanted) {
			return found, err
		}
		err := v.view(func(t *txn) error {
			id, ok := t.known(brand)
			if !ok {
				return nil
			}
			return rangeOf(id, sp, time.Time{}, time.Time{}).forward(t, func(p place, _ []byte) (bool, error) {
				if wanted[p.hash] {
					p.brand = brand
					found = append(found, p)
				}
				return true, nil
			})
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}
