package webhook

import (
	"errors"
	"strconv"
	"strings"
)

// pointer is a JSON Pointer (RFC 6901), taken apart.
type pointer []string

// unescape undoes the escaping of a reference token: ~1 is a slash, ~0 a tilde.
var unescape = strings.NewReplacer("~1", "/", "~0", "~")

func parsePointer(s string) (pointer, error) {
	if s == "" {
		return nil, nil // the whole
	}
	if s[0] != '/' {
		return nil, errors.New("a JSON Pointer begins with /")
	}
	p := strings.Split(s[1:], "/")
	for i, token := range p {
		if rest := strings.NewReplacer("~0", "", "~1", "").Replace(token); strings.Contains(rest, "~") {
			return nil, errors.New("in a JSON Pointer ~ is written ~0, and / within a name ~1")
		}
		p[i] = unescape.Replace(token)
	}
	return p, nil
}

// find returns what the pointer leads to in a decoded JSON value.
func (p pointer) find(in any) (any, bool) {
	for _, token := range p {
		switch node := in.(type) {
		case map[string]any:
			inner, ok := node[token]
			if !ok {
				return nil, false
			}
			in = inner
		case []any:
			i, ok := index(token, len(node))
			if !ok {
				return nil, false
			}
			in = node[i]
		default:
			return nil, false
		}
	}
	return in, true
}

// index reads a place in a list of n: digits without a leading zero.
func index(token string, n int) (int, bool) {
	i, err := strconv.ParseUint(token, 10, 31)
	if err != nil || len(token) > 1 && token[0] == '0' || int(i) >= n {
		return 0, false
	}
	return int(i), true
}
