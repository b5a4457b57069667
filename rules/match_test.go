package rules

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/sources"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

const fjellbryg = `
version: 1
brands:
  fjellbryg:
    names: [Fjellbryg, Fjell Bryg, Фьельбрюг, فيلبريغ, 山泉]
    products:
      one: [Fjellbryg One, "the One"]
      app: [Fjellbryg Home]
    handles:
      x: ["@fjellbryg"]
      mastodon: ["@fjell@social.example"]
      bluesky: [fjellbryg.example]
    hashtags: [fjellbrygone]
    exclude: [fjellbryg fjord hike]
    ambiguous:
      the one: {need_any: [coffee, machine, kaffe*, кофе], within_words: 4}
    context_negative: [wedding, matrix]
    own_authors: ["x:@Fjellbryg", "youtube:UC12"]
  acme: {names: [ACME]}
`

func TestMatchBrands(t *testing.T) {
	s := must(t, fjellbryg)
	for _, c := range []struct{ text, network, want string }{
		{"My FJELLBRYG broke", "", "fjellbryg"},
		{"Fjellbryg's tank", "", "fjellbryg"},
		{"l'Acme d'ACME", "", "acme"},
		{"die Fjellbrygs", "", "fjellbryg"},
		{"fjell  bryg leaks", "", "fjellbryg"},
		{"fjell. bryg", "", ""},
		{"fjellbrygg", "", ""},
		{"ФЬЕЛЬБРЮГ сломался", "", "fjellbryg"},
		{"ماكينة فِيـلْبريغ", "", "fjellbryg"},
		{"وبفيلبريغ", "", ""},
		{"بفيلبريغ", "", "fjellbryg"},
		{"والفيلبريغ", "", "fjellbryg"},
		{"新しい山泉が壊れた", "", "fjellbryg"},
		{"hi @fjellbryg", "x", "fjellbryg"},
		{"hi @FjellBryg!", "", "fjellbryg"},
		{"hi @fjellbryg", "tiktok", "fjellbryg"},
		{"hi @fjellbryg", "mastodon", ""},
		{"hi @fjell@social.example", "mastodon", "fjellbryg"},
		{"hi @fjell", "mastodon", "fjellbryg"},
		{"hi @fjell", "x", ""},
		{"hi @fjellbryg.example", "bluesky", "fjellbryg"},
		{"hi @acme", "x", "acme"},
		{"hi @acme_fans", "x", ""},
		{"#fjellbrygone", "", "fjellbryg"},
		{"#FjellBryg", "", "fjellbryg"},
		{"#BoycottFjellbryg", "", "fjellbryg"},
		{"#boycott_acme now", "", "acme"},
		{"fjellbrygone", "", ""},
		{"the Fjellbryg fjord hike was great", "", ""},
		{"the One is a great coffee machine", "", "fjellbryg"},
		{"a coffee, a book, a friend and the One", "", ""},
		{"she is the One", "", ""},
		{"the One: my wedding coffee", "", ""},
		{"Fjellbryg at a wedding", "", "fjellbryg"},
		{"Fjellbryg Home at a wedding", "", "fjellbryg"},
		{"ACME copies Fjellbryg", "", "acme fjellbryg"},
		{"nobody", "", ""},
	} {
		m := &sources.Mention{Text: c.text, Network: c.network}
		got := strings.Join(s.Match(m, Tokenize(c.text), "").Brands, " ")
		if got != c.want {
			t.Errorf("%q on %q speaks about %q, want %q", c.text, c.network, got, c.want)
		}
		if c.network == "" && s.Keep(c.text) != (c.want != "") {
			t.Errorf("Keep(%q) = %t", c.text, c.want == "")
		}
	}
}

func TestMatchGivenBrand(t *testing.T) {
	s := must(t, fjellbryg)
	for given, want := range map[string]string{"ACME": "acme", "fjell bryg": "fjellbryg", "US Airways": "us-airways"} {
		got := s.Match(&sources.Mention{Brand: given}, Tokenize("Fjellbryg and ACME"), "en").Brands
		if !slices.Equal(got, []string{want}) {
			t.Errorf("a mention of %q belongs to %v, want %s", given, got, want)
		}
	}
}

