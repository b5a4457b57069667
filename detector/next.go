package detector

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"emberwatch/rules"
)

// The incident machine. Two axes that never touch each other's fields: what the data says (raise, settle)
// and what people say (respond); the clock (tick) joins them. A turn is one step of one incident: it starts from a
// copy, and what it did is read off it afterwards: the incident as it is now, audit lines, and what must
// be told. Nothing here looks at a clock, a disk or another incident.
//
// Default clocks are those of the contract, section 5; a route may change some of them.

const (
	calmAfter    = 8 * time.Hour    // without a hit, a signal is over (a rule's resolve.quiet wins)
	reopenWithin = 2 * time.Hour    // a story that comes back so soon is the same incident
	closeAlone   = 24 * time.Hour   // calm and acknowledged: closes by itself after this
	leaseGrace   = 30 * time.Minute // from the question at the end of a lease to new
	expireAfter  = 7 * 24 * time.Hour
	editEvery    = 45 * time.Second
	maxSnooze    = 7 * 24 * time.Hour
	gather       = 30 * time.Second
	remindFirst  = 30 * time.Minute
	remindMost   = 4 * time.Hour
	flapWindow   = 6 * time.Hour
	flapTimes    = 3
	flapConfirm  = 15 * time.Minute // three times the bucket that an ordinary burst has to last
	worseEvery   = 30 * time.Minute // between two tellings of one level
)

// DefaultLease returns how long an acknowledgement holds at a severity.
func DefaultLease(s rules.Severity) time.Duration {
	switch s {
	case rules.Crisis:
		return time.Hour
	case rules.Serious:
		return 4 * time.Hour
	}
	return 24 * time.Hour
}

// tell is something a turn wants people to be told; the model makes one alert of it for each route.
type tell struct {
	kind    AlertKind
	reason  NotifyReason
	routes  []string // nil: all of the incident's
	mention []string // routes whose people are named
	said    Said
	delay   time.Duration
}

// turn is one step of one incident.
type turn struct {
	inc   Incident
	was   Incident
	now   time.Time
	set   *rules.Set
	actor Actor
	event string // id of the event behind the turn
	lines []Audit
	tells []tell
	// cancel: reminders and escalations not yet sent are overtaken
	cancel bool
	urgent bool // people changed something: the root is renewed at once
}

func begin(inc Incident, set *rules.Set, now time.Time, actor Actor) *turn {
	was := inc
	inc.Signals = slices.Clone(inc.Signals)
	inc.Routes = slices.Clone(inc.Routes)
	inc.NewSources = slices.Clone(inc.NewSources)
	inc.Reopened = slices.Clone(inc.Reopened)
	inc.WorseAt = maps.Clone(inc.WorseAt)
	return &turn{inc: inc, was: was, now: now, set: set, actor: actor}
}

// line adds an audit line; sequence and hash follow when the turn is committed.
func (t *turn) line(op string, reason NotifyReason, note Said) {
	t.lines = append(t.lines, Audit{Op: op, Reason: reason, Note: note.String(), Said: note.coded(), Actor: t.actor, At: t.now, Event: t.event})
}

func (t *turn) tell(kind AlertKind, reason NotifyReason, note Said) {
	t.tells = append(t.tells, tell{kind: kind, reason: reason, said: note})
}

// edit renews the roots; several edits in one turn are one.
func (t *turn) edit() {
	for _, x := range t.tells {
		if x.kind == KindEdit {
			return
		}
	}
	t.tell(KindEdit, ReasonUpdated, nil)
}

// told returns the severity that people go by.
func told(i *Incident) rules.Severity { return i.Severity }

// peak sets the gravest level of this opening, and with it what people are told.
func (i *Incident) peak(level rules.Severity) { i.Peak, i.Severity = level, level }

// notifying reports whether a severity is posted rather than listed.
func notifying(s rules.Severity) bool { return s != rules.Calm && s <= rules.Issue }

// open makes a new incident known.
func (t *turn) open() {
	i := &t.inc
	i.Handling, i.OpenedAt = New, t.now
	i.peak(i.Level)
	t.toldAt()
	reason := ReasonFirst
	if i.Signal == string(rules.Silence) {
		reason = ReasonSourceDown
	}
	t.line("opened", reason, i.whySaid())
	t.first(reason)
}

// first tells people for the first time and starts the ladder.
func (t *turn) first(reason NotifyReason) {
	if !notifying(told(&t.inc)) {
		t.tell(KindRoot, ReasonDigest, nil)
		return
	}
	delay := time.Duration(0)
	if told(&t.inc) != rules.Crisis {
		delay = gather
	}
	t.tells = append(t.tells, tell{kind: KindRoot, reason: reason, delay: delay})
	t.startLadder()
}

