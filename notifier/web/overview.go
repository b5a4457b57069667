package web

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/sources"
)

// overviewView is the first page.
type overviewView struct {
	frame
	Open    []card
	Waiting int // of Open, those that nobody has
	Closed  []card
	Calm    string // what to say when nothing is open
	Sources sourcesView
}

// sourcesView says how the sources are doing.
type sourcesView struct {
	Line    string
	Trouble []sourceTrouble
}

type sourceTrouble struct {
	Name, State, Error string
	Heard, Next        *moment
}

func (s *Server) overview(w http.ResponseWriter, r *http.Request, p person) error {
	now := s.c.Now()
	open, closed, err := s.incidents(r.Context())
	if err != nil {
		return err
	}
	bs, err := s.brands(r.Context())
	if err != nil {
		return err
	}
	brands, set, health := names(bs), s.rules(), s.c.Sources()
	v := overviewView{frame: frame{Title: "Incidents", Who: p.name, Refresh: 60}, Sources: sourcesOf(health, now)}
	for _, i := range open {
		v.Open = append(v.Open, newCard(i, brands, set, now))
		if i.Handling == detector.New {
			v.Waiting++
		}
	}
	for _, i := range closed {
		v.Closed = append(v.Closed, newCard(i, brands, set, now))
	}
	if len(open) == 0 {
		v.Calm = calmly(bs, health, now)
	} else {
		v.Title = fmt.Sprintf("(%d) Incidents", len(open))
	}
	s.render(w, http.StatusOK, "overview.html", v)
	return nil
}

// incidents returns the open incidents in the order of the page, and those closed last.
func (s *Server) incidents(ctx context.Context) (open, closed []detector.Incident, err error) {
	const mostClosed = 10
	if open, err = s.c.Reader.Incidents(ctx, detector.IncidentFilter{State: "open"}); err != nil {
		return nil, nil, err
	}
	if closed, err = s.c.Reader.Incidents(ctx, detector.IncidentFilter{State: string(detector.Closed)}); err != nil {
		return nil, nil, err
	}
	open, closed = slices.Clone(open), slices.Clone(closed)
	slices.SortFunc(open, gravestFirst)
	slices.SortFunc(closed, func(a, b detector.Incident) int { return b.ClosedAt.Compare(a.ClosedAt) })
	return open, closed[:min(mostClosed, len(closed))], nil
}

// calmly says what has been read when there is nothing to do, so that calm cannot be mistaken for deaf.
func calmly(bs []detector.BrandState, health []sources.Health, now time.Time) string {
	var read int64
	var last time.Time
	for _, h := range health {
		read += h.Mentions
		if h.LastMention.After(last) {
			last = h.LastMention
		}
	}
	if read == 0 {
		return "No mention has come in since the start. As soon as one does, it is counted here."
	}
	text := "Emberwatch has read " + plural(int(read), "mention") + " since it started"
	if len(bs) > 0 {
		text += ", about " + plural(len(bs), "brand")
	}
	if !last.IsZero() {
		text += "; the last one came " + strings.Replace(relative(last, now), "now", "just now", 1)
	}
	return text + ". Nothing stands out."
}

// sourcesOf sums up the sources and names those that need a look.
func sourcesOf(health []sources.Health, now time.Time) sourcesView {
	var v sourcesView
	count := map[sources.State]int{}
	for _, h := range health {
		count[h.State]++
		if h.State == sources.Failing || h.State == sources.Stopped {
			v.Trouble = append(v.Trouble, sourceTrouble{
				Name: h.Name, State: string(h.State), Error: cut(h.LastError, 200),
				Heard: at(h.LastSuccess, now), Next: at(h.NextTry, now),
			})
		}
	}
	if len(health) == 0 {
		v.Line = "No source is polled; mentions come in over HTTP."
		return v
	}
	var parts []string
	for _, st := range []sources.State{sources.Running, sources.Starting, sources.Failing, sources.Ended, sources.Stopped} {
		if n := count[st]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, st))
		}
	}
	v.Line = plural(len(health), "source") + ": " + strings.Join(parts, ", ") + "."
	return v
}
