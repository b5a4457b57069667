package notifier

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	retryMost    = 5 * time.Minute  // between attempts that certainly failed
	knockMost    = time.Minute      // between attempts to reach what cannot be reached
	lookAgain    = 3 * time.Second  // between two looks for a message of unknown fate
	looks        = 2                // how often a message of unknown fate is looked for before it is sent again
	looksAtMost  = 10               // how often looking may fail before it is sent again unlooked
	callTimeout  = 45 * time.Second // for one call to the outside
	readAgain    = time.Second      // what was read from the outbox is trusted for so long: people may overtake it
	quotesShown  = 5
	quotesLooked = 10
)

// DispatchOptions are what a Dispatcher works with.
type DispatchOptions struct {
	Outbox Outbox
	Reader detector.Reader
	Rules  func() *rules.Set
	// For returns the notifier of a name, for "" the one that routes have by themselves; nil: there is none.
	For func(via string) Notifier
	// Fallback is where the process itself complains, besides what the routes name: it hears what could not be
	// delivered for good, and crises that could not be for five minutes; nil: only the log does.
	Fallback Notifier
	Drafter  Drafter
	About    *About // what incidents are about; nil: not said
	// Chart draws what an incident is about; nil, or nil for an incident: none.
	Chart     func(*Message) *Chart
	Languages *Languages // that routes may ask for; nil: the embedded ones
	// Link makes the address of an incident's page; nil or empty: none.
	Link    func(incident string) string
	Log     *slog.Logger
	Metrics prometheus.Registerer
}

// Dispatcher drains the outbox. It has one sender per channel, which keeps the order and the pace of that
// channel; a slow or failing channel holds up no other.
type Dispatcher struct {
	// Now is the clock of the outbox; replaying a recording sets it to the recorded time. The pace of
	// channels always follows the wall clock.
	Now func() time.Time

	opt        DispatchOptions
	deliveries *prometheus.CounterVec

	// claims guards what running passes have taken: two would send the same alert twice. The outbox is read
	// under it, when whoever let go of an alert has booked it.
	claims sync.Mutex
	lanes  map[string]bool
	taken  map[uint64]bool // their alerts; other rules may put them into another lane meanwhile
	freed  chan struct{}   // one slot: a lane that sent something is free again, and more may be due there

	paces paces

	mu      sync.Mutex
	looked  map[uint64]search      // per alert of unknown fate
	refused map[string]Undelivered // per channel: the oldest refusal that nothing has followed
	down    map[string]int         // per channel: how often in a row it could not be reached

	rescuing sync.Mutex
	rescues  map[uint64]rescued // guarded by it
}

// NewDispatcher returns a dispatcher.
func NewDispatcher(opt DispatchOptions) *Dispatcher {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Metrics == nil {
		opt.Metrics = prometheus.NewRegistry()
	}
	d := &Dispatcher{
		Now: time.Now, opt: opt, lanes: map[string]bool{}, taken: map[uint64]bool{},
		freed: make(chan struct{}, 1), looked: map[uint64]search{}, refused: map[string]Undelivered{}, down: map[string]int{},
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "emberwatch_deliveries_total",
			Help: "Alerts by notifier, kind, reason and outcome.",
		}, []string{"notifier", "kind", "reason", "outcome"}),
	}
	opt.Metrics.MustRegister(d.deliveries)
	return d
}

// Run drains the outbox whenever wake delivers, when a channel has rested, and at least once a second, until
// ctx ends. It returns when the calls that have begun are booked.
func (d *Dispatcher) Run(ctx context.Context, wake <-chan struct{}) error {
	var senders sync.WaitGroup
	defer senders.Wait()
	for {
		for lane, due := range d.claim() {
			senders.Go(func() { d.work(ctx, lane, due) })
		}
		senders.Go(func() { d.rescue(ctx) })
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-d.freed:
		case <-time.After(d.paces.pause()):
		}
	}
}

