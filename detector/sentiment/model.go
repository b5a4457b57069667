package sentiment

import (
	"math"
	"sync"

	"emberwatch/detector"
	"emberwatch/rules"
)

var _ detector.Scorer = (*Model)(nil)

// Model scores texts. It is immutable and safe for concurrent use.
type Model struct {
	Parts
	lex    *Lexicon
	adjust [known + 2]Adjustment
	pool   sync.Pool // of *Extractor
}

// Parts are what a model is made of.
type Parts struct {
	Languages *Languages
	Table     *Table
	Adjust    map[string]Adjustment // by language
	Card      Card
}

// Adjustment turns log odds into probabilities, for one language: the offsets are added, then all is divided by
// Temperature (Guo et al. 2017).
type Adjustment struct {
	Temperature float64 `json:"temperature"`
	Negative    float64 `json:"negative"`
	Positive    float64 `json:"positive"`
}

// Assemble makes a model of its parts.
func Assemble(p Parts, lex *Lexicon) *Model {
	m := &Model{Parts: p, lex: lex}
	for i := range m.adjust {
		m.adjust[i] = Adjustment{Temperature: 1}
		if a, ok := p.Adjust[codes[i]]; ok && a.Temperature > 0 {
			m.adjust[i] = a
		}
	}
	m.pool.New = func() any { return NewExtractor(m.Languages, m.lex) }
	return m
}

// odds are the log odds of the labels; neutral is 0 until something takes from it.
type odds struct {
	negative, positive, neutral float64
}

const (
	// perStar is what a star away from three adds to the log odds of its side and takes from the other.
	perStar = 1.2
	// ratedNeutral is what a star away from three takes from neutral.
	ratedNeutral = 0.5
	// opposed is how probable the words must make what the stars deny for both to disagree.
	opposed = 0.6
	// meant is what a word adds to the side that a brand's lexicon puts it on.
	meant = 2.0
	// shouted is what a word in capitals adds to a complaint; never to praise, so that shouting makes nothing milder.
	shouted    = 0.12
	maxShouted = 6
	// foreignDoubt is how much less sure the score of a text is whose language is not known.
	foreignDoubt = 2
	// saysNothing are the odds of a text without a word or sign.
	saysNothing = -1
	// deniedMost bounds P(negative) of a text whose only negative words are negated.
	deniedMost = 0.3
)

// rate lets a star rating shift the odds: one and two stars are negative and four and five positive unless the words
// say the opposite very clearly. Where they do, people have more often clicked wrong than written wrong: the stars count
// half.
func (o *odds) rate(rating float64, denied bool) {
	away := rating - 3
	if denied {
		away /= 2
	}
	o.positive += perStar * away
	o.negative -= perStar * away
	o.neutral -= ratedNeutral * math.Abs(away)
}

func (o odds) probabilities() detector.P {
	top := max(o.negative, o.positive, o.neutral)
	neg, neu, pos := math.Exp(o.negative-top), math.Exp(o.neutral-top), math.Exp(o.positive-top)
	sum := neg + neu + pos
	return detector.P{Negative: neg / sum, Neutral: neu / sum, Positive: pos / sum}
}

func (m *Model) get() *Extractor { return m.pool.Get().(*Extractor) }

// put gives x back without the text that it has read.
func (m *Model) put(x *Extractor) {
	x.doc = nil
	x.walk = walk{spill: x.walk.spill[:0]}
	m.pool.Put(x)
}

// Score implements [detector.Scorer]. A rating outside 1 to 5 counts as none. The weight of a reason is what the piece
// adds to the log odds of the label: below zero where it speaks for Negative. It knows nothing of the rating.
func (m *Model) Score(doc *rules.Doc, about detector.About) detector.Score {
	if doc == nil {
		doc = new(rules.Doc)
	}
	x := m.get()
	defer m.put(x)
	x.extract(doc, about.Lang, about.Senses)
	o := m.odds(x)
	p := o.probabilities()
	s := detector.Score{Lang: codes[x.lang]}
	rated := about.Rating >= 1 && about.Rating <= 5 // not so for NaN
	if rated {
		s.Disagree = about.Rating <= 2 && p.Positive >= opposed || about.Rating >= 4 && p.Negative >= opposed
		o.rate(about.Rating, s.Disagree)
		p = o.probabilities()
	}
	if x.walk.onlyDenied() && !(about.Rating >= 1 && about.Rating <= 2) {
		p = p.CapNegative(deniedMost)
	}
	s.P = p
	s.Known = rated || x.lang < other && (x.wordCount >= 2 || x.walk.emoji > 0) || x.wordCount == 0 && x.walk.emoji > 0
	if about.Explain {
		s.Reasons = m.reasons(x, about.Senses, p.Label())
	}
	return s
}

// odds returns the log odds of what x has read.
func (m *Model) odds(x *Extractor) odds {
	if len(x.units) == 0 {
		return odds{negative: saysNothing, positive: saysNothing}
	}
	neg, pos := m.sum(x)
	a := m.adjust[x.lang]
	if x.lang >= other {
		a.Temperature *= foreignDoubt
	}
	shift := meant * float64(x.meant)
	o := odds{
		negative: (float64(neg)+a.Negative)/a.Temperature - shift,
		positive: (float64(pos)+a.Positive)/a.Temperature + shift,
	}
	if o.negative >= max(o.positive, o.neutral) {
		o.negative += shouted * float64(min(x.uppers, maxShouted))
	}
	return o
}

// sum adds up the weights of the features of each group, times their values. Features that the table does not have
// count for the size of their group all the same: a text of which little is known is sure of little.
func (m *Model) sum(x *Extractor) (neg, pos float32) {
	var wn, wp, gn, gp int32
	for _, h := range x.words {
		n, p, _ := m.Table.find(h)
		wn, wp = wn+n, wp+p
	}
	for _, h := range x.grams {
		n, p, _ := m.Table.find(h)
		gn, gp = gn+n, gp+p
	}
	w, g := groupValue(len(x.words)), groupValue(len(x.grams))
	neg, pos = float32(wn)*w+float32(gn)*g, float32(wp)*w+float32(gp)*g
	for _, f := range x.shape {
		n, p, _ := m.Table.find(f.Hash)
		neg += float32(n) * f.Value
		pos += float32(p) * f.Value
	}
	return neg * m.Table.scale, pos * m.Table.scale
}

// Logits returns the log odds of negative and of positive against neutral, as the table has them: what an [Adjustment]
// is fitted on.
func (m *Model) Logits(doc *rules.Doc, hint string) (lang string, neg, pos float64) {
	x := m.get()
	defer m.put(x)
	x.extract(doc, hint, nil)
	n, p := m.sum(x)
	return codes[x.lang], float64(n), float64(p)
}

// Lang returns the language of doc: one of the known codes, or [Und]. The hint is a language tag or empty; it is
// believed if the letters of the text allow it and do not clearly speak for another language.
func (m *Model) Lang(doc *rules.Doc, hint string) string {
	if doc == nil {
		doc = new(rules.Doc)
	}
	x := m.get()
	defer m.put(x)
	x.read(doc)
	return codes[m.Languages.identify(&x.reading, hint)]
}
