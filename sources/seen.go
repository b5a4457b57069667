package sources

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
)

// Seen is what a poller remembers of the mentions that it has handed over: a digest of the id and one of the
// content of each, the newest first. As a part of a cursor it keeps a restart, and pages that overlap, from
// repeating anything. Ids and texts are foreign and long, and nobody has to read them there.
type Seen [][2]string

// News returns those of ms that were not seen as they are, in their order: a known one with other content as an
// update. Of several with one id the first stands.
func (s Seen) News(ms []Mention) []Mention {
	held := make(map[string]string, len(s)+len(ms))
	for _, pair := range s {
		held[pair[0]] = pair[1]
	}
	told := make(map[string]bool, len(ms))
	var out []Mention
	for _, m := range ms {
		key, content := Digest(m.ID), contentOf(&m)
		before, known := held[key]
		if told[key] || known && before == content {
			continue
		}
		told[key] = true
		if known && m.Op == Create {
			m.Op = Update
		}
		out = append(out, m)
	}
	return out
}

// Has reports whether the mention of an id was handed over.
func (s Seen) Has(id string) bool {
	key := Digest(id)
	return slices.ContainsFunc(s, func(pair [2]string) bool { return pair[0] == key })
}

// With is the memory once ms were handed over: theirs first, then older ones while there is room for keep in
// all. Those of ms it remembers in any case.
func (s Seen) With(ms []Mention, keep int) Seen {
	next := make(Seen, 0, max(len(ms), min(len(ms)+len(s), keep)))
	present := make(map[string]bool, len(ms))
	for i := range ms {
		key := Digest(ms[i].ID)
		if present[key] {
			continue
		}
		present[key] = true
		next = append(next, [2]string{key, contentOf(&ms[i])})
	}
	for _, pair := range s {
		if len(next) >= keep {
			break
		}
		if !present[pair[0]] {
			next = append(next, pair)
		}
	}
	return next
}

// contentOf is a digest of what makes a mention another one when it changes. Likes and shares do not.
func contentOf(m *Mention) string {
	if m.Op == Delete {
		return "deleted"
	}
	parts := []string{m.Title, m.Text, m.Author.Name}
	if m.Rating != 0 {
		parts = append(parts, fmt.Sprint(m.Rating))
	}
	return Digest(parts...)
}

// Digest is a short digest of parts, for what has to be recognised and need not be read.
func Digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:10])
}
