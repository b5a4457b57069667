package web

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"emberwatch/detector"
)

const (
	mostSteps  = 5000 // of a series in one answer
	finestStep = time.Minute
)

// series is the answer to a question for counts.
type series struct {
	Brand  string            `json:"brand"`
	From   time.Time         `json:"from"`
	To     time.Time         `json:"to"`
	Step   detector.Duration `json:"step"`
	Counts []detector.Count  `json:"counts"`
}

func (s *Server) getSeries(w http.ResponseWriter, r *http.Request, _ person) error {
	now := s.c.Now().UTC()
	q := newQuery(r, now, "brand", "from", "to", "step")
	a := series{Brand: s.brand(r.Context(), q), From: q.instant("from"), To: q.instant("to")}
	step := q.duration("step", time.Hour)
	if a.To.IsZero() {
		a.To = now
	}
	if a.From.IsZero() {
		a.From = a.To.Add(-24 * time.Hour)
	}
	switch {
	case q.err != nil:
		return q.err
	case a.Brand == "":
		return badRequest("say which brand: ?brand=ID; /api/v1/brands lists them")
	case step < finestStep:
		return badRequest("step %s is too fine; the least is %s", step, finestStep)
	case !a.From.Before(a.To):
		return badRequest("from has to be before to")
	case a.To.Sub(a.From) > mostSteps*step:
		return badRequest("that makes more than %d steps; take a longer step or a shorter time", mostSteps)
	}
	counts, err := s.c.Reader.Counts(r.Context(), a.Brand, a.From, a.To, step)
	if err != nil {
		return err
	}
	a.Step, a.Counts = detector.Duration(step), orNone(counts)
	writeJSON(w, http.StatusOK, a)
	return nil
}

// brand returns the parameter of that name, which has to be a known brand.
func (s *Server) brand(ctx context.Context, q *query) string {
	id := q.values.Get("brand")
	if id == "" || q.err != nil {
		return id
	}
	bs, err := s.brands(ctx)
	if err != nil {
		q.err = err
		return ""
	}
	ids := make([]string, len(bs))
	for i, b := range bs {
		ids[i] = b.ID
	}
	if !slices.Contains(ids, id) {
		q.fail("brand %q is not known; known are %s", id, list(ids))
	}
	return id
}

// brands returns what is known of every brand, those included that a file names and nobody has spoken
// about yet, in the order of their ids.
func (s *Server) brands(ctx context.Context) ([]detector.BrandState, error) {
	seen, err := s.c.Reader.Brands(ctx)
	if err != nil {
		return nil, err
	}
	bs := slices.Clone(seen)
	for id, b := range s.rules().Brands {
		i := slices.IndexFunc(bs, func(have detector.BrandState) bool { return have.ID == id })
		if i < 0 {
			i, bs = len(bs), append(bs, detector.BrandState{ID: id})
		}
		if len(b.Names) > 0 { // mentions may call it by its id
			bs[i].Name = b.Names[0]
		}
	}
	slices.SortFunc(bs, func(a, b detector.BrandState) int { return cmp.Compare(a.ID, b.ID) })
	return bs, nil
}
