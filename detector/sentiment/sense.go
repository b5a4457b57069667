package sentiment

import (
	"slices"

	"emberwatch/rules"
)

// mean finds the words that a brand's lexicon speaks about. They are muted, so that neither the table nor the word
// lists see them, and counted for the side that the lexicon puts them on.
func (x *Extractor) mean(senses []rules.Sense) {
	for i := 0; i < len(x.units); i++ {
		for s := range senses {
			n := len(senses[s].Words)
			if !x.spells(i, senses[s].Words) {
				continue
			}
			for k := range n {
				x.units[i+k].muted = true
				x.mute = append(x.mute, x.units[i+k].token)
			}
			switch senses[s].Label {
			case "negative":
				x.meant--
			case "positive":
				x.meant++
			}
			i += n - 1
			break
		}
	}
	if len(x.mute) > 0 {
		x.dropMutedGrams()
	}
}

// spells reports whether the units from i on are the words.
func (x *Extractor) spells(i int, words []string) bool {
	if i+len(words) > len(x.units) {
		return false
	}
	for k, w := range words {
		u := &x.units[i+k]
		if u.kind == rules.Punct || u.kind == rules.Emoji || string(x.doc.Folded(int(u.token))) != w {
			return false
		}
	}
	return true
}

func (x *Extractor) dropMutedGrams() {
	kept, from := x.grams[:0], int32(0)
	for i := range x.units {
		u := &x.units[i]
		to := u.grams
		if !u.muted {
			kept = append(kept, x.grams[from:to]...)
		}
		u.grams = int32(len(kept))
		from = to
	}
	x.grams = kept
}

// isMuted reports whether a brand's lexicon has taken token i out. Few texts have such a token.
func (w *walk) isMuted(i int) bool {
	return len(w.mute) > 0 && slices.Contains(w.mute, int32(i))
}
