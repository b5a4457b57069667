package detector

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/rules"
)

// long runs the simulations in full: go test ./detector -run Calibration -long -v
var long = flag.Bool("long", false, "run the calibration in full and print its tables")

func skipShort(t *testing.T) {
	t.Helper()
	if testing.Short() && !*long {
		t.Skip("simulates some hundred weeks")
	}
}

// cell is one kind of generated stream: negative binomial by the hour, with a daily cycle and quieter weekends.
type cell struct {
	perHour, variance float64
}

func (c cell) String() string { return fmt.Sprintf("%g/h, variance %g", c.perHour, c.variance) }

var rates = []float64{0.1, 1, 10, 100, 1000}

// watcher is fed a stream bucket by bucket and says when it would tell somebody.
type watcher interface {
	next(b int64, n float64) (alert bool)
}

// burstWatcher is the burst channel at a bar, as a rule of a brand uses it: silent on its first day, held back by a floor.
type burstWatcher struct {
	s   *burst
	p   []episode
	bar []float64
	hit []int // alerts by bar
}

func newBurstWatcher(first int64, bars ...float64) *burstWatcher {
	return newBurstWatcherOf("", first, bars...)
}

func newBurstWatcherOf(season rules.Season, first int64, bars ...float64) *burstWatcher {
	s := newBurst(defaultWindows, first)
	s.profile = season
	return &burstWatcher{s: s, p: make([]episode, len(bars)), bar: bars, hit: make([]int, len(bars))}
}

func (w *burstWatcher) next(b int64, n float64) bool {
	w.s.roll(b, LagReplay)
	w.s.add(b, n)
	e := w.s.eval(minCount)
	for i := range w.p {
		if opened, _ := w.p[i].hit(&e, w.bar[i]); opened && b-w.s.first >= firstDay {
			w.hit[i]++
			if i == 0 {
				return true
			}
		}
	}
	return false
}

// feed generates weeks of one stream. From surge on, for a day, there is factor times as much.
func (c cell) feed(seed uint64, weeks int, surge int64, factor float64, fn func(b int64, n float64) bool) {
	s := countStream{
		perHour: c.perHour, variance: c.variance, bucket: BucketLength, seed: seed,
		surgeFor: 24 * time.Hour, factor: factor,
	}
	if factor > 1 {
		s.surgeAt = bucketStart(surge)
	}
	more := true
	s.counts(countsStart, time.Duration(weeks)*7*24*time.Hour, func(at time.Time, n float64) {
		if more {
			more = fn(bucketOf(at), n)
		}
	})
}

// parallel calls fn for each of n jobs, as many at once as there are cores.
func parallel(n int, fn func(i int)) {
	var wg sync.WaitGroup
	jobs := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range jobs {
				fn(i)
			}
		})
	}
	for i := range n {
		jobs <- i
	}
	close(jobs)
	wg.Wait()
}

// falseAlarms returns the alerts per stream-week after the first week, for each bar.
func (c cell) falseAlarms(streams, weeks int, bars ...float64) []float64 {
	return c.falseAlarmsOf("", streams, weeks, bars...)
}

// falseAlarmsOf returns those of series with a season.
func (c cell) falseAlarmsOf(season rules.Season, streams, weeks int, bars ...float64) []float64 {
	sums := make([][]int, streams)
	parallel(streams, func(i int) {
		w := newBurstWatcherOf(season, bucketOf(countsStart), bars...)
		c.feed(uint64(1000+i), weeks, 0, 1, func(b int64, n float64) bool {
			if b == w.s.first+7*bucketsPerDay {
				w.hit = make([]int, len(bars))
			}
			w.next(b, n)
			return true
		})
		sums[i] = w.hit
	})
	out := make([]float64, len(bars))
	for _, hits := range sums {
		for k, n := range hits {
			out[k] += float64(n) / float64(streams*(weeks-1))
		}
	}
	return out
}

// delays returns how long after the start of surges they were told, sorted; what was not found within the day is absent.
func (c cell) delays(streams int, factor float64, watch func(first int64) watcher) []time.Duration {
	const weeks = 6
	found := make([]time.Duration, streams)
	parallel(streams, func(i int) {
		first := bucketOf(countsStart)
		surge := first + weeks*7*bucketsPerDay + rand.New(rand.NewPCG(uint64(i), 7)).Int64N(7*bucketsPerDay)
		w := watch(first)
		found[i] = -1
		c.feed(uint64(5000+i), weeks+2, surge, factor, func(b int64, n float64) bool {
			if alert := w.next(b, n); alert && b >= surge {
				found[i] = bucketStart(b + 1).Sub(bucketStart(surge))
				return false
			}
			return b < surge+bucketsPerDay
		})
	})
	found = slices.DeleteFunc(found, func(d time.Duration) bool { return d < 0 })
	slices.Sort(found)
	return found
}

// medianDelay says the median over all streams, found or not, and the share that was found.
func medianDelay(found []time.Duration, streams int) string {
	share := 100 * len(found) / streams
	if 2*len(found) < streams {
		return fmt.Sprintf(">24h (%d%%)", share)
	}
	return fmt.Sprintf("%s (%d%%)", shortTime(found[streams/2-1]), share)
}

func shortTime(d time.Duration) string {
	if d < time.Hour {
		return fmt.Sprintf("%dm", int(d.Minutes()))
	}
	return fmt.Sprintf("%.1fh", d.Hours())
}

