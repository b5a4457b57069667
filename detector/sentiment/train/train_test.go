package train

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/rules"
)

// toy are rows in which "zorble" is bad, "quindle" good and "mabble" neither.
func toy(n int) []Row {
	var rows []Row
	for i := range n {
		for label, word := range []string{"zorble", "mabble", "quindle"} {
			rows = append(rows, Row{Label(label), "en", "toy", fmt.Sprintf("the %s was here on day %d of the year", word, i)})
		}
	}
	return rows
}

func quick() Options {
	o := Defaults()
	o.Bits, o.Models, o.Patterns, o.Epochs = 12, 2, 0, 4
	return o
}

func silent(string, ...any) {}

func trained(t *testing.T, rows, validation []Row, o Options) *sentiment.Model {
	t.Helper()
	m, err := Train(rows, validation, o, silent)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func label(m *sentiment.Model, text string) detector.Label {
	return m.Score(rules.Tokenize(text), detector.About{Lang: "en"}).P.Label()
}

func TestTrainLearns(t *testing.T) {
	m := trained(t, toy(60), toy(10), quick())
	for text, want := range map[string]detector.Label{
		"a zorble on the table": detector.Negative, "a mabble on the table": detector.Neutral, "a quindle on the table": detector.Positive,
	} {
		if got := label(m, text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestTrainIsDeterministic(t *testing.T) {
	file := func(o Options) string {
		var b bytes.Buffer
		if err := trained(t, toy(30), toy(10), o).Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	o := quick()
	if first, second := file(o), file(o); first != second {
		t.Error("the same rows and seed give another file")
	}
	other := o
	other.Seed = 7
	if file(o) == file(other) {
		t.Error("another seed gives the same file")
	}
}

func TestTwoClassSourceTeachesNothingAboutNeutral(t *testing.T) {
	var rows []Row
	for i := range 200 {
		rows = append(rows,
			Row{Negative, "en", "reviews", fmt.Sprintf("the zorble number %d", i)},
			Row{Positive, "en", "reviews", fmt.Sprintf("the quindle number %d", i)})
	}
	with := trained(t, append(toy(60), rows...), nil, quick())
	p := with.Score(rules.Tokenize("the mabble number of the year"), detector.About{Lang: "en"}).P
	if p.Label() != detector.Neutral {
		t.Errorf("a source without neutral texts has taught %+v", p)
	}
}

func TestAdaptKeepsWhatItKnows(t *testing.T) {
	base := sentiment.New()
	var rows []Row
	for i := range 60 {
		rows = append(rows,
			Row{Negative, "en", "own", fmt.Sprintf("the flurp came off after %d days", i)},
			Row{Positive, "en", "own", fmt.Sprintf("love the grintle after %d days", i)})
	}
	o := quick()
	o.Base, o.Bits = base, base.Table.Bits()
	m := trained(t, rows, nil, o)
	before := base.Score(rules.Tokenize("the flurp is here"), detector.About{Lang: "en"}).P.Negative
	after := m.Score(rules.Tokenize("the flurp is here"), detector.About{Lang: "en"}).P.Negative
	if after < before+0.1 {
		t.Errorf("P(negative) of the new word was %.2f and is %.2f", before, after)
	}
	for text, want := range map[string]detector.Label{
		"terrible service, never again": detector.Negative, "Der Laden ist bis 18 Uhr offen": detector.Neutral, "Отличный магазин, спасибо": detector.Positive,
	} {
		if got := m.Score(rules.Tokenize(text), detector.About{}).P.Label(); got != want {
			t.Errorf("%q: %s after adapting, want %s", text, got, want)
		}
	}
}

func TestOptionsTellAllThatIsWrong(t *testing.T) {
	o := Options{Bits: 99, Epochs: 0, Rate: -1, Dropout: 2, MinCount: 0, Models: 0, Patterns: -1, Smoothing: 1}
	err := o.Validate()
	for _, want := range []string{"bits", "epochs", "rate", "dropout", "min-count", "models", "patterns", "smoothing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: nothing about %s", err, want)
		}
	}
	if _, err := Train(nil, nil, quick(), silent); err == nil {
		t.Error("trained on nothing")
	}
}

func TestReport(t *testing.T) {
	rows := append(toy(5), Row{Negative, "de", "x", "schlecht"}, Row{Positive, "de", "x", "gut"})
	r := Evaluate(rows, func(text string) (detector.P, string) {
		if strings.Contains(text, "zorble") || text == "schlecht" {
			return detector.P{Negative: 0.8, Neutral: 0.1, Positive: 0.1}, "en"
		}
		return detector.P{Negative: 0.1, Neutral: 0.1, Positive: 0.8}, "de"
	})
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(b.String()), "\n")
	if len(lines) != 7 { // head, two groups, two languages, all, what (2) means
		t.Fatalf("report:\n%s", b.String())
	}
	if got := strings.Join(strings.Fields(lines[1])[:5], " "); got != "de x (2) 2 100.0" {
		t.Errorf("line %q", lines[1])
	}
	f := r.Figures()
	if f["de negative AP"] != 100 || f["all macro-F1"] == 0 {
		t.Errorf("figures %v", f)
	}
}
