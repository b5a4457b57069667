package feed

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"emberwatch/sources"
)

// Bounds of what is taken from one document, and of what is remembered: at least the last document. Most feeds
// hold some dozens of items.
const (
	maxItems = 5000
	maxSeen  = 1000
)

// memory is what is remembered between polls: the cursor of the source.
type memory struct {
	Feed     hash      `json:"feed"` // hash of the address the rest belongs to
	ETag     string    `json:"etag,omitempty"`
	Modified string    `json:"modified,omitempty"`
	Seen     [][2]hash `json:"seen,omitempty"` // id and content, those of the last document first
}

// hash is a short digest: ids and texts are long and foreign, and nobody has to read them here.
type hash string

func digest(parts ...string) hash {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hash(hex.EncodeToString(h.Sum(nil)[:10]))
}

func contentHash(m *sources.Mention) hash { return digest(m.Title, m.Text, m.Author.Name) }

// parseMemory reads a stored cursor. That of another address is worth nothing.
func parseMemory(c sources.Cursor, address string) (memory, error) {
	var m memory
	if len(c) > 0 {
		if err := json.Unmarshal(c, &m); err != nil {
			return m, fmt.Errorf("stored cursor: %w", err)
		}
	}
	if mine := digest(address); m.Feed != mine {
		m = memory{Feed: mine}
	}
	return m, nil
}

func (m memory) cursor() (sources.Cursor, error) { return json.Marshal(m) }

// contents maps the id of each item that was seen to what it held then. It is made once for a document: to look
// through Seen for every item costs the square of their number.
func (m memory) contents() map[hash]hash {
	held := make(map[hash]hash, len(m.Seen))
	for _, s := range m.Seen {
		held[s[0]] = s[1]
	}
	return held
}

// after is the memory once a document has been taken.
func (m memory) after(doc *document) memory {
	next := memory{Feed: m.Feed, ETag: doc.etag, Modified: doc.modified}
	present := make(map[hash]bool, len(doc.mentions))
	for i := range doc.mentions {
		key := digest(doc.mentions[i].ID)
		present[key] = true
		next.Seen = append(next.Seen, [2]hash{key, contentHash(&doc.mentions[i])})
	}
	for _, s := range m.Seen {
		if len(next.Seen) >= max(maxSeen, len(doc.mentions)) {
			break
		}
		if !present[s[0]] {
			next.Seen = append(next.Seen, s)
		}
	}
	return next
}
