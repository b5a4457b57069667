package sentiment_test

import (
	"strings"
	"testing"

	"emberwatch/detector/sentiment"
	"emberwatch/rules"
)

// BenchmarkScore is the scorer alone, one text per operation.
func BenchmarkScore(b *testing.B) {
	docs := make([]*rules.Doc, len(mixed))
	for i, text := range mixed {
		docs[i] = rules.Tokenize(text)
	}
	l := lex()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.Score(docs[i%len(docs)], "", 0, false)
	}
}

func BenchmarkTokenizeAndScore(b *testing.B) {
	doc, l := new(rules.Doc), lex()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		doc.Reset(mixed[i%len(mixed)])
		l.Score(doc, "", 0, false)
	}
}

func BenchmarkScoreExplained(b *testing.B) {
	docs := make([]*rules.Doc, len(mixed))
	for i, text := range mixed {
		docs[i] = rules.Tokenize(text)
	}
	l := lex()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.Score(docs[i%len(docs)], "", 0, true)
	}
}

// BenchmarkLong scores a text of a megabyte.
func BenchmarkLong(b *testing.B) {
	doc := rules.Tokenize(strings.Repeat(mixed[0]+" ", 1<<20/len(mixed[0])))
	l := lex()
	b.SetBytes(int64(len(doc.Text)))
	for b.Loop() {
		l.Score(doc, "", 0, false)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		sentiment.New()
	}
}
