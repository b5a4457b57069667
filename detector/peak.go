package detector

import (
	"slices"
	"strings"
	"time"

	"emberwatch/sources"
)

// PeakWindow is the length of the window in which the size of an incident is told: the same for every rule, so that sizes
// can be compared.
const PeakWindow = time.Hour

const peakBuckets = int64(PeakWindow / BucketLength)

// Peak is the fullest hour of an incident: of the series that it was opened for, to the end of a bucket of counts, or where
// it counts no mentions, of those that its rule matches from then on.
type Peak struct {
	End   time.Time
	Count float64
}

// climb follows an incident to its peak.
type climb struct {
	Peak
	brand, rule string
	series      string      // empty: its rule's mentions are counted
	hits        []time.Time // of the rule, within the last hour
}

// Peak returns the fullest hour of an incident; false for one that rests on no mentions, such as a silence.
func (r *Replay) Peak(incident string) (Peak, bool) {
	c := r.climbs[incident]
	if c == nil || c.Count == 0 {
		return Peak{}, false
	}
	return c.Peak, true
}

// follow begins to follow what opened, goes on with what reopened, and leaves what is over.
func (r *Replay) follow(op string, i *Incident) {
	switch op {
	case "calm", "closed":
		delete(r.climbing[i.Brand], i.ID)
		return
	case "opened", "reopened":
	default:
		return
	}
	c := r.climbs[i.ID]
	if c == nil {
		c = &climb{brand: i.Brand, rule: i.Rule}
		if len(i.Signals) > 0 && countsMentions(i.Signals[0].Series) {
			c.series = strings.TrimSuffix(i.Signals[0].Series, watchMark)
		}
		r.climbs[i.ID] = c
		r.lookBack(c, i)
	}
	if r.climbing[i.Brand] == nil {
		r.climbing[i.Brand] = map[string]*climb{}
	}
	r.climbing[i.Brand][i.ID] = c
}

// lookBack finds a peak before an incident was told.
func (r *Replay) lookBack(c *climb, i *Incident) {
	if s := r.seriesOf(c); s != nil {
		for b := max(bucketOf(i.Since), s.cur-int64(len(s.n))+peakBuckets); b <= s.cur; b++ {
			c.reach(bucketStart(b+1), s.hourTo(b))
		}
	}
}

func (r *Replay) seriesOf(c *climb) *burst {
	b := r.model.brands[c.brand]
	if b == nil || b.series[c.series] == nil {
		return nil
	}
	return b.series[c.series].burst
}

// hourTo counts the hour that ends with bucket b, which is in the ring.
func (s *burst) hourTo(b int64) float64 {
	n := 0.0
	for x := b - peakBuckets + 1; x <= b; x++ {
		if x >= s.first {
			n += s.n[s.slot(x)]
		}
	}
	return n
}

func (c *climb) reach(end time.Time, n float64) {
	if n > c.Count {
		c.Peak = Peak{end, n}
	}
}

// climbOn counts a mention for the incidents of its brands that are open.
func (r *Replay) climbOn(m *sources.Mention, judged []Judged) {
	for k := range judged {
		for _, c := range r.climbing[judged[k].Brand] {
			if s := r.seriesOf(c); s != nil {
				c.reach(bucketStart(s.cur+1), s.hourTo(s.cur))
			} else if c.series == "" && slices.Contains(judged[k].Rules, c.rule) {
				c.hit(m.CreatedAt)
			}
		}
	}
}

// hit counts one mention more within the last hour.
func (c *climb) hit(at time.Time) {
	old := slices.IndexFunc(c.hits, func(x time.Time) bool { return at.Sub(x) < PeakWindow })
	if old < 0 {
		old = len(c.hits)
	}
	c.hits = append(c.hits[old:], at)
	c.reach(at, float64(len(c.hits)))
}
