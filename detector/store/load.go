package store

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	bolt "go.etcd.io/bbolt"

	"emberwatch/detector"
	"emberwatch/sources"
)

// How far back Load goes, counted from the last commit: a daemon that stood still for a week goes on where
// it stopped.
const (
	closedKept = 24 * time.Hour
	doneKept   = 48 * time.Hour
)

// Load returns the state as of the last commit.
func (db *DB) Load(ctx context.Context) (*detector.State, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	s := &detector.State{LastAudit: make(map[string]detector.Audit), Cursors: make(map[string]sources.Cursor)}
	err := db.state.view(func(t *txn) error {
		s.Seq = readSeq(t.b(metaBucket))
		for _, load := range []func(*txn, *detector.State) error{
			loadItems, loadSeries, loadBrands, loadIncidents, loadAlerts, loadWaiting, loadDone, loadCursors,
		} {
			if err := load(t, s); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	return s, nil
}

func loadItems(t *txn, s *detector.State) error {
	return t.b(itemBucket).ForEach(func(k, v []byte) error {
		it, err := decodeItem(t, k, v)
		s.Items = append(s.Items, it)
		return err
	})
}

func loadSeries(t *txn, s *detector.State) error {
	return t.b(seriesBucket).ForEach(func(k, v []byte) error {
		if len(k) != 8 {
			return fmt.Errorf("series: %x is no key", k)
		}
		brand, err := t.word(binary.BigEndian.Uint32(k))
		if err != nil {
			return err
		}
		signal, err := t.word(binary.BigEndian.Uint32(k[4:]))
		s.Series = append(s.Series, detector.SeriesBlob{
			Key: detector.SeriesKey{Brand: brand, Signal: signal}, Blob: bytes.Clone(v),
		})
		return err
	})
}

func loadWaiting(t *txn, s *detector.State) (err error) {
	s.Waiting, err = all[detector.Waiting](t.b(waitingBucket))
	return err
}

func loadBrands(t *txn, s *detector.State) (err error) {
	s.Brands, err = all[detector.BrandState](t.b(brandBucket))
	return err
}

// all reads a whole bucket of JSON records.
func all[T any](b *bolt.Bucket) ([]T, error) {
	var list []T
	err := b.ForEach(func(k, v []byte) error {
		x, err := parseJSON[T](v)
		if err != nil {
			return fmt.Errorf("%q: %w", k, err)
		}
		list = append(list, x)
		return nil
	})
	return list, err
}

// loadIncidents reads those that are open or were closed lately, each with the last line of its history.
func loadIncidents(t *txn, s *detector.State) error {
	since := readTime(t.b(metaBucket), metaLast)
	if !since.IsZero() {
		since = since.Add(-closedKept)
	}
	c := t.b(endedBucket).Cursor()
	for k, _ := c.Seek(timeKey(since, "")); k != nil; k, _ = c.Next() {
		inc, err := getIncident(t, string(k[8:]))
		if err != nil {
			return err
		}
		s.Incidents = append(s.Incidents, inc)
		last, ok, err := lastAudit(t, inc.ID)
		if err != nil {
			return err
		}
		if ok {
			s.LastAudit[inc.ID] = last
		}
	}
	return nil
}

// lastAudit returns the last line of an incident's history.
func lastAudit(t *txn, id string) (detector.Audit, bool, error) {
	prefix := chainKey(id)
	c := t.b(auditBucket).Cursor()
	k, v := c.Seek(append(bytes.Clone(prefix), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	if k == nil {
		k, v = c.Last()
	} else if !bytes.HasPrefix(k, prefix) {
		k, v = c.Prev()
	}
	if !bytes.HasPrefix(k, prefix) {
		return detector.Audit{}, false, nil
	}
	a, err := parseJSON[detector.Audit](v)
	if err != nil {
		return a, false, fmt.Errorf("audit of %s: %w", id, err)
	}
	return a, true, nil
}

// loadAlerts reads what is not done, the sent roots of the incidents that were loaded, and those of the digests
// that name them.
func loadAlerts(t *txn, s *detector.State) (err error) {
	if s.Alerts, err = all[detector.Alert](t.b(outboxBucket)); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	for i := range s.Incidents {
		roots, err := rootsOf(t, s.Incidents[i].ID)
		if err != nil {
			return err
		}
		s.Alerts = append(s.Alerts, roots...)
	}
	digests := map[string]bool{}
	for i := range s.Alerts {
		if id := s.Alerts[i].Digest; id != "" {
			digests[id] = true
		}
	}
	for id := range digests {
		roots, err := rootsOf(t, id)
		if err != nil {
			return err
		}
		s.Alerts = append(s.Alerts, roots...)
	}
	slices.SortFunc(s.Alerts, func(a, b detector.Alert) int { return cmp.Compare(a.Seq, b.Seq) })
	return nil
}

func loadDone(t *txn, s *detector.State) error {
	since := readTime(t.b(metaBucket), metaLast)
	if !since.IsZero() {
		since = since.Add(-doneKept)
	}
	top := t.b(doneBucket)
	return top.ForEachBucket(func(day []byte) error {
		list, err := all[detector.Done](top.Bucket(day))
		for _, d := range list {
			if !d.At.Before(since) {
				s.Done = append(s.Done, d)
			}
		}
		return err
	})
}

func loadCursors(t *txn, s *detector.State) error {
	return t.b(cursorBucket).ForEach(func(k, v []byte) error {
		b, err := versioned(v)
		if err != nil {
			return fmt.Errorf("cursor: %w", err)
		}
		s.Cursors[nameIn(k)] = append(sources.Cursor{}, b...)
		return nil
	})
}

// nameIn returns the name that a key of chainKey starts with.
func nameIn(k []byte) string {
	if len(k) < 2 {
		return ""
	}
	n := int(binary.BigEndian.Uint16(k))
	return string(k[2:min(2+n, len(k))])
}
