package detector

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"
)

// spoken is a mention of a test with what it is believed to say; an empty label: the scorer judges it.
type spoken struct {
	mention  sources.Mention
	label    Label
	ownWords bool // it stands for one of many who say the same in words of their own: no copy
}

// generate makes the history of a test, from a seed: the same in every process. Its mentions have no text, so only what
// asks for no words learns from them.
func generate(h *rules.History, brand *rules.Brand, id string, end time.Time, zone *time.Location, seed uint64) []spoken {
	rng := rand.New(rand.NewPCG(seed, 0x7e57))
	lang := "en"
	if brand != nil && len(brand.Languages) > 0 {
		lang = brand.Languages[0]
	}
	var all []spoken
	start := end.Add(-time.Duration(h.Weeks * 7 * 24 * float64(time.Hour)))
	for hour := start; hour.Before(end); hour = hour.Add(time.Hour) {
		rate := hourly(h, hour.In(zone), rng)
		if rate <= 0 {
			continue
		}
		for at := rng.ExpFloat64() / rate; at < 1; at += rng.ExpFloat64() / rate {
			x := spoken{label: Neutral, mention: sources.Mention{
				ID: fmt.Sprintf("history-%d", len(all)+1), Source: testSource, Kind: sources.Comment, Brand: id, Lang: lang,
				Author: sources.Author{ID: fmt.Sprintf("h%d", rng.Uint32())}, CreatedAt: hour.Add(time.Duration(at * float64(time.Hour))),
			}}
			if rng.Float64() < h.Negative {
				x.label = Negative
			}
			if x.mention.CreatedAt.Before(end) {
				all = append(all, x)
			}
		}
	}
	return all
}

// testSource is where the mentions of a test come from unless it says otherwise.
const testSource = "test"

// hourly is the rate of one hour, chance joined in where people have it.
func hourly(h *rules.History, at time.Time, rng *rand.Rand) float64 {
	switch h.Generate {
	case "hours":
		return h.Hours[at.Weekday()][at.Hour()]
	case "weekly_wave":
		return weeklyWave(h.PerHour, at) * chance(rng)
	}
	return h.PerHour
}

// weeklyWave is a daily cycle of 0.4 to 1.6, the fewest at four in the morning, and weekends at 0.7.
func weeklyWave(perHour float64, at time.Time) float64 {
	rate := perHour * (1 - 0.6*math.Cos(2*math.Pi*(float64(at.Hour())-4)/24)) * 7 / (5 + 2*0.7)
	if d := at.Weekday(); d == time.Saturday || d == time.Sunday {
		rate *= 0.7
	}
	return rate
}

// chance is how much more or less than usual is said in an hour: a mean of 1 and a variance of 1/4, as the sum of four
// exponential draws has it.
func chance(rng *rand.Rand) float64 {
	return (rng.ExpFloat64() + rng.ExpFloat64() + rng.ExpFloat64() + rng.ExpFloat64()) / 4
}