// The words of the taxonomy in every language, and what takes them back.
func TestMatchCategories(t *testing.T) {
	s := Starter()
	for _, c := range []struct{ lang, text, want string }{
		{"en", "My parcel has NOT ARRIVED.", "delivery 0.70"},
		{"en", "still no answer, this is the third call", "waiting 0.88"},
		{"en", "charged twice and I want my refund", "billing_refund 0.90"},
		{"en", "the app keeps crashing", "outage 0.75"},
		{"en", "#FjellbrygScam", "billing_refund 0.80"},
		{"en", "that is not a scam", "-billing_refund"},
		{"en", "it isn't broken", "-quality_defect"},
		{"en", "not cheap but it is broken", "quality_defect 0.75"},
		{"en", "No, broken again", "quality_defect 0.75"},
		{"en", "can't believe it's broken", "quality_defect 0.75"},
		{"en", "delivery was quick", "delivery 0.35"},
		{"de", "Geld zurück, aber sofort!", "billing_refund 0.80"},
		{"de", "Die Lieferverzögerungen nerven", "delivery 0.70"},
		{"de", "Der Tank tropft", "quality_defect 0.75"},
		{"de", "Der Tank tropft nicht", "-quality_defect"},
		{"de", "kein Betrug", "-billing_refund"},
		{"sv", "Sidan ligger nere igen", "outage 0.75"},
		{"sv", "fortfarande inget svar", "waiting 0.75"},
		{"sv", "Den är inte trasig", "-quality_defect"},
		{"sv", "utan läckage", "-quality_defect"},
		{"sv", "inte billig utan defekt", "quality_defect 0.75"},
		{"en", "is this espresso fire?", ""},
		{"en", "is it on the website? was it charged twice?", "billing_refund 0.40"},
		{"ru", "САЙТ НЕ РАБОТАЕТ", "outage 0.75, quality_defect 0.75"},
		{"ru", "меня обожгло, звоню врачу", "safety_injury 0.95"},
		{"ru", "никто не отвечает", "waiting 0.75"},
		{"ar", "الموقع لا يعمل", "outage 0.75, quality_defect 0.75"},
		{"ar", "هذا اِحْتِيـال", "billing_refund 0.80"},
		{"ar", "والاحتيال", "billing_refund 0.80"},
		{"es", "me cobraron dos veces", "billing_refund 0.80"},
		{"es", "el pedido no ha llegado", "delivery 0.70"},
		{"fr", "toujours pas remboursé", "billing_refund 0.80"},
		{"fr", "ce n'est pas une arnaque", "-billing_refund"},
		{"fr", "l'appli plante", "outage 0.75"},
		{"", "Geld zurück! Верните деньги!", "billing_refund 0.90"},
		{"en", "geld zurück", ""},
		// words that are something else in another language, or slang
		{"en", "my dog loves it", ""},
		{"", "my dog loves it", ""},
		{"sv", "hunden dog", "death 0.54"},
		{"en", "a brand new brand", ""},
		{"", "a brand new brand", ""},
		{"en", "this espresso is fire", ""},
		{"en", "sick beats, that drop is the bomb", ""},
		{"ru", "это просто огонь, бомба", ""},
		{"es", "es bestial, brutal", ""},
		{"fr", "c'est mortel", ""},
	} {
		m := &sources.Mention{Brand: "acme"}
		if got := hitWords(s.Match(m, Tokenize(c.text), c.lang).Hits); got != c.want {
			t.Errorf("%q (%s) points to %q, want %q", c.text, c.lang, got, c.want)
		}
	}
}

func hitWords(hits []Hit) string {
	var words []string
	for _, h := range hits {
		if h.Negated {
			words = append(words, "-"+h.Category)
		} else {
			words = append(words, fmt.Sprintf("%s %.2f", h.Category, h.Confidence))
		}
	}
	return strings.Join(words, ", ")
}

