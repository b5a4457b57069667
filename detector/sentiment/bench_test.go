package sentiment_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/jdkato/prose/v2"
	"github.com/jonreiter/govader"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/rules"
)

// The benchmarks score posts in many languages, one per operation, on one core. Others are beside for the scale: neither
// knows more than English.

// BenchmarkScore is what the daemon does with a mention: tokens, language, probabilities.
func BenchmarkScore(b *testing.B) {
	doc, m := new(rules.Doc), model()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		doc.Reset(mixed[i%len(mixed)])
		m.Score(doc, detector.About{})
	}
	perSecond(b)
}

// BenchmarkGovader is VADER in Go (jonreiter/govader).
func BenchmarkGovader(b *testing.B) {
	analyzer := govader.NewSentimentIntensityAnalyzer()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		analyzer.PolarityScores(mixed[i%len(mixed)])
	}
	perSecond(b)
}

// BenchmarkProse only cuts and tags (jdkato/prose): it has no sentiment.
func BenchmarkProse(b *testing.B) {
	first, err := prose.NewDocument("warm up", prose.WithSegmentation(false), prose.WithExtraction(false))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := prose.NewDocument(mixed[i%len(mixed)], prose.UsingModel(first.Model), prose.WithSegmentation(false), prose.WithExtraction(false)); err != nil {
			b.Fatal(err)
		}
	}
	perSecond(b)
}

func perSecond(b *testing.B) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "texts/s")
}

// BenchmarkTokenize is the part of BenchmarkScore that matching needs as well.
func BenchmarkTokenize(b *testing.B) {
	doc := new(rules.Doc)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		doc.Reset(mixed[i%len(mixed)])
	}
	perSecond(b)
}

func BenchmarkScoreExplained(b *testing.B) {
	doc, m := new(rules.Doc), model()
	for i := 0; b.Loop(); i++ {
		doc.Reset(mixed[i%len(mixed)])
		m.Score(doc, detector.About{Explain: true})
	}
}

// BenchmarkLong cuts and scores a text of a megabyte.
func BenchmarkLong(b *testing.B) {
	all := strings.Join(mixed, " ") + " "
	text := strings.Repeat(all, 1<<20/len(all))
	doc, m := new(rules.Doc), model()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		doc.Reset(text)
		m.Score(doc, detector.About{})
	}
}

// BenchmarkRead reads the embedded model, as each start of the program does.
func BenchmarkRead(b *testing.B) {
	var file bytes.Buffer
	if err := model().Write(&file); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := sentiment.Read(bytes.NewReader(file.Bytes())); err != nil {
			b.Fatal(err)
		}
	}
}
