package sentiment

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestTable puts features into a table and looks them all up.
func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		bits := rapid.IntRange(minBits, 10).Draw(t, "bits")
		hashes := rapid.SliceOfNDistinct(rapid.Uint32(), 0, 200, rapid.ID).Draw(t, "hashes")
		features := make([]Weighted, len(hashes))
		for i, h := range hashes {
			w := float32(rapid.IntRange(-1000, 1000).Draw(t, "weight")) / 100
			features[i] = Weighted{Hash: h, Negative: w, Positive: -w, Count: 1}
		}
		table, dropped := NewTable(bits, features)
		found, wrong := 0, 0
		for _, f := range features {
			neg, pos, ok := table.find(f.Hash)
			switch {
			case !ok:
				continue
			case math.Abs(float64(float32(neg)*table.scale-f.Negative)) <= float64(table.scale) && pos == -neg:
				found++
			default:
				wrong++ // taken for another
			}
		}
		if found+dropped < len(features) || wrong > dropped {
			t.Errorf("%d features: %d found, %d dropped, %d taken for others", len(features), found, dropped, wrong)
		}
		again := &Table{bits: bits, scale: table.scale}
		again.setBytes(table.bytes())
		for _, h := range hashes {
			n1, p1, ok1 := table.find(h)
			n2, p2, ok2 := again.find(h)
			if n1 != n2 || p1 != p2 || ok1 != ok2 {
				t.Errorf("%08x: %d %d %v, out of bytes %d %d %v", h, n1, p1, ok1, n2, p2, ok2)
			}
		}
	})
}

func TestTableKeepsWhatMovesMost(t *testing.T) {
	var features []Weighted
	for i := range 6 { // all in one bucket
		features = append(features, Weighted{Hash: uint32(i + 1), Negative: float32(i + 1), Count: 1})
	}
	table, dropped := NewTable(minBits, features)
	if dropped != 2 {
		t.Errorf("%d dropped, want 2", dropped)
	}
	for i, f := range features {
		if _, _, ok := table.find(f.Hash); ok != (i >= 2) {
			t.Errorf("feature %d of weight %v: found %v", i, f.Negative, ok)
		}
	}
}

func TestAdapt(t *testing.T) {
	base, _ := NewTable(minBits, []Weighted{{Hash: 1, Negative: 1, Count: 1}, {Hash: 2, Negative: -2, Count: 1}})
	adapted := base.Adapt([]Weighted{{Hash: 1, Negative: 0.5}, {Hash: 3, Positive: 1}})
	for h, want := range map[uint32][2]float32{1: {1.5, 0}, 2: {-2, 0}, 3: {0, 1}} {
		neg, pos, ok := adapted.find(h)
		if !ok || abs(float32(neg)*adapted.scale-want[0]) > 0.02 || abs(float32(pos)*adapted.scale-want[1]) > 0.02 {
			t.Errorf("feature %d: %v %v %v, want %v", h, float32(neg)*adapted.scale, float32(pos)*adapted.scale, ok, want)
		}
	}
	if _, _, ok := base.find(3); ok {
		t.Error("the base has changed")
	}
}
