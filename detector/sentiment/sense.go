package sentiment

import (
	"slices"

	"emberwatch/rules"
)

// mean finds the words that have a sense of their own for a brand. They are muted, so that neither the tables nor the
// word lists see them, and counted for the side that they are on.
func (x *Extractor) mean(senses []rules.Sense) {
	x.meant, x.mute = 0, x.mute[:0]
	if len(senses) == 0 {
		return
	}
	for i := 0; i < len(x.units); i++ {
		for _, s := range rules.SensesAt(senses, x.doc.Folded(int(x.units[i].token))) {
			n := len(s.Words)
			if !x.spells(i, s.Words) {
				continue
			}
			for k := range n {
				x.units[i+k].muted = true
				x.mute = append(x.mute, x.units[i+k].token)
			}
			switch s.Label {
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
		x.dropMuted()
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

// dropMuted takes the grams and pieces of muted words out.
func (x *Extractor) dropMuted() {
	grams, lid := x.grams[:0], x.lid[:0]
	var from unit
	for i := range x.units {
		u := &x.units[i]
		to := *u
		if !u.muted {
			grams = append(grams, x.grams[from.grams:to.grams]...)
			lid = append(lid, x.lid[from.lid:to.lid]...)
		}
		u.grams, u.lid = int32(len(grams)), int32(len(lid))
		from = to
	}
	x.grams, x.lid = grams, lid
}

// isMuted reports whether token i has a sense of its own. Few texts have such a token.
func (w *walk) isMuted(i int) bool {
	if len(w.mute) == 0 {
		return false
	}
	_, muted := slices.BinarySearch(w.mute, int32(i)) // they were found in order
	return muted
}
