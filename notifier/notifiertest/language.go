package notifiertest

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	control = regexp.MustCompile(`<[!@#/a-z][^>]*>`)
	word    = regexp.MustCompile(`\pL{3,}`)
)

// Untranslated returns the words that stand in what people are shown in English and in another language alike, although
// neither the catalogue of that language nor what is foreign has them: words of ours that nobody translated. Words of two
// letters are not looked at.
func Untranslated(t *testing.T, catalogue, english, other string, foreign ...string) []string {
	t.Helper()
	phrases, err := os.ReadFile(catalogue)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, text := range append(foreign, string(phrases)) {
		for _, w := range words(text) {
			known[w] = true
		}
	}
	both := words(english)
	var out []string
	for _, w := range words(other) {
		if !known[w] && slices.Contains(both, w) && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}

func words(text string) []string {
	return word.FindAllString(strings.ToLower(control.ReplaceAllString(text, " ")), -1)
}
