package detector

import (
	"fmt"
	"strings"
	"time"

	"emberwatch/rules"
)

// trail is what a rule that does not count mentions against a forecast remembers of one brand: its episodes, and what the
// kind of rule needs to know the brand's normal. It is stored beside the series of counts, under a key of its own.
type trail struct {
	key     SeriesKey
	first   int64 // bucket in which it began
	episode episode
	share   *share // of a rule of kind shift
	gauge   *gauge // of a rule of kind gauge on one source
	dirty   bool
}

// trailKey names the trail of a rule; of is a source, or the dim of a rule with baseline.per, or empty.
func trailKey(r *rules.Rule, of string) string {
	key := string(r.Kind) + ":" + seasoned(r)
	if of != "" {
		key += "/" + of
	}
	return key
}

// watchedTrail reports whether a trail is one that a rule of kind shift watches, and for which dim.
func watchedTrail(r *rules.Rule, key string) (dim, bool) {
	if r.Kind != rules.Shift || len(r.Per) == 0 {
		return "", r.Kind == rules.Shift && key == trailKey(r, "")
	}
	rest, ok := strings.CutPrefix(key, trailKey(r, "")+"/")
	return dim(rest), ok && dim(rest).fits(r)
}

// isTrail reports whether a signal part of a SeriesKey names a trail rather than a series.
func isTrail(signal string) bool {
	kind, _, _ := strings.Cut(signal, ":")
	switch rules.Kind(kind) {
	case rules.Shift, rules.Spread, rules.Gauge:
		return true
	}
	return false
}

// trail returns the trail called key, made by begin if there is none or if it is of another make.
func (m *Model) trail(b *brand, key string, at time.Time, fits func(*trail) bool, begin func(*trail)) *trail {
	t := b.trails[key]
	if t == nil || !fits(t) {
		t = &trail{key: SeriesKey{b.state.ID, key}, first: bucketOf(at)}
		begin(t)
		b.trails[key] = t
		clear(b.taken)
	}
	return t
}

const trailVersion = 1

// MarshalBinary writes the state: a version byte, then fixed little-endian numbers.
func (t *trail) MarshalBinary() ([]byte, error) {
	w := &blobWriter{buf: []byte{trailVersion}}
	w.ints(t.first)
	t.episode.write(w)
	w.bools(t.share != nil, t.gauge != nil)
	if t.share != nil {
		t.share.write(w)
	}
	if t.gauge != nil {
		t.gauge.write(w)
	}
	return w.buf, nil
}

// UnmarshalBinary reads what MarshalBinary wrote; another version or a cut blob is an error.
func (t *trail) UnmarshalBinary(data []byte) error {
	damaged := fmt.Errorf("series %s %s: damaged state", t.key.Brand, t.key.Signal)
	if len(data) == 0 || data[0] != trailVersion {
		return damaged
	}
	r := &blobReader{buf: data[1:]}
	t.first = r.int()
	t.episode.read(r)
	hasShare, hasGauge := r.bool(), r.bool()
	if hasShare {
		t.share = readShare(r, seasonOf(t.key.Signal))
	}
	if hasGauge {
		t.gauge = readGauge(r)
	}
	if r.failed || len(r.buf) != 0 {
		return damaged
	}
	return nil
}

func (p *episode) write(w *blobWriter) {
	w.floats(p.habit)
	w.ints(p.habitAt, p.since, p.lastHit)
	w.bools(p.inside, p.muted, p.settled)
	w.ints(p.fault, p.seen, int64(len(p.peaks)))
	for _, x := range p.peaks {
		w.ints(x.at, x.end)
		w.singles([]float32{x.score})
		w.bools(x.told)
	}
}

func (p *episode) read(r *blobReader) {
	*p = episode{habit: r.float(), habitAt: r.int(), since: r.int(), lastHit: r.int(), inside: r.bool(), muted: r.bool(), settled: r.bool(), fault: r.int(), seen: r.int()}
	for n := r.int(); n > 0 && n <= maxPeaks && !r.failed; n-- {
		var score [1]float32
		x := peak{at: r.int(), end: r.int()}
		r.singles(score[:])
		x.score, x.told = score[0], r.bool()
		p.peaks = append(p.peaks, x)
	}
}

// write and read keep what a window has learnt.
func (w *windowState) write(b *blobWriter) {
	b.ints(int64(w.buckets))
	b.floats(w.v, w.vn, w.m, w.d, w.hourMax)
	b.singles(w.maxima[:])
}

func (w *windowState) read(r *blobReader) {
	w.buckets = int(r.int())
	w.v, w.vn, w.m, w.d, w.hourMax = r.float(), r.float(), r.float(), r.float(), r.float()
	r.singles(w.maxima[:])
}
