package rules

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestStarter(t *testing.T) {
	s, errs := Parse(nil, Options{})
	if s == nil || len(errs) > 0 {
		t.Fatalf("the embedded files have problems:\n%s", errs)
	}
	want := []string{"neg-burst", "topic-burst", "volume", "mood", "low-ratings", "spreading", "backlash", "followers", "source-silent", "unfollows", "safety", "privacy-breach", "discrimination", "legal", "death", "minor", "self-harm"}
	if got := ruleIDs(Starter().RulesFor("anything")); !slices.Equal(got, want) {
		t.Errorf("starter rules %v, want %v", got, want)
	}
	if s.Hash == "" || s.Hash != Starter().Hash || len(s.Hash) != 12 {
		t.Errorf("hash %q", s.Hash)
	}
}

// Every category that complains has words in every language we draft in.
func TestLibraryIsWhole(t *testing.T) {
	s := Starter()
	ids := strings.Fields("safety_injury privacy_breach discrimination staff_conduct billing_refund delivery quality_defect outage price misinformation environmental_ethics legal_authority spam_brigade death minor self_harm boycott_cancel waiting press")
	for _, id := range ids {
		c := s.Categories[id]
		if c == nil {
			t.Errorf("no category %s", id)
			continue
		}
		for _, lang := range strings.Fields("en de ru ar sv es fr") {
			if n := len(c.Cues[lang]); n < 10 {
				t.Errorf("%s has %d cues in %s", id, n, lang)
			}
			if c.Solo && len(c.Signs[lang]) < 10 {
				t.Errorf("%s has no signs in %s", id, lang)
			}
		}
		if id != "spam_brigade" && (c.Weight < 0.6 || c.Weight > 0.95) {
			t.Errorf("%s has weight %v", id, c.Weight)
		}
	}
	for _, id := range strings.Fields("legal_authority death minor self_harm") {
		if c := s.Categories[id]; c == nil || !c.NoDraft {
			t.Errorf("%s may be drafted", id)
		}
	}
	for _, id := range strings.Fields("question suggestion praise other") {
		if c := s.Categories[id]; c == nil || c.Sev != Calm || c.Weight != 0 || len(c.Cues) > 0 {
			t.Errorf("%s is %+v", id, c)
		}
	}
}

// No cue of the library is one that can never be found.
func TestLibraryCuesAreFound(t *testing.T) {
	s := Starter()
	for i := range s.index.patterns {
		p := &s.index.patterns[i]
		if !p.isCue() {
			continue
		}
		plain := strings.NewReplacer("*", "", "...", "", "#", "3", "!", "").Replace(p.text)
		for _, text := range choices(plain)[:1] {
			d := Tokenize(text)
			var f finds
			s.index.find(d, "", &f)
			if !slices.ContainsFunc(append(f.found, f.gapped...), func(o occurrence) bool { return o.phrase == int32(i) }) {
				t.Errorf("%q of %s is not found in %q", p.text, s.index.categories[p.owner].ID, text)
			}
		}
	}
}

func ruleIDs(rs []*Rule) []string {
	var ids []string
	for _, r := range rs {
		ids = append(ids, r.ID)
	}
	return ids
}

func TestRulesFor(t *testing.T) {
	const rules = `
brands:
  acme: {names: [Acme]}
  other: {names: [Other]}
rules:
  - {id: mine, title: M, kind: burst, brand: acme, match: {}, floor: {items: 5, authors: 3}}
  - {id: ours, title: O, kind: burst, match: {}, floor: {items: 5, authors: 3}}
  - {id: volume, title: V, kind: burst, brand: acme, match: {}, floor: {items: 7, authors: 7}}
  - {id: off, title: V, kind: burst, enabled: false, match: {}, floor: {items: 7, authors: 7}}
`
	own := must(t, "version: 1\n"+rules)
	packed := must(t, "version: 1\npacks: [starter]\n"+rules)
	without := must(t, "version: 1\npacks: [starter]\n"+rules+"  - {id: mood, enabled: false}\n  - {id: death, brand: other, enabled: false}\n")
	rest := "neg-burst topic-burst mood low-ratings spreading backlash followers source-silent unfollows safety privacy-breach discrimination legal death minor self-harm"
	for _, c := range []struct {
		name, brand, want string
		set               *Set
	}{
		{"named", "acme", "mine ours volume", own},
		{"named, with nothing of its own", "other", "ours", own},
		{"not named", "new", "ours neg-burst topic-burst volume mood low-ratings spreading backlash followers source-silent unfollows safety privacy-breach discrimination legal death minor self-harm", own},
		{"packed", "acme", "mine ours volume " + rest, packed},
		{"packed other", "other", "ours neg-burst topic-burst volume mood low-ratings spreading backlash followers source-silent unfollows safety privacy-breach discrimination legal death minor self-harm", packed},
		{"switched off", "acme", "mine ours volume " + strings.Replace(rest, " mood", "", 1), without},
		{"switched off for other", "other", "ours neg-burst topic-burst volume low-ratings spreading backlash followers source-silent unfollows safety privacy-breach discrimination legal minor self-harm", without},
	} {
		if got := strings.Join(ruleIDs(c.set.RulesFor(c.brand)), " "); got != c.want {
			t.Errorf("%s: rules %s, want %s", c.name, got, c.want)
		}
	}
	if r, ok := own.Rule("mine"); !ok || r.Brand != "acme" {
		t.Errorf("Rule(mine) = %v, %t", r, ok)
	}
	for _, r := range packed.RulesFor("acme") {
		if r.ID == "volume" && r.Floor.Items != 7 {
			t.Error("the starter rule has taken the place of the file's")
		}
	}
}

