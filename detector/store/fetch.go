package store

import (
	"fmt"
	"slices"
	"time"

	"emberwatch/detector"
)

// held is what the archive has at a place.
type held struct {
	found  bool
	whole  bool // with its text
	judged detector.Judged
}

// fetch returns what is at each place, in order. Each file is read in transactions of at most pageLen places.
func (db *DB) fetch(places []place) ([]held, error) {
	out := make([]held, len(places))
	byDay := make(map[time.Time][]int)
	for i, p := range places {
		from := p.day().from
		byDay[from] = append(byDay[from], i)
	}
	for from, all := range byDay {
		for part := range slices.Chunk(all, pageLen) {
			err := db.archive.view(daySpan(from), func(t *txn) error { return read(t, places, part, out) })
			if err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// pageLen is how many records one read transaction takes at most: a long one makes the file grow.
const pageLen = 10_000

func read(t *txn, places []place, which []int, out []held) error {
	for _, i := range which {
		if key, ok := places[i].find(t); ok && !out[i].found {
			h, err := readOne(t, places[i], key)
			if err != nil {
				return err
			}
			out[i] = h
		}
	}
	return nil
}

func readOne(t *txn, p place, key []byte) (held, error) {
	v := t.b(itemBucket).Get(key)
	if v == nil {
		return held{}, nil
	}
	if text := getText(t, key); text != nil {
		j, err := parseJSON[detector.Judged](text)
		if err != nil {
			return held{}, fmt.Errorf("text: %w", err)
		}
		return held{found: true, whole: true, judged: j}, nil
	}
	rec, err := decodeRecord(t, v)
	if err != nil {
		return held{}, err
	}
	return held{found: true, judged: rec.judged(p)}, nil
}

func getText(t *txn, key []byte) []byte {
	if b := t.b(textBucket); b != nil {
		return b.Get(key)
	}
	return nil
}
