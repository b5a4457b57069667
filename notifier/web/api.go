package web

import (
	"context"
	"net/http"

	"emberwatch/detector"
	"emberwatch/notifier"
)

// mostListed is how many things one answer may list.
const mostListed = 1000

func (s *Server) listIncidents(w http.ResponseWriter, r *http.Request, _ person) error {
	q := newQuery(r, s.c.Now(), "state", "brand", "limit")
	f := detector.IncidentFilter{
		State: q.word("state", "open", string(detector.New), string(detector.Acked), string(detector.Snoozed), string(detector.Closed)),
		Brand: s.brand(r.Context(), q),
		Limit: q.limit(mostListed),
	}
	if q.err != nil {
		return q.err
	}
	is, err := s.c.Reader.Incidents(r.Context(), f)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"incidents": orNone(is)})
	return nil
}

func (s *Server) getIncident(w http.ResponseWriter, r *http.Request, p person) error {
	if q := newQuery(r, s.c.Now()); q.err != nil {
		return q.err
	}
	d, err := s.dossier(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"incident": d.incident, "audit": orNone(d.audit), "mentions": show(p, d.mentions),
	})
	return nil
}

// dossier is all that is known about one incident.
type dossier struct {
	incident detector.Incident
	audit    []detector.Audit
	mentions []detector.Judged
}

func (s *Server) dossier(ctx context.Context, id string) (d dossier, err error) {
	if d.incident, err = s.c.Reader.Incident(ctx, id); err != nil {
		return d, err
	}
	// The id of a merged incident has led to another one: the rest is asked for by that one's.
	if d.audit, err = s.c.Reader.Audit(ctx, d.incident.ID); err != nil {
		return d, err
	}
	d.mentions, err = s.c.Reader.MentionsByKey(ctx, d.incident.Brand, d.incident.Evidence.Mentions)
	return d, err
}

// shownDrafts is MentionDrafts as it leaves.
type shownDrafts struct {
	Mention shown `json:"mention"`
	notifier.Suggestion
}

func (s *Server) getDrafts(w http.ResponseWriter, r *http.Request, p person) error {
	i, err := s.c.Reader.Incident(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	ds, err := s.drafts(r.Context(), p, i.ID)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"drafts": orNone(ds)})
	return nil
}

// drafts returns the drafts that p may see: those for a masked mention could quote it.
func (s *Server) drafts(ctx context.Context, p person, incident string) ([]shownDrafts, error) {
	ds, err := s.c.Drafts(ctx, incident)
	if err != nil {
		return nil, err
	}
	out := make([]shownDrafts, len(ds))
	for i, d := range ds {
		out[i] = shownDrafts{show(p, []detector.Judged{d.Mention})[0], d.Suggestion}
		if out[i].Mention.Masked {
			out[i].Suggestion = notifier.Suggestion{Suggest: d.Suggest, Approve: d.Approve}
		}
		out[i].Drafts = orNone(out[i].Drafts)
	}
	return out, nil
}

func (s *Server) listMentions(w http.ResponseWriter, r *http.Request, p person) error {
	q := newQuery(r, s.c.Now(), "brand", "source", "from", "to", "label", "limit")
	f := detector.MentionFilter{
		Brand: s.brand(r.Context(), q), Source: q.values.Get("source"),
		From: q.instant("from"), To: q.instant("to"),
		Label: detector.Label(q.word("label", string(detector.Negative), string(detector.Neutral), string(detector.Positive))),
		Limit: q.limit(mostListed),
	}
	if q.err != nil {
		return q.err
	}
	js, err := s.c.Reader.Mentions(r.Context(), f)
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"mentions": show(p, js)})
	return nil
}

func (s *Server) listBrands(w http.ResponseWriter, r *http.Request, _ person) error {
	bs, err := s.brands(r.Context())
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, map[string]any{"brands": orNone(bs)})
	return nil
}

func (s *Server) listSources(w http.ResponseWriter, _ *http.Request, _ person) error {
	writeJSON(w, http.StatusOK, map[string]any{"sources": orNone(s.c.Sources())})
	return nil
}

// orNone makes JSON say [] where there is nothing.
func orNone[T any](v []T) []T {
	if v == nil {
		return []T{}
	}
	return v
}
