package rules

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"emberwatch/sources"
)

// raised returns what P(negative) is raised to by the words of a mention, and by which cue.
func raised(s *Set, m *sources.Mention, lang string) (float64, string) {
	var p float64
	var cue string
	for _, h := range s.Match(m, Tokenize(m.Text), lang).Hits {
		if w := min(h.Weight, h.Confidence); !h.Negated && w > p {
			p, cue = w, h.Category+": "+h.Cue
		}
	}
	return p, cue
}

// Complaints told as facts raise; questions, conditions, praise, news and what is over do not.
func TestCuesOfTheLibrary(t *testing.T) {
	s := Starter()
	f, err := os.Open("testdata/cues.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	count := map[string]int{}
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		lang, rest, _ := strings.Cut(lines.Text(), "\t")
		sign, text, ok := strings.Cut(rest, "\t")
		if !ok {
			continue
		}
		count[lang+sign]++
		if p, cue := raised(s, &sources.Mention{Text: text, Brand: "x"}, lang); (p > 0.5) != (sign == "+") {
			t.Errorf("line %d: %q (%s, %s) is raised to %.2f by %q", n, text, lang, sign, p, cue)
		}
	}
	for _, lang := range strings.Fields("en de ru ar sv es fr") {
		if count[lang+"+"] < 25 || count[lang+"-"] < 25 {
			t.Errorf("%s has %d complaints and %d others", lang, count[lang+"+"], count[lang+"-"])
		}
	}
}

func TestCueGaps(t *testing.T) {
	s := must(t, `
version: 1
categories:
  x:
    weight: 0.8
    cues:
      en: ["{pip* | old pat | pop} ... {zap | zip} now", "zork ... # week*", "ab cd ... ef* ... gh", "# blips"]
      de: ["zork ... # wochen"]
`)
	for _, c := range []struct{ lang, text, want string }{
		{"en", "pop a zip now", "pop a zip now"},
		{"en", "an old pat zap now", "old pat zap now"},
		{"en", "piping and zap now", "piping and zap now"},
		{"en", "pop a zip then", ""},
		{"en", "pat a zap now", ""},
		{"en", "zork 3 weeks", "zork 3 weeks"},
		{"en", "I zork for my own two weeks now", "zork for my own two weeks"},
		{"en", "zork a b c d e three weeks", "zork a b c d e three weeks"},
		{"en", "zork a b c d e f three weeks", ""},
		{"en", "zork, since a couple of weeks", "zork, since a couple of weeks"},
		{"en", "zork. Three weeks", ""},
		{"en", "three weeks zork", ""},
		{"en", "zork weeks", ""},
		{"en", "zork drei weeks", ""},
		{"de", "zork seit drei Wochen", "zork seit drei Wochen"},
		{"de", "zork seit ein paar Wochen", "zork seit ein paar Wochen"},
		{"en", "zork zork 2 weeks", "zork 2 weeks"},
		{"en", "ab cd or efgh or gh", "ab cd or efgh or gh"},
		{"en", "ab or cd efgh gh", ""},
		{"en", "12 blips", "12 blips"},
		{"en", "twelve blips", "twelve blips"},
		{"en", "blips", ""},
		{"en", "never had to zork three weeks", ""},
		{"en", "zork not even three weeks", ""},
	} {
		got := ""
		for _, h := range s.Match(&sources.Mention{}, Tokenize(c.text), c.lang).Hits {
			if h.Category == "x" && !h.Negated {
				got = c.text[h.Start:h.End]
			}
		}
		if got != c.want {
			t.Errorf("%q (%s): found %q, want %q", c.text, c.lang, got, c.want)
		}
	}
}

func TestCueErrors(t *testing.T) {
	for cue, want := range map[string]string{
		"... weeks":        "begins or ends with a gap",
		"waiting ...":      "begins or ends with a gap",
		"...":              "begins or ends with a gap",
		"a ... ... b":      "a gap with nothing in it",
		"a ... !! ... b":   "a gap with nothing in it",
		"#":                "holds no word",
		"# ... #":          "holds no word",
		"wait*ing ... now": "a * inside a word",
		"a ... b\u200b":    "invisible character",
	} {
		file := fmt.Sprintf("version: 1\ncategories: {delivery: {cues: {en: [%q]}}}\n", cue)
		s, errs := Parse([]File{{Name: "f.yml", Data: []byte(file)}}, Options{})
		if s != nil || len(errs) != 1 || !strings.Contains(errs[0].What, want) || errs[0].Hint == "" {
			t.Errorf("%q: %v", cue, errs)
		}
	}
	s := must(t, "version: 1\ncategories: {delivery: {cues: {en: [\"-where is my order\", \"-ordered ... weeks ago\"]}}}\n")
	if p, cue := raised(s, &sources.Mention{Text: "Where is my order?"}, "en"); p > 0.5 {
		t.Errorf("a cue that was taken out still raises: %s", cue)
	}
}

