package store

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
)

func retain(t *testing.T, db *DB, now time.Time, r Retention) Retained {
	t.Helper()
	done, err := db.Retain(t.Context(), now, r)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// wantNoBytes looks for a text in all files of a folder.
func wantNoBytes(t *testing.T, dir, text string) {
	t.Helper()
	for _, path := range filesWith(t, dir, text) {
		t.Errorf("%q is still in %s", text, filepath.Base(path))
	}
}

func filesWith(t *testing.T, dir, text string) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestTextExpiresToTheDay(t *testing.T) {
	db := openTemp(t)
	for d := range 4 {
		j := judged(d, "fjellbryg")
		j.Mention.CreatedAt = noon.AddDate(0, 0, d)
		commit(t, db, taking(j))
	}
	if filesWith(t, db.dir, "Flasche 1 war") == nil {
		t.Fatal("the text is not where it is looked for")
	}
	keep := Retention{Text: 2 * 24 * time.Hour}
	done := retain(t, db, time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC).Add(-time.Second), keep)
	if !slices.Equal(done.Days, []string{"2026-11-16"}) {
		t.Errorf("a second before midnight: %v", done.Days)
	}
	done = retain(t, db, time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), keep)
	if !slices.Equal(done.Days, []string{"2026-11-17"}) {
		t.Errorf("at midnight: %v", done.Days)
	}
	wantNoBytes(t, db.dir, "Flasche 1 war")
	wantCounts(t, db, "fjellbryg", 4, 2)
	got, err := db.Mentions(t.Context(), detector.MentionFilter{})
	if err != nil || len(got) != 4 || got[1].Mention.Text == "" || got[2].Mention.Text != "" || got[2].Mention.Author.Key() != "" {
		t.Errorf("mentions: %+v, %v", got, err)
	}
	if r := got[2]; r.Category != "quality" || r.P != judged(1, "").P || !slices.Equal(r.Rules, []string{"neg-burst"}) {
		t.Errorf("what is left of a mention: %+v", r)
	}
	known, err := db.Lookup(t.Context(), []sources.Key{keyOf(1)})
	if err != nil || !known[0].Found || len(known[0].Judged) != 1 || known[0].Judged[0].Mention.ID != "shop:1" {
		t.Errorf("lookup: %+v, %v", known, err)
	}
	keep.Counts = 24 * time.Hour
	if done = retain(t, db, time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC), keep); len(done.Days) != 2 || len(done.Months) != 1 {
		t.Errorf("in the next month: %+v", done)
	}
	if done = retain(t, db, time.Date(2026, 12, 2, 0, 0, 0, 0, time.UTC), keep); len(done.Months) != 1 {
		t.Errorf("and again: %+v", done)
	}
	wantCounts(t, db, "fjellbryg", 0, 0)
}

func TestFoldingBrokenOffIsRepeated(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(numbered(0, 30, "fjellbryg")...))
	broken := errors.New("killed")
	db.pause = func(at string) error {
		if at == "folded" {
			return broken
		}
		return nil
	}
	keep := Retention{Text: time.Hour}
	if _, err := db.Retain(t.Context(), noon.AddDate(0, 0, 5), keep); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	wantCounts(t, db, "fjellbryg", 30, 10) // in both files, counted once
	if got, err := db.Mentions(t.Context(), detector.MentionFilter{Limit: 100}); err != nil || len(got) != 30 {
		t.Errorf("%d mentions, %v", len(got), err)
	}
	db.pause = func(string) error { return nil }
	retain(t, db, noon.AddDate(0, 0, 5), keep)
	wantCounts(t, db, "fjellbryg", 30, 10)
}

func TestStateExpires(t *testing.T) {
	db := openTemp(t)
	c := taking(judged(1, "fjellbryg"))
	c.Done = []detector.Done{{ID: "op-1", At: noon}}
	closed, open := incident(1, detector.Closed), incident(2, detector.New)
	c.Incidents = []detector.Incident{closed, open}
	for _, id := range []string{closed.ID, open.ID, "system"} {
		first := detector.Chained(detector.Audit{}, detector.Audit{Incident: id, At: noon})
		c.Audit = append(c.Audit, first, detector.Chained(first, detector.Audit{Incident: id, At: noon.AddDate(0, 0, 300)}))
	}
	commit(t, db, c)
	commit(t, db, &detector.Change{At: noon.AddDate(0, 0, 36)})
	keep := Retention{Audit: 100 * 24 * time.Hour}
	done := retain(t, db, noon.AddDate(0, 0, 34), keep)
	if done.Seen != 0 || done.Done != 1 || done.Incidents != 0 {
		t.Errorf("after 34 days: %+v", done)
	}
	if done = retain(t, db, noon.AddDate(0, 0, 36), keep); done.Seen != 1 {
		t.Errorf("after 36 days: %+v", done)
	}
	if known, err := db.Lookup(t.Context(), []sources.Key{keyOf(1)}); err != nil || known[0].Found {
		t.Errorf("the id is still known: %v, %v", known, err)
	}
	if done = retain(t, db, noon.AddDate(0, 0, 101), keep); done.Incidents != 1 || done.AuditLines != 1 {
		t.Errorf("after 101 days: %+v", done)
	}
	_, err := db.Incident(t.Context(), closed.ID)
	_, err2 := db.Audit(t.Context(), closed.ID)
	if !errors.Is(err, detector.ErrNotFound) || !errors.Is(err2, detector.ErrNotFound) {
		t.Errorf("the closed incident: %v, %v", err, err2)
	}
	for id, want := range map[string]int{open.ID: 2, "system": 1} {
		if lines, err := db.Audit(t.Context(), id); err != nil || len(lines) != want {
			t.Errorf("history of %s: %d lines, %v; want %d", id, len(lines), err, want)
		}
	}
}

