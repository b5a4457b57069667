package main

import (
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

// leaveRefusal leaves the reasons for people to be told. Only the latest refusal matters. Reloads come one at a time.
func (d *Daemon) leaveRefusal(err error) {
	select {
	case <-d.refused:
	default:
	}
	d.refused <- reasons(err)
}

// reasons are the first problems that a reload was refused for, without the warnings between them.
func reasons(err error) []string {
	var out []string
	var errs rules.Errors
	if errors.As(err, &errs) {
		for _, e := range errs {
			if e.Level == rules.LevelError {
				out = append(out, e.Error())
			}
		}
	} else {
		out = strings.Split(err.Error(), "\n")
	}
	return out[:min(len(out), mostReasons)]
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
