package store

import (
	"encoding/binary"
	"fmt"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
)

// Flags of an item in state.db.
const (
	itemKnown = 1 << iota
	itemPrivate
	itemMedia
	itemCopy
	itemHeld
	itemOwn
	itemProducts // it names products: they stand last
)

// itemKey sorts the items of a brand by time.
func itemKey(t *txn, r detector.ItemRef) ([]byte, error) {
	brand, err := t.id(r.Brand)
	if err != nil {
		return nil, err
	}
	return appendItemKey(brand, nanos(r.At), hashKey(r.Key).short()), nil
}

// appendItemKey is the form of item keys: brand, time and hash. The time counts nanoseconds in state.db and
// milliseconds in the archive.
func appendItemKey(brand uint32, at int64, hash uint64) []byte {
	k := binary.BigEndian.AppendUint32(make([]byte, 0, itemKeyLen), brand)
	k = binary.BigEndian.AppendUint64(k, orderly(at))
	return binary.BigEndian.AppendUint64(k, hash)
}

const itemKeyLen = 4 + 8 + 8

func splitItemKey(k []byte) (brand uint32, at int64, hash uint64, err error) {
	if len(k) != itemKeyLen {
		return 0, 0, 0, fmt.Errorf("%x is no item key", k)
	}
	return binary.BigEndian.Uint32(k), int64(binary.BigEndian.Uint64(k[4:]) ^ 1<<63), binary.BigEndian.Uint64(k[12:]), nil
}

// encodeItem writes an item without brand and time, which its key holds.
func encodeItem(t *txn, it *detector.Item) ([]byte, error) {
	e := &encoder{t: t, b: make([]byte, 0, 128)}
	e.byte(formatV1)
	e.byte(bit(it.Known, itemKnown) | bit(it.Private, itemPrivate) | bit(it.Media, itemMedia) | bit(it.Copy, itemCopy) | bit(it.Held, itemHeld) | bit(it.Own, itemOwn) | bit(len(it.Products) > 0, itemProducts))
	e.str(it.Key.Source)
	e.str(it.Key.ID)
	e.fixed(it.Author)
	e.int(it.Weight)
	e.float(it.Negative)
	e.word(string(it.Label))
	e.word(string(it.Kind))
	e.word(it.Category)
	e.words(it.Categories)
	e.words(it.Rules)
	e.str(it.Cue)
	e.str(it.Network)
	e.str(it.Lang)
	e.float(it.Rating)
	e.int(it.Reach)
	e.fixed(it.Text)
	e.fixed(it.Sketch)
	e.str(it.Under)
	e.words(it.Measured)
	e.uint(uint64(len(it.Passed)))
	for _, p := range it.Passed {
		e.time(p.At)
		e.int(p.N)
	}
	if len(it.Products) > 0 {
		e.words(it.Products)
	}
	return e.b, e.err
}

func decodeItem(t *txn, key, v []byte) (detector.Item, error) {
	brand, at, _, err := splitItemKey(key)
	if err != nil {
		return detector.Item{}, err
	}
	b, err := versioned(v)
	if err != nil {
		return detector.Item{}, err
	}
	d := &decoder{t: t, b: b}
	flags := d.byte()
	it := detector.Item{
		At:    fromNanos(at),
		Known: flags&itemKnown != 0, Private: flags&itemPrivate != 0, Media: flags&itemMedia != 0, Copy: flags&itemCopy != 0, Held: flags&itemHeld != 0, Own: flags&itemOwn != 0,
		Key:        sources.Key{Source: d.str(), ID: d.str()},
		Author:     d.fixed(),
		Weight:     d.int(),
		Negative:   d.float(),
		Label:      detector.Label(d.word()),
		Kind:       sources.Kind(d.word()),
		Category:   d.word(),
		Categories: d.words(),
		Rules:      d.words(),
		Cue:        d.str(),
		Network:    d.str(),
		Lang:       d.str(),
		Rating:     d.float(),
		Reach:      d.int(),
		Text:       d.fixed(),
	}
	if len(d.b) > 0 { // the first records had none
		it.Sketch = d.fixed()
	}
	if len(d.b) > 0 { // nor these
		it.Under, it.Measured = d.str(), d.words()
		for n := d.uint(); n > 0 && d.err == nil; n-- {
			it.Passed = append(it.Passed, detector.Passed{At: d.time(), N: d.int()})
		}
	}
	if flags&itemProducts != 0 {
		it.Products = d.words()
	}
	if err := d.done(); err != nil {
		return detector.Item{}, fmt.Errorf("item: %w", err)
	}
	it.Brand, err = t.word(brand)
	return it, err
}

func bit(set bool, flag byte) byte {
	if set {
		return flag
	}
	return 0
}

// millis is a time as the archive's keys count it.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}