func TestEraseAuthorLeavesNoBytes(t *testing.T) {
	db := openTemp(t)
	for d := range 3 {
		for n := range 20 {
			j := judged(n, "fjellbryg")
			j.Mention.ID += string(rune('a' + d))
			j.Mention.CreatedAt = noon.AddDate(0, 0, d).Add(time.Duration(n) * time.Second)
			if n == 5 && d < 2 {
				j.Mention.Author = sources.Author{ID: "u-secret", Handle: "@Solveig", Name: "Solveig Berg"}
				j.Mention.Text = "canary text of Solveig"
			}
			commit(t, db, taking(j))
		}
	}
	untouched, err := os.Stat(dataFile(db, "mentions-20261118.db"))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(filesWith(t, db.dir, "canary")); n != 2 {
		t.Fatalf("the canary is in %d files", n)
	}
	if done, err := db.EraseAuthor(t.Context(), Erasure{Source: "other source", Author: "@solveig"}); err != nil || done.Mentions != 0 {
		t.Errorf("in another source: %+v, %v", done, err)
	}
	done, err := db.EraseAuthor(t.Context(), Erasure{Source: "shop", Author: "solveig", By: ops, At: noon})
	if err != nil || done.Mentions != 2 || len(done.Files) != 2 {
		t.Fatalf("erased %+v, %v", done, err)
	}
	for _, word := range []string{"canary", "olveig", "u-secret"} {
		wantNoBytes(t, db.dir, word)
	}
	wantCounts(t, db, "fjellbryg", 60, 21)
	if now, err := os.Stat(dataFile(db, "mentions-20261118.db")); err != nil || !os.SameFile(now, untouched) {
		t.Errorf("a file without the author was rewritten (%v)", err)
	}
	if done, err = db.EraseAuthor(t.Context(), Erasure{Source: "shop", Author: "u-secret"}); err != nil || done.Mentions != 0 {
		t.Errorf("again: %+v, %v", done, err)
	}
	lines, err := db.Audit(t.Context(), detector.SystemChain)
	if err != nil || len(lines) != 3 {
		t.Fatalf("%d lines of proof, %v", len(lines), err)
	}
	if l := lines[1]; l.Op != "erase" || l.Actor != ops || !l.At.Equal(noon) || !strings.HasPrefix(l.Note, "2 records of author ") {
		t.Errorf("proof %+v", l)
	}
}

func TestABrokenOffErasureIsNotedAsSuch(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(judged(1, "fjellbryg")))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.EraseAuthor(ended, Erasure{Source: "shop", Author: "u-1", By: ops, At: noon}); !errors.Is(err, context.Canceled) {
		t.Errorf("broken off: %v", err)
	}
	lines, err := db.Audit(t.Context(), detector.SystemChain)
	if err != nil || len(lines) != 1 || !strings.Contains(lines[0].Note, "has to be repeated") {
		t.Errorf("%+v, %v", lines, err)
	}
}

var ops = detector.Actor{Kind: "person", ID: "ops", Via: "cli"}

// The chain goes on after its oldest lines have expired and after a restart, and a changed line shows.
func TestSystemChain(t *testing.T) {
	db := openTemp(t)
	record := func(at time.Time, note string) {
		t.Helper()
		if err := db.Record(t.Context(), detector.Audit{At: at, Actor: ops, Op: "reload", Note: note}); err != nil {
			t.Fatal(err)
		}
	}
	for d := range 4 {
		record(noon.AddDate(0, 0, 100*d), "one")
	}
	retain(t, db, noon.AddDate(0, 0, 350), Retention{Audit: 200 * 24 * time.Hour})
	db = reopen(t, db)
	record(noon.AddDate(0, 0, 400), "last")
	lines, err := db.Audit(t.Context(), detector.SystemChain)
	if err != nil || len(lines) != 3 || lines[0].Seq != 3 || lines[2].Note != "last" {
		t.Fatalf("%+v, %v", lines, err)
	}
	if in, err := db.Info(t.Context()); err != nil || len(in.Audit) != 3 {
		t.Errorf("told: %+v, %v", in.Audit, err)
	}
	wantProblems := func(n int, says string) {
		t.Helper()
		problems, err := db.Check(t.Context())
		if err != nil || len(problems) != n || n > 0 && !strings.Contains(problems[0].What, says) {
			t.Errorf("problems %v, %v", problems, err)
		}
	}
	wantProblems(0, "")
	forged := lines[1]
	forged.Actor.ID = "nobody"
	commit(t, db, &detector.Change{Audit: []detector.Audit{forged}})
	wantProblems(1, "line 4 was changed")
	forged = detector.Chained(lines[0], forged) // with a hash of its own: the next line gives it away
	commit(t, db, &detector.Change{Audit: []detector.Audit{forged}})
	wantProblems(1, "line 5 was changed")
	commit(t, db, &detector.Change{Audit: []detector.Audit{lines[1]}})
}

func TestPseudonymsDifferBetweenFolders(t *testing.T) {
	a, b := openTemp(t), openTemp(t)
	if a.pseudonym("shop", "maja") == b.pseudonym("shop", "maja") {
		t.Error("two folders give the same pseudonym")
	}
	if a.pseudonym("shop", "maja") != a.pseudonym("shop", "@Maja") {
		t.Error("case or @ matter")
	}
}
