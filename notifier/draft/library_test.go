package draft

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/rules"
)

var (
	tongues = []string{"en", "de", "ru", "ar", "sv", "es", "fr"}

	// topics are the categories that are answered in public; "" is none of them.
	topics = []string{
		"", "delivery", "billing_refund", "quality_defect", "outage", "waiting", "staff_conduct", "price",
		"safety_injury", "privacy_breach", "discrimination", "misinformation", "environmental_ethics", "boycott_cancel", "press",
	}

	// factsIn is a filled fact sheet for each language.
	factsIn = map[string]map[string]string{
		"en": {detector.FactKnown: "the tank can leak", detector.FactChecking: "what causes it; which weeks are affected", detector.FactInstruction: "Please unplug the machine and empty the tank."},
		"de": {detector.FactKnown: "der Tank kann lecken", detector.FactChecking: "woran es liegt; welche Wochen betroffen sind", detector.FactInstruction: "Bitte ziehen Sie den Netzstecker und leeren Sie den Tank."},
		"ru": {detector.FactKnown: "бак может протекать", detector.FactChecking: "в чём причина; какие партии затронуты", detector.FactInstruction: "Пожалуйста, выньте вилку из розетки и слейте воду."},
		"ar": {detector.FactKnown: "قد يتسرب الماء من الخزان", detector.FactChecking: "السبب; الدفعات المتأثرة", detector.FactInstruction: "يرجى فصل الجهاز عن الكهرباء وإفراغ الخزان."},
		"sv": {detector.FactKnown: "tanken kan läcka", detector.FactChecking: "vad det beror på; vilka veckor det gäller", detector.FactInstruction: "Dra ur kontakten och töm tanken."},
		"es": {detector.FactKnown: "el depósito puede gotear", detector.FactChecking: "la causa; qué semanas están afectadas", detector.FactInstruction: "Por favor, desenchufe la máquina y vacíe el depósito."},
		"fr": {detector.FactKnown: "le réservoir peut fuir", detector.FactChecking: "la cause; les semaines concernées", detector.FactInstruction: "Débranchez la machine et videz le réservoir."},
	}
)

// TestEveryCategoryHasAPlaybook: whatever a mention is about, there is something to say or a reason not to.
func TestEveryCategoryHasAPlaybook(t *testing.T) {
	set := starter()
	for id := range set.Categories {
		if p := set.PlaybookFor(nil, id); p == nil || p.ID == bookGeneral && id != "other" {
			t.Errorf("%s has no playbook of its own", id)
		}
	}
}

func TestStarterHoldsEveryPlaybook(t *testing.T) {
	want := []string{
		"general-complaints", "delivery", "billing_refund", "quality_defect", "outage", "waiting", "staff_conduct", "price",
		"safety", "privacy_breach", "discrimination", "misinformation", "environmental_ethics", "boycott_cancel", "press",
		"legal_authority", "death", "minor", "self_harm", "praise", "question", "suggestion", "holding", "apologise-for-answer", "app-fix",
	}
	books := starter().Playbooks
	for _, id := range want {
		p := books[id]
		if p == nil {
			t.Errorf("no playbook %q", id)
			continue
		}
		variants := []string{"public-short", "public-full", "private"}
		if p.Drafts[0].ID == "holding-line" {
			variants = []string{"holding-line"}
		}
		for _, v := range variants {
			for _, lang := range tongues {
				if !slices.ContainsFunc(p.Drafts, func(d rules.Template) bool { return d.ID == v && slices.Contains(d.Languages, lang) }) {
					t.Errorf("%s has no %s in %s", id, v, lang)
				}
			}
		}
	}
}

// everything calls f for each embedded template in each of its languages, on each network that may use it.
func everything(t *testing.T, l *Library, set *rules.Set, f func(v variant, n *network)) {
	t.Helper()
	for _, id := range slices.Sorted(maps.Keys(set.Playbooks)) {
		p := set.Playbooks[id]
		for i := range p.Drafts {
			d := &p.Drafts[i]
			parsed, err := parseTemplate(d.Text)
			if err != nil {
				t.Fatalf("%s/%s: %v", id, d.ID, err)
			}
			for _, lang := range d.Languages {
				for _, n := range append(slices.Clone(l.networks.rows), l.networks.find("our-shop")) {
					if exact := l.networks.named(d.Networks, n); exact > 0 {
						f(variant{book: p, template: d, parsed: parsed, lang: lang, exact: exact, origin: notifier.Reviewed}, n)
					}
				}
			}
		}
	}
}

