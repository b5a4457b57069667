package console

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/rivo/uniseg"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"colours", "a \x1b[1;31mred\x1b[0m b", "a red b"},
		{"clear screen in one character", "a\u009b2Jb", "ab"},
		{"window title", "a\x1b]0;owned\x07b", "ab"},
		{"hyperlink", "\x1b]8;;https://evil.example\x1b\\text\x1b]8;;\x1b\\", "text"},
		{"sequence without an end", "a\x1b[31", "a[31"},
		{"other character set", "a\x1b(0b", "ab"},
		{"reset", "a\x1bcb", "ab"},
		{"escape before an escape", "a\x1b\x1b[31mb", "ab"},
		{"line breaks and tabs", "a\r\nb\tc\vd\u2028e", "a b c d e"},
		{"backspace", "abc\b\b\bxyz", "abcxyz"},
		{"bidi override and isolate", "a\u202eb\u2066c\u200fd\u061ce", "abcde"},
		{"zero width", "a\u200bb\ufeffc\u00add", "abcd"},
		{"tags", "a\U000E0041b", "ab"},
		{"not UTF-8", "a\xffb", "a\ufffdb"},
		{"joiners of Persian and emoji", "می\u200cخواهم 👩\u200d👧", "می\u200cخواهم 👩\u200d👧"},
		{"Arabic and Chinese", "لم يصل 包裹", "لم يصل 包裹"},
		{"tower of accents", "e" + strings.Repeat("\u0301", 50), "e" + strings.Repeat("\u0301", longestCluster-1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, clean(c.in)); diff != "" {
				t.Errorf("clean(%q) (-want +got):\n%s", c.in, diff)
			}
		})
	}
}

func TestCleanLooksAtSoMuchOnly(t *testing.T) {
	for _, s := range []string{strings.Repeat("\x1b]", 1<<20), strings.Repeat("e\u0301", 1<<20), strings.Repeat("é", 1<<20)} {
		if got := clean(s); len(got) > longestText+utf8.UTFMax || strings.ContainsRune(got, 0x1b) {
			t.Errorf("%d bytes are left of %q…", len(got), s[:4])
		}
	}
}

func TestLink(t *testing.T) {
	for in, want := range map[string]string{
		"https://example.com/a?b=c#d":               "https://example.com/a?b=c#d",
		"http://user:secret@example.com/":           "http://example.com/",
		"javascript:alert(1)":                       "",
		"/local":                                    "",
		"https://example.com/\x1b[31m":              "",
		"https://example.com/a b":                   "https://example.com/a%20b",
		"https://example.com/?q=\u202eb":            "https://example.com/?q=b",
		"https://e.com/" + strings.Repeat("a", 400): "",
	} {
		if got := link(in); got != want {
			t.Errorf("link(%q) = %q, want %q", in, got, want)
		}
	}
}

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

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[31mred\x1b]0;t\x07", "\u202egnp\u2066", "包裹 لم يصل", "\xff\x9b\x1b", "e\u0301\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := clean(s)
		if !utf8.ValidString(c) {
			t.Fatalf("clean(%q) is not UTF-8: %q", s, c)
		}
		for _, r := range c + link("https://example.com/"+s) {
			if r < ' ' || r == 0x7f || unicode.IsControl(r) || (unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d') {
				t.Fatalf("clean(%q) leaves %U", s, r)
			}
		}
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
