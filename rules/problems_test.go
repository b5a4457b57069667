package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every id that the program tells is described, once, and nothing is described that it cannot tell.
func TestEveryProblemIsDescribed(t *testing.T) {
	described := map[string]bool{}
	for _, p := range Problems() {
		if described[p.ID] || p.What == "" || !strings.HasSuffix(p.Why, ".") {
			t.Errorf("%+v", p)
		}
		described[p.ID] = true
	}
	told := map[string]bool{"config": true} // what the program says of its own configuration
	form := regexp.MustCompile(`"([EW]\d\d|syntax|limit|key|type)"`)
	for _, pattern := range []string{"*.go", "../detector/*.go", "../notifier/draft/*.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") || f == "problems.go" {
				continue
			}
			data, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range form.FindAllStringSubmatch(string(data), -1) {
				told[m[1]] = true
			}
		}
	}
	for id := range told {
		if !described[id] {
			t.Errorf("%s is told and not described", id)
		}
	}
	for id := range described {
		if !told[id] {
			t.Errorf("%s is described and never told", id)
		}
	}
}
