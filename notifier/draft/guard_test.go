package draft

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// draftOf makes the one draft of a playbook with the given text, for a mention that is changed by the test.
func draftOf(t *testing.T, lang, text string, facts map[string]string, change func(*notifier.Request)) notifier.Draft {
	t.Helper()
	own := *brandSet()
	set := &own
	set.Playbooks = map[string]*rules.Playbook{bookGeneral: {
		ID: bookGeneral, Drafts: []rules.Template{{ID: "only", Languages: []string{lang}, Text: text}},
	}}
	r := request(set, mention(lang, "", "It broke."), "facebook")
	r.Incident = &detector.Incident{ID: "fjellbryg-1", Facts: facts, FactsAt: theHour}
	if change != nil {
		change(&r)
	}
	s := makeDrafts(t, newLibrary(t), r)
	if len(s.Drafts) != 1 {
		t.Fatalf("%d drafts", len(s.Drafts))
	}
	return s.Drafts[0]
}

// TestPhraseGuards puts every phrase of every list into a sentence of its language: the guard of the list has to
// find it whatever the case, and must not find it in the middle of a word.
func TestPhraseGuards(t *testing.T) {
	guardOf := map[string]string{
		"liability": "G04", "promise": "G05", "refund": "G05", "blame": "G06", "non_apology": "G08", "minimise": "G08",
		"review_tampering": "G19", "boilerplate": "G24",
	}
	l := newLibrary(t)
	for _, list := range slices.Sorted(maps.Keys(guardOf)) {
		for _, lang := range tongues {
			if len(l.phrases[list][lang]) < 3 {
				t.Errorf("%s has only %d phrases in %s", list, len(l.phrases[list][lang]), lang)
			}
			for _, ph := range l.phrases[list][lang] {
				level := levelHard
				if list == "boilerplate" {
					level = levelWarning
				}
				text := "… " + strings.ToUpper(ph.text) + " …"
				e := &exam{job: &job{lib: l, brand: &rules.Brand{}, sheet: &sheet{}}, flat: flat(text)}
				failed := false
				for _, g := range guards {
					if g.id == guardOf[list] && g.level == level {
						failed = g.test(e) != ""
					}
				}
				if !failed {
					t.Errorf("%s does not find %q (%s, %s)", guardOf[list], ph.text, list, lang)
				}
				if inside := "xx" + ph.text; lang != "ar" && isWord([]rune(ph.text)[0]) && ph.in(inside) {
					t.Errorf("%q is found in %q", ph.text, inside)
				}
			}
		}
	}
}

func TestPhraseMatching(t *testing.T) {
	for _, c := range []struct {
		phrase, lang, text string
		want               bool
	}{
		{"just a", "en", "It was just about there.", false},
		{"just a", "en", "It is Just  a\nscratch.", true},
		{"exager*", "es", "No exageramos.", true},
		{"exager*", "es", "No exagera.", true},
		{"мы признаём вину", "ru", "мы признаем вину", true},
		{"خطؤنا", "ar", "هذا خَطؤُنا", true},
		{"نضمن", "ar", "ونضمن ذلك", true},
		{"مقابل", "ar", "مقابلة صحفية", false},
		{"100%", "en", "It is 100% safe", true},
		{"c'est notre faute", "fr", "C’est notre faute.", true},
	} {
		if got := newPhrase(c.phrase, c.lang).in(flat(c.text)); got != c.want {
			t.Errorf("%q in %q: %t", c.phrase, c.text, got)
		}
	}
}

