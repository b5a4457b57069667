package sources

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// DecodeJSON reads JSON of a service into v: not nested too deep, and with errors that repeat none of it.
func DecodeJSON(body []byte, v any) error {
	if err := CheckDepth(body); err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return explainJSON(err)
	}
	return nil
}

// Loose is a scalar of a service's JSON that may come as a string, a number, true, false or null, whatever the
// documentation says. What is no scalar is taken for null: a field that is not as expected must not cost the item.
type Loose string

// UnmarshalJSON never fails.
func (l *Loose) UnmarshalJSON(b []byte) error {
	var s scalar
	if err := s.UnmarshalJSON(b); err != nil {
		return err
	}
	*l = Loose(s.text)
	return nil
}

// String is the scalar as it was written, without quotes.
func (l Loose) String() string { return string(l) }

// Int is the scalar as a whole number, or 0.
func (l Loose) Int() int {
	f, err := strconv.ParseFloat(strings.TrimSpace(string(l)), 64)
	if err != nil || f != f {
		return 0
	}
	return int(min(max(f, -maxCount), maxCount))
}

// True reports a scalar that is true.
func (l Loose) True() bool { return l == "true" }

// Time is the scalar as a time with a zone, or the zero time.
func (l Loose) Time() time.Time {
	t, err := parseTime(strings.TrimSpace(string(l)), nil)
	if err != nil {
		return time.Time{}
	}
	return t
}
