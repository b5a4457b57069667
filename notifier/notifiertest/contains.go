package notifiertest

import (
	"strings"
	"testing"
)

// contains expects words in what people can read; line breaks and invisible joiners do not matter.
func contains(t *testing.T, shown string, words ...string) {
	t.Helper()
	shown = strings.Join(strings.Fields(strings.ReplaceAll(shown, "\u2060", "")), " ")
	for _, w := range words {
		if !strings.Contains(shown, w) {
			t.Errorf("nobody can read %q", w)
		}
	}
}
