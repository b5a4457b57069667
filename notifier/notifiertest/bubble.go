package notifiertest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
)

// Transport carries calls to the stand-in without a network: in a bubble of testing/synctest, where an open socket
// would stop the clock. The stand-in itself is made outside of the bubble.
func (s *Slack) Transport() http.RoundTripper { return inProcess{s} }

type inProcess struct{ s *Slack }

// RoundTrip lets the stand-in answer. A connection that it ends, or that nobody waits for any more, is an error.
func (p inProcess) RoundTrip(r *http.Request) (res *http.Response, err error) {
	if t := httptrace.ContextClientTrace(r.Context()); t != nil && t.GotConn != nil {
		t.GotConn(httptrace.GotConnInfo{})
	}
	defer func() {
		switch e := recover(); e {
		case nil:
		case http.ErrAbortHandler:
			res, err = nil, io.ErrUnexpectedEOF
		default:
			panic(e)
		}
	}()
	w := httptest.NewRecorder()
	p.s.serve(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}
