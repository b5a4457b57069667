package topics

import (
	"maps"
	"slices"
	"strings"

	"emberwatch/detector"
)

// unknown is the language of a text that nobody knows.
const unknown = "und"

// baseLang returns the language of a code without region and script.
func baseLang(code string) string {
	base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(code), "_", "-"), "-")
	if base == "" {
		return unknown
	}
	return base
}

// commonest returns the language that most texts with a known one are in.
func commonest(texts []detector.Text) string {
	counts := map[string]int{}
	for _, t := range texts {
		if l := baseLang(t.Lang); l != unknown {
			counts[l]++
		}
	}
	best := unknown
	for _, l := range slices.Sorted(maps.Keys(counts)) {
		if best == unknown || counts[l] > counts[best] {
			best = l
		}
	}
	return best
}

// byLang sorts texts by language. Those of none, mostly short ones, go to home: there are too few of them to be
// contrasted alone, and they talk about the same.
func byLang(texts []detector.Text, home string) map[string][]string {
	bodies := map[string][]string{}
	for _, t := range texts {
		l := baseLang(t.Lang)
		if l == unknown {
			l = home
		}
		bodies[l] = append(bodies[l], t.Body)
	}
	return bodies
}
