package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Compact writes every file anew without its free pages, and returns the bytes that were gained. Readers
// and commits wait for it: it is meant for a folder that no daemon serves.
func (db *DB) Compact(ctx context.Context) (gained int64, err error) {
	if err := db.begin(ctx); err != nil {
		return 0, fmt.Errorf("compact: %w", err)
	}
	defer db.writing.Unlock()
	files := []*volume{db.state}
	for _, sp := range db.archive.spans() {
		if v, ok := db.archive.get(sp); ok {
			files = append(files, v)
		}
	}
	for _, v := range files {
		if err := ctx.Err(); err != nil {
			return gained, fmt.Errorf("compact: %w", err)
		}
		before, err := os.Stat(v.path)
		if err == nil {
			err = db.rewrite(v)
		}
		if err != nil {
			return gained, fmt.Errorf("compact: %w", err)
		}
		after, err := os.Stat(v.path)
		if err != nil {
			return gained, fmt.Errorf("compact: %w", err)
		}
		gained += before.Size() - after.Size()
	}
	return gained, nil
}

// clean rewrites a file whose free pages hold what was deleted.
func (db *DB) clean(sp span) (bool, error) {
	v, ok := db.archive.get(sp)
	if !ok {
		return false, nil
	}
	var dirty bool
	err := v.view(func(t *txn) error {
		dirty = t.b(metaBucket).Get([]byte(metaDirty)) != nil
		return nil
	})
	if err != nil || !dirty {
		return false, err
	}
	return true, db.rewrite(v)
}

// rewrite replaces a file by a copy that holds what is live and nothing else.
func (db *DB) rewrite(v *volume) error {
	return v.swap(func(path string) error {
		tmp := path + ".tmp"
		if err := compactFile(path, tmp, v.options(true)); err != nil {
			os.Remove(tmp)
			return fmt.Errorf("rewrite %s: %w", filepath.Base(path), err)
		}
		if err := db.pause("compacted"); err != nil {
			return err
		}
		return rename(tmp, path)
	})
}

func compactFile(from, to string, opt *bolt.Options) error {
	if err := verifyFile(from, true); err != nil {
		return err
	}
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	src, err := bolt.Open(from, 0o600, opt)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := bolt.Open(to, 0o600, &bolt.Options{
		Timeout: time.Second, NoFreelistSync: true, FreelistType: bolt.FreelistMapType,
	})
	if err != nil {
		return err
	}
	err = bolt.Compact(dst, src, 64<<20)
	if err == nil {
		err = dst.Update(func(tx *bolt.Tx) error { return tx.Bucket([]byte(metaBucket)).Delete([]byte(metaDirty)) })
	}
	if cerr := dst.Close(); err == nil {
		err = cerr
	}
	return err
}
