package detector

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// SeriesKey names one series of counts: a brand and what is counted of it, such as "negative",
// "category:delivery" or "source:news".
type SeriesKey struct {
	Brand  string
	Signal string
}

// ParseDuration reads what time.ParseDuration reads, and days, weeks and months (30 days): "7d", "2w", "1mo".
func ParseDuration(s string) (time.Duration, error) {
	for _, u := range []struct {
		suffix string
		length time.Duration
	}{{"mo", 30 * 24 * time.Hour}, {"d", 24 * time.Hour}, {"w", 7 * 24 * time.Hour}} {
		n, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		v, err := strconv.ParseFloat(n, 64)
		if most := math.MaxInt64 / float64(u.length); err != nil || !(v >= 0 && v < most) {
			break
		}
		return time.Duration(v * float64(u.length)), nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no duration; write it like 30s, 15m, 2h, 7d or 8w", s)
	}
	return d, nil
}
