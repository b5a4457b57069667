package detector

import (
	"slices"
	"time"

	"emberwatch/rules"
)

// defaultLadder is the escalation of the contract for routes without one of their own: to the route itself,
// again.
func defaultLadder(s rules.Severity, route string) []rules.Step {
	var after []time.Duration
	switch s {
	case rules.Crisis:
		after = []time.Duration{10 * time.Minute, 20 * time.Minute, 40 * time.Minute}
	case rules.Serious:
		after = []time.Duration{20 * time.Minute, 60 * time.Minute}
	}
	steps := make([]rules.Step, len(after))
	for i, d := range after {
		steps[i] = rules.Step{After: d, Severity: s, To: route, Again: true}
	}
	return steps
}

// Ladder returns the rungs that an incident of this severity climbs on its routes: those of the first
// route that has any for it, else the default ones.
func Ladder(set *rules.Set, i *Incident) []rules.Step {
	sev := told(i)
	for _, id := range i.Routes {
		var steps []rules.Step
		r := set.Route(id)
		for _, s := range r.Ladder {
			if s.Severity == sev {
				steps = append(steps, s)
			}
		}
		if r.Ladder != nil {
			return steps
		}
	}
	if len(i.Routes) == 0 {
		return nil
	}
	return defaultLadder(sev, i.Routes[0])
}

// NextStep returns the rung that comes next if nobody acknowledges, and when.
func NextStep(set *rules.Set, i *Incident) (rules.Step, time.Time, bool) {
	if i.Handling != New || i.LadderFrom.IsZero() {
		return rules.Step{}, time.Time{}, false
	}
	steps := Ladder(set, i)
	if i.LadderStep >= len(steps) {
		return rules.Step{}, time.Time{}, false
	}
	s := steps[i.LadderStep]
	return s, i.LadderFrom.Add(s.After), true
}

// tick lets the clock work on an incident: the signal settles, leases and snoozes end, the ladder climbs.
func (t *turn) tick() {
	if !t.inc.Open() {
		return
	}
	t.settle()
	switch t.inc.Handling {
	case New:
		t.tickNew()
	case Acked:
		t.tickAcked()
	case Snoozed:
		t.tickSnoozed()
	}
}

// settle lowers the level once signals are over, and notes when all is calm.
func (t *turn) settle() {
	i := &t.inc
	before := i.Level
	t.relevel()
	if i.Level == before {
		return
	}
	if i.Level == rules.Calm {
		i.CalmSince = t.now
		t.line("calm", ReasonCalm, Said{{Code: "note.quiet", At: i.LastHit.UTC()}})
		return
	}
	t.line("updated", "", Said{{Code: "note.level", N: int(before), Of: int(i.Level)}})
	t.edit()
}

func (t *turn) tickNew() {
	i := &t.inc
	if i.Level == rules.Calm {
		t.close(CalmAgain, code("note.below"))
		return
	}
	if !notifying(told(i)) {
		if i.Owner == "" && t.now.Sub(i.OpenedAt) >= expireAfter {
			t.close(Expired, code("note.nobody"))
		}
		return
	}
	t.climb()
	t.remind()
}

// climb tells the rungs of the ladder that are due; after a long pause several are, and each of those they lead to is
// told once.
func (t *turn) climb() {
	i := &t.inc
	steps := Ladder(t.set, i)
	from := i.LadderStep
	for !i.LadderFrom.IsZero() && i.LadderStep < len(steps) && !t.now.Before(i.LadderFrom.Add(steps[i.LadderStep].After)) {
		i.LadderStep++
	}
	for k := from; k < i.LadderStep; k++ {
		again := slices.ContainsFunc(steps[k+1:i.LadderStep], func(s rules.Step) bool { return s.To == steps[k].To })
		if !again {
			t.escalate(steps[k], k)
		}
	}
}

// personal is the rung from which on a person is written to directly rather than named in the thread.
const personal = 2

