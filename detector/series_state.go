package detector

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
)

// series is one series of counts with what every rule that watches it remembers.
type series struct {
	key      SeriesKey
	burst    *burst
	episodes map[string]*episode // by rule id
	dirty    bool                // touched by the running change
}

func newSeries(key SeriesKey, windows []int, first int64) *series {
	s := &series{key: key, burst: newBurst(windows, first), episodes: map[string]*episode{}}
	s.burst.profile = seasonOf(key.Signal)
	return s
}

func (s *series) episode(rule string) *episode {
	p := s.episodes[rule]
	if p == nil {
		p = &episode{habitAt: s.burst.cur}
		s.episodes[rule] = p
	}
	return p
}

const seriesVersion = 4

// MarshalBinary writes the state: a version byte, then fixed little-endian numbers. Floats are kept to the
// last bit, so that a restart changes no later result.
func (s *series) MarshalBinary() ([]byte, error) {
	b := s.burst
	w := &blobWriter{buf: append(make([]byte, 0, 8<<10), seriesVersion)} // with the default windows it takes 6 KB
	w.ints(b.cur, b.first, b.learned, int64(b.hours), int64(len(b.windows)), int64(len(b.n)))
	w.bools(b.liveHour)
	w.floats(b.level.a, b.level.b)
	for i := range b.hod {
		w.floats(b.hod[i].c, b.hod[i].e)
	}
	for i := range b.how {
		w.floats(b.how[i].c, b.how[i].e)
	}
	for i := range b.windows {
		b.windows[i].write(w)
	}
	w.singles(b.heard[:])
	w.floats(b.n...)
	w.floats(b.m...)
	w.bools(b.missing...)
	w.bools(b.slow != nil)
	if b.slow != nil {
		b.slow.write(w)
	}
	w.ints(int64(len(s.episodes)))
	for _, id := range sortedKeys(s.episodes) {
		w.text(id)
		s.episodes[id].write(w)
	}
	return w.buf, nil
}

// UnmarshalBinary reads what MarshalBinary wrote; another version or a cut blob is an error, never a guess.
func (s *series) UnmarshalBinary(data []byte) error {
	if len(data) == 0 || data[0] != seriesVersion {
		return fmt.Errorf("series %s %s: unknown version of its state", s.key.Brand, s.key.Signal)
	}
	r := &blobReader{buf: data[1:]}
	b := &burst{grain: fiveMinutes, trust: steady, cur: r.int(), first: r.int(), learned: r.int(), hours: int(r.int())}
	windows, size := r.int(), r.int()
	if windows < 1 || windows > 16 || size < 1 || size > 2*maxWindow {
		return fmt.Errorf("series %s %s: damaged state", s.key.Brand, s.key.Signal)
	}
	b.liveHour = r.bool()
	b.level.a, b.level.b = r.float(), r.float()
	for i := range b.hod {
		b.hod[i].c, b.hod[i].e = r.float(), r.float()
	}
	for i := range b.how {
		b.how[i].c, b.how[i].e = r.float(), r.float()
	}
	b.windows = make([]windowState, windows)
	for i := range b.windows {
		b.windows[i].read(r)
	}
	r.singles(b.heard[:])
	b.n, b.m, b.missing = make([]float64, size), make([]float64, size), make([]bool, size)
	r.floats(b.n)
	r.floats(b.m)
	for i := range b.missing {
		b.missing[i] = r.bool()
	}
	if r.bool() {
		b.slow = new(slow)
		b.slow.read(r)
	}
	b.profile = seasonOf(s.key.Signal)
	s.burst, s.episodes = b, map[string]*episode{}
	for range r.int() {
		if r.failed {
			break
		}
		id := r.text()
		p := new(episode)
		p.read(r)
		s.episodes[id] = p
	}
	if r.failed || len(r.buf) != 0 {
		return fmt.Errorf("series %s %s: damaged state", s.key.Brand, s.key.Signal)
	}
	return nil
}

func (s *slow) write(w *blobWriter) {
	w.ints(s.hours, s.since, s.frozen, s.opened)
	w.floats(s.level.a, s.level.b, s.v, s.vn, s.sum, s.count, s.mu, s.m, s.d, s.habit, s.top)
	w.bools(s.inside)
	for i := range s.hod {
		w.singles([]float32{s.hod[i].c, s.hod[i].e})
	}
	for i := range s.how {
		w.singles([]float32{s.how[i].c, s.how[i].e})
	}
	w.singles(s.maxima[:])
}

func (s *slow) read(r *blobReader) {
	s.hours, s.since, s.frozen, s.opened = r.int(), r.int(), r.int(), r.int()
	for _, f := range []*float64{&s.level.a, &s.level.b, &s.v, &s.vn, &s.sum, &s.count, &s.mu, &s.m, &s.d, &s.habit, &s.top} {
		*f = r.float()
	}
	s.inside = r.bool()
	var pair [2]float32
	for i := range s.hod {
		r.singles(pair[:])
		s.hod[i].c, s.hod[i].e = pair[0], pair[1]
	}
	for i := range s.how {
		r.singles(pair[:])
		s.how[i].c, s.how[i].e = pair[0], pair[1]
	}
	r.singles(s.maxima[:])
}

// blobWriter appends fixed-width values.
type blobWriter struct{ buf []byte }

func (w *blobWriter) ints(vs ...int64) {
	for _, v := range vs {
		w.buf = binary.LittleEndian.AppendUint64(w.buf, uint64(v))
	}
}

func (w *blobWriter) floats(vs ...float64) {
	for _, v := range vs {
		w.buf = binary.LittleEndian.AppendUint64(w.buf, math.Float64bits(v))
	}
}

func (w *blobWriter) singles(vs []float32) {
	for _, v := range vs {
		w.buf = binary.LittleEndian.AppendUint32(w.buf, math.Float32bits(v))
	}
}

func (w *blobWriter) bools(vs ...bool) {
	for _, v := range vs {
		c := byte(0)
		if v {
			c = 1
		}
		w.buf = append(w.buf, c)
	}
}

func (w *blobWriter) text(s string) {
	w.ints(int64(len(s)))
	w.buf = append(w.buf, s...)
}

// blobReader reads them back; after the first cut it only gives zeros and says so.
type blobReader struct {
	buf    []byte
	failed bool
}

func (r *blobReader) take(n int) []byte {
	if n < 0 || n > len(r.buf) {
		r.failed, r.buf = true, nil
		return make([]byte, 8)
	}
	b := r.buf[:n]
	r.buf = r.buf[n:]
	return b
}

func (r *blobReader) int() int64 { return int64(binary.LittleEndian.Uint64(r.take(8))) }
func (r *blobReader) float() float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(r.take(8)))
}
func (r *blobReader) bool() bool { return r.take(1)[0] == 1 }

func (r *blobReader) floats(out []float64) {
	for i := range out {
		out[i] = r.float()
	}
}

func (r *blobReader) singles(out []float32) {
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(r.take(4)))
	}
}

func (r *blobReader) text() string {
	n := r.int()
	if n < 0 || n > int64(len(r.buf)) {
		r.failed = true
		return ""
	}
	return string(r.take(int(n)))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
