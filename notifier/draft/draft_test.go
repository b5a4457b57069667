package draft

import (
	"context"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
	"emberwatch/sources"
)

func TestSuggestions(t *testing.T) {
	set := brandSet()
	praise := func(m *detector.Judged) { m.P = detector.P{Positive: 0.9, Neutral: 0.1} }
	for _, c := range []struct {
		name   string
		change func(m *detector.Judged)
		want   notifier.Suggest
		why    string
		first  string // id of the first draft; "" is no draft
	}{
		{"a complaint is answered", func(m *detector.Judged) {}, notifier.Reply, "general-complaints", "public-full"},
		{"so is a complaint of a category", func(m *detector.Judged) { m.Category = "delivery" }, notifier.Reply, "delivery", "public-full"},
		{"an injury has the playbook of safety", func(m *detector.Judged) { m.Category = "safety_injury" }, notifier.Reply, "safety", "public-full"},
		{"a lawyer is not answered in public", func(m *detector.Judged) { m.Category = "legal_authority" }, notifier.Handover, "legal", ""},
		{"nor where the lawyer is only mentioned", func(m *detector.Judged) {
			m.Category = "delivery"
			m.Categories = []string{"delivery", "legal_authority"}
		}, notifier.Handover, "legal", ""},
		{"nor is a death", func(m *detector.Judged) { m.Category = "death" }, notifier.Handover, "crisis lead", ""},
		{"nor a child", func(m *detector.Judged) { m.Category = "minor" }, notifier.Handover, "child", ""},
		{"nor self-harm", func(m *detector.Judged) { m.Category = "self_harm" }, notifier.Handover, "harm themselves", ""},
		{"spam is watched", func(m *detector.Judged) { m.Category = "spam_brigade" }, notifier.Monitor, "do not engage", ""},
		{"what we wrote is watched", func(m *detector.Judged) { m.Own = true }, notifier.Monitor, "the brand itself", ""},
		{"praise may be thanked for", praise, notifier.Monitor, "thanks", "public-short"},
		{"praise with a question is answered", func(m *detector.Judged) { praise(m); m.Mention.Text = "Great! Is there a bigger one?" }, notifier.Reply, "praise", "public-short"},
		{"two stars are no praise", func(m *detector.Judged) { praise(m); m.Mention.Rating = 2 }, notifier.Reply, "general-complaints", "public-full"},
		{"praise of the delivery is praise", func(m *detector.Judged) { praise(m); m.Category = "delivery" }, notifier.Monitor, "praise", "public-short"},
		{"a question is answered", func(m *detector.Judged) {
			m.P = detector.P{Neutral: 1}
			m.Mention.Text = "هل يعمل مع البطاقات؟"
		}, notifier.Reply, "question", "public-full"},
		{"an article is not", func(m *detector.Judged) { m.Mention.Kind = sources.Article }, notifier.Monitor, "newsroom", "holding"},
		{"a like has no words", func(m *detector.Judged) { m.Mention.Kind = sources.Like; m.Mention.Text = "" }, notifier.Monitor, "without words", ""},
		{"a private message gets a private answer", func(m *detector.Judged) { m.Mention.Kind = sources.DM }, notifier.Reply, "general-complaints", "private"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mention("en", "", "It never arrived")
			c.change(&m)
			s := makeDrafts(t, newLibrary(t), request(set, m, "facebook"))
			if s.Suggest != c.want || !strings.Contains(s.Why, c.why) {
				t.Errorf("%s because %q, want %s because of %q", s.Suggest, s.Why, c.want, c.why)
			}
			if s.Drafts == nil {
				t.Error("drafts are null, not an empty list")
			}
			got := ""
			if len(s.Drafts) > 0 {
				got = s.Drafts[0].ID
			}
			if got != c.first && !(c.first == "public-short" && got == "public-full") {
				t.Errorf("first draft is %q, want %q", got, c.first)
			}
		})
	}
}

func TestPrivateMessagesGetNoPublicText(t *testing.T) {
	m := mention("de", "billing_refund", "Wo bleibt mein Geld?")
	m.Mention.Visibility = sources.Private
	r := request(brandSet(), m, "instagram")
	r.Severity = rules.Crisis
	for _, d := range makeDrafts(t, newLibrary(t), r).Drafts {
		if d.ID != "private" {
			t.Errorf("%s: %s", d.ID, d.Text)
		}
	}
}

