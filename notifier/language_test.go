package notifier

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"
)

// TestGermanIsComplete: what English says, German says, with the same blanks.
func TestGermanIsComplete(t *testing.T) {
	en, de := English(), (*Languages)(nil).In("de-AT")
	for _, key := range slices.Sorted(maps.Keys(en.phrases)) {
		theirs, ok := de.phrases[key]
		if !ok {
			t.Errorf("%s is missing", key)
			continue
		}
		for form, text := range en.phrases[key] {
			for _, b := range blank.FindAllString(text, -1) {
				if !strings.Contains(theirs[form]+theirs[0], b) && b != "{n}" {
					t.Errorf("%s: %s is missing", key, b)
				}
			}
		}
	}
}

// TestEveryPhraseIsKnownAndUsed reads the sources: each key that is asked for exists, and each that exists is asked for.
func TestEveryPhraseIsKnownAndUsed(t *testing.T) {
	asked := regexp.MustCompile(`(?:Say|Count|say|count|Has)[( ]"([a-z._0-9-]+)"`)
	quoted := regexp.MustCompile(`"([a-z]+(?:[.-][a-z_]+)*\.?)"`)
	used := map[string]bool{}
	for _, dir := range []string{"*.go", "slack/*.go", "console/*.go", "email/*.go", "web/*.go", "web/templates/*.html", "chart/*.go", "../cmd/emberwatch/*.go"} {
		files, err := filepath.Glob(filepath.FromSlash(dir))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range asked.FindAllStringSubmatch(string(src), -1) {
				if !strings.HasSuffix(m[1], ".") && !English().Has(m[1]) {
					t.Errorf("%s asks for %q", f, m[1])
				}
			}
			for _, m := range quoted.FindAllStringSubmatch(string(src), -1) {
				used[m[1]] = true
			}
		}
	}
	for key := range English().phrases {
		prefix := key[:strings.LastIndexByte(key, '.')+1]
		if !used[key] && (prefix == "" || !used[prefix]) {
			t.Errorf("nobody says %q", key)
		}
	}
}

