package store

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
)

// exportLine is a line as replay reads it.
type exportLine struct {
	sources.Mention
	Emberwatch *judgement `json:"emberwatch"`
}

func export(t *testing.T, db *DB, f ExportFilter) []exportLine {
	t.Helper()
	var out bytes.Buffer
	n, err := db.Export(t.Context(), &out, f)
	if err != nil {
		t.Fatal(err)
	}
	var lines []exportLine
	for dec := json.NewDecoder(&out); dec.More(); {
		var l exportLine
		if err := dec.Decode(&l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	if len(lines) != n {
		t.Errorf("%d lines, said to be %d", len(lines), n)
	}
	return lines
}

func TestExportInTheOrderOfTime(t *testing.T) {
	db := openTemp(t)
	for n := range 60 { // committed in an order of its own, for two brands
		n = (n * 37) % 60
		a, b := judged(n, "fjellbryg"), judged(n, "kysttog")
		a.Mention.CreatedAt = noon.Add(time.Duration(n) * 3 * time.Hour)
		b.Mention = a.Mention
		commit(t, db, taking(a, b))
	}
	lines := export(t, db, ExportFilter{})
	if len(lines) != 60 {
		t.Fatalf("%d lines for 60 mentions of two brands", len(lines))
	}
	for n, l := range lines {
		want := mention(n)
		want.CreatedAt = noon.Add(time.Duration(n) * 3 * time.Hour)
		diff(t, l, exportLine{Mention: want})
	}
	lines = export(t, db, ExportFilter{Brand: "kysttog", From: noon.Add(9 * time.Hour), To: noon.Add(30 * time.Hour)})
	if len(lines) != 7 || lines[0].ID != "shop:3" {
		t.Errorf("a range: %d lines", len(lines))
	}
	if lines = export(t, db, ExportFilter{Source: "shop", Author: "@MAJA3"}); len(lines) != 9 {
		t.Errorf("of one author: %d lines, want 9", len(lines))
	}
}

func TestExportOfExpiredTextKeepsTheJudgement(t *testing.T) {
	db := openTemp(t)
	a, b := judged(3, "fjellbryg"), judged(3, "kysttog")
	a.Products, b.Products = []string{"one", "two"}, []string{"one", "two"}
	sample := judged(4, "fjellbryg")
	sample.Mention.Kind, sample.Mention.Metric = sources.Metric, &sources.Gauge{Name: "followers", Value: 3}
	commit(t, db, taking(a, b, sample))
	if lines := export(t, db, ExportFilter{}); len(lines) != 2 || lines[1].Metric.Value != 3 {
		t.Errorf("with text: %+v", lines)
	}
	retain(t, db, noon.AddDate(0, 0, 9), Retention{Text: time.Hour})
	lines := export(t, db, ExportFilter{})
	if len(lines) != 2 {
		t.Fatalf("%d lines, want one for each brand", len(lines))
	}
	want := &judgement{P: a.P, Lang: "de", Known: true, Category: "quality", Categories: a.Categories, Confidence: 0.8, Rules: a.Rules, Products: a.Products}
	for i, brand := range []string{"fjellbryg", "kysttog"} {
		l := lines[i]
		diff(t, l.Emberwatch, want)
		if l.Brand != brand || !strings.HasSuffix(l.ID, "/"+brand) || l.Source != "shop" || l.Text != "" || !l.CreatedAt.Equal(a.Mention.CreatedAt) {
			t.Errorf("line %d: %+v", i, l.Mention)
		}
	}
	if lines[0].ID == lines[1].ID {
		t.Error("two lines of one id: a replay would drop one")
	}
}

func TestExportPages(t *testing.T) {
	if testing.Short() {
		t.Skip("writes more than two pages of mentions")
	}
	db := openTemp(t)
	total := 2*pageLen + 500
	for n := 0; n < total; n += 1500 {
		var list []detector.Judged
		for i := n; i < min(n+1500, total); i++ {
			j := judged(i, "fjellbryg")
			j.Mention.CreatedAt = noon.Add(time.Duration(i) * time.Millisecond)
			list = append(list, j)
		}
		commit(t, db, taking(list...))
	}
	lines := export(t, db, ExportFilter{})
	if len(lines) != total {
		t.Fatalf("%d lines, want %d", len(lines), total)
	}
	for n, l := range lines {
		if l.ID != keyOf(n).ID {
			t.Fatalf("line %d is %s", n, l.ID)
		}
	}
}