const ownBooks = `
version: 1
routes: {desk: {slack: {channel: "#pr"}}}
rules:
  - {id: leaks, title: Leaks, kind: burst, brand: fjellbryg, match: {any_of: [leak]}, window: [1h], floor: {items: 3, authors: 3}, budget: {severity_2: 1/month}, route: desk, playbook: defect-leak}
  - {id: many, title: Many, kind: burst, brand: fjellbryg, match: {sentiment: negative}, window: [1h], floor: {items: 3, authors: 3}, budget: {severity_3: 1/week}, route: desk, playbook: general-complaints}
playbooks:
  defect-leak:
    cluster: accidental
    facts:
      checking: ["what causes the leak", "which weeks are affected"]
      instruction: {en: "Please unplug the machine and empty the tank.", de: "Bitte ziehen Sie den Netzstecker."}
      next_update: {in: 3h, where: "{{brand.contact.status}}"}
      cleared: {cause: false}
    approve: {severity_1: [pr-lead, legal], severity_2: [pr-lead]}
    drafts:
      - id: public-short
        for: {networks: [x, bluesky, mastodon], languages: [en]}
        text: >-
          {{item.author_greeting}}water on the counter is not what a coffee machine should do, I'm sorry. {{facts.instruction}}
          Send us the serial number here: {{brand.contact.dm}} and you will hear from us by {{next_contact.local}}. {{sign_off}}
      - id: public-short
        for: {languages: [de]}
        text: "{{item.author_greeting}}das darf nicht sein. {{facts.instruction}} {{sign_off}}"
      - id: public-short
        for: {languages: [sv]}
        text: "{{item.author_greeting}}så ska det inte vara. {{facts.instruction}} {{sign_off}}"
      - id: holding
        for: {kind: holding_statement, languages: [en]}
        text: >-
          {{now.local}}: We know that tanks of the Fjellbryg One are leaking for some of you. {{facts.instruction}}
          We are checking {{facts.checking | list}}. Next update at {{facts.next_update.time}} on {{facts.next_update.where}}.
`

// TestFactSheet follows the worked example: the playbook's facts, then what people add to the incident.
func TestFactSheet(t *testing.T) {
	l, set := newLibrary(t), parseRules(t, brandFile, ownBooks)
	m := mention("en", "", "leak")
	m.Rules = []string{"leaks"}
	r := request(set, m, "mastodon")
	r.Severity = rules.Serious
	s := makeDrafts(t, l, r)
	const bare = "Hi Maja, water on the counter is not what a coffee machine should do, I'm sorry. " +
		"Please unplug the machine and empty the tank. – Fjellbryg"
	if got := draftByID(t, s, "public-short").Text; got != bare {
		t.Errorf("got  %s\nwant %s", got, bare)
	}
	const statement = "16 Nov 2026, 10:30 CET: We know that tanks of the Fjellbryg One are leaking for some of you. " +
		"Please unplug the machine and empty the tank. We are checking what causes the leak and which weeks are affected. " +
		"Next update at 13:30 CET on https://status.fjellbryg.example."
	if got := draftByID(t, s, "holding").Text; got != statement {
		t.Errorf("got  %s\nwant %s", got, statement)
	}
	if !slices.Equal(s.Approve, []string{"pr-lead"}) {
		t.Errorf("approve %v", s.Approve)
	}

	r.Incident = &detector.Incident{ID: "fjellbryg-1", FactsAt: theHour.Add(-10 * time.Minute), Facts: map[string]string{
		detector.FactNextContact: "2026-11-17T08:00:00Z", detector.FactInstruction + ".en": "Please stop using the machine.",
	}}
	const told = "Hi Maja, water on the counter is not what a coffee machine should do, I'm sorry. Please stop using the machine. " +
		"Send us the serial number here: https://fjellbryg.example/contact and you will hear from us by 17 Nov 2026, 09:00 CET. – Fjellbryg"
	d := draftByID(t, makeDrafts(t, l, r), "public-short")
	if d.Text != told || !d.Sendable {
		t.Errorf("sendable %t\ngot  %s\nwant %s", d.Sendable, d.Text, told)
	}

	r.Now = theHour.Add(2 * time.Hour)
	d = draftByID(t, makeDrafts(t, l, r), "public-short")
	if g := guardResult(t, d, "G15", levelHard); g.Pass || d.Sendable {
		t.Errorf("a fact sheet of %s ago still counts: %+v", r.Now.Sub(r.Incident.FactsAt), g)
	}
}

