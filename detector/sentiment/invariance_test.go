package sentiment_test

import (
	"math"
	"strings"
	"testing"

	"golang.org/x/text/unicode/norm"

	"emberwatch/detector"
	"emberwatch/rules"
)

// TestInvariance changes what does not change the meaning.
func TestInvariance(t *testing.T) {
	changes := map[string]func(string) string{
		"nfd":                 func(s string) string { return norm.NFD.String(s) },
		"nfc":                 func(s string) string { return norm.NFC.String(s) },
		"trailing link":       func(s string) string { return s + " https://example.com/terrible-hate?x=1" },
		"leading mention":     func(s string) string { return "@terrible_love " + s },
		"other mention":       func(s string) string { return strings.ReplaceAll(s, "@brand", "@somebody.else") },
		"anonymous":           func(s string) string { return strings.ReplaceAll(s, "@brand", "<ID>") },
		"skin tone":           func(s string) string { return strings.ReplaceAll(s, "👎", "👎🏿") },
		"no variation":        func(s string) string { return strings.ReplaceAll(s, "\uFE0F", "") },
		"variation":           func(s string) string { return strings.ReplaceAll(s, "❤", "❤\uFE0F") },
		"curly apostrophe":    func(s string) string { return strings.ReplaceAll(s, "'", "’") },
		"straight apostrophe": func(s string) string { return strings.ReplaceAll(s, "’", "'") },
		"tatweel":             func(s string) string { return strings.ReplaceAll(s, "سيئ", "سيـــئ") },
		"tashkeel":            func(s string) string { return strings.ReplaceAll(s, "جميل", "جَمِيل") },
		"alef":                func(s string) string { return strings.ReplaceAll(s, "انصح", "أنصح") },
		"yo":                  func(s string) string { return strings.ReplaceAll(s, "ё", "е") },
		"soft hyphen":         func(s string) string { return strings.ReplaceAll(s, "service", "ser\u00ADvice") },
		"zero width":          func(s string) string { return strings.ReplaceAll(s, "schön", "sch\u200Bön") },
		"spaces":              func(s string) string { return "  " + strings.ReplaceAll(s, " ", "  ") + " " },
	}
	texts := append([]string{"I don't like it, it isn't good", "quotes ’n’ “all that”, it’s bad", "ll n'est pas sympathique"}, mixed...)
	for name, change := range changes {
		for _, text := range texts {
			a, b := score(text), score(change(text))
			if d := math.Abs(a.P.Negative - b.P.Negative); d > 0.05 {
				t.Errorf("%s: P(negative) of %q moves by %.2f", name, text, d)
			}
		}
	}
}

func TestOrderOfAppendedHashtags(t *testing.T) {
	a, b := score("the new train is late #fail #love #monday"), score("the new train is late #monday #love #fail")
	if math.Abs(a.P.Negative-b.P.Negative) > 0.05 {
		t.Errorf("P(negative) %.2f and %.2f", a.P.Negative, b.P.Negative)
	}
}

func TestBrandSwap(t *testing.T) {
	for _, frame := range []string{"the new % jacket is late again", "I love my % shoes", "is % open on Sunday?"} {
		low, high := 1.0, 0.0
		for _, brand := range []string{"Fjellbryg", "Northpeak", "Kestrel & Co", "Adler", "Maison Duval"} {
			p := model().Score(rules.Tokenize(strings.ReplaceAll(frame, "%", brand)), detector.About{Lang: "en"}).P.Negative
			low, high = min(low, p), max(high, p)
		}
		if high-low > 0.10 {
			t.Errorf("%q: P(negative) between %.2f and %.2f", frame, low, high)
		}
	}
}

func TestShoutingIsNeverMilder(t *testing.T) {
	for _, text := range append([]string{
		"das ist scheiße und so ein Spaß", "GREAT, broken again", "bad :d", "awful xd", "schlecht größer",
	}, mixed...) {
		a, b := score(text), score(strings.ToUpper(text))
		if a.P.Label() == detector.Negative && b.P.Negative < a.P.Negative-1e-9 {
			t.Errorf("P(negative) of %q falls from %.3f to %.3f in capitals", text, a.P.Negative, b.P.Negative)
		}
	}
}

func FuzzScore(f *testing.F) {
	for _, text := range mixed {
		f.Add(text, "", 0.0)
	}
	f.Add("nothing to", "en", 1.0)
	f.Add(":-( <3 ((( ) :D", "ru", 5.0)
	f.Add("Ⱥ's n't \xff\xfe وال ال l' '", "fr-CA", math.NaN())
	f.Fuzz(func(t *testing.T, text, hint string, rating float64) {
		s := model().Score(rules.Tokenize(text), detector.About{Lang: hint, Rating: rating, Explain: true})
		p := s.P
		if sum := p.Negative + p.Neutral + p.Positive; !(math.Abs(sum-1) < 1e-9) || min(p.Negative, p.Neutral, p.Positive) < 0 {
			t.Errorf("probabilities %v", p)
		}
		for _, r := range s.Reasons {
			if r.Start < 0 || r.Start >= r.End || r.End > len(text) || text[r.Start:r.End] != r.Text || math.IsNaN(r.Weight) {
				t.Errorf("reason %+v", r)
			}
		}
		if again := model().Score(rules.Tokenize(text), detector.About{Lang: hint, Rating: rating}); again.P != p || again.Lang != s.Lang || again.Known != s.Known {
			t.Errorf("scored %+v, then %+v", s, again)
		}
	})
}
