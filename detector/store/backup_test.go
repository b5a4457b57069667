package store

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"emberwatch/detector"
)

func TestBackupWhileWriting(t *testing.T) {
	db := openTemp(t)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for n := 0; ; n += 10 {
			select {
			case <-stop:
				return
			default:
				commit(t, db, taking(numbered(n, n+10, "fjellbryg")...))
			}
		}
	})
	for round := range 5 {
		dst := filepath.Join(t.TempDir(), "copy")
		copied, err := db.Backup(t.Context(), dst)
		if err != nil {
			t.Fatal(err)
		}
		if copied.Path != dst || copied.Files == 0 || copied.Bytes == 0 {
			t.Errorf("round %d: %+v", round, copied)
		}
		wantArchiveNotOlder(t, dst)
	}
	close(stop)
	writer.Wait()
}

// wantArchiveNotOlder opens a backup and expects to find the texts of all that its state has seen.
func wantArchiveNotOlder(t *testing.T, dir string) {
	t.Helper()
	wantSound(t, dir)
	db, err := Open(dir, small())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	in, err := db.Info(t.Context())
	if err != nil || in.Texts < in.Seen {
		t.Errorf("%d texts for %d seen, %v", in.Texts, in.Seen, err)
	}
}

func TestBackupIsCompleteOrNotThere(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(judged(1, "fjellbryg")))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	dst := db.BackupPath(noon)
	if _, err := db.Backup(ended, dst); !errors.Is(err, context.Canceled) {
		t.Errorf("broken off: %v", err)
	}
	if left, _ := os.ReadDir(filepath.Dir(dst)); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := db.Backup(t.Context(), dst); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Backup(t.Context(), dst); err == nil {
		t.Error("a backup was overwritten")
	}
}

func TestOnlyTheNewestBackupsAreKept(t *testing.T) {
	db := openTemp(t)
	var paths []string
	for d := range 4 {
		path := db.BackupPath(noon.AddDate(0, 0, d))
		if _, err := db.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		at := noon.AddDate(0, 0, d)
		if err := os.Chtimes(filepath.Join(path, stateName), at, at); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	removed, err := db.PruneBackups(2)
	if err != nil || !slices.Equal(removed, paths[:2]) {
		t.Errorf("removed %v, %v", removed, err)
	}
	if left := backups(db.dir); !slices.Equal(left, paths[2:]) {
		t.Errorf("left %v", left)
	}
}

func TestRestoreMovesAsideWhatIsThere(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(judged(1, "fjellbryg")))
	copied, err := db.Backup(t.Context(), db.BackupPath(noon))
	if err != nil {
		t.Fatal(err)
	}
	late := judged(2, "fjellbryg")
	late.Mention.CreatedAt = noon.AddDate(0, 0, 3)
	commit(t, db, taking(late))
	db.Close()
	aside, err := Restore(t.Context(), copied.Path, db.dir, noon)
	if err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]int{db.dir: 1, aside: 2} {
		db := openIn(t, dir)
		if got, err := db.Mentions(t.Context(), detector.MentionFilter{}); err != nil || len(got) != want {
			t.Errorf("%s: %d mentions, %v; want %d", dir, len(got), err, want)
		}
		db.Close()
	}
	fresh := filepath.Join(t.TempDir(), "new")
	if aside, err := Restore(t.Context(), copied.Path, fresh, noon); err != nil || aside != "" {
		t.Errorf("into a new folder: %q, %v", aside, err)
	}
	wantSound(t, fresh)
}

func TestRestoreRefusesWhatIsNoGoodBackup(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(numbered(0, 200, "fjellbryg")...))
	copied, err := db.Backup(t.Context(), db.BackupPath(noon))
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
	rewriteFile(t, filepath.Join(copied.Path, "mentions-20261116.db"), func(b []byte) []byte {
		clear(b[3*os.Getpagesize():])
		return b
	})
	for name, backup := range map[string]string{"damaged": copied.Path, "empty": t.TempDir(), "nowhere": filepath.Join(db.dir, "x")} {
		if _, err := Restore(t.Context(), backup, db.dir, noon); err == nil {
			t.Errorf("%s: restored", name)
		}
	}
	if got, err := openIn(t, db.dir).Mentions(t.Context(), detector.MentionFilter{Limit: 500}); err != nil || len(got) != 200 {
		t.Errorf("%d mentions after refusals, %v", len(got), err)
	}
}

func TestCompactGivesSpaceBack(t *testing.T) {
	db := openTemp(t)
	for n := range 20 {
		c := taking(numbered(n*100, n*100+100, "fjellbryg")...)
		for i := range c.Put {
			c.Items = append(c.Items, detector.Item{Key: keyOf(n*100 + i), Brand: "fjellbryg", At: c.Put[i].Mention.CreatedAt})
		}
		commit(t, db, c)
	}
	before, err := db.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	retain(t, db, noon.AddDate(0, 0, 90), Retention{}) // forgets the seen ids
	gained, err := db.Compact(t.Context())
	if err != nil || gained <= 0 {
		t.Errorf("gained %d bytes, %v", gained, err)
	}
	after, err := db.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	diff(t, after, before)
	commit(t, db, taking(judged(5000, "fjellbryg")))
	wantCounts(t, db, "fjellbryg", 2001, 667)
}

func TestCompactBrokenOffKeepsTheFile(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(judged(1, "fjellbryg")))
	broken := errors.New("killed")
	db.pause = func(string) error { return broken }
	if _, err := db.Compact(t.Context()); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	db = reopen(t, db)
	wantCounts(t, db, "fjellbryg", 1, 0)
}

