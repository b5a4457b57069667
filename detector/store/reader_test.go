package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
)

func TestLookupFindsEveryBrandOfAMention(t *testing.T) {
	db := openTemp(t)
	a, b, none := judged(1, "fjellbryg"), judged(1, "kysttog"), judged(2, "")
	commit(t, db, taking(a, b, none))
	for range 2 {
		got, err := db.Lookup(t.Context(), []sources.Key{keyOf(1), keyOf(9), keyOf(2)})
		if err != nil {
			t.Fatal(err)
		}
		seen := taking(a, b, none).Seen
		diff(t, got, []detector.Known{
			{Found: true, Seen: seen[0], Judged: []detector.Judged{a, b}},
			{},
			{Found: true, Seen: seen[1], Judged: []detector.Judged{none}},
		})
		db = reopen(t, db)
	}
}

// An edit replaces; when it takes the mention away from a brand or to another time, the old place is cleared.
func TestEditReplaces(t *testing.T) {
	for name, edit := range map[string]func(*detector.Judged){
		"text":  func(j *detector.Judged) { j.Mention.Text = "doch nicht leer" },
		"brand": func(j *detector.Judged) { j.Brand = "kysttog" },
		"time":  func(j *detector.Judged) { j.Mention.CreatedAt = noon.AddDate(0, 0, -1) },
		"who":   func(j *detector.Judged) { j.Mention.Author = sources.Author{ID: "u-99"} },
	} {
		t.Run(name, func(t *testing.T) {
			db := openTemp(t)
			commit(t, db, taking(judged(1, "fjellbryg")))
			after := judged(1, "fjellbryg")
			edit(&after)
			commit(t, db, taking(after))
			got, err := db.Mentions(t.Context(), detector.MentionFilter{})
			if err != nil {
				t.Fatal(err)
			}
			diff(t, got, []detector.Judged{after})
		})
	}
}

func TestEditAfterTheTextExpiredIsCountedOnce(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(judged(1, "fjellbryg"), judged(2, "fjellbryg")))
	retain(t, db, noon.AddDate(0, 0, 10), Retention{Text: 24 * time.Hour})
	same, moved := judged(1, "fjellbryg"), judged(2, "kysttog")
	commit(t, db, taking(same, moved))
	wantCounts(t, db, "fjellbryg", 1, 0)
	wantCounts(t, db, "kysttog", 1, 0)
	got, err := db.Mentions(t.Context(), detector.MentionFilter{})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, got, []detector.Judged{moved, same})
}

func wantCounts(t *testing.T, db *DB, brand string, all, negative int) {
	t.Helper()
	got, err := db.Counts(t.Context(), brand, noon.AddDate(0, 0, -40), noon.AddDate(0, 0, 40), 80*24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if got[0].All != all || got[0].Negative != negative {
		t.Errorf("%s: %d mentions, %d negative; want %d, %d", brand, got[0].All, got[0].Negative, all, negative)
	}
}

func TestDeletedAtItsSource(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(judged(3, "fjellbryg"), judged(3, "kysttog"), judged(4, "fjellbryg")))
	commit(t, db, &detector.Change{Erase: []sources.Key{keyOf(3), {Source: "shop", ID: "never seen"}}})
	known, err := db.Lookup(t.Context(), []sources.Key{keyOf(3)})
	if err != nil || len(known[0].Judged) != 2 {
		t.Fatal(known, err)
	}
	for _, j := range known[0].Judged {
		if m := j.Mention; m.Text != "" || m.Author.Key() != "" || m.ID != "shop:3" || j.P != judged(3, "").P {
			t.Errorf("after deletion: %+v", j)
		}
	}
	if got, err := db.MentionsByKey(t.Context(), "fjellbryg", []sources.Key{keyOf(3), keyOf(4)}); err != nil || len(got) != 1 {
		t.Errorf("by key: %v, %v", keysOf(got), err)
	}
	wantCounts(t, db, "fjellbryg", 2, 1)
	if r := retain(t, db, noon.AddDate(0, 0, 1), Retention{}); !slices.Equal(r.Rewritten, []string{"mentions-20261116.db"}) {
		t.Errorf("rewritten: %v", r.Rewritten)
	}
	wantNoBytes(t, db.dir, "Flasche 3 war")
}

func TestTakenAndDeletedInOneBatch(t *testing.T) {
	db := openTemp(t)
	c := taking(judged(3, "fjellbryg"))
	c.Erase = []sources.Key{keyOf(3)}
	commit(t, db, c)
	wantCounts(t, db, "fjellbryg", 1, 1)
	if got, err := db.MentionsByKey(t.Context(), "fjellbryg", c.Erase); err != nil || len(got) > 0 {
		t.Errorf("still there: %v, %v", got, err)
	}
}

