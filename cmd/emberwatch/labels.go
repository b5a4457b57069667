package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"emberwatch/rules"
)

// label is a known event.
type label struct {
	Brand      string
	Start, End time.Time
	place      string // in its file, for problems
}

// labelResult compares incidents of severity 1 to 3 with known events.
type labelResult struct {
	Found        int     `json:"found"`
	Missed       int     `json:"missed"`
	DelayMinutes float64 `json:"median_delay_minutes"` // from the start of an event to its first incident
	LeadMinutes  float64 `json:"median_lead_minutes"`  // from there to the incident's peak, the end of its fullest hour
	False        int     `json:"false_alarms"`
	FalsePerWeek float64 `json:"false_alarms_per_week"`
}

// readLabels reads a JSON list of {"brand", "start", "end"}. Other keys, such as a note, are nobody's business.
func readLabels(file string) ([]label, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	var entries []map[string]any
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, usage("--labels %s: %v; it is a JSON list of {\"brand\", \"start\", \"end\"}", file, err)
	}
	all := []label{}
	for i, e := range entries {
		l := label{place: fmt.Sprintf("--labels %s: entry %d", file, i+1)}
		if l.Brand, err = l.word(e, "brand"); err != nil {
			return nil, err
		}
		if l.Start, err = l.time(e, "start"); err != nil {
			return nil, err
		}
		if l.End, err = l.time(e, "end"); err != nil {
			return nil, err
		}
		if l.End.Before(l.Start) {
			return nil, usage("%s: it ends at %s, before it starts at %s; exchange start and end", l.place, l.End.Format(time.RFC3339), l.Start.Format(time.RFC3339))
		}
		all = append(all, l)
	}
	return all, nil
}

func (l *label) word(e map[string]any, key string) (string, error) {
	s, _ := e[key].(string)
	if s != "" {
		return s, nil
	}
	has := "the entry is empty"
	if len(e) > 0 {
		has = "it has " + strings.Join(sortedNames(e), ", ")
	}
	return "", usage("%s: %s is missing or no text; %s; write {\"brand\", \"start\", \"end\"}", l.place, key, has)
}

func (l *label) time(e map[string]any, key string) (time.Time, error) {
	s, err := l.word(e, key)
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, usage("%s: %s %q is no time with a zone; write it like 2026-11-16T07:42:10Z", l.place, key, s)
	}
	return t, nil
}

// resolveLabels gives the labels the ids of their brands, and leaves out those of brands that are not asked for.
func (o *replayOptions) resolveLabels(set *rules.Set, known map[string]bool) error {
	if o.labels == nil {
		return nil
	}
	all := []label{}
	for _, l := range o.labels {
		id, err := knownBrand(set, known, l.Brand)
		if err != nil {
			return usage("%s: brand %w", l.place, err)
		}
		if l.Brand = id; len(o.brands) == 0 || slices.Contains(o.brands, id) {
			all = append(all, l)
		}
	}
	o.labels = all
	return nil
}

// judge compares what was told with the known events. An alarm inside any event of its brand is no false one.
func (o *replayOutput) judge(weeks float64) *labelResult {
	r := &labelResult{}
	var delays, leads []float64
	for _, l := range o.labels {
		i := slices.IndexFunc(o.opened, func(x replayEvent) bool { return x.Severity <= 3 && l.holds(x) })
		if i < 0 {
			r.Missed++
			continue
		}
		r.Found++
		delays = append(delays, o.opened[i].At.Sub(l.Start).Minutes())
		if p, ok := o.peak(o.opened[i].Incident); ok {
			leads = append(leads, p.End.Sub(o.opened[i].At).Minutes())
		}
	}
	for _, x := range o.opened {
		if x.Event == "opened" && x.Severity <= 3 && !slices.ContainsFunc(o.labels, func(l label) bool { return l.holds(x) }) {
			r.False++
		}
	}
	r.DelayMinutes, r.LeadMinutes = median(delays), median(leads)
	if weeks > 0 {
		r.FalsePerWeek = round3(float64(r.False) / weeks)
	}
	return r
}

func (l label) holds(x replayEvent) bool {
	return l.Brand == x.Brand && !x.At.Before(l.Start) && !x.At.After(l.End)
}
