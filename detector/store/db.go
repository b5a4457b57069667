package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"

	"emberwatch/detector"
)

var (
	_ detector.Store    = (*DB)(nil)
	_ detector.Reader   = (*DB)(nil)
	_ detector.Rooter   = (*DB)(nil)
	_ detector.Recorder = (*DB)(nil)
)

const stateName = "state.db"

// Names of the buckets of state.db. itemBucket is one of them, too.
const (
	metaBucket     = "meta"
	cursorBucket   = "cursor"
	seriesBucket   = "series"
	brandBucket    = "brand"
	incidentBucket = "incident"
	openedBucket   = "incident_opened"
	endedBucket    = "incident_ended"
	auditBucket    = "audit"
	outboxBucket   = "outbox"
	sentBucket     = "outbox_done"
	alertKeyBucket = "outbox_key"
	rootBucket     = "root"
	refBucket      = "slackref"
	doneBucket     = "done"
	deliveryBucket = "delivery"
	seenBucket     = "seen"
	waitingBucket  = "waiting"
)

// Keys of the meta bucket.
const (
	metaSchema   = "schema"   // u32
	metaInstance = "instance" // 32 random bytes: the key of the authors' pseudonyms
	metaSeq      = "seq"      // u64: the last alert
	metaLast     = "last"     // time of the last commit
	metaDirty    = "dirty"    // archive files: freed pages hold what was deleted
)

func stateBuckets() []string {
	return []string{
		cursorBucket, seriesBucket, brandBucket, itemBucket, incidentBucket, openedBucket, endedBucket, auditBucket,
		outboxBucket, sentBucket, alertKeyBucket, rootBucket, refBucket, doneBucket, deliveryBucket, seenBucket,
		waitingBucket,
	}
}

// Options change how a data folder is opened. The zero value is right for the daemon.
type Options struct {
	// Timeout is how long Open waits for another process to let go of the folder; 0: 2 s.
	Timeout time.Duration
	// MaxSize is the size that no single file may grow past, in bytes; 0: no limit. A commit that would
	// fails with ErrFull and changes nothing.
	MaxSize int64
	// InitialMmap is the address space that state.db gets at first; 0: 1 GiB. While the file fits into it,
	// readers never hold up the writer. It costs no memory.
	InitialMmap int
	// OpenFiles is how many archive files are kept open; 0: 8.
	OpenFiles int
}

func (o Options) filled() Options {
	if o.Timeout == 0 {
		o.Timeout = 2 * time.Second
	}
	if o.InitialMmap == 0 {
		o.InitialMmap = 1 << 30
	}
	if o.OpenFiles == 0 {
		o.OpenFiles = 8
	}
	return o
}

// DB is an open data folder. It is safe for concurrent use.
type DB struct {
	dir      string
	opt      Options
	lock     *os.File
	state    *volume
	archive  *shelf
	seen     *recall
	instance []byte // key of the authors' pseudonyms

	writing sync.Mutex         // one at a time: commits, retention, backups, rewrites
	pause   func(string) error // tests: called at named points of a write
}

// Dir returns the data folder as it was given to Open.
func (db *DB) Dir() string { return db.dir }

// Open opens the data folder dir and creates it if there is none. It fails with a *LockedError if another
// process has it, a *VersionError if it is of a newer emberwatch, a *DamagedError if a file cannot be what
// was written, an *ExposedError if others can read it. A folder that cannot be opened is left as it is.
func Open(dir string, opt Options) (*DB, error) {
	return open(dir, opt.filled(), migrations())
}

func open(dir string, opt Options, steps []step) (db *DB, err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := closeToOthers(dir); err != nil {
		return nil, err
	}
	db = &DB{dir: dir, opt: opt, pause: func(string) error { return nil }}
	if db.lock, err = lock(dir, opt.Timeout); err != nil {
		return nil, err
	}
	if err = sweep(dir); err == nil {
		err = db.start(steps)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// sweep removes half-made files and backups that a crash has left: they may hold text. Of the backups only
// those that bear a name of BackupPath; others are made where people say.
func sweep(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, "*.db.tmp"))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	copies, err2 := filepath.Glob(filepath.Join(dir, backupDir, "????????-??????.*"+halfMade))
	for _, path := range copies {
		err2 = errors.Join(err2, os.RemoveAll(path))
	}
	return errors.Join(err, err2)
}

// start opens state.db, which it creates in a new folder, and reads what is kept in memory.
func (db *DB) start(steps []step) (err error) {
	if db.archive, err = newShelf(db.dir, db.opt); err != nil {
		return err
	}
	path := filepath.Join(db.dir, stateName)
	db.state = &volume{
		path: path, timeout: db.opt.Timeout, mmap: db.opt.InitialMmap, maxSize: db.opt.MaxSize, always: true,
		check: func(tx *bolt.Tx) error { return checkSchema(tx, path, newest(steps), stateBuckets()) },
	}
	if err := db.found(newest(steps)); err != nil {
		return err
	}
	if err := db.migrate(steps); err != nil {
		return err
	}
	db.seen = newRecall()
	return db.state.view(func(t *txn) error {
		db.instance = append([]byte(nil), t.b(metaBucket).Get([]byte(metaInstance))...)
		if len(db.instance) == 0 {
			return errors.New("the instance key is missing")
		}
		return db.seen.load(t)
	})
}

// found creates state.db in a folder that is new. In one that was in use before, a missing state.db is
// damage: starting afresh there would look like calm.
func (db *DB) found(schema uint32) error {
	if _, err := os.Stat(db.state.path); err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if wasUsed(db.dir) {
		return &DamagedError{Path: db.state.path, Backup: lastBackup(db.dir), Err: errors.New("the file is missing")}
	}
	return createFile(db.state.path, func(tx *bolt.Tx) error {
		if err := initFile(tx, schema, stateBuckets()); err != nil {
			return err
		}
		key := make([]byte, 32)
		rand.Read(key) // never fails
		return tx.Bucket([]byte(metaBucket)).Put([]byte(metaInstance), key)
	})
}

// Close waits for what is being written and closes all files. Whatever is called later fails with ErrClosed.
func (db *DB) Close() error {
	db.writing.Lock()
	defer db.writing.Unlock()
	var errs []error
	if db.archive != nil {
		errs = append(errs, db.archive.close())
	}
	if db.state != nil {
		errs = append(errs, db.state.end(ErrClosed))
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
		db.lock = nil
	}
	return errors.Join(errs...)
}

// begin takes the writer's turn; the caller unlocks db.writing.
func (db *DB) begin(ctx context.Context) error {
	db.writing.Lock()
	err := ctx.Err()
	if err == nil && db.lock == nil {
		err = ErrClosed
	}
	if err != nil {
		db.writing.Unlock()
	}
	return err
}

// closeToOthers creates the folder, and takes away the rights of other users to it and its files.
func closeToOthers(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil {
		return fmt.Errorf("data folder: %w", err)
	}
	for _, path := range append([]string{dir}, paths...) {
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
		mode := info.Mode().Perm()
		if mode&0o077 == 0 {
			continue
		}
		if err := os.Chmod(path, mode&0o700); err != nil {
			return &ExposedError{Path: path, Mode: mode, Err: err}
		}
	}
	return nil
}