// TestEveryTemplatePassesEveryHardGuard makes every template that can be chosen, in each language, on each network and at
// each severity, with nothing known and with everything: a name, a product, facts, an apology that is cleared, nobody there.
func TestEveryTemplatePassesEveryHardGuard(t *testing.T) {
	if testing.Short() {
		t.Skip("makes some ninety thousand drafts, one after the other")
	}
	l := newLibrary(t)
	set := brandSet()
	made, tooLong := 0, 0
	texts := map[string]bool{}
	var w writer
	everything(t, l, set, func(v variant, n *network) {
		if w.v.template != v.template || w.v.lang != v.lang {
			w = newWriter(t, l, set, v)
		}
		w.v.exact = v.exact
		for _, x := range w.jobs {
			if w.passes(t, x, n, texts) {
				made += x.severities
			} else {
				tooLong += x.severities
			}
		}
	})
	if made < 10_000 {
		t.Errorf("only %d drafts were made", made)
	}
	t.Logf("%d drafts made and passed (%d different texts); %d combinations are never chosen because they are too long", made, len(texts), tooLong)
}

// writer makes one template with nothing known and with everything, calm and grave: the words depend on no more of the
// severity.
type writer struct {
	v    variant
	jobs []*written
}

// written is a job with its text for each group of network families, as long as it likes.
type written struct {
	*job
	severities int // that lead to it
	free       map[string]freely
}

type freely struct {
	vals values
	text string
}

func newWriter(t *testing.T, l *Library, set *rules.Set, v variant) writer {
	t.Helper()
	w := writer{v: v}
	for _, filled := range []bool{false, true} {
		byGrave := map[bool]*written{}
		for sev := rules.Calm; sev <= rules.Notice; sev++ {
			j := l.newJob(libraryRequest(set, v, sev, filled))
			j.playbook = v.book
			j.grave = j.isGrave()
			j.readFacts()
			if len(j.approve()) == 0 && sev != rules.Calm && sev != rules.Notice {
				t.Errorf("%s: nobody approves at severity %d", v.book.ID, sev)
			}
			if byGrave[j.grave] == nil {
				byGrave[j.grave] = &written{job: j, free: map[string]freely{}}
				w.jobs = append(w.jobs, byGrave[j.grave])
			}
			byGrave[j.grave].severities++
		}
	}
	return w
}

// passes writes the template for a network, and has the guards look at it unless they have seen its words. It reports
// whether the text is within the network's limits.
func (w *writer) passes(t *testing.T, x *written, n *network, texts map[string]bool) bool {
	t.Helper()
	families := strings.Join(n.Families, " ")
	f, known := x.free[families]
	if !known {
		x.network = &network{ID: n.ID, Families: n.Families}
		f.vals, f.text = x.write(w.v)
		x.free[families] = f
	}
	if x.network = n; !n.fits(f.text) {
		f.vals, f.text = x.write(w.v)
	}
	if !n.fits(f.text) {
		if w.v.exact > 1 {
			t.Errorf("%s/%s/%s is written for %s and does not fit: %d of %d", w.v.book.ID, w.v.template.ID, w.v.lang, n.ID, n.count(f.text), n.Limit)
		}
		return false
	}
	if key := fmt.Sprint(w.v.lang, x.grave, f.text); !texts[key] {
		texts[key] = true
		if g := firstFailed(x.guard(w.v, f.vals, f.text)); g != nil {
			t.Errorf("%s/%s/%s on %s: %s: %s\n%s", w.v.book.ID, w.v.template.ID, w.v.lang, n.ID, g.ID, g.Why, f.text)
		}
	}
	return true
}

func libraryRequest(set *rules.Set, v variant, sev rules.Severity, filled bool) *notifier.Request {
	m := mention(v.lang, "", "")
	inc := &detector.Incident{ID: "b-1", Playbook: v.book.ID, Severity: sev}
	if !filled {
		m.Brand, m.Mention.Author.Name = "nobody-named-it", ""
	} else {
		m.Mention.Text = "Fjellbryg One"
		inc.Facts, inc.FactsAt = maps.Clone(factsIn[v.lang]), theHour
		inc.Facts[detector.FactNextUpdate] = theHour.Add(23 * time.Hour).Format(time.RFC3339)
		inc.Facts[detector.FactCleared+"apology"], inc.Facts[detector.FactCluster] = "true", string(rules.Preventable)
		inc.Facts[detector.FactWhere] = "{{brand.contact.status}}"
	}
	r := &notifier.Request{Mention: m, Incident: inc, Severity: sev, Rules: set, Now: theHour}
	if filled {
		r.Hours = opens(theHour.Add(22 * time.Hour))
	}
	return r
}

