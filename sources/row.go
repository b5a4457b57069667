package sources

import (
	"errors"
	"fmt"
	"strings"
)

// Columns reads the rows of a table, such as a CSV file, whose header names the fields of a mention.
type Columns struct {
	fields []func(*wire) *scalar // nil for a column that means nothing here
}

// columnFields maps the names a column may have to where its value goes. Nested fields go by their own name,
// by their path with a dot, and by their path with an underscore.
var columnFields = map[string]func(*wire) *scalar{
	"v":          func(w *wire) *scalar { return &w.V },
	"id":         func(w *wire) *scalar { return &w.ID },
	"source":     func(w *wire) *scalar { return &w.Source },
	"network":    func(w *wire) *scalar { return &w.Network },
	"kind":       func(w *wire) *scalar { return &w.Kind },
	"op":         func(w *wire) *scalar { return &w.Op },
	"brand":      func(w *wire) *scalar { return &w.Brand },
	"title":      func(w *wire) *scalar { return &w.Title },
	"text":       func(w *wire) *scalar { return &w.Text },
	"lang":       func(w *wire) *scalar { return &w.Lang },
	"rating":     func(w *wire) *scalar { return &w.Rating },
	"url":        func(w *wire) *scalar { return &w.URL },
	"parent_id":  func(w *wire) *scalar { return &w.ParentID },
	"root_id":    func(w *wire) *scalar { return &w.RootID },
	"visibility": func(w *wire) *scalar { return &w.Visibility },
	"created_at": func(w *wire) *scalar { return &w.CreatedAt },
	"updated_at": func(w *wire) *scalar { return &w.UpdatedAt },
	"count":      func(w *wire) *scalar { return &w.Count },
	"has_media":  func(w *wire) *scalar { return &w.HasMedia },

	"author":           func(w *wire) *scalar { return &w.Author.Handle },
	"author_handle":    func(w *wire) *scalar { return &w.Author.Handle },
	"handle":           func(w *wire) *scalar { return &w.Author.Handle },
	"author_id":        func(w *wire) *scalar { return &w.Author.ID },
	"author_name":      func(w *wire) *scalar { return &w.Author.Name },
	"author_followers": func(w *wire) *scalar { return &w.Author.Followers },
	"author_verified":  func(w *wire) *scalar { return &w.Author.Verified },
	"verified":         func(w *wire) *scalar { return &w.Author.Verified },
	"followers":        func(w *wire) *scalar { return &w.Followers },

	"likes":              func(w *wire) *scalar { return &w.Engagement.Likes },
	"shares":             func(w *wire) *scalar { return &w.Engagement.Shares },
	"replies":            func(w *wire) *scalar { return &w.Engagement.Replies },
	"views":              func(w *wire) *scalar { return &w.Engagement.Views },
	"engagement_likes":   func(w *wire) *scalar { return &w.Engagement.Likes },
	"engagement_shares":  func(w *wire) *scalar { return &w.Engagement.Shares },
	"engagement_replies": func(w *wire) *scalar { return &w.Engagement.Replies },
	"engagement_views":   func(w *wire) *scalar { return &w.Engagement.Views },

	"metric":       func(w *wire) *scalar { return &w.gauge().Name },
	"metric_name":  func(w *wire) *scalar { return &w.gauge().Name },
	"metric_value": func(w *wire) *scalar { return &w.gauge().Value },
	"value":        func(w *wire) *scalar { return &w.gauge().Value },
}

func (w *wire) gauge() *wireGauge {
	if w.Metric == nil {
		w.Metric = new(wireGauge)
	}
	return w.Metric
}

// NewColumns reads a header row. It reports false when no name in it belongs to a mention: then the row is
// not a header. Case, spaces and unknown columns do not matter.
func NewColumns(header []string) (Columns, bool) {
	var c Columns
	known := false
	for _, name := range header {
		name = strings.ToLower(strings.TrimSpace(name))
		field := columnFields[strings.NewReplacer(".", "_", " ", "_", "-", "_").Replace(name)]
		known = known || field != nil
		c.fields = append(c.fields, field)
	}
	return c, known
}

// Decode reads one row and normalises it. An empty cell is a field left out; cells missing at the end are
// empty.
func (c Columns) Decode(cells []string, opt DecodeOptions) (Mention, error) {
	var w wire
	row := 0
	for _, cell := range cells {
		row += len(cell)
	}
	for i, cell := range cells {
		switch {
		case cell == "":
		case i >= len(c.fields):
			return Mention{}, fmt.Errorf("%d cells under a header of %d: quote what holds a separator", len(cells), len(c.fields))
		case c.fields[i] != nil:
			*c.fields[i](&w) = scalar{part(cell, row), 's'} // the cells of a row are parts of one string
		}
	}
	if len(cells) < 2 && len(c.fields) > 1 {
		return Mention{}, errors.New("a single cell: the row is cut off or not separated like the header")
	}
	return w.mention(opt)
}
