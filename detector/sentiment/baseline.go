package sentiment

import (
	"math"

	"emberwatch/detector"
	"emberwatch/rules"
)

// Baseline scores doc by the word lists alone, in the manner of VADER (Hutto and Gilbert 2014): the sum of the valences,
// squeezed to between -1 and 1, is negative from -0.05 and positive from 0.05 on. It is what a model is compared with.
// Lang is the language of doc.
func (l *Lexicon) Baseline(doc *rules.Doc, lang string) detector.P {
	const (
		squeeze = 15.0
		edge    = 0.05
		steep   = 20.0
	)
	w := walk{doc: doc, lex: l, lang: parseHint(lang), stop: len(doc.Tokens)}
	if w.lang < other {
		w.table = &l.tables[w.lang]
	}
	w.run()
	neg, pos := w.sums()
	s := pos - neg
	s /= math.Sqrt(s*s + squeeze)
	return odds{negative: -steep * (s + edge), positive: steep * (s - edge)}.probabilities()
}
