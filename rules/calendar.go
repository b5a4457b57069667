package rules

import (
	"slices"
	"time"
)

// Calendar says when somebody is there: hours of the week in a zone, without holidays. A nil Calendar is always open.
type Calendar struct {
	Pos      Pos
	ID       string
	Zone     *time.Location
	Hours    [7][]Hours // by time.Weekday, in the order of the day, apart from each other
	Holidays []Holiday
}

// Hours are a part of a day, in minutes from its midnight; To is not in it and may be 24 h.
type Hours struct{ From, To int }

// Holiday is a span of days, both included, as "2026-12-24".
type Holiday struct{ From, To string }

// farAhead is how far a calendar is looked through: one that is closed for so long is closed for good.
const farAhead = 400

// opening is a time without a break in which a calendar is open.
type opening struct{ from, to time.Time }

// day returns the openings of the day that is days after the one that t is in.
func (c *Calendar) day(t time.Time, days int) []opening {
	y, m, d := t.In(c.Zone).Date()
	noon := time.Date(y, m, d+days, 12, 0, 0, 0, c.Zone)
	date := noon.Format(time.DateOnly)
	if slices.ContainsFunc(c.Holidays, func(h Holiday) bool { return h.From <= date && date <= h.To }) {
		return nil
	}
	hours := c.Hours[noon.Weekday()]
	open := make([]opening, 0, len(hours))
	y, m, d = noon.Date()
	for _, h := range hours {
		open = append(open, opening{
			time.Date(y, m, d, 0, h.From, 0, 0, c.Zone), time.Date(y, m, d, 0, h.To, 0, 0, c.Zone),
		})
	}
	return open
}

// Open reports whether somebody is there at t.
func (c *Calendar) Open(t time.Time) bool { return c.Opens(t).Equal(t) }

// Opens returns t if the calendar is open then, else when it opens next.
func (c *Calendar) Opens(t time.Time) time.Time {
	at := t
	c.walk(t, func(s opening) bool { at = s.from; return true })
	return at
}

// After returns when d of open time will have passed since t.
func (c *Calendar) After(t time.Time, d time.Duration) time.Time {
	if c == nil {
		return t.Add(d)
	}
	at := t.AddDate(0, 0, farAhead)
	c.walk(t, func(s opening) bool {
		if length := s.to.Sub(s.from); d > length {
			d -= length
			return false
		}
		at = s.from.Add(d)
		return true
	})
	return at.In(t.Location())
}

// walk calls f for what is open from t on, until it returns true.
func (c *Calendar) walk(t time.Time, f func(opening) bool) {
	if c == nil {
		f(opening{t, t.AddDate(0, 0, farAhead)})
		return
	}
	for k := range farAhead {
		for _, s := range c.day(t, k) {
			if s.from.Before(t) {
				s.from = t
			}
			if s.from.Before(s.to) && f(opening{s.from.In(t.Location()), s.to}) {
				return
			}
		}
	}
}

// Daily stands for every weekday.
const Daily time.Weekday = -1

// DigestTime is when a digest goes out: a weekday, or every day, and a minute of the day.
type DigestTime struct {
	Weekday time.Weekday
	Minute  int
}

// Next returns the first such time after t, in a zone.
func (d DigestTime) Next(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	y, m, day := t.In(zone).Date()
	for k := 0; ; k++ {
		at := time.Date(y, m, day+k, 0, d.Minute, 0, 0, zone)
		if at.After(t) && (d.Weekday == Daily || at.Weekday() == d.Weekday) {
			return at.In(t.Location())
		}
	}
}

// SLA is how soon a complaint has to be answered. Both clocks begin with the complaint and stop at the first answer.
type SLA struct {
	Pos            Pos
	ID             string
	FirstAnswer    time.Duration // 1 h unless set
	Answer         time.Duration // 24 h unless set: the second breach, one step graver
	Clock          string        // id of the calendar outside which the clocks stand still; empty: they never do
	BreachSeverity Severity      // of the first breach; 0: that of the rule
}

// SLAOf returns the answer clocks of a rule, nil if it has none.
func (s *Set) SLAOf(r *Rule) *SLA { return s.SLAs[r.SLA] }

// Clock returns the calendar by which the clocks of an SLA go; nil: round the clock.
func (s *Set) Clock(a *SLA) *Calendar { return s.Calendars[a.Clock] }

// Desk returns the calendar of those who answer for what a rule tells: that of its answer clocks, else the only one that the
// files have. Nil: nobody has said when somebody is there.
func (s *Set) Desk(rule string) *Calendar {
	if r, ok := s.Rule(rule); ok && r.SLA != "" {
		if a := s.SLAOf(r); a != nil {
			return s.Clock(a)
		}
	}
	if len(s.Calendars) == 1 {
		for _, c := range s.Calendars {
			return c
		}
	}
	return nil
}

// QuietEnd returns when something due at t may be told on a route: t itself, or the end of the quiet hours and of the
// time outside of its calendar that t lies in.
func (s *Set) QuietEnd(r *Route, t time.Time) time.Time {
	q := r.Quiet
	if q == nil {
		return t
	}
	for range 8 { // the end of the one may lie in the other
		next := q.end(t, s.Zone)
		if c := s.Calendars[q.Outside]; c != nil {
			next = c.Opens(next)
		}
		if next.Equal(t) {
			return t
		}
		t = next
	}
	return t
}

// end returns the end of the daily hours that t lies in, or t. zone is that of the files.
func (q *QuietHours) end(t time.Time, zone *time.Location) time.Time {
	if q.Zone != nil {
		zone = q.Zone
	}
	local := t.In(zone)
	minute := local.Hour()*60 + local.Minute()
	day := 0
	switch {
	case q.From == q.To:
		return t // no hours, a calendar alone
	case q.From < q.To && minute >= q.From && minute < q.To:
	case q.From > q.To && minute >= q.From:
		day = 1
	case q.From > q.To && minute < q.To:
	default:
		return t
	}
	end := time.Date(local.Year(), local.Month(), local.Day()+day, q.To/60, q.To%60, 0, 0, zone)
	return end.In(t.Location())
}
