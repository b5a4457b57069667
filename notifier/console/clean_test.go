package console

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"

	"emberwatch/notifier"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		name  string
		in    string
		width int
		want  []string
	}{
		{"nothing", "", 10, nil},
		{"at blanks", "one two three", 8, []string{"one two", "three"}},
		{"exactly full", "12345 789", 9, []string{"12345 789"}},
		{"a word that is too long", "abcdefgh ij", 5, []string{"abcde", "fgh", "ij"}},
		{"Chinese counts two columns", "包裹还没有到", 6, []string{"包裹还", "没有到"}},
		{"a family stays together", "👩\u200d👧👩\u200d👧", 3, []string{"👩\u200d👧", "👩\u200d👧"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, wrap(c.in, c.width)); diff != "" {
				t.Errorf("wrap(%q, %d) (-want +got):\n%s", c.in, c.width, diff)
			}
		})
	}
}

func FuzzFit(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[31mred\x1b]0;t\x07", "\u202egnp\u2066", "包裹 لم يصل", "\xff\x9b\x1b", "e\u0301\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := notifier.Plain(s)
		for _, line := range wrap(c, 40) {
			if w := uniseg.StringWidth(line); w > 40 {
				t.Fatalf("wrap(%q): line %q has %d columns", c, line, w)
			}
		}
		if w := uniseg.StringWidth(cut(c, 20)); w > 20 {
			t.Fatalf("cut(%q) has %d columns", c, w)
		}
	})
}
