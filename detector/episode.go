package detector

import (
	"math"
	"time"
)

// episode is what a rule remembers about one series: whether it is above its bar now, and how often it was.
// Every alert raises the bar for opening the next one, for a while; an open episode stays open while the
// score keeps coming back to the plain bar.
type episode struct {
	grain   *grain  // nil: five minutes
	habit   float64 // raises the bar for opening an episode; halves every seven days
	habitAt int64   // bucket that habit is as of
	lastHit int64   // bucket in which the score last reached the bar
	inside  bool    // an episode is open
	since   int64   // bucket in which it opened
	muted   bool    // it began while the series was too young to tell anybody

	fault int64 // bucket in which it last looked like a fault of the collector; 0: it never did

	seen    int64  // bucket in which the score was last worth remembering
	settled bool   // what goes on since then has been confirmed
	peaks   []peak // of the history, in the order of time
}

// bar returns what the score has to reach in bucket b to open an episode; base is the rule's own bar.
func (p *episode) bar(base float64, b int64) float64 {
	return base + p.habitNow(b)
}

func (p *episode) habitNow(b int64) float64 {
	return p.habit * math.Exp2(-p.length(b-p.habitAt).Hours()/(7*24))
}

// length returns how long so many buckets are.
func (p *episode) length(buckets int64) time.Duration {
	if p.grain == nil {
		return time.Duration(buckets) * BucketLength
	}
	return time.Duration(buckets) * p.grain.length
}

// insideAt reports whether the episode is still open in bucket b.
func (p *episode) insideAt(b int64) bool {
	return p.inside && (b-p.lastHit <= 1 || p.length(b-p.lastHit) <= episodeQuiet)
}

// stay is the score that keeps an open episode open: the plain bar, or a rule's own if that is lower.
func stay(base float64) float64 { return min(base, defaultBar) }

// wants reports whether an evaluation can open the episode or keep it open.
func (p *episode) wants(e *Eval, base float64) bool {
	if p.insideAt(e.Bucket) {
		return e.Score >= stay(base)
	}
	return e.Score >= p.bar(base, e.Bucket)
}

// hit takes note of an evaluation. opened: a new episode began; above: the score is at the bar, in an open
// episode or a new one.
func (p *episode) hit(e *Eval, base float64) (opened, above bool) {
	if p.insideAt(e.Bucket) {
		above = e.Score >= stay(base)
		if above {
			p.lastHit = e.Bucket
		}
		return false, above
	}
	p.inside = false
	if e.Score < p.bar(base, e.Bucket) {
		return false, false
	}
	p.habit = min(p.habitNow(e.Bucket)+habituation, habituationCap)
	p.habitAt, p.since, p.lastHit, p.inside, p.muted = e.Bucket, e.Bucket, e.Bucket, true, false
	p.fault = 0
	return true, true
}
