package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// volume is one bbolt file of the folder. It is opened when first used; readers of an old archive file open
// it read-only, which spares bbolt the search for free pages.
type volume struct {
	path    string
	timeout time.Duration
	mmap    int
	grow    int // by how much the file grows at a time
	maxSize int64
	check   func(*bolt.Tx) error // looks at a file that was just opened
	always  bool                 // open it for writing even to read: it will be written to soon

	mu    sync.RWMutex // held for reading while the file is used, for writing while it is opened, closed or replaced
	db    *bolt.DB     // nil: not open
	words *words
	sound bool  // its pages were followed once; what this process writes stays sound
	ended error // once set, the file is not opened any more
}

// view calls fn in a read transaction. fn must not keep bytes of it, and must not use the volume again.
func (v *volume) view(fn func(*txn) error) error {
	if err := v.hold(v.always); err != nil {
		return err
	}
	defer v.mu.RUnlock()
	err := v.db.View(func(tx *bolt.Tx) error { return fn(&txn{Tx: tx, words: v.words}) })
	if err != nil {
		return named(v.path, err)
	}
	return nil
}

// update calls fn in a transaction that is durable when update returns nil.
func (v *volume) update(fn func(*txn) error) error {
	if err := v.hold(true); err != nil {
		return err
	}
	defer v.mu.RUnlock()
	t := &txn{words: v.words}
	err := v.db.Update(func(tx *bolt.Tx) error {
		t.Tx = tx
		return fn(t)
	})
	if err != nil {
		return named(v.path, err)
	}
	v.words.add(t.fresh)
	return nil
}

// swap closes the file once nobody uses it and calls fn, which may replace or remove it.
func (v *volume) swap(fn func(path string) error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ended != nil {
		return v.ended
	}
	if err := v.shut(); err != nil {
		return err
	}
	return fn(v.path)
}

// end closes the file for good; whoever comes later gets err.
func (v *volume) end(err error) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ended = err
	return v.shut()
}

// rest closes the file if nobody uses it at the moment, and reports whether it did.
func (v *volume) rest() bool {
	if !v.mu.TryLock() {
		return false
	}
	defer v.mu.Unlock()
	return v.shut() == nil
}

// shut closes the file. The caller holds mu.
func (v *volume) shut() error {
	if v.db == nil {
		return nil
	}
	err := v.db.Close()
	v.db = nil
	if err != nil {
		return fmt.Errorf("close: %w", named(v.path, err))
	}
	return nil
}

// hold makes sure that the file is open, and keeps it so until mu.RUnlock.
func (v *volume) hold(write bool) error {
	for {
		v.mu.RLock()
		if v.db != nil && !(write && v.db.IsReadOnly()) {
			return nil
		}
		v.mu.RUnlock()
		if err := v.open(write); err != nil {
			return err
		}
	}
}

func (v *volume) open(write bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ended != nil {
		return v.ended
	}
	if v.db != nil && !(write && v.db.IsReadOnly()) {
		return nil
	}
	if err := v.shut(); err != nil {
		return err
	}
	if err := verifyFile(v.path, !v.sound); err != nil {
		return v.refuse(err)
	}
	v.sound = true
	db, err := bolt.Open(v.path, 0o600, v.options(!write))
	if err != nil {
		return v.refuse(err)
	}
	err = db.View(func(tx *bolt.Tx) (err error) {
		if err = v.check(tx); err == nil {
			v.words, err = loadWords(tx)
		}
		return err
	})
	if err != nil {
		return errors.Join(v.refuse(err), db.Close())
	}
	if v.grow > 0 {
		db.AllocSize = v.grow
	}
	v.db = db
	return nil
}

// refuse says why the file was not opened, with what people need to go on.
func (v *volume) refuse(err error) error {
	var version *VersionError
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return &LockedError{Path: filepath.Dir(v.path)}
	case errors.As(err, &version), errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("open %s: %w", v.path, err)
	}
	return &DamagedError{Path: v.path, Backup: lastBackup(filepath.Dir(v.path)), Err: err}
}

// options are the same for every file but for the address space. NoFreelistSync keeps commits small however
// many free pages there are; NoSync stays off, always.
func (v *volume) options(readOnly bool) *bolt.Options {
	return &bolt.Options{
		Timeout:         v.timeout,
		ReadOnly:        readOnly,
		NoFreelistSync:  true,
		FreelistType:    bolt.FreelistMapType,
		InitialMmapSize: v.mmap,
		MaxSize:         int(v.maxSize),
		OpenFile: func(path string, flag int, mode os.FileMode) (*os.File, error) {
			return os.OpenFile(path, flag&^os.O_CREATE, mode) // a file that is gone must not come back empty
		},
	}
}

// createFile makes a bbolt file with its first content under a temporary name, so that nobody ever sees
// one half made (bbolt's own first initialisation is not safe against a crash).
func createFile(path string, fill func(*bolt.Tx) error) error {
	tmp := path + ".tmp"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("create %s: %w", path, err)
	}
	db, err := bolt.Open(tmp, 0o600, &bolt.Options{
		Timeout: time.Second, NoFreelistSync: true, FreelistType: bolt.FreelistMapType,
	})
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	err = db.Update(fill)
	if err := errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	return rename(tmp, path)
}

// rename puts a finished file in its place, durably.
func rename(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}
