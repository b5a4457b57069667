package web

import (
	"net/http"

	"emberwatch/detector"
)

// getReport answers with the report of a period: the last seven days unless from and to say otherwise.
func (s *Server) getReport(w http.ResponseWriter, r *http.Request, _ person) error {
	now := s.c.Now().UTC()
	q := newQuery(r, now, "from", "to")
	from, to := q.instant("from"), q.instant("to")
	if to.IsZero() {
		to = now
	}
	if from.IsZero() {
		from = to.AddDate(0, 0, -7)
	}
	switch {
	case q.err != nil:
		return q.err
	case !from.Before(to):
		return badRequest("from has to be before to")
	}
	report, err := detector.NewReport(r.Context(), s.c.Reader, s.rules(), from, to)
	if err != nil {
		return err
	}
	report.Listen(s.c.Sources(), now)
	writeJSON(w, http.StatusOK, report)
	return nil
}
