package main

import (
	"context"
	"fmt"
	"time"

	"emberwatch/rules"
)

// testTime is what tests get at a reload; the rest is left to rules test.
const testTime = 10 * time.Second

// rehearse runs the inline tests of a set and returns the first that fails.
func (d *Daemon) rehearse(ctx context.Context, set *rules.Set) error {
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	results := testsOf(set, d.model, d.library).Run(ctx, set.Tests)
	skipped := 0
	for i := range results {
		switch r := &results[i]; {
		case r.Skipped:
			skipped++
		case !r.Passed():
			return fmt.Errorf("%s: the test %q fails: %s; see emberwatch rules test", r.Test.Pos, r.Test.Name, r.Problems[0])
		}
	}
	if skipped > 0 {
		d.log.Warn("some tests of the rules were not run for lack of time; run emberwatch rules test", "skipped", skipped, "tests", len(results))
	}
	return nil
}

// rehearseAtStart tells of failing tests. They refuse nothing here: a daemon that does not run protects nobody.
func (d *Daemon) rehearseAtStart(ctx context.Context) {
	if d.extra != nil {
		return
	}
	if err := d.rehearse(ctx, d.detector.Rules()); err != nil {
		d.log.Error("the rules in force fail their own tests", "err", err)
	}
}
