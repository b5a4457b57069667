package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
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
		Description: "Reads NDJSON objects with \"text\" (plain, and optionally title, lang, rating, brand) from files or standard input, and\n" +
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
	Brand  string          `json:"brand"`
}

const scoreChunk = 1024

func (a *app) score(c *cli.Context) error {
	set, model, err := a.judgeFromFlags(c)
	if err != nil {
		return err
	}
	if b := c.String("brand"); b != "" {
		if _, known := set.BrandID(b); !known {
			return usage("--brand %q: no rule file names it%s; name the file with --rules", b, sayBrands(set))
		}
	}
	s := &scoring{set: set, scorer: model, brand: c.String("brand"), plain: c.Bool("plain"), explain: c.Bool("explain")}
	out := bufio.NewWriter(a.stdout)
	for _, name := range orStdin(c.Args().Slice()) {
		if err := a.scoreFile(name, s, out); err != nil {
			return err
		}
	}
	if s.bad > 0 {
		fmt.Fprintf(a.stderr, "emberwatch: %s could not be read; the first is %s\n", several(s.bad, "line"), s.firstBad)
	}
	return out.Flush()
}

func orStdin(names []string) []string {
	if len(names) == 0 {
		return []string{"-"}
	}
	return names
}

func (a *app) scoreFile(name string, s *scoring, out *bufio.Writer) error {
	var r io.Reader = a.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return &exitError{exitUsage, err}
		}
		defer f.Close()
		r = f
	}
	lines := bufio.NewReaderSize(r, 64<<10)
	if bom, _ := lines.Peek(3); string(bom) == "\xef\xbb\xbf" {
		_, _ = lines.Discard(3)
	}
	for at := 1; ; {
		chunk, err := readLines(lines, scoreChunk)
		if err := s.write(name, at, chunk, out); err != nil {
			return err
		}
		at += len(chunk)
		if lines.Buffered() == 0 { // somebody may be waiting at the other end
			if err := out.Flush(); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
}

// readLines reads up to n lines, without their ends: as many as are there.
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
		if r.Buffered() == 0 {
			break
		}
	}
	return lines, nil
}

type scoring struct {
	set            *rules.Set
	scorer         detector.Scorer
	brand          string
	plain, explain bool
	bad            int    // lines that could not be read
	firstBad       string // where the first is, and why
}

// write scores the lines of a file from line at on side by side and prints the results in order.
func (s *scoring) write(name string, at int, lines []string, out *bufio.Writer) error {
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
		if e := results[i].Error; e != "" {
			if s.bad++; s.bad == 1 {
				s.firstBad = fmt.Sprintf("%s:%d: %s", name, at+i, e)
			}
		}
		if err := enc.Encode(&results[i]); err != nil {
			return err
		}
	}
	return nil
}

// line scores one line. The offsets of reasons refer to the text as it is in the input.
func (s *scoring) line(line string) scored {
	m := sources.Mention{Kind: sources.Comment, Text: line}
	if !s.plain {
		var in scoreInput
		if err := json.Unmarshal([]byte(line), &in); err != nil {
			return scored{Label: detector.Neutral, P: detector.P{Neutral: 1}, Lang: sentiment.Und, Error: notAnObject(line, err)}
		}
		m.Title, m.Text, m.Lang = in.Title, in.Text, in.Lang
		m.Rating = ratingOf(in.Rating)
		m.Brand = in.Brand
	}
	if m.Brand == "" {
		m.Brand = s.brand
	}
	j := detector.Judge(s.set, s.scorer, m)[0]
	r := scored{Label: j.P.Label(), P: round(j.P), Lang: j.Lang, Known: j.Known, Disagree: j.Disagree}
	if s.explain {
		s.reasons(&r, &j)
	}
	return r
}

// reasons adds to r what led to the judgement: the cues that raise, and what the words alone say.
func (s *scoring) reasons(r *scored, j *detector.Judged) {
	r.Category = j.Category
	doc := rules.Tokenize(j.Mention.Body())
	for _, h := range s.set.Match(&j.Mention, doc, j.Lang).Hits {
		if !h.Negated && h.Weight > 0 && j.P.Negative >= min(h.Weight, h.Confidence) {
			r.Reasons = append(r.Reasons, detector.Reason{
				Text: doc.Text[h.Start:h.End], Start: h.Start, End: h.End, Weight: -h.Confidence, Category: h.Category,
			})
		}
	}
	b, _ := s.set.Brand(j.Brand)
	score := s.scorer.Score(doc, detector.About{
		Lang: j.Mention.Lang, Rating: j.Mention.Rating, Senses: detector.Senses(b, &j.Mention), Explain: true,
	})
	model := round(score.P)
	r.Model = &model
	r.Reasons = inText(append(r.Reasons, score.Reasons...), &j.Mention)
}

// inText moves the offsets of reasons, which are into title and text, into the text. What the title says is left out.
func inText(rs []detector.Reason, m *sources.Mention) []detector.Reason {
	shift := len(m.Body()) - len(m.Text)
	if m.Text == "" {
		shift = 0
	}
	out := rs[:0]
	for _, r := range rs {
		if r.Start >= shift {
			r.Start, r.End = r.Start-shift, r.End-shift
			out = append(out, r)
		}
	}
	return out
}

// sayBrands names the brands that there are.
func sayBrands(set *rules.Set) string {
	ids := slices.Sorted(maps.Keys(set.Brands))
	if len(ids) == 0 {
		return ""
	}
	return ", only " + strings.Join(ids, ", ")
}

// notAnObject says what is wrong with a line of NDJSON.
func notAnObject(line string, err error) string {
	var wrong *json.UnmarshalTypeError
	switch {
	case strings.TrimSpace(line) == "":
		return "an empty line"
	case errors.As(err, &wrong) && wrong.Field != "":
		return fmt.Sprintf("%s is a %s where a %s is wanted", wrong.Field, wrong.Value, wrong.Type)
	case !strings.HasPrefix(strings.TrimSpace(line), "{"):
		return "not a JSON object; for lines of plain text use --plain"
	}
	return "not a JSON object: " + err.Error()
}

func ratingOf(raw json.RawMessage) float64 {
	var n float64
	if json.Unmarshal(raw, &n) != nil || n < 1 || n > 5 {
		return 0
	}
	return n
}

// round cuts probabilities to four digits, which still add up to one. What the cutting leaves goes to the largest, so
// that it stays the largest.
func round(p detector.P) detector.P {
	r := func(x float64) float64 { return math.Round(x*10000) / 10000 }
	out := detector.P{Negative: r(p.Negative), Neutral: r(p.Neutral), Positive: r(p.Positive)}
	switch p.Label() {
	case detector.Negative:
		out.Negative = r(1 - out.Neutral - out.Positive)
	case detector.Neutral:
		out.Neutral = r(1 - out.Negative - out.Positive)
	default:
		out.Positive = r(1 - out.Negative - out.Neutral)
	}
	return out
}
