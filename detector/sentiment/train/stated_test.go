package train_test

import (
	"os"
	"strings"
	"testing"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/detector/sentiment/train"
	"emberwatch/rules"
	"emberwatch/sources"
)

// counted scores as the daemon counts: model and cue words of the starter rules.
func counted() train.Score {
	set, m := rules.Starter(), sentiment.New()
	return func(text string) (detector.P, string) {
		doc := rules.Tokenize(text)
		s := m.Score(doc, detector.About{})
		mention := sources.Mention{Kind: sources.Comment, Text: text}
		found := set.Match(&mention, doc, s.Lang)
		return s.WithCues(found.Hits), s.Lang
	}
}

func read(t *testing.T, names ...string) []train.Row {
	t.Helper()
	var rows []train.Row
	for _, name := range names {
		f, err := os.Open("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		some, err := train.ReadTSV(name, f)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, some...)
	}
	return rows
}

// TestStatedCrises measures the embedded model and the library's cues on texts that neither was made from. The bounds are
// what the product needs, somewhat below what it reaches.
func TestStatedCrises(t *testing.T) {
	score := counted()
	var crises []train.Scored
	right, all := map[string]int{}, map[string]int{}
	for _, r := range read(t, "stated-a.tsv", "stated-b.tsv") {
		p, _ := score(r.Text)
		if r.Domain == "crisis" {
			crises = append(crises, train.Scored{Label: r.Label, P: [3]float64{p.Negative, p.Neutral, p.Positive}})
		}
		all[r.Domain]++
		if string(p.Label()) == r.Label.String() {
			right[r.Domain]++
		}
	}
	m := train.Measure(crises)
	t.Logf("crises: %d texts, precision %.1f, recall %.1f, average precision %.1f of negative", m.N, m.Precision, m.Recall, m.AP)
	if m.Precision < 80 || m.Recall < 70 || m.AP < 85 {
		t.Error("fewer crises are recognised than must be")
	}
	for kind, least := range map[string]float64{"polite": 0.65, "notgood": 0.55, "notbad": 0.5, "sarcasm": 0.35, "slang": 0.5, "contrast": 0.5} {
		share := float64(right[kind]) / float64(all[kind])
		t.Logf("%s: %d of %d right", kind, right[kind], all[kind])
		if share < least {
			t.Errorf("%s: %.2f right, want at least %.2f", kind, share, least)
		}
	}
}

// TestUnknownLanguages has texts in languages that the model does not know.
func TestUnknownLanguages(t *testing.T) {
	data, err := os.ReadFile("testdata/foreign.tsv")
	if err != nil {
		t.Fatal(err)
	}
	m := sentiment.New()
	total := 0
	var taken []string
	for line := range strings.Lines(string(data)) {
		lang, text, _ := strings.Cut(strings.TrimSpace(line), "\t")
		total++
		if s := m.Score(rules.Tokenize(text), detector.About{}); s.Lang != sentiment.Und || s.Known {
			taken = append(taken, lang+" for "+s.Lang)
		}
	}
	t.Logf("%d texts, taken for a known language: %v", total, taken)
	if 10*len(taken) > total {
		t.Errorf("%d of %d unknown languages are taken for known ones: %v", len(taken), total, taken)
	}
}
