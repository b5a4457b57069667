package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
)

// step takes state.db from the schema before to its own. The steps are an ordered list without gaps; the
// last one is the newest schema.
type step struct {
	to  uint32
	run func(*txn) error
}

// migrations lists the steps of this version. Schema 1 is the first: there is nothing to come from. Schema 2 keeps the
// complaints that wait for an answer.
func migrations() []step {
	return []step{{to: 1}, {to: 2, run: func(t *txn) error {
		_, err := t.CreateBucketIfNotExists([]byte(waitingBucket))
		return err
	}}}
}

func newest(steps []step) uint32 { return steps[len(steps)-1].to }

// migrate brings an older state.db up to date: all steps in one transaction, after a backup.
func (db *DB) migrate(steps []step) error {
	var found uint32
	err := db.state.view(func(t *txn) (err error) {
		found, err = schemaOf(t.Tx)
		return err
	})
	if err != nil || found == newest(steps) {
		return err
	}
	before := filepath.Join(db.dir, backupDir, fmt.Sprintf("before-schema-%d", newest(steps)))
	if err := db.backupOnce(context.Background(), before); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return db.state.update(func(t *txn) error {
		for _, s := range steps {
			if s.to <= found {
				continue
			}
			if err := s.run(t); err != nil {
				return fmt.Errorf("migrate to schema %d: %w", s.to, err)
			}
		}
		return t.b(metaBucket).Put([]byte(metaSchema), binary.BigEndian.AppendUint32(nil, newest(steps)))
	})
}
