package web

import (
	"context"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"emberwatch/detector"
	"emberwatch/notifier"
	"emberwatch/notifier/notifiertest"
	"emberwatch/rules"
	"emberwatch/sources"
)

// theirs are the words of the fakes that are not ours: names, ids, and what people wrote.
var theirs = []string{
	"Fjellbryg US Airways us-airways shop instagram web news service quality Boris Maja Ingrid (desk) neg-burst public-short public-full pr-lead http tokens CET tank",
	"The warehouse says the carrier has lost a lorry. fetch: 503 Service Unavailable nicht angekommen lost parcel", "authors(1h) > 3", "@tomwrites @pp @ahmad_k Private Person",
	"parcel-late valve",
	"Hallo Maja, dass dein Paket nach zwei Wochen noch nicht da ist, tut uns leid. Schickst du uns die Bestellnummer per Nachricht? – Ida", "note of a colleague GET UTC نأسف لتأخر طلبك يا أحمد. هل ترسل لنا رقم الطلب في رسالة خاصة؟ شكرا",
}

// eventful is a busy world with everything in its history that can happen to an incident.
func eventful() *world {
	w := busy()
	for k := range w.incidents {
		i := &w.incidents[k]
		i.Title, i.NamedBy, i.Signals = "More complaints than usual", "neg-burst", []detector.ActiveSignal{{Signal: "negative", Series: "negative"}}
		i.SeveritySaid = detector.Said{{Code: "why.topic", Topic: "delivery"}, {Code: "why.condition", Name: "tank", Text: "authors(1h) > 3"}}
		i.Evidence.Learning, i.Evidence.Day, i.Evidence.Budget = "provisional, day 3 of 7", 3, &detector.Budget{PerWeek: 0.25, Weeks: 3, Realised: 0.5}
		i.Evidence.Categories = map[string]int{"delivery": 40, "outage": 5}
	}
	for _, j := range w.mentions {
		theirs = append(theirs, j.Mention.Text)
	}
	w.mentions[2].Category = "staff_conduct"
	ops := []string{"opened", "worse", "new_source", "updated", "calm", "closed", "reopened", "escalated", "reminder", "lease_asked", "lease_ended", "snooze_over"}
	for _, op := range operations {
		ops = append(ops, string(op))
	}
	var said []detector.Clause
	for code := range detector.Phrases() {
		said = append(said, detector.Clause{Code: code, Name: "tank", Names: []string{"tank"}, Word: "acked", Topic: "delivery", At: noon, Text: "note of a colleague", Span: detector.Duration(72 * time.Hour)})
	}
	for k := range max(len(ops), len(said)) {
		op, c := ops[k%len(ops)], said[k%len(said)]
		a := detector.Audit{Seq: k + 1, At: noon, Op: op, Reason: detector.ReasonFirst, Said: detector.Said{c, {Text: "note of a colleague"}}, Actor: detector.Actor{Kind: "timer", Via: "timer"}}
		a.Note = a.Said.String()
		switch k % 4 {
		case 1:
			a.Actor, a.Reason = detector.Actor{Kind: "person", Name: "Ingrid", Via: []string{"slack", "page", "cli", "http"}[k/4%4]}, detector.ReasonEscalated
		case 2:
			a.Actor, a.Reason = detector.Actor{Kind: "rule", ID: "neg-burst"}, detector.ReasonSnoozeOver
		}
		a.Changes = map[string][2]any{
			"handling": {"new", "acked"}, "level": {3.0, 2.0}, "severity": {3.0, 1.0}, "owner": {"", "Ingrid"}, "closing": {"", "false_alarm"}, "observed": {12.0, 1200.0},
			"authors": {1.0, 2.0}, "lease_until": {"", "2026-11-16T14:00:00Z"}, "snooze_until": {"2026-11-16T14:00:00Z", ""}, "merged_into": {"", "fjellbryg-4"},
		}
		w.audits["fjellbryg-3"] = append(w.audits["fjellbryg-3"], a)
	}
	return w
}