// A cue of a grave category needs a second sign before it is believed.
func TestMatchSecondSign(t *testing.T) {
	s := must(t, fjellbryg)
	for _, c := range []struct {
		name, text string
		m          sources.Mention
		confidence float64
		weight     float64
	}{
		{"bare", "it caught fire", sources.Mention{}, 0.57, 0.57},
		{"person", "it caught fire next to my son", sources.Mention{}, 0.95, 0.95},
		{"body", "it caught fire in her hands", sources.Mention{}, 0.95, 0.95},
		{"brand", "my Fjellbryg caught fire", sources.Mention{}, 0.95, 0.95},
		{"product", "the coffee of the One: it caught fire", sources.Mention{}, 0.95, 0.95},
		{"picture", "it caught fire", sources.Mention{HasMedia: true}, 0.95, 0.95},
		{"low rating", "it caught fire", sources.Mention{Rating: 2}, 0.95, 0.95},
		{"high rating", "it caught fire", sources.Mention{Rating: 3}, 0.57, 0.57},
		{"weak and brand", "Fjellbryg espresso is fire", sources.Mention{}, 0, 0},
		{"weak and person", "my son says it is fire", sources.Mention{}, 0.57, 0},
		{"weak and low rating", "fire in the kitchen", sources.Mention{Rating: 1}, 0.95, 0.95},
	} {
		c.m.Brand = "fjellbryg"
		var got Hit
		if hits := s.Match(&c.m, Tokenize(c.text), "en").Hits; len(hits) > 0 {
			got = hits[0]
		}
		if d := got.Confidence - c.confidence; d < -0.001 || d > 0.001 {
			t.Errorf("%s: confidence %.2f, want %.2f", c.name, got.Confidence, c.confidence)
		}
		if d := got.Weight - c.weight; d < -0.001 || d > 0.001 {
			t.Errorf("%s: weight %.2f, want %.2f", c.name, got.Weight, c.weight)
		}
	}
}

func TestHitPointsIntoText(t *testing.T) {
	s := Starter()
	text := "Hallo 👋🏽, mein PAKET ist la\u0308ngst Nicht   Angekommen!"
	hits := s.Match(&sources.Mention{Brand: "x"}, Tokenize(text), "de").Hits
	if len(hits) != 1 || text[hits[0].Start:hits[0].End] != "PAKET ist la\u0308ngst Nicht   Angekommen" || hits[0].Cue != "paket ... nicht angekommen" {
		t.Errorf("got %+v", hits)
	}
}

// How a text is encoded must not change what it says.
func TestMatchIsInvariant(t *testing.T) {
	s := must(t, fjellbryg)
	texts := []string{
		"Fjellbryg: mein Paket ist nicht angekommen, überteuert",
		"Фьельбрюг не работает, ещё и обжёг руку сыну",
		"فيلبريغ لا يعمل وهو خطير على طفلي",
		"My Fjellbryg's tank can't be cleaned, it leaks water",
	}
	changes := map[string]func(string) string{
		"upper":   strings.ToUpper,
		"NFD":     norm.NFD.String,
		"tatweel": func(s string) string { return strings.ReplaceAll(s, "ي", "ـيـ") },
		"tashkeel": func(s string) string {
			return strings.NewReplacer("ل", "لُ", "ر", "رِّ").Replace(s)
		},
		"quotes": func(s string) string { return strings.ReplaceAll(s, "'", "’") },
		"hidden": func(s string) string { return strings.ReplaceAll(s, "e", "e\u200b") },
		"emoji":  func(s string) string { return s + " 😡🔥" },
		"spaces": func(s string) string { return strings.ReplaceAll(s, " ", "\u00a0 ") },
	}
	say := func(text string) string {
		f := s.Match(&sources.Mention{}, Tokenize(text), "")
		return fmt.Sprint(f.Brands, hitWords(f.Hits))
	}
	for _, text := range texts {
		want := say(text)
		for name, change := range changes {
			if got := say(change(text)); got != want {
				t.Errorf("%s: %q says %s, not %s", name, change(text), got, want)
			}
		}
	}
}

