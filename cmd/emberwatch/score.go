package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/urfave/cli/v2"
)

func (a *app) scoreCommand() *cli.Command {
	return &cli.Command{
		Name: "score", Usage: "sentiment of each input line", ArgsUsage: "[FILE…]",
		Description: "Reads NDJSON objects with \"text\" (and optionally lang, rating, kind, brand) from files or standard input, and\n" +
			"prints one JSON object a line, in order. With --plain each line is a text.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "plain", Usage: "each line is a text"},
			&cli.BoolFlag{Name: "explain", Usage: "add reasons (byte offsets), category, and the probabilities before the cue words"},
			&cli.StringFlag{Name: "brand", Usage: "`ID` of the brand that lines without one are about: its lexicon holds"},
			&cli.StringSliceFlag{Name: "rules", Usage: "rule `FILE` with categories and brands of your own"},
			&cli.BoolFlag{Name: "json", Usage: "the default", Hidden: true},
		},
		Action: a.score,
	}
}

// scored is one line of output.
type scored struct {
	Label    detector.Label    `json:"label"`
	P        detector.P        `json:"p"`
	Lang     string            `json:"lang"`
	Known    bool              `json:"known"`
	Disagree bool              `json:"disagree,omitempty"` // stars and words say opposite things
	Category string            `json:"category,omitempty"`
	Model    *detector.P       `json:"model,omitempty"`
	Reasons  []detector.Reason `json:"reasons,omitempty"`
	Error    string            `json:"error,omitempty"`
}

// scoreInput is what a line may say.
type scoreInput struct {
	Title  string          `json:"title"`
	Text   string          `json:"text"`
	Lang   string          `json:"lang"`
	Rating json.RawMessage `json:"rating"`
	Kind   string          `json:"kind"`
	Brand  string          `json:"brand"`
}

const scoreChunk = 1024

func (a *app) score(c *cli.Context) error {
	set, model, err := a.judgeFromFlags(c)
	if err != nil {
		return err
	}
	s := &scoring{set: set, scorer: model, brand: c.String("brand"), plain: c.Bool("plain"), explain: c.Bool("explain")}
	out := bufio.NewWriter(a.stdout)
	bad := 0
	for _, name := range orStdin(c.Args().Slice()) {
		n, err := a.scoreFile(name, s, out)
		bad += n
		if err != nil {
			return err
		}
	}
	if bad > 0 {
		fmt.Fprintf(a.stderr, "emberwatch: %d lines could not be read\n", bad)
	}
	return out.Flush()
}

func orStdin(names []string) []string {
	if len(names) == 0 {
		return []string{"-"}
	}
	return names
}

func (a *app) scoreFile(name string, s *scoring, out *bufio.Writer) (bad int, err error) {
	var r io.Reader = a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return 0, &exitError{exitUsage, err}
		}
		defer f.Close()
		r = f
	}
	lines := bufio.NewReaderSize(r, 64<<10)
	if bom, _ := lines.Peek(3); string(bom) == "\xef\xbb\xbf" {
		_, _ = lines.Discard(3)
	}
	for {
		chunk, err := readLines(lines, scoreChunk)
		n, werr := s.write(chunk, out)
		bad += n
		if werr != nil {
			return bad, werr
		}
		if err == io.EOF {
			return bad, nil
		}
		if err != nil {
			return bad, fmt.Errorf("%s: %w", name, err)
		}
	}
}

// readLines reads up to n lines, without their ends.
func readLines(r *bufio.Reader, n int) (lines []string, err error) {
	for len(lines) < n {
		line, err := r.ReadString('\n')
		for len(line) > 0 && (line[len(line)-1] == '\n' || line[len(line)-1] == '\r') {
			line = line[:len(line)-1]
		}
		if line != "" || err == nil {
			lines = append(lines, line)
		}
		if err != nil {
			return lines, err
		}
	}
	return lines, nil
}

type scoring struct {
	set            *rules.Set
	scorer         detector.Scorer
	brand          string
	plain, explain bool
}

// write scores lines side by side and prints the results in order.
func (s *scoring) write(lines []string, out *bufio.Writer) (bad int, err error) {
	results := make([]scored, len(lines))
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(lines); i += workers {
				results[i] = s.line(lines[i])
			}
		})
	}
	wg.Wait()
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	for i := range results {
		if results[i].Error != "" {
			bad++
		}
		if err := enc.Encode(&results[i]); err != nil {
			return bad, err
		}
	}
	return bad, nil
}

// line scores one line. The offsets of reasons refer to the text as it is in the input.
func (s *scoring) line(line string) scored {
	m := sources.Mention{Kind: sources.Comment, Text: line}
	if !s.plain {
		var in scoreInput
		if err := json.Unmarshal([]byte(line), &in); err != nil {
			return scored{Label: detector.Neutral, P: detector.P{Neutral: 1}, Lang: sentiment.Und, Error: "not a JSON object: " + err.Error()}
		}
		m.Title, m.Text, m.Lang = in.Title, in.Text, in.Lang
		m.Rating = ratingOf(in.Rating)
		m.Brand = in.Brand
	}
	doc := rules.Tokenize(m.Body())
	score := s.scorer.Score(doc, detector.About{Lang: m.Lang, Rating: m.Rating, Senses: s.senses(m.Brand), Explain: s.explain})
	found := s.set.Match(&m, doc, score.Lang)
	p := detector.WithCues(score.P, found.Hits)
	r := scored{Label: p.Label(), P: round(p), Lang: score.Lang, Known: score.Known, Disagree: score.Disagree}
	cued := false
	for _, h := range found.Hits {
		if h.Negated {
			continue
		}
		cued = cued || h.Weight > 0
		if r.Category == "" {
			r.Category = h.Category
		}
		if s.explain {
			r.Reasons = append(r.Reasons, detector.Reason{Text: doc.Text[h.Start:h.End], Start: h.Start, End: h.End, Weight: -h.Confidence})
		}
	}
	r.Known = r.Known || cued
	if !s.explain {
		r.Category = ""
		return r
	}
	model := round(score.P)
	r.Model = &model
	r.Reasons = append(r.Reasons, score.Reasons...)
	return r
}

// senses are what words mean for the brand of a line, else for that of the flag.
func (s *scoring) senses(name string) []rules.Sense {
	if name == "" {
		name = s.brand
	}
	if name == "" {
		return nil
	}
	id, _ := s.set.BrandID(name)
	if b, _ := s.set.Brand(id); b != nil {
		return b.Lexicon
	}
	return nil
}

func ratingOf(raw json.RawMessage) float64 {
	var n float64
	if json.Unmarshal(raw, &n) != nil || n < 1 || n > 5 {
		return 0
	}
	return n
}

// round cuts probabilities to four digits, which still add up to one.
func round(p detector.P) detector.P {
	r := func(x float64) float64 { return float64(int(x*10000+0.5)) / 10000 }
	return detector.P{Negative: r(p.Negative), Neutral: r(1 - r(p.Negative) - r(p.Positive)), Positive: r(p.Positive)}
}
