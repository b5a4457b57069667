package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"emberwatch/detector"
	"emberwatch/rules"

	"github.com/fsnotify/fsnotify"
)

const (
	testTime   = 10 * time.Second // what tests get at a reload; the rest is left to rules test
	ruleSettle = time.Second      // editors write a file in several steps
)

// watchActor is who asks by changing a file: nobody knows who it was.
var watchActor = detector.Actor{Kind: "system", ID: "rule files", Via: "watch"}

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

// watchRules reloads when a rule file has changed. Where files cannot be watched, SIGHUP and POST /-/reload are left.
func (d *Daemon) watchRules(ctx context.Context) {
	if d.extra != nil || len(d.cfg().Rules) == 0 {
		return
	}
	w, err := fsnotify.NewWatcher()
	if err != nil {
		d.log.Warn("rule files are not watched; send SIGHUP after a change", "err", err)
		return
	}
	defer w.Close()
	d.watchFolders(w)
	settle := time.NewTimer(ruleSettle) // what changed before the watch began
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-w.Events:
			if !ok {
				return
			}
			settle.Reset(ruleSettle)
		case err := <-w.Errors:
			d.log.Warn("watching rule files", "err", err)
		case <-settle.C:
			if d.rulesOnDisk() != d.triedRules() {
				_, _ = d.Reload(watchActor) // told to people, in the log, in metrics and on /readyz
				d.watchFolders(w)
			}
		}
	}
}

// watchFolders watches the folders of the rule files: editors replace files rather than write into them.
func (d *Daemon) watchFolders(w *fsnotify.Watcher) {
	for _, pattern := range d.cfg().Rules {
		dir := filepath.Dir(d.cfg().resolvePath(pattern))
		if err := w.Add(dir); err != nil && !errors.Is(err, fsnotify.ErrClosed) {
			d.log.Warn("rule files are not watched; send SIGHUP after a change", "folder", dir, "err", err)
		}
	}
}

// rulesOnDisk is a hash of the rule files as they are now.
func (d *Daemon) rulesOnDisk() string {
	files, _ := d.cfg().ruleFiles()
	return hashFiles(files)
}

func hashFiles(files []rules.File) string {
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s\x00%d\x00", f.Name, len(f.Data))
		h.Write(f.Data)
	}
	return string(h.Sum(nil))
}

// triedRules is the hash of the rule files that were last read, in force or refused.
func (d *Daemon) triedRules() string {
	hash, _ := d.tried.Load().(string)
	return hash
}
