package rules

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Condition is one thing that a rule's match asks of a mention, and whether this mention has it.
type Condition struct {
	Wanted string `json:"wanted"` // in words: "sentiment negative"
	Found  string `json:"found"`  // what the mention has: "positive"
	Holds  bool   `json:"holds"`
}

// Conditions takes the rule's match apart for one mention: all of them hold if and only if [Rule.Holds] does.
func (r *Rule) Conditions(f *Facts) []Condition {
	m := &r.Match
	var cs []Condition
	add := func(asked bool, part Match, wanted, found string) {
		if asked {
			one := Rule{Brand: r.Brand, Match: part}
			cs = append(cs, Condition{wanted, found, one.Holds(f)})
		}
	}
	add(m.Sentiment != "", Match{Sentiment: m.Sentiment}, "sentiment "+m.Sentiment, f.Label)
	add(len(m.Languages) > 0, Match{Languages: m.Languages}, "language "+anyOf(m.Languages), f.Lang)
	add(len(m.Categories) > 0, Match{Categories: m.Categories, Confidence: m.Confidence},
		"category "+anyOf(m.Categories)+atLeast(m.Confidence), f.categories())
	for _, c := range m.NotCategories {
		add(true, Match{NotCategories: []string{c}}, "not category "+c, f.categories())
	}
	if x := f.Mention; x != nil {
		kinds := make([]string, len(m.Kinds))
		for i, k := range m.Kinds {
			kinds[i] = string(k)
		}
		add(len(kinds) > 0, Match{Kinds: m.Kinds}, "kind "+anyOf(kinds), string(x.Kind))
		add(len(m.Sources) > 0, Match{Sources: m.Sources}, "source "+anyOf(m.Sources), strings.TrimSpace(x.Source+" "+x.Network))
		add(m.MinRating != 0, Match{MinRating: m.MinRating}, "at least "+number(m.MinRating)+" stars", stars(x.Rating))
		add(m.MaxRating != 0, Match{MaxRating: m.MaxRating}, "at most "+number(m.MaxRating)+" stars", stars(x.Rating))
		add(m.MinReach > 0, Match{MinReach: m.MinReach}, fmt.Sprintf("reach of at least %d", m.MinReach), strconv.Itoa(x.Reach()))
		m.Authors.conditions(x, func(asked bool, part Authors, wanted, found string) { add(asked, Match{Authors: part}, wanted, found) })
	}
	for _, t := range m.AllOf {
		add(true, Match{AllOf: []*Term{t}}, "the text has "+t.String(), f.apart(t))
	}
	if len(m.AnyOf) > 0 {
		texts, found := f.anyTerms(m.AnyOf, r.Brand)
		add(true, Match{AnyOf: m.AnyOf}, "the text has "+anyOf(texts), found)
	}
	for _, t := range m.NoneOf {
		cs = append(cs, Condition{"the text does not have " + t.String(), "", f.Found == nil || !f.Found.holds(t, r.Brand)})
	}
	return cs
}

// anyTerms says the terms of a list, and which of them the text has, or nearly.
func (f *Facts) anyTerms(list []*Term, brand string) (texts []string, found string) {
	var has, nearly []string
	for _, t := range list {
		texts = append(texts, t.String())
		if f.Found != nil && f.Found.holds(t, brand) {
			has = append(has, t.String())
		} else if apart := f.apart(t); apart != "" {
			nearly = append(nearly, apart)
		}
	}
	if len(has) == 0 {
		has = nearly
	}
	return texts, strings.Join(has, ", ")
}

// apart says of a near term whose words are all there that they are too far from each other.
func (f *Facts) apart(t *Term) string {
	if f.Found == nil || !slices.Contains(f.Found.terms.apart, t) {
		return ""
	}
	return allOf(quoted(t.words)) + ", too far apart"
}

// categories says what the mention points to, the weightiest first.
func (f *Facts) categories() string {
	ids := slices.Clone(f.Categories)
	if f.Found == nil {
		return strings.Join(ids, ", ")
	}
	for i := range f.Found.Hits {
		h := &f.Found.Hits[i]
		said := fmt.Sprintf("%s %s (%q)", h.Category, number(h.Confidence), h.Cue)
		if h.Negated {
			said = fmt.Sprintf("%s negated (%q)", h.Category, h.Cue)
		}
		if at := slices.Index(ids, h.Category); at >= 0 {
			ids[at] = said
		} else {
			ids = append(ids, said)
		}
	}
	return strings.Join(ids, ", ")
}

func anyOf(words []string) string { return listed(words, " or ") }

func allOf(words []string) string { return listed(words, " and ") }

// listed puts a word before the last of a list, commas elsewhere.
func listed(words []string, last string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + last + words[len(words)-1]
}

func atLeast(confidence float64) string {
	if confidence == 0 {
		return ""
	}
	return " with a confidence of at least " + number(confidence)
}

func stars(rating float64) string {
	if rating == 0 {
		return "none"
	}
	return number(rating)
}

func number(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }
