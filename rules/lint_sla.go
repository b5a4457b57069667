package rules

import (
	"cmp"
	"fmt"
	"time"
)

// answerPlaces are where an sla says its two times; those that it leaves to the defaults are at its id.
type answerPlaces struct{ first, answer Pos }

// plainWeek is a Monday so long ago that no holiday of a file and no change of clocks lies near it.
var plainWeek = time.Date(2001, time.January, 1, 0, 0, 0, 0, time.UTC)

const week = 7 * 24 * time.Hour

// doubtAnswers warns of answer clocks that the hours of those who answer cannot keep (W09).
func (l *loader) doubtAnswers() {
	for _, id := range sortedKeys(l.set.SLAs) {
		if a := l.set.SLAs[id]; a.Clock != "" {
			l.doubtHours(a, l.set.Clock(a))
		}
	}
	for _, r := range l.set.Rules {
		if a := l.set.SLAOf(r); a != nil && a.Clock == "" {
			l.doubtNights(r, a)
		}
	}
}

// doubtHours compares the times of an sla with the hours of its calendar. The clock stands still while the calendar is
// closed: a time longer than any stretch of open hours ends on another day for every complaint, whenever it comes, and
// one longer than all hours of a week in another week.
func (l *loader) doubtHours(a *SLA, c *Calendar) {
	stretch, sum := c.openInWeek()
	at := l.answerPos[a.ID]
	if a.FirstAnswer > stretch {
		l.add(LevelWarning, at.first, "W09", fmt.Sprintf("first_answer of %s, but %q is never open for more than %s at a stretch", shortDuration(a.FirstAnswer), c.ID, shortDuration(stretch)),
			"the clock stands still in between, so that every complaint may wait for another day", fmt.Sprintf("write first_answer: %s or less, or give the calendar longer hours", shortDuration(stretch)))
	}
	if a.Answer > sum {
		l.add(LevelWarning, at.answer, "W09", fmt.Sprintf("answer of %s, but %q is open for %s a week", shortDuration(a.Answer), c.ID, shortDuration(sum)),
			"the clock stands still in between, so that every complaint may wait for more than a week", fmt.Sprintf("write answer: %s or less, or give the calendar longer hours", shortDuration(sum)))
	}
}

// openInWeek returns the longest time without a break in which the calendar is open, and how long it is open in a week,
// holidays aside. One that never closes is open for farAhead days.
func (c *Calendar) openInWeek() (stretch, sum time.Duration) {
	var last opening
	for k := range 14 { // a stretch may begin on a Sunday
		for _, o := range c.day(plainWeek, k) {
			if k < 7 {
				sum += o.to.Sub(o.from)
			}
			if o.from.Equal(last.to) {
				o.from = last.from
			}
			last = o
			stretch = max(stretch, o.to.Sub(o.from))
		}
	}
	if sum >= week {
		return farAhead * 24 * time.Hour, farAhead * 24 * time.Hour
	}
	return stretch, sum
}

// doubtNights warns of a clock that goes round the clock where nobody is told in time that it runs out: every route of the
// rule holds the first breach back for longer than a first answer may take.
func (l *loader) doubtNights(r *Rule, a *SLA) {
	sev := cmp.Or(a.BreachSeverity, r.Severity, Issue)
	quiet := farAhead * 24 * time.Hour
	for _, id := range r.Routes {
		quiet = min(quiet, l.set.longestQuiet(l.set.Routes[id], sev))
	}
	if len(r.Routes) == 0 {
		quiet = l.set.longestQuiet(l.set.Routes[DefaultRoute], sev)
	}
	if quiet > a.FirstAnswer {
		l.add(LevelWarning, r.Pos, "W09", fmt.Sprintf("the clock of %q always goes, but the routes of %q are quiet for up to %s", a.ID, r.ID, shortDuration(quiet)),
			fmt.Sprintf("a complaint of that time is late after %s, before anybody is told", shortDuration(a.FirstAnswer)),
			"give the sla a clock: availability.ID, or let its breach_severity pass the quiet hours")
	}
}

// longestQuiet is for how long a route may hold back what is of a severity; zero if it never does, and for notices, which
// wait for a digest anyway. Quiet begins at the hour that the route says, or when its calendar closes.
func (s *Set) longestQuiet(r *Route, sev Severity) (longest time.Duration) {
	if r == nil || r.Quiet == nil || sev <= r.Quiet.PassSeverity || sev == Notice {
		return 0
	}
	var begins []time.Time
	for k := range 7 {
		zone := cmp.Or(r.Quiet.Zone, s.Zone)
		begins = append(begins, time.Date(2001, time.January, 1+k, 0, r.Quiet.From, 0, 0, zone))
		if c := s.Calendars[r.Quiet.Outside]; c != nil {
			for _, o := range c.day(plainWeek, k) {
				begins = append(begins, o.to)
			}
		}
	}
	for _, t := range begins {
		longest = max(longest, s.QuietEnd(r, t).Sub(t))
	}
	return longest
}
