package notifier

import (
	"sync"
	"time"

	"emberwatch/detector"
)

// Pace is how fast a notifier may be called. The zero Pace is as fast as it answers.
type Pace struct {
	Channel time.Duration // between two messages of one channel
	Posts   Rate          // new messages, all channels together
	Edits   Rate          // edits, all channels together
}

// Rate is how often something may happen: Burst at once, then once in Every. The zero Rate is no limit.
type Rate struct {
	Every time.Duration
	Burst int
}

// Paced is a Notifier with a pace of its own; others get one message a second in each channel.
type Paced interface {
	Notifier
	Pace() Pace
}

func paceOf(n Notifier) Pace {
	if p, ok := n.(Paced); ok {
		return p.Pace()
	}
	return Pace{Channel: time.Second}
}

// paces keeps channels and notifiers to their pace, by the wall clock. The zero value is ready for use.
type paces struct {
	mu   sync.Mutex
	next map[string]time.Time // per channel, and per notifier's bucket: not before
}

// bucket names what all channels of a notifier share: they have one for posts and one for edits.
func bucket(n Notifier, kind detector.AlertKind) (name string, r Rate) {
	if kind == detector.KindEdit {
		return "edits of " + n.Name(), paceOf(n).Edits
	}
	return "posts of " + n.Name(), paceOf(n).Posts
}

// take takes a token for a call; false: the notifier has had its share for now.
func (p *paces) take(n Notifier, kind detector.AlertKind) bool {
	name, r := bucket(n, kind)
	p.mu.Lock()
	defer p.mu.Unlock()
	now, full := time.Now(), p.next[name]
	if full.Before(now) {
		full = now
	}
	// full is when the bucket will be full again: each token pushes it away by Every.
	if full.Sub(now) > time.Duration(max(r.Burst-1, 0))*r.Every {
		return false
	}
	if r.Every > 0 {
		p.set(name, full.Add(r.Every))
	}
	return true
}

// refused has what was refused rest: the channel after a post; after an edit only edits, so that those of many
// incidents do not hold up what is new.
func (p *paces) refused(n Notifier, lane string, kind detector.AlertKind, wait time.Duration) {
	if kind != detector.KindEdit {
		p.rest(lane, wait)
		return
	}
	name, r := bucket(n, kind)
	p.rest(name, wait+time.Duration(max(r.Burst-1, 0))*r.Every) // the bucket is empty until then
}

func (p *paces) resting(lane string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Now().Before(p.next[lane])
}

func (p *paces) rest(name string, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(wait); until.After(p.next[name]) {
		p.set(name, until)
	}
}

func (p *paces) set(name string, until time.Time) {
	if p.next == nil {
		p.next = map[string]time.Time{}
	}
	p.next[name] = until
}

// pause returns how long to wait for the first that rests, at most a second.
func (p *paces) pause() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	wait := time.Second
	for name, until := range p.next {
		left := time.Until(until)
		if left <= 0 {
			delete(p.next, name) // over
			continue
		}
		wait = min(wait, left)
	}
	return wait
}
