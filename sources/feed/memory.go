package feed

import (
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
	Feed     string       `json:"feed"` // hash of the address the rest belongs to
	ETag     string       `json:"etag,omitempty"`
	Modified string       `json:"modified,omitempty"`
	Seen     sources.Seen `json:"seen,omitempty"`
}

// parseMemory reads a stored cursor. That of another address is worth nothing.
func parseMemory(c sources.Cursor, address string) (memory, error) {
	var m memory
	if len(c) > 0 {
		if err := json.Unmarshal(c, &m); err != nil {
			return m, fmt.Errorf("stored cursor: %w", err)
		}
	}
	if mine := sources.Digest(address); m.Feed != mine {
		m = memory{Feed: mine}
	}
	return m, nil
}

func (m memory) cursor() (sources.Cursor, error) { return json.Marshal(m) }

// after is the memory once a document has been taken.
func (m memory) after(doc *document) memory {
	return memory{Feed: m.Feed, ETag: doc.etag, Modified: doc.modified, Seen: m.Seen.With(doc.mentions, maxSeen)}
}
