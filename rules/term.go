package rules

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Term is one condition on the words of a mention: a word or phrase, several words anywhere (all or any of
// them), words near each other, exact characters, a regular expression, or one of the brand's own groups
// of terms ("brand", "product.one").
type Term struct {
	Pos  Pos
	Text string // as written, the way the file says it

	op     termOp
	words  []string // of allWords, anyWords and nearWords; each may be a phrase
	within int      // words between the first and the last, of nearWords
	raw    string
	re     *regexp.Regexp
	group  string // "brand" or "product.<key>"
}

type termOp uint8

const (
	allWords termOp = iota
	anyWords
	nearWords
	rawText
	regex
	groupOf
)

// nearWithin is how far apart the words of a near term may be unless it says so.
const nearWithin = 8

// placed is a word of a term found in a text: which of the term's words, and how many words precede it.
type placed struct{ slot, at int }

// holds says whether the words found satisfy the term.
func (t *Term) holds(found []placed) bool {
	switch t.op {
	case anyWords:
		return len(found) > 0
	case allWords:
		return spans(found, len(t.words), -1)
	case nearWords:
		return spans(found, len(t.words), t.within)
	}
	return false
}

// spans reports whether one of each of n words stands within the given number of words; negative is any
// distance. It moves a window over the places in order.
func spans(found []placed, n, within int) bool {
	slices.SortFunc(found, func(a, b placed) int { return a.at - b.at })
	count, distinct, lo := make([]int, n), 0, 0
	for _, p := range found {
		if count[p.slot]++; count[p.slot] == 1 {
			distinct++
		}
		for within >= 0 && p.at-found[lo].at > within {
			if count[found[lo].slot]--; count[found[lo].slot] == 0 {
				distinct--
			}
			lo++
		}
		if distinct == n {
			return true
		}
	}
	return false
}

// inText evaluates the terms that look at characters rather than words.
func (t *Term) inText(text string) bool {
	switch t.op {
	case rawText:
		return strings.Contains(text, t.raw)
	case regex:
		return t.re.MatchString(text)
	}
	return false
}

// docs are used again and again: the library has tens of thousands of phrases.
var docs = sync.Pool{New: func() any { return new(Doc) }}

// phraseWords cuts a term into folded words as the tokens of a text have them; a trailing * stays. It
// returns nothing if the term holds neither a word nor an emoji.
func phraseWords(term string) []string {
	d := docs.Get().(*Doc)
	defer docs.Put(d)
	d.Reset(term)
	var words []string
	for i := range d.Tokens {
		t := &d.Tokens[i]
		if !t.Counts() && t.Kind != Emoji {
			continue
		}
		w := d.FoldedString(i)
		if w == "" {
			continue
		}
		if strings.HasPrefix(term[t.End:], "*") && t.Counts() {
			w += "*"
		}
		words = append(words, w)
	}
	return words
}
