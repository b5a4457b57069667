package web

import (
	"context"
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
	Zone    string // of the times
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
	say := s.voice(r)
	open, closed, err := s.incidents(r.Context())
	if err != nil {
		return err
	}
	bs, err := s.brands(r.Context())
	if err != nil {
		return err
	}
	brands, set, health := names(bs), s.rules(), s.c.Sources()
	v := overviewView{frame: frame{Title: say.Say("page.incidents"), Who: p.name, Refresh: 60}, Sources: say.sources(health)}
	for k := range open {
		i := &open[k]
		v.Open = append(v.Open, say.card(i, brands, set))
		if i.Handling == detector.New {
			v.Waiting++
		}
	}
	for k := range closed {
		v.Closed = append(v.Closed, say.card(&closed[k], brands, set))
	}
	if len(open) == 0 {
		v.Calm = say.calmly(bs, health)
	} else {
		v.Title = "(" + say.count(len(open)) + ") " + v.Title
	}
	v.Zone = say.zone.String()
	s.render(w, say, http.StatusOK, "overview.html", v)
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
func (v voice) calmly(bs []detector.BrandState, health []sources.Health) string {
	var read int64
	var last time.Time
	for _, h := range health {
		read += h.Mentions
		if h.LastMention.After(last) {
			last = h.LastMention
		}
	}
	if read == 0 {
		return v.Say("page.deaf")
	}
	about, came := "", ""
	if len(bs) > 0 {
		about = v.Count("page.calm.brands", len(bs))
	}
	switch {
	case last.IsZero():
	case v.now.Sub(last).Abs() < 30*time.Second:
		came = v.Say("page.calm.last", "when", v.Say("page.just"))
	default:
		came = v.Say("page.calm.last", "when", v.relative(last))
	}
	return v.Say("page.calm", "mentions", v.Count("mentions", int(read)), "brands", about, "last", came)
}

// sources sums up the sources and names those that need a look.
func (v voice) sources(health []sources.Health) sourcesView {
	var out sourcesView
	count := map[sources.State]int{}
	for _, h := range health {
		count[h.State]++
		if h.Failed() || h.Rejecting {
			state, why := string(h.State), h.LastError
			if !h.Failed() {
				state, why = "rejecting", h.RejectedWhy
			}
			out.Trouble = append(out.Trouble, sourceTrouble{
				Name: h.Name, State: v.Say("page.source." + state), Error: cut(why, 200),
				Heard: v.at(h.LastSuccess), Next: v.at(h.NextTry),
			})
		}
	}
	if len(health) == 0 {
		out.Line = v.Say("page.source.none")
		return out
	}
	var parts []string
	for _, st := range []sources.State{sources.Running, sources.Starting, sources.Failing, sources.Ended, sources.Stopped} {
		if n := count[st]; n > 0 {
			parts = append(parts, v.count(n)+" "+v.Say("page.source."+string(st)))
		}
	}
	out.Line = v.Count("page.sources", len(health)) + ": " + strings.Join(parts, ", ") + "."
	return out
}
