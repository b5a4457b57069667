package detector_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/detector/sentiment"
	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write streams and golden files anew")

const (
	surgeStream = "../testdata/streams/surge.jsonl.gz"
	surgeGolden = "../testdata/golden/surge.jsonl"
)

// What people write about a maker of coffee machines on ordinary days, and when a batch of parcels is lost.
var (
	ordinaryTexts = []string{
		"Love my new machine, the coffee is great", "Where can I buy the descaling kit?", "Which filter fits the 200?",
		"Very happy with it so far", "Is the blue one back in stock?", "Best espresso I ever made at home, thank you",
		"The manual says 9 bar, is that right?", "Mein Kaffee schmeckt wunderbar, danke", "Passt der Filter auch in die alte Maschine?",
		"Så god kaffe, rekommenderas", "Does it work with oat milk?", "Nice design and easy to clean",
	}
	complaintTexts = []string{
		"The milk frother is terrible, stopped working after a week", "Disappointed, the lid does not fit",
		"Awful support, nobody answers", "Die Maschine ist kaputt, sehr enttäuscht", "Far too loud, I hate it",
	}
	lostTexts = []string{
		"My parcel has not arrived, where is it?", "Order still not delivered after ten days, terrible", "Package lost and nobody answers",
		"Paket nicht angekommen, sehr ärgerlich", "Paketet har inte kommit, uselt", "Still waiting for my delivery, this is a disgrace",
	}
)

// surgeMentions makes two quiet weeks at four an hour, a morning on which a hundred complain of lost
// parcels on two networks, and two days after it.
func surgeMentions() []sources.Mention {
	rng := rand.New(rand.NewPCG(2026, 3))
	start := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	surge := start.Add(14*24*time.Hour + 9*time.Hour)
	var ms []sources.Mention
	add := func(at time.Time, texts []string, source string, extra string) {
		n := len(ms) + 1
		ms = append(ms, sources.Mention{
			V: 1, ID: fmt.Sprintf("m%d", n), Source: source, Kind: sources.Comment, Brand: "Fjellbryg",
			Author: sources.Author{ID: fmt.Sprintf("u%d", n)}, Text: texts[rng.IntN(len(texts))] + extra, CreatedAt: at.Truncate(time.Second),
		})
	}
	for at := start; at.Before(surge.Add(48 * time.Hour)); {
		rate := 4 * (1 - 0.8*math.Cos(2*math.Pi*(float64(at.Hour())-4)/24))
		at = at.Add(time.Duration(rng.ExpFloat64() / rate * float64(time.Hour)))
		texts := ordinaryTexts
		if rng.IntN(5) == 0 {
			texts = complaintTexts
		}
		add(at, texts, "shop", "")
	}
	for k := range 100 {
		at := surge.Add(time.Duration(rng.Float64() * rng.Float64() * float64(4*time.Hour)))
		add(at, lostTexts, []string{"shop", "forum"}[k%2], fmt.Sprintf(" (order %d)", 1000+k))
	}
	detector.Sort(ms)
	return ms
}

// shown is one line of a golden file.
type shown struct {
	Event    string         `json:"event"`
	At       time.Time      `json:"at"`
	Incident string         `json:"incident"`
	Rule     string         `json:"rule"`
	Severity rules.Severity `json:"severity"`
	Category string         `json:"category,omitempty"`
	Signal   string         `json:"signal"`
	Window   string         `json:"window"`
	Observed float64        `json:"observed"`
	Expected float64        `json:"expected"`
	Authors  int            `json:"authors"`
	Since    time.Time      `json:"since"`
	Sentence string         `json:"sentence"`
	Mentions int            `json:"mentions"`
}

