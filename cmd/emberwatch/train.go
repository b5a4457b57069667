package main

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"emberwatch/detector/sentiment"
	"emberwatch/detector/sentiment/train"

	"github.com/klauspost/compress/zstd"
	"github.com/urfave/cli/v2"
)

func (a *app) trainCommand() *cli.Command {
	o := train.Defaults()
	return &cli.Command{
		Name: "train", Usage: "train a sentiment model from labelled texts", ArgsUsage: "FILE…", Action: a.train,
		Description: "Each line of a FILE is a label (negative, neutral or positive), a language code, a domain and a text, separated\n" +
			"by tabs; or, in a file named .ndjson or .jsonl, an object with label, text, lang and source. Files may be gzip or\n" +
			"zstd compressed. Rows of one language and domain are a group; a group without a neutral row teaches nothing\n" +
			"about neutral. Writes the model and, beside it, its card (.md). The same rows and seed give the same file.\n\n" +
			"With --adapt the model in use is adapted to the rows: some hundred texts of your own are enough. Without it\n" +
			"the rows are all that the model will know, besides the embedded patterns.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "out", Aliases: []string{"o"}, Value: "model.rsnt", Usage: "`FILE` to write; its card is written beside it, with the ending .md"},
			&cli.StringFlag{Name: "validation", Usage: "`FILE` with rows for fitting the probabilities; none: every tenth row"},
			&cli.BoolFlag{Name: "adapt", Usage: "start from the model in use"},
			&cli.StringFlag{Name: "date", Usage: "`DAY` for the card; without it the same rows and seed give the same file on every day"},
			&cli.StringFlag{Name: "name", Usage: "`NAME` of the model, for its card"},
			&cli.StringSliceFlag{Name: "source", Usage: "a `LINE` for the card: a source and its licence; may be repeated"},
			&cli.StringSliceFlag{Name: "trust", Usage: "how much the labels of a source count, as `LANG/DOMAIN=0.1`; may be repeated"},
			&cli.Uint64Flag{Name: "seed", Value: o.Seed, Usage: "seed of all chance"},
			&cli.IntFlag{Name: "bits", Value: o.Bits, Usage: "the table has 2^`N` buckets of four features"},
			&cli.IntFlag{Name: "min-count", Value: o.MinCount, Usage: "texts that a feature must occur in to be learned"},
			&cli.IntFlag{Name: "epochs", Value: o.Epochs, Usage: "how often each row is seen"},
			&cli.IntFlag{Name: "models", Value: o.Models, Usage: "how many models are averaged"},
			&cli.IntFlag{Name: "patterns", Value: o.Patterns, Usage: "texts generated of each embedded pattern"},
		},
	}
}

func (a *app) train(c *cli.Context) error {
	if !c.Args().Present() {
		return usage("name at least one file with labelled texts")
	}
	if err := checkOut(c); err != nil {
		return err
	}
	o, err := a.trainOptions(c)
	if err != nil {
		return err
	}
	rows, err := a.readLabelled(c.Args().Slice())
	if err != nil {
		return err
	}
	validation, err := a.validation(c, &rows)
	if err != nil {
		return err
	}
	a.warnOfFew(validation)
	start := time.Now()
	m, err := train.Train(rows, validation, o, func(format string, args ...any) {
		fmt.Fprintf(a.stderr, "%6.1fs  %s\n", time.Since(start).Seconds(), fmt.Sprintf(format, args...))
	})
	if err != nil {
		return err
	}
	m.Card = sentiment.Card{
		Name: c.String("name"), Trained: c.String("date"), Rows: len(rows), Sources: c.StringSlice("source"),
	}
	report := train.Evaluate(validation, modelScore(m))
	m.Card.Figures = report.Figures()
	return a.writeModel(c.String("out"), m, report)
}

// checkOut looks whether the model can be written, before time is spent on it.
func checkOut(c *cli.Context) error {
	out := c.String("out")
	if cardName(out) == out {
		return usage("-o %s: the card is to have that name; end the model's in .rsnt", out)
	}
	for _, in := range append(c.Args().Slice(), c.String("validation")) {
		if same, err := filepath.Abs(in); err == nil && in != "" {
			for _, name := range []string{out, cardName(out)} {
				if abs, err := filepath.Abs(name); err == nil && abs == same {
					return usage("%s would be overwritten; give -o another name", in)
				}
			}
		}
	}
	if info, err := os.Stat(filepath.Dir(out)); err != nil || !info.IsDir() {
		return usage("-o %s: there is no folder %s", out, filepath.Dir(out))
	}
	return nil
}