// escalate tells one rung: the people of its route are named in the thread; another channel, and on the third rung
// also a person, get a root of their own and everything from then on.
func (t *turn) escalate(step rules.Step, rung int) {
	i := &t.inc
	note := Said{{Code: "note.escalated", Span: howLong(step.After)}}
	t.line("escalated", ReasonEscalated, Said{{Code: "note.escalated.to", Span: howLong(step.After), Name: step.To}})
	to := t.set.Route(step.To).Slack
	if !slices.Contains(i.Routes, step.To) && (to.Channel != "" || to.User != "" && rung >= personal) {
		i.Routes = append(i.Routes, step.To)
		t.tells = append(t.tells, tell{kind: KindRoot, reason: ReasonEscalated, routes: []string{step.To}, said: note})
		return
	}
	t.tells = append(t.tells, tell{kind: KindBroadcast, reason: ReasonEscalated, routes: i.Routes[:1], mention: []string{step.To}, said: note})
	t.edit()
}

// remind nudges about an incident that nobody owns, at growing intervals.
func (t *turn) remind() {
	i := &t.inc
	if i.RemindAt.IsZero() || t.now.Before(i.RemindAt) {
		return
	}
	i.Reminders++
	wait := min(t.remindAfter()<<min(i.Reminders, 8), max(remindMost, t.remindAfter()))
	i.RemindAt = t.now.Add(wait)
	why := Said{{Code: "note.reminder", Span: howLong(t.unowned())}}
	t.line("reminder", ReasonReminder, why)
	if slices.ContainsFunc(t.tells, func(x tell) bool { return x.reason == ReasonEscalated }) {
		return // said a moment ago
	}
	t.tell(KindThread, ReasonReminder, why)
}

// unowned is how long nobody has had the incident in hand: since it opened, or since somebody's time with it ran out.
func (t *turn) unowned() time.Duration {
	if i := &t.inc; !i.AckedAt.IsZero() && i.LadderFrom.After(i.AckedAt) {
		return t.now.Sub(i.LadderFrom)
	}
	return t.now.Sub(t.inc.OpenedAt)
}

func (t *turn) tickAcked() {
	i := &t.inc
	if i.Level == rules.Calm {
		t.tickCalmAcked()
		return
	}
	if t.now.Before(i.LeaseUntil) {
		return
	}
	if !i.LeaseAsked {
		i.LeaseAsked, i.LeaseUntil = true, t.now // the grace counts from the question, however late it is
		t.line("lease_asked", ReasonLeaseEnded, Said{{Code: "note.asked", Name: i.Owner}})
		t.tell(KindThread, ReasonLeaseEnded, nil)
		return
	}
	if t.now.Before(i.LeaseUntil.Add(leaseGrace)) {
		return
	}
	i.Handling, i.AtLevel, i.LeaseAsked, i.LeaseUntil = New, rules.Calm, false, time.Time{}
	t.line("lease_ended", ReasonLeaseEnded, Said{{Code: "note.no.answer", Span: howLong(leaseGrace)}})
	t.edit()
	t.tell(KindBroadcast, ReasonLeaseEnded, nil)
	t.startLadder()
}

// tickCalmAcked asks the owner of a calm incident whether to close it, and closes it after a day.
func (t *turn) tickCalmAcked() {
	i := &t.inc
	if t.now.Sub(i.CalmSince) >= closeAlone {
		t.close(CalmAgain, code("note.calm.day"))
		return
	}
	if !i.CloseAsked {
		i.CloseAsked = true
		t.line("calm", ReasonCalm, Said{{Code: "note.asked.close", Name: i.Owner}})
		t.edit()
		t.tell(KindThread, ReasonCalm, nil)
	}
}

func (t *turn) tickSnoozed() {
	i := &t.inc
	if t.now.Before(i.SnoozeUntil) {
		return
	}
	if i.Level == rules.Calm {
		t.close(CalmAgain, code("note.snooze.calm"))
		return
	}
	i.Handling, i.AtLevel, i.SnoozeUntil = New, rules.Calm, time.Time{}
	t.line("snooze_over", ReasonSnoozeOver, code("note.snooze.over"))
	t.edit()
	t.tell(KindBroadcast, ReasonSnoozeOver, nil)
	t.startLadder()
}
