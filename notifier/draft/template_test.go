package draft

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

var full = values{
	slotGreeting: "Hi Maja, ", slotAuthor: "Maja", slotInstruction: "Please unplug it", slotContact + "dm": "https://a.example/x",
	slotSignOff: "Kari, Fjellbryg", slotChecking: "the cause", slotUpdateWhere: "https://a.example", slotBrand: "Fjellbryg Co.",
}

func TestRender(t *testing.T) {
	less := func(slots ...string) values {
		v := maps.Clone(full)
		for _, s := range slots {
			delete(v, s)
		}
		return v
	}
	for _, c := range []struct {
		name, text string
		v          values
		want       string
	}{
		{
			"all is filled", "{{item.author_greeting}}sorry. {{facts.instruction}} Write to {{brand.contact.dm}} now. {{sign_off}}", full,
			"Hi Maja, sorry. Please unplug it. Write to https://a.example/x now. – Kari, Fjellbryg",
		},
		{"a slot within a sentence takes the sentence", "Sorry. Write to {{brand.contact.dm}} now. Bye.", less(slotContact + "dm"), "Sorry. Bye."},
		{"a whole sentence takes no other", "Sorry. {{facts.instruction}} Write to us.", less(slotInstruction), "Sorry. Write to us."},
		{"what leads in goes with it", "Sorry. Please note: {{facts.instruction}} Write to us.", less(slotInstruction), "Sorry. Write to us."},
		{"a full stop of the template is not doubled", "{{facts.instruction}}. Write to us at {{brand.name}}.", full, "Please unplug it. Write to us at Fjellbryg Co."},
		{"the greeting stays when its sentence goes", "{{item.author_greeting}}write to {{brand.contact.dm}} now. Thank you.", less(slotContact + "dm"), "Hi Maja. Thank you."},
		{"no sentence is left", "Write to {{brand.contact.phone}}", full, ""},
		{"a contact before the sign-off", "Here: {{brand.contact.dm}} {{sign_off}}", full, "Here: https://a.example/x – Kari, Fjellbryg"},
		{"only the sign-off is left", "Bye. Here: {{brand.contact.dm}} {{sign_off}}", less(slotContact + "dm"), "Bye. – Kari, Fjellbryg"},
		{"a dash before the sign-off is one dash", "Bye. – {{sign_off}}", full, "Bye. – Kari, Fjellbryg"},
		{"and goes with it", "Bye. – {{sign_off}}", less(slotSignOff), "Bye."},
		{"an abbreviation does not end a sentence", "Wir prüfen z. B. {{facts.checking}}. Danke.", less(slotChecking), "Danke."},
		{"lines stay", "One.\n\n\nTwo {{brand.contact.phone}}.\nThree.", full, "One.\n\nThree."},
		{"the filter", "We check {{ facts.checking | list }}.", full, "We check the cause."},
		{"three dots", "Well... yes.", full, "Well... yes."},
	} {
		tpl, err := parseTemplate(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := tpl.render(c.v, "en"); got != c.want {
			t.Errorf("%s:\ngot  %q\nwant %q", c.name, got, c.want)
		}
	}
}

func TestRenderFrench(t *testing.T) {
	tpl, err := parseTemplate("Pour nous joindre : {{brand.contact.dm}} Vraiment ? « Oui » ; non !")
	if err != nil {
		t.Fatal(err)
	}
	const want = "Pour nous joindre\u00a0: https://a.example/x Vraiment\u00a0? «\u00a0Oui\u00a0»\u00a0; non\u00a0!"
	if got := tpl.render(full, "fr"); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"{{item.text}}", "{{}}", "{{item.author", "{{facts.known | upper}}", "{{brand.contact.}}", "{{{{sign_off}}}}", "{{.Secret}}"} {
		if _, err := parseTemplate(text); err == nil {
			t.Errorf("%q is no error", text)
		}
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"  two \n words ": "two words", "a\u200bb\u202ec": "abc", "e\u0301": "é",
		"<b>x</b>": "", "{{sign_off}}": "", "a}}": "", "None": "", "null": "", "TBD": "", "": "", "\xff": "", "`x`": "",
		strings.Repeat("x", 61): "",
	} {
		if got := clean(in, 60); got != want {
			t.Errorf("clean(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzRender: whatever template and values are, a template that parses renders to text without slots of its own,
// and a value never becomes one.
func FuzzRender(f *testing.F) {
	f.Add("{{item.author_greeting}}sorry. {{facts.instruction}} Write: {{brand.contact.dm}} {{sign_off}}", "Please {{sign_off}} stop.")
	f.Add("a – {{sign_off}}. b.c {{facts.known | list}}؟ d", "\u202e{{.X}}")
	f.Add("z. B. {{availability}}{{availability}}…\n\n x", "…")
	f.Fuzz(func(t *testing.T, text, value string) {
		tpl, err := parseTemplate(text)
		if err != nil {
			return
		}
		v := values{}
		for _, slot := range append(slices.Clone(slots), slotContact+"dm") {
			if x := clean(value, 300); x != "" {
				v[slot] = x
			}
		}
		for _, vals := range []values{v, {}} {
			out := tpl.render(vals, "fr")
			if out != tpl.render(vals, "fr") {
				t.Fatal("not the same twice")
			}
			if strings.Contains(text, "{{") && !strings.Contains(strings.ReplaceAll(text, "{{", ""), "{") && strings.Contains(out, "{{") {
				t.Fatalf("a slot is left: %q", out)
			}
			if utf8.ValidString(text) && !utf8.ValidString(out) {
				t.Fatalf("broken bytes: %q", out)
			}
			if again := tidy(out, "fr"); again != out {
				t.Fatalf("tidy changes what is tidy: %q, %q", out, again)
			}
		}
	})
}
