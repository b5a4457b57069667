package store

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
)

// Flags of an archive record.
const (
	recKnown   = 1 << iota
	recOwn     // written by the brand itself
	recPrivate // a direct message
	recMedia
	recSample   // a sample of a gauge: not a mention to count
	recErased   // text and author were deleted, at the source or for the author
	recProducts // it names products: they stand last
)

// record is what the archive keeps of a mention for as long as counts are kept: what a count, a chart and a
// replay need. Nothing in it says who wrote what, but for the pseudonyms, which go when the text goes.
type record struct {
	flags      byte
	p          detector.P
	count      int
	kind       sources.Kind
	source     string
	network    string
	lang       string
	category   string
	categories []string
	rules      []string
	products   []string
	confidence float64
	rating     float64
	reach      int
	length     int      // of the text, in bytes
	authors    []uint64 // pseudonyms: keyed hashes of id and handle
}

// recordOf takes from a judged mention what is kept without its text.
func (db *DB) recordOf(j *detector.Judged) record {
	m := &j.Mention
	return record{
		flags: bit(j.Known, recKnown) | bit(j.Own, recOwn) | bit(m.Visibility == sources.Private, recPrivate) |
			bit(m.HasMedia, recMedia) | bit(m.Kind == sources.Metric, recSample) | bit(len(j.Products) > 0, recProducts),
		p: j.P, count: m.Weight(), kind: m.Kind, source: m.Source, network: m.Network, lang: j.Lang,
		category: j.Category, categories: j.Categories, rules: j.Rules, products: j.Products, confidence: j.Confidence,
		rating: m.Rating, reach: m.Reach(), length: len(m.Title) + len(m.Text), authors: db.pseudonyms(m),
	}
}

func (r *record) encode(t *txn) ([]byte, error) {
	e := &encoder{t: t, b: make([]byte, 0, 128)}
	e.byte(formatV1)
	e.byte(r.flags) // flags, probabilities and count stand first: peek reads no further
	e.float(r.p.Negative)
	e.float(r.p.Neutral)
	e.float(r.p.Positive)
	e.int(r.count)
	e.word(string(r.kind))
	e.str(r.source)
	e.str(r.network)
	e.str(r.lang)
	e.word(r.category)
	e.words(r.categories)
	e.words(r.rules)
	e.float(r.confidence)
	e.float(r.rating)
	e.int(r.reach)
	e.int(r.length)
	e.uint(uint64(len(r.authors)))
	for _, a := range r.authors {
		e.fixed(a)
	}
	if r.flags&recProducts != 0 {
		e.words(r.products)
	}
	return e.b, e.err
}

// peek reads what counting needs, without a look into the name table.
func peek(d *decoder) record {
	return record{
		flags: d.byte(),
		p:     detector.P{Negative: d.float(), Neutral: d.float(), Positive: d.float()},
		count: d.int(),
	}
}

// peekRecord reads flags, probabilities and count of a record.
func peekRecord(v []byte) (record, error) {
	b, err := versioned(v)
	if err != nil {
		return record{}, fmt.Errorf("archive record: %w", err)
	}
	d := &decoder{b: b}
	r := peek(d)
	return r, d.err
}

func decodeRecord(t *txn, v []byte) (record, error) {
	b, err := versioned(v)
	if err != nil {
		return record{}, fmt.Errorf("archive record: %w", err)
	}
	d := &decoder{t: t, b: b}
	r := peek(d)
	r.kind = sources.Kind(d.word())
	r.source, r.network, r.lang = d.str(), d.str(), d.str()
	r.category, r.categories, r.rules = d.word(), d.words(), d.words()
	r.confidence, r.rating = d.float(), d.float()
	r.reach, r.length = d.int(), d.int()
	n := d.uint()
	if n > uint64(len(d.b))/8 {
		d.fail(errShort)
	}
	for i := uint64(0); i < n && d.err == nil; i++ {
		r.authors = append(r.authors, d.fixed())
	}
	if r.flags&recProducts != 0 {
		r.products = d.words()
	}
	if err := d.done(); err != nil {
		return record{}, fmt.Errorf("archive record: %w", err)
	}
	return r, nil
}

// counts reports whether the record stands for something that people said: the brand's own posts and
// samples of gauges do not.
func (r *record) counts() bool { return r.flags&(recOwn|recSample) == 0 }

// judged gives back as much of the mention as the record knows. Its id stands for the one that is gone.
func (r *record) judged(p place) detector.Judged {
	m := sources.Mention{
		V: 1, ID: fmt.Sprintf("~%016x", p.hash), Source: r.source, Network: r.network, Kind: r.kind, Op: sources.Create,
		Brand: p.brand, Rating: r.rating, Lang: r.lang, Visibility: sources.Public,
		CreatedAt: time.UnixMilli(p.at).UTC(), Count: r.count, HasMedia: r.flags&recMedia != 0,
		Author: sources.Author{Followers: r.reach},
	}
	if r.flags&recPrivate != 0 {
		m.Visibility = sources.Private
	}
	return detector.Judged{
		Mention: m, Brand: p.brand, P: r.p, Lang: r.lang, Known: r.flags&recKnown != 0, Category: r.category,
		Categories: r.categories, Confidence: r.confidence, Rules: r.rules, Products: r.products, Own: r.flags&recOwn != 0,
	}
}

// pseudonyms returns the keyed hashes under which the author of a mention is found: those of id and handle,
// or of the name if there is nothing else.
func (db *DB) pseudonyms(m *sources.Mention) []uint64 {
	var list []uint64
	for _, who := range []string{m.Author.ID, m.Author.Handle} {
		if who == "" {
			continue
		}
		if p := db.pseudonym(m.Source, who); len(list) == 0 || list[0] != p {
			list = append(list, p)
		}
	}
	if len(list) == 0 && m.Author.Name != "" {
		list = append(list, db.pseudonym(m.Source, m.Author.Name))
	}
	return list
}

// pseudonym is a hash with the key of this data folder: without the folder nobody can tell from it who it
// is. Case and a leading @ make no difference.
func (db *DB) pseudonym(source, who string) uint64 {
	h := hmac.New(sha256.New, db.instance)
	h.Write([]byte(source))
	h.Write([]byte{0})
	h.Write([]byte(strings.ToLower(strings.TrimPrefix(who, "@"))))
	return binary.BigEndian.Uint64(h.Sum(nil))
}
