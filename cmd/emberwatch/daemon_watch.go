package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"emberwatch/detector"

	"github.com/fsnotify/fsnotify"
)

const (
	ruleSettle = time.Second      // rule files are left alone so long before they are read: editors write in several steps …
	ruleLatest = 10 * time.Second // … but no longer, where the folder never comes to rest
)

// watchActor is who asks by changing a file: nobody knows who it was.
var watchActor = detector.Actor{Kind: "system", ID: "rule files", Via: "watch"}

// triedRules are the rule files that were last read, in force or refused.
type triedRules struct {
	cfg  *Config // names them
	hash string
}

func newTriedRules(cfg *Config) *triedRules { return &triedRules{cfg, cfg.rulesHash()} }

// watchRules reloads when a rule file has changed. Which files these are, every reload may change, whoever asked for it.
// Where files cannot be watched, SIGHUP and POST /-/reload are left.
func (d *Daemon) watchRules(ctx context.Context) {
	if d.extra != nil {
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
	var first time.Time                 // of the events that are settling; zero: none
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.read:
			d.watchFolders(w)
			settle.Reset(ruleSettle)
		case e, ok := <-w.Events:
			if !ok {
				return
			}
			if !d.tried.Load().cfg.mayChangeRules(e) {
				continue
			}
			if first.IsZero() {
				first = time.Now()
			}
			if time.Since(first) < ruleLatest {
				settle.Reset(ruleSettle)
			}
		case err := <-w.Errors:
			d.log.Warn("watching rule files", "err", err)
		case <-settle.C:
			first = time.Time{}
			d.watchFolders(w) // one of them may be another now, at the same place
			if was := d.tried.Load(); was.cfg.rulesHash() != was.hash {
				_, _ = d.Reload(watchActor) // told to people, in the log, in metrics and on /readyz
			}
		}
	}
}

// watchFolders watches the folders of the rule files that were last read, and no others.
func (d *Daemon) watchFolders(w *fsnotify.Watcher) {
	want := d.tried.Load().cfg.ruleFolders()
	for _, dir := range w.WatchList() {
		if !slices.Contains(want, dir) {
			_ = w.Remove(dir) // what is gone is watched no more
		}
	}
	for _, dir := range want {
		if err := w.Add(dir); err != nil && !errors.Is(err, fsnotify.ErrClosed) {
			d.log.Warn("rule files are not watched; send SIGHUP after a change", "folder", dir, "err", err)
		}
	}
}

// ruleFolders are the folders to watch: those of the rule files, because editors replace files rather than write into
// them, those above, because releases replace the folder or the link that stands for it, and those that links lead to.
func (c *Config) ruleFolders() []string {
	var all []string
	for _, pattern := range c.Rules {
		pattern = c.resolvePath(pattern)
		for _, above := range []string{filepath.Dir(pattern), filepath.Dir(filepath.Dir(pattern))} {
			dirs, _ := filepath.Glob(above) // ruleFiles reports a pattern that cannot be read
			all = append(all, dirs...)
		}
		files, _ := rulePaths(pattern)
		for _, f := range files {
			all = append(all, filepath.Dir(f)) // where the pattern is a folder, this is it
			if target, err := filepath.EvalSymlinks(f); err == nil && filepath.Dir(target) != filepath.Dir(f) {
				all = append(all, filepath.Dir(target))
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// mayChangeRules reports whether a rule file may be another one now. What only writes into other files beside them, such
// as a log, does not count: it might never settle.
func (c *Config) mayChangeRules(e fsnotify.Event) bool {
	if !e.Has(fsnotify.Write) {
		return e.Has(fsnotify.Create) || e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)
	}
	name := filepath.Base(e.Name)
	return slices.Contains(ruleEndings, filepath.Ext(name)) || slices.ContainsFunc(c.Rules, func(pattern string) bool {
		yes, err := filepath.Match(filepath.Base(pattern), name)
		return yes && err == nil
	})
}

// rulesHash is a hash of the rule files as they are now.
func (c *Config) rulesHash() string {
	files, _ := c.ruleFiles()
	h := sha256.New()
	for _, f := range files {
		fmt.Fprintf(h, "%s\x00%d\x00", f.Name, len(f.Data))
		h.Write(f.Data)
	}
	return string(h.Sum(nil))
}
