package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"emberwatch/detector"
)

// Problem is something that is not as it was written.
type Problem struct {
	File string `json:"file"`
	What string `json:"what"`
}

// maxProblems bounds what Check reports of one file: a damaged one can have a problem in every record.
const maxProblems = 100

// Check goes through every page and every record of the folder, and through what records say about each
// other. It changes nothing; commits wait for it. A folder in order has no problems.
func (db *DB) Check(ctx context.Context) ([]Problem, error) {
	if err := db.begin(ctx); err != nil {
		return nil, fmt.Errorf("check: %w", err)
	}
	defer db.writing.Unlock()
	problems := checkVolume(db.state, checkState)
	for _, sp := range db.archive.spans() {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("check: %w", err)
		}
		if v, ok := db.archive.get(sp); ok {
			problems = append(problems, checkVolume(v, func(t *txn, r *report) { checkArchive(t, sp, r) })...)
		}
	}
	return problems, nil
}

// report collects the problems of one file.
type report struct {
	file string
	list []Problem
}

func (r *report) add(format string, args ...any) {
	if len(r.list) < maxProblems {
		r.list = append(r.list, Problem{r.file, fmt.Sprintf(format, args...)})
	}
}

// checkVolume looks at the pages by ordinary reading first: what bbolt trips over ends the process.
func checkVolume(v *volume, records func(*txn, *report)) []Problem {
	r := &report{file: filepath.Base(v.path)}
	if err := verifyFile(v.path, true); err != nil {
		r.add("%v", err)
		return r.list
	}
	err := v.view(func(t *txn) error {
		for _, err := range checkPages(t.Tx) {
			r.add("%v", err)
		}
		if len(r.list) == 0 {
			records(t, r)
		}
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.add("%v", err)
	}
	return r.list
}

func checkState(t *txn, r *report) {
	checkJSON[detector.BrandState](t, r, brandBucket)
	checkJSON[detector.Alert](t, r, outboxBucket)
	checkJSON[detector.Alert](t, r, sentBucket)
	checkJSON[Posted](t, r, refBucket)
	checkJSON[detector.Waiting](t, r, waitingBucket)
	checkItems(t, r)
	checkIncidents(t, r)
	checkAudit(t, r)
	checkOutbox(t, r)
	eachDay(t, r, doneBucket, func(k, v []byte) {
		if _, err := parseJSON[detector.Done](v); err != nil {
			r.add("done %q: %v", k, err)
		}
	})
	eachDay(t, r, seenBucket, func(k, v []byte) {
		if _, err := decodeSeen(t, v); err != nil {
			r.add("seen %x: %v", k, err)
		}
	})
}

func checkJSON[T any](t *txn, r *report, bucket string) {
	each(t, bucket, func(k, v []byte) {
		if _, err := parseJSON[T](v); err != nil {
			r.add("%s %q: %v", bucket, k, err)
		}
	})
}

// each calls fn for all records of a bucket, eachDay for those of all its days.
func each(t *txn, bucket string, fn func(k, v []byte)) {
	c := t.b(bucket).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		fn(k, v)
	}
}

func eachDay(t *txn, r *report, bucket string, fn func(k, v []byte)) {
	each(t, bucket, func(day, _ []byte) {
		b := t.b(bucket).Bucket(day)
		if b == nil {
			r.add("%s: %x is no day", bucket, day)
			return
		}
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			fn(k, v)
		}
	})
}

func checkItems(t *txn, r *report) {
	each(t, itemBucket, func(k, v []byte) {
		it, err := decodeItem(t, k, v)
		if err != nil {
			r.add("item %x: %v", k, err)
			return
		}
		if _, _, hash, _ := splitItemKey(k); hash != hashKey(it.Key).short() {
			r.add("item %x is that of another mention", k)
		}
	})
}

// checkIncidents holds each incident against its two index entries, and their numbers against each other.
func checkIncidents(t *txn, r *report) {
	n := 0
	each(t, incidentBucket, func(k, v []byte) {
		n++
		inc, err := parseJSON[detector.Incident](v)
		if err != nil || inc.ID != string(k) {
			r.add("incident %q: cannot be read as such: %v", k, err)
			return
		}
		if t.b(openedBucket).Get(timeKey(inc.OpenedAt, inc.ID)) == nil || t.b(endedBucket).Get(endedKey(&inc)) == nil {
			r.add("incident %q is missing in an index", k)
		}
	})
	for _, index := range []string{openedBucket, endedBucket} {
		if m := t.b(index).Stats().KeyN; m != n {
			r.add("%s has %d entries for %d incidents", index, m, n)
		}
	}
}