// pages are all pages as somebody with this browser reads them, with what is read aloud.
func pages(t *testing.T, lang string) string {
	t.Helper()
	w := eventful()
	open := configOf(w)
	made := open.Drafts
	open.Drafts = func(ctx context.Context, incident string) ([]MentionDrafts, error) {
		ds, err := made(ctx, incident)
		for k := range ds {
			ds[k].Said = detector.Said{{Code: "suggest.reply.topic", Name: "parcel-late", Topic: "delivery"}}
			ds[k].Posture = &notifier.Posture{Cluster: rules.Preventable, Said: detector.Said{{Code: "posture.repeated", N: 3, Of: 60, Word: "preventable"}}}
			ds[k].Drafts[0].Facts = []notifier.Fact{{Name: "next_update", State: notifier.Checking, Text: "valve"}}
		}
		return ds, err
	}
	closed := open
	closed.Open, closed.Tokens = false, []Token{NewToken("desk", "secret", Read)}
	deaf := open
	deaf.Reader, deaf.Sources = &world{}, func() []sources.Health { return nil }
	failing := open
	failing.Reader = &world{fails: sources.ErrUnavailable}
	var b strings.Builder
	for _, c := range []struct {
		conf Config
		path string
	}{
		{open, "/"},
		{open, "/incidents/fjellbryg-3"},
		{open, "/incidents/fjellbryg-2"},
		{open, "/incidents/us-airways-7"},
		{open, "/incidents/acme-1"},
		{open, "/incidents/fjellbryg-3?done=ack"},
		{closed, "/login"},
		{deaf, "/"},
		{failing, "/"},
		{open, "/nothing/here"},
	} {
		b.WriteString(readAloud(t, get(c.path, "Accept", "text/html", "Accept-Language", lang).send(New(c.conf)).Body.String()))
	}
	b.WriteString(readAloud(t, get("/incidents/fjellbryg-3/chart.svg", "Accept-Language", lang).send(New(open)).Body.String()))
	for code := range detector.Phrases() {
		if strings.HasPrefix(code, "refused.") {
			v := english
			v.Language = open.Languages.In(lang)
			b.WriteString(v.told(&detector.Result{Said: detector.Said{{Code: code, Name: "tank", N: 3, At: noon, Word: "false_alarm", Span: detector.Duration(72 * time.Hour)}}}) + "\n")
		}
	}
	return b.String()
}

// readAloud is the text of a page, and that of pictures and controls.
func readAloud(t *testing.T, page string) string {
	t.Helper()
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(page))
	for last := ""; z.Next() != html.ErrorToken; {
		tok := z.Token()
		if tok.Type == html.StartTagToken {
			last = tok.Data
		}
		if tok.Type == html.TextToken && last != "style" {
			b.WriteString(tok.Data + "\n")
		}
		for _, a := range tok.Attr {
			if a.Key == "alt" || a.Key == "aria-label" || a.Key == "title" || a.Key == "placeholder" {
				b.WriteString(a.Val + "\n")
			}
		}
	}
	return b.String()
}

// TestEveryPageIsInGerman: no word of ours is the same as in English unless it is German too.
func TestEveryPageIsInGerman(t *testing.T) {
	en, de := pages(t, "en"), pages(t, "de")
	if left := notifiertest.Untranslated(t, "../words/de.yml", en, de, theirs...); len(left) > 0 {
		t.Errorf("not translated: %v\n%s", left, de)
	}
	mustContain(t, de,
		"4 offene Vorfälle", "ungewöhnlich viele Beschwerden über Lieferung; Regel tank: authors(1h) > 3", "vorläufig, Tag 3 von 7",
		"1.204", "Budget: höchstens 1,1 Fehlalarme im Monat", "Kommentar", "Direktnachricht",
		"vermeidbar: der 3. Vorfall dieser Art in 60 Tagen", "Angabe nächste Neuigkeit (in Prüfung)", "G09 Pflicht", "kein Witz, Emoji oder Ausrufezeichen", "Bearbeitung: offen → übernommen", "Schweregrad: Problem → Krise", "gezählt: 12 → 1.200",
		"Diesen Vorfall gibt es nicht.")
	if seen := notifiertest.Untranslated(t, "../words/de.yml", en, en, theirs...); len(seen) < 100 {
		t.Errorf("the test would not see English: %v", seen)
	}
}
