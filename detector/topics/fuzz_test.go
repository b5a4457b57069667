package topics

import "testing"

// FuzzTopics: no text, language or name makes Topics panic or tell what is not there, and none, cleaned, makes the tagger
// panic.
func FuzzTopics(f *testing.F) {
	finder := newFinder(f, Options{Plain: true})
	tag := loadProse()
	for _, h := range hostile {
		f.Add(clip(h, 300), "en")
	}
	f.Add("The zipper of my North Face broke. #refund", "en-GB")
	f.Add("السحاب انكسر 返金 молния", "und")
	f.Fuzz(func(t *testing.T, text, lang string) {
		in := append(many(5, lang, text+" %s"), many(5, lang, "zipper %s "+text)...)
		for _, got := range finder.Topics(in, many(12, lang, "jacket %s"), []string{"North Face", text}, 5) {
			if got.Words == "" || got.Count < 1 || got.Count > got.Of || got.Score < significant-0.01 {
				t.Errorf("%+v", got)
			}
		}
		c := newCorpus(finder.stops.of("en"), newNameList(nil), "en")
		c.add(&c.incident, []string{text})
		c.forms = formsOf(c.vocab)
		for _, s := range texts(c.sentences(clip(text, sampleBytes))) {
			if tags, err := tag(s); err == nil && len(tags) != len(s) { // it may lose a word, but not panic
				t.Errorf("%q: %d tags", s, len(tags))
			}
		}
	})
}
