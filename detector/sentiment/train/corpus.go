package train

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"emberwatch/detector/sentiment"
)

// Label is what people said a text is.
type Label uint8

// The labels, in the order of a model's classes.
const (
	Negative Label = iota
	Neutral
	Positive
	labels = 3
)

var labelNames = [labels]string{"negative", "neutral", "positive"}

// String returns the name of the label.
func (l Label) String() string { return labelNames[l] }

// Row is one labelled text.
type Row struct {
	Label  Label
	Lang   string // a language code
	Domain string // where the text is from; rows of one language and domain are a group
	Text   string
}

func (r *Row) group() string { return r.Lang + "/" + r.Domain }

// ReadTSV reads rows of label, language, domain and text, separated by tabs, without a header. Rows that are not
// so are left out and reported with their line in the error, up to ten of them; the good rows are returned beside it.
func ReadTSV(name string, in io.Reader) ([]Row, error) { return readLines(name, in, parseTSV) }

func readLines(name string, in io.Reader, parse func(string) (Row, error)) ([]Row, error) {
	const enough = 10
	var rows []Row
	var errs []error
	s := bufio.NewScanner(in)
	s.Buffer(nil, maxLine)
	for n := 1; s.Scan(); n++ {
		line := strings.TrimSuffix(s.Text(), "\r")
		if line == "" {
			continue
		}
		row, err := parse(line)
		if err == nil {
			rows = append(rows, row)
		} else if len(errs) < enough {
			errs = append(errs, fmt.Errorf("%s:%d: %w", name, n, err))
		}
	}
	if err := s.Err(); err != nil {
		errs = append(errs, fmt.Errorf("%s: %w", name, err))
	}
	return rows, errors.Join(errs...)
}

const maxLine = 4 << 20

func parseTSV(line string) (Row, error) {
	f := strings.SplitN(line, "\t", 4)
	if len(f) < 4 {
		return Row{}, fmt.Errorf("%d columns; need label, language, domain and text, separated by tabs", len(f))
	}
	label, err := parseLabel(f[0])
	return Row{label, strings.ToLower(f[1]), f[2], f[3]}, err
}

func parseLabel(s string) (Label, error) {
	for l, name := range labelNames {
		if strings.EqualFold(strings.TrimSpace(s), name) {
			return Label(l), nil
		}
	}
	return 0, fmt.Errorf("label %q; one of negative, neutral, positive", s)
}

// labelled is a row of NDJSON: a mention with a label.
type labelled struct {
	Label  string `json:"label"`
	Lang   string `json:"lang"`
	Source string `json:"source"`
	Title  string `json:"title"`
	Text   string `json:"text"`
}

// ReadNDJSON reads one object a line with label, text and, where known, lang and source. Rows without a language are
// of the language "und". Bad rows are treated as [ReadTSV] treats them.
func ReadNDJSON(name string, in io.Reader) ([]Row, error) {
	return readLines(name, in, func(line string) (Row, error) {
		var l labelled
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			return Row{}, fmt.Errorf("not a JSON object: %w", err)
		}
		label, err := parseLabel(l.Label)
		if err != nil {
			return Row{}, err
		}
		text := strings.TrimSpace(l.Title + "\n" + l.Text)
		if text == "" {
			return Row{}, errors.New("no text")
		}
		return Row{label, cmp.Or(strings.ToLower(l.Lang), sentiment.Und), cmp.Or(l.Source, "own"), text}, nil
	})
}