func TestInstructionInTheWrongLanguage(t *testing.T) {
	m := mention("sv", "", "läcker")
	m.Rules = []string{"leaks"}
	d := draftByID(t, makeDrafts(t, newLibrary(t), request(parseRules(t, brandFile, ownBooks), m, "reddit")), "public-short")
	if g := guardResult(t, d, "G11", levelHard); g.Pass || d.Sendable {
		t.Errorf("sent without the instruction in Swedish: %s", d.Text)
	}
}

// TestPlaybookOfTheMatter: the general playbook of a rule stands back behind that of the category, a specific
// one does not, and harm goes before all.
func TestPlaybookOfTheMatter(t *testing.T) {
	l, set := newLibrary(t), parseRules(t, brandFile, ownBooks)
	for _, c := range []struct {
		rule, category, incident, want string
	}{
		{"many", "delivery", "", "playbook delivery"},
		{"many", "", "", "playbook general-complaints"},
		{"leaks", "quality_defect", "", "playbook defect-leak"},
		{"leaks", "safety_injury", "defect-leak", "playbook safety"},
		{"", "delivery", "apologise-for-answer", "playbook apologise-for-answer"},
		{"", "other", "", "playbook general-complaints"},
	} {
		m := mention("en", c.category, "…")
		m.Rules = []string{c.rule}
		r := request(set, m, "reddit")
		r.Incident = &detector.Incident{ID: "fjellbryg-1", Playbook: c.incident}
		if s := makeDrafts(t, l, r); !strings.HasPrefix(s.Why, c.want) {
			t.Errorf("%+v: %s", c, s.Why)
		}
	}
}

func TestLanguages(t *testing.T) {
	l, set := newLibrary(t), brandSet()
	for _, c := range []struct {
		mention, hint, want string
		marked              bool
	}{
		{"fr", "", "fr", false},
		{"und", "es-MX", "es", false},
		{"pl", "", "de", true}, // the brand's first
		{"und", "", "de", true},
		{"", "", "de", true},
	} {
		m := mention(c.mention, "delivery", "…")
		m.Mention.Lang = c.hint
		d := makeDrafts(t, l, request(set, m, "x")).Drafts[0]
		if d.Lang != c.want || !d.Sendable {
			t.Errorf("%q/%q: %s, sendable %t; want %s", c.mention, c.hint, d.Lang, d.Sendable, c.want)
		}
		if g := guardResult(t, d, "G03", levelWarning); g.Pass == c.marked {
			t.Errorf("%q/%q: marked as fallback: %t", c.mention, c.hint, !g.Pass)
		}
	}
	m := mention("pl", "delivery", "…")
	m.Brand = "nobody-named-it"
	if d := makeDrafts(t, l, request(set, m, "x")).Drafts[0]; d.Lang != "en" {
		t.Errorf("without a brand's language: %s, want en", d.Lang)
	}
}

