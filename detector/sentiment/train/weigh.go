package train

import "math"

// tally counts the labels of a group: rows of one language and domain.
type tally struct {
	rows  float64
	count [labels]float64
}

func tallies(rows []Row) map[string]*tally {
	groups := map[string]*tally{}
	for i := range rows {
		g := groups[rows[i].group()]
		if g == nil {
			g = new(tally)
			groups[rows[i].group()] = g
		}
		g.rows++
		g.count[rows[i].Label]++
	}
	return groups
}

// noNeutral reports whether the source of the group has no neutral texts, which says something about the source and nothing
// about the world. A small group may lack them by chance.
func (t *tally) noNeutral() bool { return t.count[Neutral] == 0 && t.rows >= 100 }

// classes is how many labels occur.
func (t *tally) classes() (n float64) {
	for _, c := range t.count {
		if c > 0 {
			n++
		}
	}
	return n
}

const (
	usualSource = 2000 // rows of a source of ordinary size
	maxWeight   = 5    // of one row: what is very rare in its source is often mislabelled
)

// weight is how much a row of the group counts: rare labels more, rows of large sources less.
func (t *tally) weight(l Label, balance, size float64) float64 {
	b := math.Pow(t.rows/(t.classes()*t.count[l]), balance)
	return math.Min(b*math.Pow(t.rows/usualSource, -size), maxWeight)
}
