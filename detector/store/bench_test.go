package store

import (
	"fmt"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
)

// BenchmarkIngest measures durable commits as the daemon makes them: texts, items, seen ids and cursor.
func BenchmarkIngest(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			db, err := Open(b.TempDir(), Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			n := 0
			for b.Loop() {
				c := taking(numbered(n, n+size, "fjellbryg")...)
				for i := range c.Put {
					m := &c.Put[i].Mention
					m.CreatedAt = noon.Add(time.Duration(n+i) * 10 * time.Millisecond)
					c.Seen[i].At = m.CreatedAt
					c.Items = append(c.Items, detector.Item{Key: m.Key(), Brand: "fjellbryg", At: m.CreatedAt, Weight: 1})
				}
				c.Cursors = map[string]sources.Cursor{"shop": sources.Cursor(fmt.Sprint(n))}
				commit(b, db, c)
				n += size
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "mentions/s")
		})
	}
}

// BenchmarkLookup measures what a batch of 100 new mentions costs before it is judged.
func BenchmarkLookup(b *testing.B) {
	db := openTemp(b)
	for n := 0; n < 20_000; n += 1000 {
		commit(b, db, taking(numbered(n, n+1000, "fjellbryg")...))
	}
	for name, first := range map[string]int{"new": 1_000_000, "known": 500} {
		b.Run(name, func(b *testing.B) {
			keys := make([]sources.Key, 100)
			for i := range keys {
				keys[i] = keyOf(first + i)
			}
			for b.Loop() {
				if _, err := db.Lookup(b.Context(), keys); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCounts measures a chart of one busy day.
func BenchmarkCounts(b *testing.B) {
	db := openTemp(b)
	for n := 0; n < 50_000; n += 1000 {
		commit(b, db, taking(numbered(n, n+1000, "fjellbryg")...))
	}
	for b.Loop() {
		if _, err := db.Counts(b.Context(), "fjellbryg", noon, noon.AddDate(0, 0, 1), 5*time.Minute); err != nil {
			b.Fatal(err)
		}
	}
}
