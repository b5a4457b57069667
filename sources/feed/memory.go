package feed

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"emberwatch/sources"
)

// maxSeen bounds how many items are remembered. Most feeds hold some dozens.
const maxSeen = 1000

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

// content returns the hash of what an item held when it was last seen.
func (m memory) content(id string) (hash, bool) {
	key := digest(id)
	for _, s := range m.Seen {
		if s[0] == key {
			return s[1], true
		}
	}
	return "", false
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
