package rules

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
	"golang.org/x/text/unicode/norm"
)

// terms reads words and phrases, each checked.
func (l *loader) terms(v *yaml.Node) []string {
	var all []string
	for _, n := range l.items(v) {
		if s := l.term(n); s != "" {
			all = append(all, s)
		}
	}
	return all
}

func (l *loader) termsByKey(v *yaml.Node) map[string][]string {
	m := map[string][]string{}
	l.each(v, func(k, v *yaml.Node) {
		l.nothing(v, k.Value, k.Value+": [what people call it]")
		m[k.Value] = l.terms(v)
	})
	return m
}

// byLanguage reads words and phrases by language.
func (l *loader) byLanguage(v *yaml.Node) map[string][]string {
	m := map[string][]string{}
	l.each(v, func(k, v *yaml.Node) {
		if k.Value == "any" || l.language(k) != "" {
			m[k.Value] = l.terms(v)
		}
	})
	return m
}

// term reads one word or phrase.
func (l *loader) term(n *yaml.Node) string {
	s := l.str(n)
	if s == "" || !l.cleanTerm(n, s) || !l.affordsTerm(n, s) {
		return ""
	}
	words := phraseWords(s)
	switch {
	case len(words) == 0:
		l.fail(n, "type", describe(n)+" holds no word", "it could match nothing", "use {raw: …} for signs")
		return ""
	case openInside(s):
		l.fail(n, "type", "a * inside a word", "only the end of a word may be open", "write the beginning of the word and a * after it")
		return ""
	case !l.builtin:
		l.doubtfulTerm(n, s, words)
	}
	return s
}

// openInside reports whether a * stands elsewhere than at the end of a word.
func openInside(s string) bool {
	return strings.Contains(strings.TrimSuffix(strings.ReplaceAll(s, "* ", " "), "*"), "*")
}

// cleanTerm refuses what nobody can see in a term.
func (l *loader) cleanTerm(n *yaml.Node, s string) bool {
	for _, r := range s {
		hidden := unicode.IsControl(r) || isIgnorable(r) && r != 0x200C && r != zwj && !isVariation(r)
		if hidden {
			l.fail(n, "E13", fmt.Sprintf("%s holds the invisible character U+%04X", describe(n), r),
				"nobody who reads the file can see it", "type the term again instead of pasting it")
			return false
		}
	}
	return true
}

// doubtfulTerm warns of terms that will match too much or not what their author sees.
func (l *loader) doubtfulTerm(n *yaml.Node, s string, words []string) {
	if w := strings.TrimSuffix(words[0], "*"); len(words) == 1 && utf8.RuneCountInString(w) < 3 && w[0] < 0x80 {
		l.warn(n, "W02", fmt.Sprintf("the term %s is shorter than 3 letters", describe(n)), "it will match by accident", "use a phrase, or near another word")
	}
	if !norm.NFC.IsNormalString(s) {
		l.warn(n, "W12", fmt.Sprintf("the term %s is not in Unicode NFC", describe(n)), "letters and their accents are apart; it is read as if they were one", "save the file in NFC")
	}
	for _, w := range strings.Fields(s) {
		if scripts := mixedScripts(w); scripts != "" {
			l.warn(n, "W12", fmt.Sprintf("%q mixes %s letters", w, scripts), "it looks like another word and does not match it", "type it again in one script")
		}
	}
}

// mixedScripts names the scripts of a word that has letters of two that look alike.
func mixedScripts(w string) string {
	var latin, cyrillic, greek bool
	for _, r := range w {
		latin = latin || unicode.Is(unicode.Latin, r)
		cyrillic = cyrillic || unicode.Is(unicode.Cyrillic, r)
		greek = greek || unicode.Is(unicode.Greek, r)
	}
	switch {
	case latin && cyrillic:
		return "Latin and Cyrillic"
	case latin && greek:
		return "Latin and Greek"
	case cyrillic && greek:
		return "Cyrillic and Greek"
	}
	return ""
}

// matchTerms reads the terms of all_of, any_of and none_of.
func (l *loader) matchTerms(v *yaml.Node) []*Term {
	var all []*Term
	list := new(termList)
	for _, n := range l.items(v) {
		t := l.matchTerm(n)
		if t == nil {
			continue
		}
		t.list = list
		if t.op == groupOf {
			list.groups = append(list.groups, t)
		}
		all = append(all, t)
	}
	return all
}

func (l *loader) matchTerm(n *yaml.Node) *Term {
	n, ok := l.real(n)
	if !ok {
		return nil
	}
	t := &Term{Pos: l.pos(n)}
	if n.Kind == yaml.MappingNode {
		return l.termObject(n, t)
	}
	if n.Value == "brand" || strings.HasPrefix(n.Value, "product.") {
		t.op, t.group = groupOf, n.Value
		return t
	}
	t.op, t.words = anyWords, []string{l.term(n)}
	if t.words[0] == "" {
		return nil
	}
	return t
}

// termObject reads {phrase: …}, {near: […], within_words: 5} and their like: exactly one way to match.
func (l *loader) termObject(n *yaml.Node, t *Term) *Term {
	count := len(l.errs)
	ways := 0
	words := func(op termOp, least int) func(*yaml.Node) {
		return func(v *yaml.Node) {
			ways++
			t.op, t.words = op, l.terms(v)
			if len(t.words) < least && !l.errs[count:].Refused() {
				l.fail(v, "type", fmt.Sprintf("at least %d words are needed here", least), "", "write more of them, or phrase")
			}
		}
	}
	l.object(n, "a term", fields{
		"phrase":       words(anyWords, 1),
		"all_words":    words(allWords, 1),
		"any_words":    words(anyWords, 1),
		"near":         words(nearWords, 2),
		"within_words": func(v *yaml.Node) { t.within = l.int(v, 1, 50) },
		"regex":        func(v *yaml.Node) { ways++; l.regex(v, t) },
		"raw":          func(v *yaml.Node) { ways++; l.raw(v, t) },
	})
	switch {
	case len(l.errs) > count && l.errs[count:].Refused():
		return nil
	case ways != 1:
		l.fail(n, "type", "a term has exactly one of phrase, all_words, any_words, near, regex, raw", "", "")
		return nil
	case t.within > 0 && t.op != nearWords:
		l.fail(n, "key", "within_words belongs to near", "", "write near: [a, b]")
		return nil
	case t.op == nearWords && t.within == 0:
		t.within = nearWithin
	}
	return t
}

// raw reads exact characters.
func (l *loader) raw(v *yaml.Node, t *Term) {
	t.op, t.raw = rawText, l.str(v)
	l.affordsTerm(v, t.raw)
}

// regex compiles a regular expression; (?i) is not added: what is written counts.
func (l *loader) regex(v *yaml.Node, t *Term) {
	t.op = regex
	s := l.str(v)
	if s == "" {
		return
	}
	if len(s) > longestRegex {
		l.fail(v, "E12", fmt.Sprintf("a regular expression of %d letters", len(s)), fmt.Sprintf("every mention of the brand is held against it; at most %d", longestRegex), "use any_words, which costs the same for thousands of words")
		return
	}
	if !l.affordsRegex(v, s) {
		return
	}
	re, err := regexp.Compile(s)
	switch {
	case err != nil:
		l.fail(v, "E12", "the regular expression is not RE2: "+strings.TrimPrefix(err.Error(), "error parsing regexp: "),
			"look-around and back references are not there", "put it into single quotes and try it in an RE2 tester")
	case re.MatchString(""):
		l.fail(v, "E12", "the regular expression matches the empty text", "it would match every mention", "make at least one part of it mandatory")
	}
	t.re = re
}
