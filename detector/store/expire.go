package store

import (
	"bytes"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"emberwatch/detector"
)

// expireState lets go of what state.db has kept long enough.
func expireState(t *txn, now time.Time, r Retention, done *Retained) (err error) {
	if done.Seen, err = dropDays(t.b(seenBucket), now.Add(-seenKept)); err != nil {
		return err
	}
	if done.Done, err = dropDays(t.b(doneBucket), now.Add(-doneKept)); err != nil {
		return err
	}
	if done.Deliveries, err = dropDays(t.b(deliveryBucket), now.Add(-deliveryKept)); err != nil {
		return err
	}
	if done.Alerts, err = expireAlerts(t, now.Add(-outboxKept)); err != nil || r.Audit <= 0 {
		return err
	}
	if done.Incidents, err = expireIncidents(t, now.Add(-r.Audit)); err != nil {
		return err
	}
	done.AuditLines, err = expireChains(t, now.Add(-r.Audit))
	return err
}

// dropDays removes the sub-buckets of the days that ended by then.
func dropDays(b *bolt.Bucket, then time.Time) (int, error) {
	var days [][]byte
	c := b.Cursor()
	for k, _ := c.First(); k != nil && bytes.Compare(k, dayKey(then)) < 0; k, _ = c.Next() {
		days = append(days, bytes.Clone(k))
	}
	for _, k := range days {
		if err := b.DeleteBucket(k); err != nil {
			return 0, err
		}
	}
	return len(days), nil
}

// expireAlerts removes finished alerts that were raised before then, but for the roots of incidents
// that are open: their threads go on.
func expireAlerts(t *txn, then time.Time) (int, error) {
	var old []detector.Alert
	c := t.b(sentBucket).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		a, err := parseJSON[detector.Alert](v)
		if err != nil {
			return 0, fmt.Errorf("alert %x: %w", k, err)
		}
		if !a.CreatedAt.Before(then) {
			break // numbers ascend with time
		}
		if a.Kind == detector.KindRoot && isOpen(t, a.Incident) {
			continue
		}
		old = append(old, a)
	}
	for i := range old {
		if err := dropAlert(t, &old[i]); err != nil {
			return 0, err
		}
	}
	return len(old), nil
}

func isOpen(t *txn, id string) bool {
	inc, err := getIncident(t, id)
	return err == nil && inc.Open()
}

// expireIncidents removes what was closed before then, with its history.
func expireIncidents(t *txn, then time.Time) (int, error) {
	var ids []string
	c := t.b(endedBucket).Cursor()
	for k, _ := c.First(); k != nil && bytes.Compare(k, timeKey(then, "")) < 0; k, _ = c.Next() {
		ids = append(ids, string(k[8:]))
	}
	for _, id := range ids {
		if err := dropIncident(t, id); err != nil {
			return 0, err
		}
		if _, err := dropLines(t, id, time.Time{}); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// expireChains removes old lines of histories that belong to no incident, such as that of the system.
func expireChains(t *txn, then time.Time) (int, error) {
	var names []string
	c := t.b(auditBucket).Cursor()
	for k, _ := c.First(); k != nil; {
		name := nameIn(k)
		if t.b(incidentBucket).Get([]byte(name)) == nil {
			names = append(names, name)
		}
		k, _ = c.Seek(chainKey(name, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	}
	total := 0
	for _, name := range names {
		n, err := dropLines(t, name, then)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// dropLines removes the lines of a history from before then, or all of them if then is zero.
func dropLines(t *txn, name string, then time.Time) (int, error) {
	b, prefix := t.b(auditBucket), chainKey(name)
	var keys [][]byte // collected first: deleting under a cursor can skip a key
	c := b.Cursor()
	for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
		a, err := parseJSON[detector.Audit](v)
		if err != nil {
			return 0, fmt.Errorf("audit of %s: %w", name, err)
		}
		if then.IsZero() || a.At.Before(then) {
			keys = append(keys, bytes.Clone(k))
		}
	}
	for _, k := range keys {
		if err := b.Delete(k); err != nil {
			return 0, err
		}
	}
	return len(keys), nil
}
