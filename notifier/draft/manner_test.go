package draft

import (
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

// TestRegisters: each family of networks has its own way of saying who speaks.
func TestRegisters(t *testing.T) {
	for network, want := range map[string]string{
		"reddit":     "I'm sorry about the trouble with yours. I work for Fjellbryg. We'll check",
		"linkedin":   "with yours. I'm writing on behalf of Fjellbryg. We'll check",
		"appstore":   "with yours. Our app support reads every review here. We'll check",
		"trustpilot": "with yours. Thank you for describing it here. We'll check",
		"facebook":   "I'm sorry about the trouble with yours. We'll check",
	} {
		s := makeDrafts(t, newLibrary(t), request(brandSet(), mention("en", "delivery", "…"), network))
		d := draftByID(t, s, "public-full")
		if !strings.Contains(d.Text, want) {
			t.Errorf("%s: %s", network, d.Text)
		}
		if links := strings.Contains(d.Text, "https://"); links == (network == "reddit") {
			t.Errorf("%s: a link %t: %s", network, links, d.Text)
		}
	}
	brief := makeDrafts(t, newLibrary(t), request(brandSet(), mention("en", "delivery", "…"), "youtube"))
	if brief.Drafts[0].ID != "public-short" {
		t.Errorf("YouTube gets %s first", brief.Drafts[0].ID)
	}
	store := makeDrafts(t, newLibrary(t), request(brandSet(), mention("en", "outage", "…"), "googleplay"))
	if store.Playbook != bookApp {
		t.Errorf("an app that does not work has the playbook %s in a store", store.Playbook)
	}
}

// TestFormOfAddress: a brand that says du says Sie to those who complain, unless they say du themselves.
func TestFormOfAddress(t *testing.T) {
	for _, c := range []struct {
		policy, lang, text string
		praise             bool
		want               string
	}{
		{"", "de", "Wo ist mein Paket, kannst du das klären?", false, "Ihrer Bestellnummer"},
		{"Sie", "de", "Wo ist mein Paket, kannst du das klären?", false, "Ihrer Bestellnummer"},
		{"du", "de", "Mein Paket kam nicht.", false, "Ihrer Bestellnummer"},
		{"du", "de", "Mein Paket kam nicht, kannst du mir helfen?", false, "deiner Bestellnummer"},
		{"Sie_in_complaints", "de", "Kannst du mir helfen?", false, "Ihrer Bestellnummer"},
		{"Sie_in_complaints", "de", "Super!", true, "gefällt dir"},
		{"du", "de", "Super!", true, "gefällt dir"},
		{"tú", "es", "¿Me puedes decir tú dónde está mi pedido?", false, "tu número de pedido"},
		{"usted", "es", "¿Dónde está?", false, "su número de pedido"},
	} {
		set := withBrand(func(b *rules.Brand) { b.Tone.Address = map[string]string{c.lang: c.policy} })
		m := mention(c.lang, "delivery", c.text)
		if c.praise {
			m.Category, m.P = "", detector.P{Positive: 1}
		}
		d := draftByID(t, makeDrafts(t, newLibrary(t), request(set, m, "mastodon")), "public-short")
		if g := guardResult(t, d, "G21", levelWarning); !strings.Contains(d.Text, c.want) || !g.Pass || !d.Sendable {
			t.Errorf("%+v: %s %+v", c, d.Text, g)
		}
	}
}

// TestOutOfHours: the draft says when somebody is there, in each language.
func TestOutOfHours(t *testing.T) {
	for _, lang := range tongues {
		r := request(brandSet(), mention(lang, "delivery", "…"), "facebook")
		r.Hours = opens(time.Date(2026, 11, 17, 7, 0, 0, 0, time.UTC))
		for _, d := range makeDrafts(t, newLibrary(t), r).Drafts {
			if g := guardResult(t, d, "G27", levelWarning); !g.Pass || !d.Sendable || !strings.Contains(d.Text, "17") {
				t.Errorf("%s %s: %+v: %s", lang, d.ID, g, d.Text)
			}
		}
	}
}

// TestFactsOfADraft: people see which facts a draft uses, and how far each may be relied on.
func TestFactsOfADraft(t *testing.T) {
	r := request(parseRules(t, brandFile, ownBooks), mention("en", "", "leak"), "mastodon")
	r.Mention.Rules = []string{"leaks"}
	r.Severity = rules.Serious
	r.Incident = &detector.Incident{ID: "fjellbryg-1", FactsAt: theHour.Add(-2 * time.Hour), Facts: map[string]string{
		detector.FactKnown: "the tank can leak", detector.FactCleared + "apology": "true", "since": "noon",
	}}
	s := makeDrafts(t, newLibrary(t), r)
	state := func(fs []notifier.Fact, name string) notifier.FactState {
		i := slices.IndexFunc(fs, func(f notifier.Fact) bool { return f.Name == name })
		if i < 0 {
			return ""
		}
		return fs[i].State
	}
	for name, want := range map[string]notifier.FactState{
		detector.FactKnown: notifier.Stale, detector.FactChecking: notifier.Checking, detector.FactInstruction: notifier.Standing,
		detector.FactCleared + "apology": notifier.Stale, detector.FactCleared + "cause": notifier.Standing, "since": "",
	} {
		if got := state(s.Facts, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	statement := draftByID(t, s, "holding")
	if state(statement.Facts, detector.FactChecking) != notifier.Checking || state(statement.Facts, detector.FactKnown) != "" {
		t.Errorf("the statement's facts: %+v", statement.Facts)
	}
	if len(s.DoNot) != 0 || s.Playbook != "defect-leak" || s.FactsAt.IsZero() {
		t.Errorf("%+v", s)
	}
}
