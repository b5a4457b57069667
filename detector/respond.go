package detector

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"emberwatch/rules"
)

// respond applies what a person did. It returns the outcome and what that person is told; a Refused or
// Already event changes nothing.
func (t *turn) respond(e *Event) (Outcome, Said) {
	f, ok := operations[e.Op]
	if !ok {
		return Refused, wrote(fmt.Sprintf("there is no operation %q; there are %s", e.Op, strings.Join(operationNames(), ", ")))
	}
	if e.Expected != 0 && e.Expected < t.inc.Version && stale(e, &t.inc) {
		return Already, t.stands()
	}
	if utf8.RuneCountInString(e.Args.Note) > maxNoteRunes {
		return Refused, Said{{Code: "refused.note.long", N: maxNoteRunes}}
	}
	t.event, t.urgent = e.ID, true
	return f(t, e)
}

// stale reports whether an event was meant for a state that has passed: somebody closed or took the incident
// since. Notes and assignments are welcome at any time.
func stale(e *Event, i *Incident) bool {
	switch e.Op {
	case OpAck:
		return i.Handling == Closed || i.Handling == Acked && i.Owner != e.Actor.name()
	case OpSnooze, OpResolve, OpFalseAlarm, OpKnownEvent:
		return i.Handling == Closed
	}
	return false
}

// operations are those that concern one incident; merge and split need two and are the model's.
var operations = map[Operation]func(*turn, *Event) (Outcome, Said){
	OpAck:        (*turn).ack,
	OpUnack:      (*turn).unack,
	OpAssign:     (*turn).assign,
	OpSnooze:     (*turn).snooze,
	OpResolve:    (*turn).closeBy,
	OpFalseAlarm: (*turn).closeBy,
	OpKnownEvent: (*turn).closeBy,
	OpReopen:     (*turn).reopenBy,
	OpNote:       (*turn).note,
	OpSeverity:   (*turn).override,
	OpFacts:      (*turn).facts,
	OpAnswered:   (*turn).answered,
}

func result(o Outcome, told Said, i Incident) Result {
	return Result{Outcome: o, Message: told.String(), Said: told.coded(), Incident: i}
}

func operationNames() []string {
	names := []string{string(OpMerge), string(OpSplit)}
	for op := range operations {
		names = append(names, string(op))
	}
	slices.Sort(names)
	return names
}

// stands says how things are, for somebody whose button was late.
func (t *turn) stands() Said {
	i := &t.inc
	switch i.Handling {
	case Acked:
		return Said{{Code: "refused.acked", Name: i.Owner, Span: howLong(t.now.Sub(i.AckedAt))}}
	case Snoozed:
		return Said{{Code: "refused.snoozed", Name: i.Owner, At: i.SnoozeUntil.UTC()}}
	case Closed:
		return Said{{Code: "refused.closed", Name: i.ClosedBy, Span: howLong(t.now.Sub(i.ClosedAt)), Word: string(i.Closing)}}
	}
	return code("refused.open")
}

func (t *turn) ack(e *Event) (Outcome, Said) {
	i := &t.inc
	if i.Handling == Closed {
		return Refused, t.stands()
	}
	until, wrong := t.until(e.Args, DefaultLease(told(i)), maxSnooze)
	if wrong != nil {
		return Refused, wrong
	}
	who := e.Actor.name()
	if i.Handling == Acked && i.Owner == who && i.LeaseUntil.Equal(until) {
		return Already, t.stands()
	}
	took := i.Handling == Acked && i.Owner != who
	i.Handling, i.Owner, i.AtLevel = Acked, who, told(i)
	i.LeaseUntil, i.LeaseAsked, i.SnoozeUntil = until, false, time.Time{}
	i.AckedAt = t.now
	t.stopLadder()
	note := Said{{Code: "note.until", At: until}}
	if took {
		note = append(Said{{Code: "note.taken", Name: t.was.Owner}}, note...)
	}
	t.line(string(OpAck), "", append(note, wrote(e.Args.Note)...))
	t.edit()
	return Applied, wrote(fmt.Sprintf("acknowledged by %s, %s", who, note))
}

func (t *turn) unack(e *Event) (Outcome, Said) {
	i := &t.inc
	if i.Handling != Acked {
		return Refused, append(code("refused.unacked"), t.stands()...)
	}
	i.Handling, i.Owner, i.AtLevel, i.LeaseUntil, i.LeaseAsked = New, "", rules.Calm, time.Time{}, false
	t.line(string(OpUnack), "", wrote(e.Args.Note))
	t.edit()
	t.startLadder()
	return Applied, wrote("nobody has it now; the ladder runs again")
}

func (t *turn) assign(e *Event) (Outcome, Said) {
	i := &t.inc
	who := strings.TrimSpace(e.Args.Assignee)
	switch {
	case who == "":
		return Refused, code("refused.assign")
	case i.Handling == Closed:
		return Refused, t.stands()
	case i.Owner == who:
		return Already, Said{{Code: "refused.has", Name: who}}
	}
	i.Owner = who
	t.line(string(OpAssign), "", commented(Clause{Code: "note.to", Name: who}, e.Args.Note))
	t.edit()
	return Applied, wrote("assigned to " + who)
}

