package sentiment

import "math"

// How much a feature of the whole text weighs, beside the words and the grams, which share one unit each.
const (
	shapeValue = 0.2
	hitValue   = 0.2
)

// The places of the features of the whole text.
const (
	shapeLength = iota
	shapeExclaims
	shapeQuestions
	shapeStretched
	shapeEmoji
	shapeNegative
	shapePositive
	shapeBalance
	shapeOpen
	shapeHits
	shapeFirst
	shapeLast
	shapeLowest
	shapeHighest
)

func (x *Extractor) ofText() {
	w := &x.walk
	x.shape = append(x.shape, Feature{mix(uint32(x.lang), kindTongue), shapeValue})
	x.say(shapeLength, bucket(x.wordCount, 3, 6, 10, 15, 22, 35, 70))
	x.say(shapeExclaims, w.exclaims)
	x.say(shapeQuestions, w.questions)
	x.say(shapeStretched, min(x.stretched, 2))
	x.say(shapeEmoji, min(x.emoji, 3))
	neg, pos := w.sums()
	x.tell(shapeNegative, step(neg))
	x.tell(shapePositive, step(pos))
	x.tell(shapeBalance, step(pos-neg)+20)
	x.tell(shapeOpen, w.open)
	x.tell(shapeHits, min(w.count, 4))
	if w.count == 0 {
		return
	}
	low, high := w.extremes()
	if first, last := w.ends(); first != nil {
		x.tell(shapeFirst, grade(first.value))
		x.tell(shapeLast, grade(last.value))
	}
	x.tell(shapeLowest, int(2*low))
	x.tell(shapeHighest, int(2*high))
}

// say adds a feature of the whole text.
func (x *Extractor) say(place, value int) {
	x.shape = append(x.shape, Feature{mix(uint32(place)<<16|uint32(value&0xFFFF), kindShape), shapeValue})
}

// tell adds a feature of the word lists, for all languages and for the one of the text.
func (x *Extractor) tell(place, value int) {
	h := uint32(place)<<16 | uint32(value&0xFFFF)
	x.shape = append(x.shape,
		Feature{mix(h, kindHit), hitValue},
		Feature{mix(join(h, uint32(x.lang)+1), kindHit), hitValue})
}

// grade sorts a valence into one of six.
func grade(v float32) int {
	switch {
	case v <= -2.5:
		return 1
	case v < -0.5:
		return 2
	case v < 0:
		return 3
	case v < 0.5:
		return 4
	case v < 2.5:
		return 5
	}
	return 6
}

func bucket(n int, bounds ...int) int {
	for i, b := range bounds {
		if n < b {
			return i
		}
	}
	return len(bounds)
}

// step is a sum of valences in steps that grow.
func step(v float64) int {
	sign := 1
	if v < 0 {
		v, sign = -v, -1
	}
	switch {
	case v < 0.3:
		return 0
	case v < 6:
		return sign * (1 + int(v*1.5))
	}
	return sign * 11
}

// crowd says how fast hits count less the more there are: by 1/sqrt(1+crowd*hits).
const crowd = 0.3

// sums are the negative and the positive valences of a text, as positive numbers, long texts discounted.
func (w *walk) sums() (neg, pos float64) {
	for i := range w.count {
		if v := float64(w.hit(i).value); v < 0 {
			neg -= v
		} else {
			pos += v
		}
	}
	n := 1 / math.Sqrt(1+crowd*float64(w.count))
	return neg * n, pos * n
}

// extremes are the lowest valence, at most 0, and the highest, at least 0.
func (w *walk) extremes() (low, high float32) {
	for i := range w.count {
		v := w.hit(i).value
		low, high = min(low, v), max(high, v)
	}
	return low, high
}

// ends are the first and the last hit. Hashtags do not count: their order means nothing.
func (w *walk) ends() (first, last *hit) {
	for i := range w.count {
		h := w.hit(i)
		if h.tag {
			continue
		}
		if first == nil {
			first = h
		}
		last = h
	}
	return first, last
}
