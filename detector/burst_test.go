package detector

import (
	"compress/gzip"
	"encoding/csv"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The vectors hold counts in five-minute buckets with the surprise, score and alert of an independent
// implementation of the same algorithm; a blank value is a bucket in which the source was down.
func TestBurstAgreesWithReferenceVectors(t *testing.T) {
	for _, name := range []string{"quiet", "steady", "busy"} {
		t.Run(name, func(t *testing.T) {
			rows := readVectors(t, "testdata/"+name+".csv.gz")
			var s *burst
			var p episode
			bad := 0
			for _, r := range rows {
				b := bucketOf(r.at)
				if s == nil {
					s = newBurstOf(fiveMinutes, wary, defaultWindows, b)
				}
				s.roll(b, 0)
				if r.missing {
					s.skip()
				} else {
					s.add(b, r.value)
				}
				e := s.eval(minCount)
				alert, _ := p.hit(&e, defaultBar)
				if math.Abs(e.Surprise-r.surprise) > 1e-4 || math.Abs(e.Score-r.score) > 1e-4 || alert != r.alert {
					t.Errorf("%s: value %v: got surprise %.6f score %.6f alert %v, want %.6f %.6f %v",
						r.at.Format(time.RFC3339), r.value, e.Surprise, e.Score, alert, r.surprise, r.score, r.alert)
					if bad++; bad > 5 {
						t.FailNow()
					}
				}
			}
		})
	}
}

type vector struct {
	at              time.Time
	value           float64
	missing         bool
	surprise, score float64
	alert           bool
}

func readVectors(t *testing.T, path string) []vector {
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
	records, err := csv.NewReader(z).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []vector
	for _, r := range records[1:] {
		at, err := time.Parse(time.RFC3339, r[0])
		if err != nil {
			t.Fatal(err)
		}
		num := func(s string) float64 {
			v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
			if err != nil {
				t.Fatalf("%v: %v", r, err)
			}
			return v
		}
		v := vector{at: at, missing: strings.TrimSpace(r[1]) == "", surprise: num(r[2]), score: num(r[3]), alert: strings.TrimSpace(r[4]) == "1"}
		if !v.missing {
			v.value = num(r[1])
		}
		out = append(out, v)
	}
	return out
}
