package detector

import (
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"emberwatch/rules"
	"emberwatch/sources"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// burstRules watch a brand in every way that a series can be made: the common series, one per topic, one per
// source, and series of a rule's own.
const burstRules = machineRules + `
  - {id: neg, title: Complaints, kind: burst, match: {sentiment: negative}, floor: {items: 5, authors: 3}, route: desk}
  - {id: topic, title: Topic, kind: burst, match: {sentiment: negative}, baseline: {per: [category]}, floor: {items: 5, authors: 3}, route: desk}
  - {id: own, title: Own series, kind: burst, match: {any_of: [{phrase: bad}]}, window: [10m, 1h], floor: {items: 4, authors: 2}, route: climb}
  - {id: place, title: Place, kind: burst, match: {}, baseline: {per: [source]}, floor: {items: 8, authors: 4}, severity: 4}
`

var burstSet = sync.OnceValue(func() *rules.Set { return mustRules(burstRules) })

// lived is what is on disk after two ordinary days: three mentions an hour, one of them a complaint.
var lived = sync.OnceValue(func() *stage {
	s := newStage(nil, burstSet())
	for k := range 3 * 48 {
		s.now = s.now.Add(20 * time.Minute)
		text := []string{"good", "so so", "bad"}[k%3]
		s.hear(s.mention(text))
	}
	return s
})

// ordinary returns a stage that goes on after two ordinary days.
func ordinary(t testing.TB) *stage {
	from := lived()
	s := newStage(t, from.set)
	s.disk, s.now, s.n = from.disk.clone(), from.now, from.n
	s.restart()
	return s
}

// act is one thing that happens, as data, so that a whole log can be played again.
type act struct {
	Kind  string // hear, surge, edit, delete, repeat, event, again, tick, late
	Text  string
	Who   int
	N     int
	Op    Operation
	Inc   int
	Sev   rules.Severity
	Step  time.Duration
	Every time.Duration
}

var acts = rapid.Custom(func(t *rapid.T) act {
	pick := func(name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }
	return act{
		Kind: pick("kind", "hear", "hear", "surge", "surge", "edit", "delete", "repeat", "event", "event", "event", "again", "tick", "tick", "tick", "late"),
		Text: pick("text", "bad", "bad", "good", "drip three", "drip two", "drip one", "drip four", "bad stolen", "bad drip", "dark", "darker", "ladder"),
		Who:  rapid.IntRange(0, 8).Draw(t, "who"),
		N:    rapid.IntRange(1, 40).Draw(t, "n"),
		Op: rapid.SampledFrom([]Operation{
			OpAck, OpAck, OpUnack, OpAssign, OpSnooze, OpResolve, OpFalseAlarm, OpReopen,
			OpNote, OpSeverity, OpMerge, OpSplit, OpFacts,
		}).Draw(t, "op"),
		Inc: rapid.IntRange(1, 4).Draw(t, "incident"),
		Sev: rapid.SampledFrom([]rules.Severity{1, 2, 3, 4}).Draw(t, "severity"),
		Step: rapid.SampledFrom([]time.Duration{
			0, time.Second, 31 * time.Second, 4 * time.Minute, 31 * time.Minute, 2 * time.Hour,
			9 * time.Hour, 26 * time.Hour, -3 * time.Minute,
		}).Draw(t, "step"),
		Every: rapid.SampledFrom([]time.Duration{time.Second, 20 * time.Second, 3 * time.Minute}).Draw(t, "every"),
	}
})

var logs = rapid.SliceOfN(acts, 1, 40)

// play lets act number k of a log happen. What it makes has ids that depend on the log alone.
func (s *stage) play(k int, a act) {
	id := fmt.Sprintf("act%d", k)
	switch a.Kind {
	case "hear":
		s.hear(s.by(id, a.Who, a.Text, s.now))
	case "surge":
		for i := range a.N {
			s.now = s.now.Add(a.Every)
			m := s.by(fmt.Sprintf("%s.%d", id, i), a.Who+i, a.Text, s.now)
			m.Source = []string{"shop", "forum"}[i%(1+a.Who%2)]
			s.hear(m)
		}
	case "edit", "delete", "repeat":
		m := s.by(fmt.Sprintf("act%d", a.N%(k+1)), a.Who, a.Text, s.now)
		m.Op = map[string]sources.Op{"edit": sources.Update, "delete": sources.Delete, "repeat": sources.Create}[a.Kind]
		s.hear(m)
	case "late":
		s.hear(s.by(id, a.Who, a.Text, s.now.Add(-time.Duration(a.N)*20*time.Minute)))
	case "event", "again":
		if a.Kind == "again" {
			id = fmt.Sprintf("act%d", a.N%(k+1)) // an id that may have been used
		}
		s.respond(id, a)
	case "tick":
		s.now = s.now.Add(a.Step)
	}
	s.tick()
}

func (s *stage) by(id string, who int, text string, at time.Time) sources.Mention {
	return sources.Mention{
		ID: id, Source: "shop", Kind: sources.Comment, Brand: "acme",
		Author: sources.Author{ID: fmt.Sprintf("author%d", who)}, Text: text, CreatedAt: at,
	}
}

func (s *stage) respond(id string, a act) {
	e := Event{
		ID: id, Incident: fmt.Sprintf("acme-%d", a.Inc), Op: a.Op, Expected: a.N % 3 * 2,
		Actor: Actor{Kind: "person", ID: fmt.Sprintf("person%d", a.Who%3), Via: "slack"},
		Args:  Args{Assignee: "cy", Note: a.Text, Severity: a.Sev, Into: fmt.Sprintf("acme-%d", a.N%4+1), Facts: map[string]string{"cause": a.Text}},
	}
	if a.Op == OpAck || a.Op == OpSnooze {
		e.Args.For = Duration(time.Duration(a.N) * 10 * time.Minute)
	}
	if i, ok := s.m.Incident(e.Incident); ok && a.Op == OpSplit && a.N%2 == 0 {
		e.Args.Mentions = i.Evidence.Mentions[:len(i.Evidence.Mentions)/2]
	}
	_, c, _ := s.m.Respond(e, s.now)
	s.take(c)
}

// sameDisk fails unless two stages have left the same on disk.
func sameDisk(t *rapid.T, what string, a, b *stage) {
	t.Helper()
	for _, part := range []struct {
		name string
		a, b any
	}{
		{"brands", a.disk.brands, b.disk.brands},
		{"history", a.disk.audit, b.disk.audit},
		{"incidents", a.disk.incidents, b.disk.incidents},
		{"alerts", a.disk.alerts, b.disk.alerts},
		{"items", a.disk.items, b.disk.items},
		{"answers", a.disk.done, b.disk.done},
		{"series", a.disk.series, b.disk.series},
	} {
		if !reflect.DeepEqual(part.a, part.b) {
			t.Fatalf("%s: other %s:\n%s", what, part.name, cmp.Diff(part.a, part.b))
		}
	}
}

func TestSameLogSameChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := logs.Draw(t, "log")
		a, b := lively(), lively()
		for k := range log {
			a.play(k, log[k])
			b.play(k, log[k])
		}
		sameDisk(t, "played twice", a, b)
	})
}

