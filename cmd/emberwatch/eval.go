package main

import (
	"encoding/json"
	"fmt"
	"io"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/detector/sentiment/train"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/urfave/cli/v2"
)

func (a *app) evalCommand() *cli.Command {
	return &cli.Command{
		Name: "eval", Usage: "judge the sentiment model on labelled texts", ArgsUsage: "FILE…", Action: a.eval,
		Description: "Reads the files that train reads, scores each text as the daemon would, and prints for each language and domain:\n" +
			"macro-F1, precision, recall, F1 and average precision (AP) of negative, calibration error (ECE), recall at a precision\n" +
			"of 90, the share of languages told right, and macro-F1 and AP of a lexicon baseline. All in per cent. A group without\n" +
			"neutral texts is judged as if neutral could not be said.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "model-only", Usage: "leave the cue words of the categories aside"},
			&cli.StringSliceFlag{Name: "rules", Usage: "rule `FILE` with categories of your own"},
			&cli.BoolFlag{Name: "json", Usage: "one object a line"},
		},
	}
}

func (a *app) eval(c *cli.Context) error {
	if !c.Args().Present() {
		return usage("name at least one file with labelled texts")
	}
	set, model, err := a.judgeFromFlags(c)
	if err != nil {
		return err
	}
	rows, err := a.readLabelled(c.Args().Slice())
	if err != nil {
		return err
	}
	score := countedScore(set, model)
	if c.Bool("model-only") {
		score = modelScore(model)
	}
	report := train.Evaluate(rows, score)
	if c.Bool("json") {
		return encodeReport(a.stdout, report)
	}
	return report.Print(a.stdout)
}

func encodeReport(w io.Writer, r *train.Report) error {
	enc := json.NewEncoder(w)
	for i := range r.Lines {
		if err := enc.Encode(&r.Lines[i]); err != nil {
			return fmt.Errorf("write: %w", err)
		}
	}
	return nil
}

// modelScore scores by the model alone.
func modelScore(m *sentiment.Model) train.Score {
	return func(text string) (detector.P, string) {
		s := m.Score(rules.Tokenize(text), detector.About{})
		return s.P, s.Lang
	}
}

// countedScore scores as the daemon counts: with the cue words of the categories.
func countedScore(set *rules.Set, model *sentiment.Model) train.Score {
	return func(text string) (detector.P, string) {
		m := sources.Mention{Kind: sources.Comment, Text: text}
		doc := rules.Tokenize(text)
		s := model.Score(doc, detector.About{})
		found := set.Match(&m, doc, s.Lang)
		return s.WithCues(found.Hits), s.Lang
	}
}
