package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Term is one condition on the words of a mention: a word or phrase, several words anywhere (all or any of
// them), words near each other, exact characters, a regular expression, or one of the brand's own groups
// of terms ("brand", "product.one").
type Term struct {
	Pos Pos

	list   *termList
	op     termOp
	words  []string // of allWords, anyWords and nearWords; each may be a phrase
	within int      // words between the first and the last, of nearWords
	raw    string
	re     *regexp.Regexp
	group  string // "brand" or "product.<key>"
}

// String says what the term asks for: "tank near leak (within 6 words)".
func (t *Term) String() string {
	switch words := quoted(t.words); {
	case t.op == groupOf:
		return t.group
	case t.op == rawText:
		return "the characters “" + t.raw + "”"
	case t.op == regex:
		return "what the regular expression " + t.re.String() + " matches"
	case t.op == allWords:
		return allOf(words)
	case t.op == nearWords && len(words) == 2:
		return fmt.Sprintf("%s near %s (within %d words)", words[0], words[1], t.within)
	case t.op == nearWords:
		return fmt.Sprintf("%s near each other (within %d words)", allOf(words), t.within)
	default:
		return anyOf(words)
	}
}

// quoted puts phrases into quotes; single words stand for themselves.
func quoted(words []string) []string {
	said := slices.Clone(words)
	for i, w := range said {
		if strings.Contains(w, " ") {
			said[i] = "“" + w + "”"
		}
	}
	return said
}

// termList stands for all_of, any_of or none_of of one rule: whether any of its terms is found is asked without going over
// them.
type termList struct {
	groups []*Term // those that stand for the brand's own terms
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
