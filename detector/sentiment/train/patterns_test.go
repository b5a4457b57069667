package train

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// seven are the languages that the patterns have to be rich in.
var seven = []string{"en", "de", "ru", "ar", "sv", "es", "fr"}

func TestEmbeddedPatterns(t *testing.T) {
	count := map[string][labels]int{}
	for _, lang := range seven {
		data, err := patternFiles.ReadFile("patterns/" + lang + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		f, err := parsePatterns(lang+".txt", string(data))
		if err != nil {
			t.Fatal(err)
		}
		for i := range f.patterns {
			c := count[lang]
			c[f.patterns[i].label]++
			count[lang] = c
		}
		for l, n := range count[lang] {
			if n < 90 {
				t.Errorf("%s: %d %s patterns, want at least 90", lang, n, Label(l))
			}
		}
	}
}

func TestGeneratedTexts(t *testing.T) {
	rows, err := EmbeddedPatterns(3, 1)
	if err != nil {
		t.Fatal(err)
	}
	again, err := EmbeddedPatterns(3, 1)
	if err != nil || !slices.Equal(rows, again) {
		t.Errorf("the same seed gives other texts (%v)", err)
	}
	if other, err := EmbeddedPatterns(3, 2); err != nil || slices.Equal(rows, other) {
		t.Errorf("another seed gives the same texts (%v)", err)
	}
	for _, r := range rows {
		if strings.ContainsAny(r.Text, "{}|\t\n") || strings.Contains(r.Text, "  ") || r.Text != strings.TrimSpace(r.Text) || r.Text == "" {
			t.Errorf("%s: %q", r.Lang, r.Text)
		}
	}
}

// TestStatedTextsAreNotTrainedOn holds the measuring texts against what patterns can make: no text and no long beginning
// of one may be among them.
func TestStatedTextsAreNotTrainedOn(t *testing.T) {
	made, err := EmbeddedPatterns(30, 1)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, r := range made {
		seen[beginning(r.Text)] = true
	}
	for _, r := range stated(t) {
		if b := beginning(r.Text); len(b) >= 12 && seen[b] {
			t.Errorf("trained on: %q", r.Text)
		}
	}
}

// beginning is the first letters of a text, without signs and case.
func beginning(s string) string {
	letters := strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r < '0' || r > '9' && r < 'a' || r > 'z' && r < 0xC0 })
	r := []rune(strings.Join(letters, ""))
	return string(r[:min(len(r), 36)])
}

// stated are the texts that measure how well complaints and crises told as facts are recognised. They were written by
// others than those who wrote the patterns, who have not seen them.
func stated(t testing.TB) []Row {
	var rows []Row
	for _, name := range []string{"testdata/stated-a.tsv", "testdata/stated-b.tsv"} {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		some, err := ReadTSV(name, f)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, some...)
	}
	return rows
}

func TestPatternErrors(t *testing.T) {
	for text, want := range map[string]string{
		"hello there":                         "x.txt:1: a pattern before the first section",
		"== bad kind\nx":                      "x.txt:1: a section is",
		"== negative\nx":                      "x.txt:1: a section is",
		"== negative a\nmy {thing} broke":     "x.txt:2: no slot {thing}",
		"== negative a\nmy {thing":            "x.txt:2: a brace without its other half",
		"== negative a\nmy thing}":            "x.txt:2: a brace without its other half",
		"== negative a\n{a} = b | c\nmy }{a}": "x.txt:3: a brace without its other half",
	} {
		_, err := Patterns(fstest.MapFS{"x.txt": {Data: []byte(text)}}, 1, 1)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

func TestPatternsFillSlots(t *testing.T) {
	rows, err := Patterns(fstest.MapFS{"de.txt": {Data: []byte("# c\n{ding} = Topf | Herd\n== negative defect\nder {ding} ist {|schon } kaputt\n")}}, 10, 1)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, r := range rows {
		if r.Lang != "de" || r.Label != Negative || r.Domain != "stated" {
			t.Errorf("row %+v", r)
		}
		text := strings.ToLower(r.Text)
		for _, k := range []string{"der topf ist kaputt", "der topf ist schon kaputt", "der herd ist kaputt", "der herd ist schon kaputt"} {
			kinds[k] = kinds[k] || strings.Contains(text, k)
		}
	}
	for k, found := range kinds {
		if !found {
			t.Errorf("never %q in %d rows", k, len(rows))
		}
	}
}
