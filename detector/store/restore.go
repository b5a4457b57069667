package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"
)

const (
	restoreDir  = "restore.tmp" // what is being put back, until it is complete
	asidePrefix = "replaced-"   // what was there before
)

// Restore puts a backup in the place of the data folder dir, which no process may have open. What is in dir
// is moved aside first, never overwritten; Restore returns where to (empty: there was nothing). A
// restore that is broken off leaves a folder that Open refuses, and can be run again.
func Restore(ctx context.Context, backup, dir string, now time.Time) (aside string, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	if err := closeToOthers(dir); err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	held, err := lock(dir, 0)
	if err != nil {
		return "", err
	}
	defer held.Close()
	files, err := checkBackup(ctx, backup)
	if err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	if err := copyFiles(ctx, files, filepath.Join(dir, restoreDir)); err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	aside = filepath.Join(dir, asidePrefix+now.UTC().Format(stampLayout))
	moved, err := moveFiles(dir, aside)
	if err != nil {
		return "", fmt.Errorf("restore: %w", err)
	}
	if moved == 0 {
		aside = ""
	}
	if _, err := moveFiles(filepath.Join(dir, restoreDir), dir); err != nil {
		return aside, fmt.Errorf("restore: %w", err)
	}
	return aside, os.Remove(filepath.Join(dir, restoreDir))
}

// checkBackup returns the files of a backup after a look into each.
func checkBackup(ctx context.Context, backup string) ([]string, error) {
	files, err := dataFiles(backup)
	if err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(files, isState) {
		return nil, fmt.Errorf("%s is no backup: there is no %s in it", backup, stateName)
	}
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := checkCopy(path); err != nil {
			return nil, err
		}
		if err := checkFormat(path); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func isState(path string) bool { return filepath.Base(path) == stateName }

// checkFormat refuses a file of a newer emberwatch.
func checkFormat(path string) error {
	known, buckets := newest(migrations()), stateBuckets()
	if sp, ok := parseSpan(filepath.Base(path)); ok {
		known, buckets = archiveSchema, sp.buckets()
	}
	db, err := bolt.Open(path, 0o600, &bolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	err = db.View(func(tx *bolt.Tx) error { return checkSchema(tx, path, known, buckets) })
	return errors.Join(err, db.Close())
}

// dataFiles lists the files of a data folder or backup, state.db last.
func dataFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		if _, ok := parseSpan(e.Name()); ok || e.Name() == stateName {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	slices.SortStableFunc(files, func(a, b string) int {
		switch {
		case isState(a):
			return 1
		case isState(b):
			return -1
		}
		return strings.Compare(a, b)
	})
	return files, nil
}

func copyFiles(ctx context.Context, files []string, dst string) error {
	if err := emptyDir(dst); err != nil {
		return err
	}
	for _, path := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := copyFile(path, filepath.Join(dst, filepath.Base(path))); err != nil {
			return err
		}
	}
	return syncDir(dst)
}

// emptyDir makes a new folder in the place of what was left there.
func emptyDir(dir string) error {
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.MkdirAll(dir, 0o700)
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	if err == nil {
		err = dst.Sync()
	}
	return errors.Join(err, dst.Close())
}

// moveFiles moves the files of one folder into another, state.db last: until it is there, Open refuses.
func moveFiles(from, to string) (int, error) {
	files, err := dataFiles(from)
	if err != nil || len(files) == 0 {
		return 0, err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return 0, err
	}
	for _, path := range files {
		if err := os.Rename(path, filepath.Join(to, filepath.Base(path))); err != nil {
			return 0, err
		}
	}
	return len(files), errors.Join(syncDir(to), syncDir(from))
}

// wasUsed reports whether a folder without state.db once had one, and must not be started afresh.
func wasUsed(dir string) bool {
	files, err := dataFiles(dir)
	if err != nil || len(files) > 0 || lastBackup(dir) != "" {
		return true
	}
	for _, trace := range []string{restoreDir, asidePrefix + "*"} {
		if found, err := filepath.Glob(filepath.Join(dir, trace)); err != nil || len(found) > 0 {
			return true
		}
	}
	return false
}
