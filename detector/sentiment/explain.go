package sentiment

import (
	"cmp"
	"math"
	"slices"

	"emberwatch/detector"
	"emberwatch/rules"
)

const (
	maxTold       = 80   // units of a text that are looked at …
	maxTriedBytes = 8000 // … and how far into it
	maxReasons    = 8    // shown
	leastShown    = 0.12 // log odds
)

// piece is a stretch of the text that may be a reason.
type piece struct {
	start, end  int
	first, last int32 // tokens
	weight      float64
}

// reasons shares out what the text says for and against its label among its pieces: each gets the mean of what it adds
// when the text is read from the beginning and when it is read from the end (two orders of a Shapley value). So a word
// that only repeats what another says shares its weight, and a negator has part of what it turns.
func (m *Model) reasons(x *Extractor, senses []rules.Sense, label detector.Label) []detector.Reason {
	text := x.doc.Text
	var pieces []piece
	for i := range x.units[:min(len(x.units), maxTold)] {
		u := &x.units[i]
		p := piece{start: x.doc.Tokens[u.token].Start, end: x.doc.Tokens[u.last].End, first: u.token, last: u.last}
		if p.end > maxTriedBytes {
			break
		}
		pieces = append(pieces, p)
	}
	if len(pieces) == 0 {
		return nil
	}
	r := m.get()
	defer m.put(r)
	doc := new(rules.Doc)
	stands := func(part string) float64 {
		doc.Reset(part)
		r.read(doc)
		r.mean(senses)
		r.lang = x.lang
		r.find()
		return m.odds(r).standing(label)
	}
	end := pieces[len(pieces)-1].end
	before := stands("")
	for i := range pieces {
		now := stands(text[:pieces[i].end])
		pieces[i].weight += (now - before) / 2
		before = now
	}
	before = stands("")
	for i := len(pieces) - 1; i >= 0; i-- {
		now := stands(text[pieces[i].start:end])
		pieces[i].weight += (now - before) / 2
		before = now
	}
	return shown(text, together(pieces))
}

// standing is where the odds stand between negative, below zero, and positive, seen from the label that the text got.
func (o odds) standing(label detector.Label) float64 {
	switch label {
	case detector.Negative:
		return softplus(o.positive, o.neutral) - o.negative
	case detector.Positive:
		return o.positive - softplus(o.negative, o.neutral)
	}
	return o.positive - o.negative
}

// softplus is log(exp(a) + exp(b)).
func softplus(a, b float64) float64 {
	top := max(a, b)
	return top + math.Log(math.Exp(a-top)+math.Exp(b-top))
}

// together joins pieces that follow each other and speak for the same side.
func together(ps []piece) []piece {
	var out []piece
	for _, p := range ps {
		if math.Abs(p.weight) < leastShown {
			continue
		}
		if n := len(out) - 1; n >= 0 && out[n].last+1 == p.first && (out[n].weight > 0) == (p.weight > 0) {
			out[n].end, out[n].last = p.end, p.last
			out[n].weight += p.weight
			continue
		}
		out = append(out, p)
	}
	return out
}

func shown(text string, ps []piece) []detector.Reason {
	slices.SortStableFunc(ps, func(a, b piece) int { return cmp.Compare(math.Abs(b.weight), math.Abs(a.weight)) })
	rs := make([]detector.Reason, min(len(ps), maxReasons))
	for i := range rs {
		p := &ps[i]
		rs[i] = detector.Reason{Text: text[p.start:p.end], Start: p.start, End: p.end, Weight: math.Round(p.weight*100) / 100}
	}
	return rs
}