func TestProductNames(t *testing.T) {
	for text, want := range map[string]string{
		"My FJELLBRYG ONE leaks": "Fjellbryg One", "fjellbryg-home crashes": "Fjellbryg Home",
		"This is the one I bought": "", "Fjellbryg Oneness": "", "It leaks": "",
	} {
		if got := productIn(text, brandSet().Brands["fjellbryg"]); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestApprove(t *testing.T) {
	l, set := newLibrary(t), brandSet()
	for sev, want := range map[rules.Severity][]string{
		rules.Crisis: {"pr-lead", "legal"}, rules.Serious: {"pr-on-duty"}, rules.Issue: {"brand-manager"}, rules.Notice: nil,
	} {
		r := request(set, mention("en", "delivery", "…"), "x")
		r.Severity = sev
		if got := makeDrafts(t, l, r).Approve; !slices.Equal(got, want) {
			t.Errorf("%v: %v, want %v", sev, got, want)
		}
	}
	r := request(set, mention("en", "privacy_breach", "…"), "x")
	r.Incident = &detector.Incident{Severity: rules.Crisis}
	if got := makeDrafts(t, l, r).Approve; !slices.Contains(got, "data-protection") {
		t.Errorf("a breach is approved by %v", got)
	}
}

func TestStatementOnlyWhenGrave(t *testing.T) {
	l, set := newLibrary(t), brandSet()
	for sev := rules.Crisis; sev <= rules.Notice; sev++ {
		r := request(set, mention("ru", "outage", "…"), "mastodon")
		r.Severity = sev
		has := slices.ContainsFunc(makeDrafts(t, l, r).Drafts, func(d notifier.Draft) bool { return d.ID == "holding" })
		if want := sev <= rules.Serious; has != want {
			t.Errorf("%v: statement %t, want %t", sev, has, want)
		}
	}
}

func TestClearedLegalLine(t *testing.T) {
	r := request(brandSet(), mention("sv", "legal_authority", "…"), "x")
	r.Incident = &detector.Incident{ID: "fjellbryg-1", Facts: map[string]string{"cleared.holding": "true"}, FactsAt: theHour}
	s := makeDrafts(t, newLibrary(t), r)
	if s.Suggest != notifier.Handover || len(s.Drafts) != 1 || !s.Drafts[0].Sendable {
		t.Errorf("%+v", s)
	}
}

func TestSameRequestSameDrafts(t *testing.T) {
	set := brandSet()
	r := request(set, mention("de", "quality_defect", "Mein Fjellbryg One ist kaputt"), "instagram")
	r.Severity = rules.Serious
	first := makeDrafts(t, newLibrary(t), r)
	l := newLibrary(t)
	for range 20 {
		if again := makeDrafts(t, l, r); !reflect.DeepEqual(first, again) {
			t.Fatalf("first %+v\nthen  %+v", first, again)
		}
	}
}

// TestIncidentVariesItsAnswers: three strangers in one incident do not get the same words.
func TestIncidentVariesItsAnswers(t *testing.T) {
	var ms []detector.Judged
	for range 3 {
		m := mention("en", "delivery", "…")
		m.Mention.Author.Name = "" // the greeting alone would make them differ
		m.Mention.Network = "facebook"
		ms = append(ms, m)
	}
	base := notifier.Request{Incident: &detector.Incident{ID: "fjellbryg-1"}, Severity: rules.Issue, Rules: brandSet(), Now: theHour}
	out, err := newLibrary(t).ForIncident(context.Background(), base, ms)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, p := range out {
		seen[p.Drafts[0].Text] = true
	}
	if len(out) != 3 || len(seen) != 3 {
		t.Errorf("%d mentions, %d different answers", len(out), len(seen))
	}
}

func TestNoRulesIsAnError(t *testing.T) {
	if _, err := newLibrary(t).Draft(context.Background(), notifier.Request{}); err == nil {
		t.Error("no error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := newLibrary(t).Draft(ctx, request(starter(), mention("en", "", "…"), "x")); err == nil {
		t.Error("no error after the context ended")
	}
}

// TestCheckTakesTheWorkedExample: a rule file as people write it has drafts that can be sent.
func TestCheckTakesTheWorkedExample(t *testing.T) {
	data, err := os.ReadFile("../../rules/testdata/full.yml")
	if err != nil {
		t.Fatal(err)
	}
	set, errs := rules.Parse([]rules.File{{Name: "full.yml", Data: data}}, rules.Options{Notifiers: []string{"mail", "siren"}})
	if set == nil {
		t.Fatal(errs)
	}
	if errs := newLibrary(t).Check(set); len(errs) > 0 {
		t.Error(errs)
	}
}

func TestCheckReportsWhatCannotBeSent(t *testing.T) {
	bad := strings.ReplaceAll(ownBooks, "I'm sorry. {{facts.instruction}}", "this was our fault. {{facts.instruction}}")
	errs := newLibrary(t).Check(parseRules(t, brandFile, bad))
	if len(errs) != 2 {
		t.Fatalf("want the liability and the missing Swedish instruction, got\n%v", errs)
	}
	for i, want := range []string{"G04", "G11"} {
		if e := errs[i]; e.ID != "E08" || !strings.Contains(e.What, want) || e.Pos.Line == 0 {
			t.Errorf("%v, want E08 with %s", e, want)
		}
	}
}
