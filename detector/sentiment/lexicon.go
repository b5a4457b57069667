package sentiment

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"emberwatch/rules"
)

//go:embed lexicon-*.tsv emoji.tsv
var files embed.FS

// role is what a word does to the words around it.
type role uint8

const (
	negates role = 1 << iota
	strengthens
	weakens
	contrasts
)

var roles = map[string]role{"not": negates, "more": strengthens, "less": weakens, "but": contrasts, "-": 0}

// entry is what a lexicon says about one word, or about all words with one beginning.
type entry struct {
	valence float32
	roles   role
	phrases []phrase // those that begin with the word, the longest first
	plain   bool     // the list has the word itself
}

// phrase is the rest of an entry of several words.
type phrase struct {
	rest    []string
	open    bool // the last word may have any ending
	valence float32
}

// table is the lexicon of one language.
type table struct {
	words   map[string]*entry
	stems   map[string]*entry
	longest int // bytes of the longest stem
}

// shortestStem bounds from below how many bytes of a word are looked up as its beginning.
const shortestStem = 3

// uncover gives the first words of phrases that say nothing by themselves what their beginning says: a phrase must not
// hide "terribl*" from "terrible".
func (t *table) uncover() {
	for word, e := range t.words {
		if len(e.phrases) == 0 || e.valence != 0 || e.roles != 0 || e.plain {
			continue
		}
		for n := min(len(word), t.longest); n >= shortestStem; n-- {
			if stem := t.stems[word[:n]]; stem != nil {
				e.valence, e.roles = stem.valence, stem.roles
				break
			}
		}
	}
}

// find returns the entry of the folded word w or nil: the word itself, else its longest known beginning.
func (t *table) find(w []byte) *entry {
	if e := t.words[string(w)]; e != nil {
		return e
	}
	for n := min(len(w), t.longest); n >= shortestStem; n-- {
		if n < len(w) && !utf8.RuneStart(w[n]) {
			continue
		}
		if e := t.stems[string(w[:n])]; e != nil {
			return e
		}
	}
	return nil
}

// parse adds the lines of a lexicon: a word, a beginning* or a phrase, a tab, and a valence, a role or "-".
func (t *table) parse(data string) error {
	for n, line := range strings.Split(strings.TrimSpace(data), "\n") {
		key, value, ok := strings.Cut(line, "\t")
		if !ok {
			return fmt.Errorf("line %d: no tab", n+1)
		}
		r, isRole := roles[value]
		v, err := strconv.ParseFloat(value, 32)
		if !isRole && err != nil {
			return fmt.Errorf("line %d: neither a valence nor a role: %q", n+1, value)
		}
		key = rules.Fold(key)
		t.add(key, float32(v), r)
		if strings.Contains(key, "ß") { // which is how capitals and the Swiss write it
			t.add(strings.ReplaceAll(key, "ß", "ss"), float32(v), r)
		}
	}
	return nil
}

func (t *table) add(key string, v float32, r role) {
	stem, open := strings.CutSuffix(key, "*")
	if first, rest, ok := strings.Cut(stem, " "); ok {
		e := at(t.words, first)
		e.phrases = insert(e.phrases, phrase{strings.Fields(rest), open, v})
		return
	}
	m := t.words
	if open {
		m = t.stems
		t.longest = max(t.longest, len(stem))
	}
	e := at(m, stem)
	e.plain = true
	e.roles |= r
	if v != 0 {
		e.valence = v
	}
}

func at(m map[string]*entry, key string) *entry {
	e := m[key]
	if e == nil {
		e = new(entry)
		m[key] = e
	}
	return e
}

// insert keeps the phrases with more words first, so that the first that fits is the longest.
func insert(ps []phrase, p phrase) []phrase {
	i := 0
	for i < len(ps) && len(ps[i].rest) >= len(p.rest) {
		i++
	}
	ps = append(ps, phrase{})
	copy(ps[i+1:], ps[i:])
	ps[i] = p
	return ps
}
