package topics

import (
	"cmp"
	"slices"
	"strings"
)

const (
	phraseWords   = 4    // words of the longest phrase
	phraseTexts   = 3    // texts that hold a phrase that only modifies with the term ("zipper problem")
	headTexts     = 2    // texts that hold one with the term as its head ("broken zipper")
	phraseOfTerm  = 0.25 // part of the term's texts in the sample that hold the phrase
	phrasesForTop = 16   // terms that are looked at
)

// phrase is a noun phrase of the sample.
type phrase struct {
	forms []int32
	docs  int // that hold it
	last  int // the doc that was counted last
}

// phrases puts noun phrases in the place of the terms they say more exactly, as far as the tagger answers in
// time. A phrase must hold all words of its term, and either be in three texts or have the term as its head
// and its words in three: what is only common in English, and not unusual for the brand, is no topic.
func (f *Finder) phrases(c *corpus, terms []found) []found {
	if f.tags == nil || len(terms) == 0 {
		return terms
	}
	sample := c.sample()
	var spans [][]span
	var ofDoc []int
	for n, i := range sample {
		for _, s := range c.sentences(clip(c.incident.docs[i].text, sampleBytes)) {
			spans, ofDoc = append(spans, s), append(ofDoc, n)
		}
	}
	tags, ok := f.tags.tags(texts(spans))
	if !ok {
		return terms
	}
	book := map[string]*phrase{}
	for i := range spans {
		if tags[i] != nil {
			c.note(book, spans[i], tags[i], ofDoc[i]+1)
		}
	}
	return c.replace(terms, c.byPhrase(book), sample)
}

// sample returns docs of the incident, evenly spread.
func (c *corpus) sample() []int32 {
	n := len(c.incident.docs)
	size := min(n, sampleTexts)
	out := make([]int32, size)
	for i := range out {
		out[i] = int32(i * n / size)
	}
	return out
}

func texts(sentences [][]span) [][]string {
	out := make([][]string, len(sentences))
	for i, s := range sentences {
		for _, w := range s {
			out[i] = append(out[i], w.text)
		}
	}
	return out
}

// note counts the noun phrases of one sentence: any modifiers, then nouns.
func (c *corpus) note(book map[string]*phrase, s []span, tags []string, doc int) {
	for i := range s {
		var forms []int32
		nouns := false
		for k := i; k < len(s) && len(forms) < phraseWords; k++ {
			noun := strings.HasPrefix(tags[k], "NN")
			modifies := !nouns && modifier(tags, k)
			if s[k].forms == nil || k > i && s[k].cut || !noun && !modifies {
				break
			}
			nouns = nouns || noun
			forms = append(forms, s[k].forms...)
			if noun && len(forms) > 1 {
				c.count(book, forms, doc)
			}
		}
	}
}

// modifier reports whether a word describes the noun behind it. Participles do ("broken zipper"), but not as
// part of a verb ("has broken zippers").
func modifier(tags []string, i int) bool {
	switch {
	case strings.HasPrefix(tags[i], "JJ"):
		return true
	case tags[i] != "VBN" && tags[i] != "VBG":
		return false
	case i == 0:
		return true
	}
	before := tags[i-1]
	return !strings.HasPrefix(before, "VB") && !strings.HasPrefix(before, "RB") && before != "MD" && before != "TO"
}

func (c *corpus) count(book map[string]*phrase, forms []int32, doc int) {
	key := c.key(forms)
	p := book[key]
	if p == nil {
		p = &phrase{forms: slices.Clone(forms)}
		book[key] = p
	}
	if p.last != doc {
		p.last = doc
		p.docs++
	}
}

// byPhrase returns the phrases, those in most texts first, longer ones before shorter ones.
func (c *corpus) byPhrase(book map[string]*phrase) []*phrase {
	var out []*phrase
	for _, p := range book {
		if p.docs >= headTexts {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b *phrase) int {
		return cmp.Or(b.docs-a.docs, len(b.forms)-len(a.forms), strings.Compare(c.key(a.forms), c.key(b.forms)))
	})
	return out
}

// replace puts the first phrase that fits in the place of each term.
func (c *corpus) replace(terms []found, phrases []*phrase, sample []int32) []found {
	out := slices.Clone(terms)
	for i := range out[:min(len(out), phrasesForTop)] {
		inSample := common(out[i].docs, sample)
		for _, p := range phrases {
			if fits(p, out[i].forms, inSample) {
				out[i].forms = p.forms
				break
			}
		}
	}
	c.locate(out)
	for i := range out {
		if len(out[i].docs) < atLeastTexts {
			out[i] = terms[i]
		}
	}
	return out
}

func fits(p *phrase, term []int32, inSample int) bool {
	for _, f := range term {
		if !slices.Contains(p.forms, f) {
			return false
		}
	}
	head := slices.Contains(term, p.forms[len(p.forms)-1])
	return len(p.forms) > len(term) && (head || p.docs >= phraseTexts) &&
		float64(p.docs) >= phraseOfTerm*float64(inSample)
}
