package store

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"emberwatch/detector"
	"emberwatch/sources"
)

// Posted says what a message in a channel is about.
type Posted struct {
	Incident string             `json:"incident"`
	Route    string             `json:"route"`
	Kind     detector.AlertKind `json:"kind"`
	Seq      uint64             `json:"seq"` // of the alert that posted it
}

func refKey(r detector.Ref) []byte { return chainKey(r.Channel, []byte(r.ID)...) }

// putAlerts writes alerts where they belong: those with something left to do apart from the others, so that
// what is pending is found without passing by what was sent.
func putAlerts(t *txn, c *detector.Change) error {
	for i := range c.Alerts {
		a := &c.Alerts[i]
		to, from := t.b(outboxBucket), t.b(sentBucket)
		if a.State.Done() {
			to, from = from, to
		}
		if err := from.Delete(seqKey(a.Seq)); err != nil {
			return err
		}
		if err := putJSON(to, seqKey(a.Seq), a); err != nil {
			return err
		}
		if err := t.b(alertKeyBucket).Put(chainKey(a.Key), append([]byte{formatV1}, seqKey(a.Seq)...)); err != nil {
			return err
		}
		if a.State == detector.AlertSent {
			if err := putPosted(t, a); err != nil {
				return err
			}
		}
	}
	return nil
}

// putPosted notes where a sent alert is. An edit is where the message is that it renewed, and a root that a digest
// names is where the digest is: that one stays noted.
func putPosted(t *txn, a *detector.Alert) error {
	if a.Kind == detector.KindRoot {
		if err := t.b(rootBucket).Put(chainKey(a.Incident, seqKey(a.Seq)...), []byte{formatV1}); err != nil {
			return err
		}
	}
	if a.Ref == (detector.Ref{}) || (a.Kind == detector.KindEdit || a.Digest != "") && t.b(refBucket).Get(refKey(a.Ref)) != nil {
		return nil
	}
	return putJSON(t.b(refBucket), refKey(a.Ref), Posted{a.Incident, a.Route, a.Kind, a.Seq})
}

// dropAlert removes a finished alert and what leads to it.
func dropAlert(t *txn, a *detector.Alert) error {
	if err := t.b(sentBucket).Delete(seqKey(a.Seq)); err != nil {
		return err
	}
	if err := t.b(rootBucket).Delete(chainKey(a.Incident, seqKey(a.Seq)...)); err != nil {
		return err
	}
	if v := t.b(alertKeyBucket).Get(chainKey(a.Key)); len(v) == 9 && binary.BigEndian.Uint64(v[1:]) == a.Seq {
		if err := t.b(alertKeyBucket).Delete(chainKey(a.Key)); err != nil {
			return err
		}
	}
	v := t.b(refBucket).Get(refKey(a.Ref))
	if v == nil {
		return nil
	}
	if p, err := parseJSON[Posted](v); err != nil || p.Seq != a.Seq {
		return err
	}
	return t.b(refBucket).Delete(refKey(a.Ref))
}

// ByRef says what the message in a channel is about; false if it is none of ours or older than 30 days.
func (db *DB) ByRef(ctx context.Context, channel, id string) (p Posted, ok bool, err error) {
	if err := ctx.Err(); err != nil {
		return Posted{}, false, err
	}
	err = db.state.view(func(t *txn) error {
		v := t.b(refBucket).Get(refKey(detector.Ref{Channel: channel, ID: id}))
		if v == nil {
			return nil
		}
		ok = true
		p, err = parseJSON[Posted](v)
		return err
	})
	return p, ok, err
}

// AlertByKey returns the alert with a key, done or not, or ErrNotFound.
func (db *DB) AlertByKey(ctx context.Context, key string) (a detector.Alert, err error) {
	if err := ctx.Err(); err != nil {
		return a, err
	}
	err = db.state.view(func(t *txn) error {
		v := t.b(alertKeyBucket).Get(chainKey(key))
		if v == nil {
			return fmt.Errorf("alert %s: %w", key, detector.ErrNotFound)
		}
		if v, err = versioned(v); err != nil {
			return err
		}
		row := t.b(sentBucket).Get(v)
		if row == nil {
			row = t.b(outboxBucket).Get(v)
		}
		a, err = parseJSON[detector.Alert](row)
		return err
	})
	return a, err
}

// Roots returns the sent roots of an incident, the oldest first. The model keeps those of incidents that it
// works on; this is for one that is opened again later.
func (db *DB) Roots(ctx context.Context, incident string) (roots []detector.Alert, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = db.state.view(func(t *txn) error {
		roots, err = rootsOf(t, incident)
		return err
	})
	return roots, err
}

func rootsOf(t *txn, incident string) ([]detector.Alert, error) {
	var roots []detector.Alert
	prefix := chainKey(incident)
	c := t.b(rootBucket).Cursor()
	for k, _ := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, _ = c.Next() {
		v := t.b(sentBucket).Get(k[len(prefix):])
		if v == nil {
			continue // it is on its way again
		}
		a, err := parseJSON[detector.Alert](v)
		if err != nil {
			return nil, fmt.Errorf("root of %s: %w", incident, err)
		}
		if a.Kind == detector.KindRoot && a.State == detector.AlertSent && a.Incident == incident {
			roots = append(roots, a)
		}
	}
	return roots, nil
}

// hashID is the hash of an id that stands for itself.
func hashID(id string) keyHash { return hashKey(sources.Key{ID: id}) }
