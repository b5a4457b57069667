package draft

import (
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"emberwatch/rules"
)

//go:embed phrases.yml
var phrasesFile []byte

// phrase is one entry of a list: folded words, and whether any ending may follow.
type phrase struct {
	text   string
	stem   bool
	arabic bool
}

func newPhrase(text, lang string) phrase {
	text, stem := strings.CutSuffix(text, "*")
	return phrase{text: flat(text), stem: stem, arabic: lang == "ar"}
}

// phrases are the lists behind the guards, by the name of the list and the language.
type phrases map[string]map[string][]phrase

func loadPhrases(data []byte) (phrases, error) {
	var f map[string]map[string][]string
	if err := yaml.Load(data, &f); err != nil {
		return nil, fmt.Errorf("phrase lists: %w", err)
	}
	out := phrases{}
	for list, langs := range f {
		out[list] = map[string][]phrase{}
		for lang, texts := range langs {
			for _, text := range texts {
				out[list][lang] = append(out[list][lang], newPhrase(text, lang))
			}
		}
	}
	return out, nil
}

// flat returns text folded as phrases are, with single spaces.
func flat(text string) string {
	return strings.Join(strings.Fields(rules.Fold(text)), " ")
}

// find returns the first phrase of a list that stands in the flat text. All languages are looked through,
// in a fixed order: a fact sheet may have brought a foreign sentence in.
func (p phrases) find(list, text string) string {
	for _, lang := range slices.Sorted(maps.Keys(p[list])) {
		if found := p.findIn(list, lang, text); found != "" {
			return found
		}
	}
	return ""
}

func (p phrases) findIn(list, lang, text string) string {
	for _, ph := range p[list][lang] {
		if ph.in(text) {
			return ph.text
		}
	}
	return ""
}

// has reports whether a text in a language holds what a list asks for. A language without the list asks for
// nothing.
func (p phrases) has(list, lang, text string) bool {
	return len(p[list][lang]) == 0 || p.findIn(list, lang, text) != ""
}

// count returns how often the phrases of a list stand in the flat text.
func (p phrases) count(list, lang, text string) int {
	n := 0
	for _, ph := range p[list][lang] {
		n += ph.times(text)
	}
	return n
}

// digits stand for the # of a phrase.
var digits = regexp.MustCompile(`[0-9\x{0660}-\x{0669}\x{06F0}-\x{06F9}]+`)

// in reports whether the phrase stands in the flat text as words of its own. Arabic joins a particle of
// one letter to the word that follows.
func (ph phrase) in(text string) bool { return ph.times(text) > 0 }

func (ph phrase) times(text string) int {
	n := 0
	for from := 0; ; {
		i := strings.Index(text[from:], ph.text)
		if i < 0 {
			return n
		}
		start, end := from+i, from+i+len(ph.text)
		if ph.starts(text[:start]) && (ph.stem || !wordFollows(text[end:], ph.text)) {
			n++
		}
		_, size := utf8.DecodeRuneInString(text[start:])
		from = start + size
	}
}

func (ph phrase) starts(before string) bool {
	r, size := utf8.DecodeLastRuneInString(before)
	if size == 0 || !isWord(r) {
		return true
	}
	if !ph.arabic || !strings.ContainsRune("وفبلك", r) {
		return false
	}
	r, size = utf8.DecodeLastRuneInString(before[:len(before)-size])
	return size == 0 || !isWord(r)
}

// wordFollows reports whether the phrase goes on in the word it ended in.
func wordFollows(after, text string) bool {
	last, _ := utf8.DecodeLastRuneInString(text)
	r, size := utf8.DecodeRuneInString(after)
	return size > 0 && isWord(last) && isWord(r)
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) }
