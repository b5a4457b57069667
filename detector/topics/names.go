package topics

import (
	"strings"
	"unicode/utf8"

	"emberwatch/rules"
)

// nameList is a brand's own names: a name of one word takes its inflected forms with it; one of several words
// counts only as a whole, so that "North Face" does not silence "face".
type nameList struct {
	single []string
	whole  [][]string
}

func newNameList(list []string) *nameList {
	n := &nameList{}
	for _, name := range list {
		d := rules.Tokenize(name)
		var ws []string
		for i := range d.Tokens {
			if d.Tokens[i].Counts() {
				ws = append(ws, d.FoldedString(i))
			}
		}
		if len(ws) == 0 {
			continue
		}
		one := strings.Join(ws, "") // also as a hashtag
		if utf8.RuneCountInString(one) > maxWordRunes {
			continue // no word of a text is so long, and looking for it would take long
		}
		n.single = append(n.single, one)
		if len(ws) > 1 {
			n.whole = append(n.whole, ws)
		}
	}
	return n
}

// isOne reports whether a word is a name or a form of it.
func (n *nameList) isOne(word string) bool {
	for _, name := range n.single {
		if word == name || sameForm(name, word) && strings.HasPrefix(word, name) {
			return true
		}
	}
	return false
}

// at returns how many tokens from i on are a name of several words.
func (n *nameList) at(d *rules.Doc, i int) int {
	for _, ws := range n.whole {
		if i+len(ws) <= len(d.Tokens) && matches(d, i, ws) {
			return len(ws)
		}
	}
	return 0
}

func matches(d *rules.Doc, i int, ws []string) bool {
	for k, w := range ws {
		if string(d.Folded(i+k)) != w {
			return false
		}
	}
	return true
}
