package rules

import "slices"

// termWords says which words the terms of rules are made of. A term of several words is looked at only where the one of them
// is found that the fewest terms have: "broken" may stand in ten thousand of them, and costs nothing there.
type termWords struct {
	ids    map[string]int32 // by word or phrase as written
	terms  [][]wordTerm     // by word: those that are looked at where it is found
	shared []int32          // by word: how many terms have it
}

// wordTerm is a term with the words that it is made of, by their numbers.
type wordTerm struct {
	term  *Term
	words []int32
}

// addTerms puts in the terms of all rules.
func (x *index) addTerms(b *phraseBuilder, rules []*Rule) {
	x.termWords.ids = map[string]int32{}
	var texts textsBuilder
	var all []wordTerm
	for _, r := range rules {
		for _, t := range slices.Concat(r.Match.AllOf, r.Match.AnyOf, r.Match.NoneOf) {
			switch t.op {
			case rawText, regex:
				texts.add(r.Brand, t)
			case allWords, anyWords, nearWords:
				all = append(all, wordTerm{t, x.wordsOf(b, t)})
			}
		}
	}
	x.texts = texts.build()
	for _, t := range all {
		for _, word := range x.termWords.leading(&t) {
			x.termWords.terms[word] = append(x.termWords.terms[word], t)
		}
	}
}

// wordsOf puts in the words of a term, each once for all terms that have it.
func (x *index) wordsOf(b *phraseBuilder, t *Term) []int32 {
	words := make([]int32, len(t.words))
	w := &x.termWords
	for i, text := range t.words {
		id, ok := w.ids[text]
		if !ok {
			id = int32(len(w.terms))
			w.ids[text] = id
			w.terms, w.shared = append(w.terms, nil), append(w.shared, 0)
			x.add(b, pattern{role: roleTerm, owner: int(id), text: text})
		}
		w.shared[id]++
		words[i] = id
	}
	return words
}

// leading are the words at which a term is looked at: any of them, or the rarest.
func (w *termWords) leading(t *wordTerm) []int32 {
	if t.term.op == anyWords {
		return t.words
	}
	return []int32{slices.MinFunc(t.words, func(a, b int32) int { return int(w.shared[a] - w.shared[b]) })}
}

// foundTerms are the terms that a text holds, and the lists that have any of them.
type foundTerms struct {
	held  map[*Term]bool
	lists map[*termList]bool
	apart []*Term // near terms that it does not hold, though it has all their words
}

func (f *foundTerms) hold(t *Term) {
	if f.held == nil {
		f.held, f.lists = map[*Term]bool{}, map[*termList]bool{}
	}
	f.held[t] = true
	f.lists[t.list] = true
}

// terms evaluates the terms, those that look at characters only for the brands that were found.
func (t *tally) terms(brands []string) foundTerms {
	var f foundTerms
	t.texts.find(t.doc.Text, brands, &t.textual, f.hold)
	places := t.wordPlaces()
	for id := range places {
		for i := range t.termWords.terms[id] {
			switch wt := &t.termWords.terms[id][i]; {
			case wt.holds(places):
				f.hold(wt.term)
			case wt.term.op == nearWords && wt.complete(places):
				f.apart = append(f.apart, wt.term)
			}
		}
	}
	return f
}

// wordPlaces says of the words of terms how many words precede each in the text, wherever it is found.
func (t *tally) wordPlaces() map[int32][]int {
	var places map[int32][]int
	for _, o := range t.found {
		p := &t.patterns[o.phrase]
		if p.role != roleTerm {
			continue
		}
		if places == nil {
			places = map[int32][]int{}
		}
		id := int32(p.owner)
		places[id] = append(places[id], t.doc.Tokens[o.first].Words)
	}
	return places
}

// holds says whether the words found satisfy a term of which one is found.
func (t *wordTerm) holds(places map[int32][]int) bool {
	if t.term.op == anyWords {
		return true
	}
	if !t.complete(places) {
		return false
	}
	var found []placed
	for slot, id := range t.words {
		for _, at := range places[id] {
			found = append(found, placed{slot, at})
		}
	}
	return t.term.op == allWords || spans(found, len(t.words), t.term.within)
}

// complete says whether all the words are found, wherever they stand.
func (t *wordTerm) complete(places map[int32][]int) bool {
	return !slices.ContainsFunc(t.words, func(id int32) bool { return len(places[id]) == 0 })
}

// placed is a word of a term found in a text: which of the term's words, and how many words precede it.
type placed struct{ slot, at int }

// spans reports whether one of each of n words stands within the given number of words. It moves a window over the places in
// order.
func spans(found []placed, n, within int) bool {
	slices.SortFunc(found, func(a, b placed) int { return a.at - b.at })
	count, distinct, lo := make([]int, n), 0, 0
	for _, p := range found {
		if count[p.slot]++; count[p.slot] == 1 {
			distinct++
		}
		for p.at-found[lo].at > within {
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