// Drain makes one pass over what is due and returns how many alerts were delivered. Alerts that fail stay in
// the outbox; what another pass is at work on is left to it.
func (d *Dispatcher) Drain(ctx context.Context) int {
	var senders sync.WaitGroup
	var sent atomic.Int64
	for lane, due := range d.claim() {
		senders.Go(func() { sent.Add(int64(d.work(ctx, lane, due))) })
	}
	senders.Wait()
	return int(sent.Load())
}

// claim takes what is due, by channel, but for what others have taken. Every lane must be worked.
func (d *Dispatcher) claim() map[string][]detector.Alert {
	d.claims.Lock()
	defer d.claims.Unlock()
	lanes := map[string][]detector.Alert{}
	for _, a := range d.opt.Outbox.Pending(d.Now()) {
		if lane := d.laneOf(&a); !d.lanes[lane] && !d.taken[a.Seq] {
			lanes[lane] = append(lanes[lane], a)
		}
	}
	for lane, due := range lanes {
		d.lanes[lane] = true
		for i := range due {
			d.taken[due[i].Seq] = true
		}
	}
	return lanes
}

// laneOf names the channel that an alert goes to: what has to keep one order and one pace.
func (d *Dispatcher) laneOf(a *detector.Alert) string {
	n := d.by(a).Name()
	if a.Via != "" {
		return n
	}
	to := d.opt.Rules().Route(a.Route).Slack
	return n + "|" + to.Channel + "|" + to.User
}

// by is the notifier that an alert goes by.
func (d *Dispatcher) by(a *detector.Alert) Notifier {
	if n := d.opt.For(a.Via); n != nil {
		return n
	}
	return missing(a.Via)
}

// missing stands for a notifier that a route names and nothing configures.
type missing string

// Name returns the name that leads nowhere.
func (n missing) Name() string { return string(n) }

// Notify refuses for good.
func (n missing) Notify(context.Context, *Message) (detector.Ref, error) {
	return detector.Ref{}, &DeliveryError{Outcome: ForGood, Reason: "no_such_notifier"}
}

// work sends what was claimed for one channel and lets go of it.
func (d *Dispatcher) work(ctx context.Context, lane string, due []detector.Alert) int {
	sent := d.lane(ctx, lane, due)
	d.claims.Lock()
	defer d.claims.Unlock()
	delete(d.lanes, lane)
	for i := range due {
		delete(d.taken, due[i].Seq)
	}
	if sent > 0 {
		select {
		case d.freed <- struct{}{}:
		default:
		}
	}
	return sent
}

// lane sends what was claimed for one channel, in order, until the channel has to rest or the claim is too
// old. What comes after something undecided in the same thread waits for it.
func (d *Dispatcher) lane(ctx context.Context, lane string, due []detector.Alert) int {
	sent := 0
	blocked := map[string]bool{}
	began := time.Now()
	for i := range due {
		a := &due[i]
		thread := a.Incident + "|" + a.Route
		if blocked[thread] {
			continue
		}
		if ctx.Err() != nil || d.paces.resting(lane) || time.Since(began) > readAgain {
			return sent
		}
		if !d.paces.take(d.by(a), a.Kind) {
			blocked[thread] = true
			continue
		}
		done, err := d.deliver(ctx, lane, a)
		if err != nil {
			d.opt.Log.Error("delivery not booked", "incident", a.Incident, "kind", string(a.Kind), "err", err)
			return sent
		}
		if done {
			sent++
		} else {
			blocked[thread] = true
		}
	}
	return sent
}

