package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fsnotify/fsnotify"
)

// The watch follows each reload, whoever asked for it, and notices a change however it is made.
func TestTheWatchFollowsTheRules(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	rule := func(id string) string { return fmt.Sprintf(watchedRule, id) }
	config := func(rules string) {
		writeFile(t, path("e.yml"), "version: 1\nhttp: {listen: \"127.0.0.1:0\"}\nrules: "+rules+"\n")
	}
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, path(name)); err != nil {
			t.Fatal(err)
		}
	}
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(path(from), path(to)); err != nil {
			t.Fatal(err)
		}
	}
	config("[]")
	writeFile(t, path("one/a.yml"), rule("a"))
	writeFile(t, path("two/b.yml"), rule("b"))
	writeFile(t, path("maps/..1/c.yml"), rule("c"))
	link("..1", "maps/..data")
	link("..data/c.yml", "maps/c.yml")
	c := start(t, launch{data: path("d"), config: path("e.yml")})
	defer c.stop(t)
	ask := func() {
		t.Helper()
		if res := c.ask(t, "POST", "/-/reload", ""); res.status != 200 {
			t.Fatalf("%d %s", res.status, res.body)
		}
	}
	before := 0
	noticed := func(what string) {
		t.Helper()
		soon(t, what, func() bool { return strings.Count(c.log.String(), `"msg":"reloaded"`) > before })
	}
	for _, step := range []struct {
		what string
		do   func()
	}{
		{"rules where there were none", func() { config("[one/*.yml]"); ask() }},
		{"a file of theirs is written", func() { writeFile(t, path("one/a.yml"), rule("a2")) }},
		{"a folder more", func() { config("[one/*.yml, two/*.yml, maps/*.yml]"); ask() }},
		{"a file of it is written", func() { writeFile(t, path("two/b.yml"), rule("b2")) }},
		{"a new file of the pattern", func() { writeFile(t, path("two/new.yml"), rule("new")) }},
		{"an editor replaces a file", func() { writeFile(t, path("two/b.yml~"), rule("b3")); move("two/b.yml~", "two/b.yml") }},
		{"a link is swapped, as for config maps", func() {
			writeFile(t, path("maps/..2/c.yml"), rule("c2"))
			link("..2", "maps/..tmp")
			move("maps/..tmp", "maps/..data")
		}},
		{"a release replaces the folder", func() {
			writeFile(t, path("next/a.yml"), rule("a3"))
			move("one", "was")
			move("next", "one")
		}},
		{"a file of the new folder is written", func() { writeFile(t, path("one/a.yml"), rule("a4")) }},
		{"a folder that never comes to rest", func() {
			writeFile(t, path("one/a.yml"), rule("a5"))
			restless(t, path("one"))
		}},
	} {
		before = strings.Count(c.log.String(), `"msg":"reloaded"`)
		step.do()
		noticed(step.what)
	}
}

// restless makes and removes a file of a folder again and again, to the end of the test.
func restless(t *testing.T, dir string) {
	var running sync.WaitGroup
	running.Go(func() {
		for name := filepath.Join(dir, "lock"); t.Context().Err() == nil; time.Sleep(100 * time.Millisecond) {
			_ = errors.Join(os.WriteFile(name, nil, 0o600), os.Remove(name))
		}
	})
	t.Cleanup(running.Wait) // before the folder goes
}

const watchedRule = `version: 1
rules:
  - {id: %s, title: Burnt, kind: each, match: {any_of: [burnt]}, dedupe: {by: [author], for: 1h}, severity: 3}
`

// A log that grows beside the rule files must not keep the watch from settling.
func TestWritingBesideRulesIsNoChange(t *testing.T) {
	c := &Config{Rules: []string{"acme.rules", "more/*.yml"}}
	for name, want := range map[string]bool{"acme.rules": true, "more/a.yml": true, "ember.log": false, "d/counts.db": false} {
		if got := c.mayChangeRules(fsnotify.Event{Name: name, Op: fsnotify.Write}); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if !c.mayChangeRules(fsnotify.Event{Name: "..data", Op: fsnotify.Create}) {
		t.Error("a link that is swapped goes unnoticed")
	}
}
