package main

import (
	"context"
	"fmt"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/detector/store"
	"emberwatch/rules"
	"emberwatch/sources"
)

// BenchmarkIngest is the whole way in: score, match, judge, one durable commit for each batch.
func BenchmarkIngest(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			db, err := store.Open(b.TempDir(), store.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			d, err := detector.Open(b.Context(), detector.Options{Store: db, Reader: db, Scorer: sentiment.New(), Rules: rules.Starter()})
			if err != nil {
				b.Fatal(err)
			}
			texts := []string{
				"My parcel never arrived and nobody answers, third call today", "Lovely coffee, thank you!",
				"Das Gerät ist nach zwei Wochen kaputt, ich will mein Geld zurück", "Где мой заказ? Жду уже три недели",
				"الجهاز رائع، شكرا لكم", "Kundtjänsten svarar inte, väldigt besviken", "Where can I buy filters?",
			}
			at := time.Now().Add(-time.Hour).UTC()
			n := 0
			for b.Loop() {
				batch := sources.Batch{Source: "bench", Mentions: make([]sources.Mention, size)}
				for i := range batch.Mentions {
					n++
					at = at.Add(time.Millisecond)
					batch.Mentions[i] = sources.Mention{
						ID: fmt.Sprint("m", n), Source: "bench", Network: "instagram", Kind: sources.Comment, Brand: "fjellbryg",
						Author: sources.Author{ID: fmt.Sprint("u", n%5000)}, Text: texts[n%len(texts)], CreatedAt: at,
					}
				}
				if _, err := d.Ingest(context.Background(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "mentions/s")
		})
	}
}
