package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// readmeBlock is the first block of YAML in the README after a text.
func readmeBlock(t *testing.T, after string) string {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), after)
	_, rest, _ = strings.Cut(rest, "```yaml\n")
	block, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatalf("README has no example after %q", after)
	}
	return block
}

// The first rules of the README and the tests below them are one file, which passes.
func TestRulesOfTheREADME(t *testing.T) {
	inFull(t)
	file := writeFile(t, filepath.Join(t.TempDir(), "fjellbryg.yml"), readmeBlock(t, "## Your first rule")+readmeBlock(t, "### Rules that are tested"))
	if code, out, _ := invoke(t, "check", file); code != exitOK || !strings.Contains(out, "; 0 errors") {
		t.Errorf("check: exit code %d\n%s", code, out)
	}
	if code, out, errs := invoke(t, "rules", "test", file); code != exitOK || !strings.Contains(out, "2 tests, 0 failed") {
		t.Errorf("rules test: exit code %d\n%s%s", code, out, errs)
	}
}

// The pieces of rule files that the README shows belong into one like the first.
func TestPiecesOfRulesInTheREADME(t *testing.T) {
	first := readmeBlock(t, "## Your first rule")
	head, rulesOfIt, _ := strings.Cut(first, "rules:\n")
	availability, unanswered, _ := strings.Cut(readmeBlock(t, "stopped by the first answer in words"), "rules:\n")
	for name, text := range map[string]string{
		"answer clocks": head + availability + "rules:\n" + rulesOfIt + unanswered,
		"lexicon":       readmeBlock(t, "Words that mean something else at your brand"),
	} {
		file := writeFile(t, filepath.Join(t.TempDir(), "rules.yml"), text)
		if code, out, _ := invoke(t, "check", file); code != exitOK || !strings.Contains(out, "; 0 errors") {
			t.Errorf("%s: exit code %d\n%s", name, code, out)
		}
	}
}
