package detector

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"emberwatch/rules"
)

// respond applies what a person did. It returns the outcome and the sentence for that person; a Refused or
// Already event changes nothing.
func (t *turn) respond(e *Event) (Outcome, string) {
	f, ok := operations[e.Op]
	if !ok {
		return Refused, fmt.Sprintf("there is no operation %q; there are %s", e.Op, strings.Join(operationNames(), ", "))
	}
	if e.Expected != 0 && e.Expected < t.inc.Version && stale(e, &t.inc) {
		return Already, t.stateSentence()
	}
	if utf8.RuneCountInString(e.Args.Note) > 4000 {
		return Refused, "the note is longer than 4000 characters"
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
var operations = map[Operation]func(*turn, *Event) (Outcome, string){
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

func operationNames() []string {
	names := []string{string(OpMerge), string(OpSplit)}
	for op := range operations {
		names = append(names, string(op))
	}
	slices.Sort(names)
	return names
}

// stateSentence says how things stand, for somebody whose button was late.
func (t *turn) stateSentence() string {
	i := &t.inc
	switch i.Handling {
	case Acked:
		return fmt.Sprintf("already acknowledged by %s %s ago", i.Owner, Words(t.now.Sub(i.AckedAt)))
	case Snoozed:
		return fmt.Sprintf("snoozed by %s until %s", i.Owner, i.SnoozeUntil.UTC().Format("2006-01-02 15:04 MST"))
	case Closed:
		return fmt.Sprintf("already closed by %s %s ago (%s)", i.ClosedBy, Words(t.now.Sub(i.ClosedAt)), i.Closing)
	}
	return "open, nobody has acknowledged it"
}

func (t *turn) ack(e *Event) (Outcome, string) {
	i := &t.inc
	if i.Handling == Closed {
		return Refused, t.stateSentence()
	}
	until, err := t.until(e.Args, DefaultLease(told(i)), maxSnooze)
	if err != nil {
		return Refused, err.Error()
	}
	who := e.Actor.name()
	if i.Handling == Acked && i.Owner == who && i.LeaseUntil.Equal(until) {
		return Already, t.stateSentence()
	}
	took := i.Handling == Acked && i.Owner != who
	i.Handling, i.Owner, i.AtLevel = Acked, who, told(i)
	i.LeaseUntil, i.LeaseAsked, i.SnoozeUntil = until, false, time.Time{}
	i.AckedAt = t.now
	t.stopLadder()
	note := "until " + until.UTC().Format("2006-01-02 15:04 MST")
	if took {
		note = "taken over from " + t.was.Owner + ", " + note
	}
	t.line(string(OpAck), "", joinNote(note, e.Args.Note))
	t.edit()
	return Applied, fmt.Sprintf("acknowledged by %s, %s", who, note)
}

func (t *turn) unack(e *Event) (Outcome, string) {
	i := &t.inc
	if i.Handling != Acked {
		return Refused, "it is not acknowledged: " + t.stateSentence()
	}
	i.Handling, i.Owner, i.AtLevel, i.LeaseUntil, i.LeaseAsked = New, "", rules.Calm, time.Time{}, false
	t.line(string(OpUnack), "", e.Args.Note)
	t.edit()
	t.startLadder()
	return Applied, "nobody has it now; the ladder runs again"
}

func (t *turn) assign(e *Event) (Outcome, string) {
	i := &t.inc
	who := strings.TrimSpace(e.Args.Assignee)
	switch {
	case who == "":
		return Refused, "say to whom: the argument assignee is empty"
	case i.Handling == Closed:
		return Refused, t.stateSentence()
	case i.Owner == who:
		return Already, who + " has it already"
	}
	i.Owner = who
	t.line(string(OpAssign), "", joinNote("to "+who, e.Args.Note))
	t.edit()
	return Applied, "assigned to " + who
}

func (t *turn) snooze(e *Event) (Outcome, string) {
	i := &t.inc
	if i.Handling == Closed {
		return Refused, t.stateSentence()
	}
	until, err := t.until(e.Args, time.Hour, maxSnooze)
	if err != nil {
		return Refused, err.Error()
	}
	i.Handling, i.SnoozeUntil, i.AtLevel = Snoozed, until, told(i)
	i.LeaseUntil, i.LeaseAsked = time.Time{}, false
	if i.Owner == "" {
		i.Owner = e.Actor.name()
	}
	t.stopLadder()
	note := "until " + until.UTC().Format("2006-01-02 15:04 MST") + " or until worse"
	t.line(string(OpSnooze), "", joinNote(note, e.Args.Note))
	t.edit()
	return Applied, "snoozed " + note
}

var closings = map[Operation]Closing{OpResolve: Resolved, OpFalseAlarm: FalseAlarm, OpKnownEvent: KnownEvent}

func (t *turn) closeBy(e *Event) (Outcome, string) {
	if t.inc.Handling == Closed {
		return Already, t.stateSentence()
	}
	t.close(closings[e.Op], e.Args.Note)
	return Applied, fmt.Sprintf("closed as %s by %s", closings[e.Op], e.Actor.name())
}

func (t *turn) reopenBy(e *Event) (Outcome, string) {
	if t.inc.Handling != Closed {
		return Already, t.stateSentence()
	}
	t.inc.Owner = ""
	t.reopen(joinNote("by "+e.Actor.name(), e.Args.Note))
	t.revive()
	return Applied, "open again"
}

// revive has calm counted from now: a person wants the incident open although its signals may be over.
func (t *turn) revive() {
	t.inc.LastHit = t.now
	for k := range t.inc.Signals {
		t.inc.Signals[k].LastHit = t.now
	}
	t.relevel()
}

func (t *turn) note(e *Event) (Outcome, string) {
	if strings.TrimSpace(e.Args.Note) == "" {
		return Refused, "the note is empty"
	}
	t.line(string(OpNote), "", e.Args.Note)
	t.lines[len(t.lines)-1].Draft = e.Args.Draft
	t.urgent = false
	return Applied, "noted"
}

func (t *turn) override(e *Event) (Outcome, string) {
	i := &t.inc
	s := e.Args.Severity
	switch {
	case s < rules.Crisis || s > rules.Notice:
		return Refused, fmt.Sprintf("severity is 1 (gravest) to 4, not %d", s)
	case i.Handling == Closed:
		return Refused, t.stateSentence()
	case told(i) == s:
		return Already, fmt.Sprintf("it has severity %d already", s)
	}
	before := told(i)
	i.Override, i.Severity = s, s
	t.line(string(OpSeverity), "", joinNote(fmt.Sprintf("%d to %d", before, s), e.Args.Note))
	if s.GraverThan(before) && !notifying(before) {
		t.first(ReasonFirst)
	} else {
		t.edit()
	}
	return Applied, fmt.Sprintf("severity %d", s)
}

func (t *turn) facts(e *Event) (Outcome, string) {
	if len(e.Args.Facts) == 0 {
		return Refused, "no facts given"
	}
	if t.inc.Handling == Closed {
		return Refused, t.stateSentence()
	}
	facts, err := renewFacts(t.inc.Facts, e.Args.Facts)
	if err != nil {
		return Refused, err.Error()
	}
	t.inc.Facts, t.inc.FactsAt = facts, t.now
	t.line(string(OpFacts), "", joinNote(strings.Join(sortedKeys(e.Args.Facts), ", "), e.Args.Note))
	t.edit()
	return Applied, "fact sheet renewed"
}

// maxReplyRunes is the longest reply that is kept: no network takes a longer one.
const maxReplyRunes = 32_000

func (t *turn) answered(e *Event) (Outcome, string) {
	if d := e.Args.Draft; d != nil && utf8.RuneCountInString(d.Text) > maxReplyRunes {
		return Refused, fmt.Sprintf("the reply is longer than %d characters", maxReplyRunes)
	}
	t.line(string(OpAnswered), "", e.Args.Note)
	l := &t.lines[len(t.lines)-1]
	l.Mentions, l.Draft = e.Args.Mentions, e.Args.Draft
	t.urgent = false
	return Applied, "marked as answered"
}

// until reads when something should end, from For or Until.
func (t *turn) until(a Args, std, most time.Duration) (time.Time, error) {
	switch {
	case !a.Until.IsZero():
		if !a.Until.After(t.now) {
			return time.Time{}, fmt.Errorf("%s has passed already", a.Until.UTC().Format("2006-01-02 15:04 MST"))
		}
		std = a.Until.Sub(t.now)
	case a.For != 0:
		std = time.Duration(a.For)
	}
	if std <= 0 || std > most {
		return time.Time{}, fmt.Errorf("%s is not possible; at most %s", Words(std), Words(most))
	}
	return t.now.Add(std).UTC(), nil
}

func joinNote(a, b string) string {
	if b == "" {
		return a
	}
	return a + "; " + b
}
