package store

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"emberwatch/detector"
)

// recall knows in memory which mentions may have been seen on which day of arrival, so that a mention that
// is new, as most are, costs no look at the disk.
type recall struct {
	mu   sync.RWMutex // guards both
	days []uint32     // newest first
	sets map[uint32]*sieve
}

func newRecall() *recall { return &recall{sets: make(map[uint32]*sieve)} }

// load reads the hashes of all days that are kept.
func (r *recall) load(t *txn) error {
	top := t.b(seenBucket)
	return top.ForEachBucket(func(k []byte) error {
		if len(k) != 4 {
			return fmt.Errorf("seen: %x is no day", k)
		}
		day := binary.BigEndian.Uint32(k)
		return top.Bucket(k).ForEach(func(k, _ []byte) error {
			if len(k) == len(keyHash{}) {
				r.add(day, keyHash(k))
			}
			return nil
		})
	})
}

// note adds what a commit has marked as seen.
func (r *recall) note(seen []detector.Seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range seen {
		r.add(binary.BigEndian.Uint32(dayKey(seen[i].Arrived)), hashKey(seen[i].Key))
	}
}

// add is note for one hash; the caller holds mu or is alone.
func (r *recall) add(day uint32, h keyHash) {
	set := r.sets[day]
	if set == nil {
		set = &sieve{}
		r.sets[day] = set
		i, _ := slices.BinarySearchFunc(r.days, day, func(a, b uint32) int { return int(int64(b) - int64(a)) })
		r.days = slices.Insert(r.days, i, day)
	}
	set.add(h)
}

// since returns the start of the oldest day that is kept; the zero time if there is none.
func (r *recall) since() time.Time {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.days) == 0 {
		return time.Time{}
	}
	return fromNanos(int64(r.days[len(r.days)-1]) * int64(24*time.Hour))
}

// forgetBefore drops from memory the days that dropDays has dropped from disk.
func (r *recall) forgetBefore(then time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := binary.BigEndian.Uint32(dayKey(then))
	r.days = slices.DeleteFunc(r.days, func(d uint32) bool {
		if d >= first {
			return false
		}
		delete(r.sets, d)
		return true
	})
}

// candidates returns the days on which a mention may have been seen, newest first.
func (r *recall) candidates(h keyHash) []uint32 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var days []uint32
	for _, day := range r.days {
		if r.sets[day].may(h) {
			days = append(days, day)
		}
	}
	return days
}

// sieve is a Bloom filter that grows: each layer holds twice as much as the one before. A layer has 16 bits
// and 6 probes a key, which lets about one key in a thousand through by mistake (Bloom 1970: (1-e^(-6/16))^6).
type sieve struct{ layers []layer }

type layer struct {
	bits []uint64
	left int // keys until it is full
}

const (
	firstLayer = 1 << 10 // keys
	bitsPerKey = 16
	probes     = 6
)

func (s *sieve) add(h keyHash) {
	n := len(s.layers)
	if n == 0 || s.layers[n-1].left == 0 {
		keys := firstLayer << n
		s.layers = append(s.layers, layer{bits: make([]uint64, keys*bitsPerKey/64), left: keys})
		n++
	}
	l := &s.layers[n-1]
	l.left--
	for i := range uint64(probes) {
		at := l.probe(h, i)
		l.bits[at/64] |= 1 << (at % 64)
	}
}

func (s *sieve) may(h keyHash) bool {
	return slices.ContainsFunc(s.layers, func(l layer) bool {
		for i := range uint64(probes) {
			if at := l.probe(h, i); l.bits[at/64]&(1<<(at%64)) == 0 {
				return false
			}
		}
		return true
	})
}

// probe derives the i-th bit from the two halves of the hash (Kirsch and Mitzenmacher 2006).
func (l *layer) probe(h keyHash, i uint64) uint64 {
	a, b := binary.BigEndian.Uint64(h[:8]), binary.BigEndian.Uint64(h[8:])
	return (a + i*(b|1)) & uint64(len(l.bits)*64-1)
}
