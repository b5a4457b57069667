package draft

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// fixtures are the texts of testdata/guards.yml for one language.
type fixtures struct {
	Base    string              `yaml:"base"`
	Said    string              `yaml:"said"`
	Safe    string              `yaml:"safe"`
	Thanks  string              `yaml:"thanks"`
	Carries string              `yaml:"carries"`
	Add     map[string][]string `yaml:"add"`
	Instead map[string]string   `yaml:"instead"`
}

func loadFixtures(t *testing.T) map[string]*fixtures {
	t.Helper()
	data, err := os.ReadFile("testdata/guards.yml")
	if err != nil {
		t.Fatal(err)
	}
	var f map[string]*fixtures
	if err := yaml.Load(data, &f, yaml.WithKnownFields()); err != nil {
		t.Fatal(err)
	}
	return f
}

// bench puts a text before the guards: as the only draft of a playbook, for a late delivery unless changed.
type bench struct {
	t    *testing.T
	lang string
	f    *fixtures
}

func (b bench) draft(text string, change func(r *notifier.Request, p *rules.Playbook)) notifier.Draft {
	b.t.Helper()
	return b.edited(text, text, change)
}

// edited is a draft of a template whose text somebody has changed.
func (b bench) edited(template, text string, change func(r *notifier.Request, p *rules.Playbook)) notifier.Draft {
	b.t.Helper()
	own := withBrand(func(b *rules.Brand) { b.Tone.SignOff = "" })
	p := &rules.Playbook{ID: "delivery", Drafts: []rules.Template{{ID: "only", Languages: []string{b.lang}, Text: template}}}
	r := request(own, mention(b.lang, "delivery", b.f.Said), "facebook")
	r.Severity = rules.Serious
	if change != nil {
		change(&r, p)
	}
	own.Playbooks = map[string]*rules.Playbook{p.ID: p}
	l := newLibrary(b.t)
	j := l.newJob(&r)
	j.playbook = p
	j.grave = j.isGrave()
	j.readFacts()
	parsed, err := parseTemplate(template)
	if err != nil {
		b.t.Fatal(err)
	}
	v := variant{book: p, template: &p.Drafts[0], parsed: parsed, lang: b.lang, origin: notifier.Reviewed}
	vals, written := j.write(v)
	if text != template {
		written = text
	}
	return j.examine(v, vals, written)
}

// holds checks one guard of a draft.
func (b bench) holds(d notifier.Draft, id string, want bool) {
	b.t.Helper()
	g := levelOf(id)
	if got := guardResult(b.t, d, id, g); got.Pass != want {
		b.t.Errorf("%s in %s: pass %t, want %t (%s)\n%s", id, b.lang, got.Pass, want, got.Why, d.Text)
	}
	if !want && g == levelHard && d.Sendable {
		b.t.Errorf("%s in %s fails and the draft can be sent", id, b.lang)
	}
}

func levelOf(id string) string {
	for _, g := range guards {
		if g.id == id {
			return g.level
		}
	}
	return ""
}

// TestGuardsInEveryLanguage gives each guard, in each language, a text that passes and one that does not.
func TestGuardsInEveryLanguage(t *testing.T) {
	all := loadFixtures(t)
	checked := map[string]bool{}
	for _, lang := range tongues {
		b := bench{t, lang, all[lang]}
		base := b.draft(b.f.Base, nil)
		for _, g := range base.Guards {
			if !g.Pass {
				t.Errorf("the base in %s fails %s: %s", lang, g.ID, g.Why)
			}
			if g.What == "" {
				t.Errorf("%s does not say what it looks at", g.ID)
			}
		}
		for id, texts := range b.f.Add {
			for _, text := range texts {
				b.holds(b.edited(b.f.Base, b.f.Base+" "+text, nil), id, false)
				checked[lang+id] = true
			}
		}
		for id, text := range b.f.Instead {
			b.holds(b.draft(text, nil), id, false)
			checked[lang+id] = true
		}
		for id, f := range circumstances {
			f(b)
			checked[lang+id] = true
		}
		for _, g := range guards {
			if !checked[lang+g.id] && !(g.id == "G21" && lang == "en") { // English has one form of address
				t.Errorf("%s has no fixture in %s", g.id, lang)
			}
		}
	}
	t.Logf("%d guards checked in %d languages", len(guards), len(tongues))
}

