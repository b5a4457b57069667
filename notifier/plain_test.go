package notifier_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"emberwatch/notifier"

	"github.com/google/go-cmp/cmp"
)

func TestPlain(t *testing.T) {
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
		{"tower of accents", "e" + strings.Repeat("\u0301", 50), "e" + strings.Repeat("\u0301", 11)},
	} {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, notifier.Plain(c.in)); diff != "" {
				t.Errorf("Plain(%q) (-want +got):\n%s", c.in, diff)
			}
		})
	}
}

func TestPlainLooksAtSoMuchOnly(t *testing.T) {
	for _, s := range []string{strings.Repeat("\x1b]", 1<<20), strings.Repeat("e\u0301", 1<<20), strings.Repeat("é", 1<<20)} {
		if got := notifier.Plain(s); len(got) > 8<<10+utf8.UTFMax || strings.ContainsRune(got, 0x1b) {
			t.Errorf("%d bytes are left of %q…", len(got), s[:4])
		}
	}
}

func TestWebAddress(t *testing.T) {
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
		if got := notifier.WebAddress(in); got != want {
			t.Errorf("WebAddress(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzPlain(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[31mred\x1b]0;t\x07", "\u202egnp\u2066", "包裹 لم يصل", "\xff\x9b\x1b", "e\u0301\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := notifier.Plain(s)
		if !utf8.ValidString(c) {
			t.Fatalf("Plain(%q) is not UTF-8: %q", s, c)
		}
		for _, r := range c + notifier.WebAddress("https://example.com/"+s) {
			if r < ' ' || r == 0x7f || unicode.IsControl(r) || (unicode.Is(unicode.Cf, r) && r != '\u200c' && r != '\u200d') {
				t.Fatalf("Plain(%q) leaves %U", s, r)
			}
		}
	})
}
