package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"
)

// Weekly reports: how often to look at the clock, how late one may still be posted, and how often to try.
const (
	weeklyLook  = time.Minute
	weeklyLate  = 12 * time.Hour
	weeklyAgain = 10 * time.Minute
)

var weekdays = []string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// parseWeekly reads "monday 09:00"; off and an empty text mean never.
func parseWeekly(s string) (day time.Weekday, after time.Duration, on bool, err error) {
	s = strings.ToLower(strings.TrimSpace(s))
	if s == "" || s == off {
		return 0, 0, false, nil
	}
	name, clock, _ := strings.Cut(s, " ")
	i := slices.IndexFunc(weekdays, func(d string) bool { return len(name) >= 3 && strings.HasPrefix(d, name) })
	at, timeErr := time.Parse("15:04", strings.TrimSpace(clock))
	if i < 0 || timeErr != nil {
		return 0, 0, false, fmt.Errorf("%q is no time of the week", s)
	}
	return time.Weekday(i), time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, true, nil
}

// lastDue returns the start of the day on which a weekly report was due last, and when it was due.
func lastDue(now time.Time, zone *time.Location, day time.Weekday, after time.Duration) (start, due time.Time) {
	y, m, d := now.In(zone).Date()
	d -= (int(now.In(zone).Weekday()) - int(day) + 7) % 7
	hour, minute := int(after.Hours()), int(after.Minutes())%60
	if due = time.Date(y, m, d, hour, minute, 0, 0, zone); due.After(now) {
		d -= 7
		due = time.Date(y, m, d, hour, minute, 0, 0, zone)
	}
	return time.Date(y, m, d, 0, 0, 0, 0, zone), due
}

// weekly posts the report of the seven days before the day it is due on. Whether it was posted is looked up in Slack, so
// that a restart posts nothing twice and misses nothing that is not too late.
func (d *Daemon) weekly(ctx context.Context) {
	day, after, on, _ := parseWeekly(d.cfg().Slack.Report) // validated
	if !on {
		return
	}
	var done time.Time
	wait := weeklyLook
	for pauseFor(ctx, wait) {
		now := d.detector.Now()
		start, due := lastDue(now, d.zone(), day, after)
		if wait = weeklyLook; due.Equal(done) || now.Sub(due) > weeklyLate {
			continue
		}
		if err := d.postWeekly(ctx, start, due); err != nil {
			d.log.Error("the weekly report was not posted; it is tried again", "err", err, "again", weeklyAgain)
			wait = weeklyAgain
			continue
		}
		done = due
	}
}

func pauseFor(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (d *Daemon) zone() *time.Location {
	if z := d.detector.Rules().Zone; z != nil {
		return z
	}
	return time.UTC
}

// postWeekly posts one report. A week in which nothing was said has none, unless that is because a source does not speak.
func (d *Daemon) postWeekly(ctx context.Context, start, due time.Time) error {
	set := d.detector.Rules()
	r, err := detector.NewReport(ctx, d.db, set, start.AddDate(0, 0, -7).UTC(), start.UTC())
	if err != nil {
		return err
	}
	r.Listen(d.supervisor.Health(), d.detector.Now())
	if r.Incidents == 0 && len(r.Brands) == 0 && len(r.Sources) == 0 {
		return nil
	}
	posted, err := d.slack.Report(ctx, r, set.Route(rules.DefaultRoute), "report/"+start.Format(time.DateOnly), due)
	if err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if posted {
		d.log.Info("weekly report posted", "from", r.From, "to", r.To)
	}
	return nil
}
