package train

import (
	"cmp"
	"math"
	"slices"
)

// Scored is a labelled text with the probabilities that a scorer gave it.
type Scored struct {
	Label Label
	P     [labels]float64 // negative, neutral, positive
}

// Measures are the figures of a group of texts, in per cent.
type Measures struct {
	N          int
	Labels     [labels]int // how often each label occurs
	MacroF1    float64     // over the labels that occur
	MacroR     float64     // recall, over the labels that occur
	Precision  float64     // of negative
	Recall     float64     // of negative
	F1         float64     // of negative
	AP         float64     // average precision of P(negative)
	ECE        float64     // top-label calibration error in 15 bins
	RecallAt90 float64     // recall of negative at the highest number of texts with a precision of 90
}

// TwoClass reports whether the group has no neutral texts. It is then judged as if neutral could not be said.
func (m *Measures) TwoClass() bool { return m.Labels[Neutral] == 0 }

// Measure judges the scores of a group.
func Measure(s []Scored) Measures {
	m := Measures{N: len(s)}
	if len(s) == 0 {
		return m
	}
	for i := range s {
		m.Labels[s[i].Label]++
	}
	var hit, said [labels]int
	for i := range s {
		l, _ := s[i].top(m.TwoClass())
		said[l]++
		if l == s[i].Label {
			hit[l]++
		}
	}
	m.count(hit, said)
	m.ECE = calibrationError(s, m.TwoClass())
	m.AP, m.RecallAt90 = ranking(s, m.Labels[Negative])
	return m
}

// top is the most probable label and its probability.
func (s *Scored) top(binary bool) (Label, float64) {
	best, sum := Negative, 0.0
	for l := range Label(labels) {
		if binary && l == Neutral {
			continue
		}
		sum += s.P[l]
		if s.P[l] > s.P[best] {
			best = l
		}
	}
	return best, s.P[best] / math.Max(sum, 1e-12)
}

func (m *Measures) count(hit, said [labels]int) {
	classes := 0.0
	for l := range labels {
		if m.Labels[l] == 0 {
			continue
		}
		classes++
		m.MacroF1 += 200 * float64(hit[l]) / float64(m.Labels[l]+said[l])
		m.MacroR += 100 * float64(hit[l]) / float64(m.Labels[l])
	}
	m.MacroF1 /= classes
	m.MacroR /= classes
	m.Precision = 100 * float64(hit[Negative]) / math.Max(float64(said[Negative]), 1)
	m.Recall = 100 * float64(hit[Negative]) / math.Max(float64(m.Labels[Negative]), 1)
	m.F1 = 200 * float64(hit[Negative]) / math.Max(float64(m.Labels[Negative]+said[Negative]), 1)
}

func calibrationError(s []Scored, binary bool) float64 {
	const bins = 15
	var sure, right [bins]float64
	for i := range s {
		l, p := s[i].top(binary)
		b := min(bins-1, int(p*bins))
		sure[b] += p
		if l == s[i].Label {
			right[b]++
		}
	}
	e := 0.0
	for b := range sure {
		e += math.Abs(sure[b] - right[b])
	}
	return 100 * e / float64(len(s))
}

// ranking returns the average precision of P(negative), and the recall where the precision is 90.
func ranking(s []Scored, negatives int) (ap, at90 float64) {
	if negatives == 0 {
		return 0, 0
	}
	o := slices.Clone(s)
	slices.SortStableFunc(o, func(a, b Scored) int { return cmp.Compare(b.P[Negative], a.P[Negative]) })
	hit, reached := 0, 0
	for i := 0; i < len(o); {
		before := hit
		for p := o[i].P[Negative]; i < len(o) && o[i].P[Negative] == p; i++ { // equals stand in no order
			if o[i].Label == Negative {
				hit++
			}
		}
		ap += float64(hit-before) * float64(hit) / float64(i)
		if 10*hit >= 9*i {
			reached = hit
		}
	}
	return 100 * ap / float64(negatives), 100 * float64(reached) / float64(negatives)
}
