package topics

import (
	"slices"
	"strings"
	"unicode/utf8"

	"emberwatch/detector"
)

// When terms overlap, one is told.
const (
	pairOfWord = 0.5 // a pair stands for a word if it holds this part of the word's texts
	sameTexts  = 0.6 // a term that shares a word with a better one and this part of its texts is the same topic
)

// merge decides between pairs and their words. A pair whose words do not stand out alone stays. Otherwise it
// takes their place if it explains enough of each ("arctic jacket" for "arctic" and "jacket"), else it goes: of
// "full refund", "refund denied" and "late refund" the topic is "refund".
func (c *corpus) merge(fs []found) []found {
	alone := map[int32]*found{}
	for i := range fs {
		if len(fs[i].forms) == 1 {
			alone[fs[i].forms[0]] = &fs[i]
		}
	}
	gone := map[int32]bool{}
	var out []found
	for i := range fs {
		f := &fs[i]
		if len(f.forms) == 1 {
			continue
		}
		if a, b := alone[f.forms[0]], alone[f.forms[1]]; explains(f, a, b) {
			f.z = max(f.z, scoreOf(a), scoreOf(b))
			gone[f.forms[0]], gone[f.forms[1]] = true, true
			out = append(out, *f)
		}
	}
	for i := range fs {
		if len(fs[i].forms) == 1 && !gone[fs[i].forms[0]] {
			out = append(out, fs[i])
		}
	}
	c.sort(out)
	return out
}

func explains(p *found, words ...*found) bool {
	for _, w := range words {
		if w != nil && float64(p.count) < pairOfWord*float64(w.count) {
			return false
		}
	}
	return true
}

func scoreOf(f *found) float64 {
	if f == nil {
		return 0
	}
	return f.z
}

// distinct drops terms that tell again what a better one has told.
func (c *corpus) distinct(fs []found) []found {
	var out []found
	for _, f := range fs {
		if !slices.ContainsFunc(out, func(better found) bool { return c.retells(better, f) }) {
			out = append(out, f)
		}
	}
	return out
}

// retells reports whether f shares a word with a better term, or for scripts without spaces a rune, and most of
// its texts.
func (c *corpus) retells(better, f found) bool {
	return c.share(better.forms, f.forms) &&
		float64(common(better.docs, f.docs)) >= sameTexts*float64(len(f.docs))
}

func (c *corpus) share(a, b []int32) bool {
	for _, x := range a {
		for _, y := range b {
			if x == y || glued(c.vocab[x]) && glued(c.vocab[y]) && strings.ContainsAny(c.vocab[x], c.vocab[y]) {
				return true
			}
		}
	}
	return false
}

// glued reports whether a word is a pair of runes of an unspaced script.
func glued(word string) bool {
	r, _ := utf8.DecodeRuneInString(word)
	return r >= 0x0E00 && utf8.RuneCountInString(word) == 2
}

// common counts what two ascending lists have in common.
func common(a, b []int32) (n int) {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			n++
			a, b = a[1:], b[1:]
		}
	}
	return n
}

// tell puts the first n terms into words.
func (c *corpus) tell(fs []found, n int) []topic {
	var out []topic
	for _, f := range fs[:min(n, len(fs))] {
		t := topic{key: c.key(f.forms), Topic: detector.Topic{
			Words: c.spelling(&f), Of: c.incident.texts, Lang: c.lang, Score: f.z,
		}}
		for _, d := range f.docs {
			t.Count += c.incident.docs[d].copies
		}
		out = append(out, t)
	}
	return out
}

// votes are for one spelling. Those of plain terms come first: "Zipper" at the beginning of a sentence and
// "ZIPPER" do not say how the word is written.
type votes struct{ plain, all int }

// spelling returns how most people wrote a term.
func (c *corpus) spelling(f *found) string {
	counts := map[string]votes{}
	for _, i := range f.docs {
		d := &c.incident.docs[i]
		for at := range d.terms {
			if !c.standsAt(d, at, f.forms) {
				continue
			}
			last := at + len(f.forms) - 1
			s := strings.Join(strings.Fields(d.text[d.terms[at].start:d.terms[last].end]), " ")
			v := counts[s]
			v.all += d.weight
			if !slices.ContainsFunc(d.terms[at:last+1], func(t term) bool { return !t.plain }) {
				v.plain += d.weight
			}
			counts[s] = v
		}
	}
	return mostVoted(counts, c.key(f.forms))
}

// standsAt reports whether the words of a term stand in a row in d from at on.
func (c *corpus) standsAt(d *doc, at int, forms []int32) bool {
	if at+len(forms) > len(d.terms) {
		return false
	}
	for k, f := range forms {
		t := &d.terms[at+k]
		if c.forms[t.word] != f || k > 0 && !t.joined {
			return false
		}
	}
	return true
}

func mostVoted(counts map[string]votes, otherwise string) string {
	best, had := otherwise, votes{}
	for s, v := range counts {
		switch {
		case v.plain != had.plain:
			if v.plain < had.plain {
				continue
			}
		case v.all != had.all:
			if v.all < had.all {
				continue
			}
		case s < best: // small letters come after capitals
			continue
		}
		best, had = s, v
	}
	return best
}
