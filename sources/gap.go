package sources

import "time"

const (
	gapsToKnow = 5   // gaps after which anything is expected at all
	gapsOfHour = 3   // gaps after which an hour of the week is known by itself
	gapMemory  = 8.0 // gaps that a mean remembers
)

// Gap is a time between two mentions. It reads and writes "1h30m0s".
type Gap time.Duration

// MarshalText writes the gap.
func (g Gap) MarshalText() ([]byte, error) { return []byte(time.Duration(g).String()), nil }

// UnmarshalText reads the gap.
func (g *Gap) UnmarshalText(text []byte) error {
	d, err := time.ParseDuration(string(text))
	*g = Gap(d)
	return err
}

// gaps learns how long it takes until the next mention comes, by the hour of the week (UTC) in which the last one came:
// what comes after a Friday evening is another thing than what comes after a Monday noon.
type gaps struct {
	last time.Time
	all  mean
	hour [7 * 24]mean
}

// mean is the mean of the last few values.
type mean struct {
	n     float64
	value time.Duration
}

func (m *mean) add(d time.Duration) {
	m.n = min(m.n+1, gapMemory)
	m.value += time.Duration(float64(d-m.value) / m.n)
}

// note takes in that a mention came, in the order of time.
func (g *gaps) note(at time.Time) {
	if !g.last.IsZero() && at.After(g.last) {
		g.all.add(at.Sub(g.last))
		g.hour[hourOfWeek(g.last)].add(at.Sub(g.last))
	}
	if at.After(g.last) {
		g.last = at
	}
}

// expected is how long the next mention is likely to take after the last one, 0 while that is not known.
func (g *gaps) expected() Gap {
	if g.last.IsZero() || g.all.n < gapsToKnow {
		return 0
	}
	if own := g.hour[hourOfWeek(g.last)]; own.n >= gapsOfHour {
		return Gap(own.value.Round(time.Second))
	}
	return Gap(g.all.value.Round(time.Second))
}

func hourOfWeek(t time.Time) int {
	t = t.UTC()
	return int(t.Weekday())*24 + t.Hour()
}
