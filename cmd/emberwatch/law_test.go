package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const (
	module = "emberwatch"
	root   = "../.."
	cmdPkg = "cmd/emberwatch"
)

// rooms in the order of the flow: a package imports its own room's parent and what stands before.
var rooms = []string{"sources", "rules", "detector", "notifier", "cmd"}

// doors are libraries that only one package may know: behind it they can be replaced.
var doors = map[string]string{
	"go.etcd.io/bbolt":           "detector/store",
	"github.com/slack-go/slack":  "notifier/slack",
	"github.com/mmcdole/gofeed":  "sources/feed",
	"github.com/urfave/cli/v2":   cmdPkg,
	"github.com/jdkato/prose/v2": "detector/topics",
	"github.com/lmittmann/tint":  cmdPkg,
}

// pkg is one package of the module with its imports that are no tests'.
type pkg struct {
	ImportPath string
	Imports    []string
}

// TestImportLaw holds the packages to the one law of the house.
func TestImportLaw(t *testing.T) {
	for _, p := range listPackages(t) {
		from := inModule(p.ImportPath)
		for _, i := range p.Imports {
			if to := inModule(i); to != "" {
				if why := unlawful(from, to); why != "" {
					t.Errorf("%s imports %s: %s", from, to, why)
				}
			}
			for lib, only := range doors {
				if within(i, lib) && from != only {
					t.Errorf("%s imports %s: only %q may", from, i, only)
				}
			}
		}
	}
}

// TestTheLawCanBeBroken shows that unlawful finds what it is for, and leaves the rest alone.
func TestTheLawCanBeBroken(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		lawful   bool
	}{
		{"rules", "sources", true},
		{"notifier", "rules", true},
		{"sources/feed", "sources", true},
		{"detector/store", "rules", true},
		{cmdPkg, "notifier/slack", true},
		{cmdPkg, cmdPkg + "/demo", true},
		{cmdPkg + "/demo", "sources/jsonl", true},
		{cmdPkg + "/demo", "sources", true},
		{"detector/sentiment/train", "detector/sentiment", true},
		{"detector/sentiment/train", "detector", true},
		{"detector/sentiment", "detector/sentiment/train", false},
		{"detector/sentiment/train", "detector/store", false},
		{"sources", "rules", false},                 // upstream
		{"detector/sentiment", "notifier", false},   // upstream, by a child
		{"sources", "sources/feed", false},          // a child
		{"sources/feed", "sources/jsonl", false},    // a sibling
		{"notifier/web", "detector/store", false},   // another's child
		{"notifier", "detector/store", false},       // another's child
		{cmdPkg + "/demo", "detector/store", false}, // the recording is a source, no more
		{cmdPkg + "/demo", "rules", false},
		{cmdPkg, "notifier/notifiertest", false}, // tests only
		{"shop", "sources", false},               // no room
		{"detector", "cmd/emberwatch", false},
	} {
		if got := unlawful(tt.from, tt.to); (got == "") != tt.lawful {
			t.Errorf("%s imports %s: lawful should be %t, got %q", tt.from, tt.to, tt.lawful, got)
		}
	}
}

// unlawful says why a package must not import another; empty: it may.
func unlawful(from, to string) string {
	a, b := slices.Index(rooms, room(from)), slices.Index(rooms, room(to))
	isChild := strings.Contains(to, "/")
	switch {
	case a < 0 || b < 0:
		return "it is in no room"
	case strings.HasSuffix(to, "test"):
		return "it is for tests only"
	case from == cmdPkg:
		return ""
	case from == cmdPkg+"/demo":
		if room(to) != "sources" {
			return "the recording is a source and knows no more than that"
		}
		return ""
	case a < b:
		return "it comes later in the flow"
	case strings.HasPrefix(from, to+"/"):
		return "" // the own parent, or its parent
	case strings.HasPrefix(to, from+"/"):
		return "a parent never imports its children"
	case a == b:
		return "siblings never import each other"
	case isChild:
		return "only " + cmdPkg + " imports children"
	}
	return ""
}

func room(p string) string {
	first, _, _ := strings.Cut(p, "/")
	return first
}

// inModule returns the path of a package inside the module; empty: it is none of ours.
func inModule(importPath string) string {
	p, ok := strings.CutPrefix(importPath, module+"/")
	if !ok {
		return ""
	}
	return p
}

func within(importPath, lib string) bool {
	return importPath == lib || strings.HasPrefix(importPath, lib+"/")
}

func listPackages(t *testing.T) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	list.Dir, list.Stderr = root, os.Stderr
	out, err := list.Output()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("no go command here")
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < len(rooms) {
		t.Fatalf("only %d packages were found", len(all))
	}
	return all
}

// TestTopLevel keeps the top of the repository to what its plan names.
func TestTopLevel(t *testing.T) {
	must := []string{"cmd", "detector", "go.mod", "go.sum", "notifier", "rules", "sources", "testdata"}
	may := []string{"README.md", "LICENSE", "Makefile", "Dockerfile", ".ci", ".golangci.yml", ".gitignore", ".git"}
	may = append(may, ignored(t)...)
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
		if !slices.Contains(must, e.Name()) && !slices.Contains(may, e.Name()) {
			t.Errorf("%s is not part of the plan", e.Name())
		}
	}
	for _, name := range must {
		if !slices.Contains(have, name) {
			t.Errorf("%s is missing", name)
		}
	}
}

// ignored returns the plain names that .gitignore lists: what builds leave is no part of the repository.
func ignored(t *testing.T) []string {
	t.Helper()
	data, err := os.ReadFile(path.Join(root, ".gitignore"))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		if name := strings.Trim(strings.TrimSpace(line), "/"); name != "" && !strings.ContainsAny(name, "#*!/") {
			names = append(names, name)
		}
	}
	return names
}
