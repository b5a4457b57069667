package sources

import (
	"errors"
	"fmt"
	"time"
)

// ErrForm is why an item is rejected that is not even built as it should be.
var ErrForm = errors.New("an item that is not built as it should be")

// Rejects are items that could not be read: how many, and why the first was. The reason repeats nothing of the item.
type Rejects struct {
	Count int
	Why   string
}

// Add counts one.
func (r *Rejects) Add(why error) { r.Join(Rejects{1, why.Error()}) }

// Join adds others, which came later.
func (r *Rejects) Join(others Rejects) {
	if r.Count == 0 {
		r.Why = others.Why
	}
	r.Count += others.Count
}

// rejectsOf are all items of a batch that were rejected, by the source or by who took it.
func rejectsOf(b *Batch, taken *Taken) Rejects {
	all := b.Rejected
	if n := len(taken.Rejected); n > 0 {
		all.Join(Rejects{n, taken.Rejected[0].Error})
	}
	return all
}

const (
	rejectsTold  = time.Minute // between two lines of the log about one source
	shareMemory  = 50          // items that the share of rejected ones remembers, the latest
	leastRejects = 3           // among them, before anything is said
)

// share is what became of the latest items of a source. Older ones fade.
type share struct{ read, rejected float64 }

// note takes in what became of some items.
func (s *share) note(read, rejected int) {
	s.read, s.rejected = s.read+float64(read), s.rejected+float64(rejected)
	if fade := shareMemory / (s.read + s.rejected); fade < 1 {
		s.read, s.rejected = s.read*fade, s.rejected*fade
	}
}

// most reports whether most were rejected: then it is not the items that are odd, but how they are read.
func (s *share) most() bool { return s.rejected >= leastRejects && s.rejected > s.read }

// rejectedMost is the last error of a source that is read, and of which little is taken.
func rejectedMost(total int64, why string) string {
	return fmt.Sprintf("most of what comes is rejected, %d items since the start; the latest: %s", total, why)
}