func (t *turn) snooze(e *Event) (Outcome, Said) {
	i := &t.inc
	if i.Handling == Closed {
		return Refused, t.stands()
	}
	until, wrong := t.until(e.Args, time.Hour, maxSnooze)
	if wrong != nil {
		return Refused, wrong
	}
	i.Handling, i.SnoozeUntil, i.AtLevel = Snoozed, until, told(i)
	i.LeaseUntil, i.LeaseAsked = time.Time{}, false
	if i.Owner == "" {
		i.Owner = e.Actor.name()
	}
	t.stopLadder()
	note := Clause{Code: "note.snooze", At: until}
	t.line(string(OpSnooze), "", commented(note, e.Args.Note))
	t.edit()
	return Applied, wrote("snoozed " + note.String())
}

var closings = map[Operation]Closing{OpResolve: Resolved, OpFalseAlarm: FalseAlarm, OpKnownEvent: KnownEvent}

func (t *turn) closeBy(e *Event) (Outcome, Said) {
	if t.inc.Handling == Closed {
		return Already, t.stands()
	}
	t.close(closings[e.Op], wrote(e.Args.Note))
	return Applied, wrote(fmt.Sprintf("closed as %s by %s", inWords(string(closings[e.Op])), e.Actor.name()))
}

func (t *turn) reopenBy(e *Event) (Outcome, Said) {
	if t.inc.Handling != Closed {
		return Already, t.stands()
	}
	t.inc.Owner = ""
	t.reopen(commented(Clause{Code: "note.by", Name: e.Actor.name()}, e.Args.Note))
	t.revive()
	return Applied, wrote("open again")
}

// revive has calm counted from now: a person wants the incident open although its signals may be over.
func (t *turn) revive() {
	t.inc.LastHit = t.now
	for k := range t.inc.Signals {
		t.inc.Signals[k].LastHit = t.now
	}
	t.relevel()
}

func (t *turn) note(e *Event) (Outcome, Said) {
	if strings.TrimSpace(e.Args.Note) == "" {
		return Refused, code("refused.note.empty")
	}
	t.line(string(OpNote), "", wrote(e.Args.Note))
	t.lines[len(t.lines)-1].Draft = e.Args.Draft
	t.urgent = false
	return Applied, wrote("noted")
}

func (t *turn) override(e *Event) (Outcome, Said) {
	i := &t.inc
	s := e.Args.Severity
	switch {
	case s < rules.Crisis || s > rules.Notice:
		return Refused, Said{{Code: "refused.severity", N: int(s)}}
	case i.Handling == Closed:
		return Refused, t.stands()
	case told(i) == s:
		return Already, Said{{Code: "refused.same", N: int(s)}}
	}
	before := told(i)
	i.Override, i.Severity = s, s
	t.line(string(OpSeverity), "", commented(Clause{Code: "note.severity", N: int(before), Of: int(s)}, e.Args.Note))
	if s.GraverThan(before) && !notifying(before) {
		t.first(ReasonFirst)
	} else {
		t.edit()
	}
	return Applied, wrote(fmt.Sprintf("severity %d", s))
}

func (t *turn) facts(e *Event) (Outcome, Said) {
	if len(e.Args.Facts) == 0 {
		return Refused, code("refused.facts")
	}
	if t.inc.Handling == Closed {
		return Refused, t.stands()
	}
	facts, err := renewFacts(t.inc.Facts, e.Args.Facts)
	if err != nil {
		return Refused, wrote(err.Error())
	}
	t.inc.Facts, t.inc.FactsAt = facts, t.now
	t.line(string(OpFacts), "", append(wrote(strings.Join(sortedKeys(e.Args.Facts), ", ")), wrote(e.Args.Note)...))
	t.edit()
	return Applied, wrote("fact sheet renewed")
}

const (
	maxReplyRunes = 32_000 // the longest reply that is kept: no network takes a longer one
	maxNoteRunes  = 4000
)

func (t *turn) answered(e *Event) (Outcome, Said) {
	if d := e.Args.Draft; d != nil && utf8.RuneCountInString(d.Text) > maxReplyRunes {
		return Refused, Said{{Code: "refused.reply.long", N: maxReplyRunes}}
	}
	t.line(string(OpAnswered), "", wrote(e.Args.Note))
	l := &t.lines[len(t.lines)-1]
	l.Mentions, l.Draft = e.Args.Mentions, e.Args.Draft
	t.urgent = false
	return Applied, wrote("marked as answered")
}

// until reads when something should end, from For or Until; or it says what is wrong with them.
func (t *turn) until(a Args, std, most time.Duration) (time.Time, Said) {
	switch {
	case !a.Until.IsZero():
		if !a.Until.After(t.now) {
			return time.Time{}, Said{{Code: "refused.past", At: a.Until.UTC()}}
		}
		std = a.Until.Sub(t.now)
	case a.For != 0:
		std = time.Duration(a.For)
	}
	if std <= 0 {
		return time.Time{}, Said{{Code: "refused.none", Limit: howLong(most)}}
	}
	if std > most {
		return time.Time{}, Said{{Code: "refused.length", Span: howLong(std), Limit: howLong(most)}}
	}
	return t.now.Add(std).UTC(), nil
}
