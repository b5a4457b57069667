package rules

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"
)

const day = 24 * time.Hour

var units = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": day, "w": week, "mo": 30 * day,
	"hour": time.Hour, "day": day, "week": week, "month": 30 * day,
}

// span is what a duration may be. Nothing in a rule file is of no length, and nothing lasts longer than what is remembered.
type span struct {
	least, most time.Duration
	grain       time.Duration // what it is a multiple of; 0: of anything
	id          string        // of the error; empty: type
	why         string
}

// The spans of all durations that rule files may hold.
var (
	aWindow     = span{5 * time.Minute, day, 5 * time.Minute, "E05", "mentions are counted by steps of 5m, for up to a day"}
	aStep       = span{time.Hour, day, time.Hour, "E05", "a gauge is looked at by the hour"}
	aDrift      = span{day, maxDrift, time.Hour, "E05", "a gauge is looked at by the hour, and remembered for a week"}
	aHistory    = span{day, 400 * day, 0, "E05", "normal is learnt from days, and counts are kept for 400"}
	lookBack    = span{time.Minute, 400 * day, 0, "E10", "nothing is found in no time, nor remembered for longer than 400 days"}
	toForget    = span{time.Minute, 400 * day, 0, "", "what is like the one before is left out for that long"}
	toBeQuiet   = span{time.Minute, 30 * day, 0, "", "an incident is calm once nothing has come for that long"}
	together    = span{time.Minute, 30 * day, 0, "", "the rules are to tell within it"}
	toAnswer    = span{time.Minute, week, 0, "", "every complaint would be late at once, or none: after a week nobody waits any more"}
	toClimb     = span{time.Second, 30 * day, 0, "", "people need some time to acknowledge"}
	toNotify    = span{time.Second, 30 * day, 0, "", "people are told again after it"}
	toGather    = span{time.Second, time.Hour, 0, "", "the first message waits for it"}
	toBatch     = span{time.Minute, 7 * day, 0, "", "late complaints are told together after it"}
	nextUpdate  = span{time.Minute, 30 * day, 0, "", "it is promised to people"}
	ofTests     = span{time.Second, 60 * week, 0, "", "a test has up to 60 weeks"}
	ofTestsOr0  = span{0, 60 * week, 0, "", "a test has up to 60 weeks"}
	expectRates = span{day, 60 * week, 0, "", "a rate is of a time, and a test has up to 60 weeks"}
)

func (s span) holds(d time.Duration) bool {
	return d >= s.least && d <= s.most && (s.grain == 0 || d%s.grain == 0)
}

// says is how to repair a duration that the span does not hold.
func (s span) says() string {
	between := fmt.Sprintf("from %s to %s", shortDuration(s.least), shortDuration(s.most))
	if s.grain > 0 {
		return fmt.Sprintf("use multiples of %s %s", shortDuration(s.grain), between)
	}
	return "use one " + between
}

var durationForm = regexp.MustCompile(`^([0-9]{1,6})(s|m|h|d|w|mo)$`)

// durationOf reads 30s, 15m, 3h, 7d, 8w or 2mo. What would overflow is the longest there is.
func durationOf(s string) (time.Duration, bool) {
	m := durationForm.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	v, _ := strconv.ParseInt(m[1], 10, 64)
	unit := units[m[2]]
	if v > math.MaxInt64/int64(unit) {
		return math.MaxInt64, true
	}
	return time.Duration(v) * unit, true
}

// duration reads a duration that a span holds; 0 if it does not, and that is told.
func (l *loader) duration(n *yaml.Node, in span) time.Duration {
	d, ok := durationOf(n.Value)
	if n.Kind != yaml.ScalarNode || !ok {
		l.typeError(n, "a duration", "30s, 15m, 3h, 7d or 8w")
		return 0
	}
	return l.bounded(n, d, in)
}

func (l *loader) bounded(n *yaml.Node, d time.Duration, in span) time.Duration {
	if in.holds(d) {
		return d
	}
	size := "not of a length that is counted"
	switch {
	case d < in.least:
		size = "too short"
	case d > in.most:
		size = "too long"
	}
	id := in.id
	if id == "" {
		id = "type"
	}
	l.fail(n, id, fmt.Sprintf("%s is %s", describe(n), size), in.why, in.says())
	return 0
}

// shortDuration writes a duration the way rule files do.
func shortDuration(d time.Duration) string {
	for _, u := range []struct {
		name string
		d    time.Duration
	}{{"w", week}, {"d", day}, {"h", time.Hour}, {"m", time.Minute}} {
		if d >= u.d && d%u.d == 0 {
			return fmt.Sprintf("%d%s", d/u.d, u.name)
		}
	}
	return fmt.Sprintf("%ds", d/time.Second)
}
