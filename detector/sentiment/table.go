package sentiment

import (
	"cmp"
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
)

// Table keeps two small weights for each feature that a model has learned something about, and nothing for others: a
// name that nobody has seen says nothing. It is a hash table of 2^bits buckets of four, a feature being told from the
// others of its bucket by one byte; one unseen feature in about a hundred is taken for another.
type Table struct {
	bits    int
	scale   float32  // what 1 stands for
	checks  []uint32 // of each bucket: a byte for each of its four, 0 for none
	weights []int8   // of each bucket: four times negative and positive
}

const (
	inBucket    = 4
	weightBytes = 2 * inBucket
	minBits     = 4
	maxBits     = 22
)

// Weighted is a feature with the log odds that it adds to negative and to positive against neutral. Count is in how
// many texts it was seen.
type Weighted struct {
	Hash               uint32
	Negative, Positive float32
	Count              int
}

// NewTable makes a table of 2^bits buckets. Where more than four features want one bucket, those that move least are left
// out; their number is returned.
func NewTable(bits int, features []Weighted) (t *Table, dropped int) {
	t = &Table{bits: bits, checks: make([]uint32, 1<<bits), weights: make([]int8, weightBytes<<bits)}
	t.scale = scaleOf(features)
	order := slices.Clone(features)
	slices.SortFunc(order, func(a, b Weighted) int {
		return cmp.Or(cmp.Compare(b.moves(), a.moves()), cmp.Compare(a.Hash, b.Hash))
	})
	for i := range order {
		if !t.add(&order[i]) {
			dropped++
		}
	}
	return t, dropped
}

// moves is how much the feature has moved texts in all.
func (w *Weighted) moves() float64 {
	return math.Sqrt(float64(w.Count)) * (math.Abs(float64(w.Negative)) + math.Abs(float64(w.Positive)))
}

// scaleOf clips the largest weight in two thousand, so that the rest keep their steps.
func scaleOf(features []Weighted) float32 {
	sizes := make([]float32, 0, 2*len(features))
	for i := range features {
		sizes = append(sizes, abs(features[i].Negative), abs(features[i].Positive))
	}
	if len(sizes) == 0 {
		return 1
	}
	slices.Sort(sizes)
	return max(sizes[len(sizes)-1-len(sizes)/2000], 1e-6) / 127
}

func abs(x float32) float32 { return max(x, -x) }

func (t *Table) quantise(w float32) int8 {
	return int8(math.Round(float64(max(-127, min(127, w/t.scale)))))
}

// add puts a feature into a free place of its bucket. One that is taken for a feature already there is left out.
func (t *Table) add(w *Weighted) bool {
	if _, _, taken := t.find(w.Hash); taken {
		return false
	}
	b := t.bucket(w.Hash)
	for i := range inBucket {
		if t.checks[b]>>(8*i)&0xFF == 0 {
			t.checks[b] |= check(w.Hash) << (8 * i)
			t.weights[b*weightBytes+2*i] = t.quantise(w.Negative)
			t.weights[b*weightBytes+2*i+1] = t.quantise(w.Positive)
			return true
		}
	}
	return false
}

func (t *Table) bucket(h uint32) int { return int(h >> (32 - t.bits)) }

// check is the byte that tells features of one bucket apart; it is never 0.
func check(h uint32) uint32 { return max(h&0xFF, 1) }

// find returns the weights of a feature, in steps of the scale.
func (t *Table) find(h uint32) (neg, pos int32, ok bool) {
	b := t.bucket(h)
	x := t.checks[b] ^ check(h)*0x01010101
	x = (x - 0x01010101) & ^x & 0x80808080 // the lowest bit set is that of the first byte that was equal
	if x == 0 {
		return 0, 0, false
	}
	w := t.weights[b*weightBytes+bits.TrailingZeros32(x)/8*2:][:2]
	return int32(w[0]), int32(w[1]), true
}

// Adapt returns a table with what features have learned beside t added to it. New features take free places, else the
// place of the one that moves least.
func (t *Table) Adapt(features []Weighted) *Table {
	type slot struct {
		check    uint32
		neg, pos float32
	}
	slots := make([]slot, inBucket<<t.bits)
	sizes := []Weighted{}
	for b := range t.checks {
		for i := range inBucket {
			w := t.weights[b*weightBytes+2*i:]
			slots[b*inBucket+i] = slot{t.checks[b] >> (8 * i) & 0xFF, float32(w[0]) * t.scale, float32(w[1]) * t.scale}
		}
	}
	for _, f := range features {
		bucket := slots[t.bucket(f.Hash)*inBucket:][:inBucket]
		at := slices.IndexFunc(bucket, func(s slot) bool { return s.check == check(f.Hash) })
		if at < 0 {
			at = slices.IndexFunc(bucket, func(s slot) bool { return s.check == 0 })
		}
		if at < 0 {
			at = 0
			for i := range bucket {
				if abs(bucket[i].neg)+abs(bucket[i].pos) < abs(bucket[at].neg)+abs(bucket[at].pos) {
					at = i
				}
			}
			bucket[at] = slot{}
		}
		bucket[at].check = check(f.Hash)
		bucket[at].neg += f.Negative
		bucket[at].pos += f.Positive
	}
	for _, s := range slots {
		if s.check != 0 {
			sizes = append(sizes, Weighted{Negative: s.neg, Positive: s.pos})
		}
	}
	out := &Table{bits: t.bits, scale: scaleOf(sizes), checks: make([]uint32, len(t.checks)), weights: make([]int8, len(t.weights))}
	for i, s := range slots {
		out.checks[i/inBucket] |= s.check << (8 * (i % inBucket))
		out.weights[2*i], out.weights[2*i+1] = out.quantise(s.neg), out.quantise(s.pos)
	}
	return out
}

// Bits is the logarithm of the number of buckets.
func (t *Table) Bits() int { return t.bits }

// bytes is the table as it stands in a file: the checks, then the weights.
func (t *Table) bytes() []byte {
	b := make([]byte, 0, t.size())
	for _, c := range t.checks {
		b = binary.LittleEndian.AppendUint32(b, c)
	}
	return append(b, unsigned(t.weights)...)
}

func (t *Table) size() int { return (4 + weightBytes) << t.bits }

// setBytes is the inverse of bytes.
func (t *Table) setBytes(b []byte) {
	t.checks = make([]uint32, 1<<t.bits)
	for i := range t.checks {
		t.checks[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	t.weights = signed(b[4<<t.bits:])
}
