package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"emberwatch/detector"
	"emberwatch/sources"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashEnv); dir != "" {
		commitUntilKilled(dir)
	}
	os.Exit(m.Run())
}

// small keeps tests from mapping a gibibyte each.
func small() Options {
	return Options{Timeout: 100 * time.Millisecond, InitialMmap: 1 << 20, OpenFiles: 3}
}

// openIn opens a folder; when the test ends, the store is closed, opened again and checked.
func openIn(t testing.TB, dir string) *DB {
	t.Helper()
	db, err := Open(dir, small())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		wantSound(t, dir)
	})
	return db
}

func openTemp(t testing.TB) *DB { return openIn(t, t.TempDir()) }

// wantSound opens a folder that nobody has open, and checks every page and record of it.
func wantSound(t testing.TB, dir string) {
	t.Helper()
	db, err := Open(dir, small())
	if err != nil {
		t.Error("opened again:", err)
		return
	}
	defer db.Close()
	problems, err := db.Check(context.Background()) // that of the test has ended when it cleans up
	if err != nil {
		t.Error("check:", err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.File, p.What)
	}
}

func commit(t testing.TB, db *DB, c *detector.Change) {
	t.Helper()
	if err := db.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// reopen closes a store and opens its folder again.
func reopen(t testing.TB, db *DB) *DB {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return openIn(t, db.dir)
}

func diff(t testing.TB, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// noon is a moment to hang tests on.
var noon = time.Date(2026, 11, 16, 12, 0, 0, 0, time.UTC)

// mention is the n-th mention of a test, n seconds after noon.
func mention(n int) sources.Mention {
	return sources.Mention{
		V: 1, ID: fmt.Sprintf("shop:%d", n), Source: "shop", Network: "instagram", Kind: sources.Comment, Op: sources.Create,
		Author:    sources.Author{ID: fmt.Sprintf("u-%d", n%7), Name: "Maja Lindqvist", Handle: fmt.Sprintf("@maja%d", n%7), Followers: 120},
		Text:      fmt.Sprintf("Die Flasche %d war leer <&> \U0001F37E", n),
		Lang:      "de",
		CreatedAt: noon.Add(time.Duration(n) * time.Second), Visibility: sources.Public,
	}
}

// judged is the n-th mention for a brand; every third one is negative.
func judged(n int, brand string) detector.Judged {
	p := detector.P{Negative: 0.1, Neutral: 0.7, Positive: 0.2}
	if n%3 == 0 {
		p = detector.P{Negative: 0.9, Neutral: 0.07, Positive: 0.03}
	}
	return detector.Judged{
		Mention: mention(n), Brand: brand, P: p, Lang: "de", Known: true, Category: "quality",
		Categories: []string{"quality", "delivery"}, Cue: "leer", Confidence: 0.8, Rules: []string{"neg-burst"},
	}
}

// taking is the change that takes mentions for the brands they were judged for.
func taking(all ...detector.Judged) *detector.Change {
	c := &detector.Change{}
	at := make(map[sources.Key]int)
	for _, j := range all {
		k := j.Mention.Key()
		c.At = j.Mention.CreatedAt.Add(time.Second)
		c.Put = append(c.Put, j)
		if i, ok := at[k]; ok {
			c.Seen[i].Brands = append(c.Seen[i].Brands, j.Brand)
			continue
		}
		at[k] = len(c.Seen)
		c.Seen = append(c.Seen, detector.Seen{Key: k, Arrived: c.At, At: j.Mention.CreatedAt, Brands: []string{j.Brand}})
	}
	return c
}

func numbered(from, to int, brand string) []detector.Judged {
	var list []detector.Judged
	for n := from; n < to; n++ {
		list = append(list, judged(n, brand))
	}
	return list
}

func keysOf(list []detector.Judged) []string {
	var ids []string
	for _, j := range list {
		ids = append(ids, j.Mention.ID)
	}
	return ids
}

func dataFile(db *DB, name string) string { return filepath.Join(db.dir, name) }

// keyOf is the key of the n-th mention.
func keyOf(n int) sources.Key { return sources.Key{Source: "shop", ID: fmt.Sprintf("shop:%d", n)} }