func TestMentionsNewestFirst(t *testing.T) {
	db := openTemp(t)
	var all []detector.Judged
	for n := range 200 { // ten days, two brands, two sources
		j := judged(n, []string{"fjellbryg", "kysttog"}[n%2])
		j.Mention.CreatedAt = noon.Add(time.Duration(n) * 73 * time.Minute)
		if n%5 == 0 {
			j.Mention.Source = "news"
		}
		all = append(all, j)
		commit(t, db, taking(j))
	}
	retain(t, db, noon.AddDate(0, 0, 12), Retention{Text: 5 * 24 * time.Hour})
	for name, f := range map[string]detector.MentionFilter{
		"all":      {Limit: 1000},
		"default":  {},
		"brand":    {Brand: "kysttog", Limit: 1000},
		"nobody":   {Brand: "nobody"},
		"source":   {Source: "news", Limit: 30},
		"negative": {Label: detector.Negative, Limit: 25},
		"range": {
			From: all[50].Mention.CreatedAt, To: all[60].Mention.CreatedAt.Add(time.Nanosecond),
			Brand: "fjellbryg",
		},
		"half-open": {From: all[50].Mention.CreatedAt.Add(time.Nanosecond), To: all[60].Mention.CreatedAt},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := db.Mentions(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			var times, want []time.Time
			for _, j := range got {
				times = append(times, j.Mention.CreatedAt)
			}
			for _, j := range slices.Backward(all) {
				if f.Limit == 0 {
					f.Limit = 100
				}
				if matches(&j, f) && len(want) < f.Limit {
					want = append(want, j.Mention.CreatedAt)
				}
			}
			diff(t, times, want)
		})
	}
}

func matches(j *detector.Judged, f detector.MentionFilter) bool {
	at := j.Mention.CreatedAt
	return (f.Brand == "" || f.Brand == j.Brand) && (f.Source == "" || f.Source == j.Mention.Source) &&
		(f.Label == "" || f.Label == j.P.Label()) && !at.Before(f.From) && (f.To.IsZero() || at.Before(f.To))
}

func TestReadingCreatesNoFile(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(judged(1, "fjellbryg")))
	before := db.archive.spans()
	day := noon.AddDate(0, 0, -3)
	if _, err := db.Mentions(t.Context(), detector.MentionFilter{From: day, To: day.AddDate(0, 0, 9)}); err != nil {
		t.Error(err)
	}
	if _, err := db.Counts(t.Context(), "fjellbryg", day, noon, time.Hour); err != nil {
		t.Error(err)
	}
	files, err := dataFiles(db.dir)
	if err != nil || len(files) != 2 || len(before) != 1 || len(db.archive.spans()) != 1 {
		t.Errorf("files %v, %v", files, err)
	}
}

func TestMentionsByKeyOrderAndAge(t *testing.T) {
	db := openTemp(t)
	commit(t, db, taking(numbered(0, 5, "fjellbryg")...))
	want := []string{"shop:4", "shop:0", "shop:2"}
	keys := []sources.Key{keyOf(4), keyOf(77), keyOf(0), keyOf(2)}
	got, err := db.MentionsByKey(t.Context(), "fjellbryg", keys)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, keysOf(got), want)
	if got, err := db.MentionsByKey(t.Context(), "kysttog", keys); err != nil || len(got) > 0 {
		t.Errorf("of another brand: %v, %v", keysOf(got), err)
	}
	// The ids have been forgotten, the texts are still there.
	late := judged(500, "fjellbryg")
	late.Mention.CreatedAt = noon.AddDate(0, 0, 50)
	commit(t, db, taking(late))
	retain(t, db, noon.AddDate(0, 0, 50), Retention{Text: 90 * 24 * time.Hour})
	if known, err := db.Lookup(t.Context(), keys[:1]); err != nil || known[0].Found {
		t.Errorf("an id was kept for 50 days: %v, %v", known, err)
	}
	if got, err = db.MentionsByKey(t.Context(), "fjellbryg", keys); err != nil {
		t.Fatal(err)
	}
	diff(t, keysOf(got), want)
}

