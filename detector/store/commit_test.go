package store

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"emberwatch/detector"
	"emberwatch/sources"
)

// expectation is what the store should answer after some changes: maps, and no disk.
type expectation struct {
	items     map[detector.ItemRef]detector.Item
	series    map[detector.SeriesKey]detector.SeriesBlob
	brands    map[string]detector.BrandState
	incidents map[string]detector.Incident
	audit     map[string]map[int]detector.Audit
	alerts    map[uint64]detector.Alert
	done      map[string]detector.Done // by day and id
	waiting   map[detector.WaitingRef]detector.Waiting
	cursors   map[string]sources.Cursor
	last      time.Time
	seq       uint64
}

func newExpectation() *expectation {
	return &expectation{
		items: map[detector.ItemRef]detector.Item{}, series: map[detector.SeriesKey]detector.SeriesBlob{},
		brands: map[string]detector.BrandState{}, incidents: map[string]detector.Incident{},
		audit: map[string]map[int]detector.Audit{}, alerts: map[uint64]detector.Alert{},
		waiting: map[detector.WaitingRef]detector.Waiting{}, done: map[string]detector.Done{}, cursors: map[string]sources.Cursor{},
	}
}

func (e *expectation) commit(c *detector.Change) {
	for _, it := range c.Items {
		e.items[it.Ref()] = it
	}
	for _, s := range c.Series {
		e.series[s.Key] = s
	}
	for _, b := range c.Brands {
		e.brands[b.ID] = b
	}
	for _, i := range c.Incidents {
		e.incidents[i.ID] = i
	}
	for _, a := range c.Audit {
		if e.audit[a.Incident] == nil {
			e.audit[a.Incident] = map[int]detector.Audit{}
		}
		e.audit[a.Incident][a.Seq] = a
	}
	for _, a := range c.Alerts {
		e.alerts[a.Seq] = a
		e.seq = max(e.seq, a.Seq)
	}
	for _, r := range c.DropWaiting {
		delete(e.waiting, r)
	}
	for _, w := range c.Waiting {
		e.waiting[w.Ref()] = w
	}
	for _, d := range c.Done {
		e.done[d.At.Format(time.DateOnly)+d.ID] = d
	}
	for k, v := range c.Cursors {
		e.cursors[k] = v
	}
	if c.At.After(e.last) {
		e.last = c.At
	}
}

// state is what Load should return, in the order of sorted.
func (e *expectation) state() *detector.State {
	s := &detector.State{Seq: e.seq, Cursors: e.cursors, LastAudit: map[string]detector.Audit{}}
	for _, it := range e.items {
		s.Items = append(s.Items, it)
	}
	for _, b := range e.series {
		s.Series = append(s.Series, b)
	}
	for _, b := range e.brands {
		s.Brands = append(s.Brands, b)
	}
	loaded := map[string]bool{}
	for id, inc := range e.incidents {
		if !inc.Open() && inc.ClosedAt.Before(e.last.Add(-24*time.Hour)) {
			continue
		}
		loaded[id] = true
		s.Incidents = append(s.Incidents, inc)
		for _, a := range e.audit[id] {
			if a.Seq >= s.LastAudit[id].Seq {
				s.LastAudit[id] = a
			}
		}
	}
	for _, a := range e.alerts {
		if !a.State.Done() || a.State == detector.AlertSent && a.Kind == detector.KindRoot && loaded[a.Incident] {
			s.Alerts = append(s.Alerts, a)
		}
	}
	for _, w := range e.waiting {
		s.Waiting = append(s.Waiting, w)
	}
	for _, d := range e.done {
		if !d.At.Before(e.last.Add(-48 * time.Hour)) {
			s.Done = append(s.Done, d)
		}
	}
	return sorted(s)
}

// sorted puts lists whose order means nothing into one. Items stay in order within each brand.
func sorted(s *detector.State) *detector.State {
	slices.SortStableFunc(s.Items, func(a, b detector.Item) int {
		return cmp.Or(cmp.Compare(a.Brand, b.Brand), a.At.Compare(b.At), cmp.Compare(hashKey(a.Key).short(), hashKey(b.Key).short()))
	})
	slices.SortFunc(s.Series, func(a, b detector.SeriesBlob) int {
		return cmp.Or(cmp.Compare(a.Key.Brand, b.Key.Brand), cmp.Compare(a.Key.Signal, b.Key.Signal))
	})
	slices.SortFunc(s.Brands, func(a, b detector.BrandState) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Incidents, func(a, b detector.Incident) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(s.Alerts, func(a, b detector.Alert) int { return cmp.Compare(a.Seq, b.Seq) })
	slices.SortFunc(s.Waiting, func(a, b detector.Waiting) int { return bytes.Compare(waitingKey(a.Ref()), waitingKey(b.Ref())) })
	slices.SortFunc(s.Done, func(a, b detector.Done) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	return s
}

// Whatever is committed, and however often, is what is loaded, also after the folder was opened again.
func TestLoadIsWhatWasCommitted(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp("", "store")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		db, err := Open(dir, small())
		if err != nil {
			rt.Fatal(err)
		}
		want, g := newExpectation(), gen{rt, make(map[string]detector.Audit)}
		for range rapid.IntRange(1, 5).Draw(rt, "commits") {
			c := g.change()
			want.commit(c)
			for range rapid.IntRange(1, 2).Draw(rt, "times") {
				if err := db.Commit(t.Context(), c); err != nil {
					rt.Fatal(err)
				}
			}
		}
		for range 2 {
			got, err := db.Load(t.Context())
			if err != nil {
				rt.Fatal(err)
			}
			if !inOrder(got.Items) {
				rt.Fatal("items are not in the order of time")
			}
			diffRapid(rt, sorted(got), want.state())
			problems, err := db.Check(t.Context())
			if err != nil || len(problems) > 0 {
				rt.Fatal(problems, err)
			}
			if err := db.Close(); err != nil {
				rt.Fatal(err)
			}
			if db, err = Open(dir, small()); err != nil {
				rt.Fatal(err)
			}
		}
		db.Close()
	})
}

