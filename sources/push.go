package sources

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// Refusal is why a push was not taken: the status to answer with, and a reason that may be told to anybody.
type Refusal struct {
	Status int
	Reason string
}

// Refusals that every pushed source may answer with.
var (
	RefuseSignature = &Refusal{http.StatusUnauthorized, "the request is not signed by a known sender"} // the same for all causes
	RefuseLarge     = &Refusal{http.StatusRequestEntityTooLarge, "the body is too large"}
	RefuseBody      = &Refusal{http.StatusBadRequest, "the body could not be read to its end"}
	RefuseConflict  = &Refusal{http.StatusConflict, "webhook-id was used before with another body"}
	RefuseForNow    = &Refusal{http.StatusServiceUnavailable, "intake is closed for the moment, send again later"}
	RefuseFailed    = &Refusal{http.StatusInternalServerError, "internal error, send again later"}
)

// RefusalOf is the answer to a push that [Inlet.Emit] gave back with an error.
func RefusalOf(err error) *Refusal {
	switch {
	case errors.Is(err, ErrConflict):
		return RefuseConflict
	case errors.Is(err, ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return RefuseForNow
	}
	return RefuseFailed
}

// Answer writes the refusal. Whoever is asked to come back is told when, unless the caller has said it.
func (r *Refusal) Answer(w http.ResponseWriter) {
	if r.Status == http.StatusServiceUnavailable && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "5")
	}
	AnswerPush(w, r.Status, map[string]string{"error": r.Reason})
}

// AnswerPush writes an answer in JSON.
func AnswerPush(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // a client that hung up is not our failure
}

// ReadPush reads the body of a push as it was sent, of at most that many bytes.
func ReadPush(w http.ResponseWriter, r *http.Request, most int64) ([]byte, *Refusal) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return nil, RefuseLarge
	}
	if err != nil {
		return nil, RefuseBody
	}
	return raw, nil
}

// Inlet is where a pushed source hands its batches over: open between the start and the end of Run, shut at
// other times. The zero value is a shut one. It is safe for concurrent use.
type Inlet struct {
	mu       sync.Mutex      // guards what follows
	emit     Emit            // nil: Run is not running
	ctx      context.Context // of Run
	inFlight sync.WaitGroup  // batches being handed over; grows only while emit is set
}

// Run keeps the inlet open until ctx ends, and waits for what is being handed over.
func (in *Inlet) Run(ctx context.Context, emit Emit) error {
	in.mu.Lock()
	if in.emit != nil {
		in.mu.Unlock()
		return errors.New("it is running already")
	}
	in.emit, in.ctx = emit, ctx
	in.mu.Unlock()

	<-ctx.Done()
	in.mu.Lock()
	in.emit, in.ctx = nil, nil
	in.mu.Unlock()
	in.inFlight.Wait()
	return nil
}

// IsOpen reports whether batches are let through.
func (in *Inlet) IsOpen() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.emit != nil
}

// Emit hands a batch over, within the time limit and for as long as both ctx and Run go on. A shut inlet gives
// [ErrUnavailable].
func (in *Inlet) Emit(ctx context.Context, b Batch, limit time.Duration) (Taken, error) {
	emit, run := in.enter()
	if emit == nil {
		return Taken{}, ErrUnavailable
	}
	defer in.inFlight.Done()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	defer context.AfterFunc(run, cancel)()
	return emit(ctx, b)
}

// enter returns what Run was given, if it is running. The caller tells inFlight when it is done with it.
func (in *Inlet) enter() (Emit, context.Context) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.emit != nil {
		in.inFlight.Add(1)
	}
	return in.emit, in.ctx
}
