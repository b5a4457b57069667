package train

import (
	"math"
	"slices"

	"emberwatch/detector/sentiment"
	"emberwatch/rules"
)

// feature is one that an example has: its number in the book, and its value.
type feature struct {
	id    uint32
	value float32
}

// example is a row as the learner sees it.
type example struct {
	feats  []feature
	label  Label
	binary bool    // its source knows no neutral: neutral is masked, so that nothing is learned about it
	weight float32 // in the loss
	base   triple  // what a model that is adapted says already
}

// book numbers the features that occur often enough to be learned, and has the examples.
type book struct {
	hashes   []uint32 // by number
	counts   []int    // in how many examples each occurs
	examples []example
	seen     int // features, rare ones included
}

// newBook reads the rows twice: to count the features, and to note those that stay.
func newBook(rows []Row, x *sentiment.Extractor, o Options) *book {
	count := map[uint32]int{}
	each(rows, x, func(_ int, _ *rules.Doc, fs []sentiment.Feature) {
		for _, f := range fs {
			count[f.Hash]++
		}
	})
	b := &book{examples: make([]example, len(rows)), seen: len(count)}
	for h, n := range count {
		if n >= o.MinCount {
			b.hashes = append(b.hashes, h)
		}
	}
	slices.Sort(b.hashes)
	number := make(map[uint32]uint32, len(b.hashes))
	b.counts = make([]int, len(b.hashes))
	for i, h := range b.hashes {
		number[h] = uint32(i)
		b.counts[i] = count[h]
	}
	groups := tallies(rows)
	each(rows, x, func(i int, doc *rules.Doc, fs []sentiment.Feature) {
		g := groups[rows[i].group()]
		e := &b.examples[i]
		e.label, e.binary = rows[i].Label, g.noNeutral()
		e.weight = float32(g.weight(e.label, o.Balance, o.Size) * o.trust(rows[i].group()))
		e.feats = make([]feature, 0, len(fs))
		for _, f := range fs {
			if id, ok := number[f.Hash]; ok {
				e.feats = append(e.feats, feature{id, f.Value})
			}
		}
		if o.Base != nil {
			_, neg, pos := o.Base.Logits(doc, "")
			e.base = triple{Negative: float32(neg), Positive: float32(pos)}
		}
	})
	return b
}

// each calls f with the features of one row after the other. They are valid until f returns.
func each(rows []Row, x *sentiment.Extractor, f func(i int, doc *rules.Doc, fs []sentiment.Feature)) {
	doc := new(rules.Doc)
	var buf []sentiment.Feature
	for i := range rows {
		doc.Reset(rows[i].Text)
		buf = x.Features(buf[:0], doc, "")
		f(i, doc, buf)
	}
}

// weighted gives each feature its weights against neutral.
func (b *book) weighted(w []triple) []sentiment.Weighted {
	out := make([]sentiment.Weighted, len(w))
	for i := range w {
		out[i] = sentiment.Weighted{
			Hash: b.hashes[i], Count: b.counts[i],
			Negative: w[i][Negative] - w[i][Neutral], Positive: w[i][Positive] - w[i][Neutral],
		}
	}
	return out
}

// setRatios sets the log-count ratio of every cell: how much more of what a label has is this feature than of what the
// other labels have.
func (b *book) setRatios(cells []cell) {
	with := make([]triple, len(cells))
	var total triple
	for i := range b.examples {
		e := &b.examples[i]
		for _, f := range e.feats {
			with[f.id][e.label] += e.weight
		}
		total[e.label] += e.weight * float32(len(e.feats))
	}
	all := total[0] + total[1] + total[2]
	n := float32(len(with))
	for i := range cells {
		sum := with[i][0] + with[i][1] + with[i][2]
		for k := range total {
			in := (with[i][k] + 1) / (total[k] + n)
			out := (sum - with[i][k] + 1) / (all - total[k] + n)
			cells[i].ratio[k] = float32(math.Log(float64(in / out)))
		}
	}
}
