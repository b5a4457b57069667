// Package train makes sentiment models from labelled texts and judges them.
//
// [Train] reads the features of every [Row] with the extractor that scoring uses, keeps those that occur often enough, and fits
// a multinomial logistic regression: features scaled by their naive Bayes log-count ratios (Wang and Manning 2012), AdaGrad,
// feature dropout, label smoothing. Rows are weighed so that rare labels of a source and rows of small sources count
// more; a source without neutral rows teaches nothing about neutral. Several models that differ by chance are averaged
// into one. The probabilities are then fitted for each language on rows that were held back. The same rows, options and
// seed give the same model, byte by byte.
//
// Public data do not teach what a crisis told as plain fact looks like. So [EmbeddedPatterns] adds rows generated from
// patterns with slots, written for this program in ten languages (patterns/), and other.tsv has sentences in languages that the
// model must not pretend to know. The texts in testdata were written apart from both and are never trained on.
//
// [Evaluate] and [Measure] compute what is usually published: macro-F1, precision, recall, F1 and average precision of
// negative, top-label calibration error, recall at a precision of 90.
//
// # Caveats
//
// Features of all rows are kept in memory: about 1 GB for 200,000 posts. Figures on the rows that the probabilities were
// fitted on are a little too good.
package train

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"emberwatch/detector/sentiment"
)

// Options are the settings of a training. [Defaults] are those of the embedded model.
type Options struct {
	Bits      int     // the table has 2^Bits buckets of four features
	MinCount  int     // texts that a feature must occur in to be learned
	Epochs    int     // how often each row is seen
	Rate      float64 // of learning, at the start
	Dropout   float64 // share of the features that is left out at each step
	Smoothing float64 // of the labels
	Balance   float64 // 0: rows count alike, 1: the labels of a source count alike
	Size      float64 // 0: rows count alike, 1: sources count alike
	Models    int     // how many are trained with seeds of their own, and averaged
	Seed      uint64  // the same seed, rows and settings give the same model
	Patterns  int     // texts generated of each embedded pattern; 0: none
	// Trust is how much the labels of a source count, by "language/domain"; a source that is not named counts 1. The
	// languages are learned from its texts all the same.
	Trust map[string]float64

	// Base is a model that the rows adapt: what it knows stays where they say nothing. Nil: from nothing.
	Base *sentiment.Model
}

// Defaults are the settings that the embedded model was trained with.
func Defaults() Options {
	return Options{
		Bits: 18, MinCount: 3, Epochs: 6, Rate: 0.08, Dropout: 0.3, Smoothing: 0.1, Balance: 0.8, Size: 0.3,
		Models: 4, Seed: 1, Patterns: 8,
	}
}

// Validate returns what is wrong with the settings.
func (o *Options) Validate() error {
	var errs []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	need(o.Bits >= 8 && o.Bits <= 22, "bits %d: from 8 to 22", o.Bits)
	need(o.MinCount >= 1, "min-count %d: at least 1", o.MinCount)
	need(o.Epochs >= 1 && o.Epochs <= 100, "epochs %d: from 1 to 100", o.Epochs)
	need(o.Rate > 0 && o.Rate <= 10, "rate %v: above 0, at most 10", o.Rate)
	need(o.Dropout >= 0 && o.Dropout <= 0.9, "dropout %v: from 0 to 0.9", o.Dropout)
	need(o.Smoothing >= 0 && o.Smoothing <= 0.5, "smoothing %v: from 0 to 0.5", o.Smoothing)
	need(o.Models >= 1 && o.Models <= 16, "models %d: from 1 to 16", o.Models)
	need(o.Patterns >= 0 && o.Patterns <= 100, "patterns %d: from 0 to 100", o.Patterns)
	for source, t := range o.Trust {
		need(t >= 0 && t <= 1, "trust %s=%v: from 0 to 1", source, t)
	}
	need(o.Base == nil || o.Base.Table.Bits() == o.Bits, "bits %d: as many as the model that is adapted has", o.Bits)
	return errors.Join(errs...)
}

func (o *Options) trust(group string) float64 {
	if t, ok := o.Trust[group]; ok {
		return t
	}
	return 1
}

// Progress is told what a training does, in words. It may be called from several goroutines.
type Progress func(format string, args ...any)

// Train trains a model on rows and fits its probabilities on validation, rows that it must not have seen.
func Train(rows, validation []Row, o Options, tell Progress) (*sentiment.Model, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("no rows to learn from")
	}
	if o.Patterns > 0 {
		made, err := EmbeddedPatterns(o.Patterns, o.Seed)
		if err != nil {
			return nil, err
		}
		tell("%d texts generated from patterns", len(made))
		rows = append(slices.Clip(rows), made...)
	}
	langs, err := o.languages(rows)
	if err != nil {
		return nil, err
	}
	tell("languages learned")
	lex := sentiment.NewLexicon()
	b := newBook(rows, sentiment.NewExtractor(langs, lex), o)
	tell("%d features of %d texts, %d of them in at least %d", b.seen, len(rows), len(b.hashes), o.MinCount)
	table, dropped := o.table(b.weighted(averaged(b, o, tell)))
	tell("table of %d bits; %d features did not fit", o.Bits, dropped)
	parts := sentiment.Parts{Languages: langs, Table: table}
	switch {
	case len(validation) > 0:
		parts.Adjust = calibrate(sentiment.Assemble(parts, lex), validation, &o)
		tell("probabilities fitted on %d texts", len(validation))
	case o.Base != nil:
		parts.Adjust = o.Base.Adjust
	}
	return sentiment.Assemble(parts, lex), nil
}

func (o *Options) languages(rows []Row) (*sentiment.Languages, error) {
	if o.Base != nil {
		return o.Base.Languages, nil
	}
	foreign, err := foreignRows()
	if err != nil {
		return nil, err
	}
	return tongues(append(slices.Clip(rows), foreign...), o.Seed), nil
}

// table packs the features, or adds them to the table of the base.
func (o *Options) table(features []sentiment.Weighted) (*sentiment.Table, int) {
	if o.Base != nil {
		return o.Base.Table.Adapt(features), 0
	}
	return sentiment.NewTable(o.Bits, features)
}

// averaged trains models that differ by chance only and returns the mean of their weights. The mean of linear models
// is as large as one of them.
func averaged(b *book, o Options, tell Progress) []triple {
	models := make([][]triple, o.Models)
	var wg sync.WaitGroup
	room := make(chan struct{}, 2) // a learner needs some tens of megabytes
	for i := range models {
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			l := newLearner(b, o, o.Seed+uint64(i))
			models[i] = l.fit(b.examples, func(epoch int, loss float64) {
				tell("model %d of %d, epoch %d of %d: loss %.4f", i+1, o.Models, epoch, o.Epochs, loss)
			})
		})
	}
	wg.Wait()
	mean := make([]triple, len(b.hashes))
	for _, m := range models {
		for i := range m {
			for k := range m[i] {
				mean[i][k] += m[i][k] / float32(o.Models)
			}
		}
	}
	return mean
}
