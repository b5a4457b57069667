package train

import (
	"maps"
	"math"

	"emberwatch/detector/sentiment"
	"emberwatch/rules"
)

// Settings of the fit of probabilities.
const (
	evenness  = 0.6 // 0: the labels of a source count as often as they occur, 1: alike
	ridge     = 10  // how many rows' worth of force pulls a language towards all …
	baseRidge = 300 // … and towards what an adapted model had
	coldest   = 0.4 // bounds of the temperature: rows that are told apart without a mistake would make it zero
	hottest   = 4
	descents  = 400
	momentum  = 0.9
	stride    = 0.3
)

// judgement is what a model says of a labelled text before its adjustment.
type judgement struct {
	lang     string // as told by the model
	label    Label
	neg, pos float64
	binary   bool
	weight   float64
}

// calibrate fits a temperature and two offsets for each language on texts that the model was not trained on: at the
// true shares of the labels for the probabilities' sake and at equal shares for the decisions' sake, half way between.
func calibrate(m *sentiment.Model, rows []Row, o *Options) map[string]sentiment.Adjustment {
	by := map[string][]judgement{}
	var all []judgement
	groups := tallies(rows)
	doc := new(rules.Doc)
	for i := range rows {
		r := &rows[i]
		g := groups[r.group()]
		doc.Reset(r.Text)
		j := judgement{label: r.Label, binary: g.noNeutral(), weight: g.weight(r.Label, evenness, 0.5)}
		j.weight *= math.Sqrt(o.trust(r.group())) // how sure to be of a language is to be learned from doubtful labels too
		j.lang, j.neg, j.pos = m.Logits(doc, "")
		by[j.lang] = append(by[j.lang], j)
		all = append(all, j)
	}
	if o.Base != nil {
		return readjusted(o.Base.Adjust, by)
	}
	common := descend(all, sentiment.Adjustment{Temperature: 1}, 0)
	out := map[string]sentiment.Adjustment{sentiment.Und: common}
	for _, lang := range sentiment.Codes() {
		out[lang] = descend(by[lang], common, ridge)
	}
	return out
}

// readjusted fits the languages that there are rows of, starting from what an adapted model had and held back by it: some
// dozen rows must not make it sure of itself.
func readjusted(base map[string]sentiment.Adjustment, by map[string][]judgement) map[string]sentiment.Adjustment {
	out := maps.Clone(base)
	for lang, js := range by {
		if start, ok := out[lang]; ok {
			out[lang] = descend(js, start, baseRidge)
		}
	}
	return out
}

// point is where the descent is: the logarithm of the temperature and the two offsets.
type point [3]float64

// descend minimises the log loss by gradient descent with momentum; pull draws towards start.
func descend(js []judgement, start sentiment.Adjustment, pull float64) sentiment.Adjustment {
	s := point{math.Log(start.Temperature), start.Negative, start.Positive}
	total := 1e-9
	for i := range js {
		total += js[i].weight
	}
	x, v := s, point{}
	for range descents {
		var g point
		for i := range js {
			js[i].slope(&x, &g, js[i].weight/total)
		}
		for k := range x {
			g[k] += pull / (total + pull) * (x[k] - s[k])
			v[k] = momentum*v[k] - stride*g[k]
			x[k] += v[k]
		}
		x[0] = min(max(x[0], math.Log(coldest)), math.Log(hottest))
	}
	return sentiment.Adjustment{Temperature: math.Exp(x[0]), Negative: x[1], Positive: x[2]}
}

// slope adds the gradient of the loss of one judgement at x.
func (j *judgement) slope(x, g *point, weight float64) {
	t := math.Exp(x[0])
	zn, zp := (j.neg+x[1])/t, (j.pos+x[2])/t
	p := probabilities(zn, zp)
	if j.binary {
		known := p[Negative] + p[Positive]
		p[Negative], p[Positive] = p[Negative]/known, p[Positive]/known
	}
	switch j.label {
	case Negative:
		p[Negative]--
	case Positive:
		p[Positive]--
	}
	g[0] -= weight * (p[Negative]*zn + p[Positive]*zp)
	g[1] += weight * p[Negative] / t
	g[2] += weight * p[Positive] / t
}

// probabilities are those of log odds against neutral.
func probabilities(neg, pos float64) [labels]float64 {
	top := max(neg, pos, 0)
	n, u, p := math.Exp(neg-top), math.Exp(-top), math.Exp(pos-top)
	sum := n + u + p
	return [labels]float64{n / sum, u / sum, p / sum}
}