func TestInfo(t *testing.T) {
	db := openTemp(t)
	c := taking(append(numbered(0, 10, "fjellbryg"), numbered(5, 20, "kysttog")...)...)
	c.Incidents = []detector.Incident{incident(1, detector.New), incident(2, detector.Closed)}
	c.Alerts = []detector.Alert{{Seq: 4, Key: "k", State: detector.AlertPending}}
	c.Brands = []detector.BrandState{{ID: "fjellbryg"}}
	commit(t, db, c)
	in, err := db.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(in.Files) != 2 || in.Bytes <= 0 || in.DiskFree <= 0 {
		t.Errorf("sizes: %+v", in)
	}
	got := []int{in.Schema, in.Brands, in.Incidents, in.Open, in.Pending, in.Seen, in.Texts, in.Records}
	diff(t, got, []int{2, 1, 2, 1, 1, 20, 25, 25})
	diff(t, []time.Time{in.Oldest, in.Newest, in.LastCommit}, []time.Time{noon, noon.Add(19 * time.Second), noon.Add(20 * time.Second)})
}

// history is the history of an incident that has been opened and no more.
func history(inc detector.Incident) []detector.Audit {
	patch, err := json.Marshal(inc)
	if err != nil {
		panic(err)
	}
	return []detector.Audit{detector.Chained(detector.Audit{}, detector.Audit{Incident: inc.ID, At: noon, Op: "opened", Patch: patch})}
}

func TestCheckFindsWhatDoesNotFit(t *testing.T) {
	for name, spoil := range map[string]func(*DB) error{
		"index entry missing": func(db *DB) error {
			return db.state.update(func(t *txn) error {
				return t.b(openedBucket).Delete(timeKey(incident(1, detector.New).OpenedAt, "fjellbryg-1"))
			})
		},
		"unknown format": func(db *DB) error {
			return db.state.update(func(t *txn) error { return t.b(incidentBucket).Put([]byte("fjellbryg-1"), []byte{9, '{', '}'}) })
		},
		"gap in a history": func(db *DB) error {
			l := history(incident(1, detector.New))
			return db.Commit(context.Background(), &detector.Change{Audit: []detector.Audit{detector.Chained(detector.Chained(l[0], l[0]), l[0])}})
		},
		"line changed": func(db *DB) error {
			l := history(incident(1, detector.New))[0]
			l.Note = "nothing to see"
			return db.Commit(context.Background(), &detector.Change{Audit: []detector.Audit{l}})
		},
		"incident changed": func(db *DB) error {
			return db.Commit(context.Background(), &detector.Change{Incidents: []detector.Incident{incident(1, detector.Acked)}})
		},
		"item missing": func(db *DB) error {
			v, _ := db.archive.get(daySpan(noon))
			return v.update(func(t *txn) error {
				k, _ := t.b(itemBucket).Cursor().First()
				return t.b(itemBucket).Delete(k)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := Open(t.TempDir(), small())
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			c := taking(judged(1, "fjellbryg"))
			c.Incidents = []detector.Incident{incident(1, detector.New)}
			c.Audit = history(c.Incidents[0])
			commit(t, db, c)
			if problems, err := db.Check(t.Context()); err != nil || len(problems) > 0 {
				t.Fatalf("before: %v, %v", problems, err)
			}
			if err := spoil(db); err != nil {
				t.Fatal(err)
			}
			if problems, err := db.Check(t.Context()); err != nil || len(problems) == 0 {
				t.Errorf("found nothing (%v)", err)
			}
		})
	}
}

func TestBackupTouchesNothingThatIsThere(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(judged(1, "fjellbryg")))
	dir := t.TempDir()
	mine := filepath.Join(dir, "mine.tmp", "letter")
	if err := errors.Join(os.Mkdir(filepath.Dir(mine), 0o700), os.WriteFile(mine, []byte("dear"), 0o600)); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Backup(t.Context(), filepath.Join(dir, "mine")); err != nil {
		t.Errorf("beside a folder of somebody else: %v", err)
	}
	for what, dst := range map[string]string{
		"a backup": filepath.Join(dir, "mine"), "a folder in use": filepath.Dir(mine), "a file": mine, "a link": link, "the data folder": db.dir,
	} {
		if _, err := db.Backup(t.Context(), dst); !errors.Is(err, ErrOccupied) {
			t.Errorf("onto %s: %v", what, err)
		}
	}
	if b, err := os.ReadFile(mine); err != nil || string(b) != "dear" {
		t.Errorf("what stood there: %q, %v", b, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*"+halfMade)); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestBackupIntoAnEmptyFolder(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(judged(1, "fjellbryg")))
	dst := t.TempDir()
	if _, err := db.Backup(t.Context(), dst); err != nil {
		t.Fatal(err)
	}
	wantSound(t, dst)
	if info, err := os.Stat(dst); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// What comes into the target while the copy is made stays, and the copy goes.
func TestBackupLosesARaceInOrder(t *testing.T) {
	dir := t.TempDir()
	tmp, dst := filepath.Join(dir, "tmp"), filepath.Join(dir, "dst")
	if err := errors.Join(os.Mkdir(tmp, 0o700), os.MkdirAll(filepath.Join(dst, "theirs"), 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := settle(tmp, dst); !errors.Is(err, ErrOccupied) {
		t.Errorf("onto a folder that has filled: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dst, "theirs")); err != nil {
		t.Error(err)
	}
}

func TestHalfMadeBackupsAreSwept(t *testing.T) {
	db := openTemp(t)
	half, theirs := db.BackupPath(noon)+".123"+halfMade, filepath.Join(db.dir, backupDir, "theirs"+halfMade)
	for _, dir := range []string{half, theirs} {
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, stateName), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	reopen(t, db)
	if _, err := os.Stat(half); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the half-made one: %v", err)
	}
	if _, err := os.Stat(theirs); err != nil {
		t.Errorf("one with another name: %v", err)
	}
}
