package sources

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// MaxDepth is how deeply JSON from outside may be nested. The mention needs three levels; everything deeper
// is unknown fields, and a parser should not be walked through thousands of brackets for those.
const MaxDepth = 64

// ErrTooManyItems is the error of [DecodeItems] for a body with more items than it may hold.
var ErrTooManyItems = errors.New("too many items in one body")

// DecodeOptions says what is assumed where a mention is silent.
type DecodeOptions struct {
	Source   string         // the source of a mention that names none
	Brand    string         // the brand of a mention that names none; empty leaves it to the rules
	Zone     *time.Location // the zone of times without one; nil makes such a time an error
	Arrived  time.Time      // see Normalize; zero: no clock is known
	MaxItems int            // most items in one body; 0 is no limit

	// Bare takes a mention that lacks id, time or content, as a text that is only to be scored does.
	Bare bool

	// Verdicts believes the field "emberwatch" of an export. It is for replaying own history alone: from anybody
	// else it would be a way to silence or raise an alarm.
	Verdicts bool
}

// DecodeItems reads a body of mentions in JSON version 1: {"items":[…]}, a list, or one bare object. The
// mentions come back normalised, in order. A bad item is listed in rejected with its index in the body and
// stops nothing; err is set only when the body cannot be read as a whole, or holds more than MaxItems
// ([ErrTooManyItems]).
//
// Rejected indices are ascending, so that the index of ms[i] in the body follows from them: see
// [BodyIndexes].
func DecodeItems(body []byte, opt DecodeOptions) (ms []Mention, rejected []Rejected, err error) {
	items, err := splitItems(body, opt.MaxItems)
	if err != nil {
		return nil, nil, err
	}
	for i, item := range items {
		m, err := decodeObject(item, opt)
		if err != nil {
			rejected = append(rejected, Rejected{Index: i, Error: err.Error()})
			continue
		}
		ms = append(ms, m)
	}
	return ms, rejected, nil
}

// DecodeLines is [DecodeItems] for a body of NDJSON, one mention a line. Blank lines are no items.
func DecodeLines(body []byte, opt DecodeOptions) (ms []Mention, rejected []Rejected, err error) {
	at := 0
	for line := range bytes.Lines(bytes.TrimPrefix(body, []byte("\ufeff"))) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if opt.MaxItems > 0 && at == opt.MaxItems {
			return nil, nil, fmt.Errorf("%w: at most %d", ErrTooManyItems, opt.MaxItems)
		}
		m, err := DecodeMention(line, opt)
		if err != nil {
			rejected = append(rejected, Rejected{Index: at, Error: err.Error()})
		} else {
			ms = append(ms, m)
		}
		at++
	}
	if at == 0 {
		return nil, nil, errors.New("the body is empty")
	}
	return ms, rejected, nil
}

// BodyIndexes returns for each of n decoded mentions the index that it had in the body they came from,
// given what was rejected from that body, in ascending order.
func BodyIndexes(n int, rejected []Rejected) []int {
	indexes := make([]int, 0, n)
	for at := 0; len(indexes) < n; at++ {
		if len(rejected) > 0 && rejected[0].Index == at {
			rejected = rejected[1:]
			continue
		}
		indexes = append(indexes, at)
	}
	return indexes
}

// DecodeMention reads one mention in JSON version 1, such as a line of a file, and normalises it.
func DecodeMention(object []byte, opt DecodeOptions) (Mention, error) {
	if err := CheckDepth(object); err != nil {
		return Mention{}, err
	}
	return decodeObject(object, opt)
}

// decodeObject is DecodeMention for JSON whose depth has been checked.
func decodeObject(object []byte, opt DecodeOptions) (Mention, error) {
	if object = bytes.TrimSpace(object); len(object) == 0 || object[0] != '{' {
		return Mention{}, errors.New("not a JSON object")
	}
	var w wire
	if err := json.Unmarshal(object, &w); err != nil {
		return Mention{}, explainJSON(err)
	}
	return w.mention(opt)
}

// splitItems takes a body apart into its items without looking into them.
func splitItems(body []byte, limit int) ([]json.RawMessage, error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if len(body) == 0 {
		return nil, errors.New("the body is empty")
	}
	if err := CheckDepth(body); err != nil {
		return nil, err
	}
	switch body[0] {
	case '[':
		return splitList(body, limit)
	case '{':
		var envelope struct {
			Items json.RawMessage `json:"items"`
		}
		if err := json.Unmarshal(body, &envelope); err != nil {
			return nil, explainJSON(err)
		}
		if len(envelope.Items) > 0 && envelope.Items[0] == '[' {
			return splitList(envelope.Items, limit)
		}
		if len(envelope.Items) > 0 {
			return nil, errors.New(`"items" is not a list`)
		}
		return []json.RawMessage{body}, nil
	}
	return nil, errors.New("the body is not JSON: expected an object or a list")
}

// splitList reads a JSON list item by item, so that a list of a million zeros ends at the limit.
func splitList(list []byte, limit int) ([]json.RawMessage, error) {
	dec := json.NewDecoder(bytes.NewReader(list))
	if _, err := dec.Token(); err != nil {
		return nil, explainJSON(err)
	}
	var items []json.RawMessage
	for dec.More() {
		if limit > 0 && len(items) == limit {
			return nil, fmt.Errorf("%w: at most %d", ErrTooManyItems, limit)
		}
		var item json.RawMessage
		if err := dec.Decode(&item); err != nil {
			return nil, explainJSON(err)
		}
		items = append(items, item)
	}
	if _, err := dec.Token(); err != nil {
		return nil, explainJSON(err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errors.New("the body goes on after its JSON value")
	}
	return items, nil
}

// CheckDepth finds nesting beyond MaxDepth in one pass over the bytes, before any parser allocates for it.
func CheckDepth(b []byte) error {
	depth, quoted := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			if depth++; depth > MaxDepth {
				return fmt.Errorf("JSON is nested more than %d deep", MaxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// explainJSON says what is wrong in words of the format instead of those of a Go struct. It never repeats
// the input, which may be anybody's text.
func explainJSON(err error) error {
	var mismatch *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &mismatch):
		kind, _, _ := strings.Cut(mismatch.Value, " ") // a number is followed by its digits, however many
		return fmt.Errorf("%s: %s cannot stand here", cmp.Or(mismatch.Field, "the value"), withArticle(kind))
	case errors.As(err, &syntax):
		return fmt.Errorf("broken JSON at byte %d", syntax.Offset)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("broken JSON: it ends too early")
	}
	return fmt.Errorf("broken JSON: %w", err)
}

func withArticle(kind string) string {
	if kind == "array" || kind == "object" {
		return "an " + kind
	}
	return "a " + kind
}
