package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
	"golang.org/x/sys/unix"
)

const (
	backupDir   = "backup"
	halfMade    = ".tmp" // at the end of the name of a copy that is not complete
	stampLayout = "20060102-150405"
)

// Copied says what a backup holds.
type Copied struct {
	Path  string `json:"path"`
	Files int    `json:"files"`
	Bytes int64  `json:"bytes"`
}

// BackupPath is where the daemon keeps the backup of a moment.
func (db *DB) BackupPath(now time.Time) string {
	return filepath.Join(db.dir, backupDir, now.UTC().Format(stampLayout))
}

// Backup copies the data folder into the new folder dst while it is in use, and checks the copy. dst
// appears when everything in it is complete and checked: a backup that can be seen is a good one. Until then
// the copy stands beside it under a name of its own. An empty folder may be there already; anything else is
// ErrOccupied and left as it is.
//
// The archive in it may be a little newer than its state.db. That is the harmless way round: what the
// state does not know yet is read again from its source and lands in the same place.
func (db *DB) Backup(ctx context.Context, dst string) (Copied, error) {
	dst = filepath.Clean(dst)
	if err := vacant(dst); err != nil {
		return Copied{}, fmt.Errorf("backup: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(dst), 0o700); err != nil {
		return Copied{}, fmt.Errorf("backup: %w", err)
	}
	tmp, err := os.MkdirTemp(filepath.Dir(dst), filepath.Base(dst)+".*"+halfMade)
	if err != nil {
		return Copied{}, fmt.Errorf("backup: %w", err)
	}
	done, err := db.copyAll(ctx, tmp)
	if err == nil {
		err = syncDir(tmp)
	}
	if err == nil {
		err = settle(tmp, dst)
	}
	if err != nil {
		return Copied{}, fmt.Errorf("backup: %w", errors.Join(err, os.RemoveAll(tmp)))
	}
	done.Path = dst
	return done, nil
}

// vacant returns nil if nothing is at path, or an empty folder.
func vacant(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s: %w", path, ErrOccupied)
	}
	entries, err := os.ReadDir(path)
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("%s: %w", path, ErrOccupied)
	}
	return err
}

// settle gives a finished copy its name. Unlike os.Rename this takes the place of an empty folder, and the
// system refuses if something has come into it meanwhile.
func settle(tmp, dst string) error {
	err := unix.Rename(tmp, dst)
	switch {
	case errors.Is(err, unix.ENOTEMPTY), errors.Is(err, unix.EEXIST), errors.Is(err, unix.ENOTDIR):
		return fmt.Errorf("%s: %w", dst, ErrOccupied)
	case errors.Is(err, unix.EBUSY), errors.Is(err, unix.EXDEV):
		return fmt.Errorf("%s is a file system of its own and cannot be replaced: name a folder inside it", dst)
	case err != nil:
		return &os.LinkError{Op: "rename", Old: tmp, New: dst, Err: err}
	}
	return syncDir(filepath.Dir(dst))
}

// backupOnce makes a backup unless it was made before.
func (db *DB) backupOnce(ctx context.Context, dst string) error {
	if _, err := os.Stat(dst); err == nil {
		return nil
	}
	_, err := db.Backup(ctx, dst)
	return err
}

// copyAll copies state.db, then the days, then the months: a day that expires meanwhile is found in its month.
func (db *DB) copyAll(ctx context.Context, dst string) (Copied, error) {
	var done Copied
	if err := db.copyOne(ctx, db.state, dst, &done); err != nil {
		return done, err
	}
	for _, months := range []bool{false, true} {
		for _, sp := range db.archive.spans() {
			if sp.month != months {
				continue
			}
			v, ok := db.archive.get(sp)
			if !ok {
				continue
			}
			if err := db.copyOne(ctx, v, dst, &done); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return done, err
			}
		}
	}
	return done, nil
}

func (db *DB) copyOne(ctx context.Context, v *volume, dst string, done *Copied) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	path := filepath.Join(dst, filepath.Base(v.path))
	var n int64
	err := v.view(func(t *txn) (err error) {
		n, err = writeCopy(t.Tx, path)
		return err
	})
	if err == nil {
		err = checkCopy(path)
	}
	if err != nil {
		return err
	}
	done.Files++
	done.Bytes += n
	return nil
}

func writeCopy(tx *bolt.Tx, path string) (int64, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := tx.WriteTo(f)
	if err == nil {
		err = f.Sync()
	}
	return n, errors.Join(err, f.Close())
}

// checkCopy opens a file that nobody uses and has bbolt check it.
func checkCopy(path string) error {
	if err := verifyFile(path, true); err != nil {
		return fmt.Errorf("check of %s: %w", path, err)
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return fmt.Errorf("check of %s: %w", path, err)
	}
	err = db.View(func(tx *bolt.Tx) error { return errors.Join(checkPages(tx)...) })
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("check of %s: %w", path, err)
	}
	return nil
}

// checkPages collects what bbolt finds wrong with a file.
func checkPages(tx *bolt.Tx) []error {
	var errs []error
	for err := range tx.Check() {
		errs = append(errs, err)
	}
	return errs
}

// backups lists the complete backups of a data folder, oldest first.
func backups(dir string) []string {
	entries, err := os.ReadDir(filepath.Join(dir, backupDir))
	if err != nil {
		return nil
	}
	type backup struct {
		path string
		at   time.Time
	}
	var list []backup
	for _, e := range entries {
		path := filepath.Join(dir, backupDir, e.Name())
		info, err := os.Stat(filepath.Join(path, stateName))
		if err == nil && !strings.HasSuffix(path, halfMade) {
			list = append(list, backup{path, info.ModTime()})
		}
	}
	slices.SortFunc(list, func(a, b backup) int { return a.at.Compare(b.at) })
	paths := make([]string, len(list))
	for i, b := range list {
		paths[i] = b.path
	}
	return paths
}

func lastBackup(dir string) string {
	if all := backups(dir); len(all) > 0 {
		return all[len(all)-1]
	}
	return ""
}

// PruneBackups removes all but the newest keep of the backups inside the data folder, and returns the removed.
func (db *DB) PruneBackups(keep int) ([]string, error) {
	paths := backups(db.dir)
	paths = paths[:max(0, len(paths)-max(keep, 1))]
	for _, path := range paths {
		if err := os.RemoveAll(path); err != nil {
			return nil, fmt.Errorf("prune backups: %w", err)
		}
	}
	return paths, nil
}