// TestCalibrationFalseAlarms: at most one false alert per brand-week at every rate.
func TestCalibrationFalseAlarms(t *testing.T) {
	skipShort(t)
	streams, weeks := 8, 9
	if *long {
		streams, weeks = 60, 26
	}
	for _, v := range []float64{0.25, 1} {
		var row []string
		for _, r := range rates {
			got := cell{r, v}.falseAlarms(streams, weeks, defaultBar)[0]
			row = append(row, fmt.Sprintf("%.2f", got))
			if got > 1.1 {
				t.Errorf("%s: %.2f alerts a week without any reason, want at most 1", cell{r, v}, got)
			}
		}
		t.Logf("alerts a stream-week, variance %g, at 0.1 1 10 100 1000 an hour: %s", v, strings.Join(row, "  "))
	}
}

// The delays that people may rely on; where none is given, the surge is too small to be told from chance.
var promised = []struct {
	factor float64
	within map[float64]time.Duration // median, by mentions an hour
}{
	{3, map[float64]time.Duration{10: 4 * time.Hour, 100: 4 * time.Hour, 1000: time.Hour}},
	{5, map[float64]time.Duration{1: 3 * time.Hour, 10: 90 * time.Minute, 100: 70 * time.Minute, 1000: 30 * time.Minute}},
	{10, map[float64]time.Duration{1: 75 * time.Minute, 10: 25 * time.Minute, 100: 10 * time.Minute, 1000: 10 * time.Minute}},
}

// TestCalibrationDelays: how soon surges are told by the burst channel.
func TestCalibrationDelays(t *testing.T) {
	skipShort(t)
	streams := 12
	if *long {
		streams = 60
	}
	for _, p := range promised {
		var row []string
		for _, r := range rates {
			want := p.within[r]
			if want == 0 && !*long {
				continue
			}
			found := cell{r, 0.25}.delays(streams, p.factor, func(first int64) watcher { return newBurstWatcher(first, defaultBar) })
			row = append(row, medianDelay(found, streams))
			if want > 0 && (2*len(found) < streams || found[streams/2-1] > want) {
				t.Errorf("%g times the usual at %g an hour: %s, want within %s", p.factor, r, medianDelay(found, streams), want)
			}
		}
		t.Logf("%g times: %s", p.factor, strings.Join(row, "  "))
	}
}

// TestCalibrationBudgets: the bar of each budget holds its rate on every kind of stream.
func TestCalibrationBudgets(t *testing.T) {
	skipShort(t)
	streams, weeks, slack := 6, 9, 2.0
	if *long {
		streams, weeks, slack = 60, 26, 1.25
	}
	values := make([]float64, len(bars))
	for i, b := range bars {
		values[i] = b.bar
	}
	worst, where := make([]float64, len(bars)), make([]cell, len(bars))
	for _, v := range []float64{0.25, 1} {
		for _, r := range rates {
			for i, got := range (cell{r, v}).falseAlarms(streams, weeks, values...) {
				if got > worst[i] {
					worst[i], where[i] = got, cell{r, v}
				}
			}
		}
	}
	for i, b := range bars {
		t.Logf("bar %4.1f: at most %.2f a week (%s)", b.bar, worst[i], where[i])
		if worst[i] > slack*b.perWeek {
			t.Errorf("bar %.1f: %.2f alerts a week at %s; the table says %.2f", b.bar, worst[i], where[i], b.perWeek)
		}
	}
}

// slowWatcher is the slow-burn channel, beside the burst channel or alone.
type slowWatcher struct {
	s *slow
	x float64
}

func (w *slowWatcher) next(b int64, n float64) bool {
	w.x += n
	if !fiveMinutes.ends(b, 3600) {
		return false
	}
	how, _ := fiveMinutes.hour(b)
	was := w.s.inside
	w.s.step(how, w.x)
	w.x = 0
	return w.s.inside && !was
}

// TestCalibrationSlowBurn: how often the slow-burn channel asks for a watch without cause, and how soon it finds what
// never bursts.
func TestCalibrationSlowBurn(t *testing.T) {
	skipShort(t)
	streams, weeks := 12, 9
	if *long {
		streams, weeks = 100, 26
	}
	for _, v := range []float64{0.25, 1} {
		var row []string
		for _, r := range rates {
			hits := make([]int, streams)
			parallel(streams, func(i int) {
				w := &slowWatcher{s: newSlow()}
				first := bucketOf(countsStart)
				cell{r, v}.feed(uint64(1000+i), weeks, 0, 1, func(b int64, n float64) bool {
					if w.next(b, n) && b >= first+7*bucketsPerDay {
						hits[i]++
					}
					return true
				})
			})
			sum := 0
			for _, n := range hits {
				sum += n
			}
			perWeek := float64(sum) / float64(streams*(weeks-1))
			row = append(row, fmt.Sprintf("%.2f", perWeek))
			if perWeek > 0.5 {
				t.Errorf("%s: %.2f watches a week without cause", cell{r, v}, perWeek)
			}
		}
		t.Logf("watches a stream-week, variance %g, at 0.1 1 10 100 1000 an hour: %s", v, strings.Join(row, "  "))
	}
	if !*long {
		streams = 12
	} else {
		streams = 60
	}
	for _, f := range []float64{1.5, 2, 3, 5} {
		var row []string
		for _, r := range rates {
			found := cell{r, 0.25}.delays(streams, f, func(int64) watcher { return &slowWatcher{s: newSlow()} })
			row = append(row, medianDelay(found, streams))
			if f == 2 && r >= 10 && r <= 100 && (2*len(found) < streams || found[streams/2-1] > 9*time.Hour) {
				t.Errorf("twice the usual at %g an hour: %s", r, medianDelay(found, streams))
			}
		}
		t.Logf("%g times: %s", f, strings.Join(row, "  "))
	}
}
