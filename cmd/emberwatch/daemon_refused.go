package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"emberwatch/rules"
)

const (
	mostReasons  = 5               // of a refused reload that people are told; /readyz has all
	refusedAgain = 5 * time.Minute // until the next try to tell it
)

// refuse counts and logs a refused reload. What is not known yet is left for people to be told; of several refusals only
// the latest matters. The caller holds the lock of reloads.
func (d *Daemon) refuse(err error) {
	problems := refusing(err)
	for _, p := range problems {
		d.problems.WithLabelValues(p.ID).Inc()
	}
	d.reloads.WithLabelValues("refused").Inc()
	d.log.Error("reload refused; the rules and settings in force stay", "err", err)
	if d.reloadErr.Swap(err.Error()) == err.Error() {
		return
	}
	why := strings.Split(cmp.Or(problems.Error(), err.Error()), "\n")
	select {
	case <-d.refused:
	default:
	}
	d.refused <- why[:min(len(why), mostReasons)]
}

// refusing are the problems of files that a reload was refused for, without the warnings between them.
func refusing(err error) (out rules.Errors) {
	var errs rules.Errors
	errors.As(err, &errs)
	for _, e := range errs {
		if e.Level == rules.LevelError {
			out = append(out, e)
		}
	}
	return out
}

// tellRefusals tells people on the default route of refused reloads, as long as they stand: who changes a file does not
// read the log.
func (d *Daemon) tellRefusals(ctx context.Context) {
	for {
		var why []string
		select {
		case why = <-d.refused:
		case <-ctx.Done():
			return
		}
		since := time.Now()
		for d.reloadErr.Load() != "" && len(d.refused) == 0 {
			err := d.tellRefusal(ctx, why, since)
			if err == nil {
				break
			}
			d.log.Error("the refused reload was not told to people; it is tried again", "err", err, "again", refusedAgain)
			if !pauseFor(ctx, refusedAgain) {
				return
			}
		}
	}
}

func (d *Daemon) tellRefusal(ctx context.Context, why []string, since time.Time) error {
	route := d.detector.Rules().Route(rules.DefaultRoute)
	if d.slack == nil {
		return d.console.Refused(d.languages.In(route.Language), why)
	}
	_, err := d.slack.Refused(ctx, why, route, fmt.Sprintf("refused/%d", since.UnixNano()), since)
	return err
}
