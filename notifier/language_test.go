package notifier

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/feature/plural"

	"emberwatch/detector"
	"emberwatch/rules"
)

// TestGermanIsComplete: what English says, German says, with the same blanks. A form for one thing may say its number in words.
func TestGermanIsComplete(t *testing.T) {
	en, de := English(), (*Languages)(nil).In("de-AT")
	for _, key := range slices.Sorted(maps.Keys(en.phrases)) {
		theirs, ok := de.phrases[key]
		if !ok {
			t.Errorf("%s is missing", key)
			continue
		}
		for form, text := range theirs {
			if form != plural.Other && len(en.phrases[key]) == 1 {
				t.Errorf("%s has forms for numbers, but is said without one", key)
			}
			ours, ok := en.phrases[key][form]
			if !ok {
				ours = en.phrases[key][plural.Other]
			}
			if got, want := blanksOf(text), blanksOf(ours); got != want && (form == plural.Other || got+" {n}" != want && got != want+" {n}") {
				t.Errorf("%s: blanks %s, want %s", key, got, want)
			}
		}
	}
}

func blanksOf(text string) string {
	list := blank.FindAllString(text, -1)
	slices.Sort(list)
	return strings.Join(slices.Compact(list), " ")
}

// TestTheDetectorIsSaidByTheCatalogue: the English of its clauses stands in both rooms, and is the same.
func TestTheDetectorIsSaidByTheCatalogue(t *testing.T) {
	for code, text := range detector.Phrases() {
		if got := English().phrases[code][plural.Other]; got != text {
			t.Errorf("%s: %q, the detector says %q", code, got, text)
		}
	}
	for key := range English().phrases {
		kind, _, _ := strings.Cut(key, ".")
		if _, ok := detector.Phrases()[key]; !ok && slices.Contains([]string{"why", "note", "refused", "figures"}, kind) {
			t.Errorf("the detector never says %s", key)
		}
	}
}

// TestEveryClauseIsSaidInGerman: filled, in words that its English does not have, and with all that fills it.
func TestEveryClauseIsSaidInGerman(t *testing.T) {
	de := (*Languages)(nil).In("de")
	manner := Manner{func(s string) string { return s }, func(t time.Time) string { return t.Format("15:04") }}
	for code := range detector.Phrases() {
		c := detector.Clause{
			Code: code, Name: "Ingrid", Names: []string{"leck", "tank"}, Word: "false_alarm", Topic: "delivery", N: 1200, Of: 3,
			Span: detector.Duration(72 * time.Hour), Limit: detector.Duration(48 * time.Hour), At: time.Date(2026, 11, 16, 8, 30, 0, 0, time.UTC), Text: "x > 3",
			Waits: []detector.Waited{{Name: "shop/1", For: detector.Duration(2 * time.Hour)}}, Answers: &detector.AnswerFigures{Of: 1200, Hour: 0.31, Day: 0.84},
		}
		got := de.Tell("text", detector.Said{c}, manner)
		if got == "" || strings.Contains(got, "{") {
			t.Errorf("%s: %q", code, got)
		}
		for _, word := range []string{"1,200", "delivery", "false", "days", "3 Tage ", "hours"} {
			if strings.Contains(got, word) {
				t.Errorf("%s: %q in %q", code, word, got)
			}
		}
		if bare := regexp.MustCompile(`^[{}a-z: ]*\{n\} to \{of\}$|^\{`); got == c.String() && !bare.MatchString(detector.Phrases()[code]) {
			t.Errorf("%s is said in English: %q", code, got)
		}
	}
	said := detector.Said{{Code: "why.within"}, {Code: "why.topic", Topic: "outage"}, {Code: "why.times", N: 4}, {Text: "see the desk"}}
	if got, want := de.Tell("", said, manner), "plötzlicher Ausschlag in einem langsamen Anstieg: ungewöhnlich viele Beschwerden über Ausfälle; das 4-Fache der ersten Meldung; see the desk"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := de.Tell("set by rule tank", nil, manner); got != "set by rule tank" {
		t.Errorf("what was stored without clauses is its text: %q", got)
	}
	if got := de.Tell("", detector.Said{{Code: "why.of.tomorrow", Text: "x"}}, manner); got != "why.of.tomorrow" {
		t.Errorf("a code of a later version: %q", got)
	}
}