// Whoever stops the daemon anywhere and starts it again finds that nothing has changed, and nothing changes
// from then on that would not have changed.
func TestRestartChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := logs.Draw(t, "log")
		cut := rapid.IntRange(0, len(log)-1).Draw(t, "cut")
		a, b := lively(), lively()
		for k := range log {
			if k == cut {
				b.restart()
				sent := len(b.sent)
				b.tick()
				a.tick()
				if len(b.sent) != sent {
					t.Fatalf("the restart sends %+v", b.sent[sent:])
				}
			}
			a.play(k, log[k])
			b.play(k, log[k])
		}
		sameDisk(t, fmt.Sprintf("restarted before act %d", cut), a, b)
	})
}

// A crash loses what was not committed. The sources hand it over again, and all is as if nothing had happened.
func TestCrashLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := logs.Draw(t, "log")
		crash := rapid.IntRange(0, len(log)-1).Draw(t, "crash")
		a, b := lively(), lively()
		for k := range log {
			a.play(k, log[k])
			if k == crash {
				before, now := b.disk.clone(), b.now
				b.play(k, log[k])
				b.disk, b.now = before, now
				b.restart()
			}
			b.play(k, log[k])
		}
		sameDisk(t, fmt.Sprintf("crashed in act %d", crash), a, b)
	})
}

// Sources deliver at least once, and people press twice.
func TestRepetitionsNeverCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		log := logs.Draw(t, "log")
		a, b := lively(), lively()
		var heard []sources.Mention
		for k, x := range log {
			a.play(k, x)
			b.play(k, x)
			if x.Kind == "hear" || x.Kind == "late" {
				heard = append(heard, b.by(fmt.Sprintf("act%d", k), x.Who, x.Text, b.now))
			}
			if x.Kind == "event" {
				b.respond(fmt.Sprintf("act%d", k), x)
			}
			for _, m := range heard {
				if fates := b.hear(m); fates[0] != Duplicate {
					t.Fatalf("%s counts again", m.ID)
				}
			}
		}
		sameDisk(t, "with repetitions", a, b)
	})
}

