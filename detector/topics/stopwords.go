package topics

import (
	"embed"
	"maps"
	"path"
	"strings"

	"emberwatch/rules"
)

// The word files hold, per language, words that say nothing about a topic, then after a line "common:" words that
// comments on any brand are full of. "#" begins a comment.
//
//go:embed words/*.txt
var wordFiles embed.FS

// wordList is the words of one language, folded.
type wordList struct {
	stop   map[string]bool
	common map[string]bool
}

// stopWords holds the words of every language that has a file, and of all of them together for texts in
// no known language.
type stopWords struct {
	langs map[string]*wordList
	all   *wordList
}

func loadStopWords() *stopWords {
	s := &stopWords{langs: map[string]*wordList{}, all: newWordList()}
	files, err := wordFiles.ReadDir("words")
	if err != nil {
		panic("topics: embedded words: " + err.Error())
	}
	for _, f := range files {
		b, err := wordFiles.ReadFile(path.Join("words", f.Name()))
		if err != nil {
			panic("topics: embedded words: " + err.Error())
		}
		w := parseWords(string(b))
		s.langs[strings.TrimSuffix(f.Name(), ".txt")] = w
		maps.Copy(s.all.stop, w.stop)
		maps.Copy(s.all.common, w.common)
	}
	return s
}

func newWordList() *wordList {
	return &wordList{stop: map[string]bool{}, common: map[string]bool{}}
}

func parseWords(text string) *wordList {
	w := newWordList()
	set := w.stop
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		for word := range strings.FieldsSeq(line) {
			if word == "common:" {
				set = w.common
				continue
			}
			set[rules.Fold(word)] = true
		}
	}
	return w
}

// of returns the words of a language; of one that has no file, none.
func (s *stopWords) of(lang string) *wordList {
	if lang == unknown {
		return s.all
	}
	if w, ok := s.langs[lang]; ok {
		return w
	}
	return newWordList()
}

// knows reports whether there are words for texts in lang.
func (s *stopWords) knows(lang string) bool {
	return lang == unknown || s.langs[lang] != nil
}