func TestRuleTerms(t *testing.T) {
	rule := func(match string) string {
		return fjellbryg + "rules:\n  - {id: r, title: R, kind: burst, brand: fjellbryg, match: " + match + ", floor: {items: 3, authors: 3}}\n"
	}
	for _, c := range []struct {
		match, text string
		want        bool
	}{
		{"{any_of: [{near: [tank, leak], within_words: 3}]}", "the tank of it leaks", true},
		{"{any_of: [{near: [tank, leak], within_words: 2}]}", "the tank of it leaks", false},
		{"{any_of: [{near: [leak, tank]}]}", "tank leak", true},
		{"{any_of: [{near: [tank, leak], within_words: 2}]}", "tank a b c d tank leak", true},
		{"{any_of: [{near: [tank, tank], within_words: 2}]}", "a tank", true},
		{"{any_of: [{all_words: [خزان, تسرب]}]}", "الخزان فيه تسرب", true},
		{"{any_of: [{all_words: [خزان, تسرب]}]}", "الخزان", false},
		{"{any_of: [{phrase: \"бак протека*\"}]}", "Бак протекает", true},
		{"{any_of: [{phrase: \"персональн* данн*\"}]}", "мои ПЕРСОНАЛЬНЫЕ   данные", true},
		{"{any_of: [{any_words: [tank, pump]}]}", "the pump", true},
		{"{any_of: [{regex: '(?i)serial [0-9]{3}'}]}", "Serial 123", true},
		{"{any_of: [{regex: 'serial'}]}", "SERIAL", false},
		{"{any_of: [{raw: 'TANK!!'}]}", "my TANK!!!", true},
		{"{any_of: [{raw: 'TANK!!'}]}", "my tank!!", false},
		{"{any_of: [product.one]}", "Fjellbryg One", true},
		{"{any_of: [product.one]}", "Fjellbryg", false},
		{"{all_of: [tank, pump]}", "pump and tank", true},
		{"{all_of: [tank, pump]}", "pump", false},
		{"{none_of: [{near: [burn, calories], within_words: 3}]}", "burns calories", false},
		{"{none_of: [{phrase: fire sale}]}", "fire in the sale", true},
		{"{any_of: [Lieferverz*]}", "Lieferverzögerung", true},
		{"{any_of: [👎]}", "well 👎🏿", true},
	} {
		s := bare(t, rule(c.match))
		m := &sources.Mention{Text: c.text, Brand: "fjellbryg"}
		found := s.Match(m, Tokenize(c.text), "")
		got := len(s.Holding("fjellbryg", &Facts{Mention: m, Found: &found})) == 1
		if got != c.want {
			t.Errorf("%s on %q holds: %t", c.match, c.text, got)
		}
	}
}

// A source that names the brand has said "brand" even if the words do not.
func TestGivenBrandIsNamed(t *testing.T) {
	s := must(t, fjellbryg+"rules:\n  - {id: r, title: R, kind: burst, brand: fjellbryg, match: {any_of: [brand]}, floor: {items: 3, authors: 3}}\n")
	for _, c := range []struct {
		given, text string
		want        int
	}{
		{"fjellbryg", "it broke", 1},
		{"", "it broke", 0},
		{"", "the Fjellbryg broke", 1},
		{"", "the coffee of the One", 0}, // a product is not the name
	} {
		m := &sources.Mention{Brand: c.given}
		found := s.Match(m, Tokenize(c.text), "en")
		if got := len(s.Holding("fjellbryg", &Facts{Mention: m, Found: &found})); got != c.want {
			t.Errorf("%q, brand %q given: %d rules hold, want %d", c.text, c.given, got, c.want)
		}
	}
}