func TestCounts(t *testing.T) {
	db := openTemp(t)
	many, own, sample, unknown := judged(0, "fjellbryg"), judged(3, "fjellbryg"), judged(6, "fjellbryg"), judged(9, "fjellbryg")
	many.Mention.Count, own.Own, sample.Mention.Kind, unknown.Known = 40, true, sources.Metric, false
	commit(t, db, taking(many, own, sample, unknown, judged(100, "fjellbryg"), judged(102, "fjellbryg"), judged(1, "kysttog")))
	got, err := db.Counts(t.Context(), "fjellbryg", noon, noon.Add(110*time.Second), 50*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	want := []detector.Count{
		{At: noon, All: 41, Negative: 40}, {At: noon.Add(50 * time.Second)}, {At: noon.Add(100 * time.Second), All: 2, Negative: 1},
	}
	diff(t, got, want)
	retain(t, db, noon.AddDate(0, 0, 9), Retention{Text: time.Hour})
	if got, err = db.Counts(t.Context(), "fjellbryg", noon, noon.Add(110*time.Second), 50*time.Second); err != nil {
		t.Fatal(err)
	}
	diff(t, got, want)
	for name, step := range map[string]time.Duration{"no step": 0, "too many": time.Millisecond} {
		if _, err := db.Counts(t.Context(), "fjellbryg", noon, noon.AddDate(1, 0, 0), step); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func incident(n int, h detector.Handling) detector.Incident {
	inc := detector.Incident{
		ID: fmt.Sprintf("fjellbryg-%d", n), Brand: "fjellbryg", N: n, Version: 1, Handling: h, OpenedAt: noon.Add(time.Duration(n) * time.Hour),
	}
	if h == detector.Closed {
		inc.ClosedAt = inc.OpenedAt.Add(30 * time.Minute)
	}
	return inc
}

func TestIncidents(t *testing.T) {
	db := openTemp(t)
	other := incident(9, detector.New)
	other.ID, other.Brand = "kysttog-1", "kysttog"
	commit(t, db, &detector.Change{At: noon.Add(99 * time.Hour), Incidents: []detector.Incident{
		incident(1, detector.Closed), incident(2, detector.New), incident(3, detector.Acked), incident(4, detector.Snoozed), other,
	}})
	reopened := incident(1, detector.New)
	commit(t, db, &detector.Change{Incidents: []detector.Incident{reopened, incident(5, detector.New)}})
	commit(t, db, &detector.Change{Incidents: []detector.Incident{incident(5, detector.Closed)}})
	for name, c := range map[string]struct {
		f    detector.IncidentFilter
		want string
	}{
		"all":    {detector.IncidentFilter{}, "kysttog-1 fjellbryg-5 fjellbryg-4 fjellbryg-3 fjellbryg-2 fjellbryg-1"},
		"open":   {detector.IncidentFilter{State: "open"}, "kysttog-1 fjellbryg-4 fjellbryg-3 fjellbryg-2 fjellbryg-1"},
		"closed": {detector.IncidentFilter{State: "closed"}, "fjellbryg-5"},
		"acked":  {detector.IncidentFilter{State: "acked"}, "fjellbryg-3"},
		"brand":  {detector.IncidentFilter{Brand: "fjellbryg", State: "open", Limit: 2}, "fjellbryg-4 fjellbryg-3"},
		"latest": {detector.IncidentFilter{Limit: 1}, "kysttog-1"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := db.Incidents(t.Context(), c.f)
			var ids []string
			for _, inc := range got {
				ids = append(ids, inc.ID)
			}
			if err != nil || strings.Join(ids, " ") != c.want {
				t.Errorf("%v, %v; want %s", ids, err, c.want)
			}
		})
	}
}

func TestIncidentFollowsMerges(t *testing.T) {
	db := openTemp(t)
	a, b, c, d := incident(1, detector.Closed), incident(2, detector.Closed), incident(3, detector.New), incident(4, detector.Closed)
	a.MergedInto, b.MergedInto, d.MergedInto = b.ID, c.ID, d.ID // the last one is a ring
	commit(t, db, &detector.Change{Incidents: []detector.Incident{a, b, c, d}})
	for id, want := range map[string]string{a.ID: c.ID, c.ID: c.ID, d.ID: d.ID} {
		if got, err := db.Incident(t.Context(), id); err != nil || got.ID != want {
			t.Errorf("%s leads to %s, %v; want %s", id, got.ID, err, want)
		}
	}
	if _, err := db.Incident(t.Context(), "fjellbryg-9"); !errors.Is(err, detector.ErrNotFound) {
		t.Errorf("an incident that is not there: %v", err)
	}
	if _, err := db.Audit(t.Context(), "fjellbryg-9"); !errors.Is(err, detector.ErrNotFound) {
		t.Errorf("its history: %v", err)
	}
}

func TestAuditIsOfOneIncident(t *testing.T) {
	db := openTemp(t)
	var lines []detector.Audit
	for _, id := range []string{"a-1", "a-11", "a-2"} {
		var last detector.Audit
		for range 12 {
			last = detector.Chained(last, detector.Audit{Incident: id, At: noon, Op: "note", Changes: map[string][2]any{"owner": {"", "Ida"}}})
			lines = append(lines, last)
		}
	}
	commit(t, db, &detector.Change{Audit: lines})
	got, err := db.Audit(t.Context(), "a-1")
	if err != nil {
		t.Fatal(err)
	}
	diff(t, got, lines[:12])
}

func TestDeliveriesAreRemembered(t *testing.T) {
	db := openTemp(t)
	long := strings.Repeat("x", 100_000) // ids come from outside
	c := &detector.Change{At: noon, Deliveries: map[string][32]byte{"shop\x00a": {1}, "shop\x00" + long: {2}}}
	commit(t, db, c)
	db = reopen(t, db)
	for id, want := range map[string]byte{"a": 1, long: 2, "b": 0} {
		got, ok, err := db.Delivery(t.Context(), "shop", id)
		if err != nil || ok != (want > 0) || got[0] != want {
			t.Errorf("%.9s: %v %v %v", id, got[0], ok, err)
		}
	}
	retain(t, db, noon.Add(23*time.Hour), Retention{})
	if _, ok, _ := db.Delivery(t.Context(), "shop", "a"); !ok {
		t.Error("forgotten within a day")
	}
	retain(t, db, noon.Add(72*time.Hour), Retention{})
	if _, ok, _ := db.Delivery(t.Context(), "shop", "a"); ok {
		t.Error("remembered for three days")
	}
}

func TestMessagesLeadToTheirIncident(t *testing.T) {
	db := openTemp(t)
	root := detector.Alert{
		Seq: 1, Key: "i/r/root/1", Incident: "fjellbryg-1", Route: "desk", Kind: detector.KindRoot,
		State: detector.AlertSending, CreatedAt: noon,
	}
	commit(t, db, &detector.Change{Alerts: []detector.Alert{root}, Incidents: []detector.Incident{incident(1, detector.New)}})
	if _, ok, err := db.ByRef(t.Context(), "C1", "17.1"); ok || err != nil {
		t.Errorf("before it was sent: %v %v", ok, err)
	}
	root.State, root.Ref = detector.AlertSent, detector.Ref{Channel: "C1", ID: "17.1"}
	edit := root
	edit.Seq, edit.Key, edit.Kind = 2, "i/r/edit/1", detector.KindEdit
	commit(t, db, &detector.Change{Alerts: []detector.Alert{root, edit}})
	want := Posted{"fjellbryg-1", "desk", detector.KindRoot, 1}
	if got, ok, err := db.ByRef(t.Context(), "C1", "17.1"); got != want || !ok || err != nil {
		t.Errorf("by ref: %v %v %v", got, ok, err)
	}
	if got, err := db.AlertByKey(t.Context(), edit.Key); err != nil || got.Seq != 2 {
		t.Errorf("by key: %v %v", got, err)
	}
	// After a month the edit is gone; the root stays as long as the incident is open.
	retain(t, db, noon.AddDate(0, 0, 40), Retention{})
	if _, err := db.AlertByKey(t.Context(), edit.Key); !errors.Is(err, detector.ErrNotFound) {
		t.Errorf("the edit after a month: %v", err)
	}
	roots, err := db.Roots(t.Context(), "fjellbryg-1")
	if err != nil || len(roots) != 1 || roots[0].Ref != root.Ref {
		t.Errorf("roots: %v, %v", roots, err)
	}
	commit(t, db, &detector.Change{At: noon.AddDate(0, 0, 41), Incidents: []detector.Incident{incident(1, detector.Closed)}})
	retain(t, db, noon.AddDate(0, 0, 41), Retention{})
	if _, ok, err := db.ByRef(t.Context(), "C1", "17.1"); ok || err != nil {
		t.Errorf("after it was closed: %v %v", ok, err)
	}
}

func TestBrandsByID(t *testing.T) {
	db := openTemp(t)
	commit(t, db, &detector.Change{Brands: []detector.BrandState{{ID: "us-airways"}, {ID: "fjellbryg", Incidents: 1}}})
	commit(t, db, &detector.Change{Brands: []detector.BrandState{{ID: "fjellbryg", Incidents: 2}}})
	got, err := db.Brands(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	diff(t, got, []detector.BrandState{{ID: "fjellbryg", Incidents: 2}, {ID: "us-airways"}})
}