// checkAudit wants the lines of each history to follow one another, unchanged and without a gap, and to tell of the
// incident that is stored. The system chain is the proof of erasures, and its oldest lines expire.
func checkAudit(t *txn, r *report) {
	var chain []detector.Audit
	each(t, auditBucket, func(k, v []byte) {
		a, err := parseJSON[detector.Audit](v)
		if err != nil {
			r.add("audit %q: %v", k, err)
			return
		}
		if len(chain) > 0 && chain[0].Incident != a.Incident {
			checkFold(t, r, chain)
			chain = nil
		}
		var last detector.Audit
		if len(chain) > 0 {
			last = chain[len(chain)-1]
		}
		if err := detector.Follows(last, a); err != nil {
			r.add("audit of %q: %v", a.Incident, err)
		}
		chain = append(chain, a)
	})
	checkFold(t, r, chain)
}

// checkFold holds an incident against what its whole history tells of.
func checkFold(t *txn, r *report, chain []detector.Audit) {
	if len(chain) == 0 || chain[0].Incident == detector.SystemChain {
		return
	}
	id := chain[0].Incident
	told, err := detector.Fold(chain)
	if errors.Is(err, detector.ErrNoPatch) {
		return // written by a version that did not note it
	}
	stored, missing := getIncident(t, id)
	switch {
	case err != nil:
		r.add("audit of %q: %v", id, err)
	case missing != nil:
		r.add("audit of %q: its incident cannot be read: %v", id, missing)
	case !told.Same(&stored):
		r.add("incident %q is not what its history tells of: version %d, and %d in the history", id, stored.Version, told.Version)
	}
}

// checkOutbox wants every key and every root to lead to an alert.
func checkOutbox(t *txn, r *report) {
	row := func(seq []byte) bool { return t.b(outboxBucket).Get(seq) != nil || t.b(sentBucket).Get(seq) != nil }
	each(t, alertKeyBucket, func(k, v []byte) {
		if len(v) != 9 || !row(v[1:]) {
			r.add("outbox key %q leads nowhere", k)
		}
	})
	each(t, rootBucket, func(k, _ []byte) {
		if len(k) < 8 || !row(k[len(k)-8:]) {
			r.add("root %q leads nowhere", k)
		}
	})
	top := uint64(0)
	for _, b := range []string{outboxBucket, sentBucket} {
		if k, _ := t.b(b).Cursor().Last(); len(k) == 8 {
			top = max(top, binary.BigEndian.Uint64(k))
		}
	}
	if seq := readSeq(t.b(metaBucket)); seq < top {
		r.add("the last alert is said to be %d, but there is a %d", seq, top)
	}
}

func checkArchive(t *txn, sp span, r *report) {
	each(t, itemBucket, func(k, v []byte) {
		_, at, _, err := splitItemKey(k)
		if err == nil && (at < sp.from.UnixMilli() || at >= sp.to.UnixMilli()) {
			r.add("item %x is of another time", k)
		}
		if err == nil {
			_, err = decodeRecord(t, v)
		}
		if err != nil {
			r.add("item %x: %v", k, err)
		}
	})
	if sp.month {
		return
	}
	each(t, textBucket, func(k, v []byte) {
		if t.b(itemBucket).Get(k) == nil {
			r.add("text %x has no item", k)
		}
		if _, err := parseJSON[detector.Judged](v); err != nil {
			r.add("text %x: %v", k, err)
		}
	})
	each(t, authorBucket, func(k, _ []byte) {
		if len(k) != 8+itemKeyLen {
			r.add("author %x is no key", k)
			return
		}
		rec, err := decodeRecord(t, t.b(itemBucket).Get(k[8:]))
		if err != nil || !slices.Contains(rec.authors, binary.BigEndian.Uint64(k)) {
			r.add("author %x leads to no item of theirs", k)
		}
	})
}