// A recorded stream through the starter rules and the embedded scorer raises what the golden file says.
func TestReplayOfRecordedSurge(t *testing.T) {
	if *update {
		writeStream(t, surgeStream, surgeMentions())
	}
	got := replayed(t, readStream(t, surgeStream))
	if *update {
		if err := os.WriteFile(surgeGolden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(surgeGolden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("another replay than in %s (go test ./detector -run Recorded -update writes it anew):\n%s", surgeGolden, diff)
	}
}

func replayed(t *testing.T, ms []sources.Mention) []byte {
	t.Helper()
	var out bytes.Buffer
	r := detector.NewReplay(rules.Starter(), sentiment.New())
	r.Event = func(e detector.ReplayEvent) {
		i := e.Incident
		line := shown{
			e.Op, e.At, i.ID, i.Rule, i.Severity, i.Category, i.Signal, detector.Words(i.Evidence.Window.Length),
			i.Evidence.Window.Observed, math.Round(1000*i.Evidence.Window.Expected) / 1000, i.Evidence.Authors, i.Since,
			i.Sentence, len(i.Evidence.Mentions),
		}
		if err := json.NewEncoder(&out).Encode(line); err != nil {
			t.Fatal(err)
		}
	}
	r.Run(ms)
	sum := r.Summary()
	fmt.Fprintf(&out, "{\"event\":\"summary\",\"mentions\":%d,\"duplicates\":%d}\n", sum.Mentions, sum.Duplicates)
	return out.Bytes()
}

// However a stream is cut into runs, the same is raised.
func TestReplayInPieces(t *testing.T) {
	ms := readStream(t, surgeStream)
	whole := []string{}
	for _, cut := range []int{len(ms), 1, 700} {
		var ops []string
		r := detector.NewReplay(rules.Starter(), sentiment.New())
		r.Event = func(e detector.ReplayEvent) {
			ops = append(ops, fmt.Sprint(e.Op, e.At, e.Incident.ID, e.Incident.Version))
		}
		for part := range slices.Chunk(ms, cut) {
			r.Run(part)
		}
		if cut == len(ms) {
			whole = ops
		}
		if !slices.Equal(ops, whole) {
			t.Errorf("pieces of %d: %d events, want %d", cut, len(ops), len(whole))
		}
	}
}

// Files may overlap: what was read before is a duplicate and raises nothing.
func TestReplayOfDuplicates(t *testing.T) {
	ms := readStream(t, surgeStream)
	twice := slices.Concat(ms, ms)
	detector.Sort(twice)
	r := detector.NewReplay(rules.Starter(), sentiment.New())
	r.Run(twice)
	sum := r.Summary()
	if sum.Duplicates != len(ms) || sum.Mentions != len(ms) {
		t.Errorf("%d mentions and %d duplicates of %d", sum.Mentions, sum.Duplicates, len(ms))
	}
	once := detector.NewReplay(rules.Starter(), sentiment.New())
	once.Run(ms)
	if diff := cmp.Diff(once.Summary().Incidents, sum.Incidents); diff != "" {
		t.Errorf("duplicates change the incidents: %s", diff)
	}
	if sum.PerWeek() <= 0 || sum.PerWeek() > 1 {
		t.Errorf("%.2f incidents a week", sum.PerWeek())
	}
}

func writeStream(t *testing.T, path string, ms []sources.Mention) {
	t.Helper()
	var raw bytes.Buffer
	z := gzip.NewWriter(&raw)
	for i := range ms {
		if err := json.NewEncoder(z).Encode(&ms[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, surgeGolden} {
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, raw.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func readStream(t testing.TB, path string) []sources.Mention {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var ms []sources.Mention
	for lines := bufio.NewScanner(z); lines.Scan(); {
		var m sources.Mention
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		ms = append(ms, m)
	}
	return ms
}

// BenchmarkJudge scores and matches one mention with the embedded scorer and the starter rules.
func BenchmarkJudge(b *testing.B) {
	ms := readStream(b, surgeStream)
	set, scorer := rules.Starter(), sentiment.New()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		detector.Judge(set, scorer, ms[i%len(ms)])
	}
}

// BenchmarkReplay replays the recorded stream, from text to incidents, on all cores.
func BenchmarkReplay(b *testing.B) {
	ms := readStream(b, surgeStream)
	set, scorer := rules.Starter(), sentiment.New()
	b.ReportAllocs()
	for b.Loop() {
		r := detector.NewReplay(set, scorer)
		r.Run(ms)
	}
	b.ReportMetric(float64(len(ms)*b.N)/b.Elapsed().Seconds(), "mentions/s")
}