// TestDayOne: without a rule file, a contact, a sign-off or a fact sheet there is a sendable public draft for every
// topic, language and network.
func TestDayOne(t *testing.T) {
	l := newLibrary(t)
	set := starter()
	for _, topic := range topics {
		for _, lang := range tongues {
			for _, n := range append([]string{"our-shop", ""}, networkIDs(l)...) {
				if n == "news" {
					continue
				}
				m := mention(lang, topic, "…")
				m.Brand = "nobody-named-it"
				s := makeDrafts(t, l, request(set, m, n))
				ok := slices.ContainsFunc(s.Drafts, func(d notifier.Draft) bool {
					return d.Sendable && d.Lang == lang && inPublic(d)
				})
				if !ok || s.Suggest != notifier.Reply {
					t.Errorf("%q in %s on %q: %s, no sendable public draft among %d", topic, lang, n, s.Suggest, len(s.Drafts))
				}
			}
		}
	}
}

func networkIDs(l *Library) []string {
	var ids []string
	for _, n := range l.networks.rows {
		ids = append(ids, n.ID)
	}
	return ids
}

// TestTextsAddressPeopleAsAgreed holds the form of address of each language and the house style: no
// exclamation mark, no question but one, nothing left of a slot.
func TestTextsAddressPeopleAsAgreed(t *testing.T) {
	wrong := map[string][]string{
		"de": {"du", "dir", "dich", "dein", "deine", "deiner", "deinen", "euch", "ihr"},
		"ru": {"ты", "тебя", "тебе", "твой", "твоя", "твоё", "твои"},
		"sv": {"ni", "er", "ert", "era"},
		"es": {"tú", "te", "tu", "tus", "ti", "contigo"},
		"fr": {"tu", "te", "toi", "ton", "ta", "tes"},
	}
	formal := map[string][]string{
		"de": {"Sie", "Ihnen", "Ihr", "Ihre", "Ihren", "Ihrer"},
		"es": {"usted", "le", "su", "sus", "escríbanos", "envíenos", "díganos"},
	}
	l := newLibrary(t)
	set := starter()
	everything(t, l, set, func(v variant, n *network) {
		if n.ID != "other" && n.ID != "tiktok" && n.ID != "facebook" {
			return
		}
		text := v.parsed.render(values{slotGreeting: l.languages[v.lang].greeting("", manner{calm: true}), slotNow: "10:30"}, v.lang)
		if strings.ContainsAny(text, "!¡") || strings.Count(text, "?")+strings.Count(text, "؟") > 1 {
			t.Errorf("%s/%s/%s: %s", v.book.ID, v.template.ID, v.lang, text)
		}
		if v.template.Kind == kindHolding {
			return // to many: Swedish speaks to "er" there
		}
		wrong := wrong
		if v.template.Address != "" {
			wrong = formal
		}
		words := strings.Fields(spaced(text))
		if v.lang == "de" {
			words = strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" .,:;?", r) }) // Ihr is right, ihr is not
		}
		for _, w := range wrong[v.lang] {
			if slices.Contains(words, w) {
				t.Errorf("%s/%s/%s says %q: %s", v.book.ID, v.template.ID, v.lang, w, text)
			}
		}
	})
}

// TestShortTextsKeepTheContact: with a name, a contact and a sign-off, the short texts stay within the shortest
// common limit without giving up the contact.
func TestShortTextsKeepTheContact(t *testing.T) {
	l := newLibrary(t)
	set := brandSet()
	for _, topic := range topics {
		for _, lang := range tongues {
			m := mention(lang, topic, "…")
			if lang == "ru" {
				m.Mention.Author.Name = "Екатерина"
			}
			for _, n := range []string{"x", "bluesky", "googleplay"} {
				d := draftByID(t, makeDrafts(t, l, request(set, m, n)), "public-short")
				asks := slices.Contains([]string{"environmental_ethics", "boycott_cancel"}, topic) // they ask in public
				if !strings.Contains(d.Text, "https://") && !asks {
					t.Errorf("%q in %s on %s lost its contact (%d of %d): %s", topic, lang, n, d.Length, d.Limit, d.Text)
				}
			}
		}
	}
}

func TestCheckFindsNothingInTheLibrary(t *testing.T) {
	if testing.Short() {
		t.Skip("makes every draft for every network")
	}
	set := *brandSet()
	set.Playbooks = maps.Clone(set.Playbooks)
	for id, p := range set.Playbooks { // as if they stood in a file
		own := *p
		own.Embedded = false
		set.Playbooks[id] = &own
	}
	for _, e := range newLibrary(t).Check(&set) {
		t.Error(e)
	}
}
