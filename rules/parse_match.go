package rules

import (
	"fmt"
	"math"
	"regexp"
	"strconv"

	"emberwatch/sources"

	"go.yaml.in/yaml/v4"
)

func (l *loader) match(v *yaml.Node) Match {
	var m Match
	categories := func(to *[]string) func(*yaml.Node) {
		return func(v *yaml.Node) {
			for _, n := range l.items(v) {
				*to = append(*to, l.str(n))
				l.refer(n, "category", n.Value)
			}
		}
	}
	listed := func(example string, read func(*yaml.Node)) func(*yaml.Node) {
		return func(v *yaml.Node) {
			l.nothing(v, "the list", example)
			read(v)
		}
	}
	seen := l.object(v, "match", fields{
		"sentiment":      func(v *yaml.Node) { m.Sentiment = l.oneOf(v, "negative", "neutral", "positive") },
		"category":       listed("delivery", categories(&m.Categories)),
		"categories":     listed("[delivery]", categories(&m.Categories)),
		"not_categories": categories(&m.NotCategories),
		"confidence":     func(v *yaml.Node) { m.Confidence = l.float(v, 0, 1) },
		"kinds":          listed("[comment, review]", func(v *yaml.Node) { m.Kinds = l.kinds(v) }),
		"sources":        listed("[mastodon]", func(v *yaml.Node) { m.Sources = l.strs(v) }),
		"languages":      listed("[en, de]", func(v *yaml.Node) { m.Languages = l.languages(v) }),
		"rating":         func(v *yaml.Node) { m.MinRating, m.MaxRating = l.rating(v) },
		"reach":          func(v *yaml.Node) { m.MinReach = l.reach(v) },
		"authors":        func(v *yaml.Node) { m.Authors = l.authors(v) },
		"all_of":         listed("[leak]", func(v *yaml.Node) { m.AllOf = l.matchTerms(v) }),
		"any_of":         listed("[leak]", func(v *yaml.Node) { m.AnyOf = l.matchTerms(v) }),
		"none_of":        func(v *yaml.Node) { m.NoneOf = l.matchTerms(v) },
	})
	if seen["confidence"] != nil && seen["category"] == nil && seen["categories"] == nil {
		l.fail(seen["confidence"], "key", "confidence belongs to category", "it is how sure the category has to be", "add category, or take it out")
	}
	return m
}

func (l *loader) kinds(v *yaml.Node) []sources.Kind {
	words := []string{"mention", "reaction"}
	for _, k := range sources.Kinds {
		words = append(words, string(k))
	}
	var all []sources.Kind
	for _, n := range l.items(v) {
		switch k := l.oneOf(n, words...); k {
		case "":
		case "mention":
			all = append(all, sources.Tag)
		case "reaction":
			all = append(all, sources.Like)
		default:
			all = append(all, sources.Kind(k))
		}
	}
	return all
}

var compareForm = regexp.MustCompile(`^\s*(<=|>=|<|>|==|=)?\s*([0-9]{1,9}(?:\.[0-9]{1,3})?)\s*$`)

// comparison reads "<= 2": a sign and a number.
func (l *loader) comparison(v *yaml.Node, example string) (sign string, num float64, ok bool) {
	m := compareForm.FindStringSubmatch(v.Value)
	if v.Kind != yaml.ScalarNode || m == nil {
		l.typeError(v, "a comparison", example)
		return "", 0, false
	}
	num, _ = strconv.ParseFloat(m[2], 64)
	return m[1], num, true
}

func (l *loader) rating(v *yaml.Node) (lo, hi float64) {
	sign, num, ok := l.comparison(v, `"<= 2"`)
	switch {
	case !ok:
		return 0, 0
	case num < 1 || num > 5:
		l.typeError(v, "a rating from 1 to 5", `"<= 2"`)
	case num == 1 && sign == "<" || num == 5 && sign == ">":
		l.fail(v, "type", fmt.Sprintf("no rating is %s %g", sign, num), "ratings are from 1 to 5: nothing would match", `write it like "<= 2"`)
	}
	switch sign {
	case "<":
		return 0, math.Nextafter(num, 0)
	case "<=":
		return 0, num
	case ">":
		return math.Nextafter(num, 6), 0
	case ">=":
		return num, 0
	}
	return num, num
}

func (l *loader) reach(v *yaml.Node) int {
	sign, num, ok := l.comparison(v, `">= 1000"`)
	switch {
	case !ok:
		return 0
	case sign != ">" && sign != ">=" && sign != "":
		l.typeError(v, "a least reach", `">= 1000"`)
	case sign == ">":
		num++
	}
	return int(num)
}
