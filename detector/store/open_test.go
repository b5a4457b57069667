package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"emberwatch/detector"
)

func TestSecondOpenSaysWhoHasTheFolder(t *testing.T) {
	db := openTemp(t)
	_, err := Open(db.dir, small())
	var locked *LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() || locked.Path != db.dir {
		t.Fatalf("second open: %v", err)
	}
	if want := "is in use by another emberwatch (pid "; !strings.Contains(err.Error(), want) {
		t.Errorf("%q does not say %q", err, want)
	}
	if _, err := Restore(t.Context(), db.dir, db.dir, noon); !errors.As(err, &locked) {
		t.Errorf("restore into a folder in use: %v", err)
	}
}

func TestOpenWaitsForTheFolder(t *testing.T) {
	dir := t.TempDir()
	first, err := Open(dir, small())
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(60*time.Millisecond, func() { first.Close() })
	opt := small()
	opt.Timeout = 5 * time.Second
	second, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
}

func TestFolderIsClosedToOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	db := openIn(t, dir)
	commit(t, db, taking(judged(1, "fjellbryg")))
	if err := os.Chmod(db.state.path, 0o644); err != nil {
		t.Fatal(err)
	}
	db = reopen(t, db)
	if _, err := db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Backup(t.Context(), db.BackupPath(noon)); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Retain(t.Context(), noon.AddDate(0, 1, 0), Retention{Text: time.Hour}); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %o", path, info.Mode().Perm())
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestNewerFilesAreRefused(t *testing.T) {
	for name, known := range map[string]int{stateName: int(newest(migrations())), "mentions-20261116.db": archiveSchema} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db, err := Open(dir, small())
			if err != nil {
				t.Fatal(err)
			}
			commit(t, db, taking(judged(1, "fjellbryg")))
			db.Close()
			setSchema(t, filepath.Join(dir, name), 7)
			db, err = Open(dir, small())
			if err == nil {
				_, err = db.Mentions(t.Context(), detector.MentionFilter{})
				db.Close()
			}
			var newer *VersionError
			if !errors.As(err, &newer) || newer.Found != 7 || newer.Known != known {
				t.Errorf("open: %v", err)
			}
		})
	}
}

