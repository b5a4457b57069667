// Package topics says in words what an incident is about: "broken zipper", "refund", "молния".
//
// [Finder] cuts the texts of an incident and the brand's ordinary ones into words (corpus.go), brings the forms of
// a word together (form.go), and contrasts how many texts of each side hold a word or a pair of words
// (contrast.go): the weighted log-odds-ratio with an informative Dirichlet prior of Monroe, Colaresi and Quinn, "Fightin'
// Words" (Political Analysis 2008, section 3.5.1, equations 16, 18, 20 and 22). Each language is contrasted with itself. What
// overlaps is told once (choose.go). For English incidents a part-of-speech tagger looks for noun phrases around the
// terms that were found (phrases.go), so that "zipper" becomes "broken zipper".
//
// The unit of counting is the text, not the word: repeating a word in one text gains nothing. Copies of a text (the
// same first words, as in shares of a post) are scored as the square root of their number, so that a wave of shares
// has words, but does not outvote people; Topic.Count and Topic.Of count every copy.
//
// The package keeps nothing between calls except the tagger's model. It never judges, and nothing of it feeds the
// detector's model.
//
// # Caveats
//
// The tagger (github.com/jdkato/prose) knows English only, panics on some letters, needs quadratic time on long
// words, and cannot be cancelled. It stays behind a guard (tagger.go): one worker, short cleaned sentences, recovered
// panics, a time-out. When that fails the statistical terms stand alone; so the same texts can give "zipper" on a busy machine and
// "broken zipper" on an idle one. Everything else is deterministic.
//
// The tagger's model is loaded by the first English incident, takes about a quarter of a second and 28 MB, and
// stays. Importing this package adds about 5 MB to a binary and one or two milliseconds to its start, which the tagger's
// dependencies spend on compiling expressions.
package topics

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"emberwatch/detector"
)

// The limits of the English step.
const (
	sampleTexts = 50                     // texts of an incident that are tagged
	sampleBytes = 2000                   // of each
	tagTimeout  = 200 * time.Millisecond // for all of them
	loadTimeout = 2 * time.Second        // once, for the first incident that needs the model
)

// Options of a [Finder]. The zero value is the usual one.
type Options struct {
	Plain bool // statistical terms only: never load the English tagger
}

// Finder finds topics. Make one with [New] and share it: it holds the only worker of the tagger.
type Finder struct {
	stops *stopWords
	tags  *tagger // nil: plain
}

var _ detector.Topics = (*Finder)(nil)

// New returns a Finder. It starts nothing and loads no model.
func New(o Options) *Finder {
	f := &Finder{stops: loadStopWords()}
	if !o.Plain {
		f.tags = newTagger(loadProse)
	}
	return f
}

// Close waits until the tagger's worker, if it runs, has done its sentence, and keeps it from running again; Topics goes
// on without it. It returns the error of ctx if that ends first.
func (f *Finder) Close(ctx context.Context) error {
	if f.tags == nil {
		return nil
	}
	return f.tags.close(ctx)
}

// Topics implements [detector.Topics]. Its time is linear in the texts, besides sorting their distinct words.
func (f *Finder) Topics(incident, ordinary []detector.Text, names []string, n int) []detector.Topic {
	if n <= 0 || len(incident) == 0 {
		return nil
	}
	home := commonest(incident)
	in, usual := byLang(incident, home), byLang(ordinary, home)
	skip := newNameList(names)
	var found []topic
	for _, lang := range slices.Sorted(maps.Keys(in)) {
		c := newCorpus(f.stops.of(lang), skip, lang)
		c.add(&c.incident, in[lang])
		c.add(&c.ordinary, usual[lang])
		terms := c.contrast(f.stops)
		if lang == "en" && 2*len(in[lang]) > len(incident) {
			terms = f.phrases(c, terms)
		}
		found = append(found, c.tell(c.distinct(terms), n)...)
	}
	return rank(found, n)
}

// topic is a detector.Topic with what it is merged by over languages.
type topic struct {
	detector.Topic
	key string
}

// rank brings the topics of all languages in one order. What is said in several is one topic.
func rank(found []topic, n int) []detector.Topic {
	slices.SortStableFunc(found, func(a, b topic) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), cmp.Compare(b.Count, a.Count), strings.Compare(a.key, b.key), strings.Compare(a.Lang, b.Lang))
	})
	at := map[string]int{}
	var out []detector.Topic
	for _, t := range found {
		if i, ok := at[t.key]; ok {
			out[i].Count += t.Count
			out[i].Of += t.Of
			continue
		}
		at[t.key] = len(out)
		t.Score = math.Round(t.Score*100) / 100
		out = append(out, t.Topic)
	}
	return out[:min(n, len(out))]
}