// broken says which property an incident does not have. It has been ticked at this moment.
func broken(s *stage, i, was *Incident) string {
	sev := told(i)
	switch {
	case i.Version < was.Version:
		return "its version falls"
	case len(i.Signals) > 0 && i.Open() && i.Level.GraverThan(i.Peak):
		return "the data is graver than what people are told"
	case (i.Handling == Acked || i.Handling == Snoozed) && i.Override == rules.Calm && i.Level.GraverThan(i.AtLevel):
		return "growth does not break through " + string(i.Handling) // P5
	case !i.closedByPeople() && notifying(sev) && liveRoots(s, i.ID) <= 0:
		return "nobody is told of it, or twice on a route" // P2, P3
	case i.Handling == New && notifying(sev) && (i.RemindAt.IsZero() || !s.now.Before(i.RemindAt)):
		return "its reminder is skipped" // P9
	case !i.Open() && (!i.RemindAt.IsZero() || i.Closing == "" || i.ClosedAt.IsZero()):
		return "it is closed by half"
	case i.Open() && (i.Closing != "" || i.MergedInto != "" || !i.ClosedAt.IsZero()):
		return "it is open by half"
	}
	if step, at, ok := NextStep(s.set, i); ok && notifying(sev) && !s.now.Before(at) {
		return fmt.Sprintf("the step of its ladder after %s is skipped", step.After) // P9
	}
	return ""
}

// liveRoots counts an incident's roots, none of which may share a route.
func liveRoots(s *stage, id string) int {
	routes := map[string]bool{}
	n := 0
	for _, a := range s.disk.alerts {
		if a.Incident == id && a.Kind == KindRoot && a.State != AlertCancelled {
			n++
			routes[a.Route] = true
		}
	}
	if n > len(routes) {
		return -1 // P3: broken as well
	}
	return n
}

// noisy says whether a history holds a reminder or escalation that should not be: while somebody has the
// incident (P4), or twice for one due time (P9).
func noisy(lines []Audit) string {
	held, steps := false, 0
	var reminded time.Time
	for _, l := range lines {
		switch l.Op {
		case "ack", "snooze":
			held = true
		case "lease_ended", "worse", "unack", "snooze_over", "reopened", "opened", "severity", "merge":
			if l.Op != "severity" && l.Op != "merge" {
				held = false
			}
			steps, reminded = 0, time.Time{}
		case "reminder":
			if held || !reminded.IsZero() && l.At.Sub(reminded) < 2*remindFirst {
				return fmt.Sprintf("reminder at %s after %s, held %v", l.At, reminded, held)
			}
			reminded = l.At
		case "escalated":
			if steps++; held || steps > 3 {
				return fmt.Sprintf("escalation %d at %s, held %v", steps, l.At, held)
			}
		}
	}
	return ""
}

// A series comes back to the last bit, and a damaged one is an error, never a guess.
func TestSeriesBlob(t *testing.T) {
	s := ordinary(t)
	for key, blob := range s.disk.series {
		x := &series{key: key}
		if err := x.UnmarshalBinary(blob); err != nil {
			t.Fatal(err)
		}
		if again, _ := x.MarshalBinary(); !slices.Equal(again, blob) {
			t.Errorf("%v is not the same after reading and writing", key)
		}
		for cut := 0; cut < len(blob); cut += 97 {
			if (&series{}).UnmarshalBinary(blob[:cut]) == nil {
				t.Errorf("%v cut after %d bytes is read", key, cut)
			}
		}
		if (&series{}).UnmarshalBinary(append(slices.Clone(blob), 0)) == nil {
			t.Errorf("%v with a byte too many is read", key)
		}
		other := slices.Clone(blob)
		other[0]++
		if (&series{}).UnmarshalBinary(other) == nil {
			t.Errorf("%v of an unknown version is read", key)
		}
	}
}

func FuzzSeriesBlob(f *testing.F) {
	blob, _ := newSeries(SeriesKey{"acme", "all"}, defaultWindows, 1).MarshalBinary()
	f.Add(blob)
	f.Add(blob[:100])
	f.Add([]byte{seriesVersion})
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &series{}
		if s.UnmarshalBinary(data) != nil {
			return
		}
		if _, err := s.MarshalBinary(); err != nil {
			t.Fatal(err)
		}
	})
}
