package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
)

// ExportFilter chooses what Export writes. The zero value is everything.
type ExportFilter struct {
	Brand  string
	Source string
	Author string    // id or handle; needs Source. What has lost its author is left out.
	From   time.Time // inclusive; zero: open
	To     time.Time // exclusive; zero: open
}

// judgement is what is written of a mention whose text is gone, so that it need not be scored again.
type judgement struct {
	P          detector.P `json:"p"`
	Lang       string     `json:"lang"`
	Known      bool       `json:"known"`
	Category   string     `json:"category,omitempty"`
	Categories []string   `json:"categories,omitempty"`
	Confidence float64    `json:"confidence,omitempty"`
	Rules      []string   `json:"rules,omitempty"`
	Products   []string   `json:"products,omitempty"`
	Own        bool       `json:"own,omitempty"`
}

// Export writes mentions as NDJSON in the order of time, and returns how many lines it wrote. A mention with
// its text is one line in the form it came in, whatever the number of its brands. One without is a line for each
// brand: its id is a stand-in made of its hash and the brand, and a field "emberwatch" tells how it was
// judged. Samples of gauges are left out once their text is gone, since then they have no value either.
func (db *DB) Export(ctx context.Context, w io.Writer, f ExportFilter) (lines int, err error) {
	out := bufio.NewWriterSize(w, 1<<16)
	for _, day := range db.archive.days(f.From, f.To) {
		n, err := db.exportDay(ctx, out, day, f)
		lines += n
		if err != nil {
			return lines, fmt.Errorf("export: %w", err)
		}
	}
	if err := out.Flush(); err != nil {
		return lines, fmt.Errorf("export: %w", err)
	}
	return lines, nil
}

// exportDay collects the keys of a day, then reads the records page by page.
func (db *DB) exportDay(ctx context.Context, w io.Writer, day span, f ExportFilter) (lines int, err error) {
	places, err := db.placesOf(day, f)
	if err != nil {
		return 0, err
	}
	var last place // of the last line with a text
	for page := range slices.Chunk(places, pageLen) {
		if err := ctx.Err(); err != nil {
			return lines, err
		}
		got, err := db.fetch(page)
		if err != nil {
			return lines, err
		}
		for i, h := range got {
			p := page[i]
			if !db.exported(&h, f) || h.whole && p.at == last.at && p.hash == last.hash {
				continue
			}
			if h.whole {
				last = p
			}
			if err := writeLine(w, p, &h); err != nil {
				return lines, err
			}
			lines++
		}
	}
	return lines, nil
}

// placesOf returns the places of a day in the order of time, each once.
func (db *DB) placesOf(day span, f ExportFilter) ([]place, error) {
	var places []place
	err := db.archive.view(day, func(t *txn) error {
		return eachBrand(t, f.Brand, func(id uint32, brand string) error {
			return rangeOf(id, day, f.From, f.To).forward(t, func(p place, _ []byte) (bool, error) {
				p.brand = brand
				places = append(places, p)
				return true, nil
			})
		})
	})
	slices.SortFunc(places, comparePlaces)
	return slices.Compact(places), err
}

func (db *DB) exported(h *held, f ExportFilter) bool {
	m := &h.judged.Mention
	switch {
	case !h.found, f.Source != "" && m.Source != f.Source, !h.whole && m.Kind == sources.Metric:
		return false
	case f.Author != "":
		return slices.Contains(db.pseudonyms(m), db.pseudonym(f.Source, f.Author))
	}
	return true
}

func writeLine(w io.Writer, p place, h *held) error {
	if !h.whole {
		h.judged.Mention.ID += "/" + p.brand
	}
	line, err := plainJSON(&h.judged.Mention)
	if err != nil {
		return err
	}
	if !h.whole {
		j := &h.judged
		extra, err := plainJSON(judgement{j.P, j.Lang, j.Known, j.Category, j.Categories, j.Confidence, j.Rules, j.Products, j.Own})
		if err != nil {
			return err
		}
		line = slices.Concat(bytes.TrimSuffix(line, []byte("}")), []byte(`,"emberwatch":`), extra, []byte("}"))
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// plainJSON is json.Marshal without the escapes that only HTML needs.
func plainJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), err
}