func (t *turn) startLadder() {
	i := &t.inc
	i.LadderFrom, i.LadderStep, i.Reminders = t.now, 0, 0
	i.RemindAt = t.now.Add(t.remindAfter())
}

// remindAfter is when people are reminded first: the route may say.
func (t *turn) remindAfter() time.Duration { return cmp.Or(t.notify().Reminder, remindFirst) }

func (t *turn) stopLadder() {
	t.inc.LadderFrom, t.inc.RemindAt = time.Time{}, time.Time{}
	t.cancel = true
}

// raise takes in a signal at or above its bar: evidence has been renewed by the caller. It decides whether
// people have to hear of it.
func (t *turn) raise(sig ActiveSignal) {
	t.putSignal(sig)
	i := &t.inc
	i.LastHit = t.now
	i.CalmSince, i.CloseAsked = time.Time{}, false
	t.relevel()
	if !i.Level.GraverThan(i.Peak) {
		if !sig.Watch && sig.Series != "" && notifying(sig.Level) && onlyWatches(t.was.Signals) {
			i.because(append(code("why.within"), sig.whySaid()...))
			t.worse(notifying(told(&t.was)))
			return
		}
		t.edit()
		return
	}
	i.Peak = i.Level
	i.because(i.Signals[0].whySaid())
	if i.Override != rules.Calm && !i.Level.GraverThan(i.Override) {
		t.edit() // people go by the override, which is graver still
		return
	}
	i.Override = rules.Calm // somebody thought it milder than it has become
	i.Severity = i.Level
	t.worse(notifying(told(&t.was)))
}

// onlyWatches reports whether nothing but slow rises speaks for an incident.
func onlyWatches(signals []ActiveSignal) bool {
	return len(signals) > 0 && !slices.ContainsFunc(signals, func(s ActiveSignal) bool { return !s.Watch })
}

// worse tells that an incident has become graver. It breaks through acknowledgement and snooze.
func (t *turn) worse(wasTold bool) {
	i := &t.inc
	held := i.Handling == Acked || i.Handling == Snoozed
	if held {
		t.line("worse", ReasonWorse, append(i.whySaid(), Clause{Code: "note.breaks", Word: string(i.Handling), N: int(i.AtLevel)}))
		i.Handling, i.AtLevel = New, rules.Calm
		i.LeaseUntil, i.SnoozeUntil, i.LeaseAsked = time.Time{}, time.Time{}, false
	} else {
		t.line("worse", ReasonWorse, i.whySaid())
	}
	at, before := i.WorseAt[told(i)]
	t.toldAt()
	if !wasTold {
		t.first(ReasonFirst)
		return
	}
	t.edit()
	t.startLadder()
	if held || !before || t.now.Sub(at) >= cmp.Or(t.notify().Worse, worseEvery) {
		t.tell(KindBroadcast, ReasonWorse, i.whySaid())
	}
}

// toldAt notes that people hear of the incident's level now.
func (t *turn) toldAt() {
	if t.inc.WorseAt == nil {
		t.inc.WorseAt = WorseAt{}
	}
	t.inc.WorseAt[told(&t.inc)] = t.now
}

// notify is how the incident's first route wants to be told again.
func (t *turn) notify() rules.Notify {
	if len(t.inc.Routes) == 0 {
		return rules.Notify{}
	}
	return t.set.Route(t.inc.Routes[0]).Notify
}

// putSignal renews or adds a signal; the leading one stands first.
func (t *turn) putSignal(sig ActiveSignal) {
	i := &t.inc
	at := slices.IndexFunc(i.Signals, func(s ActiveSignal) bool { return s.Rule == sig.Rule && s.Series == sig.Series })
	if at < 0 {
		i.Signals = append(i.Signals, sig)
	} else {
		sig.First = i.Signals[at].First
		i.Signals[at] = sig
	}
	slices.SortStableFunc(i.Signals, func(a, b ActiveSignal) int {
		switch {
		case a.Level.GraverThan(b.Level):
			return -1
		case b.Level.GraverThan(a.Level):
			return 1
		case a.Watch != b.Watch && b.Watch:
			return -1
		case a.Watch != b.Watch:
			return 1
		}
		return a.First.Compare(b.First)
	})
}

