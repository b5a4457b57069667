// Package sentiment scores how negative, neutral or positive a text is, with word lists for seven languages.
//
// A [Lexicon] implements [detector.Scorer]. It takes the tokens of a text ([rules.Doc]), decides which
// language they are in ([Lexicon.Lang]), and walks over them once. Each word, phrase, emoji or emoticon that
// is known becomes a hit with a valence from about -3 to 3. The words around it change the valence: negators
// turn it, intensifiers and capitals strengthen it, what comes before "but" counts less than what comes after.
// A multinomial logistic mapping, fitted on labelled posts and reviews, makes three probabilities of the
// hits and of a few signs (exclamation marks, negators that negate nothing known, no hit at all). A star rating
// then shifts the odds.
//
// The data are lines of a word, a beginning* or a phrase, a tab and its valence; or, instead of a valence, what the
// word does to others: not, more, less, but. A dash marks a word that only tells the language.
//
// The package never learns, never keeps a text, knows no brand and no topic: that a parcel has not come for
// three weeks is for the cue words of the categories to know.
//
// # Caveats
//
// Irony and complaints told as plain facts are mostly scored neutral. The probabilities are those of a
// stream with as many negative as neutral and positive texts: compare them with a brand's own past, not
// with the share of unhappy customers. A text in a language without a lexicon is scored by its emoji and
// stars alone, and is not Known unless it has stars or is nothing but emoji. Between Spanish and Portuguese a
// short text without a hint is often taken for the other.
package sentiment

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"emberwatch/detector"
	"emberwatch/rules"
)

var _ detector.Scorer = (*Lexicon)(nil)

// Lexicon is a scorer made of word lists. It is immutable and safe for concurrent use.
type Lexicon struct {
	tables [known]table
	emoji  map[string]float32
	voters map[string]set // the languages that a word speaks for
}

// New returns the embedded lexicon. Reading it takes some milliseconds: call it once.
func New() *Lexicon {
	l, err := load()
	if err != nil {
		panic("sentiment: embedded lexicon: " + err.Error()) // the build is broken
	}
	return l
}

func load() (*Lexicon, error) {
	l := &Lexicon{voters: map[string]set{}}
	for i := range l.tables {
		t, err := l.read("lexicon-"+codes[i]+".tsv", lang(i))
		if err != nil {
			return nil, err
		}
		l.tables[i] = t
	}
	if _, err := l.read("other.tsv", other); err != nil {
		return nil, err
	}
	t, err := readTable("emoji.tsv")
	if err != nil {
		return nil, err
	}
	l.emoji = make(map[string]float32, len(t.words))
	for e, v := range t.words {
		l.emoji[e] = v.valence
	}
	return l, nil
}

// read returns the table of a file; every whole word of it speaks for the language by.
func (l *Lexicon) read(name string, by lang) (table, error) {
	t, err := readTable(name)
	if err != nil {
		return table{}, err
	}
	for w := range t.words {
		l.voters[w] |= of(by)
	}
	return t, nil
}

func readTable(name string) (table, error) {
	t := table{words: map[string]*entry{}, stems: map[string]*entry{}}
	data, err := files.ReadFile(name)
	if err != nil {
		return t, err
	}
	if err := t.parse(string(data)); err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

// emojiValence returns the valence of a folded emoji, or of the picture it begins with.
func (l *Lexicon) emojiValence(folded []byte) float32 {
	const picture = 4 // bytes of nearly every emoji
	if v, ok := l.emoji[string(folded)]; ok || len(folded) <= picture {
		return v
	}
	return l.emoji[string(folded[:picture])]
}

// Lang returns the language of doc: one of the known codes, or [Und]. The hint is a language tag or empty; it is
// believed if the letters of the text allow it and its words do not clearly speak for another language.
func (l *Lexicon) Lang(doc *rules.Doc, hint string) string {
	if doc == nil {
		doc = new(rules.Doc)
	}
	return codes[l.identify(doc, hint)]
}

// Score implements [detector.Scorer]. A rating outside 1 to 5 counts as none. Reasons point to the hits; their
// weights are valences.
func (l *Lexicon) Score(doc *rules.Doc, hint string, rating float64, explain bool) detector.Score {
	if doc == nil {
		doc = new(rules.Doc)
	}
	rated := rating >= 1 && rating <= 5 // not so for NaN
	w := walk{doc: doc, lex: l, lang: l.identify(doc, hint)}
	spoken := w.lang < other
	if spoken {
		w.table = &l.tables[w.lang]
	}
	w.run()
	odds := w.logits()
	if rated {
		odds.rate(rating)
	}
	s := detector.Score{
		P:     odds.probabilities(),
		Lang:  codes[w.lang],
		Known: rated || spoken && w.words >= 2 || w.words < 2 && w.emoji > 0,
	}
	if explain {
		s.Reasons = w.reasons()
	}
	return s
}

// reasons returns the hits, the weightiest first.
func (w *walk) reasons() []detector.Reason {
	rs := make([]detector.Reason, w.count)
	for i := range rs {
		h := w.hit(i)
		rs[i] = detector.Reason{Text: w.doc.Text[h.start:h.end], Start: h.start, End: h.end, Weight: round(h.value)}
	}
	slices.SortStableFunc(rs, func(a, b detector.Reason) int {
		return cmp.Compare(math.Abs(b.Weight), math.Abs(a.Weight))
	})
	return rs
}

// round gives two decimals: more would claim more than a word list knows.
func round(v float32) float64 { return math.Round(float64(v)*100) / 100 }
