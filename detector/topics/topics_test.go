package topics

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"emberwatch/detector"
)

func said(lang string, bodies ...string) []detector.Text {
	var out []detector.Text
	for _, b := range bodies {
		out = append(out, detector.Text{Body: b, Lang: lang})
	}
	return out
}

// many returns n texts that differ in one word that nobody else uses.
func many(n int, lang, pattern string) []detector.Text {
	var out []detector.Text
	for i := range n {
		out = append(out, detector.Text{Body: fmt.Sprintf(pattern, "w"+string(rune('a'+i/26%26))+string(rune('a'+i%26))), Lang: lang})
	}
	return out
}

func TestTopics(t *testing.T) {
	ordinary := many(60, "en", "what a lovely jacket %s in green")
	for _, tt := range []struct {
		name     string
		incident []detector.Text
		ordinary []detector.Text
		names    []string
		want     string
	}{
		{name: "nothing"},
		{name: "only signs", incident: many(9, "en", "!!! 123 😡 @%s")},
		{"what is usual is no topic", many(20, "en", "what a lovely jacket %s in green"), ordinary, nil, ""},
		{"two texts are too few", said("en", "leak", "leak", "fine", "fine"), ordinary, nil, ""},
		{"one author in one text", append(many(20, "en", "lovely green jacket %s"), said("en", strings.Repeat("leak ", 500))...), ordinary, nil, ""},
		{"a hashtag is a word", many(20, "en", "#leak %s"), ordinary, nil, "leak (20/20)"},
		{"a handle and a link are none", many(20, "en", "@leak https://leak.example %s"), ordinary, nil, ""},
		{"a pair explains its words", many(20, "en", "arctic seal %s"), ordinary, nil, "arctic seal (20/20)"},
		{"no pair across a clause", many(20, "en", "arctic, seal %s"), ordinary, nil, "arctic (20/20); seal (20/20)"},
		{"no pair across a stop word", many(20, "en", "arctic in the seal %s"), ordinary, nil, "arctic (20/20); seal (20/20)"},
		{"a hyphen makes a pair", many(20, "en", "arctic-seal %s"), ordinary, nil, "arctic-seal (20/20)"},
		{
			"forms are one term", slices.Concat(many(10, "en", "refund %s"), many(5, "en", "refunded %sx"), many(5, "en", "REFUNDS %sy")),
			ordinary, nil, "refund (20/20)",
		},
		{"the brand is no topic", many(20, "en", "Fjellbryg and Fjellbryg's #fjellbrygs %s"), ordinary, []string{"Fjellbryg"}, ""},
		{
			"a name of two words counts as a whole", many(20, "en", "North Face %s burns my face"),
			ordinary,
			[]string{"North Face"},
			"burns (20/20); face (20/20)",
		},
		{
			"without ordinary texts what is frequent", append(many(20, "en", "my order leaks %s"), many(20, "en", "the shop %s")...),
			nil, nil, "order leaks (20/40); shop (20/40)",
		},
		{"a language without words and ordinary texts", many(20, "nl", "de rits %s"), nil, nil, ""},
		{"a language without words", many(20, "nl", "de rits %s"), many(60, "nl", "de mooie jas %s"), nil, "rits (20/20)"},
		{"no language", many(20, "", "the leak %s"), nil, nil, "leak (20/20)"},
		{"regions are one language", append(many(10, "en-GB", "leak %s"), many(10, "en_US", "leak %s")...), ordinary, nil, "leak (20/20)"},
		{"unknown ones count with the rest", append(many(12, "en", "leak %s"), many(8, "und", "leak %s")...), ordinary, nil, "leak (20/20)"},
		{
			"one topic in two languages", append(many(20, "en", "boykott %s"), many(10, "de", "boykott %s")...),
			ordinary, nil, "boykott (30/30)",
		},
		{
			"copies count, but not against people",
			slices.Concat(slices.Repeat(said("en", "crows stole my shiny purple spoon"), 12), many(20, "en", "leak %s")),
			ordinary, nil, "leak (20/32); crows stole (12/32); purple spoon (12/32)",
		},
		{"a wave of copies has words", slices.Repeat(said("en", "boiler exploded near kindergarten fence yesterday morning"), 30), ordinary, nil, "boiler exploded (30/30); kindergarten fence (30/30); morning (30/30)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := wordsOf(newFinder(t, Options{Plain: true}).Topics(tt.incident, tt.ordinary, tt.names, 3))
			if got != tt.want {
				t.Errorf("want %q, got %q", tt.want, got)
			}
		})
	}
}

