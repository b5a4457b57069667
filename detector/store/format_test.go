package store

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
)

var update = flag.Bool("update", false, "write testdata/v1 anew; only while format 1 has not been released")

// firstFormat is what the folder in testdata/v1 was made of.
func firstFormat() *detector.Change {
	c := taking(judged(3, "fjellbryg"), judged(4, "kysttog"))
	old := judged(5, "fjellbryg")
	old.Mention.CreatedAt = noon.AddDate(0, 0, -10)
	past := taking(old)
	c.Put, c.Seen = append(c.Put, past.Put...), append(c.Seen, past.Seen...)
	c.Items = []detector.Item{{Key: keyOf(3), Brand: "fjellbryg", At: noon, Weight: 2, Negative: 0.9, Label: detector.Negative, Rules: []string{"neg-burst"}}}
	c.Series = []detector.SeriesBlob{{Key: detector.SeriesKey{Brand: "fjellbryg", Signal: "negative"}, Blob: []byte{1, 2, 3}}}
	c.Brands = []detector.BrandState{{ID: "fjellbryg", FirstSeen: noon, LastSeen: noon, Incidents: 1}}
	c.Incidents = []detector.Incident{incident(1, detector.Acked)}
	c.Audit = []detector.Audit{detector.Chained(detector.Audit{}, detector.Audit{Incident: "fjellbryg-1", At: noon, Op: "opened"})}
	c.Alerts = []detector.Alert{{
		Seq: 1, Key: "fjellbryg-1/default/root/1", Incident: "fjellbryg-1", Kind: detector.KindRoot,
		State: detector.AlertSent, Ref: detector.Ref{Channel: "C1", ID: "17.1"}, CreatedAt: noon, NotBefore: noon,
	}}
	c.Done = []detector.Done{{ID: "op-1", At: noon, Result: detector.Result{Outcome: detector.Applied, Incident: incident(1, detector.Acked)}}}
	c.Cursors = map[string]sources.Cursor{"shop": sources.Cursor("17")}
	c.Deliveries = map[string][32]byte{"shop\x00a": {1}}
	return c
}

// What the first version wrote is read by every later one.
func TestFirstFormatIsRead(t *testing.T) {
	golden := filepath.Join("testdata", "v1")
	if *update {
		writeFirstFormat(t, golden)
	}
	files, err := dataFiles(golden)
	if err != nil || len(files) != 3 {
		t.Fatal(files, err)
	}
	dir := filepath.Join(t.TempDir(), "data")
	if err := copyFiles(t.Context(), files, dir); err != nil {
		t.Fatal(err)
	}
	db, c := openIn(t, dir), firstFormat()
	got, err := db.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	diff(t, got, &detector.State{
		Seq: 1, Items: c.Items, Series: c.Series, Brands: c.Brands, Incidents: c.Incidents, Alerts: c.Alerts, Done: c.Done,
		Cursors: c.Cursors, LastAudit: map[string]detector.Audit{"fjellbryg-1": c.Audit[0]},
	})
	known, err := db.Lookup(t.Context(), []sources.Key{keyOf(3), keyOf(5)})
	if err != nil || len(known[0].Judged) != 1 || len(known[1].Judged) != 1 {
		t.Fatal(known, err)
	}
	diff(t, known[0].Judged[0], c.Put[0])
	if j := known[1].Judged[0]; j.P != c.Put[2].P || j.Mention.Text != "" {
		t.Errorf("expired: %+v", j)
	}
	if digest, ok, err := db.Delivery(t.Context(), "shop", "a"); !ok || digest[0] != 1 || err != nil {
		t.Errorf("delivery: %v %v %v", digest, ok, err)
	}
	if p, ok, err := db.ByRef(t.Context(), "C1", "17.1"); !ok || p.Incident != "fjellbryg-1" || err != nil {
		t.Errorf("by ref: %v %v %v", p, ok, err)
	}
}

func writeFirstFormat(t *testing.T, golden string) {
	t.Helper()
	if err := os.RemoveAll(golden); err != nil {
		t.Fatal(err)
	}
	db := openTemp(t)
	commit(t, db, firstFormat())
	retain(t, db, noon, Retention{Text: 5 * 24 * time.Hour})
	if _, err := db.Compact(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("testdata", 0o755); err != nil && !os.IsExist(err) {
		t.Fatal(err)
	}
	if _, err := db.Backup(t.Context(), golden); err != nil {
		t.Fatal(err)
	}
}