// An explanation names the term that was found, and of those that must not be there the one that is.
func TestConditionsNameTheTerm(t *testing.T) {
	s := bare(t, `version: 1
brands: {acme: {names: [Acme]}}
rules:
  - {id: r, title: R, kind: each, brand: acme, severity: 2, dedupe: {by: [text], for: 1h}, match: {any_of: [leak, burst, brand], none_of: [wedding, song]}}
`)
	found := s.Match(&sources.Mention{Brand: "acme"}, Tokenize("Acme leaked into a song"), "en")
	var got []string
	for _, c := range s.Rules[0].Conditions(&Facts{Mention: &sources.Mention{}, Found: &found}) {
		got = append(got, fmt.Sprintf("%s: %v (%s)", c.Wanted, c.Holds, c.Found))
	}
	want := []string{
		"the text has leak, burst or brand: true (leak, brand)", "the text does not have wedding: true ()", "the text does not have song: false ()",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// An explanation says a term as it is meant, and of words that are all there but too far apart just that.
func TestConditionsSayTheTerm(t *testing.T) {
	const far = "the tank of my new and shiny machine did leak on me"
	for _, c := range []struct{ term, text, want string }{
		{"leak", far, "the text has leak: true (leak)"},
		{"tank of", far, "the text has “tank of”: true (“tank of”)"},
		{"{phrase: tank of}", "none", "the text has “tank of”: false ()"},
		{"{any_words: [tank, drip tray, leak]}", far, "the text has tank, “drip tray” or leak: true (tank, “drip tray” or leak)"},
		{"{all_words: [tank, leak]}", "a tank", "the text has tank and leak: false ()"},
		{"{near: [tank, leak], within_words: 6}", far, "the text has tank near leak (within 6 words): false (tank and leak, too far apart)"},
		{"{near: [tank, leak], within_words: 6}", "a tank", "the text has tank near leak (within 6 words): false ()"},
		{"{near: [tank, leak], within_words: 6}", "a leak in the tank", "the text has tank near leak (within 6 words): true (tank near leak (within 6 words))"},
		{"{near: [tank, leak, machine], within_words: 7}", far, "the text has tank, leak and machine near each other (within 7 words): false (tank, leak and machine, too far apart)"},
		{"{raw: ':('}", "oh :(", "the text has the characters “:(”: true (the characters “:(”)"},
		{"{regex: 'le+k'}", "none", "the text has what the regular expression le+k matches: false ()"},
	} {
		s := bare(t, "version: 1\nbrands: {acme: {names: [Acme]}}\nrules:\n"+
			"  - {id: r, title: R, kind: each, brand: acme, severity: 2, dedupe: {by: [text], for: 1h}, match: {any_of: ["+c.term+"]}}\n")
		found := s.Match(&sources.Mention{Brand: "acme"}, Tokenize(c.text), "en")
		got := s.Rules[0].Conditions(&Facts{Mention: &sources.Mention{}, Found: &found})
		if said := fmt.Sprintf("%s: %v (%s)", got[0].Wanted, got[0].Holds, got[0].Found); said != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.term, said, c.want)
		}
	}
}