// What the scope takes back, and what gives it force again.
func TestCueScope(t *testing.T) {
	s := must(t, "version: 1\ncategories: {x: {weight: 0.8, cues: {en: [zork, \"zork and flop\", \"who zorks?\"]}}}\n")
	for _, c := range []struct {
		name, text string
		m          sources.Mention
		want       float64
		negated    bool
	}{
		{"fact", "zork", sources.Mention{}, 0.8, false},
		{"question", "zork?", sources.Mention{}, 0, false},
		{"question before", "Really? zork", sources.Mention{}, 0.8, false},
		{"question in the next clause", "zork, can you help?", sources.Mention{}, 0.8, false},
		{"question after", "zork! Really?", sources.Mention{}, 0.8, false},
		{"question with picture", "zork?", sources.Mention{HasMedia: true}, 0.8, false},
		{"question with low rating", "zork?", sources.Mention{Rating: 1}, 0.8, false},
		{"question with high rating", "zork?", sources.Mention{Rating: 4}, 0, false},
		{"rhetorical", "why zork again?", sources.Mention{}, 0.8, false},
		{"why without more", "why zork?", sources.Mention{}, 0, false},
		{"cue that asks", "who zorks?", sources.Mention{}, 0.8, false},
		{"condition", "if they zork", sources.Mention{}, 0, false},
		{"condition with picture", "if they zork", sources.Mention{HasMedia: true}, 0, false},
		{"condition elsewhere", "if you ask, zork", sources.Mention{}, 0.8, false},
		{"condition after", "zork if you ask", sources.Mention{}, 0.8, false},
		{"condition too far", "if a b c d e f g h zork", sources.Mention{}, 0.8, false},
		{"spared", "never had them be any zork", sources.Mention{}, 0, true},
		{"quoted", `he said "zork and flop" today`, sources.Mention{}, 0, false},
		{"quoted in German signs", "he said „zork and flop“ today", sources.Mention{}, 0, false},
		{"one word quoted", `he said "zork" today`, sources.Mention{}, 0.8, false},
		{"all quoted", `"zork and flop"`, sources.Mention{}, 0.8, false},
		{"quote left open", `12" zork and flop`, sources.Mention{}, 0.8, false},
		{"beside a quote", `"so it is" he said zork`, sources.Mention{}, 0.8, false},
		{"settled", "zork but it was fixed", sources.Mention{}, 0, false},
		{"settled with low rating", "zork but it was fixed", sources.Mention{Rating: 1}, 0.8, false},
		{"not settled", "zork and it was never fixed", sources.Mention{}, 0.8, false},
		{"after it was settled", "it was fixed and now zork", sources.Mention{}, 0.8, false},
		{"settled in gaps", "thought it was zork but no", sources.Mention{}, 0, false},
	} {
		hits := s.Match(&c.m, Tokenize(c.text), "en").Hits
		if len(hits) != 1 || hits[0].Category != "x" || hits[0].Weight != c.want || hits[0].Negated != c.negated {
			t.Errorf("%s: %q gives %+v, want weight %g", c.name, c.text, hits, c.want)
		}
	}
}

// Relief undoes no harm, a false alarm does; sayings and what others have made mean nothing; what is plain needs no
// second sign.
func TestCueScopeOfHarm(t *testing.T) {
	s := must(t, "version: 1\ncategories: {x: {sev: 1, solo: true, weight: 0.9, cues: {en: [\"it zorks\", \"{a | the} zork ... flops!\", \"zorks because\", \"not zork\"], de: [\"weil er zorkt!\"]}}}\n")
	for _, c := range []struct {
		name, text, lang string
		want             float64
		negated          bool
	}{
		{"without a second sign", "it zorks", "en", 0.54, false},
		{"plain", "the zork flops", "en", 0.9, false},
		{"relief", "the zork flops but it was fixed", "en", 0.9, false},
		{"false alarm", "the zork flops, a false alarm", "en", 0, false},
		{"another's", "another brand says a zork flops", "en", 0, false},
		{"another's, within", "a zork of another brand flops", "en", 0, false},
		{"denied", "never a zork that flops", "en", 0, true},
		{"reason of what was denied", "nicht heute weil er zorkt", "de", 0.9, false},
		{"reason denied", "nicht weil er zorkt", "de", 0, true},
	} {
		hits := s.Match(&sources.Mention{}, Tokenize(c.text), c.lang).Hits
		if len(hits) != 1 || hits[0].Category != "x" || hits[0].Negated != c.negated || hits[0].Weight < c.want-0.001 || hits[0].Weight > c.want+0.001 {
			t.Errorf("%s: %q gives %+v, want weight %g", c.name, c.text, hits, c.want)
		}
	}
	for _, text := range []string{"I'm dead", "this kills me", "fire drill"} {
		if hits := Starter().Match(&sources.Mention{Rating: 1}, Tokenize(text), "en").Hits; len(hits) > 0 {
			t.Errorf("%q gives %+v", text, hits)
		}
	}
}

// Texts made to keep every path open cost no more for each byte than others.
func TestGapsTakeLinearTime(t *testing.T) {
	s := Starter()
	for _, unit := range []string{
		"utan läckage ", "utan ", "inte utan skräp ", "waiting ", "waiting weeks ", "waiting three weeks ", "three ", "refund ", "not ", "if zork scam ", "\"scam again\" ",
		"why still scam? ", "thought scam but ", "never had scam ", "app crashes ", "refund. ", "never refused ",
	} {
		text := strings.Repeat(unit, 1_000_000/len(unit))
		d := Tokenize(text)
		start := time.Now()
		for _, lang := range []string{"en", "sv"} {
			s.Match(&sources.Mention{}, d, lang)
		}
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("1 MB of %q take %s", unit, took)
		}
	}
}