func inOrder(items []detector.Item) bool {
	last := map[string]time.Time{}
	for _, it := range items {
		if it.At.Before(last[it.Brand]) {
			return false
		}
		last[it.Brand] = it.At
	}
	return true
}

func TestFailedCommitChangesNothing(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(numbered(0, 3, "fjellbryg")...))
	before, err := db.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("the disk is gone")
	db.pause = func(string) error { return broken }
	c := taking(numbered(3, 6, "fjellbryg")...)
	c.Items = []detector.Item{{Key: keyOf(3), Brand: "fjellbryg", At: noon}}
	if err := db.Commit(t.Context(), c); !errors.Is(err, broken) {
		t.Fatalf("commit: %v", err)
	}
	after, err := db.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	diff(t, after, before)
	known, err := db.Lookup(t.Context(), []sources.Key{keyOf(3)})
	if err != nil || known[0].Found {
		t.Errorf("a mention of a failed commit is known: %v %v", known, err)
	}
	db.pause = func(string) error { return nil }
	commit(t, db, c)
	commit(t, db, c)
	got, err := db.Mentions(t.Context(), detector.MentionFilter{})
	if err != nil || len(got) != 6 {
		t.Errorf("%d mentions after the commit was repeated, want 6 (%v)", len(got), err)
	}
}

// A killed process proves nothing about the disk: the page cache outlives it. So this looks at the switch.
func TestEveryFileWaitsForTheDisk(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(judged(1, "fjellbryg")))
	retain(t, db, noon.AddDate(0, 0, 9), Retention{Text: time.Hour})
	commit(t, db, taking(judged(2, "fjellbryg")))
	files := []*volume{db.state}
	for _, sp := range db.archive.spans() {
		v, _ := db.archive.get(sp)
		files = append(files, v)
	}
	if len(files) != 3 {
		t.Fatalf("%d files, want state, day and month", len(files))
	}
	for _, v := range files {
		if err := v.update(func(*txn) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if v.db.NoSync || v.db.NoGrowSync || !v.db.NoFreelistSync {
			t.Errorf("%s: no sync %v, no grow sync %v, no freelist sync %v", v.path, v.db.NoSync, v.db.NoGrowSync, v.db.NoFreelistSync)
		}
	}
}

func TestFullStoreSaysSoAndStaysWhole(t *testing.T) {
	dir := t.TempDir()
	opt := small()
	opt.MaxSize = 256 << 10
	db, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	taken := 0
	for ; ; taken++ {
		if err = db.Commit(t.Context(), taking(numbered(100*taken, 100*(taken+1), "fjellbryg")...)); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrFull) || taken == 0 {
		t.Fatalf("after %d commits: %v", taken, err)
	}
	db.Close()
	db = openIn(t, dir)
	known, err := db.Lookup(t.Context(), []sources.Key{keyOf(100*taken - 1), keyOf(100 * taken)})
	if err != nil || !known[0].Found || len(known[0].Judged) != 1 || known[1].Found {
		t.Errorf("lookup: %v, %v", known, err)
	}
}

func TestReadersDuringWrites(t *testing.T) {
	db := openTemp(t)
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for seen := 0; ; {
				select {
				case <-stop:
					return
				default:
				}
				got, err := db.Mentions(t.Context(), detector.MentionFilter{Brand: "fjellbryg", Limit: 1000})
				if err != nil || len(got) < seen {
					t.Errorf("%d mentions after %d, %v", len(got), seen, err)
					return
				}
				seen = len(got)
				if _, err := db.Counts(t.Context(), "fjellbryg", noon, noon.AddDate(0, 0, 9), time.Hour); err != nil {
					t.Error(err)
				}
				if _, err := db.Load(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range 40 { // nine days: files are opened and closed under the readers
		j := judged(n, "fjellbryg")
		j.Mention.CreatedAt = noon.Add(time.Duration(n) * 5 * time.Hour)
		commit(t, db, taking(j))
		if n%10 == 9 {
			if _, err := db.Retain(t.Context(), noon.Add(time.Duration(n)*5*time.Hour), Retention{Text: 48 * time.Hour}); err != nil {
				t.Error(err)
			}
		}
	}
	close(stop)
	readers.Wait()
}

func TestClosedStoreRefuses(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(judged(1, "fjellbryg")))
	if err := errors.Join(db.Close(), db.Close()); err != nil {
		t.Fatal(err)
	}
	_, load := db.Load(t.Context())
	_, mentions := db.Mentions(t.Context(), detector.MentionFilter{})
	_, backup := db.Backup(t.Context(), db.BackupPath(noon))
	for what, err := range map[string]error{
		"load": load, "mentions": mentions, "backup": backup, "commit": db.Commit(t.Context(), &detector.Change{}),
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", what, err)
		}
	}
}
