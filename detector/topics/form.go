package topics

import (
	"bytes"
	"slices"
	"strings"
	"unicode/utf8"
)

// elisions are what French and Italian put before an apostrophe.
var elisions = []string{"l", "d", "j", "m", "t", "s", "c", "n", "qu", "jusqu", "lorsqu", "puisqu", "un", "dell", "all", "nell", "sull", "dall", "quell"}

// articles are what Arabic writes in front of a word, in folded letters.
var articles = []string{"وال", "فال", "بال", "كال", "ال", "لل"}

// bare takes from a folded word what belongs to the words around it: the English possessive, elided articles,
// the Arabic article.
func bare(word []byte, lang string) []byte {
	if head, tail, ok := bytes.Cut(word, []byte("'")); ok {
		switch {
		case (lang == "fr" || lang == "it") && slices.Contains(elisions, string(head)):
			word = tail
		case string(tail) == "s":
			word = head
		}
	}
	for _, a := range articles {
		if rest, ok := bytes.CutPrefix(word, []byte(a)); ok && utf8.RuneCount(rest) >= 3 {
			return rest
		}
	}
	return word
}

// sameForm reports whether two folded words count as forms of one: they share at least four letters and two
// thirds of the longer one, and beyond that the first has at most three letters and the second at most four; or the
// second only adds an s. It is right about "refund" and "refunded", "молния" and "молнией", "dragkedja" and
// "dragkedjorna"; it misses "pricing" for "price" and takes "customs" for "customer". No stemmer is right in ten
// languages at once, and the price of a mistake is a word count.
func sameForm(a, b string) bool {
	n, at := shared(a, b)
	restA, restB := utf8.RuneCountInString(a[at:]), utf8.RuneCountInString(b[at:])
	if n >= 3 && restA == 0 && b[at:] == "s" {
		return true
	}
	return n >= 4 && restA <= 3 && restB <= 4 && 3*n >= 2*(n+max(restA, restB))
}

// shared returns how many letters two words begin with together, and how many bytes those are.
func shared(a, b string) (n, at int) {
	for at < len(a) && at < len(b) {
		r, size := utf8.DecodeRuneInString(a[at:])
		if !strings.HasPrefix(b[at:], a[at:at+size]) || r == utf8.RuneError {
			break
		}
		at += size
		n++
	}
	return n, at
}

// lookBack bounds how many earlier words each is compared with: "apps" stands behind "apple" and "app".
const lookBack = 64

// formsOf maps every word to the number of its form group: the first of the group in alphabetical order.
func formsOf(words []string) []int32 {
	order := make([]int32, len(words))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return strings.Compare(words[a], words[b]) })
	forms := make([]int32, len(words))
	var heads []int32
	for _, w := range order {
		forms[w] = w
		for k := len(heads) - 1; k >= max(0, len(heads)-lookBack); k-- {
			if n, _ := shared(words[heads[k]], words[w]); n < 3 {
				break // in this order those further back share no more
			}
			if sameForm(words[heads[k]], words[w]) {
				forms[w] = heads[k]
				break
			}
		}
		if forms[w] == w {
			heads = append(heads, w)
		}
	}
	return forms
}
