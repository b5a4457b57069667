package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"emberwatch/detector"
)

// Commit makes c durable, all or nothing: first the archive, whose keys follow from the mentions, then
// everything else in one transaction on state.db. A commit that has begun is finished whatever becomes
// of ctx. After an error c may be committed again; committing it twice changes nothing.
func (db *DB) Commit(ctx context.Context, c *detector.Change) error {
	if err := db.begin(ctx); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	defer db.writing.Unlock()
	days, err := db.plan(c)
	if err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	for _, from := range slices.SortedFunc(maps.Keys(days), time.Time.Compare) {
		if err := db.writeDay(from, days[from]); err != nil {
			return fmt.Errorf("commit: archive: %w", err)
		}
	}
	if err := db.pause("archived"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if err := db.state.update(func(t *txn) error { return putState(t, c) }); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	db.seen.note(c.Seen)
	return nil
}

// putState writes everything of a change that is not archive.
func putState(t *txn, c *detector.Change) error {
	for _, part := range []struct {
		name string
		put  func(*txn, *detector.Change) error
	}{
		{"seen", putSeen},
		{"items", putItems},
		{"series", putSeries},
		{"brands", putBrands},
		{"incidents", putIncidents},
		{"audit", putAudit},
		{"alerts", putAlerts},
		{"waiting", putWaiting},
		{"done", putDone},
		{"cursors", putCursors},
		{"deliveries", putDeliveries},
		{"meta", putMeta},
	} {
		if err := part.put(t, c); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

func putSeen(t *txn, c *detector.Change) error {
	for i := range c.Seen {
		s := &c.Seen[i]
		b, err := t.b(seenBucket).CreateBucketIfNotExists(dayKey(s.Arrived))
		if err != nil {
			return err
		}
		e := &encoder{t: t}
		e.byte(formatV1)
		e.time(s.Arrived)
		e.time(s.At)
		e.words(s.Brands)
		if s.Deleted {
			e.byte(1)
		}
		h := hashKey(s.Key)
		if e.err != nil {
			return e.err
		}
		if err := b.Put(h[:], e.b); err != nil {
			return err
		}
	}
	return nil
}

// putItems drops before it puts: an edit does both to one item.
func putItems(t *txn, c *detector.Change) error {
	b := t.b(itemBucket)
	b.FillPercent = 0.9
	for _, r := range c.DropItems {
		key, err := itemKey(t, r)
		if err != nil {
			return err
		}
		if err := b.Delete(key); err != nil {
			return err
		}
	}
	for i := range c.Items {
		key, err := itemKey(t, c.Items[i].Ref())
		if err != nil {
			return err
		}
		v, err := encodeItem(t, &c.Items[i])
		if err != nil {
			return err
		}
		if err := b.Put(key, v); err != nil {
			return err
		}
	}
	return nil
}

func putSeries(t *txn, c *detector.Change) error {
	for _, s := range c.Series {
		brand, err := t.id(s.Key.Brand)
		if err != nil {
			return err
		}
		signal, err := t.id(s.Key.Signal)
		if err != nil {
			return err
		}
		key := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, brand), signal)
		if err := t.b(seriesBucket).Put(key, s.Blob); err != nil {
			return err
		}
	}
	return nil
}

func putBrands(t *txn, c *detector.Change) error {
	for i := range c.Brands {
		if err := putJSON(t.b(brandBucket), chainKey(c.Brands[i].ID), &c.Brands[i]); err != nil {
			return err
		}
	}
	return nil
}

// putIncidents writes incidents and keeps their two indices: by when they were opened, and by when they
// ended, where those that are open stand at the end of time.
func putIncidents(t *txn, c *detector.Change) error {
	for i := range c.Incidents {
		inc := &c.Incidents[i]
		if err := dropIncident(t, inc.ID); err != nil {
			return err
		}
		if err := putJSON(t.b(incidentBucket), []byte(inc.ID), inc); err != nil {
			return err
		}
		if err := t.b(openedBucket).Put(timeKey(inc.OpenedAt, inc.ID), []byte{formatV1}); err != nil {
			return err
		}
		if err := t.b(endedBucket).Put(endedKey(inc), []byte{formatV1}); err != nil {
			return err
		}
	}
	return nil
}

// dropIncident removes an incident and its index entries, if there is one of this id.
func dropIncident(t *txn, id string) error {
	v := t.b(incidentBucket).Get([]byte(id))
	if v == nil {
		return nil
	}
	old, err := parseJSON[detector.Incident](v)
	if err != nil {
		return fmt.Errorf("%s: %w", id, err)
	}
	if err := t.b(openedBucket).Delete(timeKey(old.OpenedAt, id)); err != nil {
		return err
	}
	if err := t.b(endedBucket).Delete(endedKey(&old)); err != nil {
		return err
	}
	return t.b(incidentBucket).Delete([]byte(id))
}

func endedKey(inc *detector.Incident) []byte {
	switch {
	case inc.Open():
		return append(seqKey(math.MaxUint64), inc.ID...)
	case inc.ClosedAt.IsZero():
		return timeKey(inc.ChangedAt, inc.ID)
	}
	return timeKey(inc.ClosedAt, inc.ID)
}

func putAudit(t *txn, c *detector.Change) error {
	for i := range c.Audit {
		a := &c.Audit[i]
		if err := putJSON(t.b(auditBucket), chainKey(a.Incident, seqKey(uint64(a.Seq))...), a); err != nil {
			return err
		}
	}
	return nil
}

// putWaiting drops before it puts: an edit does both to one complaint.
func putWaiting(t *txn, c *detector.Change) error {
	b := t.b(waitingBucket)
	for _, r := range c.DropWaiting {
		if err := b.Delete(waitingKey(r)); err != nil {
			return err
		}
	}
	for i := range c.Waiting {
		if err := putJSON(b, waitingKey(c.Waiting[i].Ref()), &c.Waiting[i]); err != nil {
			return err
		}
	}
	return nil
}

func waitingKey(r detector.WaitingRef) []byte {
	h := hashKey(r.Key)
	return append(chainKey(r.Brand, h[:]...), r.Rule...)
}

func putDone(t *txn, c *detector.Change) error {
	for i := range c.Done {
		b, err := t.b(doneBucket).CreateBucketIfNotExists(dayKey(c.Done[i].At))
		if err != nil {
			return err
		}
		if err := putJSON(b, chainKey(c.Done[i].ID), &c.Done[i]); err != nil {
			return err
		}
	}
	return nil
}

func putCursors(t *txn, c *detector.Change) error {
	for source, cursor := range c.Cursors {
		if cursor == nil {
			continue
		}
		if err := t.b(cursorBucket).Put(chainKey(source), append([]byte{formatV1}, cursor...)); err != nil {
			return err
		}
	}
	return nil
}

func putDeliveries(t *txn, c *detector.Change) error {
	if len(c.Deliveries) == 0 {
		return nil
	}
	b, err := t.b(deliveryBucket).CreateBucketIfNotExists(dayKey(c.At))
	if err != nil {
		return err
	}
	for id, digest := range c.Deliveries {
		if err := b.Put(deliveryKey(id), append([]byte{formatV1}, digest[:]...)); err != nil {
			return err
		}
	}
	return nil
}

// deliveryKey is a hash: delivery ids come from outside and have no limit of length.
func deliveryKey(id string) []byte {
	h := hashID(id)
	return h[:]
}

func putMeta(t *txn, c *detector.Change) error {
	b := t.b(metaBucket)
	last := readTime(b, metaLast)
	if c.At.After(last) {
		if err := b.Put([]byte(metaLast), timeKey(c.At, "")); err != nil {
			return err
		}
	}
	seq := readSeq(b)
	for i := range c.Alerts {
		seq = max(seq, c.Alerts[i].Seq)
	}
	return b.Put([]byte(metaSeq), seqKey(seq))
}

func readSeq(b *bolt.Bucket) uint64 {
	if v := b.Get([]byte(metaSeq)); len(v) == 8 {
		return binary.BigEndian.Uint64(v)
	}
	return 0
}

func readTime(b *bolt.Bucket, name string) time.Time {
	if v := b.Get([]byte(name)); len(v) == 8 {
		return fromNanos(int64(binary.BigEndian.Uint64(v) ^ 1<<63))
	}
	return time.Time{}
}
