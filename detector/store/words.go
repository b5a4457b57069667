package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	bolt "go.etcd.io/bbolt"
)

const wordBucket = "word"

// words is the name table of one file, in memory: it only ever grows.
type words struct {
	mu   sync.RWMutex // guards both
	ids  map[string]uint32
	list []string
}

func loadWords(tx *bolt.Tx) (*words, error) {
	w := &words{ids: make(map[string]uint32)}
	b := tx.Bucket([]byte(wordBucket))
	if b == nil {
		return nil, errors.New("the name table is missing")
	}
	return w, b.ForEach(func(k, v []byte) error {
		if len(k) != 4 || int(binary.BigEndian.Uint32(k)) != len(w.list) || len(v) == 0 || v[0] != formatV1 {
			return fmt.Errorf("name table: entry %x is not what follows number %d", k, len(w.list))
		}
		w.ids[string(v[1:])] = uint32(len(w.list))
		w.list = append(w.list, string(v[1:]))
		return nil
	})
}

// add takes over the words of a transaction that has been committed.
func (w *words) add(fresh []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range fresh {
		w.ids[s] = uint32(len(w.list))
		w.list = append(w.list, s)
	}
}

func (w *words) len() int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return len(w.list)
}

// txn is a transaction on one file together with the file's name table.
type txn struct {
	*bolt.Tx
	words    *words
	fresh    []string // words that this transaction has added, in the order of their numbers
	freshIDs map[string]uint32
}

// b returns a bucket that every file of its kind has.
func (t *txn) b(name string) *bolt.Bucket { return t.Bucket([]byte(name)) }

// known returns the number of a word, if the file has it.
func (t *txn) known(word string) (uint32, bool) {
	t.words.mu.RLock()
	id, ok := t.words.ids[word]
	t.words.mu.RUnlock()
	if !ok {
		id, ok = t.freshIDs[word]
	}
	return id, ok
}

// id returns the number of a word and gives it one if it has none. Only for our own vocabulary, and only
// in a transaction that writes.
func (t *txn) id(word string) (uint32, error) {
	if id, ok := t.known(word); ok {
		return id, nil
	}
	id := uint32(t.words.len() + len(t.fresh))
	err := t.b(wordBucket).Put(binary.BigEndian.AppendUint32(nil, id), append([]byte{formatV1}, word...))
	if err != nil {
		return 0, fmt.Errorf("name table: %w", err)
	}
	if t.freshIDs == nil {
		t.freshIDs = make(map[string]uint32)
	}
	t.freshIDs[word] = id
	t.fresh = append(t.fresh, word)
	return id, nil
}

// word returns the word of a number. A word committed a moment ago may not be in the table yet, but
// it is in the transaction.
func (t *txn) word(id uint32) (string, error) {
	t.words.mu.RLock()
	if int(id) < len(t.words.list) {
		defer t.words.mu.RUnlock()
		return t.words.list[id], nil
	}
	t.words.mu.RUnlock()
	v := t.b(wordBucket).Get(binary.BigEndian.AppendUint32(nil, id))
	if len(v) == 0 {
		return "", fmt.Errorf("name table: there is no word %d", id)
	}
	return string(v[1:]), nil
}