// TestGuards gives each guard a draft that passes it and one that does not.
func TestGuards(t *testing.T) {
	const bad, good = false, true
	for _, c := range []struct {
		guard, lang, text string
		facts             map[string]string
		change            func(*notifier.Request)
		want              bool
	}{
		{"G01", "en", strings.Repeat("We are looking into it. ", 400), nil, nil, bad},
		{"G02", "en", "We are {{facts.known}} null here.", nil, nil, good}, // the sentence is left out … and nothing is left
		{"G02", "en", "Your order null is on its way.", nil, nil, bad},
		{"G03", "sv", "Bitte schreiben Sie uns, damit wir das prüfen.", nil, nil, bad},
		{"G03", "sv", "Skriv till oss, så tar vi tag i det.", nil, nil, good},
		{"G03", "ru", "Please tell us what happened and when.", nil, nil, bad},
		{"G04", "en", "This was our fault.", nil, nil, bad},
		{"G04", "en", "This was our fault.", map[string]string{"cleared.cause": "true"}, nil, good},
		{"G05", "de", "Wir erstatten den Betrag.", nil, nil, bad},
		{"G05", "de", "Wir erstatten den Betrag.", map[string]string{"cleared.refund": "true"}, nil, good},
		{"G05", "en", "We guarantee it.", map[string]string{"cleared.refund": "true"}, nil, bad},
		{"G06", "en", "It came late from our supplier.", nil, nil, bad},
		{"G07", "en", "Write to maja.lind@mail.example please.", nil, nil, bad},
		{"G07", "en", "Your order 20261116 is found.", nil, nil, bad},
		{"G07", "en", "Call +47 99 88 77 66.", nil, nil, bad},
		{"G07", "en", "Call {{brand.contact.phone}}.", nil, nil, good},
		{"G07", "en", "It is {{now.local}}.", nil, nil, good},
		{"G08", "en", "We are sorry if you were hurt.", nil, nil, bad},
		{"G09", "en", "Thank you!", nil, func(r *notifier.Request) { r.Severity = rules.Serious }, bad},
		{"G09", "en", "Thank you 🙂", nil, func(r *notifier.Request) { r.Mention.Category = "staff_conduct" }, bad},
		{"G09", "en", "Thank you!", nil, func(r *notifier.Request) { r.Severity = rules.Issue }, good},
		{"G10", "en", "See https://elsewhere.example/x for more.", nil, nil, bad},
		{"G10", "en", "See elsewhere.example for more.", nil, nil, bad},
		{"G10", "en", "See https://fjellbryg.example/recall.", nil, nil, good}, // a page of a known host
		{"G10", "en", "See https://fjellbryg.example.evil.example/.", nil, nil, bad},
		{"G10", "en", "See https://fjellbryg.example@evil.example/.", nil, nil, bad},
		{"G10", "en", "We are @fjellbryg there, too.", nil, nil, good},
		{"G17", "en", "We are loo\u200bking into it.", nil, nil, bad},
		{"G17", "en", "We are \u202elooking into it.", nil, nil, bad},
		{"G17", "ar", "للتواصل مع \u2066Fjellbryg\u2069 مباشرة.", nil, nil, bad},
		{"G17", "en", "We are lооking into it.", nil, nil, bad}, // Cyrillic о
		{"G17", "ru", "Мы проверяем Fjellbryg One.", nil, nil, good},
		{"G19", "en", "Would you change your rating?", nil, nil, bad},
		{"G24", "en", "Rest assured that we look into it.", nil, nil, bad},
		{"G25", "en", "What happened? And when?", nil, nil, bad},
		{"G26", "en", "We are looking into it.", nil, nil, bad},
		{"G26", "en", "We are looking into it. {{sign_off}}", nil, nil, good},
	} {
		t.Run(c.guard+" "+c.text[:min(len(c.text), 40)], func(t *testing.T) {
			if c.guard == "G02" && c.want == good {
				c.text += " Thank you."
			}
			d := draftOf(t, c.lang, c.text, c.facts, c.change)
			level := levelHard
			if slices.Contains([]string{"G24", "G25", "G26"}, c.guard) {
				level = levelWarning
			}
			i := slices.IndexFunc(d.Guards, func(g notifier.Guard) bool { return g.ID == c.guard && g.Level == level })
			if i < 0 {
				t.Fatalf("%s was not run", c.guard)
			}
			g := d.Guards[i]
			if g.Pass != c.want || g.Pass != (g.Why == "") {
				t.Errorf("%+v\n%s", g, d.Text)
			}
			if level == levelHard && !g.Pass && d.Sendable {
				t.Error("sendable though a hard guard fails")
			}
		})
	}
}

// TestForbiddenCategoryFailsHard: should a draft be made for one all the same, G20 holds it.
func TestForbiddenCategoryFailsHard(t *testing.T) {
	l := newLibrary(t)
	for _, c := range []string{"legal_authority", "death", "minor", "self_harm"} {
		m := mention("en", c, "…")
		r := request(starter(), m, "x")
		j := l.newJob(&r)
		p := starter().Playbooks[bookHolding]
		v := variant{book: p, template: &p.Drafts[0], lang: "en"}
		v.parsed, _ = parseTemplate(v.template.Text)
		d, _ := j.make(v)
		if g := guardResult(t, d, "G20", levelHard); g.Pass || d.Sendable {
			t.Errorf("%s: %+v", c, g)
		}
	}
}

// TestInstructionGuard: safety and breach need to say what to do, from the text or from the fact sheet.
func TestInstructionGuard(t *testing.T) {
	for _, c := range []struct {
		text  string
		facts map[string]string
		want  bool
	}{
		{"We are sorry to read this.", nil, false},
		{"We are sorry. Please stop using the product.", nil, true},
		{"We are sorry. {{facts.instruction}}", map[string]string{detector.FactInstruction: "Unplug it."}, true},
		{"We are sorry.", map[string]string{detector.FactInstruction: "Unplug it."}, false},
		{"We are sorry. {{facts.instruction}}", map[string]string{detector.FactInstruction + ".de": "Stecker ziehen."}, false},
	} {
		set := starter()
		own := *set
		own.Playbooks = map[string]*rules.Playbook{"safety": {ID: "safety", Drafts: []rules.Template{{ID: "only", Languages: []string{"en"}, Text: c.text}}}}
		r := request(&own, mention("en", "safety_injury", "…"), "facebook")
		r.Incident = &detector.Incident{ID: "b-1", Facts: c.facts, FactsAt: theHour}
		d := draftByID(t, makeDrafts(t, newLibrary(t), r), "only")
		if g := guardResult(t, d, "G11", levelHard); g.Pass != c.want {
			t.Errorf("%q with %v: %+v", c.text, c.facts, g)
		}
	}
}

func TestEveryGuardIsNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	last := ""
	for _, g := range guards {
		if seen[g.id] || g.id < last {
			t.Errorf("%s stands twice or out of order", g.id)
		}
		seen[g.id], last = true, g.id
		if g.level != levelHard && g.level != levelWarning {
			t.Errorf("%s has level %q", g.id, g.level)
		}
	}
}

// TestGuardsAreSaidByTheCatalogue: what each asks for stands there in English as it does here, and in other languages.
func TestGuardsAreSaidByTheCatalogue(t *testing.T) {
	german := (*notifier.Languages)(nil).In("de")
	for _, g := range guards {
		key := "guard." + g.id
		if got := notifier.English().Say(key); got != g.what || german.Say(key) == got {
			t.Errorf("%s: %q, the catalogue says %q", g.id, g.what, got)
		}
	}
	asIs := func(s string) string { return s }
	failed := notifier.Guard{ID: "G05", Level: levelHard, Why: `promises too much: "100 %"`}
	if got, want := german.Failure(&failed, asIs), "keine Zusage, die keine Angabe deckt („100 %“)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := notifier.English().Failure(&failed, asIs); got != failed.Why {
		t.Errorf("in English: %q", got)
	}
}
