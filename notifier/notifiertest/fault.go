package notifiertest

import (
	"context"
	"net/http"
	"time"
)

// Fault is one way in which a call goes wrong. The zero Fault is no fault.
type Fault struct {
	Status     int           // answer with this status
	RetryAfter string        // the header of that answer, as it is
	Body       string        // answer 200 with this body, JSON or not
	Drop       bool          // end the connection without an answer
	After      bool          // carry the call out first: the answer is lost, the message is there
	Delay      time.Duration // wait before anything else; alone it is merely slow
}

// Refuse is the Fault of an answer {"ok":false,"error":code}.
func Refuse(code string) Fault { return Fault{Body: `{"ok":false,"error":"` + code + `"}`} }

// Fail lets the next calls of a method go wrong, one fault each.
func (s *Slack) Fail(method string, faults ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[method] = append(s.faults[method], faults...)
}

func (f Fault) fails() bool { return f.Status != 0 || f.Body != "" || f.Drop }

// wait reports whether the caller is still there after the delay.
func (f Fault) wait(ctx context.Context) bool {
	if f.Delay == 0 {
		return true
	}
	t := time.NewTimer(f.Delay)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (f Fault) write(w http.ResponseWriter) {
	if f.Drop {
		panic(http.ErrAbortHandler) // net/http ends the connection and logs nothing
	}
	if f.RetryAfter != "" {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	if f.Status != 0 {
		w.WriteHeader(f.Status)
	}
	_, _ = w.Write([]byte(f.Body))
}
