package jsonl

import (
	"bytes"
	"errors"
	"io"
)

const (
	maxLine = 1 << 20  // longest record that is read; longer ones are skipped
	maxRow  = 64 << 10 // longest row of several lines
)

// Problems of a single record, and the end of what has been written so far.
var (
	errTooLong  = errors.New("longer than 1 MiB, skipped")
	errUnclosed = errors.New("a quote that is opened here is not closed")
	errIdle     = errors.New("nothing to read at the moment")
	errPartial  = errors.New("the last line is not complete yet")
)

// splitter cuts a stream into records: lines, or rows of CSV, whose quoted cells may hold new lines. It
// knows where each begins, and holds at most one record in memory.
type splitter struct {
	r      io.Reader
	delim  byte // of CSV; 0 means that every line is a record
	open   bool // the last line may still grow: without its new line it is not a record yet
	maxRow int

	buf     []byte
	start   int   // of the next record within buf
	eof     bool  // r had nothing more when it was last asked
	skip    bool  // within a line that is too long
	offset  int64 // of the next record within the stream
	line    int   // number of the next record's first line, from 1
	records int   // handed out, bad ones included
	first   int   // length of the next record's first line; 0: not known yet
	ahead   ahead
}

// ahead is how far the search for the end of a row has come.
type ahead struct {
	offset int64 // of what comes next
	cell   cell
}

func newSplitter(r io.Reader, open bool) *splitter {
	return &splitter{r: r, open: open, maxRow: maxRow, line: 1}
}

// next returns the next record without its line ending and the line it began at. The bytes are good until
// the next call. errTooLong and errUnclosed are about this record only; io.EOF and errPartial say that there
// is no more for now, and asking again later is fine.
func (s *splitter) next() (record []byte, line int, err error) {
	searched := 0
	for {
		data := s.buf[s.start:]
		end, err := s.recordEnd(data, searched)
		switch {
		case end >= 0 && s.skip:
			s.skip = false
			return nil, s.advance(end), errTooLong
		case end > maxLine+len("\r\n"):
			return nil, s.advance(end), errTooLong
		case end >= 0:
			return trimEOL(data[:end]), s.advance(end), err
		case s.eof:
			return s.last(data)
		case len(data) > maxLine:
			s.skip = true
			s.discard(len(data))
			searched = 0
			continue
		}
		searched = len(data)
		if err := s.fill(); err != nil {
			return nil, s.line, err
		}
	}
}

// last deals with what stands after the last new line.
func (s *splitter) last(data []byte) ([]byte, int, error) {
	s.eof = false // the file may have grown when we are asked again
	switch {
	case s.open && (len(data) > 0 || s.skip):
		return nil, s.line, errPartial
	case s.skip:
		s.skip = false
		return nil, s.advance(len(data)), errTooLong
	case len(data) == 0:
		return nil, s.line, io.EOF
	}
	if s.first > 0 && s.quoted(data) { // only CSV
		end := s.first
		return trimEOL(data[:end]), s.advance(end), errUnclosed
	}
	return trimEOL(data), s.advance(len(data)), nil
}

// recordEnd returns the length of the record that data begins with, new line included, or -1 when data
// does not hold all of it.
func (s *splitter) recordEnd(data []byte, searched int) (int, error) {
	if s.first == 0 {
		at := bytes.IndexByte(data[searched:], '\n')
		if at < 0 {
			return -1, nil
		}
		s.first = searched + at + 1
		line := cell{start: true}
		if _, ended := line.read(data[:s.first], 0, s.first, s.delim); s.delim == 0 || s.skip || ended {
			return s.first, nil
		}
		if s.ahead.offset < s.offset+int64(s.first) {
			s.ahead = ahead{s.offset + int64(s.first), line}
		}
	}
	return s.rowEnd(data)
}

// rowEnd is recordEnd for a row whose first line ends within quotes. If the row does not end in time, its quote is
// a stray one, which must not swallow the rest of the file: then the first line alone is the record.
//
// A row that came to nothing is not read twice. Within it every line began within quotes, or it would have
// ended there. So a later row that is within quotes at the end of its own first line goes on just as the earlier
// one did, and can be looked for from where that one was given up.
func (s *splitter) rowEnd(data []byte) (int, error) {
	at, ended := s.ahead.cell.read(data, int(s.ahead.offset-s.offset), s.maxRow, s.delim)
	s.ahead.offset = s.offset + int64(at)
	switch {
	case ended:
		return at, nil
	case at >= s.maxRow:
		return s.first, errUnclosed
	}
	return -1, nil
}

// quoted reports whether data, which is all there is, ends within quotes.
func (s *splitter) quoted(data []byte) bool {
	return s.ahead.cell.quoted && int(s.ahead.offset-s.offset) == len(data)
}

// cell is the place of a byte within a row of CSV. A quote opens at the start of a cell only and closes before a
// separator or the end of the line only; others are text. encoding/csv reads the same with LazyQuotes.
type cell struct {
	quoted bool
	start  bool // of a cell
}

// read goes on from data[i] until the row ends or i reaches limit, and returns where it stopped. It stops at a
// quote too if what follows it is not in data yet.
func (c *cell) read(data []byte, i, limit int, delim byte) (at int, ended bool) {
	for ; i < min(limit, len(data)); i++ {
		switch b := data[i]; {
		case c.quoted && b == '"':
			if i+1 == len(data) {
				return i, false
			}
			switch next := data[i+1]; {
			case next == '"':
				i++
			case next == delim || next == '\n' || next == '\r':
				c.quoted = false
			}
		case c.quoted:
		case b == '\n':
			return i + 1, true
		case b == '"' && c.start:
			c.quoted, c.start = true, false
		default:
			c.start = b == delim
		}
	}
	return i, false
}

// advance takes n bytes as consumed and returns the line they began at.
func (s *splitter) advance(n int) int {
	at := s.line
	s.line += bytes.Count(s.buf[s.start:s.start+n], []byte{'\n'})
	s.discard(n)
	s.records++
	return at
}

func (s *splitter) discard(n int) {
	s.first = 0
	s.start += n
	s.offset += int64(n)
}

// fill reads more, moving what is left to the front of the buffer first.
func (s *splitter) fill() error {
	const chunk = 64 << 10
	if s.start > 0 && cap(s.buf)-len(s.buf) < chunk {
		s.buf = s.buf[:copy(s.buf, s.buf[s.start:])]
		s.start = 0
	}
	if cap(s.buf)-len(s.buf) < chunk {
		s.buf = append(make([]byte, 0, 2*cap(s.buf)+chunk), s.buf...)
	}
	n, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
	s.buf = s.buf[:len(s.buf)+n]
	if err == io.EOF {
		s.eof = true
		return nil
	}
	return err
}

func trimEOL(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte{'\n'})
	return bytes.TrimSuffix(b, []byte{'\r'})
}

// restart goes on with another reader at a place that was reached before.
func (s *splitter) restart(r io.Reader, offset int64, line int) {
	*s = splitter{r: r, delim: s.delim, open: s.open, maxRow: s.maxRow, offset: offset, line: line}
}
