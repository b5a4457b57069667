package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"emberwatch/sources"
)

// Field is one line of a mapping: a field of a mention, by the name that it has as a column, and where its value
// stands. The first of From that has one is taken:
//
//	/a/b   a JSON Pointer (RFC 6901) within the item
//	^/a/b  the same within what the item stands in, one step of Each further out; ^^/a/b two steps, and so on
//	=text  the text itself
//
// Times may be RFC 3339 or numbers of seconds or milliseconds since 1970.
type Field struct {
	Name string
	From []string
}

// Mapping reads mentions out of JSON of another form. It is immutable.
type Mapping struct {
	each    []pointer
	fields  []mapped
	columns sources.Columns
}

// mapped is one field, read.
type mapped struct {
	name string
	from []value
}

// value is where the value of a field may stand.
type value struct {
	is   string // what it is, if path is nil
	path *pointer
	up   int // steps further out
}

// NewMapping checks a mapping. Each holds one JSON Pointer for every list within a list: the first leads from the
// body to its items, the next from such an item to those within it. Without any, the body is the one item. All
// problems are reported at once.
func NewMapping(each []string, fields []Field) (*Mapping, error) {
	m := &Mapping{}
	var errs []error
	for _, s := range each {
		p, err := parsePointer(s)
		if err == nil && len(p) == 0 {
			err = errors.New("empty; leave each out if the body is the one item")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("each: %q: %w", s, err))
		}
		m.each = append(m.each, p)
	}
	var names []string
	for _, f := range fields {
		one, err := m.field(f)
		if err != nil {
			errs = append(errs, err)
		}
		if slices.Contains(names, f.Name) {
			errs = append(errs, fmt.Errorf("map: %s stands there twice", f.Name))
		}
		names = append(names, f.Name)
		m.fields = append(m.fields, one)
	}
	for _, needed := range []string{"id", "created_at"} {
		if !slices.Contains(names, needed) {
			errs = append(errs, fmt.Errorf("map: %s is missing, and no mention is without one; write it like %s: /path/to/it", needed, needed))
		}
	}
	m.columns, _ = sources.NewColumns(names)
	return m, errors.Join(errs...)
}

func (m *Mapping) field(f Field) (mapped, error) {
	out := mapped{name: f.Name}
	if _, known := sources.NewColumns([]string{f.Name}); !known {
		return out, fmt.Errorf("map: %q is no field of a mention; use id, created_at, text, title, kind, rating, author.name and the like", f.Name)
	}
	if len(f.From) == 0 {
		return out, fmt.Errorf("map: %s: empty; write where it stands (/path/to/it) or what it is (=text)", f.Name)
	}
	for _, s := range f.From {
		v, err := parseValue(s, len(m.each))
		if err != nil {
			return out, fmt.Errorf("map: %s: %q: %w", f.Name, s, err)
		}
		out.from = append(out.from, v)
	}
	return out, nil
}

func parseValue(s string, steps int) (value, error) {
	if text, ok := strings.CutPrefix(s, "="); ok {
		return value{is: text}, nil
	}
	path := strings.TrimLeft(s, "^")
	up := len(s) - len(path)
	p, err := parsePointer(path)
	switch {
	case err != nil || len(p) == 0:
		return value{}, errors.New("write a path like /review/text, or = and the text itself")
	case up > steps:
		return value{}, fmt.Errorf("it goes %d steps out, and each has %d", up, steps)
	}
	return value{path: &p, up: up}, nil
}

// scope is an item and what it stands in, the body first.
type scope []any

// decode reads a body. A bad item stops no good one; a body without any item is told as rejected at index 0, so
// that a wrong each is noticed.
func (m *Mapping) decode(body []byte, opt sources.DecodeOptions) (ms []sources.Mention, rejected []sources.Rejected, err error) {
	whole, err := parseJSON(body)
	if err != nil {
		return nil, nil, err
	}
	items, err := m.items(whole, opt.MaxItems)
	if err != nil {
		return nil, nil, err
	}
	if len(items) == 0 {
		return nil, []sources.Rejected{{Error: "no item stands where each leads to"}}, nil
	}
	room := 4*len(body) + 1<<20 // an item may take from around it, but not the whole body each time
	for i, item := range items {
		cells, err := m.row(item)
		for _, cell := range cells {
			room -= len(cell)
		}
		if room < 0 {
			return nil, nil, errors.New("the items take more from around them than the body is long")
		}
		var one sources.Mention
		if err == nil {
			one, err = m.columns.Decode(cells, opt)
		}
		if err != nil {
			rejected = append(rejected, sources.Rejected{Index: i, Error: err.Error()})
			continue
		}
		ms = append(ms, one)
	}
	return ms, rejected, nil
}

// parseJSON reads a body into maps and lists, with numbers as they are written.
func parseJSON(body []byte) (any, error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff"))
	if err := sources.CheckDepth(body); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var whole any
	if err := dec.Decode(&whole); err != nil {
		return nil, errors.New("the body is not JSON")
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("the body goes on after its JSON value")
	}
	return whole, nil
}

// items follows each from the body inwards. A list that is not there has no items, and what is no list is one
// item: many senders write a list of one so.
func (m *Mapping) items(body any, limit int) ([]scope, error) {
	found := []scope{{body}}
	for _, p := range m.each {
		var inner []scope
		for _, s := range found {
			list, there := p.find(s[len(s)-1])
			if !there || list == nil {
				continue
			}
			elements, many := list.([]any)
			if !many {
				elements = []any{list}
			}
			for _, e := range elements {
				if limit > 0 && len(inner) == limit {
					return nil, fmt.Errorf("%w: at most %d", sources.ErrTooManyItems, limit)
				}
				inner = append(inner, append(slices.Clip(s), e))
			}
		}
		found = inner
	}
	return found, nil
}

// row takes the values of all fields from an item.
func (m *Mapping) row(item scope) ([]string, error) {
	cells := make([]string, len(m.fields))
	for i := range m.fields {
		f := &m.fields[i]
		cell, err := f.of(item)
		if err != nil {
			return cells, fmt.Errorf("%s: %w", f.name, err)
		}
		cells[i] = cell
	}
	return cells, nil
}

// of returns the first value that is there.
func (f *mapped) of(item scope) (string, error) {
	for _, v := range f.from {
		if v.path == nil {
			return v.is, nil
		}
		found, _ := v.path.find(item[len(item)-1-v.up])
		cell, err := asCell(found)
		if err != nil {
			return "", err
		}
		if strings.TrimSpace(cell) == "" {
			continue
		}
		if f.name == "created_at" || f.name == "updated_at" {
			cell = unixTime(cell)
		}
		return cell, nil
	}
	return "", nil
}

func asCell(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case []any:
		return "", errors.New("a list stands there; point to one of its elements, such as …/0")
	}
	return "", errors.New("an object stands there; point to a value in it")
}

// unixTime turns a number of seconds or milliseconds since 1970 into a written time; other text stays as it is.
func unixTime(s string) string {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(f) || math.Abs(f) >= 1e14 {
		return s
	}
	if math.Abs(f) >= 1e11 { // as seconds that would be after the year 5000
		f /= 1000
	}
	return time.UnixMilli(int64(math.Round(f * 1000))).UTC().Format(time.RFC3339Nano)
}
