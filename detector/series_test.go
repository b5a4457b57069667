package detector

import (
	"testing"
	"time"
)

// Durations are read as people write them; what is longer than any, or none at all, is refused.
func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"30s": 30 * time.Second, "1h30m": 90 * time.Minute, "7d": 7 * 24 * time.Hour, "1.5w": 252 * time.Hour, "2mo": 60 * 24 * time.Hour, "0d": 0,
	} {
		if got, err := ParseDuration(s); err != nil || got != want {
			t.Errorf("%s: %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "d", "-1d", "-1h", "7", "NaNd", "infw", "999999w", "200000mo", "9999999h"} {
		if got, err := ParseDuration(s); err == nil {
			t.Errorf("%q is taken for %v", s, got)
		}
	}
}