// relevel sets Level to the gravest signal that is not over.
func (t *turn) relevel() {
	i := &t.inc
	i.Level = rules.Calm
	for k := range i.Signals {
		if l := i.Signals[k].levelAt(t.now); l.GraverThan(i.Level) {
			i.Level = l
		}
	}
}

// leastQuiet is how long a window has to be quiet at least before its signal eases.
const leastQuiet = time.Hour

// levelAt is how grave a signal is by now: one level less for every two quiet windows, none once it is over.
func (s *ActiveSignal) levelAt(now time.Time) rules.Severity {
	quiet := now.Sub(s.LastHit)
	switch {
	case s.Standing:
		return s.Level
	case quiet >= time.Duration(s.Quiet):
		return rules.Calm
	}
	eased := max(0, quiet/(2*max(time.Duration(s.Window), leastQuiet)))
	return min(s.Level+rules.Severity(eased), max(s.Level, rules.Notice))
}

// newSource notes a source (or network) that the incident was not on before.
func (t *turn) newSource(name string) {
	i := &t.inc
	if slices.Contains(i.NewSources, name) {
		return
	}
	i.NewSources = append(i.NewSources, name)
	if len(i.NewSources) == 1 || i.OpenedAt.IsZero() {
		return // where it began
	}
	t.line("new_source", ReasonNewSource, Said{{Code: "note.source", Name: name}})
	if notifying(told(i)) && i.Handling != Snoozed && t.now.After(i.OpenedAt) {
		t.tell(KindThread, ReasonNewSource, wrote(name))
	}
}

// reopen brings a closed incident back. One that flaps is told as that once, and from then on by its root alone until
// it has stayed away; reminders and the ladder go on. What a person opens again is always told.
func (t *turn) reopen(why Said) {
	i := &t.inc
	flapped := i.Flapping(t.now)
	i.Reopened = append(slices.DeleteFunc(i.Reopened, func(at time.Time) bool { return t.now.Sub(at) > flapWindow }), t.now)
	i.Handling, i.Closing, i.ClosedBy, i.ClosedAt = New, "", "", time.Time{}
	i.CalmSince, i.CloseAsked, i.MergedInto, i.KnockedAt = time.Time{}, false, "", time.Time{}
	if i.Level != rules.Calm {
		i.Override = rules.Calm
		i.peak(i.Level)
	}
	if n := len(i.Reopened); n >= flapTimes {
		why = append(Said{{Code: "note.flapping", N: n}}, why...)
	}
	t.line("reopened", ReasonReopened, why)
	t.edit()
	if !notifying(told(i)) {
		return
	}
	t.startLadder()
	if !flapped || t.actor.Kind == "person" || told(i).GraverThan(t.was.Peak) {
		t.tell(KindBroadcast, ReasonReopened, why)
	}
}

// knock notes that the signal of a closed incident that flaps is back, and reports whether it has been for long enough.
// What is graver than before waits for nothing, and neither does a single mention that speaks for itself.
func (t *turn) knock(sig *ActiveSignal) bool {
	i := &t.inc
	if !i.Flapping(t.now) || sig.Series == "" || sig.Level.GraverThan(i.Peak) {
		return true
	}
	if i.KnockedAt.IsZero() || t.now.Sub(i.KnockedAt) > reopenWithin {
		i.KnockedAt = t.now
	}
	return t.now.Sub(i.KnockedAt) >= flapConfirm
}

// close ends the incident.
func (t *turn) close(reason Closing, note Said) {
	i := &t.inc
	i.Handling, i.Closing, i.ClosedBy, i.ClosedAt = Closed, reason, t.actor.name(), t.now
	i.LeaseUntil, i.SnoozeUntil, i.LeaseAsked = time.Time{}, time.Time{}, false
	for k := range i.Signals {
		i.Signals[k].Standing = false // whoever raises it again says so
	}
	t.stopLadder()
	notify := ReasonResolved
	if reason == CalmAgain || reason == Expired {
		notify = ReasonCalm
	}
	t.line(closedAs(reason), notify, note)
	t.urgent = true
	t.edit()
	t.tell(KindThread, notify, note)
}

// closedAs is the audit's word for a close: the operation of the person who closed it, or closed where it came by itself.
func closedAs(reason Closing) string {
	for op, r := range closings {
		if r == reason {
			return string(op)
		}
	}
	if reason == Merged {
		return string(OpMerge)
	}
	return "closed"
}

// name is what people call the actor.
func (a Actor) name() string {
	switch {
	case a.Name != "":
		return a.Name
	case a.ID != "":
		return a.ID
	}
	return "Emberwatch"
}