// TestOwnRulesAndCategoriesHaveWords: their titles and topics are in the catalogue as the packs write them.
func TestOwnRulesAndCategoriesHaveWords(t *testing.T) {
	set, errs := rules.Parse([]rules.File{{Name: "all.yml", Data: []byte("version: 1\npacks: [" + strings.Join(rules.PackIDs(), ", ") + "]\nbrands: {acme: {names: [Acme]}}\n")}}, rules.Options{})
	if set == nil {
		t.Fatal(errs)
	}
	known := map[string]bool{}
	for _, r := range set.RulesFor("acme") {
		known["title.rule."+r.ID] = true
		if got := English().Say("title.rule." + r.ID); got != r.Title {
			t.Errorf("rule %s: %q, its pack says %q", r.ID, got, r.Title)
		}
	}
	for id := range set.Categories {
		if !English().Has("topic."+id) || English().Topic(id) != detector.TopicWords(id) {
			t.Errorf("category %s is %q, the detector says %q", id, English().Topic(id), detector.TopicWords(id))
		}
	}
	for id, p := range set.Playbooks {
		for n, text := range p.DoNot {
			key := "donot." + id + "-" + strconv.Itoa(n+1)
			known[key] = true
			if got := English().Say(key); got != text {
				t.Errorf("playbook %s: %q, its pack says %q", id, got, text)
			}
		}
	}
	for key := range English().phrases {
		if (strings.HasPrefix(key, "title.rule.") || strings.HasPrefix(key, "donot.")) && !known[key] {
			t.Errorf("%s: there is no such rule or playbook", key)
		}
	}
}

// TestWhatNotToSay: that of our playbooks is translated, whatever its order; a team's own never is.
func TestWhatNotToSay(t *testing.T) {
	de := (*Languages)(nil).In("de")
	s := &Suggestion{Playbook: "outage", DoNot: []string{"say that only a few are affected", "joke", "name a cause before it is confirmed"}}
	if diff := cmp.Diff([]string{"sagen, dass nur wenige betroffen sind", "joke", "eine Ursache nennen, bevor sie bestätigt ist"}, de.DoNots(s)); diff != "" {
		t.Error(diff)
	}
	s.Playbook = "own"
	if diff := cmp.Diff(s.DoNot, de.DoNots(s)); diff != "" {
		t.Error(diff)
	}
}

