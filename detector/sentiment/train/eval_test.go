package train

import (
	"math"
	"strings"
	"testing"
)

func near(a, b float64) bool { return math.Abs(a-b) < 0.05 }

func TestMeasure(t *testing.T) {
	s := []Scored{
		{Negative, [3]float64{0.9, 0.05, 0.05}},
		{Negative, [3]float64{0.4, 0.5, 0.1}},
		{Neutral, [3]float64{0.2, 0.7, 0.1}},
		{Neutral, [3]float64{0.6, 0.3, 0.1}},
		{Positive, [3]float64{0.1, 0.2, 0.7}},
	}
	m := Measure(s)
	// said: negative 2 (1 right), neutral 2 (1 right), positive 1 (1 right)
	if !near(m.MacroF1, 100*(0.5+0.5+1)/3) || !near(m.MacroR, 100*(0.5+0.5+1)/3) {
		t.Errorf("macro-F1 %v, macro recall %v", m.MacroF1, m.MacroR)
	}
	if !near(m.Precision, 50) || !near(m.Recall, 50) || !near(m.F1, 50) {
		t.Errorf("negative: P %v, R %v, F1 %v", m.Precision, m.Recall, m.F1)
	}
	if !near(m.AP, 100*(1+2.0/3)/2) { // at ranks 1 and 3
		t.Errorf("AP %v", m.AP)
	}
	if !near(m.RecallAt90, 50) {
		t.Errorf("recall at precision 90 %v", m.RecallAt90)
	}
	if m.TwoClass() || m.N != 5 {
		t.Errorf("two-class %v, N %d", m.TwoClass(), m.N)
	}
}

func TestMeasureOfTwoClasses(t *testing.T) {
	m := Measure([]Scored{{Negative, [3]float64{0.3, 0.6, 0.1}}, {Positive, [3]float64{0.1, 0.8, 0.1001}}})
	if !m.TwoClass() || !near(m.MacroF1, 100) {
		t.Errorf("two-class %v, macro-F1 %v, want 100: neutral cannot be said", m.TwoClass(), m.MacroF1)
	}
	if want := 100 * (0.25 + 0.4998) / 2; !near(m.ECE, want) {
		t.Errorf("ECE %v, want %v", m.ECE, want)
	}
}

func TestEqualScoresHaveNoOrder(t *testing.T) {
	a := []Scored{{Negative, [3]float64{0.5}}, {Positive, [3]float64{0.5}}, {Positive, [3]float64{0.5}}, {Negative, [3]float64{0.5}}}
	b := []Scored{a[1], a[0], a[3], a[2]}
	if x, y := Measure(a).AP, Measure(b).AP; x != y || !near(x, 50) {
		t.Errorf("AP %v and %v, want 50 for chance", x, y)
	}
	if m := Measure(nil); m.N != 0 || m.AP != 0 {
		t.Errorf("of nothing: %+v", m)
	}
}

func TestReadTSV(t *testing.T) {
	rows, err := ReadTSV("x.tsv", strings.NewReader("negative\tDE\tshop\tzu spät\r\n\nPositive\ten\tapp\ta\tb\nbad\ten\tapp\tx\nneutral\ten\n"))
	if len(rows) != 2 || rows[0] != (Row{Negative, "de", "shop", "zu spät"}) || rows[1].Text != "a\tb" {
		t.Errorf("rows %+v", rows)
	}
	for _, want := range []string{"x.tsv:4: label \"bad\"", "x.tsv:5: 2 columns"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}

func TestReadNDJSON(t *testing.T) {
	rows, err := ReadNDJSON("x.ndjson", strings.NewReader(`{"label":"negative","text":"late","title":"Hm","lang":"EN","source":"shop"}
{"label":"positive","text":"thanks"}
{"label":"positive"}
no`))
	if len(rows) != 2 || rows[0] != (Row{Negative, "en", "shop", "Hm\nlate"}) || rows[1] != (Row{Positive, "und", "own", "thanks"}) {
		t.Errorf("rows %+v", rows)
	}
	if err == nil || !strings.Contains(err.Error(), "x.ndjson:3: no text") || !strings.Contains(err.Error(), "x.ndjson:4: not a JSON object") {
		t.Errorf("error %v", err)
	}
}

func FuzzReadLabelled(f *testing.F) {
	f.Add("negative\ten\tx\thello\n")
	f.Add("{\"label\":\"neutral\",\"text\":\"x\"}\n\x00")
	f.Fuzz(func(t *testing.T, data string) {
		for _, read := range []func(string) ([]Row, error){
			func(s string) ([]Row, error) { return ReadTSV("x", strings.NewReader(s)) },
			func(s string) ([]Row, error) { return ReadNDJSON("x", strings.NewReader(s)) },
		} {
			rows, _ := read(data)
			for i := range rows {
				if rows[i].Label > Positive || strings.ContainsRune(rows[i].Text, '\n') && !strings.Contains(data, "title") {
					t.Errorf("row %+v", rows[i])
				}
			}
		}
	})
}