// circumstances are the guards that depend on more than the words.
var circumstances = map[string]func(b bench){
	"G01": func(b bench) {
		b.holds(b.draft(strings.Repeat(b.f.Base+" ", 400), nil), "G01", false)
	},
	"G02": func(b bench) {
		b.holds(b.draft(b.f.Base+" null", nil), "G02", false)
		b.holds(b.draft("{{facts.known}}", nil), "G02", false)
	},
	"G11": func(b bench) {
		injury := func(_ *notifier.Request, p *rules.Playbook) { p.ID = bookSafety }
		b.holds(b.draft(b.f.Safe, injury), "G11", true)
		b.holds(b.draft(b.f.Base, injury), "G11", false)
	},
	"G13": func(b bench) {
		next := func(at time.Time, hours func(time.Time) time.Time) func(*notifier.Request, *rules.Playbook) {
			return func(r *notifier.Request, _ *rules.Playbook) {
				r.Incident = &detector.Incident{ID: "b-1", FactsAt: theHour, Facts: map[string]string{detector.FactNextContact: at.Format(time.RFC3339)}}
				r.Hours = hours
			}
		}
		text := b.f.Base + " ({{next_contact.local}})"
		b.holds(b.draft(text, next(theHour.Add(time.Hour), nil)), "G13", true)
		b.holds(b.draft(text, next(theHour.Add(-time.Hour), nil)), "G13", false)
		b.holds(b.draft(text, next(theHour.Add(time.Hour), opens(theHour.Add(20*time.Hour)))), "G13", false)
		b.holds(b.draft(text, next(theHour.Add(21*time.Hour), opens(theHour.Add(20*time.Hour)))), "G13", true)
	},
	"G15": func(b bench) {
		sheet := func(age time.Duration, stale string) func(*notifier.Request, *rules.Playbook) {
			return func(r *notifier.Request, _ *rules.Playbook) {
				r.Incident = &detector.Incident{ID: "b-1", FactsAt: theHour.Add(-age), Facts: map[string]string{
					detector.FactKnown: factsIn[b.lang][detector.FactKnown], detector.FactStale: stale,
				}}
			}
		}
		text := b.f.Base + " {{facts.known | list}}."
		b.holds(b.draft(text, sheet(time.Minute, "")), "G15", true)
		b.holds(b.draft(text, sheet(2*time.Hour, "")), "G15", false)
		b.holds(b.draft(text, sheet(time.Minute, "true")), "G15", false)
		b.holds(b.draft(b.f.Base, sheet(2*time.Hour, "")), "G15", true) // holds no fact
	},
	"G16": func(b bench) {
		nobody := func(_ *notifier.Request, p *rules.Playbook) {
			p.Approve = map[rules.Severity][]string{rules.Serious: {}}
		}
		b.holds(b.draft(b.f.Base, nobody), "G16", false)
	},
	"G20": func(b bench) {
		for _, c := range []string{"legal_authority", "death", "minor", "self_harm"} {
			of := func(r *notifier.Request, _ *rules.Playbook) { r.Mention.Category = c }
			b.holds(b.draft(b.f.Base, of), "G20", false)
		}
	},
	"G22": func(b bench) {
		said := func(texts ...string) func(*notifier.Request, *rules.Playbook) {
			return func(r *notifier.Request, _ *rules.Playbook) { r.Sent = texts }
		}
		greeting := newLibrary(b.t).languages[b.lang].greeting("Ann", manner{calm: true})
		b.holds(b.draft(b.f.Base, said(greeting+b.f.Base)), "G22", false)
		b.holds(b.draft(b.f.Base, said(b.f.Safe)), "G22", true)
	},
	"G26": func(b bench) {
		signs := func(r *notifier.Request, _ *rules.Playbook) { r.Rules.Brands["fjellbryg"].Tone.SignOff = "Kim" }
		b.holds(b.draft(b.f.Base, signs), "G26", false)
		b.holds(b.draft(b.f.Base+" {{sign_off}}", signs), "G26", true)
	},
	"G27": func(b bench) {
		away := func(r *notifier.Request, _ *rules.Playbook) { r.Hours = opens(theHour.Add(20 * time.Hour)) }
		b.holds(b.draft(b.f.Base, away), "G27", false)
		b.holds(b.draft(b.f.Base+" {{availability}}", away), "G27", true)
	},
	"G31": func(b bench) {
		praise := func(r *notifier.Request, p *rules.Playbook) {
			p.ID, r.Mention.P, r.Mention.Category, r.Severity = bookPraise, detector.P{Positive: 1}, "", rules.Calm
		}
		b.holds(b.draft(b.f.Thanks, praise), "G31", false)
		b.holds(b.draft(b.f.Carries, praise), "G31", true)
	},
	"G32": func(b bench) {
		old := func(r *notifier.Request, _ *rules.Playbook) {
			r.Incident = &detector.Incident{ID: "b-1"}
			r.Mention.Mention.CreatedAt = theHour.AddDate(0, -1, 0)
		}
		copied := func(r *notifier.Request, _ *rules.Playbook) {
			r.Incident = &detector.Incident{ID: "b-1", Evidence: detector.Evidence{Copied: 38, Total: 60}}
		}
		b.holds(b.draft(b.f.Base, old), "G32", false)
		b.holds(b.draft(b.f.Base, copied), "G32", false)
	},
}

// opens is a desk that is closed until a time.
func opens(at time.Time) func(time.Time) time.Time {
	return func(t time.Time) time.Time {
		if t.Before(at) {
			return at
		}
		return t
	}
}

// TestEveryPhraseListSpeaksEveryLanguage: a guard that is silent in one language is none there.
func TestEveryPhraseListSpeaksEveryLanguage(t *testing.T) {
	l := newLibrary(t)
	for _, list := range slices.Sorted(maps.Keys(l.phrases)) {
		for _, lang := range tongues {
			if len(l.phrases[list][lang]) == 0 {
				t.Errorf("%s has no phrases in %s", list, lang)
			}
		}
	}
}

// TestOwnPlaybooksHaveTheirOwnWords: what a brand writes about its own trouble need not use our words for it.
func TestOwnPlaybooksHaveTheirOwnWords(t *testing.T) {
	for _, c := range []struct {
		text string
		want bool
	}{
		{"{{item.author_greeting}}water on the counter is nothing a coffee machine should leave. {{facts.instruction}} Send us the serial number: {{brand.contact.dm}}", true},
		{"{{item.author_greeting}}send us the serial number of it. We'll look.", false},
		{"{{item.author_greeting}}oh no. Send us the serial number.", false},
		{"{{item.author_greeting}}water on the counter is nothing it should leave.", false},
	} {
		b := bench{t, "en", loadFixtures(t)["en"]}
		d := b.draft(c.text, func(_ *notifier.Request, p *rules.Playbook) { p.ID = "defect-leak" })
		b.holds(d, "G14", c.want)
	}
}