// TestNextIsSaidByWhoHearsOfIt: a route that names nobody is told again.
func TestNextIsSaidByWhoHearsOfIt(t *testing.T) {
	manner := Manner{func(s string) string { return s }, func(t time.Time) string { return t.Format("15:04") }}
	at := time.Date(2026, 11, 16, 8, 30, 0, 0, time.UTC)
	for want, e := range map[string]*Escalation{
		"told again at 08:30 unless somebody acknowledges":      {At: at},
		"@ingrid is told at 08:30 unless somebody acknowledges": {At: at, To: "@ingrid"},
	} {
		if got := English().Next(e, manner); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestASentenceEndsWithOneFullStop: German shortens minutes with one.
func TestASentenceEndsWithOneFullStop(t *testing.T) {
	de := (*Languages)(nil).In("de")
	last := de.Say("page.calm.last", "when", de.Say("ago", "span", de.SpanAfter(time.Minute)))
	if got, want := de.Say("page.calm", "mentions", "3", "brands", "", "last", last), "Emberwatch hat seit dem Start 3 gelesen; die letzte kam vor 1 Min. Nichts fällt auf."; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestABudgetOfOne: one alert is singular, one and a half are not.
func TestABudgetOfOne(t *testing.T) {
	for perWeek, want := range map[float64][2]string{
		7.0 / 30:    {"höchstens 1 Fehlalarm im Monat, ", "at most 1 false alert a month, "},
		10.5 / 30:   {"höchstens 1,5 Fehlalarme im Monat, ", "at most 1.5 false alerts a month, "},
		2 * 7 / 30.: {"höchstens 2 Fehlalarme im Monat, ", "at most 2 false alerts a month, "},
	} {
		for k, l := range []*Language{(*Languages)(nil).In("de"), English()} {
			if got := l.Budget(&detector.Budget{PerWeek: perWeek}); !strings.HasPrefix(got, want[k]) {
				t.Errorf("%v: %q, want %q", perWeek, got, want[k])
			}
		}
	}
}

// TestTitles: ours are translated, a team's own never is, and neither is ours once somebody has written it anew.
func TestTitles(t *testing.T) {
	de := (*Languages)(nil).In("de")
	for _, c := range []struct{ rule, title, want string }{
		{"neg-burst", "More complaints than usual", "Mehr Beschwerden als sonst"},
		{"neg-burst", "Slow rise: More complaints than usual", "Langsamer Anstieg: Mehr Beschwerden als sonst"},
		{"legal", "No answer yet: Lawyer, court or authority", "Noch keine Antwort: Anwalt, Gericht oder Behörde"},
		{"neg-burst", "People are upset", "People are upset"},
		{"own", "More complaints than usual", "More complaints than usual"},
		{"own", "Slow rise: The tank leaks", "Langsamer Anstieg: The tank leaks"},
	} {
		i := &detector.Incident{NamedBy: c.rule, Title: c.title}
		if got := Title(de, i); got != c.want {
			t.Errorf("%s: %q, want %q", c.title, got, c.want)
		}
		if got := Title(English(), i); got != c.title {
			t.Errorf("in English: %q, want %q", got, c.title)
		}
	}
}

// TestEveryPhraseIsKnownAndUsed reads the sources: each key that is asked for exists, and each that exists is asked for.
func TestEveryPhraseIsKnownAndUsed(t *testing.T) {
	asked := regexp.MustCompile(`(?:Say|Count|say|count|Has)[( ]"([a-z._0-9-]+)"`)
	quoted := regexp.MustCompile(`"([a-z]+(?:[.-][a-z_]+)*\.?)"`)
	used := map[string]bool{}
	for _, dir := range []string{"*.go", "slack/*.go", "console/*.go", "email/*.go", "web/*.go", "web/templates/*.html", "chart/*.go", "draft/*.go", "../cmd/emberwatch/*.go", "../detector/*.go"} {
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
				if !strings.HasSuffix(m[1], ".") && !English().Has(m[1]) && !strings.HasPrefix(filepath.ToSlash(f), "draft/") { // its lists of words have ids too
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
		Sentence: "english", Signal: "negative", Category: "quality_defect", Rule: "leck", LastHit: time.Date(2026, 11, 16, 8, 0, 0, 0, time.UTC),
		Signals: []detector.ActiveSignal{{Series: "negative"}},
		Evidence: detector.Evidence{
			Window: detector.Window{Length: 30 * time.Minute, Observed: 23, Expected: 0.5, High: 3}, Authors: 21, Copied: 2,
			Networks: map[string]int{"instagram": 15, "mastodon": 8},
		},
	}
	asIs := func(s string) string { return s }
	for want, change := range map[string]func(*detector.Incident){
		"23 negative Erwähnungen zu Acme *One* auf Schwedisch von 21 Personen in den letzten 30 Minuten; sonst 0,5, selten mehr als 3; meist bei Instagram; meist über Mängel; 2 fast gleiche Texte sind nicht mitgezählt.": func(i *detector.Incident) {
			i.Evidence.Per, i.Evidence.Product, i.Evidence.Season = map[string]string{"product": "one", "language": "sv"}, "Acme *One*", rules.NoSeason
		},
		"23 negative Erwähnungen in unbekannter Sprache von 21 Personen in den letzten 30 Minuten; an einem Montag sonst 0,5, selten mehr als 3; meist bei Instagram; meist über Mängel; 2 fast gleiche Texte sind nicht mitgezählt.": func(i *detector.Incident) {
			i.Evidence.Per, i.Evidence.Season = map[string]string{"language": "und"}, rules.DayOfWeek
		},
		"23 negative Erwähnungen von 21 Personen in den letzten 30 Minuten; um diese Zeit an einem Montag sonst 0,5, selten mehr als 3; meist bei Instagram; meist über Mängel; 2 fast gleiche Texte sind nicht mitgezählt.": func(*detector.Incident) {},
		"1 negative Erwähnung von einer Person in der letzten Minute; um diese Zeit an einem Montag sonst fast keine, selten mehr als 3 (noch in der Lernphase); meist bei Instagram; 1 fast gleicher Text ist nicht mitgezählt; geplant: messe.": func(i *detector.Incident) {
			i.Category, i.Evidence.Authors, i.Evidence.Copied, i.Evidence.Planned, i.Evidence.Learning = "", 1, 1, "messe", "provisional, day 3 of 7"
			i.Evidence.Window = detector.Window{Length: time.Minute, Observed: 1, Expected: 0.01, High: 3}
		},
		"1.200 Erwähnungen von 21 Personen in den letzten 24 Stunden; um diese Zeit an einem Montag sonst 340, selten mehr als 1.024; aus 2 Quellen; meist über Mängel; 2 davon sind Kopien anderer Texte.": func(i *detector.Incident) {
			i.Signal, i.Signals[0].Series = "all", "all"
			i.Evidence.Window = detector.Window{Length: 24 * time.Hour, Observed: 1200, Expected: 340, High: 1024}
		},
		"12 Follower verloren in der letzten Stunde; um diese Zeit an einem Montag sonst 2,5, selten mehr als 6; meist bei Instagram.": func(i *detector.Incident) {
			i.Signal, i.Category, i.Evidence.Counts, i.Evidence.Copied = "unfollow", "", "unfollows", 0
			i.Evidence.Window = detector.Window{Length: time.Hour, Observed: 12, Expected: 2.5, High: 6}
		},
		"23 negative Erwähnungen von 21 Personen in der letzten Stunde; sonst 0,5; kein plötzlicher Ausschlag, aber Stunde um Stunde mehr als sonst; meist bei Instagram; meist über Mängel.": func(i *detector.Incident) {
			i.Signals[0].Watch, i.Evidence.Window.Length = true, time.Hour
		},
		"23 negative Antworten unter einem eigenen Beitrag von 21 Personen in den letzten 30 Minuten; um diese Zeit an einem Montag sonst 0,5, selten mehr als 3; alle bei forum.": func(i *detector.Incident) {
			i.Signal, i.Category, i.Evidence.Copied, i.Evidence.Networks = "backlash", "", 0, map[string]int{"forum": 23}
		},
		"Jemand schreibt über Mängel (erkannt an „brennt“); meist bei Instagram.": func(i *detector.Incident) {
			i.Signals[0].Series, i.Evidence.Window.Observed, i.Evidence.Cues = "", 1, []string{"brennt"}
		},
		"2 Erwähnungen von 21 Personen binnen eines Tages über das, wonach die Regel leck sucht; meist bei Instagram.": func(i *detector.Incident) {
			i.Category, i.Signals[0].Series, i.Evidence.Window.Observed = "", "", 2
		},
		"60 % der Erwähnungen in den letzten 3 Stunden sind negativ (30 von 50, von 21 Personen); sonst 20 %, selten mehr als 40 %; meist bei Instagram; meist über Mängel.": func(i *detector.Incident) {
			i.Signal, i.Evidence.Of, i.Evidence.Counts = "share", 50, "negative"
			i.Evidence.Window = detector.Window{Length: 3 * time.Hour, Observed: 30, Expected: 10, High: 20}
		},
		"60 % der Bewertungen in den letzten 24 Stunden haben höchstens 2 Sterne (30 von 50, von 21 Personen); sonst 20 %, selten mehr als 40 %; meist bei Instagram; meist über Mängel.": func(i *detector.Incident) {
			i.Signal, i.Evidence.Of, i.Evidence.Counts, i.Evidence.Condition = "rating", 50, "rating", "2"
			i.Evidence.Window = detector.Window{Length: 24 * time.Hour, Observed: 30, Expected: 10, High: 20}
		},
		"Eine negative Erwähnung wurde in der letzten Stunde 1.230-mal geteilt, insgesamt 4.800-mal; die Regel meldet ab 50-mal; aus 2 Quellen; meist über Mängel.": func(i *detector.Incident) {
			i.Signal, i.Evidence.Of, i.Evidence.Bar, i.Evidence.Window.Observed = "spread", 4800, 50, 1230
		},
		"Nichts von forum in den letzten 5 Stunden; um diese Zeit an einem Montag sonst 52. Fällt eine Quelle aus, bleibt verborgen, was dort gesagt wird.": func(i *detector.Incident) {
			i.Signal, i.Evidence.Place = "silence", "forum"
			i.Evidence.Window = detector.Window{Length: 5 * time.Hour, Expected: 52}
		},
		"followers bei forum: 500 weniger in den letzten 6 Stunden, jetzt 47.500; in dieser Zeit ändert sich der Wert sonst um +12, selten um -80.": func(i *detector.Incident) {
			i.Signal, i.Evidence.Place, i.Evidence.Of = "gauge:followers", "forum", 47500
			i.Evidence.Window = detector.Window{Length: 6 * time.Hour, Observed: -500, Expected: 12, High: -80}
		},
		"3 Beschwerden warten länger als 1 Std. auf Antwort, die älteste seit 3 Tagen; meist bei Instagram. Von 12 Beschwerden der letzten 14 Tage wurden 31 % innerhalb einer Stunde beantwortet (das erwarten 40 % der Kunden), 84 % innerhalb eines Tages (79 %).": func(i *detector.Incident) {
			i.Signal, i.Evidence.Window, i.Evidence.Answers = "unanswered", detector.Window{Observed: 3}, &detector.AnswerFigures{Of: 12, Hour: 0.31, Day: 0.84}
			i.Evidence.Waited, i.Evidence.Limit = detector.Duration(72*time.Hour), detector.Duration(time.Hour)
		},
		"Mehrere Alarme zugleich: leck und tank schlagen zur selben Zeit an.": func(i *detector.Incident) {
			i.Signals[0] = detector.ActiveSignal{Series: "correlate:both", Said: detector.Said{{Code: "why.together", Names: []string{"leck", "tank"}}}}
		},
		"4 Erwähnungen von 3 Personen, herausgelöst aus acme-1.": func(i *detector.Incident) {
			i.Evidence.From, i.Evidence.Window, i.Evidence.Authors = "acme-1", detector.Window{Observed: 4}, 3
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

// TestSpansFollowAPreposition: some languages have another form there.
func TestSpansFollowAPreposition(t *testing.T) {
	de := (*Languages)(nil).In("de")
	for _, c := range []struct{ got, want string }{
		{de.Span(72 * time.Hour), "3 Tage"},
		{de.Say("ago", "span", de.SpanAfter(72*time.Hour)), "vor 3 Tagen"},
		{de.Say("ago", "span", de.SpanAfter(0)), "vor weniger als einer Minute"},
		{English().SpanAfter(72 * time.Hour), "3 days"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
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
