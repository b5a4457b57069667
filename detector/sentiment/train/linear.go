package train

import (
	"math"
	"math/rand/v2"
)

// triple holds something for each label.
type triple [labels]float32

// cell is one row of the table while it is learned.
type cell struct {
	w     triple // weights
	g     triple // sums of squared gradients
	ratio triple // NB log-count ratios
}

// learner fits a multinomial logistic regression on features that are scaled by their naive Bayes log-count ratios
// (Wang and Manning 2012, "Baselines and bigrams"), by AdaGrad (Duchi, Hazan and Singer 2011) with a rate that falls to
// zero, feature dropout and label smoothing.
type learner struct {
	Options
	cells []cell
	rng   *rand.Rand
	kept  []feature // the features of an example that were not dropped
}

func newLearner(b *book, o Options, seed uint64) *learner {
	l := &learner{Options: o, cells: make([]cell, len(b.hashes)), rng: rand.New(rand.NewPCG(seed, 7))}
	b.setRatios(l.cells)
	return l
}

// fit learns from the examples and returns the weights with the ratios folded in. It calls progress after each epoch
// with the mean loss.
func (l *learner) fit(ex []example, progress func(epoch int, loss float64)) []triple {
	order := l.rng.Perm(len(ex))
	done, total := 0, float64(len(ex)*l.Epochs)
	for epoch := range l.Epochs {
		loss, weight := 0.0, 0.0
		for _, i := range order {
			rate := l.Rate * (1 - float64(done)/total)
			loss += l.learn(&ex[i], float32(rate))
			weight += float64(ex[i].weight)
			done++
		}
		progress(epoch+1, loss/weight)
		l.rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	return l.folded()
}

// learn takes one step and returns the loss before it.
func (l *learner) learn(e *example, rate float32) float64 {
	l.drop(e.feats)
	p := softmax(l.logits(e.base), e.binary)
	d := e.gradient(p, float32(l.Smoothing))
	for _, f := range l.kept {
		c := &l.cells[f.id]
		for k := range d {
			g := d[k] * f.value * c.ratio[k]
			if g == 0 {
				continue
			}
			c.g[k] += g * g
			c.w[k] -= rate * g / (float32(math.Sqrt(float64(c.g[k]))) + 1e-6)
		}
	}
	return -float64(e.weight) * math.Log(math.Max(float64(p[e.label]), 1e-9))
}

// drop keeps a random part of the features, and makes up in their values for what is gone.
func (l *learner) drop(feats []feature) {
	l.kept = l.kept[:0]
	boost := float32(1 / (1 - l.Dropout))
	for _, f := range feats {
		if l.rng.Float64() < l.Dropout {
			continue
		}
		f.value *= boost
		l.kept = append(l.kept, f)
	}
}

// logits adds what the features say to z.
func (l *learner) logits(z triple) triple {
	for _, f := range l.kept {
		c := &l.cells[f.id]
		for k := range z {
			z[k] += f.value * c.w[k] * c.ratio[k]
		}
	}
	return z
}

// gradient is that of the smoothed cross entropy, by the logits.
func (e *example) gradient(p triple, smoothing float32) (d triple) {
	share := smoothing / labels
	if e.binary {
		share = smoothing / (labels - 1)
	}
	for k := range d {
		target := share
		if Label(k) == e.label {
			target += 1 - smoothing
		}
		d[k] = e.weight * (p[k] - target)
	}
	if e.binary {
		d[Neutral] = 0
	}
	return d
}

func softmax(z triple, binary bool) (p triple) {
	top := max(z[Negative], z[Positive])
	if !binary {
		top = max(top, z[Neutral])
	}
	var sum float32
	for k := range z {
		if binary && Label(k) == Neutral {
			continue
		}
		p[k] = float32(math.Exp(float64(z[k] - top)))
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}

func (l *learner) folded() []triple {
	out := make([]triple, len(l.cells))
	for i := range l.cells {
		c := &l.cells[i]
		for k := range c.w {
			out[i][k] = c.w[k] * c.ratio[k]
		}
	}
	return out
}