func TestBrandID(t *testing.T) {
	s := must(t, "version: 1\nbrands:\n  fjellbryg: {names: [Fjellbryg, Fjell Bryg AS, Фьельбрюг]}\n")
	for name, want := range map[string]string{
		"FJELLBRYG": "fjellbryg", " fjell bryg as ": "fjellbryg", "фьельбрюг": "fjellbryg",
		"US Airways": "us-airways", "  --AT&T!": "at-t", "Café Élan": "cafe-elan", "Smørrebrød": "smorrebrod",
		"Яндекс": "b-44fb20fd", "!!!": "",
	} {
		got, known := s.BrandID(name)
		if want == "" || strings.HasPrefix(want, "b-") {
			if !strings.HasPrefix(got, "b-") || known {
				t.Errorf("BrandID(%q) = %q, %t", name, got, known)
			}
			continue
		}
		if got != want || known != (want == "fjellbryg") {
			t.Errorf("BrandID(%q) = %q, %t, want %q", name, got, known, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Draw(t, "name")
		id, _ := s.BrandID(name)
		if !idForm.MatchString(id) {
			t.Errorf("BrandID(%q) = %q is no id", name, id)
		}
		if again, _ := s.BrandID(strings.ToUpper(id)); again != id {
			t.Errorf("the id %q of %q gives %q", id, name, again)
		}
	})
}

func TestRoutesAndPlaybooks(t *testing.T) {
	s := must(t, "version: 1\nroutes: {a: {slack: {user: \"@b\"}}}\nrules:\n  - {id: r, title: R, kind: burst, match: {}, floor: {items: 5, authors: 3}, route: [default, a], playbook: p}\nplaybooks: {p: {}, general-complaints: {}, x: {categories: [price, press]}, price: {}}\n")
	if r := s.Route(DefaultRoute); r.ID != "default" || r.Slack != (Slack{}) {
		t.Errorf("default is %+v", r)
	}
	if r := s.Route("a"); r.Slack.User != "@b" {
		t.Errorf("a is %+v", r)
	}
	for _, c := range []struct {
		rule     *Rule
		category string
		want     string
	}{
		{s.Rules[0], "price", "p"},
		{nil, "price", "price"},
		{&Rule{}, "press", "x"},
		{nil, "", "general-complaints"},
		{nil, "no-such-topic", "general-complaints"},
	} {
		if p := s.PlaybookFor(c.rule, c.category); p == nil || p.ID != c.want && c.want != "x" {
			t.Errorf("the playbook for %q is %v, want %s", c.category, p, c.want)
		}
	}
}

func TestOwns(t *testing.T) {
	b := must(t, fjellbryg).Brands["fjellbryg"]
	for _, c := range []struct {
		network, source, id string
		want                bool
	}{
		{"x", "s", "fjellbryg", true},
		{"X", "s", "@FjellBryg", true},
		{"", "youtube", "UC12", true},
		{"youtube", "", "UC13", false},
		{"mastodon", "s", "fjellbryg", false},
		{"x", "s", "", false},
	} {
		if got := b.Owns(c.network, c.source, c.id); got != c.want {
			t.Errorf("Owns(%q, %q, %q) = %t", c.network, c.source, c.id, got)
		}
	}
}

func TestTerms(t *testing.T) {
	got := must(t, "version: 1\nbrands:\n  a: {names: [Acme, Bolt], products: {p: [Bolt]}, handles: {x: [\"@acme\"]}, hashtags: [go]}\n").Terms()
	if want := []string{"#go", "@acme", "Acme", "Bolt"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestSeverityOrder(t *testing.T) {
	order := []Severity{Crisis, Serious, Issue, Notice, Calm}
	for i, a := range order {
		for j, b := range order {
			if a.GraverThan(b) != (i < j) {
				t.Errorf("%s graver than %s: %t", a, b, a.GraverThan(b))
			}
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"маршрут", "маршурт", 1}, {"", "ab", 2}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
	}
	if utf8.RuneCountInString(Suggest("zzzzzzzz", nil)) == 0 {
		t.Error("no hint when nothing is known")
	}
}

func BenchmarkParse(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Starter()
	}
}

// Why a rule is not in force for a brand is known of each that there is.
func TestIdle(t *testing.T) {
	rule := func(id, more string) string {
		return "  - {id: " + id + ", title: R, kind: burst, match: {}, floor: {items: 5, authors: 3}" + more + "}\n"
	}
	s := must(t, "version: 1\nbrands: {a: {names: [Fjellbryg]}, b: {names: [Havbryg]}}\nrules:\n"+rule("all", "")+rule("own", ", brand: b"))
	off := must(t, "version: 1\npacks: [starter]\nbrands: {a: {names: [Fjellbryg]}}\nrules:\n  - {id: neg-burst, enabled: false}\n")
	for _, c := range []struct {
		set               *Set
		rule, brand, want string
	}{
		{s, "all", "a", ""},
		{s, "own", "b", ""},
		{s, "neg-burst", "unnamed", ""},
		{off, "source-silent", "a", ""},
		{s, "own", "a", `it is of the brand "b"`},
		{s, "neg-burst", "a", "add packs: [starter]"},
		{off, "neg-burst", "a", "r.yml:5:10 switches it off"},
	} {
		if got := c.set.Idle(c.rule, c.brand); got == "" != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s of %s: %q, not %q", c.rule, c.brand, got, c.want)
		}
	}
}
