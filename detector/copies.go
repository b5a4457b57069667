package detector

import (
	"math/bits"

	"emberwatch/rules"
)

// Who copies a text says nothing that was not said. A text is sketched by 64 bits in which similar texts differ little
// (simhash: Charikar 2002), from its words without links, handles and order; near-identical texts count as those of one
// author where complaints are counted, and how many there are is told: a storm may be a brigade.

const (
	leastSketched = 5    // words of a text that can be called a copy: who says less says it by chance
	longText      = 20   // words from which a copy may have a few words changed; a shorter one has the same words
	copyBits      = 6    // that a copy of a long text differs in at most
	copiesSought  = 4000 // mentions that a new one is compared with at most
)

// sketch returns the sketch of a text, 0 if it is too short for one. The highest bit says that the text is long.
func sketch(doc *rules.Doc) uint64 {
	var sums [63]int
	words := 0
	for i := range doc.Tokens {
		switch doc.Tokens[i].Kind {
		case rules.Word, rules.Number, rules.Hashtag:
		default:
			continue
		}
		words++
		h := scramble(fnv1a(fnvOffset, doc.Folded(i)))
		for b := range sums {
			sums[b] += int(h>>b&1)<<1 - 1
		}
	}
	if words < leastSketched {
		return 0
	}
	var s uint64
	for b, n := range sums {
		if n > 0 {
			s |= 1 << b
		}
	}
	if words >= longText {
		s |= longMark
	}
	return s
}

const longMark = 1 << 63

// scramble spreads a hash over all its bits (the finaliser of MurmurHash3).
func scramble(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// copies reports whether two sketches are of nearly the same text.
func copies(a, b uint64) bool {
	if a&b&longMark != 0 {
		return bits.OnesCount64(a^b) <= copyBits
	}
	return a != 0 && a == b
}

// copied returns how many mentions that counted, of the six hours before and after an item, say nearly the same; no more
// than capAuthor, for nothing else is asked.
func (b *brand) copied(it *Item) int {
	if it.Sketch == 0 {
		return 0
	}
	n, seen := 0, 0
	for k := len(b.items) - 1; k >= 0 && seen < copiesSought && n < capAuthor; k-- {
		x := b.items[k]
		if away := it.At.Sub(x.At); away >= capEvery {
			break
		} else if away <= -capEvery {
			continue
		}
		seen++
		if x.Weight > 0 && !x.Copy && x.Held == it.Held && copies(x.Sketch, it.Sketch) {
			n++
		}
	}
	return n
}