// TestDeterminism: the order of the texts, of maps and of goroutines does not show.
func TestDeterminism(t *testing.T) {
	f := newFinder(t, Options{Plain: true})
	for _, s := range scenarios {
		in, out := s.incident.texts(s.lang), s.ordinary.texts(s.lang)
		want := f.Topics(in, out, s.names, 10)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if got := f.Topics(in, out, s.names, 10); !slices.Equal(got, want) {
					t.Errorf("want %v, got %v", want, got)
				}
			})
		}
		wg.Wait()
		slices.Reverse(in)
		slices.Reverse(out)
		if got := f.Topics(in, out, s.names, 10); !slices.Equal(got, want) {
			t.Errorf("%s backwards: want %v, got %v", s.lang, want, got)
		}
	}
}

// hostile are texts that have stopped or slowed taggers.
var hostile = []string{
	"ȺȺȺȺȺȺȺȺ's", "ȾȾȾ'll n't", "İİİİ's K'm", strings.Repeat("!", 20_000), strings.Repeat(`"`, 20_000), strings.Repeat("?!", 10_000),
	strings.Repeat("a", 1<<20), strings.Repeat("zipper ", 1<<17), strings.Repeat("x-", 1<<16), strings.Repeat("don't", 5000),
	"\xff\xfe\x00", "\u202e\u200d\ufeff", strings.Repeat("e\u0301", 10_000), "$ ( [ \" ' '' 's 'm n't -", strings.Repeat("#", 9000) + "a",
	strings.Repeat("漢", 1<<18), "-NONE- *T*-1 0 -LRB-",
}

// TestHostileTexts: none of them panics, takes long, or hides what the others talk about.
func TestHostileTexts(t *testing.T) {
	f := newFinder(t, Options{})
	in := english().incident.texts("en")
	for _, h := range hostile {
		in = append(in, detector.Text{Body: h, Lang: "en"})
	}
	start := time.Now()
	got := f.Topics(in, english().ordinary.texts("en"), english().names, 3)
	if len(got) == 0 || !strings.Contains(got[0].Words, "zipper") {
		t.Errorf("got %v", wordsOf(got))
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}

// TestHostileTextsAreTagged: cleaned, each of them passes the tagger itself without a panic.
func TestHostileTextsAreTagged(t *testing.T) {
	tag, stops := loadProse(), loadStopWords()
	for _, h := range hostile {
		c := newCorpus(stops.of("en"), newNameList(nil), "en")
		c.add(&c.incident, []string{h})
		c.forms = formsOf(c.vocab)
		for _, s := range texts(c.sentences(clip(h, sampleBytes))) {
			if _, err := tag(s); err != nil {
				t.Errorf("%.20q: %v", h, err)
			}
		}
	}
}

func TestSameForm(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"refund", "refunded", true},
		{"app", "apps", true},
		{"молнией", "молнию", true},
		{"reißverschluss", "reißverschlüsse", true},
		{"dragkedja", "dragkedjorna", true},
		{"app", "apple", false},
		{"zip", "zipper", false},
		{"service", "servers", false},
		{"молния", "молоко", false},
		{"", "", false},
		{"\xff\xff\xff\xff", "\xff\xff\xff\xfe", false},
	} {
		if got := sameForm(tt.a, tt.b); got != tt.want {
			t.Errorf("%q, %q: %t", tt.a, tt.b, got)
		}
	}
}

// TestFormsOf: words that stand between two forms in the alphabet do not part them.
func TestFormsOf(t *testing.T) {
	words := []string{"карты", "картофель", "карт", "картинка", "картошка", "карту", "картонный", "картечь", "молния"}
	forms := formsOf(words)
	var got []string
	for i, f := range forms {
		if f == forms[0] {
			got = append(got, words[i])
		}
	}
	if s := strings.Join(got, " "); s != "карты карт карту" {
		t.Errorf("forms of карт: %s", s)
	}
}

func TestStopWords(t *testing.T) {
	s := loadStopWords()
	for _, lang := range []string{"en", "de", "ru", "ar", "sv", "es", "fr", "it", "pt", "pl"} {
		w := s.of(lang)
		if len(w.stop) < 100 || len(w.common) < 25 {
			t.Errorf("%s: %d stop words, %d common ones", lang, len(w.stop), len(w.common))
		}
	}
	if !s.of("ar").stop["الي"] || s.knows("nl") || !s.knows(unknown) || !s.of(unknown).stop["och"] {
		t.Error("words are missing or not folded")
	}
}
