package sentiment

import (
	"math"

	"emberwatch/detector"
)

// weights are one row of the logistic mapping: what each feature adds to the logit of a label, neutral
// being zero.
type weights struct {
	negative float64 // sum of negative valences, as a positive number
	positive float64 // sum of positive valences
	mixed    float64 // the smaller of the two
	open     float64 // a negator that negated nothing known
	exclaim  float64 // "!", up to maxExclaim
	question float64 // "?", up to maxQuestions
	silent   float64 // no hit at all
	base     [known + 2]float64
}

// The mapping was fitted on about 170,000 labelled posts and reviews in the seven languages, their labels
// weighted to be about as frequent as each other; the sources without neutral texts taught nothing about neutral.
var (
	toNegative = weights{
		negative: 0.63, positive: -0.26, mixed: -0.24, open: 0.48, exclaim: 0.18, question: -0.05, silent: -0.52,
		base: [...]float64{en: -0.47, de: -0.55, ru: -0.34, ar: -0.20, sv: -0.23, es: -0.50, fr: -0.14, other: -0.4, und: -0.4},
	}
	toPositive = weights{
		negative: -0.34, positive: 0.62, mixed: -0.27, open: -0.42, exclaim: 0.47, question: -0.39, silent: -0.58,
		base: [...]float64{en: -0.36, de: -0.44, ru: -0.31, ar: -0.31, sv: -0.49, es: -0.17, fr: 0.14, other: -0.3, und: -0.3},
	}
)

const (
	// crowd says how fast hits count less the more there are: by 1/sqrt(1+crowd*hits). Long texts have more
	// words of both kinds and are not that much more certain.
	crowd = 0.3
	// perStar is what a star away from three adds to the logit of its side and takes from the other.
	perStar = 1.2
	// ratedNeutral is what one to two stars away from three take from neutral.
	ratedNeutral = 0.5
)

// logits are the log odds of negative and positive against neutral.
type logits struct {
	negative, positive, neutral float64
}

func (w *walk) logits() logits {
	var neg, pos float64
	for i := range w.count {
		if v := float64(w.hit(i).value); v < 0 {
			neg -= v
		} else {
			pos += v
		}
	}
	n := 1 / math.Sqrt(1+crowd*float64(w.count))
	return logits{
		negative: toNegative.logit(w, neg*n, pos*n),
		positive: toPositive.logit(w, neg*n, pos*n),
	}
}

func (c *weights) logit(w *walk, neg, pos float64) float64 {
	z := c.base[w.lang] + c.negative*neg + c.positive*pos + c.mixed*min(neg, pos) +
		c.open*float64(w.open) + c.exclaim*float64(w.exclaims) + c.question*float64(w.questions)
	if w.count == 0 {
		z += c.silent
	}
	return z
}

// rate lets a star rating shift the odds: one and two stars are negative and four and five positive unless the words
// say the opposite very clearly.
func (l *logits) rate(rating float64) {
	away := rating - 3
	l.positive += perStar * away
	l.negative -= perStar * away
	l.neutral -= ratedNeutral * math.Abs(away)
}

func (l logits) probabilities() detector.P {
	top := max(l.negative, l.positive, l.neutral)
	neg, neu, pos := math.Exp(l.negative-top), math.Exp(l.neutral-top), math.Exp(l.positive-top)
	sum := neg + neu + pos
	return detector.P{Negative: neg / sum, Neutral: neu / sum, Positive: pos / sum}
}