func setSchema(t *testing.T, path string, schema uint32) {
	t.Helper()
	f, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	err = f.Update(func(tx *bolt.Tx) error {
		return tx.Bucket([]byte(metaBucket)).Put([]byte(metaSchema), binary.BigEndian.AppendUint32(nil, schema))
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestMigrationRunsOnceAfterABackup(t *testing.T) {
	dir := t.TempDir()
	openIn(t, dir).Close()
	ran := 0
	mark := func(t *txn) error { ran++; return t.b(cursorBucket).Put([]byte{0, 0}, []byte{formatV1}) }
	broken := errors.New("no")
	steps := append(migrations(), step{to: 3, run: mark}, step{to: 4, run: func(*txn) error { return broken }})
	if _, err := open(dir, small().filled(), steps); !errors.Is(err, broken) {
		t.Fatalf("a migration that fails: %v", err)
	}
	wantSound(t, dir) // all steps or none: the folder still opens as it was
	steps[3].run = mark
	for range 2 {
		db, err := open(dir, small().filled(), steps)
		if err != nil {
			t.Fatal(err)
		}
		db.Close()
	}
	if ran != 3 {
		t.Errorf("steps ran %d times, want 3", ran)
	}
	backup := filepath.Join(dir, backupDir, "before-schema-4")
	if err := checkCopy(filepath.Join(backup, stateName)); err != nil {
		t.Error(err)
	}
	var newer *VersionError
	if _, err := Open(dir, small()); !errors.As(err, &newer) {
		t.Errorf("an older program opened schema 4: %v", err)
	}
	if _, err := Restore(t.Context(), backup, dir, noon); err != nil {
		t.Error(err)
	}
	wantSound(t, dir)
}

func TestDamageIsRefusedAndLeftAlone(t *testing.T) {
	for name, damage := range map[string]func([]byte) []byte{
		"cut short":      func(b []byte) []byte { return b[:4*os.Getpagesize()] },
		"empty":          func([]byte) []byte { return nil },
		"headers zeroed": func(b []byte) []byte { clear(b[:2*os.Getpagesize()]); return b },
		"pages zeroed":   func(b []byte) []byte { clear(b[2*os.Getpagesize():]); return b },
		"text instead":   func(b []byte) []byte { return bytes.Repeat([]byte("hello "), len(b)/6) },
		"another bbolt":  foreignFile,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			db, err := Open(dir, small())
			if err != nil {
				t.Fatal(err)
			}
			commit(t, db, taking(numbered(0, 100, "fjellbryg")...))
			copied, err := db.Backup(t.Context(), db.BackupPath(noon))
			if err != nil {
				t.Fatal(err)
			}
			db.Close()
			path := filepath.Join(dir, stateName)
			before := rewriteFile(t, path, damage)
			_, err = Open(dir, small())
			var damaged *DamagedError
			if !errors.As(err, &damaged) || damaged.Path != path || damaged.Backup != copied.Path {
				t.Fatalf("open: %v", err)
			}
			for _, want := range []string{path, copied.Path, "store restore"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not name %q", err, want)
				}
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(after, before) {
				t.Error("the damaged file was changed")
			}
			wantRestored(t, copied.Path, dir)
		})
	}
}

// foreignFile is a bbolt file that is none of ours.
func foreignFile([]byte) []byte {
	dir, err := os.MkdirTemp("", "foreign")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	f, err := bolt.Open(filepath.Join(dir, "x"), 0o600, nil)
	if err != nil {
		panic(err)
	}
	f.Close()
	b, err := os.ReadFile(filepath.Join(dir, "x"))
	if err != nil {
		panic(err)
	}
	return b
}

func rewriteFile(t *testing.T, path string, change func([]byte) []byte) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.Clone(change(b))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// wantRestored puts a backup back and expects to find what the test had committed.
func wantRestored(t *testing.T, backup, dir string) {
	t.Helper()
	aside, err := Restore(t.Context(), backup, dir, noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(aside, stateName)); err != nil {
		t.Errorf("the damaged file was not kept: %v", err)
	}
	db := openIn(t, dir)
	got, err := db.Mentions(t.Context(), detector.MentionFilter{Limit: 1000})
	if err != nil || len(got) != 100 {
		t.Errorf("restored %d mentions, %v", len(got), err)
	}
}

func TestMissingStateIsNotStartedAfresh(t *testing.T) {
	for name, leave := range map[string]string{
		"archive": "mentions-20261116.db", "restore broken off": restoreDir, "moved aside": asidePrefix + "20261116-120000",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, leave), 0o700); err != nil {
				t.Fatal(err)
			}
			var damaged *DamagedError
			if _, err := Open(dir, small()); !errors.As(err, &damaged) {
				t.Errorf("open: %v", err)
			}
			if _, err := os.Stat(filepath.Join(dir, stateName)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("state.db came back: %v", err)
			}
		})
	}
}

func TestDamagedArchiveFileIsNamed(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(judged(1, "fjellbryg")))
	db.Close()
	path := filepath.Join(db.dir, "mentions-20261116.db")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	rewriteFile(t, path, func(b []byte) []byte { return b[:3*os.Getpagesize()] })
	db, err = Open(db.dir, small())
	if err != nil {
		t.Fatal(err)
	}
	var damaged *DamagedError
	if err := db.Commit(t.Context(), taking(judged(2, "fjellbryg"))); !errors.As(err, &damaged) || damaged.Path != path {
		t.Errorf("commit: %v", err)
	}
	problems, err := db.Check(t.Context())
	if err != nil || len(problems) != 1 || problems[0].File != filepath.Base(path) {
		t.Errorf("check: %v %v", problems, err)
	}
	db.Close()
	rewriteFile(t, path, func([]byte) []byte { return whole })
}

func TestHalfMadeFilesAreSweptAway(t *testing.T) {
	db := openTemp(t)
	left := filepath.Join(db.dir, "mentions-20261101.db.tmp")
	if err := os.WriteFile(left, []byte("half a text"), 0o600); err != nil {
		t.Fatal(err)
	}
	reopen(t, db)
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there: %v", left, err)
	}
}

func TestFree(t *testing.T) {
	if p, err := Free(t.TempDir()); err != nil || p <= 0 || p > 100 {
		t.Errorf("free: %v, %v", p, err)
	}
	if _, err := Free(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("free of nothing: %v", err)
	}
}
