package detector

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// betaOf draws a share of mean p whose wander is rho.
func betaOf(rng *rand.Rand, p, rho float64) float64 {
	if rho == 0 {
		return p
	}
	n := 1/rho - 1
	a, b := gammaOf(rng, p*n), gammaOf(rng, (1-p)*n)
	return a / (a + b)
}

// gammaOf draws from a gamma distribution of that shape, of scale 1.
func gammaOf(rng *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gammaOf(rng, shape+1) * math.Pow(rng.Float64(), 1/shape)
	}
	return gamma(rng, 1/shape) * shape
}

// shareAlarms counts the episodes, by bar, of a stream whose share of hits wanders from hour to hour and does nothing else,
// after the first week.
func shareAlarms(seed uint64, window time.Duration, perHour, wander float64, weeks int, bars []float64) []int {
	rng := rand.New(rand.NewPCG(seed, 3))
	s, alarms, episodes := newShare(window, "", monday), make([]int, len(bars)), make([]episode, len(bars))
	first := bucketOf(monday)
	share, rate := 0.0, 0.0
	for b := first; b < first+int64(weeks)*7*bucketsPerDay; b++ {
		if b%12 == 0 {
			share, rate = betaOf(rng, 0.2, wander), rhythm(perHour, bucketStart(b))*gamma(rng, 0.25)/12
		}
		s.roll(b)
		for at := rng.ExpFloat64() / rate; at < 1; at += rng.ExpFloat64() / rate {
			hit := rng.Float64() < share
			s.add(b, hit, 1)
			if !hit {
				continue
			}
			e := s.eval(20)
			for i := range episodes {
				if opened, _ := episodes[i].hit(&e, bars[i]); opened && b-first >= provisional {
					alarms[i]++
				}
			}
		}
	}
	return alarms
}

// A share that only wanders is told no more often than its budget allows.
func TestCalibrationShares(t *testing.T) {
	skipShort(t)
	budgets := []float64{2, 1, 7.0 / 30}
	bars := make([]float64, len(budgets))
	for i, perWeek := range budgets {
		bars[i] = barFor(perWeek)
	}
	streams, weeks := 2, 20
	if *long {
		streams, weeks = 12, 52
	}
	t.Log("alarms per stream-week after the first, for a budget of 2/week, 1/week, 1/month")
	for _, window := range []time.Duration{3 * time.Hour, 24 * time.Hour} {
		for _, perHour := range []float64{3, 10, 100} {
			for _, wander := range []float64{0, 0.02, 0.1} {
				sum := make([]float64, len(bars))
				for k := range streams {
					for i, n := range shareAlarms(uint64(k), window, perHour, wander, weeks, bars) {
						sum[i] += float64(n) / float64(streams*(weeks-1))
					}
				}
				t.Logf("%4s %4g/h wander %.2f: %.2f", shortSpan(window), perHour, wander, sum)
				for i := range sum {
					if most := 1.5 * budgets[i]; *long && sum[i] > most || sum[i] > most+0.3 {
						t.Errorf("%s at %g/h, wander %g: %.2f a week for a budget of %.2f", window, perHour, wander, sum[i], budgets[i])
					}
				}
			}
		}
	}
}

func shortSpan(d time.Duration) string { return fmt.Sprintf("%dh", int(d.Hours())) }
