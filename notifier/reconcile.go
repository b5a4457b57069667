package notifier

import (
	"context"
	"errors"

	"emberwatch/detector"
)

// reconcile finds out what became of a call whose answer was lost. again: it was not posted, send it now. An
// edit may always be sent again.
func (d *Dispatcher) reconcile(ctx context.Context, n Notifier, m *Message) (again bool, err error) {
	a := &m.Alert
	r, ok := n.(Reconciler)
	if a.Kind == detector.KindEdit || !ok {
		return true, nil
	}
	found, err := call(ctx, func(ctx context.Context) (*detector.Ref, error) {
		ref, ok, err := r.Find(ctx, m, a.TriedAt)
		if !ok || err != nil {
			return nil, err
		}
		return &ref, nil
	})
	switch {
	case err != nil:
		return d.cannotLook(ctx, m, err)
	case found != nil:
		d.forget(a.Seq)
		d.count(n, a, "found")
		return false, d.mark(ctx, detector.Receipt{Seq: a.Seq, State: detector.AlertSent, Ref: *found})
	case d.lookedAt(a.Seq, search{missed: 1}).missed < looks:
		return false, errOrWait(d.mark(ctx, detector.Receipt{
			Seq: a.Seq, State: detector.AlertUnknown,
			Error: a.LastError, NotBefore: d.Now().Add(lookAgain),
		}))
	}
	d.forget(a.Seq)
	return true, nil
}

// errWait says that an alert stays undecided for now.
var errWait = errors.New("outcome not known yet")

func errOrWait(err error) error {
	if err != nil {
		return err
	}
	return errWait
}

// cannotLook decides what to do when the channel cannot be searched. If that will never be possible, or was tried
// often enough, the message goes out again, marked as a possible repeat: told twice is better than never.
func (d *Dispatcher) cannotLook(ctx context.Context, m *Message, err error) (again bool, _ error) {
	var de *DeliveryError
	failed := d.lookedAt(m.Alert.Seq, search{failed: 1}).failed
	if errors.As(err, &de) && de.Outcome == ForGood || failed >= looksAtMost {
		m.Alert.Also(detector.Clause{Code: "note.repeat"})
		d.forget(m.Alert.Seq)
		return true, nil
	}
	wait := backoff(failed, knockMost)
	if de != nil && de.Outcome == Busy {
		wait = de.RetryAfter
	}
	return false, errOrWait(d.mark(ctx, detector.Receipt{
		Seq: m.Alert.Seq, State: detector.AlertUnknown, Error: err.Error(), NotBefore: d.Now().Add(wait),
	}))
}

// search is how often a message was looked for: in vain, and without being able to look.
type search struct{ missed, failed int }

func (d *Dispatcher) lookedAt(seq uint64, more search) search {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.looked[seq]
	s.missed += more.missed
	s.failed += more.failed
	d.looked[seq] = s
	return s
}

func (d *Dispatcher) forget(seq uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.looked, seq)
}
