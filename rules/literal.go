package rules

import (
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// literalsOf returns texts of which every match of an expression holds one, all folded by appendCase; none if there is no
// such set, or if one of them would have fewer than leastLiteral bytes. After the prefilters of Russ Cox ("Regular Expression
// Matching with a Trigram Index", 2012), with whole literals in place of trigrams.
func literalsOf(expr string) []string {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	literals := required(re.Simplify())
	if shortest(literals) < leastLiteral {
		return nil
	}
	return literals
}

// leastLiteral is how long a literal has to be: shorter ones are in most texts anyway.
const leastLiteral = 2

// mostLiterals bounds what alternatives of alternatives add up to.
const mostLiterals = 100

func required(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(appendCase(nil, string(re.Rune)))}
	case syntax.OpCapture, syntax.OpPlus:
		return required(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return required(re.Sub[0])
		}
	case syntax.OpConcat:
		return requiredOfAll(re.Sub)
	case syntax.OpAlternate:
		return requiredOfAny(re.Sub)
	}
	return nil
}

// requiredOfAll returns the literals of the part that is the most telling.
func requiredOfAll(parts []*syntax.Regexp) []string {
	var best []string
	for _, p := range parts {
		if l := required(p); shortest(l) > shortest(best) {
			best = l
		}
	}
	return best
}

func requiredOfAny(ways []*syntax.Regexp) []string {
	var all []string
	for _, w := range ways {
		l := required(w)
		if len(l) == 0 || len(all)+len(l) > mostLiterals {
			return nil
		}
		all = append(all, l...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func shortest(literals []string) int {
	if len(literals) == 0 {
		return 0
	}
	return len(slices.MinFunc(literals, func(a, b string) int { return len(a) - len(b) }))
}

// appendCase appends s with each letter as the least of those that differ from it in case only: what an expression under
// (?i) takes for the same.
func appendCase(dst []byte, s string) []byte {
	for _, r := range s {
		if r < utf8.RuneSelf && r != 'k' && r != 's' { // K and ſ are K and S as well
			if 'a' <= r && r <= 'z' {
				r += 'A' - 'a'
			}
			dst = append(dst, byte(r))
			continue
		}
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		dst = utf8.AppendRune(dst, least)
	}
	return dst
}
