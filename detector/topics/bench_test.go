package topics

import (
	"testing"
)

// BenchmarkPlain is the statistical part on 1,000 mentions: 200 of the incident, 800 ordinary ones.
func BenchmarkPlain(b *testing.B) {
	f := newFinder(b, Options{Plain: true})
	s := *english()
	s.incident.count, s.ordinary.count = 200, 800
	in, out := s.incident.texts("en"), s.ordinary.texts("en")
	b.ReportAllocs()
	for b.Loop() {
		f.Topics(in, out, s.names, 3)
	}
}

// BenchmarkPhrases is the tagger alone on 50 texts, its model loaded.
func BenchmarkPhrases(b *testing.B) {
	f := newFinder(b, Options{})
	s := *english()
	c := newCorpus(f.stops.of("en"), newNameList(s.names), "en")
	for _, t := range s.incident.texts("en") {
		c.add(&c.incident, []string{t.Body + ". The second sentence of the same mention is a bit longer than that, is it not?"})
	}
	c.forms = formsOf(c.vocab)
	var sentences [][]span
	for i := range sampleTexts {
		sentences = append(sentences, c.sentences(c.incident.docs[i%len(c.incident.docs)].text)...)
	}
	tag, in := loadProse(), texts(sentences)
	b.ReportAllocs()
	for b.Loop() {
		for _, s := range in {
			if _, err := tag(s); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkLoad is what the first English incident pays.
func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		loadProse()
	}
}