func cardName(model string) string { return strings.TrimSuffix(model, filepath.Ext(model)) + ".md" }

// warnOfFew tells that probabilities fitted on a handful of texts are worth little.
func (a *app) warnOfFew(validation []train.Row) {
	const few = 100
	labels := map[train.Label]bool{}
	for i := range validation {
		labels[validation[i].Label] = true
	}
	if len(validation) < few || len(labels) < 2 {
		fmt.Fprintf(a.stderr, "emberwatch: the probabilities are fitted on %d texts with %d labels; trust them with %d and more of all labels\n",
			len(validation), len(labels), few)
	}
}

func (a *app) trainOptions(c *cli.Context) (train.Options, error) {
	o := train.Defaults()
	o.Seed, o.Bits, o.Epochs = c.Uint64("seed"), c.Int("bits"), c.Int("epochs")
	o.Models, o.Patterns, o.MinCount = c.Int("models"), c.Int("patterns"), c.Int("min-count")
	for _, s := range c.StringSlice("trust") {
		source, share, _ := strings.Cut(s, "=")
		t, err := strconv.ParseFloat(share, 64)
		if err != nil || !strings.Contains(source, "/") {
			return o, usage("--trust %q: write it like hi/tweets=0.1", s)
		}
		if o.Trust == nil {
			o.Trust = map[string]float64{}
		}
		o.Trust[source] = t
	}
	if c.Bool("adapt") {
		if c.IsSet("bits") {
			return o, usage("--bits: with --adapt the table stays as large as it is")
		}
		cfg, err := a.loadConfig(c)
		if err != nil {
			return o, err
		}
		base, err := openModel(c, cfg)
		if err != nil {
			return o, err
		}
		o.Base, o.Bits = base, base.Table.Bits()
		if !c.IsSet("patterns") {
			o.Patterns = 0 // the base knows them
		}
	}
	if err := o.Validate(); err != nil {
		return o, &exitError{exitUsage, err}
	}
	return o, nil
}

// validation returns the rows of --validation, else takes every tenth row out of rows.
func (a *app) validation(c *cli.Context, rows *[]train.Row) ([]train.Row, error) {
	if name := c.String("validation"); name != "" {
		return a.readLabelled([]string{name})
	}
	const every = 10
	var kept, out []train.Row
	for i, r := range *rows {
		if i%every == every-1 {
			out = append(out, r)
		} else {
			kept = append(kept, r)
		}
	}
	*rows = kept
	return out, nil
}

// readLabelled reads files of labelled texts. Bad rows are told and left out.
func (a *app) readLabelled(names []string) ([]train.Row, error) {
	var rows []train.Row
	for _, name := range names {
		some, err := a.readLabelledFile(name)
		var bad *train.BadRows
		var path *os.PathError
		switch {
		case errors.As(err, &bad):
			fmt.Fprintf(a.stderr, "emberwatch: left out: %v\n", err)
		case errors.As(err, &path):
			return nil, &exitError{exitUsage, err}
		case err != nil:
			return nil, err
		}
		rows = append(rows, some...)
	}
	if len(rows) == 0 {
		return nil, usage("no labelled texts in %s", strings.Join(names, ", "))
	}
	return rows, nil
}

func (a *app) readLabelledFile(name string) ([]train.Row, error) {
	var in io.Reader = a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	base := name
	switch filepath.Ext(name) {
	case ".gz":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		in, base = z, strings.TrimSuffix(name, ".gz")
	case ".zst":
		z, err := zstd.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		defer z.Close()
		in, base = z, strings.TrimSuffix(name, ".zst")
	}
	switch filepath.Ext(base) {
	case ".ndjson", ".jsonl", ".json":
		return train.ReadNDJSON(name, in)
	}
	return train.ReadTSV(name, in)
}

// writeModel writes the model and its card, each whole or not at all.
func (a *app) writeModel(name string, m *sentiment.Model, report *train.Report) error {
	if err := writeWhole(name, m.Write); err != nil {
		return err
	}
	card := cardName(name)
	if err := writeWhole(card, func(w io.Writer) error { return train.WriteCard(w, m, report) }); err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	return json.NewEncoder(a.stdout).Encode(map[string]any{"model": name, "card": card, "bytes": info.Size(), "rows": m.Card.Rows, "figures": m.Card.Figures})
}

func writeWhole(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(f.Name(), name)
}
