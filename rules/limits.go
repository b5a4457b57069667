package rules

import (
	"fmt"
	"regexp/syntax"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// What analysts write must not hurt the reading of mentions, so there are limits to it. A mention is at most
// [emberwatch/sources.MaxText] letters long; words, phrases and raw texts are all found in one pass over it, however many
// they are. A regular expression is run where the letters are that it needs. RE2 takes time in proportion to text and
// expression: the worst of the largest size takes half a second for the longest mention, an ordinary one microseconds.
const (
	// MaxFile is how many bytes a rule file may have.
	MaxFile = 4 << 20

	maxNodes    = 300_000 // values of one file, aliases counted each time they are used
	maxTerms    = 100_000 // words and phrases of all files
	longestTerm = 200     // letters

	longestRegex = 1000 // letters
	largestRegex = 1500 // instructions that it is compiled to: x{1000} has a thousand
	allRegexes   = 6000 // instructions of all regular expressions of all files
	maxRegexes   = 500  // of all files
)

// spent is what the files have asked for so far.
type spent struct {
	nodes   int // of the file that is being read
	terms   int
	regexes int
	regex   int // instructions of all of them
}

// affordsTerm refuses what is too long to be a word or phrase, and one word too many.
func (l *loader) affordsTerm(n *yaml.Node, s string) bool {
	if l.builtin {
		return true
	}
	if count := utf8.RuneCountInString(s); count > longestTerm {
		l.fail(n, "limit", fmt.Sprintf("a term of %d letters", count), fmt.Sprintf("it is looked for in every mention; at most %d", longestTerm), "name the few words that matter, with all_words or near")
		return false
	}
	if l.spent.terms++; l.spent.terms == maxTerms+1 {
		l.fail(n, "limit", fmt.Sprintf("more than %d terms in all files", maxTerms), "they are held in memory, and put together anew at each reload", "end words with * instead of listing their forms, and take out what nothing looks for")
	}
	return l.spent.terms <= maxTerms
}

// affordsRegex refuses an expression whose compiled form is too large, alone or together with those before it, and one
// expression too many.
func (l *loader) affordsRegex(n *yaml.Node, s string) bool {
	size, before := regexSize(s), l.spent.regex
	if size > largestRegex {
		l.fail(n, "E12", fmt.Sprintf("the regular expression is compiled to %d instructions", size), fmt.Sprintf("every letter of a mention may be held against each of them; at most %d", largestRegex), "repeat less: x{1,1000} is a thousand times x")
		return false
	}
	l.spent.regex += size
	l.spent.regexes++
	const instead = "use any_words, which costs the same for thousands of words"
	if l.spent.regexes == maxRegexes+1 {
		l.fail(n, "E12", fmt.Sprintf("more than %d regular expressions in all files", maxRegexes), "a mention of the brand may be held against all of them", instead)
	}
	if l.spent.regex > allRegexes && before <= allRegexes {
		l.fail(n, "E12", fmt.Sprintf("the regular expressions of all files are compiled to more than %d instructions", allRegexes), "a mention of the brand may be held against all of them", instead)
	}
	return l.spent.regexes <= maxRegexes && l.spent.regex <= allRegexes
}

// regexSize is how many instructions an expression is compiled to, as regexp.Compile does it; 0 if it is none.
func regexSize(s string) int {
	re, err := syntax.Parse(s, syntax.Perl)
	if err != nil {
		return 0
	}
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return 0
	}
	return len(prog.Inst)
}
