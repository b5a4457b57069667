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
// so are left out and told in a [*BadRows] error; the good rows are returned beside it.
func ReadTSV(name string, in io.Reader) ([]Row, error) { return readLines(name, in, parseTSV) }

// maxLine bounds one row; a longer one is a bad row.
const maxLine = 1 << 20

// BadRows are rows that were left out: the first few with the reason, and how many more.
type BadRows struct {
	Errs []error
	More int
}

func (b *BadRows) Error() string {
	s := errors.Join(b.Errs...).Error()
	if b.More > 0 {
		s += fmt.Sprintf("\nand %d more", b.More)
	}
	return s
}

func (b *BadRows) add(err error) {
	const told = 10
	if len(b.Errs) < told {
		b.Errs = append(b.Errs, err)
	} else {
		b.More++
	}
}

// readLines parses one row a line. Its error is a *BadRows if only rows were left out; any other means that the file
// could not be read to its end.
func readLines(name string, in io.Reader, parse func(string) (Row, error)) ([]Row, error) {
	var rows []Row
	var bad BadRows
	r := bufio.NewReaderSize(in, 64<<10)
	for n := 1; ; n++ {
		line, err := readLine(r)
		if err != nil && err != io.EOF {
			return rows, fmt.Errorf("%s:%d: %w", name, n, err)
		}
		if n == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		switch {
		case len(line) > maxLine:
			bad.add(fmt.Errorf("%s:%d: longer than %d bytes", name, n, maxLine))
		case line != "":
			if row, err := parse(line); err != nil {
				bad.add(fmt.Errorf("%s:%d: %w", name, n, err))
			} else {
				rows = append(rows, row)
			}
		}
		if err == io.EOF {
			break
		}
	}
	if len(bad.Errs) > 0 {
		return rows, &bad
	}
	return rows, nil
}

// readLine reads a line without its end. Of one that is too long it keeps no more than shows that it is.
func readLine(r *bufio.Reader) (string, error) {
	var b []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(b) <= maxLine {
			b = append(b, part...)
		}
		if err != bufio.ErrBufferFull {
			return strings.TrimRight(string(b), "\r\n"), err
		}
	}
}

func parseTSV(line string) (Row, error) {
	f := strings.SplitN(line, "\t", 4)
	if len(f) < 4 {
		return Row{}, fmt.Errorf("%d columns; need label, language, domain and text, separated by tabs (not by commas)", len(f))
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
