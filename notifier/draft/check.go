package draft

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
	"emberwatch/sources"
)

// Check runs the hard guards over every template that can be chosen: each language and network, with fixture
// facts and with none, for the brands of the set and for one that no file names, at the gravest severity, where
// most is forbidden. A problem is an E08 at the place of the template. What Check lets pass can fail later only
// by the values of the day.
func (l *Library) Check(set *rules.Set) rules.Errors {
	var errs rules.Errors
	for _, id := range slices.Sorted(maps.Keys(set.Playbooks)) {
		p := set.Playbooks[id]
		if p.Embedded {
			continue // a test looks at every one of these
		}
		for i := range p.Drafts {
			if why := l.checkTemplate(set, p, &p.Drafts[i]); why != "" {
				errs = append(errs, &rules.Error{
					Pos: p.Drafts[i].Pos, ID: "E08", Level: rules.LevelError,
					What: fmt.Sprintf("the draft %q of the playbook %q is not sendable: %s", p.Drafts[i].ID, id, why),
					Why:  "nobody could use it in the hour it is meant for",
					Hint: "change the text, or clear the fact in facts.cleared",
				})
			}
		}
	}
	return errs
}

// checkTemplate returns why a template can fail, or "".
func (l *Library) checkTemplate(set *rules.Set, p *rules.Playbook, t *rules.Template) string {
	parsed, err := parseTemplate(t.Text)
	if err != nil {
		return err.Error()
	}
	languages := t.Languages
	if len(languages) == 0 {
		languages = []string{fallbackLanguage}
	}
	for _, lang := range languages {
		v := variant{book: p, template: t, parsed: parsed, lang: baseLanguage(lang)}
		for _, brand := range append(slices.Sorted(maps.Keys(set.Brands)), "") {
			for _, facts := range []bool{false, true} {
				if why := l.checkVariant(fixture(set, p, brand, v.lang, facts), v); why != "" {
					return fmt.Sprintf("%s (%s)", why, v.lang)
				}
			}
		}
	}
	return ""
}

// checkVariant writes the draft for each network that can choose it, and guards each text once. A template
// that names no network need not fit all of them.
func (l *Library) checkVariant(r notifier.Request, v variant) string {
	j := l.newJob(&r)
	j.playbook = v.book
	j.grave = j.isGrave()
	j.readFacts()
	j.network = l.networks.find()
	free, freely := j.write(v)
	seen := map[string]bool{}
	for _, n := range append(slices.Clone(l.networks.rows), l.networks.find()) {
		exact := l.networks.named(v.template.Networks, n)
		if exact == 0 {
			continue
		}
		vals, text := free, freely
		if j.network = n; !n.fits(text) {
			vals, text = j.write(v)
		}
		if fits := n.fits(text); seen[text] && fits || !fits && exact == 1 {
			continue
		}
		seen[text] = true
		if g := firstFailed(j.guard(v, vals, text)); g != nil {
			return g.ID + ": " + g.Why
		}
	}
	return ""
}

// fixture is a request that leads to the playbook, with a name to greet and, if asked for, facts.
func fixture(set *rules.Set, p *rules.Playbook, brand, lang string, facts bool) notifier.Request {
	at := time.Date(2026, 11, 16, 9, 30, 0, 0, time.UTC)
	name := "Kim Berg"
	if lang == "ru" {
		name = "Оля"
	}
	m := detector.Judged{Brand: brand, Lang: lang, P: detector.P{Negative: 1}, Mention: sources.Mention{ID: "fixture", Kind: sources.Comment}}
	inc := &detector.Incident{ID: brand + "-1", Brand: brand, Playbook: p.ID, Severity: rules.Crisis}
	if facts {
		m.Mention.Author.Name = name
		inc.FactsAt = at
		inc.Facts = map[string]string{
			detector.FactNextUpdate: at.Add(3 * time.Hour).Format(time.RFC3339), detector.FactNextContact: at.Add(time.Hour).Format(time.RFC3339),
		}
	}
	return notifier.Request{Mention: m, Incident: inc, Severity: rules.Crisis, Rules: set, Now: at}
}
