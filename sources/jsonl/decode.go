package jsonl

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"time"

	"emberwatch/sources"
)

// decoder reads mentions from a plain stream. The format is told by the first line that is not blank: an
// object is NDJSON, a row with at least one field name of a mention is the header of a CSV.
type decoder struct {
	split   *splitter
	opt     Options
	now     func() time.Time // nil: no clock
	sniffed bool
	columns *sources.Columns // of CSV; nil for NDJSON
	row     *bufio.Reader
	cells   *csv.Reader
}

var bom = []byte("\ufeff")

func newDecoder(r io.Reader, opt Options, now func() time.Time) *decoder {
	return &decoder{split: newSplitter(r, false), opt: opt, now: now}
}

// next returns the next mention and the line it began at; or, as bad, what is wrong with the record at that
// line; or, as err, that there is no more for now (io.EOF, errPartial, errIdle) or ever.
func (d *decoder) next() (m sources.Mention, line int, bad, err error) {
	for {
		record, line, err := d.split.next()
		switch {
		case errors.Is(err, errTooLong) || errors.Is(err, errUnclosed):
			return m, line, err, nil
		case err != nil:
			return m, line, nil, err
		}
		if line == 1 {
			record = bytes.TrimPrefix(record, bom)
		}
		if blank(record) || !d.sniffed && d.header(record) {
			continue
		}
		m, bad = d.decode(record)
		return m, line, bad, nil
	}
}

// sniff reads up to and including the record that tells the format.
func (d *decoder) sniff() error {
	for !d.sniffed {
		if err := d.drop(); err != nil {
			return err
		}
	}
	return nil
}

// skip reads on until n records are behind it.
func (d *decoder) skip(n int) error {
	for d.split.records < n {
		if err := d.drop(); err != nil {
			return err
		}
	}
	return nil
}

// drop reads one record and forgets it.
func (d *decoder) drop() error {
	record, _, err := d.split.next()
	if errors.Is(err, errTooLong) || errors.Is(err, errUnclosed) {
		return nil
	}
	if err == nil && !d.sniffed {
		if record = bytes.TrimPrefix(record, bom); !blank(record) {
			d.header(record)
		}
	}
	return err
}

func (d *decoder) decode(record []byte) (sources.Mention, error) {
	opt := d.opt.decodeOptions(d.now)
	if d.columns == nil {
		return decodeLine(record, opt)
	}
	cells, err := d.parseRow(record)
	if err != nil {
		return sources.Mention{}, errors.New("not a row of CSV")
	}
	return d.columns.Decode(cells, opt)
}

func decodeLine(record []byte, opt sources.DecodeOptions) (sources.Mention, error) {
	if record = bytes.TrimSpace(record); record[0] == '[' {
		return sources.Mention{}, errors.New("a JSON list: one object a line is expected")
	}
	return sources.DecodeMention(record, opt)
}

// header tells the format by the first record and reports whether it was a header row.
func (d *decoder) header(record []byte) bool {
	d.sniffed = true
	if first := bytes.TrimSpace(record)[0]; first == '{' || first == '[' {
		return false
	}
	delim := separator(record)
	d.row = bufio.NewReader(nil)
	d.cells = csv.NewReader(d.row)
	d.cells.Comma = rune(delim)
	d.cells.LazyQuotes = true
	d.cells.FieldsPerRecord = -1
	d.cells.ReuseRecord = true
	names, err := d.parseRow(record)
	if err != nil {
		return false
	}
	columns, known := sources.NewColumns(names)
	if !known {
		return false
	}
	d.columns, d.split.delim = &columns, delim
	return true
}

// parseRow takes one record apart. The reader is fed record by record, so that no row can spoil the next.
func (d *decoder) parseRow(record []byte) ([]string, error) {
	d.row.Reset(bytes.NewReader(record))
	return d.cells.Read()
}

// separator is the likeliest of those a CSV may have: the one that occurs most in the header.
func separator(header []byte) byte {
	best := byte(',')
	for _, c := range []byte{';', '\t'} {
		if bytes.Count(header, []byte{c}) > bytes.Count(header, []byte{best}) {
			best = c
		}
	}
	return best
}

func blank(record []byte) bool { return len(bytes.TrimSpace(record)) == 0 }
