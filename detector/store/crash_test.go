package store

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
)

const crashEnv = "EMBERWATCH_STORE_CRASH_DIR"

// crashBatch is the change with the n-th mention to the one before last. Its cursor says where the next begins.
func crashBatch(from, to int) *detector.Change {
	c := taking(numbered(from, to, "fjellbryg")...)
	for n := from; n < to; n++ {
		m := mention(n)
		c.Items = append(c.Items, detector.Item{Key: m.Key(), Brand: "fjellbryg", At: m.CreatedAt, Weight: 1})
		c.Alerts = append(c.Alerts, detector.Alert{
			Seq: uint64(n), Key: fmt.Sprintf("fjellbryg-1/default/thread/%d", n), State: detector.AlertPending, CreatedAt: m.CreatedAt,
		})
	}
	c.Incidents = []detector.Incident{{ID: "fjellbryg-1", Brand: "fjellbryg", N: 1, Version: to, OpenedAt: noon}}
	c.Cursors = map[string]sources.Cursor{"shop": sources.Cursor(strconv.Itoa(to))}
	return c
}

// commitUntilKilled is the child: it goes on from the stored cursor and prints what has been acknowledged.
func commitUntilKilled(dir string) {
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	db, err := Open(dir, small())
	if err != nil {
		fail(err)
	}
	s, err := db.Load(context.Background())
	if err != nil {
		fail(err)
	}
	next, _ := strconv.Atoi(string(s.Cursors["shop"]))
	for {
		to := next + 1 + rand.IntN(20)
		if err := db.Commit(context.Background(), crashBatch(next, to)); err != nil {
			fail(err)
		}
		fmt.Println(to)
		if next = to; next%5 == 0 { // rewriting and folding are broken off, too
			if _, err := db.Retain(context.Background(), noon.AddDate(0, 0, 1), Retention{Text: time.Hour}); err != nil {
				fail(err)
			}
		}
	}
}

// A process that is killed at any moment has lost nothing it had acknowledged, and has nothing twice.
func TestKilledAtRandomMoments(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 20
	}
	dir := t.TempDir()
	acked := 0
	for round := range rounds {
		acked = max(acked, killedRound(t, dir, round%2 == 0))
		if stored := wantConsistent(t, dir); stored < acked {
			t.Fatalf("round %d: %d acknowledged, %d stored", round, acked, stored)
		}
	}
	if acked == 0 {
		t.Fatal("no child lived long enough to acknowledge anything")
	}
	t.Logf("%d mentions acknowledged in %d rounds", acked, rounds)
}

// killedRound runs the child for a random time and returns the last number it acknowledged. At work, the time begins with the
// first of them, else with its start.
func killedRound(t *testing.T, dir string, atWork bool) int {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill := func() {
		time.AfterFunc(time.Duration(20+rand.IntN(100))*time.Millisecond, func() { cmd.Process.Kill() })
	}
	if !atWork {
		kill()
		kill = func() {}
	}
	last := lastNumber(out, kill)
	if err := cmd.Wait(); err == nil || stderr.Len() > 0 {
		t.Fatalf("the child ended by itself: %v %s", err, stderr.String())
	}
	return last
}

// lastNumber reads numbers to the end and returns the last; at the first it calls begun.
func lastNumber(r io.Reader, begun func()) int {
	last := 0
	for lines := bufio.NewScanner(r); lines.Scan(); {
		if n, err := strconv.Atoi(lines.Text()); err == nil {
			if last == 0 {
				begun()
			}
			last = n
		}
	}
	return last
}

// wantConsistent checks the folder and returns how many mentions its state says it has.
func wantConsistent(t *testing.T, dir string) int {
	t.Helper()
	wantSound(t, dir)
	db, err := Open(dir, small())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	s, err := db.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stored, _ := strconv.Atoi(string(s.Cursors["shop"]))
	if stored == 0 {
		return 0
	}
	if len(s.Items) != stored || len(s.Alerts) != stored || len(s.Incidents) != 1 || s.Incidents[0].Version != stored {
		t.Fatalf("cursor %d, but %d items, %d alerts, incidents %v", stored, len(s.Items), len(s.Alerts), s.Incidents)
	}
	var keys []sources.Key
	for n := range stored {
		keys = append(keys, sources.Key{Source: "shop", ID: fmt.Sprintf("shop:%d", n)})
	}
	known, err := db.Lookup(t.Context(), keys)
	if err != nil {
		t.Fatal(err)
	}
	for n, k := range known {
		if !k.Found || len(k.Judged) != 1 {
			t.Fatalf("mention %d: found %v, judged %d times", n, k.Found, len(k.Judged))
		}
	}
	counts, err := db.Counts(t.Context(), "fjellbryg", noon, noon.Add(time.Duration(stored)*time.Second), 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	all := 0
	for _, c := range counts {
		all += c.All
	}
	if all != stored {
		t.Fatalf("%d mentions are stored, but %d are counted", stored, all)
	}
	return stored
}
