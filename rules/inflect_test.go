package rules

import (
	"strings"
	"testing"
	"unicode/utf8"

	"emberwatch/sources"
)

// What is left of a line is what an analyst writes; right of it are texts that must match, and after the bar ones that must not.
var inflected = []struct{ lang, term, match, miss string }{
	{"en", "leak", "leaks, leaked, leaking, Leaking!", "leakage, bleak, lead"},
	{"en", "charge", "charged, charges, charging", "charger, char"},
	{"en", "stop", "stopped, stopping, stops", "stopper, top"},
	{"en", "batteries", "battery, batteries", "batter"},
	{"en", "box", "boxes", "boxer"},
	{"en", "bus", "bus", "bu"},
	{"en", "speed", "speeds, speed", "spe"},
	{"en", "thing", "things", "th"},
	{"en", "tank leak", "tanks leaking, tank leaks", "leaks tank"},
	{"de", "Tank", "Tanks, Tank", "Tankstelle"},
	{"de", "undicht", "undichte, undichter, undichten, undichtes", "dicht"},
	{"de", "Gerät", "Geräte, Geräten, Gerätes", "Geräusch"},
	{"de", "Maschine", "Maschinen", "Maschinist"},
	{"de", "lecken", "leckt, leckte, leck", "locker"},
	{"de", "defekt", "defekte, defekten, defekter", "Effekt"},
	{"sv", "läcka", "läcker, läckte, läckan, läckor, läckt", "lack"},
	{"sv", "maskin", "maskinen, maskiner, maskinerna", "maskera"},
	{"sv", "paket", "paketet, paketen", "packa"},
	{"ru", "бак", "бака, баком, баки", "банк"},
	{"ru", "протекает", "протекают, протекала, протекал", "проект"},
	{"ru", "сломалась", "сломался, сломались, сломана, сломан", "слон"},
	{"ru", "кофемашина", "кофемашины, кофемашину, кофемашин", "кофе"},
	{"ar", "خزان", "الخزان, والخزان, خزانات", "خزف"},
	{"ar", "بطارية", "البطارية, بطاريتها, بطاريات", "بطل"},
	{"es", "roto", "rota, rotos, rotas", "rotonda"},
	{"es", "quemar", "quema, quemado, quemó, quemada", "que"},
	{"es", "fuga", "fugas", "fugaz"},
	{"fr", "cassé", "cassée, cassées, casser, cassés", "casserole"},
	{"fr", "fuite", "fuites", "fumer"},
	{"it", "rotto", "rotta, rotti, rotte", "rottame"},
	{"pt", "reclamação", "reclamações", "reclame"},
	{"pl", "kawa", "kawy, kawę, kawą", "kawior"},
}

func TestTermsAreFoundInTheirForms(t *testing.T) {
	for _, c := range inflected {
		s := bare(t, "version: 1\nbrands: {acme: {names: [Acme]}}\nrules:\n"+
			"  - {id: r, title: R, kind: each, brand: acme, match: {any_of: [{phrase: \""+c.term+"\"}]}, severity: 2, dedupe: {by: [text], for: 1h}}\n")
		term := s.Rules[0].Match.AnyOf[0]
		for want, texts := range map[bool]string{true: c.match + ", " + c.term, false: c.miss} {
			for _, text := range strings.Split(texts, ", ") {
				found := s.Match(&sources.Mention{Brand: "acme"}, Tokenize("Acme "+text), c.lang)
				if got := found.terms.held[term]; got != want {
					t.Errorf("%s: %q in %q: %v", c.lang, c.term, text, got)
				}
			}
		}
	}
}

// A word is taken by the rules of the language that its text is in: where that is not known, as it is written.
func TestFormsAreThoseOfTheTextsLanguage(t *testing.T) {
	s := bare(t, `version: 1
brands: {acme: {names: [Acme]}}
rules:
  - {id: r, title: R, kind: each, brand: acme, match: {any_of: [{phrase: leak}, {raw: Leak}, {phrase: "burn*"}]}, severity: 2, dedupe: {by: [text], for: 1h}}
`)
	terms := s.Rules[0].Match.AnyOf
	for _, c := range []struct {
		text, lang string
		want       [3]bool
	}{
		{"Acme leaking", "en", [3]bool{true, false, false}},
		{"Acme leaking", "und", [3]bool{}},
		{"Acme leaking", "sv", [3]bool{}},
		{"Acme Leaking", "und", [3]bool{false, true, false}},
		{"Acme burning", "und", [3]bool{false, false, true}},
	} {
		found := s.Match(&sources.Mention{Brand: "acme"}, Tokenize(c.text), c.lang)
		if got := [3]bool{found.terms.held[terms[0]], found.terms.held[terms[1]], found.terms.held[terms[2]]}; got != c.want {
			t.Errorf("%q in %s: %v, not %v", c.text, c.lang, got, c.want)
		}
	}
}

// A name is declined in Russian, and nowhere else: Shells is not Shell.
func TestNamesAreDeclinedInCyrillicOnly(t *testing.T) {
	s := bare(t, "version: 1\nbrands: {fjellbryg: {names: [Фьельбрюг, Fjellbryg, Мир]}}\n")
	for text, want := range map[string]bool{
		"купил у Фьельбрюга":        true,
		"недоволен Фьельбрюгом":     true,
		"о Фьельбрюге":              true,
		"Мир":                       true,
		"в мире":                    false, // too short for a stem
		"Fjellbrygen":               false,
		"Фьельбрюгский":             false,
		"Fjellbryg's machine leaks": true,
	} {
		if got := s.Keep(text); got != want {
			t.Errorf("kept %q: %v", text, got)
		}
		found := s.Match(&sources.Mention{}, Tokenize(text), "ru")
		if got := len(found.Brands) > 0; got != want {
			t.Errorf("%q names the brand: %v", text, got)
		}
	}
}

// An ambiguous name finds what it needs near it in any form, and what takes it away too.
func TestContextIsFoundInItsForms(t *testing.T) {
	s := bare(t, `version: 1
brands:
  acme:
    names: [Acme, Pearl]
    ambiguous: {Pearl: {need_any: [machine], within_words: 5}}
    exclude: [acme fjord hike]
`)
	for text, want := range map[string]bool{
		"two Pearl machines broke":   true,
		"a pearl in the sea":         false,
		"our Acme fjord hikes":       false,
		"the Acme of coffee is mine": true,
	} {
		if got := len(s.Match(&sources.Mention{}, Tokenize(text), "en").Brands) > 0; got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// Whatever the bytes, a stem is valid, no longer than the word, and never empty.
func FuzzStem(f *testing.F) {
	for _, c := range inflected {
		f.Add(c.term, c.lang)
	}
	f.Add("\xff\xfeed", "en")
	f.Add("çãoões", "pt")
	f.Fuzz(func(t *testing.T, word, lang string) {
		folded := []byte(Fold(word))
		stem, ok := appendStem(nil, folded, lang)
		switch {
		case ok != (inflections[lang] != nil):
			t.Errorf("%q has rules: %v", lang, ok)
		case ok && len(stem) > len(folded):
			t.Errorf("the stem %q is longer than %q", stem, folded)
		case ok && len(folded) > 0 && len(stem) == 0:
			t.Errorf("nothing is left of %q", folded)
		case ok && utf8.Valid(folded) && !utf8.Valid(stem):
			t.Errorf("the stem %q of %q is cut within a letter", stem, folded)
		}
	})
}
