package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"emberwatch/detector"
)

// query reads the parameters of a request. The first problem is kept in err; what is read after it does
// not count.
type query struct {
	values url.Values
	now    time.Time
	err    error
}

// newQuery refuses parameters that are not in names, so that a typo does not answer with everything.
func newQuery(r *http.Request, now time.Time, names ...string) *query {
	values, err := url.ParseQuery(r.URL.RawQuery)
	q := &query{values: values, now: now}
	if err != nil {
		q.err = badRequest("the query cannot be read: %v", err)
	}
	for name, v := range values {
		switch {
		case !slices.Contains(names, name):
			q.fail("there is no parameter %q; allowed are %s", name, list(names))
		case len(v) > 1:
			q.fail("the parameter %q is there %d times; give it once", name, len(v))
		}
	}
	return q
}

func (q *query) fail(format string, args ...any) {
	if q.err == nil {
		q.err = badRequest(format, args...)
	}
}

// word returns a parameter that is empty or one of allowed.
func (q *query) word(name string, allowed ...string) string {
	v := q.values.Get(name)
	if v != "" && !slices.Contains(allowed, v) {
		q.fail("%s %q is not known; allowed are %s", name, v, list(allowed))
	}
	return v
}

// limit returns how many are wanted at most; 0 if that is left to us.
func (q *query) limit(most int) int {
	v := q.values.Get("limit")
	if v == "" {
		return 0
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 1 || n > most {
		q.fail("limit %q is no number from 1 to %d", v, most)
	}
	return n
}

// instant returns a time: RFC 3339, a day (its start in UTC), or how long ago. Zero if there is none.
func (q *query) instant(name string) time.Time {
	v := q.values.Get(name)
	if v == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, v); err == nil {
			return t.UTC()
		}
	}
	if d, err := detector.ParseDuration(v); err == nil {
		return q.now.Add(-d).UTC()
	}
	q.fail("%s %q is no time; write 2026-11-16T07:42:10Z, 2026-11-16, or how long ago: 24h, 7d", name, v)
	return time.Time{}
}

// duration returns a duration, or unset if there is none.
func (q *query) duration(name string, unset time.Duration) time.Duration {
	v := q.values.Get(name)
	if v == "" {
		return unset
	}
	d, err := detector.ParseDuration(v)
	if err != nil {
		q.fail("%s: %v", name, err)
	}
	return d
}

// list names what is allowed, in words that stay readable when it is a lot.
func list(names []string) string {
	const most = 30
	if len(names) == 0 {
		return "none"
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + " and " + strconv.Itoa(len(names)-most) + " more"
	}
	return strings.Join(names, ", ")
}
