package store

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"emberwatch/detector"
)

const defaultIncidents = 200

// Incidents returns the incidents that the filter chooses, the one opened last first.
func (db *DB) Incidents(ctx context.Context, f detector.IncidentFilter) (list []detector.Incident, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("incidents: %w", err)
	}
	if f.Limit <= 0 {
		f.Limit = defaultIncidents
	}
	err = db.state.view(func(t *txn) error {
		if f.State == "" || f.State == string(detector.Closed) {
			list, err = latestIncidents(t, f)
		} else {
			list, err = openIncidents(t, f)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("incidents: %w", err)
	}
	return list, nil
}

// latestIncidents goes back in time until it has enough.
func latestIncidents(t *txn, f detector.IncidentFilter) ([]detector.Incident, error) {
	var list []detector.Incident
	c := t.b(openedBucket).Cursor()
	for k, _ := c.Last(); k != nil && len(list) < f.Limit; k, _ = c.Prev() {
		inc, err := getIncident(t, string(k[8:]))
		if err != nil {
			return nil, err
		}
		if chosen(&inc, f) {
			list = append(list, inc)
		}
	}
	return list, nil
}

// openIncidents reads those that have not ended, which are few, and sorts them.
func openIncidents(t *txn, f detector.IncidentFilter) ([]detector.Incident, error) {
	var list []detector.Incident
	c := t.b(endedBucket).Cursor()
	for k, _ := c.Seek(seqKey(math.MaxUint64)); k != nil; k, _ = c.Next() {
		inc, err := getIncident(t, string(k[8:]))
		if err != nil {
			return nil, err
		}
		if chosen(&inc, f) {
			list = append(list, inc)
		}
	}
	slices.SortFunc(list, func(a, b detector.Incident) int {
		return bytes.Compare(timeKey(b.OpenedAt, b.ID), timeKey(a.OpenedAt, a.ID))
	})
	return list[:min(len(list), f.Limit)], nil
}

func chosen(inc *detector.Incident, f detector.IncidentFilter) bool {
	if f.Brand != "" && inc.Brand != f.Brand {
		return false
	}
	switch f.State {
	case "":
		return true
	case "open":
		return inc.Open()
	}
	return string(inc.Handling) == f.State
}

// Incident returns one incident, or ErrNotFound. For one that was merged it returns the one it went into.
func (db *DB) Incident(ctx context.Context, id string) (inc detector.Incident, err error) {
	if err := ctx.Err(); err != nil {
		return inc, fmt.Errorf("incident %s: %w", id, err)
	}
	err = db.state.view(func(t *txn) error {
		passed := make(map[string]bool) // a ring of merges would be a mistake, but not one to hang on
		for next := id; ; next = inc.MergedInto {
			passed[next] = true
			if inc, err = getIncident(t, next); err != nil {
				return err
			}
			if inc.MergedInto == "" || passed[inc.MergedInto] {
				return nil
			}
		}
	})
	if err != nil {
		return detector.Incident{}, fmt.Errorf("incident %s: %w", id, err)
	}
	return inc, nil
}

// Recorded returns one incident as it is stored, or ErrNotFound. Unlike Incident it does not follow merges.
func (db *DB) Recorded(ctx context.Context, id string) (inc detector.Incident, err error) {
	if err := ctx.Err(); err != nil {
		return inc, fmt.Errorf("incident %s: %w", id, err)
	}
	err = db.state.view(func(t *txn) error {
		inc, err = getIncident(t, id)
		return err
	})
	if err != nil {
		return detector.Incident{}, fmt.Errorf("incident: %w", err)
	}
	return inc, nil
}

func getIncident(t *txn, id string) (detector.Incident, error) {
	v := t.b(incidentBucket).Get([]byte(id))
	if v == nil {
		return detector.Incident{}, fmt.Errorf("%s: %w", id, detector.ErrNotFound)
	}
	inc, err := parseJSON[detector.Incident](v)
	if err != nil {
		return inc, fmt.Errorf("%s: %w", id, err)
	}
	return inc, nil
}

// Audit returns the history of an incident from its first line, or ErrNotFound if there is none.
func (db *DB) Audit(ctx context.Context, id string) (lines []detector.Audit, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("audit of %s: %w", id, err)
	}
	prefix := chainKey(id)
	err = db.state.view(func(t *txn) error {
		c := t.b(auditBucket).Cursor()
		for k, v := c.Seek(prefix); bytes.HasPrefix(k, prefix); k, v = c.Next() {
			a, err := parseJSON[detector.Audit](v)
			if err != nil {
				return err
			}
			lines = append(lines, a)
		}
		if lines == nil {
			return detector.ErrNotFound
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("audit of %s: %w", id, err)
	}
	return lines, nil
}

// Brands returns what the model keeps about each brand, by id.
func (db *DB) Brands(ctx context.Context) (brands []detector.BrandState, err error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("brands: %w", err)
	}
	err = db.state.view(func(t *txn) error {
		brands, err = all[detector.BrandState](t.b(brandBucket))
		return err
	})
	slices.SortFunc(brands, func(a, b detector.BrandState) int { return strings.Compare(a.ID, b.ID) })
	return brands, err
}
