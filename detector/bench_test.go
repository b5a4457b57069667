package detector

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"emberwatch/sources"
)

// BenchmarkApply books one mention of one of so many brands, ten an hour for each, after two days of history.
func BenchmarkApply(b *testing.B) {
	for _, brands := range []int{1, 1000} {
		b.Run(fmt.Sprintf("brands=%d", brands), func(b *testing.B) {
			set, n := starterSet(), 0
			m := NewModel(set, LagLive)
			now := monday
			texts := []string{"good", "so so", "bad", "fine"}
			apply := func() {
				n++
				now = now.Add(6 * time.Minute / time.Duration(brands))
				x := sources.Mention{
					ID: fmt.Sprint(n), Source: "shop", Kind: sources.Comment, Brand: fmt.Sprintf("brand %d", n%brands),
					Author: sources.Author{ID: fmt.Sprint(n)}, Text: texts[n/brands%len(texts)], CreatedAt: now,
				}
				a := Arrival{Key: x.Key(), At: now, Arrived: now, Judged: Judge(set, plainScorer{}, x)}
				m.Apply([]Arrival{a}, now)
			}
			for range brands * 24 * 2 * 10 / min(brands, 20) {
				apply()
			}
			b.ReportAllocs()
			b.ResetTimer()
			for b.Loop() {
				apply()
			}
		})
	}
}

// BenchmarkTick lets the clock work on a thousand brands with twenty open incidents.
func BenchmarkTick(b *testing.B) {
	s := newStage(b, machineSet())
	for k := range 1000 {
		m := s.mention([]string{"good", "drip three"}[min(1, k%50/49)])
		m.Brand = fmt.Sprintf("brand %d", k)
		a := Arrival{Key: m.Key(), At: s.now, Arrived: s.now, Judged: Judge(s.set, plainScorer{}, m)}
		if k%50 == 49 {
			a.Judged[0].Rules = []string{"three"}
		}
		s.m.Apply([]Arrival{a}, s.now)
	}
	b.ReportAllocs()
	for b.Loop() {
		s.now = s.now.Add(time.Millisecond)
		s.m.Tick(s.now)
	}
}

// BenchmarkEval looks at the running bucket of one series.
func BenchmarkEval(b *testing.B) {
	s := newBurst(defaultWindows, 0)
	for k := range int64(3 * bucketsPerDay) {
		s.roll(k, LagLive)
		s.add(k, float64(k%7))
	}
	b.ReportAllocs()
	for b.Loop() {
		s.eval(minCount)
	}
}

// BenchmarkRoll closes one bucket of one series and learns from it.
func BenchmarkRoll(b *testing.B) {
	s := newBurst(defaultWindows, 0)
	k := int64(0)
	for b.Loop() {
		k++
		s.roll(k, LagLive)
		s.add(k, float64(k%7))
	}
}

// BenchmarkSeriesBlob writes the state of one series.
func BenchmarkSeriesBlob(b *testing.B) {
	s := newSeries(SeriesKey{"acme", "all"}, defaultWindows, 0)
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		blob, _ := s.MarshalBinary()
		size = len(blob)
	}
	b.ReportMetric(float64(size), "bytes/blob")
}

// BenchmarkMemory holds a thousand brands with ten series each, and says what one of them takes.
func BenchmarkMemory(b *testing.B) {
	const brands, perBrand = 1000, 10
	set := starterSet()
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		m := NewModel(set, LagLive)
		series := 0
		for k := range brands {
			for source := range perBrand - 2 {
				x := sources.Mention{
					ID: fmt.Sprint(k, source), Source: fmt.Sprintf("s%d", source), Kind: sources.Comment, Brand: fmt.Sprintf("brand %d", k),
					Author: sources.Author{ID: fmt.Sprint(source)}, Text: "bad", CreatedAt: monday,
				}
				m.Apply([]Arrival{{Key: x.Key(), At: monday, Arrived: monday, Judged: Judge(set, plainScorer{}, x)}}, monday)
			}
			series += len(m.brands[fmt.Sprintf("brand-%d", k)].series)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(series), "bytes/series")
		b.ReportMetric(float64(series)/brands, "series/brand")
		runtime.KeepAlive(m)
	}
}