func TestHoldsConditions(t *testing.T) {
	base := sources.Mention{Kind: sources.Review, Source: "shop", Network: "x", Rating: 2, Author: sources.Author{Followers: 1000}}
	found := &Found{Hits: []Hit{{Category: "delivery", Confidence: 0.7}, {Category: "price", Negated: true}}}
	for match, want := range map[string]bool{
		"{}":                                              true,
		"{sentiment: negative}":                           true,
		"{sentiment: positive}":                           false,
		"{kinds: [review, comment]}":                      true,
		"{kinds: [comment]}":                              false,
		"{sources: [shop]}":                               true,
		"{sources: [x]}":                                  true,
		"{sources: [web]}":                                false,
		"{languages: [de]}":                               true,
		"{languages: [en]}":                               false,
		"{rating: '<= 2'}":                                true,
		"{rating: '< 2'}":                                 false,
		"{rating: '> 1'}":                                 true,
		"{rating: '>= 3'}":                                false,
		"{rating: 2}":                                     true,
		"{reach: '>= 1000'}":                              true,
		"{reach: '> 1000'}":                               false,
		"{category: delivery}":                            true,
		"{category: delivery, confidence: 0.7}":           true,
		"{category: delivery, confidence: 0.71}":          false,
		"{categories: [price, delivery]}":                 true,
		"{category: price}":                               false,
		"{not_categories: [price]}":                       true,
		"{not_categories: [delivery]}":                    false,
		"{category: outage, sentiment: negative}":         false,
		"{category: waiting}":                             true, // set by a person
		"{category: delivery, kinds: [review], reach: 5}": true,
	} {
		s := bare(t, "version: 1\ncategories: {delivery: {}, price: {}, outage: {}, waiting: {}}\n"+
			"rules:\n  - {id: r, title: R, kind: burst, match: "+match+", floor: {items: 3, authors: 3}}\n")
		f := &Facts{Mention: &base, Label: "negative", Lang: "de", Found: found, Categories: []string{"waiting"}}
		if got := s.Rules[0].Holds(f); got != want {
			t.Errorf("%s holds: %t", match, got)
		}
		all := !slices.ContainsFunc(s.Rules[0].Conditions(f), func(c Condition) bool { return !c.Holds })
		if all != want {
			t.Errorf("%s: the conditions say %t: %+v", match, all, s.Rules[0].Conditions(f))
		}
	}
	unrated := Facts{Mention: &sources.Mention{}, Found: found}
	s := bare(t, "version: 1\nrules:\n  - {id: r, title: R, kind: burst, match: {rating: '<= 2'}, floor: {items: 3, authors: 3}}\n")
	if s.Rules[0].Holds(&unrated) {
		t.Error("a mention without a rating has no low rating")
	}
}

func TestMatchTakesLinearTime(t *testing.T) {
	s := must(t, fjellbryg+"rules:\n  - {id: r, title: R, kind: burst, match: {any_of: [{near: [tank, leak], within_words: 3}]}, floor: {items: 3, authors: 3}}\n")
	for _, unit := range []string{"caught fire ", "the One ", "wedding ", "not not ", "leak ", "coffee the One wedding ", "😡", "scam,", "#FjellScam", "nicht "} {
		text := strings.Repeat(unit, 200_000/len(unit))
		start := time.Now()
		s.Match(&sources.Mention{}, Tokenize(text), "")
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("200 kB of %q take %s", unit, took)
		}
	}
}

func FuzzMatch(f *testing.F) {
	s, errs := Parse([]File{{Name: "f.yml", Data: []byte(fjellbryg)}}, Options{})
	if s == nil {
		f.Fatal(errs)
	}
	f.Add("My #FjellbrygFail 'caught fire' @fjell@social.example لا يعمل", "en")
	f.Add("nicht angekommen, the One coffee", "")
	f.Add("why \"no refund\" again? if waiting, three weeks… thought it broke but it was fixed", "en")
	f.Fuzz(func(t *testing.T, text, lang string) {
		found := s.Match(&sources.Mention{}, Tokenize(text), lang)
		for _, h := range found.Hits {
			if h.Start < 0 || h.End > len(text) || h.Start >= h.End || h.Confidence < 0 || h.Confidence > 1 || h.Weight > h.Confidence && !h.Negated {
				t.Errorf("hit %+v in %d bytes", h, len(text))
			}
		}
	})
}

// A second scan with used memory finds what the first found.
func TestMatchKeepsNothing(t *testing.T) {
	s := must(t, fjellbryg)
	rapid.Check(t, func(t *rapid.T) {
		words := rapid.SliceOfN(rapid.SampledFrom([]string{"the", "One", "coffee", "Fjellbryg", "caught", "fire", "not", "arrived", ",", "wedding", "#FjellbrygFail", "son", "без", "обман"}), 0, 30).Draw(t, "words")
		text := strings.Join(words, " ")
		m := &sources.Mention{}
		a := s.Match(m, Tokenize(text), "")
		s.Match(m, Tokenize("Fjellbryg One caught fire coffee wedding son"), "")
		if b := s.Match(m, Tokenize(text), ""); fmt.Sprint(a) != fmt.Sprint(b) {
			t.Errorf("%q gives %v, then %v", text, a, b)
		}
	})
}