// deliver brings one alert a step further. done: it was sent. An error means that the progress could not
// be committed, so that nothing more may be sent.
func (d *Dispatcher) deliver(ctx context.Context, lane string, a *detector.Alert) (done bool, err error) {
	n := d.by(a)
	note, said := a.Note, a.Said
	if a.State != detector.AlertPending {
		m, err := d.message(ctx, a)
		if err != nil {
			return false, d.wordless(ctx, a, detector.AlertUnknown, err) // it still has to be looked for
		}
		again, err := d.reconcile(ctx, n, m)
		if errors.Is(err, errWait) {
			return false, nil
		}
		if !again {
			if err == nil {
				d.passed(lane) // it was there
			}
			return err == nil, err
		}
		note, said = m.Alert.Note, m.Alert.Said
	}
	if err := d.mark(ctx, detector.Receipt{Seq: a.Seq, State: detector.AlertSending}); err != nil {
		return false, err
	}
	// Only now: what changes from here on knows that it needs an edit.
	m, err := d.message(ctx, a)
	if err != nil {
		return false, d.wordless(ctx, a, detector.AlertPending, err)
	}
	m.Alert.Note, m.Alert.Said = note, said
	ref, err := call(ctx, func(ctx context.Context) (detector.Ref, error) { return n.Notify(ctx, m) })
	d.paces.rest(lane, paceOf(n).Channel)
	if err != nil {
		return false, d.failed(ctx, n, lane, m, err)
	}
	d.count(n, a, "sent")
	d.passed(lane)
	return true, d.mark(ctx, detector.Receipt{Seq: a.Seq, State: detector.AlertSent, Ref: ref})
}

// wordless books an alert for which no message could be made: nothing was sent.
func (d *Dispatcher) wordless(ctx context.Context, a *detector.Alert, state detector.AlertState, err error) error {
	d.opt.Log.Error("alert without a message", "incident", a.Incident, "err", err)
	return d.mark(ctx, detector.Receipt{Seq: a.Seq, State: state, Error: err.Error(), NotBefore: d.Now().Add(lookAgain), NoAttempt: true})
}

// call makes one call to the outside within its time. Shutting down does not cut a call that has begun.
func call[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	return f(ctx)
}

func (d *Dispatcher) mark(ctx context.Context, r detector.Receipt) error {
	return d.opt.Outbox.Mark(ctx, r)
}

func (d *Dispatcher) count(n Notifier, a *detector.Alert, outcome string) {
	d.deliveries.WithLabelValues(n.Name(), string(a.Kind), string(a.Reason), outcome).Inc()
}

// failed books a failed call by what is known of its outcome.
func (d *Dispatcher) failed(ctx context.Context, n Notifier, lane string, m *Message, err error) error {
	de := &DeliveryError{Outcome: Unknown, Err: err}
	errors.As(err, &de)
	a := &m.Alert
	d.count(n, a, de.Outcome.String())
	r := detector.Receipt{Seq: a.Seq, State: detector.AlertPending, Error: err.Error()}
	switch de.Outcome {
	case Busy:
		d.paces.refused(n, lane, a.Kind, de.RetryAfter)
		r.NoAttempt, r.NotBefore = true, d.Now().Add(de.RetryAfter)
	case NotSent:
		r.NotBefore = d.Now().Add(backoff(a.Attempts, retryMost))
	case Down: // once it is back, what waits goes in its order
		d.paces.rest(lane, backoff(d.knocked(lane), knockMost))
	case ForGood:
		r.State, r.Why = detector.AlertDead, de.Reason
		d.opt.Log.Error("delivery failed for good", "incident", a.Incident, "kind", string(a.Kind),
			"reason", string(detector.ReasonDeliveryFailed), "why", de.Reason)
		d.refuse(lane, a, de.Reason)
		d.fallBack(ctx, n, m)
	default:
		r.State, r.NotBefore = detector.AlertUnknown, d.Now().Add(lookAgain)
	}
	return d.mark(ctx, r)
}

// fallBack tells what could not be delivered another way, so that an alert is never only in a log, and
// reports whether it was told.
func (d *Dispatcher) fallBack(ctx context.Context, n Notifier, m *Message) bool {
	if d.opt.Fallback == nil || d.opt.Fallback.Name() == n.Name() {
		return false
	}
	if _, err := call(ctx, func(ctx context.Context) (detector.Ref, error) { return d.opt.Fallback.Notify(ctx, m) }); err != nil {
		d.opt.Log.Error("fallback failed", "notifier", d.opt.Fallback.Name(), "err", err)
		return false
	}
	return true
}

// backoff grows with the attempts, with full jitter above a second.
func backoff(attempts int, most time.Duration) time.Duration {
	return time.Second + rand.N(min(time.Second<<min(attempts, 10), most))
}