func TestNumbersAndPlurals(t *testing.T) {
	en, de := English(), (*Languages)(nil).In("de")
	for _, c := range []struct{ got, want string }{
		{en.Number(1234567), "1,234,567"},
		{de.Number(1234567), "1.234.567"},
		{en.Number(6.14), "6.1"},
		{de.Number(6.14), "6,1"},
		{de.Number(-1234), "-1.234"},
		{en.Number(0.5), "0.5"},
		{de.Number(0.25), "0,25"},
		{en.Count("people", 1), "one person"},
		{en.Count("people", 12), "12 people"},
		{de.Count("mentions", 1), "1 Erwähnung"},
		{de.Count("mentions", 1200), "1.200 Erwähnungen"},
		{en.Ordinal(2), "2nd"},
		{en.Ordinal(11), "11th"},
		{en.Ordinal(21), "21st"},
		{en.Ordinal(103), "103rd"},
		{de.Ordinal(3), "3."},
		{en.Span(20 * time.Second), "less than a minute"},
		{en.Span(90 * time.Minute), "1 h 30 min"},
		{de.Span(2 * time.Hour), "2 Std."},
		{en.Span(48 * time.Hour), "2 days"},
		{en.Span(50 * time.Hour), "50 h"},
		{en.Span(24 * 9 * time.Hour), "9 days"},
		{en.List([]string{"a", "b", "c"}), "a, b and c"},
		{en.LanguageName("pt-BR"), "Portuguese"},
		{de.LanguageName("xx"), "xx"},
		{en.Topic("own_thing"), "own thing"},
		{(*Language)(nil).Say("somebody"), "somebody"},
		{en.Say("no.such.key"), "no.such.key"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

// TestWhatIsFilledInIsNotFilledAgain: foreign words may look like a blank.
func TestWhatIsFilledInIsNotFilledAgain(t *testing.T) {
	if got := English().Say("field.negative.value", "n", "{mentions}", "mentions", "60"); got != "{mentions} of 60" {
		t.Error(got)
	}
}

func TestALanguageIsAddedByAFile(t *testing.T) {
	const polish = `
language: pl
name: Polski
numbers: {decimal: ",", group: " "}
phrases:
  mentions: {one: "{n} wzmianka", few: "{n} wzmianki", many: "{n} wzmianek", other: "{n} wzmianki"}
`
	ls, err := AddLanguages(map[string][]byte{"pl.yml": []byte(polish), "de.yml": []byte("language: de\nphrases: {somebody: wer auch immer}")})
	if err != nil {
		t.Fatal(err)
	}
	pl := ls.In("pl")
	for n, want := range map[int]string{1: "1 wzmianka", 3: "3 wzmianki", 5: "5 wzmianek", 22: "22 wzmianki"} {
		if got := pl.Count("mentions", n); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := pl.Say("somebody"); got != "somebody" {
		t.Errorf("what is not translated is English: %q", got)
	}
	if de := ls.In("de"); de.Say("somebody") != "wer auch immer" || de.Say("do.ack") != "Übernehmen" {
		t.Error("a file of a known language replaces one phrase, and leaves the rest")
	}
}

func TestAWrongLanguageFileIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"phrases: {}":                                            "no language code",
		"language: fr\nphrases: {no.such: x}":                    `no phrase "no.such"`,
		"language: fr\nphrases: {ago: '{when} il y a'}":          "nothing fills {when}",
		"language: fr\nphrases: {mentions: {one: x}}":            `"other" is missing`,
		"language: fr\nphrases: {mentions: {lots: x, other: y}}": "no plural form",
		"language: fr\nwords: {}":                                "words",
		"\x00":                                                   "fr.yml",
	} {
		_, err := AddLanguages(map[string][]byte{"fr.yml": []byte(text)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func FuzzLanguageFile(f *testing.F) {
	f.Add([]byte("language: fr\nphrases: {somebody: quelqu'un}"))
	f.Add([]byte("language: pl\nphrases: {mentions: {one: '{n} x', few: y, other: z}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ls, err := AddLanguages(map[string][]byte{"x.yml": data})
		if err != nil {
			return
		}
		for _, code := range ls.Codes() {
			l := ls.In(code)
			_ = l.Say("somebody")
			_ = l.Count("mentions", 3)
			_ = l.Number(1234.5)
			_ = l.Ordinal(2)
		}
	})
}

func TestTheSentenceInGerman(t *testing.T) {
	de := (*Languages)(nil).In("de")
	i := &detector.Incident{
		Sentence: "english", Signal: "negative", Category: "quality_defect", LastHit: time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC),
		Signals: []detector.ActiveSignal{{Series: "negative"}},
		Evidence: detector.Evidence{
			Window: detector.Window{Length: 30 * time.Minute, Observed: 23, Expected: 0.5, High: 3}, Authors: 21, Copied: 2,
			Networks: map[string]int{"instagram": 15, "mastodon": 8},
		},
	}
	asIs := func(s string) string { return s }
	for want, change := range map[string]func(*detector.Incident){
		"23 negative Erwähnungen von 21 Personen in den letzten 30 Minuten; um diese Zeit an einem Montag sonst 0,5, selten mehr als 3; meist auf instagram; meist über Mängel; 2 fast gleiche Texte.": func(*detector.Incident) {},
		"23 negative Erwähnungen zu Acme *One* auf Schwedisch von 21 Personen in den letzten 30 Minuten; sonst 0,5, selten mehr als 3; meist auf instagram; meist über Mängel; 2 fast gleiche Texte.": func(i *detector.Incident) {
			i.Evidence.Per, i.Evidence.Product, i.Evidence.Season = map[string]string{"product": "one", "language": "sv"}, "Acme *One*", rules.NoSeason
		},
		"23 negative Erwähnungen in unbekannter Sprache von 21 Personen in den letzten 30 Minuten; an einem Montag sonst 0,5, selten mehr als 3; meist auf instagram; meist über Mängel; 2 fast gleiche Texte.": func(i *detector.Incident) {
			i.Evidence.Per, i.Evidence.Season = map[string]string{"language": "und"}, rules.DayOfWeek
		},
		"23 negative Erwähnungen von 21 Personen in der letzten Stunde; sonst 0,5; kein Ausbruch, aber Stunde um Stunde mehr als sonst; meist auf instagram; meist über Mängel.": func(i *detector.Incident) {
			i.Signals[0].Watch, i.Evidence.Window.Length = true, time.Hour
		},
		"Jemand schreibt über Mängel (erkannt an “brennt”); meist auf instagram.": func(i *detector.Incident) {
			i.Signals[0].Series, i.Evidence.Window.Observed, i.Evidence.Cues = "", 1, []string{"brennt"}
		},
		"60 % der Erwähnungen in den letzten 3 Stunden sind negativ (30 von 50, von 21 Personen); sonst 20 %, selten mehr als 40 %; meist auf instagram; meist über Mängel.": func(i *detector.Incident) {
			i.Signal, i.Evidence.Of = "share", 50
			i.Evidence.Window = detector.Window{Length: 3 * time.Hour, Observed: 30, Expected: 10, High: 20}
		},
		"Eine negative Erwähnung wurde in der letzten Stunde 23-mal geteilt, insgesamt 80-mal; meist auf instagram; meist über Mängel.": func(i *detector.Incident) {
			i.Signal, i.Evidence.Of = "spread", 80
		},
		"Nichts von forum in den letzten 5 Stunden; um diese Zeit an einem Montag sonst 52. Eine Quelle, die ausfällt, verbirgt, was dort gesagt wird.": func(i *detector.Incident) {
			i.Signal, i.Evidence.Place = "silence", "forum"
			i.Evidence.Window = detector.Window{Length: 5 * time.Hour, Expected: 52}
		},
		"followers auf forum: 500 weniger in den letzten 6 Stunden, jetzt 47.500; sonst ändert sich der Wert in dieser Zeit um 12.": func(i *detector.Incident) {
			i.Signal, i.Evidence.Place, i.Evidence.Of = "gauge:followers", "forum", 47500
			i.Evidence.Window = detector.Window{Length: 6 * time.Hour, Observed: -500, Expected: 12}
		},
		"english": func(i *detector.Incident) { i.Evidence.Window.Length = 0 },
	} {
		x := *i
		x.Signals = slices.Clone(i.Signals)
		change(&x)
		if got := Sentence(de, &x, nil, asIs); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
		if got := Sentence(English(), &x, nil, asIs); got != "english" {
			t.Errorf("in English: %s", got)
		}
	}
}

func TestSignalsInWords(t *testing.T) {
	asIs := func(s string) string { return s }
	for signal, want := range map[string]string{
		"negative": "negative mentions", "category:delivery": "negative mentions about delivery", "source:news": "mentions on news",
		"rule:leak": "mentions that leak looks for", "gauge:followers": "followers", "odd": "odd",
	} {
		if got := SignalWords(English(), signal, asIs); got != want {
			t.Errorf("%s: %q", signal, got)
		}
	}
}
