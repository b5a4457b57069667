package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	bolt "go.etcd.io/bbolt"

	"emberwatch/sources"
)

// formatV1 is the version byte in front of every record.
const formatV1 = 1

// versioned checks the version byte of a record and returns what follows it.
func versioned(v []byte) ([]byte, error) {
	if len(v) == 0 {
		return nil, errors.New("an empty record")
	}
	if v[0] != formatV1 {
		return nil, fmt.Errorf("a record of the unknown format %d", v[0])
	}
	return v[1:], nil
}

// putJSON writes a record that people may want to read.
func putJSON(b *bolt.Bucket, key []byte, v any) error {
	var buf bytes.Buffer
	buf.WriteByte(formatV1)
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	return b.Put(key, bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

// parseJSON reads a record that putJSON wrote.
func parseJSON[T any](v []byte) (T, error) {
	var x T
	b, err := versioned(v)
	if err == nil {
		err = json.Unmarshal(b, &x)
	}
	return x, err
}

// keyHash is what a mention is called in keys.
type keyHash [16]byte

func hashKey(k sources.Key) keyHash {
	h := sha256.New()
	h.Write([]byte(k.Source))
	h.Write([]byte{0})
	h.Write([]byte(k.ID))
	return keyHash(h.Sum(nil)[:16])
}

// short is the part of the hash that item keys hold; brand and time stand before it there.
func (h keyHash) short() uint64 { return binary.BigEndian.Uint64(h[:]) }

// orderly maps a signed number to one whose big-endian bytes sort the same way.
func orderly(n int64) uint64 { return uint64(n) ^ 1<<63 }

// nanos is a time as a number; the zero time is the smallest.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return math.MinInt64
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == math.MinInt64 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// timeKey starts a key that sorts by time.
func timeKey(t time.Time, rest string) []byte {
	return append(binary.BigEndian.AppendUint64(nil, orderly(nanos(t))), rest...)
}

// dayKey names the sub-bucket of a UTC day.
func dayKey(t time.Time) []byte {
	day := max(0, nanos(t)/int64(24*time.Hour))
	return binary.BigEndian.AppendUint32(nil, uint32(day))
}

// chainKey starts a key with a name, so that no name is the beginning of another.
func chainKey(name string, rest ...byte) []byte {
	k := binary.BigEndian.AppendUint16(nil, uint16(len(name)))
	return append(append(k, name...), rest...)
}

func seqKey(seq uint64) []byte { return binary.BigEndian.AppendUint64(nil, seq) }

// encoder writes a binary record. The first error stays.
type encoder struct {
	t   *txn // for words
	b   []byte
	err error
}

func (e *encoder) byte(v byte)      { e.b = append(e.b, v) }
func (e *encoder) uint(v uint64)    { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) int(v int)        { e.b = binary.AppendVarint(e.b, int64(v)) }
func (e *encoder) fixed(v uint64)   { e.b = binary.BigEndian.AppendUint64(e.b, v) }
func (e *encoder) float(v float64)  { e.fixed(math.Float64bits(v)) }
func (e *encoder) time(t time.Time) { e.fixed(orderly(nanos(t))) }

// str writes a string that came from outside, as it is.
func (e *encoder) str(s string) {
	e.uint(uint64(len(s)))
	e.b = append(e.b, s...)
}

// word writes a word of our own vocabulary, as its number in the name table.
func (e *encoder) word(s string) {
	id, err := e.t.id(s)
	if err != nil && e.err == nil {
		e.err = err
	}
	e.uint(uint64(id))
}

func (e *encoder) words(list []string) {
	e.uint(uint64(len(list)))
	for _, s := range list {
		e.word(s)
	}
}

// decoder reads what encoder wrote. It takes any bytes: the first error stays, and what is read after
// it is zero.
type decoder struct {
	t   *txn
	b   []byte
	err error
}

var errShort = errors.New("a record that ends too early")

func (d *decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
	d.b = nil
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail(errShort)
		return nil
	}
	v := d.b[:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) byte() byte {
	if v := d.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (d *decoder) uint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail(errShort)
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) int() int {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail(errShort)
		return 0
	}
	d.b = d.b[n:]
	return int(v)
}

func (d *decoder) fixed() uint64 {
	if v := d.take(8); v != nil {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

func (d *decoder) float() float64  { return math.Float64frombits(d.fixed()) }
func (d *decoder) time() time.Time { return fromNanos(int64(d.fixed() ^ 1<<63)) }
func (d *decoder) str() string     { return string(d.take(d.uint())) }

func (d *decoder) word() string {
	id := d.uint()
	if d.err != nil {
		return ""
	}
	s, err := d.t.word(uint32(min(id, math.MaxUint32)))
	if err != nil {
		d.fail(err)
	}
	return s
}

func (d *decoder) words() []string {
	n := d.uint()
	if n > uint64(len(d.b)) { // each takes a byte at least
		d.fail(errShort)
		return nil
	}
	var list []string
	for range n {
		list = append(list, d.word())
	}
	return list
}

// done returns the first error; bytes that are left over are one.
func (d *decoder) done() error {
	if d.err == nil && len(d.b) > 0 {
		return fmt.Errorf("a record with %d bytes too many", len(d.b))
	}
	return d.err
}
