package sources_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"emberwatch/sources"
)

func opsOf(ms []sources.Mention) []string {
	var out []string
	for _, m := range ms {
		out = append(out, string(m.Op)+" "+m.ID)
	}
	return out
}

func mention(id, text string) sources.Mention {
	return sources.Mention{ID: id, Text: text, Op: sources.Create}
}

func TestSeenTellsWhatIsNew(t *testing.T) {
	var seen sources.Seen
	for i, step := range []struct {
		page []sources.Mention
		want []string
	}{
		{[]sources.Mention{mention("b", "x"), mention("a", "y")}, []string{"create b", "create a"}},
		{[]sources.Mention{mention("b", "x"), mention("a", "y")}, nil},
		{[]sources.Mention{mention("c", "z"), mention("b", "x, corrected"), mention("c", "z")}, []string{"create c", "update b"}},
		{[]sources.Mention{mention("a", "y")}, nil}, // from further back
		{[]sources.Mention{{ID: "a", Op: sources.Delete}}, []string{"delete a"}},
		{nil, nil},
	} {
		if got := opsOf(seen.News(step.page)); !slices.Equal(got, step.want) {
			t.Errorf("step %d: got %q, want %q", i, got, step.want)
		}
		cursor, err := json.Marshal(seen.With(step.page, 10))
		if err != nil {
			t.Fatal(err)
		}
		seen = nil
		if err := json.Unmarshal(cursor, &seen); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSeenIsBounded(t *testing.T) {
	var seen sources.Seen
	for i := range 300 {
		var page []sources.Mention
		for j := range 10 {
			page = append(page, mention(fmt.Sprint(i*10+j), ""))
		}
		seen = seen.With(page, 1000)
	}
	if len(seen) != 1000 {
		t.Errorf("%d remembered", len(seen))
	}
	if len(seen.News([]sources.Mention{mention("2990", "")})) != 0 {
		t.Error("the last page was forgotten")
	}
	if len(seen.News([]sources.Mention{mention("1", "")})) != 1 {
		t.Error("the first page is still remembered")
	}
	if n := len(seen.With(make([]sources.Mention, 1), 3)); n != 3 {
		t.Errorf("%d remembered of those asked for", n)
	}
}

// BenchmarkNews compares a page with what was seen of it. The cost of an item must not grow with their number.
func BenchmarkNews(b *testing.B) {
	for _, n := range []int{1000, 5000, 40_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var page []sources.Mention
			for i := range n {
				page = append(page, mention(fmt.Sprint(i), "x"))
			}
			seen := sources.Seen{}.With(page, n)
			for b.Loop() {
				if len(seen.News(page)) != 0 {
					b.Fatal("changed")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/item")
		})
	}
}
