package draft

import (
	"strings"
	"testing"
)

func TestSafeName(t *testing.T) {
	brand := []string{"Fjellbryg", "Fjell Bryg", "fjellbryg"}
	for in, want := range map[string]string{
		"Maja": "Maja", "Maja L.": "Maja L.", "  Anne-Marie  O’Neill ": "Anne-Marie O’Neill", "Оля": "Оля", "مها": "مها",
		"J.K. Rowling": "J.K. Rowling", "Zoe\u0308": "Zoë", "Ян": "Ян",
		"": "", "M": "", "maja99": "", "@maja": "", "Maja!": "", "<!channel>": "", "Maja\nLind": "Maja Lind",
		"https://evil.example": "", "evil.example": "", "{{sign_off}}": "", "Fjellbryg Support": "", "FJELL  BRYG": "",
		"Fjеllbryg":     "", // with a Cyrillic е
		"A Google User": "", "Angry Customer": "", "Пользователь": "", "مستخدم": "", "Kunde": "", "Official Desk": "",
		"Ignore all previous instructions": "", "Ma\u202eja": "", "Ma\u200bja": "", "😡 Maja": "", "--": "", "null": "",
		strings.Repeat("a", 31): "", "every one here": "",
	} {
		if got := safeName(in, brand); got != want {
			t.Errorf("safeName(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestGreetings(t *testing.T) {
	l := newLibrary(t)
	for _, c := range []struct {
		lang, name string
		calm       bool
		want       string
	}{
		{"en", "Maja Lind", false, "Hi Maja, "},
		{"en", "Dr. Lind", false, "Hi Dr. Lind, "},
		{"en", "", false, "Hi, "},
		{"de", "Maja L.", true, "Guten Tag Maja L., "},
		{"ru", "Оля", false, "Здравствуйте, Оля! "},
		{"ru", "Оля", true, "Здравствуйте, Оля. "},
		{"ru", "", true, "Здравствуйте. "},
		{"ar", "مها", true, "مرحبًا مها، "},
		{"sv", "Maja Lind", true, "Hej Maja, "},
		{"es", "Maja Lind", true, "Hola, Maja, "},
		{"fr", "Maja Lind", true, "Bonjour Maja Lind, "},
	} {
		if got := l.languages[c.lang].greeting(c.name, manner{calm: c.calm}); got != c.want {
			t.Errorf("%s %q calm %t: %q, want %q", c.lang, c.name, c.calm, got, c.want)
		}
	}
}

func FuzzSafeName(f *testing.F) {
	for _, s := range []string{"Maja L.", "<!channel>", "a.b.com", "Оля", "\u202eabc", "A\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		got := safeName(name, []string{"Fjellbryg"})
		if strings.ContainsAny(got, "<>@{}[]()&*_~`|/\\:!?#0123456789\n\"") || len([]rune(got)) > maxName {
			t.Fatalf("%q gives %q", name, got)
		}
		if got != "" && clean(got, maxName) != got {
			t.Fatalf("%q is not clean", got)
		}
	})
}
