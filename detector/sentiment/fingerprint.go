package sentiment

import (
	"math"

	"emberwatch/rules"
)

// probes are texts that between them have every kind of feature. What they are read as tells one set of features from
// another.
var probes = []string{
	"", "!", "Not good, NOT good at all!!! :(", "soooo happy 😍😍 <3", "3 weeks & still no answer?!", "#FAIL @brand https://example.com/x",
	"Das ist überhaupt nicht schön, scheiße", "Großartig, gefällt mir nicht", "нет, всё плохо)))", "Ёлки ужасный сервис", "الخدمة سيئة جدًا", "مش حلو خالص والله",
	"inte bra alls, men snabb leverans", "skitdåligt!!", "no me gusta nada, pésimo", "¡¡qué maravilla!!", "je n'aime pas, c'est nul", "l'eau n'est pas très bonne",
	"non mi piace per niente", "bellissimo, grazie mille", "péssimo atendimento, nunca mais", "adorei demais", "nie polecam, fatalna obsługa", "bardzo dobry sklep",
	"bahut accha hai yaar", "bekar service 👎", "ＦＵＬＬ ｗｉｄｔｈ", "cafe\u0301 na\u00EFve", "x\u200Dy \u00AD", "12,50 € 100% 24/7", "ok", "...", "don't won't can't",
	"A very long text that goes on and on, although it says nothing that would be good or bad, only to have many words in it, which is what it is for.",
}

// fingerprint is a hash of how the probes are read, in each language: features that a model was not trained on would
// make it wrong without a sign.
func fingerprint(lex *Lexicon) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	x := NewExtractor(nil, lex)
	doc := new(rules.Doc)
	for _, text := range probes {
		doc.Reset(text)
		for l := range lang(known) {
			x.lang = l
			x.read(doc)
			x.mean(nil)
			x.find()
			for _, w := range x.words {
				h = (h ^ uint64(w)) * prime
			}
			for _, g := range x.grams {
				h = (h ^ uint64(g)) * prime
			}
			for _, s := range x.shape {
				h = (h ^ uint64(s.Hash) ^ uint64(math.Float32bits(s.Value))<<32) * prime
			}
			for _, t := range x.lid {
				h = (h ^ uint64(t)) * prime
			}
		}
	}
	return h
}
