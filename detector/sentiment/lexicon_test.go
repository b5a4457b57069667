package sentiment

import (
	"math"
	"strings"
	"testing"
)

func TestLexicons(t *testing.T) {
	for _, code := range codes[:known] {
		if code == "hi" {
			continue
		}
		data, err := files.ReadFile("lexicon-" + code + ".tsv")
		if err != nil {
			t.Fatal(err)
		}
		tab, err := readTable("lexicon-" + code + ".tsv")
		if err != nil {
			t.Fatal(err)
		}
		valued := 0
		for _, m := range []map[string]*entry{tab.words, tab.stems} {
			for w, e := range m {
				if e.valence != 0 {
					valued++
				}
				if math.Abs(float64(e.valence)) > 3.5 {
					t.Errorf("%s: %q has valence %v", code, w, e.valence)
				}
				if e.valence != 0 && e.roles&negates != 0 {
					t.Errorf("%s: %q negates and has a valence of its own: it would count twice", code, w)
				}
			}
		}
		if valued < 400 {
			t.Errorf("%s: %d words with a valence, want at least 400", code, valued)
		}
		for w := range tab.stems {
			if len(w) < shortestStem {
				t.Errorf("%s: stem %q is too short to be found", code, w)
			}
		}
		seen := map[string]bool{}
		for line := range strings.Lines(string(data)) {
			if seen[line] {
				t.Errorf("%s: %q stands there twice", code, line)
			}
			seen[line] = true
		}
	}
}

func TestParseReportsTheLine(t *testing.T) {
	for _, data := range []string{"good\t2\nbad", "good\t2\nbad\tvery"} {
		tab := table{words: map[string]*entry{}, stems: map[string]*entry{}}
		if err := tab.parse(data); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v, want an error in line 2", data, err)
		}
	}
}

func TestSqueeze(t *testing.T) {
	for _, c := range []struct {
		word string
		keep int
		want string
	}{
		{"sooo", 2, "soo"},
		{"sooo", 1, "so"},
		{"good", 1, "good"},
		{"плоооохо", 1, "плохо"},
		{"جمييييل", 1, "جميل"},
		{"", 1, ""},
		{strings.Repeat("a", 80), 1, strings.Repeat("a", 80)},
	} {
		var buf [64]byte
		if got := string(squeeze(buf[:0], []byte(c.word), c.keep)); got != c.want {
			t.Errorf("squeeze(%q, %d) = %q, want %q", c.word, c.keep, got, c.want)
		}
	}
}
