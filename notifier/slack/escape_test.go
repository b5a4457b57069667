package slack

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"emberwatch/notifier/notifiertest"
)

func TestEscapingKeepsWhatPeopleWroteReadable(t *testing.T) {
	for in, want := range map[string]string{
		"6.1 are usual, from 07:20.": "6.1 are usual, from 07:20.",
		"a & b < c":                  "a &amp; b &lt; c",
		"snake_case_name":            "snake_case_name",
		"_it_ *bold*":                "＿it＿ ∗bold∗",
		"see evil.example":           "see evil.\u2060example",
		"https://evil.example":       "https:\u2060//evil.\u2060example",
		"@here #crisis":              "@\u2060here #\u2060crisis",
		"two\n lines\t here":         "two lines here",
		"a\u202Eb\u200Bc":            "abc",
		"تأخر الطلب":                 "\u2068تأخر الطلب\u2069",
		"":                           "",
	} {
		if got := esc(in, 100); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestCuttingKeepsWholeCharacters(t *testing.T) {
	for _, c := range []struct {
		in   string
		most int
		want string
	}{
		{"abcdef", 6, "abcdef"},
		{"abcdef", 5, "abcd…"},
		{"a&&b", 8, "a&amp;…"},
		{"👩🏽‍🚒👩🏽‍🚒", 8, "👩🏽‍🚒…"},
		{"e\u0301e\u0301e\u0301", 5, "e\u0301e\u0301…"},
		{"مرحبا بكم", 7, "\u2068مرحب…\u2069"},
	} {
		if got := esc(c.in, c.most); got != c.want {
			t.Errorf("%q to %d: %q, want %q", c.in, c.most, got, c.want)
		}
	}
}

func TestClippingSplitsNothing(t *testing.T) {
	s := strings.Repeat("x", 10) + "<!date^1^{date}|then> &amp; " + isolate + "مرحبا" + restore + strings.Repeat("y", 10)
	for most := 3; most < units(s)+2; most++ {
		got := clip(s, most)
		bare := regexp.MustCompile(`<!date\^1\^\{date\}\|then>|&amp;`).ReplaceAllString(got, "")
		if units(got) > most || strings.ContainsAny(bare, "<>&") || strings.Count(got, isolate) != strings.Count(got, restore) {
			t.Errorf("to %d: %q", most, got)
		}
	}
}

func TestLinksAreHarmless(t *testing.T) {
	for in, want := range map[string]string{
		"https://social.example/p/1?a=b&c=d":             "https://social.example/p/1?a=b&c=d",
		"http://x.example/a|b":                           "http://x.example/a%7Cb",
		"javascript:alert(1)":                            "",
		"https://user:pass@x.example/":                   "",
		"//x.example":                                    "",
		"file:///etc/passwd":                             "",
		"https://x.example/" + strings.Repeat("a", 4000): "",
		"": "",
	} {
		if got := webURL(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

var (
	live   = regexp.MustCompile(`[<>]`)
	entity = regexp.MustCompile(`&(amp|lt|gt);`)
	linky  = regexp.MustCompile(`(?i)https?://|www\.\pL|\pL\.\pL|[@#]\pL|[*~` + "`" + `]`)
)

func FuzzEscape(f *testing.F) {
	for _, s := range notifiertest.Hostile() {
		f.Add(s, 80)
	}
	f.Add("0_.A", 80) // what stands for a mark must be no letter: that would make an address of it
	f.Add("A._", 80)
	f.Add("A.`", 80)
	f.Fuzz(func(t *testing.T, s string, most int) {
		most = 4 + abs(most)%400
		got := esc(s, most)
		switch {
		case live.MatchString(got):
			t.Errorf("live: %q", got)
		case strings.Contains(entity.ReplaceAllString(got, ""), "&"):
			t.Errorf("half an entity: %q", got)
		case linky.MatchString(got):
			t.Errorf("a link, a mention or formatting: %q", got)
		}
		for name, out := range map[string]string{"esc": got, "plain": plain(s, most), "lines": lines(s, most), "clip": clip(got, most/2+4)} {
			switch {
			case !utf8.ValidString(out):
				t.Errorf("%s: no UTF-8: %q", name, out)
			case units(out) > most:
				t.Errorf("%s: %d units, at most %d: %q", name, units(out), most, out)
			case strings.Count(out, isolate) != strings.Count(out, restore):
				t.Errorf("%s: direction left open: %q", name, out)
			case strings.ContainsAny(out, "\x00\x1b\r\u202a\u202b\u202d\u202e"):
				t.Errorf("%s: control characters: %q", name, out)
			}
		}
		if u := webURL(s); strings.ContainsAny(u, "<>| \n") {
			t.Errorf("link: %q", u)
		}
	})
}

func FuzzToken(f *testing.F) {
	f.Add("fjellbryg-3|7|tomorrow|Europe/Oslo")
	f.Add("a|1")
	f.Add("|1|")
	f.Fuzz(func(t *testing.T, s string) {
		tok, err := parseToken(s)
		if err != nil {
			return
		}
		again, err := parseToken(tok.String())
		if err != nil || again.incident != tok.incident || again.version != tok.version {
			t.Errorf("%q -> %+v -> %q -> %+v, %v", s, tok, tok, again, err)
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return -(n + 1)
	}
	return n
}
