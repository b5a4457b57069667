// Package sentiment scores how negative, neutral or positive a text is, in eleven languages, with one small model that
// is part of the program.
//
// A [Model] implements [detector.Scorer]. It takes the tokens of a text ([rules.Doc]) and goes over them once:
//
//   - a reading cuts the text into words, hashtags, emoji and runs of signs, and each word into stretches of three to five
//     letters ("grams"); letters are folded already, digits read as 0, stretched letters as two;
//   - [Languages] tells the language by the letters: a linear model of its own, with a class for all languages that are
//     not known;
//   - names are taken out (a capital within a sentence), and so are the words that a brand's lexicon ([rules.Sense])
//     gives another meaning;
//   - a walk sums the valences of the word lists, turned by negators, strengthened and weakened by the words around
//     them, in the manner of VADER (Hutto and Gilbert 2014); the sums are features like others;
//   - an [Extractor] puts all this together as hashed features: words, words of this language, pairs, negated words, grams, signs,
//     shape of the text, valences;
//   - the [Table] has two weights for each feature that occurred in at least three training texts, the log odds of negative
//     and of positive against neutral; features that it does not have say nothing.
//
// An [Adjustment] for each language, fitted on held-out texts, makes probabilities of the sums (temperature scaling with offsets,
// Guo et al. 2017). A star rating shifts them; if it contradicts the words, Disagree is set. A text in which every negative word is
// negated is at most 0.3 negative.
//
// Reasons are found by reading the text from both ends and noting what each piece adds: two orders of a Shapley value.
//
// The model is trained by the package train from the same features, so that nothing differs between training and use; a file
// ([Read], [Open]) carries a fingerprint of the features and is refused where they differ.
//
// The word lists (lexicon-xx.tsv, emoji.tsv) are lines of a word, a beginning* or a phrase, a tab and its valence from -3.5
// to 3.5; or, instead of a valence, what the word does to others: not, more, less, but. Who edits them trains the model again.
//
// The package never learns while it runs, never keeps a text, knows no brand and no topic: cue words of the categories
// are for rules, and [detector.WithCues] joins the two.
//
// # Caveats
//
// Half of all irony is missed. Hindi is learned from labels that are mostly noise. A text in an unknown language is scored with
// much doubt and is not Known unless it has stars or is nothing but emoji; close relatives of known languages (Danish,
// Catalan, Persian) are now and then taken for them. At most 3,000 words of a text are read. The probabilities are
// those of a stream with about as many negative as neutral and positive texts: compare them with a brand's own past, not with the
// share of unhappy customers.
package sentiment

import (
	"errors"
	"fmt"
	"io/fs"
)

// Lexicon is a scorer made of word lists. It is immutable and safe for concurrent use.
type Lexicon struct {
	tables [known]table
	emoji  map[string]float32
}

// NewLexicon returns the embedded lexicon. Reading it takes some milliseconds: call it once.
func NewLexicon() *Lexicon {
	l, err := load()
	if err != nil {
		panic("sentiment: embedded lexicon: " + err.Error()) // the build is broken
	}
	return l
}

func load() (*Lexicon, error) {
	l := &Lexicon{}
	for i := range l.tables {
		t, err := readTable("lexicon-" + codes[i] + ".tsv")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		l.tables[i] = t
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

func readTable(name string) (table, error) {
	t := table{words: map[string]*entry{}, stems: map[string]*entry{}}
	data, err := files.ReadFile(name)
	if err != nil {
		return t, err
	}
	if err := t.parse(string(data)); err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	t.uncover()
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
